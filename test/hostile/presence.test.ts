// Presence that lies, and rights that change while a page is open.

import { afterAll, beforeAll, expect, test } from 'vitest';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { pageOf, type DocumentId } from '#crdt-model/ids.ts';
import { until } from '../support/relay.ts';
import { Arena, ids, liveFrame, marker, type Hostile } from './arena.ts';

let arena: Arena;
let mallory: Hostile;
let ben: Hostile;
let text: DocumentId;
beforeAll(async () => {
	arena = await Arena.open();
	[mallory, ben] = [await arena.hostile(), await arena.honest('Ben')];
	text = await arena.relay.create(arena.ana, 'text', { title: 'Notes', place: 'company' });
}, 120_000);
afterAll(() => arena?.close());

interface Entry {
	readonly client: number;
	readonly clock: number;
	readonly state: unknown;
}
function presence(...entries: Entry[]): Uint8Array {
	const inner = encoding.createEncoder();
	encoding.writeVarUint(inner, entries.length);
	for (const { client, clock, state } of entries) {
		encoding.writeVarUint(inner, client);
		encoding.writeVarUint(inner, clock);
		encoding.writeVarString(inner, JSON.stringify(state));
	}
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, 1);
	encoding.writeVarUint8Array(encoder, encoding.toUint8Array(inner));
	return encoding.toUint8Array(encoder);
}

/** A line on `/live` made by hand: what it was shown, and how it ended. */
class Line {
	readonly shown = new Map<number, Record<string, unknown> | null>();
	readonly #socket: WebSocket;
	closeCode: number | null = null;
	closedAt = 0;
	frames = 0;
	readonly opened: Promise<void>;
	constructor(who: Hostile, document: DocumentId) {
		this.#socket = new WebSocket(`${arena.relay.socketUrl}/live/${document}`, { headers: { authorization: `Bearer ${who.token}` } });
		this.#socket.on('message', (data: Buffer) => {
			who.keep(data);
			this.frames++;
			const decoder = decoding.createDecoder(new Uint8Array(data));
			if (decoding.readVarUint(decoder) !== 1) return;
			const inner = decoding.createDecoder(decoding.readVarUint8Array(decoder));
			for (let left = decoding.readVarUint(inner); left > 0; left--) {
				const client = decoding.readVarUint(inner);
				decoding.readVarUint(inner);
				this.shown.set(client, JSON.parse(decoding.readVarString(inner)) as Record<string, unknown> | null);
			}
		});
		this.#socket.on('error', () => {});
		this.#socket.on('close', (code) => {
			this.closeCode = code;
			this.closedAt = performance.now();
		});
		this.opened = new Promise((resolve) => this.#socket.once('message', () => resolve()).once('close', () => resolve()));
	}
	say(frame: Uint8Array): void {
		if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame);
	}
	/** Everything said so far has been taken in. */
	async heard(): Promise<void> {
		await new Promise<void>((resolve) => {
			this.#socket.once('pong', () => resolve()).once('close', () => resolve());
			if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
			else resolve();
		});
		await arena.work();
	}
	nameOf(client: number): unknown {
		return (this.shown.get(client)?.['user'] as { name?: unknown } | undefined)?.name;
	}
	close(): void {
		this.#socket.close();
	}
}
async function line(who: Hostile, document = text): Promise<Line> {
	const made = new Line(who, document);
	await made.opened;
	return made;
}
let client = 4_000_000;
const nextClient = () => ++client;

test('a spoofed presence: another’s id with a clock that they can never pass', async () => {
	const [bens, hers] = [await line(ben), await line(mallory)];
	const [id, own] = [nextClient(), nextClient()];
	bens.say(presence({ client: id, clock: 1, state: { cursor: 1 } }));
	await until(() => hers.nameOf(id) === 'Ben Ionescu');
	hers.say(presence({ client: own, clock: 1, state: {} }, { client: id, clock: 99_999, state: { user: { name: 'Ben' }, cursor: 'forged' } }, { client: id, clock: 99_999, state: null }));
	await until(() => bens.shown.has(own));
	expect(bens.shown.get(id)).toMatchObject({ cursor: 1 });
	bens.say(presence({ client: id, clock: 2, state: { cursor: 2 } }));
	await until(() => (hers.shown.get(id) as { cursor?: number } | null)?.cursor === 2);
	expect([bens.closeCode, hers.closeCode]).toEqual([null, null]);
	bens.close();
	hers.close();
});

test('another’s name, person and colour: all are the relay’s to say', async () => {
	const [bens, hers] = [await line(ben), await line(mallory)];
	const id = nextClient();
	hers.say(presence({ client: id, clock: 1, state: { user: { name: 'Ana Pop', id: arena.ana.employee, color: 'red' } } }));
	await until(() => bens.shown.has(id));
	expect(bens.shown.get(id)).toMatchObject({ user: { name: 'Mallory Ionescu', id: mallory.person } });
	bens.close();
	hers.close();
});

