// What the company has settled, against somebody who works around it: who addresses everybody, and services that are switched off.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { pageOf, type DocumentId } from '#crdt-model/ids.ts';
import { until } from '../support/relay.ts';
import { SyncClient } from '../support/sync-client.ts';
import { Arena, commandOf, ids, liveFrame, marker, type Hostile } from './arena.ts';

let arena: Arena;
let mallory: Hostile;
let ben: Hostile;
let settings: DocumentId;
beforeAll(async () => {
	arena = await Arena.open();
	[mallory, ben] = [await arena.hostile(), await arena.honest('Ben')];
	settings = [...arena.truth.held.values()].find(({ row }) => row?.kind === 'settings')!.row!.id;
}, 120_000);
afterAll(() => arena?.close());

const must = async (outcome: Promise<string>): Promise<void> => expect(await outcome).toBe('accepted');
const all = (value: string | null) => ({ key: 'all', value });

test('addressing everybody: no grant to all by whoever is not named, by no way and at no level', async () => {
	const [text, page, file] = [ids.document('text'), ids.document('page'), ids.document('file')];
	await must(mallory.command(text, 'text.create', { title: 'Mine', place: 'mine' }));
	await must(mallory.command(page, 'page.create', { title: 'Mine', place: 'mine' }));
	await must(mallory.command(file, 'file.create', { name: 'mine.txt', size: 1, mime: 'text/plain', digest: 'a'.repeat(64), place: 'mine' }));
	await must(arena.as(settings, 'settings.setWritersToAll', { value: [`user:${ben.person}`] }));
	for (const [id, kind] of [[text, 'text'], [page, 'page'], [file, 'file']] as const) {
		for (const level of ['read', 'add', 'edit', 'share', 'full']) expect(await mallory.command(id, `${kind}.setGrant`, all(level))).toBe('denied');
		expect((await mallory.api('POST', `/documents/${id}/commands`, { command: 'setGrant', key: 'all', value: 'read' })).body).toMatchObject({ code: 'denied', rule: 'recipients.all-is-limited' });
	}
	// By the other name of everybody.
	const root = [...arena.truth.held.values()].find(({ row }) => row?.kind === 'department')!.row!.id;
	expect(await mallory.command(text, 'text.setGrant', { key: `departments:${root}`, value: 'read' })).toBe('denied');
	// With the settings changed in the same breath, with a time that loses, and with one that has passed long ago.
	expect(await mallory.submit(commandOf(settings, 'settings.setWritersToAll', { value: null }), commandOf(text, 'text.setGrant', all('read')))).toBe('denied');
	expect(await mallory.submit(commandOf(text, 'text.setGrant', all('read')), commandOf(text, 'text.setGrant', all(null)))).toBe('denied');
	for (const at of [0, 1, Date.now() + 3_600_000]) expect(await mallory.command(text, 'text.setGrant', all('read'), { at })).toBe('denied');
	// For a document made at once, in one batch.
	const fresh = ids.document('text');
	expect(await mallory.submit(commandOf(fresh, 'text.create', { title: 'x', place: 'mine' }), commandOf(fresh, 'text.setGrant', all('read')))).toBe('denied');
	expect(await mallory.command(ids.document('role'), 'role.create', { name: 'x', people: ['all'] })).toBe('denied');
	expect(((await arena.row(text)) as { grants: object }).grants).toEqual({});
	await must(mallory.command(text, 'text.setGrant', { key: `user:${ben.person}`, value: 'full' }));
	// Whoever is named may, also on what is another's where they may grant at all; what stands is taken back by its maker.
	await must(ben.command(text, 'text.setGrant', all('read')));
	expect(await mallory.command(text, 'text.setGrant', all('edit'))).toBe('denied');
	await must(mallory.command(text, 'text.setGrant', all(null)));
	await must(arena.as(settings, 'settings.setWritersToAll', { value: null }));
	await must(mallory.command(text, 'text.setGrant', all('read')));
});

test('faces: no picture of another, of something else, or of what is not there', async () => {
	const face = ids.document('file');
	const args = { name: 'me.webp', size: 10, mime: 'image/webp', digest: 'b'.repeat(64), place: 'face' };
	for (const [wrong, code] of [[{ size: 300 * 1024 }, 'bad-value'], [{ mime: 'image/svg+xml' }, 'bad-value'], [{ mime: 'text/html' }, 'bad-value']] as const) expect(await mallory.command(ids.document('file'), 'file.create', { ...args, ...wrong })).toBe(code);
	await must(mallory.command(face, 'file.create', args));
	await must(mallory.command(mallory.person, 'employee.setPhoto', { value: face }));
	const secret = await arena.made(ids.document('file'), { ...args, place: 'mine' });
	for (const value of [secret, ids.document('file')]) expect(await mallory.command(mallory.person, 'employee.setPhoto', { value })).toBe('denied');
	expect(await mallory.command(ben.person, 'employee.setPhoto', { value: face })).toBe('denied');
	expect(await ben.command(face, 'file.delete')).toBe('denied');
	for (const [verb, value] of [['setPlace', { value: 'company' }], ['setGrant', all('read')]] as const) expect(await mallory.command(face, `file.${verb}`, value)).toBe('denied');
	for (const who of [mallory.person, ben.person]) {
		expect(await mallory.command(who, 'employee.setEmail', { value: 'mallory@evil.example' })).toBe('denied');
		expect(await mallory.command(who, 'employee.erase', {})).toBe('denied');
	}
	expect(await arena.as(ben.person, 'employee.erase', {})).toBe('denied');
	expect(await arena.as(ben.person, 'employee.setEmail', { value: 'ben@acme.example' })).toBe('denied');
	for (const [name, value] of [['Entry', null], ['ServicesOff', ['tasks']], ['Inviters', ['all']], ['SelfRegistration', { mode: 'open', domains: [] }], ['SecondFactor', null]] as const) expect(await mallory.command(settings, `settings.set${name}`, { value })).toBe('denied');
});

