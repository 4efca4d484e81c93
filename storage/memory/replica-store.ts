/**
 * A device's store in memory: passes the contract first, and carries the seeded simulation. `crash` is a browser that
 * died: what was not committed is gone, the rest is there for the next start.
 *
 * Promises R1–R7 of replica-contract.ts. Values are shared, not copied: callers treat what they put and get as frozen.
 */
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import { kindOf } from '#crdt-model/ids.ts';
import type { Cursor } from '#crdt-model/wire/up.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import {
	EMPTY_META, EMPTY_UPDATE, ownBytes, ownRaw, NO_CONTACT, wasNeverTaken, type AsideItem, type Contact, type Canonical, type Head, type Meta, type NewPending, type PageSlot, type Pending, type RawEntry, type ReplicaReads,
	type ReplicaStore, type ReplicaTransaction, type StoredRow
} from '../replica-contract.ts';

interface Tables {
	documents: Map<DocumentId, Canonical>;
	rows: Map<DocumentId, StoredRow>;
	pending: Map<number, Pending>;
	aside: Map<string, AsideItem>;
	slots: Map<string, PageSlot>;
	meta: Map<'meta', Meta>;
	tariff: Map<'tariff', Tariff>;
	raw: Map<string, RawEntry>;
	contact: Map<'contact', Contact>;
	counters: Map<'order', number>;
}
type TableName = keyof Tables;
const TABLES: readonly TableName[] = ['documents', 'rows', 'pending', 'aside', 'slots', 'meta', 'tariff', 'raw', 'contact', 'counters'];

function emptyTables(): Tables {
	return { documents: new Map(), rows: new Map(), pending: new Map(), aside: new Map(), slots: new Map(), meta: new Map(), tariff: new Map(), raw: new Map(), contact: new Map(), counters: new Map() };
}

const GONE = Symbol('gone');

export interface MemoryReplicaOptions {
	/** Runs between the end of a work and its commit; a simulation holds commits with it or fails them. */
	readonly beforeCommit?: () => Promise<void>;
}

export class MemoryReplicaStore implements ReplicaStore {
	readonly #tables: Tables;
	readonly #options: MemoryReplicaOptions;
	#last: Promise<unknown> = Promise.resolve();
	#open = true;

	constructor(options: MemoryReplicaOptions = {}, tables: Tables = emptyTables()) {
		this.#options = options;
		this.#tables = tables;
	}

