/**
 * What a restored log shares with its earlier lives. A log begins in epoch 1; each restore says after which seq another epoch goes on. Relay and
 * device ask the same question: up to where is an entry of that epoch also an entry of this log?
 */
import type { Cursor } from './up.ts';

/** The epoch in which every log begins. */
export const FIRST_EPOCH = 1;

/**
 * The last seq that this log has in common with an epoch: Infinity for the present one, 0 for an epoch that is none of its own (two restores of one
 * backup).
 * @param restores which epoch began after which seq, oldest first
 */
export function sharedUpTo(restores: readonly Cursor[], epoch: number): number {
	const at = epoch === FIRST_EPOCH ? 0 : restores.findIndex((restore) => restore.epoch === epoch) + 1;
	if (at === 0 && epoch !== FIRST_EPOCH) return 0;
	return restores[at]?.seq ?? Infinity;
}