test('a service that is off: nothing of it by any door, for nobody; on again everything is back', { timeout: 60_000 }, async () => {
	// Nothing of what follows comes to them while it is on.
	mallory.hangUp();
	const word = marker('service');
	const client = await arena.made(ids.document('company'), { name: word });
	const deal = await arena.made(ids.document('deal'), { title: 'Deal', responsible: mallory.person });
	const hung = pageOf(deal);
	await must(arena.as(hung, 'page.hang', { title: word, on: deal }));
	const text = await arena.made(ids.document('text'), { title: word, place: 'company' });
	const bytes = Buffer.from(word);
	const file = await arena.made(ids.document('file'), { name: 'x.txt', size: bytes.byteLength, mime: 'text/plain', digest: createHash('sha256').update(bytes).digest('hex'), place: 'company' });
	const send = (method: string, who: { token: string }, headers: Record<string, string> = {}) =>
		fetch(`${arena.relay.url}/api/v1/files/${file}`, { method, ...(method === 'PUT' || method === 'PATCH' ? { body: bytes } : {}), headers: { authorization: `Bearer ${who.token}`, 'content-type': 'application/offset+octet-stream', ...headers } });
	expect((await send('PUT', arena.ana)).status).toBe(204);
	const away = new SyncClient(arena.relay.socketUrl, ben.token);
	await away.connect();
	away.close();
	const stays = new SyncClient(arena.relay.socketUrl, ben.token);
	await stays.connect();
	await must(arena.as(settings, 'settings.setServicesOff', { value: ['crm', 'documents'] }));

	// Somebody who has nothing of it yet, by every way in.
	const device = await mallory.anotherDevice();
	for (const id of [client, deal, hung, text, file]) expect(device.held.has(id), id).toBe(false);
	for (const who of [mallory, arena.ana]) {
		const api = (method: string, path: string, body?: unknown) => (who === mallory ? mallory.api(method, path, body) : arena.relay.api<{ code?: string }>(method, path, body, who.token));
		for (const kind of ['company', 'deal', 'product', 'role', 'text']) expect((await api('GET', `/documents?kind=${kind}`)).body).toMatchObject({ code: 'service-off' });
		for (const kind of ['page', 'proposal']) expect((await api('GET', `/documents?kind=${kind}&limit=200`)).body).toMatchObject({ rows: [] });
		// A face is of no service.
		const files = (await api('GET', '/documents?kind=file&limit=200')).body as { rows: { place: string }[] };
		expect(files.rows.map(({ place }) => place)).toEqual(['face']);
		for (const id of [client, deal, hung, text, file]) {
			expect(await api('GET', `/documents/${id}`)).toMatchObject({ status: 403, body: { code: 'service-off' } });
			expect(await api('GET', `/documents/${id}/access`)).toMatchObject({ status: 403, body: { code: 'service-off' } });
		}
		expect(await api('POST', '/documents', { kind: 'deal', fields: { title: 'x' } })).toMatchObject({ status: 403, body: { code: 'service-off', rule: 'service.crm' } });
		expect(await api('POST', `/documents/${deal}/commands`, { command: 'setTitle', value: 'x' })).toMatchObject({ status: 403, body: { code: 'service-off' } });
		for (const method of ['GET', 'HEAD', 'PUT', 'PATCH']) expect((await send(method, who, { 'upload-offset': '0' })).status, method).toBe(403);
	}
	for (const [id, name, args] of [
		[client, 'company.setName', { value: 'x' }], [deal, 'deal.setAmount', { value: 1 }], [deal, 'deal.comment', { item: ids.item(), text: 'x' }], [ids.document('company'), 'company.create', { name: 'x' }],
		[hung, 'page.setTitle', { value: 'x' }], [text, 'text.setGrant', { key: `user:${ben.person}`, value: 'read' }], [ids.document('proposal'), 'proposal.create', { target: deal, text: 'x' }], [ids.document('text'), 'text.create', { title: 'x' }]
	] as const) expect(await mallory.command(id as DocumentId, name, args), name).toBe('service-off');
	const doc = new Y.Doc();
	doc.getText('text').insert(0, 'typed');
	expect(await mallory.update(text, Y.encodeStateAsUpdate(doc))).toBe('service-off');
	for (const id of [text, hung]) expect(await mallory.attack(`/live/${id}`, [liveFrame(0, Uint8Array.of(0))])).toBe(4403);
	expect(mallory.has(word)).toBe(false);
	// The rest of the company works on, and whoever held it keeps it.
	await must(mallory.command(ids.document('task'), 'task.create', { title: 'Work' }));
	expect([client, text].map((id) => stays.held.has(id))).toEqual([true, true]);

	device.close();
	mallory.hangUp();
	await must(arena.as(settings, 'settings.setServicesOff', { value: [] }));
	// Everybody is asked what they hold.
	await until(() => arena.truth.closeCode !== null && stays.closeCode !== null);
	expect([arena.truth.closeCode, stays.closeCode]).toEqual([4503, 4503]);
	await arena.truth.connect();
	const back = await mallory.anotherDevice();
	for (const one of [back, away, stays]) {
		if (one !== back) await one.connect();
		expect([client, text].map((id) => one.held.has(id))).toEqual([true, true]);
		one.close();
	}
	expect(back.held.get(hung)?.row).toMatchObject({ title: word });
	expect(Buffer.from(await (await send('GET', mallory)).arrayBuffer()).toString()).toBe(word);
	await must(mallory.command(deal, 'deal.setAmount', { value: 1 }));
});
