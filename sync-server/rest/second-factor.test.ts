/** Second factors over HTTP: enrolling, signing in, removing, what a portal demands, what administrators may reset; and what hostile callers try. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { PersonId, PortalId } from '#crdt-model/ids.ts';
import { CODES_PER_IDENTITY } from '../accounts/attempts.ts';
import type { FactorChange } from '../accounts/letter-kinds.ts';
import { STEP_MS, totpCode } from '../accounts/one-time-codes.ts';
import { FACTOR_DEMANDED } from '../socket/sockets.ts';
import { endOverdueSessions } from './overdue-sessions.ts';
import { addEmployee } from '../room/relay-acts.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

const DAY_MS = 24 * 3_600_000;
let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;
let bobEmail: string;
let now = Date.parse('2026-06-01T08:00:00Z');
let counter = 0;
const told: [string, FactorChange][] = [];

beforeAll(async () => {
	relay = await TestRelay.start({}, { now: () => now });
	const { letters } = relay.relay.services;
	const send = letters.send.bind(letters);
	vi.spyOn(letters, 'send').mockImplementation((to, letter, from) => {
		if (letter.kind === 'second-factor-changed') told.push([to, letter.change]);
		return send(to, letter, from);
	});
	ann = await relay.found('ann@example.com');
	await relay.relay.services.portals.subscribe(ann.portal as PortalId, { plan: 'company' }); // room for many people
});
afterAll(async () => {
	expect(relay.log).toEqual([]);
	await relay.end();
});
beforeEach(async () => {
	now += DAY_MS; // past every window of attempts
	told.length = 0;
	bobEmail = `bob${(counter += 1)}@example.com`;
	ann = (await signIn({ email: 'ann@example.com', password: PASSWORD })).body;
	bob = await relay.join(ann, bobEmail);
});

const api = (method: string, path: string, who: SignIn | null, body?: unknown) => relay.call(method, `/api/v1${path}`, { ...(who && { token: who.token }), ...(body !== undefined && { body }) });
const signIn = (body: unknown) => relay.call('POST', '/api/v1/sessions', { body });
const byPassword = (email = bobEmail) => signIn({ email, password: PASSWORD });

/** A code of the present step; the clock goes on, so that the next one is another. */
function code(secret: string): string {
	now += STEP_MS;
	return totpCode(secret, now);
}
async function enrol(who = bob): Promise<{ secret: string; recoveryCodes: string[] }> {
	const begun = await api('POST', '/me/second-factor', who, { password: PASSWORD });
	expect(begun.status).toBe(200);
	const { secret } = begun.body;
	const enrolled = await api('PUT', '/me/second-factor', who, { code: code(secret) });
	expect(enrolled.status).toBe(200);
	return { secret, recoveryCodes: enrolled.body.recoveryCodes };
}
async function demand(secondFactor: { since: number; graceDays: number } | null): Promise<void> {
	const { rows } = (await api('GET', '/documents?kind=settings', ann)).body;
	const set = await api('POST', `/documents/${rows[0].id}/commands`, ann, { command: 'setSecondFactor', value: secondFactor });
	expect(set.status, JSON.stringify(set.body)).toBe(200);
}

test('enrolling needs the password and the first code; from then on signing in asks for one', async () => {
	expect((await api('POST', '/me/second-factor', bob, { password: 'wrong password' })).body.code).toBe('wrong-credentials');
	const begun = await api('POST', '/me/second-factor', bob, { password: PASSWORD });
	expect(begun.body.uri).toContain(begun.body.secret);
	expect((await byPassword()).status, 'begun is not enrolled').toBe(201);
	expect((await api('GET', '/me', bob)).body.secondFactor).toEqual({ enrolled: false, required: false, graceUntil: null });
	expect((await api('PUT', '/me/second-factor', bob, { code: '000000' })).body.code).toBe('wrong-code');
	const enrolled = await api('PUT', '/me/second-factor', bob, { code: code(begun.body.secret) });
	expect(enrolled.body.recoveryCodes).toHaveLength(10);
	const asked = await byPassword();
	expect([asked.status, asked.body.code, asked.headers.get('set-cookie')]).toEqual([401, 'second-factor', null]);
	expect((await signIn({ ticket: asked.body.ticket, code: code(begun.body.secret) })).status).toBe(201);
	expect((await api('POST', '/me/second-factor', bob, { password: PASSWORD })).body.code).toBe('factor-enrolled');
	expect(told).toEqual([[bobEmail, 'switched-on']]);
});

