/**
 * All rows of one kind in memory. What the replica read when it opened is not read once more; what this tab writes is put in as it was written, right
 * after its commit and without a reading; what another tab writes is read again by its ids, or whole where Dexie names no ids. For lists that show
 * everything and for the search; a screen that shows one record or one range uses `workspace.live`.
 *
 * Promises: after the first reading, rows follow this tab's own commits at once, and many at a time within a moment, during which nothing is
 * called up to date (P9); a row that did not change stays the same object.
 */
import { Dexie } from 'dexie';
import { untrack } from 'svelte';
import { kindOf, type DocumentId, type KindName } from '#crdt-model/ids.ts';
import type { RowOf } from '#crdt-model/kinds/index.ts';
import type { RowChange } from '#storage/dexie/replica-store.ts';
import { rowTable } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import type { Workspace } from './workspace.svelte.ts';

/** Beyond this many changed rows reading all of them is cheaper than asking for each. */
const MOST_KEYS = 500;

/** Between two readings of everything, in times of what the last one took: another tab's first sync is not to be slowed down by being shown. */
const REREAD_PAUSE = 3;
const REREAD_PAUSE_MS = 150;

/** A commit of many rows is shown together with those that follow it soon: a screen that is drawn anew for each makes the first sync longer. */
const MANY_ROWS = 50;
const SHOW_MANY_MS = 300;

/** How Dexie says which keys changed: a tree of ranges, empty where `from` is missing. */
interface Ranges {
	readonly from?: unknown;
	readonly to?: unknown;
	readonly l?: Ranges | null;
	readonly r?: Ranges | null;
}

export class LiveRows<K extends KindName> {
	readonly kind: K;
	#current: readonly StoredRow<RowOf[K]>[];
	#ready: boolean;
	readonly #workspace: Workspace;
	readonly #rows = new Map<DocumentId, StoredRow<RowOf[K]>>();
	readonly #ends: (() => void)[] = [];
	/** Written by others and not read yet. */
	#changed: Set<DocumentId> | 'all' = 'all';
	/** Written by this tab while a reading is under way, whose answer may be older. */
	readonly #newer = new Set<DocumentId>();
	#reading = false;
	#ended = false;
	#mayReadAllAt = 0;
	#caughtUp: (() => void) | null = null;
	#showing: ReturnType<typeof setTimeout> | null = null;

