// The features that decide over money, seats, files and other people's views, by somebody who wants more of them.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import type { DocumentId } from '#crdt-model/ids.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { until, type SignedIn } from '../support/relay.ts';
import { SyncClient } from '../support/sync-client.ts';
import { Arena, batchOf, commandOf, HELLO, Hostile, ids, marker, outcomeOf } from './arena.ts';

let arena: Arena;
let mallory: Hostile;
let ben: Hostile;
beforeAll(async () => {
	arena = await Arena.open();
	[mallory, ben] = [await arena.hostile(), await arena.honest('Ben')];
}, 120_000);
afterAll(() => arena?.close());

const digestOfBytes = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function send(who: SignedIn | Hostile, method: string, id: string, bytes: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
	return fetch(`${arena.relay.url}/api/v1/files/${id}`, { method, body: bytes as BodyInit, headers: { authorization: `Bearer ${who.token}`, 'content-type': 'application/offset+octet-stream', ...headers } });
}
/** What is served, kept with everything else that the person got. */
async function served(who: Hostile, path: string, headers: Record<string, string> = {}): Promise<{ status: number; headers: Headers }> {
	const answer = await fetch(`${arena.relay.url}/api/v1/files/${path}`, { headers: { authorization: `Bearer ${who.token}`, ...headers } });
	who.keep(new Uint8Array(await answer.arrayBuffer()));
	return answer;
}
async function uploaded(word: string, place: 'mine' | 'company' = 'mine', more: Record<string, unknown> = {}): Promise<DocumentId> {
	const bytes = Buffer.from(word);
	const file = await arena.made(ids.document('file'), { name: 'secret.txt', size: bytes.byteLength, mime: 'text/plain', digest: digestOfBytes(bytes), place, ...more });
	expect((await send(arena.ana, 'PUT', file, bytes)).status).toBe(204);
	return file;
}

test('files: another’s by its id is not there, whole, in part, by HEAD or to upload', async () => {
	const word = marker('file');
	const file = await uploaded(word);
	const absent = ids.document('file');
	for (const id of [file, absent]) {
		for (const headers of [{}, { range: 'bytes=0-3' }, { 'if-none-match': `"${digestOfBytes(Buffer.from(word))}"` }] as Record<string, string>[]) expect((await served(mallory, id, headers)).status).toBe(404);
		expect((await send(mallory, 'PUT', id, Buffer.from('x'))).status).toBe(404);
		expect((await send(mallory, 'PATCH', id, Buffer.from('x'), { 'upload-offset': '0' })).status).toBe(404);
	}
	expect(mallory.has(word)).toBe(false);
});

test.each(['..%2f..%2faccounts.db', '../../accounts.db', '%2e%2e%2fmac.key', 'file_..%2f..', '%00', 'constructor', 'task_00000000-0000-7000-8000-000000000000', `${'a'.repeat(3_000)}`])('files: the path %s leads nowhere', async (path) => {
	const answer = await served(mallory, path);
	expect(answer.status).toBeGreaterThanOrEqual(400);
	expect(mallory.has('SQLite format')).toBe(false);
});

test('files: whoever knows a digest does not thereby have the bytes', async () => {
	const word = marker('digest');
	await uploaded(word);
	const digest = digestOfBytes(Buffer.from(word));
	const claimed = ids.document('file');
	expect(await mallory.command(claimed, 'file.create', { name: 'mine.txt', size: word.length, mime: 'text/plain', digest })).toBe('accepted');
	expect((await served(mallory, claimed)).status).toBe(409);
	expect((await send(mallory, 'PATCH', claimed, new Uint8Array(), { 'upload-offset': String(word.length) })).status).toBeGreaterThanOrEqual(400);
	expect((await send(mallory, 'PUT', claimed, Buffer.from('y'.repeat(word.length)))).status).toBe(422);
	expect((await served(mallory, claimed)).status).toBe(409);
	expect([await mallory.command(claimed, 'file.arrive'), mallory.has(word)]).toEqual(['denied', false]);
});

