import { beforeEach, expect, test } from 'vitest';
import { pageOf } from '#crdt-model/ids.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { ANN, BEN, CAT, COMPANY, DAN, deal, EVE, FAY, SALES, some, Stage, SUPPORT, task } from '../testing/stage.ts';

let stage: Stage;
beforeEach(async () => {
	stage = await Stage.open();
	await stage.as(CAT, 'deal.create', deal(1), { title: 'd' });
	await stage.as(CAT, 'page.hang', pageOf(deal(1)), { title: 'description', on: deal(1) });
	await stage.as(CAT, 'task.create', task(1), { title: 't' });
});
async function connect(...people: (typeof ANN)[]) {
	const devices = people.map((person) => stage.device(person).connect());
	await stage.settle();
	stage.told();
	return devices;
}

test('[F1] a change goes to everyone who may read it, and to nobody else', async () => {
	await connect(ANN, BEN, CAT, DAN, EVE);
	await stage.as(CAT, 'task.setTitle', task(1), { value: 'x' });
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"relay → ann | entries task:1 setTitle#2 @17
		relay → ben | entries task:1 setTitle#2 @17
		relay → cat | entries task:1 setTitle#2 @17"
	`);
});

test('[F2] a deal that changes hands leaves one and comes to the other whole, with what hangs on it', async () => {
	const [cat, eve] = await connect(CAT, EVE);
	await stage.as(CAT, 'deal.setResponsible', deal(1), { value: FAY });
	await stage.settle();
	await stage.as(ANN, 'deal.setTitle', deal(1), { value: 'now Fay\'s' });
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"relay → cat | lose deal:1
		relay → cat | lose page:1
		relay → eve | gains deal:1#2, page:1#1
		relay → eve | entries deal:1 setResponsible#2 @17
		relay → eve | entries deal:1 setTitle#3 @18"
	`);
	expect([cat!.held.has(deal(1)), cat!.held.has(pageOf(deal(1)))]).toEqual([false, false]);
	expect(eve!.row(pageOf(deal(1)))).toMatchObject({ title: 'description' });
	expect([cat!.complaints, eve!.complaints]).toEqual([[], []]);
});

test('[F2] a page that is taken back leaves the others', async () => {
	await stage.as(CAT, 'page.create', some('page', 50), { title: 'open', place: 'company' });
	const [dan] = await connect(DAN);
	await stage.as(CAT, 'page.setPlace', some('page', 50), { value: 'mine' });
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`"relay → dan | lose page:50"`);
	expect(dan!.held.has(some('page', 50))).toBe(false);
});

test('[F3] made for one and handed on in the same commit: the first never holds it', async () => {
	const [cat, eve] = await connect(CAT, EVE);
	const create = stage.command('deal.create', deal(2), { title: 'SECRET', responsible: CAT });
	const hand = stage.command('deal.setResponsible', deal(2), { value: EVE }, { seen: { responsible: create.id } });
	await stage.batch(ANN, [create, hand, stage.command('deal.setTitle', deal(2), { value: 'SECRET 2' }, { seen: { title: create.id } })]);
	await stage.settle();
	expect(cat!.held.has(deal(2))).toBe(false);
	expect(cat!.socket!.sent.some((frame) => Buffer.from(frame).includes('SECRET'))).toBe(false);
	expect(eve!.row(deal(2))).toMatchObject({ title: 'SECRET 2' });
	expect([cat!.complaints, eve!.complaints]).toEqual([[], []]);
});

test('[F3] nothing reaches a session by a right that the same commit takes', async () => {
	const [ben] = await connect(BEN);
	const work = [
		stage.as(ANN, 'department.setHead', SALES, { value: DAN }),
		stage.as(CAT, 'task.create', task(2), { title: 'SECRET new' }),
		stage.as(CAT, 'task.setTitle', task(1), { value: 'SECRET old' })
	];
	await Promise.all(work);
	await stage.settle();
	expect(ben!.socket!.sent.some((frame) => Buffer.from(frame).includes('SECRET'))).toBe(false);
	expect([ben!.held.has(task(1)), ben!.held.has(task(2)), ben!.held.has(deal(1))]).toEqual([false, false, false]);
});

