/** Which of a document's entries a person must hear of; both stores of the relay look by this. */
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { Notices } from '#crdt-model/wire/down.ts';
import type { LogEntry } from '../contract.ts';

type Told = Pick<LogEntry, 'document' | 'author' | 'overruled' | 'swallowed'>;

export function noticesFor(person: PersonId, entries: Iterable<Told>): Map<DocumentId, Notices> {
	const found = new Map<DocumentId, Notices>();
	for (const { document, author, overruled, swallowed } of entries) {
		const own = overruled.filter(({ gaveWay, stands }) => gaveWay.by === person && stands.by !== person);
		const ranges = author === person ? swallowed : [];
		if (own.length + ranges.length === 0) continue;
		const notices = found.get(document);
		if (!notices) found.set(document, { overruled: [...own], swallowed: [...ranges] });
		else {
			notices.overruled.push(...own);
			notices.swallowed.push(...ranges);
		}
	}
	return found;
}
