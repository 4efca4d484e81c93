// Where a company lets people in from its own networks alone: over REST and real sockets, with whatever a caller writes into headers.
import { networkInterfaces } from 'node:os';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { parseNetwork } from '#crdt-model/access/networks.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { type SignIn, PASSWORD, TestRelay } from './test-relay.ts';

const OFFICE = '198.51.100.7';
const HOME = '203.0.113.9';
const RANGES = [{ cidr: '198.51.100.0/24', note: 'office' }, { cidr: '2001:db8:5::/48', note: '' }];
const from = (address: string) => ({ 'x-forwarded-for': address });

let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;
let file: string;
const api = (method: string, path: string, who: SignIn, { ip = OFFICE, body }: { ip?: string; body?: unknown } = {}) =>
	relay.call(method, `/api/v1${path}`, { token: who.token, headers: from(ip), ...(body === undefined ? {} : { body }) });
async function command(id: string, name: string, args: Record<string, unknown>, on = relay, who = ann): Promise<void> {
	const answer = await on.call('POST', `/api/v1/documents/${id}/commands`, { token: who.token, body: { command: name, ...args } });
	if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
}
const settingsOf = async (on = relay, who = ann) => (await on.call('GET', '/api/v1/documents?kind=settings', { token: who.token })).body.rows[0].id as string;
const rule = async (value: unknown) => command(await settingsOf(), 'setEntry', { value });

interface Opened {
	readonly closed: Promise<number>;
	/** Whichever comes first: the code of the close, or the relay's first word. */
	readonly first: Promise<number | 'let in'>;
	close(): void;
}
async function socket(path: string, who: SignIn, headers: Record<string, string>, base = relay.address): Promise<Opened> {
	const ws = new WebSocket(`${base.replace('http', 'ws')}${path}`, { headers: { authorization: `Bearer ${who.token}`, ...headers } });
	const closed = new Promise<number>((resolve) => ws.once('close', resolve));
	const word = new Promise<'let in'>((resolve) => ws.once('message', () => resolve('let in')));
	await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
	if (path === '/sync') ws.send(encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: null, held: digestOf([]) }));
	return { closed, first: Promise.race([closed, word]), close: () => ws.close() };
}
async function tried(path: string, who: SignIn, ip: string): Promise<number | 'let in'> {
	const opened = await socket(path, who, from(ip));
	const first = await opened.first;
	opened.close();
	return first;
}

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
	bob = await relay.join(ann, 'bob@example.com');
	const bytes = Buffer.from('for the office alone');
	const made = await api('POST', '/documents', bob, { body: { kind: 'file', fields: { name: 'a.txt', size: bytes.byteLength, mime: 'text/plain', digest: createHash('sha256').update(bytes).digest('hex'), place: 'company' } } });
	file = made.body.id;
	const sent = await fetch(`${relay.address}/api/v1/files/${file}`, { method: 'PUT', headers: { authorization: `Bearer ${bob.token}`, 'content-type': 'application/offset+octet-stream' }, body: bytes });
	if (sent.status !== 204) throw new Error(await sent.text());
	await rule({ ranges: RANGES, exceptions: [] });
});
afterAll(() => relay.end());

