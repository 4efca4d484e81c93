// The replica over the browser's store: what only IndexedDB could break.
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { expect, test, vi } from 'vitest';
import { IdMaker, type PersonId } from '#crdt-model/ids.ts';
import { DexieReplicaStore } from '#storage/dexie/replica-store.ts';
import { ReplicaDatabase } from '#storage/dexie/schema.ts';
import { Replica } from './engine.ts';
import { FakeRelay, PORTAL, seededBytes, TestClock } from './testing.ts';

function device(indexedDB = new IDBFactory()) {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const person = new IdMaker(() => clock.now, seededBytes(9)).document('employee') as PersonId;
	const open = (seed: number) => {
		const store = new DexieReplicaStore(new ReplicaDatabase('atrium:test', { indexedDB, IDBKeyRange }));
		return Replica.open({ portal: PORTAL, person, store, transport: relay.transport('ana', person), now: () => clock.now, timers: clock.timers, random: seededBytes(seed) });
	};
	return { clock, relay, person, open };
}

/** Only what is broken reaches it. */
const WIDE = { timeout: 20_000 };
/** Everything that was on its way has come and gone. */
const calm = (replica: Replica) => expect.poll(() => replica.status(), WIDE).toMatchObject({ word: 'up-to-date', pending: 0 });

test('[P1] made offline, a restart, then accepted: records and text', async () => {
	const { relay, open } = device();
	const first = await open(1);
	const task = first.ids.document('task');
	const text = first.ids.document('text');
	await first.run([{ document: task, name: 'task.create', args: { title: 'Offer' } }]);
	await first.run([{ document: text, name: 'text.create', args: { title: 'Notes' } }]);
	const page = await first.openPage(text, 'slot-1');
	page.doc.getText('text').insert(0, 'Hello');
	await page.release();
	await first.close();

	const next = await open(2);
	expect(await next.row(task)).toMatchObject({ title: 'Offer', sync: 'kept' });
	next.connect();
	await calm(next);
	expect(relay.docText(text)).toBe('Hello');
	expect(await next.row(task)).toMatchObject({ sync: 'accepted', number: 1 });
	expect(next.status()).toMatchObject({ word: 'up-to-date', pending: 0 });
	await next.close();
});

test('[P6] two tabs over one database: the other tab’s pending work is in the rows that the leader writes', async () => {
	const { relay, person, open } = device();
	const [leader, other] = [await open(1), await open(2)];
	leader.connect();
	const task = leader.ids.document('task');
	await leader.run([{ document: task, name: 'task.create', args: { title: 'Offer' } }]);
	await calm(leader);
	await other.run([{ document: task, name: 'task.setTitle', args: { value: 'Better offer' } }]);
	relay.does(person, task, 'task.setDeadline', { value: '2027-01-01' });
	await expect.poll(() => other.row(task), WIDE).toMatchObject({ title: 'Better offer', deadline: '2027-01-01' });
	await leader.heard({ kind: 'pending' });
	await expect.poll(() => other.row(task), WIDE).toMatchObject({ title: 'Better offer', sync: 'accepted' });
	await leader.close();
	await other.close();
});

test('[P6] two thousand gained deals', async () => {
	const { relay, person, open } = device();
	const replica = await open(1);
	for (let i = 0; i < 2_000; i++) relay.does(person, replica.ids.document('deal'), 'deal.create', { title: `Deal ${i}`, amount: i });
	const transactions = vi.spyOn(replica.store, 'transact');
	replica.connect();
	await calm(replica);
	expect((await replica.rows('deal')).length).toBe(2_000);
	// Documents arrive by the hundred; a transaction for each would be work per record that does not belong there.
	expect(transactions.mock.calls.length).toBeLessThan(2_000 / 20);
	await replica.close();
});
