/** Commands of screens: judged, kept and shown in one transaction; and what a screen is told of it. */
import type { Batch } from '#crdt-model/record/command.ts';
import type { BatchId, CommandId } from '#crdt-model/ids.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { MAX_FRAME_BYTES } from '#crdt-model/wire/limits.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { PendingBatch, ReplicaTransaction, StoredRow } from '#storage/replica-contract.ts';
import type { Up } from '#crdt-model/wire/up.ts';
import { draftBatch, type Draft, type DraftContext } from './drafts.ts';
import { documentsOf } from './outcome.ts';
import { refreshRows } from './view.ts';

export type RunResult =
	/** Kept on this device and shown; the relay judges when it hears of it. */
	| { readonly kind: 'kept'; readonly batch: BatchId; readonly commands: readonly CommandId[] }
	/** Would be refused for sure: nothing was stored. */
	| { readonly kind: 'refused'; readonly refusal: Refusal; readonly draft: number };

export async function runDrafts(
	context: DraftContext,
	tx: ReplicaTransaction,
	drafts: readonly Draft[],
	at: number
): Promise<{ result: RunResult; rows: StoredRow[] }> {
	const drafted = await draftBatch(context, tx, drafts, at);
	if (drafted.kind === 'refused') return { result: drafted, rows: [] };
	const { batch } = drafted;
	if (encodeUp({ type: 'submit', batch: batch as Extract<Up, { type: 'submit' }>['batch'] }).byteLength > MAX_FRAME_BYTES) {
		return { result: { kind: 'refused', refusal: refuse('too-large', 'one batch'), draft: 0 }, rows: [] };
	}
	const pending = pendingBatch(batch, at);
	await tx.addPending([pending]);
	const { rows } = await refreshRows(context, tx, documentsOf([{ ...pending, order: 0 }]));
	return { result: { kind: 'kept', batch: batch.id, commands: batch.commands.map((command) => command.id) }, rows };
}

export function pendingBatch(batch: Batch, at: number): Omit<PendingBatch, 'order'> {
	const documents = [...new Set(batch.commands.map((command) => command.document))];
	return { kind: 'batch', id: batch.id, documents, at, state: 'kept', tried: false, batch, arrived: [] };
}
