/** The scanner against what Yjs writes, and against the attacks of SYNC.md 2 that bytes alone can carry. */
import { Reader } from './bytes.ts';
import * as encoding from 'lib0/encoding';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { holds, stateOf } from './ranges.ts';
import { CANONICAL_SCAN_LIMITS, PAGE_SCAN_LIMITS, STATE_VECTOR_LIMITS, scan, scanStateVector } from './scan.ts';
import type { ScanResult } from './scan.ts';

const look = (bytes: Uint8Array) => scan(bytes, PAGE_SCAN_LIMITS);
const code = (bytes: Uint8Array) => {
	const result = look(bytes);
	return result.kind === 'refused' ? result.code : 'scanned';
};
const detail = (bytes: Uint8Array) => {
	const result = look(bytes);
	return result.kind === 'refused' ? result.detail : 'scanned';
};
function scanned(bytes: Uint8Array): ScanResult {
	const result = look(bytes);
	if (result.kind === 'refused') throw new Error(`refused: ${result.code}, ${result.detail} at ${result.at}`);
	return result;
}
/** V1 bytes by hand: numbers are variable-length, strings are strings, arrays are raw. */
function raw(...parts: (number | string | Uint8Array)[]): Uint8Array {
	const encoder = encoding.createEncoder();
	for (const part of parts) {
		if (typeof part === 'number') encoding.writeVarUint(encoder, part);
		else if (typeof part === 'string') encoding.writeVarString(encoder, part);
		else encoding.writeUint8Array(encoder, part);
	}
	return encoding.toUint8Array(encoder);
}
/** One block of client 7 at clock 0, no deletes; the structs are given raw. */
const block = (count: number, ...parts: (number | string | Uint8Array)[]) => raw(1, count, 7, 0, ...parts, 0);
const many = (count: number, one: (i: number) => Uint8Array): Uint8Array => Buffer.concat(Array.from({ length: count }, (_, i) => one(i)));
const AT_ROOT = [1, 'root'] as const;
const bytesOf = (...values: number[]) => Uint8Array.from(values);

/** A document with every content that Yjs writes, some of it deleted and collected. */
function everything(): Y.Doc {
	const doc = new Y.Doc();
	doc.clientID = 4_294_967_295;
	const text = doc.getText('text');
	text.insert(0, 'héllo 😀 \ufeffworld €');
	text.format(0, 5, { bold: true, link: { href: 'x', tags: [1, null] } });
	text.insertEmbed(3, { image: 'data' });
	const map = doc.getMap('map');
	map.set('any', { a: [1, -1, 1.5, 2 ** 40, -(2 ** 52), 1e300, true, false, null, undefined, 'ü', new Uint8Array([1, 2]), 10n], deep: { er: {} } });
	map.set('bytes', new Uint8Array(300));
	map.set('gone', 'soon');
	map.delete('gone');
	const array = new Y.Array<unknown>();
	map.set('list', array);
	array.push([1, 2, 3, 'four']);
	array.push([new Y.Map(), new Y.Text('inner'), new Y.XmlElement('p'), new Y.XmlText('x'), new Y.XmlFragment()]);
	const doomed = new Y.Map<unknown>();
	map.set('doomed', doomed);
	doomed.set('x', new Y.Text('collected with its parent'));
	map.delete('doomed');
	text.delete(7, 4);
	return doc;
}

