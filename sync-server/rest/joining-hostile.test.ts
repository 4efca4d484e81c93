/** Whoever would join, see or send more than they may, by hand-made calls. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ATTEMPTS_PER_NETWORK, LETTERS_ASKED_PER_ADDRESS, LETTERS_ASKED_PER_NETWORK } from '../accounts/attempts.ts';
import { JOIN_MS, JOIN_WAITING_MS, JOINS_ASKED_PER_PORTAL, JOINS_WAITING_PER_PORTAL } from '../accounts/joins.ts';
import type { Letter } from '../accounts/letter-kinds.ts';
import { LETTERS_PER_ADDRESS_AND_HOUR } from '../accounts/letter-limits.ts';
import { argon2Hasher } from '../accounts/password.ts';
import { addEmployee } from '../room/relay-acts.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let now = Date.parse('2026-06-01T08:00:00Z');
let ann: SignIn;
let settings: string;
let hashes = 0;
let network = 0;
const letters: { to: string; letter: Letter }[] = [];

beforeAll(async () => {
	const cheap = argon2Hasher((target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>), { memoryKib: 8, passes: 1, lanes: 1 });
	relay = await TestRelay.start({}, {
		now: () => now,
		hasher: { hash: (password) => (hashes++, cheap.hash(password)), verify: (stored, password) => (hashes++, cheap.verify(stored, password)) }
	});
	const send = relay.relay.services.letters.send.bind(relay.relay.services.letters);
	relay.relay.services.letters.send = (to, letter, from) => {
		letters.push({ to, letter });
		return send(to, letter, from);
	};
	ann = await relay.found('ann@example.com');
	await relay.relay.services.portals.subscribe(ann.portal as never, { plan: 'company' });
	settings = (await api('GET', '/documents?kind=settings', { who: ann })).body.rows[0].id;
});
afterAll(() => relay.end());
beforeEach(async () => {
	// A day apart, and each from a network of its own: the ceilings of one test are not another's.
	now += 24 * 3_600_000;
	network++;
	letters.length = 0;
	await register('open');
});

type Body = Record<string, unknown>;
/** From a network outside, as the proxy of this machine says; each test has its own. */
const api = (method: string, path: string, { who, body, host = 1 }: { who?: SignIn; body?: unknown; host?: number } = {}) =>
	relay.call(method, `/api/v1${path}`, { ...(who && { token: who.token }), ...(body !== undefined && { body }), headers: { 'x-forwarded-for': `203.0.${network}.${host}` } });
const register = async (mode: string, domains: string[] = []) =>
	expect((await api('POST', `/documents/${settings}/commands`, { who: ann, body: { command: 'setSelfRegistration', args: { value: { mode, domains } } } })).status).toBe(200);
const command = async (document: string, name: string, args: Body = {}, who = ann) =>
	expect((await api('POST', `/documents/${document}/commands`, { who, body: { command: name, args } })).status).toBe(200);
const newcomer = (email: string, more: Body = {}) => ({ portal: ann.portal, firstName: 'Nora', lastName: 'New', email, password: 'a password of my own', language: 'en', ...more });
async function ask(body: Body, host = 1) {
	const asked = await api('POST', '/joins', { body, host });
	await relay.relay.services.letters.settled();
	return asked;
}
const confirm = (code: string, host = 1) => api('POST', '/joins/confirmation', { body: { code, password: 'a password of my own' }, host });
function codeTo(address: string): string {
	const letter = letters.findLast(({ to }) => to === address)?.letter;
	if (letter && 'code' in letter) return letter.code;
	if (letter?.kind === 'join-known' && letter.confirm) return letter.confirm.code;
	throw new Error(`no code for ${address}`);
}
const peopleWith = async (email: string) => (await api('GET', '/documents?kind=employee&limit=500', { who: ann })).body.rows.filter((row: Body) => row.email === email);
async function waitingRequest(email: string): Promise<string> {
	await register('moderated');
	await ask(newcomer(email));
	expect((await confirm(codeTo(email))).body).toEqual({ waiting: true });
	return (await api('GET', '/join-requests', { who: ann })).body.requests.find((one: Body) => one.email === email).id;
}

