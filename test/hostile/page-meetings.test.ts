// Updates of pages that are well formed and lie about what they meet: other people's ids, clocks used twice, things that are not there yet (SYNC.md 0 and 2).

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import type { DocumentId } from '#crdt-model/ids.ts';
import { Arena, ids, liveFrame, type Hostile } from './arena.ts';

let arena: Arena;
let mallory: Hostile;
let ben: Hostile;
let text: DocumentId;
beforeAll(async () => {
	arena = await Arena.open();
	[mallory, ben] = [await arena.hostile(), await arena.honest('Ben')];
}, 120_000);
beforeEach(async () => {
	text = await arena.relay.create(arena.ana, 'text', { title: 'Notes', place: 'company' });
});
afterAll(() => arena?.close());

let client = 3_000_000;
const nextClient = () => ++client;
const all = (doc: Y.Doc) => Y.encodeStateAsUpdate(doc);
const words = async () => (await arena.content(text)).getText('text').toString();
/** The update of one edit alone. */
function edit(doc: Y.Doc, change: (words: Y.Text) => void): Uint8Array {
	const before = Y.encodeStateVector(doc);
	change(doc.getText('text'));
	return Y.encodeStateAsUpdate(doc, before);
}
function typed(word: string, id = nextClient()): Y.Doc {
	const doc = new Y.Doc();
	doc.clientID = id;
	doc.getText('text').insert(0, word);
	return doc;
}
function following(other: Y.Doc, id = nextClient()): Y.Doc {
	const doc = new Y.Doc();
	Y.applyUpdate(doc, all(other));
	doc.clientID = id;
	return doc;
}

test('content under an id that is another person’s', async () => {
	const bens = typed('Ben');
	expect(await ben.update(text, all(bens))).toBe('accepted');
	const forged = following(bens, bens.clientID);
	const update = edit(forged, (words) => words.insert(0, 'as Ben: '));
	expect(await mallory.update(text, update)).toBe('foreign');
	expect(await mallory.attack(`/live/${text}`, [liveFrame(2, update)])).toBe(4409);
	expect(await words()).toBe('Ben');
});

test('equivocation: two contents for one clock, each to its own half of the world', async () => {
	const id = nextClient();
	const [first, second] = [typed('title=AAA', id), typed('title=BBB', id)];
	expect(await mallory.update(text, all(first))).toBe('accepted');
	expect(await mallory.update(text, all(second))).toBe('clock-reuse');
	expect(await ben.update(text, all(second)), 'nor by somebody else’s hand').not.toBe('clock-reuse');
	expect(await words()).toBe('title=AAA');
	// Everybody holds the same: whoever joins late, and whoever was there.
	expect((await ben.anotherDevice()).held.get(text)!.doc.getText('text').toString()).toBe('title=AAA');
});

test('a clock that is used again after a rollback', async () => {
	const doc = typed('one ');
	expect(await mallory.update(text, all(doc))).toBe('accepted');
	const cloned = following(doc, doc.clientID);
	expect(await mallory.update(text, edit(doc, (words) => words.insert(4, 'two')))).toBe('accepted');
	expect(await mallory.update(text, edit(cloned, (words) => words.insert(4, 'TWO')))).toBe('clock-reuse');
	expect(await words()).toBe('one two');
});

test('a delete for what is not there yet: 21 bytes that wait for a victim', async () => {
	const victim = nextClient();
	const encoder = encoding.createEncoder();
	for (const value of [0, 1, victim, 1, 0, 1_000]) encoding.writeVarUint(encoder, value);
	const trap = encoding.toUint8Array(encoder);
	expect(await mallory.update(text, trap)).toBe('missing-dependency');
	expect(await mallory.attack(`/live/${text}`, [liveFrame(2, trap)])).toBe('open');
	expect(await ben.update(text, all(typed('Ben is not deleted', victim)))).toBe('accepted');
	expect(await words()).toBe('Ben is not deleted');
});

test('a confused deputy: an edit that waits for another’s, to fire in their name', async () => {
	const bens = typed('Ben');
	const hidden = following(bens);
	const waiting = edit(hidden, (words) => words.insert(3, ' says yes'));
	expect(await mallory.update(text, waiting)).toBe('missing-dependency');
	expect(await mallory.attack(`/live/${text}`, [liveFrame(2, waiting), liveFrame(1, waiting)])).toBe('open');
	expect(await ben.update(text, all(bens))).toBe('accepted');
	const doc = await arena.content(text);
	expect([doc.getText('text').toString(), doc.store.pendingStructs]).toEqual(['Ben', null]);
});

test('a gap: the second edit without the first, the first never', async () => {
	const doc = typed('a');
	const later = edit(doc, (words) => words.insert(1, 'b'));
	expect(await mallory.update(text, later)).toBe('gap');
	expect(await words()).toBe('');
});

test('an update that is half good: nothing of it is there', async () => {
	const doc = typed('HALF');
	const whole = all(doc);
	expect(await mallory.update(text, whole.subarray(0, whole.byteLength - 1))).toBe('malformed');
	expect(await words()).toBe('');
});

