// Bytes of pages and texts that no Yjs client in order makes (SYNC.md 2), each over `/sync` and over `/live`: refused, and nothing of it is in the document.

import * as encoding from 'lib0/encoding';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import type { DocumentId } from '#crdt-model/ids.ts';
import { Arena, CLOSE_CODES, ids, liveFrame, type Hostile } from './arena.ts';

let arena: Arena;
let mallory: Hostile;
let text: DocumentId;
let page: DocumentId;
beforeAll(async () => {
	arena = await Arena.open();
	mallory = await arena.hostile();
	text = await arena.relay.create(arena.ana, 'text', { title: 'Notes', place: 'company' });
	page = await arena.relay.create(arena.ana, 'page', { title: 'Page', place: 'company' });
}, 120_000);
afterAll(() => arena?.close());

const STEP_2 = 1;
const UPDATE = 2;
const hello = 'hello from a hand-made client';

function typed(client = Math.floor(Math.random() * 2 ** 31), word = hello): Y.Doc {
	const doc = new Y.Doc();
	doc.clientID = client;
	doc.getText('text').insert(0, word);
	return doc;
}

/** Refused on both sockets, and the document is as empty as before. */
async function refusedEverywhere(bytes: Uint8Array, codes: readonly string[], document: DocumentId = text): Promise<void> {
	expect(codes).toContain(await mallory.update(document, bytes));
	// A gap is ordinary on `/live` and leaves the connection open; everything else ends it.
	const ends = new Set(await Promise.all([STEP_2, UPDATE].map((step) => mallory.attack(`/live/${document}`, [liveFrame(step, bytes)]))));
	for (const end of ends) expect([...CLOSE_CODES, ...(codes.includes('gap') || codes.includes('missing-dependency') ? ['open'] : [])]).toContain(end);
}

/** V1 by hand: blocks of structs, then a delete set. */
function update(blocks: (encoder: encoding.Encoder) => void, blockCount = 1, deletes: (encoder: encoding.Encoder) => void = (encoder) => encoding.writeVarUint(encoder, 0)): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, blockCount);
	blocks(encoder);
	deletes(encoder);
	return encoding.toUint8Array(encoder);
}
/** Head of a client's block. */
function block(encoder: encoding.Encoder, structs: number, client: number, clock: number): void {
	encoding.writeVarUint(encoder, structs);
	encoding.writeVarUint(encoder, client);
	encoding.writeVarUint(encoder, clock);
}
/** An item without neighbours in a root: its head up to where the content begins. */
function inRoot(encoder: encoding.Encoder, ref: number, root: string, key: string | null = null): void {
	encoding.writeUint8(encoder, ref | (key === null ? 0 : 0x20));
	encoding.writeVarUint(encoder, 1);
	encoding.writeVarString(encoder, root);
	if (key !== null) encoding.writeVarString(encoder, key);
}

test('truncated V1, at every byte', { timeout: 120_000 }, async () => {
	const whole = Y.encodeStateAsUpdate(typed());
	for (let cut = 0; cut < whole.byteLength; cut++) expect(['malformed', 'too-large', 'bad-shape', 'gap'], `cut at ${cut}`).toContain(await mallory.update(text, whole.subarray(0, cut)));
	await refusedEverywhere(whole.subarray(0, whole.byteLength - 2), ['malformed']);
});

test('garbage V1: every byte of an honest update turned over', { timeout: 120_000 }, async () => {
	const whole = Y.encodeStateAsUpdate(typed(5));
	for (let at = 0; at < whole.byteLength; at++) {
		const wrong = whole.slice();
		wrong[at]! ^= 0xff;
		const end = await mallory.update(text, wrong);
		// Turning over a letter leaves an update that is good.
		if (end === 'accepted') continue;
		expect(['malformed', 'bad-shape', 'gap', 'foreign', 'clock-reuse', 'too-large', 'missing-dependency'], `byte ${at}`).toContain(end);
	}
});

test('V2 updates', async () => {
	await refusedEverywhere(Y.encodeStateAsUpdateV2(typed()), ['malformed', 'bad-shape', 'too-large']);
	// yjs#687: a run length without end.
	await refusedEverywhere(new Uint8Array([0, 0, 1, 1, 255, 255, 255, 255, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), ['malformed', 'bad-shape', 'too-large', 'gap']);
});

test('2^25 structs claimed in nine bytes', async () => {
	await refusedEverywhere(new Uint8Array([1, 0x80, 0x80, 0x80, 0x10, 1, 0, 0, 0]), ['malformed', 'too-large']);
	await refusedEverywhere(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0]), ['malformed', 'too-large']);
});

