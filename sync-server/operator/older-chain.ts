/**
 * The hash chain as releases before this one spelled it. A portal that they wrote is no longer checked (nothing of them was released), but it must not be taken for one that
 * somebody changed: `verify` asks whether an entry that breaks the chain fits the older spelling.
 * Whoever changes the spelling in log/seal.ts adds what stood there before, here.
 */
import { createHash } from 'node:crypto';
import { contentDigest } from '../log/seal.ts';
import type { ArchivedEntry } from './archive.ts';

/** The header as one JSON list, with the digest behind what was overruled and swallowed. */
export function chainedByOlder(previous: Uint8Array, entry: ArchivedEntry, rightsVersion: number): Uint8Array {
	const { seq, document, docSeq, author, authoredAt, acceptedAt, command, overruled, swallowed, returned } = entry;
	const header = [
		seq, document, docSeq, author, authoredAt, acceptedAt, rightsVersion, command?.id ?? null, overruled, swallowed,
		contentDigest(entry), ...(returned ? [[returned.docSeq, returned.by]] : [])
	];
	return new Uint8Array(createHash('sha256').update(previous).update(JSON.stringify(header)).digest());
}
