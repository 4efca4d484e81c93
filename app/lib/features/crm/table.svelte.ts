/** The rows of one kind for a screen: those that stand, and any by its id. One per component; the reading is shared (sync/live-rows). */
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import type { RowOf } from '#crdt-model/kinds/index.ts';
import { liveRows, type LiveRows } from '#lib/sync/live-rows.svelte.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import type { StoredRow } from '#storage/replica-contract.ts';

export type KindRow<K extends KindName> = StoredRow<RowOf[K]>;

export class RowTable<K extends KindName> {
	readonly #source: LiveRows<K>;
	readonly #standing = $derived.by((): readonly KindRow<K>[] => this.#source.current.filter((row) => !row.deleted));
	readonly #byId = $derived.by(() => new Map<string, KindRow<K>>(this.#source.current.map((row) => [row.id, row])));

	constructor(workspace: Workspace, kind: K) {
		this.#source = liveRows(workspace, kind);
	}

	/** Undeleted rows, in no order. */
	get rows(): readonly KindRow<K>[] {
		return this.#standing;
	}
	/** False until the device's database has answered once. */
	get ready(): boolean {
		return this.#source.ready;
	}
	/** Deleted rows are found too. */
	get(id: DocumentId<K> | null | undefined): KindRow<K> | undefined {
		return id ? this.#byId.get(id) : undefined;
	}
}
