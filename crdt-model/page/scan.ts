/**
 * A strict, bounded scanner of Yjs V1 updates for pages and texts (SYNC.md 1.3 and 2).
 *
 * Promises: reads every byte once and builds nothing but one small object per struct; calls no Yjs; accepts nothing that Yjs 13.6
 * would refuse to read; consumes the input exactly, so V2 bytes and trailing bytes are refused; every refusal is a value.
 * Stricter than Yjs: ids and clocks below 2^32, no Skip structs, no sub-documents, no client twice, delete ranges in order, no empty
 * struct, no key that changes a prototype, bounded depth.
 * Leaves to others: whether ids, origins and targets exist, who may write (`sync-server/gate/page/preview.ts`), and what a device or a
 * relay holds (`ranges.ts`).
 */
import { ID_END, Reader, Refused } from './bytes.ts';
import type { ScanCode } from './bytes.ts';

export type ScanLimits = {
	/** Bytes of the whole update. */
	readonly bytes: number;
	/** Structs in the whole update, known ones included. */
	readonly structs: number;
	/** Clients whose structs the update holds, known ones included. */
	readonly clientBlocks: number;
	readonly deleteRanges: number;
	/** Clocks that one struct may span. */
	readonly span: number;
	/** Nesting inside one plain value. */
	readonly anyDepth: number;
	/** UTF-16 units in a root's name, a key or a node's name. */
	readonly nameLength: number;
};

/**
 * For frames that clients send about a page or a text. What is NEW in them has tighter limits, which need the document
 * (`NEW_CONTENT` in preview.ts): a device may answer sync step 1 with everything that it holds, and that must pass as known.
 */
export const PAGE_SCAN_LIMITS: ScanLimits = {
	// The largest frame that the socket takes (SYNC.md 2, zip bomb); a whole 260,000-edit document is 223 kB.
	bytes: 1 << 20,
	// A text of 260,000 edits is 10,000 to 30,000 structs unmerged; a scanned struct is about 150 bytes, so this is 10 MB at worst.
	structs: 65_536,
	// As many ids as a state vector may name: a page of many years, resent whole, names them all.
	clientBlocks: 4_096,
	deleteRanges: 65_536,
	// One struct of a megabyte frame holds at most 2^20 units; GC runs of merged deletions may be longer.
	span: 1 << 22,
	// lib0 recurses per level and overflows near 10,000; Lexical's own values are two or three deep.
	anyDepth: 16,
	nameLength: 256,
};

/** For bytes that the relay itself made and a device applies or compares: the same strictness, room for whole snapshots. */
export const CANONICAL_SCAN_LIMITS: ScanLimits = {
	...PAGE_SCAN_LIMITS,
	bytes: 1 << 26,
	structs: 1 << 22,
	deleteRanges: 1 << 22,
};

export const STATE_VECTOR_LIMITS = {
	// SYNC.md 2: 200,000 entries cost 30 ms each time; 20,000 ids already make every update of a page slow.
	bytes: 64 * 1024,
	entries: 4_096,
} as const;

export type Id = { readonly client: number; readonly clock: number };

export type TypeKind = 'array' | 'map' | 'text' | 'xml-element' | 'xml-fragment' | 'xml-hook' | 'xml-text';
const TYPE_KINDS: readonly TypeKind[] = ['array', 'map', 'text', 'xml-element', 'xml-fragment', 'xml-hook', 'xml-text'];

export type ContentKind = 'gc' | 'deleted' | 'json' | 'binary' | 'string' | 'embed' | 'format' | 'type' | 'any';

export type ScannedStruct = {
	readonly client: number;
	readonly clock: number;
	/** In clocks: UTF-16 units of a string, items of a list, 1 for the rest. */
	readonly length: number;
	readonly kind: ContentKind;
	/** Only when `kind` is 'type'. */
	readonly type: TypeKind | null;
	readonly nodeName: string | null;
	readonly origin: Id | null;
	readonly rightOrigin: Id | null;
	/** Parent and key are on the wire only where there is no origin; otherwise the neighbour's hold. */
	readonly parentRoot: string | null;
	readonly parentId: Id | null;
	readonly parentSub: string | null;
	/** Where the struct, and inside it its content, lies in the update: `bytes[at..end)`. */
	readonly at: number;
	readonly contentAt: number;
	readonly end: number;
};

