/**
 * The rights, reckoned plainly and slowly, from the written rules (DESIGN 4, SPEC A) and apart from the code that they judge: straight loops
 * over the whole company as plain data, no index, nothing remembered. Who reads what is here, who may change what in rules.ts.
 */
import type { DepartmentId, DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { Row } from '#crdt-model/kinds/index.ts';
import type { CrmAction, CrmLevel, RoleRow } from '#crdt-model/kinds/role.ts';
import type { DepartmentRow, EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import type { DiskLevel } from '#crdt-model/kinds/grants.ts';
import type { GroupRow } from '#crdt-model/kinds/group.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { EMPTY_STATE, type RecordState } from '#crdt-model/record/state.ts';
import { judge, type Answer } from './rules.ts';

export { ORACLE_RULES } from './rules.ts';

export interface Known {
	readonly row: Row;
	/** Only rules about comments look at it. */
	readonly state: RecordState;
}

const LEVELS: readonly DiskLevel[] = ['read', 'add', 'edit', 'share', 'full'];
type Placed = Extract<Row, { kind: 'page' | 'text' | 'file' }>;

export class Oracle {
	readonly records: Map<DocumentId, Known>;

	constructor(records: Iterable<readonly [DocumentId, Known]> = []) {
		this.records = new Map(records);
	}
	take(row: Row, state: RecordState = EMPTY_STATE): void {
		this.records.set(row.id, { row, state });
	}
	copy(): Oracle {
		return new Oracle(this.records);
	}
	record(id: DocumentId): Known | undefined {
		return this.records.get(id);
	}
	rowsOf<K extends Row['kind']>(kind: K): Extract<Row, { kind: K }>[] {
		return [...this.records.values()].map(({ row }) => row).filter((row) => row.kind === kind) as Extract<Row, { kind: K }>[];
	}

	// People

	person(id: PersonId): EmployeeRow | undefined {
		const row = this.records.get(id)?.row;
		return row?.kind === 'employee' ? row : undefined;
	}
	/** Signs in: employees and guests, not the dismissed. */
	isActive(id: PersonId): boolean {
		return this.person(id)?.active === true;
	}
	/** Of the company: guests are not. */
	isEmployee(id: PersonId): boolean {
		return this.isActive(id) && !this.person(id)!.guest;
	}
	/** Whom the settings let address everybody; administrators always. */
	addressesAll(id: PersonId): boolean {
		if (this.isAdministrator(id)) return true;
		const writers = this.rowsOf('settings')[0]?.writersToAll ?? null;
		return this.isEmployee(id) && (writers === null || writers.some((recipient) => this.isNamedBy(id, recipient)));
	}
	isAdministrator(id: PersonId): boolean {
		return this.isEmployee(id) && this.person(id)!.administrator;
	}

	// Structure

	department(id: DepartmentId | null): DepartmentRow | undefined {
		const row = id === null ? undefined : this.records.get(id)?.row;
		return row?.kind === 'department' ? row : undefined;
	}
	/** A department and those above it, as far as they stand: what hangs under a deleted one hangs under nobody. */
	chain(id: DepartmentId): DepartmentRow[] {
		const chain: DepartmentRow[] = [];
		for (let at = this.department(id); at && !at.deleted && !chain.includes(at); at = this.department(at.parent)) chain.push(at);
		return chain;
	}
	leads(person: PersonId, department: DepartmentRow): boolean {
		return this.isEmployee(person) && (department.head === person || department.deputies.includes(person));
	}
	/** Whether a person leads a department of another's, or one above it. */
	isAbove(person: PersonId, other: PersonId): boolean {
		if (person === other) return false;
		return (this.person(other)?.departments ?? []).some((own) => this.chain(own).some((department) => this.leads(person, department)));
	}
	isSelfOrAbove(person: PersonId, other: PersonId): boolean {
		return (person === other && this.isActive(person)) || this.isAbove(person, other);
	}

	// Groups

	group(id: DocumentId): GroupRow | undefined {
		const row = this.records.get(id)?.row;
		return row?.kind === 'group' ? row : undefined;
	}
	isModerator(person: PersonId, group: GroupRow): boolean {
		return this.isActive(person) && (group.owner === person || group.moderators.includes(person));
	}
	isInGroup(person: PersonId, group: GroupRow): boolean {
		return this.isActive(person) && (group.owner === person || group.moderators.includes(person) || group.members.includes(person));
	}

	/** Whether a recipient names the person: `all`, `user:…`, `department:…`, `departments:…`, `group:…`. */
	isNamedBy(person: PersonId, recipient: string): boolean {
		if (!this.isActive(person)) return false;
		const id = recipient.slice(recipient.indexOf(':') + 1);
		const departments = this.isEmployee(person) ? this.person(person)!.departments : [];
		if (recipient === 'all') return this.isEmployee(person);
		if (recipient.startsWith('user:')) return id === person;
		if (recipient.startsWith('department:')) return departments.some((own) => own === id && this.chain(own).length > 0);
		if (recipient.startsWith('departments:')) return departments.some((own) => this.chain(own).some((above) => above.id === id));
		const group = this.group(id as DocumentId);
		return group !== undefined && !group.deleted && this.isInGroup(person, group);
	}

	// CRM

	rolesOf(person: PersonId): RoleRow[] {
		return this.rowsOf('role').filter((role) => !role.deleted && role.people.some((recipient) => this.isNamedBy(person, recipient)));
	}

	/** Whether an action of a person reaches a record of somebody's, and whether it does so as the person's own alone. */
	crm(person: PersonId, entity: 'deal' | 'company', action: CrmAction, record: { responsible: PersonId; open: boolean; createdBy: PersonId }): 'no' | 'own' | 'yes' {
		if (!this.isEmployee(person)) return 'no';
		if (this.isAdministrator(person)) return 'yes';
		const roles = this.rolesOf(person);
		if (roles.length === 0) return this.crmByDefault(person, entity, action, record);
		let best: 'no' | 'own' | 'yes' = 'no';
		for (const role of roles) {
			const level = role.permissions[`${entity}.${action}`];
			if (this.reaches(person, level, record.responsible)) return 'yes';
			if (level !== 'none' && record.responsible === person) best = 'own';
			if ((action === 'read' || action === 'write') && record.open && role.open.includes(`${entity}.${action}`)) best = best === 'no' ? 'own' : best;
		}
		return best;
	}

	/** To whom no role applies: their own deals and those of the people whom they lead; every client company, to delete only those that they made. */
	crmByDefault(person: PersonId, entity: 'deal' | 'company', action: CrmAction, record: { responsible: PersonId; createdBy: PersonId }): 'no' | 'own' | 'yes' {
		if (entity === 'company') return action !== 'delete' || record.createdBy === person ? 'yes' : 'no';
		if (this.isAbove(person, record.responsible)) return 'yes';
		return record.responsible === person ? 'own' : 'no';
	}

	/** Beyond what is one's own. */
	reaches(person: PersonId, level: CrmLevel, responsible: PersonId): boolean {
		if (level === 'all') return true;
		if (level !== 'department' && level !== 'subdepartments') return false;
		// A person's departments are those that they belong to and those that they lead.
		const led = this.rowsOf('department').filter((department) => this.leads(person, department));
		const mine = [...this.person(person)!.departments, ...led.map(({ id }) => id)];
		return (this.person(responsible)?.departments ?? []).some((own) => {
			const chain = this.chain(own);
			return (level === 'department' ? chain.slice(0, 1) : chain).some(({ id }) => mine.includes(id));
		});
	}

	// Documents and files

	/** What the place gives, and what was granted: the highest of all. Null where the person may not even read. */
	diskLevel(person: PersonId, row: Placed): DiskLevel | null {
		if (!this.isActive(person)) return null;
		const levels: DiskLevel[] = [];
		for (const [recipient, level] of Object.entries(row.grants)) if (level && this.isNamedBy(person, recipient)) levels.push(level);
		if (row.createdBy === person && (row.place === 'mine' || this.isEmployee(person))) levels.push('full');
		if (this.isAdministrator(person)) levels.push('full');
		if (row.place === 'company' && this.isEmployee(person)) levels.push('edit');
		return levels.sort((a, b) => LEVELS.indexOf(b) - LEVELS.indexOf(a))[0] ?? null;
	}
	isAtLeast(level: DiskLevel | null, wanted: DiskLevel): boolean {
		return level !== null && LEVELS.indexOf(level) >= LEVELS.indexOf(wanted);
	}

	// Services

	/** The service of a record, where the settings have it switched off. */
	offService(row: Row): string | null {
		const service = this.serviceOf(row);
		return service !== null && (this.rowsOf('settings')[0]?.servicesOff ?? []).some((off) => off === service) ? service : null;
	}
	serviceOf(row: Row): string | null {
		const ofKind = (kind: string): string | null => {
			if (kind === 'task') return 'tasks';
			if (kind === 'group') return 'groups';
			if (kind === 'deal' || kind === 'company' || kind === 'product' || kind === 'role') return 'crm';
			return kind === 'page' || kind === 'text' || kind === 'file' ? 'documents' : null;
		};
		const kindIn = (id: DocumentId) => id.slice(0, id.indexOf('_'));
		if (row.kind === 'page' && row.on !== null) return ofKind(kindIn(row.on));
		if (row.kind === 'file' && row.place === 'face') return null;
		return ofKind(row.kind === 'proposal' ? kindIn(row.target) : row.kind);
	}

	// Reading

	reads(person: PersonId, id: DocumentId): boolean {
		const known = this.records.get(id);
		return known !== undefined && this.isActive(person) && this.readsRow(person, known.row);
	}

	readsRow(person: PersonId, row: Row): boolean {
		switch (row.kind) {
			case 'employee':
				return this.isEmployee(person) || row.id === person;
			case 'settings':
			case 'department':
			case 'role':
			case 'product':
				return this.isEmployee(person);
			case 'group':
				if (!row.deleted && this.isInGroup(person, row)) return true;
				return row.visibility === 'secret' ? row.owner === person || this.isAdministrator(person) : this.isEmployee(person);
			case 'task':
				return this.isAdministrator(person) || [row.createdBy, row.responsible, ...row.participants, ...row.observers].some((who) => this.isSelfOrAbove(person, who));
			case 'deal':
			case 'company':
				return this.crm(person, row.kind, 'read', row) !== 'no';
			case 'page':
			case 'text':
				return row.place === 'record' ? this.readsScope(person, row.on) : this.diskLevel(person, row) !== null;
			case 'file':
				if (row.place === 'face') return this.isEmployee(person) || row.createdBy === person;
				return this.diskLevel(person, row) !== null;
			case 'proposal':
				return row.createdBy === person || this.readsScope(person, row.target);
		}
	}

	/** An audience is followed to the record that is named and no further: what hangs on something that hangs itself is nobody's. */
	readsScope(person: PersonId, scope: DocumentId | null): boolean {
		const row = scope && this.records.get(scope)?.row;
		if (!row || row.kind === 'proposal' || (row.kind !== 'file' && 'place' in row && row.place === 'record')) return false;
		return this.reads(person, row.id);
	}

	readable(person: PersonId): Set<DocumentId> {
		return new Set([...this.records.keys()].filter((id) => this.reads(person, id)));
	}

	// Changing

	/** @param before as the person may read it; null while it is not there for them */
	judge(person: PersonId, command: Command, before: Known | null, next: Known): Answer {
		return judge(this, person, command, before, next);
	}
}
