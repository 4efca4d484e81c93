import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { pageOf, type DocumentId } from '#crdt-model/ids.ts';
import { budget } from '#crdt-model/testing/budget.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { SUBMIT_WINDOW } from '#crdt-model/wire/limits.ts';
import type { Up } from '#crdt-model/wire/up.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { ANN, BEN, CAT, deal, EVE, FAY, SALES, some, Stage, task } from '../testing/stage.ts';

let stage: Stage;
let holdCommit: Promise<void> | null = null;
beforeEach(async () => {
	holdCommit = null;
	stage = await Stage.open({ gate: async () => void (await holdCommit) });
	await stage.as(CAT, 'task.create', task(1), { title: 'one' });
});

test('[Y1] hello comes first and once, an inventory only when it is asked for', async () => {
	const hello = { type: 'hello', version: WIRE_VERSION, cursor: null, held: { count: 0, digest: '' } } as const;
	const inventory: Extract<Up, { type: 'inventory' }> = { type: 'inventory', documents: [], last: true };
	const wrong: ((device: ReturnType<Stage['device']>) => void)[] = [
		(device) => void device.submit('task.setTitle', task(1), { value: 'x' }),
		(device) => device.say(inventory),
		(device) => [hello, hello].forEach((message) => device.say(message)),
		(device) => [{ ...hello, cursor: { epoch: 1, seq: 1 } }, hello].forEach((message) => device.say(message)),
		(device) => [hello, inventory, inventory].forEach((message) => device.say(message))
	];
	for (const say of wrong) {
		const device = stage.device(CAT).attach();
		say(device);
		await stage.settle();
		expect(device.closedWith, say.toString()).toBe(4400);
	}
	expect(stage.portal.metrics().sessions).toBe(0);
});

test('[Y2] another version is told so and closed with 4426', async () => {
	const device = stage.device(CAT).connect({ version: WIRE_VERSION + 1 });
	await stage.settle();
	expect(device.closedWith).toBe(4426);
});

test('[Y3] a device that holds nothing gets all that it may read, and nothing else', async () => {
	stage.told();
	const eve = stage.device(EVE).connect();
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"eve → relay | hello new holding 0
		relay → eve | welcome inventory
		eve → relay | inventory of 0
		relay → eve | gains department:1#2, department:2#2, department:3#2, ann#1, ben#1, cat#1, dan#1, eve#1, fay#1, settings:1#1
		relay → eve | gains  @14"
	`);
	expect(eve.held.has(task(1))).toBe(false);
	const cat = stage.device(CAT).connect();
	await stage.settle();
	expect(cat.row(task(1))).toMatchObject({ title: 'one', number: 1 });
	expect([eve.complaints, cat.complaints]).toEqual([[], []]);
});

test('[Y3] another epoch, a cursor beyond the log, or another set of documents: what is too much leaves, what is lacking comes', async () => {
	const cat = stage.device(CAT).connect();
	await stage.settle();
	const all = cat.holds;
	const upset: (() => void)[] = [
		() => void (cat.cursor = { epoch: 9, seq: 1 }),
		() => void (cat.cursor = { epoch: 1, seq: 10_000 }),
		() => void cat.held.delete(task(1)),
		() => void cat.held.set(task(77), cat.held.get(task(1))!)
	];
	for (const change of upset) {
		cat.cut();
		change();
		cat.connect();
		await stage.settle();
		expect(cat.holds, change.toString()).toEqual(all);
		expect(cat.cursor).toEqual({ epoch: 1, seq: stage.portal.log.durable });
	}
	expect(cat.complaints).toEqual([]);
});

test('[Y3][G5] what gave way while its author was away is told with the whole document as well, once and to them alone', async () => {
	const cat = stage.device(CAT).connect();
	const ben = stage.device(BEN).connect();
	await stage.settle();
	const seen = cat.command('task.setTitle', task(1), { value: 'mine' }).seen;
	cat.submit('task.setTitle', task(1), { value: 'mine' });
	await stage.settle();
	for (const device of [cat, ben]) {
		device.cut();
		device.cursor = { epoch: 9, seq: 1 };
	}
	stage.pass(1_000);
	await stage.as(ANN, 'task.setTitle', task(1), { value: 'theirs' }, { seen });
	cat.connect();
	ben.connect();
	await stage.settle();
	expect([cat.row(task(1)), cat.overruled, ben.overruled]).toMatchObject([{ title: 'theirs' }, ['title'], []]);
	cat.cut();
	cat.cursor = { epoch: 9, seq: 1 };
	cat.connect();
	await stage.settle();
	expect(cat.overruled).toEqual(['title']);
});

test('[Y4] a device continues from its cursor with what happened since', async () => {
	const cat = stage.device(CAT).connect();
	await stage.settle();
	cat.cut();
	await stage.as(BEN, 'task.setPriority', task(1), { value: 'high' });
	await stage.as(EVE, 'task.create', task(2), { title: 'not cat\'s' });
	await stage.as(CAT, 'task.create', task(3), { title: 'cat\'s' });
	stage.told();
	cat.connect();
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"cat → relay | hello 1/14 holding 11
		relay → cat | welcome continue
		relay → cat | entries task:1 setPriority#2, task:3 create#1 @17"
	`);
	cat.cut();
	stage.told();
	cat.connect();
	await stage.settle();
	expect(stage.told(), 'the same cursor again').toMatchInlineSnapshot(`
		"cat → relay | hello 1/17 holding 12
		relay → cat | welcome continue"
	`);
	expect(cat.complaints).toEqual([]);
});

