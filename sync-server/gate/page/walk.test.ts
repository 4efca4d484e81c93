/**
 * What an update may cost: ordinary work of any size is free, the quadratic attacks of SYNC.md 2 are refused before they are applied.
 * `Relay.submit` compares the gate's count with Yjs's own for every update here. Times are printed with ATRIUM_FUZZ_STATS=1, not asserted.
 */
import { $createTableNodeWithDimensions } from '@lexical/table';
import { $createParagraphNode, $createTextNode, $getRoot } from 'lexical';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { NEW_CONTENT, PAGE_RULES, TEXT_RULES } from './rules.ts';
import type { PageRules } from './rules.ts';
import { Relay, docOf, fingerprint, lexicalOn, outbox, raw } from './testing.ts';

const bytesOf = (...values: number[]) => Uint8Array.from(values);
const times = (count: number, struct: (i: number) => Uint8Array) => Buffer.concat(Array.from({ length: count }, (_, i) => struct(i)));
/** `count` structs of one id from clock 0 on. */
const update = (client: number, count: number, struct: (i: number) => Uint8Array) => raw(1, count, client, 0, times(count, struct), 0);
const first = (text = 'x') => raw(bytesOf(4), 1, 'text', text);
const before = (client: number, clock: number) => raw(bytesOf(0x44), client, clock, 'x');
const between = (left: [number, number], right: [number, number]) => raw(bytesOf(0xc4), ...left, ...right, 'x');

function print(what: string, startedAt: number, relay: Relay, detail = `${Math.round(relay.merged.steps)} steps`): void {
	if (process.env.ATRIUM_FUZZ_STATS === '1') console.info(`${what}: ${(performance.now() - startedAt).toFixed(1)} ms, ${detail}`);
}

function accepted(what: string, relay: Relay, bytes: Uint8Array, person = 'ann'): number {
	const started = performance.now();
	expect(relay.submit(person, bytes)).toMatchObject({ kind: 'accepted' });
	print(what, started, relay);
	return relay.merged.steps;
}

/** Refused for its cost or size, with the document as it was; `Relay.submit` insists that Yjs passed nothing. */
function tooLarge(what: string, relay: Relay, bytes: Uint8Array): string {
	const held = fingerprint(relay.doc);
	const started = performance.now();
	const answer = relay.submit('mallory', bytes);
	const detail = 'detail' in answer ? answer.detail : '';
	print(what, started, relay, detail);
	expect(answer).toMatchObject({ kind: 'refused', code: 'too-large' });
	expect(fingerprint(relay.doc)).toBe(held);
	return detail;
}
const COSTS = 'costs too much to merge';