test('[J3] asking to join tells nothing of an address: same answer, same hashes, whoever has it', async () => {
	const gone = await relay.join(ann, 'was-here@example.com');
	await command(gone.employee, 'employee.dismiss');
	await relay.join(ann, 'member@example.com');
	await relay.found('elsewhere@example.com', 'Elsewhere');
	await api('POST', '/people', { who: ann, body: { firstName: 'A', lastName: 'B', email: 'added@example.com', password: 'a first password' } });
	const answers = [];
	for (const email of ['nobody@example.com', 'member@example.com', 'elsewhere@example.com', 'was-here@example.com', 'added@example.com']) {
		hashes = 0;
		const { status, body, headers } = await ask(newcomer(email));
		// The mark of the asking browser is new each time.
		const told = [...headers].filter(([name]) => name !== 'date').map(([name, value]) => [name, value.replace(/(?<=^atrium_asker=)[\w-]{43}(?=;)/, '…')]).sort();
		answers.push(JSON.stringify({ status, body, told, hashes }));
	}
	expect(new Set(answers).size).toBe(1);
	expect(JSON.parse(answers[0]!)).toMatchObject({ status: 202, body: {}, hashes: 1 });
});

test('[J3] the answer does not wait for the mail server, nor for what is looked up', async () => {
	const { accounts } = relay.relay.services;
	const ask_ = accounts.joins.ask.bind(accounts.joins);
	let goOn = (): void => undefined;
	const held = new Promise<void>((resolve) => (goOn = resolve));
	accounts.joins.ask = async (asked) => (await held, ask_(asked));
	expect((await api('POST', '/joins', { body: newcomer('slow@example.com') })).status).toBe(202);
	expect(letters).toEqual([]);
	goOn();
	await relay.relay.services.letters.settled();
	accounts.joins.ask = ask_;
	expect(letters.map(({ to }) => to)).toEqual(['slow@example.com']);
});

test('[J3] codes of links, invitations and letters are not guessed: so many wrong ones, and the network waits', async () => {
	const guesses: readonly [string, (index: number) => Body][] = [
		['/invitation-links/open', (index) => ({ code: `link-${String(index).padStart(32, 'x')}` })],
		['/invitations/open', (index) => ({ code: String(index).padStart(32, 'x') })],
		['/invitations/acceptance', (index) => ({ code: String(index).padStart(32, 'x'), firstName: 'A', lastName: 'B', password: PASSWORD })],
		['/joins/confirmation', (index) => ({ code: String(index).padStart(32, 'x') })],
		['/joins', (index) => ({ ...newcomer('x@example.com'), portal: undefined, code: `link-${String(index).padStart(32, 'x')}` })]
	];
	const { code } = (await api('POST', '/invitation-links', { who: ann, body: { approval: true, expiresInDays: 1 } })).body;
	for (const [path, body] of guesses) {
		network++;
		for (let i = 0; i < ATTEMPTS_PER_NETWORK; i++) expect((await api('POST', path, { body: body(i) })).status, path).toBe(404);
		const refused = await api('POST', path, { body: body(ATTEMPTS_PER_NETWORK) });
		expect([refused.status, refused.headers.has('retry-after')], path).toEqual([429, true]);
		expect((await api('POST', '/invitation-links/open', { body: { code } })).status, 'also for the right one').toBe(429);
	}
	network++;
	expect((await api('POST', '/invitation-links/open', { body: { code } })).status, 'another network').toBe(200);
	for (let i = 0; i < ATTEMPTS_PER_NETWORK + 1; i++) await api('POST', '/invitation-links/open', { body: { code: String(i).padStart(32, 'y') } });
	expect((await api('POST', '/invitation-links/open', { body: { code } })).status, 'the code of a letter, asked for at the wrong door, is no guess').toBe(200);
});

test('[J5] whoever was dismissed comes back by a decision alone, also in the moment after their profile was erased', async () => {
	const boss = await relay.join(ann, 'boss@example.com');
	await command(boss.employee, 'employee.setAdministrator', { value: true });
	await ask(newcomer('boss@example.com'));
	await command(boss.employee, 'employee.dismiss');
	await ask(newcomer('boss@example.com'));
	await command(boss.employee, 'employee.erase');
	expect((await confirm(codeTo('boss@example.com'))).body).toEqual({ waiting: true });
	const { row } = (await api('GET', `/documents/${boss.employee}`, { who: ann })).body;
	expect([row.active, row.email]).toEqual([false, '']);
});

