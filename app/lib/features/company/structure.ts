/** The company as a screen reads it: the tree of departments, and who is in it. Pure over the directory's rows. */
import type { Directory } from '#crdt-model/access/directory.ts';
import type { DepartmentId, PersonId } from '#crdt-model/ids.ts';
import type { DepartmentRow, EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import { m } from '#lib/paraglide/messages.js';
import type { TreeNode } from '#lib/ui/TreeView.svelte';

export interface DepartmentNode extends TreeNode {
	readonly id: DepartmentId;
	readonly department: DepartmentRow;
	/** Active people in the department itself. */
	readonly people: readonly EmployeeRow[];
	/** Different people in it and all below. */
	readonly peopleBelow: number;
	readonly children: readonly DepartmentNode[];
}

export interface Structure {
	readonly roots: readonly DepartmentNode[];
	readonly byId: ReadonlyMap<string, DepartmentNode>;
	/** Active people, by name. */
	readonly people: readonly EmployeeRow[];
	/** Active people whom no standing department has. */
	readonly loose: readonly EmployeeRow[];
	readonly count: number;
}

/** Of a profile whose names were erased, that is said. */
export const nameOf = (person: Pick<EmployeeRow, 'firstName' | 'lastName'>): string => `${person.firstName} ${person.lastName}`.trim() || m.company_erased_name();

export function structureOf(directory: Directory, locale: string): Structure {
	const order = new Intl.Collator(locale, { numeric: true });
	const people = [...directory.people].filter((person) => person.active).sort((a, b) => order.compare(a.lastName, b.lastName) || order.compare(a.firstName, b.firstName));
	const departments = new Map([...directory.departments].filter((one) => !one.deleted).map((one) => [one.id as DepartmentId, one]));

	const members = new Map<DepartmentId, EmployeeRow[]>();
	const loose: EmployeeRow[] = [];
	for (const person of people) {
		const own = person.departments.filter((id) => departments.has(id));
		if (own.length === 0) loose.push(person);
		for (const id of own) push(members, id, person);
	}
	const children = new Map<DepartmentId, DepartmentRow[]>();
	const tops: DepartmentRow[] = [];
	for (const one of departments.values()) {
		if (one.parent && departments.has(one.parent)) push(children, one.parent, one);
		else tops.push(one);
	}

	const byId = new Map<string, DepartmentNode>();
	const build = (department: DepartmentRow): { node: DepartmentNode; ids: Set<string> } => {
		const id = department.id as DepartmentId;
		// The head first, then by name.
		const own = (members.get(id) ?? []).toSorted((a, b) => Number(b.id === department.head) - Number(a.id === department.head));
		const ids = new Set<string>(own.map((person) => person.id));
		const below: DepartmentNode[] = [];
		for (const child of (children.get(id) ?? []).sort((a, b) => order.compare(a.name, b.name))) {
			const built = build(child);
			below.push(built.node);
			for (const one of built.ids) ids.add(one);
		}
		const node: DepartmentNode = { id, label: department.name, department, people: own, peopleBelow: ids.size, children: below };
		byId.set(id, node);
		return { node, ids };
	};
	// Departments in a ring (a device may hold the rows of a moment between two changes) hang below no top: they are not shown until it is mended.
	const roots = tops.sort((a, b) => order.compare(a.name, b.name)).map((one) => build(one).node);
	return { roots, byId, people, loose, count: byId.size };
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
	const list = map.get(key);
	if (list) list.push(value);
	else map.set(key, [value]);
}

/** The branches with a fitting department or person, each with its way up. */
export function pruned(roots: readonly DepartmentNode[], fits: (node: DepartmentNode) => boolean): DepartmentNode[] {
	const out: DepartmentNode[] = [];
	for (const node of roots) {
		const children = pruned(node.children, fits);
		if (children.length > 0 || fits(node)) out.push({ ...node, children });
	}
	return out;
}

export type PeopleLine =
	| { readonly kind: 'department'; readonly key: string; readonly node: DepartmentNode }
	| { readonly kind: 'person'; readonly key: string; readonly person: EmployeeRow; readonly head: boolean; /** The department that the line stands in. */ readonly at: DepartmentNode | null };

/** A department's people, then those of each department below under its name. */
export function linesOf(node: DepartmentNode): PeopleLine[] {
	const out: PeopleLine[] = [];
	const add = (at: DepartmentNode, heading: boolean): void => {
		if (heading && at.people.length > 0) out.push({ kind: 'department', key: at.id, node: at });
		for (const person of at.people) out.push({ kind: 'person', key: `${at.id}:${person.id}`, person, head: person.id === at.department.head, at });
		for (const child of at.children) add(child, true);
	};
	add(node, false);
	return out;
}

/** The departments of a person, nearest names first. */
export function departmentsOf(structure: Structure, person: EmployeeRow): DepartmentNode[] {
	return person.departments.flatMap((id) => structure.byId.get(id) ?? []);
}

export function headOf(directory: Directory, node: DepartmentNode): EmployeeRow | undefined {
	const head = node.department.head ? directory.person(node.department.head as PersonId) : undefined;
	return head?.active ? head : undefined;
}
