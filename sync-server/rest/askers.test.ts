/** Registering and asking to join in another person's name: what becomes of the password that a stranger chose. Over the real port. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Letter } from '../accounts/letter-kinds.ts';
import { REGISTRATION } from '../accounts/registrations.ts';
import { JOIN_MS } from '../accounts/joins.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

const STRANGERS = 'chosen by a stranger';
const OWN = 'chosen by the owner';

let relay: TestRelay;
let ann: SignIn;
let settings: string;
let now = Date.parse('2026-06-01T08:00:00Z');
const letters: { to: string; letter: Letter }[] = [];

beforeAll(async () => {
	relay = await TestRelay.start({}, { now: () => now });
	const { letters: sent } = relay.relay.services;
	const send = sent.send.bind(sent);
	sent.send = (to, letter, more) => {
		letters.push({ to, letter });
		return send(to, letter, more);
	};
	ann = await relay.found('ann@example.com');
	await relay.relay.services.portals.subscribe(ann.portal as never, { plan: 'company' });
	settings = (await api('GET', '/documents?kind=settings', { token: ann.token })).body.rows[0].id;
	await mode('open');
});
beforeEach(() => void (now += 15 * 60_000));
afterAll(async () => {
	expect(relay.log, 'nothing was a fault').toEqual([]);
	await relay.end();
});

type Options = { body?: unknown; token?: string; headers?: Record<string, string> };
const api = (method: string, path: string, options: Options = {}) => relay.call(method, `/api/v1${path}`, options);
const mode = async (value: string) =>
	expect((await api('POST', `/documents/${settings}/commands`, { token: ann.token, body: { command: 'setSelfRegistration', args: { value: { mode: value, domains: [] } } } })).status).toBe(200);
const registering = (email: string) => ({ company: 'Probe', firstName: 'Eve', lastName: 'Fox', email, password: STRANGERS });
const joining = (email: string) => ({ portal: ann.portal, firstName: 'Eve', lastName: 'Fox', email, password: STRANGERS });
const signInStatus = async (email: string, password: string) => (await api('POST', '/sessions', { body: { email, password } })).status;
function codeTo(address: string): string {
	const letter = letters.findLast(({ to }) => to === address)?.letter;
	if (letter && 'code' in letter) return letter.code;
	if (letter?.kind === 'join-known' && letter.confirm) return letter.confirm.code;
	throw new Error(`no code for ${address}`);
}
/** Asks, and says the code that the mailbox got and the cookie that the asking browser has. */
async function ask(path: '/registrations' | '/joins', email: string): Promise<{ code: string; cookie: string; header: string }> {
	const asked = await api('POST', path, { body: path === '/joins' ? joining(email) : registering(email) });
	expect(asked.status).toBe(202);
	await relay.relay.services.letters.settled();
	const header = asked.headers.get('set-cookie')!;
	return { code: codeTo(email), cookie: header.split(';')[0]!, header };
}
const confirm = (path: string, body: { code: string; password?: string }, cookie?: string) => api('POST', `${path}/confirmation`, { body, headers: cookie === undefined ? {} : { cookie, origin: relay.address } });

