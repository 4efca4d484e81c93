/**
 * `demo`: a new company of real files, whole, with sign-ins for everybody in it.
 *
 *   read → plan → claim the administrator's address → found → write → sign-ins
 *
 * Promises: what is wrong with the files or the password is found before anything is made; the portal can be signed in to only once it is
 * whole, because memberships come last; two runs never share a person, because each company gets an address of its own.
 * Leaves to others: reading the files (crm-files.ts), the odd rows (company-plan.ts), who may ask for it (operator/).
 */
import { randomInt } from 'node:crypto';
import { IdMaker, type PortalId } from '#crdt-model/ids.ts';
import type { Accounts, IdentityId } from '../accounts/accounts.ts';
import type { Portals } from '../room/portals.ts';
import { planCompany, type CompanyPlan, type PersonPlan, type Role } from './company-plan.ts';
import type { CrmTables } from './crm-files.ts';
import { ImportProblem } from './csv.ts';
import type { Misfit } from './misfits.ts';
import { planPages } from './pages.ts';
import { updatesOf } from './page-writer.ts';
import { PortalWriter } from './portal-writer.ts';
import { writeTasks } from './tasks.ts';
import { dayAt, latin } from './values.ts';
import { writeCompany } from './write-company.ts';

export interface DemoWorld {
	readonly portals: Portals;
	readonly accounts: Accounts;
	readonly now: () => number;
}

export interface DemoOptions {
	readonly company?: string | undefined;
	/** Everybody's; a random readable one where it is not given. */
	readonly password?: string | undefined;
	readonly dates?: 'keep' | 'today' | undefined;
}

export interface DemoPerson {
	readonly name: string;
	readonly email: string;
	readonly password: string;
	readonly role: Role;
}

export interface DemoSummary {
	readonly company: string;
	readonly made: Readonly<Record<'offices' | 'teams' | 'agents' | 'managers' | 'accounts' | 'products' | 'opportunities' | 'deals' | 'tasks' | 'pages' | 'descriptions', number>>;
	readonly stages: Readonly<Record<'prospecting' | 'engaging' | 'won' | 'lost', number>>;
	readonly didNotFit: readonly Misfit[];
	/** Optional columns that the files do not have. */
	readonly absentColumns: readonly string[];
	readonly shiftedDays: number;
	readonly tookMs: number;
}

export interface DemoResult {
	readonly portal: PortalId;
	readonly people: readonly DemoPerson[];
	readonly summary: DemoSummary;
}

/** The company of the copy in the repository. */
const COMPANY = 'MavenTech';
/** So many hashes at a time that other people's sign-ins still find a thread (password.ts runs three). */
const SIGN_INS_AT_ONCE = 2;
/** Companies of one name on one relay; the number becomes part of the address. */
const MAX_NAMESAKES = 100;

