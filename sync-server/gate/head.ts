/** What the log and the store know of a document after a change, as every gate says it. */
import type { BaseRow, Kind } from '#crdt-model/record/kind.ts';
import type { DocumentHead } from '#storage/contract.ts';
import type { Draft } from '../log/portal-log.ts';
import type { Room } from '../room/rooms.ts';

/** @param row as the change leaves it; the room's `docSeq` has been raised */
export function headOf({ id, kind, docSeq, firstSeq }: Room, row: BaseRow): Draft['head'] {
	return { id, kind: kind.kind, docSeq, firstSeq, row, ...audienceIn(kind, row) };
}

/** Whose audience a record has by its row, and whom it names itself. */
export function audienceIn(kind: Kind, row: BaseRow): Pick<DocumentHead, 'scope' | 'audience'> {
	const audience = kind.audience(row);
	return 'scope' in audience ? { scope: audience.scope, audience: audience.also ?? [] } : { scope: row.id, audience };
}
