// HTTP and upgrades that no browser makes, against a relay process of its own: garbage, bombs, smuggling, other origins, ended sessions.

import { DatabaseSync } from 'node:sqlite';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { DocumentId } from '#crdt-model/ids.ts';
import { PASSWORD, until } from '../support/relay.ts';
import { Arena, HELLO, ids, type Hostile } from './arena.ts';

let arena: Arena;
let mallory: Hostile;
beforeAll(async () => {
	arena = await Arena.open();
	mallory = await arena.hostile();
}, 120_000);
afterAll(() => arena?.close());

const host = () => `127.0.0.1:${arena.relay.port}`;
const statuses = (text: string) => (text.match(/HTTP\/1\.1 \d+/g) ?? []).map((line) => Number(line.slice(9)));

/** Sends bytes as they are, and sees that the relay goes on. Resolves with all that came: what else they would be answered stands before what is asked after them. */
async function raw(bytes: string | Uint8Array): Promise<string> {
	let got = '';
	const socket = connect(arena.relay.port, '127.0.0.1', () => socket.write(bytes));
	await new Promise<void>((resolve) => {
		socket.on('data', (data) => {
			got += data.toString('latin1');
			if (statuses(got).length > 0 && got.includes('\r\n\r\n')) resolve();
		});
		socket.on('close', resolve);
		socket.on('error', resolve);
		socket.setTimeout(15_000, resolve);
	});
	await arena.work();
	socket.destroy();
	return got;
}
/** Never answered as if it were good. */
async function refused(bytes: string | Uint8Array): Promise<void> {
	for (const status of statuses(await raw(bytes))) expect(status).toBeGreaterThanOrEqual(400);
}

/** An upgrade with these headers: the code it is closed with, or `open`. */
function upgrade(headers: Record<string, string>, path = '/sync'): Promise<number | 'open'> {
	return new Promise((resolve) => {
		const socket = new WebSocket(`${arena.relay.socketUrl}${path}`, { headers });
		let isGreeted = false;
		socket.on('open', () => socket.send(HELLO));
		socket.on('message', () => {
			isGreeted = true;
			socket.close();
		});
		socket.on('error', () => {});
		socket.on('close', (code) => resolve(isGreeted ? 'open' : code));
	});
}

test('REST by cookie: nothing is changed without an Origin, or from another', async () => {
	const cookie = `atrium_session_${mallory.who.portal.slice(-12)}=${mallory.token}`;
	const change = (headers: Record<string, string>) => fetch(`${arena.relay.url}/api/v1/documents`, { method: 'POST', body: JSON.stringify({ kind: 'task', fields: { title: 'x' } }), headers: { cookie, 'content-type': 'application/json', ...headers } });
	for (const origin of [undefined, 'https://evil.example', 'null', 'http://127.0.0.1:1', `${arena.relay.url}.evil.example`, `http://evil.example/${arena.relay.url}`]) {
		expect((await change(origin === undefined ? {} : { origin })).status, origin).toBe(403);
	}
	expect((await change({ origin: arena.relay.url })).status).toBe(201);
});

test('upgrades by cookie from another Origin, or from none', async () => {
	const cookie = `atrium_session_${mallory.who.portal.slice(-12)}=${mallory.token}`;
	for (const path of ['/sync', `/live/${ids.document('page')}`]) {
		for (const more of [{}, { origin: 'https://evil.example' }, { origin: 'null' }, { origin: 'http://127.0.0.1:1' }, { origin: `http://${host()}.evil.example` }]) {
			expect(await upgrade({ cookie, ...more } as Record<string, string>, path)).toBe(4401);
		}
	}
	expect(await upgrade({ cookie, origin: arena.relay.url })).toBe('open');
	expect(await upgrade({ cookie, authorization: 'Bearer nothing', origin: arena.relay.url }), 'a wrong header is not mended by a cookie').toBe(4401);
});

