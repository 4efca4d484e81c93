import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RELAY, type DepartmentId, type GroupId, type PersonId } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import { CRM_ACTIONS } from '../kinds/role.ts';
import { budget } from '../testing/budget.ts';
import {
	actorOf, companyOf, companyRow, dealRow, departmentId, departmentRow, directoryOf, employeeRow, groupRow, isAbove, organisationOf, roleRow, rowsOf, taskRow,
	type Organisation
} from '../testing/company.ts';
import { holds, reaches } from '../testing/slow-rights.ts';
import { person } from '../testing/world.ts';
import { canRead } from './decide.ts';
import { Directory } from './directory.ts';
import type { Principal } from './principals.ts';
import { reachedBy } from './roles.ts';

test.each([{ broken: false }, { broken: true }])('[A1] heads and those below agree with a slow reckoning (broken structure: $broken)', (how) => {
	let pairs = 0;
	fc.assert(
		fc.property(companyOf(how), fc.infiniteStream(fc.nat()), (company, order) => {
			const rows = [...company.departments, ...company.people];
			const shuffled = rows.map((row) => [order.next().value as number, row] as const).sort(([a], [b]) => a - b).map(([, row]) => row);
			const directory = directoryOf(shuffled);
			for (const head of company.people) {
				const expected = company.people.filter((other) => isAbove(company, head.id as never, other.id as never)).map(({ id }) => id);
				pairs += expected.length;
				expect([...directory.below(head.id as never)].sort()).toEqual(expected.sort());
				for (const other of company.people) {
					expect(directory.headsAbove(other.id as never).includes(head.id as never)).toBe(expected.includes(other.id));
				}
				const held = directory.principalsOf(head.id as never);
				if (!head.active) expect(held.size).toBe(0);
				else for (const other of company.people) {
					const isOver = other.id === head.id || expected.includes(other.id);
					expect(held.has(`task:user:${other.id as never}`)).toBe(isOver);
					// Who holds all deals need not hold them person by person.
					expect(held.has('crm:deal:all') || held.has(`crm:deal:user:${other.id as never}`)).toBe(head.administrator || isOver);
				}
			}
		}),
		budget(200)
	);
	expect(pairs, 'nobody was below anybody').toBeGreaterThan(100);
});

test('[A1] a person in several departments has the heads of each, nearest first, each once', () => {
	const directory = directoryOf([
		departmentRow(1, { head: person(1) }), departmentRow(2, { parent: departmentId(1), head: person(2) }), departmentRow(3, { parent: departmentId(1), head: person(3) }),
		employeeRow(1), employeeRow(2), employeeRow(3), employeeRow(4, { departments: [departmentId(2), departmentId(3)] })
	]);
	expect(directory.headsAbove(person(4))).toEqual([person(2), person(1), person(3)]);
	expect(directory.principalsOf(person(4))).toEqual(
		new Set([
			'all', `user:${person(4)}`, `task:user:${person(4)}`, `crm:deal:user:${person(4)}`, 'crm:company:all',
			...[2, 3].map((n) => `department:${departmentId(n)}` as const), ...[1, 2, 3].map((n) => `departments:${departmentId(n)}` as const)
		])
	);
	expect([...directory.below(person(2))]).toEqual([person(4)]);
	expect([...directory.below(person(4))]).toEqual([]);
});

test('[A1] what hangs under a deleted department hangs under nobody', () => {
	const directory = directoryOf([
		departmentRow(1, { head: person(1) }), departmentRow(2, { parent: departmentId(1), deleted: true, head: person(2) }), departmentRow(3, { parent: departmentId(2), head: person(3) }),
		employeeRow(1), employeeRow(2), employeeRow(3), employeeRow(4, { departments: [departmentId(3)] })
	]);
	expect(directory.headsAbove(person(4))).toEqual([person(3)]);
	expect([directory.below(person(1)).size, directory.below(person(2)).size]).toEqual([0, 0]);
});

test('[A1] the relay, a stranger and a dismissed person hold nothing', () => {
	const directory = directoryOf([employeeRow(1, { active: false, administrator: true, departments: [departmentId(1)] }), departmentRow(1, { head: person(1) }), employeeRow(2, { departments: [departmentId(1)] })]);
	for (const id of [RELAY, person(9), person(1)]) {
		expect(directory.principalsOf(id)).toEqual(new Set());
		expect([directory.isMember(id), directory.isAdministrator(id)]).toEqual([false, false]);
	}
	expect(directory.administrators).toBe(0);
});

