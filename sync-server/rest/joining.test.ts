/** Inviting, links, self-registration and people who ask to join, over REST and through letters. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Letter } from '../accounts/letter-kinds.ts';
import { LETTERS_PER_ADDRESS_AND_HOUR } from '../accounts/letter-limits.ts';
import { LINKS_PER_PORTAL } from '../accounts/invitation-links.ts';
import { INVITATION_MS } from '../accounts/invitations.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let now = Date.parse('2026-06-01T08:00:00Z');
/** Whoever has the second factor, whose code is always 123456. */
const enrolled = new Set<string>();
let ann: SignIn;
let sales: string;
let legal: string;
let settings: string;
/** Every letter that was asked for, newest last. */
const letters: { to: string; letter: Letter }[] = [];

beforeAll(async () => {
	relay = await TestRelay.start({}, {
		now: () => now,
		secondFactors: { has: async (identity) => enrolled.has(identity), check: async (_identity, code) => code === '123456', forget: async (identity) => void enrolled.delete(identity) }
	});
	const send = relay.relay.services.letters.send.bind(relay.relay.services.letters);
	relay.relay.services.letters.send = (to, letter, from) => {
		letters.push({ to, letter });
		return send(to, letter, from);
	};
	ann = await relay.found('ann@example.com');
	await relay.relay.services.portals.subscribe(ann.portal as never, { plan: 'company' });
	const departments = (await api('GET', '/documents?kind=department', ann)).body.rows;
	sales = (await create(ann, 'department', { name: 'Sales', parent: departments[0].id })).id;
	legal = (await create(ann, 'department', { name: 'Legal', parent: departments[0].id })).id;
	settings = (await api('GET', '/documents?kind=settings', ann)).body.rows[0].id;
});
afterAll(() => relay.end());
afterEach(() => {
	// Hours apart, so that the ceilings of one test are not another's.
	now += 2 * 3_600_000;
	letters.length = 0;
	enrolled.clear();
});

type Body = Record<string, unknown>;
const api = (method: string, path: string, who?: SignIn, body?: unknown, headers: Record<string, string> = {}) =>
	relay.call(method, `/api/v1${path}`, { headers, ...(who && { token: who.token }), ...(body !== undefined && { body }) });
async function create(who: SignIn, kind: string, fields: Body): Promise<{ id: string }> {
	const made = await api('POST', '/documents', who, { kind, fields });
	if (made.status !== 201) throw new Error(JSON.stringify(made.body));
	return made.body;
}
async function command(who: SignIn, document: string, name: string, args: Body = {}): Promise<void> {
	const done = await api('POST', `/documents/${document}/commands`, who, { command: name, args });
	if (done.status !== 200) throw new Error(`${name}: ${JSON.stringify(done.body)}`);
}
const set = (name: string, value: unknown) => command(ann, settings, `set${name}`, { value });
const invite = (who: SignIn, addresses: string[], more: Body = {}) => api('POST', '/invitations', who, { addresses, ...more });
const rowOf = async (id: string, who = ann) => (await api('GET', `/documents/${id}`, who)).body.row;
const settled = () => relay.relay.services.letters.settled();
function codeTo(address: string): string {
	const found = letters.findLast(({ to }) => to === address)?.letter;
	const code = found && ('code' in found ? found.code : found.kind === 'join-known' ? found.confirm?.code : undefined);
	if (code === undefined) throw new Error(`no code for ${address} in ${JSON.stringify(letters)}`);
	return code;
}
const kindsTo = (address: string) => letters.filter(({ to }) => to === address).map(({ letter }) => letter.kind);
const newcomer = (email: string, more: Body = {}) => ({ firstName: 'Nora', lastName: 'New', email, password: 'a password of my own', language: 'ro', ...more });
async function ask(body: Body) {
	const asked = await api('POST', '/joins', undefined, body);
	await settled();
	return asked;
}
/** As a program does, which keeps no cookie of the asking. */
const confirm = (code: string) => api('POST', '/joins/confirmation', undefined, { code, password: 'a password of my own' });
const accept = (code: string, more: Body = {}) => api('POST', '/invitations/acceptance', undefined, { code, firstName: 'New', lastName: 'Comer', password: PASSWORD, ...more });
const waitingAsTold = async () => (await relay.relay.services.portals.portal(ann.portal as never))!;

