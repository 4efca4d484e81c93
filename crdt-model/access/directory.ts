/**
 * The directory: who is where, who heads whom, who belongs to which workgroup and to whom which CRM role applies; projected from the rows of
 * employees, departments, workgroups and roles. Relay and device keep one each and feed it rows; it never reads documents. It tolerates any
 * order of rows and any broken structure (a ring, a missing parent), because a device may hold the rows of a moment between two changes.
 *
 * What a person holds (holdings.ts) is kept until it may have changed, so asking is cheap; each change says whose it may have changed, so a
 * company of ten thousand need not be reckoned anew when one person moves (affected.ts).
 */
import type { DepartmentId, DocumentId, GroupId, KindName, PersonId } from '../ids.ts';
import type { DepartmentRow, EmployeeRow } from '../kinds/company-structure.ts';
import type { GroupRow } from '../kinds/group.ts';
import type { RoleRow } from '../kinds/role.ts';
import type { BaseRow } from '../record/kind.ts';
import { Affected, type AffectedPeople } from './affected.ts';
import { administers, leadersOf, rankOf, sameMembers, sameRole } from './directory-rows.ts';
import { holdingsOf, principalsNaming, type NamingPrincipals } from './holdings.ts';
import type { Principal } from './principals.ts';
import type { Recipient } from './recipients.ts';
import { reachesOf, type Reaches } from './roles.ts';

type RoleId = DocumentId<'role'>;

/** What it is made of: whoever fills a directory reads these kinds, and all of them. */
export const DIRECTORY_KINDS = ['employee', 'department', 'group', 'role'] as const satisfies readonly KindName[];

export class Directory {
	readonly #people = new Map<PersonId, EmployeeRow>();
	readonly #departments = new Map<DepartmentId, DepartmentRow>();
	readonly #groups = new Map<GroupId, GroupRow>();
	readonly #roles = new Map<RoleId, RoleRow>();

	/** Whoever names a department as theirs, dismissed people too. */
	readonly #members = new Index<DepartmentId, PersonId>();
	/** By parent; deleted departments are nobody's children. */
	readonly #children = new Index<DepartmentId, DepartmentId>();
	/** The departments of which somebody is head or deputy. */
	readonly #leads = new Index<PersonId, DepartmentId>();
	readonly #groupsOf = new Index<PersonId, GroupId>();
	readonly #rolesFor = new Index<Recipient, RoleId>();
	#administrators = 0;

	readonly #affected = new Affected(this);
	/** Everyone in a department and below it: what the head of the company needs, each department above needs too. */
	readonly #subtrees = new Map<DepartmentId, readonly PersonId[]>();
	readonly #held = new Map<PersonId, ReadonlySet<Principal>>();
	readonly #departmentsOf = new Map<PersonId, ReadonlySet<DepartmentId>>();
	readonly #naming = new Map<PersonId, NamingPrincipals>();
	readonly #reachesOf = new Map<PersonId, Reaches>();
	/** Most people have the same roles, so that there are few of these. */
	readonly #reaches = new Map<string, Reaches>();

	/** Whether rows of this kind are the directory's business. */
	static concerns({ kind }: Pick<BaseRow, 'kind'>): boolean {
		return (DIRECTORY_KINDS as readonly KindName[]).includes(kind);
	}

	/** Rises with every change that may change somebody's rights. */
	get version(): number {
		return this.#affected.version;
	}
	/** Whose principals may differ from what they were at that version: those who do, and perhaps a few more. */
	affectedSince(version: number): AffectedPeople {
		return this.#affected.since(version);
	}

	/** Takes a row in; rows of other kinds are none of its business. Returns whether anybody's rights may have changed. */
	take(row: BaseRow): boolean {
		switch (row.kind) {
			case 'employee':
				return this.#takePerson(row.id as PersonId, row as EmployeeRow);
			case 'department':
				return this.#takeDepartment(row.id as DepartmentId, row as DepartmentRow);
			case 'group':
				return this.#takeGroup(row.id as GroupId, row as GroupRow);
			case 'role':
				return this.#takeRole(row.id as RoleId, row as RoleRow);
			default:
				return false;
		}
	}