describe('ordinary work of any size', () => {
	test.each<[string, () => void]>([
		['a table of 10 × 10', () => void $getRoot().append($createTableNodeWithDimensions(10, 10, true))],
		['a table of 30 × 10', () => void $getRoot().append($createTableNodeWithDimensions(30, 10, true))],
		['300 paragraphs', () => void $getRoot().append(...Array.from({ length: 300 }, (_, i) => $createParagraphNode().append($createTextNode(`Paragraph ${i}`))))],
	])('one Lexical update: %s', (what, $paste) => {
		const relay = new Relay();
		const ann = docOf(100);
		const sent = outbox(ann);
		lexicalOn(ann).change($paste);
		expect(accepted(what, relay, Y.mergeUpdates(sent))).toBeLessThan(NEW_CONTENT.mergeSteps / 4);
		expect(relay.merged.passed).toBe(0);
		expect(relay.doc.get('root', Y.XmlText).length).toBe((ann.get('root', Y.XmlText) as Y.XmlText).length);
	});

	test('20,000 keystrokes each, in runs, by three people offline in the same ten letters', () => {
		const relay = new Relay(TEXT_RULES);
		const start = docOf(100);
		start.getText('text').insert(0, 'ten letter');
		accepted('start', relay, Y.encodeStateAsUpdate(start));
		for (const id of [60, 40, 80]) {
			const doc = docOf(id);
			Y.applyUpdate(doc, Y.encodeStateAsUpdate(start));
			const text = doc.getText('text');
			doc.transact(() => {
				for (let i = 0, at = 5, seed = id; i < 20_000; i++) {
					if (i % 8 === 0) at = 1 + ((seed = (seed * 48_271) % 2_147_483_647) % (text.length - 1));
					text.insert(at++, 'x');
				}
			});
			const steps = accepted(`20,000 keystrokes under ${id}`, relay, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(start)), `person ${id}`);
			expect(steps).toBeLessThan(NEW_CONTENT.mergeSteps / 4);
		}
	});

	test('two people offline who each put 200 things at the top, one before the other', () => {
		const relay = new Relay(TEXT_RULES);
		for (const id of [50, 60]) {
			const doc = docOf(id);
			doc.transact(() => {
				for (let i = 0; i < 200; i++) doc.getText('text').insert(0, 'thing');
			});
			accepted(`200 at the top under ${id}`, relay, Y.encodeStateAsUpdate(doc), `person ${id}`);
		}
		expect(relay.merged.passed).toBe(200 * 200);
	});

	test('a whole document resent, with more dead ranges than anyone may delete at once', () => {
		const relay = new Relay(TEXT_RULES);
		const ann = docOf(100);
		const text = ann.getText('text');
		ann.transact(() => {
			// Two letters typed backwards, which never merge, and one that stays.
			for (let i = 0; i < 12_000; i++) for (const letter of 'abc') text.insert(0, letter);
		});
		ann.transact(() => {
			for (let i = 0; i < 12_000; i++) text.delete(i + 1, 2);
		});
		const whole = Y.encodeStateAsUpdate(ann);
		expect(tooLarge('all of it new', relay, whole)).toContain('structs');
		Y.applyUpdate(relay.doc, whole);
		expect(relay.submit('ann', whole)).toEqual({ kind: 'known' });
	});

	test('a key that was set 5,000 times is set once more', () => {
		const relay = new Relay();
		const ann = docOf(100);
		const sent = outbox(ann);
		const root = ann.get('root', Y.XmlText) as Y.XmlText;
		ann.transact(() => {
			// Two keys in turn: values under one key in a row would merge when they are overwritten.
			for (let i = 0; i < 10_000; i++) root.setAttribute(i % 2 ? '__dir' : '__format', `${i % 3}`);
		});
		root.setAttribute('__dir', 'ltr');
		accepted('a key set 5,000 times', relay, sent[0]!);
		let chain = 0;
		for (let item = relay.doc.get('root', Y.XmlText)._map.get('__dir') ?? null; item !== null; item = item.left) chain++;
		expect(chain).toBe(5_000);
		expect(accepted('once more', relay, sent[1]!)).toBeLessThan(100);
	});
});

