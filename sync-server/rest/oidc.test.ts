/** Accounts at providers over HTTP, with a provider of our own: linking, signing in, and what hostile sites and browsers try. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { OidcIssuer } from '../../test/support/oidc-issuer.ts';
import { totpCode } from '../accounts/one-time-codes.ts';
import { readConfig } from '../config.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let acme: OidcIssuer;
let other: OidcIssuer;
let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;
let counter = 0;

beforeAll(async () => {
	[acme, other] = await Promise.all([OidcIssuer.start(), OidcIssuer.start()]);
	const { oidc } = readConfig({ ...acme.environment('acme'), ...other.environment('other', 'Other'), OIDC_PROVIDERS: 'acme,other' });
	relay = await TestRelay.start({ oidc });
	ann = await relay.found('ann@example.com');
	bob = await relay.join(ann, 'bob@example.com');
});
afterAll(async () => {
	expect(relay.log).toEqual([]);
	await relay.end();
	await Promise.all([acme.close(), other.close()]);
});
beforeEach(() => {
	acme.account = { sub: `subject-${(counter += 1)}`, email: 'bob@example.com' };
});
afterEach(async () => {
	for (const provider of ['acme', 'other']) for (const who of [ann, bob]) await api('DELETE', `/me/links/${provider}`, who);
	Object.assign(acme, { denies: false, spoilt: {}, isLenient: false });
});

const api = (method: string, path: string, who: SignIn | null, body?: unknown) => relay.call(method, `/api/v1${path}`, { ...(who && { token: who.token }), ...(body !== undefined && { body }) });

/** As much of a browser as it takes: it keeps cookies and follows nothing by itself. */
class Browser {
	readonly cookies = new Map<string, string>();

	async open(address: string | URL): Promise<{ status: number; location: string; cookies: string[] }> {
		const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
		const response = await fetch(new URL(address, relay.address), { redirect: 'manual', headers: cookie ? { cookie } : {} });
		await response.arrayBuffer();
		return { status: response.status, location: response.headers.get('location') ?? '', cookies: this.keep(response.headers.getSetCookie()) };
	}
	keep(set: readonly string[]): string[] {
		for (const one of set) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(one)!;
			if (/Max-Age=0/.test(one)) this.cookies.delete(name!);
			else this.cookies.set(name!, value!);
		}
		return [...set];
	}
	/** To the provider and back, up to the answer of the relay. */
	async signIn(query = '', provider = 'acme') {
		const start = await this.open(`/api/v1/oidc/${provider}/start${query}`);
		return this.open(await acme.visit(start.location));
	}
}

async function link(who = bob, browser = new Browser(), issuer = acme, provider = 'acme') {
	const begun = await api('POST', `/me/links/${provider}`, who, { password: PASSWORD });
	expect(begun.status, JSON.stringify(begun.body)).toBe(200);
	browser.keep(begun.headers.getSetCookie());
	return browser.open(await issuer.visit(begun.body.location));
}
const sessionsSet = (cookies: readonly string[]) => cookies.filter((cookie) => cookie.startsWith('atrium_session'));

test('an account that is linked with nobody signs nobody in, also with the address of somebody here', async () => {
	acme.account = { sub: 'stranger', email: 'bob@example.com' };
	const back = await new Browser().signIn();
	expect([back.status, back.location]).toEqual([302, '/sign-in#oidc=oidc-not-linked']);
	expect(sessionsSet(back.cookies)).toEqual([]);
});

test('linked with the password, it signs in and leads where one wanted to go', async () => {
	expect((await api('POST', '/me/links/acme', bob, { password: 'wrong password' })).body.code).toBe('wrong-credentials');
	expect((await link()).location).toBe('/profile#oidc=linked');
	expect((await api('GET', '/me/links', bob)).body.links).toMatchObject([{ provider: 'acme', label: 'bob@example.com', lastUsedAt: null }]);
	const browser = new Browser();
	const back = await browser.signIn('?next=/tasks%3Fview%3D2');
	expect([back.status, back.location]).toEqual([302, `/sign-in?next=%2Ftasks%3Fview%3D2#oidc=${bob.portal}`]);
	expect(sessionsSet(back.cookies)).toHaveLength(1);
	const me = await relay.call('GET', '/api/v1/me', { headers: { cookie: [...browser.cookies].map((pair) => pair.join('=')).join('; ') } });
	expect(me.body.employee).toBe(bob.employee);
	expect([...browser.cookies.keys()].filter((name) => name.startsWith('atrium_oidc'))).toEqual([]);
	expect((await api('DELETE', '/me/links/acme', bob)).status).toBe(204);
	expect((await new Browser().signIn()).location).toBe('/sign-in#oidc=oidc-not-linked');
	expect((await api('DELETE', '/me/links/acme', bob)).body.code).toBe('oidc-not-linked');
});

test('the cookie of a try is for the browser alone, for ten minutes and for the way back', async () => {
	const started = await new Browser().open('/api/v1/oidc/acme/start');
	expect(started.cookies).toHaveLength(1);
	expect(started.cookies[0]).toMatch(/^atrium_oidc_[\w-]{12}=[\w.-]+; Path=\/api\/v1\/oidc; Max-Age=600; HttpOnly; SameSite=Lax$/);
});

