// What only a disk can do wrong: kill -9, leftovers of the write-ahead log, damaged, foreign and newer files, folders without rights.
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { PortalId } from '#crdt-model/ids.ts';
import { expectEqual } from '../contract-suite.ts';
import { Writer } from '../memory/writer-suite.ts';
import { SqliteRelayStore } from './relay-store.ts';

const KILLS = process.env.ATRIUM_DEEP === '1' ? 40 : 3;

let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'atrium-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function open(at = folder): Promise<SqliteRelayStore> {
	const store = await SqliteRelayStore.open(at);
	onTestFinished(() => store.close());
	return store;
}

/** A closed portal with a few commits. */
async function written(seed: number): Promise<{ id: PortalId; file: string; writer: Writer }> {
	const writer = new Writer(seed);
	const id = writer.ids.portal();
	const store = await open();
	const portal = await store.portal(id);
	for (let i = 0; i < 30; i++) await portal.commit(writer.random());
	await store.close();
	return { id, file: join(folder, `${id}.db`), writer };
}

/** Starts the child, kills it after some acknowledgements, and says which was the last. */
function killedAfter(acknowledgements: number, id: PortalId, seed: number): Promise<number> {
	const script = fileURLToPath(new URL('./committing-child-suite.ts', import.meta.url));
	const child = spawn(process.execPath, [script, folder, id, String(seed)], { stdio: ['ignore', 'pipe', 'pipe'] });
	let printed = '';
	let said = '';
	child.stderr.on('data', (chunk) => (said += String(chunk)));
	child.stdout.on('data', (chunk) => {
		printed += String(chunk);
		if (printed.split('\n').length > acknowledgements) child.kill('SIGKILL');
	});
	return new Promise((resolve, reject) => {
		child.on('close', (_, signal) => {
			if (signal === 'SIGKILL') resolve(Number(printed.trim().split('\n').at(-1)));
			else reject(new Error(`the child ended by itself: ${said}`));
		});
	});
}

test('[S1] after kill -9 every acknowledged commit is there, and each whole', { timeout: 0 }, async () => {
	const seed = 77;
	const { dice, ids } = new Writer(78);
	const id = ids.portal();
	for (let kill = 0; kill < KILLS; kill++) {
		const acknowledged = await killedAfter(1 + dice.below(80), id, seed);
		const store = await open();
		const portal = await store.portal(id);
		const { seq } = await portal.head();
		expect(seq, `kill ${kill}`).toBeGreaterThanOrEqual(acknowledged);
		const writer = new Writer(seed);
		while (writer.head.seq < seq) writer.random();
		await expectEqual(portal, writer);
		await store.close();
	}
});

test('[S1] leftovers of the write-ahead log are taken up', async () => {
	const writer = new Writer(8);
	const id = writer.ids.portal();
	const portal = await (await open()).portal(id);
	for (let i = 0; i < 20; i++) await portal.commit(writer.random());
	const copy = join(folder, 'copy');
	mkdirSync(copy);
	for (const end of ['.db', '.db-wal']) copyFileSync(join(folder, `${id}${end}`), join(copy, `${id}${end}`));
	expect(statSync(join(copy, `${id}.db-wal`)).size, 'the log is in use').toBeGreaterThan(0);
	await expectEqual(await (await open(copy)).portal(id), writer);
});

test.each([
	['its beginning', 0, /is damaged/],
	['its pages', 4096, /is damaged/]
])('a file damaged in %s is named, and other portals go on', async (_, from, problem) => {
	const { id, file } = await written(9);
	const other = await written(10);
	const descriptor = openSync(file, 'r+');
	const noise = new Writer(11).dice.bytes(statSync(file).size - from);
	writeSync(descriptor, noise, 0, noise.length, from);
	const store = await open();
	const reads = async () => {
		const portal = await store.portal(id);
		await portal.headsOfKinds(['task', 'deal', 'company', 'employee', 'page']);
	};
	for (let again = 0; again < 2; again++) {
		await expect(reads()).rejects.toThrow(problem);
		await expect(reads()).rejects.toThrow(file);
	}
	await expectEqual(await store.portal(other.id), other.writer);
});

test('a file of a newer relay or of another program is left alone', async () => {
	const { id, file } = await written(12);
	const newer = new DatabaseSync(file);
	newer.exec('PRAGMA user_version = 99');
	newer.close();
	const foreign = new Writer(13).ids.portal();
	const theirs = new DatabaseSync(join(folder, `${foreign}.db`));
	theirs.exec('CREATE TABLE theirs (a)');
	theirs.close();
	const store = await open();
	await expect(store.portal(id)).rejects.toThrow(`${file} has schema version 99; this relay knows versions up to`);
	await expect(store.portal(foreign)).rejects.toThrow(/is not a portal of Atrium/);
});

test('a folder that cannot be used is one clear error', async () => {
	const file = join(folder, 'file');
	writeFileSync(file, '');
	await expect(SqliteRelayStore.open(file)).rejects.toThrow(`${file} cannot be used as the data folder`);
	await expect(SqliteRelayStore.open(join(file, 'below'))).rejects.toThrow(/cannot be used as the data folder/);
	const id = new Writer(14).ids.portal();
	mkdirSync(join(folder, `${id}.db`));
	await expect((await open()).portal(id)).rejects.toThrow(/cannot be opened/);
});

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)('a folder without the right to write is one clear error', async () => {
	chmodSync(folder, 0o500);
	await expect(SqliteRelayStore.open(folder)).rejects.toThrow(/cannot be used as the data folder/);
	chmodSync(folder, 0o700);
});

test('[S6] when the worker dies, everything under way and everything later rejects', async () => {
	const dying = `import { parentPort } from 'node:worker_threads';
		parentPort.on('message', (request) => {
			if (request.op !== 'open') throw new Error('out of luck');
			parentPort.postMessage({ id: request.id, ok: true, value: null, packed: { buffer: new ArrayBuffer(0), ends: [] } });
		});`;
	const store = await SqliteRelayStore.open(folder, { worker: new URL(`data:text/javascript,${encodeURIComponent(dying)}`) });
	const writer = new Writer(15);
	const portal = await store.portal(writer.ids.portal());
	const results = await Promise.allSettled([portal.commit(writer.random()), portal.head()]);
	expect(results.map(String)).toHaveLength(2);
	for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { message: 'the SQLite worker died: out of luck' } });
	await expect(portal.head()).rejects.toThrow('the SQLite worker died: out of luck');
	await store.close();
});