describe('refused before it is applied', () => {
	/** 2,000 letters of Ann, each put before the other: none merges with the next. */
	const worn = (rules: PageRules = TEXT_RULES) => {
		const relay = new Relay(rules);
		accepted('2,000 letters', relay, update(100, 2_000, (i) => (i === 0 ? first() : before(100, i - 1))));
		return relay;
	};

	test('right neighbours in ascending order, from 2,000 structs down to where it fits', () => {
		// From the start of the text each passes all that stands before its right neighbour.
		for (const count of [2_000, 1_000, 640]) {
			expect(tooLarge(`${count} ascending`, worn(), update(666, count, (i) => before(100, 1_999 - (i % 2_000))))).toBe(COSTS);
		}
		const relay = worn();
		const steps = accepted('200 ascending', relay, update(666, 200, (i) => before(100, 1_999 - i)), 'mallory');
		expect(steps).toBeGreaterThan(10_000);
	});

	test('interleaved: four ids of one update that stand in each other’s way', () => {
		const ids = [701, 702, 703, 704];
		const one = (count: number, client: number, at: number) => raw(count, client, 0, times(count, (i) => (i === 0 ? first() : before(ids[(at + 3) % 4]!, i - 1))));
		expect(tooLarge('interleaved', worn(), raw(4, ...ids.map((client, at) => one(1_000, client, at)), 0))).toBe(COSTS);
	});

	test('the same gap, left and right given, 20,000 times past somebody’s words', () => {
		const relay = new Relay(TEXT_RULES);
		accepted('two letters', relay, update(100, 1, () => first('ab')));
		accepted('50 between', relay, update(200, 50, (i) => between([100, 0], i === 0 ? [100, 1] : [200, i - 1])), 'bob');
		expect(tooLarge('one gap', relay, update(666, 10_000, () => between([100, 0], [100, 1])))).toBe(COSTS);
	});

	test('one key, 16,000 values that know nothing of each other', () => {
		const value = raw(bytesOf(0x28), 1, 'root', 'key', 1, bytesOf(120));
		expect(tooLarge('same key', new Relay(), update(666, 16_000, () => value))).toBe(COSTS);
		accepted('same key, 1,000', new Relay(), update(666, 1_000, () => value), 'mallory');
	});

	test('a word cut to pieces from behind, by letters and by deletions', () => {
		const relay = new Relay(TEXT_RULES);
		accepted('100,000 letters', relay, update(100, 1, () => first('x'.repeat(100_000))));
		expect(tooLarge('cut by letters', relay, update(666, 12_000, (i) => between([100, 99_997 - 2 * i], [100, 99_998 - 2 * i])))).toBe(COSTS);
		expect(tooLarge('cut by deletions', relay, raw(0, 1, 100, 40_000, times(40_000, (i) => raw(2 * i, 1))))).toBe(COSTS);
	});

	test('neighbours that the order check has to follow through a long run', () => {
		// 100:0 stands alone; 100:1.. is one run of pieces without a word of 100:0.
		const count = 9_000;
		const run = (i: number) => (i < 2 ? first() : raw(bytesOf(0x84), 666, i - 1, 'x'));
		expect(tooLarge('long run', new Relay(TEXT_RULES), update(666, 2 * count, (i) => (i < count ? run(i) : between([666, count - 1], [666, 0]))))).toBe(COSTS);
	});

	test('4,000 ids in 40 kB', () => {
		const ids = (count: number) => raw(count, times(count, (i) => raw(1, 1_000 + i, 0, first())), 0);
		expect(tooLarge('4,000 ids', new Relay(TEXT_RULES), ids(4_000))).toContain('ids');
		expect(tooLarge('5 ids', new Relay(TEXT_RULES), ids(5))).toContain('ids');
		accepted('4 ids', new Relay(TEXT_RULES), ids(4), 'mallory');
	});

	test('new structs and new bytes; known ones do not count', () => {
		const relay = new Relay(TEXT_RULES);
		const letters = (count: number) => update(666, count, (i) => (i === 0 ? first() : raw(bytesOf(0x84), 666, i - 1, 'x')));
		const { structs, bytes } = NEW_CONTENT;
		expect(tooLarge('structs', relay, letters(structs + 1))).toContain('structs');
		accepted('structs', relay, letters(structs), 'mallory');
		accepted('structs again and more', relay, letters(2 * structs), 'mallory');
		expect(relay.submit('mallory', letters(2 * structs)).kind).toBe('known');
		expect(tooLarge('bytes', relay, update(667, 1, () => first('x'.repeat(bytes))))).toContain('bytes');
		expect(PAGE_RULES.fresh).toBe(NEW_CONTENT);
	});
});

describe('a whole document at once, from a client that was never here', () => {
	const paper = JSON.parse(
		gunzipSync(readFileSync(new URL('../../../test/data/editing-traces/automerge-paper.json.gz', import.meta.url))).toString('utf8')
	) as { endContent: string; txns: { patches: [number, number, string][] }[] };

	test.each([100_000, 7])('the paper of 259,778 edits, typed under the id %i', { timeout: 300_000 }, (client) => {
		const author = docOf(client);
		const text = author.getText('text');
		for (const { patches } of paper.txns) {
			for (const [position, deleted, inserted] of patches) {
				if (deleted > 0) text.delete(position, deleted);
				if (inserted) text.insert(position, inserted);
			}
		}
		const relay = new Relay(TEXT_RULES);
		accepted('the paper', relay, Y.encodeStateAsUpdate(author));
		expect(relay.doc.getText('text').toString()).toBe(paper.endContent);
	});
});