/** All structs of one client, contiguous from `clock` to `to`. */
export type ClientBlock = { readonly client: number; readonly clock: number; readonly to: number; readonly structs: readonly ScannedStruct[] };
/** In order, not overlapping; `to` is exclusive. */
export type ClientDeletes = { readonly client: number; readonly ranges: readonly { readonly from: number; readonly to: number }[] };

export type ScanResult = {
	readonly kind: 'scanned';
	readonly bytes: Uint8Array;
	readonly blocks: readonly ClientBlock[];
	readonly deletes: ReadonlyMap<number, ClientDeletes>;
	readonly structCount: number;
	readonly deleteCount: number;
};
export type ScanRefusal = { readonly kind: 'refused'; readonly code: ScanCode; readonly detail: string; readonly at: number };
export type StateVectorScan = { readonly kind: 'scanned'; readonly clocks: ReadonlyMap<number, number> };

export function scan(bytes: Uint8Array, limits: ScanLimits): ScanResult | ScanRefusal {
	if (bytes.length > limits.bytes) return { kind: 'refused', code: 'too-large', detail: `${bytes.length} bytes`, at: 0 };
	const reader = new Reader(bytes, limits.anyDepth);
	try {
		const { blocks, structCount } = readBlocks(reader, limits);
		const { deletes, deleteCount } = readDeletes(reader, limits);
		if (reader.at !== reader.end) reader.refuse('malformed', 'bytes after the end');
		return { kind: 'scanned', bytes, blocks, deletes, structCount, deleteCount };
	} catch (thrown) {
		return refusal(thrown);
	}
}

/** A client's state vector (sync step 1). Bounded before anything is built from it. */
export function scanStateVector(bytes: Uint8Array): StateVectorScan | ScanRefusal {
	if (bytes.length > STATE_VECTOR_LIMITS.bytes) return { kind: 'refused', code: 'too-large', detail: `${bytes.length} bytes`, at: 0 };
	const reader = new Reader(bytes, 0);
	try {
		const count = reader.count(2);
		if (count > STATE_VECTOR_LIMITS.entries) reader.refuse('too-large', `${count} ids`);
		const clocks = new Map<number, number>();
		for (let i = 0; i < count; i++) {
			const client = reader.uint();
			if (clocks.has(client)) reader.refuse('malformed', 'an id twice');
			clocks.set(client, reader.uint());
		}
		if (reader.at !== reader.end) reader.refuse('malformed', 'bytes after the end');
		return { kind: 'scanned', clocks };
	} catch (thrown) {
		return refusal(thrown);
	}
}

function refusal(thrown: unknown): ScanRefusal {
	// Anything else is a bug of the scanner, and hiding it would hide a hole.
	if (!(thrown instanceof Refused)) throw thrown;
	return { kind: 'refused', code: thrown.code, detail: thrown.detail, at: thrown.at };
}

function readBlocks(reader: Reader, limits: ScanLimits): { blocks: ClientBlock[]; structCount: number } {
	// A block takes at least five bytes: count, client, clock, and a struct of two.
	const blockCount = reader.count(5);
	if (blockCount > limits.clientBlocks) reader.refuse('too-large', `${blockCount} client blocks`);
	const seen = new Set<number>();
	const blocks: ClientBlock[] = [];
	let structCount = 0;
	for (let b = 0; b < blockCount; b++) {
		const count = reader.count(2);
		if (count === 0) reader.refuse('malformed', 'empty client block');
		structCount += count;
		if (structCount > limits.structs) reader.refuse('too-large', `${structCount} structs`);
		const client = reader.uint();
		// Yjs lets the second block replace the first in silence.
		if (seen.has(client)) reader.refuse('malformed', 'a client twice');
		seen.add(client);
		const from = reader.uint();
		let clock = from;
		const structs: ScannedStruct[] = [];
		for (let i = 0; i < count; i++) {
			const struct = readStruct(reader, limits, client, clock);
			clock += struct.length;
			if (clock >= ID_END) reader.refuse('malformed', 'clock of 2^32 or more');
			structs.push(struct);
		}
		blocks.push({ client, clock: from, to: clock, structs });
	}
	return { blocks, structCount };
}

const HAS_ORIGIN = 0x80;
const HAS_RIGHT_ORIGIN = 0x40;
const HAS_PARENT_SUB = 0x20;
const CONTENT = 0x1f;