describe('what Yjs writes', () => {
	test('every kind of content is read to the last byte, with the clocks that Yjs counts', () => {
		const doc = everything();
		const bytes = Y.encodeStateAsUpdate(doc);
		const result = scanned(bytes);
		const meta = Y.decodeUpdate(bytes);
		expect(result.blocks.flatMap((b) => b.structs.map((s) => [s.client, s.clock, s.length]))).toEqual(
			meta.structs.map((s) => [s.id.client, s.id.clock, s.length]),
		);
		expect(result.blocks[0]!.to).toBe(stateOf(doc, doc.clientID));
		const deletes = [...meta.ds.clients].map(([client, items]) => [client, items.map((d: { clock: number; len: number }) => [d.clock, d.clock + d.len])]);
		expect([...result.deletes.values()].map((d) => [d.client, d.ranges.map((r) => [r.from, r.to])])).toEqual(deletes);
		const kinds = new Set(result.blocks.flatMap((b) => b.structs.map((s) => s.kind)));
		expect([...kinds].sort()).toEqual(['any', 'binary', 'deleted', 'embed', 'format', 'gc', 'string', 'type']);
	});

	test('the empty update, keystrokes and merges', () => {
		expect(scanned(bytesOf(0, 0)).structCount).toBe(0);
		const doc = new Y.Doc();
		const updates: Uint8Array[] = [];
		doc.on('update', (u: Uint8Array) => updates.push(u));
		const text = doc.getText('text');
		for (const letter of 'a👍🏽b') text.insert(text.length, letter);
		text.delete(0, 2);
		for (const update of updates) scanned(update);
		scanned(Y.mergeUpdates(updates));
	});

	test('old documents hold ContentJSON', () => {
		expect(scanned(block(1, bytesOf(0x02), ...AT_ROOT, 2, '{"a":[1]}', 'undefined')).blocks[0]!.to).toBe(2);
	});

	test('a device can ask whether it holds an update', () => {
		const doc = everything();
		const update = Y.encodeStateAsUpdate(doc);
		const other = new Y.Doc();
		expect(holds(other, update)).toBe(false);
		Y.applyUpdate(other, update);
		expect(holds(other, update)).toBe(true);
		let deletion: Uint8Array = new Uint8Array();
		doc.on('update', (u: Uint8Array) => (deletion = u));
		doc.getText('text').delete(0, 1);
		expect(holds(other, deletion)).toBe(false);
		Y.applyUpdate(other, deletion);
		expect(holds(other, deletion)).toBe(true);
		expect(holds(other, bytesOf(1, 2, 3))).toBe(false);
		expect(holds(other, raw(0, 1, 99, 1, 0, 5))).toBe(false);
	});
});

