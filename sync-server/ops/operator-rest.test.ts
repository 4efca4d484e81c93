// The operator's REST, and the demo that an administrator begins: over a whole relay.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEMO_MS, GIGABYTE_BYTES } from '#crdt-model/tariff/plans.ts';
import { OPERATOR_ATTEMPTS_PER_NETWORK } from './operator-rest.ts';
import { type SignIn, TestRelay } from '../rest/test-relay.ts';

const TOKEN = 'operator-of-the-tests-0123456789-abcdef';
const V1 = '/api/operator/v1';
let relay: TestRelay;
let ann: SignIn;
beforeEach(async () => {
	relay = await TestRelay.start({ operatorToken: TOKEN, operatorContact: 'it@example.com' });
	ann = await relay.found('ann@example.com', 'Acme');
});
afterEach(() => relay.end());

const ask = (method: string, path: string, body?: unknown, token: string | null = TOKEN, headers: Record<string, string> = {}) =>
	relay.call(method, V1 + path, { ...(token !== null && { token }), headers, ...(body === undefined ? {} : { body }) });
const tariffOf = (who: SignIn) => relay.call('GET', '/api/v1/tariff', { token: who.token });
const begin = (who: SignIn) => relay.call('POST', '/api/v1/tariff/demo', { token: who.token });

test('portals are listed, and one is shown, with what they have bought and use', async () => {
	const beta = await relay.found('bea@example.com', 'Beta');
	const { status, body } = await ask('GET', '/portals');
	expect(status).toBe(200);
	expect(body.portals.map(({ portal, company, plan, people, storageBytes }: any) => [portal, company, plan, people, storageBytes]).sort()).toEqual(
		[[ann.portal, 'Acme', 'project', 1, 0], [beta.portal, 'Beta', 'project', 1, 0]].sort()
	);
	expect((await ask('GET', `/portals/${beta.portal}/tariff`)).body).toMatchObject({ company: 'Beta', bought: { plan: 'project' }, tariff: { plan: 'project', people: { used: 1, most: 12 } } });
	await relay.restart({ operatorToken: TOKEN });
	expect((await ask('GET', '/portals')).body.portals, 'also those that nobody has opened yet').toHaveLength(2);
});

test('a tariff is set as by the command line, holds at once, and what makes no sense changes nothing', async () => {
	const set = (body: unknown) => ask('PUT', `/portals/${ann.portal}/tariff`, body);
	expect((await set({ plan: 'projectPlus', rentedGigabytes: 10 })).body).toMatchObject({ plan: 'projectPlus', bought: { plan: 'projectPlus', rentedBytes: 10 * GIGABYTE_BYTES } });
	expect((await tariffOf(ann)).body).toMatchObject({ plan: 'projectPlus', storageBytes: { most: 34 * GIGABYTE_BYTES }, operatorContact: 'it@example.com', bought: { demo: 'free' } });
	for (const [body, field] of [
		[{ plan: 'gold' }, 'plan'],
		[{ seats: 0.5 }, 'seats'],
		[{ plan: 'team', colour: 'red' }, 'colour'],
		[{ portal: ann.portal, plan: 'team' }, 'portal'],
		[{ plan: 'demo' }, null],
		[{ plan: 'boxPortal', seats: 7 }, null],
		[{}, null],
		[[], null],
		[null, null]
	] as const) {
		const refused = await set(body);
		expect([refused.status, refused.body.code], JSON.stringify(body)).toEqual([422, 'bad-value']);
		if (field) expect(refused.body.errors[0].field).toBe(field);
	}
	expect((await set('{')).status).toBe(400);
	expect((await tariffOf(ann)).body.plan).toBe('projectPlus');
	for (const id of ['portal_00000000-0000-7000-8000-00000000dead', 'nonsense', '..%2F..']) expect((await ask('PUT', `/portals/${id}/tariff`, { plan: 'team' })).status, id).toBe(404);
});

test('to everyone else there is no such thing, whatever they bring', async () => {
	const nowhere = (await relay.call('GET', '/api/nowhere')).body;
	for (const token of [null, ann.token, TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase()]) {
		const refused = await ask('GET', '/portals', undefined, token, { 'x-forwarded-for': '203.0.113.7' });
		expect([refused.status, refused.body]).toEqual([404, nowhere]);
	}
	// By another way of signing in, another method, and with a cookie.
	expect((await relay.call('GET', `${V1}/portals?token=${TOKEN}`)).status).toBe(404);
	expect((await relay.call('GET', `${V1}/portals`, { headers: { authorization: `Basic ${TOKEN}` } })).status).toBe(404);
	expect((await ask('DELETE', '/portals')).status).toBe(404);
	expect((await ask('GET', '/nothing')).status).toBe(404);
	await relay.restart({ operatorToken: null });
	expect((await ask('GET', '/portals', undefined, 'null')).body).toEqual(nowhere);
});

test('a network that guesses is answered no more, the right token included; others are', async () => {
	const guess = (token: string, ip: string) => ask('GET', '/portals', undefined, token, { 'x-forwarded-for': ip }).then(({ status }) => status);
	const guesses = await Promise.all(Array.from({ length: 15 }, (_, n) => guess(`${n}`.padStart(32, 'x'), '203.0.113.7')));
	expect(guesses.filter((status) => status === 404)).toHaveLength(OPERATOR_ATTEMPTS_PER_NETWORK);
	expect(guesses.filter((status) => status === 429)).toHaveLength(15 - OPERATOR_ATTEMPTS_PER_NETWORK);
	expect([await guess(TOKEN, '203.0.113.7'), await guess(TOKEN, '203.0.113.8'), await guess(TOKEN, '::ffff:203.0.113.7')]).toEqual([429, 200, 429]);
});

test('an administrator begins the demo, once; nobody else does, and a box has none', async () => {
	const bob = await relay.join(ann, 'bob@example.com');
	expect((await begin(bob)).body).toMatchObject({ code: 'denied', rule: 'tariff.administrators' });
	const view = (await relay.call('POST', '/api/v1/view-as', { token: ann.token, body: { person: bob.employee } })).body.token;
	expect((await begin({ ...ann, token: view })).body).toMatchObject({ code: 'denied', rule: 'view.read-only' });
	expect((await tariffOf(ann)).body.bought).toEqual({ plan: 'project', rentedBytes: 0, demo: 'free' });
	const both = await Promise.all([begin(ann), begin(ann)]);
	expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
	const begun = both.find(({ status }) => status === 201)!.body;
	expect(begun).toMatchObject({ plan: 'demo', people: { most: null }, bought: { plan: 'project', demo: 'running' } });
	expect(begun.until - Date.now()).toBeGreaterThan(DEMO_MS - 60_000);
	expect((await begin(ann)).body.code).toBe('no-demo');
	await ask('PUT', `/portals/${ann.portal}/tariff`, { demo: 'end' });
	expect((await tariffOf(ann)).body).toMatchObject({ plan: 'project', until: null, bought: { demo: 'over' } });
	expect([(await begin(ann)).status, (await relay.call('POST', '/api/v1/tariff/demo')).status]).toEqual([409, 401]);
	await ask('PUT', `/portals/${ann.portal}/tariff`, { plan: 'boxPortal', seats: 60 });
	expect((await tariffOf(ann)).body.bought).toEqual({ plan: 'boxPortal', seats: 60, rentedBytes: 0, demo: 'none' });
	expect((await begin(ann)).body.code).toBe('no-demo');
});
