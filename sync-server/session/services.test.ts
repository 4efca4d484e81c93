// Services that are switched off and on again: what is refused, what is sent to nobody, and that nobody lacks anything afterwards.
import { beforeEach, expect, test } from 'vitest';
import { pageOf } from '#crdt-model/ids.ts';
import { idMaker } from '#crdt-model/testing/world.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { takeFarewell } from '../room/farewell.ts';
import { describeAnswer, type Device } from '../testing/device.ts';
import { ANN, BEN, CAT, DAN, deal, EVE, FAY, SALES, some, Stage, task } from '../testing/stage.ts';

let stage: Stage;
const settings = some('settings', 1);
const text = some('text', 1);
const description = pageOf(deal(1));
const answer = async (...args: Parameters<Stage['as']>) => describeAnswer(await stage.as(...args));
const seenOf = async (): Promise<Record<string, never>> => {
	const cell = (await stage.portal.read(ANN, settings))!.state.get('servicesOff');
	return (cell ? { servicesOff: cell.command } : {}) as Record<string, never>;
};
const off = async (...services: string[]) => {
	expect(await answer(ANN, 'settings.setServicesOff', settings, { value: services }, { seen: await seenOf() })).toBe('accepted');
	await stage.settle();
};

beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'deal.create', deal(1), { title: 'one' });
	await stage.as(CAT, 'page.hang', description, { title: 'description', on: deal(1) });
	await stage.as(CAT, 'task.create', task(1), { title: 't' });
	await stage.as(CAT, 'text.create', text, { title: 'x', place: 'company' });
});
async function connect(...people: (typeof ANN)[]): Promise<Device[]> {
	const devices = people.map((person) => stage.device(person).connect());
	await stage.settle();
	stage.told();
	return devices;
}
/** Comes back with what it holds. */
async function again(device: Device): Promise<Device> {
	device.connect({ cursor: device.cursor, held: digestOf(device.held.keys()) });
	await stage.settle();
	return device;
}
const holds = (device: Device) => [deal(1), description, task(1), text].filter((id) => device.held.has(id));
/** What the relay itself says meanwhile: no person may. */
async function byTheRelay(name: string, id: Parameters<Stage['as']>[2], args: unknown): Promise<void> {
	expect(await stage.portal.submitAsRelay({ commands: [stage.command(name, id, args, { at: stage.now() + 1 })] }, CAT)).toMatchObject({ kind: 'accepted' });
	await stage.settle();
}

test('[V1] every change to what is off is refused, the administrator’s too, and what is not readable stays unknown', async () => {
	await stage.as(EVE, 'text.create', some('text', 2), { title: 'mine', place: 'mine' });
	await stage.as(CAT, 'task.create', task(3), { title: 'with a description' });
	await off('crm', 'documents');
	for (const person of [ANN, CAT]) {
		expect(await answer(person, 'deal.setTitle', deal(1), { value: 'x' })).toBe('refused service-off by service.crm');
		expect(await answer(person, 'deal.create', deal(2), { title: 'new' })).toBe('refused service-off by service.crm');
		expect(await answer(person, 'page.setTitle', description, { value: 'x' })).toBe('refused service-off by service.crm');
		expect(await answer(person, 'text.setTitle', text, { value: 'x' })).toBe('refused service-off by service.documents');
		expect(await answer(person, 'proposal.create', some('proposal', person === ANN ? 1 : 2), { target: deal(1), text: 'p' })).toBe('refused service-off by service.crm');
		expect(await answer(person, 'task.setTitle', task(1), { value: `by ${person}` }, { at: stage.now() + 1_000 })).toBe('accepted');
	}
	expect(await answer(ANN, 'role.create', some('role', 1), { name: 'r' })).toBe('refused service-off by service.crm');
	// Faces are nobody's service, and what hangs on a task is the task's.
	expect(await answer(CAT, 'file.create', some('file', 1), { name: 'me', size: 1, mime: 'image/png', digest: 'a'.repeat(64), place: 'face' })).toBe('accepted');
	expect(await answer(CAT, 'page.hang', pageOf(task(3)), { title: 'd', on: task(3) })).toBe('accepted');
	for (const id of [some('text', 2), some('text', 99)]) expect(await answer(DAN, 'text.setTitle', id, { value: 'x' })).toBe('refused not-found');
	for (const id of [deal(1), deal(99)]) expect(await answer(EVE, 'deal.setTitle', id, { value: 'x' })).toBe('refused not-found');
});

test('[V1] a batch is judged by the switch that it makes itself; switched on, the refused command may be made anew', async () => {
	const title = () => stage.command('deal.setTitle', deal(1), { value: 'now' }, { at: stage.now() + 1_000 });
	const offAndOn = [stage.command('settings.setServicesOff', settings, { value: ['crm'] }), title()];
	expect(describeAnswer(await stage.batch(ANN, offAndOn))).toBe('refused service-off by service.crm');
	await off('crm');
	const refused = title();
	expect(describeAnswer(await stage.batch(CAT, [refused]))).toBe('refused service-off by service.crm');
	await off();
	// The first answer stays the answer to every repeat.
	expect(describeAnswer(await stage.batch(CAT, [refused]))).toBe('refused service-off by service.crm');
	expect(describeAnswer(await stage.batch(CAT, [title()]))).toBe('accepted');
});

