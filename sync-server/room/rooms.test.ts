import { expect, test } from 'vitest';
import type { PortalStore } from '#storage/contract.ts';
import { CAT, some, Stage, task } from '../testing/stage.ts';
import { Rooms } from './rooms.ts';

const settled = () => Promise.resolve();

test('[D1] however many ask at once, a document is read once; a failed read is an error and not an empty room', async () => {
	const stage = await Stage.open();
	await stage.as(CAT, 'task.create', task(1), { title: 'one' });
	let loads = 0;
	let fails = true;
	const store = { ...stage.portal.store, load: async (ids: readonly never[]) => {
		loads++;
		if (fails) throw new Error('the disk is gone');
		return stage.portal.store.load(ids);
	} } as PortalStore;
	const rooms = new Rooms(store, 1, { durable: () => 99, settled });
	await expect(rooms.pin([task(1)])).rejects.toThrow('the disk is gone');
	expect([rooms.size, rooms.peek(task(1))]).toEqual([0, undefined]);
	fails = false;
	loads = 0;
	const [[a], [b]] = await Promise.all([rooms.pin([task(1)]), rooms.pin([task(1)])]);
	expect([loads, a === b, a!.pins, a!.docSeq, a!.row]).toMatchObject([1, true, 2, 1, { title: 'one' }]);
});

test('[D2] a document that nobody made is a room at docSeq 0 without a row', async () => {
	const stage = await Stage.open();
	const [room] = await stage.portal.rooms.pin([task(9)]);
	expect(room).toMatchObject({ docSeq: 0, row: null, firstSeq: null, pins: 1 });
});

test('[D3] beyond the ceiling the oldest go, but none that is pinned or not yet on disk', async () => {
	const stage = await Stage.open();
	const rooms = new Rooms(stage.portal.store, 1, { durable: () => 5, settled });
	const kept = await rooms.pin([task(1), task(2)]);
	kept[1]!.seq = 6;
	rooms.release([kept[1]!]);
	for (let n = 3; n < 5_103; n += 100) rooms.release(await rooms.pin(Array.from({ length: 100 }, (_, i) => task(n + i))));
	expect(rooms.size).toBe(5_000);
	expect([rooms.peek(task(1)), rooms.peek(task(2))]).toEqual(kept);
	expect([rooms.peek(task(3)), rooms.peek(task(5_102))?.docSeq]).toEqual([undefined, 0]);
});

test('[D4] a dropped room says so to who holds it, and is read again after what was on its way', async () => {
	const stage = await Stage.open();
	const way = Promise.withResolvers<void>();
	const rooms = new Rooms(stage.portal.store, 1, { durable: () => 0, settled: () => way.promise });
	const [room] = await rooms.pin([some('text', 1)]);
	rooms.evict(room!);
	expect(room!.gone).toBe(true);
	let again: unknown;
	void rooms.pin([some('text', 1)]).then(([next]) => (again = next));
	await new Promise((resolve) => setImmediate(resolve));
	expect(again).toBeUndefined();
	way.resolve();
	await new Promise((resolve) => setImmediate(resolve));
	expect(again).toMatchObject({ gone: false, pins: 1 });
	rooms.release([room!]);
	expect(again).toMatchObject({ pins: 1 });
});