test('header bombs: one of 40 KB, a thousand of them, a name of 20 KB', async () => {
	await refused(`GET /healthz HTTP/1.1\r\nhost: ${host()}\r\ncookie: ${'x'.repeat(40_000)}\r\n\r\n`);
	await refused(`GET /healthz HTTP/1.1\r\nhost: ${host()}\r\n${Array.from({ length: 1_000 }, (_, i) => `x-${i}: y`).join('\r\n')}\r\n\r\n`);
	await refused(`GET /healthz HTTP/1.1\r\nhost: ${host()}\r\n${'n'.repeat(20_000)}: y\r\n\r\n`);
	await refused(`GET /${'a'.repeat(60_000)} HTTP/1.1\r\nhost: ${host()}\r\n\r\n`);
});

test('slowloris: 200 calls that never end keep nobody out', async () => {
	const sockets: Socket[] = [];
	for (let i = 0; i < 200; i++) {
		const socket = connect(arena.relay.port, '127.0.0.1', () => socket.write(`POST /api/v1/sessions HTTP/1.1\r\nhost: ${host()}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`));
		socket.on('error', () => {});
		sockets.push(socket);
	}
	for (let i = 0; i < 3; i++) {
		await arena.work();
		expect((await fetch(`${arena.relay.url}/healthz`)).status).toBe(200);
	}
	expect((await arena.relay.api('POST', '/sessions', { email: 'ana@acme.example', password: PASSWORD })).status).toBe(201);
	for (const socket of sockets) socket.destroy();
});

test('garbage behind a good call on one line', async () => {
	const good = `GET /healthz HTTP/1.1\r\nhost: ${host()}\r\n\r\n`;
	for (const garbage of ['\x00\x01\x02\x03\r\n\r\n', 'GET\r\n\r\n', '\r\n'.repeat(1_000), 'HTTP/1.1 200 OK\r\n\r\n', 'G\0T / HTTP/1.1\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n']) {
		// What is no request is answered at once, and may end the line before the good call is.
		const got = statuses(await raw(good + garbage)).filter((status) => status !== 200);
		for (const status of got) expect(status, JSON.stringify(garbage.slice(0, 20))).toBeGreaterThanOrEqual(400);
	}
	await arena.work();
});

test.each([
	['a length beside chunks', 'content-length: 4\r\ntransfer-encoding: chunked', '0\r\n\r\n'],
	['chunks beside a length', 'transfer-encoding: chunked\r\ncontent-length: 4', '0\r\n\r\n'],
	['two lengths', 'content-length: 0\r\ncontent-length: 44', ''],
	['a length with a sign', 'content-length: +44', ''],
	['a negative length', 'content-length: -1', ''],
	['a length in hexadecimal', 'content-length: 0x10', ''],
	['two encodings', 'transfer-encoding: identity, chunked\r\ntransfer-encoding: chunked', '0\r\n\r\n'],
	['an encoding that nobody knows', 'transfer-encoding: xchunked', '0\r\n\r\n'],
	['a space before the colon', 'content-length : 44', ''],
	['a folded header', 'content-length:\r\n 44', ''],
	['a chunk of a size that is none', 'transfer-encoding: chunked', 'zz\r\n{}\r\n0\r\n\r\n'],
	['a chunk larger than the world', 'transfer-encoding: chunked', 'ffffffffffffffff\r\nx']
])('smuggling a second call: %s', async (_what, headers, body) => {
	const smuggled = `GET /api/v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${mallory.token}\r\n\r\n`;
	const got = await raw(`POST /api/v1/sessions HTTP/1.1\r\nhost: ${host()}\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}${smuggled}`);
	for (const status of statuses(got)) expect(status).toBeGreaterThanOrEqual(400);
	expect(got).not.toContain(mallory.person);
});

test('bodies beyond the ceiling, declared, in chunks, and on GET', async () => {
	const large = 'x'.repeat(1024 * 1024);
	const head = `POST /api/v1/documents HTTP/1.1\r\nhost: ${host()}\r\nauthorization: Bearer ${mallory.token}\r\ncontent-type: application/json\r\n`;
	expect(statuses(await raw(`${head}content-length: ${large.length}\r\n\r\n${large}`))).toEqual([413]);
	expect(statuses(await raw(`${head}transfer-encoding: chunked\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`))[0]).toBe(413);
	await refused(`${head}content-length: 99999999999\r\n\r\n`);
	await refused(`GET /api/v1/me HTTP/1.1\r\nhost: ${host()}\r\ncontent-length: 1048576\r\n\r\n${large}`);
});

