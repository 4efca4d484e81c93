/**
 * What every part of a replica works with: the store, the clock, the ids, the rule book's directory, and the one place where a finished
 * transaction is made known.
 *
 * Promises: a failed transaction leaves no shadow that is ahead of the store; what is kept in memory follows commits only.
 */
import { Directory } from '#crdt-model/access/directory.ts';
import { IdMaker, type DocumentId, type PersonId, type PortalId, type RandomBytes } from '#crdt-model/ids.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { ReplicaReads, ReplicaStore, ReplicaTransaction } from '#storage/replica-contract.ts';
import type { Outcome } from './outcome.ts';
import { Shadows } from './shadows.ts';

export interface Timers {
	set(run: () => void, ms: number): unknown;
	clear(timer: unknown): void;
}

/** What tabs of one person tell each other. Bytes travel as they are (structured clone). */
export type TabSignal =
	/** Something pending was written: the leader sends it. */
	| { readonly kind: 'pending' }
	/** A local edit of an open page, for other tabs that show it. */
	| { readonly kind: 'edit'; readonly document: DocumentId; readonly bytes: Uint8Array }
	/** The leader committed: canonical page bytes, rebuilt pages, and rows that the directory is made of. */
	| {
			readonly kind: 'committed';
			readonly pages: Outcome['pages'];
			readonly reset: readonly DocumentId[];
			readonly lost: readonly DocumentId[];
			readonly structure: readonly DocumentId[];
	  }
	/** A tab has a live connection for a page, or no longer. Repeated while it lasts. */
	| { readonly kind: 'live'; readonly document: DocumentId; readonly tab: string; readonly connected: boolean };

export interface CoreOptions {
	readonly portal: PortalId;
	readonly person: PersonId;
	/** An administrator who looks on as the person: nothing is made here, and the relay must say the same. */
	readonly viewer?: PersonId | null;
	readonly store: ReplicaStore;
	readonly now?: () => number;
	readonly timers?: Timers;
	readonly random?: RandomBytes;
	/** To the other tabs; nothing by default. */
	readonly signal?: (signal: TabSignal) => void;
}

const systemTimers: Timers = {
	set: (run, ms) => setTimeout(run, ms),
	clear: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0])
};

export class Core {
	readonly portal: PortalId;
	readonly person: PersonId;
	readonly viewer: PersonId | null;
	readonly store: ReplicaStore;
	readonly now: () => number;
	readonly timers: Timers;
	readonly ids: IdMaker;
	readonly random: RandomBytes;
	readonly signal: (signal: TabSignal) => void;
	readonly directory = new Directory();
	readonly shadows = new Shadows();
	readonly #listeners = new Set<() => void>();
	/** As of the last commit that this tab knows of. */
	counts = { pending: 0, aside: 0 };
	#counting: Promise<void> | null = null;
	#countAgain = false;
	/** The device refuses to keep anything (full, or the database is gone). */
	storageProblem: string | null = null;
	closed = false;
	/** Rises with every row of a person or department, names included. */
	structure = 0;

	constructor(options: CoreOptions) {
		this.portal = options.portal;
		this.person = options.person;
		this.viewer = options.viewer ?? null;
		this.store = options.store;
		this.now = options.now ?? Date.now;
		this.timers = options.timers ?? systemTimers;
		this.random = options.random ?? ((target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>));
		this.ids = new IdMaker(this.now, this.random);
		this.signal = options.signal ?? (() => {});
	}

	async transact<T>(work: (tx: ReplicaTransaction) => Promise<T>): Promise<T> {
		try {
			const result = await this.store.transact(work);
			this.storageProblem = null;
			this.shadows.trim();
			return result;
		} catch (fault) {
			// The transaction may have fed a shadow before it failed.
			this.shadows.clear();
			throw fault;
		}
	}

	read<T>(work: (reads: ReplicaReads) => Promise<T>): Promise<T> {
		return this.store.read(work);
	}

	/** A number in [0, 1) from the same source as ids, so that a seeded world repeats. */
	fraction(): number {
		const bytes = this.random(new Uint8Array(4));
		return (((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0) / 2 ** 32;
	}

	takeRows(rows: Iterable<BaseRow>, lost: Iterable<DocumentId> = []): void {
		for (const row of rows) {
			if (!Directory.concerns(row)) continue;
			this.directory.take(row);
			this.structure++;
		}
		const { version } = this.directory;
		for (const id of lost) this.directory.drop(id);
		if (this.directory.version !== version) this.structure++;
	}

	onChange(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	changed(): void {
		for (const listener of this.#listeners) listener();
	}

	/** Said at once, because nothing may say "up to date" meanwhile (P9); the count that follows makes the number right. */
	somethingWaits(): void {
		if (this.counts.pending > 0) return;
		this.counts = { ...this.counts, pending: 1 };
		this.changed();
	}

	/** Counts anew; calls that come while one is under way share the next. */
	recount(): Promise<void> {
		if (this.#counting) {
			this.#countAgain = true;
			return this.#counting;
		}
		this.#counting = (async () => {
			do {
				this.#countAgain = false;
				if (this.closed) return;
				this.counts = await this.read((reads) => reads.counts());
				this.changed();
			} while (this.#countAgain);
		})()
			.catch(() => {
				// The store was closed meanwhile: nobody asks for the counts any more.
			})
			.finally(() => {
				this.#counting = null;
				this.changed();
			});
		return this.#counting;
	}
}
