/** What the log and the store know of a document after a change, as every gate says it. */
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { Draft } from '../log/portal-log.ts';
import type { Room } from '../room/rooms.ts';

/** @param row as the change leaves it; the room's `docSeq` has been raised */
export function headOf({ id, kind, docSeq, firstSeq }: Room, row: BaseRow): Draft['head'] {
	const audience = kind.audience(row);
	return 'scope' in audience
		? { id, kind: kind.kind, docSeq, firstSeq, row, scope: audience.scope, audience: audience.also ?? [] }
		: { id, kind: kind.kind, docSeq, firstSeq, row, scope: id, audience };
}
