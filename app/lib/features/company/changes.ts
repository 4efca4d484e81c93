/**
 * What administrators do to the structure: each is one batch with its Undo. The rule book decides; a refusal is told with its reason.
 */
import type { DepartmentId, PersonId } from '#crdt-model/ids.ts';
import type { DepartmentRow, EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import { MAX_BATCH_COMMANDS } from '#crdt-model/record/command.ts';
import { m } from '#lib/paraglide/messages.js';
import type { Draft } from '#lib/sync/engine.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import { runAllOrTell, runOrTell } from '../set-aside/run.ts';
import { nameOf, type DepartmentNode, type Structure } from './structure.ts';

/** Where a person is carried from: the department that their line stands in, or null for a list without one. */
export interface PersonAt {
	readonly person: EmployeeRow;
	readonly from: DepartmentId | null;
}

const join = (person: EmployeeRow, member: DepartmentId): Draft => ({ document: person.id, name: 'employee.joinDepartment', args: { member } });
const leave = (person: EmployeeRow, member: DepartmentId): Draft => ({ document: person.id, name: 'employee.leaveDepartment', args: { member } });

function undoable(workspace: Workspace, text: string, back: readonly Draft[]): void {
	toasts.show(text, { action: { label: m.common_undo(), run: () => void runAllOrTell(workspace, back) } });
}

export async function moveDepartment(workspace: Workspace, department: DepartmentRow, to: DepartmentNode): Promise<boolean> {
	if (department.parent === to.id) return true;
	if (!(await runOrTell(workspace, { document: department.id, name: 'department.move', args: { value: to.id } }))) return false;
	undoable(workspace, m.company_department_moved({ department: department.name, to: to.label }), [{ document: department.id, name: 'department.move', args: { value: department.parent } }]);
	return true;
}

/** @param also they stay where they are, too */
export async function movePeople(workspace: Workspace, people: readonly PersonAt[], to: DepartmentNode, also: boolean): Promise<boolean> {
	const drafts: Draft[] = [];
	const back: Draft[] = [];
	const moved: EmployeeRow[] = [];
	for (const { person, from } of people) {
		const leaves = also ? [] : person.departments.filter((id) => id !== to.id && (from === null || id === from));
		const joins = !person.departments.includes(to.id);
		if (!joins && leaves.length === 0) continue;
		moved.push(person);
		// First into the new one: nobody is without a department in between.
		if (joins) drafts.push(join(person, to.id));
		drafts.push(...leaves.map((id) => leave(person, id)));
		back.push(...leaves.map((id) => join(person, id)), ...(joins ? [leave(person, to.id)] : []));
	}
	if (moved.length === 0) return true;
	if (!(await runAllOrTell(workspace, drafts))) return false;
	const one = moved.length === 1 ? nameOf(moved[0]!) : null;
	const text = also
		? one === null ? m.company_people_also({ count: moved.length, to: to.label }) : m.company_person_also({ name: one, to: to.label })
		: one === null ? m.company_people_moved({ count: moved.length, to: to.label }) : m.company_person_moved({ name: one, to: to.label });
	undoable(workspace, text, back);
	return true;
}

export async function leaveDepartment(workspace: Workspace, person: EmployeeRow, from: DepartmentNode): Promise<void> {
	if (!(await runOrTell(workspace, leave(person, from.id)))) return;
	undoable(workspace, m.company_person_left({ name: nameOf(person), department: from.label }), [join(person, from.id)]);
}

/** Its people and the departments below it, which a deleted department may not have. */
export function contentsOf(node: DepartmentNode): { people: readonly EmployeeRow[]; departments: readonly DepartmentNode[] } {
	return { people: node.people, departments: node.children };
}

function emptying(node: DepartmentNode, parent: DepartmentId): { drafts: Draft[]; back: Draft[] } {
	const { people, departments } = contentsOf(node);
	const drafts: Draft[] = departments.map((one) => ({ document: one.id, name: 'department.move', args: { value: parent } }));
	const back: Draft[] = departments.map((one) => ({ document: one.id, name: 'department.move', args: { value: node.id } }));
	for (const person of people) {
		const had = person.departments.includes(parent);
		if (!had) drafts.push(join(person, parent));
		drafts.push(leave(person, node.id));
		back.push(join(person, node.id));
		if (!had) back.push(leave(person, parent));
	}
	return { drafts, back };
}

/** Deletes a department; with people or departments in it they move to the one above first, all as one batch where one batch holds them. */
export async function deleteDepartment(workspace: Workspace, node: DepartmentNode): Promise<boolean> {
	const parent = node.department.parent;
	const { drafts, back } = parent ? emptying(node, parent) : { drafts: [], back: [] };
	const remove: Draft = { document: node.id, name: 'department.delete', args: {} };
	const done = drafts.length < MAX_BATCH_COMMANDS ? await runOrTell(workspace, ...drafts, remove) : await runAllOrTell(workspace, [...drafts, remove]);
	if (!done) return false;
	undoable(workspace, m.company_department_deleted({ department: node.label }), [{ document: node.id, name: 'department.restore', args: {} }, ...back]);
	return true;
}

export interface DepartmentFields {
	readonly name: string;
	readonly parent: DepartmentId;
	readonly head: PersonId | null;
	readonly deputies: readonly PersonId[];
}

const deputy = (department: string, verb: 'addDeputy' | 'removeDeputy', member: PersonId): Draft => ({ document: department as DepartmentId, name: `department.${verb}`, args: { member } });

export async function createDepartment(workspace: Workspace, { deputies, ...fields }: DepartmentFields): Promise<DepartmentId | null> {
	const document = workspace.ids.document('department');
	const create: Draft = { document, name: 'department.create', args: fields };
	return (await runOrTell(workspace, create, ...deputies.map((one) => deputy(document, 'addDeputy', one)))) ? document : null;
}

export async function changeDepartment(workspace: Workspace, before: DepartmentRow, next: DepartmentFields): Promise<boolean> {
	const drafts: Draft[] = [];
	const set = (name: string, value: unknown): void => void drafts.push({ document: before.id, name: `department.${name}`, args: { value } });
	if (next.name !== before.name) set('setName', next.name);
	if (before.parent !== null && next.parent !== before.parent) set('move', next.parent);
	if (next.head !== before.head) set('setHead', next.head);
	for (const one of before.deputies) if (!next.deputies.includes(one)) drafts.push(deputy(before.id, 'removeDeputy', one));
	for (const one of next.deputies) if (!before.deputies.includes(one)) drafts.push(deputy(before.id, 'addDeputy', one));
	return drafts.length === 0 || runOrTell(workspace, ...drafts);
}

/** Why a department may not hang below another, or true; false where nothing would change. */
export function mayMove(structure: Structure, node: DepartmentNode, target: string): boolean | string {
	if (target === node.id || node.department.parent === target) return false;
	if (node.department.parent === null) return m.company_root_stays();
	for (let at = structure.byId.get(target); at; at = at.department.parent ? structure.byId.get(at.department.parent) : undefined) {
		if (at.id === node.id) return m.aside_rule_no_cycle();
	}
	return true;
}
