// Frames on `/sync` that no device sends.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { MAX_FRAME_BYTES, SUBMIT_WINDOW } from '#crdt-model/wire/limits.ts';
import { decodeDown, encodeUp } from '#crdt-model/wire/codec.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { seeded } from '../support/random.ts';
import { Arena, batchOf, CLOSE_CODES, commandOf, HELLO, ids, type Hostile } from './arena.ts';

let arena: Arena;
let mallory: Hostile;
beforeAll(async () => {
	arena = await Arena.open();
	mallory = await arena.hostile();
}, 120_000);
afterAll(() => arena?.close());

/** lib0's tag of an array with one element, over and over. */
function nested(depth: number): Uint8Array {
	const bytes = new Uint8Array(depth * 2).fill(1);
	for (let i = 0; i < depth; i++) bytes[i * 2] = 117;
	return bytes;
}

test('noise ends that connection alone', { timeout: 120_000 }, async () => {
	const random = seeded(7);
	for (let i = 0; i < 25; i++) expect(await mallory.attack('/sync', [random.bytes(new Uint8Array(1 + random.below(300)))])).toBe(4400);
});

test('a hello that is cut short anywhere', { timeout: 120_000 }, async () => {
	for (let cut = 0; cut < HELLO.byteLength; cut += 5) expect(await mallory.attack('/sync', [HELLO.subarray(0, cut)])).toBe(4400);
});

test('text where bytes belong, and a value of 400,000 levels', async () => {
	expect(await mallory.attack('/sync', ['hello'])).toBe(4400);
	expect(await mallory.attack('/sync', [nested(400_000)])).toBe(4400);
});

test('frames above the ceiling', async () => {
	expect(await mallory.attack('/sync', [new Uint8Array(MAX_FRAME_BYTES + 1)])).toBe(4409);
	expect(CLOSE_CODES).toContain(await mallory.attack('/sync', [new Uint8Array(8 * MAX_FRAME_BYTES)]));
});

test('messages out of order', async () => {
	const submit = encodeUp({ type: 'submit', batch: batchOf(commandOf(ids.document('task'), 'task.create', { title: 'x' })) });
	expect(await mallory.attack('/sync', [submit])).toBe(4400);
	expect(await mallory.attack('/sync', [HELLO, HELLO])).toBe(4400);
	expect(await mallory.attack('/sync', [encodeUp({ type: 'inventory', documents: [], last: true })])).toBe(4400);
});

test('another version of the protocol', async () => {
	expect(await mallory.attack('/sync', [encodeUp({ type: 'hello', version: 99, cursor: null, held: digestOf([]) })])).toBe(4426);
});

test('nobody, a token that is none, a token in the address', async () => {
	expect(await arena.attack('/sync', [HELLO], null)).toBe(4401);
	expect(await arena.attack('/sync', [HELLO], 'a token that is none')).toBe(4401);
	expect(await arena.attack(`/sync?token=${mallory.token}`, [HELLO], null)).toBe(4401);
});

test('cursors of another epoch, beyond the head and of no log are answered by the inventory, and it names nothing that is hidden', async () => {
	const word = `hidden${ids.item()}`;
	await arena.made(ids.document('task'), { title: word });
	for (const cursor of [{ epoch: 7, seq: 1 }, { epoch: 1, seq: 2 ** 50 }, { epoch: 0, seq: 0 }]) {
		const hello = (held = digestOf([])) => encodeUp({ type: 'hello', version: WIRE_VERSION, cursor, held });
		expect(await mallory.attack('/sync', [hello(), encodeUp({ type: 'inventory', documents: [], last: true })])).toBe('open');
		expect(await mallory.attack('/sync', [hello({ count: 2 ** 40, digest: 'f'.repeat(16) })])).toBe('open');
	}
	expect(mallory.has(word)).toBe(false);
});

test('an inventory of documents that one may not read gains nothing: each is told to leave, readable or not there', async () => {
	const task = await arena.made(ids.document('task'), { title: 'hidden' });
	const absent = ids.document('task');
	const inventory = encodeUp({ type: 'inventory', documents: [[task, 1], [absent, 1]], last: true });
	const told: string[] = [];
	const end = await arena.attack('/sync', [HELLO, inventory], mallory.token, (frame) => {
		const decoded = decodeDown(frame);
		if (decoded.ok && decoded.message.type === 'lose') told.push(...decoded.message.documents);
		if (decoded.ok && decoded.message.type === 'gains') told.push(...decoded.message.snapshots.map(({ document }) => `gained ${document}`));
	});
	expect(end).toBe('open');
	expect(told.filter((line) => line.includes(task) || line.includes(absent))).toEqual([task, absent]);
});

test('an endless inventory', { timeout: 120_000 }, async () => {
	const piece = () => encodeUp({ type: 'inventory', documents: Array.from({ length: 5_000 }, () => [ids.document('task'), 1]), last: false });
	expect([4529, 'open']).toContain(await mallory.attack('/sync', [HELLO, ...Array.from({ length: 42 }, piece)]));
});

test('more submissions than the window', async () => {
	const submissions = Array.from({ length: SUBMIT_WINDOW * 40 }, () => encodeUp({ type: 'submit', batch: batchOf(commandOf(ids.document('task'), 'task.create', { title: 'x' })) }));
	expect([4529, 'open']).toContain(await mallory.attack('/sync', [HELLO, ...submissions]));
});
