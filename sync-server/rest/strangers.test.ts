/** What somebody learns, plants or keeps who should not: addresses, cookies, other people's sign-ins, secrets at rest and on the way. Over the real port. */
import { randomFillSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NETWORK, LETTERS_ASKED_PER_ADDRESS, LETTERS_ASKED_PER_NETWORK } from '../accounts/attempts.ts';
import type { Letter } from '../accounts/letters.ts';
import { argon2Hasher, type PasswordHasher } from '../accounts/password.ts';
import { totpCode } from '../accounts/one-time-codes.ts';
import { EMAIL_CHANGE, PASSWORD_RESET, REGISTRATION } from '../accounts/registrations.ts';
import { routes } from './app.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;
let now = Date.parse('2026-06-01T08:00:00Z');
let hashes = 0;
const hasher: PasswordHasher = ((cheap) => ({
	hash: (password: string) => (hashes++, cheap.hash(password)),
	verify: (stored: string, password: string) => (hashes++, cheap.verify(stored, password))
}))(argon2Hasher((target) => randomFillSync(target), { memoryKib: 8, passes: 1, lanes: 1 }));

beforeAll(async () => {
	relay = await TestRelay.start({}, { now: () => now, hasher });
	ann = await relay.found('ann@example.com');
	bob = await relay.join(ann, 'bob@example.com');
});
/** What the test before has asked for weighs on none. */
beforeEach(() => void (now += 15 * 60_000));
afterAll(async () => {
	expect(relay.log, 'nothing was a fault').toEqual([]);
	await relay.end();
});

const api = (method: string, path: string, options: { body?: unknown; token?: string; headers?: Record<string, string> } = {}) => relay.call(method, `/api/v1${path}`, options);
const from = (ip: string) => ({ 'x-forwarded-for': ip });
const cookieOf = ({ portal, token }: SignIn) => `atrium_session_${portal.slice(-12)}=${token}`;
const registering = (email: string) => ({ company: 'Probe', firstName: 'Eve', lastName: 'Fox', email, password: PASSWORD });
const signIn = async (email: string, portal = ann.portal): Promise<SignIn> => (await api('POST', '/sessions', { body: { email, password: PASSWORD, portal } })).body;
const meStatus = async (token: string) => (await api('GET', '/me', { token })).status;

/** Everything that a stranger can tell two answers apart by, but for the stopwatch: for that the costs are counted. */
async function seen(path: string, body: unknown, token?: string): Promise<unknown> {
	const before = hashes;
	const rows = writes();
	const answer = await api('POST', path, { body, headers: from('198.51.100.20'), ...(token && { token }) });
	// The mark of the asking browser is new each time.
	const headers = [...answer.headers].filter(([name]) => name !== 'date').map(([name, value]) => [name, value.replace(/(?<=^atrium_asker=)[\w-]{43}(?=;)/, '…')]);
	return { status: answer.status, body: answer.body, headers, hashes: hashes - before, rows: writes() - rows };
}
/** Codes on disk: what a call of a stranger writes, and waits for. */
function writes(): number {
	const database = new DatabaseSync(join(relay.dataDir, 'accounts.db'), { readOnly: true });
	const { count } = database.prepare('select count(*) as count from letter_code').get() as { count: number };
	database.close();
	return count;
}

