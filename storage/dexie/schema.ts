/**
 * The device's database. Every schema version only adds (STACK.md 6): pending work of an older app must still be found by a newer one.
 *
 * Leaves to others: what the tables mean (replica-contract.ts).
 */
import { Dexie, type EntityTable, type Table } from 'dexie';
import type { DocumentId, KindName, PersonId, PortalId } from '#crdt-model/ids.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import type { AsideItem, Contact, Head, Meta, PageSlot, Pending, RawEntry, StoredRow } from '../replica-contract.ts';

/** Carried by the leader's lock, so that an older tab yields to a newer one. Rises with each version below. */
export const SCHEMA_VERSION = 2;

export interface Bytes {
	readonly id: DocumentId;
	readonly bytes: Uint8Array;
}
export interface Tail {
	readonly document: DocumentId;
	readonly docSeq: number;
	readonly bytes: Uint8Array;
}

/** The bytes of a file on this device, named by what they are. */
export interface KeptBlob {
	readonly digest: string;
	readonly bytes: Blob;
	/** Chosen here: the record that names it is made a moment later. */
	readonly chosen: boolean;
	readonly keptAt: number;
	readonly usedAt: number;
	/** Kept whatever else needs room. */
	readonly pinned: boolean;
}
/** How far the bytes of an own file have gone up. A row goes when they have arrived. */
export interface UploadState {
	readonly file: DocumentId;
	readonly sent: number;
	/** Why it does not go on by itself: the bytes here are other ones, or there are none. */
	readonly problem: 'damaged' | 'missing' | null;
}

/** What there is one of. */
export type MetaRow = (Meta & { readonly key: 'meta' }) | { readonly key: 'tariff'; readonly tariff: Tariff } | { readonly key: 'contact'; readonly contact: Contact };

export function tariffOfRow(row: MetaRow | undefined): Tariff | null {
	return row?.key === 'tariff' ? row.tariff : null;
}

/**
 * Lists read a kind whole and sort in memory (app/lib/sync/live-rows), so a row has hardly an index: each would make every arriving row dearer,
 * and twelve of them made the first sync of deals three times as long.
 */
const ROW_INDEXES: Readonly<Record<KindName, string>> = {
	settings: 'id',
	employee: 'id',
	department: 'id',
	group: 'id',
	role: 'id',
	task: 'id',
	company: 'id',
	product: 'id',
	deal: 'id',
	page: 'id, place',
	text: 'id, place',
	file: 'id, place',
	proposal: 'id'
};

/** The kinds of the first release; those after them came with the version that names them. */
const FIRST_KINDS = ['settings', 'employee', 'department', 'task', 'company', 'product', 'deal', 'page', 'text'] as const satisfies readonly KindName[];

const rowTables = (kinds: readonly KindName[]) => Object.fromEntries(kinds.map((kind) => [rowTable(kind), ROW_INDEXES[kind]]));

export const rowTable = (kind: KindName) => `row_${kind}` as const;

export class ReplicaDatabase extends Dexie {
	declare heads: EntityTable<Head, 'id'>;
	declare bytes: EntityTable<Bytes, 'id'>;
	declare tails: Table<Tail, [DocumentId, number]>;
	declare pending: Table<Pending, number>;
	declare aside: EntityTable<AsideItem, 'id'>;
	declare slots: Table<PageSlot, [DocumentId, string]>;
	declare raw: Table<RawEntry, [number, number]>;
	declare meta: Table<MetaRow, string>;
	declare blobs: Table<KeptBlob, string>;
	declare uploads: Table<UploadState, DocumentId>;

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
			...rowTables(FIRST_KINDS)
		});
		this.version(2).stores({
			...rowTables(['group', 'role', 'file', 'proposal']),
			raw: '[epoch+seq], document, keptAt',
			blobs: 'digest',
			uploads: 'file'
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

const VIEW_PREFIX = 'atrium:view:';

/**
 * What an administrator who looks on as somebody else brings to the device, apart from everything of their own.
 * @param id begins with when it ends at the latest
 */
export function viewDatabaseName(id: string): string {
	return `${VIEW_PREFIX}${id}`;
}

/**
 * Deletes what views have left behind: those that are over, and those that no tab shows.
 * @param inUse whether a tab holds the database of this name; null where the browser cannot say
 */
export async function deleteLeftViews(now: number, inUse: ((name: string) => boolean) | null): Promise<void> {
	for (const name of await Dexie.getDatabaseNames()) {
		if (!name.startsWith(VIEW_PREFIX)) continue;
		const isOver = !(parseInt(name.slice(VIEW_PREFIX.length), 10) > now);
		if (isOver || (inUse && !inUse(name))) await Dexie.delete(name);
	}
}
