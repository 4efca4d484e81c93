/**
 * What becomes of pending work that the relay did not take: set aside, or sent anew from the relay's state. Each function is
 * part of one transaction.
 *
 * Promises: what leaves pending without being accepted is in Set aside when the transaction ends (P3); later pending work on
 * the same record stands on its own; a page's tail goes as a whole, because its parts build on each other.
 */
import type { CommandId, DocumentId, IdMaker } from '#crdt-model/ids.ts';
import type { RecordState } from '#crdt-model/record/state.ts';
import { MAX_UPDATE_BYTES } from '#crdt-model/wire/limits.ts';
import { REFUSALS, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { AsideItem, Pending, PendingBatch, PendingUpdate, ReplicaTransaction } from '#storage/replica-contract.ts';
import * as Y from 'yjs';
import { asideCommands, asideTail, titleOf } from './aside.ts';
import { documentsOf, outcome, type Outcome } from './outcome.ts';
import { freeProposed } from './proposals.ts';
import { docOf } from './shadows.ts';
import { piecesOf } from './update-bytes.ts';
import { byDocument, canonicalStates, refreshRows, viewState, type ViewContext } from './view.ts';

/** A tail that the relay cannot place after so many rebuilds is damaged; its author gets it back as text. */
const MAX_REBASES = 3;

interface AsideHow {
	readonly faulty: CommandId | null;
	/** Records of which nothing may be shown, because they are leaving in this transaction. */
	readonly hidden?: ReadonlySet<DocumentId>;
}

/** Refused for good: out of pending, into Set aside. */
export async function asidePending(
	context: ViewContext,
	tx: ReplicaTransaction,
	items: readonly Pending[],
	reason: Refusal,
	how: AsideHow,
	result: Outcome
): Promise<void> {
	const made: AsideItem[] = [];
	const gone: Pending[] = [...items];
	for (const item of items) {
		if (item.kind !== 'batch' || (await freesProposed(tx, item))) continue;
		made.push(...asideCommands(context, item, reason, how.faulty, await statesWithout(context, tx, item, how)));
	}
	const pages = new Set(items.flatMap((item) => (item.kind === 'update' ? item.documents : [])));
	for (const id of pages) {
		const tail = (await tx.pendingOn([id])).filter((item): item is PendingUpdate => item.kind === 'update');
		gone.push(...tail.filter((item) => !items.includes(item)));
		const title = how.hidden?.has(id) ? null : titleOf(id, (await canonicalStates(context, tx, [id])).get(id)!);
		const item = await asideTail(context, tx, id, tail, reason, title);
		if (item) made.push(item);
		// Ids of a refused tail are dead: what the relay does not hold of them would be a gap for ever.
		await tx.dropSlots(id);
	}
	if (made.length > 0) await tx.addAside(made);
	await tx.dropPending([...new Set(gone.map((item) => item.order))]);
	result.settled.push(...gone.map((item) => item.id));
}

/** A refused proposal of something that lies here already: that is free again, and there is nothing to set aside beside it. */
async function freesProposed(tx: ReplicaTransaction, { batch }: PendingBatch): Promise<boolean> {
	const [only, ...others] = batch.commands;
	return only?.name === 'proposal.create' && others.length === 0 && (await freeProposed(tx, only.document));
}

/** Each record of the batch as its author sees it with everything else that is pending. */
async function statesWithout(context: ViewContext, tx: ReplicaTransaction, batch: PendingBatch, how: AsideHow): Promise<Map<DocumentId, RecordState>> {
	const ids = [...new Set(batch.documents)].filter((id) => !how.hidden?.has(id));
	const canonical = await canonicalStates(context, tx, ids);
	const pending = byDocument((await tx.pendingOn(ids)).filter((item) => item.order !== batch.order));
	return new Map(ids.map((id) => [id, viewState(context, id, canonical.get(id)!, pending.get(id) ?? [])]));
}

export interface Refused {
	readonly outcome: Outcome;
	/** Stays pending; to be sent again after a pause. */
	readonly retry: boolean;
}

/** The relay's answer `refused` for one submission. An answer for what is no longer pending changes nothing. */
export async function settleRefused(
	context: ViewContext & { readonly ids: IdMaker },
	tx: ReplicaTransaction,
	id: string,
	reason: Refusal,
	faulty: CommandId | null
): Promise<Refused> {
	const result = outcome();
	const [item] = await tx.pendingById([id]);
	if (!item) return { outcome: result, retry: false };
	const again = reason.code === 'gap' || reason.code === 'missing-dependency';
	if (again && item.kind === 'update') {
		if (await rebaseTail(context, tx, item.documents[0]!, result)) return { outcome: result, retry: true };
	} else if (REFUSALS[reason.code].fate === 'keep') return { outcome: result, retry: true };

	const documents = item.kind === 'batch' ? item.documents : documentsOf(await tx.pendingOn(item.documents));
	await asidePending(context, tx, [item], reason, { faulty }, result);
	if (item.kind === 'update') result.reset.push(item.documents[0]!);
	result.rows.push(...(await refreshRows(context, tx, documents)).rows);
	return { outcome: result, retry: false };
}

/**
 * Replaces a page's tail by one difference between what the relay is known to hold and what the author sees.
 * @returns false where that was done often enough
 */
async function rebaseTail(context: ViewContext & { readonly ids: IdMaker }, tx: ReplicaTransaction, id: DocumentId, result: Outcome): Promise<boolean> {
	const tail = (await tx.pendingOn([id])).filter((item): item is PendingUpdate => item.kind === 'update');
	const rebased = Math.max(0, ...tail.map((item) => item.rebased)) + 1;
	if (rebased > MAX_REBASES) return false;
	const shadow = await context.shadows.take(tx, id);
	const doc = docOf((await tx.canonical([id])).get(id));
	for (const item of tail) Y.applyUpdate(doc, item.bytes);
	const difference = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(shadow));
	const last = tail.at(-1)!;
	doc.destroy();
	await tx.dropPending(tail.map((item) => item.order));
	await tx.addPending(piecesOf(difference, MAX_UPDATE_BYTES).map((bytes) => newUpdate(last, context.ids, bytes, rebased)));
	result.settled.push(...tail.map((item) => item.id));
	return true;
}

function newUpdate(like: PendingUpdate, ids: IdMaker, bytes: Uint8Array, rebased: number): Omit<PendingUpdate, 'order'> {
	const { order: _order, ...rest } = like;
	return { ...rest, id: updateId(ids), bytes, rebased, state: 'kept', tried: false };
}

/** Names one submission of page bytes. */
export function updateId(ids: IdMaker): string {
	return `update_${ids.uuid()}`;
}

