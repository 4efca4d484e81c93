/** Signing in step by step: what is asked for, in which order, and what a ticket is good for. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PersonId, PortalId } from '#crdt-model/ids.ts';
import { ATTEMPT_WINDOW_MS, ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NETWORK } from '../accounts/attempts.ts';
import type { IdentityId } from '../accounts/accounts.ts';
import { addEmployee } from '../room/relay-acts.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;
/** Who has a second factor; its code is always 123456. */
const enrolled = new Set<IdentityId>();
let now = Date.parse('2026-06-01T08:00:00Z');

beforeAll(async () => {
	relay = await TestRelay.start({}, {
		now: () => now,
		secondFactors: { has: async (identity) => enrolled.has(identity), check: async (_identity, code) => code === '123456', forget: async (identity) => void enrolled.delete(identity) }
	});
	ann = await relay.found('ann@example.com');
	now += 1_000; // portals are told in the order of joining
	await relay.found('ann@example.com', 'Second');
});
afterAll(() => relay.end());
beforeEach(() => enrolled.clear());

const signIn = (body: unknown, headers: Record<string, string> = {}) => relay.call('POST', '/api/v1/sessions', { body, headers });
const identityOf = async (email: string) => {
	const signed = await relay.relay.services.accounts.signIn({ email, password: PASSWORD });
	if (signed.outcome !== 'signed-in') throw new Error(signed.outcome);
	return signed.identity;
};

test('where there are several portals a ticket goes on with one of them, once', async () => {
	const asked = await signIn({ email: 'ann@example.com', password: PASSWORD });
	expect([asked.status, asked.body.code, asked.headers.get('set-cookie')]).toEqual([409, 'choose-portal', null]);
	expect(asked.body.portals.map((one: { company: string }) => one.company)).toEqual(['Acme', 'Second']);
	const answer = await signIn({ ticket: asked.body.ticket, portal: ann.portal });
	expect([answer.status, answer.body.portal, answer.body.employee]).toEqual([201, ann.portal, ann.employee]);
	expect((await signIn({ ticket: asked.body.ticket, portal: ann.portal })).body.code).toBe('ticket-lapsed');
	expect((await signIn({ email: 'ann@example.com', password: PASSWORD, portal: ann.portal })).status).toBe(201);
});

test('a ticket leads into no portal of which its person is no member', async () => {
	const bob = await relay.found('bob@example.com', 'Of Bob');
	const { ticket } = (await signIn({ email: 'ann@example.com', password: PASSWORD })).body;
	expect((await signIn({ ticket, portal: bob.portal })).body.code).toBe('not-a-member');
});

test('the second factor comes first: nothing is told of the portals before it, and a wrong code leaves the ticket good', async () => {
	enrolled.add(await identityOf('ann@example.com'));
	const asked = await signIn({ email: 'ann@example.com', password: PASSWORD });
	expect([asked.status, asked.body.code, asked.body.portals]).toEqual([401, 'second-factor', undefined]);
	const { ticket } = asked.body;
	expect((await signIn({ ticket, code: '000000' })).body.code).toBe('wrong-code');
	expect((await signIn({ ticket, portal: ann.portal })).body.code, 'it waits for a code').toBe('ticket-lapsed');
	expect((await signIn({ ticket, password: 'a new long password' })).body.code).toBe('ticket-lapsed');
	const second = await signIn({ ticket, code: '123456' });
	expect(second.body.code).toBe('choose-portal');
	expect((await signIn({ ticket, code: '123456' })).body.code, 'it was taken').toBe('ticket-lapsed');
	expect((await signIn({ ticket: second.body.ticket, portal: ann.portal })).status).toBe(201);
});

test('after ten wrong codes even the right one waits, whatever ticket it comes with', async () => {
	await relay.found('guessed@example.com', 'Guessed');
	enrolled.add(await identityOf('guessed@example.com'));
	const ticketOf = async () => (await signIn({ email: 'guessed@example.com', password: PASSWORD })).body.ticket as string;
	for (let tried = 0; tried < 10; tried++) expect((await signIn({ ticket: await ticketOf(), code: '000000' })).body.code).toBe('wrong-code');
	const answer = await signIn({ ticket: await ticketOf(), code: '123456' });
	expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([429, 'too-many-attempts', String(15 * 60)]);
	now += 15 * 60_000;
	expect((await signIn({ ticket: await ticketOf(), code: '123456' })).status).toBe(201);
});

