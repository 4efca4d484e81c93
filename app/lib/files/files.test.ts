// Blobs on the device and their way up, on IndexedDB and against a relay that can be told to fail.
import { createHash } from 'node:crypto';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { beforeEach, expect, test } from 'vitest';
import { IdMaker, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import { ReplicaDatabase } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { FileShelf, mimeFor, nameFor, UNNAMED_MS } from './shelf.ts';
import { PIECE_BYTES, Uploads, type Answered, type Send } from './uploads.ts';

const ids = new IdMaker();
const ana = ids.document('employee') as PersonId;
const bob = ids.document('employee') as PersonId;
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const filled = (size: number, value = 1) => new Uint8Array(size).fill(value);

let database: ReplicaDatabase;
let now = 1_000_000;
let made: { id: DocumentId<'file'>; args: Record<string, unknown> }[];
let remote: Map<DocumentId, Uint8Array>;
let downloads: number;
let shelf: FileShelf;
let refuse: boolean;

beforeEach(async () => {
	await database?.delete();
	database = new ReplicaDatabase(`files-${ids.uuid()}`, { indexedDB: new IDBFactory(), IDBKeyRange });
	made = [];
	remote = new Map();
	downloads = 0;
	refuse = false;
	shelf = new FileShelf({
		database,
		newId: () => ids.document('file'),
		now: () => now,
		run: async ([draft]) => {
			if (refuse) return { kind: 'refused', refusal: { code: 'denied', detail: 'no' }, draft: 0 };
			made.push({ id: draft!.document as DocumentId<'file'>, args: draft!.args as Record<string, unknown> });
			return { kind: 'kept' } as never;
		},
		download: async (file) => {
			downloads++;
			const bytes = remote.get(file);
			return bytes ? new Blob([bytes as Uint8Array<ArrayBuffer>]) : null;
		}
	});
});

async function putRow(bytes: Uint8Array, more: Partial<StoredRow<FileRow>> = {}): Promise<StoredRow<FileRow>> {
	const row = {
		id: ids.document('file'), kind: 'file', number: null, createdBy: ana, createdAt: 1, updatedAt: 1, deleted: false, sync: 'accepted', aside: false,
		name: 'a.bin', size: bytes.byteLength, mime: 'a/b', digest: hash(bytes), place: 'company', grants: {}, arrived: false, ...more
	} as unknown as StoredRow<FileRow>;
	await database.rows('file').put(row as never);
	return row;
}
const digests = async () => (await database.blobs.toCollection().primaryKeys()).sort();

test('a chosen file is kept whole before its record is made, and its record says what it is', async () => {
	const added = await shelf.add(new File([filled(5)], 'Ofertă.PDF', { type: 'application/pdf' }), 'company');
	expect(added).toEqual({ kind: 'added', file: made[0]!.id });
	expect(made[0]!.args).toEqual({ name: 'Ofertă.PDF', size: 5, mime: 'application/pdf', digest: hash(filled(5)), place: 'company' });
	expect(new Uint8Array(await (await shelf.kept(hash(filled(5))))!.arrayBuffer())).toEqual(filled(5));
	refuse = true;
	now += UNNAMED_MS;
	expect(await shelf.add(new File([filled(3)], 'x'), 'company')).toMatchObject({ kind: 'refused', name: 'x' });
});

test('bytes leave with the last record that names them, and stay for whatever is still needed here', async () => {
	const [lost, shared, waits, aside, mine] = [1, 2, 3, 4, 5].map((value) => filled(10, value)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
	const blob = async (bytes: Uint8Array, more = {}) => database.blobs.put({ digest: hash(bytes), bytes: new Blob([bytes as Uint8Array<ArrayBuffer>]), chosen: false, keptAt: now, usedAt: now, pinned: false, ...more });
	for (const bytes of [lost, shared, waits, aside]) await blob(bytes);
	await blob(mine, { chosen: true });
	const row = await putRow(lost, { arrived: true });
	const [first] = [await putRow(shared, { arrived: true, createdBy: bob }), await putRow(shared, { arrived: true })];
	const command = (bytes: Uint8Array, document: DocumentId) => ({ id: ids.command(), document, name: 'file.create', args: { digest: hash(bytes) }, at: 1, seen: {} });
	const pending = ids.document('file');
	await database.pending.add({ id: 'b', kind: 'batch', documents: [pending], at: 1, state: 'kept', tried: false, arrived: [], batch: { id: ids.batch(), commands: [command(waits, pending)] } } as never);
	await database.aside.put({ id: 'a', kind: 'command', at: 1, document: pending, title: null, reason: { code: 'quota', detail: '' }, command: command(aside, pending), batch: ids.batch(), before: null, after: [] } as never);
	await shelf.sweep();
	expect(await digests()).toEqual([lost, shared, waits, aside, mine].map(hash).sort());
	await database.rows('file').bulkDelete([row.id, first!.id]);
	await shelf.sweep();
	expect(await digests(), 'one that another record of mine names stays').toEqual([shared, waits, aside, mine].map(hash).sort());
	now += UNNAMED_MS;
	await database.aside.clear();
	await shelf.sweep();
	expect(await digests()).toEqual([shared, waits].map(hash).sort());
});

test('what is opened comes once, is checked, and stays; without a network what is here is shown', async () => {
	const row = await putRow(filled(8), { arrived: true });
	expect(await shelf.bytesOf(row)).toBeNull();
	remote.set(row.id, filled(8, 9));
	expect(await shelf.bytesOf(row), 'other bytes are not shown under this name').toBeNull();
	remote.set(row.id, filled(8));
	expect((await shelf.bytesOf(row))!.size).toBe(8);
	remote.clear();
	expect([(await shelf.bytesOf(row))!.size, downloads]).toEqual([8, 3]);
	expect([await shelf.pin(row, true), (await database.blobs.get(row.digest))!.pinned]).toEqual([true, true]);
	const elsewhere = await putRow(filled(4), { arrived: true });
	expect(await shelf.pin(elsewhere, true), 'not to be had now').toBe(false);
	expect(await shelf.bytesOf(await putRow(filled(6))), 'nothing is asked for that has not arrived').toBeNull();
	expect(downloads).toBe(4);
});

test('names and types fit the record', () => {
	expect([nameFor('  a\u0000b.txt '), nameFor('\ud83d'), nameFor('')]).toEqual(['a b.txt', '\ufffd', 'file']);
	const long = nameFor(`${'ă'.repeat(300)}.docx`);
	expect([long.length, long.endsWith('ă.docx')]).toEqual([250, true]);
	expect([mimeFor('Text/Plain; charset=x'), mimeFor(''), mimeFor('no type'), mimeFor(`a/${'b'.repeat(200)}`)]).toEqual(['text/plain', ...Array(3).fill('application/octet-stream')]);
});

/** A relay that holds uploads; `fails` answers instead of it while it has something to say. */
class Relay {
	readonly held = new Map<DocumentId, Uint8Array[]>();
	readonly arrived = new Set<DocumentId>();
	readonly asked: string[] = [];
	fails: ((call: string) => Answered | 'down' | null)[] = [];
	send: Send = async ({ method, file, offset = 0, body }) => {
		const call = `${method}${method === 'PATCH' ? ` ${offset}+${body!.size}` : ''}`;
		this.asked.push(call);
		const failed = this.fails[0]?.(call) ?? null;
		if (failed) this.fails.shift();
		if (failed === 'down') throw new TypeError('fetch failed');
		if (failed) return failed;
		const at = this.offsetOf(file);
		if (method === 'HEAD') return { status: this.arrived.has(file) ? 200 : 204, offset: at, code: null };
		if (offset !== at) return { status: 409, offset: at, code: 'offset-mismatch' };
		this.held.set(file, [...(this.held.get(file) ?? []), new Uint8Array(await body!.arrayBuffer())]);
		return { status: 204, offset: this.offsetOf(file), code: null };
	};
	offsetOf(file: DocumentId): number {
		return (this.held.get(file) ?? []).reduce((sum, { byteLength }) => sum + byteLength, 0);
	}
	whole(file: DocumentId): string {
		return hash(Buffer.concat(this.held.get(file) ?? []));
	}
}

/** Timers that a test runs by hand. */
function handTimers() {
	const waiting: { run: () => void; ms: number }[] = [];
	return { waiting, set: (run: () => void, ms: number) => waiting.push({ run, ms }), clear: () => void waiting.splice(0) };
}

async function uploading(relay: Relay, bytes: Uint8Array, more: Partial<StoredRow<FileRow>> = {}) {
	const timers = handTimers();
	let signedOut = 0;
	await database.blobs.put({ digest: hash(bytes), bytes: new Blob([bytes as Uint8Array<ArrayBuffer>]), chosen: true, keptAt: now, usedAt: now, pinned: false });
	const row = await putRow(bytes, more);
	const uploads = new Uploads({ database, person: ana, send: relay.send, timers, onSignedOut: () => signedOut++ });
	uploads.start();
	await uploads.idle();
	return { row, uploads, timers, again: async () => (timers.waiting.shift()!.run(), uploads.idle()), signedOut: () => signedOut };
}

test('a file goes up in pieces and its state is told', async () => {
	const relay = new Relay();
	const bytes = filled(PIECE_BYTES * 2 + 5);
	const { row, uploads } = await uploading(relay, bytes);
	expect(relay.asked).toEqual(['HEAD', `PATCH 0+${PIECE_BYTES}`, `PATCH ${PIECE_BYTES}+${PIECE_BYTES}`, `PATCH ${PIECE_BYTES * 2}+5`]);
	expect(relay.whole(row.id)).toBe(row.digest);
	expect(await database.uploads.get(row.id)).toEqual({ file: row.id, sent: row.size, problem: null });
	uploads.stop();
});

test('a broken line costs what was under way: it goes on where the relay stands, after a pause that grows', async () => {
	const relay = new Relay();
	relay.fails = [(call) => (call.startsWith('PATCH 4') ? 'down' : null), () => 'down', () => 'down'];
	const { row, timers, again, uploads } = await uploading(relay, filled(PIECE_BYTES * 2));
	expect(timers.waiting.map(({ ms }) => ms)).toEqual([1_000]);
	await again();
	expect(timers.waiting.map(({ ms }) => ms)).toEqual([2_000]);
	await again();
	expect(timers.waiting.map(({ ms }) => ms)).toEqual([4_000]);
	relay.asked.length = 0;
	await again();
	expect([relay.asked, relay.whole(row.id)]).toEqual([['HEAD', `PATCH ${PIECE_BYTES}+${PIECE_BYTES}`], row.digest]);
	uploads.stop();
});

test('busy, full and restarting are waited for; a piece elsewhere goes on there; a lost last answer is no second upload', async () => {
	const relay = new Relay();
	const answer = (status: number, code: string) => (call: string) => (call === 'HEAD' ? null : { status, offset: null, code });
	relay.fails = [answer(409, 'being-uploaded'), answer(503, 'unavailable'), answer(429, 'too-much')];
	const { row, again, uploads } = await uploading(relay, filled(10));
	for (let n = 0; n < 3; n++) await again();
	expect(relay.whole(row.id)).toBe(row.digest);
	uploads.stop();

	await database.rows('file').clear();
	const half = new Relay();
	const other = filled(12, 7);
	half.fails = [(call) => (call === 'HEAD' ? { status: 204, offset: 5, code: null } : null)];
	const second = await uploading(half, other);
	expect(half.asked).toEqual(['HEAD', 'PATCH 5+7', 'PATCH 0+12']);
	expect(half.whole(second.row.id)).toBe(second.row.digest);
	second.uploads.stop();

	await database.rows('file').clear();
	const done = new Relay();
	done.send = ((send) => async (call: Parameters<Send>[0]) => (done.arrived.add(call.file), send(call)))(done.send);
	const third = await uploading(done, filled(3, 8));
	expect(done.asked).toEqual(['HEAD']);
	third.uploads.stop();
});

test('outside the company’s networks it waits, whether the answer has words or not', async () => {
	const relay = new Relay();
	const outside = (code: string | null) => () => ({ status: 403, offset: null, code });
	relay.fails = [outside(null), (call) => (call === 'HEAD' ? null : outside('not-from-here')())];
	const { row, again, uploads } = await uploading(relay, filled(10));
	await again();
	expect(await database.uploads.get(row.id)).toMatchObject({ problem: null });
	await again();
	expect(relay.whole(row.id)).toBe(row.digest);
	uploads.stop();
});

test('what can never go up is said once and left alone; others go on; a signed-out device stops', async () => {
	const relay = new Relay();
	relay.fails = [(call) => (call === 'HEAD' ? null : { status: 422, offset: 0, code: 'bad-value' })];
	const { row, uploads, timers } = await uploading(relay, filled(10));
	expect([await database.uploads.get(row.id), timers.waiting]).toEqual([{ file: row.id, sent: 0, problem: 'damaged' }, []]);
	const asked = relay.asked.length;
	uploads.wake();
	await uploads.idle();
	expect(relay.asked.length).toBe(asked);
	const missing = await putRow(filled(99));
	uploads.wake();
	await uploads.idle();
	expect(await database.uploads.get(missing.id)).toMatchObject({ problem: 'missing' });
	uploads.stop();

	const out = new Relay();
	out.fails = [() => ({ status: 401, offset: null, code: 'not-signed-in' })];
	const second = await uploading(out, filled(11));
	expect([second.signedOut(), second.timers.waiting]).toEqual([1, []]);
	second.uploads.stop();
});

test('only own records that the relay has accepted are sent', async () => {
	const relay = new Relay();
	for (const more of [{ createdBy: bob }, { sync: 'kept' as const }, { sync: 'sent' as const }, { arrived: true }, { deleted: true }]) {
		const bytes = filled(20, 20 + relay.held.size);
		await database.blobs.put({ digest: hash(bytes), bytes: new Blob([bytes]), chosen: true, keptAt: now, usedAt: now, pinned: false });
		await putRow(bytes, more);
	}
	const { row, uploads } = await uploading(relay, filled(5));
	expect([...relay.held.keys()]).toEqual([row.id]);
	uploads.stop();
});
