// What lies in Set aside, put before those who may: made offline, followed, answered under another person's rights.
import * as Y from 'yjs';
import { expect, test } from 'vitest';
import { IdMaker, pageOf, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { ProposalRow } from '#crdt-model/kinds/proposal.ts';
import { refuse } from '#crdt-model/wire/refusal.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import { Replica } from './engine.ts';
import { appendPassage, proposableOf } from './proposals.ts';
import { FakeRelay, PORTAL, seededBytes, TestClock } from './testing.ts';

async function world() {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const makes = new IdMaker(() => clock.now, seededBytes(99));
	const [ana, bob] = [makes.document('employee'), makes.document('employee')] as [PersonId, PersonId];
	const open = async (name: string, person: PersonId, seed: number) => {
		const replica = await Replica.open({ portal: PORTAL, person, store: new MemoryReplicaStore(), transport: relay.transport(name, person), now: () => clock.now, timers: clock.timers, random: seededBytes(seed) });
		replica.connect();
		return replica;
	};
	const mine = await open('ana', ana, 1);
	const theirs = await open('bob', bob, 2);
	await calm(mine, theirs);
	const deal = theirs.ids.document('deal');
	await theirs.run([{ document: deal, name: 'deal.create', args: { title: 'Big one', amount: 500 } }]);
	await calm(mine, theirs);
	return { clock, relay, ana, bob, mine, theirs, deal };
}

async function calm(...replicas: Replica[]): Promise<void> {
	for (let i = 0; i < 6; i++) {
		for (const replica of replicas) await replica.settled();
		await new Promise((resolve) => setImmediate(resolve));
	}
}
/** Refuses what Ana does to the deal, as the rule book would. */
const deny = (relay: FakeRelay, ana: PersonId) => (relay.judge = (what, person) => (person === ana && 'name' in what && what.name.startsWith('deal.') ? refuse('denied', 'deal.responsible-or-head', { rule: 'deal.responsible-or-head' }) : null));
const proposalsOf = async (replica: Replica) => (await replica.rows('proposal')) as unknown as ProposalRow[];

test('[P3] refused, proposed offline with a note, waiting; applied by another person as their own, on today’s record', async () => {
	const { relay, ana, bob, mine, theirs, deal } = await world();
	deny(relay, ana);
	await mine.run([{ document: deal, name: 'deal.setAmount', args: { value: 900 } }]);
	await calm(mine);
	const [item] = await mine.aside();
	mine.disconnect();
	expect(await mine.propose([item!.id], ' They asked for more ')).toMatchObject({ kind: 'kept' });
	const [waiting] = await mine.aside();
	expect(waiting).toMatchObject({ note: 'They asked for more' });
	expect(await mine.row(waiting!.proposal!)).toMatchObject({ state: 'open', sync: 'kept' });

	// What stands there has moved on meanwhile.
	await theirs.run([{ document: deal, name: 'deal.setAmount', args: { value: 600 } }]);
	mine.connect();
	await calm(mine, theirs);
	const [row] = await proposalsOf(theirs);
	expect(row).toMatchObject({ target: deal, createdBy: ana, note: 'They asked for more', before: [{ path: 'amount', value: 500 }], commands: [{ document: deal, name: 'deal.setAmount', args: { value: 900 } }] });
	expect(await theirs.proposedFields(row!)).toEqual([{ document: deal, path: 'amount', now: 600, next: 900 }]);
	expect(await theirs.mayApply(row!)).toMatchObject({ allow: true });
	expect(await theirs.applyProposal(row!, 'slot')).toMatchObject({ kind: 'kept' });
	await calm(mine, theirs);
	expect(relay.log.slice(-2).map(({ author, command }) => [author, command!.name])).toEqual([[bob, 'deal.setAmount'], [bob, 'proposal.apply']]);
	expect(await mine.row(deal)).toMatchObject({ amount: 900 });
	expect(await mine.row(waiting!.proposal!)).toMatchObject({ state: 'applied' });
	expect((await mine.state(waiting!.proposal!)).get('state')!.by).toBe(bob);
	expect(await theirs.aside()).toEqual([]);
});

test('[P3] a proposal that is refused itself frees what it was made of, with the note; nothing is there twice', async () => {
	const { relay, ana, mine, deal } = await world();
	deny(relay, ana);
	await mine.run([{ document: deal, name: 'deal.setAmount', args: { value: 900 } }]);
	await calm(mine);
	const [item] = await mine.aside();
	relay.judge = () => refuse('too-large', 'no room');
	await mine.propose([item!.id], 'Please');
	await calm(mine);
	const items = await mine.aside();
	expect(items).toMatchObject([{ kind: 'command', id: item!.id, note: 'Please' }]);
	expect(items[0]!.proposal).toBeUndefined();
	expect(mine.status().pending).toBe(0);
});

test('[P3] a batch is one proposal; an overruled value is proposed by the command that sets it', async () => {
	const { relay, ana, bob, mine, deal } = await world();
	deny(relay, ana);
	await mine.run([{ document: deal, name: 'deal.setAmount', args: { value: 900 } }, { document: deal, name: 'deal.setTitle', args: { value: 'Bigger' } }]);
	await calm(mine);
	const items = await mine.aside();
	expect(items).toHaveLength(2);
	expect(await mine.proposable(items.map(({ id }) => id))).toMatchObject({ target: deal, commands: [{ name: expect.any(String) }, { name: expect.any(String) }] });
	const overruled = { kind: 'overruled', id: 'x', at: 1, document: deal, title: null, path: 'title', mine: 'Mine', theirs: 'Theirs', by: bob, when: 1 } as const;
	expect(proposableOf([overruled], new Map([[deal, await mine.state(deal)]]), ana)).toEqual({ target: deal, commands: [{ document: deal, name: 'deal.setTitle', args: { value: 'Mine' } }] });
});

test('[P5] a record that may not be read any more is proposed alike, and nothing of it is in the proposal', async () => {
	const { relay, ana, mine, theirs, deal } = await world();
	relay.judge = (_what, person) => (person === ana ? refuse('unavailable', 'disk') : null);
	mine.disconnect();
	await mine.run([{ document: deal, name: 'deal.setAmount', args: { value: 900 } }]);
	relay.judge = () => null;
	relay.unreadable.add(`${ana} ${deal}`);
	mine.connect();
	await calm(mine);
	const [item] = await mine.aside();
	expect(item).toMatchObject({ title: null, before: null });
	expect(await mine.propose([item!.id], '')).toMatchObject({ kind: 'kept' });
	await calm(mine, theirs);
	const [row] = await proposalsOf(theirs);
	expect(row).toMatchObject({ target: deal, before: [], note: null, commands: [{ args: { value: 900 } }] });
	expect(JSON.stringify(row)).not.toContain('Big one');
});

test('[P3] what cannot be put before anybody says why', async () => {
	const { mine, ana } = await world();
	const task = mine.ids.document('task');
	const command = { id: mine.ids.command(), document: task, name: 'task.create', args: { title: 'x' }, at: 1, seen: {} };
	const base = { kind: 'command', id: 'a', at: 1, document: task, title: null, command, batch: mine.ids.batch(), before: null, after: [] } as const;
	const ask = (item: Parameters<typeof proposableOf>[0][number]) => proposableOf([item], new Map(), ana);
	expect(ask({ ...base, reason: refuse('denied', 'x') })).toBe('new');
	expect(ask({ ...base, command: { ...command, name: 'task.setTitle' }, reason: refuse('bad-value', 'x') })).toBe('unfit');
	expect(ask({ ...base, command: { ...command, name: 'task.setTitle' }, reason: refuse('target-gone', 'x') })).toBe('unfit');
	expect(ask({ kind: 'page', id: 'p', at: 1, document: pageOf(task), title: null, on: task, reason: refuse('denied', 'x'), text: 'x'.repeat(10_001), bytes: [] })).toBe('too-long');
	expect(ask({ kind: 'page', id: 'p', at: 1, document: pageOf(task), title: null, on: task, reason: refuse('denied', 'x'), text: 'words', bytes: [] })).toEqual({ target: task, text: 'words' });
});

test('[P3] a passage for a record’s page: proposed to the record’s readers, added at the end by one of them under their own name', async () => {
	const { relay, ana, bob, mine, theirs, deal } = await world();
	const before = await theirs.openPage(deal, 'slot');
	appendPassage(before.doc, { root: 'root', shape: 'rich' }, 'What stands');
	await before.flush();
	await before.release();
	await calm(mine, theirs);
	relay.judge = (what, person) => (person === ana && 'bytes' in what ? refuse('denied', 'page.readers') : null);
	const page = await mine.openPage(pageOf(deal), 'slot');
	appendPassage(page.doc, { root: 'root', shape: 'rich' }, 'My two\n\nparagraphs');
	await page.flush();
	await calm(mine);
	const [item] = await mine.aside();
	expect(item).toMatchObject({ kind: 'page', on: deal, text: 'My two\nparagraphs' });
	await mine.propose([item!.id], '');
	await calm(mine, theirs);
	const [row] = await proposalsOf(theirs);
	expect(row).toMatchObject({ target: deal, text: 'My two\nparagraphs', commands: [] });
	expect(await theirs.applyProposal(row!, 'slot')).toMatchObject({ kind: 'kept' });
	await calm(mine, theirs);
	const doc = new Y.Doc();
	Y.applyUpdate(doc, Y.encodeStateAsUpdate(relay.docs.get(pageOf(deal))!.doc));
	const lines = (doc.get('root', Y.XmlText) as Y.XmlText).toDelta().map(({ insert }: { insert: Y.XmlText }) => insert.toDelta().map((part: { insert: unknown }) => (typeof part.insert === 'string' ? part.insert : '')).join(''));
	expect(lines).toEqual(['What stands', 'My two', 'paragraphs']);
	expect(relay.log.filter(({ document, command }) => document === (pageOf(deal) as DocumentId) && command === null).map(({ author }) => author)).toEqual([bob, bob]);
	expect(await mine.row(item!.proposal ?? (await mine.aside())[0]!.proposal!)).toMatchObject({ state: 'applied' });
});
