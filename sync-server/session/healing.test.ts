import { beforeEach, expect, test } from 'vitest';
import { pageOf, type DocumentId } from '#crdt-model/ids.ts';
import { itemId } from '#crdt-model/testing/world.ts';
import { REOFFER_WINDOW } from '#crdt-model/wire/limits.ts';
import type { MemoryRelayStore } from '#storage/memory/relay-store.ts';
import { CHAIN_START, chained, chainedRestore } from '../log/seal.ts';
import { HOLD_MS } from '../room/returns.ts';
import type { Device } from '../testing/device.ts';
import { ANN, BEN, CAT, COMPANY, DAN, EVE, FAY, SALES, some, Stage, SUPPORT, task } from '../testing/stage.ts';

let stage: Stage;
let backup: MemoryRelayStore;
let items = 0;

/** Takes the backup of which all tests restore: task 1 of Cat is in it. */
beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'task.create', task(1), { title: 'one' });
	await stage.portal.log.settled();
	backup = stage.store.clone();
});

async function connected(...people: Parameters<Stage['device']>[0][]): Promise<Device[]> {
	const devices = people.map((person) => stage.device(person).connect());
	await stage.settle();
	return devices;
}
async function back(...devices: Device[]): Promise<void> {
	for (const device of devices) {
		device.connect();
		await stage.settle();
		expect(device.complaints).toEqual([]);
	}
}
const history = async (id: DocumentId) => (await stage.portal.store.history(id, 0, 1_000)).map(({ author, command, returned }) => ({ author, name: command?.name ?? null, returned }));
const title = async (id: DocumentId) => ((await stage.portal.read(ANN, id))?.row as { title?: string } | undefined)?.title;

test('[H1] a restored log goes on in an epoch that no device has seen, and its chain says so', async () => {
	const [cat] = await connected(CAT) as [Device];
	const seq = stage.portal.log.durable;
	await stage.restore(backup);
	expect(stage.portal.log.epoch).toBe(2);
	await stage.restore(backup);
	// The same backup again: epoch 2 has been, so it is not given twice.
	expect(stage.portal.log.epoch).toBe(3);
	expect(stage.portal.log.restores).toEqual([{ epoch: 3, seq, at: stage.now() }]);
	await back(cat);
	expect(cat.cursor).toEqual({ epoch: 3, seq });
	await stage.as(CAT, 'task.setTitle', task(1), { value: 'two' });
	const { entries } = await stage.portal.store.entriesAfter({ principals: [...stage.portal.actorOf(ANN)!.principals], after: 0, window: 1_000 });
	let chain = CHAIN_START;
	for (const entry of entries) {
		chain = chained(chain, entry, entry.rightsVersion);
		expect(entry.hash).toEqual(chain);
		// A link of its own stands after the last entry of the backup.
		if (entry.seq === seq) chain = chainedRestore(chain, stage.portal.log.restores[0]!);
	}
});

test('[H2] what a device hands back stands under its author, whoever brings it', async () => {
	const [cat, ben] = await connected(CAT, BEN) as [Device, Device];
	stage.pass(1_000);
	cat.submit('task.setTitle', task(1), { value: 'two' });
	cat.submit('task.create', task(2), { title: 'new' });
	await stage.settle();
	const lost = ben.raw.slice(-2).map(({ entry }) => entry);
	stage.pass(1_000);
	await stage.restore(backup);
	expect(await title(task(1))).toBe('one');
	await back(ben);
	expect(ben.fates).toEqual(['taken', 'taken']);
	expect(await title(task(1))).toBe('two');
	expect(await title(task(2))).toBe('new');
	expect(await history(task(2))).toEqual([{ author: CAT, name: 'task.create', returned: { docSeq: 1, by: BEN } }]);
	const [entry] = await stage.portal.store.history(task(1), 1, 1);
	expect(entry).toMatchObject({ authoredAt: lost[0]!.authoredAt, acceptedAt: lost[0]!.acceptedAt, command: lost[0]!.command, docSeq: 2 });
	await back(cat);
	expect(cat.row(task(1))).toMatchObject({ title: 'two' });
	expect(await history(task(1))).toHaveLength(2);
});

