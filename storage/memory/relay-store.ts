/**
 * The relay's store in memory, for tests and the seeded simulation. It keeps every promise of the contract; "disk" is what has been
 * applied, and `crash()` loses the rest. What a test may decide: when and whether each commit reaches the disk (`gate`), and when its
 * answer comes back (`acknowledge`), so that a crash may fall before, between and after.
 */
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import type { Commit, PortalStore, RelayStore } from '../contract.ts';
import { copyCommit, PortalState } from './portal-state.ts';

export interface MemoryRelayStoreOptions {
	/** The commit becomes durable when this resolves and fails when it rejects. Commits of one portal ask one after another. */
	readonly gate?: (commit: Commit, portal: PortalId) => Promise<void>;
	/** Between durable and resolved: the caller learns of the commit when this resolves. */
	readonly acknowledge?: (commit: Commit, portal: PortalId) => Promise<void>;
}

/** From a start of the relay to its crash or end. Handles of an earlier life answer nothing. */
class Life {
	/** Why nothing new is taken; what is under way may still finish. */
	#closing: Error | null = null;
	#ended: Error | null = null;
	readonly #waiting = new Set<(reason: Error) => void>();

	close(reason: string): void {
		this.#closing ??= new Error(reason);
	}
	end(reason: string): void {
		this.close(reason);
		this.#ended = new Error(reason);
		for (const reject of this.#waiting) reject(this.#ended);
		this.#waiting.clear();
	}
	expectOpen(): void {
		if (this.#closing) throw this.#closing;
	}
	expectAlive(): void {
		if (this.#ended) throw this.#ended;
	}

	/** What the promise says, or the end of this life. Not `Promise.race` with one long promise, which would remember every commit ever made. */
	async until<T>(promise: Promise<T>): Promise<T> {
		let reject: (reason: Error) => void = () => {};
		const end = new Promise<never>((_, rejectEnd) => this.#waiting.add((reject = rejectEnd)));
		try {
			return await Promise.race([promise, end]);
		} finally {
			this.#waiting.delete(reject);
		}
	}
}

interface Disk {
	readonly state: PortalState;
	/** Settles when the last commit called so far is settled; never rejects. */
	queue: Promise<unknown>;
}

export class MemoryRelayStore implements RelayStore {
	readonly #options: MemoryRelayStoreOptions;
	readonly #disks = new Map<PortalId, Disk>();
	#life = new Life();
	#failures = 0;

	constructor(options: MemoryRelayStoreOptions = {}) {
		this.#options = options;
	}

	async portal(id: PortalId): Promise<PortalStore> {
		this.#life.expectOpen();
		if (!isPortalId(id)) throw new Error(`not a portal id: ${String(id)}`);
		let disk = this.#disks.get(id);
		if (!disk) this.#disks.set(id, (disk = { state: new PortalState(), queue: Promise.resolve() }));
		return this.#handle(id, disk, this.#life);
	}

	async portals(): Promise<PortalId[]> {
		this.#life.expectOpen();
		return [...this.#disks.keys()].sort();
	}

	async close(): Promise<void> {
		const life = this.#life;
		life.close('the store is closed');
		await Promise.all([...this.#disks.values()].map((disk) => disk.queue));
		life.end('the store is closed');
	}

	/**
	 * The relay's process dies: what is not durable is lost, commits under way reject, handles taken so far answer nothing any more. The disk stays:
	 * `portal()` on this same object is the restarted relay. Also reopens after `close()`.
	 */
	crash(): void {
		this.#life.end('the store crashed');
		this.#life = new Life();
		for (const disk of this.#disks.values()) disk.queue = Promise.resolve();
	}

	/** An independent copy of what is on disk now: a backup, or the disk of a machine that takes its place. */
	clone(options: MemoryRelayStoreOptions = this.#options): MemoryRelayStore {
		const copy = new MemoryRelayStore(options);
		for (const [id, disk] of this.#disks) copy.#disks.set(id, { state: disk.state.clone(), queue: Promise.resolve() });
		return copy;
	}

	/** The next `count` commits, of whichever portal, fail as a full disk would make them fail (S6). */
	failNext(count: number): void {
		this.#failures = count;
	}

	async #commit(id: PortalId, disk: Disk, life: Life, commit: Commit): Promise<void> {
		const { gate, acknowledge } = this.#options;
		life.expectAlive();
		if (gate) await life.until(gate(commit, id));
		life.expectAlive();
		if (this.#failures > 0) {
			this.#failures--;
			throw new Error('the commit could not be written');
		}
		disk.state.apply(commit);
		if (acknowledge) await life.until(acknowledge(commit, id));
	}

	#handle(id: PortalId, disk: Disk, life: Life): PortalStore {
		let closed = false;
		const usable = () => {
			life.expectOpen();
			if (closed) throw new Error(`the store of ${id} is closed`);
			return disk.state;
		};
		return {
			head: async () => usable().head(),
			commit: async (commit) => {
				usable();
				const own = copyCommit(commit);
				const done = disk.queue.then(() => this.#commit(id, disk, life, own));
				disk.queue = done.catch(() => {});
				await life.until(done);
			},
			heads: async (ids) => usable().heads(ids),
			load: async (ids) => usable().load(ids),
			headsOfKinds: async (kinds) => usable().headsOfKinds(kinds),
			documentsOf: async (query) => usable().documentsOf(query),
			ofScope: async (scope) => usable().ofScope(scope),
			entriesAfter: async (query) => usable().entriesAfter(query),
			reached: async (query) => usable().reached(query),
			digest: async (query) => usable().digest(query),
			history: async (document, afterDocSeq, limit) => usable().history(document, afterDocSeq, limit),
			notices: async (query) => usable().notices(query),
			answers: async (commands) => usable().answers(commands),
			bindings: async (document) => usable().bindings(document),
			close: async () => {
				closed = true;
				// A crash ends the waiting too.
				await life.until(disk.queue).catch(() => {});
			}
		};
	}
}
