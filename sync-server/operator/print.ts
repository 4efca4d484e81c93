/** What the operator's commands say to people. Programs ask with `--json`. */
import type { BackupResult } from './backup.ts';
import type { RestoreResult } from './restore.ts';
import type { DemoResult } from '../import/demo.ts';
import { FEATURES, GIGABYTE_BYTES } from '#crdt-model/tariff/plans.ts';
import type { PortalTariff } from './tariff-command.ts';
import type { Verified } from './verify.ts';

const ROLES = ['administrator', 'manager', 'agent'] as const;
/** The rest is there with --json. */
const SIGN_INS_PER_ROLE = 2;

export function demoText({ portal, people, summary }: DemoResult): string {
	const { company, made, stages, didNotFit, absentColumns, shiftedDays, tookMs } = summary;
	const n = (value: number) => value.toLocaleString('en-US');
	const lines = [
		`Made ${company} (${portal}) in ${(tookMs / 1000).toFixed(1)} s:`,
		`  ${n(made.opportunities)} opportunities → ${n(made.deals)} deals (${n(stages.prospecting)} prospecting, ${n(stages.engaging)} engaging, ${n(stages.won)} won, ${n(stages.lost)} lost)`,
		`  ${n(made.accounts)} accounts, ${n(made.products)} products`,
		`  ${n(made.offices)} offices, ${n(made.teams)} teams; ${n(made.managers)} managers, ${n(made.agents)} agents, 1 administrator`,
		`  ${n(made.tasks)} tasks (${n(made.descriptions)} with a description), ${n(made.pages)} pages`,
		...(shiftedDays === 0 ? [] : [`  all dates moved by ${n(shiftedDays)} days, so that the latest one is today`]),
		...(absentColumns.length ? [`  columns that the files do not have: ${absentColumns.join(', ')}`] : [])
	];
	if (didNotFit.length) lines.push('', 'What did not fit, and what became of it:');
	for (const { count, says, examples } of didNotFit) lines.push(`  ${n(count).padStart(6)}  ${says} (${examples.join('; ')})`);
	lines.push('', `Sign-ins, all with the password ${people[0]!.password}`);
	for (const role of ROLES) {
		const all = people.filter((person) => person.role === role);
		for (const { name, email } of all.slice(0, SIGN_INS_PER_ROLE)) lines.push(`  ${role.padEnd(13)}  ${email}  (${name})`);
		if (all.length > SIGN_INS_PER_ROLE) lines.push(`  ${' '.repeat(13)}  and ${n(all.length - SIGN_INS_PER_ROLE)} more ${role}s`);
	}
	return lines.map(oneLine).join('\n');
}

export function tariffText({ portal, company, bought, tariff }: PortalTariff): string {
	const { plan, until, people, storageBytes, features } = tariff;
	const n = (value: number) => value.toLocaleString('en-US');
	const gigabytes = (bytes: number) => (bytes / GIGABYTE_BYTES).toLocaleString('en-US', { maximumFractionDigits: 2 });
	const above = (used: number, most: number | null) => (most !== null && used > most ? '  (above the limit: all of it stays readable, nothing can be added)' : '');
	const missing = FEATURES.filter((feature) => !features.includes(feature));
	return [
		`${company} (${portal})`,
		`  plan      ${plan}${until === null ? '' : ` until ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC, then ${bought.plan}`}`,
		`  people    ${n(people.used)} of ${people.most === null ? 'any number' : n(people.most)}${above(people.used, people.most)}`,
		`  storage   ${gigabytes(storageBytes.used)} of ${storageBytes.most === null ? 'any number of' : gigabytes(storageBytes.most)} GB${bought.rentedBytes ? `, ${gigabytes(bought.rentedBytes)} of them rented` : ''}${above(storageBytes.used, storageBytes.most)}`,
		`  features  ${features.length === 0 ? 'none of those that are sold apart' : features.join(', ')}${missing.length === 0 ? '' : `; without ${missing.join(', ')}`}`
	].map(oneLine).join('\n');
}

export function secondFactorText({ reset, told }: { reset: string; told: boolean }): string {
	const letter = told ? 'A letter tells them so.' : 'No relay is running, so no letter goes: tell them.';
	return oneLine(`${reset} signs in with the password alone from now on, and all their sessions have ended. ${letter}`);
}

export function verifiedText({ portal, entries, documents, difference, notJudged, outdated }: Verified): string {
	const counted = `${entries.toLocaleString('en-US')} entries, ${documents.toLocaleString('en-US')} documents`;
	const rows = outdated.length === 0 ? '' : `; another release made what lists say of ${outdated.join(', ')}, which is made anew when the portal is next opened`;
	if (notJudged !== null) return oneLine(`${portal}  NOT JUDGED: ${notJudged}`);
	return oneLine(difference === null ? `${portal}  as it was accepted  (${counted}${rows})` : `${portal}  DIFFERS: ${difference}  (read until then: ${counted})`);
}

/** Names come from files: no line of theirs ends ours, and none of their control characters reaches the terminal. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');

export function backupText({ generation, portals, files, copiedFiles, damaged, tookMs }: BackupResult, to: string): string {
	const bytes = portals.reduce((sum, portal) => sum + portal.bytes, 0);
	return [
		`Backed up ${portals.length} ${portals.length === 1 ? 'portal' : 'portals'} (${(bytes / 1e6).toFixed(1)} MB) and ${files} files (${copiedFiles} of them new) in ${(tookMs / 1000).toFixed(1)} s:`,
		`  ${to}/generations/${generation}`,
		`The keys that let devices hand back what a backup lacks, and open second factors, lie in ${to}/keys: keep them with your backups, and not where they are given away.`,
		...damaged.map((file) => `DAMAGED, and not in the backup: ${oneLine(file)}`)
	].join('\n');
}

export function restoreText({ generation, at, epoch, portals, files, canHeal, canOpenVault, movedTo, tookMs }: RestoreResult, dataDir: string): string {
	return [
		`Restored ${portals.length} ${portals.length === 1 ? 'portal' : 'portals'} and ${files} files of ${new Date(at).toISOString()} (${generation}) into ${dataDir} in ${(tookMs / 1000).toFixed(1)} s, as epoch ${epoch}.`,
		...movedTo.map((folder) => `What was there lies in ${folder}.`),
		canHeal
			? 'Devices will hand back what they have of the time since, as they come.'
			: 'The key of the seals is not here, so nothing that devices hand back can be believed: each person’s own work of the time since is sent again as new.',
		...(canOpenVault ? [] : ['The key of the accounts is not here: second factors cannot be checked until an administrator or `npm run portal` resets them, and letters that waited are lost.'])
	].join('\n');
}
