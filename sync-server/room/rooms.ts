/**
 * The documents of one portal in memory: load, keep, evict (SPEC D1–D4).
 *
 * A room is pinned while somebody works on it; only unpinned rooms whose last change is on disk are evicted. A failed load is an error
 * and never an empty room. A document that is not in the store is a room with `docSeq` 0, on which only a `create` can work.
 */
import * as Y from 'yjs';
import { kindOf, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import { collectionsOf, type BaseRow, type Kind } from '#crdt-model/record/kind.ts';
import { EMPTY_STATE, readFromDoc, type RecordState } from '#crdt-model/record/state.ts';
import { usageOf, type Usage } from '#crdt-model/tariff/usage.ts';
import type { Binding, PortalStore, StoredDocument } from '#storage/contract.ts';

/** Records cost 12–33 KiB each in memory (SYNC 1.2): 5,000 are about 100 MB. */
const MAX_ROOMS = 5_000;
/** Pages cost about 12 times their bytes. */
const MAX_CONTENT_BYTES = 256 * 1024 * 1024;
const MEMORY_PER_SNAPSHOT_BYTE = 12;

/**
 * Ids of the relay in Yjs documents: one per epoch, so that a restored portal never writes a clock that a device has seen filled. At the very top of
 * the range: tests and tools of other people like to call themselves 1 and 2, and one random id in four million is refused.
 */
const RELAY_CLIENTS_FROM = 2 ** 32 - 1_024;
export const isRelayClient = (client: number): boolean => client >= RELAY_CLIENTS_FROM;

export interface Room {
	readonly id: DocumentId;
	readonly kind: Kind;
	readonly doc: Y.Doc;
	/** Whose the client ids in the content are; empty for records, which no client writes. */
	readonly owners: Map<number, PersonId>;
	/** The fields, as `doc` has them. */
	state: RecordState;
	/** Null while nobody has made the record. */
	row: BaseRow | null;
	/** What of it the portal's counters hold. */
	counted: Usage;
	/** Nobody has made it, and something hangs on it already. */
	isAwaited: boolean;
	/** The seq of its first entry; null while nobody has made it. */
	firstSeq: number | null;
	docSeq: number;
	/** The last seq that changed it; not evicted before that is on disk. */
	seq: number;
	tailLength: number;
	tailBytes: number;
	snapshotBytes: number;
	/** What it was counted with towards the ceiling of memory. */
	weight: number;
	pins: number;
	/** Set on eviction: whoever still holds it must not use it. */
	gone: boolean;
}

export class Rooms {
	readonly #store: PortalStore;
	readonly #relayClient: number;
	readonly #durable: () => number;
	readonly #settled: () => Promise<void>;
	/** Dropped while changes of theirs may be on their way to disk: loading waits for those. */
	readonly #dropped = new Map<DocumentId, Promise<void>>();
	/** In order of last use: a Map keeps the order of insertion. */
	readonly #rooms = new Map<DocumentId, Room>();
	readonly #loading = new Map<DocumentId, Promise<Room>>();
	#contentBytes = 0;

	/**
	 * @param log.durable the highest seq that is on disk
	 * @param log.settled resolves when everything that was enqueued until now is
	 */
	constructor(store: PortalStore, epoch: number, log: { durable(): number; settled(): Promise<void> }) {
		if (!isRelayClient(2 ** 32 - epoch)) throw new Error(`epoch ${epoch} is beyond the relay's own client ids`);
		this.#store = store;
		this.#relayClient = 2 ** 32 - epoch;
		this.#durable = log.durable;
		this.#settled = log.settled;
	}

	get size(): number {
		return this.#rooms.size;
	}

	/** The room if it is in memory. */
	peek(id: DocumentId): Room | undefined {
		return this.#rooms.get(id);
	}

	/** Pins what `peek` has just found. */
	pinAtHand(ids: readonly DocumentId[]): Room[] {
		return ids.map((id) => {
			const room = this.#rooms.get(id)!;
			room.pins++;
			return room;
		});
	}

	/** Loads what is missing and pins all; `release` them in the end, whatever happens between. */
	async pin(ids: Iterable<DocumentId>): Promise<Room[]> {
		const pinned: Room[] = [];
		try {
			for (const id of new Set(ids)) {
				const room = this.#rooms.get(id) ?? (await (this.#loading.get(id) ?? this.#load(id)));
				room.pins++;
				pinned.push(room);
			}
			return pinned;
		} catch (fault) {
			this.release(pinned);
			throw fault;
		}
	}

	/** A room for a document whose id was made this moment by the relay itself, so that nothing can be stored under it. */
	pinNew(id: DocumentId): Room {
		const room = this.#rooms.get(id) ?? this.#put(this.#build(id, null, [], false));
		room.pins++;
		return room;
	}

	release(rooms: Iterable<Room>): void {
		for (const room of rooms) {
			room.pins--;
			if (room.gone || this.#rooms.get(room.id) !== room) continue;
			this.#rooms.delete(room.id);
			this.#rooms.set(room.id, room);
		}
		this.#shrink();
	}

	/** Drops a room whose document may be half changed; the next use loads it anew. */
	evict(room: Room): void {
		room.gone = true;
		if (this.#rooms.get(room.id) !== room) return;
		this.#rooms.delete(room.id);
		this.#contentBytes -= room.weight;
		room.doc.destroy();
		const settled = this.#settled();
		const forget = () => void (this.#dropped.get(room.id) === settled && this.#dropped.delete(room.id));
		this.#dropped.set(room.id, settled);
		settled.then(forget, forget);
	}

	evictAll(): void {
		for (const room of [...this.#rooms.values()]) this.evict(room);
		this.#loading.clear();
	}

	/** Counts a room anew whose content has grown. */
	weigh(room: Room): void {
		if (this.#rooms.get(room.id) !== room || !room.kind.content) return;
		const weight = memoryOf(room);
		this.#contentBytes += weight - room.weight;
		room.weight = weight;
	}

	#load(id: DocumentId): Promise<Room> {
		const loading = this.#read(id).then(([stored, bound, isAwaited]) => {
			this.#loading.delete(id);
			return this.#rooms.get(id) ?? this.#put(this.#build(id, stored, bound, isAwaited));
		});
		this.#loading.set(id, loading);
		loading.catch(() => this.#loading.delete(id));
		return loading;
	}

	async #read(id: DocumentId): Promise<[StoredDocument | null, readonly Binding[], isAwaited: boolean]> {
		await this.#dropped.get(id);
		const bindings = kindNamed(kindOf(id)!).content ? this.#store.bindings(id) : [];
		const [[stored], bound] = await Promise.all([this.#store.load([id]), bindings]);
		return [stored ?? null, bound, stored === undefined && (await this.#store.ofScope(id)).length > 0];
	}

	#put(room: Room): Room {
		this.#rooms.set(room.id, room);
		this.weigh(room);
		return room;
	}

	#build(id: DocumentId, stored: StoredDocument | null, bound: readonly Binding[], isAwaited: boolean): Room {
		const kind = kindNamed(kindOf(id)!);
		const doc = stored ? docOf(stored) : new Y.Doc();
		// After loading: Yjs draws another id when it meets its own in what it loads.
		doc.clientID = this.#relayClient;
		return {
			id,
			kind,
			doc,
			owners: new Map(bound.map(({ client, person }) => [client, person])),
			state: stored ? readFromDoc(doc, collectionsOf(kind)) : EMPTY_STATE,
			row: stored?.row ?? null,
			isAwaited,
			counted: usageOf(stored?.row ?? null),
			firstSeq: stored?.firstSeq ?? null,
			docSeq: stored?.docSeq ?? 0,
			seq: stored?.seq ?? 0,
			tailLength: stored?.tail.length ?? 0,
			tailBytes: stored?.tail.reduce((sum, bytes) => sum + bytes.byteLength, 0) ?? 0,
			snapshotBytes: stored?.snapshot?.byteLength ?? 0,
			weight: 0,
			pins: 0,
			gone: false
		};
	}

	#shrink(): void {
		if (this.#rooms.size <= MAX_ROOMS && this.#contentBytes <= MAX_CONTENT_BYTES) return;
		for (const room of this.#rooms.values()) {
			if (this.#rooms.size <= MAX_ROOMS && this.#contentBytes <= MAX_CONTENT_BYTES) return;
			if (room.pins === 0 && room.seq <= this.#durable()) this.evict(room);
		}
	}
}

function memoryOf(room: Room): number {
	return (room.snapshotBytes + room.tailBytes) * MEMORY_PER_SNAPSHOT_BYTE;
}

/** A Y.Doc of a stored document: snapshot, then what came after it. */
export function docOf(stored: Pick<StoredDocument, 'snapshot' | 'tail'>): Y.Doc {
	const doc = new Y.Doc();
	doc.transact(() => {
		if (stored.snapshot) Y.applyUpdate(doc, stored.snapshot);
		for (const update of stored.tail) Y.applyUpdate(doc, update);
	});
	return doc;
}

/** One update that says all of a stored document. Made from a live document, never by merging logs (SYNC 0.6). */
export function wholeOf(stored: Pick<StoredDocument, 'snapshot' | 'tail'>): Uint8Array {
	if (stored.snapshot && stored.tail.length === 0) return stored.snapshot;
	if (!stored.snapshot && stored.tail.length === 1) return stored.tail[0]!;
	const doc = docOf(stored);
	const whole = Y.encodeStateAsUpdate(doc);
	doc.destroy();
	return whole;
}
