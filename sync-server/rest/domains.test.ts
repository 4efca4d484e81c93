// A portal's own domain: whose it is, and what counts there.
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { IdMaker } from '#crdt-model/ids.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { sessionCookieOf } from '../accounts/cookie.ts';
import { type SignIn, PASSWORD, TestRelay } from './test-relay.ts';

const ACME = 'portal.acme.example';
let relay: TestRelay;
let ann: SignIn;
let bea: SignIn;

const cookieOf = (who: SignIn) => `${sessionCookieOf(who.portal as never)}=${who.token}`;
const at = (name: string) => `${name}:${relay.relay.port}`;
const pageOf = (name: string) => `http://${at(name)}`;
/** `fetch` lets nobody choose the Host. */
function knock(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<{ status: number; body: any; cookie: string | undefined }> {
	return new Promise((resolve, reject) => {
		const call = request({ host: '127.0.0.1', port: relay.relay.port, method, path, headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) } }, (response) => {
			let text = '';
			response.on('data', (chunk) => (text += chunk));
			response.on('end', () => resolve({ status: response.statusCode!, body: text ? JSON.parse(text) : null, cookie: response.headers['set-cookie']?.[0] }));
		});
		call.on('error', reject);
		call.end(body === undefined ? undefined : JSON.stringify(body));
	});
}
const make = (headers: Record<string, string>) => knock('POST', '/api/v1/documents', headers, { kind: 'task', fields: { title: 'x' } }).then(({ status, body }) => (status < 300 ? 'made' : body.code));
async function take(who: SignIn, value: string | null): Promise<{ status: number; body: any }> {
	const settings = (await relay.call('GET', '/api/v1/documents?kind=settings', { token: who.token })).body.rows[0].id;
	return relay.call('POST', `/api/v1/documents/${settings}/commands`, { token: who.token, body: { command: 'setDomain', value } });
}
const buy = (who: SignIn, plan: 'team' | 'company') => relay.relay.services.portals.subscribe(who.portal as never, { plan });
async function first(headers: Record<string, string>): Promise<number | 'let in'> {
	const ws = new WebSocket(`ws://127.0.0.1:${relay.relay.port}/sync`, { headers });
	const closed = new Promise<number>((resolve) => ws.once('close', resolve));
	const word = new Promise<'let in'>((resolve) => ws.once('message', () => resolve('let in')));
	await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
	ws.send(encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: null, held: digestOf([]) }));
	const what = await Promise.race([closed, word]);
	ws.close();
	return what;
}

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com', 'Acme');
	bea = await relay.found('bea@example.com', 'Beta');
});
afterAll(() => relay.end());

test('below Company it is locked, and above it a name belongs to whoever took it first, also of two at once', async () => {
	expect((await take(ann, ACME)).body).toMatchObject({ code: 'quota', tariff: { feature: 'ownDomain', ways: ['company'] } });
	await buy(ann, 'company');
	await buy(bea, 'company');
	const both = await Promise.all([take(ann, 'both.example.com'), take(bea, 'both.example.com')]);
	expect(both.map(({ status }) => status < 300).sort()).toEqual([false, true]);
	expect(both.find(({ status }) => status >= 300)!.body).toMatchObject({ code: 'denied', rule: 'company.domain-is-free' });
	await take(both[0]!.status < 300 ? ann : bea, null);
	expect((await take(ann, 'Portal.ACME.example')).status, 'however it is written').toBeLessThan(300);
	expect((await take(bea, ACME)).body.rule).toBe('company.domain-is-free');
	expect((await take(ann, ACME)).status, 'its own it may say again').toBeLessThan(300);
});

test('at its domain a page of that domain may change things with a sign-in of that portal, and nothing else may', async () => {
	const [host, origin, cookie] = [at(ACME), pageOf(ACME), cookieOf(ann)];
	expect(await make({ host, origin, cookie })).toBe('made');
	expect(await make({ host: host.toUpperCase(), origin, cookie })).toBe('made');
	expect(await make({ host, origin, cookie: cookieOf(bea) }), 'the cookie of another portal').toBe('not-signed-in');
	expect((await knock('GET', '/api/v1/me', { host, cookie: cookieOf(bea) })).status, 'nor does it read').toBe(401);
	expect((await knock('GET', '/api/v1/me', { host, cookie })).body.portal).toBe(ann.portal);
	for (const [what, headers] of [
		['a page of the relay’s own address', { host, origin: relay.address, cookie }],
		['a page of another name', { host, origin: 'http://evil.example', cookie }],
		['another port', { host, origin: `http://${ACME}:1`, cookie }],
		['another scheme', { host, origin: `https://${at(ACME)}`, cookie }],
		['no origin', { host, cookie }],
		['the origin alone', { host: at('127.0.0.1'), origin, cookie }],
		['a name that nobody holds', { host: at('other.example'), origin: pageOf('other.example'), cookie }],
		['a name below', { host: at(`x.${ACME}`), origin: pageOf(`x.${ACME}`), cookie }],
		['a name that only begins so', { host: at(`${ACME}.evil.example`), origin: pageOf(`${ACME}.evil.example`), cookie }]
	] as const) expect(await make(headers as Record<string, string>), what).toBe('bad-origin');
	expect(await make({ host: at('127.0.0.1'), origin: relay.address, cookie }), 'the relay’s own address goes on').toBe('made');
	expect(await make({ host, authorization: `Bearer ${bea.token}` }), 'a token is nobody’s cookie').toBe('made');
	expect([await first({ host, origin, cookie }), await first({ host, origin, cookie: cookieOf(bea) }), await first({ host, origin: relay.address, cookie })]).toEqual(['let in', 4401, 4401]);
});

