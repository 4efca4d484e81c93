// What no honest client sends, over the real port.

import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_CALL_BYTES } from '../socket/server.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
});
afterAll(async () => {
	expect((await relay.call('GET', '/healthz')).status, 'the relay lives').toBe(200);
	expect(relay.log).toEqual([]);
	await relay.end();
});

/** Sends bytes as they are and returns what came until the other side was quiet or closed. */
function raw(text: string, quietMs = 300): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(relay.relay.port, '127.0.0.1', () => socket.write(text));
		let got = '';
		const done = () => (socket.destroy(), resolve(got));
		let timer = setTimeout(done, 2_000);
		socket.on('data', (data) => {
			got += data;
			clearTimeout(timer);
			timer = setTimeout(done, quietMs);
		});
		socket.on('close', done);
		socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? done() : reject(error)));
	});
}
const host = () => `127.0.0.1:${relay.relay.port}`;
const post = (path: string, body: string, headers: Record<string, string> = {}, token = ann.token) =>
	relay.call('POST', `/api/v1${path}`, { body, token, headers });

test.each([
	['{"kind":', 400, 'malformed'],
	['', 400, 'malformed'],
	['null', 422, 'bad-value'],
	['[]', 422, 'bad-value'],
	['"text"', 422, 'bad-value'],
	['{"kind":"task","fields":[]}', 422, 'bad-value'],
	['{"kind":"constructor","fields":{}}', 422, 'bad-value'],
	['{"kind":"task","fields":{"title":{"a":1}}}', 422, 'bad-value'],
	[`{"kind":"task","fields":{"title":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`, 422, 'bad-value']
])('%s is refused', async (body, status, code) => {
	const answer = await post('/documents', body);
	expect([answer.status, answer.body.code]).toEqual([status, code]);
	expect(answer.headers.get('content-type')).toBe('application/problem+json');
});

test('a key that would be a prototype changes nothing', async () => {
	const answer = await post('/documents', '{"kind":"task","fields":{"title":"x","__proto__":{"state":"done"}}}');
	const made = await relay.call('GET', `/api/v1/documents/${answer.body.id}`, { token: ann.token });
	expect([made.body.row.state, ({} as Record<string, unknown>)['state']]).toEqual(['pending', undefined]);
});

test('only JSON, and only UTF-8', async () => {
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
		expect((await post('/documents', '{}', { 'content-type': type })).status, type).toBe(415);
	}
	expect((await post('/documents', '{}', { 'content-type': 'application/json; charset=utf-8' })).status).toBe(422);
	const latin1 = `POST /api/v1/documents HTTP/1.1\r\nhost: ${host()}\r\nauthorization: Bearer ${ann.token}\r\ncontent-type: application/json\r\ncontent-length: 3\r\n\r\n"\xff"`;
	expect(await raw(Buffer.from(latin1, 'latin1') as unknown as string)).toMatch(/^HTTP\/1.1 400/);
});