test('[A1] the version rises when rights may change, and only then', () => {
	const directory = new Directory();
	const steps: [rises: boolean, row: Parameters<Directory['take']>[0]][] = [
		[true, employeeRow(1)],
		[false, employeeRow(1, { firstName: 'Other', position: 'CEO', language: 'ro' })],
		[true, employeeRow(1, { administrator: true })],
		[true, employeeRow(1, { administrator: true, departments: [departmentId(1), departmentId(2)] })],
		[false, employeeRow(1, { administrator: true, departments: [departmentId(2), departmentId(1)] })],
		[true, employeeRow(1, { administrator: true, departments: [departmentId(2)] })],
		[true, employeeRow(1, { administrator: true, departments: [departmentId(3)] })],
		[true, employeeRow(1, { administrator: true, departments: [departmentId(3)], active: false })],
		[true, departmentRow(1)],
		[false, departmentRow(1, { name: 'Other' })],
		[true, departmentRow(1, { parent: departmentId(2) })],
		[true, departmentRow(1, { parent: departmentId(2), head: person(1) })],
		[true, departmentRow(1, { parent: departmentId(2), head: person(1), deleted: true })],
		[false, taskRow()]
	];
	for (const [rises, row] of steps) {
		const before = directory.version;
		expect([directory.take(row), directory.version - before], JSON.stringify(row)).toEqual([rises, rises ? 1 : 0]);
	}
	const before = directory.version;
	directory.drop(taskRow().id);
	expect(directory.version).toBe(before);
	directory.drop(departmentId(1));
	expect(directory.version).toBe(before + 1);
});

test('[A1] a row that arrives later is reckoned with', () => {
	const directory = directoryOf([departmentRow(1, { head: person(1) }), employeeRow(1)]);
	expect(directory.below(person(1)).size).toBe(0);
	directory.take(employeeRow(2, { departments: [departmentId(2)] }));
	directory.take(departmentRow(2, { parent: departmentId(1) }));
	expect([...directory.below(person(1))]).toEqual([person(2)]);
	directory.take(departmentRow(2, { parent: null }));
	expect(directory.below(person(1)).size).toBe(0);
});

test('[A5] a ring is foreseen, and one that is there ends no process', () => {
	fc.assert(
		fc.property(companyOf({ broken: true }), ({ departments, people }) => {
			const directory = directoryOf([...departments, ...people]);
			const parents = new Map(departments.map(({ id, parent }) => [id as string, parent as string | null]));
			for (const child of departments) for (const parent of departments) {
				const above: string[] = [];
				for (let at: string | null = parent.id; at && !above.includes(at); at = parents.get(at) ?? null) above.push(at);
				expect(directory.wouldCycle(child.id as never, parent.id as never)).toBe(above.includes(child.id));
			}
		}),
		budget(200)
	);
	const one = departmentId(1);
	expect(directoryOf([departmentRow(1)]).wouldCycle(one, one)).toBe(true);
});

const everyPrincipal = (company: Organisation): Principal[] => [
	'all', 'admins',
	...company.people.flatMap(({ id }) => [`user:${id as PersonId}`, `task:user:${id as PersonId}`] as const),
	...company.departments.flatMap(({ id }) => [`department:${id as DepartmentId}`, `departments:${id as DepartmentId}`] as const),
	...company.groups.flatMap(({ id }) => [`group:${id as GroupId}`, `group:${id as GroupId}:moderators`] as const)
];

test.each([{ broken: false }, { broken: true }])('[A7] everybody holds what a slow reckoning says, and nothing else (broken structure: $broken)', (how) => {
	const seen = new Set<string>();
	fc.assert(
		fc.property(organisationOf(how), (company) => {
			const directory = directoryOf(rowsOf(company));
			for (const { id } of company.people) {
				const held = directory.principalsOf(id as PersonId);
				for (const principal of everyPrincipal(company)) {
					expect(held.has(principal), principal).toBe(holds(company, id as PersonId, principal));
					if (held.has(principal)) seen.add(principal.replace(/_[0-9a-f-]+/, ''));
				}
			}
		}),
		budget(200)
	);
	expect([...seen].sort()).toEqual(['admins', 'all', 'department:department', 'departments:department', 'group:group', 'group:group:moderators', 'task:user:employee', 'user:employee']);
});

