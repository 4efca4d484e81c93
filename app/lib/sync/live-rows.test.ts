// @vitest-environment node
import 'fake-indexeddb/auto';
import { afterEach, expect, test, vi } from 'vitest';
import type { Table } from 'dexie';
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import { DexieReplicaStore } from '#storage/dexie/replica-store.ts';
import { ReplicaDatabase } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { endLiveRows, liveRows } from './live-rows.svelte.ts';
import { OpeningRows } from './opening-rows.ts';
import type { Workspace } from './workspace.svelte.ts';

interface Row {
	readonly id: string;
	readonly kind: 'task';
	readonly title: string;
	readonly deleted: boolean;
}
const row = (number: number, title = `Task ${number}`): Row => ({ id: `task_01900000-${String(number).padStart(4, '0')}-7000-8000-000000000000`, kind: 'task', title, deleted: false });
const stored = (one: Row) => one as unknown as StoredRow;
const pause = () => new Promise((wake) => setTimeout(wake, 30));

let ends: (() => void)[] = [];
afterEach(() => {
	for (const end of ends) end();
	ends = [];
});

/** One tab of a device: a store of its own on the database that all of them share. */
function tab(name: string) {
	const database = new ReplicaDatabase(name);
	const store = new DexieReplicaStore(database);
	const table = database.rows('task') as unknown as Table<Row, string>;
	const seen: { asked: number; behind: number; opening: OpeningRows | null } = { asked: 0, behind: 0, opening: null };
	const fallBehind = () => {
		seen.behind++;
		return () => void seen.behind--;
	};
	const workspace = { database, store, outdated: false, fallBehind, rowsAtOpening: () => seen.opening?.take('task' as KindName) ?? null, rows: () => (seen.asked++, table) } as unknown as Workspace;
	ends.push(() => {
		endLiveRows(workspace);
		database.close();
	});
	return { store, table, workspace, seen, rows: () => liveRows(workspace, 'task'), titles: () => liveRows(workspace, 'task').current.map((one) => one.title).sort() };
}

test('rows that others write follow the database: added, changed, removed, many at once', async () => {
	const { table, workspace, seen, rows, titles, store } = tab('live-rows');
	await table.put(row(1));
	expect(rows().ready).toBe(false);
	await pause();
	expect(titles()).toEqual(['Task 1']);
	await table.bulkPut([row(2), row(1, 'Changed')]);
	await pause();
	expect(titles()).toEqual(['Changed', 'Task 2']);
	await table.delete(row(1).id);
	await pause();
	expect(titles()).toEqual(['Task 2']);
	await store.database.transaction('rw', store.database.tables, () => table.bulkPut(Array.from({ length: 9 }, (_, at) => row(at))));
	await pause();
	expect(rows().current.length).toBe(9);
	endLiveRows(workspace);
	const before = seen.asked;
	await table.put(row(1, 'Unheard'));
	await pause();
	expect(seen.asked).toBe(before);
});

test('what this tab commits is there when the commit is told, and nothing is read for it', async () => {
	const { store, seen, rows, titles } = tab('live-rows-own');
	// Dexie calls everything changed when a database is opened; in the app it is open before there are lists.
	await store.database.open();
	rows();
	await pause();
	const asked = seen.asked;
	await store.transact((tx) => tx.putRows(Array.from({ length: 1_000 }, (_, at) => stored(row(at)))));
	expect(seen.behind).toBe(1);
	await vi.waitFor(() => expect(seen.behind).toBe(0));
	expect(rows().current.length).toBe(1_000);
	const untouched = rows().current.find((one) => one.id === row(7).id);
	await store.transact(async (tx) => {
		await tx.putRows([stored(row(1, 'Changed'))]);
		await tx.dropDocuments([row(2).id as DocumentId]);
	});
	expect(rows().current.length).toBe(999);
	expect(titles()).toContain('Changed');
	expect(rows().current.find((one) => one.id === row(7).id)).toBe(untouched);
	await pause();
	expect(seen.asked).toBe(asked);
	expect(seen.behind).toBe(0);
});

