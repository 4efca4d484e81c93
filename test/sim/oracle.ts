/**
 * What should be so, reckoned plainly and apart from the code under test: who reads what, from the rows that are on disk.
 */
import type { DepartmentId, DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { DepartmentRow, EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import type { Row } from '#crdt-model/kinds/index.ts';

export class Oracle {
	readonly rows = new Map<DocumentId, Row>();

	take(row: Row): void {
		this.rows.set(row.id, row);
	}

	reads(person: PersonId, id: DocumentId): boolean {
		const me = this.rows.get(person) as EmployeeRow | undefined;
		const row = this.rows.get(id);
		if (!me?.active || !row) return false;
		switch (row.kind) {
			case 'task':
				return me.administrator || [row.createdBy, row.responsible, ...row.participants, ...row.observers].some((who) => this.#isOrHeads(person, who));
			case 'deal':
				return me.administrator || this.#isOrHeads(person, row.responsible);
			case 'page':
			case 'text':
				if (row.place === 'record') return row.on !== null && this.reads(person, row.on);
				return row.place === 'company' || me.administrator || row.createdBy === person;
			default:
				return true;
		}
	}

	#isOrHeads(person: PersonId, other: PersonId): boolean {
		return person === other || this.#headsAbove(other).has(person);
	}

	#headsAbove(person: PersonId): Set<PersonId> {
		const heads = new Set<PersonId>();
		const open = [...((this.rows.get(person) as EmployeeRow | undefined)?.departments ?? [])];
		const seen = new Set<DepartmentId>();
		for (let id = open.pop(); id; id = open.pop()) {
			if (seen.has(id)) continue;
			seen.add(id);
			const department = this.rows.get(id) as DepartmentRow | undefined;
			if (!department || department.deleted) continue;
			if (department.head) heads.add(department.head);
			if (department.parent) open.push(department.parent);
		}
		return heads;
	}

	readable(person: PersonId): Set<DocumentId> {
		return new Set([...this.rows.keys()].filter((id) => this.reads(person, id)));
	}
}