test('a code of the same step is good once, in whatever order and for however many tickets', async () => {
	const { secret } = await enrol();
	const tickets = await Promise.all([1, 2, 3].map(async () => (await byPassword()).body.ticket as string));
	const one = code(secret);
	const answers = await Promise.all(tickets.map((ticket) => signIn({ ticket, code: one })));
	expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401]);
	expect((await signIn({ ticket: (await byPassword()).body.ticket, code: one })).body.code).toBe('wrong-code');
});

test('guessing ends, over all tickets of the person, and also where the password is right', async () => {
	const { secret } = await enrol();
	for (let i = 0; i < CODES_PER_IDENTITY; i++) {
		const { ticket } = (await byPassword()).body;
		expect((await signIn({ ticket, code: '000000' })).body.code).toBe('wrong-code');
	}
	const { ticket } = (await byPassword()).body;
	const refused = await signIn({ ticket, code: code(secret) });
	expect([refused.status, refused.body.code]).toEqual([429, 'too-many-attempts']);
	expect((await api('DELETE', '/me/second-factor', bob, { password: PASSWORD, code: code(secret) })).status, 'nor can it be removed by guessing').toBe(429);
});

test('a recovery code opens once, and its use is told; new ones take the place of all', async () => {
	const { secret, recoveryCodes } = await enrol();
	const [first, second] = recoveryCodes as [string, string];
	expect((await signIn({ ticket: (await byPassword()).body.ticket, code: first.toLowerCase() })).status).toBe(201);
	expect((await signIn({ ticket: (await byPassword()).body.ticket, code: first })).body.code).toBe('wrong-code');
	expect((await api('POST', '/me/second-factor/recovery-codes', bob, { password: 'wrong password', code: code(secret) })).body.code).toBe('wrong-credentials');
	expect((await api('POST', '/me/second-factor/recovery-codes', bob, { password: PASSWORD, code: '000000' })).body.code).toBe('wrong-code');
	const renewed = await api('POST', '/me/second-factor/recovery-codes', bob, { password: PASSWORD, code: code(secret) });
	expect((await signIn({ ticket: (await byPassword()).body.ticket, code: second })).body.code).toBe('wrong-code');
	expect((await signIn({ ticket: (await byPassword()).body.ticket, code: renewed.body.recoveryCodes[1] })).status).toBe(201);
	expect(told.map(([, change]) => change)).toEqual(['switched-on', 'recovery-code-used', 'recovery-codes', 'recovery-code-used']);
});

test('removing needs password and code', async () => {
	const { secret } = await enrol();
	expect((await api('DELETE', '/me/second-factor', bob, { password: 'wrong password', code: code(secret) })).body.code).toBe('wrong-credentials');
	expect((await api('DELETE', '/me/second-factor', bob, { password: PASSWORD, code: '000000' })).body.code).toBe('wrong-code');
	expect((await api('DELETE', '/me/second-factor', bob, { password: PASSWORD, code: code(secret) })).status).toBe(204);
	expect((await byPassword()).status).toBe(201);
	expect((await api('DELETE', '/me/second-factor', bob, { password: PASSWORD, code: code(secret) })).body.code).toBe('no-second-factor');
	expect((await api('POST', '/me/second-factor/recovery-codes', bob, { password: PASSWORD, code: code(secret) })).body.code).toBe('no-second-factor');
	expect(told.map(([, change]) => change)).toEqual(['switched-on', 'switched-off']);
});

test('what one session began no other confirms, of the same person or of another', async () => {
	const begun = await api('POST', '/me/second-factor', bob, { password: PASSWORD });
	const other = (await byPassword()).body as SignIn;
	for (const who of [other, ann]) expect((await api('PUT', '/me/second-factor', who, { code: code(begun.body.secret) })).body.code).toBe('enrolment-lapsed');
	expect((await api('PUT', '/me/second-factor', bob, { code: code(begun.body.secret) })).status).toBe(200);
});

