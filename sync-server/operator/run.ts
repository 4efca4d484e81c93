/**
 * The operator's commands from the command line: through a running relay where there is one, else on the stores themselves.
 *
 * Promises: the stores are opened under the claim on DATA_DIR, so that never two processes write; `verify` only reads and needs neither. What the
 * operator can mend is a `Problem` of one line.
 * Leaves to others: arguments, text for people (print.ts), exit codes (portal.ts).
 */
import { randomFillSync } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isPortalId } from '#crdt-model/ids.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { Accounts } from '../accounts/accounts.ts';
import { claimDataDir, ConfigProblem, keptSecret, type Config, type DataDirClaim } from '../config.ts';
import type { DemoResult, DemoWorld } from '../import/demo.ts';
import { Portals } from '../room/portals.ts';
import { demoCommand, type DemoAnswer, type DemoArgs } from './demo-command.ts';
import { askRelay } from './door-client.ts';
import { verifyPortal, type Verified } from './verify.ts';

export class Problem extends Error {}

/** As main.ts keeps it. */
const MAC_KEY = { file: 'mac.key', bytes: 32 } as const;
const EXTENSION = '.db';

type Dirs = Pick<Config, 'dataDir' | 'storageDir'>;

export async function runDemo(dirs: Dirs, args: DemoArgs): Promise<DemoResult> {
	const answer = await askOrOpen(dirs, args);
	if ('problem' in answer) throw new Problem(answer.problem);
	return answer.made;
}

async function askOrOpen(dirs: Dirs, args: DemoArgs): Promise<DemoAnswer> {
	const first = await askRelay(dirs.dataDir, 'demo', args);
	if (first.from === 'relay') return first.result as DemoAnswer;
	let claim: DataDirClaim;
	try {
		claim = claimDataDir(dirs.dataDir);
	} catch (error) {
		if (!(error instanceof ConfigProblem)) throw error;
		// A relay that was just starting when it was asked first has opened its door by now.
		const second = await askRelay(dirs.dataDir, 'demo', args);
		if (second.from === 'relay') return second.result as DemoAnswer;
		throw error;
	}
	try {
		return await withStores(dirs, (world) => demoCommand(world, args));
	} finally {
		claim.release();
	}
}

async function withStores<T>({ dataDir, storageDir }: Dirs, use: (world: DemoWorld) => Promise<T>): Promise<T> {
	const macKey = keptSecret(dataDir, MAC_KEY.file, MAC_KEY.bytes, (target) => randomFillSync(target));
	const accounts = await Accounts.open({ folder: dataDir });
	try {
		const portals = await Portals.open({ store: await SqliteRelayStore.open(storageDir), macKey });
		try {
			return await use({ portals, accounts, now: Date.now });
		} finally {
			await portals.close();
		}
	} finally {
		await accounts.close();
	}
}

export interface VerifyResult {
	readonly ok: boolean;
	readonly portals: readonly Verified[];
}

/** @param onVerified told of each portal as it is done: a large one takes a while */
export function runVerify({ dataDir, storageDir }: Dirs, onVerified: (verified: Verified) => void): VerifyResult {
	const files = portalFiles(storageDir);
	if (files.length === 0) return { ok: true, portals: [] };
	let macKey: Uint8Array;
	try {
		macKey = readFileSync(join(dataDir, MAC_KEY.file));
	} catch (error) {
		throw new Problem(`${join(dataDir, MAC_KEY.file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}), and without it no seal can be checked.`);
	}
	const portals: Verified[] = [];
	for (const name of files) {
		const portal = name.slice(0, -EXTENSION.length);
		if (!isPortalId(portal)) continue;
		const verified = verifyPortal(join(storageDir, name), portal, macKey);
		portals.push(verified);
		onVerified(verified);
	}
	return { ok: portals.every(({ difference }) => difference === null), portals };
}

function portalFiles(folder: string): string[] {
	try {
		return readdirSync(folder).filter((name) => name.endsWith(EXTENSION)).sort();
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		// Nobody founded a company here yet.
		if (code === 'ENOENT') return [];
		throw new Problem(`${folder} cannot be read (${code ?? 'unknown'}).`);
	}
}
