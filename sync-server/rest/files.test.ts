/** Files over the real port: whole, in pieces, by ranges, and what others try. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdMaker } from '#crdt-model/ids.ts';
import { Blobs, UPLOAD_LAPSE_MS } from '../files/blobs.ts';
import { type SignIn, TestRelay } from './test-relay.ts';

const ids = new IdMaker();
const PIECE = 'application/offset+octet-stream';
let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;
let eve: SignIn;

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
	bob = await relay.join(ann, 'bob@example.com');
	eve = await relay.found('eve@other.example', 'Other');
});
afterAll(async () => {
	expect(relay.log).toEqual([]);
	await relay.end();
});

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function record(bytes: Uint8Array, fields: object = {}, who = ann): Promise<string> {
	const made = await relay.call('POST', '/api/v1/documents', {
		token: who.token,
		body: { kind: 'file', fields: { name: 'offer.pdf', size: bytes.byteLength, mime: 'application/pdf', digest: digestOf(bytes), place: 'company', ...fields } }
	});
	if (made.status !== 201) throw new Error(JSON.stringify(made.body));
	return made.body.id;
}
async function send(method: string, id: string, { token = ann.token, body, headers = {} }: { token?: string; body?: Uint8Array | ReadableStream; headers?: Record<string, string> } = {}) {
	const response = await fetch(`${relay.address}/api/v1/files/${id}`, {
		method, body: (body ?? null) as BodyInit | null, duplex: 'half', headers: { authorization: `Bearer ${token}`, ...(body || method !== 'GET' ? { 'content-type': PIECE } : {}), ...headers }
	} as RequestInit);
	const bytes = new Uint8Array(await response.arrayBuffer());
	const json = bytes.byteLength > 0 && /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(new TextDecoder().decode(bytes)) : {};
	return { status: response.status, code: json.code as string | undefined, json, bytes, headers: response.headers, offset: response.headers.get('upload-offset') };
}
const piece = (id: string, offset: number, body?: Uint8Array, token = ann.token) => send('PATCH', id, { token, ...(body && { body }), headers: { 'upload-offset': String(offset) } });
const rowOf = async (id: string, who = ann) => (await relay.call('GET', `/api/v1/documents/${id}`, { token: who.token })).body.row;
const filesOf = (who: SignIn) => join(relay.dataDir, 'files', who.portal);

test('a file goes up in pieces, over a restart of the relay, and comes down as it was', async () => {
	const bytes = randomBytes(700_000);
	const id = await record(bytes, { name: 'Ofertă „finală”.pdf' });
	expect((await rowOf(id)).arrived).toBe(false);
	expect(await send('HEAD', id)).toMatchObject({ status: 204, offset: '0' });
	expect(await piece(id, 0, bytes.subarray(0, 300_000))).toMatchObject({ status: 204, offset: '300000' });
	await relay.restart();
	expect(await send('HEAD', id)).toMatchObject({ status: 204, offset: '300000' });
	expect((await send('GET', id, { token: bob.token })).code, 'the record is there and its bytes are not').toBe('not-uploaded');
	expect((await send('HEAD', id, { token: bob.token })).offset, 'how far is the maker’s affair').toBeNull();
	const last = await piece(id, 300_000, bytes.subarray(300_000));
	expect([last.status, last.offset, last.headers.get('upload-complete')]).toEqual([204, '700000', '?1']);
	expect((await rowOf(id, bob)).arrived).toBe(true);

	const down = await send('GET', id, { token: bob.token });
	expect([down.status, Buffer.compare(down.bytes, bytes)]).toEqual([200, 0]);
	expect(Object.fromEntries(down.headers)).toMatchObject({
		'content-type': 'application/pdf',
		'content-disposition': "attachment; filename*=UTF-8''Ofert%C4%83%20%E2%80%9Efinal%C4%83%E2%80%9D.pdf",
		'content-security-policy': "default-src 'none'; sandbox",
		'x-content-type-options': 'nosniff',
		etag: `"${digestOf(bytes)}"`
	});
	const path = join(filesOf(ann), digestOf(bytes).slice(0, 2), digestOf(bytes));
	expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
	expect(statSync(path).mode & 0o077, 'the owner’s alone').toBe(0);
	expect(readdirSync(join(filesOf(ann), 'uploads'))).toEqual([]);
});

test('what was answered with a lost line is answered again; a piece at another place is told where the upload stands', async () => {
	const bytes = randomBytes(5_000);
	const id = await record(bytes);
	expect(await piece(id, 10, bytes.subarray(10))).toMatchObject({ status: 409, code: 'offset-mismatch', offset: '0' });
	expect((await piece(id, 0, bytes.subarray(0, 2_000))).status).toBe(204);
	expect(await piece(id, 0, bytes.subarray(0, 2_000))).toMatchObject({ status: 409, code: 'offset-mismatch', offset: '2000' });
	expect((await piece(id, 2_000, bytes.subarray(2_000))).status).toBe(204);
	expect(await piece(id, 2_000, bytes.subarray(2_000)), 'a repeat changes nothing').toMatchObject({ status: 204, offset: '5000' });
	expect(await send('PUT', id, { body: randomBytes(5_000) }), 'nor does another content').toMatchObject({ status: 204, offset: '5000' });
	expect(Buffer.compare((await send('GET', id)).bytes, bytes)).toBe(0);
});

test('an empty file, a whole one by PUT, equal bytes once on disk', async () => {
	const empty = await record(new Uint8Array());
	expect(await piece(empty, 0)).toMatchObject({ status: 204, offset: '0' });
	expect([(await rowOf(empty)).arrived, (await send('GET', empty)).bytes.byteLength]).toEqual([true, 0]);
	const bytes = randomBytes(1_000);
	const [first, second] = [await record(bytes), await record(bytes, {}, bob)];
	expect((await piece(first, 0, bytes.subarray(0, 300))).status).toBe(204);
	expect((await send('PUT', first, { body: bytes })).status).toBe(204);
	expect((await send('GET', second, { token: bob.token })).code, 'knowing a digest brings nobody the bytes').toBe('not-uploaded');
	expect((await send('PUT', second, { body: bytes, token: bob.token })).status).toBe(204);
	expect(Buffer.compare((await send('GET', second)).bytes, bytes)).toBe(0);
});

test('ranges and what is known already', async () => {
	const bytes = new TextEncoder().encode('0123456789');
	const id = await record(bytes, { name: 'digits.txt', mime: 'text/plain' });
	await send('PUT', id, { body: bytes });
	const range = async (value: string, more: Record<string, string> = {}) => {
		const { status, bytes: got, headers } = await send('GET', id, { headers: { range: value, ...more } });
		return `${status} ${new TextDecoder().decode(got.subarray(0, 10))} ${headers.get('content-range') ?? ''}`.trim();
	};
	expect(await range('bytes=2-4')).toBe('206 234 bytes 2-4/10');
	expect(await range('bytes=7-')).toBe('206 789 bytes 7-9/10');
	expect(await range('bytes=-3')).toBe('206 789 bytes 7-9/10');
	expect(await range('bytes=5-999999999999999')).toBe('206 56789 bytes 5-9/10');
	expect(await range('bytes=10-')).toMatch(/^416 .* bytes \*\/10$/s);
	for (const whole of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=-', `bytes=${'9'.repeat(400)}-`]) expect(await range(whole)).toBe('200 0123456789');
	expect(await range('bytes=2-4', { 'if-range': '"other"' })).toBe('200 0123456789');
	const etag = `"${digestOf(bytes)}"`;
	expect((await send('GET', id, { headers: { 'if-none-match': etag } })).status).toBe(304);
	const head = await send('HEAD', id);
	expect([head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([200, '10', 'bytes']);
});

test('what a browser could run is served as bytes', async () => {
	for (const mime of ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/xml', 'application/javascript', 'x-world/x-3dmf']) {
		const bytes = randomBytes(10);
		const id = await record(bytes, { mime });
		await send('PUT', id, { body: bytes });
		const { headers } = await send('GET', id);
		expect([mime, headers.get('content-type'), headers.get('content-disposition')?.startsWith('attachment')]).toEqual([mime, 'application/octet-stream', true]);
	}
});

test('lies about digest and size bring nothing in', async () => {
	const bytes = randomBytes(4_000);
	const other = await record(bytes, { digest: digestOf(randomBytes(4)) });
	expect(await send('PUT', other, { body: bytes })).toMatchObject({ status: 422, code: 'bad-value', offset: '0' });
	expect([(await rowOf(other)).arrived, (await send('HEAD', other)).offset]).toEqual([false, '0']);
	expect(existsSync(join(filesOf(ann), digestOf(bytes).slice(0, 2), digestOf(bytes)))).toBe(false);
	const small = await record(bytes, { size: 100 });
	expect(await send('PUT', small, { body: bytes })).toMatchObject({ status: 413, code: 'too-large', offset: '100' });
	expect(await piece(small, 100)).toMatchObject({ status: 422 });
	const large = await record(bytes, { size: 9_000 });
	expect(await send('PUT', large, { body: bytes })).toMatchObject({ status: 204, offset: '4000' });
	expect((await rowOf(large)).arrived).toBe(false);
	expect((await relay.call('POST', '/api/v1/documents', { token: ann.token, body: { kind: 'file', fields: { name: 'x', size: 2 ** 31, mime: 'a/b', digest: 'a'.repeat(64) } } })).status).toBe(422);
});

test('nobody but the maker brings bytes, or says that they are there; who may not read hears what they would hear of nothing', async () => {
	const bytes = randomBytes(100);
	const company = await record(bytes);
	const mine = await record(bytes, { place: 'mine' }, bob);
	expect(await piece(company, 0, bytes, bob.token)).toMatchObject({ status: 403, code: 'denied', json: { rule: 'file.maker-uploads', who: [`user:${ann.employee}`] } });
	expect((await piece(company, 0, bytes.subarray(0, 50))).status).toBe(204);
	expect((await piece(company, 50, bytes.subarray(50), bob.token)).status, 'also not what another began').toBe(403);
	const nothing = await send('GET', ids.document('file'), { token: eve.token });
	expect(nothing.status).toBe(404);
	for (const answer of [await send('GET', company, { token: eve.token }), await piece(company, 0, bytes, eve.token), await send('GET', mine, { token: eve.token })]) expect(answer.json).toEqual(nothing.json);
	const cat = await relay.join(ann, 'cat@example.com', 'Cat');
	for (const method of ['GET', 'PATCH', 'PUT']) expect((await send(method, mine, { token: cat.token, ...(method === 'GET' ? {} : { body: bytes }), headers: { 'upload-offset': '0' } })).json).toEqual(nothing.json);
	expect((await send('PUT', mine, { token: bob.token, body: bytes })).status).toBe(204);
	expect((await send('GET', mine)).status, 'My Disk is open to administrators').toBe(200);
	const said = await relay.call('POST', `/api/v1/documents/${company}/commands`, { token: ann.token, body: { command: 'arrive', args: {} } });
	expect(said).toMatchObject({ status: 403, body: { rule: 'file.relay-says' } });
	expect((await send('GET', company, { headers: { authorization: 'Bearer nonsense' } })).status).toBe(401);
});

test('a deleted file is gone for all, its bytes stay, and its return brings it back whole', async () => {
	const bytes = randomBytes(500);
	const [done, begun] = [await record(bytes), await record(bytes)];
	await send('PUT', done, { body: bytes });
	await piece(begun, 0, bytes.subarray(0, 100));
	const command = (id: string, name: string) => relay.call('POST', `/api/v1/documents/${id}/commands`, { token: ann.token, body: { command: name, args: {} } });
	for (const id of [done, begun]) expect((await command(id, 'delete')).status).toBe(200);
	expect([(await send('GET', done)).status, (await piece(begun, 100, bytes.subarray(100))).status]).toEqual([404, 404]);
	for (const id of [done, begun]) expect((await command(id, 'restore')).status).toBe(200);
	expect(Buffer.compare((await send('GET', done)).bytes, bytes)).toBe(0);
	expect((await piece(begun, 100, bytes.subarray(100))).status).toBe(204);
});

test('two uploads of one file at once never mix', async () => {
	const bytes = randomBytes(2_000_000);
	const id = await record(bytes);
	let go = () => {};
	const slow = new ReadableStream<Uint8Array>({
		start(controller) {
			controller.enqueue(bytes.subarray(0, 1_000_000));
			go = () => (controller.enqueue(bytes.subarray(1_000_000)), controller.close());
		}
	});
	const first = send('PUT', id, { body: slow });
	await expect.poll(async () => (await send('HEAD', id)).offset).toBe('1000000');
	expect(await piece(id, 1_000_000, bytes.subarray(1_000_000))).toMatchObject({ status: 409, code: 'being-uploaded' });
	expect(await send('PUT', id, { body: randomBytes(2_000_000) })).toMatchObject({ status: 409, code: 'being-uploaded' });
	go();
	expect((await first).status).toBe(204);
	expect(Buffer.compare((await send('GET', id)).bytes, bytes)).toBe(0);
});

test('what broke off goes on where the disk has it', async () => {
	const bytes = randomBytes(900_000);
	const id = await record(bytes);
	const socket = connect(relay.relay.port, '127.0.0.1');
	socket.write(`PATCH /api/v1/files/${id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.token}\r\nContent-Type: ${PIECE}\r\nUpload-Offset: 0\r\nContent-Length: 900000\r\n\r\n`);
	socket.write(bytes.subarray(0, 400_000));
	await expect.poll(async () => (await send('HEAD', id)).offset).toBe('400000');
	socket.destroy();
	await expect.poll(async () => (await piece(id, 400_000, bytes.subarray(400_000))).status).toBe(204);
	expect(Buffer.compare((await send('GET', id)).bytes, bytes)).toBe(0);
});

test('odd addresses, types and offsets', async () => {
	const bytes = randomBytes(10);
	const id = await record(bytes);
	for (const path of ['..%2f..%2f..%2faccounts.db', '%2e%2e', `${id}%00`, `${id}/../x`, `${'a'.repeat(3_000)}`, 'task_00000000-0000-7000-8000-000000000001', `${id.toUpperCase()}`]) {
		for (const method of ['GET', 'PUT']) expect([404, 405], path).toContain((await send(method, path, method === 'PUT' ? { body: bytes } : {})).status);
	}
	for (const offset of ['-1', '1e3', '0x10', '', ' ', '9'.repeat(40)]) expect((await send('PATCH', id, { body: bytes, headers: { 'upload-offset': offset } })).status, offset).toBe(400);
	expect(await send('PUT', id, { body: bytes, headers: { 'content-type': 'text/plain' } })).toMatchObject({ status: 415, code: 'not-bytes' });
	expect((await send('PUT', id, { body: bytes, headers: { 'x-long': 'x'.repeat(40_000) } }).catch(() => ({ status: 431 }))).status).toBe(431);
	const tooMuch = await send('PUT', id, { body: new Uint8Array(16 * 1024 * 1024 + 1) }).catch(() => ({ status: 413 }));
	expect(tooMuch.status).toBe(413);
	expect((await send('HEAD', id)).offset).toBe('0');
	expect((await relay.call('POST', `/api/v1/files/${id}`, { token: ann.token })).status).toBe(405);
});

test('by cookie, another site’s page changes nothing', async () => {
	const bytes = randomBytes(10);
	const id = await record(bytes);
	const response = await fetch(`${relay.address}/api/v1/files/${id}`, {
		method: 'PUT', body: bytes, headers: { cookie: `atrium_session_${ann.portal.slice(-12)}=${ann.token}`, origin: 'https://evil.example', 'content-type': PIECE }
	});
	expect([401, 403]).toContain(response.status);
	expect((await send('HEAD', id)).offset).toBe('0');
});

test('the storage’s last byte: refused with the number, also while nothing has come yet', async () => {
	const half = { size: 2 ** 31 - 1, digest: 'b'.repeat(64) };
	for (let n = 0; n < 2; n++) await record(new Uint8Array(), half, eve);
	const used = 2 * half.size;
	const make = (size: number) => relay.call('POST', '/api/v1/documents', { token: eve.token, body: { kind: 'file', fields: { name: 'x', mime: 'a/b', digest: 'c'.repeat(64), size } } });
	const room = 5 * 1024 ** 3 - used;
	expect(await make(room + 1)).toMatchObject({ status: 402, body: { code: 'quota', rule: 'tariff.storageBytes', tariff: { used, most: 5 * 1024 ** 3, more: room + 1, ways: ['projectPlus', 'team', 'company'] } } });
	expect((await make(room)).status).toBe(201);
	expect((await relay.call('GET', '/api/v1/tariff', { token: eve.token })).body.storageBytes).toEqual({ used: 5 * 1024 ** 3, most: 5 * 1024 ** 3 });
	expect((await make(1)).body.tariff).toMatchObject({ used: 5 * 1024 ** 3, more: 1 });
});

test('an upload that nobody continues is thrown away after its time, and no kept blob ever', async () => {
	const bytes = randomBytes(1_000);
	const [begun, done] = [await record(bytes), await record(bytes)];
	await piece(begun, 0, bytes.subarray(0, 400));
	await send('PUT', done, { body: bytes });
	const blobs = new Blobs(join(relay.dataDir, 'files'));
	await blobs.sweep(Date.now());
	expect((await send('HEAD', begun)).offset).toBe('400');
	const old = new Date(Date.now() - UPLOAD_LAPSE_MS);
	utimesSync(join(filesOf(ann), 'uploads', begun), old, old);
	utimesSync(join(filesOf(ann), digestOf(bytes).slice(0, 2), digestOf(bytes)), old, old);
	await blobs.sweep(Date.now());
	expect((await send('HEAD', begun)).offset).toBe('0');
	expect((await send('GET', done)).status).toBe(200);
});