test('files: lies about the size: more than was said, less, none, negative, half a byte', async () => {
	const file = ids.document('file');
	const bytes = Buffer.from('four');
	expect(await mallory.command(file, 'file.create', { name: 'x', size: 4, mime: 'text/plain', digest: digestOfBytes(bytes) })).toBe('accepted');
	expect((await send(mallory, 'PUT', file, Buffer.alloc(1_000_000))).status).toBe(413);
	expect((await send(mallory, 'PATCH', file, bytes, { 'upload-offset': '2' })).status).toBe(409);
	for (const offset of ['-1', '1e3', 'x', '', '99999999999999999999']) expect((await send(mallory, 'PATCH', file, bytes, { 'upload-offset': offset })).status).toBeGreaterThanOrEqual(400);
	expect((await served(mallory, file)).status).toBe(409);
	for (const size of [-1, 0.5, 2 ** 53, Number.NaN, '4']) expect(['bad-value', 'closed 4400']).toContain(await mallory.command(ids.document('file'), 'file.create', { name: 'x', size, mime: 'text/plain', digest: 'a'.repeat(64) }));
});

test('files: a readable one is nobody’s but its maker’s to fill, and what is served runs nowhere', async () => {
	const bytes = Buffer.from('<script>alert(1)</script>');
	const file = await arena.made(ids.document('file'), { name: 'a\r\nset-cookie: x=1"/../b.html', size: bytes.byteLength, mime: 'text/html', digest: digestOfBytes(bytes), place: 'company' });
	expect((await send(mallory, 'PUT', file, bytes)).status).toBe(403);
	expect((await send(arena.ana, 'PUT', file, bytes)).status).toBe(204);
	const { status, headers } = await served(mallory, file);
	expect([status, headers.get('content-type'), headers.get('x-content-type-options'), headers.get('set-cookie')]).toEqual([200, 'application/octet-stream', 'nosniff', null]);
	expect(headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''[A-Za-z0-9%._-]+$/);
});

test('files: ranges that are none do no harm', async () => {
	const file = await uploaded('0123456789', 'company');
	for (const [range, status] of [['bytes=0-0', 206], ['bytes=-3', 206], ['bytes=99-', 416], ['bytes=5-2', 416], ['bytes=0-0,1-1', 200], [`bytes=${'0-1,'.repeat(500)}0-1`, 200], ['lines=1-2', 200], ['bytes=0-99999999999999999', 200]] as const) {
		expect([range.slice(0, 30), (await served(mallory, file, { range })).status]).toEqual([range.slice(0, 30), status]);
	}
});

test('files: uploads that break off, many at once, and to one place at a time', { timeout: 60_000 }, async () => {
	const bytes = Buffer.alloc(200_000, 'x');
	const file = ids.document('file');
	expect(await mallory.command(file, 'file.create', { name: 'x', size: bytes.byteLength, mime: 'text/plain', digest: digestOfBytes(bytes) })).toBe('accepted');
	const ends = await Promise.all(Array.from({ length: 20 }, () => send(mallory, 'PUT', file, bytes).then(({ status }) => status)));
	for (const end of ends) expect([204, 409, 429]).toContain(end);
	expect((await send(mallory, 'PUT', file, bytes)).status).toBe(204);
	expect((await served(mallory, file)).status).toBe(200);
	await arena.work();
});

test('looking on as another: administrators alone, never as oneself, nobody or the dismissed', async () => {
	for (const person of [ben.person, arena.ana.employee, mallory.person]) expect((await mallory.api('POST', '/view-as', { person })).status).toBe(403);
	const admin = new Hostile(arena, arena.ana);
	for (const person of [arena.ana.employee, ids.document('employee'), 'x', null]) expect((await admin.api('POST', '/view-as', { person })).status).toBeGreaterThanOrEqual(400);
});

