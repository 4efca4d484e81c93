/** A person's account over HTTP: coming in by a letter, the way back in, changing what one signs in with, and where one is signed in. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, TestRelay, type SignIn } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;
beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
	bob = await relay.join(ann, 'bob@example.com');
});
afterAll(() => relay.end());

const NEXT = 'another long password';
const api = (method: string, path: string, who?: SignIn, body?: unknown) => relay.call(method, `/api/v1${path}`, { ...(who && { token: who.token }), ...(body !== undefined && { body }) });
const signIn = (email: string, password = PASSWORD) => api('POST', '/sessions', undefined, { email, password });
const codeOf = async (path: string, body: unknown, who?: SignIn): Promise<string> => {
	const letter = await relay.letterAfter(`/api/v1${path}`, body, who?.token);
	if (!letter || !('code' in letter)) throw new Error(`no code came: ${letter?.kind}`);
	return letter.code;
};
const registering = (email: string, company = 'New') => ({ company, firstName: 'Eve', lastName: 'Fox', email, password: PASSWORD });

describe('registering a company', () => {
	test('the code founds it once; a code that is used, invented or of another purpose is unknown', async () => {
		const code = await codeOf('/registrations', registering('eve@example.com'));
		expect(((await signIn('eve@example.com')).body as { code: string }).code).toBe('wrong-credentials');
		const both = await Promise.all([1, 2].map(() => api('POST', '/registrations/confirmation', undefined, { code, password: PASSWORD })));
		expect(both.map(({ status }) => status).sort()).toEqual([201, 404]);
		const other = await codeOf('/password-resets', { email: 'eve@example.com' });
		for (const wrong of [other, 'A'.repeat(32), '', 'x']) expect((await api('POST', '/registrations/confirmation', undefined, { code: wrong, password: PASSWORD })).status).toBe(404);
	});

	test('an address that has an account gets another letter, and nothing is made; its owner founds a second company without a password', async () => {
		const letter = await relay.letterAfter('/api/v1/registrations', registering('ann@example.com'));
		expect(letter?.kind).toBe('registration-known');
		const second = await api('POST', '/portals', ann, { company: 'Second' });
		expect([second.status, second.body.portal === ann.portal]).toEqual([201, false]);
		expect((await api('GET', '/me', second.body)).body).toMatchObject({ company: 'Second', administrator: true, email: 'ann@example.com' });
		const mine = (await api('GET', '/me', ann)).body;
		expect(mine.portals.map(({ company }: { company: string }) => company).sort()).toEqual(['Acme', 'Second']);
	});

	test('an address that got its account meanwhile keeps its password', async () => {
		const code = await codeOf('/registrations', { ...registering('late@example.com'), password: NEXT });
		await relay.join(ann, 'late@example.com', 'Late');
		const refused = await api('POST', '/registrations/confirmation', undefined, { code });
		expect([refused.status, refused.body.code]).toEqual([409, 'address-known']);
		expect((await signIn('late@example.com', NEXT)).status).toBe(401);
	});
});

describe('the password', () => {
	test('is chosen anew by a letter; all sessions end, the code is used up, and the owner is told', async () => {
		const carl = await relay.join(ann, 'carl@example.com', 'Carl');
		const [older, code] = [await codeOf('/password-resets', { email: 'carl@example.com' }), await codeOf('/password-resets', { email: ' CARL@example.com ' })];
		const weak = await api('POST', '/password-resets/confirmation', undefined, { code, password: 'password1' });
		expect([weak.status, weak.body.rule]).toEqual([422, 'password-too-common']);
		const told = await relay.letterAfter('/api/v1/password-resets/confirmation', { code, password: NEXT });
		expect(told?.kind).toBe('password-changed');
		expect((await api('GET', '/me', carl)).status).toBe(401);
		expect([(await signIn('carl@example.com')).status, (await signIn('carl@example.com', NEXT)).status]).toEqual([401, 201]);
		for (const used of [code, older]) expect((await api('POST', '/password-resets/confirmation', undefined, { code: used, password: PASSWORD })).status).toBe(404);
	});

	test('is changed with the present one; this session goes on, others end', async () => {
		const here = (await signIn('bob@example.com')).body as SignIn;
		expect((await api('PUT', '/me/password', here, { current: 'wrong', password: NEXT })).body.code).toBe('wrong-credentials');
		expect((await api('PUT', '/me/password', here, { current: PASSWORD, password: 'bob@example.com' })).body.rule).toBe('password-is-email');
		expect((await api('PUT', '/me/password', here, { current: PASSWORD, password: NEXT })).status).toBe(204);
		expect([(await api('GET', '/me', here)).status, (await api('GET', '/me', bob)).status]).toEqual([200, 401]);
		expect((await api('PUT', '/me/password', here, { current: NEXT, password: PASSWORD })).status).toBe(204);
		bob = here;
	});
});

test('a login is chosen, signs in, and is nobody else’s', async () => {
	expect((await api('PUT', '/me/login', bob, { login: 'Bob.Ray', password: PASSWORD })).status).toBe(204);
	expect((await api('GET', '/me', bob)).body.login).toBe('bob.ray');
	expect((await signIn('BOB.ray')).body.employee).toBe(bob.employee);
	expect((await api('PUT', '/me/login', ann, { login: 'bob.ray', password: PASSWORD })).body.code).toBe('login-taken');
	expect((await api('PUT', '/me/login', bob, { login: 'b', password: PASSWORD })).body.errors[0].field).toBe('login');
});

test('another address counts once its letter was answered, in every portal, and the old one is told', async () => {
	const dan = await relay.join(ann, 'dan@example.com', 'Dan');
	const code = await codeOf('/me/email', { email: 'daniel@example.com', password: PASSWORD }, dan);
	expect((await signIn('dan@example.com')).status).toBe(201);
	const old = await codeOf('/password-resets', { email: 'dan@example.com' });
	const told = await relay.letterAfter('/api/v1/email-confirmations', { code });
	expect(told?.kind).toBe('email-changed');
	expect((await api('GET', '/me', dan)).body.email).toBe('daniel@example.com');
	expect([(await signIn('dan@example.com')).status, (await signIn('daniel@example.com')).status]).toEqual([401, 201]);
	// What went to the old address opens nothing any more.
	expect((await api('POST', '/password-resets/confirmation', undefined, { code: old, password: NEXT })).status).toBe(404);
	// An address of somebody else: the answer is the same, and no letter goes.
	expect(await relay.letterAfter('/api/v1/me/email', { email: 'ann@example.com', password: PASSWORD }, dan.token)).toBeNull();
});

describe('where one is signed in', () => {
	test('is listed and ended by its owner, one or all, and never by another', async () => {
		const [one, two] = [(await signIn('bob@example.com')).body as SignIn, (await signIn('bob@example.com')).body as SignIn];
		const { sessions } = (await api('GET', '/sessions', one)).body as { sessions: { id: string; current: boolean }[] };
		const [current] = sessions.filter((session) => session.current);
		expect(current).toMatchObject({ portal: ann.portal, company: 'Acme', createdAt: expect.any(Number), lastSeenAt: expect.any(Number) });
		const foreign = await api('DELETE', `/sessions/${current!.id}`, ann);
		expect([foreign.status, (await api('GET', '/me', one)).status]).toEqual([404, 200]);
		const other = sessions.find((session) => !session.current)!;
		expect((await api('DELETE', `/sessions/${other.id}`, one)).status).toBe(204);
		await api('DELETE', '/sessions', one);
		expect([(await api('GET', '/me', one)).status, (await api('GET', '/me', two)).status]).toEqual([200, 401]);
		await api('DELETE', '/sessions?all=true', one);
		expect((await api('GET', '/me', one)).status).toBe(401);
		bob = (await signIn('bob@example.com')).body as SignIn;
	});

	test('is seen and ended by administrators in their portal, by nobody else', async () => {
		const path = `/people/${bob.employee}/sessions`;
		expect((await api('GET', path, bob)).body.code).toBe('denied');
		expect((await api('GET', path, ann)).body.sessions.length).toBeGreaterThan(0);
		const stranger = await relay.found('stranger@example.com', 'Elsewhere');
		expect([(await api('GET', path, stranger)).status, (await api('DELETE', path, stranger)).status]).toEqual([404, 404]);
		expect((await api('DELETE', path, bob)).body.code).toBe('denied');
		expect((await api('DELETE', path, ann)).body.ended).toBeGreaterThan(0);
		expect((await api('GET', '/me', bob)).status).toBe(401);
		bob = (await signIn('bob@example.com')).body as SignIn;
	});

	test('changes to another portal of the account, beside the present one; to a foreign one never', async () => {
		const other = await relay.found('bob@example.com', 'Bobs');
		const switched = await api('POST', '/sessions/switch', bob, { portal: other.portal });
		expect([switched.status, switched.body.portal]).toEqual([201, other.portal]);
		expect((await api('GET', '/me', bob)).status).toBe(200);
		const stranger = await relay.found('stranger2@example.com', 'Elsewhere');
		expect((await api('POST', '/sessions/switch', bob, { portal: stranger.portal })).body.code).toBe('not-a-member');
	});
});

test('the entrance says how one comes in, and names no portal where there are several', async () => {
	expect((await api('GET', '/entrance')).body).toMatchObject({ portal: null, company: null, founding: true, selfRegistration: 'off', publicPage: null });
	expect((await api('GET', `/entrance?portal=${ann.portal}`)).body).toMatchObject({ portal: ann.portal, company: 'Acme' });
	expect((await api('GET', '/entrance?portal=portal_x')).body).toMatchObject({ portal: null, company: null });
});
