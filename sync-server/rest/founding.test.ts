// Who may found a portal: the operator decides.
import { afterEach, expect, test } from 'vitest';
import { mayFound } from './call.ts';
import { PASSWORD, TestRelay } from './test-relay.ts';

let relay: TestRelay;
afterEach(() => relay.end());

const asking = (email: string) => ({ company: 'Acme', firstName: 'Ann', lastName: 'Lee', email, password: PASSWORD });
const ask = (email: string) => relay.call('POST', '/api/v1/registrations', { body: asking(email) });
const codeFor = async (email: string): Promise<string> => ((await relay.letterAfter('/api/v1/registrations', asking(email))) as { code: string }).code;
const confirm = (code: string) => relay.call('POST', '/api/v1/registrations/confirmation', { body: { code, password: PASSWORD } });

test('closed: nobody, and the refusal says so', async () => {
	relay = await TestRelay.start({ founding: 'closed' });
	const refused = await ask('ann@example.com');
	expect([refused.status, refused.body.code]).toEqual([403, 'founding-closed']);
	expect([...relay.relay.services.portals.ids]).toEqual([]);
});

test('first: one, and no second, also of two who found at once', async () => {
	relay = await TestRelay.start({ founding: 'first' });
	const codes = [await codeFor('ann@example.com'), await codeFor('bob@example.com')];
	const both = await Promise.all(codes.map(confirm));
	expect(both.map(({ status }) => status).sort()).toEqual([201, 403]);
	expect([...relay.relay.services.portals.ids]).toHaveLength(1);
	expect((await ask('eve@example.com')).body.code).toBe('founding-closed');
	expect(mayFound(relay.relay.services)).toBe(false);
	await relay.restart({ founding: 'open' });
	expect((await confirm(await codeFor('eve@example.com'))).status).toBe(201);
});
