/** The whole demonstration on the real files, in memory: what was made, what did not fit, and who reaches what. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { $getRoot } from 'lexical';
import * as Y from 'yjs';
import type { DocumentId, KindName, PersonId } from '#crdt-model/ids.ts';
import type { Row } from '#crdt-model/kinds/index.ts';
import type { CompanyRow } from '#crdt-model/kinds/crm.ts';
import type { DealRow } from '#crdt-model/kinds/deal.ts';
import type { DepartmentRow } from '#crdt-model/kinds/company-structure.ts';
import type { PageRow } from '#crdt-model/kinds/page.ts';
import type { TaskRow } from '#crdt-model/kinds/task.ts';
import { lexicalOn } from '../gate/page/testing.ts';
import type { Portal } from '../room/portal.ts';
import { makeDemo, type DemoPerson, type DemoResult } from './demo.ts';
import { REAL_FOLDER, SMALL, tablesOf, testRelay, type TestRelay } from './testing.ts';
import { readCrmFolder } from './crm-files.ts';

let relay: TestRelay;
let demo: DemoResult;
let portal: Portal;

beforeAll(async () => {
	relay = await testRelay();
	demo = await makeDemo(await readCrmFolder(REAL_FOLDER), relay);
	portal = (await relay.portals.portal(demo.portal))!;
});
afterAll(() => relay.end());

async function employeeOf({ email, password }: DemoPerson): Promise<PersonId> {
	const signedIn = await relay.accounts.signIn({ email, password });
	if (signedIn.outcome !== 'signed-in') throw new Error(signedIn.outcome);
	expect(signedIn.memberships).toHaveLength(1);
	expect(signedIn.memberships[0]!.portal).toBe(demo.portal);
	return signedIn.memberships[0]!.employee;
}

async function all<R extends Row>(person: PersonId, kind: KindName): Promise<R[]> {
	const rows: Row[] = [];
	let after: DocumentId | null = null;
	do {
		const page: Awaited<ReturnType<Portal['rows']>> = await portal.rows(person, { kind, after, limit: 1_000 });
		rows.push(...page.rows);
		after = page.next;
	} while (after !== null);
	return rows as R[];
}

const of = (role: DemoPerson['role']) => demo.people.filter((person) => person.role === role);

describe('the demonstration of the real files', () => {
	test('every opportunity is a deal, and the counts are those of the files', () => {
		expect(demo.summary.made).toEqual({
			offices: 3, teams: 6, agents: 35, managers: 6, accounts: 85, products: 7, opportunities: 8_800, deals: 8_800, tasks: 60, pages: 4, descriptions: 15
		});
		expect(demo.summary.stages).toEqual({ prospecting: 500, engaging: 1_589, won: 4_238, lost: 2_473 });
		expect(demo.summary.didNotFit.map(({ reason, count }) => [reason, count])).toEqual([
			['account-empty', 1_425],
			['product-spelling', 1_480],
			['engage-date-missing', 500]
		]);
		expect(demo.people).toHaveLength(42);
		expect(new Set(demo.people.map(({ email }) => email)).size).toBe(42);
		expect(of('agent')[0]).toMatchObject({ name: 'Anna Snelling', email: 'anna.snelling@maventech.example' });
	});

	test('the administrator reaches every deal, and the deals say what the files say', async () => {
		const administrator = await employeeOf(of('administrator')[0]!);
		const deals = await all<DealRow>(administrator, 'deal');
		expect(deals).toHaveLength(8_800);
		expect(new Set(deals.map(({ source }) => source?.opportunity_id)).size).toBe(8_800);
		expect(new Set(deals.map(({ number }) => number)).size).toBe(8_800);
		expect(deals.every(({ createdBy, responsible }) => createdBy === responsible)).toBe(true);

		const odd = deals.find(({ source }) => source?.opportunity_id === 'Z063OYW0')!;
		// 2017-12-31 is the latest day of the files and becomes the day of the test.
		expect(odd).toMatchObject({ title: 'Isdom – GTX Pro', stage: 'won', amount: 4514, closedOn: '2026-02-08' });
		expect(deals.reduce((latest, { closedOn }) => (closedOn && closedOn > latest ? closedOn : latest), '')).toBe('2026-11-30');
		expect(deals.filter(({ amount }) => amount === null)).toHaveLength(2_089);
		expect(deals.filter(({ account }) => account === null)).toHaveLength(1_425);
		expect(deals.filter(({ product }) => product === null)).toHaveLength(0);

		const companies = await all<CompanyRow>(administrator, 'company');
		const named = (name: string) => companies.find((company) => company.name === name)!;
		expect(companies.filter(({ parent }) => parent !== null)).toHaveLength(15);
		expect(named('Bluth Company')).toMatchObject({ sector: 'technolgy', yearEstablished: 1993, revenue: 1242.32, employees: 3027, parent: named('Acme Corporation').id });
	});

	test('company, offices, teams: each team has its manager at its head, offices have none', async () => {
		const administrator = await employeeOf(of('administrator')[0]!);
		const departments = await all<DepartmentRow>(administrator, 'department');
		const root = departments.find(({ parent }) => parent === null)!;
		expect(root).toMatchObject({ name: 'MavenTech', head: administrator });
		const offices = departments.filter(({ parent }) => parent === root.id);
		expect(offices.map(({ name, head }) => [name, head]).sort()).toEqual([['Central', null], ['East', null], ['West', null]]);
		const teams = departments.filter(({ parent }) => offices.some(({ id }) => id === parent));
		const heads = await Promise.all(of('manager').map(employeeOf));
		expect(teams.map(({ head }) => head).sort()).toEqual(heads.sort());
	});

	test('an agent reaches the own deals alone, a manager those of the team', async () => {
		const everything = await all<DealRow>(await employeeOf(of('administrator')[0]!), 'deal');
		const seen = new Map<PersonId, number>();
		for (const agent of of('agent')) {
			const person = await employeeOf(agent);
			const own = await all<DealRow>(person, 'deal');
			expect(own.every(({ responsible }) => responsible === person)).toBe(true);
			expect(own).toHaveLength(everything.filter(({ responsible }) => responsible === person).length);
			seen.set(person, own.length);
		}
		expect([...seen.values()].filter((count) => count === 0)).toHaveLength(5);
		let sum = 0;
		for (const manager of of('manager')) {
			const person = await employeeOf(manager);
			const team = portal.directory.below(person);
			const reached = await all<DealRow>(person, 'deal');
			expect(reached.every(({ responsible }) => team.has(responsible))).toBe(true);
			expect(reached).toHaveLength([...team].reduce((count, member) => count + seen.get(member)!, 0));
			sum += reached.length;
		}
		expect(sum).toBe(8_800);
	});

	test('tasks are in every state around today, with checklists, comments and descriptions', async () => {
		const administrator = await employeeOf(of('administrator')[0]!);
		const tasks = await all<TaskRow>(administrator, 'task');
		expect(tasks).toHaveLength(60);
		expect(new Set(tasks.map(({ state }) => state))).toEqual(new Set(['pending', 'progress', 'review', 'done', 'deferred']));
		expect(tasks.some(({ deadline }) => deadline !== null && deadline < '2026-11-30')).toBe(true);
		expect(tasks.some(({ deadline }) => deadline !== null && deadline > '2026-12-05')).toBe(true);
		expect(tasks.some(({ itemsDone, itemsTotal }) => itemsDone > 0 && itemsDone < itemsTotal)).toBe(true);
		expect(tasks.filter(({ comments }) => comments > 0).length).toBeGreaterThan(20);
		const hung = (await all<PageRow>(administrator, 'page')).filter(({ place }) => place === 'record');
		expect(hung).toHaveLength(15);
		expect(hung.every(({ on }) => tasks.some(({ id }) => id === on))).toBe(true);
	});

	test('the editor opens the pages that were written without one', async () => {
		const administrator = await employeeOf(of('administrator')[0]!);
		const pages = (await all<PageRow>(administrator, 'page')).filter(({ place }) => place === 'company');
		expect(pages.map(({ title }) => title).sort()).toEqual(['How we work', 'Offices and teams', 'Product list with prices', 'Sales playbook']);
		const [stored] = await portal.store.load([pages.find(({ title }) => title.startsWith('Product'))!.id]);
		const doc = new Y.Doc();
		const { editor } = lexicalOn(doc);
		for (const update of [stored!.snapshot, ...stored!.tail]) if (update) Y.applyUpdate(doc, update);
		const said = () => editor.getEditorState().read(() => $getRoot().getTextContent());
		await expect.poll(said).toContain('GTK 500');
		expect(said()).toContain('26,768');
		const kinds = editor.getEditorState().read(() => $getRoot().getChildren().map((node) => node.getType()));
		expect(kinds).toEqual(['paragraph', 'table']);
	});
});

test('a second company of the same name shares no person with the first, and dates can be kept', async () => {
	const second = await makeDemo(await tablesOf({ ...SMALL }), relay, { dates: 'keep', password: demo.people[0]!.password });
	expect(second.portal).not.toBe(demo.portal);
	expect(second.people.map(({ email }) => email)).toContain('anna.snelling@maventech-2.example');
	const signedIn = await relay.accounts.signIn(second.people[0]!);
	expect(signedIn).toMatchObject({ outcome: 'signed-in', memberships: [{ portal: second.portal }] });
	const { employee } = (signedIn as { memberships: { employee: PersonId }[] }).memberships[0]!;
	const { rows } = await (await relay.portals.portal(second.portal))!.rows(employee, { kind: 'deal', limit: 10 });
	expect(rows.map((row) => (row as DealRow).closedOn).sort()).toEqual(['2017-03-01', '2017-12-31', null].sort());
});

test('a password that cannot be used makes nothing', async () => {
	const before = [...relay.portals.ids].length;
	await expect(makeDemo(await tablesOf({ ...SMALL }), relay, { password: 'short' })).rejects.toThrow('The password cannot be used');
	expect([...relay.portals.ids]).toHaveLength(before);
});
