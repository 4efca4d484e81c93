import { randomFillSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { IdMaker } from '#crdt-model/ids.ts';
import { OidcIssuer, type Spoilt } from '../../test/support/oidc-issuer.ts';
import { readConfig } from '../config.ts';
import { Oidc, OIDC_TRY_MS, sitePath, type OidcIntent, type OidcStarted } from './oidc.ts';
import { Vault } from './vault.ts';

const PUBLIC_URL = 'http://127.0.0.1:8420';
const random = (target: Uint8Array) => randomFillSync(target);
const vault = new Vault(random(new Uint8Array(32)), random);
const intent: OidcIntent = { kind: 'sign-in', portal: new IdMaker().portal(), next: '/tasks' };

let acme: OidcIssuer;
let other: OidcIssuer;
let clock: number;
let oidc: Oidc;

beforeAll(async () => {
	[acme, other] = await Promise.all([OidcIssuer.start(), OidcIssuer.start()]);
});
afterAll(() => Promise.all([acme.close(), other.close()]));
beforeEach(() => {
	clock = Date.now();
	oidc = relay();
});
afterEach(() => {
	for (const issuer of [acme, other]) Object.assign(issuer, { spoilt: {}, denies: false, isLenient: false });
});

function relay(key = vault): Oidc {
	const { oidc: providers } = readConfig({ ...acme.environment('acme'), ...other.environment('other', 'Other'), OIDC_PROVIDERS: 'acme,other' });
	return new Oidc(providers, { publicUrl: PUBLIC_URL, vault: key, now: () => clock, random });
}

type Begun = Extract<OidcStarted, { outcome: 'started' }>;
async function start(provider = 'acme', what = intent): Promise<Begun> {
	const started = await oidc.start(provider, what);
	if (started.outcome !== 'started') throw new Error(started.outcome);
	return started;
}
/** As the browser that began does. */
const answer = async (begun: Begun, back: URL, provider = 'acme', at = oidc) => at.finish(provider, back.searchParams, at.cookieOf(back.searchParams) === begun.cookie.name ? begun.cookie.value : null);

test('there and back: who it is, by issuer and subject, and what it was for', async () => {
	const begun = await start();
	const asked = new URL(begun.location);
	expect(asked.origin).toBe(acme.url);
	expect(Object.fromEntries(asked.searchParams)).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', redirect_uri: `${PUBLIC_URL}/api/v1/oidc/acme/callback` });
	expect(asked.searchParams.get('nonce')).not.toBe(asked.searchParams.get('state'));
	// What the cookie holds is nobody's to read: with the verifier and the code, a token could be had.
	expect(begun.cookie.value).not.toContain(asked.searchParams.get('nonce')!);
	const word = { provider: 'acme', issuer: acme.url, subject: 'subject-1', label: 'ann@example.com' };
	expect(await answer(begun, await acme.visit(begun.location))).toEqual({ outcome: 'known', intent, word });
	expect(oidc.providers).toEqual([{ id: 'acme', name: 'Acme' }, { id: 'other', name: 'Other' }]);
});

test('two tabs do not take each other’s way', async () => {
	const [one, two] = [await start(), await start()];
	expect(one.cookie.name).not.toBe(two.cookie.name);
	const backs = [await acme.visit(one.location), await acme.visit(two.location)] as const;
	expect([(await answer(two, backs[1])).outcome, (await answer(one, backs[0])).outcome]).toEqual(['known', 'known']);
});

test('a restart in between loses nothing', async () => {
	const begun = await start();
	const back = await acme.visit(begun.location);
	expect((await answer(begun, back, 'acme', relay())).outcome).toBe('known');
});

const EXPIRED = { outcome: 'problem', intent: null, problem: 'oidc-expired' };
const FAILED = { outcome: 'problem', intent, problem: 'oidc-failed' };

test('an answer in another browser, with another state, a changed cookie, or too late is none', async () => {
	const [begun, elsewhere] = [await start(), await start()];
	const back = await acme.visit(begun.location);
	expect(await oidc.finish('acme', back.searchParams, null), 'no cookie').toEqual(EXPIRED);
	expect(await oidc.finish('acme', back.searchParams, elsewhere.cookie.value), 'another browser’s').toEqual(EXPIRED);
	const changed = begun.cookie.value.replace(/.(.{40})$/, (end, rest: string) => `${end.startsWith('x') ? 'y' : 'x'}${rest}`);
	expect(await oidc.finish('acme', back.searchParams, changed)).toEqual(EXPIRED);
	expect(await oidc.finish('acme', back.searchParams, vault.seal(JSON.stringify({ provider: 'acme' }), 'totp')), 'sealed for something else').toEqual(EXPIRED);
	expect(await relay(new Vault(random(new Uint8Array(32)), random)).finish('acme', back.searchParams, begun.cookie.value), 'another relay’s').toEqual(EXPIRED);
	const wrongState = new URLSearchParams(back.searchParams);
	wrongState.set('state', new URL(elsewhere.location).searchParams.get('state')!);
	expect(await oidc.finish('acme', wrongState, begun.cookie.value)).toEqual(EXPIRED);
	for (const state of [[], ['x'], ['a', 'b']]) expect(oidc.cookieOf(new URLSearchParams(state.map((one) => ['state', one])))).toBeNull();
	clock += OIDC_TRY_MS;
	expect(await answer(begun, back)).toEqual(EXPIRED);
});

test('an answer counts once, also where the provider takes its code again', async () => {
	acme.isLenient = true;
	const begun = await start();
	const back = await acme.visit(begun.location);
	const atOnce = await Promise.all(Array.from({ length: 5 }, () => answer(begun, back)));
	expect(atOnce.map(({ outcome }) => outcome).sort()).toEqual(['known', 'problem', 'problem', 'problem', 'problem']);
	expect(await answer(begun, back)).toEqual(EXPIRED);
});

test('a code that was used already, or was given to another try, is none', async () => {
	const [one, two] = [await start(), await start()];
	const [first, second] = [await acme.visit(one.location), await acme.visit(two.location)];
	second.searchParams.set('code', first.searchParams.get('code')!);
	expect(await answer(two, second), 'the verifier is another').toEqual(FAILED);
	expect((await answer(one, first)).outcome, 'and by that it was used').toBe('problem');
});

test.each<[string, Spoilt]>([
	['another nonce', { claims: { nonce: 'x' } }],
	['no nonce', { claims: { nonce: undefined } }],
	['another audience', { claims: { aud: 'somebody-else' } }],
	['several audiences, and not for us', { claims: { aud: ['atrium-test', 'somebody-else'], azp: 'somebody-else' } }],
	['another issuer', { claims: { iss: 'https://evil.example' } }],
	['a time that is over', { claims: { iat: 1_000_000_000, exp: 1_000_000_300 } }],
	['no end', { claims: { exp: undefined } }],
	['no subject', { claims: { sub: undefined } }],
	['an empty subject', { claims: { sub: '' } }],
	['a subject that never ends', { claims: { sub: 'x'.repeat(256) } }],
	['a signature of somebody else', { signature: 'foreign' }],
	['no signature', { signature: 'none' }]
])('a token with %s is none', async (_what, spoilt) => {
	const begun = await start();
	const back = await acme.visit(begun.location);
	acme.spoilt = spoilt;
	expect(await answer(begun, back)).toEqual(FAILED);
});

test('an answer of one provider is none to a question to another', async () => {
	const begun = await start('acme');
	const back = await acme.visit(begun.location);
	expect(await answer(begun, back, 'other'), 'at the other’s address').toEqual(EXPIRED);
	// What the other provider gave, brought in answer to the first.
	const fromOther = await other.visit((await start('other')).location);
	fromOther.searchParams.set('state', back.searchParams.get('state')!);
	expect(await answer(begun, fromOther)).toEqual(FAILED);
	const again = await start('acme');
	const mixed = await acme.visit(again.location);
	mixed.searchParams.set('iss', other.url);
	expect(await answer(again, mixed)).toEqual(FAILED);
});

test('who says no there is not signed in here', async () => {
	acme.denies = true;
	const begun = await start();
	expect(await answer(begun, await acme.visit(begun.location))).toEqual({ outcome: 'problem', intent, problem: 'oidc-cancelled' });
});

test('a provider that is away is an outcome; when it is back, so are we', async () => {
	const gone = await OidcIssuer.start();
	const { oidc: providers } = readConfig(gone.environment('gone'));
	oidc = new Oidc(providers, { publicUrl: PUBLIC_URL, vault, now: () => clock, random });
	const begun = await start('gone');
	const back = await gone.visit(begun.location);
	await gone.close();
	expect(await answer(begun, back, 'gone')).toMatchObject({ problem: 'oidc-unreachable' });
	const fresh = new Oidc(providers, { publicUrl: PUBLIC_URL, vault, now: () => clock, random });
	expect(await fresh.start('gone', intent)).toEqual({ outcome: 'unreachable' });
	expect(await fresh.finish('gone', back.searchParams, (await sealedAgain(begun)).value)).toMatchObject({ problem: 'oidc-unreachable' });

	const moody = await OidcIssuer.start();
	const [provider] = readConfig(moody.environment('moody')).oidc;
	const wrong = new Oidc([{ ...provider!, issuer: `${moody.url}/nowhere` }], { publicUrl: PUBLIC_URL, vault, now: () => clock, random });
	expect(await wrong.start('moody', intent)).toEqual({ outcome: 'unreachable' });
	const asked = moody.asked.length;
	await Promise.all(Array.from({ length: 20 }, () => wrong.start('moody', intent)));
	expect(moody.asked.length, 'pressing the button again asks nobody').toBe(asked);
	clock += 60_000;
	await wrong.start('moody', intent);
	expect(moody.asked.length).toBe(asked + 1);
	await moody.close();
});
const sealedAgain = async (begun: Begun) => begun.cookie;

test('next is a path of this site, or nothing', () => {
	for (const path of ['/', '/tasks', '/tasks?view=1#x', '/deals/deal_1']) expect(sitePath(path)).toBe(path);
	for (const elsewhere of [
		'', null, 1, 'tasks', '//evil.example', '/\\evil.example', '/\t/evil.example', '/\n/evil.example', 'https://evil.example', 'javascript:alert(1)',
		'/..//evil.example', '/./\\/evil.example', '\\\\evil.example', '/%0d%0a//x\r\nset-cookie: x', `/${'x'.repeat(2_000)}`
	]) expect(sitePath(elsewhere), JSON.stringify(elsewhere)).toBe('/');
});