test('[F4] a change of the structure changes what open sessions hold: a new head gains, the old one loses', async () => {
	const [ben, dan] = await connect(BEN, DAN);
	await stage.as(ANN, 'department.setHead', SALES, { value: DAN });
	await stage.settle();
	expect(stage.told()).toMatchInlineSnapshot(`
		"relay → ben | lose deal:1, page:1, task:1
		relay → ben | entries department:2 setHead#3 @17
		relay → dan | gains deal:1#1, page:1#1, task:1#1
		relay → dan | entries department:2 setHead#3 @17"
	`);
	const held = (device: typeof ben) => [deal(1), pageOf(deal(1)), task(1)].map((id) => device!.held.has(id));
	expect([held(ben), held(dan)]).toEqual([[false, false, false], [true, true, true]]);
});

test('[F4] moving a department moves what its heads see', async () => {
	const [eve] = await connect(EVE);
	await stage.as(ANN, 'department.move', SALES, { value: SUPPORT });
	await stage.settle();
	expect(eve!.held.has(deal(1))).toBe(true);
	await stage.as(ANN, 'department.move', SALES, { value: COMPANY });
	await stage.settle();
	expect(eve!.held.has(deal(1))).toBe(false);
	expect(eve!.complaints).toEqual([]);
});

test('[F4] an administrator who is one no longer loses the company', async () => {
	await stage.as(ANN, 'employee.setAdministrator', FAY, { value: true });
	const [fay] = await connect(FAY);
	expect(fay!.held.has(deal(1))).toBe(true);
	await stage.as(ANN, 'employee.setAdministrator', FAY, { value: false });
	await stage.settle();
	expect(fay!.holds.filter((id) => /^(deal|task|page)/.test(id))).toEqual([]);
});

test('[F4] a right that goes with one commit and a document that moves with the next: the document leaves', async () => {
	const [ben] = await connect(BEN);
	// A store that looks only after the second commit, as one does whose requests wait behind it.
	const release = Promise.withResolvers<void>();
	const { store } = stage.portal;
	const reached = store.reached.bind(store);
	store.reached = async (query) => release.promise.then(() => reached(query));
	await stage.as(ANN, 'department.setHead', SALES, { value: DAN });
	await stage.as(ANN, 'deal.setResponsible', deal(1), { value: FAY });
	release.resolve();
	await stage.settle();
	expect([ben!.held.has(deal(1)), ben!.held.has(pageOf(deal(1)))]).toEqual([false, false]);
});

test('[F5] dismissal closes every session of the person, also one that has not spoken yet', async () => {
	await connect(FAY);
	const silent = stage.device(FAY).attach();
	const fay = stage.device(FAY).connect();
	await stage.as(ANN, 'text.create', some('text', 1), { title: 'x', place: 'company' });
	const live = stage.live(FAY, some('text', 1));
	await stage.settle();
	await stage.as(ANN, 'employee.dismiss', FAY);
	await stage.settle();
	expect([silent.closedWith, fay.closedWith, live.closedWith]).toEqual([4403, 4403, 4403]);
	const late = stage.device(FAY).connect();
	await stage.settle();
	expect(late.closedWith).toBe(4403);
	expect(await stage.as(FAY, 'task.create', task(9), { title: 'x' })).toMatchObject({ refusal: { code: 'not-found' } });
});

test('[F5] a session that says hello after its rights changed gets what it may read now', async () => {
	const ben = stage.device(BEN).attach();
	await stage.as(ANN, 'department.setHead', SALES, { value: DAN });
	ben.say({ type: 'hello', version: WIRE_VERSION, cursor: null, held: { count: 0, digest: '' } });
	await stage.settle();
	expect(ben.held.has(deal(1))).toBe(false);
});

test('[F6] who has left is told nothing and held nowhere', async () => {
	await connect(BEN, CAT);
	const [gone] = await connect(CAT);
	const { socket } = gone!;
	await stage.as(ANN, 'employee.setAdministrator', CAT, { value: true });
	await stage.settle();
	gone!.cut();
	const sent = socket!.sent.length;
	await stage.as(ANN, 'employee.setAdministrator', CAT, { value: false });
	await stage.as(CAT, 'task.setTitle', task(1), { value: 'x' });
	await stage.settle();
	expect(socket!.sent.length).toBe(sent);
	stage.portal.audience.closeAll(4503, 'test');
	await stage.settle();
	expect(stage.portal.audience.size).toBe(0);
	expect(stage.portal.audience.isEmpty).toBe(true);
});
