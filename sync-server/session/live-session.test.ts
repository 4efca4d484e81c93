import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import * as awarenessProtocol from 'y-protocols/awareness';
import * as syncProtocol from 'y-protocols/sync';
import { beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { pageOf } from '#crdt-model/ids.ts';
import { budget } from '#crdt-model/testing/budget.ts';
import { ANN, BEN, CAT, DAN, deal, EVE, FAY, some, Stage } from '../testing/stage.ts';

const TEXT = some('text', 1);
let stage: Stage;
let holdCommit: Promise<void> | null = null;
beforeEach(async () => {
	holdCommit = null;
	stage = await Stage.open({ gate: async () => void (await holdCommit) });
	await stage.as(CAT, 'text.create', TEXT, { title: 't', place: 'company' });
});

test('[X1] a late joiner gets the whole text', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	await stage.settle();
	cat.text.insert(0, 'hello');
	await stage.settle();
	cat.socket.cut();
	const dan = stage.live(DAN, TEXT, 900_002);
	await stage.settle();
	expect(dan.text.toString()).toBe('hello');
	expect(dan.doc.getMap('record').size).toBeGreaterThan(0);
});

test('[X1] what is not on disk is in no sync step 2', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	await stage.settle();
	const release = Promise.withResolvers<void>();
	holdCommit = release.promise;
	cat.text.insert(0, 'unsafe');
	await stage.settle();
	const dan = stage.live(DAN, TEXT, 900_002);
	await stage.settle();
	expect(dan.text.toString()).toBe('');
	release.resolve();
	await stage.settle();
	expect(dan.text.toString()).toBe('unsafe');
});

test('[X2] writers converge, also with what they typed before and between', async () => {
	const people = [ANN, BEN, CAT, DAN].map((person, i) => stage.live(person, TEXT, 900_001 + i));
	people[0]!.text.insert(0, 'typed before the sync ');
	await stage.settle();
	for (let i = 0; i < 60; i++) {
		const { text } = people[i % 4]!;
		text.insert((i * 7) % (text.length + 1), `${i} `);
		if (i % 9 === 0) text.delete(0, 1);
		if (i % 5 === 0) await stage.settle();
	}
	await stage.settle();
	const whole = people[0]!.text.toString();
	expect(whole).toContain('59');
	expect(people.map(({ text }) => text.toString())).toEqual([whole, whole, whole, whole]);
	expect(people.map(({ closedWith }) => closedWith)).toEqual([null, null, null, null]);
	await stage.reopen();
	const late = stage.live(EVE, TEXT, 900_009);
	await stage.settle();
	expect(late.text.toString()).toBe(whole);
});

test('[X3] a gap is answered with sync step 1, a bounded number of times', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	await stage.settle();
	const other = new Y.Doc();
	other.clientID = 900_001;
	const updates: Uint8Array[] = [];
	other.on('update', (update: Uint8Array) => updates.push(update));
	for (let i = 0; i < 3; i++) other.getText('text').insert(0, 'x');
	const asked = cat.steps;
	cat.sync((encoder) => syncProtocol.writeUpdate(encoder, updates[2]!));
	await stage.settle();
	expect([cat.steps, cat.closedWith]).toEqual([asked + 1, null]);
	for (let i = 0; i < 40 && cat.closedWith === null; i++) {
		cat.sync((encoder) => syncProtocol.writeUpdate(encoder, updates[2]!));
		await stage.settle();
	}
	expect(cat.closedWith).toBe(4529);
	expect(cat.steps).toBeLessThan(40);
});

test('[X4] content under another person\'s id closes with 4409, malformed bytes too; others go on', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	await stage.settle();
	cat.text.insert(0, 'mine');
	await stage.settle();
	const dan = stage.live(DAN, TEXT, 900_002);
	await stage.settle();
	dan.doc.clientID = 900_001;
	dan.text.insert(4, ' forged');
	await stage.settle();
	expect(dan.closedWith).toBe(4409);
	const eve = stage.live(EVE, TEXT, 900_003);
	await stage.settle();
	eve.sync((encoder) => syncProtocol.writeUpdate(encoder, Uint8Array.of(1, 1, 1)));
	await stage.settle();
	expect(eve.closedWith).toBe(4409);
	cat.text.insert(4, '!');
	await stage.settle();
	expect(cat.text.toString()).toBe('mine!');
	expect(cat.closedWith).toBeNull();
});

async function pageOfTask() {
	// Fay observes: she reads the task and its page, and writes neither.
	await stage.as(CAT, 'task.create', some('task', 1), { title: 't', observers: [FAY] });
	await stage.as(CAT, 'page.hang', pageOf(some('task', 1)), { title: 'd', on: some('task', 1) });
	return pageOf(some('task', 1));
}

test('[X5] a reader may send back what is known; new content closes with 4403 and changes nothing', async () => {
	const page = await pageOfTask();
	const cat = stage.live(CAT, page, 900_001);
	const fay = stage.live(FAY, page, 900_002);
	await stage.settle();
	(cat.doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, new Y.XmlText());
	await stage.settle();
	fay.sync((encoder) => syncProtocol.writeSyncStep2(encoder, fay.doc));
	await stage.settle();
	expect(fay.closedWith).toBeNull();
	expect(fay.doc.store.clients.has(900_001)).toBe(true);
	(fay.doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, new Y.XmlText());
	await stage.settle();
	expect(fay.closedWith).toBe(4403);
	expect(cat.doc.store.clients.has(900_002)).toBe(false);
});

