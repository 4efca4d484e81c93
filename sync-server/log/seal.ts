/**
 * The log's two proofs over an entry (docs/protocol.md). The chain ties every entry to all before it, so that history cannot be changed
 * unnoticed. The seal ties an entry to this relay's key, so that a device can hand it back after a restore and be believed.
 * Both are taken over the digest of the bytes, not the bytes: bytes may go after their retention, the chain stays.
 */
import { createHash, createHmac, type KeyObject } from 'node:crypto';
import type { PortalId } from '#crdt-model/ids.ts';
import type { Entry } from '#crdt-model/wire/down.ts';
import type { LogEntry, LogHead, Restore } from '#storage/contract.ts';

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
	entry: Sealed & Pick<Entry, 'seq' | 'overruled' | 'swallowed'> & { readonly returned: LogEntry['returned'] },
	rightsVersion: number,
	digest = contentDigest(entry)
): Uint8Array {
	const header = [
		entry.seq, entry.document, entry.docSeq, entry.author, entry.authoredAt, entry.acceptedAt, rightsVersion, entry.command?.id ?? null, entry.overruled, entry.swallowed,
		digest, ...(entry.returned ? [[entry.returned.docSeq, entry.returned.by]] : [])
	];
	return linked(previous, header);
}

/** A restore is a link of its own between the last entry of the backup and what comes after it. */
export function chainedRestore(previous: Uint8Array, { epoch, seq, at }: Restore): Uint8Array {
	return linked(previous, ['restored', epoch, seq, at]);
}

/**
 * The head with which a restored log begins its new life.
 * @param above the highest epoch that any device may have seen: an epoch must never come twice, because cursors and the relay's
 *   client ids are named by it
 */
export function newEpoch(head: LogHead, { above, at }: { readonly above: number; readonly at: number }): LogHead {
	const restore: Restore = { epoch: Math.max(head.epoch, above) + 1, seq: head.seq, at };
	return { ...head, epoch: restore.epoch, chain: chainedRestore(head.chain, restore), restores: [...head.restores, restore] };
}

function linked(previous: Uint8Array, header: readonly unknown[]): Uint8Array {
	return new Uint8Array(createHash('sha256').update(previous).update(JSON.stringify(header)).digest());
}