test('no call, no file and no sign-in from outside, by token or cookie; all of it from inside', async () => {
	for (const [method, path, body] of [
		['GET', '/me', undefined],
		['GET', '/documents?kind=file', undefined],
		['GET', `/files/${file}`, undefined],
		['POST', '/documents', { kind: 'task', fields: { title: 'From outside' } }]
	] as const) {
		const outside = await api(method, path, bob, { ip: HOME, body });
		expect([path, outside.status, outside.body.code]).toEqual([path, 403, 'not-from-here']);
		expect((await api(method, path, bob, { body })).status, path).toBeLessThan(300);
	}
	const upload = await fetch(`${relay.address}/api/v1/files/${file}`, { method: 'HEAD', headers: { authorization: `Bearer ${bob.token}`, ...from(HOME) } });
	expect(upload.status).toBe(403);
	const credentials = { email: 'bob@example.com', password: PASSWORD };
	const refused = await relay.call('POST', '/api/v1/sessions', { body: credentials, headers: from(HOME) });
	expect([refused.status, refused.body.code, refused.headers.get('set-cookie')]).toEqual([403, 'not-from-here', null]);
	expect((await relay.call('POST', '/api/v1/sessions', { body: { ...credentials, password: 'wrong' }, headers: from(HOME) })).body.code, 'a wrong password hears nothing of it').toBe('wrong-credentials');
	const inside = await relay.call('POST', '/api/v1/sessions', { body: credentials, headers: from(OFFICE) });
	expect(inside.status).toBe(201);
	const cookie = inside.headers.get('set-cookie')!.split(';')[0]!;
	expect((await relay.call('GET', '/api/v1/me', { headers: { cookie, ...from(HOME) } })).body.code).toBe('not-from-here');
	expect((await relay.call('GET', '/api/v1/me', { headers: { cookie, ...from(OFFICE) } })).status).toBe(200);
	// Nor is anybody led to the next step from there: a first password is neither asked to be changed nor good for it.
	expect((await api('POST', '/people', ann, { body: { firstName: 'Dan', lastName: 'Fir', email: 'dan@example.com', password: 'the first password' } })).status).toBe(201);
	const next = async (ip: string) => (await relay.call('POST', '/api/v1/sessions', { body: { email: 'dan@example.com', password: 'the first password' }, headers: from(ip) })).body;
	const asked = await next(OFFICE);
	expect([asked.code, await next(HOME)]).toEqual(['must-change-password', expect.objectContaining({ code: 'not-from-here' })]);
	const chosen = await relay.call('POST', '/api/v1/sessions', { body: { ticket: asked.ticket, password: 'one of my very own' }, headers: from(HOME) });
	expect([chosen.body.code, chosen.headers.get('set-cookie')]).toEqual(['not-from-here', null]);
	// Whoever stands outside can still end their sign-in.
	expect((await api('DELETE', '/sessions/current', inside.body, { ip: HOME })).status).toBe(204);
});

test.each([
	['2001:db8:5::1', 200],
	['2001:0DB8:0005:0000:0000:0000:0000:0001', 200],
	['[2001:db8:5::1]:4711', 200],
	['2001:db8:5::1%eth0', 200],
	['::ffff:198.51.100.7', 200],
	['::ffff:c633:6407', 200],
	['198.51.100.7:50000', 200],
	['203.0.113.9, 198.51.100.7', 200],
	['2001:db8:6::1', 403],
	['::198.51.100.7', 403],
	['198.51.100.7, 203.0.113.9', 403],
	['198.51.100.7, garbage', 403],
	['198.51.100.7,unknown', 403],
	['127.0.0.1', 403]
])('from %s: %d', async (address, status) => {
	expect((await api('GET', '/me', bob, { ip: address })).status).toBe(status);
});

test('[K1] what a dismissed person’s device hands back is taken from anywhere: it is told nothing, and is signed out', async () => {
	await rule(null);
	const gone = await relay.join(ann, 'gone@example.com', 'Gone');
	await rule({ ranges: RANGES, exceptions: [] });
	expect((await api('POST', '/farewell', gone, { ip: HOME, body: { items: [] } })).status, 'of nobody else').toBe(403);
	expect((await api('POST', `/documents/${gone.employee}/commands`, ann, { body: { command: 'employee.dismiss', args: {} } })).status).toBe(200);
	expect((await api('GET', '/me', gone, { ip: HOME })).status).toBeGreaterThanOrEqual(401);
	const heard = await api('POST', '/farewell', gone, { ip: HOME, body: { items: [{ document: ann.employee, text: 'was here' }] } });
	expect([heard.status, Object.keys(heard.body).sort()]).toEqual([200, ['leftOut', 'proposed']]);
	expect((await api('POST', '/farewell', gone, { ip: HOME, body: { items: [] } })).status).toBe(401);
});

test('administrators from anywhere; looking on, they are judged as themselves', async () => {
	expect((await api('GET', '/me', ann, { ip: HOME })).status).toBe(200);
	const view = { ...bob, token: (await api('POST', '/view-as', ann, { ip: HOME, body: { person: bob.employee } })).body.token };
	expect((await api('GET', '/me', view, { ip: HOME })).body.employee).toBe(bob.employee);
	expect(await tried('/sync', view, HOME)).toBe('let in');
});

