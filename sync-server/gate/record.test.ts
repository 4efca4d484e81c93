import { beforeEach, expect, test } from 'vitest';
import { pageOf } from '#crdt-model/ids.ts';
import { commandId, documentId, itemId } from '#crdt-model/testing/world.ts';
import { describeAnswer } from '../testing/device.ts';
import { ANN, BEN, CAT, COMPANY, DAN, deal, EVE, FAY, SALES, some, Stage, SUPPORT, task } from '../testing/stage.ts';

let stage: Stage;
const answer = async (...args: Parameters<Stage['as']>) => describeAnswer(await stage.as(...args));
const batch = async (...args: Parameters<Stage['batch']>) => describeAnswer(await stage.batch(...args));
const row = (id: Parameters<Stage['portal']['read']>[1]) => stage.portal.read(ANN, id).then((found) => found?.row as Record<string, unknown> | undefined);

beforeEach(async () => {
	stage = await Stage.open();
	expect(await answer(CAT, 'task.create', task(1), { title: 'one' }, { id: commandId(1) })).toBe('accepted');
	expect(await answer(CAT, 'deal.create', deal(1), { title: 'deal', amount: 100 }, { id: commandId(2) })).toBe('accepted');
});

test.each<[string, (stage: Stage) => Promise<string>]>([
	['unknown-command', () => answer(CAT, 'task.explode', task(1))],
	['unknown-command', () => answer(CAT, 'deal.setTitle', task(1), { value: 'x' })],
	['unknown-command', () => answer(CAT, 'task.constructor', task(1))],
	['bad-value', () => answer(CAT, 'task.setTitle', task(1), { value: 7 })],
	['bad-value', () => answer(CAT, 'task.setTitle', task(1), { value: 'x'.repeat(10_000_000) })],
	['bad-value', () => answer(CAT, 'task.setTitle', task(1), { value: 'x', also: 1 })],
	['bad-value', () => answer(CAT, 'task.setTitle', task(1), null)],
	['denied by comments.author-only', () => answer(DAN, 'task.comment', task(1)).then(() => commentOfAnother())],
	['denied by company.last-administrator', () => answer(ANN, 'employee.dismiss', ANN)],
	['denied by company.no-cycle', () => answer(ANN, 'department.move', SALES, { value: SALES })],
	['stale', () => answer(CAT, 'deal.setAmount', deal(1), { value: 5 })],
	['target-gone', () => answer(CAT, 'task.tickItem', task(1), { item: itemId(9), done: true })],
	['not-found', () => answer(CAT, 'task.setTitle', task(99), { value: 'x' })],
	['not-found', () => answer(EVE, 'task.setTitle', task(1), { value: 'x' })],
	['not-found', () => answer(documentId('employee', 77), 'task.create', task(2), { title: 'x' })],
	['exists', () => answer(CAT, 'task.create', task(1), { title: 'again' })],
	['malformed', () => answer(ANN, 'task.setTitle', task(1), { value: 'x' }, { id: commandId(1) })]
])('[G4] refused as %s', async (code, run) => {
	const before = await row(task(1));
	expect(await run(stage)).toBe(`refused ${code}`);
	if (!code.includes('author-only')) expect(await row(task(1))).toEqual(before);
});
async function commentOfAnother(): Promise<string> {
	expect(await answer(CAT, 'task.comment', task(1), { item: itemId(1), text: 'mine' })).toBe('accepted');
	return answer(BEN, 'task.editComment', task(1), { item: itemId(1), text: 'forged' });
}

test('[G1] a batch is taken or refused as one, and a refused one wastes no number', async () => {
	const make = (n: number) => stage.command('task.create', task(n), { title: 'x' });
	expect(await batch(CAT, [make(2), stage.command('task.setTitle', task(1), { value: '' })])).toBe('refused bad-value');
	expect(await row(task(2))).toBeUndefined();
	expect(await batch(CAT, [make(3), make(4)])).toBe('accepted');
	expect([(await row(task(1)))!.number, (await row(task(3)))!.number, (await row(task(4)))!.number]).toEqual([1, 2, 3]);
});

test('[G1] the refusal names the command at fault', async () => {
	const bad = stage.command('task.setTitle', task(1), { value: '' });
	expect(await stage.batch(CAT, [stage.command('task.create', task(2), { title: 'x' }), bad])).toMatchObject({ kind: 'refused', command: bad.id });
});

test('[G5] a command that gives way, and even says what stands there, is judged all the same', async () => {
	expect(await answer(CAT, 'task.addObserver', task(1), { member: EVE })).toBe('accepted');
	const late = { at: 0 };
	expect(await answer(EVE, 'task.setTitle', task(1), { value: 'one' }, late)).toBe('refused denied by task.giver-changes');
	expect(await answer(EVE, 'task.setTitle', task(1), { value: 'other' }, late)).toBe('refused denied by task.giver-changes');
	expect(await answer(CAT, 'task.setTitle', task(1), { value: 'one' }, late), 'who may, says it in vain').toBe('accepted');
});