describe('attacks', () => {
	test('cut at every byte, and with a byte too many', () => {
		const bytes = Y.encodeStateAsUpdate(everything());
		for (let length = 0; length < bytes.length; length++) expect(look(bytes.subarray(0, length)).kind).toBe('refused');
		expect(code(Uint8Array.from([...bytes, 0]))).toBe('malformed');
	});

	test('V2 bytes', () => {
		expect(code(Y.encodeStateAsUpdateV2(everything()))).toBe('malformed');
		expect(code(Y.encodeStateAsUpdateV2(new Y.Doc()))).toBe('malformed');
	});

	test('2^25 structs, clients, deletes, items or keys claimed in a few bytes', () => {
		for (const bytes of [
			raw(1, 2 ** 25, 7, 0, 0),
			raw(2 ** 25, 1, 7, 0),
			raw(0, 2 ** 25, 7, 1),
			raw(0, 1, 7, 2 ** 25, 0, 1),
			block(1, bytesOf(0x08), ...AT_ROOT, 2 ** 25),
			block(1, bytesOf(0x02), ...AT_ROOT, 2 ** 25),
			block(1, bytesOf(0x08), ...AT_ROOT, 1, bytesOf(118), 2 ** 25),
			block(1, bytesOf(0x08), ...AT_ROOT, 1, bytesOf(117), 2 ** 25),
			block(1, bytesOf(0x03), ...AT_ROOT, 2 ** 31),
			block(1, bytesOf(0x04), ...AT_ROOT, 2 ** 31),
		]) {
			// Not one read for what is only claimed.
			expect(readsOf(() => expect(code(bytes)).toBe('malformed'))).toBeLessThan(100);
		}
	});

	test('ids, clocks and spans beyond their ends', () => {
		expect(code(raw(1, 1, 2 ** 32, 0, bytesOf(0), 1, 0))).toBe('malformed');
		expect(code(raw(1, 1, 7, 2 ** 32, bytesOf(0), 1, 0))).toBe('malformed');
		expect(code(raw(1, 1, 7, 2 ** 32 - 1, bytesOf(0), 1, 0))).toBe('malformed');
		expect(code(block(1, bytesOf(0), 2 ** 53 - 2))).toBe('malformed');
		expect(code(block(1, bytesOf(0), 2 ** 22 + 1))).toBe('malformed');
		expect(code(block(1, bytesOf(0x01), ...AT_ROOT, 2 ** 40))).toBe('malformed');
		expect(code(raw(0, 1, 7, 1, 0, 2 ** 32 - 1))).toBe('scanned');
		expect(code(raw(0, 1, 7, 1, 1, 2 ** 32 - 1))).toBe('malformed');
		expect(code(raw(0, 1, 7, 1, 0, bytesOf(0x80, 0x80, 0x80, 0x80, 0x80, 0x00)))).toBe('malformed');
	});

	test('Skip, sub-document, unknown content, unknown type, flags on GC, empty structs, empty block', () => {
		expect(code(block(1, bytesOf(10), 5))).toBe('gap');
		expect(detail(block(1, bytesOf(9), ...AT_ROOT, 'guid', bytesOf(118, 0)))).toBe('sub-document');
		expect(code(block(1, bytesOf(11), ...AT_ROOT))).toBe('malformed');
		expect(code(block(1, bytesOf(31), ...AT_ROOT))).toBe('malformed');
		expect(code(block(1, bytesOf(7), ...AT_ROOT, 7))).toBe('malformed');
		expect(code(block(1, bytesOf(0x20), 1))).toBe('malformed');
		expect(code(block(1, bytesOf(0), 0))).toBe('malformed');
		expect(code(block(1, bytesOf(4), ...AT_ROOT, ''))).toBe('malformed');
		expect(code(block(1, bytesOf(8), ...AT_ROOT, 0))).toBe('malformed');
		expect(code(raw(1, 0, 7, 0, 0))).toBe('malformed');
		expect(code(block(1, bytesOf(4), 2, 'root', 'x'))).toBe('malformed');
	});

	test('a merge over a missing update holds a Skip, and is a gap', () => {
		const doc = new Y.Doc();
		const updates: Uint8Array[] = [];
		doc.on('update', (u: Uint8Array) => updates.push(u));
		for (const letter of 'abc') doc.getText('text').insert(0, letter);
		expect(code(Y.mergeUpdates([updates[0]!, updates[2]!]))).toBe('gap');
	});

	test('a client twice, among structs or deletes; delete ranges that are empty, overlap or go back', () => {
		const one = raw(1, 7, 0, bytesOf(0), 1);
		expect(code(raw(2, one, one, 0))).toBe('malformed');
		expect(code(raw(0, 2, 7, 1, 0, 1, 7, 1, 5, 1))).toBe('malformed');
		expect(code(raw(0, 1, 7, 1, 0, 0))).toBe('malformed');
		expect(code(raw(0, 1, 7, 2, 0, 5, 4, 1))).toBe('malformed');
		expect(code(raw(0, 1, 7, 2, 5, 1, 0, 1))).toBe('malformed');
		expect(code(raw(0, 1, 7, 2, 0, 5, 5, 1))).toBe('scanned');
	});

	test('keys that change prototypes: map keys, attributes, roots, node names, Any and JSON', () => {
		for (const key of ['__proto__', 'constructor', 'prototype']) {
			for (const bytes of [
				block(1, bytesOf(0x28), ...AT_ROOT, key, 1, bytesOf(126)),
				block(1, bytesOf(0x04), 1, key, 'x'),
				block(1, bytesOf(0x07), ...AT_ROOT, 3, key),
				block(1, bytesOf(0x06), ...AT_ROOT, key, 'true'),
				block(1, bytesOf(0x08), ...AT_ROOT, 1, bytesOf(118), 1, key, bytesOf(126)),
				block(1, bytesOf(0x08), ...AT_ROOT, 1, bytesOf(117), 1, bytesOf(118), 1, key, bytesOf(126)),
				block(1, bytesOf(0x05), ...AT_ROOT, `{"a":{"${key}":1}}`),
				block(1, bytesOf(0x02), ...AT_ROOT, 1, `[{"${key}":1}]`),
			]) {
				expect(detail(bytes)).toBe(`key ${key}`);
			}
		}
	});

	test('values nested too deep, in Any and in JSON, without overflowing the stack', () => {
		const nested = (depth: number) => block(1, bytesOf(0x08), ...AT_ROOT, 1, Uint8Array.from(Array.from({ length: depth }, () => [117, 1]).flat()), bytesOf(126));
		expect(code(nested(16))).toBe('scanned');
		expect(code(nested(17))).toBe('bad-shape');
		expect(code(nested(200_000))).toBe('bad-shape');
		const json = (depth: number) => block(1, bytesOf(0x05), ...AT_ROOT, '['.repeat(depth) + ']'.repeat(depth));
		expect(code(json(16))).toBe('scanned');
		expect(code(json(17))).toBe('bad-shape');
		expect(code(json(500_000))).not.toBe('scanned');
	});

	test('what is no JSON and what is no UTF-8, inside Any too', () => {
		expect(code(block(1, bytesOf(0x05), ...AT_ROOT, '{'))).toBe('malformed');
		expect(code(block(1, bytesOf(0x05), ...AT_ROOT, 'undefined'))).toBe('malformed');
		for (const bad of [[0x80], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0xff]]) {
			const text = raw(bad.length, Uint8Array.from(bad));
			expect(code(block(1, bytesOf(0x04), ...AT_ROOT, text))).toBe('malformed');
			expect(code(block(1, bytesOf(0x08), ...AT_ROOT, 1, bytesOf(119), text))).toBe('malformed');
			expect(code(block(1, bytesOf(0x04), 1, text, 'x'))).toBe('malformed');
		}
	});

	test('UTF-8 is judged and counted as the platform does', () => {
		const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
		const near = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff];
		for (const a of near) for (const b of near) for (const c of near) for (const d of [...near, 0x88]) {
			const bytes = bytesOf(a, b, c, d);
			let units = -1;
			try {
				units = decoder.decode(bytes).length;
			} catch {
				// Not UTF-8 for the platform; it must not be for us.
			}
			const result = look(block(1, bytesOf(0x04), ...AT_ROOT, 4, bytes));
			if ((result.kind === 'scanned' ? result.blocks[0]!.to : -1) !== units) expect.fail(`${bytes} is ${units} units for the platform`);
		}
	});

	test('caps: bytes, structs, client blocks, names', () => {
		expect(code(new Uint8Array(PAGE_SCAN_LIMITS.bytes + 1))).toBe('too-large');
		const structs = PAGE_SCAN_LIMITS.structs + 1;
		expect(code(block(structs, new Uint8Array(structs * 2).fill(1).map((_, i) => i % 2)))).toBe('too-large');
		const ids = PAGE_SCAN_LIMITS.clientBlocks + 1;
		expect(code(raw(ids, ...Array.from({ length: ids }, (_, i) => raw(1, i, 0, bytesOf(0), 1)), 0))).toBe('too-large');
		expect(code(block(1, bytesOf(0x04), 1, 'r'.repeat(257), 'x'))).toBe('too-large');
	});

	test('state vectors', () => {
		const doc = everything();
		const result = scanStateVector(Y.encodeStateVector(doc));
		expect(result.kind === 'scanned' && [...result.clocks]).toEqual([...Y.decodeStateVector(Y.encodeStateVector(doc))]);
		const refused = (bytes: Uint8Array) => {
			const got = scanStateVector(bytes);
			return got.kind === 'refused' ? got.code : 'scanned';
		};
		const tooMany = STATE_VECTOR_LIMITS.entries + 1;
		expect(refused(raw(tooMany, many(tooMany, (i) => raw(i, 1))))).toBe('too-large');
		expect(refused(new Uint8Array(STATE_VECTOR_LIMITS.bytes + 1))).toBe('too-large');
		expect(refused(raw(2 ** 40))).toBe('malformed');
		expect(refused(raw(2 ** 31))).toBe('malformed');
		expect(refused(raw(2, 7, 1, 7, 2))).toBe('malformed');
		expect(refused(raw(1, 7, 1, 0))).toBe('malformed');
		expect(refused(raw(1, 7))).toBe('malformed');
	});
});