test('whoever is not signed in, or only looks on, changes nothing', async () => {
	const view = (await api('POST', '/view-as', ann, { person: bob.employee })).body as SignIn;
	for (const [method, path, body] of [
		['POST', '/me/second-factor', { password: PASSWORD }],
		['PUT', '/me/second-factor', { code: '000000' }],
		['DELETE', '/me/second-factor', { password: PASSWORD, code: '000000' }],
		['POST', '/me/second-factor/recovery-codes', { password: PASSWORD, code: '000000' }],
		['DELETE', `/people/${bob.employee}/second-factor`, undefined],
		['POST', '/me/passkeys/options', { password: PASSWORD }]
	] as const) {
		expect((await api(method, path, null, body)).status, `${method} ${path}`).toBe(401);
		expect((await api(method, path, view, body)).status, `${method} ${path}, looking on`).toBe(403);
	}
});

test('a portal demands it: until the end of grace one is let in, then enrols on the way in; who joins later has the same days', async () => {
	await demand({ since: now, graceDays: 7 });
	try {
		expect((await byPassword()).status).toBe(201);
		expect((await api('GET', '/me', bob)).body.secondFactor).toEqual({ enrolled: false, required: true, graceUntil: now + 7 * DAY_MS });
		now += 7 * DAY_MS;
		const late = await byPassword();
		expect([late.status, late.body.code, late.body.token]).toEqual([403, 'must-enrol', undefined]);
		const { ticket } = late.body;
		const begun = await api('POST', '/second-factor', null, { ticket });
		expect((await api('PUT', '/second-factor', null, { ticket, code: '000000' })).body.code).toBe('wrong-code');
		const enrolled = await api('PUT', '/second-factor', null, { ticket, code: code(begun.body.secret) });
		expect(enrolled.status).toBe(201);
		expect(enrolled.body).toMatchObject({ portal: bob.portal, employee: bob.employee });
		expect(enrolled.body.recoveryCodes).toHaveLength(10);
		expect((await api('GET', '/me', enrolled.body)).body.secondFactor).toMatchObject({ enrolled: true, required: true });
		expect((await api('PUT', '/second-factor', null, { ticket, code: code(begun.body.secret) })).body.code, 'the ticket is spent').toBe('ticket-lapsed');
		expect((await byPassword()).body.code).toBe('second-factor');
		expect(told).toEqual([[bobEmail, 'switched-on']]);
	} finally {
		await demandNothing();
	}
});

test('a browser that was left open enrols nothing by changing to a portal that demands a factor', async () => {
	const own = await relay.found(bobEmail, 'Of Bob');
	await demand({ since: now, graceDays: 0 });
	try {
		const switched = await api('POST', '/sessions/switch', own, { portal: bob.portal });
		expect([switched.status, switched.body.code, switched.body.ticket]).toEqual([403, 'must-enrol', undefined]);
		const signedIn = await signIn({ email: bobEmail, password: PASSWORD, portal: bob.portal });
		expect([signedIn.body.code, typeof signedIn.body.ticket], 'with the password one does').toEqual(['must-enrol', 'string']);
	} finally {
		await demandNothing();
	}
});

test('whoever was added with a first password chooses their own before they enrol: recovery codes come with the answer that lets them in', async () => {
	const { accounts, portals } = relay.relay.services;
	const email = `fay${counter}@example.com`;
	const portal = (await portals.portal(ann.portal as PortalId))!;
	const made = await addEmployee(portal, { firstName: 'Fay', lastName: 'Ray', email });
	const added = await accounts.addIdentity({ email, password: 'a first long password', name: 'Fay Ray', portal: portal.id });
	if (added.outcome !== 'created' || !('employee' in made)) throw new Error('not added');
	await accounts.addMembership({ identity: added.identity, portal: portal.id, employee: made.employee });
	await demand({ since: now, graceDays: 0 });
	try {
		const asked = await signIn({ email, password: 'a first long password' });
		expect(asked.body.code).toBe('must-change-password');
		const changed = await signIn({ ticket: asked.body.ticket, password: 'an own and longer password' });
		expect(changed.body.code).toBe('must-enrol');
		const { ticket } = changed.body;
		const begun = await api('POST', '/second-factor', null, { ticket });
		const enrolled = await api('PUT', '/second-factor', null, { ticket, code: code(begun.body.secret) });
		expect([enrolled.status, enrolled.body.recoveryCodes.length]).toEqual([201, 10]);
	} finally {
		await demandNothing();
	}
});