	/** Forgets a record that this side may no longer read. */
	drop(id: DocumentId): void {
		if (this.#people.has(id as PersonId)) this.#takePerson(id as PersonId, undefined);
		else if (this.#departments.has(id as DepartmentId)) this.#takeDepartment(id as DepartmentId, undefined);
		else if (this.#groups.has(id as GroupId)) this.#takeGroup(id as GroupId, undefined);
		else if (this.#roles.has(id as RoleId)) this.#takeRole(id as RoleId, undefined);
	}

	/** Another directory that says the same: what a batch would make is judged on a copy. */
	copy(): Directory {
		const copy = new Directory();
		for (const [id, row] of this.#people) copy.#people.set(id, row);
		for (const [id, row] of this.#departments) copy.#departments.set(id, row);
		for (const [id, row] of this.#groups) copy.#groups.set(id, row);
		for (const [id, row] of this.#roles) copy.#roles.set(id, row);
		copy.#members.become(this.#members);
		copy.#children.become(this.#children);
		copy.#leads.become(this.#leads);
		copy.#groupsOf.become(this.#groupsOf);
		copy.#rolesFor.become(this.#rolesFor);
		copy.#administrators = this.#administrators;
		return copy;
	}

	#takePerson(id: PersonId, row: EmployeeRow | undefined): boolean {
		const before = this.#people.get(id);
		put(this.#people, id, row);
		if (row && before && before.active === row.active && before.administrator === row.administrator && before.guest === row.guest && sameMembers(before.departments, row.departments)) return false;
		this.#administrators += Number(administers(row)) - Number(administers(before));
		const left = (before?.departments ?? []).filter((one) => !row?.departments.includes(one));
		const joined = (row?.departments ?? []).filter((one) => !before?.departments.includes(one));
		for (const one of left) this.#members.remove(one, id);
		for (const one of joined) this.#members.add(one, id);
		for (const one of [...left, ...joined]) this.#forgetAbove(one);
		return this.#changed(this.#affected.ofPerson(id, [...left, ...joined]));
	}

	#takeDepartment(id: DepartmentId, row: DepartmentRow | undefined): boolean {
		const before = this.#departments.get(id);
		const [ledBefore, ledNow] = [leadersOf(before), leadersOf(row)];
		const isMoved = before?.parent !== row?.parent || before?.deleted !== row?.deleted;
		if (row && before && !isMoved && sameMembers(ledBefore, ledNow)) {
			this.#departments.set(id, row);
			return false;
		}
		const affected = isMoved ? this.#affected.ofSubtree(id) : new Set<PersonId>();
		if (isMoved) this.#forgetAbove(id);
		if (before?.parent && !before.deleted) this.#children.remove(before.parent, id);
		for (const one of ledBefore) this.#leads.remove(one, id);
		put(this.#departments, id, row);
		if (row?.parent && !row.deleted) this.#children.add(row.parent, id);
		for (const one of ledNow) this.#leads.add(one, id);
		if (isMoved) {
			this.#forgetAbove(id);
			for (const one of this.#affected.ofSubtree(id)) affected.add(one);
		}
		for (const one of ledBefore) if (isMoved || !ledNow.includes(one)) affected.add(one);
		for (const one of ledNow) if (isMoved || !ledBefore.includes(one)) affected.add(one);
		return this.#changed(affected);
	}

	#takeGroup(id: GroupId, row: GroupRow | undefined): boolean {
		const before = this.#groups.get(id);
		put(this.#groups, id, row);
		const [was, is] = [rankOf(before), rankOf(row)];
		const affected = new Set<PersonId>();
		for (const [one, rank] of was) if (is.get(one) !== rank) affected.add(one);
		for (const [one, rank] of is) if (was.get(one) !== rank) affected.add(one);
		if (affected.size === 0) return false;
		for (const one of was.keys()) this.#groupsOf.remove(one, id);
		for (const one of is.keys()) this.#groupsOf.add(one, id);
		return this.#changed(affected);
	}

	#takeRole(id: RoleId, row: RoleRow | undefined): boolean {
		const before = this.#roles.get(id);
		put(this.#roles, id, row);
		if (sameRole(before, row)) return false;
		for (const one of before?.deleted === false ? before.people : []) this.#rolesFor.remove(one, id);
		for (const one of row?.deleted === false ? row.people : []) this.#rolesFor.add(one, id);
		this.#reaches.clear();
		return this.#changed(this.#affected.ofRecipients([...(before?.people ?? []), ...(row?.people ?? [])]));
	}

	#changed(people: AffectedPeople): true {
		this.#affected.record(people);
		for (const kept of [this.#held, this.#departmentsOf, this.#reachesOf]) {
			if (people === 'all') kept.clear();
			else for (const id of people) kept.delete(id);
		}
		return true;
	}
	#forgetAbove(department: DepartmentId): void {
		for (const id of this.chainOf(department)) this.#subtrees.delete(id);
	}

	person(id: PersonId): EmployeeRow | undefined {
		return this.#people.get(id);
	}
	department(id: DepartmentId): DepartmentRow | undefined {
		return this.#departments.get(id);
	}
	group(id: GroupId): GroupRow | undefined {
		return this.#groups.get(id);
	}
	role(id: DocumentId<'role'>): RoleRow | undefined {
		return this.#roles.get(id);
	}
	get people(): IterableIterator<EmployeeRow> {
		return this.#people.values();
	}
	get departments(): IterableIterator<DepartmentRow> {
		return this.#departments.values();
	}
	get groups(): IterableIterator<GroupRow> {
		return this.#groups.values();
	}
	get roles(): IterableIterator<RoleRow> {
		return this.#roles.values();
	}

	/** Signs in here: employees and guests. */
	isMember(id: PersonId): boolean {
		return this.#people.get(id)?.active === true;
	}
	/** Works here: what guests do not. */
	isEmployee(id: PersonId): boolean {
		const person = this.#people.get(id);
		return person?.active === true && !person.guest;
	}
	isAdministrator(id: PersonId): boolean {
		return administers(this.#people.get(id));
	}
	/** Administrators who could still sign in; the relay refuses what would leave none (SPEC A6). */
	get administrators(): number {
		return this.#administrators;
	}
	isStanding(id: DepartmentId | null): boolean {
		return id !== null && this.#departments.get(id)?.deleted === false;
	}

	/** Whoever names the department as theirs, dismissed people too; without those below it. */
	membersOf(id: DepartmentId): ReadonlySet<PersonId> {
		return this.#members.of(id);
	}
	/** Departments right below, without deleted ones. */
	childrenOf(id: DepartmentId): ReadonlySet<DepartmentId> {
		return this.#children.of(id);
	}
	groupsOf(id: PersonId): ReadonlySet<GroupId> {
		return this.#groupsOf.of(id);
	}
	rolesFor(recipient: Recipient): ReadonlySet<RoleId> {
		return this.#rolesFor.of(recipient);
	}
	get hasRoles(): boolean {
		return this.#rolesFor.size > 0;
	}

	/** Everyone in a department and in all departments below it. */
	subtree(id: DepartmentId): readonly PersonId[] {
		const known = this.#subtrees.get(id);
		if (known) return known;
		const people = new Set<PersonId>();
		const seen = new Set<DepartmentId>();
		const open = [id];
		for (let next = open.pop(); next !== undefined; next = open.pop()) {
			if (seen.has(next)) continue;
			seen.add(next);
			for (const person of this.#members.of(next)) people.add(person);
			open.push(...this.#children.of(next));
		}
		const list = [...people];
		this.#subtrees.set(id, list);
		return list;
	}

	/** A department and its parents as the rows say, whether they stand or not; in a ring, each once. */
	chainOf(id: DepartmentId): DepartmentId[] {
		const chain: DepartmentId[] = [];
		for (let at: DepartmentId | null = id; at && !chain.includes(at); at = this.#departments.get(at)?.parent ?? null) chain.push(at);
		return chain;
	}
	/** A department and those above it, up to the first that is deleted or missing: what hangs under that one hangs under nobody. */
	standingChainOf(id: DepartmentId): DepartmentId[] {
		const chain = this.chainOf(id);
		const gap = chain.findIndex((one) => !this.isStanding(one));
		return gap === -1 ? chain : chain.slice(0, gap);
	}

	/** The standing departments of which the person is head or deputy. */
	ledBy(id: PersonId): DepartmentId[] {
		return [...this.#leads.of(id)].filter((one) => this.isStanding(one));
	}
	leads(id: PersonId, department: DepartmentId): boolean {
		return this.#leads.of(id).has(department) && this.isStanding(department);
	}

	/** The standing departments that are a person's: those that they belong to, and those that they lead. */
	departmentsOf(id: PersonId): ReadonlySet<DepartmentId> {
		let own = this.#departmentsOf.get(id);
		if (!own) {
			own = new Set([...(this.#people.get(id)?.departments ?? []), ...this.#leads.of(id)].filter((one) => this.isStanding(one)));
			if (this.#people.has(id)) this.#departmentsOf.set(id, own);
		}
		return own;
	}

	/** Everyone in the departments that the person heads, as head or deputy, and in all departments below them. */
	below(head: PersonId): Set<PersonId> {
		const people = new Set<PersonId>();
		for (const id of this.ledBy(head)) for (const one of this.subtree(id)) people.add(one);
		people.delete(head);
		return people;
	}
	/** Whether one of the person's departments, or one above it, is headed by `head`: what `below` says, asked from the other end. */
	isBelow(id: PersonId, head: PersonId): boolean {
		if (id === head || this.#leads.of(head).size === 0) return false;
		return this.isWithin(id, this.#leads.of(head));
	}
	/** Whether one of the person's departments, or a standing one above it, is among these. */
	isWithin(id: PersonId, departments: ReadonlySet<DepartmentId>): boolean {
		for (const own of this.#people.get(id)?.departments ?? []) {
			// Bounded by the number of departments: a ring of rows ends no process.
			let steps = this.#departments.size;
			for (let at: DepartmentId | null = own; at && steps-- > 0; ) {
				const row: DepartmentRow | undefined = this.#departments.get(at);
				if (!row || row.deleted) break;
				if (departments.has(at)) return true;
				at = row.parent;
			}
		}
		return false;
	}

	/** The heads and deputies above a person, nearest first: of each own department, then of its parents. */
	headsAbove(id: PersonId): PersonId[] {
		const heads = new Set<PersonId>();
		for (const own of this.#people.get(id)?.departments ?? []) {
			for (const department of this.standingChainOf(own)) for (const one of leadersOf(this.#departments.get(department))) heads.add(one);
		}
		heads.delete(id);
		return [...heads];
	}

	/** Whether hanging `child` below `parent` would make a ring. */
	wouldCycle(child: DepartmentId, parent: DepartmentId): boolean {
		return this.chainOf(parent).includes(child);
	}

	/** What a session of this person holds. A person who is not an active member holds nothing. */
	principalsOf(id: PersonId): ReadonlySet<Principal> {
		let held = this.#held.get(id);
		if (!held) {
			held = holdingsOf(this, id);
			// Strangers are not remembered: their ids come from outside and are without end.
			if (this.#people.has(id)) this.#held.set(id, held);
		}
		return held;
	}

	/** The principals that name a person: documents carry them, heads hold them. */
	naming(id: PersonId): NamingPrincipals {
		let naming = this.#naming.get(id);
		if (!naming) this.#naming.set(id, (naming = principalsNaming(id)));
		return naming;
	}

	/** The ids of the roles that apply to a person. */
	rolesOf(id: PersonId): RoleId[] {
		const person = this.#people.get(id);
		if (!person?.active || person.guest || this.#rolesFor.size === 0) return [];
		const found = new Set<RoleId>();
		const collect = (recipient: Recipient) => {
			for (const role of this.#rolesFor.of(recipient)) found.add(role);
		};
		collect('all');
		collect(`user:${id}`);
		for (const own of person.departments) {
			if (this.isStanding(own)) collect(`department:${own}`);
			for (const above of this.standingChainOf(own)) collect(`departments:${above}`);
		}
		for (const group of this.#groupsOf.of(id)) collect(`group:${group}`);
		return [...found].sort();
	}

	/** How far each permission of the CRM reaches for a person who works here. */
	reachesOf(id: PersonId): Reaches {
		const known = this.#reachesOf.get(id);
		if (known) return known;
		const roles = this.rolesOf(id);
		const isAdministrator = this.isAdministrator(id);
		const key = isAdministrator ? 'admins' : roles.join();
		let reaches = this.#reaches.get(key);
		if (!reaches) this.#reaches.set(key, (reaches = reachesOf(roles.map((role) => this.#roles.get(role)!), isAdministrator)));
		if (this.#people.has(id)) this.#reachesOf.set(id, reaches);
		return reaches;
	}
}

/** Values by key, none twice. */
class Index<K, V> {
	readonly #sets = new Map<K, Set<V>>();
	static readonly #none: ReadonlySet<never> = new Set();

	get size(): number {
		return this.#sets.size;
	}
	become(other: Index<K, V>): void {
		for (const [key, values] of other.#sets) this.#sets.set(key, new Set(values));
	}
	of(key: K): ReadonlySet<V> {
		return this.#sets.get(key) ?? Index.#none;
	}
	add(key: K, value: V): void {
		const set = this.#sets.get(key);
		if (set) set.add(value);
		else this.#sets.set(key, new Set([value]));
	}
	remove(key: K, value: V): void {
		const set = this.#sets.get(key);
		if (set?.delete(value) && set.size === 0) this.#sets.delete(key);
	}
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
	if (value === undefined) map.delete(key);
	else map.set(key, value);
}
