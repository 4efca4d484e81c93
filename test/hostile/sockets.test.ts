/**
 * A client made by hand against a real relay over real sockets: bad frames, forged ids, bombs. Every one ends in a refusal of the closed list or in
 * a close code; the process lives, its memory stays bounded, and somebody who works beside it notices nothing.
 */
import { readFileSync } from 'node:fs';
import * as encoding from 'lib0/encoding';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { IdMaker, type CommandId, type DocumentId } from '#crdt-model/ids.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { MAX_FRAME_BYTES, SUBMIT_WINDOW } from '#crdt-model/wire/limits.ts';
import { REFUSAL_CODES } from '#crdt-model/wire/refusal.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { seeded } from '../support/random.ts';
import { TestRelay, until, type SignedIn } from '../support/relay.ts';
import { SyncClient } from '../support/sync-client.ts';

const ids = new IdMaker();
const HELLO = encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: null, held: digestOf([]) });
/** The relay's own codes, and what WebSocket itself says of a frame that is too large (1009) or of a line that is cut (1006). */
const CLOSE_CODES = new Set([1006, 1009, 4400, 4401, 4403, 4404, 4409, 4426, 4503, 4508, 4529]);
/** The relay rests near 150 MB; an attack that is answered by memory is found long before this. */
const MEMORY_CEILING_BYTES = 700 * 1024 * 1024;

let relay: TestRelay;
let ana: SignedIn;
let mallory: SignedIn;
let bystander: SyncClient;
let text: DocumentId;
let task: DocumentId;

beforeAll(async () => {
	relay = await TestRelay.start();
	ana = await relay.register();
	mallory = await relay.hire(ana, 'mallory@acme.example', 'Mallory');
	text = await relay.create(ana, 'text', { title: 'Notes', place: 'company' });
	task = await relay.create(ana, 'task', { title: 'Private' });
	bystander = new SyncClient(relay.socketUrl, ana.token);
	await bystander.connect();
}, 120_000);
afterAll(async () => {
	bystander?.close();
	await relay?.remove();
});

