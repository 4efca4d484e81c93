/**
 * What every store of a device promises: it keeps what the relay said, what the person made, and how far the two have met.
 *
 * Promises, proven by replica-suite.ts for each adapter:
 * - R1 `transact` is atomic: after a crash all of its writes are there or none. It is committed once it resolves.
 * - R2 Transactions run one after another, those of other tabs included. A transaction sees its own writes.
 * - R3 A work that throws leaves everything as it was, and the store usable.
 * - R4 Pending work is numbered in order of making, across restarts and tabs; a number is never given twice.
 * - R5 Bytes come back as they went in and hold no more memory than themselves.
 * - R6 What is committed is there for the next start. `wipe` leaves nothing.
 * - R7 Replacing a canonical state drops its tail in the same step; reading one gives both in order.
 * - R8 Entries as they came lie in the order of epoch and seq, leave with their document unless they wait for another device's, and go when they
 *   are pruned.
 * Left to others: what any of it means (app/lib/sync). A work may await nothing but the transaction's own calls.
 */
import type { BatchId, CommandId, DocumentId, KindName, PersonId } from '#crdt-model/ids.ts';
import type { Batch, Command } from '#crdt-model/record/command.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { Json, Path } from '#crdt-model/record/state.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import type { SetDigest } from '#crdt-model/wire/digest.ts';
import type { Refusal } from '#crdt-model/wire/refusal.ts';
import type { Returning } from '#crdt-model/wire/down.ts';
import type { Cursor, Sealed } from '#crdt-model/wire/up.ts';

/** Where the latest own change of a record is: here, on its way, or at the relay (P9). */
export type SyncState = 'kept' | 'sent' | 'accepted';

/** A row as screens read it: the view, with pending work in it. */
export type StoredRow<Row extends BaseRow = BaseRow> = Row & {
	readonly sync: SyncState;
	/** Something of this record lies in Set aside. */
	readonly aside: boolean;
};

/** A document that came from the relay, without its content. */
export interface Head {
	readonly id: DocumentId;
	readonly docSeq: number;
	/** Updates that lie after the compacted bytes. */
	readonly tail: number;
}

/** A document's accepted state: compacted bytes, then updates in order. Never anything pending. */
export interface Canonical extends Head {
	readonly bytes: Uint8Array;
	readonly updates: readonly Uint8Array[];
}

interface PendingBase {
	/** Given by the store: the order of making. */
	readonly order: number;
	/** The batch's id, or the update's: what the relay's answer carries. */
	readonly id: string;
	readonly documents: readonly DocumentId[];
	readonly at: number;
	readonly state: 'kept' | 'sent';
	/** It left this device at least once, so that only the relay knows what became of it. */
	readonly tried: boolean;
}
export interface PendingBatch extends PendingBase {
	readonly kind: 'batch';
	readonly batch: Batch;
	/** Commands of the batch that canonical entries have brought already. */
	readonly arrived: readonly CommandId[];
}
export interface PendingUpdate extends PendingBase {
	readonly kind: 'update';
	readonly bytes: Uint8Array;
	readonly clientId: number;
	readonly slot: string;
	/** The record that the page hangs on: still known when the page has left the device. */
	readonly on?: DocumentId | null;
	/** How often the relay asked for it to be sent anew from its own state. */
	readonly rebased: number;
}
export type Pending = PendingBatch | PendingUpdate;
export type NewPending = Omit<PendingBatch, 'order'> | Omit<PendingUpdate, 'order'>;

export interface FieldValue {
	readonly path: Path;
	readonly value: Json;
}

interface AsideBase {
	readonly id: string;
	/** When it was set aside, by the device's clock in milliseconds. */
	readonly at: number;
	readonly document: DocumentId;
	/** The record's title as its author may still see it; null where that may not be shown. */
	readonly title: string | null;
	/** Put before those who may, by this proposal. */
	readonly proposal?: DocumentId<'proposal'>;
	/** What its author wrote to them. */
	readonly note?: string;
}
interface AsideText {
	readonly text: string;
	/** The record that the page hangs on; whoever reads that may be asked. */
	readonly on?: DocumentId | null;
}
/** What was refused or given way, kept until its author decides (P3). */
export type AsideItem =
	| (AsideBase & {
			readonly kind: 'command';
			readonly reason: Refusal;
			readonly command: Command;
			readonly batch: BatchId;
			/** Null where the author may not read it any more. */
			readonly before: readonly FieldValue[] | null;
			readonly after: readonly FieldValue[];
	  })
	| (AsideBase & {
			readonly kind: 'overruled';
			readonly path: Path;
			readonly mine: Json;
			readonly theirs: Json;
			/** Null where the record may not be read any more; then neither is `theirs` known. */
			readonly by: PersonId | null;
			/** When the standing value was written, by its author's clock. */
			readonly when: number;
	  })
	| (AsideBase & AsideText & { readonly kind: 'page'; readonly reason: Refusal; readonly bytes: readonly Uint8Array[] })
	/** Typed into what another just deleted. */
	| (AsideBase & AsideText & { readonly kind: 'swallowed'; readonly by: PersonId | null });

/** The client id that a tab slot uses in one document. */
export interface PageSlot {
	readonly document: DocumentId;
	readonly slot: string;
	readonly clientId: number;
	/** Where the id stood when its last edit was kept here. */
	readonly clock: number;
	/** It was connected to `/live` and not released: the relay may know more of it than this store. */
	readonly live: boolean;
}

