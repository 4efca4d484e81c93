// The replica against a small relay: what is said between them, and what the person sees.
import { describe, expect, test } from 'vitest';
import { IdMaker, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { TaskRow } from '#crdt-model/kinds/task.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { refuse } from '#crdt-model/wire/refusal.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { MAX_BACKOFF_MS, SILENCE_MS } from './link.ts';
import { Replica } from './engine.ts';
import { FakeRelay, PORTAL, seededBytes, TestClock } from './testing.ts';

function world() {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const makes = new IdMaker(() => clock.now, seededBytes(99));
	const ana = makes.document('employee') as PersonId;
	const bob = makes.document('employee') as PersonId;
	const open = (store: MemoryReplicaStore, seed = 1, name = 'ana', person = ana) =>
		Replica.open({ portal: PORTAL, person, store, transport: relay.transport(name, person), now: () => clock.now, timers: clock.timers, random: seededBytes(seed) });
	return { clock, relay, ana, bob, open };
}

/** Lets microtasks run until the replica has nothing left to do. */
async function calm(...replicas: Replica[]): Promise<void> {
	for (let i = 0; i < 5; i++) {
		for (const replica of replicas) await replica.settled();
		await new Promise((resolve) => setImmediate(resolve));
	}
}

const task = async (replica: Replica, id: DocumentId) => (await replica.row(id)) as (StoredRow & TaskRow) | null;

async function created(replica: Replica, title = 'Write the offer'): Promise<DocumentId<'task'>> {
	const id = replica.ids.document('task');
	const result = await replica.run([{ document: id, name: 'task.create', args: { title } }]);
	expect(result.kind).toBe('kept');
	return id;
}

test('[P9] who is online is what the relay says, and without a connection it is not known', async () => {
	const { relay, ana, bob, open } = world();
	const replica = await open(new MemoryReplicaStore());
	const here = () => [replica.status().online && [...replica.status().online!], replica.status().waiting];
	replica.connect();
	await calm(replica);
	expect(here(), 'nothing was said').toEqual([null, null]);
	relay.send(ana, { type: 'online', whole: true, here: [ana], gone: [] });
	relay.send(ana, { type: 'waiting', people: 2 });
	relay.send(ana, { type: 'online', here: [bob], gone: [] });
	await calm(replica);
	expect(here()).toEqual([[ana, bob], 2]);
	relay.send(ana, { type: 'online', here: [], gone: [ana] });
	await calm(replica);
	expect(here()).toEqual([[bob], 2]);
	relay.send(ana, { type: 'online', whole: true, here: [ana], gone: [] });
	await calm(replica);
	expect(here()).toEqual([[ana], 2]);
	replica.disconnect();
	expect(here()).toEqual([null, null]);
});

describe('a record made on the device', () => {
	test('[P1] [R6] made offline, kept over a restart, accepted when the relay is there', async () => {
		const { clock, relay, open } = world();
		const store = new MemoryReplicaStore();
		relay.online = false;
		const before = await open(store);
		before.connect();
		const id = await created(before);
		await before.run([{ document: id, name: 'task.setDeadline', args: { value: '2026-11-30' } }]);
		await calm(before);
		expect(await task(before, id)).toMatchObject({ title: 'Write the offer', deadline: '2026-11-30', number: null, sync: 'kept' });
		expect(before.status()).toMatchObject({ word: 'on-device', pending: 2 });

		relay.online = true;
		const after = await open(store.crash(), 2);
		expect(await task(after, id)).toMatchObject({ deadline: '2026-11-30', sync: 'kept' });
		after.connect();
		await calm(after);
		expect(relay.conversation).toEqual([
			'ana → relay | hello anew holding 0',
			'relay → ana | welcome inventory',
			'ana → relay | inventory 0 last',
			'relay → ana | gains 0 up to 0',
			'ana → relay | submit task.create',
			'relay → ana | entries task.create up to 1',
			'relay → ana | answer accepted 1',
			'ana → relay | submit task.setDeadline',
			'relay → ana | entries task.setDeadline up to 2',
			'relay → ana | answer accepted 2'
		]);
		expect(await task(after, id)).toMatchObject({ number: 1, deadline: '2026-11-30', sync: 'accepted' });
		expect(after.status()).toMatchObject({ word: 'up-to-date', pending: 0, aside: 0 });
		clock.pass(1);
	});

	test('[P2] [P3] a lost answer: sent again, taken once', async () => {
		const { clock, relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		relay.swallow = (message) => message.type === 'answer' || message.type === 'entries';
		const id = await created(replica);
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ sync: 'sent', number: null });
		relay.swallow = () => false;
		relay.cut();
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ sync: 'kept' });
		clock.pass(MAX_BACKOFF_MS);
		await calm(replica);
		expect(relay.log).toHaveLength(1);
		expect(await task(replica, id)).toMatchObject({ sync: 'accepted', number: 1 });
		expect(replica.status()).toMatchObject({ pending: 0, aside: 0, word: 'up-to-date' });
	});

	test('[P9] an answer without its entry: still on its way until the cursor has passed it', async () => {
		const { relay, ana, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		relay.swallow = (message) => message.type === 'entries';
		const id = await created(replica);
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ sync: 'sent' });
		expect(replica.status()).toMatchObject({ pending: 1 });
		relay.swallow = () => false;
		relay.send(ana, { type: 'entries', entries: [...relay.log], cursor: { epoch: 1, seq: 1 } });
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ sync: 'accepted' });
		expect(replica.status()).toMatchObject({ pending: 0 });
	});

	test('[R4] many commands: in order of making, no more than the window under way', async () => {
		const { relay, open } = world();
		relay.online = false;
		const store = new MemoryReplicaStore();
		const before = await open(store);
		const id = await created(before);
		for (let i = 0; i < 100; i++) await before.run([{ document: id, name: 'task.setTitle', args: { value: `Title ${i}` } }]);
		relay.online = true;
		const after = await open(store.crash(), 2);
		after.connect();
		await calm(after);
		expect(relay.log.map((entry) => (entry.command!.args as { value?: string }).value).slice(1)).toEqual(Array.from({ length: 100 }, (_, i) => `Title ${i}`));
		expect(await task(after, id)).toMatchObject({ title: 'Title 99', sync: 'accepted' });
	});
});