test('[J5] an address that only looks like one of the company’s domain waits for a decision like any other', async () => {
	await register('moderated', ['acme.example']);
	const became: Record<string, unknown> = {};
	for (const [n, email] of [
		'a@sub.acme.example', 'b@acme.example.evil.example', 'c@evil-acme.example', 'd@acme.example@evil.example', '"e@acme.example"@evil.example', 'f%acme.example@evil.example',
		'g@acm\u0435.example', 'g@xn--acm-ccb.example', 'h@acme.example.', 'i@acme.example\u0000.evil.example', 'j@ACME.Example', 'k@\uFF41cme.example', 'l@acme\u3002example', 'm@evil.example, x@acme.example'
	].entries()) {
		const asked = await ask(newcomer(email), n + 1);
		if (asked.status !== 202) became[email] = asked.body.errors[0].field;
		else became[email] = (await confirm(codeTo(letters.at(-1)!.to), n + 1)).body.waiting ?? letters.at(-1)!.to;
	}
	expect(became).toEqual({
		'a@sub.acme.example': true, 'b@acme.example.evil.example': true, 'c@evil-acme.example': true, 'd@acme.example@evil.example': 'email', '"e@acme.example"@evil.example': 'email', 'f%acme.example@evil.example': 'email',
		'g@acm\u0435.example': true, 'g@xn--acm-ccb.example': true, 'h@acme.example.': 'email', 'i@acme.example\u0000.evil.example': 'email', 'm@evil.example, x@acme.example': 'email',
		// The same domain, written otherwise: the letter went there.
		'j@ACME.Example': 'j@acme.example', 'k@\uFF41cme.example': 'k@acme.example', 'l@acme\u3002example': 'email'
	});
});

test('[J2] an invitation is its address’s, whoever brings it, and whoever is signed in meanwhile', async () => {
	const bea = await relay.found('bea@example.com', 'Beta');
	await relay.found('cat@example.com', 'Cats');
	const bring = (code: string, more: Body = {}) =>
		relay.call('POST', '/api/v1/invitations/acceptance', { token: bea.token, body: { code, firstName: 'Bea', lastName: 'Bee', password: PASSWORD, email: 'bea@example.com', employee: bea.employee, ...more } });
	const known = await relay.codeFor(ann, 'cat@example.com');
	expect((await bring(known, { password: 'the password of Bea' })).body.code, 'an account wants its own password').toBe('wrong-credentials');
	expect(await peopleWith('cat@example.com')).toEqual([]);
	const joined = await bring(await relay.codeFor(ann, 'dan@example.com'));
	expect((await peopleWith('dan@example.com')).map(({ id }: Body) => id)).toEqual([joined.body.employee]);
	expect(await peopleWith('bea@example.com')).toEqual([]);
	const { body } = await relay.call('GET', '/api/v1/me', { token: bea.token });
	expect(body.portals.map(({ portal }: Body) => portal), 'and nothing is added to theirs').toEqual([bea.portal]);
	// The code still waits for its reader.
	expect((await bring(known)).body.employee).toBe((await peopleWith('cat@example.com'))[0].id);
});

test('[J5] nobody but an administrator of that portal sees or decides requests', async () => {
	const id = await waitingRequest('decide@example.com');
	const bob = await relay.join(ann, 'bob@example.com');
	const inviter = await relay.join(ann, 'inviter@example.com');
	await command(settings, 'setInviters', { value: [`user:${inviter.employee}`] });
	const other = await relay.found('other@example.com', 'Other');
	for (const who of [bob, inviter]) {
		for (const [method, path] of [['GET', '/join-requests'], ['POST', `/join-requests/${id}/approval`], ['POST', `/join-requests/${id}/refusal`], ['POST', '/people']] as const) {
			const body = method === 'GET' ? {} : { body: path === '/people' ? { firstName: 'A', lastName: 'B', email: 'p@example.com', password: 'a first password' } : {} };
			expect((await api(method, path, { who, ...body })).status, path).toBe(403);
		}
	}
	expect((await api('GET', '/join-requests', { who: other })).body.requests).toEqual([]);
	for (const path of ['approval', 'refusal']) expect((await api('POST', `/join-requests/${id}/${path}`, { who: other, body: {} })).status).toBe(404);
	for (const path of ['approval', 'refusal']) expect((await api('POST', `/join-requests/${id}/${path}`, { body: {} })).status).toBe(401);
	await command(settings, 'setInviters', { value: [] });
	expect(await peopleWith('decide@example.com')).toEqual([]);
	expect((await api('POST', `/join-requests/${id}/approval`, { who: ann, body: {} })).status).toBe(200);
});

