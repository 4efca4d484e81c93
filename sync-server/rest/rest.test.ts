import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdMaker } from '#crdt-model/ids.ts';
import { addEmployee } from '../room/relay-acts.ts';
import { PASSWORD, type SignIn, TestRelay } from './test-relay.ts';

const ids = new IdMaker();
let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
	bob = await relay.join(ann, 'bob@example.com');
});
afterAll(() => relay.end());

const api = (method: string, path: string, who?: SignIn, body?: unknown, headers?: Record<string, string>) =>
	relay.call(method, `/api/v1${path}`, { ...(who ? { token: who.token } : {}), ...(body === undefined ? {} : { body }), ...(headers ? { headers } : {}) });
const make = async (who: SignIn, kind: string, fields: unknown): Promise<string> => (await api('POST', '/documents', who, { kind, fields })).body.id;

test('a founder administers the portal, and the cookie is for browsers only', async () => {
	const letter = await relay.letterAfter('/api/v1/registrations', { company: 'Other', firstName: 'Eve', lastName: 'Fox', email: 'eve@example.com', password: PASSWORD, language: 'ro' });
	const founded = await api('POST', '/registrations/confirmation', undefined, { code: (letter as { code: string }).code, password: PASSWORD });
	expect(founded.status).toBe(201);
	expect(founded.headers.get('set-cookie')).toMatch(/^atrium_session_[0-9a-f]{12}=[\w-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
	expect(founded.headers.get('cache-control')).toBe('no-store');
	const me = await api('GET', '/me', founded.body);
	expect(me.body).toMatchObject({ company: 'Other', administrator: true, email: 'eve@example.com', language: 'ro', portal: founded.body.portal });
	expect(me.body.departments).toHaveLength(1);
});

test.each([
	[{ email: 'nobody' }, 'email'],
	[{ password: 'short' }, 'password'],
	[{ company: '' }, 'company'],
	[{ firstName: 'x'.repeat(101) }, 'firstName'],
	[{ language: 'xx' }, 'language'],
	[{ lastName: undefined }, 'lastName'],
	[{ email: 'a\r\nbcc: x@example.com' }, 'email']
])('founding with %j names the field', async (wrong, field) => {
	const { status, body } = await api('POST', '/registrations', undefined, {
		company: 'X', firstName: 'A', lastName: 'B', email: 'new@example.com', password: PASSWORD, ...wrong
	});
	expect([status, body.code, body.errors[0].field]).toEqual([422, 'bad-value', field]);
});

test('signing in, out, and with what is wrong', async () => {
	expect((await api('POST', '/sessions', undefined, { email: 'ann@example.com', password: 'wrong' })).body.code).toBe('wrong-credentials');
	expect((await api('POST', '/sessions', undefined, { email: 'ann@example.com', password: PASSWORD, portal: ids.portal() })).body.code).toBe('not-a-member');
	const signed = await api('POST', '/sessions', undefined, { email: ' ANN@example.com', password: PASSWORD });
	expect([signed.status, signed.body.employee]).toEqual([201, ann.employee]);
	const cookie = signed.headers.get('set-cookie')!.split(';')[0]!;
	const out = await api('DELETE', '/sessions/current', undefined, undefined, { cookie, origin: relay.address });
	expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')]);
	expect((await api('GET', '/me', signed.body)).status).toBe(401);
	expect((await api('DELETE', '/sessions/current', signed.body)).status).toBe(401);
});

test('a person of several portals chooses', async () => {
	const first = await relay.found('many@example.com', 'First');
	const second = await relay.found('many@example.com', 'Second');
	const open = await api('POST', '/sessions', undefined, { email: 'many@example.com', password: PASSWORD });
	expect([open.status, open.body.code]).toEqual([409, 'choose-portal']);
	expect(open.body.portals).toEqual([
		{ portal: first.portal, company: 'First' },
		{ portal: second.portal, company: 'Second' }
	]);
	expect((await api('POST', '/sessions', undefined, { email: 'many@example.com', password: PASSWORD, portal: second.portal })).body.portal).toBe(second.portal);
});

test('a task is made, changed, commented and listed', async () => {
	const id = await make(ann, 'task', { title: 'Paint the fence', responsible: bob.employee, mayMoveDeadline: true });
	const command = ids.command();
	const change = { command: 'setDeadline', value: '2026-12-01', id: command };
	const first = await api('POST', `/documents/${id}/commands`, bob, change);
	expect([first.status, first.body.accepted]).toEqual([200, true]);
	expect((await api('POST', `/documents/${id}/commands`, bob, change)).body.seq).toBe(first.body.seq);
	// A command of one argument takes it under its own name or under the one that it sets.
	expect((await api('POST', `/documents/${id}/commands`, bob, { command: 'task.setDeadline', deadline: '2026-12-01' })).status).toBe(200);
	expect((await api('POST', `/documents/${id}/commands`, bob, { command: 'task.setDeadline', deadline: 'soon' })).status).toBe(422);
	expect((await api('POST', `/documents/${id}/commands`, bob, { command: 'task.setDeadline', deadline: '2026-12-01', title: 'x' })).status).toBe(422);
	const comment = await api('POST', `/documents/${id}/commands`, bob, { command: 'task.comment', text: 'Which colour?' });
	await api('POST', `/documents/${id}/commands`, ann, { command: 'addItem', args: { text: 'Buy paint' } });
	await api('POST', `/documents/${id}/commands`, ann, { command: 'addItem', text: 'Start' });
	const { body } = await api('GET', `/documents/${id}`, ann);
	expect(body.row).toMatchObject({ deadline: '2026-12-01', responsible: bob.employee, comments: 1, itemsTotal: 2, number: expect.any(Number) });
	expect(body.comments).toEqual([{ id: comment.body.item, by: bob.employee, text: 'Which colour?', at: expect.any(Number) }]);
	expect(body.checklist.map((item: { text: string }) => item.text)).toEqual(['Buy paint', 'Start']);
	const listed = await api('GET', '/documents?kind=task&limit=1', bob);
	expect(listed.body.rows[0].id).toBe(id);
});

test('a page hangs on its task', async () => {
	const task = await make(ann, 'task', { title: 'With words' });
	const page = task.replace('task_', 'page_');
	expect((await api('POST', `/documents/${page}/commands`, ann, { command: 'hang', title: 'Words', on: task })).status).toBe(200);
	expect((await api('GET', `/documents/${page}`, ann)).body.row).toMatchObject({ place: 'record', on: task });
	expect((await api('GET', `/documents/${page}`, bob)).status).toBe(404);
});

test('[P5] what one may not read is answered like what is not there', async () => {
	const id = await make(ann, 'task', { title: 'Secret' });
	const stranger = await relay.found('stranger@example.com', 'Elsewhere');
	const absent = ids.document('task');
	for (const who of [bob, stranger]) {
		const [hidden, missing] = [await api('GET', `/documents/${id}`, who), await api('GET', `/documents/${absent}`, who)];
		expect([hidden.status, hidden.body]).toEqual([404, missing.body]);
		const changed = await api('POST', `/documents/${id}/commands`, who, { command: 'setTitle', value: 'Mine' });
		const made = await api('POST', `/documents/${absent}/commands`, who, { command: 'setTitle', value: 'Mine' });
		expect([changed.status, changed.body.code]).toEqual([404, made.body.code]);
		const { body } = await api('GET', '/documents?kind=task', who);
		expect(body.rows.map((row: { id: string }) => row.id)).not.toContain(id);
	}
});

test('refusals bring their code and what stands there', async () => {
	const deal = await make(ann, 'deal', { title: 'Pipes', amount: 100, responsible: ann.employee });
	await api('POST', `/documents/${deal}/commands`, ann, { command: 'setAmount', value: 200 });
	const stale = await api('POST', `/documents/${deal}/commands`, ann, { command: 'setAmount', value: 300, seen: {} });
	expect([stale.status, stale.body.code, stale.body.current.value]).toEqual([409, 'stale', 200]);
	expect((await api('POST', `/documents/${deal}/commands`, ann, { command: 'setAmount', value: 'much' })).status).toBe(422);
	expect((await api('POST', `/documents/${deal}/commands`, ann, { command: 'explode' })).body.code).toBe('unknown-command');
	expect((await api('POST', `/documents/${deal}/commands`, ann, { command: 'constructor' })).body.code).toBe('unknown-command');
	expect((await api('POST', `/documents/${deal}/commands`, ann, { command: '../x' })).body.code).toBe('unknown-command');
	await api('POST', `/documents/${deal}/commands`, ann, { command: 'delete' });
	expect((await api('POST', `/documents/${deal}/commands`, ann, { command: 'setTitle', value: 'x' })).body.code).toMatch(/target-gone|not-found/);
	expect((await api('POST', '/documents', bob, { kind: 'employee', fields: { firstName: 'X', lastName: 'Y', email: 'x@example.com' } })).status).toBe(403);
});

test('[P7] authorship is the session’s', async () => {
	const id = await make(ann, 'task', { title: 'Whose?', participants: [bob.employee] });
	const forged = await api('POST', `/documents/${id}/commands`, bob, { command: 'comment', text: 'by Ann', author: ann.employee });
	expect(forged.status).toBe(422);
	await api('POST', `/documents/${id}/commands`, bob, { command: 'comment', args: { text: 'by Bob' }, author: ann.employee });
	expect((await api('GET', `/documents/${id}`, ann)).body.comments.map((comment: { by: string }) => comment.by)).toEqual([bob.employee]);
});

test('lists go on where they ended', async () => {
	const who = await relay.found('pages@example.com', 'Pages');
	for (let i = 0; i < 5; i++) expect(await make(who, 'product', { name: `Product ${i}` })).toMatch(/^product_/);
	const first = await api('GET', '/documents?kind=product&limit=3', who);
	const rest = await api('GET', `/documents?kind=product&limit=3&after=${first.body.next}`, who);
	expect([first.body.rows.length, rest.body.rows.length, rest.body.next]).toEqual([3, 2, null]);
	expect((await api('GET', '/documents?kind=product&limit=100000000', who)).status, 'more than a page is a page').toBe(200);
	for (const query of ['', '?kind=nothing', '?kind=task&limit=0', '?kind=task&limit=x', '?kind=task&after=x']) {
		expect((await api('GET', `/documents${query}`, who)).status, query).toBe(422);
	}
});

test('invitations: a result per address, and one employee however often a code is used', async () => {
	const { body } = await api('POST', '/invitations', ann, { addresses: ['carl@example.com', 'Carl@Example.com ', 'bob@example.com', 'nothing'] });
	expect(body.results.map((one: { result: string }) => one.result)).toEqual(['invited', 'repeated', 'already-member', 'invalid']);
	expect((await api('POST', '/invitations', ann, { addresses: ['carl@example.com'] })).body.results[0].result).toBe('already-invited');
	expect((await api('POST', '/invitations', bob, { addresses: ['dora@example.com'] })).status).toBe(403);

	const code = await relay.codeFor(ann, 'carl@example.com');
	expect((await api('POST', '/invitations/open', undefined, { code })).body).toMatchObject({ company: 'Acme', email: 'carl@example.com' });
	const acceptance = { firstName: 'Carl', lastName: 'Orr', password: PASSWORD };
	const all = await Promise.all(Array.from({ length: 5 }, () => api('POST', '/invitations/acceptance', undefined, { code, ...acceptance })));
	// Whoever comes while it is being accepted hears 409, whoever comes after that 404.
	const [accepted, ...others] = all.map(({ status }) => status).sort((a, b) => a - b);
	expect(accepted).toBe(201);
	for (const status of others) expect([404, 409]).toContain(status);
	expect((await api('POST', '/invitations/acceptance', undefined, { code, ...acceptance })).status).toBe(404);
	const people = await api('GET', '/documents?kind=employee', ann);
	expect(people.body.rows.filter((row: { email: string }) => row.email === 'carl@example.com')).toHaveLength(1);
});

test('an acceptance sets and resets no password, and leaves the code open when it fails', async () => {
	await relay.found('known@example.com', 'Hers');
	const code = await relay.codeFor(ann, 'known@example.com');
	const wrong = await api('POST', '/invitations/acceptance', undefined, { code, firstName: 'K', lastName: 'N', password: 'some other password' });
	expect([wrong.status, wrong.body.code]).toEqual([401, 'wrong-credentials']);
	const right = await api('POST', '/invitations/acceptance', undefined, { code, firstName: 'K', lastName: 'N', password: PASSWORD });
	expect([right.status, right.body.portal]).toEqual([201, ann.portal]);
});

test('an acceptance that broke off after the employee was made goes on with that employee', async () => {
	const code = await relay.codeFor(ann, 'crash@example.com');
	const { accounts } = relay.relay.services;
	const add = accounts.addMembership.bind(accounts);
	accounts.addMembership = () => Promise.reject(new Error('the power went'));
	const acceptance = { firstName: 'C', lastName: 'R', password: PASSWORD };
	expect((await api('POST', '/invitations/acceptance', undefined, { code, ...acceptance })).status).toBe(500);
	accounts.addMembership = add;
	expect((await api('POST', '/invitations/acceptance', undefined, { code, ...acceptance })).status).toBe(201);
	const people = await api('GET', '/documents?kind=employee', ann);
	expect(people.body.rows.filter((row: { email: string }) => row.email === 'crash@example.com')).toHaveLength(1);
	expect(relay.log.splice(0).join()).toContain('the power went');
});

test('the dismissed get 403, and cannot sign in', async () => {
	const dora = await relay.join(ann, 'dora@example.com', 'Dora');
	expect((await api('POST', `/documents/${dora.employee}/commands`, ann, { command: 'dismiss' })).status).toBe(200);
	const me = await api('GET', '/me', dora);
	expect([[401, 403].includes(me.status), me.body.employee]).toEqual([true, undefined]);
	expect((await api('POST', '/sessions', undefined, { email: 'dora@example.com', password: PASSWORD })).body.code).toBe('not-a-member');
});

test('the tariff says what holds and what is used, and all plans beside it', async () => {
	const { body } = await api('GET', '/tariff', bob);
	expect(body).toMatchObject({ plan: 'project', until: null, people: { most: 12, used: expect.any(Number) }, storageBytes: { used: 0, most: 5 * 1024 ** 3 }, features: [] });
	expect(body.plans.find(({ name }: { name: string }) => name === 'team')).toMatchObject({ where: 'cloud', people: null, seats: null, features: ['processes', 'extranet', 'workingHours'] });
});

test('the last seat: of two acceptances at once one is told the number and the way out, and its invitation stays open', async () => {
	const other = await relay.found('seats@example.com', 'Seats');
	const portal = (await relay.relay.services.portals.portal(other.portal as never))!;
	for (let n = 2; n <= 11; n++) await addEmployee(portal, { firstName: `P${n}`, lastName: 'X', email: `p${n}@example.com` });
	const codes = [await relay.codeFor(other, 'twelve@example.com'), await relay.codeFor(other, 'thirteen@example.com')];
	const accept = (code: string) => relay.call('POST', '/api/v1/invitations/acceptance', { body: { code, firstName: 'New', lastName: 'Ray', password: PASSWORD } });
	const answers = await Promise.all(codes.map(accept));
	expect(answers.map(({ status }) => status).sort()).toEqual([201, 402]);
	const refused = answers.findIndex(({ status }) => status === 402);
	expect(answers[refused]!.headers.get('content-type')).toBe('application/problem+json');
	expect(answers[refused]!.body).toMatchObject({
		code: 'quota', rule: 'tariff.people', who: ['admins'], tariff: { plan: 'project', limit: 'people', used: 12, most: 12, more: 1, ways: ['projectPlus', 'team', 'company'] }
	});
	await relay.relay.services.portals.subscribe(portal.id, { plan: 'projectPlus' });
	expect((await accept(codes[refused]!)).status).toBe(201);
	expect((await api('GET', '/tariff', other)).body.people).toEqual({ used: 13, most: 24 });
});

test('what was acknowledged is there after a restart, and the session too', async () => {
	const id = await make(ann, 'text', { title: 'Notes', place: 'company' });
	await relay.restart();
	expect((await api('GET', `/documents/${id}`, bob)).body.row.title).toBe('Notes');
	expect((await relay.call('GET', '/healthz')).status).toBe(200);
	expect((await relay.call('GET', '/metrics')).body).toMatch(/atrium_log_entries [1-9]/);
	expect(relay.log).toEqual([]);
});

test('why one sees a document and what one may do with it: one’s own reasons, and for administrators anybody’s', async () => {
	const id = await make(bob, 'task', { title: 'Bob’s own' });
	const own = await api('GET', `/documents/${id}/access`, bob);
	expect(own.status).toBe(200);
	expect(own.body).toMatchObject({ person: bob.employee, visible: true, openings: [{ principal: `task:user:${bob.employee}`, of: id, by: [{ kind: 'self' }] }] });
	expect(own.body.may).toEqual(expect.arrayContaining([{ verb: 'delete', verdict: { allow: true, rule: expect.any(String) } }]));
	const seen = (await api('GET', `/documents/${id}/access`, ann)).body.openings;
	expect(seen.flatMap((one: { by: unknown[] }) => one.by)).toContainEqual({ kind: 'administrator' });
	expect((await api('GET', `/documents/${id}/access?person=${bob.employee}`, ann)).body).toEqual(own.body);
	const hers = await make(ann, 'task', { title: 'Ann’s own' });
	expect((await api('GET', `/documents/${hers}/access?person=${bob.employee}`, ann)).body).toMatchObject({ visible: false, openings: [], may: [] });
	// Not readable, not there, and asking for somebody else without being administrator: one answer.
	const answers = await Promise.all([`/documents/${hers}/access`, `/documents/${ids.document('task')}/access`, `/documents/${id}/access?person=${ann.employee}`].map((path) => api('GET', path, bob)));
	for (const { status, body } of answers) expect([status, body]).toEqual([404, answers[0]!.body]);
	expect((await api('GET', `/documents/${id}/access?person=x`, ann)).status).toBe(422);
});

test('whoever proposes for what they may not read learns nothing of it by asking why they see the proposal', async () => {
	const hers = await make(ann, 'task', { title: 'Ann’s own' });
	const asks = async (target: string) => (await api('GET', `/documents/${await make(bob, 'proposal', { target, note: 'x', commands: [{ document: target, name: 'task.delete', args: {} }] })}/access`, bob)).body.who;
	const [there, none] = [await asks(hers), await asks(ids.document('task'))];
	expect([there, none]).toEqual([[`user:${bob.employee}`], [`user:${bob.employee}`]]);
});