describe('refusals', () => {
	test('[P3] refused: set aside with reason, before and after; what was made later on the record stands', async () => {
		const { relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await created(replica);
		await calm(replica);
		relay.judge = (what) => ('name' in what && what.name === 'task.setTitle' ? refuse('denied', 'task.people-change', { rule: 'task.people-change' }) : null);
		replica.disconnect();
		await replica.run([{ document: id, name: 'task.setTitle', args: { value: 'Mine' } }]);
		await replica.run([{ document: id, name: 'task.setDeadline', args: { value: '2026-12-24' } }]);
		expect(await task(replica, id)).toMatchObject({ title: 'Mine', deadline: '2026-12-24', sync: 'kept' });
		replica.connect();
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ title: 'Write the offer', deadline: '2026-12-24', sync: 'accepted', aside: true });
		const [item] = await replica.aside();
		expect(item).toMatchObject({
			kind: 'command', document: id, title: 'Write the offer', reason: { code: 'denied' },
			before: [{ path: 'title', value: 'Write the offer' }], after: [{ path: 'title', value: 'Mine' }]
		});
		expect(await replica.copyText(item!.id)).toBe('Mine');

		relay.judge = () => null;
		expect(await replica.bringBack(item!.id)).toMatchObject({ kind: 'kept' });
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ title: 'Mine', sync: 'accepted', aside: false });
		expect(await replica.aside()).toEqual([]);
	});

	test('[P3] a refused batch: one item per command, the innocent ones said so', async () => {
		const { relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await created(replica);
		await calm(replica);
		relay.judge = (what) => ('name' in what && what.name === 'task.setDeadline' ? refuse('denied', 'x') : null);
		await replica.run([
			{ document: id, name: 'task.setDeadline', args: { value: '2026-12-24' } },
			{ document: id, name: 'task.setPriority', args: { value: 'high' } }
		]);
		await calm(replica);
		const items = await replica.aside();
		expect(items.map((item) => (item.kind === 'command' ? `${item.command.name} ${item.reason.code}` : '')).sort()).toEqual([
			'task.setDeadline denied',
			'task.setPriority batch'
		]);
		expect(replica.status()).toMatchObject({ pending: 0, aside: 2 });
	});

	test('[P3] put off: kept, sent again after a pause, and what depends on it is not lost', async () => {
		const { clock, relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		let busy = true;
		relay.judge = (what) => (busy && 'name' in what && what.name === 'task.create' ? refuse('too-much', 'later') : null);
		const id = replica.ids.document('task');
		const runs = [
			replica.run([{ document: id, name: 'task.create', args: { title: 'A' } }]),
			replica.run([{ document: id, name: 'task.setTitle', args: { value: 'B' } }])
		];
		await Promise.all(runs);
		await calm(replica);
		expect(await replica.aside()).toEqual([]);
		busy = false;
		clock.pass(1_000);
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ title: 'B', sync: 'accepted' });
		expect(await replica.aside()).toEqual([]);
	});

	test('[P4] what would be refused for sure is said at once and not stored', async () => {
		const { open } = world();
		const replica = await open(new MemoryReplicaStore());
		const id = replica.ids.document('task');
		expect(await replica.run([{ document: id, name: 'task.create', args: { title: '' } }])).toMatchObject({ kind: 'refused', refusal: { code: 'bad-value' } });
		expect(await replica.run([{ document: id, name: 'task.setTitle', args: { value: 'x' } }])).toMatchObject({ kind: 'refused', refusal: { code: 'not-found' } });
		expect(await replica.pending()).toEqual([]);
		expect(await replica.row(id)).toBeNull();
	});

	test('[P3] overruled by a later author: told, and one step brings it back', async () => {
		const { clock, relay, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await created(replica);
		await calm(replica);
		const made = relay.log[0]!.command!.id;
		await replica.run([{ document: id, name: 'task.setTitle', args: { value: 'Mine' } }]);
		await calm(replica);
		clock.pass(5);
		relay.does(bob, id, 'task.setTitle', { value: 'Theirs' }, { title: made });
		await calm(replica);
		const [notice] = await replica.aside();
		expect(notice).toMatchObject({ kind: 'overruled', path: 'title', mine: 'Mine', theirs: 'Theirs', by: bob });
		expect(await replica.bringBack(notice!.id)).toMatchObject({ kind: 'kept' });
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ title: 'Mine', sync: 'accepted' });
	});
});

