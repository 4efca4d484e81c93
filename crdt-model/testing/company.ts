/** Rows for tests of rights, and random companies: broken on purpose where the directory must bear it. */
import fc from 'fast-check';
import { Directory } from '../access/directory.ts';
import type { Actor, World } from '../access/verdict.ts';
import type { DepartmentId, DocumentId, PersonId } from '../ids.ts';
import type { DepartmentRow, EmployeeRow } from '../kinds/company-structure.ts';
import type { DealRow } from '../kinds/deal.ts';
import type { PageRow } from '../kinds/page.ts';
import type { TaskRow } from '../kinds/task.ts';
import type { BaseRow } from '../record/kind.ts';
import { ANN, documentId, person } from './world.ts';

const base = { number: null, createdBy: ANN, createdAt: 1, updatedAt: 1, deleted: false } as const;

export const departmentId = (n: number): DepartmentId => documentId('department', n);

export function employeeRow(n: number, more: Partial<EmployeeRow> = {}): EmployeeRow {
	return {
		...base, id: person(n), kind: 'employee', firstName: 'P', lastName: String(n), email: `p${n}@example.com`, position: null, language: null,
		departments: [], administrator: false, active: true, guest: false, ...more
	};
}
export function departmentRow(n: number, more: Partial<DepartmentRow> = {}): DepartmentRow {
	return { ...base, id: departmentId(n), kind: 'department', name: `D${n}`, parent: null, head: null, deputies: [], ...more };
}
export function taskRow(more: Partial<TaskRow> = {}): TaskRow {
	return {
		...base, id: documentId('task', 1), kind: 'task', title: 'x', state: 'pending', priority: 'normal', responsible: ANN, participants: [],
		observers: [], deadline: null, itemsDone: 0, itemsTotal: 0, comments: 0, mayMoveDeadline: false, control: false, ...more
	};
}
export function dealRow(more: Partial<DealRow> = {}): DealRow {
	return {
		...base, id: documentId('deal', 1), kind: 'deal', title: 'x', stage: 'prospecting', amount: null, responsible: ANN, account: null,
		product: null, engagedOn: null, closedOn: null, source: null, comments: 0, open: false, ...more
	};
}
export function pageRow(more: Partial<PageRow> = {}): PageRow {
	return { ...base, id: documentId('page', 1), kind: 'page', title: 'x', place: 'mine', on: null, grants: {}, ...more };
}

export function directoryOf(rows: Iterable<BaseRow>): Directory {
	const directory = new Directory();
	for (const row of rows) directory.take(row);
	return directory;
}
export function worldOf(directory: Directory, records: readonly BaseRow[] = []): World {
	return { directory, rowOf: (id: DocumentId) => records.find((row) => row.id === id) ?? null };
}
export const actorOf = (directory: Directory, id: PersonId): Actor => ({ person: id, principals: directory.principalsOf(id) });

export interface Company {
	readonly departments: readonly DepartmentRow[];
	readonly people: readonly EmployeeRow[];
}

/** @param broken also rings, missing parents and heads who are nobody */
export function companyOf({ broken }: { broken: boolean }): fc.Arbitrary<Company> {
	const departments = fc.array(fc.record({ parent: fc.nat(6), head: fc.option(fc.integer({ min: 1, max: broken ? 9 : 6 })), deleted: fc.nat(9) }), { minLength: 1, maxLength: 6 });
	const people = fc.array(
		fc.record({ departments: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }), administrator: fc.nat(5), active: fc.nat(7) }),
		{ minLength: 6, maxLength: 6 }
	);
	return fc.tuple(departments, people).map(([ds, ps]) => ({
		departments: ds.map((d, i) =>
			departmentRow(i + 1, {
				parent: broken ? (d.parent === 0 ? null : departmentId(d.parent)) : i === 0 ? null : departmentId((d.parent % i) + 1),
				head: d.head === null ? null : person(d.head),
				deleted: i > 0 && d.deleted === 0
			})
		),
		people: ps.map((p, i) =>
			employeeRow(i + 1, {
				departments: p.departments.map(departmentId),
				administrator: p.administrator === 0,
				active: p.active !== 0
			})
		)
	}));
}

/** By the book and slowly: is `head` above `below`? Follows parents from each department until a ring, a gap or a deleted one. */
export function isAbove(company: Company, head: PersonId, below: PersonId): boolean {
	if (head === below) return false;
	const find = (id: DepartmentId | null) => company.departments.find((d) => d.id === id && !d.deleted);
	return (company.people.find((p) => p.id === below)?.departments ?? []).some((own) => {
		let at = find(own);
		for (let step = 0; at && step <= company.departments.length; step++) {
			if (at.head === head) return true;
			at = find(at.parent);
		}
		return false;
	});
}