test('neighbours of two parents, in reverse, or in one’s own future', async () => {
	const bens = typed('abcdef');
	expect(await ben.update(text, all(bens))).toBe('accepted');
	const item = (origin: number, right: number, from = bens.clientID) => {
		const encoder = encoding.createEncoder();
		for (const value of [1, 1, nextClient(), 0]) encoding.writeVarUint(encoder, value);
		encoding.writeUint8(encoder, 4 | 0x80 | 0x40);
		for (const value of [from, origin, from, right]) encoding.writeVarUint(encoder, value);
		encoding.writeVarString(encoder, 'x');
		encoding.writeVarUint(encoder, 0);
		return encoding.toUint8Array(encoder);
	};
	expect(['bad-shape', 'missing-dependency']).toContain(await mallory.update(text, item(4, 1)));
	expect(await mallory.update(text, item(4, 99))).toBe('missing-dependency');
	expect(['missing-dependency', 'bad-shape']).toContain(await mallory.update(text, item(0, 1, client + 1)));
	expect(await words()).toBe('abcdef');
});

test('GC and deleted structs without their deletion: filler that blinds the relay', async () => {
	for (const ref of [0, 1]) {
		const encoder = encoding.createEncoder();
		for (const value of [1, 1, nextClient(), 0]) encoding.writeVarUint(encoder, value);
		encoding.writeUint8(encoder, ref);
		if (ref === 1) {
			encoding.writeVarUint(encoder, 1);
			encoding.writeVarString(encoder, 'text');
		}
		encoding.writeVarUint(encoder, 1_000);
		encoding.writeVarUint(encoder, 0);
		expect(await mallory.update(text, encoding.toUint8Array(encoder))).toBe('bad-shape');
	}
});

test('text in what was deleted meanwhile is no way back into it', async () => {
	const page = await arena.relay.create(arena.ana, 'page', { title: 'Plan', place: 'company' });
	const doc = new Y.Doc();
	const paragraph = new Y.XmlText();
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, paragraph);
	paragraph.setAttribute('__type', 'paragraph');
	expect(await ben.update(page, all(doc))).toBe('accepted');
	const offline = following(doc);
	((offline.get('root', Y.XmlText) as Y.XmlText).toDelta()[0].insert as Y.XmlText).setAttribute('__format', 'x');
	(doc.get('root', Y.XmlText) as Y.XmlText).delete(0, 1);
	expect(await ben.update(page, all(doc))).toBe('accepted');
	expect(await mallory.update(page, all(offline))).toBe('accepted');
	expect((await arena.content(page)).get('root', Y.XmlText).toString()).toBe('');
});

test('a page that may be read and not written: new content, a delete, and both sides of the socket', async () => {
	const task = await arena.made(ids.document('task'), { title: 'Seen by Mallory', observers: [mallory.person] });
	const hung = (await import('#crdt-model/ids.ts')).pageOf(task);
	expect(await arena.as(hung, 'page.hang', { title: 'Description', on: task })).toBe('accepted');
	const doc = new Y.Doc();
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, new Y.XmlText());
	expect(await mallory.update(hung, all(doc))).toBe('denied');
	expect(await mallory.attack(`/live/${hung}`, [liveFrame(2, all(doc))])).toBe(4403);
	expect(await mallory.attack(`/live/${hung}`, [liveFrame(1, all(doc))])).toBe(4403);
	const held = (await mallory.anotherDevice()).held.get(hung)!.doc;
	const fields = new Y.Doc();
	Y.applyUpdate(fields, all(held));
	const before = Y.encodeStateVector(fields);
	fields.getMap('record').set('title', ['Mine now', 1, mallory.person, ids.command()]);
	expect(['denied', 'bad-shape']).toContain(await mallory.update(hung, Y.encodeStateAsUpdate(fields, before)));
	fields.getMap('record').delete('title');
	expect(['denied', 'bad-shape']).toContain(await mallory.update(hung, all(fields)));
	expect(await arena.row(hung)).toMatchObject({ title: 'Description' });
});

test('a device that hands back what it holds, whole and in pieces, in any order, changes nothing', async () => {
	const bens = typed('abc');
	expect(await ben.update(text, all(bens))).toBe('accepted');
	for (let i = 0; i < 20; i++) await ben.update(text, edit(bens, (words) => words.insert(i, `${i},`)));
	const held = (await mallory.anotherDevice()).held.get(text)!.doc;
	const before = await words();
	expect(await mallory.update(text, all(held))).toBe('accepted');
	for (const client of held.store.clients.keys()) expect(await mallory.update(text, Y.encodeStateAsUpdate(held, Y.encodeStateVector(new Map([[client, 3]]) as never)))).toBe('accepted');
	expect(await words()).toBe(before);
});

test('content of a text that is hidden, deleted, or not there is answered alike', async () => {
	const hidden = await arena.relay.create(arena.ana, 'text', { title: 'Hidden', place: 'mine' });
	const update = all(typed('x'));
	expect([await mallory.update(hidden, update), await mallory.update(ids.document('text'), update)]).toEqual(['not-found', 'not-found']);
	expect(await arena.as(hidden, 'text.delete')).toBe('accepted');
	expect(await mallory.update(hidden, update)).toBe('not-found');
	expect([await mallory.attack(`/live/${hidden}`, []), await mallory.attack(`/live/${ids.document('text')}`, [])]).toEqual([4404, 4404]);
	expect(mallory.has('Hidden')).toBe(false);
});
