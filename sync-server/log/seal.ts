/**
 * The log's two proofs over an entry (docs/protocol.md). The chain ties every entry to all before it, so that history cannot be changed
 * unnoticed. The seal ties an entry to this relay's key, so that a device can hand it back after a restore and be believed.
 * Both are taken over the digest of the bytes, not the bytes: bytes may go after their retention, the chain stays.
 */
import { createHash, createHmac, type KeyObject } from 'node:crypto';
import type { PortalId } from '#crdt-model/ids.ts';
import type { Entry } from '#crdt-model/wire/down.ts';

/** Before the first entry. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

type Sealed = Pick<Entry, 'document' | 'docSeq' | 'author' | 'authoredAt' | 'acceptedAt' | 'command' | 'bytes'>;

/** SHA-256 over the bytes and the command, in hexadecimal: what both proofs are taken over. */
export function contentDigest({ bytes, command }: Pick<Entry, 'bytes' | 'command'>): string {
	return createHash('sha256').update(bytes).update(JSON.stringify(command)).digest('hex');
}

/** HMAC-SHA-256 over what holds wherever the entry is brought back to: no seq, for a restored log counts anew. */
export function sealOf(key: Uint8Array | KeyObject, portal: PortalId, entry: Sealed, digest = contentDigest(entry)): Uint8Array {
	const header = [portal, entry.document, entry.docSeq, entry.author, entry.authoredAt, entry.acceptedAt, digest];
	return new Uint8Array(createHmac('sha256', key).update(JSON.stringify(header)).digest());
}

/** The next link: SHA-256 over the previous one and this entry's header. */
export function chained(
	previous: Uint8Array,
	entry: Sealed & Pick<Entry, 'seq' | 'overruled' | 'swallowed'>,
	rightsVersion: number,
	digest = contentDigest(entry)
): Uint8Array {
	const header = [
		entry.seq, entry.document, entry.docSeq, entry.author, entry.authoredAt, entry.acceptedAt, rightsVersion, entry.command?.id ?? null, entry.overruled, entry.swallowed,
		digest
	];
	return new Uint8Array(createHash('sha256').update(previous).update(JSON.stringify(header)).digest());
}
