/**
 * The log's two proofs over an entry (docs/protocol.md). The chain ties every entry to all before it, so that history cannot be changed
 * unnoticed. The seal ties an entry to this relay's key, so that a device can hand it back after a restore and be believed.
 * Both are taken over the digest of the bytes, not the bytes: bytes may go after their retention, the chain stays.
 *
 * Both are made on the path of every change, so they share one spelling of the header and hash in one call each: an object of
 * `createHash` or `createHmac` costs three times what it hashes (docs/decisions/0009).
 */
import { createHash, hash } from 'node:crypto';
import type { PortalId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { Entry } from '#crdt-model/wire/down.ts';
import type { LogEntry, LogHead, Restore } from '#storage/contract.ts';

/** Before the first entry. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

type Sealed = Pick<Entry, 'document' | 'docSeq' | 'author' | 'authoredAt' | 'acceptedAt' | 'command' | 'bytes'>;
type Chained = Sealed & Pick<LogEntry, 'seq' | 'overruled' | 'swallowed' | 'returned'>;

/** A command as it is stored, sent back and hashed: spelled once. */
export function commandText(command: Command | null): string {
	return command === null ? 'null' : JSON.stringify(command);
}

/** SHA-256 over the bytes and the command, in hexadecimal: what both proofs are taken over. */
export function contentDigest({ bytes, command }: Pick<Entry, 'bytes' | 'command'>, text = commandText(command)): string {
	if (bytes.byteLength + text.length * MAX_BYTES_PER_UNIT > scratch.byteLength) return createHash('sha256').update(bytes).update(text).digest('hex');
	scratch.set(bytes);
	return hash('sha256', scratch.subarray(0, bytes.byteLength + scratch.write(text, bytes.byteLength)), 'hex');
}

/** What both proofs say of an entry. Ids and digests hold nothing that JSON would escape, so this is its JSON. */
function headerOf({ document, docSeq, author, authoredAt, acceptedAt }: Sealed, digest: string): string {
	return `["${document}",${docSeq},"${author}",${authoredAt},${acceptedAt},"${digest}"]`;
}

/** HMAC-SHA-256 over what holds wherever the entry is brought back to: no seq, for a restored log counts anew. */
export function sealOf(key: Uint8Array | SealKey, portal: PortalId, entry: Sealed, digest = contentDigest(entry)): Uint8Array {
	return (key instanceof SealKey ? key : new SealKey(key)).mac(portal + headerOf(entry, digest));
}

/** The next link: SHA-256 over the previous one and this entry's header. */
export function chained(previous: Uint8Array, entry: Chained, rightsVersion: number, digest = contentDigest(entry)): Uint8Array {
	const { seq, command, overruled, swallowed, returned } = entry;
	const back = returned ? `,[${returned.docSeq},"${returned.by}"]` : '';
	const rest = `[${seq},${rightsVersion},${command === null ? 'null' : `"${command.id}"`},${listText(overruled)},${listText(swallowed)}${back}]`;
	return linked(previous, headerOf(entry, digest) + rest);
}

/** A restore is a link of its own between the last entry of the backup and what comes after it. */
export function chainedRestore(previous: Uint8Array, { epoch, seq, at }: Restore): Uint8Array {
	return linked(previous, JSON.stringify(['restored', epoch, seq, at]));
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

function linked(previous: Uint8Array, text: string): Uint8Array {
	if (text.length * MAX_BYTES_PER_UNIT + HASH_BYTES > scratch.byteLength) return new Uint8Array(createHash('sha256').update(previous).update(text).digest());
	scratch.set(previous);
	return digestOf(scratch.subarray(0, HASH_BYTES + scratch.write(text, HASH_BYTES)));
}

/** HMAC-SHA-256 (RFC 2104) with its two pads made ready once. */
export class SealKey {
	readonly #inner = Buffer.alloc(BLOCK_BYTES + MAX_SEALED_BYTES);
	readonly #outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);

	constructor(key: Uint8Array) {
		const block = Buffer.alloc(BLOCK_BYTES);
		block.set(key.byteLength > BLOCK_BYTES ? createHash('sha256').update(key).digest() : key);
		for (let i = 0; i < BLOCK_BYTES; i++) {
			this.#inner[i] = block[i]! ^ 0x36;
			this.#outer[i] = block[i]! ^ 0x5c;
		}
	}

	mac(text: string): Uint8Array {
		if (text.length * MAX_BYTES_PER_UNIT > MAX_SEALED_BYTES) throw new Error('a header of ids and numbers is never so long');
		const length = this.#inner.write(text, BLOCK_BYTES);
		this.#outer.set(digestOf(this.#inner.subarray(0, BLOCK_BYTES + length)), BLOCK_BYTES);
		return digestOf(this.#outer);
	}
}

const HASH_BYTES = 32;
const BLOCK_BYTES = 64;
/** A header is about 300 bytes. */
const MAX_SEALED_BYTES = 4_096;
/** UTF-8 of one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;
/** Records' commands and keystrokes fit in; what does not is hashed piece by piece. */
const scratch = Buffer.alloc(16 * 1024);

/** By way of a string of bytes: a Buffer of its own costs more than its digest. */
function digestOf(bytes: Uint8Array): Uint8Array {
	const text = hash('sha256', bytes, 'binary');
	const digest = new Uint8Array(HASH_BYTES);
	for (let i = 0; i < HASH_BYTES; i++) digest[i] = text.charCodeAt(i);
	return digest;
}

function listText(list: readonly unknown[]): string {
	return list.length === 0 ? '[]' : JSON.stringify(list);
}