test('looking on as another: the token reads what they read, and writes, hands on and escalates nothing', { timeout: 60_000 }, async () => {
	const task = ids.document('task');
	expect(await ben.command(task, 'task.create', { title: 'Of Ben' })).toBe('accepted');
	const text = await arena.relay.create(arena.ana, 'text', { title: 'Notes', place: 'company' });
	const secret = marker('mallorys');
	expect(await mallory.command(ids.document('text'), 'text.create', { title: secret, place: 'mine' })).toBe('accepted');
	const { body } = await new Hostile(arena, arena.ana).api<{ token: string }>('POST', '/view-as', { person: ben.person });
	const view = new Hostile(arena, { portal: arena.ana.portal, employee: ben.person, token: body.token });
	expect((await view.api('GET', `/documents/${task}`)).status).toBe(200);
	for (const [method, path, asked] of [
		['POST', '/documents', { kind: 'task', fields: { title: 'x' } }], ['POST', `/documents/${task}/commands`, { command: 'setTitle', value: 'x' }],
		['POST', '/view-as', { person: mallory.person }], ['POST', '/invitations', { addresses: ['x@y.example'] }], ['DELETE', '/sessions/current', undefined]
	] as const) {
		expect([path, (await view.api(method, path, asked)).status]).toEqual([path, expect.toSatisfy((status: number) => status === 403 || (path === '/sessions/current' && status < 500)) as unknown as number]);
	}
	const again = await new Hostile(arena, arena.ana).api<{ token: string }>('POST', '/view-as', { person: ben.person });
	const second = new Hostile(arena, { portal: arena.ana.portal, employee: ben.person, token: again.body.token });
	const doc = new Y.Doc();
	doc.getText('text').insert(0, 'as Ben');
	expect(await second.command(task, 'task.setTitle', { value: 'by a viewer' })).toBe('denied');
	expect(await second.update(text, Y.encodeStateAsUpdate(doc))).toBe('denied');
	const end = await second.attack('/sync', [HELLO, encodeUp({ type: 'reoffer', documents: [], entries: [], last: true })]);
	expect([4400, 'open']).toContain(end);
	expect(await arena.row(task)).toMatchObject({ title: 'Of Ben' });
	expect((await arena.content(text)).getText('text').toString()).toBe('');
	expect(second.has(secret), 'what Ben may not read, the view does not show, though the administrator could').toBe(false);
	// It is recorded before anything is shown, and nobody can write the record themselves.
	expect(await mallory.command(ben.person, 'employee.recordView', { by: mallory.person, at: 1 })).toBe('denied');
});

test('looking on ends with the administrator’s rights: open lines close', async () => {
	const second = await arena.hostile('Second');
	expect(await arena.as(second.person, 'employee.setAdministrator', { value: true })).toBe('accepted');
	const { status, body } = await second.api<{ token: string }>('POST', '/view-as', { person: ben.person });
	expect(status).toBe(201);
	const view = new SyncClient(arena.relay.socketUrl, body.token);
	await view.connect();
	expect(await arena.as(second.person, 'employee.setAdministrator', { value: false })).toBe('accepted');
	await until(() => view.closeCode !== null);
	expect([4401, 4403]).toContain(view.closeCode);
	expect([401, 403]).toContain((await arena.relay.api('GET', '/me', undefined, body.token)).status);
});

test('what was lost, handed back without a restore: nothing sealed, nothing taken', async () => {
	const task = await arena.made(ids.document('task'), { title: 'Sealed' });
	const entry = { document: task, docSeq: 1, author: arena.ana.employee, authoredAt: 1, acceptedAt: 1, command: commandOf(task, 'task.setTitle', { value: 'forged' }), bytes: new Uint8Array([0, 0]), mac: new Uint8Array(32) };
	const frames = [HELLO, encodeUp({ type: 'inventory', documents: [], last: true }), encodeUp({ type: 'reoffer', documents: [task], entries: [entry], last: true })];
	expect(['open', 4400]).toContain(await mallory.attack('/sync', frames));
	expect([4400, 4401, 4529]).toContain(await mallory.attack('/sync', [encodeUp({ type: 'reoffer', documents: [task], entries: [entry], last: true })]));
	expect(await arena.row(task)).toMatchObject({ title: 'Sealed' });
});

