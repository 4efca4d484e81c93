/**
 * How many client ids a person may make their own (SPEC B7). Each id makes every update of its document dearer for everybody and is kept for ever.
 *
 * The ids of a day are counted in memory: a restart forgives, and behind it stand the ceilings on what the document holds, which is on disk.
 */
import type * as Y from 'yjs';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { IDS_PER_DAY, IDS_PER_DOCUMENT, IDS_PER_DOCUMENT_AND_DAY, IDS_PER_PERSON_AND_DOCUMENT } from './limits.ts';

const DAY_MS = 24 * 3_600_000;

interface Today {
	all: number;
	readonly byDocument: Map<DocumentId, number>;
}

export class Claims {
	readonly #now: () => number;
	#day = -1;
	#people = new Map<PersonId, Today>();

	/** @param now milliseconds since 1970 */
	constructor(now: () => number) {
		this.#now = now;
	}

	/** Whether the person may bind so many new ids in the document today. */
	allow(person: PersonId, document: DocumentId, count: number): boolean {
		const { all, byDocument } = this.#of(person);
		return all + count <= IDS_PER_DAY && (byDocument.get(document) ?? 0) + count <= IDS_PER_DOCUMENT_AND_DAY;
	}

	count(person: PersonId, document: DocumentId): void {
		const today = this.#of(person);
		today.all++;
		today.byDocument.set(document, (today.byDocument.get(document) ?? 0) + 1);
	}

	#of(person: PersonId): Today {
		const day = Math.floor(this.#now() / DAY_MS);
		if (day !== this.#day) {
			this.#day = day;
			this.#people = new Map();
		}
		let today = this.#people.get(person);
		if (!today) this.#people.set(person, (today = { all: 0, byDocument: new Map() }));
		return today;
	}
}

/** Whether the document has room for so many more ids with content, of this person and of anybody. Asked for new ids only, so it may look at all. */
export function hasRoomForIds({ doc, owners }: { readonly doc: Y.Doc; readonly owners: ReadonlyMap<number, PersonId> }, person: PersonId, count: number): boolean {
	const { clients } = doc.store;
	if (clients.size + count > IDS_PER_DOCUMENT) return false;
	let own = 0;
	for (const [client, owner] of owners) if (owner === person && clients.has(client)) own++;
	return own + count <= IDS_PER_PERSON_AND_DOCUMENT;
}
