/** The gate for pages and texts, case by case: ordinary editing is never refused, the attacks of SYNC.md 2 always. */
import { $isListItemNode, $isListNode } from '@lexical/list';
import { $createParagraphNode, $createTextNode, $getRoot, $isElementNode, $isTextNode } from 'lexical';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { holds } from '#crdt-model/page/ranges.ts';
import { PAGE_SCAN_LIMITS, scan } from '#crdt-model/page/scan.ts';
import type { ScanResult } from '#crdt-model/page/scan.ts';
import { preview } from './preview.ts';
import { PAGE_RULES, TEXT_RULES } from './rules.ts';
import type { PageRules } from './rules.ts';
import { $fillPage, Relay, docOf, fingerprint, lexicalOn, outbox, raw } from './testing.ts';

const bytesOf = (...values: number[]) => Uint8Array.from(values);
/** Receives everything that the relay has said so far. */
const receive = (doc: Y.Doc, relay: Relay) => relay.log.forEach((update) => Y.applyUpdate(doc, update, 'relay'));
const sendAll = (relay: Relay, person: string, updates: Uint8Array[]) => updates.splice(0).map((update) => relay.submit(person, update));

/** A refusal must leave the document as it was, and the code must be the one that tells the client what to do. */
function refused(relay: Relay, bytes: Uint8Array, person = 'mallory'): string {
	const before = fingerprint(relay.doc);
	const roots = [...relay.doc.share.keys()];
	const admission = relay.submit(person, bytes);
	expect(admission.kind).toBe('refused');
	expect(fingerprint(relay.doc)).toBe(before);
	expect([...relay.doc.share.keys()]).toEqual(roots);
	return admission.kind === 'refused' ? admission.code : admission.kind;
}

/** Ann (id 100) has written `hello` in a text. */
function textByAnn(): { relay: Relay; ann: Y.Doc; text: Y.Text; sent: Uint8Array[] } {
	const relay = new Relay(TEXT_RULES);
	const ann = docOf(100);
	const sent = outbox(ann);
	const text = ann.getText('text');
	text.insert(0, 'hello');
	sendAll(relay, 'ann', sent);
	return { relay, ann, text, sent };
}
/** Ann (id 100) has made a page: root > paragraph 'p' with characters and a map. */
function pageByAnn() {
	const relay = new Relay();
	const ann = docOf(100);
	const sent = outbox(ann);
	const root = ann.get('root', Y.XmlText) as Y.XmlText;
	const paragraph = new Y.XmlText();
	root.insertEmbed(0, paragraph);
	paragraph.insert(0, 'one two');
	expect(sendAll(relay, 'ann', sent).every((a) => a.kind === 'accepted')).toBe(true);
	return { relay, ann, root, paragraph, sent };
}