test('GC filler of a million under another person’s client id: their edits are not swallowed', async () => {
	const victim = typed(7_000_001, 'Ana writes');
	const filler = update((encoder) => {
		block(encoder, 1, 7_000_001, 0);
		encoding.writeUint8(encoder, 0);
		encoding.writeVarUint(encoder, 1_000_000);
	});
	await refusedEverywhere(filler, ['bad-shape', 'malformed', 'foreign']);
	expect(await arena.truth.update(ids.batch(), text, Y.encodeStateAsUpdate(victim))).toMatchObject({ kind: 'accepted' });
	await refusedEverywhere(filler, ['foreign', 'bad-shape']);
	victim.getText('text').insert(0, 'and goes on: ');
	expect(await arena.truth.update(ids.batch(), text, Y.encodeStateAsUpdate(victim))).toMatchObject({ kind: 'accepted' });
	expect((await arena.content(text)).getText('text').toString()).toContain('and goes on: Ana writes');
});

test('giant clocks and ids', async () => {
	const limit = 2 ** 53 - 2;
	await refusedEverywhere(new Uint8Array([1, 1, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1, 0]), ['malformed', 'too-large', 'bad-shape', 'gap']);
	for (const length of [limit, 2 ** 40, 2 ** 32, 2 ** 23]) {
		const gc = update((encoder) => {
			block(encoder, 1, 6_000_001, 0);
			encoding.writeUint8(encoder, 0);
			encoding.writeVarUint(encoder, length);
		});
		await refusedEverywhere(gc, ['malformed', 'too-large', 'bad-shape']);
		const deleted = update((encoder) => {
			block(encoder, 1, 6_000_001, 0);
			inRoot(encoder, 1, 'text');
			encoding.writeVarUint(encoder, length);
		});
		expect(['malformed', 'too-large', 'bad-shape']).toContain(await mallory.update(text, deleted));
	}
	const id = typed();
	id.clientID = 2 ** 40;
	id.getText('text').insert(0, 'x');
	await refusedEverywhere(Y.encodeStateAsUpdate(id), ['malformed', 'gap']);
});

test('the relay’s own ids', async () => {
	for (const client of [2 ** 32 - 1, 2 ** 32 - 2, 2 ** 32 - 1_024]) await refusedEverywhere(Y.encodeStateAsUpdate(typed(client)), ['foreign']);
});

test('root types that are none of a text or page, a thousand of them, and the record’s own fields', async () => {
	const roots = new Y.Doc();
	for (let i = 0; i < 1_000; i++) roots.getMap(`root${i}`).set('x', 1);
	await refusedEverywhere(Y.encodeStateAsUpdate(roots), ['bad-shape']);
	const fields = new Y.Doc();
	fields.getMap('record').set('title', ['mine', 1, mallory.person, ids.command()]);
	await refusedEverywhere(Y.encodeStateAsUpdate(fields), ['bad-shape']);
	await refusedEverywhere(Y.encodeStateAsUpdate(fields), ['bad-shape'], page);
	const { share } = await arena.content(text);
	expect([...share.keys()].filter((name) => name.startsWith('root'))).toEqual([]);
});

test.each(['__proto__', 'constructor', 'prototype'])('the key %s, in a map and inside a value', async (key) => {
	const doc = new Y.Doc();
	const node = new Y.XmlText();
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, node);
	const before = Y.encodeStateVector(doc);
	node.setAttribute('__type', 'paragraph');
	const attribute = update((encoder) => {
		block(encoder, 1, 5_000_001, 0);
		inRoot(encoder, 8, 'root', key);
		encoding.writeVarUint(encoder, 1);
		encoding.writeAny(encoder, { polluted: 1 });
	});
	await refusedEverywhere(attribute, ['malformed', 'bad-shape'], page);
	const inside = update((encoder) => {
		block(encoder, 1, 5_000_001, 0);
		inRoot(encoder, 8, 'root', '__format');
		encoding.writeVarUint(encoder, 1);
		encoding.writeUint8(encoder, 118);
		encoding.writeVarUint(encoder, 1);
		encoding.writeVarString(encoder, key);
		encoding.writeAny(encoder, { polluted: 1 });
	});
	await refusedEverywhere(inside, ['malformed', 'bad-shape'], page);
	expect(Y.encodeStateAsUpdate(doc, before).byteLength).toBeGreaterThan(0);
});

test('values 10,000 levels deep', async () => {
	const deep = update((encoder) => {
		block(encoder, 1, 5_000_002, 0);
		inRoot(encoder, 8, 'root', '__format');
		encoding.writeVarUint(encoder, 1);
		for (let i = 0; i < 10_000; i++) {
			encoding.writeUint8(encoder, 117);
			encoding.writeVarUint(encoder, 1);
		}
		encoding.writeUint8(encoder, 126);
	});
	await refusedEverywhere(deep, ['malformed', 'too-large', 'bad-shape'], page);
});

