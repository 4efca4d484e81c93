/**
 * A company loses its machine and restores a backup that is older than its last day: a real relay is killed, the real command restores, and the real
 * replicas of two people bring back what they hold. Afterwards everything is there under its own authors, once, and `verify` is content.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdMaker, type DocumentId } from '#crdt-model/ids.ts';
import { Replica } from '#lib/sync/engine.ts';
import type { Transport } from '#lib/sync/link.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import { TestRelay, until, type SignedIn } from '../support/relay.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

let relay: TestRelay;
let backups: string;
let people: SignedIn[];
const opened: Replica[] = [];
const ids = new IdMaker();

beforeAll(async () => {
	relay = await TestRelay.start();
	backups = await mkdtemp(join(tmpdir(), 'atrium-backups-'));
	const ana = await relay.register();
	people = [ana, await relay.hire(ana, 'bob@acme.example', 'Bob')];
});
afterAll(async () => {
	for (const replica of opened) await replica.close();
	await relay.remove();
	await rm(backups, { recursive: true, force: true });
});

async function portalCommand<T>(...args: string[]): Promise<T> {
	const { stdout } = await run(process.execPath, [join(ROOT, 'sync-server', 'portal.ts'), ...args, '--json'], { cwd: ROOT, env: { ...process.env, DATA_DIR: relay.dataDir } });
	return JSON.parse(stdout) as T;
}

const lineOf =
	({ token }: SignedIn): Transport =>
	(events) => {
		const socket = new WebSocket(`${relay.socketUrl}/sync`, { headers: { authorization: `Bearer ${token}` } });
		socket.binaryType = 'arraybuffer';
		socket.on('error', () => {});
		socket.on('open', () => events.opened());
		socket.on('message', (data: ArrayBuffer) => events.frame(new Uint8Array(data)));
		socket.on('close', (code) => events.closed(code));
		return { send: (frame) => socket.send(frame), close: () => socket.close() };
	};
async function device(person: SignedIn, store = new MemoryReplicaStore()): Promise<Replica> {
	const replica = await Replica.open({ portal: person.portal, person: person.employee, store, transport: lineOf(person) });
	opened.push(replica);
	replica.connect();
	await upToDate(replica);
	return replica;
}
const upToDate = (replica: Replica) => until(() => replica.status().word === 'up-to-date');
const holds = (replica: Replica, id: DocumentId, path: string, value: unknown) => until(async () => (await replica.state(id)).get(path)?.value === value);
async function write(replica: Replica, document: DocumentId, name: string, args: unknown): Promise<void> {
	expect((await replica.run([{ document, name, args }])).kind).toBe('kept');
	await upToDate(replica);
}
async function type(replica: Replica, text: DocumentId, words: string): Promise<void> {
	const page = await replica.openPage(text, 'tab');
	page.doc.getText('text').insert(0, words);
	await page.release();
	await upToDate(replica);
}
const textOf = async (replica: Replica, text: DocumentId) => {
	const page = await replica.openPage(text, 'look');
	const said = page.doc.getText('text').toString();
	await page.release();
	return said;
};

test('what two devices hold comes back after kill -9 and the restore of an older backup', async () => {
	const [ana, bob] = people as [SignedIn, SignedIn];
	const first = await device(ana);
	const second = await device(bob);
	const [old, fresh, text] = [ids.document('task'), ids.document('task'), ids.document('text')];
	await write(second, old, 'task.create', { title: 'in the backup' });
	await write(first, text, 'text.create', { title: 'Notes', place: 'company' });
	await type(first, text, 'kept ');
	await portalCommand('backup', '--to', backups);

	const item = ids.item();
	await holds(first, old, 'title', 'in the backup');
	await write(second, old, 'task.setTitle', { value: 'changed by Bob' });
	await write(first, fresh, 'task.create', { title: 'made since', responsible: bob.employee });
	await type(second, text, 'lost ');
	await holds(second, fresh, 'title', 'made since');
	await write(first, fresh, 'task.comment', { item, text: 'said by Ana' });
	for (const replica of [first, second]) {
		await holds(replica, old, 'title', 'changed by Bob');
		await holds(replica, fresh, `comments/${item}/text`, 'said by Ana');
		await until(async () => (await textOf(replica, text)) === 'lost kept ');
	}
	expect(await relay.stop('SIGKILL')).toBeNull();
	first.disconnect();
	second.disconnect();
	// Somebody puts other words into Ana's mouth on the device that comes first.
	await second.store.transact(async (tx) => {
		const said = (await tx.rawAfter(null, 10_000)).find(({ sealed }) => sealed.command?.name === 'task.comment')!;
		await tx.putRaw([{ ...said, sealed: { ...said.sealed, command: { ...said.sealed.command!, args: { item, text: 'forged' } } } }]);
	});

	expect(await portalCommand('restore', '--from', backups, '--replace')).toMatchObject({ epoch: 2, canHeal: true });
	await relay.start();
	second.connect();
	await upToDate(second);
	await holds(second, old, 'title', 'changed by Bob');
	await holds(second, fresh, 'title', 'made since');
	expect((await second.state(fresh)).has(`comments/${item}/text`)).toBe(false);
	first.connect();
	await upToDate(first);
	for (const replica of [first, second]) {
		await holds(replica, fresh, `comments/${item}/text`, 'said by Ana');
		await until(async () => (await textOf(replica, text)) === 'lost kept ');
		expect(replica.status()).toMatchObject({ pending: 0, aside: 0 });
	}
	const authors = [(await first.state(old)).get('title'), (await first.state(fresh)).get('title'), (await first.state(fresh)).get(`comments/${item}/text`)].map((cell) => cell?.by);
	expect(authors).toEqual([bob.employee, ana.employee, ana.employee]);

	// It goes on, with a device that never saw the first life.
	await write(first, fresh, 'task.setTitle', { value: 'and on' });
	await holds(second, fresh, 'title', 'and on');
	const third = await device(ana);
	await holds(third, fresh, 'title', 'and on');
	expect(await textOf(third, text)).toBe('lost kept ');
	expect(await portalCommand<{ ok: boolean }>('verify')).toMatchObject({ ok: true, portals: [{ difference: null }] });
}, 120_000);
