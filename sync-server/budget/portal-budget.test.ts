import { beforeEach, expect, test } from 'vitest';
import * as Y from 'yjs';
import { describeAnswer } from '../testing/device.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { ANN, CAT, DAN, PORTAL, some, Stage, task } from '../testing/stage.ts';
import { Lanes } from './lanes.ts';
import { CPU_BURST_MS, CPU_MS_PER_SECOND } from './limits.ts';

const TEXT = some('text', 1);
let stage: Stage;
let clock: FakeClock;
beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'text.create', TEXT, { title: 't', place: 'company' });
	await stage.as(ANN, 'task.create', task(1), { title: 'Ann’s', participants: [CAT] });
	clock = new FakeClock();
	stage.lanes = new Lanes(clock);
	await stage.reopen();
});

/** Cat has spent a second more than there was. */
const spend = () => stage.lanes!.of(PORTAL, CAT).charge(CPU_BURST_MS + CPU_MS_PER_SECOND);
function typed(word: string): Uint8Array {
	const doc = new Y.Doc();
	doc.getText('text').insert(0, word);
	return Y.encodeStateAsUpdate(doc);
}
async function settle(): Promise<void> {
	await stage.settle();
	clock.turns();
	await stage.settle();
}

test('[B1] submissions of who has spent their budget wait, in order, on both sockets; another is answered', async () => {
	const [cat, dan, live] = [stage.device(CAT).connect(), stage.device(DAN).connect(), stage.live(CAT, TEXT, 900_001)];
	await settle();
	spend();
	const waiting = [cat.submit('task.create', task(2), { title: 'first' }), cat.submit('task.setTitle', task(2), { value: 'second' })];
	live.text.insert(0, 'Cat');
	const going = dan.submit('task.create', task(3), { title: 'Dan’s' });
	await settle();
	expect([waiting.map((id) => cat.answers.get(id)), dan.answers.get(going)?.kind]).toEqual([[undefined, undefined], 'accepted']);
	expect(stage.portal.rooms.peek(TEXT)!.doc.getText('text').toString()).toBe('');
	clock.pass(2_000);
	for (let i = 0; i < 4; i++) await settle();
	expect(waiting.map((id) => cat.answers.get(id)?.kind)).toEqual(['accepted', 'accepted']);
	expect([stage.portal.rooms.peek(task(2))!.row, stage.portal.rooms.peek(TEXT)!.doc.getText('text').toString()]).toMatchObject([{ title: 'second' }, 'Cat']);
});

test('[B1] what waited is judged by the rights and the records of its turn', async () => {
	spend();
	const [comment, update] = [
		stage.as(CAT, 'task.comment', task(1), { item: 'item_00000000-0000-7000-8000-000000000001', text: 'late' }),
		stage.portal.admitUpdate(CAT, TEXT, typed('late'), null)
	];
	await settle();
	await stage.as(ANN, 'task.removeParticipant', task(1), { member: CAT });
	await stage.as(ANN, 'text.delete', TEXT);
	await settle();
	clock.pass(2_000);
	await settle();
	expect([describeAnswer(await comment), describeAnswer((await update).result)]).toEqual(['refused not-found', 'refused target-gone']);
});

test('[B1] a document that is dropped while its turn is waited for is read again', async () => {
	spend();
	const update = stage.portal.admitUpdate(CAT, TEXT, typed('whole'), null);
	await settle();
	stage.portal.rooms.evict(stage.portal.rooms.peek(TEXT)!);
	clock.pass(2_000);
	for (let i = 0; i < 3; i++) await settle();
	const { result, durable } = await update;
	await durable;
	expect(describeAnswer(result)).toBe('accepted');
	expect(stage.portal.rooms.peek(TEXT)!.doc.getText('text').toString()).toBe('whole');
});

test('[B1] what one asks to be sent waits as well: a device that greets again and again gets its documents when it is its turn', async () => {
	spend();
	const cat = stage.device(CAT).connect();
	const dan = stage.device(DAN).connect();
	await settle();
	expect([cat.holds.length > 0, dan.holds.length > 0]).toEqual([false, true]);
	clock.pass(2_000);
	for (let i = 0; i < 3; i++) await settle();
	expect(cat.holds).toContain(TEXT);
});
