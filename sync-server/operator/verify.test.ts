/** `verify` on SQLite files that somebody changed behind the relay's back. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IdMaker, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { makeDemo } from '../import/demo.ts';
import { PortalWriter } from '../import/portal-writer.ts';
import { MAC_KEY, NOW, SMALL, tablesOf, testRelay } from '../import/testing.ts';
import { verifiedText } from './print.ts';
import { verifyPortal, type Verified } from './verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'atrium-verify-'));
let portal: PortalId;
let whole: string;

beforeAll(async () => {
	const relay = await testRelay(await SqliteRelayStore.open(folder));
	({ portal } = await makeDemo(await tablesOf({ ...SMALL }), relay));
	const opened = (await relay.portals.portal(portal))!;
	// A document that has a snapshot: compaction comes after 200 changes.
	const writer = new PortalWriter(opened, new IdMaker(), NOW);
	const author = [...opened.directory.people][0]!.id as PersonId;
	const task = writer.ids.document('task');
	await writer.submit(author, [writer.command(task, 'task.create', { title: 'Busy' })]);
	for (let n = 0; n < 210; n++) await writer.submit(author, [writer.command(task, 'task.comment', { item: writer.ids.item(), text: `comment ${n}` })]);
	// A service went and came back: that leaves a moment in the counters, and all else as it was.
	const settings = opened.settings!;
	for (const value of [['crm'], []]) await writer.submit(author, [writer.command(settings.id, 'settings.setServicesOff', { value })]);
	await relay.end();
	whole = join(folder, `${portal}.db`);
	// Into the file itself: copies are taken of it alone.
	const database = new DatabaseSync(whole);
	database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE');
	database.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
/** Verifies a copy after a change to it. */
function after(change: (database: DatabaseSync) => void, key: Uint8Array = MAC_KEY): string | null {
	const { difference, notJudged } = verifiedAfter(change, key);
	expect(notJudged).toBeNull();
	return difference;
}
function verifiedAfter(change: (database: DatabaseSync) => void, key: Uint8Array = MAC_KEY): Verified {
	const copy = join(folder, `copy-${++copies}.sqlite`);
	copyFileSync(whole, copy);
	const database = new DatabaseSync(copy, { enableForeignKeyConstraints: false });
	change(database);
	database.close();
	return verifyPortal(copy, portal, key);
}
const run = (sql: string, ...values: SQLInputValue[]) => (database: DatabaseSync) => {
	expect(Number(database.prepare(sql).run(...values).changes)).toBeGreaterThan(0);
};

/** The same bytes with one of them another. */
function flipped(database: DatabaseSync, table: string, column: string, where: string): void {
	const { at, bytes } = database.prepare(`SELECT rowid AS at, ${column} AS bytes FROM ${table} WHERE ${where}`).get() as { at: number; bytes: Uint8Array };
	const changed = Uint8Array.from(bytes);
	changed[changed.length >> 1]! ^= 1;
	database.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(changed, at);
}

test('a file that nobody touched is as it was accepted, also while it is open elsewhere', () => {
	const verified = verifyPortal(whole, portal, MAC_KEY);
	expect(verified.difference).toBeNull();
	expect(verified.entries).toBeGreaterThan(400);
	const database = new DatabaseSync(whole);
	database.exec('PRAGMA journal_mode = WAL');
	expect(verifyPortal(whole, portal, MAC_KEY)).toEqual(verified);
	database.exec('PRAGMA journal_mode = DELETE');
	database.close();
});

