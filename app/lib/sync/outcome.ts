/** What one transaction changed, for those who keep something in memory: directory, open pages, the window of submissions. */
import type { DocumentId } from '#crdt-model/ids.ts';
import type { Pending, StoredRow } from '#storage/replica-contract.ts';

export interface Outcome {
	readonly rows: StoredRow[];
	/** Documents that left the device. */
	readonly lost: DocumentId[];
	/** Canonical bytes for pages that may be open. */
	readonly pages: { readonly document: DocumentId; readonly bytes: Uint8Array }[];
	/** Pages whose pending tail was set aside: open documents must be built anew. */
	readonly reset: DocumentId[];
	/** Pending work that is done with. */
	readonly settled: string[];
}
export const outcome = (): Outcome => ({ rows: [], lost: [], pages: [], reset: [], settled: [] });

export function documentsOf(items: readonly Pending[]): DocumentId[] {
	return [...new Set(items.flatMap((item) => item.documents))];
}