test('[J1] each address is told its result; a letter goes to those who are invited', async () => {
	const bob = await relay.join(ann, 'bob@example.com');
	const gone = await relay.join(ann, 'gone@example.com');
	await command(ann, gone.employee, 'employee.dismiss');
	await invite(ann, ['twice@example.com']);
	letters.length = 0;
	const { body } = await invite(ann, ['new@example.com', 'New@Example.com ', 'bob@example.com', 'gone@example.com', 'twice@example.com', 'nothing']);
	expect(body.results).toEqual([
		{ address: 'new@example.com', result: 'invited', letter: 'sent' },
		{ address: 'New@Example.com ', result: 'repeated' },
		{ address: 'bob@example.com', result: 'already-member', employee: bob.employee },
		{ address: 'gone@example.com', result: 'dismissed', employee: gone.employee },
		{ address: 'twice@example.com', result: 'already-invited', letter: 'sent' },
		{ address: 'nothing', result: 'invalid' }
	]);
	expect(letters.map(({ to }) => to).sort()).toEqual(['new@example.com', 'twice@example.com']);
});

test('[J1] whoever is invited comes in by the letter, also with an apostrophe, an ampersand or diacritics in the address', async () => {
	const typed = { "O'Neil@example.com": "o'neil@example.com", 'r&d@example.com': 'r&d@example.com', 'ana@exemplu-românesc.ro': 'ana@xn--exemplu-romnesc-ekb.ro' };
	for (const [address, email] of Object.entries(typed)) {
		expect((await invite(ann, [address])).body.results).toEqual([{ address, result: 'invited', letter: 'sent' }]);
		const joined = await accept(codeTo(email));
		expect(joined.status, JSON.stringify(joined.body)).toBe(201);
		expect((await api('GET', '/me', joined.body)).body.email).toBe(email);
	}
});

test('[J8] beyond so many letters an address is limited, and the older link goes on working', async () => {
	for (let i = 0; i < LETTERS_PER_ADDRESS_AND_HOUR; i++) await invite(ann, ['often@example.com']);
	const code = codeTo('often@example.com');
	const { body } = await invite(ann, ['often@example.com']);
	expect(body.results).toEqual([{ address: 'often@example.com', result: 'limited', retryAfterSeconds: 3_600 }]);
	expect((await api('POST', '/invitations/open', undefined, { code })).status).toBe(200);
	const { id } = (await api('GET', '/invitations', ann)).body.invitations.find((one: Body) => one.email === 'often@example.com');
	const again = await api('POST', `/invitations/${id}/letter`, ann);
	expect([again.status, again.headers.get('retry-after')]).toEqual([429, '3600']);
	expect((await accept(code)).status).toBe(201);
});

test('[J3] an invitation is listed, sent again with a new link, and withdrawn', async () => {
	await invite(ann, ['listed@example.com'], { department: sales });
	const listed = async () => (await api('GET', '/invitations', ann)).body.invitations.find((one: Body) => one.email === 'listed@example.com');
	const first = codeTo('listed@example.com');
	expect(await listed()).toMatchObject({ department: sales, groups: [], invitedBy: ann.employee, createdAt: now, expiresAt: now + INVITATION_MS, valid: true });
	expect(JSON.stringify(await listed())).not.toContain(first);
	const { id } = await listed();
	now += 1_000;
	expect((await api('POST', `/invitations/${id}/letter`, ann)).body).toEqual({ letter: 'sent' });
	const second = codeTo('listed@example.com');
	expect(await listed()).toMatchObject({ id, expiresAt: now + INVITATION_MS });
	expect((await api('POST', '/invitations/open', undefined, { code: first })).status).toBe(404);
	expect((await api('POST', '/invitations/open', undefined, { code: second })).body).toEqual({
		portal: ann.portal, company: 'Acme', accent: null, email: 'listed@example.com', known: false, invitedBy: 'Ann Lee', language: 'en', expiresAt: now + INVITATION_MS
	});
	expect((await api('DELETE', `/invitations/${id}`, ann)).status).toBe(204);
	expect((await accept(second)).status).toBe(404);
	expect((await api('DELETE', `/invitations/${id}`, ann)).status).toBe(404);
	expect(await listed()).toBeUndefined();
});