test('[X6] the page of a record follows the record: who loses it is out, at once and before what is written next', async () => {
	await stage.as(CAT, 'deal.create', deal(1), { title: 'd' });
	const page = pageOf(deal(1));
	await stage.as(CAT, 'page.hang', page, { title: 'd', on: deal(1) });
	const cat = stage.live(CAT, page, 900_001);
	const ann = stage.live(ANN, page, 900_002);
	await stage.settle();
	void stage.as(ANN, 'deal.setResponsible', deal(1), { value: EVE });
	void stage.as(ANN, 'page.setTitle', page, { value: 'SECRET' });
	await stage.settle();
	expect([cat.closedWith, ann.closedWith]).toEqual([4403, null]);
	expect(cat.socket.sent.some((frame) => Buffer.from(frame).includes('SECRET'))).toBe(false);
	expect((ann.doc.getMap('record').get('title') as unknown[])[0]).toBe('SECRET');
});

test('[X6] not there, not readable, no content and not a member are not told apart; deletion closes', async () => {
	await stage.as(CAT, 'text.create', some('text', 2), { title: 'mine', place: 'mine' });
	const tries = [stage.live(DAN, some('text', 2)), stage.live(DAN, some('text', 3)), stage.live(CAT, some('task', 1) as never), stage.live(some('employee', 70), TEXT)];
	const open = stage.live(CAT, some('text', 2));
	await stage.settle();
	expect(tries.map(({ closedWith }) => closedWith)).toEqual([4404, 4404, 4404, 4404]);
	await stage.as(CAT, 'text.delete', some('text', 2));
	await stage.settle();
	expect(open.closedWith).toBe(4403);
});

test('[X7] the author is not sent its own edit, everyone else is, and title changes reach all', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	stage.live(DAN, TEXT, 900_002);
	await stage.settle();
	stage.told();
	cat.text.insert(0, 'x');
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`"relay → dan | text:1 update"`);
	await stage.as(CAT, 'text.setTitle', TEXT, { value: 'new' });
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"relay → cat | text:1 update
		relay → dan | text:1 update"
	`);
});

test('[X7] a document that is dropped from memory sends its connections away, and nothing is lost', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	await stage.settle();
	cat.text.insert(0, 'kept');
	await stage.settle();
	const room = stage.portal.rooms.peek(TEXT)!;
	stage.portal.rooms.evict(room);
	expect(room.gone).toBe(true);
	await stage.portal.admitUpdate(CAT, TEXT, Y.encodeStateAsUpdate(cat.doc), null);
	const dan = stage.live(DAN, TEXT, 900_002);
	await stage.settle();
	expect(dan.text.toString()).toBe('kept');
});

test('[X8] frames that come while the document is read are kept, up to a ceiling', async () => {
	await stage.reopen();
	const cat = stage.live(CAT, TEXT, 900_001);
	cat.text.insert(0, 'at once');
	await stage.settle();
	expect((await stage.portal.openContent({ person: DAN, viewer: null }, TEXT))!.room.doc.getText('text').toString()).toBe('at once');
	await stage.reopen();
	const dan = stage.live(DAN, TEXT, 900_002);
	for (let i = 0; i < 10_001; i++) dan.socket.up(Uint8Array.of(3));
	await stage.settle();
	expect(dan.closedWith).toBe(4529);
});

test('[X8] random bytes never throw and end that connection alone', async () => {
	const ann = stage.live(ANN, TEXT, 900_001);
	await stage.settle();
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, 0);
	const doc = new Y.Doc();
	doc.getText('text').insert(0, 'fuzz');
	syncProtocol.writeUpdate(encoder, Y.encodeStateAsUpdate(doc));
	const valid = encoding.toUint8Array(encoder);
	const mutated = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => Uint8Array.from(valid, (old, i) => (i === at ? byte : old)));
	const presence = awarenessProtocol.encodeAwarenessUpdate(ann.awareness, [900_001]);
	const framed = fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from([1, bytes.length, ...bytes]));
	await fc.assert(
		fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 40 }), mutated, framed, fc.constant(Uint8Array.from([1, presence.length, ...presence]))), async (frame) => {
			const cat = stage.live(CAT, TEXT);
			await Promise.resolve();
			expect(() => cat.socket.up(frame)).not.toThrow();
			await new Promise((resolve) => setImmediate(resolve));
			cat.socket.cut();
		}),
		budget(150)
	);
	await stage.settle();
	expect([ann.closedWith, stage.failures]).toEqual([null, []]);
	ann.text.insert(0, 'still here');
	await stage.settle();
	expect((await stage.portal.openContent({ person: DAN, viewer: null }, TEXT))!.room.doc.getText('text').toString()).toContain('still here');
});

test('[X8] a failed store closes with 4503 and leaves nobody on a portal that is over', async () => {
	const cat = stage.live(CAT, TEXT, 900_001);
	await stage.settle();
	stage.store.failNext(1);
	cat.text.insert(0, 'x');
	await stage.settle();
	const late = stage.live(DAN, TEXT, 900_002);
	const device = stage.device(DAN).connect();
	await stage.settle();
	expect([cat.closedWith, late.closedWith, device.closedWith]).toEqual([4503, 4503, 4503]);
	await stage.reopen();
	cat.connect();
	await stage.settle();
	const dan = stage.live(DAN, TEXT, 900_002);
	await stage.settle();
	expect(dan.text.toString(), 'typed again by the provider').toBe('x');
});