test.each([{ broken: false }, { broken: true }])('[A7][A8] reading by principals and reaching by relation are one thing, and what the ladder says (broken structure: $broken)', (how) => {
	const tally = { yes: 0, no: 0 };
	fc.assert(
		fc.property(organisationOf(how), fc.boolean(), (company, open) => {
			const directory = directoryOf(rowsOf(company));
			for (const { id } of company.people) for (const { id: responsible } of company.people) for (const entity of ['deal', 'company'] as const) {
				const audience = kindNamed(entity).audience({ ...(entity === 'deal' ? dealRow() : companyRow()), responsible, open } as never) as readonly Principal[];
				const reads = canRead(actorOf(directory, id as PersonId), audience);
				expect(reads).toBe(reaches(company, id as PersonId, `${entity}.read`, responsible as PersonId, open));
				tally[reads ? 'yes' : 'no']++;
				if (!directory.isEmployee(id as PersonId)) continue;
				for (const action of CRM_ACTIONS) {
					const expected = reaches(company, id as PersonId, `${entity}.${action}`, responsible as PersonId, open);
					expect(reachedBy(directory, id as PersonId, `${entity}.${action}`, responsible as PersonId, open) !== null, action).toBe(expected);
				}
			}
		}),
		budget(200)
	);
	expect(Math.min(tally.yes, tally.no)).toBeGreaterThan(500);
});

test.each([{ broken: false }, { broken: true }])('[A9] after any change, those whose principals differ are among the affected, and nothing kept is stale (broken structure: $broken)', (how) => {
	const tally = { differed: 0, affected: 0, reckoned: 0 };
	fc.assert(
		fc.property(organisationOf(how), fc.array(fc.tuple(organisationOf(how), fc.nat(40), fc.boolean()), { minLength: 1, maxLength: 12 }), (company, changes) => {
			const rows = new Map(rowsOf(company).map((row) => [row.id, row]));
			const directory = directoryOf(rows.values());
			const people = company.people.map(({ id }) => id as PersonId);
			const start = directory.version;
			const first = new Map(people.map((id) => [id, new Set(directory.principalsOf(id))]));
			for (const [other, pick, drops] of changes) {
				const before = new Map(people.map((id) => [id, new Set(directory.principalsOf(id))]));
				const { version } = directory;
				const row = rowsOf(other)[pick % rowsOf(other).length]!;
				if (drops && pick % 5 === 0) {
					directory.drop(row.id);
					rows.delete(row.id);
				} else {
					const takes = directory.take(row);
					rows.set(row.id, row);
					expect(takes).toBe(directory.version > version);
				}
				const fresh = directoryOf(rows.values());
				const affected = directory.affectedSince(version);
				for (const id of people) {
					expect(directory.principalsOf(id)).toEqual(fresh.principalsOf(id));
					const differs = !sameSet(before.get(id)!, directory.principalsOf(id));
					tally.reckoned++;
					if (affected === 'all' || affected.has(id)) tally.affected++;
					if (!differs) continue;
					tally.differed++;
					expect(affected === 'all' || affected.has(id), `${row.id} changed what ${id} holds`).toBe(true);
				}
			}
			const since = directory.affectedSince(start);
			for (const id of people) if (!sameSet(first.get(id)!, directory.principalsOf(id))) expect(since === 'all' || since.has(id)).toBe(true);
			expect(directory.affectedSince(directory.version)).toEqual(new Set());
		}),
		budget(150)
	);
	expect(tally.differed).toBeGreaterThan(100);
	// Not everybody every time: that would be right and useless.
	expect(tally.affected).toBeLessThan(tally.reckoned);
});

test('[A9] of changes that are too long ago, everybody is said to be affected', () => {
	const directory = directoryOf([employeeRow(1)]);
	const { version } = directory;
	for (let n = 0; n < 3_000; n++) directory.take(employeeRow(1, { administrator: n % 2 === 0 }));
	expect(directory.affectedSince(version)).toBe('all');
	expect(directory.affectedSince(directory.version - 900)).toEqual(new Set([person(1)]));
});