test('[H2] what is not sealed, or not as it was sealed, is refused and changes nothing', async () => {
	const [cat, ben] = await connected(CAT, BEN) as [Device, Device];
	cat.submit('task.setTitle', task(1), { value: 'two' });
	await stage.settle();
	const { entry } = ben.raw.at(-1)!;
	const command = entry.command!;
	ben.raw.length = 0;
	await stage.restore(backup);
	await back(ben);
	const before = stage.portal.log.assigned;
	const forged = [
		{ ...entry, author: BEN },
		{ ...entry, docSeq: 3 },
		{ ...entry, document: task(9) },
		{ ...entry, authoredAt: entry.authoredAt + 1 },
		{ ...entry, acceptedAt: entry.acceptedAt + 1 },
		{ ...entry, command: { ...command, args: { value: 'mine' } } },
		{ ...entry, command: null },
		{ ...entry, bytes: entry.bytes.map((byte, i) => (i === entry.bytes.length - 3 ? byte ^ 1 : byte)) },
		{ ...entry, mac: new Uint8Array(32) },
		{ ...entry, mac: new Uint8Array(0) }
	];
	ben.handBack(forged);
	await stage.settle();
	expect(ben.fates).toEqual(forged.map(() => 'refused'));
	expect(stage.portal.log.assigned).toBe(before);
	expect(await title(task(1))).toBe('one');
	ben.handBack([entry]);
	await stage.settle();
	expect(await title(task(1))).toBe('two');
});

test('[H2] where nothing was ever restored nothing is taken', async () => {
	const [cat] = await connected(CAT) as [Device];
	cat.submit('task.setTitle', task(1), { value: 'two' });
	await stage.settle();
	cat.handBack([cat.raw.at(-1)!.entry]);
	await stage.settle();
	expect(cat.fates).toEqual(['refused']);
	expect(await history(task(1))).toHaveLength(2);
});

test('[H3] brought twice, by two, and in another order it is there once, and a repeat gets its first answer', async () => {
	const [cat, ben] = await connected(CAT, BEN) as [Device, Device];
	const batch = cat.submit('task.setTitle', task(1), { value: 'two' });
	const command = stage.commandId();
	cat.submitBatch([cat.command('task.comment', task(1), { item: itemId(++items), text: 'hello' }, { id: command })]);
	await stage.settle();
	expect(cat.answers.get(batch)?.kind).toBe('accepted');
	const entries = cat.raw.slice(-2).map(({ entry }) => entry);
	await stage.restore(backup);
	await back(ben, cat);
	cat.handBack([...entries].reverse());
	ben.handBack([...entries, ...entries]);
	await stage.settle();
	expect(await history(task(1))).toHaveLength(3);
	// Its author never got the answer and sends it again.
	const sent = entries[1]!.command!;
	const { result } = await stage.portal.admit(CAT, { id: stage.batchId(), commands: [sent] });
	expect(result.kind).toBe('accepted');
	expect(await history(task(1))).toHaveLength(3);
});

test('[H3] its author sent it again before another device brought it: the change is there once', async () => {
	const [cat, ben] = await connected(CAT, BEN) as [Device, Device];
	const item = itemId(++items);
	const made = cat.command('task.comment', task(1), { item, text: 'hello' });
	cat.submitBatch([made]);
	cat.submit('task.setTitle', task(1), { value: 'two' });
	await stage.settle();
	await stage.restore(backup);
	// The answer was lost with the machine, and the device was cut before the entry came.
	await stage.batch(CAT, [made]);
	await back(ben);
	expect(ben.fates).toEqual(['taken', 'taken']);
	const { state } = (await stage.portal.read(ANN, task(1)))!;
	expect(state.get(`comments/${item}/text`)?.value).toBe('hello');
	expect(await title(task(1))).toBe('two');
	expect((await history(task(1))).map(({ name }) => name)).toEqual(['task.create', 'task.comment', null, 'task.setTitle']);
	expect(ben.state(task(1)).get(`comments/${item}/text`)?.value).toBe('hello');
});

