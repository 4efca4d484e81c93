/**
 * A device's store in IndexedDB, by Dexie. One database per portal and person.
 *
 * Promises R1–R7 of replica-contract.ts. A transaction takes all tables, so that those of other tabs wait for it; screens read rows
 * beside it by live queries on `database`.
 */
import type { Table, Transaction } from 'dexie';
import { kindOf, KINDS, type DocumentId, type KindName } from '#crdt-model/ids.ts';
import {
	EMPTY_META, EMPTY_UPDATE, ownBytes, ownRaw, NO_CONTACT, wasNeverTaken, type AsideItem, type Contact, type Canonical, type Head, type Meta, type NewPending, type PageSlot, type Pending,
	type RawEntry,
	type ReplicaReads, type ReplicaStore, type ReplicaTransaction, type StoredRow
} from '../replica-contract.ts';
import type { Cursor } from '#crdt-model/wire/up.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import { rowTable, tariffOfRow, type Bytes, type MetaRow, type ReplicaDatabase, type Tail } from './schema.ts';

/** From so many ids on, reading their range is cheaper than asking for each. */
const RANGE_FROM = 50;

interface Tables {
	readonly heads: Table<Head, DocumentId>;
	readonly bytes: Table<Bytes, DocumentId>;
	readonly tails: Table<Tail, [DocumentId, number]>;
	readonly pending: Table<Pending, number>;
	readonly aside: Table<AsideItem, string>;
	readonly slots: Table<PageSlot, [DocumentId, string]>;
	readonly raw: Table<RawEntry, [number, number]>;
	readonly meta: Table<MetaRow, string>;
	readonly rows: (kind: KindName) => Table<StoredRow, DocumentId>;
}

/** Rows that one transaction of this tab wrote, as they are now; null where a row went. */
export type RowChange = ReadonlyMap<DocumentId, StoredRow | null>;

export class DexieReplicaStore implements ReplicaStore {
	readonly database: ReplicaDatabase;
	readonly #rowListeners = new Set<(change: RowChange) => void>();
	readonly #own = new WeakSet<object>();

	constructor(database: ReplicaDatabase) {
		this.database = database;
	}

	async transact<T>(work: (tx: ReplicaTransaction) => Promise<T>): Promise<T> {
		const change = new Map<DocumentId, StoredRow | null>();
		const result = await this.database.transaction('rw', this.database.tables, async (transaction) => {
			const answer = await work(new DexieTransaction(transaction, change));
			// The very object that Dexie hands to `storagemutated` when this commits (4.4.7). Were it another one day, rows would be read again: slower, not wrong.
			const { mutatedParts } = transaction.idbtrans as { mutatedParts?: object };
			if (mutatedParts) this.#own.add(mutatedParts);
			return answer;
		});
		if (change.size > 0) for (const listener of this.#rowListeners) listener(change);
		return result;
	}

	/** Called after each commit of this tab that wrote rows, in the order of commits and before `transact` resolves. */
	onRows(listener: (change: RowChange) => void): () => void {
		this.#rowListeners.add(listener);
		return () => this.#rowListeners.delete(listener);
	}

	/** Whether what Dexie says has changed is this tab's own doing, which `onRows` tells with the rows themselves. */
	isOwn(mutatedParts: object): boolean {
		return this.#own.has(mutatedParts);
	}

	read<T>(work: (reads: ReplicaReads) => Promise<T>): Promise<T> {
		return this.database.transaction('r', this.database.tables, (transaction) => work(new DexieTransaction(transaction)));
	}

	async close(): Promise<void> {
		this.database.close();
	}

	async wipe(): Promise<void> {
		await this.database.delete();
	}
}

/**
 * Tables are bound to their transaction. Dexie would otherwise find it by the zone of the running code, and loses that after a few
 * native awaits in a row (4.4.7: "Transaction committed too early").
 */
class DexieTransaction implements ReplicaTransaction {
	readonly #db: Tables;
	readonly #change: Map<DocumentId, StoredRow | null>;

	constructor(transaction: Transaction, change = new Map<DocumentId, StoredRow | null>()) {
		this.#change = change;
		const table = <T, Key>(name: string) => transaction.table(name) as Table<T, Key>;
		this.#db = {
			heads: table('heads'),
			bytes: table('bytes'),
			tails: table('tails'),
			pending: table('pending'),
			aside: table('aside'),
			slots: table('slots'),
			raw: table('raw'),
			meta: table('meta'),
			rows: (kind) => table(rowTable(kind))
		};
	}