test('[A9] a name, a description or a request changes nobody’s rights', () => {
	const directory = directoryOf([groupRow(1, { owner: person(1) }), roleRow(1, { 'deal.read': 'own' }, { people: ['all'] })]);
	const rises = (row: Parameters<Directory['take']>[0]) => directory.take(row);
	expect([rises(groupRow(1, { owner: person(1), name: 'Other', requests: [person(2)], visibility: 'secret' })), rises(roleRow(1, { 'deal.read': 'own' }, { people: ['all'], name: 'Other' }))]).toEqual([false, false]);
	expect([rises(groupRow(1, { owner: person(1), members: [person(2)] })), rises(roleRow(1, { 'deal.read': 'all' }, { people: ['all'] }))]).toEqual([true, true]);
	expect(directory.group(groupRow(1).id as GroupId)?.members).toEqual([person(2)]);
});

test('[A7] a guest holds their own name and their groups, whatever else was said of them', () => {
	const directory = directoryOf([
		departmentRow(1, { head: person(1), deputies: [person(1)] }),
		employeeRow(1, { guest: true, administrator: true, departments: [departmentId(1)] }), employeeRow(2, { departments: [departmentId(1)] }),
		groupRow(1, { owner: person(2), members: [person(1)] }), groupRow(2, { owner: person(2) }),
		roleRow(1, { 'deal.read': 'all', 'company.read': 'all' }, { people: ['all', `user:${person(1)}`, `group:${groupRow(1).id as GroupId}`] })
	]);
	expect([...directory.principalsOf(person(1))].sort()).toEqual([`group:${groupRow(1).id}`, `task:user:${person(1)}`, `user:${person(1)}`]);
	expect([directory.isMember(person(1)), directory.isEmployee(person(1)), directory.isAdministrator(person(1)), directory.administrators]).toEqual([true, false, false, 0]);
});

test('[A8] of several roles the widest level holds for each permission, and open items come on top', () => {
	const [ann, ben, cat] = [1, 2, 3].map(person) as [PersonId, PersonId, PersonId];
	const at = (n: number) => ({ departments: [departmentId(n)] });
	const rows = [
		departmentRow(1), departmentRow(2, { parent: departmentId(1) }), employeeRow(1, at(1)), employeeRow(2, at(2)), employeeRow(3, at(1)),
		roleRow(1, { 'deal.read': 'own', 'deal.write': 'subdepartments' }, { people: [`departments:${departmentId(1)}`] }),
		roleRow(2, { 'deal.read': 'department', 'company.read': 'none' }, { people: [`user:${ann}`], open: ['deal.read'] })
	];
	const directory = directoryOf(rows);
	const of = (id: PersonId) => [...directory.principalsOf(id)].filter((one) => one.startsWith('crm:')).sort();
	expect(of(ann)).toEqual(['crm:deal:open', `crm:deal:user:${ann}`, `crm:deal:user:${cat}`]);
	expect(of(ben)).toEqual([`crm:deal:user:${ben}`]);
	expect([reachedBy(directory, ann, 'deal.write', ben, false), reachedBy(directory, ben, 'deal.write', ann, true), reachedBy(directory, ann, 'deal.delete', ann, true)]).toEqual(['subdepartments', null, null]);
	// Without the roles the default holds again.
	directory.drop(rows[5]!.id);
	directory.drop(rows[6]!.id);
	expect(of(ann)).toEqual(['crm:company:all', `crm:deal:user:${ann}`]);
});

test('[A8] leads and contacts are in roles, and open nothing before they have documents', () => {
	const directory = directoryOf([employeeRow(1), roleRow(1, { 'lead.read': 'all', 'contact.read': 'all' }, { people: ['all'], open: ['lead.read'] })]);
	expect([...directory.principalsOf(person(1))].filter((one) => /lead|contact/.test(one))).toEqual([]);
	expect(reachedBy(directory, person(1), 'lead.write', person(1), false)).toBeNull();
	expect(reachedBy(directory, person(1), 'contact.read', person(2), false)).toBe('all');
});

function sameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
	return a.size === b.size && [...a].every((one) => b.has(one));
}