test('[V1] what somebody who was dismissed hands over is taken while its service is off, and is there when it is back', async () => {
	await off('crm', 'tasks');
	const [ben] = await connect(BEN);
	expect(await answer(ANN, 'employee.dismiss', CAT)).toBe('accepted');
	const commands = [{ document: deal(1), name: 'deal.setTitle', args: { value: 'unsent' } }];
	const items = [{ document: deal(1), commands }, { document: task(99), text: 'typed and not sent' }];
	expect(await takeFarewell(stage.portal, CAT, items, idMaker(5))).toEqual({ heir: BEN, proposed: 2, leftOut: 0 });
	await stage.settle();
	const proposals = () => ben!.holds.filter((id) => id.startsWith('proposal_'));
	expect(proposals()).toEqual([]);
	await off();
	await again(ben!);
	expect(proposals()).toHaveLength(2);
	expect(ben!.complaints).toEqual([]);
});

test('[V2] nothing of it is sent to open sessions, to whoever gains it, or to whoever comes anew', async () => {
	await off('crm');
	const [cat, eve] = await connect(CAT, EVE);
	expect([holds(cat!), holds(eve!)]).toEqual([[task(1), text], [text]]);
	await byTheRelay('deal.setTitle', deal(1), { value: 'SECRET' });
	// Fay's head would read it: the relay passes it on, and the structure changes as well.
	await byTheRelay('deal.setResponsible', deal(1), { value: FAY });
	expect(await answer(ANN, 'department.setHead', SALES, { value: EVE })).toBe('accepted');
	await stage.settle();
	expect([holds(cat!), holds(eve!)]).toEqual([[task(1), text], [task(1), text]]);
	for (const device of [cat, eve]) {
		expect(device!.socket!.sent.some((frame) => Buffer.from(frame).includes('SECRET'))).toBe(false);
		expect(device!.complaints).toEqual([]);
	}
	// Also not to one that reads on from a cursor.
	cat!.cut();
	await byTheRelay('deal.setTitle', deal(1), { value: 'SECRET again' });
	await again(cat!);
	expect(cat!.socket!.sent.some((frame) => Buffer.from(frame).includes('SECRET'))).toBe(false);
	expect(cat!.complaints).toEqual([]);
});

test('[V2] groups and roles go on to devices, for rights follow from them', async () => {
	await stage.as(CAT, 'group.create', some('group', 1), { name: 'g', visibility: 'open' });
	await stage.as(ANN, 'role.create', some('role', 1), { name: 'r' });
	await off('groups', 'crm');
	const [dan] = await connect(DAN);
	expect([dan!.held.has(some('group', 1)), dan!.held.has(some('role', 1)), dan!.held.has(deal(1))]).toEqual([true, true, false]);
	expect(await answer(CAT, 'group.setName', some('group', 1), { value: 'x' })).toBe('refused service-off by service.groups');
});

test('[V2] /live of a page closes when its service goes, and does not open', async () => {
	const open = stage.live(CAT, text);
	const other = stage.live(CAT, description);
	await stage.settle();
	await off('documents');
	expect([open.closedWith, other.closedWith]).toEqual([4403, null]);
	const late = stage.live(CAT, text);
	await stage.settle();
	expect(late.closedWith).toBe(4403);
	// Whoever may not read it is told no more than before.
	await stage.as(CAT, 'task.create', task(3), { title: 'with a description' });
	expect(await answer(CAT, 'page.hang', pageOf(task(3)), { title: 'd', on: task(3) })).toBe('accepted');
	await off('documents', 'tasks');
	const stranger = stage.live(EVE, pageOf(task(3)));
	await stage.settle();
	expect(stranger.closedWith).toBe(4404);
	await off();
	const back = stage.live(CAT, text);
	await stage.settle();
	expect(back.closedWith).toBeNull();
});

test('[V3] what a device holds it keeps, over reconnecting and comparing; what its person may not read leaves it all the same', async () => {
	const [cat, ben] = await connect(CAT, BEN);
	await off('crm');
	for (const device of [cat!, ben!]) {
		device.cut();
		await again(device);
	}
	expect([holds(cat!), holds(ben!)]).toEqual([[deal(1), description, task(1), text], [deal(1), description, task(1), text]]);
	expect(stage.told()).not.toContain('lose');
	// Compared whole: another set than the rights give.
	ben!.cut();
	ben!.connect({ cursor: null, held: digestOf([]) });
	await stage.settle();
	expect(holds(ben!)).toEqual([deal(1), description, task(1), text]);
	expect(await answer(ANN, 'department.setHead', SALES, { value: DAN })).toBe('accepted');
	await stage.settle();
	expect(holds(ben!)).toEqual([text]);
	expect([cat!.complaints, ben!.complaints]).toEqual([[], []]);
});