/** Sends frames on a connection of its own and says how that ended; `open` when the relay had no objection. */
async function attack(path: string, frames: readonly (Uint8Array | string)[], token: string | null = mallory.token): Promise<number | 'open'> {
	const socket = new WebSocket(`${relay.socketUrl}${path}`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
	let code: number | null = null;
	socket.on('close', (closed) => (code = closed));
	socket.on('error', () => {});
	await new Promise<void>((resolve) => socket.once('open', resolve).once('close', () => resolve()));
	for (const frame of frames) if (socket.readyState === WebSocket.OPEN) socket.send(frame);
	// What was sent has been judged when a frame that needs no answer has passed behind it.
	await new Promise<void>((resolve) => {
		socket.once('pong', () => resolve()).once('close', () => resolve());
		if (socket.readyState === WebSocket.OPEN) socket.ping();
		else resolve();
	});
	await work();
	if (code === null) {
		socket.close();
		return 'open';
	}
	return code;
}

/** Somebody beside it goes on working, and sees it done. Answers with the id of what they did. */
async function work(): Promise<CommandId> {
	const id = ids.command();
	const result = await bystander.submit({
		id: ids.batch(),
		commands: [{ id, document: task, name: 'task.setTitle', args: { value: `at work ${id.slice(-6)}` }, at: Date.now(), seen: {} }]
	});
	expect(result?.kind).toBe('accepted');
	expect(bystander.seenCommands.has(id)).toBe(true);
	return id;
}

function residentBytes(): number {
	return Number(readFileSync(`/proc/${relay.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
}

/** A frame of y-websocket: sync message with its step. */
function liveFrame(step: number, bytes: Uint8Array): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, 0);
	encoding.writeVarUint(encoder, step);
	encoding.writeVarUint8Array(encoder, bytes);
	return encoding.toUint8Array(encoder);
}

function nested(depth: number): Uint8Array {
	// lib0's tag of an array with one element, over and over.
	const bytes = new Uint8Array(depth * 2).fill(1);
	for (let i = 0; i < depth; i++) bytes[i * 2] = 117;
	return bytes;
}

describe('/sync', () => {
	it('frames that are no messages close that connection alone', { timeout: 240_000 }, async () => {
		const random = seeded(7);
		const noise = Array.from({ length: 40 }, () => random.bytes(new Uint8Array(1 + random.below(300))));
		for (const frame of noise) expect(await attack('/sync', [frame])).toBe(4400);
		for (let cut = 0; cut < HELLO.byteLength; cut += 3) expect(await attack('/sync', [HELLO.subarray(0, cut)])).toBe(4400);
		expect(await attack('/sync', ['hello'])).toBe(4400);
		expect(await attack('/sync', [nested(400_000)])).toBe(4400);
		expect(await attack('/sync', [new Uint8Array(MAX_FRAME_BYTES + 1)])).toBe(4409);
		expect(CLOSE_CODES).toContain(await attack('/sync', [new Uint8Array(8 * MAX_FRAME_BYTES)]));
	});

	it('messages out of order', async () => {
		const submit = encodeUp({ type: 'submit', batch: { id: ids.batch(), commands: [{ id: ids.command(), document: task, name: 'task.delete', args: {}, at: 1, seen: {} }] } });
		expect(await attack('/sync', [submit])).toBe(4400);
		expect(await attack('/sync', [HELLO, HELLO])).toBe(4400);
		expect(await attack('/sync', [encodeUp({ type: 'inventory', documents: [], last: true })])).toBe(4400);
		expect(await attack('/sync', [encodeUp({ type: 'hello', version: 99, cursor: null, held: digestOf([]) })])).toBe(4426);
		expect(await attack('/sync', [HELLO], null)).toBe(4401);
		expect(await attack('/sync', [HELLO], 'a token that is none')).toBe(4401);
		expect(await attack(`/sync?token=${mallory.token}`, [HELLO], null)).toBe(4401);
	});

	it('more submissions than the window', async () => {
		const submissions = Array.from({ length: SUBMIT_WINDOW * 40 }, () =>
			encodeUp({ type: 'submit', batch: { id: ids.batch(), commands: [{ id: ids.command(), document: ids.document('task'), name: 'task.create', args: { title: 'x' }, at: 1, seen: {} }] } })
		);
		expect([4529, 'open']).toContain(await attack('/sync', [HELLO, ...submissions]));
	});

	it('commands that are not hers, are none, or do not fit are refused from the closed list', async () => {
		const client = new SyncClient(relay.socketUrl, mallory.token);
		await client.connect();
		const own = ids.document('task');
		const command = (document: DocumentId, name: string, args: unknown, more = {}) => ({
			id: ids.batch(),
			commands: [{ id: ids.command(), document, name, args, at: Date.now(), seen: {}, ...more }]
		});
		await client.submit(command(own, 'task.create', { title: 'own' }));
		const refused: [string, string, Parameters<SyncClient['submit']>[0]][] = [
			['a record she may not read', 'not-found', command(task, 'task.setTitle', { value: 'mine' })],
			['a record she may not read, to be made again', 'not-found', command(task, 'task.create', { title: 'probe' })],
			['a record that is not there', 'not-found', command(ids.document('task'), 'task.setTitle', { value: 'x' })],
			['no such command', 'unknown-command', command(own, 'task.becomeKing', {})],
			['a command of another kind', 'unknown-command', command(own, 'deal.setAmount', { value: 1 })],
			['constructor as a verb', 'unknown-command', command(own, 'task.constructor', {})],
			['a value of another type', 'bad-value', command(own, 'task.setTitle', { value: { $gt: '' } })],
			['a prototype in the arguments', 'bad-value', command(own, 'task.addItem', JSON.parse('{"__proto__":{"done":true},"item":"x"}'))],
			['another company', 'denied', command(mallory.employee, 'employee.setAdministrator', { value: true })],
			["somebody else's deal, handed to her", 'denied', command(ids.document('deal'), 'deal.create', { title: 'x', responsible: ana.employee })]
		];
		for (const [what, code, batch] of refused) {
			const result = await client.submit(batch);
			if (result === null) {
				// A frame that lib0 will not even carry ends the connection, which is an answer as well.
				expect(client.closeCode, what).toBe(4400);
				await client.connect();
				continue;
			}
			expect(result.kind === 'refused' && result.refusal.code, what).toBe(code);
			expect(REFUSAL_CODES).toContain(code);
		}
		client.close();
		await work();
	});

	it("another person's command id, and one's own again", async () => {
		const client = new SyncClient(relay.socketUrl, mallory.token);
		await client.connect();
		const stolen = await work();
		const own = ids.document('task');
		const batch = { id: ids.batch(), commands: [{ id: stolen, document: own, name: 'task.create', args: { title: 'x' }, at: 1, seen: {} }] };
		expect(await client.submit(batch)).toMatchObject({ kind: 'refused', refusal: { code: 'malformed' } });
		const create = { id: ids.batch(), commands: [{ id: ids.command(), document: own, name: 'task.create', args: { title: 'x' }, at: 1, seen: {} }] };
		const first = await client.submit(create);
		expect(first?.kind).toBe('accepted');
		expect(await client.submit({ ...create, id: ids.batch() })).toEqual(first);
		client.close();
	});
});

describe('page updates, over /sync and /live', () => {
	const typed = () => {
		const doc = new Y.Doc();
		const held = bystander.held.get(text);
		if (held) Y.applyUpdate(doc, Y.encodeStateAsUpdate(held.doc));
		const before = Y.encodeStateVector(doc);
		doc.getText('text').insert(0, 'hello from a hand-made client');
		return { doc, update: Y.encodeStateAsUpdate(doc, before) };
	};

	it('truncated at every byte, V2, bombs, foreign roots: refused, and nothing of it is in the document', { timeout: 240_000 }, async () => {
		const client = new SyncClient(relay.socketUrl, mallory.token);
		await client.connect();
		const send = async (bytes: Uint8Array) => {
			const result = await client.update(ids.batch(), text, bytes);
			if (result === null) await client.connect();
			return result?.kind === 'refused' ? result.refusal.code : (result?.kind ?? 'closed');
		};
		const { update } = typed();
		for (let cut = 0; cut < update.byteLength; cut++) expect(['malformed', 'too-large', 'bad-shape', 'gap'], `cut at ${cut}`).toContain(await send(update.subarray(0, cut)));
		const v2 = new Y.Doc();
		v2.getText('text').insert(0, 'v2');
		expect(['malformed', 'bad-shape', 'too-large']).toContain(await send(Y.encodeStateAsUpdateV2(v2)));
		// 2^25 structs claimed in nine bytes; a GC struct of a million under somebody's id; a clock at the end of the world.
		for (const bomb of [
			[1, 0x80, 0x80, 0x80, 0x10, 1, 0, 0, 0],
			[1, 1, 5, 0, 0, 0xc0, 0x84, 0x3d, 0],
			[1, 1, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1, 0]
		]) {
			expect(['malformed', 'too-large', 'bad-shape', 'gap', 'foreign']).toContain(await send(new Uint8Array(bomb)));
		}
		const fields = new Y.Doc();
		fields.getMap('record').set('title', ['mine', 1, mallory.employee, ids.command()]);
		expect(await send(Y.encodeStateAsUpdate(fields))).toBe('bad-shape');
		const roots = new Y.Doc();
		for (let i = 0; i < 500; i++) roots.getMap(`root${i}`).set('x', 1);
		expect(await send(Y.encodeStateAsUpdate(roots))).toBe('bad-shape');
		const depends = new Y.Doc();
		depends.getText('text').insert(0, 'a');
		const later = Y.encodeStateVector(depends);
		depends.getText('text').insert(1, 'b');
		expect(await send(Y.encodeStateAsUpdate(depends, later))).toBe('gap');

		const fresh = new SyncClient(relay.socketUrl, ana.token);
		await fresh.connect();
		const { doc, row } = fresh.held.get(text)!;
		expect(doc.getText('text').toString()).toBe('');
		expect(row).toMatchObject({ title: 'Notes' });
		expect(doc.store.pendingStructs).toBe(null);
		fresh.close();
		client.close();
		await work();
	});

	it('content under an id that is another person’s, and the same clock twice', async () => {
		const anas = typed();
		expect(await bystander.update(ids.batch(), text, anas.update)).toMatchObject({ kind: 'accepted' });
		const client = new SyncClient(relay.socketUrl, mallory.token);
		await client.connect();
		const forged = new Y.Doc();
		Y.applyUpdate(forged, Y.encodeStateAsUpdate(anas.doc));
		forged.clientID = anas.doc.clientID;
		const before = Y.encodeStateVector(forged);
		forged.getText('text').insert(0, 'as Ana: ');
		expect(await client.update(ids.batch(), text, Y.encodeStateAsUpdate(forged, before))).toMatchObject({ kind: 'refused', refusal: { code: 'foreign' } });

		const mine = typed();
		expect(await client.update(ids.batch(), text, mine.update)).toMatchObject({ kind: 'accepted' });
		const twin = new Y.Doc();
		twin.clientID = mine.doc.clientID;
		twin.getText('text').insert(0, 'x'.repeat(29));
		expect(await client.update(ids.batch(), text, Y.encodeStateAsUpdate(twin))).toMatchObject({ kind: 'refused', refusal: { code: 'clock-reuse' } });
		client.close();
	});

	it('/live: noise, wrong steps, huge state vectors, documents that are not hers', { timeout: 240_000 }, async () => {
		const random = seeded(11);
		const path = `/live/${text}`;
		for (let i = 0; i < 40; i++) {
			const end = await attack(path, [random.bytes(new Uint8Array(1 + random.below(200)))]);
			if (end !== 'open') expect(CLOSE_CODES).toContain(end);
		}
		expect(await attack(path, [liveFrame(7, new Uint8Array(3))])).toBe(4400);
		expect(await attack(path, [liveFrame(0, new Uint8Array(500_000).fill(0xff))])).toBe(4400);
		expect(await attack(path, [liveFrame(2, new Uint8Array([1, 2, 3]))])).toBe(4409);
		expect(await attack(`/live/${task}`, [])).toBe(4404);
		expect(await attack(`/live/${ids.document('text')}`, [])).toBe(4404);
		expect(await attack('/live/..%2f..%2fetc%2fpasswd', [])).toBe(4404);
		expect(await attack(path, [], null)).toBe(4401);
	});

	it('a flood slows only its sender, and memory stays bounded', { timeout: 240_000 }, async () => {
		const { update } = typed();
		const flood = Array.from({ length: 60_000 }, () => liveFrame(2, update));
		expect(CLOSE_CODES).toContain(await attack(`/live/${text}`, flood));
		const large = encodeUp({ type: 'update', id: 'x', document: text, bytes: new Uint8Array(200 * 1024) });
		await attack('/sync', [HELLO, ...Array.from({ length: 500 }, () => large)]);
		await until(() => residentBytes() < MEMORY_CEILING_BYTES, 60_000);
		await work();
	});

	it('the same process has been answering all along', async () => {
		expect((await fetch(`${relay.url}/healthz`)).status).toBe(200);
		expect(bystander.closeCode).toBe(null);
		expect(relay.output).not.toMatch(/TypeError|RangeError|ReferenceError/);
	});
});