function readStruct(reader: Reader, limits: ScanLimits, client: number, clock: number): ScannedStruct {
	const at = reader.at;
	const info = reader.u8();
	let origin: Id | null = null;
	let rightOrigin: Id | null = null;
	let parentRoot: string | null = null;
	let parentId: Id | null = null;
	let parentSub: string | null = null;
	const content = info & CONTENT;
	if (content === 0) {
		// Yjs ignores the upper bits of a GC struct; it never sets them.
		if (info !== 0) reader.refuse('malformed', 'flags on a GC struct');
	} else if (content === 10) {
		// A Skip says "here is a hole": `mergeUpdates` over a missing update writes one. Sending the whole again mends it.
		reader.refuse('gap', 'skip struct');
	} else {
		if (info & HAS_ORIGIN) origin = readId(reader);
		if (info & HAS_RIGHT_ORIGIN) rightOrigin = readId(reader);
		if (!(info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN))) {
			const byRoot = reader.u8();
			if (byRoot === 1) parentRoot = reader.key(limits.nameLength);
			else if (byRoot === 0) parentId = readId(reader);
			else reader.refuse('malformed', 'parent neither root nor id');
			if (info & HAS_PARENT_SUB) parentSub = reader.key(limits.nameLength);
		}
	}
	const contentAt = reader.at;
	let kind: ContentKind;
	let length = 1;
	let type: TypeKind | null = null;
	let nodeName: string | null = null;
	switch (content) {
		case 0:
			kind = 'gc';
			length = reader.uint();
			break;
		case 1:
			kind = 'deleted';
			length = reader.uint();
			break;
		case 2:
			kind = 'json';
			length = reader.count(1);
			for (let i = 0; i < length; i++) reader.json(true);
			break;
		case 3:
			kind = 'binary';
			reader.skip(reader.uint());
			break;
		case 4:
			kind = 'string';
			length = reader.string();
			break;
		case 5:
			kind = 'embed';
			reader.json(false);
			break;
		case 6:
			kind = 'format';
			reader.key(limits.nameLength);
			reader.json(false);
			break;
		case 7:
			kind = 'type';
			type = TYPE_KINDS[reader.uint()] ?? reader.refuse('malformed', 'unknown type');
			if (type === 'xml-element' || type === 'xml-hook') nodeName = reader.key(limits.nameLength);
			break;
		case 8:
			kind = 'any';
			length = reader.count(1);
			for (let i = 0; i < length; i++) reader.any();
			break;
		case 9:
			return reader.refuse('bad-shape', 'sub-document');
		default:
			return reader.refuse('malformed', 'unknown content');
	}
	// An empty struct has no place in the store's binary search: two structs would share a clock.
	if (length === 0) reader.refuse('malformed', 'empty struct');
	if (length > limits.span) reader.refuse('malformed', `struct of ${length} clocks`);
	return { client, clock, length, kind, type, nodeName, origin, rightOrigin, parentRoot, parentId, parentSub, at, contentAt, end: reader.at };
}

function readId(reader: Reader): Id {
	return { client: reader.uint(), clock: reader.uint() };
}

function readDeletes(reader: Reader, limits: ScanLimits): { deletes: Map<number, ClientDeletes>; deleteCount: number } {
	const deletes = new Map<number, ClientDeletes>();
	let deleteCount = 0;
	for (let left = reader.count(2); left > 0; left--) {
		const client = reader.uint();
		if (deletes.has(client)) reader.refuse('malformed', 'a client twice among the deletes');
		const count = reader.count(2);
		deleteCount += count;
		if (deleteCount > limits.deleteRanges) reader.refuse('too-large', `${deleteCount} delete ranges`);
		const ranges: { from: number; to: number }[] = [];
		let last = 0;
		for (let i = 0; i < count; i++) {
			const from = reader.uint();
			const to = from + reader.uint();
			// Everything that Yjs writes is sorted and merged; order is what makes the later steps linear.
			if (from < last || to === from) reader.refuse('malformed', 'delete ranges out of order');
			if (to >= ID_END) reader.refuse('malformed', 'clock of 2^32 or more');
			ranges.push({ from, to });
			last = to;
		}
		deletes.set(client, { client, ranges });
	}
	return { deletes, deleteCount };
}