	constructor(workspace: Workspace, kind: K) {
		this.#workspace = workspace;
		this.kind = kind;
		const part = `idb://${workspace.database.name}/${rowTable(kind)}/`;
		const heard = (parts: Readonly<Record<string, unknown>>): void => {
			if (parts[part] && !workspace.store.isOwn(parts)) this.#note(parts[part] as Ranges);
		};
		Dexie.on.storagemutated.subscribe(heard as never);
		this.#ends.push(
			() => Dexie.on.storagemutated.unsubscribe(heard as never),
			workspace.store.onRows((change) => this.#take(change))
		);
		// Asked for after the subscribing: what is written from here on is heard.
		const here = workspace.rowsAtOpening(kind);
		this.#current = $state.raw(here ?? []);
		this.#ready = $state(here !== null);
		if (here) {
			for (const row of here) this.#rows.set(row.id, row);
			this.#changed = new Set();
		} else void this.#read();
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
		for (const end of this.#ends) end();
		if (this.#showing !== null) clearTimeout(this.#showing);
		this.#caughtUp?.();
	}

	#take(change: RowChange): void {
		let touched = false;
		for (const [id, row] of change) {
			if (kindOf(id) !== this.kind) continue;
			touched = true;
			this.#put(id, row as StoredRow<RowOf[K]> | null);
			if (this.#reading) this.#newer.add(id);
		}
		// Before the first reading what is here is not the list yet.
		if (!touched || !this.#ready) return;
		if (change.size < MANY_ROWS) return this.#show();
		this.#caughtUp ??= this.#workspace.fallBehind();
		this.#showing ??= setTimeout(() => {
			this.#showing = null;
			this.#show();
			if (!this.#reading) this.#upToDate();
		}, SHOW_MANY_MS);
	}

	/**
	 * Shows a row at once as it is expected to become, a few frames before the device has kept it. What is kept takes its place.
	 * @returns to be called when the outcome is known
	 */
	expect(row: StoredRow<RowOf[K]>): () => void {
		const id: DocumentId = row.id;
		if (!this.#ready || !this.#rows.has(id)) return () => {};
		this.#rows.set(id, row);
		this.#show();
		return () => {
			// Refused, or kept without a word of it: the database knows what is so.
			if (this.#ended || this.#rows.get(id) !== row) return;
			if (this.#changed !== 'all') this.#changed.add(id);
			void this.#read();
		};
	}

	#upToDate(): void {
		if (this.#showing !== null) return;
		this.#caughtUp?.();
		this.#caughtUp = null;
	}

	#put(id: DocumentId, row: StoredRow<RowOf[K]> | null | undefined): void {
		if (row) this.#rows.set(id, row);
		else this.#rows.delete(id);
	}

	#show(): void {
		this.#current = [...this.#rows.values()];
	}

	#note(ranges: Ranges): void {
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
		// Nothing may say "up to date" over a list that misses more than a row or two (P9).
		if (this.#changed === 'all' && !this.#ended) this.#caughtUp ??= this.#workspace.fallBehind();
		if (this.#reading || this.#ended) return;
		this.#reading = true;
		try {
			while (this.#changed === 'all' || this.#changed.size > 0) {
				const wait = this.#changed === 'all' ? this.#mayReadAllAt - performance.now() : 0;
				if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
				if (this.#ended) return;
				const changed = this.#changed;
				this.#changed = new Set();
				this.#newer.clear();
				const table = this.#workspace.rows(this.kind);
				if (changed === 'all') {
					const began = performance.now();
					const all = await table.toArray();
					const kept = [...this.#newer].map((id) => [id, this.#rows.get(id)] as const);
					this.#rows.clear();
					for (const row of all) this.#rows.set(row.id, row);
					for (const [id, row] of kept) this.#put(id, row);
					const now = performance.now();
					this.#mayReadAllAt = now + Math.max(REREAD_PAUSE_MS, (now - began) * REREAD_PAUSE);
				} else {
					const ids = [...changed];
					const rows = await table.bulkGet(ids as never[]);
					ids.forEach((id, at) => {
						if (!this.#newer.has(id)) this.#put(id, rows[at]);
					});
				}
				if (this.#ended) return;
				// Which of the two was later is not known here: one more reading of those few tells.
				const unsure: Set<DocumentId> | 'all' = this.#changed;
				if (changed !== 'all' && unsure instanceof Set) for (const id of changed) if (this.#newer.has(id)) unsure.add(id);
				this.#show();
				this.#ready = true;
			}
			this.#upToDate();
		} catch (fault) {
			// The database was closed under the reading (sign-out, a newer version): the last answer stands.
			if (!this.#ended && !this.#workspace.outdated) console.debug('The rows of this device could not be read.', fault);
		} finally {
			this.#newer.clear();
			this.#reading = false;
		}
	}
}

const shared = new WeakMap<Workspace, Map<KindName, LiveRows<KindName>>>();

/** One reading serves every screen of the tab, so that coming back to a list paints at once. */
export function liveRows<K extends KindName>(workspace: Workspace, kind: K): LiveRows<K> {
	let kinds = shared.get(workspace);
	if (!kinds) shared.set(workspace, (kinds = new Map()));
	const known = kinds.get(kind);
	if (known) return known as unknown as LiveRows<K>;
	let made: LiveRows<K> | undefined;
	// In a root of its own: a derivation does not hear of state that it makes itself, and whichever asks first would stand still.
	untrack(() => $effect.root(() => void (made = new LiveRows(workspace, kind))));
	// Outside a browser nothing is derived, and roots are not run.
	made ??= new LiveRows(workspace, kind);
	kinds.set(kind, made as unknown as LiveRows<KindName>);
	return made;
}

/** The portal's one settings record, live; undefined until this device knows it. */
export function settingsOf(workspace: Workspace): StoredRow<RowOf['settings']> | undefined {
	return liveRows(workspace, 'settings').current[0];
}

/** When the workspace is closed. */
export function endLiveRows(workspace: Workspace): void {
	for (const rows of shared.get(workspace)?.values() ?? []) rows.end();
	shared.delete(workspace);
}