test('[J1] who is not signed in, or looks on, invites nobody and makes no link', async () => {
	const bob = await relay.join(ann, 'looked-on@example.com');
	const { token } = (await api('POST', '/view-as', { who: ann, body: { person: bob.employee } })).body;
	const viewer = { ...ann, token };
	for (const [path, body] of [['/invitations', { addresses: ['x@example.com'] }], ['/invitation-links', { approval: false, expiresInDays: 1 }], ['/people', { firstName: 'A', lastName: 'B', email: 'x@example.com', password: 'a first password' }]] as const) {
		expect([(await api('POST', path, { body })).status, (await api('POST', path, { who: viewer, body })).status], path).toEqual([401, 403]);
	}
	expect(letters.filter(({ to }) => to === 'x@example.com')).toEqual([]);
});

test('[J6] a closed door stays closed to direct calls, and tells no portal from none', async () => {
	await register('off');
	const closed = await ask(newcomer('direct@example.com'));
	const unknown = await ask(newcomer('direct@example.com', { portal: 'portal_01890000-0000-7000-8000-000000000000' }));
	expect([closed.status, closed.body.code]).toEqual([403, 'registration-closed']);
	expect(unknown.body).toEqual(closed.body);
	expect(letters).toEqual([]);
	// Closed while the letter lay in its mailbox, it is closed to the answer too.
	await register('open');
	await ask(newcomer('late@example.com'));
	await register('off');
	expect((await confirm(codeTo('late@example.com'))).status).toBe(404);
	expect(await peopleWith('late@example.com')).toEqual([]);
	await register('open');
	expect((await confirm(codeTo('late@example.com'))).status).toBe(201);
});

test('[J5] about whoever was dismissed somebody decides, also where their record never had an account', async () => {
	const portal = (await relay.relay.services.portals.portal(ann.portal as never))!;
	const added = await addEmployee(portal, { firstName: 'Old', lastName: 'Hand', email: 'old-hand@example.com', groups: [] } as never);
	await command((added as { employee: string }).employee, 'employee.dismiss');
	await ask(newcomer('old-hand@example.com'));
	expect((await confirm(codeTo('old-hand@example.com'))).body).toEqual({ waiting: true });
});

test('[J6] a newcomer chooses no department, workgroup, right or kind for themselves', async () => {
	const root = (await api('GET', '/documents?kind=department', { who: ann })).body.rows[0].id;
	const group = (await api('POST', '/documents', { who: ann, body: { kind: 'group', fields: { name: 'Closed', visibility: 'closed' } } })).body.id;
	const wished = { department: root, departments: [root], groups: [group], administrator: true, position: 'Boss', guest: true, approval: false, mode: 'open' };
	const { code } = (await api('POST', '/invitation-links', { who: ann, body: { approval: false, expiresInDays: 1 } })).body;
	await ask(newcomer('self@example.com', wished));
	await ask({ ...newcomer('link@example.com', wished), portal: undefined, code });
	await api('POST', '/invitations', { who: ann, body: { addresses: ['invited@example.com'] } });
	for (const email of ['self@example.com', 'link@example.com']) expect((await confirm(codeTo(email))).status).toBe(201);
	expect((await api('POST', '/invitations/acceptance', { body: { code: codeTo('invited@example.com'), firstName: 'A', lastName: 'B', password: PASSWORD, email: 'else@example.com', ...wished } })).status).toBe(201);
	for (const email of ['self@example.com', 'link@example.com', 'invited@example.com']) {
		expect(await peopleWith(email)).toMatchObject([{ departments: [], administrator: false, position: null, guest: false }]);
	}
	expect((await api('GET', `/documents/${group}`, { who: ann })).body.row.members).toEqual([]);
	expect(await peopleWith('else@example.com')).toEqual([]);
});