	async heads(ids: readonly DocumentId[]): Promise<Map<DocumentId, Head>> {
		// One question for their whole range where few others lie in it: the first sync asks for thousands that are not there.
		if (ids.length >= RANGE_FROM) {
			const wanted = new Set(ids);
			const sorted = [...wanted].sort();
			const most = ids.length * 4;
			const inRange = await this.#db.heads.where('id').between(sorted[0], sorted.at(-1), true, true).limit(most).toArray();
			if (inRange.length < most) return found(inRange.filter((head) => wanted.has(head.id)));
		}
		return found(await this.#db.heads.bulkGet([...ids]));
	}
	async canonical(ids: readonly DocumentId[]): Promise<Map<DocumentId, Canonical>> {
		const heads = await this.heads(ids);
		const held = [...heads.keys()];
		const bytes = found(await this.#db.bytes.bulkGet(held));
		const result = new Map<DocumentId, Canonical>();
		for (const id of held) {
			const head = heads.get(id)!;
			const tail = head.tail === 0 ? [] : await this.#tailOf(id).sortBy('docSeq');
			result.set(id, { ...head, bytes: bytes.get(id)?.bytes ?? EMPTY_UPDATE, updates: tail.map((item) => item.bytes) });
		}
		return result;
	}
	async inventory(): Promise<(readonly [DocumentId, number])[]> {
		return (await this.#db.heads.toArray()).map(({ id, docSeq }) => [id, docSeq] as const);
	}
	async rows(ids: readonly DocumentId[]): Promise<Map<DocumentId, StoredRow>> {
		const result = new Map<DocumentId, StoredRow>();
		for (const [kind, own] of byKind(ids)) for (const [id, row] of found(await this.#db.rows(kind).bulkGet(own))) result.set(id, row);
		return result;
	}
	async rowsOf(kind: KindName): Promise<StoredRow[]> {
		return this.#db.rows(kind).toArray();
	}
	async pendingOn(ids: readonly DocumentId[]): Promise<Pending[]> {
		// Most frames meet no pending work at all: one count spares a search per document.
		if (ids.length === 0 || (await this.#db.pending.count()) === 0) return [];
		return this.#db.pending.where('documents').anyOf([...ids]).distinct().sortBy('order');
	}
	async pendingAfter(order: number, limit: number): Promise<Pending[]> {
		const after = this.#db.pending.where('order').above(order);
		return (Number.isFinite(limit) ? after.limit(limit) : after).sortBy('order');
	}
	async pendingById(ids: readonly string[]): Promise<Pending[]> {
		return this.#db.pending.where('id').anyOf([...ids]).sortBy('order');
	}
	async aside(): Promise<AsideItem[]> {
		return this.#db.aside.orderBy('at').reverse().toArray();
	}
	async asideById(id: string): Promise<AsideItem | undefined> {
		return this.#db.aside.get(id);
	}
	async asideOn(ids: readonly DocumentId[]): Promise<Set<DocumentId>> {
		if (ids.length === 0 || (await this.#db.aside.count()) === 0) return new Set();
		return new Set((await this.#db.aside.where('document').anyOf([...ids]).toArray()).map((item) => item.document));
	}
	async slot(document: DocumentId, slot: string): Promise<PageSlot | undefined> {
		return this.#db.slots.get([document, slot]);
	}
	async meta(): Promise<Meta> {
		const stored = await this.#db.meta.get('meta');
		if (stored?.key !== 'meta') return EMPTY_META;
		const { key: _key, ...meta } = stored;
		return meta;
	}
	async contact(): Promise<Contact> {
		const stored = await this.#db.meta.get('contact');
		return stored?.key === 'contact' ? stored.contact : NO_CONTACT;
	}
	async tariff(): Promise<Tariff | null> {
		return tariffOfRow(await this.#db.meta.get('tariff'));
	}
	async rawAfter(after: Cursor | null, limit: number): Promise<RawEntry[]> {
		return this.#db.raw.where('[epoch+seq]').above(after ? [after.epoch, after.seq] : [0, 0]).limit(limit).toArray();
	}
	async counts(): Promise<{ pending: number; aside: number }> {
		return { pending: await this.#db.pending.count(), aside: await this.#db.aside.count() };
	}

	async putCanonical(documents: readonly { id: DocumentId; docSeq: number; bytes: Uint8Array }[]): Promise<void> {
		const before = await this.heads(documents.map(({ id }) => id));
		for (const { id, tail } of before.values()) if (tail > 0) await this.#tailOf(id).delete();
		await this.#db.heads.bulkPut(documents.map(({ id, docSeq }) => ({ id, docSeq, tail: 0 })));
		await this.#db.bytes.bulkPut(documents.map(({ id, bytes }) => ({ id, bytes: ownBytes(bytes) })));
	}
	async appendTail(id: DocumentId, docSeq: number, bytes: Uint8Array): Promise<void> {
		const tail = ((await this.#db.heads.get(id))?.tail ?? 0) + 1;
		await this.#db.heads.put({ id, docSeq, tail });
		await this.#db.tails.put({ document: id, docSeq, bytes: ownBytes(bytes) });
	}
	async dropDocuments(ids: readonly DocumentId[]): Promise<void> {
		for (const { id, tail } of (await this.heads(ids)).values()) if (tail > 0) await this.#tailOf(id).delete();
		await this.#db.heads.bulkDelete([...ids]);
		await this.#db.bytes.bulkDelete([...ids]);
		await this.#db.slots.where('document').anyOf([...ids]).delete();
		await this.#db.raw.where('document').anyOf([...ids]).and(({ fate }) => fate?.was !== 'waiting').delete();
		await this.dropRows(ids);
	}
	async putRows(rows: readonly StoredRow[]): Promise<void> {
		const kinds = new Map<KindName, StoredRow[]>();
		for (const row of rows) {
			push(kinds, row.kind, row);
			this.#change.set(row.id, row);
		}
		for (const [kind, own] of kinds) await this.#db.rows(kind).bulkPut(own);
	}
	async dropRows(ids: readonly DocumentId[]): Promise<void> {
		for (const id of ids) this.#change.set(id, null);
		for (const [kind, own] of byKind(ids)) await this.#db.rows(kind).bulkDelete(own);
	}
	async addPending(pending: readonly NewPending[]): Promise<void> {
		await this.#db.pending.bulkAdd(pending as readonly Pending[]);
	}
	async putPending(pending: readonly Pending[]): Promise<void> {
		await this.#db.pending.bulkPut([...pending]);
	}
	async dropPending(orders: readonly number[]): Promise<void> {
		await this.#db.pending.bulkDelete([...orders]);
	}
	async addAside(items: readonly AsideItem[]): Promise<void> {
		await this.#db.aside.bulkPut([...items]);
	}
	async dropAside(ids: readonly string[]): Promise<void> {
		await this.#db.aside.bulkDelete([...ids]);
	}
	async putSlot(slot: PageSlot): Promise<void> {
		await this.#db.slots.put(slot);
	}
	async dropSlots(document: DocumentId): Promise<void> {
		await this.#db.slots.where('document').equals(document).delete();
	}
	async putRaw(entries: readonly RawEntry[]): Promise<void> {
		await this.#db.raw.bulkPut(entries.map(ownRaw));
	}
	async dropRaw(cursors: readonly Cursor[]): Promise<void> {
		await this.#db.raw.bulkDelete(cursors.map(({ epoch, seq }): [number, number] => [epoch, seq]));
	}
	async pruneRaw(before: number): Promise<RawEntry[]> {
		const old = () => this.#db.raw.where('keptAt').below(before);
		const lost = await old().filter(wasNeverTaken).toArray();
		await old().delete();
		return lost;
	}
	async setMeta(meta: Meta): Promise<void> {
		await this.#db.meta.put({ ...meta, key: 'meta' });
	}
	async setContact(contact: Contact): Promise<void> {
		await this.#db.meta.put({ contact, key: 'contact' });
	}
	async setTariff(tariff: Tariff): Promise<void> {
		await this.#db.meta.put({ tariff, key: 'tariff' });
	}

	#tailOf(id: DocumentId) {
		return this.#db.tails.where('[document+docSeq]').between([id, 0], [id, Infinity], true, true);
	}
}

function found<T extends { readonly id: DocumentId }>(values: readonly (T | undefined)[]): Map<DocumentId, T> {
	return new Map(values.filter((value) => value !== undefined).map((value) => [value.id, value]));
}

function byKind(ids: readonly DocumentId[]): Map<KindName, DocumentId[]> {
	const kinds = new Map<KindName, DocumentId[]>();
	for (const id of ids) {
		const kind = kindOf(id);
		if (kind !== null && KINDS.includes(kind)) push(kinds, kind, id);
	}
	return kinds;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
	const list = map.get(key);
	if (list) list.push(value);
	else map.set(key, [value]);
}
