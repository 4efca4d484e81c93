import { beforeEach, expect, test } from 'vitest';
import { pageOf, type BatchId } from '#crdt-model/ids.ts';
import { MemoryRelayStore } from '#storage/memory/relay-store.ts';
import { chained, CHAIN_START } from '../log/seal.ts';
import { describeAnswer } from '../testing/device.ts';
import { ANN, CAT, deal, EVE, FAY, MAC_KEY, SALES, some, Stage, task } from '../testing/stage.ts';
import { Portals } from './portals.ts';

let stage: Stage;
let hold: Promise<void> | null = null;
beforeEach(async () => {
	hold = null;
	stage = await Stage.open({ gate: async () => void (await hold) });
	await stage.as(CAT, 'task.create', task(1), { title: 'one' });
});
const entries = () => stage.portal.store.entriesAfter({ principals: ['all', 'admins', 'crm:deal:all'], after: 0, window: 10_000 });

test('[O1] decisions are taken in the order in which batches came, each on what the one before made', async () => {
	const results = await Promise.all(
		[['task.create', task(2), { title: 'x' }], ['task.delete', task(2), {}], ['task.setTitle', task(2), { value: 'y' }], ['task.restore', task(2), {}]].map(([name, id, args]) =>
			stage.as(CAT, name as string, id as ReturnType<typeof task>, args)
		)
	);
	expect(results.map(describeAnswer)).toEqual(['accepted', 'accepted', 'refused target-gone', 'accepted']);
});

test('[O2] an answer waits for the disk', async () => {
	const release = Promise.withResolvers<void>();
	hold = release.promise;
	let told = false;
	const answer = stage.as(CAT, 'task.setTitle', task(1), { value: 'x' }).then(() => (told = true));
	await stage.settle();
	expect([told, (await stage.portal.read(CAT, task(1)))!.row]).toMatchObject([false, { title: 'one' }]);
	release.resolve();
	await answer;
});

test('[O3] after a failed commit the portal is of no use; the next one holds all that was accepted and nothing else', async () => {
	const memory = new MemoryRelayStore();
	const faults: unknown[] = [];
	const portals = await Portals.open({ store: memory, macKey: MAC_KEY, onFault: (_, reason) => void faults.push(reason) });
	const { portal, administrator } = await portals.found({ company: 'C', language: 'en', firstName: 'A', lastName: 'B', email: 'a@example.com' });
	const submit = (at: typeof portal, n: number) =>
		at.submit(administrator, { id: stage.batchId(), commands: [stage.command('task.create', task(n), { title: `${n}` })] });
	expect((await submit(portal, 1)).kind).toBe('accepted');
	memory.failNext(1);
	expect(describeAnswer(await submit(portal, 2))).toBe('refused unavailable');
	expect(describeAnswer(await submit(portal, 3))).toBe('refused unavailable');
	const again = (await portals.portal(portal.id))!;
	expect([again === portal, portal.isOver, faults.length]).toEqual([false, true, 1]);
	const { rows } = await again.rows(administrator, { kind: 'task', limit: 10 });
	expect(rows.map(({ id }) => id)).toEqual([task(1)]);
	expect((await submit(again, 2)).kind).toBe('accepted');
	expect((await again.read(administrator, task(2)))!.row.number).toBe(2);
	await portals.close();
});

test('[O4] a repeat gets the first answer: at once, while the commit is under way, after a restart', async () => {
	const refusedFirst = stage.command('task.setTitle', task(1), { value: '' });
	const first = stage.command('task.setTitle', task(1), { value: 'x' });
	const submit = (command: typeof first) => stage.portal.submit(CAT, { id: 'batch_00000000-0000-7000-8000-000000000001' as BatchId, commands: [command] });
	const release = Promise.withResolvers<void>();
	hold = release.promise;
	const crossing = Promise.all([submit(first), submit(first), submit(refusedFirst)]);
	await stage.settle();
	release.resolve();
	const [one, two, no] = await crossing;
	expect([one, no]).toMatchObject([{ kind: 'accepted' }, { kind: 'refused' }]);
	expect([two, await submit(first)]).toEqual([one, one]);
	await stage.reopen();
	expect([await submit(first), await submit(refusedFirst)]).toEqual([one, no]);
	expect((await entries()).entries.filter(({ command }) => command?.id === first.id).length).toBe(1);
});

