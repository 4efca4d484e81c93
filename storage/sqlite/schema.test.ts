/** Files of every older version open under this one: nothing of what they held is lost, and the store goes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PortalId } from '#crdt-model/ids.ts';
import { NO_ROWS_MADE } from '../contract.ts';
import { expectEqual } from '../contract-suite.ts';
import { Writer } from '../memory/writer-suite.ts';
import { rowsOf, tablesOf, writeOlderPortal } from './older-file-suite.ts';
import { SqliteRelayStore } from './relay-store.ts';
import { SCHEMA_VERSION } from './schema.ts';

const OLDER = Array.from({ length: SCHEMA_VERSION - 1 }, (_, i) => i + 1);
const folder = mkdtempSync(join(tmpdir(), 'atrium-older-'));
let id: PortalId;
let today: string;

/** What every version could hold: no reader beside a scope, nothing that was handed back after a restore. */
function written(): Writer {
	const writer = new Writer(41);
	const { dice } = writer;
	for (let i = 0; i < 60; i++) {
		const known = [...writer.heads.keys()];
		if (i < 5 || dice.chance(30)) writer.create(dice.of(['task', 'deal', 'employee'] as const), [dice.of(writer.principals)]);
		else if (dice.chance(30)) writer.createIn(dice.of(known));
		else writer.edit(dice.of(known));
		const one = dice.of([...writer.heads.keys()]);
		if (dice.chance(20)) writer.compact(one, writer.heads.get(one)!.docSeq);
		if (dice.chance(20)) writer.bind(one, dice.below(2 ** 32));
		if (dice.chance(30)) writer.answer();
	}
	writer.log.forEach((entry, i) => (writer.log[i] = { ...entry, returned: null }));
	writer.head = { ...writer.head, restores: [], rows: NO_ROWS_MADE };
	return writer;
}

beforeAll(async () => {
	const writer = written();
	id = writer.ids.portal();
	const store = await SqliteRelayStore.open(folder);
	const commit = writer.commit();
	await (await store.portal(id)).commit({ ...commit, entries: commit.entries.map((entry) => ({ ...entry, returned: null })) });
	await store.close();
	today = join(folder, `${id}.db`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(OLDER)('[S1] a file of version %i opens, holds all that it held, and is written on', async (version) => {
	const at = mkdtempSync(join(folder, 'older-'));
	const file = join(at, `${id}.db`);
	writeOlderPortal(today, file, version);
	const then = tablesOf(file);
	const held = rowsOf(file);
	expect(held.log!.length).toBeGreaterThan(50);

	const store = await SqliteRelayStore.open(at);
	const portal = await store.portal(id);
	const writer = written();
	writer.commit();
	await expectEqual(portal, writer);
	expect(rowsOf(file, then), 'not one row is another').toEqual(held);

	// What the newer version alone can hold.
	const scope = writer.create('task', ['admins']);
	writer.createIn(scope, ['all']);
	writer.remake(scope, [writer.principals[2]!]);
	await portal.commit(writer.commit());
	for (let i = 0; i < 5; i++) await portal.commit(writer.random());
	await expectEqual(portal, writer);
	await store.close();
	const again = await SqliteRelayStore.open(at);
	await expectEqual(await again.portal(id), writer);
	await again.close();
	const database = new DatabaseSync(file);
	expect({ ...database.prepare('PRAGMA user_version').get() }).toEqual({ user_version: SCHEMA_VERSION });
	database.close();
});