test('a second factor is still asked for, with a ticket behind the #', async () => {
	await link();
	const { secret } = (await api('POST', '/me/second-factor', bob, { password: PASSWORD })).body;
	const at = Date.now();
	expect((await api('PUT', '/me/second-factor', bob, { code: totpCode(secret, at) })).status).toBe(200);
	const back = await new Browser().signIn();
	const ticket = /^\/sign-in\?next=%2F#oidc=([\w-]{43})$/.exec(back.location)?.[1];
	expect(sessionsSet(back.cookies)).toEqual([]);
	const asked = await api('POST', '/sessions', null, { ticket });
	expect(asked.body.code).toBe('second-factor');
	expect((await api('POST', '/sessions', null, { ticket: asked.body.ticket, code: totpCode(secret, at) })).body.code, 'the code that enrolled').toBe('wrong-code');
	expect((await api('POST', '/sessions', null, { ticket: asked.body.ticket, code: totpCode(secret, at + 30_000) })).status).toBe(201);
	await relay.relay.services.accounts.factors.codes.remove((await relay.relay.services.accounts.identityByEmail('bob@example.com'))!.identity);
});

test('a ticket behind the # goes on in the browser that came back with it alone: sent to somebody, it signs them into nobody’s account', async () => {
	await link();
	const { secret } = (await api('POST', '/me/second-factor', bob, { password: PASSWORD })).body;
	expect((await api('PUT', '/me/second-factor', bob, { code: totpCode(secret, Date.now()) })).status).toBe(200);
	const resume = (ticket: string, cookies: ReadonlyMap<string, string>) =>
		relay.call('POST', '/api/v1/sessions', { body: { ticket }, headers: { origin: relay.address, cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } });
	const ticketIn = (location: string) => /#oidc=([\w-]{43})$/.exec(location)![1]!;
	const browser = new Browser();
	const ticket = ticketIn((await browser.signIn()).location);
	expect((await resume(ticket, new Map())).body.code, 'a victim').toBe('ticket-lapsed');
	const victim = new Browser();
	await victim.signIn();
	expect((await resume(ticket, victim.cookies)).body.code, 'a victim with a ticket of their own').toBe('ticket-lapsed');
	const byPassword = (await api('POST', '/sessions', null, { email: 'bob@example.com', password: PASSWORD })).body;
	expect((await resume(byPassword.ticket, browser.cookies)).body.code, 'one that no provider led to').toBe('ticket-lapsed');
	expect((await resume(ticket, browser.cookies)).body.code, 'and nothing of it was spent').toBe('second-factor');
	await relay.relay.services.accounts.factors.codes.remove((await relay.relay.services.accounts.identityByEmail('bob@example.com'))!.identity);
});

test('an answer in another browser links nothing and signs nobody in; nor does one that was taken already', async () => {
	await link();
	const start = await new Browser().open('/api/v1/oidc/acme/start');
	const victim = await new Browser().open(await acme.visit(start.location));
	expect([victim.location, sessionsSet(victim.cookies)]).toEqual(['/sign-in#oidc=oidc-expired', []]);
	acme.isLenient = true;
	const browser = new Browser();
	const again = await browser.open('/api/v1/oidc/acme/start');
	const kept = new Map(browser.cookies);
	const back = await acme.visit(again.location);
	expect((await browser.open(back)).location).toBe(`/sign-in?next=%2F#oidc=${bob.portal}`);
	for (const [name, value] of kept) browser.cookies.set(name, value);
	expect((await browser.open(back)).location).toBe('/sign-in#oidc=oidc-expired');
});

test('somebody is not made to link an account of another: only the browser in which the password was given does', async () => {
	const begun = await api('POST', '/me/links/acme', bob, { password: PASSWORD });
	const back = await acme.visit(begun.body.location);
	expect((await new Browser().open(back)).location, 'sent to a victim').toBe('/sign-in#oidc=oidc-expired');
	expect((await api('GET', '/me/links', bob)).body.links).toEqual([]);
});

test('a link is made only while the session lives that began it', async () => {
	const session = (await api('POST', '/sessions', null, { email: 'bob@example.com', password: PASSWORD })).body as SignIn;
	const browser = new Browser();
	const begun = await api('POST', '/me/links/acme', session, { password: PASSWORD });
	browser.keep(begun.headers.getSetCookie());
	await api('DELETE', '/sessions/current', session);
	expect((await browser.open(await acme.visit(begun.body.location))).location).toBe('/profile#oidc=oidc-expired');
	expect((await api('GET', '/me/links', bob)).body.links).toEqual([]);
});

test('an account belongs to one person, a person has one account of a provider', async () => {
	await link(bob);
	expect((await link(bob)).location, 'the same again').toBe('/profile#oidc=linked');
	expect((await link(ann)).location).toBe('/profile#oidc=oidc-taken');
	acme.account = { sub: 'another' };
	expect((await link(bob)).location).toBe('/profile#oidc=oidc-taken');
	other.account = { sub: 'subject-elsewhere' };
	expect((await link(bob, new Browser(), other, 'other')).location).toBe('/profile#oidc=linked');
});

