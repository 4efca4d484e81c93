import * as awarenessProtocol from 'y-protocols/awareness';
import { beforeEach, expect, test } from 'vitest';
import { pageOf } from '#crdt-model/ids.ts';
import { CAT, DAN, FAY, some, Stage } from '../testing/stage.ts';
import { colourOf } from './colours.ts';
import { Presence, readPresence, writePresence } from './presence.ts';

const TEXT = some('text', 1);
let stage: Stage;
beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'text.create', TEXT, { title: 't', place: 'company' });
});
async function two() {
	const cat = stage.live(CAT, TEXT, 900_001);
	const dan = stage.live(DAN, TEXT, 900_002);
	await stage.settle();
	return { cat, dan };
}

test('[N1] a connection speaks for its own id alone: spoofed entries and echoes are ignored and no offence', async () => {
	const { cat, dan } = await two();
	const before = [cat.present, dan.present];
	expect(before).toEqual([{ 900_001: '', 900_002: 'dan Test' }, { 900_001: 'cat Test', 900_002: '' }]);
	dan.say(writePresence([{ client: 900_001, clock: 99_999, state: { user: { name: 'Eve' } } }]));
	dan.say(writePresence([{ client: 900_001, clock: 99_999, state: null }]));
	dan.say(writePresence([{ client: 42, clock: 1, state: { x: 1 } }]));
	await stage.settle();
	expect([cat.present, dan.present, cat.closedWith, dan.closedWith]).toEqual([...before, null, null]);
});

test('[N1] an id under which another person wrote is never shown for somebody else', async () => {
	const { cat } = await two();
	cat.text.insert(0, 'x');
	await stage.settle();
	cat.socket.cut();
	const forger = stage.live(FAY, TEXT, 900_001);
	await stage.settle();
	expect(Object.values(forger.present)).not.toContain('fay Test');
	const watcher = stage.live(DAN, TEXT, 900_004);
	await stage.settle();
	expect(watcher.present[900_001]).toBeUndefined();
});

test('[N2] name and colour are the relay\'s, whatever the client says', async () => {
	const { cat, dan } = await two();
	cat.awareness.setLocalState({ user: { name: 'ann Test', color: '#000' }, cursor: 5 });
	await stage.settle();
	expect(dan.awareness.getStates().get(900_001)).toEqual({ user: { id: CAT, name: 'cat Test', color: colourOf(CAT), colorLight: `${colourOf(CAT)}33` }, cursor: 5 });
});

test('[N3] everyone gets their own presence back', async () => {
	const { cat } = await two();
	const sent = cat.socket.sent.length;
	cat.awareness.setLocalStateField('cursor', 1);
	await stage.settle();
	expect(cat.socket.sent.length).toBe(sent + 1);
});

test('[N4] who leaves is gone for the others; who is cut without a word expires', async () => {
	const { cat, dan } = await two();
	expect(Object.keys(cat.present)).toEqual(['900001', '900002']);
	dan.socket.cut();
	await stage.settle();
	expect(Object.keys(cat.present)).toEqual(['900001']);
	const fay = stage.live(FAY, TEXT, 900_003);
	await stage.settle();
	expect(Object.keys(fay.present)).toEqual(['900001', '900003']);
	// A stock client that hears of its own expiry says at once that it is there; these two hear nothing any more.
	cat.socket.stopped = fay.socket.stopped = true;
	stage.pass(31_000);
	stage.portal.heartbeat();
	const late = stage.live(DAN, TEXT, 900_004);
	await stage.settle();
	expect(Object.keys(late.present)).toEqual(['900004']);
});

test('[N4] a clock that went back is ignored; leaving tells only what was shown', () => {
	const told: number[][] = [];
	const presence = new Presence(() => 0);
	presence.listen((entries) => told.push(entries.map(({ clock }) => clock)));
	presence.show('a', { client: 1, clock: 5, state: {} });
	presence.show('a', { client: 1, clock: 4, state: {} });
	presence.show('b', { client: 1, clock: 9, state: {} });
	presence.leave('b');
	presence.leave('a');
	presence.leave('a');
	expect(told.length).toBe(2);
	expect(presence.all()).toEqual([]);
});

test('[N5] what is no presence closes with 4400; a state beyond 4 kB is left out', async () => {
	const { cat, dan } = await two();
	expect(readPresence(Uint8Array.of(1, 1))).toBeNull();
	expect(readPresence(Uint8Array.of(255, 255, 255, 255, 15))).toBeNull();
	expect(readPresence(writePresence([{ client: 1, clock: 1, state: { x: 'y'.repeat(5_000) } }]))).toEqual([]);
	cat.say(Uint8Array.of(1, 1));
	await stage.settle();
	expect([cat.closedWith, dan.closedWith]).toEqual([4400, null]);
});

test('[N5] presence binds an id to who may write, and to nobody else', async () => {
	await stage.as(CAT, 'task.create', some('task', 1), { title: 't', observers: [FAY] });
	const page = pageOf(some('task', 1));
	await stage.as(CAT, 'page.hang', page, { title: 'd', on: some('task', 1) });
	const fay = stage.live(FAY, page, 900_002);
	const cat = stage.live(CAT, page, 900_001);
	await stage.settle();
	expect(fay.present).toEqual({ 900_001: 'cat Test', 900_002: '' });
	expect(cat.present).toEqual({ 900_001: '', 900_002: 'fay Test' });
	expect((await stage.portal.store.bindings(page)).map(({ client, person }) => [client, person])).toEqual([[900_001, CAT]]);
	const forged = awarenessProtocol.encodeAwarenessUpdate(fay.awareness, [900_002]);
	expect(readPresence(forged)!.length).toBe(1);
});