test('[J1] the newcomer begins in department and workgroups, closed ones too, with the login and language that they chose', async () => {
	const { id: closed } = await create(ann, 'group', { name: 'Closed', visibility: 'closed' });
	const { id: secret } = await create(ann, 'group', { name: 'Secret', visibility: 'secret' });
	await invite(ann, ['placed@example.com'], { department: sales, groups: [closed, secret] });
	const joined = await accept(codeTo('placed@example.com'), { login: 'Placed.One', language: 'ro' });
	expect(joined.status).toBe(201);
	expect(await rowOf(joined.body.employee)).toMatchObject({ departments: [sales], language: 'ro', email: 'placed@example.com' });
	for (const group of [closed, secret]) expect((await rowOf(group)).members).toEqual([joined.body.employee]);
	expect((await api('POST', '/sessions', undefined, { email: 'placed.one', password: PASSWORD })).status).toBe(201);
});

test('[J1] whom the settings name invites, into their own departments and workgroups; what they sent ends with their right', async () => {
	const ion = await relay.join(ann, 'ion@example.com', 'Ion');
	await command(ann, ion.employee, 'employee.joinDepartment', { member: sales });
	expect((await invite(ion, ['x@example.com'])).status).toBe(403);
	expect((await api('GET', '/invitations', ion)).status).toBe(403);
	await set('Inviters', [`user:${ion.employee}`]);

	const { id: closed } = await create(ann, 'group', { name: 'Others', visibility: 'closed' });
	const { id: secret } = await create(ann, 'group', { name: 'Hidden', visibility: 'secret' });
	const { id: open } = await create(ann, 'group', { name: 'Open', visibility: 'open' });
	const { id: own } = await create(ion, 'group', { name: 'Own', visibility: 'secret' });
	const refused = [];
	for (const more of [{ department: legal }, { groups: [closed] }, { groups: [secret] }, { department: settings }]) refused.push((await invite(ion, ['x@example.com'], more)).status);
	expect(refused).toEqual([403, 403, 422, 422]);
	await command(ann, closed, 'group.addMember', { member: ion.employee });
	await command(ann, closed, 'group.addModerator', { member: ion.employee });
	expect((await invite(ion, ['friend@example.com'], { department: sales, groups: [open, own, closed] })).body.results[0].result).toBe('invited');
	await command(ann, closed, 'group.removeModerator', { member: ion.employee });
	const code = codeTo('friend@example.com');
	await invite(ann, ['not-his@example.com']);
	const his = (await api('GET', '/invitations', ion)).body.invitations;
	expect(his.map((one: Body) => one.email)).toEqual(['friend@example.com']);
	const others = (await api('GET', '/invitations', ann)).body.invitations.find((one: Body) => one.email === 'not-his@example.com');
	expect([(await api('DELETE', `/invitations/${others.id}`, ion)).status, (await api('POST', `/invitations/${others.id}/letter`, ion)).status]).toEqual([404, 404]);

	await set('Inviters', []);
	expect([(await api('POST', '/invitations/open', undefined, { code })).status, (await accept(code)).status]).toEqual([404, 404]);
	expect((await api('GET', '/invitations', ann)).body.invitations.find((one: Body) => one.email === 'friend@example.com').valid).toBe(false);
	await set('Inviters', [`user:${ion.employee}`]);
	await command(ann, ion.employee, 'employee.leaveDepartment', { member: sales });
	const joined = await accept(code);
	expect(joined.status).toBe(201);
	expect((await rowOf(joined.body.employee)).departments, 'where the inviter is no longer, nobody comes by them').toEqual([]);
	expect((await rowOf(open)).members).toContain(joined.body.employee);
	expect((await rowOf(closed)).members, 'nor into what the inviter lets nobody into any more').not.toContain(joined.body.employee);
	await invite(ion, ['late@example.com']);
	await command(ann, ion.employee, 'employee.dismiss');
	expect((await accept(codeTo('late@example.com'))).status).toBe(404);
	await set('Inviters', []);
});

