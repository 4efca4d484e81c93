/**
 * What the replica read to fill its directory when it opened, kept for the first list that shows the same: a company of ten thousand is read
 * once, not twice, before its screen stands.
 *
 * Promises: a kind that any tab wrote to since it was read is not given, and its list reads it itself; nothing is given twice.
 * Leaves to others: following what is written from then on (live-rows.svelte.ts).
 */
import { Dexie } from 'dexie';
import type { KindName } from '#crdt-model/ids.ts';
import { rowTable, type ReplicaDatabase } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';

export class OpeningRows {
	readonly #kinds = new Map<KindName, StoredRow[]>();
	readonly #written = new Set<string>();
	readonly #name: string;
	readonly #stopListening: () => void;

	/** @param database open already: Dexie calls everything changed while it opens. To be made before the rows are read. */
	constructor({ name }: Pick<ReplicaDatabase, 'name'>) {
		this.#name = name;
		const heard = (parts: Readonly<Record<string, unknown>>): void => {
			for (const part of Object.keys(parts)) this.#written.add(part);
		};
		Dexie.on.storagemutated.subscribe(heard as never);
		this.#stopListening = () => Dexie.on.storagemutated.unsubscribe(heard as never);
	}

	/** @param kinds those that were read, also where there are no rows of them */
	hold(kinds: readonly KindName[], rows: readonly StoredRow[]): void {
		for (const kind of kinds) this.#kinds.set(kind, []);
		for (const row of rows) this.#kinds.get(row.kind as KindName)?.push(row);
	}

	/** All rows of the kind as the database holds them at this moment; null where they have to be read. */
	take(kind: KindName): readonly StoredRow[] | null {
		const rows = this.#kinds.get(kind);
		this.#kinds.delete(kind);
		if (!rows) return null;
		if (this.#kinds.size === 0) this.#stopListening();
		return this.#written.has(`idb://${this.#name}/${rowTable(kind)}/`) ? null : rows;
	}

	end(): void {
		this.#kinds.clear();
		this.#stopListening();
	}
}
