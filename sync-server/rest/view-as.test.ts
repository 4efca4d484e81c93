// Looking on as somebody else over REST and over a real socket.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { viewsOf } from '#crdt-model/kinds/company-structure.ts';
import { decodeDown, encodeUp } from '#crdt-model/wire/codec.ts';
import type { Down } from '#crdt-model/wire/down.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { VIEW_MS } from '../accounts/views.ts';
import { type SignIn, PASSWORD, TestRelay } from './test-relay.ts';

let relay: TestRelay;
let ann: SignIn;
let bob: SignIn;
let eve: SignIn;
const api = (method: string, path: string, token: string, body?: unknown) => relay.call(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) });
const signedIn = async () => (await relay.call('POST', '/api/v1/sessions', { body: { email: 'ann@example.com', password: PASSWORD } })).body as SignIn;
const begun = async (who: SignIn, person = bob.employee) => (await api('POST', '/view-as', who.token, { person })).body as { view: string; token: string };
const begin = async (who: SignIn, person = bob.employee) => (await begun(who, person)).token;
const ownCookie = ({ portal, token }: SignIn) => `atrium_session_${portal.slice(-12)}=${token}`;
const viewCookie = ({ view, token }: { view: string; token: string }) => `atrium_view_${view.slice(-12)}=${token}`;

/** As a page of the browser opens it: the view as subprotocol, its cookie, and the administrator's own beside it. */
async function socket(view: string, cookie: string): Promise<{ first: Promise<Down>; closed: Promise<number>; close: () => void; protocol: () => string }> {
	const { WebSocket } = await import('ws');
	const ws = new WebSocket(`${relay.address.replace('http', 'ws')}/sync`, [`atrium.view.${view}`], { headers: { origin: relay.address, cookie } });
	ws.binaryType = 'nodebuffer';
	const first = new Promise<Down>((resolve) => ws.once('message', (data: Buffer) => {
		const decoded = decodeDown(new Uint8Array(data));
		if (decoded.ok) resolve(decoded.message);
	}));
	const closed = new Promise<number>((resolve) => ws.once('close', resolve));
	ws.once('open', () => ws.send(encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: null, held: digestOf([]) })));
	return { first, closed, close: () => ws.close(), protocol: () => ws.protocol };
}

beforeAll(async () => {
	relay = await TestRelay.start();
	ann = await relay.found('ann@example.com');
	bob = await relay.join(ann, 'bob@example.com');
	eve = await relay.join(ann, 'eve@example.com', 'Eve');
});
afterAll(() => relay.end());

test('only administrators begin one, of another member, and it is recorded', async () => {
	expect((await api('POST', '/view-as', bob.token, { person: ann.employee })).body).toMatchObject({ code: 'denied', rule: 'view.administrators' });
	expect((await api('POST', '/view-as', ann.token, { person: ann.employee })).status).toBe(422);
	expect((await api('POST', '/view-as', ann.token, { person: 'nobody' })).status).toBe(422);
	const answer = await api('POST', '/view-as', ann.token, { person: bob.employee });
	expect([answer.status, answer.body.person]).toEqual([201, bob.employee]);
	expect(answer.body.expiresAt).toBeLessThanOrEqual(Date.now() + VIEW_MS);
	const portal = (await relay.relay.services.portals.portal(bob.portal as never))!;
	const { state } = (await portal.read(eve.employee as never, bob.employee as never))!;
	expect(viewsOf(state)).toMatchObject([{ by: ann.employee }]);
});

test('it reads as the person reads', async () => {
	const mine = (await api('POST', '/documents', bob.token, { kind: 'text', fields: { title: 'Bob’s own', place: 'mine' } })).body.id;
	const hers = (await api('POST', '/documents', ann.token, { kind: 'task', fields: { title: 'Ann’s own' } })).body.id;
	const view = await begin(ann);
	expect((await api('GET', '/me', view)).body).toMatchObject({ employee: bob.employee, viewer: ann.employee });
	expect((await api('GET', `/documents/${mine}`, view)).body.row.title).toBe('Bob’s own');
	expect((await api('GET', `/documents/${hers}`, view)).status).toBe(404);
	expect((await api('GET', '/documents?kind=task', view)).body.rows).toEqual([]);
	// Neither where the administrator is signed in, nor by what the person signs in.
	for (const path of ['/sessions', '/me/passkeys', '/me/links']) expect((await api('GET', path, view)).body.code, path).toBe('denied');
	expect(Object.keys((await api('GET', '/me', view)).body)).not.toContain('secondFactor');
	expect((await api('POST', '/sessions/switch', view, { portal: ann.portal })).body.rule).toBe('view.read-only');
});

test('it changes nothing, and begins no other', async () => {
	const view = await begin(ann);
	for (const [method, path, body] of [
		['POST', '/documents', { kind: 'task', fields: { title: 'Forged' } }],
		['POST', `/documents/${bob.employee}/commands`, { command: 'setPosition', value: 'Forged' }],
		['POST', '/invitations', { addresses: ['x@example.com'] }],
		['POST', '/view-as', { person: eve.employee }]
	] as const) expect((await api(method, path, view, body)).body, path).toMatchObject({ code: 'denied', rule: 'view.read-only' });
	expect((await api('GET', '/documents?kind=task', bob.token)).body.rows).toEqual([]);
});