test('[J2] an address with an identity joins with its present password and second factor, which a letter never sets', async () => {
	const kim = await relay.found('kim@example.com', 'Of Kim');
	await invite(ann, ['kim@example.com']);
	const code = codeTo('kim@example.com');
	expect((await api('POST', '/invitations/open', undefined, { code })).body.known).toBe(true);
	expect((await accept(code, { password: 'some other password' })).body.code).toBe('wrong-credentials');
	const identity = (await relay.relay.services.accounts.identityByEmail('kim@example.com'))!.identity;
	enrolled.add(identity);
	const half = await accept(code);
	expect([half.status, half.body.code]).toEqual([401, 'second-factor']);
	const done = await api('POST', '/sessions', undefined, { ticket: half.body.ticket, code: '123456' });
	expect([done.status, done.body.portal]).toEqual([201, ann.portal]);
	expect((await api('POST', '/sessions', undefined, { email: 'kim@example.com', password: PASSWORD, portal: kim.portal })).body.code).toBe('second-factor');
});

test('[J7] without a seat the refusal names the way out, and the code goes on working', async () => {
	const small = await relay.found('small@example.com', 'Small');
	for (let i = 0; i < 11; i++) await relay.join(small, `small${i}@example.com`);
	await invite(small, ['late@small.example']);
	const code = codeTo('late@small.example');
	const full = await accept(code);
	expect([full.status, full.body.code, full.body.tariff]).toMatchObject([402, 'quota', { limit: 'people' }]);
	const added = await api('POST', '/people', small, { firstName: 'A', lastName: 'B', email: 'added@small.example', password: 'a first password' });
	expect(added.status).toBe(402);
	expect(await relay.relay.services.accounts.identityByEmail('added@small.example'), 'the address is as free as before').toBeNull();
	const leaver = (await api('GET', '/documents?kind=employee', small)).body.rows.find((row: Body) => row.email === 'small0@example.com');
	await command(small, leaver.id, 'employee.dismiss');
	expect((await accept(code)).status).toBe(201);
});

test('[J2] somebody who is added signs in with the first password, and chooses their own', async () => {
	const { id: group } = await create(ann, 'group', { name: 'Welcome', visibility: 'closed' });
	const body = { firstName: 'Dora', lastName: 'Direct', email: 'dora@example.com', login: 'dora', position: 'Clerk', department: sales, groups: [group], password: 'a first password' };
	const added = await api('POST', '/people', ann, body);
	expect([added.status, added.body]).toEqual([201, { employee: expect.any(String), letter: 'sent' }]);
	expect(await rowOf(added.body.employee)).toMatchObject({ firstName: 'Dora', position: 'Clerk', departments: [sales], active: true });
	expect((await rowOf(group)).members).toEqual([added.body.employee]);
	expect(kindsTo('dora@example.com')).toEqual(['added-directly']);
	const first = await api('POST', '/sessions', undefined, { email: 'dora', password: 'a first password' });
	expect(first.body.code).toBe('must-change-password');
	expect((await api('POST', '/sessions', undefined, { ticket: first.body.ticket, password: 'my own good password' })).status).toBe(201);

	expect((await api('POST', '/people', ann, body)).body).toMatchObject({ code: 'already-member', employee: added.body.employee });
	await command(ann, added.body.employee, 'employee.dismiss');
	expect((await api('POST', '/people', ann, body)).body).toMatchObject({ code: 'dismissed', employee: added.body.employee });
	expect((await api('POST', '/people', ann, { ...body, email: 'other@example.com' })).body.code).toBe('login-taken');
	expect((await api('POST', '/people', ann, { ...body, email: 'other@example.com', login: null, password: 'short' })).body).toMatchObject({ code: 'bad-value', errors: [{ field: 'password' }] });
	await relay.found('elsewhere@example.com', 'Elsewhere');
	letters.length = 0;
	expect((await api('POST', '/people', ann, { ...body, login: null, email: 'elsewhere@example.com' })).body).toEqual({ invited: true, letter: 'sent' });
	expect((await api('POST', '/sessions', undefined, { email: 'elsewhere@example.com', password: 'a first password' })).body.code, 'its password stands').toBe('wrong-credentials');
	expect((await accept(codeTo('elsewhere@example.com'))).status).toBe(201);
});

