/**
 * Whether a commit continues what a store holds (S3): the one answer for every adapter, given before anything is written.
 * It checks what would leave the log unreadable later; that hashes chain and rows are right is left to sync-server/log.
 */
import type { DocumentId } from '#crdt-model/ids.ts';

/** Where a stored document stands. */
export interface StandingHead {
	readonly docSeq: number;
	readonly seq: number;
}

/** The part of a commit that is looked at, so that an adapter may ask with its own flat form. */
export interface Continuing {
	readonly head: { readonly epoch: number; readonly seq: number };
	readonly entries: readonly { readonly seq: number; readonly document: DocumentId; readonly docSeq: number }[];
	readonly heads: readonly { readonly id: DocumentId; readonly seq: number; readonly docSeq: number }[];
	readonly bindings: readonly { readonly document: DocumentId }[];
	readonly compactions: readonly { readonly document: DocumentId; readonly docSeq: number }[];
}

/**
 * @param standingOf where a stored document stands, null where it is not stored
 * @returns a sentence that says why the commit cannot be taken, or null
 */
export function discontinuity(
	stored: { readonly epoch: number; readonly seq: number },
	standingOf: (document: DocumentId) => StandingHead | null,
	commit: Continuing
): string | null {
	if (commit.head.epoch < stored.epoch) return `epoch ${commit.head.epoch} is before the stored epoch ${stored.epoch}`;
	let seq = stored.seq;
	const last = new Map<DocumentId, { seq: number; docSeq: number }>();
	for (const entry of commit.entries) {
		if (entry.seq !== seq + 1) return `entry ${entry.seq} does not continue the log, which stands at ${seq}`;
		seq = entry.seq;
		const before = last.get(entry.document)?.docSeq ?? standingOf(entry.document)?.docSeq ?? 0;
		if (entry.docSeq !== before + 1) return `entry ${seq} is number ${entry.docSeq} of ${entry.document}, which stands at ${before}`;
		last.set(entry.document, { seq, docSeq: entry.docSeq });
	}
	if (commit.head.seq !== seq) return `the head says ${commit.head.seq}, but the last entry is ${seq}`;

	const heads = new Map(commit.heads.map((head) => [head.id, head]));
	for (const [document, standing] of last) {
		const head = heads.get(document);
		// Without its head an entry would be in the log and in no reader's reach.
		if (!head) return `entry ${standing.seq} touches ${document}, whose head is missing`;
		if (head.seq !== standing.seq || head.docSeq !== standing.docSeq) return `the head of ${document} is not that after entry ${standing.seq}`;
	}
	for (const head of commit.heads) {
		if (last.has(head.id)) continue;
		// Its row is made anew; an entry that no log holds would be one that every device waits for.
		const standing = standingOf(head.id);
		if (standing?.docSeq !== head.docSeq || standing.seq !== head.seq) return `no entry leads to the head of ${head.id}`;
	}
	for (const { document, docSeq } of commit.compactions) {
		const standing = heads.get(document)?.docSeq ?? standingOf(document)?.docSeq ?? null;
		if (standing === null || docSeq > standing) return `a compaction of ${document} reaches ${docSeq}, beyond its last entry`;
	}
	const loose = commit.bindings.find(({ document }) => !heads.has(document) && standingOf(document) === null);
	return loose ? `a binding names ${loose.document}, which is not stored` : null;
}