test('[V4] switched on again, everyone gets what they lack: who stayed, who was away over both, who came in between', async () => {
	const [stayed, away] = await connect(CAT, CAT);
	away!.cut();
	await off('crm');
	const [anew, moved] = [stage.device(CAT).connect(), stage.device(BEN).connect()];
	await stage.settle();
	// One that came in between and is away when it comes back.
	moved.cut();
	await byTheRelay('deal.setTitle', deal(1), { value: 'changed' });
	await byTheRelay('deal.create', deal(2), { title: 'two' });
	await byTheRelay('page.setTitle', description, { value: 'changed too' });
	await stage.as(CAT, 'task.setTitle', task(1), { value: 'goes on' }, { at: stage.now() + 1_000 });
	await stage.settle();
	expect([stayed!, anew].map((device) => device.row(task(1)))).toMatchObject([{ title: 'goes on' }, { title: 'goes on' }]);
	expect(stayed!.row(deal(1))).toMatchObject({ title: 'one' });
	await off();
	expect([stayed!.closedWith, anew.closedWith]).toEqual([4503, 4503]);
	const all = [stayed!, away!, anew, moved];
	for (const device of all) await again(device);
	for (const device of all) {
		expect(holds(device)).toEqual([deal(1), description, task(1), text]);
		expect([device.row(deal(1)), device.row(deal(2)), device.row(description), device.row(task(1))]).toMatchObject([{ title: 'changed' }, { title: 'two' }, { title: 'changed too' }, { title: 'goes on' }]);
		expect(device.complaints).toEqual([]);
	}
	// Once they have it, they go on from their cursors.
	stage.told();
	for (const device of all) {
		device.cut();
		await again(device);
	}
	expect(stage.told()).not.toContain('inventory');
});

test('[V4] also over a restart of the relay, and where one service comes back while another goes', async () => {
	const [cat] = await connect(CAT);
	await off('crm');
	await byTheRelay('deal.setTitle', deal(1), { value: 'changed' });
	await stage.as(CAT, 'task.setTitle', task(1), { value: 'x' }, { at: stage.now() + 1_000 });
	await stage.settle();
	cat!.cut();
	await stage.reopen();
	await off('tasks');
	await stage.reopen();
	await again(cat!);
	expect(cat!.row(deal(1))).toMatchObject({ title: 'changed' });
	expect(holds(cat!)).toEqual([deal(1), description, task(1), text]);
	expect(await answer(CAT, 'task.setTitle', task(1), { value: 'y' })).toBe('refused service-off by service.tasks');
	expect(await answer(CAT, 'deal.setTitle', deal(1), { value: 'y' }, { at: stage.now() + 2_000 })).toBe('accepted');
	await stage.settle();
	expect(cat!.row(deal(1))).toMatchObject({ title: 'y' });
	expect(cat!.complaints).toEqual([]);
});

test('[V4] whoever threw the switch hears so before the line is closed', async () => {
	await off('crm');
	const [ann] = await connect(ANN);
	const id = ann!.submit('settings.setServicesOff', settings, { value: [] });
	await stage.settle();
	expect([ann!.answers.get(id)?.kind, ann!.closedWith]).toEqual(['accepted', 4503]);
	await again(ann!);
	expect(ann!.row(settings)).toMatchObject({ servicesOff: [] });
	expect(ann!.complaints).toEqual([]);
});

test('[V4] a device that is comparing while the switch is thrown misses nothing', async () => {
	await off('crm');
	const cat = stage.device(CAT).connect();
	// Its hello is under way, the switch is not on disk yet.
	const switched = stage.as(ANN, 'settings.setServicesOff', settings, { value: [] }, { seen: await seenOf() });
	await stage.settle();
	await switched;
	if (cat.closedWith !== null) await again(cat);
	expect(holds(cat)).toEqual([deal(1), description, task(1), text]);
	expect(cat.complaints).toEqual([]);
});

test('[V5] nothing is deleted: rows, log and counters are what they were', async () => {
	const before = await stage.portal.store.headsOfKinds(['deal', 'page', 'task', 'text']);
	const usage = stage.portal.tariff;
	await off('tasks', 'crm', 'documents', 'groups');
	await off();
	expect(await stage.portal.store.headsOfKinds(['deal', 'page', 'task', 'text'])).toEqual(before);
	expect(stage.portal.tariff).toEqual(usage);
	expect(await answer(CAT, 'deal.create', deal(7), { title: 'next' })).toBe('accepted');
	expect((await stage.portal.read(CAT, deal(7)))!.row.number).toBe(2);
});

test('[V6] what is sent follows the disk: until the switch is there, work goes on being told', async () => {
	const [cat] = await connect(CAT);
	const work = [stage.as(CAT, 'deal.setTitle', deal(1), { value: 'just before' }), stage.as(ANN, 'settings.setServicesOff', settings, { value: ['crm'] }), stage.as(CAT, 'deal.setTitle', deal(1), { value: 'too late' })];
	expect((await Promise.all(work)).map(describeAnswer)).toEqual(['accepted', 'accepted', 'refused service-off by service.crm']);
	await stage.settle();
	await off();
	if (cat!.closedWith !== null) await again(cat!);
	expect(cat!.row(deal(1))).toMatchObject({ title: 'just before' });
	expect(cat!.complaints).toEqual([]);
});