/** Ann's own sessions may have ended by the demand. */
async function demandNothing(): Promise<void> {
	const { portals } = relay.relay.services;
	const portal = (await portals.portal(ann.portal as PortalId))!;
	if (portal.settings?.secondFactor === null) return;
	ann = (await relay.relay.services.accounts.identityByEmail('ann@example.com').then(async (identity) => {
		const started = await relay.relay.services.accounts.startSession({ identity: identity!.identity, portal: ann.portal as PortalId, employee: ann.employee as PersonId });
		if (started.outcome !== 'started') throw new Error(started.outcome);
		return { ...ann, token: started.token };
	})) as SignIn;
	await demand(null);
}

test('tickets do not cross: one to enrol opens nothing else, others do not enrol, nobody enrols by somebody else’s', async () => {
	const carolEmail = `carol${counter}@example.com`;
	await relay.join(ann, carolEmail, 'Carol');
	await demand({ since: now, graceDays: 0 });
	try {
		const [mine, hers] = [(await byPassword()).body.ticket as string, (await byPassword(carolEmail)).body.ticket as string];
		for (const body of [{ ticket: mine, code: '000000' }, { ticket: mine, portal: bob.portal }, { ticket: mine, password: 'a new long password' }]) {
			expect((await signIn(body)).body.code).toBe('ticket-lapsed');
		}
		const begun = await api('POST', '/second-factor', null, { ticket: mine });
		expect((await api('PUT', '/second-factor', null, { ticket: hers, code: code(begun.body.secret) })).body.code, 'begun by another ticket').toBe('enrolment-lapsed');
		for (const nothing of ['x', 'A'.repeat(43), bob.token]) expect((await api('POST', '/second-factor', null, { ticket: nothing })).body.code).toBe('ticket-lapsed');
		expect((await api('PUT', '/second-factor', null, { ticket: mine, code: code(begun.body.secret) })).status).toBe(201);
		const asked = (await byPassword()).body;
		expect(asked.code).toBe('second-factor');
		expect((await api('POST', '/second-factor', null, { ticket: asked.ticket })).body.code, 'it waits for a code').toBe('ticket-lapsed');
		expect(await relay.relay.services.accounts.secondFactors.has((await identityOf(carolEmail))!), 'hers stayed as it was').toBe(false);
	} finally {
		await demandNothing();
	}
});
const identityOf = async (email: string) => (await relay.relay.services.accounts.identityByEmail(email))?.identity;

test('a ticket alone says again what is missing, and the old one is spent', async () => {
	const { secret } = await enrol();
	const asked = await byPassword();
	const again = await signIn({ ticket: asked.body.ticket });
	expect([again.status, again.body.code, again.headers.get('set-cookie')]).toEqual([401, 'second-factor', null]);
	expect((await signIn({ ticket: asked.body.ticket })).body.code).toBe('ticket-lapsed');
	expect((await signIn({ ticket: again.body.ticket, code: code(secret) })).status).toBe(201);
});

test('when grace ends, open sessions without a factor end, those with one go on; nobody else’s portal is touched', async () => {
	const before = (await byPassword()).body as SignIn;
	await enrol();
	const carol = await relay.join(ann, `carol${counter}@example.com`, 'Carol');
	const elsewhere = await relay.found(`eve${counter}@example.com`, 'Other');
	const ended: string[] = [];
	const stop = relay.relay.services.accounts.onSessionsEnded((sessions) => ended.push(...sessions.map(({ employee, reason }) => `${employee} ${reason}`)));
	const socket = new WebSocket(`${relay.address.replace('http', 'ws')}/sync`, { headers: { authorization: `Bearer ${carol.token}` } });
	const closed = new Promise((resolve) => socket.once('close', (status, reason) => resolve([status, reason.toString()])));
	await new Promise((open, failed) => socket.once('open', open).once('error', failed));
	await demand({ since: now, graceDays: 1 });
	try {
		await endOverdueSessions(relay.relay.services);
		expect(ended).toEqual([]);
		now += DAY_MS;
		const late = await relay.join(ann, `dan${counter}@example.com`, 'Dan');
		await endOverdueSessions(relay.relay.services);
		expect(ended).toContain(`${carol.employee} factor-demanded`);
		expect((await api('GET', '/me', carol)).status).toBe(401);
		expect(await closed, 'the device learns why').toEqual([4401, FACTOR_DEMANDED]);
		for (const who of [bob, before, late, elsewhere]) expect((await api('GET', '/me', who)).status).toBe(200);
	} finally {
		stop();
		await demandNothing();
	}
});

