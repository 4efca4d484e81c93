/** Records and rows as they are on disk, for REST and for whoever else asks once. Rights are those after the store has answered. */
import { canRead, type Actor } from '#crdt-model/access/decide.ts';
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import { kindNamed, type Row } from '#crdt-model/kinds/index.ts';
import { collectionsOf, type BaseRow } from '#crdt-model/record/kind.ts';
import { readFromDoc, type RecordState } from '#crdt-model/record/state.ts';
import type { DocumentHead, PortalStore } from '#storage/contract.ts';
import { docOf } from './rooms.ts';

export interface RowQuery {
	readonly kind: KindName;
	readonly after?: DocumentId | null;
	readonly limit: number;
}
/** Null when they are no active member. */
type Asking = () => Actor | null;

export async function readRecord(store: PortalStore, asking: Asking, id: DocumentId): Promise<{ row: Row; state: RecordState } | null> {
	const [stored] = await store.load([id]);
	if (!stored || stored.row.deleted || !(await isReadable(store, asking, stored))) return null;
	const doc = docOf(stored);
	const state = readFromDoc(doc, collectionsOf(kindNamed(stored.kind)));
	doc.destroy();
	return { row: stored.row as Row, state };
}

async function isReadable(store: PortalStore, asking: Asking, head: DocumentHead): Promise<boolean> {
	const [scope] = head.scope === head.id ? [] : await store.heads([head.scope]);
	const actor = asking();
	return actor !== null && canRead(actor, [...head.audience, ...(scope?.audience ?? [])]);
}

export async function readRows(store: PortalStore, asking: Asking, isShown: (row: BaseRow) => boolean, query: RowQuery): Promise<{ rows: Row[]; next: DocumentId | null }> {
	const actor = asking();
	if (!actor) return { rows: [], next: null };
	const { items, next } = await store.reached({
		principals: [...actor.principals],
		kinds: [query.kind],
		after: query.after ?? null,
		limit: query.limit
	});
	return { rows: items.filter(({ row }) => !row.deleted && isShown(row)).map(({ row }) => row as Row), next };
}
