import { beforeEach, expect, test } from 'vitest';
import { pageOf, type DocumentId } from '#crdt-model/ids.ts';
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

test('[F4] a right that goes with one commit and a document that is given back with the next: the document comes again', async () => {
	const [ben] = await connect(BEN);
	// A store that has made the list of losses before the second commit, and tells it after.
	const release = Promise.withResolvers<void>();
	const { store } = stage.portal;
	const reached = store.reached.bind(store);
	store.reached = async (query) => {
		const page = await reached(query);
		await release.promise;
		return page;
	};
	await stage.as(ANN, 'department.setHead', SALES, { value: DAN });
	await stage.as(ANN, 'deal.setResponsible', deal(1), { value: BEN });
	release.resolve();
	await stage.settle();
	await stage.as(ANN, 'deal.setTitle', deal(1), { value: 'Ben\'s' });
	await stage.settle();
	expect(ben!.row(deal(1))).toMatchObject({ title: 'Ben\'s' });
	expect([ben!.held.has(pageOf(deal(1))), ben!.complaints]).toEqual([true, []]);
});

test('[F4] a right that comes with one commit and a document that moves on with the next: the document comes', async () => {
	await stage.as(CAT, 'text.create', some('text', 1), { title: 'x', place: 'mine' });
	const [fay] = await connect(FAY);
	// A store that looks only after the second commit.
	const release = Promise.withResolvers<void>();
	const { store } = stage.portal;
	const reached = store.reached.bind(store);
	store.reached = async (query) => release.promise.then(() => reached(query));
	await stage.as(ANN, 'employee.setAdministrator', FAY, { value: true });
	await stage.as(CAT, 'text.setPlace', some('text', 1), { value: 'company' });
	release.resolve();
	await stage.settle();
	expect([fay!.held.has(some('text', 1)), fay!.complaints]).toEqual([true, []]);
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

const proposal = (n: number) => some('proposal', n);
const propose = (by: typeof ANN, n: number, target: DocumentId) =>
	stage.as(by, 'proposal.create', proposal(n), { target, commands: [{ document: target, name: 'deal.setTitle', args: { value: 'SECRET' } }] });

const answer = async (by: typeof ANN, verb: string, n: number, args: unknown = {}) => {
	const [made] = await stage.portal.store.history(proposal(n), 0, 1);
	return stage.as(by, `proposal.${verb}`, proposal(n), args, { seen: { state: made!.command!.id } });
};

test('[F7] a proposal is read by its author and by who reads its target, and by nobody else', async () => {
	const [ann, ben, cat, dan, eve, fay] = await connect(ANN, BEN, CAT, DAN, EVE, FAY);
	expect(await propose(DAN, 1, deal(1))).toMatchObject({ kind: 'accepted' });
	await stage.settle();
	expect([ann, ben, cat, dan, eve, fay].map((device) => device!.held.has(proposal(1)))).toEqual([true, true, true, true, false, false]);
	expect(dan!.held.has(deal(1)), 'proposing opens nothing').toBe(false);
	await answer(CAT, 'decline', 1, { word: 'no' });
	await stage.settle();
	expect(dan!.row(proposal(1))).toMatchObject({ state: 'declined', word: 'no' });
	expect(await stage.portal.read(DAN, proposal(1))).not.toBeNull();
	expect(await stage.portal.read(EVE, proposal(1))).toBeNull();
	for (const device of [ann, ben, cat, dan]) expect(device!.complaints).toEqual([]);
});

test('[F7] when the target changes hands its proposals go with it, but not from their authors', async () => {
	await propose(DAN, 1, deal(1));
	await propose(CAT, 2, deal(1));
	const [cat, dan, eve] = await connect(CAT, DAN, EVE);
	await stage.as(CAT, 'deal.setResponsible', deal(1), { value: FAY });
	await stage.settle();
	const holds = (device: typeof cat) => [deal(1), proposal(1), proposal(2)].map((id) => device!.held.has(id));
	expect([cat, dan, eve].map(holds)).toEqual([[false, false, true], [false, true, false], [true, true, true]]);
	await answer(CAT, 'withdraw', 2);
	await stage.settle();
	expect([cat!.row(proposal(2)), eve!.row(proposal(2))]).toMatchObject([{ state: 'withdrawn' }, { state: 'withdrawn' }]);
	for (const device of [cat, dan, eve]) {
		expect(device!.complaints).toEqual([]);
		const before = device!.holds;
		device!.cut();
		device!.connect();
		await stage.settle();
		expect(device!.holds, 'the digest says the same').toEqual(before);
	}
});

test('[F7] a head who is one no longer keeps what they proposed themself', async () => {
	await propose(BEN, 1, deal(1));
	await propose(DAN, 2, deal(1));
	const [ben] = await connect(BEN);
	await stage.as(ANN, 'department.setHead', SALES, { value: DAN });
	await stage.settle();
	expect([deal(1), proposal(1), proposal(2)].map((id) => ben!.held.has(id))).toEqual([false, true, false]);
	expect(ben!.complaints).toEqual([]);
});

test('[F7] what was proposed for a record before anybody made it comes to who reads it then', async () => {
	await propose(DAN, 1, deal(7));
	const [cat, dan, ann, eve] = await connect(CAT, DAN, ANN, EVE);
	expect([cat, dan, ann].map((device) => device!.held.has(proposal(1)))).toEqual([false, true, false]);
	await stage.as(DAN, 'proposal.setNote', proposal(1), { value: 'a second entry' });
	await stage.settle();
	await stage.reopen();
	for (const device of [cat, dan, ann, eve]) device!.connect();
	await stage.settle();
	await Promise.all([stage.as(CAT, 'deal.create', deal(7), { title: 'late' }), stage.as(DAN, 'proposal.setNote', proposal(1), { value: 'a third' })]);
	await stage.settle();
	expect([cat, dan, ann, eve].map((device) => [deal(7), proposal(1)].map((id) => device!.held.has(id)))).toEqual([[true, true], [false, true], [true, true], [false, false]]);
	expect(cat!.row(proposal(1))).toMatchObject({ note: 'a third' });
	for (const device of [cat, dan, ann, eve]) expect(device!.complaints).toEqual([]);
});

test('[F7] target and proposal of one batch, and a target that comes while its proposal is on its way to disk', async () => {
	const [cat, dan, eve] = await connect(CAT, DAN, EVE);
	const made = (n: number, target: number) => stage.command('proposal.create', proposal(n), { target: deal(target), text: 'x' });
	await stage.batch(DAN, [made(1, 8), stage.command('deal.create', deal(8), { title: 'd', responsible: DAN })]);
	await Promise.all([propose(DAN, 2, deal(9)), stage.as(CAT, 'deal.create', deal(9), { title: 'd' })]);
	await stage.settle();
	expect([cat, dan, eve].map((device) => [proposal(1), proposal(2)].map((id) => device!.held.has(id)))).toEqual([[false, true], [true, true], [false, false]]);
	for (const device of [cat, dan, eve]) expect(device!.complaints).toEqual([]);
});

test('[F8] nothing is sent by a right that is not on disk yet, to nobody who comes and to nobody who is there', async () => {
	let hold: Promise<void> | null = null;
	stage = await Stage.open({ gate: async () => void (await hold) });
	await stage.as(CAT, 'deal.create', deal(1), { title: 'SECRET deal' });
	await stage.as(CAT, 'text.create', some('text', 1), { title: 'SECRET text', place: 'mine' });
	const [there] = await connect(FAY);
	const disk = Promise.withResolvers<void>();
	hold = disk.promise;
	const granted = Promise.all([stage.as(ANN, 'employee.setAdministrator', FAY, { value: true }), stage.as(CAT, 'text.setPlace', some('text', 1), { value: 'company' })]);
	// Judged by the new right at once; the answer waits.
	const deed = stage.as(FAY, 'deal.setTitle', deal(1), { value: 'SECRET too' });
	await stage.settle();
	const comes = stage.device(FAY).connect();
	const live = stage.live(FAY, some('text', 1));
	await stage.settle();
	expect(await stage.portal.read(FAY, deal(1))).toBeNull();
	expect((await stage.portal.rows(FAY, { kind: 'deal', limit: 9 })).rows).toEqual([]);
	const leaked = () => [there!, comes].some((device) => device.socket!.sent.some((frame) => Buffer.from(frame).includes('SECRET')));
	expect([leaked(), comes.held.has(deal(1)), live.socket.sent.length]).toEqual([false, false, 0]);
	disk.resolve();
	await stage.settle();
	expect(await Promise.all([granted, deed])).toMatchObject([[{ kind: 'accepted' }, { kind: 'accepted' }], { kind: 'accepted' }]);
	expect([there!, comes].map((device) => [device.held.has(deal(1)), device.held.has(some('text', 1))])).toEqual([[true, true], [true, true]]);
	expect(await stage.portal.read(FAY, deal(1))).not.toBeNull();
	expect([live.closedWith, live.socket.sent.length > 0]).toEqual([null, true]);
	expect([there!.complaints, comes.complaints]).toEqual([[], []]);
});

test('[F8] a right whose commit fails has sent nothing', async () => {
	let fails: Promise<void> | null = null;
	stage = await Stage.open({ gate: async () => void (await fails) });
	await stage.as(CAT, 'deal.create', deal(1), { title: 'SECRET deal' });
	const [there] = await connect(FAY);
	const disk = Promise.withResolvers<void>();
	fails = disk.promise;
	const granted = stage.as(ANN, 'employee.setAdministrator', FAY, { value: true });
	await stage.settle();
	const comes = stage.device(FAY).connect();
	await stage.settle();
	disk.reject(new Error('disk full'));
	await stage.settle();
	expect(await granted).toMatchObject({ kind: 'refused', refusal: { code: 'unavailable' } });
	for (const { socket, closedWith } of [there!, comes]) {
		expect(closedWith).toBe(4503);
		expect(socket!.sent.some((frame) => Buffer.from(frame).includes('SECRET'))).toBe(false);
	}
});
