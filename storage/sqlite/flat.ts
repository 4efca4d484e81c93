/**
 * What crosses between the relay's thread and the worker: flat rows with JSON as text, and all byte arrays of a message packed
 * into one buffer that is transferred. Packing copies, so a caller's arrays are never detached (S5) and a view of a big buffer does not take
 * the buffer along, as a structured clone would. Bytes are read in the order in which they were packed.
 */
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import type { Commit, DocumentHead, LogEntry, LogHead, StoredAnswer, Binding } from '../contract.ts';

export interface Packed {
	readonly buffer: ArrayBuffer;
	/** Where each array ends; it begins where the one before ends. */
	readonly ends: readonly number[];
}

export class Packer {
	readonly #parts: Uint8Array[] = [];
	#length = 0;

	add(bytes: Uint8Array): void {
		this.#parts.push(bytes);
		this.#length += bytes.byteLength;
	}

	packed(): Packed {
		const all = new Uint8Array(this.#length);
		const ends: number[] = [];
		let at = 0;
		for (const part of this.#parts) {
			all.set(part, at);
			at += part.byteLength;
			ends.push(at);
		}
		return { buffer: all.buffer, ends };
	}
}

export class Unpacker {
	readonly #packed: Packed;
	#index = 0;

	constructor(packed: Packed) {
		this.#packed = packed;
	}

	/** The next array as a view, good for reading at once. */
	view(): Uint8Array<ArrayBuffer> {
		const { buffer, ends } = this.#packed;
		const from = this.#index === 0 ? 0 : ends[this.#index - 1]!;
		const to = ends[this.#index++];
		if (to === undefined) throw new Error('fewer bytes than rows came over from the other thread');
		return new Uint8Array(buffer, from, to - from);
	}

	/** The next array as the receiver's own: it holds nothing but itself in memory, and may be transferred on. */
	own(): Uint8Array<ArrayBuffer> {
		return this.view().slice();
	}
}

type Flat<T, Texts extends keyof T, Bytes extends keyof T = never> = Omit<T, Texts | Bytes> & { readonly [Key in Texts]: string };

/** `bytes`, `mac` and `hash` follow in the packed buffer. */
export type FlatEntry = Flat<LogEntry, 'command' | 'overruled' | 'swallowed' | 'returned', 'bytes' | 'mac' | 'hash'>;
export type FlatHead = Flat<DocumentHead, 'row' | 'audience'> & { readonly id: DocumentId; readonly kind: KindName };
/** `chain` follows in the packed buffer. */
export type FlatLogHead = Flat<LogHead, 'counters' | 'restores' | 'rows', 'chain'>;

export interface FlatCommit {
	readonly entries: readonly FlatEntry[];
	readonly heads: readonly FlatHead[];
	readonly answers: readonly StoredAnswer[];
	readonly bindings: readonly Binding[];
	/** Their snapshots follow in the packed buffer after the entries' bytes and before the chain. */
	readonly compactions: readonly { readonly document: DocumentId; readonly docSeq: number }[];
	readonly head: FlatLogHead;
}

export function flattenCommit(commit: Commit, packer: Packer): FlatCommit {
	return {
		entries: commit.entries.map((entry) => {
			const { seq, document, docSeq, author, authoredAt, acceptedAt, rightsVersion, command, overruled, swallowed } = entry;
			packer.add(entry.bytes);
			packer.add(entry.mac);
			packer.add(entry.hash);
			const texts = { command: entry.commandText ?? JSON.stringify(command), overruled: JSON.stringify(overruled), swallowed: JSON.stringify(swallowed), returned: JSON.stringify(entry.returned) };
			return { seq, document, docSeq, author, authoredAt, acceptedAt, rightsVersion, ...texts };
		}),
		heads: commit.heads.map(({ id, kind, docSeq, seq, firstSeq, scope, row, audience }) => {
			return { id, kind, docSeq, seq, firstSeq, scope, row: JSON.stringify(row), audience: JSON.stringify(audience) };
		}),
		answers: commit.answers.map(({ command, author, result }) => ({ command, author, result })),
		bindings: commit.bindings.map(({ document, client, person }) => ({ document, client, person })),
		compactions: commit.compactions.map(({ document, docSeq, snapshot }) => {
			packer.add(snapshot);
			return { document, docSeq };
		}),
		head: flattenLogHead(commit.head, packer)
	};
}

function flattenLogHead({ epoch, seq, counters, restores, rows, chain }: LogHead, packer: Packer): FlatLogHead {
	packer.add(chain);
	return { epoch, seq, counters: JSON.stringify(counters), restores: JSON.stringify(restores), rows: JSON.stringify(rows) };
}

export function unflattenLogHead(flat: FlatLogHead, bytes: Unpacker): LogHead {
	const { epoch, seq, counters, restores, rows } = flat;
	return {
		epoch,
		seq,
		chain: bytes.own(),
		counters: JSON.parse(counters) as LogHead['counters'],
		restores: JSON.parse(restores) as LogHead['restores'],
		rows: JSON.parse(rows) as LogHead['rows']
	};
}

export function unflattenEntry(flat: FlatEntry, bytes: Unpacker): LogEntry {
	const { command, overruled, swallowed, returned, ...rest } = flat;
	return {
		...rest,
		command: JSON.parse(command) as LogEntry['command'],
		overruled: JSON.parse(overruled) as LogEntry['overruled'],
		swallowed: JSON.parse(swallowed) as LogEntry['swallowed'],
		returned: JSON.parse(returned) as LogEntry['returned'],
		bytes: bytes.own(),
		mac: bytes.own(),
		hash: bytes.own()
	};
}

export function unflattenHead(flat: FlatHead): DocumentHead {
	const { row, audience, ...rest } = flat;
	return { ...rest, row: JSON.parse(row) as DocumentHead['row'], audience: JSON.parse(audience) as DocumentHead['audience'] };
}