test('[G3] a guest who may name nobody hears the same of who is here and who is not', async () => {
	const guest = documentId('employee', 50);
	const fields = { firstName: 'Guest', lastName: 'Test', email: 'guest@example.com', guest: true };
	await stage.portal.submitAsRelay({ commands: [stage.command('employee.create', guest, fields)] });
	expect(await answer(CAT, 'task.addObserver', task(1), { member: guest })).toBe('accepted');
	expect(await answer(ANN, 'group.create', documentId('group', 1), { name: 'g', members: [guest] })).toBe('accepted');
	for (const member of [EVE, documentId('employee', 99)]) {
		expect(await answer(guest, 'task.addParticipant', task(1), { member })).toBe('refused denied by task.people-are-named');
		expect(await answer(guest, 'group.addMember', documentId('group', 1), { member })).toBe('refused denied by group.moderators-manage');
	}
});

test('[G2] a later command of a batch sees what the earlier ones made', async () => {
	const create = stage.command('task.create', task(2), { title: 'x' });
	const rename = stage.command('task.setTitle', task(2), { value: 'y' }, { seen: { title: create.id } });
	expect(await batch(CAT, [create, rename, stage.command('page.hang', pageOf(task(2)), { title: 'd', on: task(2) })])).toBe('accepted');
	expect((await row(task(2)))!.title).toBe('y');
	expect(await batch(CAT, [stage.command('task.create', task(3), { title: 'x' }), stage.command('task.create', task(3), { title: 'x' })])).toBe('refused exists');
});

test('[G2] two commands that are harmless alone do not leave the company without an administrator', async () => {
	expect(await answer(ANN, 'employee.setAdministrator', BEN, { value: true })).toBe('accepted');
	const off = (who: typeof ANN) => stage.command('employee.setAdministrator', who, { value: false });
	expect(await batch(ANN, [off(BEN), off(ANN)])).toBe('refused denied by company.last-administrator');
	expect(stage.portal.directory.administrators).toBe(2);
	// Who gives up the right within the batch has it no more.
	expect(await batch(ANN, [off(ANN), off(BEN)])).toBe('refused denied by company.administrators-change');
});

test('[G2] two commands that are harmless alone do not close a ring of departments', async () => {
	const move = (id: typeof SALES, value: typeof SALES) => stage.command('department.move', id, { value });
	expect(await batch(ANN, [move(SALES, SUPPORT), move(SUPPORT, SALES)])).toBe('refused denied by company.no-cycle');
	expect(stage.portal.directory.department(SALES)!.parent).toBe(COMPANY);
});

test('[G3] what one may not read is refused exactly as what is not there', async () => {
	const probes: [string, unknown][] = [
		['task.setTitle', { value: 'x' }], ['task.explode', {}], ['task.setTitle', { value: 7 }], ['task.create', { title: '' }],
		['task.create', { title: 'x', responsible: documentId('employee', 70) }], ['task.delete', {}], ['task.restore', {}]
	];
	for (const [name, args] of probes) {
		const hidden = await stage.as(EVE, name, task(1), args);
		const absent = await stage.as(EVE, name, task(98), args);
		const blind = (value: unknown) => JSON.stringify({ ...(value as object), command: null }).replaceAll(task(1), 'ID').replaceAll(task(98), 'ID');
		expect(blind(hidden), name).toBe(blind(absent));
	}
	expect(await answer(EVE, 'task.create', task(1), { title: 'mine now' })).toBe('refused not-found');
});

test('[G3] a page cannot be hung on what one may not read, whether it has a page or not', async () => {
	const hang = (n: number) => stage.as(EVE, 'page.hang', pageOf(deal(n)), { title: 'probe', on: deal(n) });
	expect(await answer(CAT, 'deal.create', deal(21), { title: 'deal' })).toBe('accepted');
	const answers = [await hang(21), await hang(98)];
	expect(await answer(CAT, 'page.hang', pageOf(deal(21)), { title: 'd', on: deal(21) })).toBe('accepted');
	answers.push(await hang(21));
	const blind = answers.map((value) => JSON.stringify({ ...value, command: null }).replaceAll(/page_[-0-9a-f]+/g, 'ID'));
	expect(new Set(blind).size, blind.join('\n')).toBe(1);
	expect(blind[0]).toContain('not-found');
});