/**
 * An accepted entry as it came, kept so that this device can hand it back should the relay be restored from an older backup. Canonical bytes would
 * not do: they are merged, and prove nothing.
 */
export interface RawEntry extends Cursor {
	readonly document: DocumentId;
	readonly sealed: Sealed;
	/** When it came, by the device's clock in milliseconds. */
	readonly keptAt: number;
	/** What the relay of an epoch made of it; null while none has lost it. */
	readonly fate: { readonly epoch: number; readonly was: Returning } | null;
}

/** When the relay was last reached, by the device's clock in milliseconds; `highest` is the highest time that this device has ever seen. */
export interface Contact {
	readonly at: number;
	readonly highest: number;
}
export const NO_CONTACT: Contact = { at: 0, highest: 0 };

export interface Meta {
	readonly cursor: Cursor | null;
	/** Over the ids of all canonical documents. */
	readonly held: SetDigest;
	/** By which version of its row function each kind's rows were made (SPEC V4); absent in a store of before there were two. */
	readonly rows?: Readonly<Record<string, number>>;
}
export const EMPTY_META: Meta = { cursor: null, held: { count: 0, digest: '0000000000000000' } };

export interface ReplicaReads {
	heads(ids: readonly DocumentId[]): Promise<Map<DocumentId, Head>>;
	canonical(ids: readonly DocumentId[]): Promise<Map<DocumentId, Canonical>>;
	/** Every held document with its docSeq. */
	inventory(): Promise<(readonly [DocumentId, number])[]>;
	rows(ids: readonly DocumentId[]): Promise<Map<DocumentId, StoredRow>>;
	rowsOf(kind: KindName): Promise<StoredRow[]>;
	/** In order of making. */
	pendingOn(ids: readonly DocumentId[]): Promise<Pending[]>;
	pendingAfter(order: number, limit: number): Promise<Pending[]>;
	pendingById(ids: readonly string[]): Promise<Pending[]>;
	/** Newest first. */
	aside(): Promise<AsideItem[]>;
	asideById(id: string): Promise<AsideItem | undefined>;
	/** Which of the documents have something in Set aside. */
	asideOn(ids: readonly DocumentId[]): Promise<Set<DocumentId>>;
	slot(document: DocumentId, slot: string): Promise<PageSlot | undefined>;
	meta(): Promise<Meta>;
	/** What the relay last said of the portal's tariff; null before it ever did. */
	tariff(): Promise<Tariff | null>;
	contact(): Promise<Contact>;
	/** Entries as they came, after a cursor, in the order of epoch and seq. */
	rawAfter(after: Cursor | null, limit: number): Promise<RawEntry[]>;
	counts(): Promise<{ pending: number; aside: number }>;
}

export interface ReplicaTransaction extends ReplicaReads {
	/** Replaces compacted bytes and drops the tail. */
	putCanonical(documents: readonly { id: DocumentId; docSeq: number; bytes: Uint8Array }[]): Promise<void>;
	/** Appends an update to a held or new document and raises its docSeq. */
	appendTail(id: DocumentId, docSeq: number, bytes: Uint8Array): Promise<void>;
	/** Drops canonical state, tail, row, client ids, and entries as they came unless they wait. */
	dropDocuments(ids: readonly DocumentId[]): Promise<void>;
	putRows(rows: readonly StoredRow[]): Promise<void>;
	dropRows(ids: readonly DocumentId[]): Promise<void>;
	addPending(pending: readonly NewPending[]): Promise<void>;
	/** Replaces items under their order. */
	putPending(pending: readonly Pending[]): Promise<void>;
	dropPending(orders: readonly number[]): Promise<void>;
	/** An item of a known id is replaced. */
	addAside(items: readonly AsideItem[]): Promise<void>;
	dropAside(ids: readonly string[]): Promise<void>;
	putSlot(slot: PageSlot): Promise<void>;
	dropSlots(document: DocumentId): Promise<void>;
	/** An entry of a known epoch and seq is replaced. */
	putRaw(entries: readonly RawEntry[]): Promise<void>;
	dropRaw(cursors: readonly Cursor[]): Promise<void>;
	/** Drops what came before a time, and returns of it what was never handed back. */
	pruneRaw(before: number): Promise<RawEntry[]>;
	setMeta(meta: Meta): Promise<void>;
	setTariff(tariff: Tariff): Promise<void>;
	setContact(contact: Contact): Promise<void>;
}

export interface ReplicaStore {
	transact<T>(work: (tx: ReplicaTransaction) => Promise<T>): Promise<T>;
	/** Several reads of one moment. */
	read<T>(work: (reads: ReplicaReads) => Promise<T>): Promise<T>;
	close(): Promise<void>;
	/** Leaves nothing of this person and portal on the device. The store is closed afterwards. */
	wipe(): Promise<void>;
}

/** The Yjs update that says nothing: no structs, no deletions. */
export const EMPTY_UPDATE = new Uint8Array([0, 0]);

/** A decoded frame's arrays are windows on the whole frame; keeping one would keep the frame. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
	return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

export function ownRaw(entry: RawEntry): RawEntry {
	const { sealed } = entry;
	return { ...entry, sealed: { ...sealed, bytes: ownBytes(sealed.bytes), mac: ownBytes(sealed.mac) } };
}
/** Lost at the relay, and no relay has it again: what its own author made of it must not go with it. */
export function wasNeverTaken({ fate }: RawEntry): boolean {
	return fate !== null && fate.was !== 'taken';
}
