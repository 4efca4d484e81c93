/**
 * Work on Yjs updates that the device itself made: cutting a large one into pieces that the wire takes, and reading the text in it.
 *
 * Promises: pieces applied in order say what the whole said; every piece is contiguous, and its deletions cover the deleted
 * content in it (the gate insists). Works on V1 updates only.
 */
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import type { Range } from '#crdt-model/page/ranges.ts';
import { NODE_TYPE_KEY } from '#crdt-model/page/nodes.ts';
import { PAGE_SCAN_LIMITS, scan } from '#crdt-model/page/scan.ts';

type Struct = ReturnType<typeof Y.decodeUpdate>['structs'][number];
type Deletes = ReturnType<typeof Y.decodeUpdate>['ds'];

/** A string is cut into parts of this many UTF-16 units; at three bytes each it stays far below a piece. */
const MAX_STRING_UNITS = 16_384;
/** Id, origins and lengths of one struct, beside its content. */
const STRUCT_OVERHEAD = 64;

/** Pieces no larger than `maxBytes`, as long as no single struct is larger. Usually the update itself. */
export function piecesOf(update: Uint8Array, maxBytes: number): Uint8Array[] {
	if (update.byteLength <= maxBytes) return [update];
	const { structs, ds } = Y.decodeUpdate(update);
	const pieces: Uint8Array[] = [];
	let open: Struct[] = [];
	let size = 0;
	// Half the room is left to the deletions that go with the structs.
	const budget = maxBytes / 2;
	for (const struct of structs.flatMap(cutLong)) {
		const bytes = sizeOf(struct);
		if (size + bytes > budget && open.length > 0) {
			pieces.push(encode(open, deletesWithin(ds, open)));
			open = [];
			size = 0;
		}
		open.push(struct);
		size += bytes;
	}
	if (open.length > 0) pieces.push(encode(open, deletesWithin(ds, open)));
	for (const part of deletePieces(ds, budget)) pieces.push(encode([], part));
	return pieces;
}

/**
 * Joins two updates of one client when nothing lies between them; null where something does, because a hole would be written as a
 * Skip that no relay takes.
 */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array | null {
	const merged = Y.mergeUpdates([first, second]);
	return scan(merged, PAGE_SCAN_LIMITS).kind === 'scanned' ? merged : null;
}

/** Which clocks an update's own content covers. */
export function rangesOf(update: Uint8Array): Range[] {
	return Y.decodeUpdate(update).structs.map((struct) => ({ client: struct.id.client, from: struct.id.clock, to: struct.id.clock + struct.length }));
}

/** The text inside updates, as it was typed; only what lies in the given ranges where they are given. */
export function typedText(updates: readonly Uint8Array[], within?: readonly Range[]): string {
	let text = '';
	const seen = new Map<number, number>();
	for (const update of updates) {
		for (const struct of Y.decodeUpdate(update).structs) {
			const { client, clock } = struct.id;
			const from = Math.max(clock, seen.get(client) ?? 0);
			const to = clock + struct.length;
			if (from >= to) continue;
			seen.set(client, to);
			if (!(struct instanceof Y.Item)) continue;
			if (struct.content instanceof Y.ContentType && text !== '' && !text.endsWith('\n')) text += '\n';
			if (!(struct.content instanceof Y.ContentString)) continue;
			const { str } = struct.content;
			if (!within) text += str.slice(from - clock);
			else {
				for (const range of within) {
					const start = Math.max(from, range.from);
					const end = Math.min(to, range.to);
					if (range.client === client && start < end) text += str.slice(start - clock, end - clock);
				}
			}
		}
	}
	return text.trim();
}

/** The living text of these ranges in the order of the document: what a person would copy out. */
export function textInOrder(doc: Y.Doc, rootName: string, shape: 'rich' | 'plain', ranges: readonly Range[]): string {
	const root = (shape === 'rich' ? doc.get(rootName, Y.XmlText) : doc.getText(rootName)) as unknown as Y.AbstractType<unknown>;
	let text = '';
	const walk = (type: Y.AbstractType<unknown>): void => {
		for (let item = type._start; item; item = item.right) {
			if (item.deleted) continue;
			if (item.content instanceof Y.ContentString) text += clipped(item, item.content.str, ranges);
			else if (item.content instanceof Y.ContentType) {
				const inner = item.content.type as Y.AbstractType<unknown>;
				walk(inner);
				// A map holds the look of the words after it; only a line break's ends a line.
				if (text !== '' && !text.endsWith('\n') && (!(inner instanceof Y.Map) || isLineBreak(inner))) text += '\n';
			}
		}
	};
	walk(root);
	return text.trim();
}

