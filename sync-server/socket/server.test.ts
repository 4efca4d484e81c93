import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConfigProblem } from '../config.ts';
import { TestRelay } from '../rest/test-relay.ts';
import { Server } from './server.ts';

const appDir = mkdtempSync(join(tmpdir(), 'atrium-app-'));
const large = randomBytes(6_000_000);
let relay: TestRelay;

beforeAll(async () => {
	mkdirSync(join(appDir, '_app/immutable'), { recursive: true });
	writeFileSync(join(appDir, 'index.html'), `<!doctype html>${'<p>words</p>'.repeat(200)}`);
	writeFileSync(join(appDir, '_app/immutable/large.bin'), large);
	relay = await TestRelay.start({ appDir });
});
afterAll(async () => {
	await relay.end();
	rmSync(appDir, { recursive: true });
});

test('the app over the port: validators, compression, HEAD, methods', async () => {
	const first = await fetch(relay.address);
	expect([first.status, first.headers.get('cache-control')]).toEqual([200, 'no-cache']);
	await expect.poll(async () => (await fetch(relay.address, { headers: { 'accept-encoding': 'br' } })).headers.get('content-encoding')).toBe('br');
	const again = await fetch(relay.address, { headers: { 'accept-encoding': 'identity', 'if-none-match': first.headers.get('etag')! } });
	expect([again.status, await again.text()]).toEqual([304, '']);
	const head = await fetch(`${relay.address}/_app/immutable/large.bin`, { method: 'HEAD' });
	expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(large.length), '']);
	expect((await fetch(relay.address, { method: 'POST' })).status).toBe(405);
});

test('a large file reaches a slow reader whole, and one that goes away harms nobody', async () => {
	const get = () => {
		const socket = connect(relay.relay.port, '127.0.0.1', () => socket.write('GET /_app/immutable/large.bin HTTP/1.1\r\nhost: x\r\n\r\n'));
		socket.pause();
		return socket;
	};
	const leaving = get();
	await once(leaving, 'readable');
	leaving.destroy();
	const socket = get();
	const got: Buffer[] = [];
	let bytes = 0;
	await new Promise<void>((resolve, reject) => {
		socket.on('error', reject);
		socket.on('data', (data) => {
			got.push(data);
			bytes += data.length;
			if (bytes > large.length) resolve();
			socket.pause();
			setTimeout(() => socket.resume(), 1);
		});
		setTimeout(() => socket.resume(), 200);
	});
	socket.destroy();
	const whole = Buffer.concat(got);
	expect(whole.subarray(whole.indexOf('\r\n\r\n') + 4).equals(large)).toBe(true);
});

test('a port is taken once, and until the relay serves it answers 503', async () => {
	const server = await Server.listen({ host: '127.0.0.1', port: 0, tls: null });
	await expect(Server.listen({ host: '127.0.0.1', port: server.port, tls: null })).rejects.toThrow(ConfigProblem);
	for (const path of ['/healthz', '/', '/sync', '/api/v1/me']) expect((await fetch(`http://127.0.0.1:${server.port}${path}`)).status).toBe(503);
	await server.close();
	await expect(fetch(`http://127.0.0.1:${server.port}/healthz`)).rejects.toThrow();
});