describe('whether an address is known is told to nobody but its mailbox', () => {
	test.each([
		['/registrations', registering],
		['/password-resets', (email: string) => ({ email })],
		['/sessions', (email: string) => ({ email, password: 'a wrong password' })],
		['/sessions', (email: string) => ({ email: email.split('@')[0], password: 'a wrong password' })]
	])('%s answers a known address and an unknown one alike, at the same cost', async (path, body) => {
		const known = await seen(path, body('bob@example.com'));
		expect(await seen(path, body('nobody@example.com'))).toEqual(known);
	});

	test('the letters that go out for it are not waited for, so that the mail server’s haste tells nothing', async () => {
		const { letters } = relay.relay.services;
		const send = letters.send.bind(letters);
		let answered = false;
		const written: string[] = [];
		letters.send = (to, letter, more) => {
			written.push(letter.kind);
			return send(to, letter, more);
		};
		try {
			const answer = await api('POST', '/password-resets', { body: { email: 'bob@example.com' }, headers: from('198.51.100.21') });
			answered = answer.status === 202;
			await letters.settled();
		} finally {
			letters.send = send;
		}
		expect([answered, written]).toEqual([true, ['password-reset']]);
		// A letter whose sending was waited for says how it went; these say nothing.
		const sent = await letters.send('bob@example.com' as never, { kind: 'password-reset', language: 'en', code: 'x'.repeat(32), expiresAt: now + 60_000 });
		expect(sent).toMatchObject({ outcome: 'waiting', reason: null });
		await letters.settled();
	});

	test('nor to somebody who is signed in and asks to change to it', async () => {
		const asked = (email: string) => seen('/me/email', { email, password: PASSWORD }, ann.token);
		expect(await asked('nobody@example.com')).toEqual(await asked('bob@example.com'));
	});

	test.each([
		['/password-resets', 'bob@example.com'],
		['/password-resets', 'nobody@example.com'],
		['/registrations', 'bob@example.com'],
		['/me/email', 'bob@example.com'],
		['/me/email', 'nobody@example.com']
	])('the answer to %s does not wait for what is looked up: %s', async (path, email) => {
		const { accounts, letters } = relay.relay.services;
		const find = accounts.identityByEmail.bind(accounts);
		let goOn = (): void => undefined;
		const held = new Promise<void>((resolve) => (goOn = resolve));
		accounts.identityByEmail = async (address) => (await held, find(address));
		try {
			const body = path === '/registrations' ? registering(email) : { email, password: PASSWORD };
			expect((await api('POST', path, { body, headers: from('198.51.100.23'), ...(path === '/me/email' && { token: ann.token }) })).status).toBe(202);
		} finally {
			accounts.identityByEmail = find;
			goOn();
		}
		await letters.settled();
	});

	test('guessing is slowed down for unknown addresses as for known ones', async () => {
		for (const [email, ip] of [['bob@example.com', '198.51.100.30'], ['never-there@example.com', '198.51.100.31']] as const) {
			const codes: string[] = [];
			for (let tried = 0; tried <= ATTEMPTS_PER_ADDRESS; tried++) codes.push((await api('POST', '/sessions', { body: { email, password: 'wrong password' }, headers: from(ip) })).body.code);
			expect(codes, email).toEqual([...Array<string>(ATTEMPTS_PER_ADDRESS).fill('wrong-credentials'), 'too-many-attempts']);
		}
	});
});