test('[J1] departments and workgroups of another portal are none of this one', async () => {
	const other = await relay.found('foreign@example.com', 'Foreign');
	const department = (await api('GET', '/documents?kind=department', { who: other })).body.rows[0].id;
	const group = (await api('POST', '/documents', { who: other, body: { kind: 'group', fields: { name: 'Theirs' } } })).body.id;
	for (const more of [{ department }, { groups: [group] }, { groups: ['x'] }, { groups: Array(30).fill(group) }]) {
		expect((await api('POST', '/invitations', { who: ann, body: { addresses: ['x@example.com'], ...more } })).status).toBe(422);
		expect((await api('POST', '/invitation-links', { who: ann, body: { approval: true, expiresInDays: 1, ...more } })).status).toBe(422);
	}
	const request = await waitingRequest('placed@example.com');
	for (const more of [{ department }, { groups: [group] }]) expect((await api('POST', `/join-requests/${request}/approval`, { who: ann, body: more })).status).toBe(422);
	expect((await api('POST', `/join-requests/${request}/approval`, { who: ann, body: {} })).status, 'the request is as it was').toBe(200);
	const invited = (await api('POST', '/invitations', { who: other, body: { addresses: ['theirs@example.com'] } })).status;
	const { id } = (await api('GET', '/invitations', { who: other })).body.invitations[0];
	expect([invited, (await api('DELETE', `/invitations/${id}`, { who: ann })).status, (await api('POST', `/invitations/${id}/letter`, { who: ann })).status]).toEqual([200, 404, 404]);
});

test('[J4] a confirmation is good once: replayed it signs nobody in, and of many at once one makes an employee', async () => {
	await ask(newcomer('once@example.com'));
	const code = codeTo('once@example.com');
	const all = await Promise.all(Array.from({ length: 8 }, (_, host) => confirm(code, host + 1)));
	expect(all.filter(({ status }) => status === 201)).toHaveLength(1);
	expect(all.filter(({ status }) => status !== 201).every(({ status }) => [404, 409].includes(status))).toBe(true);
	expect(await peopleWith('once@example.com')).toHaveLength(1);
	const replayed = await confirm(code);
	expect([replayed.status, replayed.headers.get('set-cookie')]).toEqual([404, null]);
});

test('[J4] whatever ways lead an address in at the same moment, it becomes one employee', async () => {
	const { code } = (await api('POST', '/invitation-links', { who: ann, body: { approval: false, expiresInDays: 1 } })).body;
	await ask(newcomer('many@example.com'));
	const first = codeTo('many@example.com');
	await ask({ ...newcomer('many@example.com'), portal: undefined, code });
	const second = codeTo('many@example.com');
	await api('POST', '/invitations', { who: ann, body: { addresses: ['many@example.com'] } });
	const third = codeTo('many@example.com');
	const accepting = () => api('POST', '/invitations/acceptance', { body: { code: third, firstName: 'M', lastName: 'Y', password: 'a password of my own' } });
	await Promise.all([confirm(first, 1), confirm(second, 2), accepting(), api('POST', '/people', { who: ann, body: { firstName: 'A', lastName: 'B', email: 'many@example.com', password: 'a first password' } })]);
	expect(await peopleWith('many@example.com')).toHaveLength(1);
});

test('[J5] a letter that asks to be answered, and a request that waits, are good for their time and no longer', async () => {
	await ask(newcomer('too-late@example.com'));
	const code = codeTo('too-late@example.com');
	now += JOIN_MS;
	expect((await confirm(code)).status).toBe(404);
	const request = await waitingRequest('forgotten@example.com');
	now += JOIN_WAITING_MS;
	ann = await relay.signInAnywhere('ann@example.com');
	expect((await api('GET', '/join-requests', { who: ann })).body.requests).toEqual([]);
	expect((await api('POST', `/join-requests/${request}/approval`, { who: ann, body: {} })).status).toBe(404);
	expect([await peopleWith('too-late@example.com'), await peopleWith('forgotten@example.com')]).toEqual([[], []]);
});

