import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { IdMaker } from '#crdt-model/ids.ts';
import { decodeDown, encodeUp } from '#crdt-model/wire/codec.ts';
import { MAX_FRAME_BYTES } from '#crdt-model/wire/limits.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { type SignIn, TestRelay } from '../rest/test-relay.ts';

const ids = new IdMaker();
let relay: TestRelay;
let ann: SignIn;
const opened: WebSocket[] = [];

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
});
afterEach(() => opened.splice(0).forEach((socket) => socket.terminate()));
afterAll(async () => {
	expect(relay.log).toEqual([]);
	await relay.end();
});

interface Opened {
	readonly socket: WebSocket;
	readonly closed: Promise<{ code: number; reason: string }>;
	next(): Promise<Uint8Array>;
}
function open(path: string, headers: Record<string, string> = { authorization: `Bearer ${ann.token}` }): Opened {
	const socket = new WebSocket(relay.address.replace('http', 'ws') + path, { headers });
	opened.push(socket);
	const frames: Uint8Array[] = [];
	let wake: (() => void) | null = null;
	socket.on('message', (data: Buffer) => {
		frames.push(new Uint8Array(data));
		wake?.();
	});
	const closed = new Promise<{ code: number; reason: string }>((resolve, reject) => {
		socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
		socket.on('error', reject);
	});
	closed.catch(() => undefined);
	return {
		socket,
		closed,
		async next() {
			if (frames.length === 0) await new Promise<void>((resolve) => (wake = resolve));
			return frames.shift()!;
		}
	};
}
const up = (socket: WebSocket) => new Promise((resolve) => socket.once('open', resolve));
const hello = () => encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: null, held: { count: 0, digest: '0'.repeat(16) } });

test('[4401] who is not signed in hears so after the upgrade', async () => {
	const origin = relay.address;
	for (const headers of [{}, { authorization: 'Bearer nothing' }, { cookie: 'atrium_session_0123456789ab=nothing', origin }] as Record<string, string>[]) {
		for (const path of ['/sync', `/live/${ids.document('page')}`]) expect((await open(path, headers).closed).code).toBe(4401);
	}
});

test('[4401] a cookie counts from our own pages only, a token in the address never', async () => {
	const cookie = `atrium_session_${ann.portal.slice(-12)}=${ann.token}`;
	for (const headers of [{ cookie }, { cookie, origin: 'https://evil.example' }, { cookie, origin: 'null' }] as Record<string, string>[]) {
		expect((await open('/sync', headers).closed).code).toBe(4401);
	}
	expect((await open(`/sync?token=${ann.token}`, {}).closed).code).toBe(4401);
	const { socket, next } = open('/sync', { cookie, origin: relay.address });
	await up(socket);
	socket.send(hello());
	const welcome = decodeDown(await next());
	expect(welcome).toMatchObject({ ok: true, message: { type: 'welcome', person: ann.employee, portal: ann.portal } });
});

test('[4404] a page that is not there, no page, and no id look alike', async () => {
	const task = (await relay.call('POST', '/api/v1/documents', { token: ann.token, body: { kind: 'task', fields: { title: 'x' } } })).body.id;
	for (const id of [ids.document('page'), task, 'nothing', '%zz', '..%2f']) expect((await open(`/live/${id}`).closed).code, id).toBe(4404);
});

test('a sign-out closes every connection of its session, and no other', async () => {
	const other = (await relay.call('POST', '/api/v1/sessions', { body: { email: 'ann@example.com', password: 'correct horse battery' } })).body as SignIn;
	const [leaving, staying] = [open('/sync', { authorization: `Bearer ${other.token}` }), open('/sync')];
	await Promise.all([up(leaving.socket), up(staying.socket)]);
	await relay.call('DELETE', '/api/v1/sessions/current', { token: other.token });
	expect((await leaving.closed).code).toBe(4401);
	expect(staying.socket.readyState).toBe(WebSocket.OPEN);
});