/** A portal under the free plan with ten people in it, on the same relay. */
async function smallPortal(name: string): Promise<{ owner: SignedIn; device: SyncClient }> {
	const owner = await arena.relay.register(name, `owner@${name.toLowerCase()}.example`);
	await arena.relay.operator('tariff', { portal: owner.portal, plan: 'project' });
	const device = new SyncClient(arena.relay.socketUrl, owner.token);
	await device.connect();
	for (let i = 0; i < 9; i++) await arena.relay.hire(owner, `p${i}@${name.toLowerCase()}.example`, 'Person');
	return { owner, device };
}
async function people(owner: SignedIn): Promise<{ id: DocumentId; active: boolean; email: string; guest: boolean }[]> {
	return (await arena.relay.api<{ rows: { id: DocumentId; active: boolean; email: string; guest: boolean }[] }>('GET', '/documents?kind=employee&limit=100', undefined, owner.token)).body.rows;
}

test('seats: six invitations accepted in the same moment take the two that are left', { timeout: 120_000 }, async () => {
	const { owner, device } = await smallPortal('Racers');
	const addresses = Array.from({ length: 6 }, (_, i) => `racer${i}@racers.example`);
	await arena.relay.api('POST', '/invitations', { addresses }, owner.token);
	const codes = await Promise.all(addresses.map((address) => arena.relay.invitationCode(address)));
	const statuses = await Promise.all(codes.map(async (code) => (await arena.relay.api('POST', '/invitations/acceptance', { code, firstName: 'R', lastName: 'R', password: 'a long enough password' })).status));
	expect(statuses.sort()).toEqual([201, 201, 402, 402, 402, 402]);
	const active = (await people(owner)).filter((person) => person.active);
	expect(active.length).toBe(12);

	const run = async (...commands: ReturnType<typeof commandOf>[]) => outcomeOf(await device.submit(batchOf(...commands)));
	const [leaver, other] = active.filter(({ email }) => email.startsWith('racer'));
	expect(await run(commandOf(leaver!.id, 'employee.dismiss')), 'a seat is given back').toBe('accepted');
	expect((await arena.relay.api('POST', '/invitations/acceptance', { code: codes[statuses.length - 1], firstName: 'R', lastName: 'R', password: 'a long enough password' })).status).toBeLessThan(500);
	// Rehired offline while somebody else took the seat, alone and in a batch that also does something good.
	for (let full = (await people(owner)).filter((person) => person.active).length; full < 12; full++) {
		await arena.relay.hire(owner, `filler${full}@racers.example`, 'Filler');
	}
	// Of an older time it gives way to the dismissal and changes nothing; of a newer one it would take a seat.
	expect(await run(commandOf(leaver!.id, 'employee.rehire', {}, { at: Date.now() - 86_400_000 }))).toBe('accepted');
	expect(await arena.relay.api<{ row: object }>('GET', `/documents/${leaver!.id}`, undefined, owner.token)).toMatchObject({ body: { row: { active: false } } });
	expect(await run(commandOf(leaver!.id, 'employee.rehire'))).toBe('quota');
	expect(await run(commandOf(other!.id, 'employee.setPosition', { value: 'Clerk' }), commandOf(leaver!.id, 'employee.rehire'))).toBe('quota');
	expect(await run(commandOf(other!.id, 'employee.dismiss'), commandOf(leaver!.id, 'employee.rehire')), 'one for one is no growth').toBe('accepted');
	expect(await run(commandOf(other!.id, 'employee.rehire'))).toBe('quota');
	// Guests are made by the relay alone, and nobody becomes one to free a seat.
	expect(await run(commandOf(ids.document('employee'), 'employee.create', { firstName: 'G', lastName: 'G', email: 'g@racers.example', guest: true }))).toBe('denied');
	expect(await run(commandOf(leaver!.id, 'employee.setGuest', { value: true }))).toBe('unknown-command');
	expect((await people(owner)).filter((person) => person.active).length).toBe(12);
	device.close();
});

