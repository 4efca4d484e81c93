/** What is told at the door, and what is not. */
import { afterEach, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
afterEach(() => relay.end());
const entrance = async (query = '', headers: Record<string, string> = {}) => (await relay.call('GET', `/api/v1/entrance${query}`, { headers })).body;

async function set(who: SignIn, name: string, value: unknown): Promise<void> {
	const { rows } = (await relay.call('GET', '/api/v1/documents?kind=settings', { token: who.token })).body;
	const done = await relay.call('POST', `/api/v1/documents/${rows[0].id}/commands`, { token: who.token, body: { command: `set${name}`, value } });
	expect(done.status, JSON.stringify(done.body)).toBe(200);
}

test('an empty relay, one portal, two portals', async () => {
	relay = await TestRelay.start();
	const nothing = { portal: null, company: null, accent: null, language: 'en', selfRegistration: 'off', founding: true, providers: [], passkeys: false, publicPage: null, lettersAreFiles: true };
	expect(await entrance()).toEqual(nothing);
	const ann = await relay.found('ann@example.com');
	expect(await entrance()).toEqual({ ...nothing, portal: ann.portal, company: 'Acme' });
	await relay.found('eve@example.com', 'Other');
	expect(await entrance(), 'none is named').toEqual(nothing);
	expect(await entrance(`?portal=${ann.portal}`)).toMatchObject({ portal: ann.portal, company: 'Acme' });
	for (const nobody of ['x', 'constructor', 'portal_00000000-0000-7000-8000-000000000000']) expect(await entrance(`?portal=${nobody}`)).toEqual(nothing);
});

test('of a company only what its settings show', async () => {
	relay = await TestRelay.start({ founding: 'first' });
	const ann = await relay.found('ann@example.com');
	await set(ann, 'About', 'We make things.');
	await set(ann, 'Accent', '#336699');
	expect(await entrance()).toMatchObject({ accent: '#336699', publicPage: null, founding: false });
	await set(ann, 'PublicPage', true);
	await set(ann, 'SelfRegistration', { mode: 'moderated', domains: ['secret.example.com'] });
	const shown = await entrance();
	expect(shown).toMatchObject({ publicPage: { about: 'We make things.', contact: null }, selfRegistration: 'moderated' });
	expect(JSON.stringify(shown)).not.toContain('secret.example.com');
});

test('providers with their names and nothing else; passkeys where a browser makes them; letters only to this machine', async () => {
	const { oidc } = readConfig({ OIDC_PROVIDERS: 'google', OIDC_GOOGLE_CLIENT_ID: 'an id', OIDC_GOOGLE_CLIENT_SECRET: 'a secret' });
	relay = await TestRelay.start({ oidc });
	expect((await entrance()).providers).toEqual([{ id: 'google', name: 'Google' }]);
	const byName = await fetch(`${relay.address.replace('127.0.0.1', 'localhost')}/api/v1/entrance`);
	expect(await byName.json()).toMatchObject({ passkeys: true });
	expect((await entrance('', { 'x-forwarded-for': '203.0.113.9' })).lettersAreFiles).toBe(false);
});