describe('ordinary editing', () => {
	test('keystrokes, one update each, and their ids are bound once', () => {
		const { relay, text, sent } = textByAnn();
		for (const letter of ' wörld 😀') text.insert(text.length, letter);
		text.delete(0, 1);
		const answers = sendAll(relay, 'ann', sent);
		expect(answers.map((a) => a.kind)).toEqual(answers.map(() => 'accepted'));
		expect(answers.some((a) => a.kind === 'accepted' && a.bindIds.length > 0)).toBe(false);
		expect(answers.at(-1)).toMatchObject({ newRanges: [], deletions: [{ client: 100, from: 0, to: 1 }] });
		expect(relay.doc.getText('text').toString()).toBe(text.toString());
	});

	test('everything that @lexical/yjs writes: headings, formats, links, lists, tables, line breaks, undo and redo', () => {
		const relay = new Relay();
		const ann = docOf(100);
		const sent = outbox(ann);
		const page = lexicalOn(ann);
		page.change(() => $fillPage('Ann'));
		page.change(() => {
			for (const text of $getRoot().getAllTextNodes()) if (text.getTextContent() === 'bold') text.setTextContent('bolder').toggleFormat('italic');
		});
		page.change(() => {
			const list = $getRoot().getChildren().find($isListNode)!;
			const item = list.getFirstChild();
			if ($isListItemNode(item)) item.setIndent(1);
		});
		page.change(() => void $getRoot().append($createParagraphNode().append($createTextNode('last'))));
		page.change(() => $getRoot().getFirstChild()!.remove());
		page.undo.undo();
		page.undo.undo();
		page.undo.redo();
		page.change(() => {
			const last = $getRoot().getLastChild();
			if ($isElementNode(last)) last.clear();
			$getRoot().getChildren().slice(0, 2).forEach((node) => node.remove());
		});
		page.undo.undo();
		expect(sent.length).toBeGreaterThan(7);
		for (const update of sent) {
			const answer = relay.submit('ann', update);
			expect(answer).toMatchObject({ kind: 'accepted', swallowed: [] });
		}
		expect(relay.submit('ann', Y.encodeStateAsUpdate(ann)).kind).toBe('known');

		const bob = docOf(200);
		receive(bob, relay);
		const read = (doc: Y.Doc) => doc.get('root', Y.XmlText).toDelta();
		expect(JSON.stringify(read(bob))).toBe(JSON.stringify(read(ann)));
		const his = lexicalOn(docOf(201));
		his.change(() => void $getRoot().append($createParagraphNode()));
	});

	test('two people in one Lexical page, each offline for a while', async () => {
		const relay = new Relay();
		const people = [docOf(100), docOf(200)].map((doc, i) => ({ name: ['ann', 'bob'][i]!, doc, sent: outbox(doc), page: lexicalOn(doc), cursor: 0 }));
		const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
		const catchUp = async () => {
			for (const person of people) {
				for (; person.cursor < relay.log.length; person.cursor++) Y.applyUpdate(person.doc, relay.log[person.cursor]!, 'relay');
			}
			// Lexical takes remote changes in a microtask; an edit in the same turn would be counted as remote and not be sent.
			await new Promise((resolve) => setTimeout(resolve));
		};
		ann.page.change(() => $fillPage('Ann'));
		sendAll(relay, 'ann', ann.sent);
		await catchUp();
		for (let round = 0; round < 4; round++) {
			for (const { page, name } of people) {
				page.change(() => void $getRoot().append($createParagraphNode().append($createTextNode(`${name} ${round}`))));
				page.change(() => {
					const texts = $getRoot().getAllTextNodes().filter($isTextNode);
					const text = texts[(round * 3) % texts.length]!;
					text.setTextContent(`${text.getTextContent()} ${name}`);
				});
			}
			// Bob comes back with one merged update, Ann with several.
			const merged = Y.mergeUpdates(bob.sent.splice(0));
			expect(relay.submit('bob', merged).kind).toBe('accepted');
			for (const answer of sendAll(relay, 'ann', ann.sent)) expect(answer.kind).toBe('accepted');
			await catchUp();
			for (const { name, sent } of people) for (const answer of sendAll(relay, name, sent)) expect(answer.kind).not.toBe('refused');
			await catchUp();
		}
		const delta = (doc: Y.Doc) => JSON.stringify(doc.get('root', Y.XmlText).toDelta());
		expect(delta(ann.doc)).toBe(delta(relay.doc));
		expect(delta(bob.doc)).toBe(delta(relay.doc));
	});

	test('whole documents are known, whoever sends them, and with the relay’s own root inside', () => {
		const { relay, ann } = pageByAnn();
		receive(ann, relay);
		expect(ann.getMap('record').get('number')).toBe('P-1');
		expect(relay.submit('ann', Y.encodeStateAsUpdate(ann))).toEqual({ kind: 'known' });
		expect(relay.submit('bob', Y.encodeStateAsUpdate(ann), false)).toEqual({ kind: 'known' });
		expect(relay.submit('bob', bytesOf(0, 0))).toEqual({ kind: 'known' });
	});

	test('a resent document with something new is clipped to the new part, even inside one merged string', () => {
		const { relay, ann, text, sent } = textByAnn();
		text.insert(5, ' there');
		sent.length = 0;
		const whole = Y.encodeStateAsUpdate(ann);
		expect(scan(whole, PAGE_SCAN_LIMITS)).toMatchObject({ blocks: [{ structs: [{ clock: 0, length: 11 }] }] });
		const answer = relay.submit('ann', whole);
		expect(answer).toMatchObject({ kind: 'accepted', newRanges: [{ client: 100, from: 5, to: 11 }], bindIds: [] });
		expect(answer.kind === 'accepted' && answer.canonical!.length).toBeLessThan(20);
		expect(relay.doc.getText('text').toString()).toBe('hello there');
		expect(relay.submit('ann', whole)).toEqual({ kind: 'known' });
	});

	test('known content split and merged otherwise, and half of a surrogate pair, is still the same', () => {
		const { relay, ann, text, sent } = textByAnn();
		text.insert(5, '😀x');
		const withPair = Y.encodeStateAsUpdate(ann);
		sendAll(relay, 'ann', sent);
		text.delete(6, 1);
		expect(sendAll(relay, 'ann', sent)[0]!.kind).toBe('accepted');
		expect(relay.submit('ann', withPair)).toEqual({ kind: 'known' });
		expect(relay.submit('ann', Y.encodeStateAsUpdate(ann, bytesOf(1, 100, 2)))).toEqual({ kind: 'known' });
	});

	test('typed and deleted offline: collected structs that the delete set covers', () => {
		const { relay, ann, root, sent } = pageByAnn();
		const before = Y.encodeStateVector(ann);
		const doomed = new Y.XmlText();
		root.insertEmbed(1, doomed);
		doomed.insert(0, 'never mind');
		root.delete(1, 1);
		root.insert(1, 'kept');
		sent.length = 0;
		const diff = Y.encodeStateAsUpdate(ann, before);
		const kinds = (scan(diff, PAGE_SCAN_LIMITS) as ScanResult).blocks[0]!.structs.map((s) => s.kind);
		expect(kinds).toContain('gc');
		expect(kinds).toContain('deleted');
		expect(relay.submit('ann', diff)).toMatchObject({ kind: 'accepted', swallowed: [] });
		expect(relay.doc.get('root', Y.XmlText).toString()).toBe(root.toString());
	});

	test('text typed into what another just deleted is accepted, and the swallowed ranges are named', () => {
		const { relay, ann, paragraph, sent } = pageByAnn();
		const bob = docOf(200);
		const bobSent = outbox(bob);
		receive(bob, relay);
		(bob.get('root', Y.XmlText) as Y.XmlText).delete(0, 1);
		expect(sendAll(relay, 'bob', bobSent)[0]).toMatchObject({ kind: 'accepted', deletions: [{ client: 100, from: 0, to: 8 }] });
		// Ann does not know yet. She types, nests, and deletes a part of what she typed.
		const from = 8;
		paragraph.insert(3, 'LOST');
		const inner = new Y.XmlText();
		paragraph.insertEmbed(3, inner);
		inner.insert(0, 'deep');
		paragraph.delete(4, 2);
		const merged = Y.mergeUpdates(sent.splice(0));
		const seen = preview(relay.doc, scan(merged, PAGE_SCAN_LIMITS) as ScanResult, PAGE_RULES, () => 'self');
		const answer = relay.submit('ann', merged);
		const expected = [{ client: 100, from: from + 2, to: from + 9 }];
		expect(seen).toMatchObject({ kind: 'preview', swallowed: expected });
		expect(answer).toMatchObject({ kind: 'accepted', swallowed: expected });
		receive(ann, relay);
		expect(holds(relay.doc, merged)).toBe(true);
		// What she says about it later, collected on her side too, is known.
		expect(relay.submit('ann', Y.encodeStateAsUpdate(ann))).toEqual({ kind: 'known' });
	});

	test('several own ids in one update, up to four, and a dependency between them in either order', () => {
		const relay = new Relay(TEXT_RULES);
		const docs = [300, 20, 250, 40].map((id) => docOf(id));
		let state: Uint8Array = new Uint8Array([0, 0]);
		for (const [i, doc] of docs.entries()) {
			Y.applyUpdate(doc, state);
			const text = doc.getText('text');
			text.insert(Math.floor(text.length / 2), `word${i}`);
			state = Y.encodeStateAsUpdate(doc);
		}
		const answer = relay.submit('ann', state);
		expect(answer).toMatchObject({ kind: 'accepted' });
		expect(answer.kind === 'accepted' && [...answer.bindIds].sort()).toEqual([20, 250, 300, 40]);
		expect(relay.doc.getText('text').toString()).toBe(docs[3]!.getText('text').toString());
	});
});