test('[J4] of decisions at once one holds, and a refused request is not approved', async () => {
	const id = await waitingRequest('twice@example.com');
	const decide = (what: string) => api('POST', `/join-requests/${id}/${what}`, { who: ann, body: {} });
	const statuses = (await Promise.all([decide('approval'), decide('approval'), decide('approval')])).map(({ status }) => status).sort();
	expect(statuses[0]).toBe(200);
	expect(statuses.slice(1).every((status) => [404, 409].includes(status))).toBe(true);
	expect(await peopleWith('twice@example.com')).toHaveLength(1);
	const other = await waitingRequest('never@example.com');
	expect((await api('POST', `/join-requests/${other}/refusal`, { who: ann, body: {} })).status).toBe(204);
	expect((await api('POST', `/join-requests/${other}/approval`, { who: ann, body: {} })).status).toBe(404);
	expect(await peopleWith('never@example.com')).toEqual([]);
});

test('[J7] an approval that finds no seat changes nothing, and holds once there is one', async () => {
	const small = await relay.found('small@example.com', 'Small');
	const { code } = (await api('POST', '/invitation-links', { who: small, body: { approval: true, expiresInDays: 3 } })).body;
	await ask({ ...newcomer('queued@example.com'), portal: undefined, code });
	expect((await confirm(codeTo('queued@example.com'))).body).toEqual({ waiting: true });
	for (let i = 0; i < 11; i++) await relay.join(small, `seat${i}@example.com`);
	const { id } = (await api('GET', '/join-requests', { who: small })).body.requests[0];
	const full = await api('POST', `/join-requests/${id}/approval`, { who: small, body: {} });
	expect([full.status, full.body.code, full.body.tariff?.limit]).toEqual([402, 'quota', 'people']);
	expect((await api('GET', '/join-requests', { who: small })).body.requests).toHaveLength(1);
	expect(letters.filter(({ letter }) => letter.kind === 'join-approved')).toEqual([]);
	const leaver = (await api('GET', '/documents?kind=employee', { who: small })).body.rows.find((row: Body) => row.email === 'seat0@example.com');
	await command(leaver.id, 'employee.dismiss', {}, small);
	expect((await api('POST', `/join-requests/${id}/approval`, { who: small, body: {} })).status).toBe(200);
	expect((await api('POST', '/sessions', { body: { email: 'queued@example.com', password: 'a password of my own' } })).status).toBe(201);
});

test('[J8] a flood of requests from one network ends at its ceiling, and others still ask', async () => {
	const statuses = [];
	for (let i = 0; i < LETTERS_ASKED_PER_NETWORK + 5; i++) statuses.push((await api('POST', '/joins', { body: newcomer(`flood${i}@example.com`) })).status);
	expect(statuses).toEqual([...Array(LETTERS_ASKED_PER_NETWORK).fill(202), ...Array(5).fill(429)]);
	await relay.relay.services.letters.settled();
	network++;
	expect((await ask(newcomer('honest@example.com'))).status).toBe(202);
	expect(letters.filter(({ to }) => to === 'honest@example.com')).toHaveLength(1);
});

test('[J8] what a flood leaves behind is bounded: unanswered requests give way, and only so many wait for a decision', async () => {
	const { accounts } = relay.relay.services;
	const portal = (await relay.found('flooded@example.com', 'Flooded')).portal as never;
	const asking = (index: number) => ({ portal, link: null, email: `q${index}@example.com` as never, firstName: 'Q', lastName: 'Q', login: null, language: 'en' as const, hash: 'none', asker: null });
	const kept = (count: number, state: 'asked' | 'waiting') => {
		const database = new DatabaseSync(join(relay.dataDir, 'accounts.db'), { timeout: 10_000 });
		const row = database.prepare(`insert into join_request (id, portal, email, first_name, last_name, language, hash, created_at, expires_at, confirmed_at) values (?, ?, ?, 'Q', 'Q', 'en', 'none', ?, ?, ?)`);
		database.exec('begin');
		for (let i = 0; i < count; i++) row.run(`join_${state}${i}`, portal, `${state}${i}@example.com`, now + i, now + 1e9, state === 'waiting' ? now : null);
		database.exec('commit');
		database.close();
	};
	const claim = async (code: string) => {
		const claimed = await accounts.joins.claimByCode(code);
		if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome);
		return claimed.claim;
	};
	const { code: first } = await accounts.joins.ask(asking(0));
	now += 1;
	kept(JOINS_ASKED_PER_PORTAL - 1, 'asked');
	accounts.joins.release(await claim(first));
	now += JOINS_ASKED_PER_PORTAL;
	const { code: second } = await accounts.joins.ask(asking(1));
	expect((await accounts.joins.claimByCode(first)).outcome, 'the oldest gave way').toBe('unknown');
	kept(JOINS_WAITING_PER_PORTAL - 1, 'waiting');
	expect(await accounts.joins.wait(await claim(second))).toBe('waiting');
	const { code: third } = await accounts.joins.ask(asking(2));
	const late = await claim(third);
	expect(await accounts.joins.wait(late)).toBe('full');
	expect(accounts.joins.release(late), 'and may be confirmed once there is room').toBeUndefined();
	expect((await accounts.joins.claimByCode(third)).outcome).toBe('claimed');
	expect(accounts.joins.countWaiting(portal)).toBe(JOINS_WAITING_PER_PORTAL);
});