test('a ticket lapses after ten minutes', async () => {
	const { ticket } = (await signIn({ email: 'ann@example.com', password: PASSWORD })).body;
	now += 10 * 60_000;
	expect((await signIn({ ticket, portal: ann.portal })).body.code).toBe('ticket-lapsed');
});

test('guessed tickets weigh on the network that brings them', async () => {
	const headers = { 'x-forwarded-for': '203.0.113.77' };
	const codes: string[] = [];
	for (let tried = 0; tried <= ATTEMPTS_PER_NETWORK; tried++) codes.push((await signIn({ ticket: 'x'.repeat(43), code: '123456' }, headers)).body.code);
	expect([codes[0], codes[ATTEMPTS_PER_NETWORK - 1], codes[ATTEMPTS_PER_NETWORK]]).toEqual(['ticket-lapsed', 'ticket-lapsed', 'too-many-attempts']);
	expect((await signIn({ email: 'ann@example.com', password: PASSWORD, portal: ann.portal }, { 'x-forwarded-for': '203.0.113.78' })).status).toBe(201);
});

async function addDirectly(email: string): Promise<{ portal: PortalId; employee: PersonId }> {
	const { accounts, portals } = relay.relay.services;
	const portal = (await portals.portal(ann.portal as PortalId))!;
	const added = await accounts.addIdentity({ email, password: 'the first password', name: 'Dan Direct', portal: portal.id });
	const made = await addEmployee(portal, { firstName: 'Dan', lastName: 'Direct', email });
	if (added.outcome !== 'created' || !('employee' in made)) throw new Error('not added');
	await accounts.addMembership({ identity: added.identity, portal: portal.id, employee: made.employee });
	return { portal: portal.id, employee: made.employee };
}

test('who was added with a first password chooses another before anything else, and is in with it', async () => {
	const dan = await addDirectly('dan@example.com');
	const asked = await signIn({ email: 'dan@example.com', password: 'the first password' });
	expect([asked.status, asked.body.code, asked.headers.get('set-cookie')]).toEqual([403, 'must-change-password', null]);
	const { ticket } = asked.body;
	const same = await signIn({ ticket, password: 'the first password' });
	expect([same.status, same.body.errors[0].field, same.body.rule]).toEqual([422, 'password', 'password-unchanged']);
	expect((await signIn({ ticket, password: 'short' })).body.rule).toBe('password-too-short');
	expect((await signIn({ ticket, password: 'one of my very own' })).body).toMatchObject(dan);
	expect((await signIn({ ticket, password: 'and another one now' })).body.code).toBe('ticket-lapsed');
	expect((await signIn({ email: 'dan@example.com', password: 'the first password' })).body.code).toBe('wrong-credentials');
	const own = (await signIn({ email: 'dan@example.com', password: 'one of my very own' })).body;
	expect(own).toMatchObject(dan);
	// An address that somebody else entered has proved nothing: it founds no company.
	expect((await relay.call('POST', '/api/v1/portals', { token: own.token, body: { company: 'Of Dan' } })).body.code).toBe('address-unproved');
});

test('a sign-in by another program from another network is told to the owner, and one by either that is known is not', async () => {
	const lia = await relay.join(ann, 'lia@example.com', 'Lia');
	const { letters } = relay.relay.services;
	const told: unknown[] = [];
	const send = letters.send.bind(letters);
	letters.send = (to, letter, more) => {
		if (letter.kind === 'new-sign-in') told.push([to, letter.ip, letter.userAgent]);
		return send(to, letter, more);
	};
	try {
		const from = (ip: string, agent: string) => signIn({ email: 'lia@example.com', password: PASSWORD }, { 'x-forwarded-for': ip, 'user-agent': agent });
		const known = (await relay.call('GET', '/api/v1/sessions', { token: lia.token })).body.sessions[0];
		expect((await from('203.0.113.60', known.userAgent)).status).toBe(201);
		expect((await from('203.0.113.60', 'Firefox/130')).status).toBe(201);
		expect(told).toEqual([]);
		expect((await from('198.51.100.60', 'Curl/8')).status).toBe(201);
		expect(told).toEqual([['lia@example.com', '198.51.100.60', 'Curl/8']]);
		expect((await signIn({ email: 'lia@example.com', password: 'wrong' }, { 'x-forwarded-for': '192.0.2.60', 'user-agent': 'Else' })).status).toBe(401);
		expect(told).toHaveLength(1);
	} finally {
		letters.send = send;
	}
});

