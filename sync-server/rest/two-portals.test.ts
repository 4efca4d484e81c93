/** One browser, several portals: which of its sign-ins a call or a socket means. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let first: SignIn;
let second: SignIn;
let cookies: string;

beforeAll(async () => {
	relay = await TestRelay.start();
	first = await relay.found('ann@example.com', 'First');
	second = await relay.found('ann@example.com', 'Second');
	cookies = [first, second].map(cookieOf).join('; ');
});
afterAll(() => relay.end());

const cookieOf = ({ portal, token }: SignIn) => `atrium_session_${portal.slice(-12)}=${token}`;
const me = (headers: Record<string, string>, query = '') => relay.call('GET', `/api/v1/me${query}`, { headers });
const companyOf = async (headers: Record<string, string>, query = '') => ((answer) => answer.body.company ?? answer.body.code)(await me(headers, query));

test('the portal that a call names decides, by header or by query, and where both speak the header', async () => {
	expect(await companyOf({ cookie: cookies, 'x-atrium-portal': first.portal })).toBe('First');
	expect(await companyOf({ cookie: cookies, 'x-atrium-portal': second.portal })).toBe('Second');
	expect(await companyOf({ cookie: cookies }, `?portal=${second.portal}`)).toBe('Second');
	expect(await companyOf({ cookie: cookies, 'x-atrium-portal': first.portal }, `?portal=${second.portal}`)).toBe('First');
});

test('named none, it is the only living sign-in, and none where there are several', async () => {
	expect(await companyOf({ cookie: cookieOf(first) })).toBe('First');
	expect(await companyOf({ cookie: cookies })).toBe('not-signed-in');
	expect(await companyOf({ cookie: `${cookieOf(first)}; ${cookieOf({ ...second, token: 'x'.repeat(43) })}` }), 'a dead one does not count').toBe('First');
});

test('a sign-in of one portal never answers for another, under whatever name it comes', async () => {
	const under = (portal: string, token: string) => `atrium_session_${portal.slice(-12)}=${token}`;
	expect(await companyOf({ cookie: under(second.portal, first.token), 'x-atrium-portal': second.portal })).toBe('not-signed-in');
	expect(await companyOf({ cookie: cookieOf(first), 'x-atrium-portal': second.portal })).toBe('not-signed-in');
	expect(await companyOf({ authorization: `Bearer ${first.token}`, 'x-atrium-portal': second.portal })).toBe('not-signed-in');
	expect(await companyOf({ authorization: `Bearer ${first.token}`, 'x-atrium-portal': first.portal })).toBe('First');
	expect(await companyOf({ cookie: cookieOf(first) }, `?portal=${second.portal}`)).toBe('not-signed-in');
	for (const named of ['nonsense', `${first.portal}x`, `portal_${'0'.repeat(36)}`]) expect(await companyOf({ cookie: cookieOf(first), 'x-atrium-portal': named }), named).toBe('not-signed-in');
});

test('sockets name it in their address', async () => {
	const opened = (query: string, cookie: string) =>
		new Promise<number | 'open'>((resolve) => {
			const socket = new WebSocket(`${relay.address.replace('http', 'ws')}/sync${query}`, { headers: { cookie, origin: relay.address } });
			socket.on('error', () => {});
			socket.on('close', (code) => resolve(code));
			// Whoever may not be here is closed at once; whoever may is heard.
			socket.on('open', () => socket.send(new Uint8Array([0])));
		});
	// A frame that is no message: only a session can find that out.
	expect(await opened(`?portal=${first.portal}`, cookies)).toBe(4400);
	expect(await opened(`?portal=${second.portal}`, cookies)).toBe(4400);
	expect(await opened('', cookies)).toBe(4401);
	expect(await opened('', cookieOf(first))).toBe(4400);
	expect(await opened(`?portal=${second.portal}`, cookieOf(first))).toBe(4401);
});

test('signing out of one leaves the other, and takes the cookie of the one off the browser', async () => {
	const again = (await relay.call('POST', '/api/v1/sessions', { body: { email: 'ann@example.com', password: PASSWORD, portal: first.portal } })).body as SignIn;
	const both = `${cookieOf(again)}; ${cookieOf(second)}`;
	const out = await relay.call('DELETE', '/api/v1/sessions/current', { headers: { cookie: both, origin: relay.address, 'x-atrium-portal': first.portal } });
	expect([out.status, out.headers.getSetCookie()]).toEqual([204, [`atrium_session_${first.portal.slice(-12)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`]]);
	expect(await companyOf({ cookie: both })).toBe('Second');
	expect(await companyOf({ cookie: both, 'x-atrium-portal': first.portal })).toBe('not-signed-in');
});