describe('refused', () => {
	test('a person without the right to write changes nothing', () => {
		const { relay, text, sent } = textByAnn();
		text.insert(0, 'x');
		const before = fingerprint(relay.doc);
		expect(relay.submit('ann', sent[0]!, false)).toMatchObject({ kind: 'refused', code: 'denied' });
		expect(fingerprint(relay.doc)).toBe(before);
	});

	test('foreign: content under another’s id or the relay’s, and filler that would blind the relay to it', () => {
		const { relay } = textByAnn();
		expect(refused(relay, raw(1, 1, 100, 5, bytesOf(0x84), 100, 4, '!', 0))).toBe('foreign');
		expect(refused(relay, raw(1, 1, 100, 5, bytesOf(0), 1_000_000, 1, 100, 1, 5, 1_000_000))).toBe('foreign');
		expect(refused(relay, raw(1, 1, 1, 1, bytesOf(4), 1, 'text', '!', 0))).toBe('foreign');
	});

	test('bad-shape: collected structs under an own id that the delete set does not cover', () => {
		const { relay } = textByAnn();
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0), 10, 0))).toBe('bad-shape');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0), 10, 1, 666, 1, 0, 9))).toBe('bad-shape');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(1), 1, 'text', 10, 0))).toBe('bad-shape');
		expect(relay.submit('mallory', raw(1, 1, 666, 0, bytesOf(0), 10, 1, 666, 2, 0, 4, 4, 6)).kind).toBe('accepted');
	});

	test('gap: a keystroke before its predecessors', () => {
		const { relay, text, sent } = textByAnn();
		text.insert(5, 'a');
		text.insert(6, 'b');
		expect(refused(relay, sent[1]!, 'ann')).toBe('gap');
	});

	test('missing-dependency: pre-emptive deletes, unknown neighbours and parents, circles, one’s own future', () => {
		const { relay } = textByAnn();
		expect(refused(relay, raw(0, 1, 100, 1, 5, 1))).toBe('missing-dependency');
		expect(refused(relay, raw(0, 1, 100, 1, 0, 1_000_000))).toBe('missing-dependency');
		expect(refused(relay, raw(0, 1, 999, 1, 0, 1))).toBe('missing-dependency');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0x84), 999, 0, 'x', 0))).toBe('missing-dependency');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0x44), 100, 5, 'x', 0))).toBe('missing-dependency');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0x04), 0, 999, 0, 'x', 0))).toBe('missing-dependency');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0x84), 666, 0, 'x', 0))).toBe('missing-dependency');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0x84), 666, 9, 'x', 0))).toBe('missing-dependency');
		const circle = raw(2, 1, 666, 0, bytesOf(0x84), 667, 0, 'x', 1, 667, 0, bytesOf(0x84), 666, 0, 'y', 0);
		expect(refused(relay, circle)).toBe('missing-dependency');
	});

	test('clock-reuse: a known own range that says something else; another’s lie is only clipped', () => {
		const { relay } = textByAnn();
		const lie = raw(1, 1, 100, 0, bytesOf(4), 1, 'text', 'HELLO', 0);
		expect(refused(relay, lie, 'ann')).toBe('clock-reuse');
		expect(relay.submit('mallory', lie)).toEqual({ kind: 'known' });
		expect(refused(relay, raw(1, 1, 100, 0, bytesOf(4), 1, 'text', 'HELLO!', 0), 'ann')).toBe('clock-reuse');
		expect(refused(relay, raw(1, 1, 100, 0, bytesOf(8), 1, 'text', 1, bytesOf(126), 0), 'ann')).toBe('clock-reuse');
	});

	test('clock-reuse in values, types and keys of a page', () => {
		const relay = new Relay();
		const twin = (value: unknown) => {
			const doc = docOf(100);
			(doc.get('root', Y.XmlText) as Y.XmlText).setAttribute('__dir', value as string);
			return Y.encodeStateAsUpdate(doc);
		};
		expect(relay.submit('ann', twin({ a: [1, { b: 2 }] })).kind).toBe('accepted');
		expect(relay.submit('ann', twin({ a: [1, { b: 2 }] })).kind).toBe('known');
		expect(refused(relay, twin({ a: [1, { b: 3 }] }), 'ann')).toBe('clock-reuse');
		expect(refused(relay, twin('x'), 'ann')).toBe('clock-reuse');
		expect(refused(relay, twin(new Y.Map()), 'ann')).toBe('clock-reuse');
	});

	test('root pollution, through new and through known structs', () => {
		const { relay } = textByAnn();
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(4), 1, 'other', 'x', 0))).toBe('bad-shape');
		const many = Buffer.concat(Array.from({ length: 500 }, (_, i) => raw(bytesOf(4), 1, `root${i}`, 'x')));
		expect(refused(relay, raw(1, 500, 666, 0, many, 0))).toBe('bad-shape');
		expect(refused(relay, raw(1, 1, 100, 0, bytesOf(4), 1, 'other', 'hello', 0))).toBe('bad-shape');
		expect(refused(relay, raw(1, 1, 100, 0, bytesOf(4), 1, 'other', 'hello!', 0), 'ann')).toBe('bad-shape');
	});

	test('the relay’s own root: writes, writes through an origin, deletes', () => {
		const { relay } = pageByAnn();
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0x28), 1, 'record', 'number', 1, bytesOf(119), 'P-2', 0))).toBe('bad-shape');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0xa8), 1, 0, 1, bytesOf(119), 'P-2', 0))).toBe('bad-shape');
		expect(refused(relay, raw(0, 1, 1, 1, 0, 1))).toBe('bad-shape');
		// Between a neighbour in the page and one in the record.
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0xc4), 100, 0, 1, 0, 'x', 0))).toBe('bad-shape');
	});

	test('neighbours in reverse inside one run: Yjs would place it by how the run is split', () => {
		const { relay, ann, text, sent } = textByAnn();
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0xc4), 100, 3, 100, 2, 'x', 0))).toBe('bad-shape');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0xc4), 100, 2, 100, 2, 'x', 0))).toBe('bad-shape');
		expect(refused(relay, raw(1, 2, 666, 0, bytesOf(4), 1, 'text', 'abc', bytesOf(0xc4), 666, 2, 666, 1, 'x', 0))).toBe('bad-shape');
		// The run split by somebody's word is still one run.
		text.insert(3, 'W');
		sendAll(relay, 'ann', sent);
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(0xc4), 100, 4, 100, 1, 'x', 0))).toBe('bad-shape');
		// Typed backwards the later clock stands first, and between the two is a place.
		text.insert(0, 'B');
		text.insert(1, 'C');
		expect(sendAll(relay, 'ann', sent).map((a) => a.kind)).toEqual(['accepted', 'accepted']);
		expect(relay.doc.getText('text').toString()).toBe(ann.getText('text').toString());
	});

	test('a partly known struct that continues in another place', () => {
		const { relay } = pageByAnn();
		// Held: 100:0 the paragraph in the root, 100:1..8 its text. Claimed: the text stands in the root.
		expect(refused(relay, raw(1, 1, 100, 1, bytesOf(4), 1, 'root', 'one two!', 0), 'ann')).toBe('bad-shape');
	});

	test.each<[string, PageRules, (string | number | Uint8Array)[]]>([
		['a format in a page', PAGE_RULES, [bytesOf(6), 1, 'root', 'bold', 'true']],
		['an embed in a page', PAGE_RULES, [bytesOf(5), 1, 'root', '{}']],
		['bytes in a page', PAGE_RULES, [bytesOf(3), 1, 'root', 1, bytesOf(0)]],
		['values in the list of a page', PAGE_RULES, [bytesOf(8), 1, 'root', 1, bytesOf(126)]],
		['an array', PAGE_RULES, [bytesOf(7), 1, 'root', 0]],
		['a hook', PAGE_RULES, [bytesOf(7), 1, 'root', 5, 'hook']],
		['text under a key', PAGE_RULES, [bytesOf(0x24), 1, 'root', 'key', 'x']],
		['two values under a key', PAGE_RULES, [bytesOf(0x28), 1, 'root', 'key', 2, bytesOf(126, 126)]],
		['text in a paragraph’s text', PAGE_RULES, [bytesOf(4), 0, 100, 1, 'x']],
		['a type in a text', TEXT_RULES, [bytesOf(7), 1, 'text', 1]],
		['a key in a text', TEXT_RULES, [bytesOf(0x28), 1, 'text', 'key', 1, bytesOf(126)]],
		['a format in a text', TEXT_RULES, [bytesOf(6), 1, 'text', 'bold', 'true']],
	])('shape: %s', (_, rules, struct) => {
		const { relay } = rules === PAGE_RULES ? pageByAnn() : textByAnn();
		expect(refused(relay, raw(1, 1, 666, 0, ...struct, 0))).toBe('bad-shape');
	});

	test('list items hidden in a Map', () => {
		const relay = new Relay();
		const ann = docOf(100);
		(ann.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, new Y.Map());
		expect(relay.submit('ann', Y.encodeStateAsUpdate(ann)).kind).toBe('accepted');
		expect(refused(relay, raw(1, 1, 666, 0, bytesOf(8), 0, 100, 0, 1, bytesOf(126), 0))).toBe('bad-shape');
	});

	test('types nested deeper than sixteen, in one update and one by one', () => {
		const relay = new Relay();
		const ann = docOf(100);
		const sent = outbox(ann);
		let at = ann.get('root', Y.XmlText) as Y.XmlText;
		for (let i = 0; i < 17; i++) {
			const inner = new Y.XmlText();
			at.insertEmbed(0, inner);
			at = inner;
		}
		expect(refused(new Relay(), Y.mergeUpdates(sent), 'ann')).toBe('bad-shape');
		const answers = sendAll(relay, 'ann', sent);
		expect(answers.slice(0, 16).every((a) => a.kind === 'accepted')).toBe(true);
		expect(answers[16]).toMatchObject({ kind: 'refused', code: 'bad-shape' });
	});
});