test('over a socket it speaks for the view, whatever cookie comes with it', async () => {
	const own = ownCookie(ann);
	const [view, other] = [await begun(ann), await begun(ann, eve.employee)];
	const open = await socket(view.view, `${own}; ${viewCookie(other)}; ${viewCookie(view)}`);
	expect(await open.first).toMatchObject({ type: 'welcome', person: bob.employee, viewer: ann.employee });
	expect(open.protocol()).toMatch(/^atrium\.view\./u);
	open.close();
	// A view that is over, another's cookie under its name, no cookie of it, the token where the name belongs, no name.
	for (const [named, cookie] of [
		[view.view.replace(/.$/u, (last) => (last === '0' ? '1' : '0')), viewCookie(view)],
		[view.view, viewCookie({ view: view.view, token: other.token })],
		[view.view, viewCookie({ view: view.view, token: ann.token })],
		[view.view, viewCookie(other)],
		[view.token, viewCookie(view)],
		['', viewCookie(view)]
	] as const) expect(await (await socket(named, `${own}; ${cookie}`)).closed, named).toBe(4401);
});

test('to a page its token is a cookie that no script reads; it speaks where it is named, and no sign-in in its place', async () => {
	const page = { origin: relay.address, cookie: ownCookie(ann) };
	const answer = await relay.call('POST', '/api/v1/view-as', { body: { person: bob.employee }, headers: page });
	expect([answer.status, Object.keys(answer.body).sort()]).toEqual([201, ['expiresAt', 'person', 'view']]);
	const [set] = answer.headers.getSetCookie();
	expect(set).toMatch(/^atrium_view_[0-9a-f]{12}=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/u);
	const both = `${page.cookie}; ${set!.split(';')[0]}`;
	const me = async (cookie: string, view?: string) => {
		const { status, body } = await relay.call('GET', '/api/v1/me', { headers: { cookie, ...(view && { 'x-atrium-view': view }) } });
		return status === 200 ? [body.employee, body.viewer ?? null] : status;
	};
	expect(await me(both, answer.body.view)).toEqual([bob.employee, ann.employee]);
	expect(await me(both)).toEqual([ann.employee, null]);
	expect([await me(page.cookie, answer.body.view), await me(both, 'x'), await me(both, ann.portal)]).toEqual([401, 401, 401]);
	const change = (headers: Record<string, string>) => relay.call('POST', '/api/v1/documents', { body: { kind: 'task', fields: { title: 'Forged' } }, headers: { origin: relay.address, cookie: both, ...headers } });
	expect((await change({ 'x-atrium-view': answer.body.view })).body).toMatchObject({ code: 'denied', rule: 'view.read-only' });
	const end = (origin: string) => relay.call('DELETE', '/api/v1/view-as', { headers: { origin, cookie: both, 'x-atrium-view': answer.body.view } });
	expect((await end('https://evil.example')).body.code).toBe('bad-origin');
	const ended = await end(relay.address);
	expect([ended.status, ended.headers.getSetCookie()[0]]).toEqual([204, expect.stringMatching(/^atrium_view_[0-9a-f]{12}=; Path=\/; Max-Age=0;/u)]);
	expect([await me(both, answer.body.view), await me(both)]).toEqual([401, [ann.employee, null]]);
});

test('it ends by hand, with the sign-in, and by the hour; open sockets close', async () => {
	const { token: first, view } = await begun(ann);
	const open = await socket(view, viewCookie({ view, token: first }));
	await open.first;
	expect((await api('DELETE', '/view-as', first)).status).toBe(204);
	expect([await open.closed, (await api('GET', '/me', first)).status]).toEqual([4401, 401]);

	const other = await signedIn();
	const { token: second, view: seconds } = await begun(other);
	const also = await begin(other, eve.employee);
	const opened = await socket(seconds, viewCookie({ view: seconds, token: second }));
	await opened.first;
	await api('DELETE', '/sessions/current', other.token);
	expect([await opened.closed, (await api('GET', '/me', second)).status, (await api('GET', '/me', also)).status]).toEqual([4401, 401, 401]);

	const third = await begin(ann);
	expect((await api('DELETE', '/view-as', ann.token)).status).toBe(204);
	expect([(await api('GET', '/me', third)).status, (await api('GET', '/me', ann.token)).status]).toEqual([401, 200]);
});

test('who is no administrator any more looks on no more, also after becoming one again', async () => {
	const set = (value: boolean) => api('POST', `/documents/${eve.employee}/commands`, ann.token, { command: 'setAdministrator', value });
	await set(true);
	const { token: view, view: named } = await begun(eve);
	const open = await socket(named, viewCookie({ view: named, token: view }));
	await open.first;
	await set(false);
	expect([await open.closed, (await api('GET', '/me', view)).status]).toEqual([4403, 401]);
	await set(true);
	expect((await api('GET', '/me', view)).status).toBe(401);
});