describe('how often strangers may ask', () => {
	test.each([
		['/password-resets', (email: string) => ({ email })],
		['/registrations', registering]
	])('%s: so many letters to one address, whoever asks, known or not', async (path, body) => {
		for (const email of ['bob@example.com', 'unknown@example.com']) {
			const statuses: number[] = [];
			for (let asked = 0; asked <= LETTERS_ASKED_PER_ADDRESS; asked++) statuses.push((await api('POST', path, { body: body(email), headers: from(`203.0.113.${asked + 1}`) })).status);
			expect(statuses, email).toEqual([...Array<number>(LETTERS_ASKED_PER_ADDRESS).fill(202), 429]);
		}
	});

	test('whoever asks for other letters in somebody’s name keeps them from no lost password', async () => {
		const nora = await relay.join(ann, 'nora@example.com', 'Nora');
		for (const [path, body] of [['/registrations', registering('nora@example.com')], ['/me/email', { email: 'nora@example.com', password: PASSWORD }]] as const) {
			for (let asked = 0; asked <= LETTERS_ASKED_PER_ADDRESS; asked++) await api('POST', path, { body, headers: from(`203.0.113.${asked + 1}`), ...(path === '/me/email' && { token: ann.token }) });
		}
		expect((await relay.letterAfter('/api/v1/password-resets', { email: 'nora@example.com' }))?.kind).toBe('password-reset');
		expect(await meStatus(nora.token)).toBe(200);
	});

	test('so many letters from one network, to whatever addresses, and the neighbours go on', async () => {
		const ask = async (at: number, ip: string) => (await api('POST', '/password-resets', { body: { email: `one-of-many-${at}@example.com` }, headers: from(ip) })).status;
		for (let asked = 0; asked < LETTERS_ASKED_PER_NETWORK; asked++) expect(await ask(asked, '203.0.113.200')).toBe(202);
		expect(await ask(LETTERS_ASKED_PER_NETWORK, '203.0.113.200')).toBe(429);
		expect(await ask(LETTERS_ASKED_PER_NETWORK, '203.0.113.201')).toBe(202);
	});

	test('guessed codes of letters weigh on the network that brings them, whatever they are for', async () => {
		const guesses = ['/registrations/confirmation', '/password-resets/confirmation', '/email-confirmations'];
		const statuses: number[] = [];
		for (let tried = 0; tried <= ATTEMPTS_PER_NETWORK; tried++) {
			statuses.push((await api('POST', guesses[tried % guesses.length]!, { body: { code: 'A'.repeat(32), password: 'a password of my own' }, headers: from('203.0.113.210') })).status);
		}
		expect([new Set(statuses.slice(0, ATTEMPTS_PER_NETWORK)), statuses.at(-1)]).toEqual([new Set([404]), 429]);
	});
});

describe('cookies', () => {
	test('a planted one is never adopted: signing in makes a new token, and the planted one opens nothing', async () => {
		const planted = 'P'.repeat(43);
		const cookie = cookieOf({ ...ann, token: planted });
		const signed = await api('POST', '/sessions', { body: { email: 'ann@example.com', password: PASSWORD }, headers: { cookie, origin: relay.address } });
		expect(signed.status).toBe(201);
		expect(signed.headers.get('set-cookie')).toMatch(/^atrium_session_[0-9a-f]{12}=[\w-]{43};/);
		expect(signed.headers.get('set-cookie')).not.toContain(planted);
		expect((await api('GET', '/me', { headers: { cookie } })).status).toBe(401);
	});

	test('no page is told a token: not at a sign-in, not when it changes the portal, not with a header that signs nobody in', async () => {
		const other = await relay.found('ann@example.com', 'Of Ann');
		const page = { origin: relay.address };
		const credentials = { email: 'ann@example.com', password: PASSWORD, portal: ann.portal };
		for (const headers of [page, { ...page, authorization: `Bearer ${'x'.repeat(43)}` }, { ...page, authorization: 'Basic eDp5' }, { origin: relay.address, cookie: cookieOf(ann) }] as Record<string, string>[]) {
			const signed = await api('POST', '/sessions', { body: credentials, headers });
			expect([signed.status, Object.keys(signed.body).sort(), signed.headers.get('set-cookie') !== null]).toEqual([201, ['employee', 'portal'], true]);
		}
		ann = await signIn('ann@example.com');
		const switched = await api('POST', '/sessions/switch', { body: { portal: other.portal }, headers: { ...page, cookie: cookieOf(ann) } });
		expect([switched.status, switched.body.portal, 'token' in switched.body]).toEqual([201, other.portal, false]);
		const programs = await api('POST', '/sessions/switch', { body: { portal: other.portal }, token: ann.token });
		expect(await meStatus(programs.body.token), 'a program is').toBe(200);
	});

	test('a token is new at every sign-in', async () => {
		const tokens = [ann.token, (await signIn('ann@example.com')).token, (await signIn('ann@example.com')).token];
		expect(new Set(tokens).size).toBe(3);
	});

	test('another person’s good cookie in the browser does not become the sign-in of who signs in', async () => {
		const signed = await api('POST', '/sessions', { body: { email: 'bob@example.com', password: PASSWORD }, headers: { cookie: cookieOf(ann), origin: relay.address } });
		expect(signed.body.employee).toBe(bob.employee);
		expect(await meStatus(ann.token)).toBe(200);
	});

	const changing = routes.filter(({ method }) => method !== 'get');
	test('there are many routes that change something', () => expect(changing.length).toBeGreaterThan(30));
	test.each(changing.map(({ method, path }) => [method.toUpperCase(), path] as const))('%s %s does nothing by cookie for a page that is not ours', async (method, path) => {
		const at = path.replace(/\{\w+\}/g, 'x');
		const headers = { cookie: cookieOf(ann), 'content-type': 'application/json' };
		for (const origin of ['https://evil.example', 'null', `${relay.address}.evil.example`]) {
			const answer = await relay.call(method, at, { body: {}, headers: { ...headers, origin } });
			expect([answer.status, answer.body?.code, answer.headers.get('set-cookie')], origin).toEqual([403, 'bad-origin', null]);
		}
	});
	test.each(changing.filter(({ signedIn, path }) => signedIn || path.endsWith('/farewell')).map(({ method, path }) => [method.toUpperCase(), path] as const))('%s %s does nothing by cookie where nobody says from which page', async (method, path) => {
		const answer = await relay.call(method, path.replace(/\{\w+\}/g, 'x'), { body: { items: [] }, headers: { cookie: cookieOf(ann) } });
		expect([answer.status, answer.body?.code]).toEqual([403, 'bad-origin']);
		expect(await meStatus(ann.token)).toBe(200);
	});
	test('what a form of another site could send without asking is read by no call', async () => {
		for (const { method, path } of changing.filter(({ body, raw }) => body || raw)) {
			for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain; application/json', '']) {
				const answer = await relay.call(method.toUpperCase(), path.replace(/\{\w+\}/g, 'x'), { body: '{}', token: ann.token, headers: { 'content-type': type, 'upload-offset': '0' } });
				expect([answer.status, answer.body?.code], `${method} ${path} ${type}`).toEqual([415, expect.stringMatching(/^not-(json|bytes)$/)]);
			}
		}
	});
});