test('an id that was shown belongs to who showed it: nobody else writes under it', async () => {
	const bens = await line(ben);
	const id = nextClient();
	bens.say(presence({ client: id, clock: 1, state: {} }));
	await bens.heard();
	const doc = new Y.Doc();
	doc.clientID = id;
	doc.getText('text').insert(0, 'as Ben');
	expect(await mallory.update(text, Y.encodeStateAsUpdate(doc))).toBe('foreign');
	bens.close();
});

test('no presence at all: truncated, a million entries claimed, no JSON, no object', async () => {
	const raw = (bytes: number[]) => {
		const encoder = encoding.createEncoder();
		encoding.writeVarUint(encoder, 1);
		encoding.writeVarUint8Array(encoder, new Uint8Array(bytes));
		return encoding.toUint8Array(encoder);
	};
	for (const bytes of [[1], [255, 255, 255, 255, 15], [1, 5, 1, 2, 123], [1, 5, 1, 1, 53], [1, 5, 1, 2, 91, 93]]) {
		const end = await mallory.attack(`/live/${text}`, [raw(bytes)]);
		expect(end).toBe(4400);
	}
});

test('a state of a megabyte, prototypes in it, and ids beyond 2^32 are shown to nobody', async () => {
	const [bens, hers] = [await line(ben), await line(mallory)];
	const [big, own] = [nextClient(), nextClient()];
	hers.say(presence({ client: big, clock: 1, state: { x: 'y'.repeat(900_000) } }));
	hers.say(presence({ client: 2 ** 40, clock: 1, state: {} }));
	hers.say(presence({ client: own, clock: 1, state: JSON.parse('{"__proto__":{"polluted":1}}') }));
	await hers.heard();
	await until(() => bens.shown.has(own));
	expect([bens.shown.has(big), bens.shown.has(2 ** 40), bens.closeCode]).toEqual([false, false, null]);
	bens.close();
	hers.close();
});

test('a flood of presence under ever new ids: a few are shown, none hides anybody', async () => {
	const [bens, hers] = [await line(ben), await line(mallory)];
	const id = nextClient();
	bens.say(presence({ client: id, clock: 1, state: {} }));
	await until(() => hers.shown.has(id));
	const seen = bens.shown.size;
	for (let i = 0; i < 2_000; i++) hers.say(presence({ client: 4_500_000 + i, clock: 1, state: { i } }, { client: 4_500_000 + i, clock: 2, state: null }));
	await hers.heard();
	bens.say(presence({ client: id, clock: 2, state: { still: 'here' } }));
	await until(() => (hers.shown.get(id) as { still?: string } | null)?.still === 'here');
	expect(bens.shown.size - seen).toBeLessThanOrEqual(16);
	bens.close();
	hers.close();
});

test('presence of a page that one may not read is neither shown nor taken', async () => {
	const hidden = await arena.relay.create(arena.ana, 'text', { title: marker('page'), place: 'mine' });
	const hers = await line(mallory, hidden);
	hers.say(presence({ client: nextClient(), clock: 1, state: {} }));
	await hers.heard();
	expect([hers.closeCode, hers.frames]).toEqual([4404, 0]);
});

/** A task with its page that Mallory may read at first; what is done then must close her line, and what is typed after it must not reach her. */
async function losing(prepare: (task: DocumentId) => Promise<void>, lose: (task: DocumentId) => Promise<void>): Promise<void> {
	const who = await arena.hostile('Mallory');
	const task = await arena.made(ids.document('task'), { title: 'Task', observers: [who.person] });
	const page = pageOf(task);
	expect(await arena.as(page, 'page.hang', { title: 'Description', on: task })).toBe('accepted');
	await prepare(task);
	const [hers, device] = [await line(who, page), await who.device()];
	await until(() => device.held.has(page));
	expect(hers.closeCode).toBe(null);
	await lose(task);
	const word = marker('after');
	const doc = new Y.Doc();
	const paragraph = new Y.XmlText();
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, paragraph);
	paragraph.insert(0, word);
	expect(await arena.truth.update(ids.batch(), page, Y.encodeStateAsUpdate(doc))).toMatchObject({ kind: 'accepted' });
	expect(await arena.as(task, 'task.setTitle', { value: word })).toBe('accepted');
	await until(() => hers.closeCode !== null);
	expect([4403, 4404]).toContain(hers.closeCode);
	await until(() => device.closeCode !== null || !device.held.has(page));
	expect((await line(who, page)).closeCode).not.toBe(null);
	expect(who.has(word)).toBe(false);
}