test('the work is linear: 32 times the structs take about 32 times the reads', () => {
	const shapes: ((n: number) => Uint8Array)[] = [
		// Many small structs, one long string, deep-ish Any, many deletes.
		(n) => block(n, many(n, () => bytesOf(0x84, 7, 0, 1, 0x61))),
		(n) => block(1, bytesOf(0x04), ...AT_ROOT, '€'.repeat(n)),
		(n) => block(1, bytesOf(0x08), ...AT_ROOT, n, many(n, () => bytesOf(118, 1, 1, 0x61, 117, 1, 126))),
		(n) => raw(0, 1, 7, n, many(n, (i) => raw(2 * i, 1))),
	];
	const limits = { ...CANONICAL_SCAN_LIMITS, span: 2 ** 31 };
	for (const shape of shapes) {
		const reads = (n: number) => {
			const bytes = shape(n);
			return readsOf(() => expect(scan(bytes, limits).kind).toBe('scanned'));
		};
		// Some numbers grow by a byte on the way; quadratic would be 1,024.
		expect(reads(128_000) / reads(4_000)).toBeLessThan(48);
	}
});

/** How often the scanner reads something while this runs. A count, where a clock would measure the machine's other work. */
function readsOf(run: () => void): number {
	const { u8, uint } = Reader.prototype;
	let reads = 0;
	Reader.prototype.u8 = function (this: Reader) {
		reads++;
		return u8.call(this);
	};
	Reader.prototype.uint = function (this: Reader) {
		reads++;
		return uint.call(this);
	};
	try {
		run();
	} finally {
		Object.assign(Reader.prototype, { u8, uint });
	}
	return reads;
}
