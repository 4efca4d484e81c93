/**
 * All rows of one kind in memory, following the device's database: what a board of thousands of cards is derived from.
 *
 * A live query over the whole table would read 8,800 rows again after every keystroke. Here a commit names the rows that it
 * touched, and only those are read again; a bulk write (the first sync) reads the table anew, a few times a second at most.
 *
 * Promises: one table per workspace and kind, kept for the visit, so that coming back to a screen paints in its first frame;
 * a row's object is replaced exactly when the row changed.
 */
import { Dexie, RangeSet } from 'dexie';
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import type { RowOf } from '#crdt-model/kinds/index.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { rowTable } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';

export type KindRow<K extends KindName> = StoredRow<RowOf[K]>;

/** While rows stream in, the table is read anew no more often than this. */
const RELOAD_PAUSE_MS = 250;
/** More changed rows than this are read as a whole table. */
const MOST_SINGLE_ROWS = 400;

export class LiveTable<K extends KindName> {
	readonly #workspace: Workspace;
	readonly #kind: K;
	readonly #part: string;
	#byId = new Map<string, KindRow<K>>();
	#rows = $state.raw<readonly KindRow<K>[]>([]);
	#ready = $state(false);
	#changed = new Set<string>();
	#all = true;
	#reading = false;
	#readAllAt = -Infinity;

	constructor(workspace: Workspace, kind: K) {
		this.#workspace = workspace;
		this.#kind = kind;
		this.#part = `idb://${workspace.database.name}/${rowTable(kind)}/`;
		Dexie.on('storagemutated', (parts) => this.#mutated(parts as Record<string, unknown>));
		void this.#read();
	}

	/** Undeleted rows, in no order. */
	get rows(): readonly KindRow<K>[] {
		return this.#rows;
	}
	/** False until the device's database has answered once. */
	get ready(): boolean {
		return this.#ready;
	}
	/** Deleted rows are found too. Follows changes when read in markup or `$derived`. */
	get(id: DocumentId<K> | null | undefined): KindRow<K> | undefined {
		void this.#rows;
		return id ? this.#byId.get(id) : undefined;
	}

	#mutated(parts: Record<string, unknown>): void {
		const touched = parts[this.#part];
		if (!touched && !('all' in parts)) return;
		if (!touched) this.#all = true;
		else {
			// Another tab's set arrives as a plain object: it is made a set again.
			for (const { from, to } of iterate(new RangeSet().add(touched as RangeSet))) {
				if (typeof from === 'string' && from === to && this.#changed.size < MOST_SINGLE_ROWS) this.#changed.add(from);
				else this.#all = true;
			}
		}
		void this.#read();
	}

	/** One at a time; what changes while it reads is read next. */
	async #read(): Promise<void> {
		if (this.#reading) return;
		this.#reading = true;
		try {
			while (this.#all || this.#changed.size > 0) {
				if (this.#all) await this.#readAll();
				else await this.#readSome();
			}
		} catch {
			// The database was closed under the read (sign-out, a newer version): the last rows stand.
			this.#all = false;
			this.#changed.clear();
		} finally {
			this.#reading = false;
		}
	}

	async #readAll(): Promise<void> {
		const wait = this.#readAllAt + RELOAD_PAUSE_MS - performance.now();
		if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
		this.#all = false;
		this.#changed.clear();
		const rows = (await this.#workspace.rows(this.#kind).toArray()) as KindRow<K>[];
		this.#readAllAt = performance.now();
		this.#byId = new Map(rows.map((row) => [row.id, row]));
		this.#show();
	}

	async #readSome(): Promise<void> {
		const ids = [...this.#changed];
		this.#changed.clear();
		const rows = (await this.#workspace.rows(this.#kind).bulkGet(ids as DocumentId<K>[])) as (KindRow<K> | undefined)[];
		ids.forEach((id, i) => {
			const row = rows[i];
			if (row) this.#byId.set(id, row);
			else this.#byId.delete(id);
		});
		this.#show();
	}

	#show(): void {
		const standing: KindRow<K>[] = [];
		for (const row of this.#byId.values()) if (!row.deleted) standing.push(row);
		this.#rows = standing;
		this.#ready = true;
	}
}

function* iterate(set: RangeSet): Iterable<{ from: unknown; to: unknown }> {
	if (!('from' in set)) return;
	const walk = set[Symbol.iterator]();
	for (let step = walk.next(); !step.done; step = walk.next()) yield step.value;
}

const tables = new WeakMap<Workspace, Map<KindName, LiveTable<never>>>();

/** The one table of a kind in this workspace. */
export function liveTable<K extends KindName>(workspace: Workspace, kind: K): LiveTable<K> {
	let own = tables.get(workspace);
	if (!own) tables.set(workspace, (own = new Map()));
	let table = own.get(kind) as LiveTable<K> | undefined;
	if (!table) own.set(kind, (table = new LiveTable(workspace, kind)) as unknown as LiveTable<never>);
	return table;
}
