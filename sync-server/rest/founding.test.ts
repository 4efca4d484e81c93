// Who may found a portal: the operator decides.
import { afterEach, expect, test } from 'vitest';
import { mayFound } from './call.ts';
import { PASSWORD, TestRelay } from './test-relay.ts';

let relay: TestRelay;
afterEach(() => relay.end());

const found = (email: string) => relay.call('POST', '/api/v1/portals', { body: { company: 'Acme', firstName: 'Ann', lastName: 'Lee', email, password: PASSWORD } });

test('closed: nobody, and the refusal says so', async () => {
	relay = await TestRelay.start({ founding: 'closed' });
	const refused = await found('ann@example.com');
	expect([refused.status, refused.body.code]).toEqual([403, 'founding-closed']);
	expect([...relay.relay.services.portals.ids]).toEqual([]);
});

test('first: one, and no second, also of two who found at once', async () => {
	relay = await TestRelay.start({ founding: 'first' });
	const both = await Promise.all([found('ann@example.com'), found('bob@example.com')]);
	expect(both.map(({ status }) => status).sort()).toEqual([201, 403]);
	expect([...relay.relay.services.portals.ids]).toHaveLength(1);
	expect((await found('eve@example.com')).body.code).toBe('founding-closed');
	expect(mayFound(relay.relay.services)).toBe(false);
	await relay.restart({ founding: 'open' });
	expect((await found('eve@example.com')).status).toBe(201);
});