test('[G14] the page of a record is nobody’s to make elsewhere: neither loose nor on another record of the same number', async () => {
	// Eve reads the task and has no hand in its description. A page of hers in its place would be read by everyone who may read hers.
	expect(await answer(CAT, 'task.addObserver', task(1), { member: EVE })).toBe('accepted');
	expect(await answer(EVE, 'page.create', pageOf(task(1)), { title: 'mine', place: 'company' })).toBe('refused exists');
	expect(await answer(DAN, 'page.create', pageOf(task(1)), { title: 'mine', place: 'company' }), 'to whom the task is not there').toBe('refused not-found');
	// A record of the same number that came later does not change whose page it is.
	const twin = stage.command('company.create', some('company', 1), { name: 'of one number' });
	const hang = () => stage.command('page.hang', pageOf(task(1)), { title: 'mine', on: some('company', 1) });
	await stage.reopen();
	expect(await batch(EVE, [twin, hang()])).toBe('refused exists');
	expect(await batch(EVE, [stage.command('company.create', some('company', 1), { name: 'of one number' })])).toBe('accepted');
	expect(await batch(EVE, [hang()])).toBe('refused exists');
	expect(await answer(CAT, 'page.hang', pageOf(task(1)), { title: 'of the task', on: task(1) })).toBe('accepted');
	expect(await answer(DAN, 'page.create', some('page', 77), { title: 'loose', place: 'company' })).toBe('accepted');
});

test('[G5] two titles that did not see each other: the later stands, the other person is told', async () => {
	const ben = stage.device(BEN).connect();
	const cat = stage.device(CAT).connect();
	await stage.settle();
	stage.pass(10);
	ben.submit('task.setTitle', task(1), { value: 'by ben' }, { at: stage.now() - 2 });
	cat.submit('task.setTitle', task(1), { value: 'by cat' }, { at: stage.now() - 1 });
	await stage.settle();
	expect((await row(task(1)))!.title).toBe('by cat');
	expect([ben.overruled, cat.overruled]).toEqual([['title'], []]);
	expect([ben.complaints, cat.complaints]).toEqual([[], []]);
});

test('[G5] money and the stage of a closed deal are compared and set; the refusal shows what stands', async () => {
	const first = stage.command('deal.setAmount', deal(1), { value: 200 }, { seen: { amount: commandId(2) } });
	expect(await batch(CAT, [first])).toBe('accepted');
	expect(await stage.as(BEN, 'deal.setAmount', deal(1), { value: 300 }, { seen: { amount: commandId(2) } })).toMatchObject({
		refusal: { code: 'stale', current: { path: 'amount', value: 200, by: CAT, command: first.id } }
	});
	const close = stage.command('deal.moveToStage', deal(1), { value: 'won' });
	expect(await batch(CAT, [close])).toBe('accepted');
	expect(await answer(BEN, 'deal.moveToStage', deal(1), { value: 'lost' })).toBe('refused stale');
	expect(await answer(BEN, 'deal.moveToStage', deal(1), { value: 'lost' }, { seen: { stage: close.id } })).toBe('accepted');
	expect(await answer(BEN, 'deal.setAmount', deal(1), { value: 1 }, { seen: JSON.parse(`{"__proto__":{"amount":"${first.id}"}}`) })).toBe('refused stale');
});

test('[G6] the author is the session\'s person; a time in the future is the relay\'s', async () => {
	const forged = { title: 'x', createdBy: ANN };
	expect(await answer(EVE, 'task.create', task(2), forged)).toBe('refused bad-value');
	expect(await answer(EVE, 'task.create', task(2), { title: 'x' }, { at: Number.MAX_SAFE_INTEGER })).toBe('accepted');
	expect(await row(task(2))).toMatchObject({ createdBy: EVE, createdAt: stage.now(), updatedAt: stage.now() });
	const [entry] = await stage.portal.store.history(task(2), 0, 1);
	expect([entry!.author, entry!.authoredAt]).toEqual([EVE, stage.now()]);
});

test('[G6] deals are handed to others only by those who see the others\' deals', async () => {
	expect(await answer(FAY, 'deal.create', deal(2), { title: 'x', responsible: CAT })).toBe('refused denied by deal.responsible-or-head');
	expect(await answer(BEN, 'deal.create', deal(2), { title: 'x', responsible: CAT })).toBe('accepted');
	expect(await answer(DAN, 'deal.setTitle', deal(2), { value: 'y' })).toBe('refused not-found');
});

test('[G7] numbers are the relay\'s: in order, per kind, never from outside', async () => {
	await Promise.all([2, 3].map((n) => stage.as(CAT, 'task.create', task(n), { title: 'x' })));
	expect(await Promise.all([1, 2, 3].map(async (n) => (await row(task(n)))!.number))).toEqual([1, 2, 3]);
	expect((await row(deal(1)))!.number).toBe(1);
	expect(await answer(CAT, 'task.create', task(4), { title: 'x', number: 7 })).toBe('refused bad-value');
	expect(await answer(ANN, 'company.create', some('company', 1), { name: 'x' })).toBe('accepted');
	expect((await row(some('company', 1)))!.number).toBeNull();
});

test('[G7] of two who make one record only the first does, and no number is lost', async () => {
	const results = await Promise.all([stage.as(CAT, 'task.create', task(5), { title: 'a' }), stage.as(BEN, 'task.create', task(5), { title: 'b' })]);
	expect(results.map(describeAnswer)).toEqual(['accepted', 'refused exists']);
	expect(await answer(CAT, 'task.create', task(6), { title: 'c' })).toBe('accepted');
	expect([(await row(task(5)))!.number, (await row(task(6)))!.number]).toEqual([2, 3]);
});