test('[H3] a lost command’s id that somebody else has used since is no repeat: what was done stays in the history', async () => {
	const [cat, ben] = await connected(CAT, BEN) as [Device, Device];
	cat.submit('task.setTitle', task(1), { value: 'two' });
	await stage.settle();
	const { id } = ben.raw.at(-1)!.entry.command!;
	await stage.restore(backup);
	// Whoever was sent the entry knows the id, and the answer that guarded it is lost.
	expect((await stage.batch(BEN, [stage.command('task.create', task(8), { title: 'of Ben' }, { id })])).kind).toBe('accepted');
	await back(ben);
	expect(await title(task(1))).toBe('two');
	expect((await history(task(1))).at(-1)).toEqual({ author: CAT, name: 'task.setTitle', returned: { docSeq: 2, by: BEN } });
});

test('[H4] what builds on a missing entry waits for the device that has it', async () => {
	const [cat, ben] = await connected(CAT, BEN) as [Device, Device];
	cat.submit('task.create', task(2), { title: 'new' });
	cat.submit('task.setTitle', task(2), { value: 'newer' });
	await stage.settle();
	const later = ben.raw.at(-1)!.entry;
	ben.raw.length = 0;
	await stage.restore(backup);
	ben.connect();
	await stage.settle();
	ben.handBack([later]);
	await stage.settle();
	expect(ben.fates).toEqual(['waiting']);
	expect(await stage.portal.store.heads([task(2)])).toEqual([]);
	await back(cat);
	expect(await title(task(2))).toBe('newer');
	ben.handBack([later]);
	await stage.settle();
	expect(ben.fates).toEqual(['waiting', 'taken']);
	expect(await history(task(2))).toHaveLength(2);
	expect(ben.row(task(2))).toMatchObject({ title: 'newer' });
});

test('[H4] whoever hands back the end of one administrator without the beginning of the next leaves the company one', async () => {
	const [dan] = await connected(DAN) as [Device];
	await stage.as(ANN, 'employee.setAdministrator', BEN, { value: true });
	await stage.as(BEN, 'employee.setAdministrator', ANN, { value: false }, { seen: { administrator: dan.state(ANN).get('administrator')!.command } });
	await stage.settle();
	const [begins, ends] = dan.raw.slice(-2).map(({ entry }) => entry);
	dan.raw.length = 0;
	await stage.restore(backup);
	await back(dan);
	dan.handBack([ends!]);
	await stage.settle();
	expect(dan.fates).toEqual(['waiting']);
	expect([stage.portal.directory.administrators, stage.portal.directory.isAdministrator(ANN)]).toEqual([1, true]);
	// Nothing of it stays in memory: Ann's record goes on as it was.
	expect((await stage.as(ANN, 'employee.setPosition', ANN, { value: 'Director' })).kind).toBe('accepted');
	dan.handBack([begins!, ends!]);
	await stage.settle();
	expect(dan.fates).toEqual(['waiting', 'taken', 'taken']);
	expect([stage.portal.directory.isAdministrator(BEN), stage.portal.directory.isAdministrator(ANN)]).toEqual([true, false]);
	expect((await stage.portal.read(ANN, ANN))?.row).toMatchObject({ position: 'Director', administrator: false });
});

test('[H4] a page waits for the record that it hangs on', async () => {
	const [cat] = await connected(CAT) as [Device];
	cat.submit('task.create', task(2), { title: 'new' });
	cat.submit('page.hang', pageOf(task(2)), { title: 'Description', on: task(2) });
	await stage.settle();
	const [record, page] = cat.raw.slice(-2).map(({ entry }) => entry);
	cat.raw.length = 0;
	await stage.restore(backup);
	await back(cat);
	cat.handBack([page!]);
	cat.handBack([record!, page!]);
	await stage.settle();
	expect(cat.fates).toEqual(['waiting', 'taken', 'taken']);
	expect(cat.held.has(pageOf(task(2)))).toBe(true);
});

