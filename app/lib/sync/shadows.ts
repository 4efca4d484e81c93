/**
 * Shadow documents: Y.Docs of pages and texts that are fed canonical entries and nothing else. They are what a pending edit is
 * measured against, what a tail is compacted from, and where a gap is mended from.
 *
 * Promises: nothing pending ever gets in; a shadow that may be ahead of the store is thrown away (`evict`).
 * Leaves to others: writing what it says (incoming.ts).
 */
import * as Y from 'yjs';
import type { DocumentId } from '#crdt-model/ids.ts';
import type { Canonical, ReplicaReads } from '#storage/replica-contract.ts';

/** Open pages, their neighbours and what arrives in one frame; a big page takes some 20 MB as objects. */
const MAX_SHADOWS = 16;

interface Shadow {
	readonly doc: Y.Doc;
	docSeq: number;
}

export class Shadows {
	/** Least recently used first. */
	readonly #shadows = new Map<DocumentId, Shadow>();

	/** The shadow as the store has it. Another tab may have led meanwhile, so the store's docSeq is asked each time. */
	async take(reads: ReplicaReads, id: DocumentId): Promise<Y.Doc> {
		const known = this.#shadows.get(id);
		const docSeq = (await reads.heads([id])).get(id)?.docSeq ?? 0;
		this.#shadows.delete(id);
		const shadow = known?.docSeq === docSeq ? known : { doc: docOf((await reads.canonical([id])).get(id)), docSeq };
		this.#shadows.set(id, shadow);
		return shadow.doc;
	}

	/** After the caller fed it up to docSeq, in the transaction that stores the same. */
	advance(id: DocumentId, docSeq: number): void {
		const shadow = this.#shadows.get(id);
		if (shadow) shadow.docSeq = docSeq;
	}

	/** A transaction failed, or the document was replaced or lost. */
	evict(ids: Iterable<DocumentId>): void {
		for (const id of ids) {
			this.#shadows.get(id)?.doc.destroy();
			this.#shadows.delete(id);
		}
	}

	/** Between two transactions: inside one, a shadow in use must not be destroyed. */
	trim(): void {
		for (const id of this.#shadows.keys()) {
			if (this.#shadows.size <= MAX_SHADOWS) return;
			this.evict([id]);
		}
	}

	clear(): void {
		this.evict([...this.#shadows.keys()]);
	}
}

/** A new Y.Doc of a canonical state. */
export function docOf(canonical: Canonical | undefined): Y.Doc {
	const doc = new Y.Doc();
	if (!canonical) return doc;
	doc.transact(() => {
		Y.applyUpdate(doc, canonical.bytes, 'sync');
		for (const update of canonical.updates) Y.applyUpdate(doc, update, 'sync');
	}, 'sync');
	return doc;
}