test('whoever proves the address by a letter takes over what somebody else had added, and the others are out', async () => {
	await addDirectly('eva@example.com');
	const { ticket } = (await signIn({ email: 'eva@example.com', password: 'the first password' })).body;
	const first = await signIn({ ticket, password: 'chosen by somebody' });
	expect(first.status).toBe(201);
	const { accounts } = relay.relay.services;
	const pending = (await signIn({ email: 'eva@example.com', password: 'chosen by somebody' })).body;
	expect(pending.token, 'a second device').toBeTruthy();
	const registered = await accounts.registerIdentity({ email: 'eva@example.com', password: 'the owner’s password', name: 'Eva Owner' });
	expect(registered.outcome).toBe('taken-over');
	for (const token of [first.body.token, pending.token]) expect((await relay.call('GET', '/api/v1/me', { token })).status).toBe(401);
	expect((await signIn({ email: 'eva@example.com', password: 'chosen by somebody' })).body.code).toBe('wrong-credentials');
	expect((await signIn({ email: 'eva@example.com', password: 'the owner’s password' })).status).toBe(201);
	expect((await accounts.registerIdentity({ email: 'eva@example.com', password: 'somebody else again', name: 'X' })).outcome, 'now it is confirmed').toBe('wrong-password');
});

test('so does whoever chooses a password anew by a letter: nobody stays in by what was set up before', async () => {
	const eli = await addDirectly('eli@example.com');
	const { ticket } = (await signIn({ email: 'eli@example.com', password: 'the first password' })).body;
	const { token } = (await signIn({ ticket, password: 'chosen by somebody' })).body;
	enrolled.add((await relay.relay.services.accounts.identityOf(eli.portal, eli.employee))!);
	const letter = await relay.letterAfter('/api/v1/password-resets', { email: 'eli@example.com' });
	expect((await relay.call('POST', '/api/v1/password-resets/confirmation', { body: { code: (letter as { code: string }).code, password: 'the owner’s password' } })).status).toBe(204);
	expect((await relay.call('GET', '/api/v1/me', { token })).status).toBe(401);
	const own = await signIn({ email: 'eli@example.com', password: 'the owner’s password' });
	expect(own.status, 'nor is a factor of somebody else asked for').toBe(201);
	expect((await relay.call('POST', '/api/v1/portals', { token: own.body.token, body: { company: 'Of Eli' } })).status, 'and the address is proved').toBe(201);
});

test('an address that is known is left as it is by whoever adds people', async () => {
	const { accounts } = relay.relay.services;
	const added = await accounts.addIdentity({ email: 'ann@example.com', password: 'the first password', name: 'X', portal: ann.portal as PortalId });
	expect(added.outcome).toBe('known');
	expect((await signIn({ email: 'ann@example.com', password: PASSWORD, portal: ann.portal })).status).toBe(201);
});

test('a login signs in as the address does, is nobody else’s, and leads to no address', async () => {
	const { accounts } = relay.relay.services;
	await relay.found('login@example.com', 'Login');
	const identity = await identityOf('login@example.com');
	expect(await accounts.setLogin(identity, ' Ann.Lee ')).toEqual({ outcome: 'set' });
	expect(await accounts.setLogin(await identityOf('bob@example.com'), 'ann.lee')).toEqual({ outcome: 'login-taken' });
	expect(await accounts.setLogin(identity, 'ann@lee')).toMatchObject({ outcome: 'refused' });
	expect((await signIn({ email: 'ANN.LEE', password: PASSWORD })).status).toBe(201);
	for (const email of ['ann.lee', 'nobodys.login']) {
		for (let tried = 0; tried < ATTEMPTS_PER_ADDRESS; tried++) expect((await signIn({ email, password: 'wrong' })).status).toBe(401);
		expect((await signIn({ email, password: PASSWORD })).status, `${email} waits`).toBe(429);
	}
	// Whose login it was is not to be seen by which address waits with it.
	for (const email of ['login@example.com', 'nobody@example.com']) expect((await signIn({ email, password: 'wrong' })).status, email).toBe(401);
	expect((await signIn({ email: 'login@example.com', password: PASSWORD })).status).toBe(201);
	now += ATTEMPT_WINDOW_MS;
	expect(await accounts.setLogin(identity, 'another')).toEqual({ outcome: 'set' });
	expect((await signIn({ email: 'ann.lee', password: PASSWORD })).body.code, 'the old one is nobody’s').toBe('wrong-credentials');
});