test('2,000 types inside one another', async () => {
	const doc = new Y.Doc();
	const root = doc.get('root', Y.XmlText) as Y.XmlText;
	let map = new Y.Map<unknown>();
	root.insertEmbed(0, map);
	for (let i = 0; i < 2_000; i++) {
		const inner = new Y.Map<unknown>();
		map.set('k', inner);
		map = inner;
	}
	await refusedEverywhere(Y.encodeStateAsUpdate(doc), ['bad-shape', 'too-large'], page);
});

test('one client in two blocks', async () => {
	const letter = (encoder: encoding.Encoder, clock: number, word: string) => {
		block(encoder, 1, 5_000_003, clock);
		inRoot(encoder, 4, 'text');
		encoding.writeVarString(encoder, word);
	};
	await refusedEverywhere(update((encoder) => (letter(encoder, 0, 'a'), letter(encoder, 0, 'b')), 2), ['malformed']);
});

test('Skip structs', async () => {
	const skip = update((encoder) => {
		block(encoder, 1, 5_000_004, 0);
		encoding.writeUint8(encoder, 10);
		encoding.writeVarUint(encoder, 5);
	});
	await refusedEverywhere(skip, ['malformed', 'bad-shape', 'gap']);
});

test('a sub-document', async () => {
	const doc = new Y.Doc();
	doc.getMap('root').set('k', new Y.Doc());
	await refusedEverywhere(Y.encodeStateAsUpdate(doc), ['malformed', 'bad-shape'], page);
});

test('formats and embeds in a text, which would make the relay’s document delete by itself', async () => {
	const doc = new Y.Doc();
	doc.getText('text').insert(0, 'bold', { bold: true });
	await refusedEverywhere(Y.encodeStateAsUpdate(doc), ['bad-shape']);
	const embed = new Y.Doc();
	embed.getText('text').insertEmbed(0, { image: 'x' });
	await refusedEverywhere(Y.encodeStateAsUpdate(embed), ['bad-shape']);
});

test('kinds of nodes that Lexical does not know', async () => {
	const doc = new Y.Doc();
	const node = new Y.XmlText();
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, node);
	node.setAttribute('__type', 'script');
	await refusedEverywhere(Y.encodeStateAsUpdate(doc), ['bad-shape'], page);
});

test('hidden bulk: a list under a key, and values that no reader sees', async () => {
	const doc = new Y.Doc();
	doc.getMap('text').set('k', 'x'.repeat(50_000));
	await refusedEverywhere(Y.encodeStateAsUpdate(doc), ['bad-shape']);
});

test('state vectors that are huge, claim 2^40 entries or name an id twice', async () => {
	const vector = (write: (encoder: encoding.Encoder) => void) => {
		const encoder = encoding.createEncoder();
		write(encoder);
		return liveFrame(0, encoding.toUint8Array(encoder));
	};
	const many = vector((encoder) => {
		encoding.writeVarUint(encoder, 200_000);
		for (let i = 0; i < 200_000; i++) (encoding.writeVarUint(encoder, i), encoding.writeVarUint(encoder, 1));
	});
	const claims = vector((encoder) => encoding.writeVarUint(encoder, 2 ** 40));
	const twice = vector((encoder) => [2, 7, 1, 7, 1].forEach((value) => encoding.writeVarUint(encoder, value)));
	for (const frame of [many, claims, twice, liveFrame(0, new Uint8Array(500_000).fill(0xff))]) expect(await mallory.attack(`/live/${text}`, [frame])).toBe(4400);
});

test('steps that are none, documents that are not hers, paths in the address', async () => {
	const task = await arena.made(ids.document('task'), { title: 'hidden' });
	expect(await mallory.attack(`/live/${text}`, [liveFrame(7, new Uint8Array(3))])).toBe(4400);
	for (const id of [task, ids.document('text'), ids.document('page'), '..%2f..%2fetc%2fpasswd', '%00', '__proto__']) expect(await mallory.attack(`/live/${id}`, [])).toBe(4404);
	expect(await arena.attack(`/live/${text}`, [], null)).toBe(4401);
});

test('after all of this both documents are what honest people made of them', async () => {
	const [plain, rich] = [await arena.content(text), await arena.content(page)];
	for (const doc of [plain, rich]) expect([doc.store.pendingStructs, doc.store.pendingDs]).toEqual([null, null]);
	expect(plain.getText('text').toString()).toContain('Ana writes');
	expect((rich.get('root', Y.XmlText) as Y.XmlText).toString()).toBe('');
	expect(await arena.row(text)).toMatchObject({ title: 'Notes', place: 'company' });
	expect(await arena.row(page)).toMatchObject({ title: 'Page', place: 'company' });
	expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});
