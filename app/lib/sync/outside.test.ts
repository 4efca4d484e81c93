// A device outside the company's networks: what it says, when it tries again, and that nothing is lost.
import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { IdMaker, type PersonId } from '#crdt-model/ids.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import { Replica } from './engine.ts';
import { OUTSIDE_RETRY_MS } from './link.ts';
import { FakeRelay, PORTAL, seededBytes, TestClock } from './testing.ts';

async function world() {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const ana = new IdMaker(() => clock.now, seededBytes(9)).document('employee') as PersonId;
	const replica = await Replica.open({ portal: PORTAL, person: ana, store: new MemoryReplicaStore(), transport: relay.transport('ana', ana), now: () => clock.now, timers: clock.timers, random: seededBytes(1) });
	const calm = async () => {
		for (let round = 0; round < 6; round++) {
			await tick();
			await replica.settled();
		}
	};
	replica.connect();
	await calm();
	const leave = async () => {
		relay.outside = true;
		relay.cut(4511);
		await calm();
		relay.conversation.length = 0;
	};
	const make = (title: string) => replica.run([{ document: replica.ids.document('task'), name: 'task.create', args: { title } }]);
	return { clock, relay, replica, calm, leave, make };
}

test('it is said, work goes on and is kept, and is sent when the device is back', async () => {
	const { clock, relay, replica, calm, leave, make } = await world();
	await make('In the office');
	await calm();
	expect(replica.status()).toMatchObject({ word: 'up-to-date', problem: null });
	await leave();
	expect(replica.status()).toMatchObject({ word: 'on-device', link: 'waiting', problem: 'not-from-here' });
	expect(await make('On the train')).toMatchObject({ kind: 'kept' });
	expect(replica.status()).toMatchObject({ pending: 1, aside: 0 });
	relay.outside = false;
	clock.pass(OUTSIDE_RETRY_MS);
	await calm();
	expect(replica.status()).toMatchObject({ word: 'up-to-date', problem: null, pending: 0, aside: 0 });
	expect(relay.log).toHaveLength(2);
});

test('it tries again calmly: about once a minute, and typing in another tab is no reason', async () => {
	const { clock, relay, replica, calm, leave } = await world();
	await leave();
	for (let second = 0; second < 600; second++) {
		await replica.heard({ kind: 'pending' });
		clock.pass(1_000);
		await tick();
	}
	await calm();
	const tries = relay.conversation.filter((line) => line === 'relay closes ana 4511').length;
	expect(tries).toBeGreaterThanOrEqual(10);
	expect(tries).toBeLessThanOrEqual(20);
	expect(replica.status(), 'said all the while').toMatchObject({ problem: 'not-from-here' });
});

test('at once when the network changes, and when the person asks for it', async () => {
	const { relay, replica, calm, leave } = await world();
	await leave();
	replica.networkChanged(true);
	await calm();
	expect([relay.conversation.length, replica.status().problem]).toEqual([1, 'not-from-here']);
	replica.wake();
	await calm();
	expect(relay.conversation).toHaveLength(2);
	relay.outside = false;
	replica.networkChanged(true);
	await calm();
	expect(replica.status()).toMatchObject({ word: 'up-to-date', problem: null });
});

test('without a network nobody says where it is', async () => {
	const { relay, replica, calm, leave } = await world();
	await leave();
	relay.outside = false;
	relay.online = false;
	replica.networkChanged(false);
	await calm();
	expect(replica.status()).toMatchObject({ link: 'waiting', problem: null });
});
