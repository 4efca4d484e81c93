import { beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { pageOf } from '#crdt-model/ids.ts';
import { describeAnswer } from '../testing/device.ts';
import { ANN, CAT, DAN, FAY, some, Stage } from '../testing/stage.ts';

const TEXT = some('text', 1);
let stage: Stage;
beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'text.create', TEXT, { title: 't', place: 'company' });
});
function typed(client: number, words: string): Uint8Array {
	const doc = new Y.Doc();
	doc.clientID = client;
	doc.getText('text').insert(0, words);
	return Y.encodeStateAsUpdate(doc);
}
async function send(person: typeof CAT, bytes: Uint8Array, document: Parameters<Stage['portal']['admitUpdate']>[1] = TEXT): Promise<string> {
	const { result, durable } = await stage.portal.admitUpdate(person, document, bytes, null);
	await durable;
	return describeAnswer(result);
}
const text = async () => (await stage.portal.openContent({ person: ANN, viewer: null }, TEXT))!.room.doc.getText('text').toString();

test('[G9] a device may resend the whole document, whatever commands wrote into it; it writes nothing there itself', async () => {
	await stage.as(CAT, 'text.setGrant', TEXT, { key: `user:${FAY}`, value: 'read' });
	expect(await send(CAT, typed(900_001, 'hello'))).toBe('accepted');
	const { doc } = (await stage.portal.openContent({ person: ANN, viewer: null }, TEXT))!.room;
	expect([...doc.share.keys()].sort()).toEqual(['grants', 'record', 'text']);
	const entries = stage.portal.log.assigned;
	expect(await send(CAT, Y.encodeStateAsUpdate(doc))).toBe('accepted');
	expect(stage.portal.log.assigned).toBe(entries);
	for (const root of ['record', 'grants']) expect(await send(CAT, other(root, 900_002)), root).toBe('refused bad-shape');
});

test('[G8] what is refused has changed nothing: no content, no entry, no binding', async () => {
	const before = stage.portal.log.assigned;
	const wrong: [string, Uint8Array][] = [
		['malformed', Uint8Array.of(1, 1, 1, 200)],
		['malformed', typed(900_001, 'cut short').slice(0, -3)],
		['bad-shape', other('elsewhere')],
		['bad-shape', other('record')]
	];
	for (const [code, bytes] of wrong) expect(await send(CAT, bytes)).toBe(`refused ${code}`);
	expect(await send(CAT, typed(900_001, 'x'.repeat(2_000_000)))).toMatch(/^refused/);
	expect([stage.portal.log.assigned, await text(), await stage.portal.store.bindings(TEXT)]).toEqual([before, '', []]);
});
function other(root: string, client = 900_001): Uint8Array {
	const doc = new Y.Doc();
	doc.clientID = client;
	doc.getMap(root).set('number', 7);
	return Y.encodeStateAsUpdate(doc);
}

test('[G9] what the relay holds already is accepted from whoever reads, and makes no entry', async () => {
	expect(await send(CAT, typed(900_001, 'hello'))).toBe('accepted');
	const { assigned } = stage.portal.log;
	expect(await send(CAT, typed(900_001, 'hello'))).toBe('accepted');
	expect(await send(DAN, typed(900_001, 'hello'))).toBe('accepted');
	expect([stage.portal.log.assigned, await text()]).toEqual([assigned, 'hello']);
});

test('[G10] an id belongs to whose content came with it first, also after a restart; the relay\'s own to nobody', async () => {
	expect(await send(CAT, typed(900_001, 'a'))).toBe('accepted');
	const more = new Y.Doc();
	Y.applyUpdate(more, typed(900_001, 'a'));
	more.clientID = 900_001;
	more.getText('text').insert(1, 'b');
	for (const restart of [false, true]) {
		if (restart) await stage.reopen();
		expect(await send(DAN, Y.encodeStateAsUpdate(more))).toBe('refused foreign');
	}
	for (const client of [2 ** 32 - 1, 2 ** 32 - 2, 2 ** 32 - 1_024]) expect(await send(DAN, typed(client, 'as the relay')), `client ${client}`).toMatch(/refused (foreign|gap|clock-reuse)/);
	expect(await text()).toBe('a');
});

test('[G10] one client id in two documents may be two people\'s', async () => {
	await stage.as(CAT, 'text.create', some('text', 2), { title: 't', place: 'company' });
	expect(await send(CAT, typed(900_001, 'a'))).toBe('accepted');
	expect(await send(DAN, typed(900_001, 'b'), some('text', 2))).toBe('accepted');
});

test('[G11] not there, not readable, without content: not-found; deleted: target-gone; readable only: denied', async () => {
	await stage.as(CAT, 'text.create', some('text', 2), { title: 'mine', place: 'mine' });
	await stage.as(CAT, 'task.create', some('task', 1), { title: 't', observers: [FAY] });
	await stage.as(CAT, 'page.hang', pageOf(some('task', 1)), { title: 'd', on: some('task', 1) });
	for (const id of [some('text', 2), some('text', 3), some('task', 1), pageOf(some('task', 1))]) {
		expect(await stage.portal.admitUpdate(DAN, id, typed(900_001, 'x'), null).then(({ result }) => result)).toEqual({
			kind: 'refused', refusal: { code: 'not-found', detail: id }, command: null
		});
	}
	const page = new Y.Doc();
	(page.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, new Y.XmlText());
	expect(await send(FAY, Y.encodeStateAsUpdate(page), pageOf(some('task', 1)))).toMatch(/^refused denied by task/);
	await stage.as(CAT, 'text.delete', TEXT);
	expect(await send(CAT, typed(900_001, 'x'))).toBe('refused target-gone');
	await stage.as(CAT, 'task.delete', some('task', 1));
	expect(await send(CAT, Y.encodeStateAsUpdate(page), pageOf(some('task', 1)))).toMatch(/^refused denied/);
});

test('[G12] a document that was dropped is read anew with what was on its way to disk', async () => {
	for (let i = 0; i < 5; i++) {
		const first = stage.portal.admitUpdate(CAT, TEXT, typed(900_001 + i, `${i}`), null);
		const { durable } = await first;
		stage.portal.rooms.evict(stage.portal.rooms.peek(TEXT)!);
		const second = await stage.portal.admitUpdate(CAT, TEXT, typed(900_011 + i, `${i}`), null);
		await Promise.all([durable, second.durable]);
		expect(second.result.kind).toBe('accepted');
	}
	expect([(await text()).length, stage.failures]).toEqual([10, []]);
});