test('[J8] an address gets a bounded number of letters an hour, from however many networks and portals they are asked', async () => {
	const mail = () => readdirSync(join(relay.dataDir, 'mail')).filter((name) => name.includes('victim-example-com'));
	for (let i = 0; i < LETTERS_ASKED_PER_ADDRESS + 4; i++) {
		network++;
		await ask(newcomer('victim@example.com'));
	}
	expect(mail().length).toBe(LETTERS_ASKED_PER_ADDRESS);
	const results: string[] = [];
	for (let i = 0; i < LETTERS_PER_ADDRESS_AND_HOUR + 3; i++) {
		const founder = await relay.found(`bomber${i}@example.com`, `Bomb ${i}`);
		results.push((await api('POST', '/invitations', { who: founder, body: { addresses: ['victim@example.com'] } })).body.results[0].result);
	}
	expect(results).toEqual([...Array(LETTERS_PER_ADDRESS_AND_HOUR).fill('invited'), ...Array(3).fill('limited')]);
	expect(mail().length).toBe(LETTERS_ASKED_PER_ADDRESS + LETTERS_PER_ADDRESS_AND_HOUR);
});

test('[J8] names of people and companies are words in letters: no HTML, no headers, no links of theirs', async () => {
	const evil = '<script>alert(1)</script><a href="http://evil.example">';
	const founder = await relay.found('evil-founder@example.com', `${evil}www.evil.example`);
	const { code } = (await api('POST', '/invitation-links', { who: founder, body: { approval: false, expiresInDays: 1 } })).body;
	await ask({ ...newcomer('reader@example.com', { firstName: evil, lastName: 'http://evil.example' }), portal: undefined, code });
	await api('POST', '/invitations', { who: founder, body: { addresses: ['reader@example.com'] } });
	const mine = readdirSync(join(relay.dataDir, 'mail')).filter((name) => name.includes('reader-example-com'));
	expect(mine).toHaveLength(2);
	for (const name of mine) {
		const letter = readFileSync(join(relay.dataDir, 'mail', name), 'utf8');
		const html = letter.slice(letter.indexOf('<!doctype html>'));
		expect(html).not.toMatch(/<script|<a href="http:\/\/evil/);
		// What a mail program would make a link of, in text and HTML alike; the head is no place for links.
		expect(letter.slice(letter.indexOf('\r\n\r\n'))).not.toMatch(/https?:\/\/[^1]|www\.|evil\.example/);
		expect(letter.match(/^(bcc|cc|x-[\w-]+):/gim)).toBeNull();
		const links = new Set(letter.slice(letter.indexOf('\r\n\r\n')).match(/https?:\/\/[^\s"<&]+/g));
		expect([...links].every((link) => link.startsWith(relay.address))).toBe(true);
	}
});

test('[J3] no code and no password stands in the database, and none in what the relay printed', async () => {
	await ask(newcomer('secret@example.com', { password: 'an unmistakable password' }));
	await api('POST', '/invitations', { who: ann, body: { addresses: ['secret2@example.com'] } });
	const link = (await api('POST', '/invitation-links', { who: ann, body: { approval: true, expiresInDays: 1 } })).body.code;
	const files = readdirSync(relay.dataDir).filter((name) => name.startsWith('accounts.db'));
	for (const secret of [codeTo('secret@example.com'), codeTo('secret2@example.com'), link, 'an unmistakable password']) {
		for (const name of files) expect(readFileSync(join(relay.dataDir, name)).includes(secret), name).toBe(false);
		expect(relay.log.join('\n')).not.toContain(secret);
	}
});