test('a megabyte is 413, by its length and in pieces, and the connection or the relay goes on', async () => {
	const body = JSON.stringify({ kind: 'task', fields: { title: 'x'.repeat(1024 * 1024) } });
	const answer = await post('/documents', body);
	expect([answer.status, answer.body.code]).toEqual([413, 'too-large']);
	const chunk = `${(64 * 1024).toString(16)}\r\n${'x'.repeat(64 * 1024)}\r\n`;
	const head = `POST /api/v1/documents HTTP/1.1\r\nhost: ${host()}\r\nauthorization: Bearer ${ann.token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
	expect(await raw(head + chunk.repeat(16))).toMatch(/^HTTP\/1.1 413/);
	const fits = JSON.stringify({ kind: 'task', fields: { title: 'x'.repeat(MAX_CALL_BYTES - 100) } });
	expect((await post('/documents', fits)).body.code).toBe('bad-value');
});

test('an upload that nobody reads and that breaks off harms nobody', async () => {
	const head = `POST /api/v1/documents HTTP/1.1\r\nhost: ${host()}\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n`;
	expect(await raw(head + 'x'.repeat(1_000))).toMatch(/^HTTP\/1.1 401/);
	const signedIn = head.replace('content-type', `authorization: Bearer ${ann.token}\r\ncontent-type`);
	expect(await raw(signedIn + 'x'.repeat(1_000))).toBe('');
});

test('after an early answer the same connection is good for the next call', async () => {
	const body = 'x'.repeat(200_000);
	const first = `POST /api/v1/documents HTTP/1.1\r\nhost: ${host()}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
	const got = await raw(`${first}GET /healthz HTTP/1.1\r\nhost: ${host()}\r\n\r\n`);
	expect(got.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
});

test.each(['/../package.json', '/..%2fpackage.json', '/%2e%2e/%2e%2e/etc/passwd', '/_app/../../package.json', '/%00', '/_app/..%5c..%5cpackage.json', '//etc/passwd', '/.fingerprint', '/.env'])(
	'%s leads nowhere',
	async (path) => {
		const got = await raw(`GET ${path} HTTP/1.1\r\nhost: ${host()}\r\naccept: */*\r\n\r\n`);
		expect(got).not.toMatch(/root:|"dependencies"/);
		// The app itself, or nothing.
		expect(got).toMatch(/^HTTP\/1.1 (200 OK[^]*<!doctype html>|404|400)/);
	}
);

test('a path that cannot be decoded and a method that nobody knows', async () => {
	expect(await raw(`GET /%zz HTTP/1.1\r\nhost: ${host()}\r\n\r\n`)).toMatch(/^HTTP\/1.1 404/);
	expect(await raw(`GET /api/v1/documents/%zz HTTP/1.1\r\nhost: ${host()}\r\nauthorization: Bearer ${ann.token}\r\n\r\n`)).toMatch(/^HTTP\/1.1 4\d\d/);
	expect(await raw(`TRACE /api/v1/me HTTP/1.1\r\nhost: ${host()}\r\n\r\n`)).toMatch(/^HTTP\/1.1 4\d\d/);
	expect(await raw(`BREW /tasks HTTP/1.1\r\nhost: ${host()}\r\n\r\n`)).toMatch(/^HTTP\/1.1 4\d\d/);
	expect((await relay.call('PUT', '/api/v1/me', { token: ann.token })).status).toBe(405);
	expect((await relay.call('GET', '/api/v1/nothing')).body.code).toBe('no-such-path');
});

test.each(['x', 'task_x', 'task_00000000-0000-4000-8000-000000000000', 'constructor', '__proto__', '%2e%2e', "task_' or 1=1 --", 'employee_00000000-0000-7000-8000-000000000000'])(
	'the id %s is not there',
	async (id) => {
		const path = `/api/v1/documents/${encodeURIComponent(id)}`;
		expect((await relay.call('GET', path, { token: ann.token })).status).toBe(404);
		expect((await relay.call('POST', `${path}/commands`, { token: ann.token, body: { command: 'setTitle', value: 'x' } })).status).toBeGreaterThanOrEqual(400);
	}
);

test.each(['', 'Bearer', 'Bearer x y', 'Basic YTpi', `Bearer ${'x'.repeat(5_000)}`, 'bearer undefined'])('the authorization %j signs nobody in', async (authorization) => {
	const answer = await relay.call('GET', '/api/v1/me', { headers: { authorization } });
	expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
});

test('by cookie, changes come from our own pages only', async () => {
	const cookie = `atrium_session_${ann.portal.slice(-12)}=${ann.token}`;
	const change = (headers: Record<string, string>) => relay.call('POST', '/api/v1/documents', { body: { kind: 'task', fields: { title: 'x' } }, headers: { cookie, ...headers } });
	for (const origin of ['https://evil.example', 'null', `http://evil.example:${relay.relay.port}`, 'http://127.0.0.1:1', `${relay.address}.evil.example`]) {
		const answer = await change({ origin });
		expect([answer.status, answer.body.code], origin).toEqual([403, 'bad-origin']);
	}
	expect((await change({})).status, 'no origin').toBe(403);
	expect((await change({ origin: relay.address })).status).toBe(201);
	expect((await relay.call('GET', '/api/v1/me', { headers: { cookie } })).status, 'reading needs none').toBe(200);
	const out = await relay.call('DELETE', '/api/v1/sessions/current', { headers: { cookie, origin: 'https://evil.example' } });
	expect(out.status).toBe(403);
	const planted = await relay.call('POST', '/api/v1/sessions', { body: { email: 'ann@example.com', password: PASSWORD }, headers: { origin: 'https://evil.example' } });
	expect([planted.status, planted.headers.get('set-cookie')]).toEqual([403, null]);
});

test('a bearer token that is wrong is not mended by a cookie that is right', async () => {
	const headers = { cookie: `atrium_session_${ann.portal.slice(-12)}=${ann.token}`, authorization: 'Bearer nothing' };
	expect((await relay.call('GET', '/api/v1/me', { headers })).status).toBe(401);
});

test('nothing that a caller writes becomes a header', async () => {
	const id = await post('/documents', JSON.stringify({ kind: 'task\r\nset-cookie: x=1', fields: {} }));
	expect([id.status, id.headers.get('set-cookie')]).toEqual([422, null]);
	const got = await raw(`GET /tasks%0d%0aset-cookie:x=1 HTTP/1.1\r\nhost: ${host()}\r\naccept: text/html\r\n\r\n`);
	expect(got.toLowerCase()).not.toContain('set-cookie');
});

test('many headers fit, too many do not', async () => {
	expect((await relay.call('GET', '/healthz', { headers: { cookie: `a=${'x'.repeat(7_000)}` } })).status).toBe(200);
	expect(await raw(`GET /healthz HTTP/1.1\r\nhost: ${host()}\r\ncookie: ${'x'.repeat(40_000)}\r\n\r\n`)).not.toMatch(/ 200 /);
});

test('two lengths, or a length beside chunks, are not taken for a request', async () => {
	const smuggled = `POST /api/v1/sessions HTTP/1.1\r\nhost: ${host()}\r\ncontent-type: application/json\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n`;
	expect((await raw(smuggled)).match(/ 200 /g)).toBeNull();
});

test('the operator’s door does not exist for anyone without the token', async () => {
	for (const headers of [{}, { authorization: 'Bearer ' + 'x'.repeat(43) }, { authorization: `Bearer ${ann.token}` }] as Record<string, string>[]) {
		expect((await relay.call('POST', '/api/operator/ping', { body: {}, headers })).status).toBe(404);
	}
	const { readOperatorNote } = await import('../ops/operator.ts');
	const note = readOperatorNote(relay.dataDir)!;
	const authorization = `Bearer ${note.token}`;
	expect((await relay.call('POST', '/api/operator/ping', { body: {}, headers: { authorization } })).body).toEqual({ result: { pid: process.pid } });
	expect((await relay.call('POST', '/api/operator/ping', { body: {}, headers: { authorization, 'x-forwarded-for': '203.0.113.9' } })).status).toBe(404);
	expect((await relay.call('POST', '/api/operator/constructor', { body: {}, headers: { authorization } })).status).toBe(404);
});