test('[Y5] a full socket stops and goes on from where it stood, without a hole and without a queue', async () => {
	const cat = stage.device(CAT).connect();
	await stage.settle();
	cat.socket!.stopped = true;
	for (let i = 0; i < 40; i++) await stage.as(CAT, 'task.setTitle', task(1), { value: `${i}` });
	await stage.settle();
	expect(cat.socket!.mostWaiting).toBeLessThan(8);
	cat.socket!.stopped = false;
	await stage.settle();
	expect(cat.row(task(1))).toMatchObject({ title: '39' });
	expect(cat.complaints).toEqual([]);
	expect(cat.cursor!.seq).toBe(stage.portal.log.durable);
});

test('[Y5] a device that gains more than its line takes is sent one piece after the other', async () => {
	for (let i = 10; i < 22; i++) {
		await stage.as(CAT, 'task.create', task(i), { title: 'big' });
		for (let c = 0; c < 4; c++) await stage.as(CAT, 'task.comment', task(i), { item: `item_00000000-0000-7000-8000-${String(i * 10 + c).padStart(12, '0')}`, text: 'x'.repeat(10_000) });
	}
	const cat = stage.device(CAT);
	cat.connect();
	stage.flush();
	cat.socket!.stopped = true;
	await stage.settle();
	expect(cat.socket!.mostWaiting).toBeLessThan(4);
	cat.socket!.stopped = false;
	await stage.settle();
	expect([...Array(12).keys()].every((i) => cat.held.has(task(i + 10)))).toBe(true);
	expect(cat.complaints).toEqual([]);
});

test('[Y6] what is gained comes before what is built on it, however the edits fall', async () => {
	await stage.as(CAT, 'deal.create', deal(21), { title: 'd' });
	await stage.as(CAT, 'page.hang', pageOf(deal(21)), { title: 'p', on: deal(21) });
	const eve = stage.device(EVE).connect();
	await stage.settle();
	const work: Promise<unknown>[] = [stage.as(CAT, 'deal.setResponsible', deal(21), { value: EVE })];
	for (let i = 0; i < 20; i++) {
		work.push(stage.as(ANN, 'deal.setTitle', deal(21), { value: `t${i}` }), stage.as(ANN, 'page.setTitle', pageOf(deal(21)), { value: `p${i}` }));
		if (i % 3 === 0) await Promise.resolve();
		if (i % 7 === 0) stage.flush();
	}
	await Promise.all(work);
	await stage.settle();
	expect(eve.complaints).toEqual([]);
	expect([eve.row(deal(21)), eve.row(pageOf(deal(21)))]).toMatchObject([{ title: 't19' }, { title: 'p19' }]);
});

test('[Y6] a loss while the same documents are on their way leaves nothing behind', async () => {
	for (let n = 1; n <= 5; n++) await stage.as(CAT, 'deal.create', deal(n), { title: 'd' });
	const eve = stage.device(EVE).connect();
	await stage.settle();
	for (let round = 0; round < 10; round++) {
		const [to, back] = round % 2 ? [CAT, EVE] : [EVE, CAT];
		const move = (value: typeof CAT) => Promise.all([1, 2, 3, 4, 5].map((n) => stage.as(ANN, 'deal.setResponsible', deal(n), { value })));
		const first = move(to);
		for (let i = 0; i < round; i++) await Promise.resolve();
		await Promise.all([first, move(back), move(CAT)]);
		await stage.settle();
		expect(eve.holds.filter((id) => id.startsWith('deal')), `round ${round}`).toEqual([]);
	}
	expect(eve.complaints).toEqual([]);
});