describe('other people’s sign-ins', () => {
	const listed = async (who: SignIn) => (await api('GET', '/sessions', { token: who.token })).body.sessions as { id: string; current: boolean; portal: string }[];

	test('are neither seen nor ended: to whoever asks, they are not there', async () => {
		const theirs = (await listed(bob)).map(({ id }) => id);
		expect((await listed(ann)).map(({ id }) => id).filter((id) => theirs.includes(id))).toEqual([]);
		for (const id of [...theirs, 'session_00000000-0000-7000-8000-000000000000', 'x', '%00', "' or 1=1 --"]) {
			const answer = await api('DELETE', `/sessions/${encodeURIComponent(id)}`, { token: ann.token });
			expect([answer.status, answer.body.code], id).toEqual([404, 'not-found']);
		}
		expect(await meStatus(bob.token)).toBe(200);
	});

	test('an administrator ends those of their own portal alone', async () => {
		const other = await relay.found('bob@example.com', 'Of Bob');
		const here = await signIn('bob@example.com');
		const ended = await api('DELETE', `/people/${bob.employee}/sessions`, { token: ann.token });
		expect(ended.status).toBe(200);
		expect([await meStatus(here.token), await meStatus(other.token)]).toEqual([401, 200]);
		for (const method of ['GET', 'DELETE']) {
			expect((await api(method, `/people/${ann.employee}/sessions`, { token: other.token })).status, 'somebody of another portal').toBe(404);
			expect((await api(method, `/people/${ann.employee}/sessions`, { token: (await signIn('bob@example.com')).token })).status, 'no administrator').toBe(403);
		}
		bob = await signIn('bob@example.com');
	});

	test('signing out everywhere ends every one of the person’s, in all portals, with its open connections, and nobody else’s', async () => {
		const elsewhere = (await api('POST', '/sessions/switch', { token: bob.token, body: { portal: (await listed(bob)).find(({ portal }) => portal !== ann.portal)!.portal } })).body as SignIn;
		const mine = [bob, elsewhere, await signIn('bob@example.com'), await signIn('bob@example.com')];
		const closed = mine.map(
			(who) =>
				new Promise<{ opened: Promise<void>; code: Promise<number> }>((resolve) => {
					const socket = new WebSocket(`${relay.address.replace('http', 'ws')}/sync`, { headers: { authorization: `Bearer ${who.token}` } });
					const code = new Promise<number>((done) => socket.on('close', done));
					resolve({ opened: new Promise((done) => socket.on('open', () => done())), code });
				})
		);
		const sockets = await Promise.all(closed);
		await Promise.all(sockets.map(({ opened }) => opened));
		const out = await api('DELETE', '/sessions?all=true', { token: bob.token });
		expect([out.status, out.body.ended >= mine.length]).toEqual([200, true]);
		expect(await Promise.all(mine.map(({ token }) => meStatus(token)))).toEqual(mine.map(() => 401));
		expect(await Promise.all(sockets.map(({ code }) => code))).toEqual(mine.map(() => 4401));
		expect(await meStatus(ann.token)).toBe(200);
		bob = await signIn('bob@example.com');
	});
});