describe('work on what somebody deleted meanwhile', () => {
	test('[P3] a deleted record: field, comment and checklist item come back as target-gone, with the words', async () => {
		const { relay, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await created(replica);
		await calm(replica);
		replica.disconnect();
		const item = replica.ids.item();
		await replica.run([{ document: id, name: 'task.setDeadline', args: { value: '2026-12-24' } }]);
		await replica.run([{ document: id, name: 'task.comment', args: { item, text: 'A thought' } }]);
		await replica.run([{ document: id, name: 'task.addItem', args: { item, text: 'One more step', position: 'a0' } }]);
		relay.does(bob, id, 'task.delete', {});
		replica.connect();
		await calm(replica);
		const items = await replica.aside();
		expect(items.map((one) => one.kind === 'command' && [one.command.name, one.reason.code])).toEqual(
			expect.arrayContaining([['task.setDeadline', 'target-gone'], ['task.comment', 'target-gone'], ['task.addItem', 'target-gone']])
		);
		const texts = await Promise.all(items.map((one) => replica.copyText(one.id)));
		for (const words of ['2026-12-24', 'A thought', 'One more step']) expect(texts.join('\n')).toContain(words);
		expect(await task(replica, id)).toMatchObject({ deleted: true, deadline: null, aside: true });
	});

	test('[P3] a deleted checklist item or comment: only the work on it comes back', async () => {
		const { relay, ana, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await created(replica);
		const [step, comment] = [replica.ids.item(), replica.ids.item()];
		await replica.run([{ document: id, name: 'task.addItem', args: { item: step, text: 'Call', position: 'a0' } }]);
		await replica.run([{ document: id, name: 'task.comment', args: { item: comment, text: 'First words' } }]);
		await calm(replica);
		replica.disconnect();
		await replica.run([{ document: id, name: 'task.editItem', args: { item: step, text: 'Call them at nine' } }]);
		await replica.run([{ document: id, name: 'task.editComment', args: { item: comment, text: 'Better words' } }]);
		await replica.run([{ document: id, name: 'task.setTitle', args: { value: 'Write the best offer' } }]);
		const seen = Object.fromEntries([...(await replica.state(id))].map(([path, cell]) => [path, cell.command]));
		relay.does(bob, id, 'task.removeItem', { item: step }, seen);
		relay.does(ana, id, 'task.removeComment', { item: comment }, seen);
		replica.connect();
		await calm(replica);
		const items = await replica.aside();
		expect(items.map((one) => one.kind === 'command' && [one.command.name, one.reason.code]).sort()).toEqual([['task.editComment', 'target-gone'], ['task.editItem', 'target-gone']]);
		expect((await Promise.all(items.map((one) => replica.copyText(one.id)))).join('\n')).toMatch(/Better words|Call them at nine/u);
		expect(await task(replica, id)).toMatchObject({ title: 'Write the best offer', itemsTotal: 0 });
	});
});

describe('rows of another version', () => {
	const spoil = (store: MemoryReplicaStore, id: DocumentId, title: string) =>
		store.transact(async (tx) => {
			await tx.putRows([{ ...(await tx.rows([id])).get(id)!, title } as StoredRow]);
			const meta = await tx.meta();
			await tx.setMeta({ ...meta, rows: { ...meta.rows, task: 0 } });
		});

	test('[P1] what an older app made is made anew from what the device holds, offline too, and once', async () => {
		const { relay, open } = world();
		let store = new MemoryReplicaStore();
		const before = await open(store);
		before.connect();
		const id = await created(before, 'Accepted');
		await calm(before);
		await before.remade();
		relay.online = false;
		await before.run([{ document: id, name: 'task.setTitle', args: { value: 'Pending' } }]);
		const restarted = async (seed: number) => {
			const replica = await open((store = store.crash()), seed);
			replica.connect();
			await replica.remade();
			return replica;
		};
		await spoil(store, id, 'as it was made once');
		expect(await task(await restarted(2), id)).toMatchObject({ title: 'Pending' });
		await store.transact(async (tx) => tx.putRows([{ ...(await tx.rows([id])).get(id)!, title: 'left alone' } as StoredRow]));
		expect(await task(await restarted(3), id)).toMatchObject({ title: 'left alone' });
	});

	test('[P6] rows of a relay that makes them otherwise are not used', async () => {
		const { relay, ana, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		const id = replica.ids.document('task');
		relay.does(bob, id, 'task.create', { title: 'From the bytes' });
		relay.rows = { task: 99 };
		replica.connect();
		await calm(replica);
		const whole = relay.snapshotOf(id);
		relay.send(ana, { type: 'gains', snapshots: [{ ...whole, row: { ...whole.row, title: 'by another function' } as never }], cursor: null });
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ title: 'From the bytes' });
	});
});

describe('what leaves and what is missing', () => {
	test('[P3] what gave way, and text that was swallowed, is told also where the document came whole', async () => {
		const { relay, ana, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await created(replica);
		await calm(replica);
		const entry = relay.does(bob, id, 'task.setTitle', { value: 'Theirs' });
		const { stands, gaveWay } = { stands: { value: 'Theirs', at: 2, by: bob, command: entry.command!.id }, gaveWay: { value: 'Mine', at: 1, by: ana, command: relay.log[0]!.command!.id } };
		const whole = { ...relay.snapshotOf(id), notices: { overruled: [{ path: 'title', stands, gaveWay }], swallowed: [] } };
		for (let i = 0; i < 2; i++) relay.send(ana, { type: 'gains', snapshots: [whole], cursor: null });
		await calm(replica);
		expect(await replica.aside()).toMatchObject([{ kind: 'overruled', title: 'Theirs', path: 'title', mine: 'Mine', theirs: 'Theirs', by: bob }]);
	});

	test('[P5] what lies in Set aside loses other people’s values in the step in which the record leaves', async () => {
		const { clock, relay, ana, bob, open } = world();
		const store = new MemoryReplicaStore();
		const replica = await open(store);
		replica.connect();
		await calm(replica);
		const id = replica.ids.document('task');
		relay.does(bob, id, 'task.create', { title: 'Secret plan' });
		await calm(replica);
		await replica.run([{ document: id, name: 'task.setPriority', args: { value: 'high' } }]);
		await calm(replica);
		clock.pass(5);
		relay.does(bob, id, 'task.setPriority', { value: 'normal' });
		await calm(replica);
		const current = { path: 'title', value: 'Secret plan', by: bob, command: relay.log[0]!.command!.id };
		relay.judge = () => refuse('stale', 'title', { current, rule: 'x', who: [`user:${bob}`] });
		await replica.run([{ document: id, name: 'task.setTitle', args: { value: 'My title' } }]);
		await calm(replica);
		expect(JSON.stringify(await replica.aside())).toContain('Secret plan');
		relay.lose(ana, id);
		await calm(replica);
		const left = await replica.aside();
		expect(left).toHaveLength(2);
		for (const item of left) expect(JSON.stringify(item)).not.toMatch(new RegExp(`Secret|${bob}`, 'u'));
		expect(left.find((item) => item.kind === 'command')).toMatchObject({ title: 'My title', before: null, reason: { code: 'stale' }, after: [{ path: 'title', value: 'My title' }] });
		expect(left.find((item) => item.kind === 'overruled')).toMatchObject({ mine: 'high', theirs: null, by: null });
	});

	test('[P5] [P3] lost with unsent work: gone from the device, own words set aside', async () => {
		const { relay, ana, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		const id = replica.ids.document('task');
		relay.does(bob, id, 'task.create', { title: 'Secret plan' });
		relay.judge = () => refuse('unavailable', 'disk');
		const other = await created(replica, 'Put off');
		await calm(replica);
		await replica.run([{ document: id, name: 'task.comment', args: { item: replica.ids.item(), text: 'My own words' } }]);
		relay.lose(ana, id);
		await calm(replica);
		expect(await replica.row(id)).toBeNull();
		const [item] = await replica.aside();
		expect(item).toMatchObject({ kind: 'command', title: null, before: null, reason: { code: 'denied' } });
		expect(JSON.stringify(item)).not.toContain('Secret');
		expect(await replica.copyText(item!.id)).toBe('My own words');
		expect(replica.status()).toMatchObject({ pending: 1, aside: 1 });
		expect(await task(replica, other)).toMatchObject({ title: 'Put off', sync: 'kept' });
	});

	test('[P5] [P3] lost while away, with work on it: whatever comes first, it is gone and the words are set aside', async () => {
		const { relay, ana, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		const id = replica.ids.document('task');
		relay.does(bob, id, 'task.create', { title: 'Secret plan' });
		await calm(replica);
		replica.disconnect();
		await replica.run([{ document: id, name: 'task.comment', args: { item: replica.ids.item(), text: 'My own words' } }]);
		relay.unreadable.add(`${ana} ${id}`);
		replica.connect();
		await calm(replica);
		expect(await replica.row(id)).toBeNull();
		const [item] = await replica.aside();
		expect(item).toMatchObject({ kind: 'command', title: null, before: null, reason: { code: 'not-found' } });
		expect(await replica.copyText(item!.id)).toBe('My own words');
		expect(replica.status()).toMatchObject({ pending: 0, aside: 1 });
	});

	test('[P3] a change that takes its author’s own access away is accepted, not set aside', async () => {
		const { relay, ana, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await created(replica);
		await calm(replica);
		relay.judge = () => {
			relay.lose(ana, id);
			relay.judge = () => null;
			return null;
		};
		await replica.run([{ document: id, name: 'task.setPriority', args: { value: 'high' } }]);
		await calm(replica);
		expect(relay.log).toHaveLength(2);
		expect(await replica.row(id)).toBeNull();
		relay.send(ana, { type: 'progress', cursor: { epoch: 1, seq: 2 } });
		await calm(replica);
		expect(replica.status()).toMatchObject({ pending: 0, aside: 0 });
	});

	test('[P6] a hole: the connection is dropped and everything is compared anew', async () => {
		const { clock, relay, ana, bob, open } = world();
		const store = new MemoryReplicaStore();
		const replica = await open(store);
		replica.connect();
		const id = await created(replica);
		await calm(replica);
		relay.swallow = (message) => message.type === 'entries';
		relay.does(bob, id, 'task.setPriority', { value: 'high' }, { priority: relay.log[0]!.command!.id });
		relay.swallow = () => false;
		relay.conversation.length = 0;
		relay.does(bob, id, 'task.setDeadline', { value: '2027-01-01' });
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ priority: 'normal', deadline: null });
		clock.pass(MAX_BACKOFF_MS);
		await calm(replica);
		expect(relay.conversation).toEqual([
			'relay → ana | entries task.setDeadline up to 3',
			'ana → relay | hello anew holding 1',
			'relay → ana | welcome inventory',
			'ana → relay | inventory 1 last',
			'relay → ana | gains 1 up to 3'
		]);
		expect(await task(replica, id)).toMatchObject({ priority: 'high', deadline: '2027-01-01' });

		const before = await store.read((reads) => reads.canonical([id]));
		relay.send(ana, { type: 'entries', entries: [...relay.log], cursor: { epoch: 1, seq: 3 } });
		relay.send(ana, { type: 'entries', entries: [relay.log[0]!], cursor: { epoch: 1, seq: 1 } });
		await calm(replica);
		expect(await store.read((reads) => reads.canonical([id]))).toEqual(before);
		expect((await store.read((reads) => reads.meta())).cursor).toEqual({ epoch: 1, seq: 3 });
	});

	test('[P6] the digest follows gains, entries and losses', async () => {
		const { relay, ana, bob, open } = world();
		const store = new MemoryReplicaStore();
		const replica = await open(store);
		const ids = Array.from({ length: 5 }, () => replica.ids.document('task'));
		for (const id of ids.slice(0, 3)) relay.does(bob, id, 'task.create', { title: 'T' });
		replica.connect();
		await calm(replica);
		for (const id of ids.slice(3)) relay.does(bob, id, 'task.create', { title: 'T' });
		relay.lose(ana, ids[1]!);
		await calm(replica);
		const meta = await store.read((reads) => reads.meta());
		expect(meta.held).toEqual(digestOf(ids.filter((id) => id !== ids[1])));
	});

	test('[P9] final close codes stop and keep everything; others are tried again', async () => {
		const { clock, relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		relay.cut(4508);
		expect(replica.status()).toMatchObject({ link: 'waiting', problem: null });
		clock.pass(MAX_BACKOFF_MS);
		await calm(replica);
		expect(replica.status()).toMatchObject({ link: 'admitted' });
		relay.cut(4401);
		const id = await created(replica);
		clock.pass(10 * MAX_BACKOFF_MS);
		await calm(replica);
		expect(replica.status()).toMatchObject({ link: 'stopped', problem: 'sign-in', pending: 1 });
		replica.connect();
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ sync: 'accepted' });
	});

	test('[P9] signed out because a second factor is demanded: it says so, keeps everything, and sends it afterwards', async () => {
		const { relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		relay.cut(4401, undefined, 'second-factor-demanded');
		const id = await created(replica);
		await calm(replica);
		expect(replica.status()).toMatchObject({ link: 'stopped', problem: 'second-factor', pending: 1 });
		replica.connect();
		await calm(replica);
		expect(replica.status()).toMatchObject({ problem: null, pending: 0 });
		expect(await task(replica, id)).toMatchObject({ sync: 'accepted' });
	});

	test('[P9] a silent line is dropped', async () => {
		const { clock, relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		relay.online = false;
		clock.pass(SILENCE_MS + 25_000);
		expect(replica.status()).toMatchObject({ word: 'on-device' });
	});

	test('[P2] a new epoch: accepted work that the relay lost goes up again', async () => {
		const { clock, relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		relay.swallow = (message) => message.type === 'entries';
		const id = await created(replica);
		await calm(replica);
		relay.swallow = () => false;
		const lost = relay.docs.get(id)!;
		relay.docs.delete(id);
		relay.log.length = 0;
		relay.epoch = 2;
		expect(lost.entries).toHaveLength(1);
		relay.forgetAnswers();
		relay.cut();
		await calm(replica);
		clock.pass(MAX_BACKOFF_MS);
		await calm(replica);
		expect(await task(replica, id)).toMatchObject({ sync: 'accepted', number: 1 });
		expect(relay.docs.has(id)).toBe(true);
	});
});

describe('an administrator looks on as somebody else', () => {
	async function viewed() {
		const { relay, clock, ana, bob } = world();
		const open = (viewer: PersonId | null, relayViewer?: PersonId) =>
			Replica.open({ portal: PORTAL, person: ana, viewer, store: new MemoryReplicaStore(), transport: relay.transport('view', ana, relayViewer), now: () => clock.now, timers: clock.timers, random: seededBytes(5) });
		const id = new IdMaker(() => clock.now, seededBytes(50)).document('task');
		relay.does(ana, id, 'task.create', { title: 'Ana’s' });
		return { relay, bob, open, id };
	}

	test('[P4] everything is there, and nothing is made: no command, no proposal, no edit', async () => {
		const { relay, bob, open, id } = await viewed();
		const view = await open(bob, bob);
		view.connect();
		await calm(view);
		expect(await task(view, id)).toMatchObject({ title: 'Ana’s' });
		const refusal = { kind: 'refused', refusal: { code: 'denied', rule: 'view.read-only' } };
		expect(await view.run([{ document: id, name: 'task.setTitle', args: { value: 'Forged' } }])).toMatchObject(refusal);
		expect(await view.propose(['x'], '')).toMatchObject(refusal);
		expect(await view.may({ document: id, name: 'task.setTitle', args: { value: 'Forged' } })).toMatchObject({ allow: false, rule: 'view.read-only' });
		const page = await view.openPage(id, 'slot');
		page.doc.getText('text').insert(0, 'forged');
		await view.flush();
		await calm(view);
		expect(view.status()).toMatchObject({ pending: 0, word: 'up-to-date' });
		expect(relay.log).toHaveLength(1);
	});

	test('[P5] what comes for a viewer is taken by no other replica, and the other way round', async () => {
		const { bob, open } = await viewed();
		for (const [own, relays] of [[null, bob], [bob, undefined]] as const) {
			const replica = await open(own, relays);
			replica.connect();
			await calm(replica);
			expect(replica.status()).toMatchObject({ link: 'stopped', problem: 'outdated' });
			expect(await replica.rows('task')).toEqual([]);
		}
	});
});
