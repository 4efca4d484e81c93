/** Passkeys over HTTP: adding, signing in, removing, and where they are not offered; and what hostile callers try. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Authenticator } from '../../test/support/authenticator.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;
let origin: string;
let now = Date.parse('2026-06-01T08:00:00Z');

beforeAll(async () => {
	const port = await freePort();
	origin = `http://localhost:${port}`;
	// The page is opened as localhost, as people do on their own machine; an address in digits has no passkeys.
	relay = await TestRelay.start({ port }, { now: () => now });
	ann = await relay.found('ann@example.com');
	bob = await relay.join(ann, 'bob@example.com');
});
afterAll(async () => {
	expect(relay.log).toEqual([]);
	await relay.end();
});
beforeEach(() => {
	now += 3_600_000;
});

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await new Promise((listening) => server.once('listening', listening));
	const { port } = server.address() as { port: number };
	await new Promise((closed) => server.close(closed));
	return port;
}

/** As a page of this origin does. */
async function api(method: string, path: string, who: SignIn | null, body?: unknown, from = origin) {
	const at = from.startsWith('http://127.0.0.1') ? from : origin;
	const response = await fetch(`${at}/api/v1${path}`, {
		method,
		headers: { origin: from, ...(who && { authorization: `Bearer ${who.token}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
		...(body !== undefined && { body: JSON.stringify(body) })
	});
	const text = await response.text();
	return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

async function add(key: Authenticator, who = bob, name = 'Laptop') {
	const begun = await api('POST', '/me/passkeys/options', who, { password: PASSWORD });
	expect(begun.status, JSON.stringify(begun.body)).toBe(200);
	return api('POST', '/me/passkeys', who, { ticket: begun.body.ticket, response: key.create(begun.body.options), name });
}
async function signIn(key: Authenticator, more: object = {}) {
	const { body } = await api('POST', '/passkeys/options', null, {});
	return api('POST', '/sessions', null, { ticket: body.ticket, passkey: key.get(body.options), ...more });
}

test('a passkey signs in by itself, and counts for both factors', async () => {
	const key = new Authenticator(origin);
	const added = await add(key);
	expect([added.status, added.body.name]).toEqual([201, 'Laptop']);
	const signedIn = await signIn(key);
	expect(signedIn.status).toBe(201);
	expect(signedIn.body).toMatchObject({ employee: bob.employee, portal: bob.portal });
	expect(signedIn.headers.get('set-cookie')).toMatch(/^atrium_session_/);
	expect((await api('GET', '/me/passkeys', bob)).body.passkeys).toMatchObject([{ id: key.id, name: 'Laptop', lastUsedAt: now }]);
	expect((await api('GET', '/me/passkeys', ann)).body.passkeys).toEqual([]);
	// Where a portal demands a second factor, the passkey is one; the password alone is not.
	const { rows } = (await api('GET', '/documents?kind=settings', ann)).body;
	const demand = (value: unknown) => api('POST', `/documents/${rows[0].id}/commands`, ann, { command: 'setSecondFactor', value });
	await demand({ since: now, graceDays: 0 });
	expect((await signIn(key)).status).toBe(201);
	expect((await api('POST', '/sessions', null, { email: 'bob@example.com', password: PASSWORD })).body.code).toBe('must-enrol');
	// Nor is a sign-in that began with one among those that end when the time of grace is over.
	const overdue = await relay.relay.services.accounts.factors.overdueSessions(bob.portal as never, { since: now, graceDays: 0 });
	const { sessions } = (await api('GET', '/sessions', bob)).body as { sessions: { id: string; current: boolean }[] };
	expect(sessions.filter(({ id }) => overdue.includes(id as never)).map(({ current }) => current), 'the one with the password alone is').toEqual([true]);
	expect(sessions.length).toBeGreaterThan(1);
	await demand(null);
	expect((await signIn(key, { portal: ann.portal })).status).toBe(201);
	expect((await signIn(key, { portal: 'portal_00000000-0000-7000-8000-000000000000' })).body.code).toBe('not-a-member');
});

test('removing needs the password, and only one’s own', async () => {
	const key = new Authenticator(origin);
	await add(key, bob, 'Old phone');
	const path = `/me/passkeys/${key.id}`;
	expect((await api('DELETE', path, bob, { password: 'wrong password' })).body.code).toBe('wrong-credentials');
	expect((await api('DELETE', path, ann, { password: PASSWORD })).status).toBe(404);
	expect((await signIn(key)).status).toBe(201);
	expect((await api('DELETE', path, bob, { password: PASSWORD })).status).toBe(204);
	const refused = await signIn(key);
	expect([refused.status, refused.body.code, refused.headers.get('set-cookie')]).toEqual([401, 'wrong-credentials', null]);
});

test('what was begun by somebody else, or was answered elsewhere, adds nothing', async () => {
	expect((await api('POST', '/me/passkeys/options', bob, { password: 'wrong password' })).body.code).toBe('wrong-credentials');
	const begun = (await api('POST', '/me/passkeys/options', bob, { password: PASSWORD })).body;
	const response = new Authenticator(origin).create(begun.options);
	expect((await api('POST', '/me/passkeys', ann, { ticket: begun.ticket, response, name: 'x' })).body.code).toBe('ticket-lapsed');
	const other = new Authenticator('https://evil.example').create(begun.options);
	expect((await api('POST', '/me/passkeys', bob, { ticket: begun.ticket, response: other, name: 'x' })).body.code).toBe('passkey-refused');
	expect((await api('POST', '/me/passkeys', bob, { ticket: begun.ticket, response, name: 'x' })).body.code, 'the challenge is spent').toBe('ticket-lapsed');
	const again = (await api('POST', '/me/passkeys/options', bob, { password: PASSWORD })).body;
	for (const name of ['', ' ', 'x'.repeat(61), 'a\nb']) {
		expect((await api('POST', '/me/passkeys', bob, { ticket: again.ticket, response: new Authenticator(origin).create(again.options), name })).status).toBe(422);
	}
});

test('an answer is good once, and a ticket for something else is none', async () => {
	const key = new Authenticator(origin);
	await add(key);
	const { ticket, options } = (await api('POST', '/passkeys/options', null, {})).body;
	const passkey = key.get(options);
	const atOnce = await Promise.all([1, 2, 3].map(() => api('POST', '/sessions', null, { ticket, passkey })));
	expect(atOnce.map(({ status }) => status).sort()).toEqual([201, 401, 401]);
	const fresh = (await api('POST', '/passkeys/options', null, {})).body;
	expect((await api('POST', '/sessions', null, { ticket: fresh.ticket, passkey })).status, 'an old answer').toBe(401);
	expect((await api('POST', '/sessions', null, { ticket: 'A'.repeat(43), passkey: key.get(fresh.options) })).status).toBe(401);
	for (const garbage of [{}, { id: 'x' }, { id: key.id, rawId: key.id, type: 'public-key', response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' } }]) {
		const { ticket: wasted } = (await api('POST', '/passkeys/options', null, {})).body;
		expect((await api('POST', '/sessions', null, { ticket: wasted, passkey: garbage })).status).toBe(401);
	}
});

test('they are offered where browsers make them, and to our own pages', async () => {
	const digits = `http://127.0.0.1:${relay.relay.port}`;
	expect((await api('POST', '/passkeys/options', null, {}, digits)).body.code).toBe('no-passkeys-here');
	expect((await api('POST', '/me/passkeys/options', bob, { password: PASSWORD }, digits)).body.code).toBe('no-passkeys-here');
	expect((await api('POST', '/passkeys/options', null, {}, 'https://evil.example')).body.code).toBe('bad-origin');
	expect((await api('POST', '/passkeys/options', null, {})).body.options.rpId).toBe('localhost');
});