test('[J5] a link lets people ask again and again: with approval an administrator decides, and everybody hears', async () => {
	const { id: group } = await create(ann, 'group', { name: 'By link', visibility: 'closed' });
	const made = await api('POST', '/invitation-links', ann, { department: sales, groups: [group], approval: true, expiresInDays: 7 });
	expect([made.status, made.body]).toMatchObject([201, { department: sales, approval: true, uses: 0, code: expect.stringMatching(/^link-/) }]);
	const { code } = made.body;
	expect(JSON.stringify((await api('GET', '/invitation-links', ann)).body)).not.toContain(code);
	expect((await api('POST', '/invitation-links/open', undefined, { code })).body).toMatchObject({ company: 'Acme', portal: ann.portal, approval: true });

	const portal = await waitingAsTold();
	const told = vi.spyOn(portal, 'tellWaiting');
	for (const name of ['one', 'two']) now += 1_000, expect([(await ask({ code, ...newcomer(`${name}@link.example`, { firstName: name }) })).status, kindsTo(`${name}@link.example`)]).toEqual([202, ['join-confirmation']]);
	expect((await api('GET', '/join-requests', ann)).body.requests, 'who answered no letter is shown to nobody').toEqual([]);
	for (const name of ['one', 'two']) now += 1_000, expect(await confirm(codeTo(`${name}@link.example`))).toMatchObject({ status: 202, body: { waiting: true } });
	expect(told.mock.calls).toEqual([[1], [2]]);
	expect(kindsTo('ann@example.com'), 'at most one an hour').toEqual(['join-asked']);
	expect((await api('POST', '/sessions', undefined, { email: 'one@link.example', password: 'a password of my own' })).body.code, 'nobody yet').toBe('wrong-credentials');

	const { requests } = (await api('GET', '/join-requests', ann)).body;
	expect(requests).toMatchObject([{ firstName: 'one', email: 'one@link.example', language: 'ro', department: sales, groups: [group], link: made.body.id, dismissed: null }, { firstName: 'two' }]);
	expect(JSON.stringify(requests)).not.toMatch(/argon2|hash/);
	const approved = await api('POST', `/join-requests/${requests[0].id}/approval`, ann, {});
	expect(approved.status).toBe(200);
	expect(await rowOf(approved.body.employee)).toMatchObject({ firstName: 'one', departments: [sales], language: 'ro', administrator: false });
	expect((await rowOf(group)).members).toEqual([approved.body.employee]);
	expect((await api('POST', '/sessions', undefined, { email: 'one@link.example', password: 'a password of my own' })).status).toBe(201);
	expect((await api('POST', `/join-requests/${requests[1].id}/refusal`, ann, {})).status).toBe(204);
	expect((await api('POST', '/sessions', undefined, { email: 'two@link.example', password: 'a password of my own' })).body.code).toBe('wrong-credentials');
	expect(['one', 'two'].map((name) => kindsTo(`${name}@link.example`).at(-1))).toEqual(['join-approved', 'join-refused']);
	expect(told.mock.calls.slice(2)).toEqual([[1], [0]]);
	expect((await api('GET', '/invitation-links', ann)).body.links[0]).toMatchObject({ id: made.body.id, uses: 1, valid: true });
	told.mockRestore();
});