test('[H5] a field that both epochs wrote says what was authored later, and the other person hears of it', async () => {
	const [cat, ben] = await connected(CAT, BEN) as [Device, Device];
	cat.submit('task.setTitle', task(1), { value: 'lost and older' });
	stage.pass(1_000);
	cat.submit('task.setDeadline', task(1), { value: '2026-12-24' });
	await stage.settle();
	await stage.restore(backup);
	const [dan] = await connected(ANN) as [Device];
	stage.pass(1_000);
	dan.submit('task.setTitle', task(1), { value: 'newer' });
	dan.submit('task.setDeadline', task(1), { value: '2026-12-31' }, { at: stage.now() - 10_000 });
	await stage.settle();
	await back(cat, ben);
	for (const device of [cat, ben, dan]) {
		expect(device.row(task(1))).toMatchObject({ title: 'newer', deadline: '2026-12-24' });
		expect(device.complaints).toEqual([]);
	}
	expect((await stage.portal.read(ANN, task(1)))!.row).toMatchObject({ title: 'newer', deadline: '2026-12-24' });
	expect(dan.overruled).toEqual(['deadline']);
	// The relay goes on under its own id of this epoch.
	expect(stage.portal.rooms.peek(task(1))!.doc.clientID).toBe(2 ** 32 - 2);
});

test('[H5] text of both epochs is in the document, and each character stays its writer’s', async () => {
	const text = some('text', 5);
	await stage.as(CAT, 'text.create', text, { title: 'Notes', place: 'company' });
	await stage.portal.log.settled();
	backup = stage.store.clone();
	const [ben] = await connected(BEN) as [Device];
	const cat = stage.live(CAT, text, 5_001);
	await stage.settle();
	cat.doc.getText('text').insert(0, 'lost ');
	await stage.settle();
	await stage.restore(backup);
	const ann = stage.live(ANN, text, 5_002);
	await stage.settle();
	ann.doc.getText('text').insert(0, 'new ');
	await stage.settle();
	await back(ben);
	const said = ann.doc.getText('text').toString();
	expect([said.includes('lost'), said.includes('new'), said.length]).toEqual([true, true, 9]);
	expect(ben.held.get(text)!.doc.getText('text').toString()).toBe(said);
	expect((await stage.portal.store.bindings(text)).map(({ client, person }) => [client, person])).toEqual([[5_001, CAT], [5_002, ANN]]);
	// Cat goes on writing.
	const again = stage.live(CAT, text);
	await stage.settle();
	again.doc.getText('text').insert(0, 'on ');
	await stage.settle();
	expect(again.closedWith).toBeNull();
	expect(ann.doc.getText('text').toString()).toContain('on ');
});

test('[H6] numbers come back, and one that was given meanwhile is not there twice', async () => {
	const [cat] = await connected(CAT) as [Device];
	for (const n of [2, 3, 4]) cat.submit('task.create', task(n), { title: `t${n}` });
	await stage.settle();
	await stage.restore(backup);
	await stage.as(CAT, 'task.create', task(9), { title: 'meanwhile' });
	await back(cat);
	await stage.as(CAT, 'task.create', task(10), { title: 'afterwards' });
	const numbers = await Promise.all([1, 9, 2, 3, 4, 10].map(async (n) => (await stage.portal.read(ANN, task(n)))!.row.number));
	// Task 2 had 2, which task 9 has got; it got the next at the moment when it came back.
	expect(numbers).toEqual([1, 2, 3, 4, 5, 6]);
	expect((await stage.portal.store.head()).counters.task).toBe(6);
	expect(cat.row(task(2))?.number).toBe(3);
});

