/**
 * All rows of one kind in memory, kept up by what changes: one edit among ten thousand rows reads one row again, not ten thousand.
 * For lists that show everything and for the search; a screen that shows one record or one range uses `workspace.live`.
 */
import { Dexie } from 'dexie';
import { untrack } from 'svelte';
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import type { RowOf } from '#crdt-model/kinds/index.ts';
import { rowTable } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import type { Workspace } from './workspace.svelte.ts';

/** Beyond this many changed rows reading all of them is cheaper than asking for each. */
const MOST_KEYS = 500;

/** Between two readings of everything, in times of what the last one took: the first sync is not to spend its time on being shown. */
const REREAD_PAUSE = 3;
const REREAD_PAUSE_MS = 150;

/** How Dexie says which keys changed: a tree of ranges, empty where `from` is missing. */
interface Ranges {
	readonly from?: unknown;
	readonly to?: unknown;
	readonly l?: Ranges | null;
	readonly r?: Ranges | null;
}

export class LiveRows<K extends KindName> {
	readonly kind: K;
	#current = $state.raw<readonly StoredRow<RowOf[K]>[]>([]);
	#ready = $state(false);
	readonly #workspace: Workspace;
	readonly #rows = new Map<DocumentId, StoredRow<RowOf[K]>>();
	readonly #end: () => void;
	#changed: Set<DocumentId> | 'all' = 'all';
	#reading = false;
	#ended = false;
	#mayReadAllAt = 0;

	constructor(workspace: Workspace, kind: K) {
		this.#workspace = workspace;
		this.kind = kind;
		const part = `idb://${workspace.database.name}/${rowTable(kind)}/`;
		const heard = (parts: Readonly<Record<string, unknown>>): void => this.#note(parts[part] as Ranges | undefined);
		Dexie.on.storagemutated.subscribe(heard as never);
		this.#end = () => Dexie.on.storagemutated.unsubscribe(heard as never);
		void this.#read();
	}

	/** In no order; deleted rows are among them. Each change makes a new array. */
	get current(): readonly StoredRow<RowOf[K]>[] {
		return this.#current;
	}
	/** False until the device's database has answered once. */
	get ready(): boolean {
		return this.#ready;
	}

	end(): void {
		this.#ended = true;
		this.#end();
	}

	#note(ranges: Ranges | undefined): void {
		if (!ranges) return;
		const open: Ranges[] = [ranges];
		for (let next = open.pop(); next && this.#changed !== 'all'; next = open.pop()) {
			if ('from' in next) {
				if (next.from !== next.to || this.#changed.size >= MOST_KEYS) this.#changed = 'all';
				else this.#changed.add(next.from as DocumentId);
			}
			if (next.l) open.push(next.l);
			if (next.r) open.push(next.r);
		}
		void this.#read();
	}

	async #read(): Promise<void> {
		if (this.#reading || this.#ended) return;
		this.#reading = true;
		try {
			while (this.#changed === 'all' || this.#changed.size > 0) {
				const wait = this.#changed === 'all' ? this.#mayReadAllAt - performance.now() : 0;
				if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
				const changed = this.#changed;
				this.#changed = new Set();
				const table = this.#workspace.rows(this.kind);
				if (changed === 'all') {
					const began = performance.now();
					const all = await table.toArray();
					this.#rows.clear();
					for (const row of all) this.#rows.set(row.id, row);
					const now = performance.now();
					this.#mayReadAllAt = now + Math.max(REREAD_PAUSE_MS, (now - began) * REREAD_PAUSE);
				} else {
					const ids = [...changed];
					const rows = await table.bulkGet(ids as never[]);
					ids.forEach((id, at) => {
						const row = rows[at];
						if (row) this.#rows.set(id, row);
						else this.#rows.delete(id);
					});
				}
				if (this.#ended) return;
				this.#current = [...this.#rows.values()];
				this.#ready = true;
			}
		} catch (fault) {
			// The database was closed under the reading (sign-out, a newer version): the last answer stands.
			if (!this.#ended && !this.#workspace.outdated) console.debug('The rows of this device could not be read.', fault);
		} finally {
			this.#reading = false;
		}
	}
}

const shared = new WeakMap<Workspace, Map<KindName, LiveRows<KindName>>>();

/** One reading serves every screen of the tab, so that coming back to a list paints at once. */
export function liveRows<K extends KindName>(workspace: Workspace, kind: K): LiveRows<K> {
	let kinds = shared.get(workspace);
	if (!kinds) shared.set(workspace, (kinds = new Map()));
	let rows = kinds.get(kind);
	if (!rows) kinds.set(kind, (rows = untrack(() => new LiveRows(workspace, kind)) as unknown as LiveRows<KindName>));
	return rows as unknown as LiveRows<K>;
}

/** When the workspace is closed. */
export function endLiveRows(workspace: Workspace): void {
	for (const rows of shared.get(workspace)?.values() ?? []) rows.end();
	shared.delete(workspace);
}
