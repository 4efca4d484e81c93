/** Rows for tests of rights, and random companies: broken on purpose where the directory must bear it. */
import fc from 'fast-check';
import { Directory } from '../access/directory.ts';
import { isRecipient, type Recipient } from '../access/recipients.ts';
import type { Actor, World } from '../access/verdict.ts';
import type { DepartmentId, DocumentId, GroupId, PersonId } from '../ids.ts';
import type { DepartmentRow, EmployeeRow } from '../kinds/company-structure.ts';
import type { CompanyRow } from '../kinds/crm.ts';
import type { DealRow } from '../kinds/deal.ts';
import type { FileRow } from '../kinds/file.ts';
import { GROUP_VISIBILITIES, type GroupRow } from '../kinds/group.ts';
import type { PageRow } from '../kinds/page.ts';
import type { ProposalRow } from '../kinds/proposal.ts';
import { CRM_LEVELS, CRM_PERMISSIONS, OPEN_PERMISSIONS, type CrmLevel, type CrmPermission, type OpenPermission, type RoleRow } from '../kinds/role.ts';
import type { SettingsRow } from '../kinds/settings.ts';
import type { TaskRow } from '../kinds/task.ts';
import { kindNamed } from '../kinds/index.ts';
import type { BaseRow } from '../record/kind.ts';
import { ANN, documentId, person } from './world.ts';

const base = { number: null, createdBy: ANN, createdAt: 1, updatedAt: 1, deleted: false } as const;

export const departmentId = (n: number): DepartmentId => documentId('department', n);

