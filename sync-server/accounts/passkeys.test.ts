import { randomFillSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as v from 'valibot';
import { Authenticator, type Bent } from '../../test/support/authenticator.ts';
import { type AccountsDatabase, openDatabase } from './database.ts';
import type { Identity } from './identities.ts';
import { Passkeys, PASSKEYS_PER_IDENTITY, registrationResponse } from './passkeys.ts';
import { member, World } from './test-accounts.ts';
import { Tickets } from './tickets.ts';

const ORIGIN = 'https://portal.example.com';
const PARTY = { id: 'portal.example.com', origin: ORIGIN };
const random = (target: Uint8Array) => randomFillSync(target);

let world: World;
let database: AccountsDatabase;
let passkeys: Passkeys;
let ann: Identity;
let bob: Identity;

beforeEach(async () => {
	world = new World();
	const accounts = await world.open();
	const identity = async (email: string) => (await accounts.identity((await member(accounts, email)).identity))!;
	[ann, bob] = [await identity('ann@example.com'), await identity('bob@example.com')];
	database = await openDatabase(world.folder, { now: () => world.now, random, hasher: world.hasher });
	passkeys = new Passkeys(database, new Tickets({ now: () => world.now, random }), { now: () => world.now, random });
});
afterEach(async () => {
	await database.close();
	await world.end();
});

async function add(key: Authenticator, bent: Bent = {}, of = ann) {
	const { ticket, options } = await passkeys.registration(of, PARTY);
	return passkeys.add(of.identity, ticket, answered(key.create(options as never, bent)), 'Laptop');
}
const answered = (response: unknown) => v.parse(registrationResponse, response);

async function signIn(key: Authenticator, bent: Bent = {}, party = PARTY) {
	const { ticket, options } = await passkeys.signIn(party);
	return passkeys.recognise(ticket, key.get(options as never, bent));
}

test('a passkey that was added signs in, is listed, and is gone when it is removed', async () => {
	const key = new Authenticator(ORIGIN);
	expect(await add(key)).toMatchObject({ outcome: 'added', passkey: { id: key.id, name: 'Laptop', lastUsedAt: null } });
	world.now += 1_000;
	expect(await signIn(key)).toEqual({ outcome: 'recognised', identity: ann.identity });
	expect(await passkeys.of(ann.identity)).toEqual([{ id: key.id, name: 'Laptop', createdAt: world.now - 1_000, lastUsedAt: world.now }]);
	expect(await passkeys.remove(bob.identity, key.id), 'somebody else’s').toBe(false);
	expect(await passkeys.remove(ann.identity, key.id)).toBe(true);
	expect(await signIn(key)).toEqual({ outcome: 'refused' });
});

test('the browser is told to verify the person, and what not to add again', async () => {
	const key = new Authenticator(ORIGIN);
	await add(key);
	const { options } = await passkeys.registration(ann, PARTY);
	expect(options).toMatchObject({
		rp: { id: 'portal.example.com' },
		attestation: 'none',
		excludeCredentials: [{ id: key.id }],
		authenticatorSelection: { residentKey: 'required', userVerification: 'required' }
	});
	expect((await passkeys.signIn(PARTY)).options).toMatchObject({ rpId: 'portal.example.com', userVerification: 'required' });
	expect(await add(key)).toEqual({ outcome: 'already-added' });
	expect(await add(key, {}, bob), 'somebody else’s').toEqual({ outcome: 'already-added' });
});

test.each<[string, Bent]>([
	['from another page', { origin: 'https://evil.example' }],
	['from a frame in another page', { crossOrigin: true }],
	['for another address', { party: 'evil.example' }],
	['to another challenge', { challenge: 'AAAA' }],
	['without the person verified', { unverified: true }],
	['with a certificate, which could make us fetch something', { certificate: true }]
])('a registration %s is refused', async (_what, bent) => {
	expect(await add(new Authenticator(ORIGIN), bent)).toEqual({ outcome: 'refused' });
	expect(await passkeys.of(ann.identity)).toEqual([]);
});

test.each<[string, Bent]>([
	['from another page', { origin: 'https://evil.example' }],
	['from a frame in another page', { crossOrigin: true }],
	['for another address', { party: 'evil.example' }],
	['to another challenge', { challenge: 'AAAA' }],
	['without the person verified', { unverified: true }],
	['signed by another key', { foreignKey: true }],
	['in somebody else’s name', { userHandle: Buffer.from('identity_of-somebody-else').toString('base64url') }],
	['with a counter that did not go forward: a copy of the key', { counter: 1 }]
])('an answer %s signs nobody in', async (_what, bent) => {
	const key = new Authenticator(ORIGIN);
	await add(key);
	expect(await signIn(key, bent)).toEqual({ outcome: 'refused' });
	key.counter += 10;
	expect(await signIn(key), 'the right one still does').toMatchObject({ outcome: 'recognised' });
});

test('a key that does not count signs in again and again, until it begins to', async () => {
	const key = new Authenticator(ORIGIN);
	await add(key, { counter: 0 });
	for (const counter of [0, 0, 5]) expect(await signIn(key, { counter })).toMatchObject({ outcome: 'recognised' });
	expect(await signIn(key, { counter: 0 })).toEqual({ outcome: 'refused' });
});

test('of two answers with one counter, at the same moment and to two challenges, the second is a copy', async () => {
	const key = new Authenticator(ORIGIN);
	await add(key);
	const atOnce = await Promise.all([1, 2, 3].map(() => signIn(key, { counter: 50 })));
	expect(atOnce.filter(({ outcome }) => outcome === 'recognised')).toHaveLength(1);
});

test('a challenge is good once, for its purpose, its person and five minutes', async () => {
	const key = new Authenticator(ORIGIN);
	const registration = await passkeys.registration(ann, PARTY);
	const made = answered(key.create(registration.options as never));
	expect(await passkeys.add(bob.identity, registration.ticket, made, 'x'), 'somebody else’s ticket').toEqual({ outcome: 'unknown-ticket' });
	expect(await passkeys.add(ann.identity, registration.ticket, made, 'x')).toMatchObject({ outcome: 'added' });
	expect(await passkeys.add(ann.identity, registration.ticket, made, 'x')).toEqual({ outcome: 'unknown-ticket' });

	const { ticket, options } = await passkeys.signIn(PARTY);
	expect(await passkeys.add(ann.identity, ticket, made, 'x'), 'a ticket to sign in').toEqual({ outcome: 'unknown-ticket' });
	const answer = key.get(options as never);
	const atOnce = await Promise.all(Array.from({ length: 10 }, () => passkeys.recognise(ticket, answer)));
	expect(atOnce.filter(({ outcome }) => outcome === 'recognised')).toHaveLength(1);

	const again = await passkeys.signIn(PARTY);
	expect(await passkeys.recognise(again.ticket, answer), 'an old answer to a new challenge').toEqual({ outcome: 'refused' });
	expect(await passkeys.recognise(again.ticket, key.get(again.options as never)), 'the refused answer spent it').toEqual({ outcome: 'refused' });

	const late = await passkeys.signIn(PARTY);
	world.now += 5 * 60_000;
	expect(await passkeys.recognise(late.ticket, key.get(late.options as never))).toEqual({ outcome: 'refused' });
	expect(await passkeys.recognise(registration.ticket, key.get(options as never))).toEqual({ outcome: 'refused' });
});

test('a key of one address signs nobody in at another', async () => {
	const key = new Authenticator(ORIGIN);
	await add(key);
	const elsewhere = { id: 'localhost', origin: 'http://localhost:8420' };
	expect(await signIn(key, { origin: elsewhere.origin }, elsewhere)).toEqual({ outcome: 'refused' });
});

test('garbage is no answer and no fault', async () => {
	for (const garbage of [null, 1, 'x', [], {}, { id: 'x' }, { id: '..', rawId: '..', type: 'public-key', response: {} }]) {
		expect(await passkeys.recognise((await passkeys.signIn(PARTY)).ticket, garbage)).toEqual({ outcome: 'refused' });
	}
	const key = new Authenticator(ORIGIN);
	await add(key);
	for (const member of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
		const { ticket, options } = await passkeys.signIn(PARTY);
		const answer = key.get(options as never);
		expect(await passkeys.recognise(ticket, { ...answer, response: { ...answer.response, [member]: 'AAAA' } }), member).toEqual({ outcome: 'refused' });
	}
	const { ticket, options } = await passkeys.registration(ann, PARTY);
	const made = new Authenticator(ORIGIN).create(options as never);
	expect(await passkeys.add(ann.identity, ticket, answered({ ...made, response: { ...made.response, attestationObject: 'AAAA' } }), 'x')).toEqual({ outcome: 'refused' });
});

test('a person has so many and no more', async () => {
	for (let i = 0; i < PASSKEYS_PER_IDENTITY; i++) expect(await add(new Authenticator(ORIGIN))).toMatchObject({ outcome: 'added' });
	expect(await add(new Authenticator(ORIGIN))).toEqual({ outcome: 'too-many' });
	expect(await add(new Authenticator(ORIGIN), {}, bob)).toMatchObject({ outcome: 'added' });
});
