/**
 * The device's database. Every schema version only adds (STACK.md 6): pending work of an older app must still be found by a newer one.
 *
 * Leaves to others: what the tables mean (replica-contract.ts).
 */
import { Dexie, type EntityTable, type Table } from 'dexie';
import { KINDS, type DocumentId, type KindName, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import type { AsideItem, Head, Meta, PageSlot, Pending, StoredRow } from '../replica-contract.ts';

/** Carried by the leader's lock, so that an older tab yields to a newer one. Rises with each version below. */
export const SCHEMA_VERSION = 1;

export interface Bytes {
	readonly id: DocumentId;
	readonly bytes: Uint8Array;
}
export interface Tail {
	readonly document: DocumentId;
	readonly docSeq: number;
	readonly bytes: Uint8Array;
}

/** `open`, `not`, `set` and the like answer what a screen lists; `kind` fields that are null are not in an index. */
const ROW_INDEXES: Readonly<Record<KindName, string>> = {
	settings: 'id',
	employee: 'id, lastName, email',
	department: 'id, parent, name',
	task: 'id, state, responsible, deadline, updatedAt, createdBy, *participants, *observers, [responsible+state]',
	company: 'id, name, sector, updatedAt',
	product: 'id, name',
	deal: 'id, stage, responsible, account, product, amount, updatedAt, closedOn, number, [stage+updatedAt], [stage+amount], [responsible+stage]',
	page: 'id, place, on, updatedAt, createdBy, [place+updatedAt]',
	text: 'id, place, on, updatedAt, createdBy, [place+updatedAt]'
};

export const rowTable = (kind: KindName) => `row_${kind}` as const;

export class ReplicaDatabase extends Dexie {
	declare heads: EntityTable<Head, 'id'>;
	declare bytes: EntityTable<Bytes, 'id'>;
	declare tails: Table<Tail, [DocumentId, number]>;
	declare pending: Table<Pending, number>;
	declare aside: EntityTable<AsideItem, 'id'>;
	declare slots: Table<PageSlot, [DocumentId, string]>;
	declare meta: Table<Meta & { key: 'meta' }, string>;

	constructor(name: string, options: ConstructorParameters<typeof Dexie>[1] = {}) {
		super(name, options);
		this.version(1).stores({
			heads: 'id',
			bytes: 'id',
			tails: '[document+docSeq]',
			pending: '++order, id, *documents',
			aside: 'id, at, document',
			slots: '[document+slot], document',
			meta: 'key',
			...Object.fromEntries(KINDS.map((kind) => [rowTable(kind), ROW_INDEXES[kind]]))
		});
	}

	rows<K extends KindName>(kind: K): Table<StoredRow, DocumentId> {
		return this.table(rowTable(kind));
	}
}

/** Another person on the same device gets another database. */
export function databaseName(portal: PortalId, person: PersonId): string {
	return `atrium:${portal}:${person}`;
}