	transact<T>(work: (tx: ReplicaTransaction) => Promise<T>): Promise<T> {
		const run = async (): Promise<T> => {
			this.#mustBeOpen();
			const overlay = new Overlay(this.#tables);
			const result = await work(new MemoryTransaction(overlay));
			await this.#options.beforeCommit?.();
			this.#mustBeOpen();
			overlay.commit();
			return result;
		};
		const done = this.#last.then(run, run);
		this.#last = done.catch(() => {});
		return done;
	}

	read<T>(work: (reads: ReplicaReads) => Promise<T>): Promise<T> {
		const run = async (): Promise<T> => {
			this.#mustBeOpen();
			return work(new MemoryTransaction(new Overlay(this.#tables)));
		};
		const done = this.#last.then(run, run);
		this.#last = done.catch(() => {});
		return done;
	}

	async close(): Promise<void> {
		await this.#last;
		this.#open = false;
	}

	async wipe(): Promise<void> {
		await this.close();
		for (const name of TABLES) this.#tables[name].clear();
	}

	/** The browser dies at this instant. Returns the store as the next start finds it. */
	crash(options: MemoryReplicaOptions = this.#options): MemoryReplicaStore {
		this.#open = false;
		return new MemoryReplicaStore(options, copyTables(this.#tables));
	}

	/** An independent copy of what is committed now: a cloned disk, a restored backup of the device. */
	clone(options: MemoryReplicaOptions = this.#options): MemoryReplicaStore {
		return new MemoryReplicaStore(options, copyTables(this.#tables));
	}

	#mustBeOpen(): void {
		if (!this.#open) throw new Error('the replica store is closed');
	}
}

function copyTables(tables: Tables): Tables {
	return Object.fromEntries(TABLES.map((name) => [name, new Map(tables[name] as Map<unknown, unknown>)])) as unknown as Tables;
}

/** A transaction's own writes over the committed tables. */
class Overlay {
	readonly #base: Tables;
	readonly #changes = new Map<TableName, Map<unknown, unknown>>();

	constructor(base: Tables) {
		this.#base = base;
	}

	get<N extends TableName>(name: N, key: KeyOf<N>): ValueOf<N> | undefined {
		const changed = this.#changes.get(name);
		if (changed?.has(key)) {
			const value = changed.get(key);
			return value === GONE ? undefined : (value as ValueOf<N>);
		}
		return (this.#base[name] as Map<unknown, unknown>).get(key) as ValueOf<N> | undefined;
	}

	set<N extends TableName>(name: N, key: KeyOf<N>, value: ValueOf<N>): void {
		this.#changesOf(name).set(key, value);
	}

	delete<N extends TableName>(name: N, key: KeyOf<N>): void {
		this.#changesOf(name).set(key, GONE);
	}

	*values<N extends TableName>(name: N): IterableIterator<ValueOf<N>> {
		const changed = this.#changes.get(name);
		for (const [key, value] of this.#base[name] as Map<unknown, unknown>) if (!changed?.has(key)) yield value as ValueOf<N>;
		if (changed) for (const value of changed.values()) if (value !== GONE) yield value as ValueOf<N>;
	}

	commit(): void {
		for (const [name, changes] of this.#changes) {
			const table = this.#base[name] as Map<unknown, unknown>;
			for (const [key, value] of changes) {
				if (value === GONE) table.delete(key);
				else table.set(key, value);
			}
		}
	}

	#changesOf(name: TableName): Map<unknown, unknown> {
		let changes = this.#changes.get(name);
		if (!changes) this.#changes.set(name, (changes = new Map()));
		return changes;
	}
}
type KeyOf<N extends TableName> = Tables[N] extends Map<infer K, unknown> ? K : never;
type ValueOf<N extends TableName> = Tables[N] extends Map<never, infer V> ? V : Tables[N] extends Map<infer _K, infer V> ? V : never;

class MemoryTransaction implements ReplicaTransaction {
	readonly #tables: Overlay;

	constructor(tables: Overlay) {
		this.#tables = tables;
	}

	async heads(ids: readonly DocumentId[]): Promise<Map<DocumentId, Head>> {
		const found = await this.canonical(ids);
		return new Map([...found].map(([id, { docSeq, tail }]) => [id, { id, docSeq, tail }]));
	}
	async canonical(ids: readonly DocumentId[]): Promise<Map<DocumentId, Canonical>> {
		return this.#found('documents', ids);
	}
	async inventory(): Promise<(readonly [DocumentId, number])[]> {
		return [...this.#tables.values('documents')].map(({ id, docSeq }) => [id, docSeq] as const).sort(([a], [b]) => (a < b ? -1 : 1));
	}
	async rows(ids: readonly DocumentId[]): Promise<Map<DocumentId, StoredRow>> {
		return this.#found('rows', ids);
	}
	async rowsOf(kind: KindName): Promise<StoredRow[]> {
		return [...this.#tables.values('rows')].filter((row) => kindOf(row.id) === kind);
	}
	async pendingOn(ids: readonly DocumentId[]): Promise<Pending[]> {
		const asked = new Set(ids);
		return this.#pending((item) => item.documents.some((id) => asked.has(id)));
	}
	async pendingAfter(order: number, limit: number): Promise<Pending[]> {
		return this.#pending((item) => item.order > order).slice(0, limit);
	}
	async pendingById(ids: readonly string[]): Promise<Pending[]> {
		return this.#pending((item) => ids.includes(item.id));
	}
	async aside(): Promise<AsideItem[]> {
		return [...this.#tables.values('aside')].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
	}
	async asideById(id: string): Promise<AsideItem | undefined> {
		return this.#tables.get('aside', id);
	}
	async asideOn(ids: readonly DocumentId[]): Promise<Set<DocumentId>> {
		const asked = new Set(ids);
		return new Set([...this.#tables.values('aside')].map((item) => item.document).filter((id) => asked.has(id)));
	}
	async slot(document: DocumentId, slot: string): Promise<PageSlot | undefined> {
		return this.#tables.get('slots', slotKey(document, slot));
	}
	async meta(): Promise<Meta> {
		return this.#tables.get('meta', 'meta') ?? EMPTY_META;
	}
	async contact(): Promise<Contact> {
		return this.#tables.get('contact', 'contact') ?? NO_CONTACT;
	}
	async tariff(): Promise<Tariff | null> {
		return this.#tables.get('tariff', 'tariff') ?? null;
	}
	async rawAfter(after: Cursor | null, limit: number): Promise<RawEntry[]> {
		const { epoch, seq } = after ?? { epoch: 0, seq: 0 };
		return this.#raw().filter((entry) => entry.epoch > epoch || (entry.epoch === epoch && entry.seq > seq)).slice(0, limit);
	}
	async counts(): Promise<{ pending: number; aside: number }> {
		return { pending: [...this.#tables.values('pending')].length, aside: [...this.#tables.values('aside')].length };
	}

	async putCanonical(documents: readonly { id: DocumentId; docSeq: number; bytes: Uint8Array }[]): Promise<void> {
		for (const { id, docSeq, bytes } of documents) this.#tables.set('documents', id, { id, docSeq, tail: 0, bytes: ownBytes(bytes), updates: [] });
	}
	async appendTail(id: DocumentId, docSeq: number, bytes: Uint8Array): Promise<void> {
		const held = this.#tables.get('documents', id);
		const updates = [...(held?.updates ?? []), ownBytes(bytes)];
		this.#tables.set('documents', id, { id, docSeq, tail: updates.length, bytes: held?.bytes ?? EMPTY_UPDATE, updates });
	}
	async dropDocuments(ids: readonly DocumentId[]): Promise<void> {
		for (const id of ids) {
			this.#tables.delete('documents', id);
			this.#tables.delete('rows', id);
			await this.dropSlots(id);
		}
		const gone = new Set(ids);
		for (const entry of [...this.#tables.values('raw')]) if (gone.has(entry.document) && entry.fate?.was !== 'waiting') this.#tables.delete('raw', rawKey(entry));
	}
	async putRows(rows: readonly StoredRow[]): Promise<void> {
		for (const row of rows) this.#tables.set('rows', row.id, row);
	}
	async dropRows(ids: readonly DocumentId[]): Promise<void> {
		for (const id of ids) this.#tables.delete('rows', id);
	}
	async addPending(pending: readonly NewPending[]): Promise<void> {
		let order = this.#tables.get('counters', 'order') ?? 0;
		for (const item of pending) {
			order++;
			this.#tables.set('pending', order, { ...item, order } as Pending);
		}
		this.#tables.set('counters', 'order', order);
	}
	async putPending(pending: readonly Pending[]): Promise<void> {
		for (const item of pending) this.#tables.set('pending', item.order, item);
	}
	async dropPending(orders: readonly number[]): Promise<void> {
		for (const order of orders) this.#tables.delete('pending', order);
	}
	async addAside(items: readonly AsideItem[]): Promise<void> {
		for (const item of items) this.#tables.set('aside', item.id, item);
	}
	async dropAside(ids: readonly string[]): Promise<void> {
		for (const id of ids) this.#tables.delete('aside', id);
	}
	async putSlot(slot: PageSlot): Promise<void> {
		this.#tables.set('slots', slotKey(slot.document, slot.slot), slot);
	}
	async dropSlots(document: DocumentId): Promise<void> {
		const keys = [...this.#tables.values('slots')].filter((slot) => slot.document === document);
		for (const slot of keys) this.#tables.delete('slots', slotKey(slot.document, slot.slot));
	}
	async putRaw(entries: readonly RawEntry[]): Promise<void> {
		for (const entry of entries) this.#tables.set('raw', rawKey(entry), ownRaw(entry));
	}
	async dropRaw(cursors: readonly Cursor[]): Promise<void> {
		for (const cursor of cursors) this.#tables.delete('raw', rawKey(cursor));
	}
	async pruneRaw(before: number): Promise<RawEntry[]> {
		const old = this.#raw().filter(({ keptAt }) => keptAt < before);
		for (const entry of old) this.#tables.delete('raw', rawKey(entry));
		return old.filter(wasNeverTaken);
	}
	async setMeta(meta: Meta): Promise<void> {
		this.#tables.set('meta', 'meta', meta);
	}
	async setContact(contact: Contact): Promise<void> {
		this.#tables.set('contact', 'contact', contact);
	}
	async setTariff(tariff: Tariff): Promise<void> {
		this.#tables.set('tariff', 'tariff', tariff);
	}

	#found<N extends 'documents' | 'rows'>(name: N, ids: readonly DocumentId[]): Map<DocumentId, ValueOf<N>> {
		const found = new Map<DocumentId, ValueOf<N>>();
		for (const id of ids) {
			const value = this.#tables.get(name, id as KeyOf<N>);
			if (value !== undefined) found.set(id, value);
		}
		return found;
	}

	#raw(): RawEntry[] {
		return [...this.#tables.values('raw')].sort((a, b) => a.epoch - b.epoch || a.seq - b.seq);
	}

	#pending(fits: (item: Pending) => boolean): Pending[] {
		return [...this.#tables.values('pending')].filter(fits).sort((a, b) => a.order - b.order);
	}
}

const rawKey = ({ epoch, seq }: Cursor) => `${epoch}:${seq}`;
const slotKey = (document: DocumentId, slot: string) => `${document}|${slot}`;
