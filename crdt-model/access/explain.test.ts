/** Why can I (not): the reasons agree with the rule book, and say what a person can check. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PersonId } from '../ids.ts';
import type { BaseRow } from '../record/kind.ts';
import { EMPTY_STATE } from '../record/state.ts';
import { budget } from '../testing/budget.ts';
import { actorOf, companyRow, dealRow, departmentId, directoryOf, fileRow, groupId, groupRow, organisationOf, pageRow, proposalRow, roleRow, rowsOf, taskRow, worldOf } from '../testing/company.ts';
import { ANN, BEN, CAT, GUY, ROOT, SALES, SUPPORT, actor, circle, directory, office } from '../testing/office.ts';
import { person } from '../testing/world.ts';
import { audienceOf, canRead, decide, decideWrite } from './decide.ts';
import { explain, howHeld } from './explain.ts';
import type { Recipient } from './recipients.ts';

const reading = (name: string, row: BaseRow, inside = directory, records: readonly BaseRow[] = []) => {
	const explained = explain(actor(name, inside), 'read', row, worldOf(inside, records));
	if (explained.action !== 'read') throw new Error('asked for reading');
	return explained;
};
const bys = (name: string, row: BaseRow, inside = directory, records: readonly BaseRow[] = []) => reading(name, row, inside, records).openings.flatMap(({ by }) => by);

describe('reading', () => {
	test('[A15] a task: one’s own, as head or deputy of a department by its path, as administrator', () => {
		const task = taskRow({ createdBy: ANN, responsible: ANN });
		expect(bys('ann', task)).toEqual([{ kind: 'self' }]);
		const path = ['D1', 'D2'];
		expect(bys('lead', task)).toEqual([{ kind: 'leader', as: 'head', department: departmentId(SALES), over: ANN, path }]);
		expect(bys('dora', task)).toEqual([{ kind: 'leader', as: 'deputy', department: departmentId(SALES), over: ANN, path }]);
		expect(bys('boss', task)).toEqual([{ kind: 'leader', as: 'head', department: departmentId(ROOT), over: ANN, path }]);
		expect(bys('admin', task)).toEqual([{ kind: 'administrator' }]);
		expect(reading('cat', task)).toEqual({ action: 'read', visible: false, openings: [], who: [`task:user:${ANN}`, 'admins'] });
	});

	test('[A15] a deal: by a role, its level and through which membership; without roles by the default', () => {
		const deal = dealRow({ responsible: ANN });
		const sales: Recipient = `departments:${departmentId(SALES)}`;
		const role = roleRow(1, { 'deal.read': 'department', 'company.read': 'all' }, { name: 'Agents', people: [sales, `user:${CAT}`], open: ['deal.read'] });
		const inside = directoryOf([...office, role]);
		const by = { kind: 'role', role: role.id, name: 'Agents', permission: 'deal.read', level: 'department', through: sales };
		expect(bys('ben', deal, inside)).toEqual([by]);
		expect(bys('ben', { ...deal, open: true } as BaseRow, inside)).toEqual([by, { ...by, level: 'open' }]);
		expect(bys('cat', { ...deal, open: true } as BaseRow, inside)).toEqual([{ ...by, level: 'open', through: `user:${CAT}` }]);
		expect(reading('cat', deal, inside).visible).toBe(false);
		expect(bys('ben', companyRow({ createdBy: ANN }), inside)).toEqual([{ ...by, permission: 'company.read', level: 'all' }]);
		expect(bys('boss', companyRow({ createdBy: ANN }), inside)).toEqual([{ kind: 'default', permission: 'company.read' }]);
		expect([bys('ann', deal), bys('admin', deal)]).toEqual([[{ kind: 'self' }], [{ kind: 'administrator' }]]);
		expect(bys('lead', deal)).toMatchObject([{ kind: 'leader', as: 'head', over: ANN }]);
	});

	test('[A15] a document: by its place, by a grant and its level, by a group or a department', () => {
		const grants = { [`group:${circle.id}`]: 'edit', [`departments:${departmentId(SUPPORT)}`]: 'read' } as never;
		const page = pageRow({ createdBy: BEN, grants });
		expect(reading('guy', page).openings).toEqual([{ principal: `group:${circle.id}`, of: page.id, grant: 'edit', by: [{ kind: 'group', group: groupId(1), name: 'G1', as: 'member' }] }]);
		expect(reading('dora', page).openings).toEqual([{ principal: `departments:${departmentId(SUPPORT)}`, of: page.id, grant: 'read', by: [{ kind: 'department', department: departmentId(SUPPORT), path: ['D1', 'D3'] }] }]);
		expect(reading('cat', page).openings.map(({ by }) => by)).toEqual([[{ kind: 'group', group: groupId(1), name: 'G1', as: 'owner' }], [{ kind: 'department', department: departmentId(SUPPORT), path: ['D1', 'D3'] }]]);
		expect(reading('ben', page).openings.map(({ by }) => by[0]!.kind)).toEqual(['self', 'group']);
		expect(bys('ann', fileRow({ createdBy: BEN, place: 'company' }))).toEqual([{ kind: 'employee' }]);
	});

	test('[A15] what hangs on a record is opened by the record', () => {
		const task = taskRow({ createdBy: ANN, responsible: BEN });
		const page = pageRow({ createdBy: ANN, place: 'record', on: task.id });
		expect(reading('ben', page, directory, [task]).openings).toEqual([{ principal: `task:user:${BEN}`, of: task.id, grant: null, by: [{ kind: 'self' }] }]);
		const proposal = proposalRow({ createdBy: GUY, target: task.id });
		expect(reading('guy', proposal, directory, [task]).openings).toEqual([{ principal: `user:${GUY}`, of: proposal.id, grant: null, by: [{ kind: 'self' }] }]);
		expect(reading('ben', page).visible).toBe(false);
	});
});

test('[A15] a change is explained by the verdict itself', () => {
	const task = taskRow({ createdBy: CAT, responsible: ANN });
	const side = { row: task, state: EMPTY_STATE };
	const change = { before: side, next: side, changed: ['title'] };
	const world = worldOf(directory);
	expect(explain(actor('ann'), change, task, world)).toEqual({ action: 'change', verdict: decide(actor('ann'), change, world) });
	const page = pageRow({ createdBy: CAT });
	expect(explain(actor('ann'), 'write', page, world)).toEqual({ action: 'change', verdict: decideWrite(actor('ann'), page, world) });
});

test.each([{ broken: false }, { broken: true }])('[A15] explained as visible if and only if it can be read, each opening with its reason (broken structure: $broken)', (how) => {
	const n = fc.integer({ min: 1, max: 6 });
	const recipients: readonly Recipient[] = ['all', `user:${person(2)}`, `department:${departmentId(2)}`, `departments:${departmentId(1)}`, `group:${groupId(1)}`, `group:${groupId(2)}`];
	const tally = { yes: 0, no: 0, kinds: new Set<string>() };
	fc.assert(
		fc.property(organisationOf(how), n, n, fc.uniqueArray(fc.constantFrom(...recipients), { maxLength: 3 }), fc.boolean(), (company, c, r, granted, open) => {
			const inside = directoryOf(rowsOf(company));
			const grants = Object.fromEntries(granted.map((one) => [one, 'read' as const]));
			const task = taskRow({ createdBy: person(c), responsible: person(r), observers: [person(3)] });
			const rows: BaseRow[] = [
				task, dealRow({ responsible: person(r), open }), companyRow({ createdBy: person(c), responsible: person(r), open }), pageRow({ createdBy: person(c), grants }),
				fileRow({ createdBy: person(c), place: 'company', grants }), pageRow({ place: 'record', on: task.id }), proposalRow({ createdBy: person(c), target: task.id }),
				groupRow(1, { visibility: 'secret', owner: person(c) }), ...company.people.slice(0, 2)
			];
			const world = worldOf(inside, [task]);
			for (const { id } of company.people) for (const row of rows) {
				const one = actorOf(inside, id as PersonId);
				const explained = explain(one, 'read', row, world);
				if (explained.action !== 'read') throw new Error('asked for reading');
				const audience = audienceOf(row, world);
				expect(explained.visible).toBe(canRead(one, audience));
				// The author of a proposal who does not read its target hears of themself alone.
				const isBlind = row.kind === 'proposal' && row.createdBy === id && explained.visible && !canRead(one, audienceOf(task, world));
				expect(explained.who).toEqual(isBlind ? [`user:${id}`] : audience);
				for (const { by } of explained.openings) {
					expect(by.length, row.id).toBeGreaterThan(0);
					for (const { kind } of by) tally.kinds.add(kind);
				}
				for (const principal of audience) expect(howHeld(inside, id as PersonId, principal).length > 0, principal).toBe(one.principals.has(principal));
				tally[explained.visible ? 'yes' : 'no']++;
			}
		}),
		budget(200)
	);
	expect(Math.min(tally.yes, tally.no)).toBeGreaterThan(500);
	expect([...tally.kinds].sort()).toEqual(['administrator', 'default', 'department', 'employee', 'group', 'leader', 'role', 'self']);
});
