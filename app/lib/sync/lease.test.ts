/** The lease of a lost device, with the engine and the small honest relay. */
import { beforeEach, expect, test } from 'vitest';
import { setImmediate as tick } from 'node:timers/promises';
import { IdMaker, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import { Replica } from './engine.ts';
import { LEASE_MS, LOOK_EVERY_MS } from './lease.ts';
import { FakeRelay, PORTAL, TestClock } from './testing.ts';

const ids = new IdMaker();
const ana = ids.document('employee') as PersonId;
let clock: TestClock;
let relay: FakeRelay;
let disk: MemoryReplicaStore;
/** What the device says the time is; people set it. */
let shown: number;
let steady: number;
let task: DocumentId;

const open = (store = disk) => Replica.open({ portal: PORTAL, person: ana, store, now: () => shown, steady: () => steady, timers: clock.timers, transport: relay.transport('ana', ana) });
async function settle(replica: Replica): Promise<void> {
	for (let round = 0; round < 8; round++) {
		await tick();
		await replica.settled();
	}
}
const pass = (ms: number) => {
	shown += ms;
	steady += ms;
};

beforeEach(() => {
	clock = new TestClock();
	relay = new FakeRelay(clock);
	disk = new MemoryReplicaStore();
	shown = clock.now;
	steady = 0;
	task = ids.document('task');
	relay.does(ana, ids.document('settings'), 'settings.create', { company: 'Acme' });
	relay.does(ana, task, 'task.create', { title: 'one' });
});
async function met(): Promise<Replica> {
	const replica = await open();
	replica.connect();
	await settle(replica);
	return replica;
}
function lease(value: string): void {
	const settings = [...relay.docs.keys()].find((id) => id.startsWith('settings'))!;
	relay.does(ana, settings, 'settings.setLease', { value });
}

test('without a lease a device never locks, and one that never met the relay has nothing to lock', async () => {
	const replica = await met();
	replica.disconnect();
	pass(400 * 24 * 3_600_000);
	await replica.lease.look();
	expect(replica.status().lockedSince).toBeNull();
	expect((await open(new MemoryReplicaStore())).status().lockedSince).toBeNull();
});

test('after its lease a device locks: nothing is read, nothing written, also after a cold start', async () => {
	const replica = await met();
	lease('72h');
	await settle(replica);
	replica.disconnect();
	const since = shown;
	pass(LEASE_MS['72h']);
	await replica.lease.look();
	expect(replica.status().lockedSince).toBeNull();
	pass(LOOK_EVERY_MS);
	await replica.lease.look();
	expect(replica.status().lockedSince).toBe(since);
	expect(await replica.run([{ document: task, name: 'task.setTitle', args: { value: 'two' } }])).toMatchObject({ kind: 'refused', refusal: { code: 'unavailable' } });
	for (const read of [() => replica.row(task), () => replica.rows('task'), () => replica.state(task), () => replica.openPage(task, 'tab')]) await expect(read()).rejects.toThrow('locked');
	replica.abandon();
	const again = await open(disk.crash());
	expect(again.status().lockedSince).toBe(since);
});

test('the relay’s welcome unlocks, and what was kept meanwhile is sent', async () => {
	const replica = await met();
	lease('30d');
	await settle(replica);
	replica.disconnect();
	expect((await replica.run([{ document: task, name: 'task.setTitle', args: { value: 'offline' } }])).kind).toBe('kept');
	pass(LEASE_MS['30d'] + 1);
	await replica.lease.look();
	expect(replica.status()).toMatchObject({ lockedSince: since(replica), pending: 1 });
	replica.connect();
	await settle(replica);
	expect(replica.status()).toMatchObject({ lockedSince: null, pending: 0 });
	expect(await replica.row(task)).toMatchObject({ title: 'offline', sync: 'accepted' });
});
const since = (replica: Replica) => replica.lease.lockedSince;

test('a clock that is set back gains nothing', async () => {
	const replica = await met();
	lease('72h');
	await settle(replica);
	replica.disconnect();
	pass(LEASE_MS['72h'] - 1_000);
	await replica.lease.look();
	shown -= LEASE_MS['72h'];
	steady += 2_000;
	await replica.lease.look();
	expect(replica.status().lockedSince).not.toBeNull();
	replica.abandon();
	shown -= LEASE_MS['72h'];
	expect((await open(disk.crash())).status().lockedSince).not.toBeNull();
});

test('another tab’s contact unlocks this one, and a quiet connection is a contact', async () => {
	const replica = await met();
	lease('72h');
	await settle(replica);
	const other = await open();
	pass(LEASE_MS['72h'] - LOOK_EVERY_MS);
	lease('72h');
	await settle(replica);
	pass(2 * LOOK_EVERY_MS);
	await other.lease.look();
	expect(other.status().lockedSince).toBeNull();
	replica.disconnect();
	pass(LEASE_MS['72h']);
	await other.lease.look();
	expect(other.status().lockedSince).not.toBeNull();
	replica.connect();
	await settle(replica);
	await other.lease.heard();
	expect(other.status().lockedSince).toBeNull();
});