test('[O4] an id that another person used, twice in a batch, or with new ones beside it is no repeat', async () => {
	const used = stage.command('task.setTitle', task(1), { value: 'x' });
	const fresh = () => stage.command('task.setDeadline', task(1), { value: '2026-11-30' });
	expect(describeAnswer(await stage.batch(CAT, [used]))).toBe('accepted');
	const twice = fresh();
	for (const [person, commands] of [[ANN, [used]], [CAT, [used, fresh()]], [CAT, [fresh(), used]], [CAT, [twice, twice]]] as const) {
		expect(describeAnswer(await stage.batch(person, commands))).toBe('refused malformed');
	}
	expect((await stage.portal.read(CAT, task(1)))!.row).toMatchObject({ title: 'x', deadline: null });
});

test('[O5] rights are those of the moment of judging, not of sending', async () => {
	await stage.as(CAT, 'deal.create', deal(1), { title: 'd' });
	const [, late] = await Promise.all([
		stage.as(ANN, 'deal.setResponsible', deal(1), { value: EVE }),
		stage.as(CAT, 'deal.setTitle', deal(1), { value: 'mine still?' }),
	]);
	expect(describeAnswer(late)).toBe('refused not-found');
	const [, dismissed] = await Promise.all([stage.as(ANN, 'employee.dismiss', CAT), stage.as(CAT, 'task.create', task(5), { title: 'x' })]);
	expect(describeAnswer(dismissed)).toBe('refused not-found');
	expect(stage.portal.actorOf(EVE)!.principals.has('admins')).toBe(false);
	await stage.as(ANN, 'employee.setAdministrator', EVE, { value: true });
	expect(stage.portal.actorOf(EVE)!.principals.has('admins')).toBe(true);
});

test('[O6] a long tail becomes a snapshot; document, numbers and chain survive it and a restart', async () => {
	for (let i = 0; i < 450; i++) await stage.as(CAT, 'task.setTitle', task(1), { value: `${i}` });
	await stage.reopen();
	const [stored] = await stage.portal.store.load([task(1)]);
	expect([stored!.snapshotDocSeq > 200, stored!.tail.length < 200, stored!.docSeq]).toEqual([true, true, 451]);
	expect((await stage.portal.read(CAT, task(1)))!.row).toMatchObject({ title: '449' });
	await stage.as(ANN, 'department.setHead', SALES, { value: CAT });
	let chain = CHAIN_START;
	for (const entry of (await entries()).entries) expect(entry.hash).toEqual((chain = chained(chain, entry, entry.rightsVersion)));
	expect((await stage.portal.store.head()).chain).toEqual(chain);
});

test('[G3] what a change hangs on is read before it is judged, by what its kind names and two steps far', async () => {
	await stage.as(CAT, 'deal.create', deal(21), { title: 'd' });
	await stage.as(CAT, 'page.hang', pageOf(deal(21)), { title: 'p', on: deal(21) });
	const proposal = some('proposal', 1);
	await stage.as(EVE, 'proposal.create', proposal, { target: deal(21), text: 'x' });
	const [made] = await stage.portal.store.history(proposal, 0, 1);
	for (const [document, scopes] of [[proposal, [deal(21)]], [pageOf(deal(21)), [deal(21)]]] as const) {
		await stage.reopen();
		await stage.as(FAY, `${document.startsWith('page') ? 'page.setTitle' : 'proposal.setNote'}`, document, { value: 'x' });
		for (const scope of scopes) expect(stage.portal.rooms.peek(scope)?.row, document).toMatchObject({ title: 'd' });
	}
	await stage.reopen();
	expect(describeAnswer(await stage.as(FAY, 'proposal.decline', proposal, {}, { seen: { state: made!.command!.id } }))).toBe('refused not-found');
	expect(describeAnswer(await stage.as(CAT, 'proposal.decline', proposal, {}, { seen: { state: made!.command!.id } }))).toBe('accepted');
});

test('[G2] workgroups and roles are judged in order within a batch', async () => {
	const group = some('group', 1);
	const made = stage.command('group.create', group, { name: 'g', visibility: 'open' });
	const page = stage.command('page.create', some('page', 9), { title: 'p', place: 'mine' });
	const grant = stage.command('page.setGrant', page.document, { key: `group:${group}`, value: 'read' });
	expect(describeAnswer(await stage.batch(CAT, [made, page, grant]))).toBe('accepted');
	expect(describeAnswer(await stage.batch(FAY, [stage.command('group.join', group), stage.command('page.setTitle', page.document, { value: 'x' })]))).toBe('refused denied by page.own');
	expect(describeAnswer(await stage.as(FAY, 'page.setTitle', page.document, { value: 'x' }))).toBe('refused not-found');
	await stage.as(FAY, 'group.join', group);
	expect(describeAnswer(await stage.as(FAY, 'page.setTitle', page.document, { value: 'x' }))).toBe('refused denied by page.own');
});