test.each([
	['/registrations', REGISTRATION, '/registrations/confirmation'],
	['/password-resets', PASSWORD_RESET, '/password-resets/confirmation'],
	['/me/email', EMAIL_CHANGE, '/email-confirmations']
] as const)('the code of a letter that %s sends is good for its time and no longer', async (path, { name, lifetimeMs }, answer) => {
	const kit = await relay.join(ann, `${name}@example.com`, 'Kit');
	const body = { '/registrations': registering('late-founder@example.com'), '/password-resets': { email: `${name}@example.com` }, '/me/email': { email: 'late@example.com', password: PASSWORD } }[path];
	const ask = async () => ((await relay.letterAfter(`/api/v1${path}`, body, kit.token)) as Letter & { code: string }).code;
	const [old, fresh] = [await ask(), await ask()];
	const bring = async (code: string) => (await api('POST', answer, { body: { code, password: 'a password of my own' }, headers: from('203.0.113.211') })).status;
	now += lifetimeMs;
	expect(await bring(old)).toBe(404);
	now -= 1;
	expect(await bring(fresh)).toBeLessThan(300);
});

describe('after the password is chosen anew', () => {
	test('what was asked for with the old one opens nothing: no sign-in under way, no other address, no older letter', async () => {
		const eve = await relay.join(ann, 'eve@example.com', 'Eve');
		const change = (await relay.letterAfter('/api/v1/me/email', { email: 'thief@example.com', password: PASSWORD }, eve.token)) as Letter & { code: string };
		const older = (await relay.letterAfter('/api/v1/password-resets', { email: 'eve@example.com' })) as Letter & { code: string };
		const reset = (await relay.letterAfter('/api/v1/password-resets', { email: 'eve@example.com' })) as Letter & { code: string };
		expect([change.kind, reset.kind]).toEqual(['email-change', 'password-reset']);
		await relay.found('eve@example.com', 'Of Eve');
		const { ticket } = (await api('POST', '/sessions', { body: { email: 'eve@example.com', password: PASSWORD } })).body;
		expect((await api('POST', '/password-resets/confirmation', { body: { code: reset.code, password: 'chosen by the owner' } })).status).toBe(204);
		expect(await meStatus(eve.token)).toBe(401);
		expect((await api('POST', '/password-resets/confirmation', { body: { code: older.code, password: 'chosen by a thief' } })).status).toBe(404);
		expect((await api('POST', '/email-confirmations', { body: { code: change.code } })).status, 'whoever knew the old password keeps no way in').toBe(404);
		expect((await api('POST', '/sessions', { body: { ticket, portal: ann.portal } })).body.code).toBe('ticket-lapsed');
		expect((await api('POST', '/sessions', { body: { email: 'eve@example.com', password: 'chosen by the owner', portal: ann.portal } })).status).toBe(201);
	});

	test('also where its owner changes it while signed in', async () => {
		const fay = await relay.join(ann, 'fay@example.com', 'Fay');
		const change = (await relay.letterAfter('/api/v1/me/email', { email: 'thief2@example.com', password: PASSWORD }, fay.token)) as Letter & { code: string };
		const reset = (await relay.letterAfter('/api/v1/password-resets', { email: 'fay@example.com' })) as Letter & { code: string };
		expect((await api('PUT', '/me/password', { token: fay.token, body: { current: PASSWORD, password: 'chosen by the owner' } })).status).toBe(204);
		expect((await api('POST', '/email-confirmations', { body: { code: change.code } })).status).toBe(404);
		expect((await api('POST', '/password-resets/confirmation', { body: { code: reset.code, password: 'chosen by a thief' } })).status).toBe(404);
	});
});

