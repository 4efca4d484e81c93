// The adapter alone, over a real port: streams in both directions, aborts, limits.

import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveFetch } from './http.ts';
import { loadUws, type TemplatedApp } from './uws.ts';

const MAX = 8 * 1024 * 1024;
const faults: unknown[] = [];
let base = '';
let app: TemplatedApp;
let aborted = 0;
let waiting = 0;
let produced = 0;

async function handle(request: Request): Promise<Response> {
	const { pathname } = new URL(request.url);
	if (pathname === '/hash') return new Response(createHash('sha256').update(new Uint8Array(await request.arrayBuffer())).digest('hex'));
	if (pathname === '/ignore') return new Response('no', { status: 401 });
	if (pathname === '/throw') throw new Error('planted');
	if (pathname === '/cookies') return new Response(null, { status: 204, headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] });
	if (pathname === '/wait') {
		waiting++;
		await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
		aborted++;
		return new Response('late');
	}
	const length = pathname === '/sized' ? 64 * 100_000 : null;
	let left = pathname === '/endless' ? Infinity : 64;
	const body = new ReadableStream<Uint8Array>({
		pull(controller) {
			if (left-- <= 0) return controller.close();
			produced++;
			controller.enqueue(new Uint8Array(100_000).fill(7));
		},
		cancel: () => void aborted++
	});
	return new Response(body, { headers: length === null ? {} : { 'content-length': String(length) } });
}

beforeAll(async () => {
	const uws = await loadUws();
	app = uws.App().any('/*', (res, req) => serveFetch(res, req, { handler: handle, origin: 'http://test', maxBodyBytes: MAX, trustedProxies: [], onFault: (fault) => faults.push(fault) }));
	const token = await new Promise<any>((resolve) => app.listen('127.0.0.1', 0, resolve));
	base = `http://127.0.0.1:${uws.us_socket_local_port(token)}`;
});
afterAll(() => app.close());

test('a body arrives whole, with its length and in chunks', async () => {
	const bytes = randomBytes(5_000_000);
	const hash = createHash('sha256').update(bytes).digest('hex');
	expect(await (await fetch(`${base}/hash`, { method: 'PUT', body: bytes })).text()).toBe(hash);
	const pieces = new ReadableStream({
		start(controller) {
			for (let at = 0; at < bytes.length; at += 70_000) controller.enqueue(new Uint8Array(bytes.subarray(at, at + 70_000)));
			controller.close();
		}
	});
	expect(await (await fetch(`${base}/hash`, { method: 'PUT', body: pieces, duplex: 'half' } as RequestInit)).text()).toBe(hash);
});

test('a body that nobody reads, and one that is too large', async () => {
	expect((await fetch(`${base}/ignore`, { method: 'PUT', body: randomBytes(4_000_000) })).status).toBe(401);
	expect((await fetch(`${base}/hash`, { method: 'PUT', body: new Uint8Array(MAX + 1) })).status).toBe(413);
});

test('streams leave whole, chunked and with a length; HEAD and several cookies', async () => {
	for (const path of ['/stream', '/sized']) {
		const response = await fetch(base + path);
		const bytes = new Uint8Array(await response.arrayBuffer());
		expect([bytes.length, bytes.every((byte) => byte === 7)]).toEqual([6_400_000, true]);
		expect(response.headers.get('content-length')).toBe(path === '/sized' ? '6400000' : null);
	}
	const head = await fetch(`${base}/sized`, { method: 'HEAD' });
	expect([head.headers.get('content-length'), await head.text()]).toEqual(['6400000', '']);
	expect((await fetch(`${base}/cookies`)).headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

test('a reader that does not read stops the source, and one that goes away ends it', async () => {
	produced = 0;
	const port = Number(new URL(base).port);
	const socket = connect(port, '127.0.0.1', () => socket.write('GET /endless HTTP/1.1\r\nhost: x\r\n\r\n'));
	socket.pause();
	await expect.poll(() => produced).toBeGreaterThan(0);
	// Beside it another answer goes out whole: 64 pieces, and in the end none of the one that nobody reads.
	const meanwhile = async (): Promise<number> => {
		const before = produced;
		await (await fetch(`${base}/stream`)).arrayBuffer();
		return produced - before;
	};
	await expect.poll(meanwhile, { timeout: 20_000 }).toBe(64);
	const endedBefore = aborted;
	socket.destroy();
	await expect.poll(() => aborted).toBe(endedBefore + 1);
});

test('an abort reaches the handler', async () => {
	const before = aborted;
	const abort = new AbortController();
	const call = fetch(`${base}/wait`, { signal: abort.signal }).catch(() => 'gone');
	await expect.poll(() => waiting).toBe(1);
	abort.abort();
	expect(await call).toBe('gone');
	await expect.poll(() => aborted).toBe(before + 1);
});

test('a handler that throws is a 500 and a fault in the log', async () => {
	expect(faults).toEqual([]);
	expect((await fetch(`${base}/throw`)).status).toBe(500);
	expect(faults.splice(0)).toMatchObject([{ message: 'planted' }]);
});
