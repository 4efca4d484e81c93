/** Real replicas on a real portal that is restored from an older clone of its store: what comes back, and what becomes of the rest. */
import { setImmediate as tick } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { IdMaker, type DocumentId, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { decodeUp } from '#crdt-model/wire/codec.ts';
import { REOFFER_WINDOW } from '#crdt-model/wire/limits.ts';
import { MemoryRelayStore } from '#storage/memory/relay-store.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import { beginEpochs } from '#sync-server/log/restore.ts';
import type { Portal } from '#sync-server/room/portal.ts';
import { Portals } from '#sync-server/room/portals.ts';
import { addEmployee } from '#sync-server/room/relay-acts.ts';
import { Replica } from './engine.ts';
import { KEPT_RAW_MS, PRUNE_EVERY_MS } from './hand-back.ts';
import type { Transport } from './link.ts';
import { TestClock } from './testing.ts';

const KEY = new Uint8Array(32).fill(9);

let clock: TestClock;
let store: MemoryRelayStore;
let portals: Portals;
let portal: Portal;
let id: PortalId;
const ids = new IdMaker();
let [ana, bob] = [] as unknown as [PersonId, PersonId];
let frames: string[] = [];

async function open(macKey = KEY): Promise<void> {
	portals = await Portals.open({ store, macKey, now: () => clock.now });
	if (id) portal = (await portals.portal(id))!;
}

beforeEach(async () => {
	clock = new TestClock();
	store = new MemoryRelayStore();
	id = undefined as unknown as PortalId;
	frames = [];
	await open();
	const founded = await portals.found({ company: 'Acme', language: 'en', firstName: 'Ana', lastName: 'Pop', email: 'ana@acme.example' });
	({ portal, administrator: ana } = founded);
	id = portal.id;
	bob = ((await addEmployee(portal, { firstName: 'Bob', lastName: 'Ion', email: 'bob@acme.example' })) as { employee: PersonId }).employee;
});

const transport =
	(person: PersonId): Transport =>
	(events) => {
		let session: ReturnType<Portal['attachSync']> | null = null;
		let open = true;
		queueMicrotask(() => {
			if (!open) return;
			session = portal.attachSync(person, {
				send: (frame) => {
					queueMicrotask(() => open && events.frame(frame));
					return 'ok';
				},
				close: (code) => {
					if (!open) return;
					open = false;
					queueMicrotask(() => events.closed(code));
				}
			});
			if (open) events.opened();
		});
		return {
			send: (frame) => {
				const decoded = decodeUp(frame);
				if (decoded.ok) frames.push(decoded.message.type);
				if (open) void session?.receive(frame);
			},
			close: () => {
				open = false;
				session?.closed();
			}
		};
	};

async function device(person: PersonId, replicaStore = new MemoryReplicaStore()): Promise<Replica> {
	const replica = await Replica.open({ portal: id, person, store: replicaStore, now: () => clock.now, timers: clock.timers, transport: transport(person) });
	replica.connect();
	await settle(replica);
	return replica;
}
async function settle(...replicas: Replica[]): Promise<void> {
	// A commit, a judgement in its turn and a frame each take turns of the event loop; nothing waits for time.
	for (let quiet = 0; quiet < 12; quiet++) {
		await tick();
		for (const replica of replicas) {
			await replica.settled();
			const { link, word } = replica.status();
			if (link === 'admitted' && word !== 'up-to-date') quiet = 0;
		}
	}
}
/** The machine is lost, and an older one takes its place. */
async function restore(backup: MemoryRelayStore, macKey = KEY): Promise<void> {
	const above = portal.log.epoch;
	await portals.close();
	store = backup.clone();
	await beginEpochs(store, { above, at: clock.now });
	await open(macKey);
}
async function come(...replicas: Replica[]): Promise<void> {
	for (const replica of replicas) {
		replica.disconnect();
		replica.connect();
		await settle(replica);
	}
}
const stored = async (document: DocumentId) => (await portal.read(ana, document))?.row as { title?: string; number: number | null } | undefined;
async function run(replica: Replica, document: DocumentId, name: string, args: unknown): Promise<void> {
	clock.now += 1_000;
	expect((await replica.run([{ document, name, args }])).kind).toBe('kept');
	await settle(replica);
}

test('records and text that a returning device holds are back, also after its own crash', async () => {
	const disk = new MemoryReplicaStore();
	const [first, second] = [await device(ana), await device(bob, disk)];
	const [task, text] = [ids.document('task'), ids.document('text')];
	await run(first, text, 'text.create', { title: 'Notes', place: 'company' });
	const backup = store.clone();
	await run(first, task, 'task.create', { title: 'one', responsible: bob });
	await run(first, task, 'task.setTitle', { value: 'two' });
	const page = await first.openPage(text, 'tab');
	page.doc.getText('text').insert(0, 'hello');
	await page.release();
	await settle(first, second);
	first.abandon();
	second.abandon();
	await restore(backup);
	const again = await device(bob, disk.crash());
	await settle(again);
	expect(await stored(task)).toMatchObject({ title: 'two', number: 1, createdBy: ana });
	const [entry] = await portal.store.history(text, 1, 1);
	expect(entry).toMatchObject({ author: ana, returned: { docSeq: 2, by: bob } });
	expect(again.status()).toMatchObject({ word: 'up-to-date', pending: 0, aside: 0 });
	expect(await again.row(task)).toMatchObject({ title: 'two', sync: 'accepted' });
	// What comes now builds on the relay's own structs.
	await portal.submitAsRelay({ commands: [{ id: ids.command(), document: task, name: 'task.setTitle', args: { value: 'three' }, at: clock.now + 1, seen: {} }] }, ana);
	await settle(again);
	expect(await again.row(task)).toMatchObject({ title: 'three' });
});

test('what a device holds is said after what it hands back, in pieces within the window, and a broken connection goes on where it stood', async () => {
	const first = await device(ana);
	const backup = store.clone();
	const task = ids.document('task');
	await run(first, task, 'task.create', { title: 'long' });
	// A comment is in the entry twice, as bytes and as command: five of them fill a piece.
	const many = 40;
	const text = 'x'.repeat(10_000);
	for (let n = 0; n < many; n += 10) {
		expect((await first.run(Array.from({ length: 10 }, () => ({ document: task, name: 'task.comment', args: { item: ids.item(), text } })))).kind).toBe('kept');
		await settle(first);
	}
	first.disconnect();
	await restore(backup);
	frames.length = 0;
	first.connect();
	while (!frames.includes('reoffer')) await Promise.resolve();
	first.disconnect();
	await settle(first);
	const taken = (await portal.store.history(task, 0, 10_000)).length;
	expect(taken).toBeLessThan(many + 1);
	first.connect();
	await settle(first);
	expect(frames.slice(frames.lastIndexOf('hello'))).toEqual(['hello', ...frames.filter((frame, at) => frame === 'reoffer' && at > frames.lastIndexOf('hello')), 'inventory']);
	expect(frames.filter((frame) => frame === 'reoffer').length).toBeGreaterThan(REOFFER_WINDOW);
	expect(await portal.store.history(task, 0, 10_000)).toHaveLength(many + 1);
	frames.length = 0;
	await come(first);
	expect(frames).toEqual(['hello']);
});

test('a second restore of the same backup gets it all again', async () => {
	const first = await device(ana);
	const backup = store.clone();
	const task = ids.document('task');
	await run(first, task, 'task.create', { title: 'one' });
	await restore(backup);
	await come(first);
	await run(first, task, 'task.setTitle', { value: 'two' });
	await restore(backup);
	await come(first);
	expect(portal.log.epoch).toBe(3);
	expect(await stored(task)).toMatchObject({ title: 'two' });
	expect((await portal.store.history(task, 0, 100)).map(({ command }) => command?.name)).toEqual(['task.create', 'task.setTitle']);
});

test('what builds on another device’s entry waits on this one and goes with it', async () => {
	const [first, second] = [await device(ana), await device(bob)];
	const backup = store.clone();
	const task = ids.document('task');
	await run(first, task, 'task.create', { title: 'one' });
	// Bob's device is past this when it gains the task, so that it gets the task whole.
	portal.heartbeat();
	await run(first, task, 'task.addParticipant', { member: bob });
	await settle(second);
	await run(second, task, 'task.comment', { item: ids.item(), text: 'said by Bob' });
	await settle(first);
	await restore(backup);
	// Bob's device got the task whole, so it cannot prove how it was made.
	await come(second);
	expect(await stored(task)).toBeUndefined();
	expect(await second.row(task)).toBeNull();
	second.disconnect();
	// Ana never heard of the comment: her device was cut before.
	await first.store.transact(async (tx) => {
		const last = (await tx.rawAfter(null, 1_000)).at(-1)!;
		await tx.dropRaw([last]);
	});
	await come(first);
	expect(await stored(task)).toMatchObject({ title: 'one' });
	second.connect();
	await settle(second, first);
	expect((await portal.store.history(task, 0, 100)).map(({ author, command }) => [author, command?.name])).toEqual([[ana, 'task.create'], [ana, 'task.addParticipant'], [bob, 'task.comment']]);
	expect((await first.state(task)).size).toBe((await second.state(task)).size);
});

test('waiting entries go at once when the missing ones come to the same open connection', async () => {
	const [first, second] = [await device(ana), await device(bob)];
	const backup = store.clone();
	const task = ids.document('task');
	await run(first, task, 'task.create', { title: 'one' });
	// Bob's device is past this when it gains the task, so that it gets the task whole.
	portal.heartbeat();
	await run(first, task, 'task.addParticipant', { member: bob });
	await settle(second);
	await run(second, task, 'task.comment', { item: ids.item(), text: 'said by Bob' });
	await first.store.transact(async (tx) => tx.dropRaw([(await tx.rawAfter(null, 1_000)).at(-1)!]));
	first.disconnect();
	await restore(backup);
	await come(second);
	first.connect();
	await settle(first, second);
	expect((await portal.store.history(task, 0, 100)).map(({ command }) => command?.name)).toEqual(['task.create', 'task.addParticipant', 'task.comment']);
});

test('without the key nothing is believed: own work is judged anew and before what was made after it, other people’s is gone', async () => {
	const [first, second] = [await device(ana), await device(bob)];
	const backup = store.clone();
	const [task, text] = [ids.document('task'), ids.document('text')];
	await run(first, task, 'task.create', { title: 'one', responsible: bob });
	await run(first, text, 'text.create', { title: 'Notes', place: 'company' });
	const page = await first.openPage(text, 'tab');
	page.doc.getText('text').insert(0, 'hello');
	await page.release();
	await settle(first, second);
	first.disconnect();
	await run(first, task, 'task.setTitle', { value: 'made offline' });
	await restore(backup, new Uint8Array(32).fill(1));
	await come(second);
	expect(await stored(task)).toBeUndefined();
	await come(first);
	expect(await stored(task)).toMatchObject({ title: 'made offline', createdBy: ana });
	expect((await portal.store.history(task, 0, 100)).map(({ returned }) => returned)).toEqual([null, null]);
	const [loaded] = await portal.store.load([text]);
	expect(loaded!.docSeq).toBe(2);
	expect(first.status()).toMatchObject({ pending: 0, aside: 0, word: 'up-to-date' });
	expect(await first.store.read((reads) => reads.rawAfter({ epoch: 1, seq: 0 }, 100)).then((raw) => raw.filter(({ fate }) => fate?.was === 'refused'))).toEqual([]);
});

test('an entry that somebody changed on the device is refused, and only its author’s own is tried as new work', async () => {
	const second = await device(bob);
	const backup = store.clone();
	const task = ids.document('task');
	await portal.submitAsRelay({ commands: [{ id: ids.command(), document: task, name: 'task.create', args: { title: 'true', responsible: bob }, at: clock.now, seen: {} }] }, ana);
	await settle(second);
	second.disconnect();
	await second.store.transact(async (tx) => {
		const last = (await tx.rawAfter(null, 1_000)).at(-1)!;
		const command = { ...last.sealed.command!, args: { title: 'forged', responsible: bob } };
		await tx.putRaw([{ ...last, sealed: { ...last.sealed, command } }]);
	});
	await restore(backup);
	await come(second);
	expect(await stored(task)).toBeUndefined();
	expect(second.status()).toMatchObject({ pending: 0, aside: 0 });
});

test('a device that died between the answer and its conclusion draws it at its next start', async () => {
	const disk = new MemoryReplicaStore();
	const second = await device(bob, disk);
	const backup = store.clone();
	const task = ids.document('task');
	await run(second, task, 'task.create', { title: 'mine' });
	second.abandon();
	await disk.transact(async (tx) => tx.putRaw([{ ...(await tx.rawAfter(null, 1_000)).at(-1)!, fate: { epoch: 2, was: 'refused' } }]));
	await restore(backup, new Uint8Array(32).fill(1));
	await device(bob, disk.crash());
	expect(await stored(task)).toMatchObject({ title: 'mine', createdBy: bob });
});

test('entries older than any backup are forgotten; what no relay took and is the person’s own is sent as new work, whose answer they see', async () => {
	const second = await device(bob);
	const backup = store.clone();
	const task = ids.document('task');
	await run(second, task, 'task.create', { title: 'mine' });
	await run(second, task, 'task.setTitle', { value: 'mine too' });
	const raws = () => second.store.read((reads) => reads.rawAfter(null, 10_000));
	await second.store.transact(async (tx) => tx.dropRaw([(await tx.rawAfter(null, 1_000)).at(-2)!]));
	await restore(backup);
	await come(second);
	expect((await raws()).map(({ fate }) => fate)).toEqual([{ epoch: 2, was: 'waiting' }]);
	clock.now += KEPT_RAW_MS + PRUNE_EVERY_MS;
	await portal.submitAsRelay({ commands: [{ id: ids.command(), document: ids.document('task'), name: 'task.create', args: { title: 'of Ana' }, at: clock.now, seen: {} }] }, ana);
	portal.heartbeat();
	await settle(second);
	expect(await raws()).toEqual([]);
	expect(await second.aside()).toMatchObject([{ kind: 'command', reason: { code: 'not-found' }, after: [{ path: 'title', value: 'mine too' }] }]);
});