test('[H7] /live waits for what is announced, until it is there, the connection is over, or a minute has passed', async () => {
	const text = some('text', 5);
	await stage.as(CAT, 'text.create', text, { title: 'Notes', place: 'company' });
	await stage.portal.log.settled();
	await stage.restore(stage.store.clone());
	const [ben] = await connected(BEN) as [Device];
	const opens = async () => {
		const live = stage.live(CAT, text);
		await stage.settle();
		const { closedWith } = live;
		live.socket.cut();
		return closedWith;
	};
	expect(await opens()).toBeNull();
	ben.handBack([], { documents: [text], last: false });
	await stage.settle();
	expect(await opens()).toBe(4503);
	ben.handBack([], { documents: [], last: true });
	await stage.settle();
	expect(await opens()).toBeNull();
	ben.handBack([], { documents: [text], last: false });
	await stage.settle();
	expect(await opens()).toBe(4503);
	ben.cut();
	await stage.settle();
	expect(await opens()).toBeNull();
	await back(ben);
	ben.handBack([], { documents: [text], last: false });
	await stage.settle();
	expect(await opens()).toBe(4503);
	stage.pass(HOLD_MS);
	expect(await opens()).toBeNull();
	// Announcing once more gives no second minute.
	ben.handBack([], { documents: [text], last: false });
	await stage.settle();
	expect(await opens()).toBeNull();
});

test('[H8] nothing leaves a device before it was handed back, and what changed since the restore comes whole', async () => {
	const [cat] = await connected(CAT) as [Device];
	cat.submit('task.create', task(2), { title: 'new' });
	await stage.settle();
	await stage.restore(backup);
	stage.told();
	await back(cat);
	const seq = stage.portal.log.durable;
	expect(stage.told()).toMatchInlineSnapshot(`
		"cat → relay | hello 1/15 holding 12
		relay → cat | welcome inventory
		cat → relay | reoffer task:2#1
		relay → cat | reoffered taken
		cat → relay | inventory of 12
		relay → cat | gains task:2#1
		relay → cat | gains  @15"
	`);
	expect(cat.row(task(2))).toMatchObject({ title: 'new' });
	expect(cat.cursor).toEqual({ epoch: 2, seq });
	// What follows builds on the relay's own structs of this epoch.
	await stage.as(CAT, 'task.setTitle', task(2), { value: 'newer' });
	await stage.settle();
	expect(cat.row(task(2))).toMatchObject({ title: 'newer' });
	expect(cat.complaints).toEqual([]);
});

test('[H8] more pieces than the window, or a piece before the welcome, end the connection', async () => {
	const [cat] = await connected(CAT) as [Device];
	for (let n = 0; n <= REOFFER_WINDOW; n++) cat.handBack([]);
	await stage.settle();
	expect(cat.closedWith).toBe(4529);
	const early = stage.device(CAT).attach();
	early.handBack([]);
	await stage.settle();
	expect(early.closedWith).toBe(4400);
});

test('[H9] what comes back reaches those who may read it now; the structure that comes back holds at once', async () => {
	const [ann, cat] = await connected(ANN, CAT) as [Device, Device];
	ann.submit('employee.leaveDepartment', DAN, { member: SALES });
	ann.submit('employee.joinDepartment', DAN, { member: SUPPORT });
	await stage.settle();
	stage.pass(10);
	await stage.as(DAN, 'task.create', task(5), { title: 'of Dan' });
	await stage.settle();
	expect(ann.held.has(task(5))).toBe(true);
	await stage.restore(backup);
	const [ben, eve, fay] = await connected(BEN, EVE, FAY) as [Device, Device, Device];
	await back(ann);
	// Eve heads Support, where Dan is again; Ben heads Sales, where he was.
	expect([ann, ben, eve, fay].map((device) => device.held.has(task(5)))).toEqual([true, false, true, false]);
	expect(stage.portal.directory.person(DAN)?.departments).toEqual([SUPPORT]);
	// Cat holds nothing of it and brings nothing; her rights are those of now.
	await back(cat);
	expect(cat.held.has(task(5))).toBe(false);
	expect([ben, eve, fay].flatMap((device) => device.complaints)).toEqual([]);
	expect(stage.portal.directory.department(COMPANY)?.deleted).toBe(false);
});