test('[Y7] more submissions under way than the window are too much', async () => {
	const release = Promise.withResolvers<void>();
	holdCommit = release.promise;
	const cat = stage.device(CAT).connect();
	await stage.settle();
	for (let i = 0; i < SUBMIT_WINDOW; i++) cat.submit('task.setTitle', task(1), { value: `${i}` });
	await stage.settle();
	expect([cat.closedWith, cat.answers.size]).toEqual([null, 0]);
	cat.submit('task.setTitle', task(1), { value: 'one more' });
	await stage.settle();
	expect(cat.closedWith).toBe(4529);
	release.resolve();
	await stage.settle();
	expect((await stage.portal.read(CAT, task(1)))!.row).toMatchObject({ title: `${SUBMIT_WINDOW - 1}` });
});

test('[Y8] bytes that are no message end that session and no other', async () => {
	const ben = stage.device(BEN).connect();
	await stage.settle();
	const valid = encodeUp({ type: 'submit', batch: { id: stage.batchId(), commands: [stage.command('task.setTitle', task(1), { value: 'fuzz' })] } });
	const mutated = fc.tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length)).map(([at, byte, length]) => {
		const frame = valid.slice(0, length || valid.length);
		if (at < frame.length) frame[at] = byte;
		return frame;
	});
	await fc.assert(
		fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), fc.boolean(), async (frame, greeted) => {
			const cat = stage.device(CAT).attach();
			if (greeted) cat.say({ type: 'hello', version: WIRE_VERSION, cursor: null, held: { count: 0, digest: '' } });
			expect(() => cat.socket!.up(frame)).not.toThrow();
			cat.cut();
		}),
		budget(200)
	);
	await stage.settle();
	expect(ben.closedWith).toBeNull();
	ben.submit('task.setPriority', task(1), { value: 'high' });
	await stage.settle();
	expect([...ben.answers.values()].map(({ kind }) => kind)).toEqual(['accepted']);
	expect(stage.failures).toEqual([]);
});

test('[Y8] a frame after the close changes nothing', async () => {
	const cat = stage.device(CAT).connect();
	await stage.settle();
	const { socket } = cat;
	socket!.up(Uint8Array.of(1, 2, 3));
	socket!.up(encodeUp({ type: 'submit', batch: { id: stage.batchId(), commands: [stage.command('task.setTitle', task(1), { value: 'late' })] } }));
	await stage.settle();
	expect((await stage.portal.read(CAT, task(1)))!.row).toMatchObject({ title: 'one' });
});

test('[Y9] answers come after the disk, in the order of the submissions, and after the entries', async () => {
	const cat = stage.device(CAT).connect();
	await stage.settle();
	stage.told();
	const release = Promise.withResolvers<void>();
	holdCommit = release.promise;
	cat.submit('task.setTitle', task(1), { value: 'a' });
	cat.submit('task.setTitle', task(1), { value: '' });
	cat.submit('task.setDeadline', task(1), { value: '2026-11-30' });
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"cat → relay | submit task:1 setTitle
		cat → relay | submit task:1 setTitle
		cat → relay | submit task:1 setDeadline"
	`);
	release.resolve();
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"relay → cat | entries task:1 setTitle#2 @15
		relay → cat | answer accepted
		relay → cat | entries task:1 setDeadline#3 @16
		relay → cat | answer refused bad-value
		relay → cat | answer accepted"
	`);
});

test('[Y9] a failed store answers nobody, closes with 4503, and nothing accepted is missing', async () => {
	const cat = stage.device(CAT).connect();
	await stage.settle();
	cat.submit('task.setTitle', task(1), { value: 'kept' });
	await stage.settle();
	stage.store.failNext(1);
	const lost = cat.submit('task.setTitle', task(1), { value: 'void' });
	const rest = stage.as(CAT, 'task.setPriority', task(1), { value: 'high' });
	await stage.settle();
	expect([cat.closedWith, cat.answers.has(lost)]).toEqual([4503, false]);
	expect(await rest).toMatchObject({ kind: 'refused', refusal: { code: 'unavailable' } });
	expect(stage.failures.length).toBe(1);
	await stage.reopen();
	cat.connect();
	await stage.settle();
	expect(cat.row(task(1))).toMatchObject({ title: 'kept', priority: 'normal' });
	expect(cat.complaints).toEqual([]);
});

test('[Y4] a restart of the relay is nothing to a device with a cursor', async () => {
	const fay = stage.device(FAY).connect();
	await stage.settle();
	fay.cut();
	await stage.portal.close();
	await stage.reopen();
	await stage.as(ANN, 'company.create', some('company', 1), { name: 'x' });
	stage.told();
	fay.connect();
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"fay → relay | hello 1/14 holding 10
		relay → fay | welcome continue
		relay → fay | entries company:1 create#1 @15"
	`);
	const held: DocumentId[] = [SALES, some('company', 1)];
	expect(held.every((id) => fay.held.has(id))).toBe(true);
});
