/**
 * The view: canonical state with the person's pending commands run again on it (SPEC V1), and the rows that screens read.
 *
 * Promises: a row says what would be so if all pending work were accepted, and where its latest change is (P9); a row that
 * says nothing new is not written, so that live queries rest.
 */
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { kindOf } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { collectionsOf, type BaseRow } from '#crdt-model/record/kind.ts';
import { EMPTY_STATE, readFromDoc, type RecordState } from '#crdt-model/record/state.ts';
import { viewOf } from '#crdt-model/record/view.ts';
import type { Pending, ReplicaReads, ReplicaTransaction, StoredRow, SyncState } from '#storage/replica-contract.ts';
import type * as Y from 'yjs';
import { docOf, type Shadows } from './shadows.ts';

export interface ViewContext {
	readonly person: PersonId;
	readonly now: () => number;
	readonly shadows: Shadows;
}

export function stateOfDoc(id: DocumentId, doc: Y.Doc): RecordState {
	return readFromDoc(doc, collectionsOf(kindNamed(kindOf(id)!)));
}

export function hasContent(id: DocumentId): boolean {
	return kindNamed(kindOf(id)!).content !== undefined;
}

/** Accepted states of documents; a document that is not held is empty. */
export async function canonicalStates(
	context: ViewContext,
	reads: ReplicaReads,
	ids: readonly DocumentId[]
): Promise<Map<DocumentId, RecordState>> {
	const states = new Map<DocumentId, RecordState>();
	const records = ids.filter((id) => !hasContent(id));
	const canonical = await reads.canonical(records);
	for (const id of records) {
		const held = canonical.get(id);
		states.set(id, held ? stateOfDoc(id, docOf(held)) : EMPTY_STATE);
	}
	for (const id of ids) if (hasContent(id)) states.set(id, stateOfDoc(id, await context.shadows.take(reads, id)));
	return states;
}

/** The commands of pending work on one record that have not arrived yet, oldest first. */
export function commandsOn(id: DocumentId, pending: readonly Pending[]): Command[] {
	return pending.flatMap((item) =>
		item.kind === 'batch' ? item.batch.commands.filter((command) => command.document === id && !item.arrived.includes(command.id)) : []
	);
}

/** A record's state as its author sees it. */
export function viewState(context: ViewContext, id: DocumentId, canonical: RecordState, pending: readonly Pending[]): RecordState {
	const commands = commandsOn(id, pending);
	return commands.length === 0 ? canonical : viewOf(kindNamed(kindOf(id)!), id, canonical, commands, context.person, context.now()).state;
}

export function syncOf(id: DocumentId, pending: readonly Pending[]): SyncState {
	let sync: SyncState = 'accepted';
	for (const item of pending) {
		if (!item.documents.includes(id)) continue;
		if (item.state === 'kept') return 'kept';
		sync = 'sent';
	}
	return sync;
}

/**
 * Makes the rows of these documents anew, as the transaction sees them by now.
 * @param known canonical states that the caller has at hand
 * @returns rows that changed, and ids whose row went
 */
export async function refreshRows(
	context: ViewContext,
	tx: ReplicaTransaction,
	ids: readonly DocumentId[],
	known: ReadonlyMap<DocumentId, RecordState> = new Map()
): Promise<{ rows: StoredRow[]; gone: DocumentId[] }> {
	if (ids.length === 0) return { rows: [], gone: [] };
	const missing = ids.filter((id) => !known.has(id));
	const states = new Map([...known, ...(await canonicalStates(context, tx, missing))]);
	const pending = byDocument(await tx.pendingOn(ids));
	const before = await tx.rows(ids);
	const aside = await tx.asideOn(ids);
	const rows: StoredRow[] = [];
	const gone: DocumentId[] = [];
	for (const id of ids) {
		const own = pending.get(id) ?? [];
		const row: BaseRow | null = viewOf(
			kindNamed(kindOf(id)!), id, states.get(id) ?? EMPTY_STATE, commandsOn(id, own), context.person, context.now()
		).row;
		const old = before.get(id);
		if (!row) {
			if (old) gone.push(id);
			continue;
		}
		const next: StoredRow = { ...row, sync: syncOf(id, own), aside: aside.has(id) };
		if (!old || !sameRow(old, next)) rows.push(next);
	}
	if (rows.length > 0) await tx.putRows(rows);
	if (gone.length > 0) await tx.dropRows(gone);
	return { rows, gone };
}

/** Only what the row says of sync has changed: no state is read. */
export async function remarkRows(tx: ReplicaTransaction, ids: readonly DocumentId[]): Promise<void> {
	if (ids.length === 0) return;
	const pending = byDocument(await tx.pendingOn(ids));
	const aside = await tx.asideOn(ids);
	const rows: StoredRow[] = [];
	for (const row of (await tx.rows(ids)).values()) {
		const sync = syncOf(row.id, pending.get(row.id) ?? []);
		if (row.sync !== sync || row.aside !== aside.has(row.id)) rows.push({ ...row, sync, aside: aside.has(row.id) });
	}
	if (rows.length > 0) await tx.putRows(rows);
}

export function byDocument(pending: readonly Pending[]): Map<DocumentId, Pending[]> {
	const found = new Map<DocumentId, Pending[]>();
	for (const item of pending) {
		for (const id of new Set(item.documents)) {
			const list = found.get(id);
			if (list) list.push(item);
			else found.set(id, [item]);
		}
	}
	return found;
}

/** Both were made by the same function, so their keys come in the same order. */
function sameRow(a: StoredRow, b: StoredRow): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}