test('both sockets hear 4511 from outside, and open ones when the rule changes', async () => {
	const text = (await api('POST', '/documents', bob, { body: { kind: 'text', fields: { title: 'x', place: 'company' } } })).body.id;
	for (const path of ['/sync', `/live/${text}`]) {
		expect([await tried(path, bob, HOME), await tried(path, bob, OFFICE)], path).toEqual([4511, 'let in']);
	}
	const open = await Promise.all(['/sync', `/live/${text}`].map((path) => socket(path, bob, from(OFFICE))));
	expect(await Promise.all(open.map(({ first }) => first))).toEqual(['let in', 'let in']);
	await rule({ ranges: [RANGES[1]], exceptions: [] });
	expect(await Promise.all(open.map(({ closed }) => closed))).toEqual([4511, 4511]);
	await rule({ ranges: RANGES, exceptions: [] });
});

test('an administrator who is demoted while outside is out at once; an exception lets back in', async () => {
	await command(bob.employee, 'setAdministrator', { value: true });
	const open = await socket('/sync', bob, from(HOME));
	expect((await api('GET', '/me', bob, { ip: HOME })).status).toBe(200);
	await command(bob.employee, 'setAdministrator', { value: false });
	expect([await open.closed, (await api('GET', '/me', bob, { ip: HOME })).body.code]).toEqual([4511, 'not-from-here']);
	await rule({ ranges: RANGES, exceptions: [`user:${bob.employee}`] });
	expect((await api('GET', '/me', bob, { ip: HOME })).status).toBe(200);
	await rule({ ranges: RANGES, exceptions: [] });
});

/** An address of this machine that is no loopback: a caller from there is a stranger to the relay. */
const OUTER = Object.values(networkInterfaces()).flat().find((one) => one && !one.internal && one.family === 'IPv4')?.address ?? null;

describe.skipIf(OUTER === null)('a caller who is connected directly', () => {
	let other: TestRelay;
	const base = () => `http://${OUTER}:${other.relay.port}`;
	const me = async (who: SignIn, headers: Record<string, string>) => (await fetch(`${base()}/api/v1/me`, { headers: { authorization: `Bearer ${who.token}`, ...headers } })).status;
	let person: SignIn;
	beforeAll(async () => {
		other = await TestRelay.start({ host: '0.0.0.0' });
		const administrator = await other.found('ann@example.com');
		person = await other.join(administrator, 'bob@example.com');
		await command(await settingsOf(other, administrator), 'setEntry', { value: { ranges: RANGES, exceptions: [] } }, other, administrator);
	});
	afterAll(() => other.end());

	test('says of themself what they like, and is where they are', async () => {
		for (const spoof of [OFFICE, `${OFFICE}, ${OFFICE}`, '127.0.0.1', `::ffff:${OFFICE}`, `${OFFICE}, 127.0.0.1`]) expect(await me(person, from(spoof)), spoof).toBe(403);
		for (const header of ['x-real-ip', 'forwarded', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip']) expect(await me(person, { [header]: header === 'forwarded' ? `for=${OFFICE}` : OFFICE }), header).toBe(403);
		expect(await (await socket('/sync', person, from(OFFICE), base())).closed).toBe(4511);
	});

	test('is believed once the operator names them as a proxy, and only what they append', async () => {
		await other.restart({ host: '0.0.0.0', trustedProxies: [parseNetwork(`${OUTER}/32`)!] });
		expect(await me(person, from(OFFICE))).toBe(200);
		expect(await me(person, from(`${OFFICE}, ${HOME}`))).toBe(403);
		expect(await me(person, from(`${HOME}, ${OFFICE}`))).toBe(200);
		expect(await me(person, {}), 'the proxy itself').toBe(403);
		const { readOperatorNote } = await import('../ops/operator.ts');
		const { token } = readOperatorNote(other.dataDir)!;
		const knock = (headers: Record<string, string>) => fetch(`${base()}/api/operator/ping`, { method: 'POST', body: '{}', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers } });
		for (const headers of [{}, from('127.0.0.1'), from('::1')]) expect((await knock(headers)).status, 'the operator’s door is on this machine alone').toBe(404);
	});
});