test('an administrator resets the factor of somebody of this portal alone; sessions and sign-ins under way end with it', async () => {
	const { secret } = await enrol();
	const waiting = (await byPassword()).body.ticket;
	const path = `/people/${bob.employee}/second-factor`;
	expect((await api('DELETE', path, bob)).status, 'not oneself, and no administrator').toBe(403);
	expect((await api('DELETE', path, ann)).status).toBe(204);
	expect((await api('GET', '/me', bob)).status).toBe(401);
	expect((await signIn({ ticket: waiting, code: code(secret) })).body.code).toBe('ticket-lapsed');
	expect((await byPassword()).status).toBe(201);
	expect((await api('DELETE', path, ann)).body.code).toBe('no-second-factor');
	expect(told.at(-1)).toEqual([bobEmail, 'reset']);
});

test('an administrator of one portal does not reset an identity that belongs to another as well, nor anybody elsewhere', async () => {
	const eve = await relay.found(`eve${counter}@example.com`, 'Of Eve');
	await relay.found(bobEmail, 'Of Bob');
	await enrol();
	expect((await api('DELETE', `/people/${bob.employee}/second-factor`, eve)).status, 'not of this portal').toBe(404);
	for (const nobody of ['x', 'task_00000000-0000-7000-8000-000000000000', ann.portal]) expect((await api('DELETE', `/people/${nobody}/second-factor`, ann)).status).toBe(404);
	expect((await api('DELETE', `/people/${bob.employee}/second-factor`, ann)).body.code).toBe('belongs-elsewhere');
	expect((await byPassword()).body.code, 'it stands').toBe('second-factor');
});

test('the administrator’s own goes with password and code only', async () => {
	await enrol(ann);
	expect((await api('DELETE', `/people/${ann.employee}/second-factor`, ann)).status).toBe(403);
	await relay.relay.services.accounts.resetSecondFactor((await identityOf('ann@example.com'))!);
});

test('administrators alone see who has none yet: of those who may sign in, of this portal', async () => {
	const shown = async (who = ann) => (await api('GET', '/people/without-second-factor', who)).body as { people: string[]; of: number };
	const before = await shown();
	expect(before.people).toContain(bob.employee);
	expect(await shown(bob)).toMatchObject({ code: 'denied', who: ['admins'] });
	await enrol();
	expect(await shown()).toEqual({ people: before.people.filter((id) => id !== bob.employee), of: before.of });
	const cat = await relay.join(ann, 'cat.without@example.com', 'Cat');
	const eve = await relay.found('eve.without@example.com', 'Elsewhere');
	expect((await shown()).people).toContain(cat.employee);
	expect(await shown(eve)).toEqual({ people: [eve.employee], of: 1 });
	expect((await api('POST', `/documents/${cat.employee}/commands`, ann, { command: 'dismiss', args: {} })).status).toBe(200);
	expect(await shown()).toEqual({ people: before.people.filter((id) => id !== bob.employee), of: before.of });
});

test('secrets, codes and tickets are in no log and no file of the relay', async () => {
	const { secret, recoveryCodes } = await enrol();
	const { readdirSync, readFileSync, statSync } = await import('node:fs');
	const { join } = await import('node:path');
	const files = readdirSync(relay.dataDir, { recursive: true, encoding: 'utf8' }).map((name) => join(relay.dataDir, name)).filter((file) => statSync(file).isFile());
	expect(files.length).toBeGreaterThan(3);
	for (const file of files) {
		const bytes = readFileSync(file, 'latin1');
		for (const text of [secret, ...recoveryCodes]) expect(bytes.includes(text), file).toBe(false);
	}
	expect(relay.log.join('\n')).not.toContain(secret);
});