test('JSON that is deep, broken, of another encoding, or of 100,000 keys', async () => {
	const post = async (body: string | Uint8Array, type = 'application/json') =>
		(await fetch(`${arena.relay.url}/api/v1/documents`, { method: 'POST', body: body as BodyInit, headers: { 'content-type': type, authorization: `Bearer ${mallory.token}` } })).status;
	expect(await post(`{"kind":"task","fields":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toBe(422);
	expect(await post('{"kind":')).toBe(400);
	expect(await post(Buffer.from([0x22, 0xff, 0x22]))).toBe(400);
	expect(await post(`{"kind":"task","fields":{${Array.from({ length: 15_000 }, (_, i) => `"k${i}":1`).join()}}}`)).toBe(422);
	expect(await post('kind=task', 'application/x-www-form-urlencoded')).toBe(415);
	// Half a letter is mended before it is anywhere, or memory and disk would differ.
	const { body } = await mallory.api<{ id: DocumentId }>('POST', '/documents', { kind: 'task', fields: { title: 'half a letter: \ud800' } });
	expect(await arena.row(body.id)).toMatchObject({ title: 'half a letter: \ufffd' });
	// Keys that every object has are dropped; nothing is made of them.
	expect([201, 422]).toContain(await post('{"kind":"task","fields":{"title":"x","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}'));
	expect(await post('{"kind":"task","fields":{"title":"x","polluted":true}}')).toBe(422);
});

test('upgrades that are none: a wrong key, a wrong version, a body, another method', async () => {
	const head = (more: string) => `GET /sync HTTP/1.1\r\nhost: ${host()}\r\nauthorization: Bearer ${mallory.token}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n${more}\r\n\r\n`;
	for (const more of ['sec-websocket-version: 13', 'sec-websocket-key: x\r\nsec-websocket-version: 13', `sec-websocket-key: ${'A'.repeat(24)}\r\nsec-websocket-version: 8`, `sec-websocket-key: ${'A'.repeat(4_000)}\r\nsec-websocket-version: 13`]) {
		await raw(head(more) + '\xff'.repeat(100));
	}
	await refused(`POST /sync HTTP/1.1\r\nhost: ${host()}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${'A'.repeat(22)}==\r\nsec-websocket-version: 13\r\n\r\n`);
});

test('WebSocket frames that break the protocol: unmasked, reserved bits, a giant length, fragments without end', async () => {
	const key = `sec-websocket-key: ${'A'.repeat(22)}==\r\nsec-websocket-version: 13`;
	const head = Buffer.from(`GET /sync HTTP/1.1\r\nhost: ${host()}\r\nauthorization: Bearer ${mallory.token}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n${key}\r\n\r\n`);
	const frames = [[0x82, 0x05, 1, 2, 3, 4, 5], [0xf2, 0x85, 0, 0, 0, 0, 1, 2, 3, 4, 5], [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], [0x83, 0x80, 0, 0, 0, 0], [0x89, 0xfe, 0x10, 0x00, 0, 0, 0, 0]];
	for (const frame of frames) {
		await raw(Buffer.concat([head, Buffer.from(frame)]));
	}
	await raw(Buffer.concat([head, ...Array.from({ length: 10_000 }, () => Buffer.from([0x00, 0x81, 0, 0, 0, 0, 1]))]));
	await arena.work();
});

test('paths that lead elsewhere', async () => {
	for (const path of ['/../package.json', '/..%2fpackage.json', '/%2e%2e/%2e%2e/etc/passwd', '/_app/../../data/accounts.db', '/%00', '//etc/passwd', '/operator.json', '/mac.key', '/accounts.db', '/portals/x.db', '/.env']) {
		const got = await raw(`GET ${path} HTTP/1.1\r\nhost: ${host()}\r\naccept: */*\r\n\r\n`);
		expect(got, path).not.toMatch(/root:|"dependencies"|SQLite format|"token"/);
	}
});

test('the operator’s door is not there for a person, an administrator, or through a proxy', async () => {
	const { token } = JSON.parse((await import('node:fs')).readFileSync(join(arena.relay.dataDir, 'operator.json'), 'utf8')) as { token: string };
	const knock = async (headers: Record<string, string>) => (await fetch(`${arena.relay.url}/api/operator/ping`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...headers } })).status;
	for (const bearer of [mallory.token, arena.ana.token, '', 'x'.repeat(token.length)]) expect(await knock({ authorization: `Bearer ${bearer}` })).toBe(404);
	expect(await knock({ authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9' })).toBe(404);
	expect(await knock({ authorization: `Bearer ${token}` })).toBe(200);
});

test('a dismissed person: open sockets close, new ones and calls are refused, and nothing more is sent', async () => {
	const leaving = await arena.hostile('Leaving');
	const device = await leaving.device();
	const text = await arena.relay.create(arena.ana, 'text', { title: 'Notes', place: 'company' });
	const live = leaving.attack(`/live/${text}`, []);
	await live;
	expect(await arena.as(leaving.person, 'employee.dismiss')).toBe('accepted');
	await until(() => device.closeCode !== null);
	expect([4401, 4403]).toContain(device.closeCode);
	for (const path of ['/sync', `/live/${text}`]) expect([4401, 4403]).toContain(await upgrade({ authorization: `Bearer ${leaving.token}` }, path));
	for (const [method, path, body] of [['GET', '/me'], ['GET', '/documents?kind=employee'], ['POST', '/documents', { kind: 'task', fields: { title: 'x' } }], ['POST', '/invitations', { addresses: ['x@y.example'] }]] as const) {
		expect([401, 403]).toContain((await leaving.api(method, path, body)).status);
	}
	const word = `after${ids.item()}`;
	expect(await arena.as(text, 'text.setTitle', { value: word })).toBe('accepted');
	expect(leaving.has(word)).toBe(false);
});

test('a session that was ended is ended everywhere at once', async () => {
	const { body } = await arena.relay.api<{ token: string }>('POST', '/sessions', { email: 'mallory1@acme.example', password: PASSWORD });
	const socket = new WebSocket(`${arena.relay.socketUrl}/sync`, { headers: { authorization: `Bearer ${body.token}` } });
	const closed = new Promise<number>((resolve) => socket.on('close', resolve));
	await new Promise((resolve) => socket.once('open', resolve));
	expect((await arena.relay.api('DELETE', '/sessions/current', undefined, body.token)).status).toBe(204);
	expect(await closed).toBe(4401);
	expect((await arena.relay.api('GET', '/me', undefined, body.token)).status).toBe(401);
	expect(await upgrade({ authorization: `Bearer ${body.token}` })).toBe(4401);
});

test('a session that has expired signs nobody in', async () => {
	const { body } = await arena.relay.api<{ token: string }>('POST', '/sessions', { email: 'mallory1@acme.example', password: PASSWORD });
	const { createHash } = await import('node:crypto');
	const accounts = new DatabaseSync(join(arena.relay.dataDir, 'accounts.db'));
	const { changes } = accounts.prepare('update session set expiresAt = ? where token = ?').run(new Date(Date.now() - 1_000).toISOString(), createHash('sha256').update(body.token).digest('base64url'));
	accounts.close();
	expect(changes).toBe(1);
	// Never used before, so that no cache speaks for it.
	expect((await arena.relay.api('GET', '/me', undefined, body.token)).status).toBe(401);
	expect(await upgrade({ authorization: `Bearer ${body.token}` })).toBe(4401);
});

test('passwords guessed by the dozen are answered 429, and who knows theirs from elsewhere still gets in', async () => {
	const ends: number[] = [];
	const guess = (password: string, address: string) =>
		fetch(`${arena.relay.url}/api/v1/sessions`, { method: 'POST', body: JSON.stringify({ email: 'mallory1@acme.example', password }), headers: { 'content-type': 'application/json', 'x-forwarded-for': address } });
	for (let i = 0; i < 12; i++) ends.push((await guess(`wrong password ${i}`, '203.0.113.20')).status);
	expect([ends.slice(0, 10), ends.slice(10)]).toEqual([Array(10).fill(401), [429, 429]]);
	expect((await arena.relay.api('POST', '/sessions', { email: 'ana@acme.example', password: PASSWORD })).status).toBe(201);
});