test('a transaction that fails changes no list', async () => {
	const { store, rows, titles } = tab('live-rows-fails');
	await store.transact((tx) => tx.putRows([stored(row(1))]));
	rows();
	await pause();
	const failing = store.transact(async (tx) => {
		await tx.putRows([stored(row(1, 'Never')), stored(row(2))]);
		await tx.dropRows([row(1).id as DocumentId]);
		throw new Error('no');
	});
	await expect(failing).rejects.toThrow('no');
	await pause();
	expect(titles()).toEqual(['Task 1']);
});

test('commits during the first reading are not lost to its older answer; until it is through, the tab is behind', async () => {
	const { store, table, seen, rows, titles } = tab('live-rows-first');
	await table.bulkPut([row(1), row(2), row(3)]);
	rows();
	expect(seen.behind).toBe(1);
	await Promise.all([
		store.transact((tx) => tx.putRows([stored(row(1, 'Newest'))])),
		store.transact((tx) => tx.dropRows([row(2).id as DocumentId])),
		store.transact((tx) => tx.putRows([stored(row(4))]))
	]);
	await pause();
	await vi.waitFor(() => expect(seen.behind).toBe(0));
	expect(titles()).toEqual(['Newest', 'Task 3', 'Task 4']);
});

test('two tabs that write the same rows in turn come to show the same', async () => {
	const one = tab('live-rows-two');
	const two = tab('live-rows-two');
	one.rows();
	two.rows();
	await pause();
	const writes: Promise<unknown>[] = [];
	for (let at = 0; at < 60; at++) {
		const { store } = at % 3 === 0 ? two : one;
		const id = at % 7;
		writes.push(store.transact((tx) => (at % 11 === 10 ? tx.dropRows([row(id).id as DocumentId]) : tx.putRows([stored(row(id, `Write ${at}`))]))));
	}
	await Promise.all(writes);
	const kept = (await one.table.toArray()).map(({ title }) => title).sort();
	await vi.waitFor(() => expect([one.titles(), two.titles()]).toEqual([kept, kept]), 2_000);
});

test('an expected row is shown at once; a refusal brings back what is kept', async () => {
	const { store, rows, titles } = tab('live-rows-expected');
	await store.transact((tx) => tx.putRows([stored(row(1)), stored(row(2))]));
	rows();
	await vi.waitFor(() => expect(rows().ready).toBe(true));
	const refused = rows().expect(stored(row(1, 'Hoped')) as never);
	const kept = rows().expect(stored(row(2, 'Hoped too')) as never);
	expect(titles()).toEqual(['Hoped', 'Hoped too']);
	await store.transact((tx) => tx.putRows([stored(row(2, 'Kept'))]));
	expect(titles()).toEqual(['Hoped', 'Kept']);
	refused();
	kept();
	await vi.waitFor(() => expect(titles()).toEqual(['Kept', 'Task 1']));
});

test('what was read at the opening is there at once and not read again, unless somebody wrote meanwhile', async () => {
	const opened = async (name: string, meanwhile: (here: ReturnType<typeof tab>) => Promise<unknown>) => {
		const here = tab(name);
		await here.table.bulkPut([row(1), row(2)]);
		const opening = new OpeningRows(here.store.database);
		opening.hold(['task'], (await here.table.toArray()) as unknown as StoredRow[]);
		ends.push(() => opening.end());
		here.seen.opening = opening;
		await meanwhile(here);
		return here;
	};
	const quiet = await opened('opening-quiet', () => Promise.resolve());
	expect([quiet.rows().ready, quiet.titles(), quiet.seen.asked]).toEqual([true, ['Task 1', 'Task 2'], 0]);
	// And it follows what comes, like any other list.
	await quiet.store.transact((tx) => tx.putRows([stored(row(3))]));
	expect([quiet.titles(), quiet.seen.asked]).toEqual([['Task 1', 'Task 2', 'Task 3'], 0]);
	await tab('opening-quiet').table.put(row(1, 'By another tab'));
	await vi.waitFor(() => expect(quiet.titles()).toEqual(['By another tab', 'Task 2', 'Task 3']));

	const own = await opened('opening-own', ({ store }) => store.transact((tx) => tx.putRows([stored(row(2, 'Own'))])));
	expect(own.rows().ready).toBe(false);
	await vi.waitFor(() => expect(own.titles()).toEqual(['Own', 'Task 1']));
	const others = await opened('opening-others', async () => {
		await tab('opening-others').table.delete(row(1).id);
	});
	await vi.waitFor(() => expect(others.titles()).toEqual(['Task 2']));
});
