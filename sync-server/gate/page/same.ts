/**
 * Whether scanned bytes say the same as what the document holds in the same range of clocks.
 *
 * Promises: changes nothing; compares only what still lives, because deleted content is gone on one side or the other by rights.
 * Time is linear in the range. A difference in one's own known range is equivocation: two histories under one id (SYNC.md 2).
 * Leaves to others: where the content stands. `clock-reuse` means differing content, nothing else (DESIGN.md 5).
 */
import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { eachWithin } from '#crdt-model/page/ranges.ts';
import type { ScannedStruct, TypeKind } from '#crdt-model/page/scan.ts';

const KIND_OF_TYPE = new Map<unknown, TypeKind>([
	[Y.Array, 'array'],
	[Y.Map, 'map'],
	[Y.Text, 'text'],
	[Y.XmlElement, 'xml-element'],
	[Y.XmlFragment, 'xml-fragment'],
	[Y.XmlHook, 'xml-hook'],
	[Y.XmlText, 'xml-text'],
]);

/** Undefined for a root that nobody has named yet. */
export function kindOfType(type: Y.AbstractType<unknown>): TypeKind | undefined {
	return KIND_OF_TYPE.get(type.constructor);
}

/** Compares the part of `struct` in `[struct.clock, to)` with the living content of the document. */
export function sameContent(doc: Y.Doc, struct: ScannedStruct, to: number, bytes: Uint8Array): boolean {
	if (struct.kind === 'gc' || struct.kind === 'deleted') return true;
	let content: unknown;
	let same = true;
	eachWithin(doc, struct.client, struct.clock, to, (held) => {
		if (held.deleted || !(held instanceof Y.Item)) return true;
		// Decoded at the first living piece only: a resent document is mostly the relay's own bytes, and its dead parts are cheap.
		content ??= read(struct, bytes);
		const from = Math.max(held.id.clock, struct.clock);
		const end = Math.min(held.id.clock + held.length, to);
		same = samePart(content, from - struct.clock, held.content, from - held.id.clock, end - from, struct);
		return same;
	});
	return same;
}

/** The plain values that a struct of `any` brings; null for other structs. */
export function valuesOf(struct: ScannedStruct, bytes: Uint8Array): readonly unknown[] | null {
	return struct.kind === 'any' ? (read(struct, bytes) as unknown[]) : null;
}

/** The scan has checked the bytes, so nothing here throws. */
function read(struct: ScannedStruct, bytes: Uint8Array): unknown {
	const decoder = decoding.createDecoder(bytes);
	decoder.pos = struct.contentAt;
	switch (struct.kind) {
		case 'string':
			return decoding.readVarString(decoder);
		case 'any':
			return many(decoder, () => decoding.readAny(decoder));
		case 'json':
			return many(decoder, () => {
				const text = decoding.readVarString(decoder);
				return text === 'undefined' ? undefined : JSON.parse(text);
			});
		case 'binary':
			return decoding.readVarUint8Array(decoder);
		case 'embed':
			return JSON.parse(decoding.readVarString(decoder));
		case 'format':
			return [decoding.readVarString(decoder), JSON.parse(decoding.readVarString(decoder))];
		default:
			return struct.type;
	}
}

function many(decoder: decoding.Decoder, one: () => unknown): unknown[] {
	const values: unknown[] = [];
	for (let left = decoding.readVarUint(decoder); left > 0; left--) values.push(one());
	return values;
}

function samePart(ours: unknown, at: number, held: Y.Item['content'], heldAt: number, length: number, struct: ScannedStruct): boolean {
	if (held instanceof Y.ContentString) return struct.kind === 'string' && sameText(ours as string, at, held.str, heldAt, length);
	if (held instanceof Y.ContentAny) return struct.kind === 'any' && sameItems(ours as unknown[], at, held.arr, heldAt, length);
	if (held instanceof Y.ContentJSON) return struct.kind === 'json' && sameItems(ours as unknown[], at, held.arr, heldAt, length);
	if (held instanceof Y.ContentBinary) return struct.kind === 'binary' && equal(ours, held.content);
	if (held instanceof Y.ContentEmbed) return struct.kind === 'embed' && equal(ours, held.embed);
	if (held instanceof Y.ContentFormat) return struct.kind === 'format' && equal(ours, [held.key, held.value]);
	if (held instanceof Y.ContentType) return struct.kind === 'type' && ours === kindOfType(held.type);
	return false;
}

const REPLACEMENT = 0xfffd;
const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;

/**
 * Yjs puts U+FFFD for both halves of a surrogate pair that an edit splits, and it does so on whichever side splits first. So half a
 * pair against U+FFFD is the same edit seen at two moments.
 */
function sameText(a: string, aAt: number, b: string, bAt: number, length: number): boolean {
	for (let i = 0; i < length; i++) {
		const x = a.charCodeAt(aAt + i);
		const y = b.charCodeAt(bAt + i);
		if (x === y) continue;
		if (!((x === REPLACEMENT && isSurrogate(y)) || (y === REPLACEMENT && isSurrogate(x)))) return false;
	}
	return true;
}

function sameItems(a: unknown[], aAt: number, b: unknown[], bAt: number, length: number): boolean {
	for (let i = 0; i < length; i++) if (!equal(a[aAt + i], b[bAt + i])) return false;
	return true;
}

/** Plain values only; the scan bounds their depth. */
function equal(a: unknown, b: unknown): boolean {
	if (Object.is(a, b)) return true;
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
	if (a instanceof Uint8Array || b instanceof Uint8Array) {
		return a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
	}
	if (Array.isArray(a) !== Array.isArray(b)) return false;
	const keys = Object.keys(a);
	if (keys.length !== Object.keys(b).length) return false;
	return keys.every((key) => Object.hasOwn(b, key) && equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
