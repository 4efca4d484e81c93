/**
 * A portal as a release left it whose row functions were other ones: rows with fields of that time, readers that are wrong today, notes that name other versions.
 * Made by the store's own contract (S7), so that it is the same on every adapter.
 */
import { KINDS, type DocumentId, type KindName } from '#crdt-model/ids.ts';
import { kindNamed, ROW_VERSIONS } from '#crdt-model/kinds/index.ts';
import { collectionsOf } from '#crdt-model/record/kind.ts';
import { rowOf } from '#crdt-model/record/plan.ts';
import { readFromDoc } from '#crdt-model/record/state.ts';
import type { DocumentHead, PortalStore, RowsMade } from '#storage/contract.ts';
import { audienceIn } from '../gate/head.ts';
import { docOf } from '../room/rooms.ts';

/** Versions of before, of every kind. */
export const OLDER_VERSIONS: Readonly<Record<string, number>> = Object.fromEntries(KINDS.map((kind) => [kind, ROW_VERSIONS[kind] - 1]));

/** Every head of the portal, in order of kind and id. */
export const allHeads = (store: PortalStore): Promise<DocumentHead[]> => store.headsOfKinds(KINDS);

/**
 * Writes all rows as another release might have: without the fields that are not every row's, and with readers that `readers` says.
 * @param rows what the portal says of who made them; of every kind another version, where nothing is said
 * @returns how many documents say something else than before
 */
export async function writeOlderRows(
	store: PortalStore,
	readers: (head: DocumentHead) => Pick<DocumentHead, 'scope' | 'audience'>,
	{ kinds = KINDS, rows = { versions: OLDER_VERSIONS, underWay: null } }: { readonly kinds?: readonly KindName[]; readonly rows?: RowsMade } = {}
): Promise<number> {
	const heads = (await store.headsOfKinds(kinds)).map((head): DocumentHead => {
		const { id, kind, number, createdBy, createdAt, updatedAt, deleted } = head.row;
		return { ...head, row: { id, kind, number, createdBy, createdAt, updatedAt, deleted }, ...readers(head) };
	});
	await store.commit({ entries: [], heads, answers: [], bindings: [], compactions: [], head: { ...(await store.head()), rows } });
	return heads.length;
}

/** What the log alone gives a document: made from its first entry, without the snapshot. */
export async function replayed(store: PortalStore, id: DocumentId): Promise<Pick<DocumentHead, 'row' | 'scope' | 'audience'>> {
	const entries = await store.history(id, 0, Number.MAX_SAFE_INTEGER);
	const [{ kind: name } = { kind: null }] = await store.heads([id]);
	const kind = kindNamed(name!);
	const doc = docOf({ snapshot: null, tail: entries.map(({ bytes }) => bytes) });
	const row = rowOf(kind, id, readFromDoc(doc, collectionsOf(kind)))!;
	doc.destroy();
	return { row, ...audienceIn(kind, row) };
}