test('[J5] without approval, or from a domain of the company, the letter is enough; a withdrawn or expired link is not', async () => {
	const link = async (approval: boolean) => (await api('POST', '/invitation-links', ann, { approval, expiresInDays: 1 })).body;
	const open = await link(false);
	await ask({ code: open.code, ...newcomer('free@link.example', { login: 'free.one' }) });
	const joined = await confirm(codeTo('free@link.example'));
	expect([joined.status, joined.body.portal, joined.headers.get('set-cookie') !== null]).toEqual([201, ann.portal, true]);
	expect((await api('POST', '/sessions', undefined, { email: 'free.one', password: 'a password of my own' })).status).toBe(201);

	const moderated = await link(true);
	await set('SelfRegistration', { mode: 'off', domains: ['acme.example'] });
	await ask({ code: moderated.code, ...newcomer('staff@acme.example') });
	expect((await confirm(codeTo('staff@acme.example'))).status).toBe(201);
	for (const lookalike of ['x@acme.example.evil.example', 'y@sub.acme.example', 'acme.example@evil.example']) {
		await ask({ code: moderated.code, ...newcomer(lookalike) });
		expect((await confirm(codeTo(lookalike))).body, lookalike).toEqual({ waiting: true });
	}
	await ask({ code: open.code, ...newcomer('late@link.example') });
	expect((await api('DELETE', `/invitation-links/${open.id}`, ann)).status).toBe(204);
	expect([(await ask({ code: open.code, ...newcomer('later@link.example') })).status, (await confirm(codeTo('late@link.example'))).status]).toEqual([404, 404]);
	await ask({ code: moderated.code, ...newcomer('old@link.example') });
	now += 24 * 3_600_000;
	expect([(await api('POST', '/invitation-links/open', undefined, { code: moderated.code })).status, (await confirm(codeTo('old@link.example'))).status]).toEqual([404, 404]);
	await set('SelfRegistration', { mode: 'off', domains: [] });
});

test('[J8] links are bounded, and end with the right of whoever made them', async () => {
	const eva = await relay.join(ann, 'eva@example.com', 'Eva');
	expect((await api('POST', '/invitation-links', eva, { approval: false, expiresInDays: 1 })).status).toBe(403);
	await set('Inviters', [`user:${eva.employee}`]);
	const { body: hers } = await api('POST', '/invitation-links', eva, { approval: false, expiresInDays: 2 });
	const { body: not } = await api('POST', '/invitation-links', ann, { approval: false, expiresInDays: 2 });
	expect((await api('GET', '/invitation-links', eva)).body.links.map((one: Body) => one.id)).toEqual([hers.id]);
	expect((await api('DELETE', `/invitation-links/${not.id}`, eva)).status).toBe(404);
	await ask({ code: hers.code, ...newcomer('by-eva@link.example') });
	await set('Inviters', []);
	expect([(await api('POST', '/invitation-links/open', undefined, { code: hers.code })).status, (await confirm(codeTo('by-eva@link.example'))).status]).toEqual([404, 404]);
	const statuses = [];
	for (let i = 0; i < LINKS_PER_PORTAL; i++) statuses.push((await api('POST', '/invitation-links', ann, { approval: true, expiresInDays: 1 })).status);
	expect([statuses[0], statuses.at(-1)]).toEqual([201, 409]);
	now += 3 * 24 * 3_600_000;
});

test('[J5] people register themselves where the settings let them: at once, or once an administrator agreed', async () => {
	const self = (email: string, more: Body = {}) => ask({ portal: ann.portal, ...newcomer(email, more) });
	expect((await self('early@self.example')).body.code).toBe('registration-closed');
	await set('SelfRegistration', { mode: 'moderated', domains: [] });
	expect((await self('first@self.example', { department: sales, groups: ['x'], administrator: true })).status).toBe(202);
	expect((await confirm(codeTo('first@self.example'))).body).toEqual({ waiting: true });
	const request = (await api('GET', '/join-requests', ann)).body.requests.find((one: Body) => one.email === 'first@self.example');
	expect(request).toMatchObject({ department: null, groups: [], link: null });
	const { employee } = (await api('POST', `/join-requests/${request.id}/approval`, ann, { department: legal })).body;
	expect(await rowOf(employee)).toMatchObject({ departments: [legal], administrator: false });

	await set('SelfRegistration', { mode: 'open', domains: [] });
	await self('second@self.example', { department: sales, administrator: true });
	const joined = await confirm(codeTo('second@self.example'));
	expect(joined.status).toBe(201);
	expect(await rowOf(joined.body.employee)).toMatchObject({ departments: [], administrator: false, guest: false });
	expect((await self('third@self.example', { login: 'a' })).body).toMatchObject({ code: 'bad-value', errors: [{ field: 'login' }] });
	expect((await self('third@self.example', { password: 'short' })).body).toMatchObject({ code: 'bad-value', errors: [{ field: 'password' }] });

	await self('third@self.example');
	await set('SelfRegistration', { mode: 'off', domains: [] });
	expect((await confirm(codeTo('third@self.example'))).status, 'closed meanwhile').toBe(404);
});