/** Whether a node of a rich page ends a line inside its paragraph. Also asked of deleted nodes, whose entries Yjs no longer gives out. */
export function isLineBreak(node: Y.Map<unknown>): boolean {
	return node._map.get(NODE_TYPE_KEY)?.content.getContent()[0] === 'linebreak';
}

function clipped(item: Y.Item, str: string, ranges: readonly Range[]): string {
	let text = '';
	for (const { client, from, to } of ranges) {
		if (client !== item.id.client) continue;
		const start = Math.max(from, item.id.clock) - item.id.clock;
		const end = Math.min(to, item.id.clock + item.length) - item.id.clock;
		if (start < end) text += str.slice(start, end);
	}
	return text;
}

/** Cuts one long string struct; everything else is taken whole. */
function cutLong(struct: Struct): Struct[] {
	if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentString) || struct.length <= MAX_STRING_UNITS) return [struct];
	const { str } = struct.content;
	const { client, clock } = struct.id;
	const parts: Struct[] = [];
	for (let from = 0; from < str.length; ) {
		let to = Math.min(from + MAX_STRING_UNITS, str.length);
		// Half a character would be written as a replacement mark.
		if (to < str.length && isHighSurrogate(str.charCodeAt(to - 1))) to--;
		const origin = from === 0 ? struct.origin : Y.createID(client, clock + from - 1);
		const content = new Y.ContentString(str.slice(from, to));
		parts.push(new Y.Item(Y.createID(client, clock + from), null, origin, null, struct.rightOrigin, struct.parent, struct.parentSub, content));
		from = to;
	}
	return parts;
}

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;

function sizeOf(struct: Struct): number {
	const encoder = new Y.UpdateEncoderV1();
	(struct as Y.Item).write(encoder, 0);
	return encoder.toUint8Array().byteLength + STRUCT_OVERHEAD;
}

/** The wire's form of an update: blocks of structs per client, then the deletions. */
function encode(structs: readonly Struct[], ds: DeleteRanges): Uint8Array {
	const encoder = new Y.UpdateEncoderV1();
	const blocks: Struct[][] = [];
	for (const struct of structs) {
		const last = blocks.at(-1);
		if (last && last[0]!.id.client === struct.id.client) last.push(struct);
		else blocks.push([struct]);
	}
	encoding.writeVarUint(encoder.restEncoder, blocks.length);
	for (const block of blocks) {
		encoding.writeVarUint(encoder.restEncoder, block.length);
		encoding.writeVarUint(encoder.restEncoder, block[0]!.id.client);
		encoding.writeVarUint(encoder.restEncoder, block[0]!.id.clock);
		for (const struct of block) (struct as Y.Item).write(encoder, 0);
	}
	encoding.writeVarUint(encoder.restEncoder, ds.size);
	for (const [client, ranges] of ds) {
		encoding.writeVarUint(encoder.restEncoder, client);
		encoding.writeVarUint(encoder.restEncoder, ranges.length);
		for (const { clock, len } of ranges) {
			encoding.writeVarUint(encoder.restEncoder, clock);
			encoding.writeVarUint(encoder.restEncoder, len);
		}
	}
	return encoder.toUint8Array();
}

type DeleteRanges = Map<number, { clock: number; len: number }[]>;

/** The deletions of content that these structs bring. */
function deletesWithin(ds: Deletes, structs: readonly Struct[]): DeleteRanges {
	const found: DeleteRanges = new Map();
	for (const { id, length } of structs) {
		for (const item of ds.clients.get(id.client) ?? []) {
			const from = Math.max(item.clock, id.clock);
			const to = Math.min(item.clock + item.len, id.clock + length);
			if (from >= to) continue;
			const list = found.get(id.client) ?? [];
			const last = list.at(-1);
			if (last && last.clock + last.len === from) list[list.length - 1] = { clock: last.clock, len: to - last.clock };
			else list.push({ clock: from, len: to - from });
			found.set(id.client, list);
		}
	}
	return found;
}

function deletePieces(ds: Deletes, maxBytes: number): DeleteRanges[] {
	// Two numbers of at most five bytes each.
	const maxRanges = Math.max(1, Math.floor(maxBytes / 10));
	const pieces: DeleteRanges[] = [];
	let open: DeleteRanges = new Map();
	let count = 0;
	for (const [client, ranges] of ds.clients) {
		for (const { clock, len } of ranges) {
			if (count >= maxRanges) {
				pieces.push(open);
				open = new Map();
				count = 0;
			}
			open.set(client, [...(open.get(client) ?? []), { clock, len }]);
			count++;
		}
	}
	if (count > 0) pieces.push(open);
	return pieces;
}