test('who works nowhere any more founds a company of their own with the address that they have', async () => {
	const gus = await relay.join(ann, 'gus@example.com', 'Gus');
	const dismissed = await api('POST', `/documents/${gus.employee}/commands`, { token: ann.token, body: { command: 'dismiss', args: {} } });
	expect(dismissed.status).toBe(200);
	expect((await api('POST', '/sessions', { body: { email: 'gus@example.com', password: PASSWORD } })).body.code).toBe('not-a-member');
	const letter = (await relay.letterAfter('/api/v1/registrations', { ...registering('gus@example.com'), password: 'for my own company' })) as Letter & { code: string };
	expect(letter.kind).toBe('registration');
	const founded = await api('POST', '/registrations/confirmation', { body: { code: letter.code, password: 'for my own company' } });
	expect([founded.status, founded.body.portal === ann.portal]).toEqual([201, false]);
	expect((await api('POST', '/sessions', { body: { email: 'gus@example.com', password: 'for my own company' } })).status).toBe(201);
});

test('no route takes a secret in its address: what paths and queries may hold is a closed list', () => {
	const known = { paths: ['id', 'person', 'provider'], queries: ['after', 'again', 'all', 'kind', 'limit', 'next', 'person', 'portal'] };
	const named = (parts: string[][]) => [...new Set(parts.flat())].sort();
	expect(named(routes.map(({ path }) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)))).toEqual(known.paths);
	expect(named(routes.map(({ query }) => (query ? Object.keys((query as unknown as { entries: object }).entries) : [])))).toEqual(known.queries);
});