test('rights on an open page: the record’s audience changes', () =>
	losing(async () => {}, async (task) => {
		const row = await arena.row<{ observers: string[] }>(task);
		for (const member of row.observers) expect(await arena.as(task, 'task.removeObserver', { member })).toBe('accepted');
	}));

test('rights on an open page: the record is deleted', () =>
	losing(async () => {}, async (task) => {
		// Restored later by the administrator, so that typing after it is possible at all.
		expect(await arena.as(task, 'task.delete')).toBe('accepted');
		expect(await arena.as(task, 'task.restore')).toBe('accepted');
		const row = await arena.row<{ observers: string[] }>(task);
		for (const member of row.observers) expect(await arena.as(task, 'task.removeObserver', { member })).toBe('accepted');
	}));

test('rights on an open page: the person is dismissed', () =>
	losing(async () => {}, async (task) => {
		const [observer] = (await arena.row<{ observers: DocumentId[] }>(task)).observers;
		expect(await arena.as(observer!, 'employee.dismiss')).toBe('accepted');
	}));

test('rights on an open page: it goes from the company’s place to its maker’s own', async () => {
	const who = await arena.hostile('Mallory');
	const moving = await arena.relay.create(arena.ana, 'text', { title: 'Moving', place: 'company' });
	const hers = await line(who, moving);
	expect(await arena.as(moving, 'text.setPlace', { value: 'mine' })).toBe('accepted');
	const word = marker('after');
	const doc = new Y.Doc();
	doc.getText('text').insert(0, word);
	expect(await arena.truth.update(ids.batch(), moving, Y.encodeStateAsUpdate(doc))).toMatchObject({ kind: 'accepted' });
	await until(() => hers.closeCode !== null);
	expect([hers.closeCode, who.has(word)]).toEqual([4403, false]);
});

test('rights on an open page: a department moves away from under its head', async () => {
	const [head, agent] = [await arena.hostile('Mallory'), await arena.honest('Agent')];
	const root = [...arena.truth.held.values()].find(({ row }) => row?.kind === 'department')!.row!.id;
	const [office, team] = [ids.document('department'), ids.document('department')];
	await arena.made(office, { name: 'Office', parent: root, head: head.person });
	await arena.made(team, { name: 'Team', parent: office });
	expect(await arena.as(agent.person, 'employee.joinDepartment', { member: team })).toBe('accepted');
	const task = ids.document('task');
	expect(await agent.command(task, 'task.create', { title: 'Of the agent' })).toBe('accepted');
	const page = pageOf(task);
	expect(await agent.command(page, 'page.hang', { title: 'Description', on: task })).toBe('accepted');
	const hers = await line(head, page);
	expect(hers.closeCode, 'the head reads it').toBe(null);
	expect(await arena.as(team, 'department.move', { value: root })).toBe('accepted');
	await until(() => hers.closeCode !== null);
	expect(hers.closeCode).toBe(4403);
	const word = marker('after');
	expect(await agent.command(task, 'task.setTitle', { value: word })).toBe('accepted');
	expect(await head.command(task, 'task.setTitle', { value: 'mine' })).toBe('not-found');
	expect(head.has(word)).toBe(false);
});

test('a reader who types is told 4403, and nothing of it is there', async () => {
	const task = await arena.made(ids.document('task'), { title: 'Task', observers: [mallory.person] });
	const page = pageOf(task);
	expect(await arena.as(page, 'page.hang', { title: 'Description', on: task })).toBe('accepted');
	const hers = await line(mallory, page);
	const doc = new Y.Doc();
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, new Y.XmlText());
	hers.say(liveFrame(2, Y.encodeStateAsUpdate(doc)));
	await until(() => hers.closeCode !== null);
	expect(hers.closeCode).toBe(4403);
	expect((await arena.content(page)).get('root', Y.XmlText).toString()).toBe('');
});

test('a reader’s presence is shown and binds nothing: the writer’s id stays the writer’s', async () => {
	const task = await arena.made(ids.document('task'), { title: 'Task', observers: [mallory.person], participants: [ben.person] });
	const page = pageOf(task);
	expect(await arena.as(page, 'page.hang', { title: 'Description', on: task })).toBe('accepted');
	const hers = await line(mallory, page);
	const id = nextClient();
	hers.say(presence({ client: id, clock: 1, state: {} }));
	await until(() => hers.nameOf(id) === 'Mallory Ionescu');
	hers.close();
	const doc = new Y.Doc();
	doc.clientID = id;
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, new Y.XmlText());
	expect(await ben.update(page, Y.encodeStateAsUpdate(doc))).toBe('accepted');
});
