/**
 * The directory: who is where and who heads whom, projected from the employee and department rows. Relay and device keep one each
 * and feed it rows; it never reads documents. It tolerates any order of rows and any broken structure (a cycle, a missing
 * parent), because a device may hold the rows of a moment between two changes.
 */
import type { DepartmentId, DocumentId, GroupId, PersonId } from '../ids.ts';
import type { DepartmentRow, EmployeeRow } from '../kinds/company-structure.ts';
import type { GroupRow } from '../kinds/group.ts';
import type { BaseRow } from '../record/kind.ts';
import type { Principal } from './principals.ts';

export class Directory {
	readonly #people = new Map<PersonId, EmployeeRow>();
	readonly #departments = new Map<DepartmentId, DepartmentRow>();
	readonly #groups = new Map<GroupId, GroupRow>();
	#version = 0;
	/** Departments by parent, people by department: made again after a change, used by every reckoning until the next. */
	#index: { version: number; children: Map<DepartmentId, DepartmentId[]>; members: Map<DepartmentId, PersonId[]> } | null = null;

	/** Rises with every change that may change somebody's rights. */
	get version(): number {
		return this.#version;
	}

	/** Takes a row in; rows of other kinds are none of its business. Returns whether anybody's rights may have changed. */
	take(row: BaseRow): boolean {
		if (row.kind === 'employee') {
			const next = row as EmployeeRow;
			const before = this.#people.get(next.id as PersonId);
			this.#people.set(next.id as PersonId, next);
			if (before && before.active === next.active && before.administrator === next.administrator && sameMembers(before, next)) return false;
		} else if (row.kind === 'department') {
			const next = row as DepartmentRow;
			const before = this.#departments.get(next.id as DepartmentId);
			this.#departments.set(next.id as DepartmentId, next);
			if (before && before.parent === next.parent && before.head === next.head && before.deleted === next.deleted) return false;
		} else if (row.kind === 'group') this.#groups.set(row.id as GroupId, row as GroupRow);
		else return false;
		this.#version++;
		return true;
	}

	/** Forgets a record that this side may no longer read. */
	drop(id: DocumentId): void {
		if (this.#people.delete(id as PersonId) || this.#departments.delete(id as DepartmentId) || this.#groups.delete(id as GroupId)) this.#version++;
	}

	person(id: PersonId): EmployeeRow | undefined {
		return this.#people.get(id);
	}
	department(id: DepartmentId): DepartmentRow | undefined {
		return this.#departments.get(id);
	}
	get people(): IterableIterator<EmployeeRow> {
		return this.#people.values();
	}
	get departments(): IterableIterator<DepartmentRow> {
		return this.#departments.values();
	}

	/** Signs in here: employees and guests. */
	isMember(id: PersonId): boolean {
		return this.#people.get(id)?.active === true;
	}
	/** Works here: what guests are not. */
	isEmployee(id: PersonId): boolean {
		const person = this.#people.get(id);
		return person?.active === true && !person.guest;
	}
	isAdministrator(id: PersonId): boolean {
		const person = this.#people.get(id);
		return person?.active === true && person.administrator && !person.guest;
	}
	/** Administrators who could still sign in; the relay refuses what would leave none (SPEC A6). */
	get administrators(): number {
		let count = 0;
		for (const person of this.#people.values()) if (person.active && person.administrator && !person.guest) count++;
		return count;
	}

	/** Everyone in the departments that the person heads and in all departments below them. */
	below(head: PersonId): Set<PersonId> {
		const { children, members } = this.#indexed();
		const people = new Set<PersonId>();
		const seen = new Set<DepartmentId>();
		const open = [...this.#departments.values()].filter((d) => d.head === head && !d.deleted).map((d) => d.id as DepartmentId);
		for (let next = open.pop(); next !== undefined; next = open.pop()) {
			if (seen.has(next)) continue;
			seen.add(next);
			for (const id of members.get(next) ?? []) people.add(id);
			open.push(...(children.get(next) ?? []));
		}
		people.delete(head);
		return people;
	}

	/** The heads above a person, nearest first: of each own department, then of its parents. */
	headsAbove(id: PersonId): PersonId[] {
		const heads: PersonId[] = [];
		const seen = new Set<DepartmentId>();
		for (const own of this.#people.get(id)?.departments ?? []) {
			for (let at: DepartmentId | null = own; at && !seen.has(at); at = this.#departments.get(at)?.parent ?? null) {
				seen.add(at);
				const department = this.#departments.get(at);
				// As in `below`: what hangs under a deleted department hangs under nobody.
				if (!department || department.deleted) break;
				if (department.head && department.head !== id && !heads.includes(department.head)) heads.push(department.head);
			}
		}
		return heads;
	}

	/** Whether hanging `child` below `parent` would make a ring. */
	wouldCycle(child: DepartmentId, parent: DepartmentId): boolean {
		const seen = new Set<DepartmentId>();
		for (let at: DepartmentId | null = parent; at && !seen.has(at); at = this.#departments.get(at)?.parent ?? null) {
			if (at === child) return true;
			seen.add(at);
		}
		return false;
	}

	/** What a session of this person holds. A person who is not an active member holds nothing. */
	principalsOf(id: PersonId): Set<Principal> {
		const person = this.#people.get(id);
		const held = new Set<Principal>();
		if (!person?.active) return held;
		held.add(`user:${id}`).add(`task:user:${id}`);
		for (const group of this.#groups.values()) {
			if (group.deleted) continue;
			const moderates = group.owner === id || group.moderators.includes(id);
			if (moderates || group.members.includes(id)) held.add(`group:${group.id as GroupId}`);
			if (moderates) held.add(`group:${group.id as GroupId}:moderators`);
		}
		// From outside: what names them, and nothing of the company's.
		if (person.guest) return held;
		held.add('all').add(`crm:deal:user:${id}`).add('crm:company:all');
		for (const own of person.departments) {
			held.add(`department:${own}`);
			for (let at: DepartmentId | null = own, seen = 0; at && seen < 100; at = this.#departments.get(at)?.parent ?? null, seen++) held.add(`departments:${at}`);
		}
		for (const other of this.below(id)) held.add(`task:user:${other}`).add(`crm:deal:user:${other}`);
		if (person.administrator) held.add('admins').add('crm:deal:all');
		return held;
	}

	#indexed() {
		if (this.#index?.version === this.#version) return this.#index;
		const children = new Map<DepartmentId, DepartmentId[]>();
		const members = new Map<DepartmentId, PersonId[]>();
		for (const { id, parent, deleted } of this.#departments.values()) if (parent && !deleted) push(children, parent, id as DepartmentId);
		for (const person of this.#people.values()) for (const own of person.departments) push(members, own, person.id as PersonId);
		this.#index = { version: this.#version, children, members };
		return this.#index;
	}
}

function sameMembers(a: EmployeeRow, b: EmployeeRow): boolean {
	return a.departments.length === b.departments.length && a.departments.every((id) => b.departments.includes(id));
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
	const list = map.get(key);
	if (list) list.push(value);
	else map.set(key, [value]);
}
