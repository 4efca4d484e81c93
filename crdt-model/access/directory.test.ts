import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RELAY } from '../ids.ts';
import { budget } from '../testing/budget.ts';
import { companyOf, departmentId, departmentRow, directoryOf, employeeRow, isAbove, taskRow } from '../testing/company.ts';
import { person } from '../testing/world.ts';
import { Directory } from './directory.ts';

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
					expect(held.has(`crm:deal:user:${other.id as never}`)).toBe(isOver);
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
