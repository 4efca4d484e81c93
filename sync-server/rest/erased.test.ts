import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Email } from '../accounts/accounts.ts';
import { forgetErased } from './erased.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;
beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
});
afterAll(() => relay.end());

const command = async (person: SignIn, name: string) => {
	const answer = await relay.call('POST', `/api/v1/documents/${person.employee}/commands`, { token: ann.token, body: { command: name, args: {} } });
	expect(answer.status, name).toBe(200);
};
const known = async (email: string) => (await relay.relay.services.accounts.identityByEmail(email as Email)) !== null;
const signIn = (email: string) => relay.call('POST', '/api/v1/sessions', { body: { email, password: PASSWORD } });

test('nothing stays of the account of whoever was erased and belongs to no other portal', async () => {
	const ida = await relay.join(ann, 'ida@example.com', 'Ida');
	await command(ida, 'dismiss');
	await forgetErased(relay.relay.services);
	expect(await known('ida@example.com'), 'who has only left keeps the account').toBe(true);
	await command(ida, 'erase');
	expect(await forgetErased(relay.relay.services)).toBe(1);
	expect(await known('ida@example.com')).toBe(false);
	expect((await relay.call('GET', '/api/v1/me', { token: ida.token })).status).toBe(401);
	expect((await signIn('ida@example.com')).body.code).toBe('wrong-credentials');
	expect(await relay.letterAfter('/api/v1/password-resets', { email: 'ida@example.com' })).toBeNull();
	expect(await forgetErased(relay.relay.services), 'once').toBe(0);
	// The address is free, and its reader may come back as somebody new.
	expect((await relay.join(ann, 'ida@example.com', 'Ida')).employee).not.toBe(ida.employee);
});

test('an account that belongs elsewhere loses this portal and nothing else', async () => {
	const jon = await relay.join(ann, 'jon@example.com', 'Jon');
	const own = await relay.found('jon@example.com', 'Of Jon');
	await command(jon, 'dismiss');
	await command(jon, 'erase');
	expect(await forgetErased(relay.relay.services)).toBe(1);
	expect((await relay.call('GET', '/api/v1/me', { token: own.token })).body.portals.map(({ portal }: SignIn) => portal)).toEqual([own.portal]);
	expect((await signIn('jon@example.com')).body.portal).toBe(own.portal);
});

test('another address that is confirmed meanwhile is not written into what was erased', async () => {
	const kim = await relay.join(ann, 'kim@example.com', 'Kim');
	const own = await relay.found('kim@example.com', 'Of Kim');
	const letter = await relay.letterAfter('/api/v1/me/email', { email: 'kim.new@example.com', password: PASSWORD }, own.token);
	await command(kim, 'dismiss');
	await command(kim, 'erase');
	expect((await relay.call('POST', '/api/v1/email-confirmations', { body: { code: (letter as { code: string }).code } })).status).toBe(204);
	expect((await relay.call('GET', `/api/v1/documents/${kim.employee}`, { token: ann.token })).body.row.email).toBe('');
	expect((await relay.call('GET', '/api/v1/me', { token: own.token })).body.email).toBe('kim.new@example.com');
});