test('the entrance there is that portal’s, and so is a sign-in, whoever is named', async () => {
	const host = at(ACME);
	expect((await knock('GET', `/api/v1/entrance?portal=${bea.portal}`, { host })).body).toMatchObject({ portal: ann.portal, company: 'Acme' });
	expect((await knock('GET', '/api/v1/entrance', { host: at('other.example') })).body.portal).toBeNull();
	const signIn = (email: string, origin = pageOf(ACME), portal?: string) => knock('POST', '/api/v1/sessions', { host, origin }, { email, password: PASSWORD, ...(portal && { portal }) });
	const signed = await signIn('ann@example.com');
	expect([signed.status, signed.body.portal]).toEqual([201, ann.portal]);
	expect(signed.cookie).toMatch(new RegExp(`^${sessionCookieOf(ann.portal as never)}=[^;]+; Path=/; `));
	expect(signed.cookie, 'for this name alone').not.toMatch(/domain=/i);
	expect((await signIn('bea@example.com', pageOf(ACME), bea.portal)).body.code).toBe('not-a-member');
	expect((await signIn('ann@example.com', relay.address)).body.code).toBe('bad-origin');
});

test('links in letters lead to the relay’s own address, whatever name was called', async () => {
	for (const [n, headers] of ([{ host: at('evil.example') }, { host: at(ACME), origin: pageOf(ACME) }, { host: at('127.0.0.1'), 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' }] as Record<string, string>[]).entries()) {
		expect((await knock('POST', '/api/v1/password-resets', headers, { email: 'ann@example.com' })).status).toBe(202);
		await relay.relay.services.letters.settled();
		const letters = readdirSync(join(relay.dataDir, 'mail')).filter((name) => name.includes('password-reset')).sort();
		expect(letters).toHaveLength(n + 1);
		const links = readFileSync(join(relay.dataDir, 'mail', letters.at(-1)!), 'utf8').match(/https?:\/\/[^\s"<>#]+/g)!;
		expect(new Set(links)).toEqual(new Set([`${relay.relay.services.publicUrl}/reset`]));
	}
});

test('it answers while the tariff has own domains, and stays the portal’s meanwhile', async () => {
	const headers = { host: at(ACME), origin: pageOf(ACME), cookie: cookieOf(ann) };
	await buy(ann, 'team');
	expect([await make(headers), await first(headers)]).toEqual(['bad-origin', 4401]);
	expect((await take(bea, ACME)).body.rule, 'nobody takes it meanwhile').toBe('company.domain-is-free');
	await buy(ann, 'company');
	expect(await make(headers)).toBe('made');
});

test('it is known after a restart before its portal is opened; given up, it is free', async () => {
	await relay.restart();
	expect((await take(bea, ACME)).body.rule).toBe('company.domain-is-free');
	expect(await make({ host: at(ACME), origin: pageOf(ACME), cookie: cookieOf(ann) })).toBe('made');
	expect((await take(ann, null)).status).toBeLessThan(300);
	expect((await take(bea, ACME)).status).toBeLessThan(300);
	expect((await knock('GET', '/api/v1/entrance', { host: at(ACME) })).body.portal).toBe(bea.portal);
	await relay.restart();
	expect((await knock('GET', '/api/v1/entrance', { host: at(ACME) })).body.portal).toBe(bea.portal);
});

test('the name of PUBLIC_URL is everybody’s way in, and no portal’s', async () => {
	const other = await TestRelay.start({ publicUrl: 'http://portal.example.com' });
	try {
		const { portals } = other.relay.services;
		const { portal, administrator } = await portals.found({ company: 'Acme', language: 'en', firstName: 'Ann', lastName: 'Lee', email: 'ann@example.com' }, { plan: 'company' });
		const { rows } = await portal.rows(administrator, { kind: 'settings', limit: 1, after: null } as never);
		const ids = new IdMaker();
		const take = (value: string) => portal.submit(administrator, { id: ids.batch(), commands: [{ id: ids.command(), document: rows[0]!.id, name: 'settings.setDomain', args: { value }, at: Date.now(), seen: {} }] });
		expect(await take('portal.example.com')).toMatchObject({ kind: 'refused', refusal: { code: 'denied', rule: 'company.domain-is-free' } });
		expect(await take('acme.example.com')).toMatchObject({ kind: 'accepted' });
	} finally {
		await other.end();
	}
});
