/** Ids as a reader of a conversation wants them: people by name, documents by kind and number. */
import { kindOf, type DocumentId } from '#crdt-model/ids.ts';

export const NAMES = ['ann', 'ben', 'cat', 'dan', 'eve', 'fay'] as const;

export function label(id: DocumentId): string {
	const number = parseInt(id.slice(id.lastIndexOf('-') + 1), 16);
	return (kindOf(id) === 'employee' && NAMES[number - 1]) || `${kindOf(id)}:${number}`;
}