test('[J2] an address with an identity is in by its letter, and signs in with the password that it has', async () => {
	await set('SelfRegistration', { mode: 'open', domains: [] });
	await relay.found('known@example.com', 'Of Known');
	await ask({ portal: ann.portal, ...newcomer('known@example.com') });
	expect(kindsTo('known@example.com')).toEqual(['registration', 'join-known']);
	const confirmed = await confirm(codeTo('known@example.com'));
	expect([confirmed.status, confirmed.body, confirmed.headers.get('set-cookie')]).toEqual([202, { waiting: false }, null]);
	expect((await api('POST', '/sessions', undefined, { email: 'known@example.com', password: 'a password of my own', portal: ann.portal })).body.code).toBe('wrong-credentials');
	expect((await api('POST', '/sessions', undefined, { email: 'known@example.com', password: PASSWORD, portal: ann.portal })).status).toBe(201);
	await set('SelfRegistration', { mode: 'off', domains: [] });
});

test('[J5] who was dismissed comes back only by a decision, as the person they were', async () => {
	await set('SelfRegistration', { mode: 'open', domains: ['back.example'] });
	const back = await relay.join(ann, 'was@back.example', 'Was');
	await command(ann, back.employee, 'employee.dismiss');
	now += 1_000;
	await ask({ portal: ann.portal, ...newcomer('was@back.example') });
	expect((await confirm(codeTo('was@back.example'))).body).toEqual({ waiting: true });
	const request = (await api('GET', '/join-requests', ann)).body.requests.find((one: Body) => one.email === 'was@back.example');
	expect(request.dismissed).toBe(back.employee);
	expect((await api('POST', `/join-requests/${request.id}/approval`, ann, {})).body).toEqual({ employee: back.employee });
	expect(await rowOf(back.employee)).toMatchObject({ active: true, firstName: 'Was' });
	expect((await api('POST', '/sessions', undefined, { email: 'was@back.example', password: PASSWORD })).status).toBe(201);
	await set('SelfRegistration', { mode: 'off', domains: [] });
});

test('[J8] letters that did not go are shown to administrators, tried again and thrown away', async () => {
	const eve = await relay.join(ann, 'eve@example.com', 'Eve');
	const { store } = { store: relay.relay.services.accounts.letters };
	const kept = async (to: string) => {
		const one = await store.keep({ to: to as never, letter: { kind: 'join-approved', language: 'en', company: 'Acme', name: 'N' }, portal: ann.portal as never, network: null, perPortalAndDay: 1_000, dueAt: now + 60_000 });
		if (one.outcome !== 'kept') throw new Error(one.outcome);
		return one.letter.id;
	};
	const [waiting, failed] = [await kept('waits@example.com'), await kept('fails@example.com')];
	await store.fail(failed, { tries: 1, reason: 'server-refused', detail: '550' });
	for (const [method, path] of [['GET', '/letters'], ['POST', `/letters/${failed}/retry`], ['DELETE', `/letters/${failed}`]] as const) expect((await api(method, path, eve)).status).toBe(403);
	const elsewhere = await relay.found('mail@else.example', 'Else');
	expect((await api('GET', '/letters', elsewhere)).body.letters).toEqual([]);
	expect((await api('POST', `/letters/${failed}/retry`, elsewhere)).status).toBe(404);
	expect((await api('GET', '/letters', ann)).body.letters).toMatchObject([{ to: expect.any(String) }, { to: expect.any(String) }]);
	expect((await api('GET', '/letters', ann)).body.letters.find((one: Body) => one.id === failed)).toMatchObject({ state: 'failed', reason: 'server-refused', detail: '550' });
	expect((await api('GET', '/letters', undefined)).status).toBe(401);
	expect((await relay.call('GET', '/metrics')).body).toMatch(/^atrium_letters_failed 1$/m);
	expect((await api('POST', `/letters/${failed}/retry`, ann)).body).toEqual({ letter: 'sent' });
	expect((await api('DELETE', `/letters/${waiting}`, ann)).status).toBe(204);
	expect((await api('GET', '/letters', ann)).body.letters).toEqual([]);
	expect((await api('DELETE', `/letters/${waiting}`, ann)).status).toBe(404);
});