describe.each(['/registrations', '/joins'] as const)('%s', (path) => {
	const at = (name: string) => `${name}${path.replace('/', '.')}@example.com`;

	test('[J9] the password of a stranger is good for nothing once the owner has answered the letter elsewhere', async () => {
		const { code } = await ask(path, at('owner'));
		const first = await confirm(path, { code });
		expect([first.status, first.body.code, first.headers.get('set-cookie')]).toEqual([409, 'choose-password', null]);
		const weak = await confirm(path, { code, password: 'password1' });
		expect([weak.status, weak.body.rule, weak.body.errors[0].field], 'judged as any new one').toEqual([422, 'password-too-common', 'password']);
		expect((await confirm(path, { code, password: at('owner') })).body.rule).toBe('password-is-email');
		expect([await signInStatus(at('owner'), STRANGERS), await signInStatus(at('owner'), OWN)], 'nothing was made yet').toEqual([401, 401]);
		const confirmed = await confirm(path, { code, password: OWN });
		expect(confirmed.status, 'the code stayed good').toBe(201);
		expect([await signInStatus(at('owner'), STRANGERS), await signInStatus(at('owner'), OWN)]).toEqual([401, 201]);
		expect((await confirm(path, { code, password: OWN })).status, 'once').toBe(404);
	});

	test('[J9] the cookie of another asking does not do, nor an invented one, nor one beside a second', async () => {
		const own = await ask(path, at('other'));
		const strangers = await ask(path, at('stranger'));
		const registered = await ask('/registrations', `third${at('')}`);
		for (const cookie of [strangers.cookie, registered.cookie, 'atrium_asker=', `atrium_asker=${'A'.repeat(43)}`, `${own.cookie}; ${strangers.cookie}`, own.cookie.replace('asker', 'session_0123456789ab')]) {
			const refused = await confirm(path, { code: own.code }, cookie);
			expect([refused.status, refused.body.code], cookie).toEqual([409, 'choose-password']);
		}
		expect((await confirm(path, { code: own.code }, own.cookie)).status).toBe(201);
	});

	test('[J9] the browser that asked goes on without a second password', async () => {
		const { code, cookie, header } = await ask(path, at('same'));
		expect(header).toMatch(/^atrium_asker=[\w-]{43}; Path=\/api\/v1; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
		expect(Number(/Max-Age=(\d+)/.exec(header)![1])).toBe((path === '/joins' ? JOIN_MS : REGISTRATION.lifetimeMs) / 1000);
		expect((await confirm(path, { code }, cookie)).status).toBe(201);
		expect(await signInStatus(at('same'), STRANGERS)).toBe(201);
	});

	test('[J9] the mark is new with every asking, also for a browser that brings one', async () => {
		const planted = `atrium_asker=${'P'.repeat(43)}`;
		const asked = await api('POST', path, { body: path === '/joins' ? joining(at('planted')) : registering(at('planted')), headers: { cookie: planted, origin: relay.address } });
		await relay.relay.services.letters.settled();
		expect(asked.headers.get('set-cookie')).not.toContain('PPPP');
		expect((await confirm(path, { code: codeTo(at('planted')) }, planted)).body.code).toBe('choose-password');
	});

	test('[J9] of many answers at once, each with a password of its own, one counts', async () => {
		const { code } = await ask(path, at('many'));
		const all = await Promise.all([1, 2, 3, 4].map((one) => confirm(path, { code, password: `${OWN} ${one}` })));
		expect(all.filter(({ status }) => status === 201)).toHaveLength(1);
		const opens = await Promise.all([1, 2, 3, 4].map((one) => signInStatus(at('many'), `${OWN} ${one}`)));
		expect(opens.map((status) => status === 201)).toEqual(all.map(({ status }) => status === 201));
	});
});

test('[J9] who waits for a decision comes in with the password that the owner chose', async () => {
	await mode('moderated');
	const { code } = await ask('/joins', 'waits@example.com');
	expect((await confirm('/joins', { code })).body.code).toBe('choose-password');
	expect((await confirm('/joins', { code, password: OWN })).body).toEqual({ waiting: true });
	const [request] = (await api('GET', '/join-requests', { token: ann.token })).body.requests;
	expect(Object.keys(request)).not.toContain('asker');
	expect((await api('POST', `/join-requests/${request.id}/approval`, { token: ann.token, body: {} })).status).toBe(200);
	expect([await signInStatus('waits@example.com', STRANGERS), await signInStatus('waits@example.com', OWN)]).toEqual([401, 201]);
	await mode('open');
});

test('[J9] whoever has an account is asked for no password, and nothing becomes of the stranger’s, also when the account is gone by the time of the decision', async () => {
	await mode('moderated');
	const bob = await relay.found('bob@example.com', 'Bob’s');
	const { code } = await ask('/joins', 'bob@example.com');
	expect((await confirm('/joins', { code })).body).toEqual({ waiting: true });
	expect([await signInStatus('bob@example.com', PASSWORD), await signInStatus('bob@example.com', STRANGERS)]).toEqual([201, 401]);
	const { accounts } = relay.relay.services;
	const { identity } = (await accounts.identityByEmail('bob@example.com'))!;
	await accounts.removeMembership(bob.portal as never, bob.employee as never);
	expect(await accounts.removeIfNowhere(identity)).toBe(true);
	const [request] = (await api('GET', '/join-requests', { token: ann.token })).body.requests;
	expect((await api('POST', `/join-requests/${request.id}/approval`, { token: ann.token, body: {} })).status).toBe(200);
	expect([await signInStatus('bob@example.com', PASSWORD), await signInStatus('bob@example.com', STRANGERS)], 'nobody knows it: a letter sets another').toEqual([401, 401]);
	await mode('open');
});

test('[J9] who founds anew, working nowhere any more, does so with a password of their own', async () => {
	const gus = await relay.join(ann, 'gus@example.com', 'Gus');
	expect((await api('POST', `/documents/${gus.employee}/commands`, { token: ann.token, body: { command: 'dismiss', args: {} } })).status).toBe(200);
	const { code } = await ask('/registrations', 'gus@example.com');
	expect((await confirm('/registrations', { code })).body.code).toBe('choose-password');
	expect((await confirm('/registrations', { code, password: OWN })).status).toBe(201);
	expect([await signInStatus('gus@example.com', STRANGERS), await signInStatus('gus@example.com', PASSWORD), await signInStatus('gus@example.com', OWN)]).toEqual([401, 401, 201]);
});