test('the same subject at another provider is somebody else', async () => {
	await link(bob);
	other.account = { ...acme.account };
	const browser = new Browser();
	const start = await browser.open('/api/v1/oidc/other/start');
	expect((await browser.open(await other.visit(start.location))).location).toBe('/sign-in#oidc=oidc-not-linked');
	// An answer of one provider at the address of the other.
	const mixed = new Browser();
	const begun = await mixed.open('/api/v1/oidc/acme/start');
	const back = await acme.visit(begun.location);
	back.pathname = back.pathname.replace('/acme/', '/other/');
	expect((await mixed.open(back)).location).toBe('/sign-in#oidc=oidc-expired');
});

test.each([
	['a wrong state', (back: URL) => back.searchParams.set('state', 'x'), 'oidc-expired'],
	['two states', (back: URL) => back.searchParams.append('state', 'x'), 'oidc-expired'],
	['no state', (back: URL) => back.searchParams.delete('state'), 'oidc-expired'],
	['a made-up code', (back: URL) => back.searchParams.set('code', 'x'), 'oidc-failed'],
	['no code', (back: URL) => back.searchParams.delete('code'), 'oidc-failed'],
	['the word of another issuer', (back: URL) => back.searchParams.set('iss', 'https://evil.example'), 'oidc-failed']
] as const)('%s signs nobody in', async (_what, bend, problem) => {
	await link();
	const browser = new Browser();
	const back = await acme.visit((await browser.open('/api/v1/oidc/acme/start')).location);
	bend(back);
	const answer = await browser.open(back);
	expect([answer.location, sessionsSet(answer.cookies)]).toEqual([`/sign-in#oidc=${problem}`, []]);
});

test.each([
	{ signature: 'none' }, { signature: 'foreign' }, { claims: { nonce: 'x' } }, { claims: { aud: 'x' } }, { claims: { iss: 'https://evil.example' } }, { claims: { exp: 1_000_000_000 } }
] as const)('a token spoilt by %j signs nobody in', async (spoilt) => {
	await link();
	const browser = new Browser();
	const back = await acme.visit((await browser.open('/api/v1/oidc/acme/start')).location);
	acme.spoilt = spoilt;
	const answer = await browser.open(back);
	expect([answer.location, sessionsSet(answer.cookies)]).toEqual(['/sign-in#oidc=oidc-failed', []]);
});

test('nobody is led to another site', async () => {
	await link();
	for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', '/%09/evil.example', 'javascript:alert(1)', '/..//evil.example']) {
		const back = await new Browser().signIn(`?next=${encodeURIComponent(decodeURIComponent(next))}`);
		expect(back.location, next).toBe(`/sign-in?next=%2F#oidc=${bob.portal}`);
	}
	const elsewhere = await fetch(`${relay.address.replace('127.0.0.1', 'localhost')}/api/v1/oidc/acme/start?next=//evil.example`, { redirect: 'manual' });
	const sent = new URL(elsewhere.headers.get('location')!);
	expect([sent.origin, sent.searchParams.get('next')]).toEqual([relay.address, '/']);
});

test('who says no at the provider, a provider that is unknown or away: a plain word', async () => {
	acme.denies = true;
	expect((await new Browser().signIn()).location).toBe('/sign-in#oidc=oidc-cancelled');
	for (const unknown of ['nobody', 'constructor', '__proto__', 'acme%2f..']) {
		expect((await new Browser().open(`/api/v1/oidc/${unknown}/start`)).status).toBe(404);
		expect((await new Browser().open(`/api/v1/oidc/${unknown}/callback?code=x&state=y`)).status).toBe(404);
	}
	expect((await api('POST', '/me/links/nobody', bob, { password: PASSWORD })).status).toBe(404);
	const gone = await OidcIssuer.start();
	const relayOfGone = await TestRelay.start({ oidc: readConfig(gone.environment('gone')).oidc });
	await gone.close();
	try {
		const start = await fetch(`${relayOfGone.address}/api/v1/oidc/gone/start`, { redirect: 'manual' });
		expect([start.status, start.headers.get('location')]).toEqual([302, '/sign-in#oidc=oidc-unreachable']);
		const founder = await relayOfGone.found('ann@example.com');
		const begun = await relayOfGone.call('POST', '/api/v1/me/links/gone', { token: founder.token, body: { password: PASSWORD } });
		expect([begun.status, begun.body.code]).toEqual([503, 'oidc-unreachable']);
		expect(relayOfGone.log).toEqual([]);
	} finally {
		await relayOfGone.end();
	}
});

test('whoever looks on links nothing, and sees no links and passkeys', async () => {
	const view = (await api('POST', '/view-as', ann, { person: bob.employee })).body as SignIn;
	expect((await api('POST', '/me/links/acme', view, { password: PASSWORD })).status).toBe(403);
	expect((await api('DELETE', '/me/links/acme', view)).status).toBe(403);
	for (const list of ['/me/links', '/me/passkeys']) expect((await api('GET', list, view)).body.code).toBe('denied');
});
