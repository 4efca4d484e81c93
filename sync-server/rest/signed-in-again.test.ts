/** Signing in again in the same browser: the session whose cookie is overwritten ends, once the new one is used, and never anybody else's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;
let elsewhere: SignIn;
let bob: SignIn;

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com', 'First');
	elsewhere = await relay.found('ann@example.com', 'Second');
	bob = await relay.join(ann, 'bob@example.com');
});
afterAll(() => relay.end());

const under = (portal: string, token: string): string => `atrium_session_${portal.slice(-12)}=${token}`;
const cookieOf = ({ portal, token }: SignIn): string => under(portal, token);
const statusOf = async ({ token }: SignIn): Promise<number> => (await relay.call('GET', '/api/v1/me', { token })).status;

/** As a page does it: the answer has the token in its cookie alone. */
async function again(email: string, cookie: string, more: { password?: string; headers?: Record<string, string> } = {}): Promise<{ status: number; signIn: SignIn }> {
	const headers = { origin: relay.address, ...(cookie && { cookie }), ...more.headers };
	const { status, body, headers: answered } = await relay.call('POST', '/api/v1/sessions', { body: { email, password: more.password ?? PASSWORD, portal: ann.portal }, headers });
	const token = /^atrium_session_[0-9a-f]{12}=([\w-]+)/.exec(answered.getSetCookie()[0] ?? '')?.[1] ?? '';
	return { status, signIn: { ...body, token } };
}
const fresh = async (email: string): Promise<SignIn> => (await again(email, '')).signIn;
const isOver = (signIn: SignIn): Promise<void> => expect.poll(() => statusOf(signIn)).toBe(401);
/** Uses a sign-in, and waits until whatever that would have ended is ended: what a later use ends comes after it. */
async function use(signIn: SignIn): Promise<void> {
	expect(await statusOf(signIn)).toBe(200);
	const control = await fresh('bob@example.com');
	expect(await statusOf((await again('bob@example.com', cookieOf(control))).signIn)).toBe(200);
	await isOver(control);
}

test('it ends when the new one is first used, leaves the list, and its connections hear of it', async () => {
	const before = await fresh('ann@example.com');
	const socket = new WebSocket(`${relay.address.replace('http', 'ws')}/sync?portal=${ann.portal}`, { headers: { cookie: cookieOf(before), origin: relay.address } });
	const closed = new Promise<number>((resolve) => socket.once('close', resolve));
	await new Promise((open, failed) => socket.once('open', open).once('error', failed));
	const listed = async (): Promise<number> => (await relay.call('GET', '/api/v1/sessions', { token: ann.token })).body.sessions.length;
	const many = await listed();
	const { status, signIn } = await again('ann@example.com', cookieOf(before));
	expect(status).toBe(201);
	// An answer that got lost on the way has taken nothing.
	expect([await statusOf(before), await listed()]).toEqual([200, many + 1]);
	expect(await statusOf(signIn)).toBe(200);
	await isOver(before);
	expect([await closed, await listed(), await statusOf(signIn), await statusOf(ann)]).toEqual([4401, many, 200, 200]);
});

test('an upgrade is a use as well', async () => {
	const before = await fresh('ann@example.com');
	const { signIn } = await again('ann@example.com', cookieOf(before));
	const socket = new WebSocket(`${relay.address.replace('http', 'ws')}/sync?portal=${ann.portal}`, { headers: { cookie: cookieOf(signIn), origin: relay.address } });
	await new Promise((open, failed) => socket.once('open', open).once('error', failed));
	await isOver(before);
	socket.close();
});

test('nobody ends somebody else’s session by bringing it, whoever they are', async () => {
	const [anns, bobs] = [await fresh('ann@example.com'), await fresh('bob@example.com')];
	await use((await again('bob@example.com', cookieOf(anns))).signIn);
	await use((await again('ann@example.com', cookieOf(bobs))).signIn);
	expect([await statusOf(anns), await statusOf(bobs)]).toEqual([200, 200]);
});

test('one’s own sign-in to another portal stays, under whatever name it comes', async () => {
	for (const cookie of [cookieOf(elsewhere), under(ann.portal, elsewhere.token), `${cookieOf(elsewhere)}; ${under(ann.portal, elsewhere.token)}`]) await use((await again('ann@example.com', cookie)).signIn);
	expect(await statusOf(elsewhere)).toBe(200);
});

test('other devices of one’s own stay: a token counts in the cookie of this portal alone, and there only once', async () => {
	const other = await fresh('ann@example.com');
	await use((await again('ann@example.com', '')).signIn);
	await use((await again('ann@example.com', '', { headers: { authorization: `Bearer ${other.token}` } })).signIn);
	// Someone planted a second one: neither is believed.
	await use((await again('ann@example.com', `${cookieOf(other)}; ${cookieOf(bob)}`)).signIn);
	await use((await again('ann@example.com', `${under(elsewhere.portal, other.token)}`)).signIn);
	expect(await statusOf(other)).toBe(200);
});

test('a wrong password, and a sign-in that goes no further, end nothing', async () => {
	const before = await fresh('ann@example.com');
	expect((await again('ann@example.com', cookieOf(before), { password: 'not the password' })).status).toBe(401);
	const choosing = await relay.call('POST', '/api/v1/sessions', { body: { email: 'ann@example.com', password: PASSWORD }, headers: { origin: relay.address, cookie: cookieOf(before) } });
	expect(choosing.body.code).toBe('choose-portal');
	expect((await relay.call('POST', '/api/v1/sessions', { body: { email: 'ann@example.com', password: PASSWORD, portal: ann.portal }, headers: { origin: 'https://evil.example', cookie: cookieOf(before) } })).status).toBe(403);
	await use(bob);
	expect(await statusOf(before)).toBe(200);
});