test('[4403] a dismissal closes the sockets', async () => {
	const bob = await relay.join(ann, 'bob@example.com');
	const { socket, closed, next } = open('/sync', { authorization: `Bearer ${bob.token}` });
	await up(socket);
	socket.send(hello());
	await next();
	await relay.call('POST', `/api/v1/documents/${bob.employee}/commands`, { token: ann.token, body: { command: 'dismiss' } });
	expect([4401, 4403]).toContain((await closed).code);
	expect([4401, 4403]).toContain((await open('/sync', { authorization: `Bearer ${bob.token}` }).closed).code);
});

test('[4400] what is no frame ends that connection', async () => {
	const garbage = open('/sync');
	await up(garbage.socket);
	garbage.socket.send(Buffer.from([1, 2, 3]));
	expect((await garbage.closed).code).toBe(4400);
	const text = open('/sync');
	await up(text.socket);
	text.socket.send('{}');
	expect((await text.closed).code).toBe(4400);
});

test('a frame above the ceiling, also one that only inflates to it, ends the connection', async () => {
	const { socket, closed } = open('/sync');
	await up(socket);
	socket.send(Buffer.alloc(MAX_FRAME_BYTES + 1), { compress: true });
	expect((await closed).code).toBe(4409);
	expect((await relay.call('GET', '/healthz')).status).toBe(200);
});

/** y-websocket as it is, but for the header that a browser's cookie stands for. */
function provider(id: string, token: string): { doc: Y.Doc; provider: WebsocketProvider } {
	class SignedIn extends WebSocket {
		constructor(url: string) {
			super(url, { headers: { authorization: `Bearer ${token}` } });
			opened.push(this);
		}
	}
	const doc = new Y.Doc();
	return { doc, provider: new WebsocketProvider(`${relay.address.replace('http', 'ws')}/live`, id, doc, { WebSocketPolyfill: SignedIn as never, disableBc: true }) };
}

test('two stock Yjs clients edit one text live, and a burst of single letters is no offence', async () => {
	const carl = await relay.join(ann, 'carl@example.com', 'Carl');
	const id = (await relay.call('POST', '/api/v1/documents', { token: ann.token, body: { kind: 'text', fields: { title: 'Notes', place: 'company' } } })).body.id;
	const [a, b] = [provider(id, ann.token), provider(id, carl.token)];
	await expect.poll(() => a.provider.synced && b.provider.synced).toBe(true);
	a.doc.getText('text').insert(0, 'Hello');
	await expect.poll(() => b.doc.getText('text').toString()).toBe('Hello');
	for (let i = 0; i < 1_000; i++) b.doc.getText('text').insert(5, 'o');
	await expect.poll(() => a.doc.getText('text').length, { timeout: 20_000 }).toBe(1_005);
	expect(b.provider.wsconnected).toBe(true);
	a.provider.destroy();
	b.provider.destroy();
	const fresh = provider(id, ann.token);
	await expect.poll(() => fresh.doc.getText('text').length).toBe(1_005);
	fresh.provider.destroy();
});

test('sockets are counted', async () => {
	const { socket } = open('/sync');
	await up(socket);
	expect((await relay.call('GET', '/metrics')).body).toMatch(/atrium_sockets\{path="sync"\} [1-9]/);
});

test('without an upgrade the paths say what they want', async () => {
	expect((await fetch(`${relay.address}/sync`)).status).toBe(426);
	expect((await fetch(`${relay.address}/live/x`)).status).toBe(426);
});

test('[4503] a relay that stops tells everyone to come back', async () => {
	const stopping = await TestRelay.start();
	const who = await stopping.found('x@example.com');
	const socket = new WebSocket(stopping.address.replace('http', 'ws') + '/sync', { headers: { authorization: `Bearer ${who.token}` } });
	opened.push(socket);
	await up(socket);
	const closed = new Promise<number>((resolve) => socket.on('close', resolve));
	await stopping.end();
	expect(await closed).toBe(4503);
});
