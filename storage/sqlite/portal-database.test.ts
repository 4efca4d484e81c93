// What the worker promises beneath the contract: query plans, the ceiling of open files, lists kept between pages.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Writer } from '../memory/writer-suite.ts';
import { flattenCommit, Packer } from './flat.ts';
import { OpenDatabases } from './open-databases.ts';
import type { PortalDatabase } from './portal-database.ts';
import { ReachLists } from './reach-lists.ts';
import { SQL, type StatementName } from './statements.ts';

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'atrium-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(database: PortalDatabase, writer: Writer): void {
	const packer = new Packer();
	const flat = flattenCommit(writer.commit(), packer);
	database.commit(flat, packer.packed());
}

test('no question walks a table, and none but the lists sorts', () => {
	const databases = new OpenDatabases(folder);
	databases.use(new Writer(1).ids.portal(), 0, (database) => {
		for (const name of Object.keys(SQL) as StatementName[]) {
			const plan = database.plan(name);
			const walks = plan.filter((step) => /^SCAN /.test(step) && !/^SCAN (head|held|json_each|granted|named)\b/.test(step));
			expect(walks, `${name}: ${plan.join('; ')}`).toEqual([]);
			if (name !== 'reached') expect(plan.join('; '), name).not.toMatch(/TEMP B-TREE/);
		}
		// Each entry of the window asks its own scope, and whom it names itself; the principals are looked up, not walked.
		for (const key of ['scope', 'document']) expect(database.plan('entriesAfter').join('; ')).toMatch(new RegExp(`SEARCH r (EXISTS )?USING PRIMARY KEY \\(${key}=\\?\\)`));
	});
	databases.closeAll();
});

test('open files stay under the ceiling, idle ones are closed, and nobody notices', () => {
	const databases = new OpenDatabases(folder, 2);
	const writers = [1, 2, 3, 4].map((seed) => new Writer(seed));
	const ids = writers.map((writer) => writer.ids.portal());
	for (let round = 1; round <= 3; round++) {
		writers.forEach((writer, i) => {
			writer.create('task', ['all']);
			databases.use(ids[i]!, round, (database) => write(database, writer));
			expect(databases.count).toBeLessThanOrEqual(2);
		});
	}
	for (const id of ids) expect(databases.use(id, 4, (database) => database.head(null, new Packer()).seq)).toBe(3);
	databases.use(ids[0]!, 200_000, () => {});
	databases.closeIdle(300_004);
	expect(databases.count).toBe(1);
	databases.closeAll();
	expect(databases.count).toBe(0);
});

test('a list is found once for all its pages, and again when somebody reaches other documents', () => {
	const lists = new ReachLists();
	const find = vi.fn(() => ({ ids: ['a'], kinds: ['task'], firstSeqs: [1] }));
	lists.get('k', 1, find);
	lists.get('k', 1, find);
	expect(find).toHaveBeenCalledTimes(1);
	lists.get('k', 2, find);
	expect(find).toHaveBeenCalledTimes(2);
	const huge = () => ({ ids: Array<string>(200_000).fill('a'), kinds: [], firstSeqs: [] });
	lists.get('big', 1, huge);
	lists.get('bigger', 1, huge);
	lists.get('k', 2, find);
	expect(find, 'the oldest lists made room').toHaveBeenCalledTimes(3);
});
