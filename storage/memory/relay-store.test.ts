import { expect, test } from 'vitest';
import type { Commit } from '../contract.ts';
import { expectEqual, relayStoreSuite } from '../contract-suite.ts';
import { MemoryRelayStore } from './relay-store.ts';
import { Writer } from './writer-suite.ts';

relayStoreSuite('memory', async () => {
	const store = new MemoryRelayStore();
	let opened = false;
	return {
		open: async () => {
			// A restarted relay on the same disk.
			if (opened) store.crash();
			opened = true;
			return store;
		},
		dispose: async () => {}
	};
});

test('[S1] a crash loses what the gate held back, keeps what was acknowledged, and ends old handles', async () => {
	const held: (() => void)[] = [];
	const store = new MemoryRelayStore({ gate: () => new Promise((resolve) => held.push(resolve)) });
	const writer = new Writer(3);
	const id = writer.ids.portal();
	const portal = await store.portal(id);
	const first = portal.commit(writer.random());
	await new Promise(setImmediate);
	held.shift()!();
	await first;
	const kept = writer.head.seq;
	const lost = Promise.allSettled([portal.commit(writer.random()), portal.commit(writer.random())]);
	await new Promise(setImmediate);
	store.crash();
	expect((await lost).map((result) => result.status)).toEqual(['rejected', 'rejected']);
	for (const open of held) open();
	await expect(portal.head()).rejects.toThrow(/crashed/);
	expect((await (await store.portal(id)).head()).seq).toBe(kept);
});

test('[S1] a crash between durable and acknowledged leaves the commit whole', async () => {
	const store = new MemoryRelayStore({ acknowledge: () => new Promise(() => {}) });
	const writer = new Writer(4);
	const id = writer.ids.portal();
	const answer = (await store.portal(id)).commit(writer.random()).then(String, String);
	await new Promise(setImmediate);
	store.crash();
	expect(await answer).toMatch(/crashed/);
	await expectEqual(await store.portal(id), writer);
});

test('[S6] failNext makes commits fail and nothing else', async () => {
	const store = new MemoryRelayStore();
	const writer = new Writer(5);
	const portal = await store.portal(writer.ids.portal());
	const commit: Commit = writer.random();
	store.failNext(2);
	await expect(portal.commit(commit)).rejects.toThrow(/could not be written/);
	await expect(portal.commit(commit)).rejects.toThrow(/could not be written/);
	await portal.commit(commit);
	await expectEqual(portal, writer);
});