describe('what was changed is found', () => {
	const cases: [string, (database: DatabaseSync) => void, RegExp][] = [
		['a byte of an entry', (database) => flipped(database, 'log', 'bytes', 'seq = 30'), /^entry 30 of .* breaks the hash chain/],
		['a command', run(`UPDATE log SET command = replace(command, 'Acme', 'Acne') WHERE seq = (SELECT min(seq) FROM log WHERE command LIKE '%Acme%')`), /breaks the hash chain/],
		['an author', run('UPDATE log SET author = (SELECT author FROM log WHERE seq = 1) WHERE seq = 40'), /^entry 40 of .* breaks the hash chain/],
		['a time', run('UPDATE log SET accepted_at = accepted_at + 1 WHERE seq = 40'), /^entry 40 of .* breaks/],
		['a hash', (database) => flipped(database, 'log', 'hash', 'seq = 12'), /^entry 12 of .* breaks/],
		['a seal', (database) => flipped(database, 'log', 'mac', 'seq = 12'), /^entry 12 of .* does not carry this relay's seal$/],
		['an entry that was removed', run('DELETE FROM log WHERE seq = 20'), /^entry 20 is missing \(the next one is 21\)$/],
		['the last entries cut off', run('DELETE FROM log WHERE seq > 50'), /^the head says \d+ entries and the log ends at 50$/],
		['the last entries and the head cut off', (database) => database.exec('DELETE FROM log WHERE seq > 50; UPDATE head SET seq = 50'), /^the head does not carry the hash/],
		['a row', run(`UPDATE documents SET row = json_set(row, '$.amount', 1) WHERE kind = 'deal' AND rowid = (SELECT min(rowid) FROM documents WHERE kind = 'deal')`), /^deal_.*: its row says something else than the log \(amount\)$/],
		['an audience', run(`UPDATE documents SET audience = '["all"]' WHERE kind = 'deal'`), /^deal_.*: its audience is not the one/],
		['the index of readers', run(`INSERT INTO reach SELECT id, 'all' FROM documents WHERE kind = 'deal' LIMIT 1`), /^deal_.*: the index of who reaches it/],
		['a scope', run(`UPDATE documents SET scope = (SELECT id FROM documents WHERE kind = 'settings') WHERE kind = 'deal'`), /^deal_.*: its audience is that of settings_/],
		['a snapshot', (database) => flipped(database, 'snapshots', 'bytes', '1'), /^(task_.*: its snapshot says something else than the log|cannot be read: .+)$/],
		['a removed document', run(`DELETE FROM documents WHERE kind = 'deal' AND rowid = (SELECT min(rowid) FROM documents WHERE kind = 'deal')`), /^the documents account for \d+ of \d+ entries/],
		['a first entry', run(`UPDATE documents SET first_seq = first_seq + 1 WHERE kind = 'product'`), /^product_.*: names other first and last entries/],
		['a counter', run(`UPDATE head SET counters = '{"deal":1,"task":61}'`), /^the counter of deal is 1 and its highest number 3$/],
		['a counter of the tariff', run(`UPDATE head SET counters = json_set(counters, '$."quota:people"', 3)`), /^the counter of people is 3 and the documents add up to [4-9]$/],
		['the moment at which a service came back', run(`UPDATE head SET counters = json_set(counters, '$."services:back"', 100000)`), /^a service came back at 100000, and the log ends at \d+$/],
		['a counter of bytes', run(`UPDATE head SET counters = json_set(counters, '$."quota:bytes"', -1)`), /^the counter of storageBytes is -1 and the documents add up to 0$/],
		['a table that is gone', (database) => database.exec('DROP TABLE snapshots'), /^cannot be read: no such table/]
	];
	const restored = `[{"epoch":2,"seq":30,"at":1}]`;
	cases.push(
		['a restore that never was', run(`UPDATE head SET epoch = 2, restores = '${restored}'`), /^entry 31 of .* breaks the hash chain/],
		['a restore at the end that never was', run(`UPDATE head SET epoch = 2, restores = json_array(json_object('epoch', 2, 'seq', seq, 'at', 1))`), /^the head does not carry the hash/],
		['an epoch without a restore', run('UPDATE head SET epoch = 7'), /^the head stands in epoch 7, and its last restore began epoch 1$/],
		['restores out of order', run(`UPDATE head SET epoch = 2, restores = '[{"epoch":3,"seq":9,"at":1},{"epoch":2,"seq":9,"at":1}]'`), /^the restore that began epoch 2 does not follow/],
		['an entry that a device is said to have brought', run(`UPDATE log SET returned = json_object('docSeq', 1, 'by', author) WHERE seq = 40`), /^entry 40 of .* breaks the hash chain/]
	);
	for (const [name, change, says] of cases) test(name, () => expect(after(change)).toMatch(says));
	test('a snapshot that says something else in good form', () => {
		const difference = after((database) => {
			const { bytes } = database.prepare('SELECT bytes FROM snapshots').get() as { bytes: Uint8Array };
			const text = Buffer.from(bytes);
			const at = text.indexOf('comment 7');
			text.write('kommen', at);
			database.prepare('UPDATE snapshots SET bytes = ?').run(text);
		});
		expect(difference).toMatch(/^task_.*: its snapshot says something else than the log$/);
	});
	test('an index that does not follow the audience, also where another release made both', () => {
		const difference = after((database) => database.exec(`UPDATE head SET rows_made = '{"versions":{},"underWay":null}'; INSERT INTO reach SELECT id, 'all' FROM documents WHERE kind = 'deal' LIMIT 1`));
		expect(difference).toMatch(/^deal_.*: the index of who reaches it/);
	});
	test('another relay’s key', () => expect(after(() => {}, new Uint8Array(32))).toMatch(/^entry 1 of .* does not carry this relay's seal$/));
	test('a file that is no portal', () => {
		const file = join(folder, 'text.sqlite');
		writeFileSync(file, 'not a database at all, but long enough to look at it twice '.repeat(40));
		expect(verifyPortal(file, portal, MAC_KEY).difference).toMatch(/^cannot be read: file is not a database$/);
	});
});

describe('what another release wrote is not said to differ', () => {
	test('rows of another release are not compared, and it is said of which kinds', () => {
		const verified = verifiedAfter(run(`UPDATE documents SET row = '{}' WHERE kind = 'deal'`));
		expect(verified.difference).toMatch(/its row says something else/);
		const older = verifiedAfter((database) => {
			database.exec(`UPDATE documents SET row = '{}', audience = '[]' WHERE kind = 'deal'; DELETE FROM reach WHERE scope LIKE 'deal_%'`);
			database.exec(`UPDATE head SET rows_made = json_remove(rows_made, '$.versions.deal')`);
		});
		expect(older).toMatchObject({ difference: null, notJudged: null, outdated: ['deal'] });
		expect(verifiedText(older)).toMatch(/ {2}as it was accepted {2}\(\d+ entries, \d+ documents; another release made what lists say of deal, which is made anew when the portal is next opened\)$/);
	});

	test('a file whose tables are of an older or a newer release', () => {
		const older = verifiedAfter((database) => database.exec('PRAGMA user_version = 2'));
		expect(older).toMatchObject({ difference: null, notJudged: expect.stringMatching(/^it was written by an older release \(its file has version 2, and this release reads version \d+\)\. The relay brings it to this version/) });
		expect(verifiedText(older)).toMatch(/ {2}NOT JUDGED: it was written by an older release/);
		expect(verifiedAfter((database) => database.exec('PRAGMA user_version = 99')).notJudged).toMatch(/^it was written by a newer release/);
		expect(verifiedAfter((database) => database.exec('PRAGMA user_version = 0')).difference).toBe('is not a portal of Atrium');
	});

	/** Links all entries up to `upTo` as releases before this one did. */
	function linkOlder(database: DatabaseSync, upTo: number): void {
		const entries = database.prepare(`SELECT seq, document, doc_seq, author, authored_at, accepted_at, command, overruled, swallowed, rights_version, bytes FROM log WHERE seq <= ? ORDER BY seq`).all(upTo);
		let chain: Uint8Array = new Uint8Array(32);
		database.exec('BEGIN');
		for (const entry of entries) {
			const command = JSON.parse(String(entry.command)) as { id: string } | null;
			const digest = createHash('sha256').update(entry.bytes as Uint8Array).update(JSON.stringify(command)).digest('hex');
			const header = [
				entry.seq, entry.document, entry.doc_seq, entry.author, entry.authored_at, entry.accepted_at, entry.rights_version, command?.id ?? null,
				JSON.parse(String(entry.overruled)), JSON.parse(String(entry.swallowed)), digest
			];
			chain = new Uint8Array(createHash('sha256').update(chain).update(JSON.stringify(header)).digest());
			database.prepare('UPDATE log SET hash = ? WHERE seq = ?').run(chain, entry.seq!);
		}
		database.exec('COMMIT');
	}
	test('a hash chain of an older release, whole or in its beginning', () => {
		for (const upTo of [1, 40, 100_000]) {
			const verified = verifiedAfter((database) => linkOlder(database, upTo));
			expect(verified).toMatchObject({ difference: null, notJudged: 'an older release wrote it, whose hash chain is spelled otherwise: entries up to 0 were checked, entry 1 is linked as that release did, and this one checks no more of it' });
		}
	});
	test('but what was changed in such a chain is a difference where it is reached', () => {
		const difference = after((database) => {
			linkOlder(database, 40);
			database.exec(`UPDATE log SET accepted_at = accepted_at + 1 WHERE seq = 1`);
		});
		expect(difference).toMatch(/^entry 1 of .* breaks the hash chain/);
	});
});