test('every flow of codes is walked, and no secret lies on disk, in the log, or in any address that is asked, answered or written in a letter', async () => {
	const secrets = new Map<string, string>([[PASSWORD, 'password'], [ann.token, 'token'], [bob.token, 'token']]);
	const asked: string[] = [];
	const { letters } = relay.relay.services;
	const send = letters.send.bind(letters);
	let code = '';
	letters.send = (to, letter, more) => {
		if ('code' in letter) secrets.set((code = letter.code), letter.kind);
		return send(to, letter, more);
	};
	/** One step of a flow: what its answer holds that opens anything is a secret from there on. */
	const step = async (method: string, path: string, status: number, options: Parameters<typeof api>[2] = {}) => {
		const answer = await api(method, path, options);
		await letters.settled();
		asked.push(path, answer.headers.get('location') ?? '', answer.headers.get('content-location') ?? '');
		const { body } = answer;
		expect([path, answer.status, status < 300 ? null : body.code]).toEqual([path, status, status < 300 ? null : expect.any(String)]);
		// In a problem, `code` says which one it is.
		for (const name of ['token', 'ticket', 'secret', 'uri', ...(status < 300 ? ['code'] : [])]) if (typeof body?.[name] === 'string') secrets.set(body[name], name);
		for (const recovery of body?.recoveryCodes ?? []) secrets.set(recovery, 'recovery code');
		for (const cookie of answer.headers.getSetCookie()) {
			const value = /=([^;]*)/.exec(cookie)![1]!;
			if (value !== '') secrets.set(value, 'cookie');
		}
		return body;
	};
	const names = { firstName: 'New', lastName: 'Comer', password: PASSWORD };
	try {
		await step('POST', '/registrations', 202, { body: registering('hal@example.com') });
		await step('POST', '/registrations/confirmation', 201, { body: { code, password: PASSWORD } });
		await step('POST', '/invitations', 200, { token: ann.token, body: { addresses: ['ida@example.com'] } });
		expect((await api('POST', `/invitations/${code}/acceptance`, { body: names })).status, 'the code in the path is no way in').toBe(404);
		await step('POST', '/invitations/open', 200, { body: { code } });
		const ida = await step('POST', '/invitations/acceptance', 201, { body: { code, ...names } });
		const link = await step('POST', '/invitation-links', 201, { token: ann.token, body: { approval: false, expiresInDays: 1 } });
		await step('POST', '/invitation-links/open', 200, { body: { code: link.code } });
		await step('POST', '/joins', 202, { body: { code: link.code, email: 'joe@example.com', ...names } });
		await step('POST', '/joins/confirmation', 201, { body: { code, password: PASSWORD } });
		await step('POST', '/password-resets', 202, { body: { email: 'joe@example.com' } });
		await step('POST', '/password-resets/confirmation', 204, { body: { code, password: 'another password of Joe' } });
		secrets.set('another password of Joe', 'password');
		await step('POST', '/me/email', 202, { token: ida.token, body: { email: 'ida.new@example.com', password: PASSWORD } });
		await step('POST', '/email-confirmations', 204, { body: { code } });
		const { secret } = await step('POST', '/me/second-factor', 200, { token: ida.token, body: { password: PASSWORD } });
		await step('PUT', '/me/second-factor', 200, { token: ida.token, body: { code: totpCode(secret, now) } });
		const { ticket } = await step('POST', '/sessions', 401, { body: { email: 'ida.new@example.com', password: PASSWORD } });
		now += 60_000;
		await step('POST', '/sessions', 201, { body: { ticket, code: totpCode(secret, now) } });
		await step('POST', '/view-as', 201, { token: ann.token, body: { person: bob.employee } });
	} finally {
		letters.send = send;
	}
	const kinds = new Set(secrets.values());
	for (const kind of ['registration', 'invitation', 'join-confirmation', 'password-reset', 'email-change', 'code', 'ticket', 'secret', 'recovery code', 'cookie']) expect([...kinds], 'was walked').toContain(kind);
	const files = readdirSync(relay.dataDir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile() && !one.parentPath.endsWith('mail'));
	expect(files.length).toBeGreaterThan(2);
	const kept = Buffer.concat(files.map(({ parentPath, name }) => readFileSync(join(parentPath, name))));
	for (const [secret, kind] of secrets) {
		expect(kept.includes(secret), `${kind} at rest`).toBe(false);
		expect(relay.log.join('\n'), kind).not.toContain(secret);
		expect(asked.filter((address) => address.includes(encodeURIComponent(secret))), kind).toEqual([]);
	}
	const mails = readdirSync(join(relay.dataDir, 'mail')).map((name) => readFileSync(join(relay.dataDir, 'mail', name), 'utf8').replace(/=\r?\n/g, '').replace(/=3D/g, '='));
	const links = mails.flatMap((mail) => mail.match(/https?:\/\/[^\s"<>]+/g) ?? []);
	expect(links.length).toBeGreaterThan(20);
	for (const link of links) {
		const { pathname, search } = new URL(link.replaceAll('&#61;', '=').replaceAll('&#45;', '-'));
		expect(search, link).toBe('');
		expect(pathname, link).toMatch(/^\/[a-z-]*$/);
	}
});