export async function makeDemo(tables: CrmTables, world: DemoWorld, options: DemoOptions = {}): Promise<DemoResult> {
	const { portals, accounts } = world;
	const startedAt = performance.now();
	const now = world.now();
	const company = options.company ?? COMPANY;
	const password = options.password ?? readablePassword();
	const plan = await planCompany(tables, { company, latestOn: options.dates === 'keep' ? null : dayAt(now) });
	const { domain, identity } = await claimDomain(accounts, plan, password);
	const emails = plan.people.map(({ local }) => `${local}@${domain}`);

	const founder = plan.people[0]!;
	const { portal, administrator } = await portals.found(
		{ company, language: 'en', firstName: founder.firstName, lastName: founder.lastName, email: emails[0]! },
		{ plan: 'project', demoStartedAt: now }
	);
	const writer = new PortalWriter(portal, new IdMaker(world.now), now);
	// Hashing has threads of its own and goes on beside the writing.
	const registering = signIns(accounts, plan, emails, password, identity);
	registering.catch(() => {}); // Told below, where it is waited for.
	const written = await writeCompany(writer, plan, { administrator, emails });
	const { tasks, descriptions } = await writeTasks(writer, plan, written);
	const pages = planPages(plan);
	await Promise.all(
		pages.map(async ({ title, author, blocks }) => {
			const page = writer.ids.document('page');
			const by = written.people[author]!;
			await writer.submit(by, [writer.command(page, 'page.create', { title, place: 'company' })]);
			await writer.edit(by, page, updatesOf(blocks));
		})
	);

	const identities = await registering;
	// The administrator last: whoever may do everything should find everything there.
	for (const [place, employee] of [...written.people.entries()].reverse()) {
		const added = await accounts.addMembership({ identity: identities[place]!, portal: portal.id, employee });
		if (added.outcome !== 'added') throw new Error(`${emails[place]} could not join the company: ${added.outcome}`);
	}
	return {
		portal: portal.id,
		people: plan.people.map((person, place) => ({ name: nameOf(person), email: emails[place]!, password, role: person.role })),
		summary: {
			company,
			made: {
				offices: plan.offices.length,
				teams: plan.teams.length,
				agents: plan.people.filter(({ role }) => role === 'agent').length,
				managers: plan.people.filter(({ role }) => role === 'manager').length,
				accounts: written.accounts.length,
				products: written.products.length,
				opportunities: tables.pipeline.rows.length,
				deals: written.deals.length,
				tasks,
				pages: pages.length,
				descriptions
			},
			stages: stagesOf(plan),
			didNotFit: plan.misfits.list(),
			absentColumns: Object.values(tables).flatMap(({ file, absent }) => absent.map((column) => `${file}: ${column}`)),
			shiftedDays: plan.shiftedDays,
			tookMs: Math.round(performance.now() - startedAt)
		}
	};
}

const nameOf = ({ firstName, lastName }: PersonPlan): string => `${firstName} ${lastName}`.replace(/ –$/u, '');

function stagesOf({ deals }: CompanyPlan) {
	const stages = { prospecting: 0, engaging: 0, won: 0, lost: 0 };
	for (const { stage } of deals) stages[stage]++;
	return stages;
}

/** Registers the administrator at the first free address of the company's name: whoever has it, has the company's. */
async function claimDomain(accounts: Accounts, { company, people }: CompanyPlan, password: string): Promise<{ domain: string; identity: IdentityId }> {
	const label = latin(company).slice(0, 40) || 'company';
	for (let n = 1; n <= MAX_NAMESAKES; n++) {
		const domain = `${label}${n === 1 ? '' : `-${n}`}.example`;
		const registered = await accounts.registerIdentity({ email: `${people[0]!.local}@${domain}`, password, name: nameOf(people[0]!) });
		if (registered.outcome === 'created') return { domain, identity: registered.identity };
		if (registered.outcome === 'refused') throw new ImportProblem(`The password cannot be used: ${registered.refusal}.`);
		// Known, a wrong password, or too many tries of it: the address is taken.
	}
	throw new ImportProblem(`${MAX_NAMESAKES} companies are called ${company} here: choose another name with --company.`);
}

async function signIns(accounts: Accounts, plan: CompanyPlan, emails: readonly string[], password: string, administrator: IdentityId): Promise<IdentityId[]> {
	const identities: IdentityId[] = [administrator];
	let next = 1;
	const worker = async () => {
		for (let place = next++; place < emails.length; place = next++) {
			const registered = await accounts.registerIdentity({ email: emails[place]!, password, name: nameOf(plan.people[place]!) });
			if (registered.outcome !== 'created') throw new Error(`${emails[place]} could not be registered: ${registered.outcome}`);
			identities[place] = registered.identity;
		}
	};
	await Promise.all(Array.from({ length: SIGN_INS_AT_ONCE }, worker));
	return identities;
}

/** Easy to type: 37 million of them, and ten wrong tries in a quarter of an hour, are enough for invented people. */
function readablePassword(): string {
	const words = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'heron', 'indigo', 'jasper', 'kestrel', 'linden', 'maple', 'north', 'opal', 'quartz'];
	const word = () => words[randomInt(words.length)]!;
	return `${word()}-${word()}-${word()}-${randomInt(1_000, 10_000)}`;
}