export function employeeRow(n: number, more: Partial<EmployeeRow> = {}): EmployeeRow {
	return {
		...base, id: person(n), kind: 'employee', firstName: 'P', lastName: String(n), email: `p${n}@example.com`, position: null, language: null,
		phone: null, birthday: null, photo: null, departments: [], administrator: false, active: true, guest: false, erased: false, ...more
	};
}
export function departmentRow(n: number, more: Partial<DepartmentRow> = {}): DepartmentRow {
	return { ...base, id: departmentId(n), kind: 'department', name: `D${n}`, parent: null, head: null, deputies: [], ...more };
}
export const groupId = (n: number): GroupId => documentId('group', n);
export function groupRow(n: number, more: Partial<GroupRow> = {}): GroupRow {
	return {
		...base, id: groupId(n), kind: 'group', name: `G${n}`, description: null, visibility: 'closed', owner: ANN, moderators: [], members: [], requests: [],
		archived: false, ...more
	};
}
/** @param permissions what is said; all others are `none` */
export function roleRow(n: number, permissions: Partial<Record<CrmPermission, CrmLevel>> = {}, more: Partial<RoleRow> = {}): RoleRow {
	const said = Object.fromEntries(CRM_PERMISSIONS.map((key) => [key, permissions[key] ?? 'none'])) as RoleRow['permissions'];
	return { ...base, id: documentId('role', n), kind: 'role', name: `R${n}`, people: [], permissions: said, open: [], ...more };
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
export function companyRow(more: Partial<CompanyRow> = {}): CompanyRow {
	return {
		...base, id: documentId('company', 1), kind: 'company', name: 'x', sector: null, yearEstablished: null, revenue: null, employees: null, location: null,
		parent: null, responsible: more.createdBy ?? ANN, open: false, ...more
	};
}
export function pageRow(more: Partial<PageRow> = {}): PageRow {
	return { ...base, id: documentId('page', 1), kind: 'page', title: 'x', place: 'mine', on: null, grants: {}, ...more };
}

export function fileRow(more: Partial<FileRow> = {}): FileRow {
	return {
		...base, id: documentId('file', 1), kind: 'file', name: 'x.pdf', size: 1, mime: 'application/pdf', digest: '0'.repeat(64), place: 'mine', grants: {}, arrived: false, ...more
	};
}
export function proposalRow(more: Partial<ProposalRow> = {}): ProposalRow {
	return {
		...base, id: documentId('proposal', 1), kind: 'proposal', target: documentId('deal', 1), state: 'open', commands: [], text: null, note: null, before: [], word: null, ...more
	};
}

export function settingsRow(more: Partial<SettingsRow> = {}): SettingsRow {
	const id = documentId('settings', 1);
	return { ...kindNamed('settings').row({ ...base, id, kind: 'settings' }, new Map()), company: 'Acme', ...more } as SettingsRow;
}

export function directoryOf(rows: Iterable<BaseRow>): Directory {
	const directory = new Directory();
	for (const row of rows) directory.take(row);
	return directory;
}
/** @param records the company's settings among them, where they matter */
export function worldOf(directory: Directory, records: readonly BaseRow[] = []): World {
	const settings = (records.find((row) => row.kind === 'settings') as SettingsRow | undefined) ?? null;
	return { directory, settings, rowOf: (id: DocumentId) => records.find((row) => row.id === id) ?? null };
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

export interface Organisation extends Company {
	readonly groups: readonly GroupRow[];
	readonly roles: readonly RoleRow[];
}

const aRecipient: fc.Arbitrary<Recipient> = fc
	.oneof(
		fc.constant('all'),
		fc.integer({ min: 1, max: 6 }).map((n) => `user:${person(n)}`),
		fc.integer({ min: 1, max: 6 }).map((n) => `department:${departmentId(n)}`),
		fc.integer({ min: 1, max: 6 }).map((n) => `departments:${departmentId(n)}`),
		fc.integer({ min: 1, max: 2 }).map((n) => `group:${groupId(n)}`)
	)
	.filter(isRecipient);

/** A company with everything that rights come from: deputies, guests, workgroups, roles. */
export function organisationOf(how: { broken: boolean }): fc.Arbitrary<Organisation> {
	const some = fc.uniqueArray(fc.integer({ min: 1, max: 6 }).map(person), { maxLength: 3 });
	const group = fc.record({ owner: fc.integer({ min: 1, max: 6 }).map(person), moderators: some, members: some, visibility: fc.constantFrom(...GROUP_VISIBILITIES), deleted: fc.nat(4) });
	const role = fc.record({
		people: fc.uniqueArray(aRecipient, { minLength: 1, maxLength: 3 }),
		levels: fc.array(fc.tuple(fc.constantFrom(...CRM_PERMISSIONS.filter((key) => /^(deal|company)/.test(key))), fc.constantFrom(...CRM_LEVELS)), { maxLength: 6 }),
		open: fc.uniqueArray(fc.constantFrom<OpenPermission>(...OPEN_PERMISSIONS), { maxLength: 3 }),
		deleted: fc.nat(5)
	});
	return fc
		.tuple(companyOf(how), fc.array(some, { minLength: 6, maxLength: 6 }), fc.array(fc.nat(6), { minLength: 6, maxLength: 6 }), fc.array(group, { maxLength: 2 }), fc.array(role, { maxLength: 3 }))
		.map(([company, deputies, guests, groups, roles]) => ({
			departments: company.departments.map((one, i) => ({ ...one, deputies: i % 2 ? deputies[i]! : [] })),
			people: company.people.map((one, i) => ({ ...one, guest: guests[i] === 0 })),
			groups: groups.map(({ deleted, ...one }, i) => groupRow(i + 1, { ...one, deleted: deleted === 0 })),
			roles: roles.map(({ people, levels, open, deleted }, i) => roleRow(i + 1, Object.fromEntries(levels), { people, open, deleted: deleted === 0 }))
		}));
}
export const rowsOf = ({ departments, people, groups, roles }: Organisation): BaseRow[] => [...departments, ...people, ...groups, ...roles];

/** By the book and slowly: is `head` above `below`? Follows parents from each department until a ring, a gap or a deleted one. */
export function isAbove(company: Company, head: PersonId, below: PersonId): boolean {
	if (head === below) return false;
	const find = (id: DepartmentId | null) => company.departments.find((d) => d.id === id && !d.deleted);
	return (company.people.find((p) => p.id === below)?.departments ?? []).some((own) => {
		let at = find(own);
		for (let step = 0; at && step <= company.departments.length; step++) {
			if (at.head === head || at.deputies.includes(head)) return true;
			at = find(at.parent);
		}
		return false;
	});
}