test('bytes: the one over the limit is refused, in one record, in many at once, in a batch, and by delete and restore', { timeout: 120_000 }, async () => {
	const owner = await arena.relay.register('Bytes', 'owner@bytes.example');
	await arena.relay.operator('tariff', { portal: owner.portal, plan: 'project' });
	const device = new SyncClient(arena.relay.socketUrl, owner.token);
	await device.connect();
	const run = async (...commands: ReturnType<typeof commandOf>[]) => outcomeOf(await device.submit(batchOf(...commands)));
	const GIGABYTE = 1024 ** 3;
	const file = (size: number) => commandOf(ids.document('file'), 'file.create', { name: 'large', size, mime: 'text/plain', digest: 'a'.repeat(64) });
	const first = file(GIGABYTE);
	expect(await run(first)).toBe('accepted');
	const others = await Promise.all(Array.from({ length: 8 }, () => run(file(GIGABYTE))));
	expect(others.sort()).toEqual([...Array(4).fill('accepted'), ...Array(4).fill('quota')]);
	expect(await run(file(1))).toBe('quota');
	expect(await run(commandOf(first.document, 'file.delete'), file(GIGABYTE), file(1))).toBe('quota');
	expect(await run(commandOf(first.document, 'file.delete'))).toBe('accepted');
	expect(await run(file(GIGABYTE))).toBe('accepted');
	expect(await run(commandOf(first.document, 'file.restore'))).toBe('quota');
	// Work in texts, and reading, go on.
	expect(await run(commandOf(ids.document('text'), 'text.create', { title: 'still', place: 'mine' }))).toBe('accepted');
	device.close();
});

test('features that the tariff leaves out are not switched on, and a person does not buy', { timeout: 60_000 }, async () => {
	const owner = await arena.relay.register('Locked', 'owner@locked.example');
	await arena.relay.operator('tariff', { portal: owner.portal, plan: 'project' });
	const settings = (await arena.relay.api<{ rows: { id: DocumentId }[] }>('GET', '/documents?kind=settings', undefined, owner.token)).body.rows[0]!.id;
	for (const body of [{ command: 'setWorkingHours', value: { days: [1], from: '09:00', to: '18:00' } }, { command: 'setDomain', value: 'portal.example.com' }]) {
		expect((await arena.relay.api('POST', `/documents/${settings}/commands`, body, owner.token)).status).toBe(402);
	}
	for (const path of ['/tariff', '/subscription']) for (const method of ['POST', 'PUT', 'PATCH']) expect((await arena.relay.api(method, path, { plan: 'company' }, owner.token)).status).toBeGreaterThanOrEqual(400);
});

test('another portal on the same relay: its people, records, pages and files are not there', { timeout: 60_000 }, async () => {
	const word = marker('portal');
	const stranger = new Hostile(arena, await arena.relay.register('Strangers', 'owner@strangers.example'));
	const task = await arena.made(ids.document('task'), { title: word });
	const text = await arena.relay.create(arena.ana, 'text', { title: word, place: 'company' });
	const file = await uploaded(word, 'company');
	for (const id of [task, text, file, arena.ana.employee]) {
		expect((await stranger.api('GET', `/documents/${id}`)).status).toBe(404);
		expect(['not-found', 'unknown-command']).toContain(await stranger.command(id, `${id.slice(0, id.indexOf('_'))}.setTitle`, { value: 'x' }));
	}
	expect((await served(stranger, file)).status).toBe(404);
	expect(await stranger.attack(`/live/${text}`, [])).toBe(4404);
	expect((await stranger.api('POST', '/view-as', { person: arena.ana.employee })).status).toBeGreaterThanOrEqual(400);
	await stranger.anotherDevice();
	expect(stranger.has(word)).toBe(false);
});
