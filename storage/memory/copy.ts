/**
 * Deep copies for the memory store's border (S5). What other adapters keep as JSON passes through JSON here too, so that a value
 * which would not survive a disk does not survive memory either, and the simulation finds it first.
 */
import type { DocumentHead, LogEntry, LogHead } from '../contract.ts';

export const copyJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Never `structuredClone`: of a view it copies the whole buffer behind. Never `slice`: on a Buffer it shares. */
export const copyBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

export function copyLogHead(head: LogHead): LogHead {
	return { epoch: head.epoch, seq: head.seq, chain: copyBytes(head.chain), counters: { ...head.counters }, restores: copyJson(head.restores), rows: copyJson(head.rows) };
}

export function copyHead(head: DocumentHead): DocumentHead {
	const { id, kind, docSeq, seq, firstSeq, scope } = head;
	return { id, kind, docSeq, seq, firstSeq, row: copyJson(head.row), scope, audience: [...head.audience] };
}

export function copyEntry(entry: LogEntry): LogEntry {
	const { seq, document, docSeq, author, authoredAt, acceptedAt, rightsVersion } = entry;
	return {
		seq,
		document,
		docSeq,
		author,
		authoredAt,
		acceptedAt,
		command: copyJson(entry.command),
		overruled: copyJson(entry.overruled),
		swallowed: copyJson(entry.swallowed),
		bytes: copyBytes(entry.bytes),
		mac: copyBytes(entry.mac),
		rightsVersion,
		hash: copyBytes(entry.hash),
		returned: copyJson(entry.returned)
	};
}
