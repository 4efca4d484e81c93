// @vitest-environment node
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { ReplicaDatabase } from '#storage/dexie/schema.ts';
import { endLiveRows, liveRows } from './live-rows.svelte.ts';
import type { Workspace } from './workspace.svelte.ts';

const row = (number: number, title = `Task ${number}`) => ({ id: `task_0190000${number}-0000-7000-8000-000000000000`, kind: 'task', title, deleted: false });
const pause = () => new Promise((wake) => setTimeout(wake, 30));

test('rows follow the database: added, changed, removed, many at once', async () => {
	const database = new ReplicaDatabase('live-rows');
	const table = database.rows('task') as unknown as import('dexie').Table<ReturnType<typeof row>, string>;
	await table.put(row(1));
	let asked = 0;
	const workspace = { database, outdated: false, rows: () => (asked++, table) } as unknown as Workspace;
	const rows = liveRows(workspace, 'task');
	expect(rows.ready).toBe(false);
	await pause();
	const titles = () => rows.current.map((one) => one.title).sort();
	expect(titles()).toEqual(['Task 1']);
	await table.bulkPut([row(2), row(1, 'Changed')]);
	await pause();
	expect(titles()).toEqual(['Changed', 'Task 2']);
	await table.delete(row(1).id);
	await pause();
	expect(titles()).toEqual(['Task 2']);
	await database.transaction('rw', database.tables, () => table.bulkPut(Array.from({ length: 9 }, (_, at) => row(at))));
	await pause();
	expect(rows.current.length).toBe(9);
	endLiveRows(workspace);
	const before = asked;
	await table.put(row(1, 'Unheard'));
	await pause();
	expect(asked).toBe(before);
	database.close();
});
