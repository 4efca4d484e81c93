import { setImmediate as tick } from 'node:timers/promises';
import * as Y from 'yjs';
import { beforeEach, expect, test } from 'vitest';
import { KINDS, pageOf, type DocumentId, type KindName, type PortalId } from '#crdt-model/ids.ts';
import { ROW_VERSIONS } from '#crdt-model/kinds/index.ts';
import { USAGE_COUNTERS } from '#crdt-model/tariff/usage.ts';
import type { DocumentHead, LogHead, PortalStore } from '#storage/contract.ts';
import { Dice } from '#storage/memory/writer-suite.ts';
import { MemoryRelayStore } from '#storage/memory/relay-store.ts';
import { STANDING_CLOCK } from '../budget/clock.ts';
import { describeAnswer } from '../testing/device.ts';
import { allHeads, OLDER_VERSIONS, replayed, writeOlderRows } from '../testing/older-rows.ts';
import { ANN, BEN, CAT, deal, EVE, FAY, MAC_KEY, some, Stage, task } from '../testing/stage.ts';
import { Portals } from './portals.ts';
import { outdatedKinds, PAGES_AT_ONCE, RECORDS_AT_ONCE, remakeRows } from './remake.ts';

const ALWAYS = { clock: STANDING_CLOCK };
/** Everybody reads all of it, and it hangs on nothing. */
const forAll = ({ id }: DocumentHead) => ({ scope: id, audience: ['all' as const] });
const forNobody = ({ id }: DocumentHead) => ({ scope: id, audience: [] });

let stage: Stage;
let onCommit: (() => Promise<void>) | null;
beforeEach(async () => {
	onCommit = null;
	stage = await Stage.open({ gate: async () => void (await onCommit?.()) });
	const done = [
		await stage.as(CAT, 'task.create', task(1), { title: 'one', responsible: CAT }),
		await stage.as(CAT, 'page.hang', pageOf(task(1)), { title: 'Description', on: task(1) }),
		await stage.as(BEN, 'deal.create', deal(1), { title: 'offer', amount: 7 }),
		await stage.as(FAY, 'text.create', some('text', 1), { title: 'notes', place: 'mine' }),
		await stage.as(EVE, 'proposal.create', some('proposal', 1), { target: task(1), commands: [{ document: task(1), name: 'task.setTitle', args: { value: 'x' } }], note: 'better', before: [] }),
		await stage.as(ANN, 'file.create', some('file', 1), { name: 'a.pdf', size: 100, mime: 'application/pdf', digest: 'a'.repeat(64), place: 'company' }),
		await stage.as(ANN, 'employee.dismiss', FAY)
	];
	expect(done.map(describeAnswer)).toEqual(done.map(() => 'accepted'));
	await stage.settle();
});

const heads = () => allHeads(stage.portal.store);
/** As a relay of another release that stops, whose disk this one finds. */
async function older(readers: typeof forAll, options: Parameters<typeof writeOlderRows>[2] = {}): Promise<void> {
	await writeOlderRows(stage.portal.store, readers, options);
}
const titlesFor = async (person: typeof CAT, kind: KindName) => (await stage.portal.rows(person, { kind, limit: 50 })).rows.map((row) => (row as { title?: string }).title);

test('[R1] a portal that another release wrote opens whole: rows, readers, structure and decisions', async () => {
	const before = await heads();
	const { rows: _, ...standing } = await stage.portal.store.head();
	await older(forAll);
	expect(await heads()).not.toEqual(before);
	await stage.reopen();
	expect(await heads()).toEqual(before);
	const { rows, ...after } = await stage.portal.store.head();
	expect(rows).toEqual({ versions: ROW_VERSIONS, underWay: null });
	expect({ ...after, counters: { ...after.counters, ...standing.counters } }).toEqual(standing);

	expect(await titlesFor(CAT, 'task')).toEqual(['one']);
	expect(await titlesFor(EVE, 'task'), 'everybody would read it by the old row').toEqual([]);
	expect(stage.portal.directory.isMember(FAY), 'who was dismissed is no member, though the old row did not know of it').toBe(false);
	expect(stage.portal.actorOf(BEN)!.principals).toContain(`task:user:${CAT}`);
	expect(describeAnswer(await stage.as(EVE, 'task.setTitle', task(1), { value: 'mine now' }))).toBe('refused not-found');
	expect(describeAnswer(await stage.as(CAT, 'task.setTitle', task(1), { value: 'two' }))).toBe('accepted');
	expect((await stage.portal.store.head()).rows, 'and the next commit says so too').toEqual(rows);
});

test('[R1] what nobody was to read by the old rows comes back, with what hangs on it', async () => {
	await older(forNobody);
	await stage.reopen();
	const device = stage.device(CAT);
	device.connect();
	await stage.settle();
	expect([...device.held.keys()]).toEqual(expect.arrayContaining([task(1), pageOf(task(1)), some('proposal', 1)]));
});

test('[R1] devices drop what the old rows let them have', async () => {
	await older(forAll, { kinds: ['deal', 'task', 'page', 'text'] });
	// Opened by the release that made these rows: it knows nothing of a remake.
	await stage.portal.store.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [], head: { ...(await stage.portal.store.head()), rows: { versions: ROW_VERSIONS, underWay: null } } });
	await stage.reopen();
	const device = stage.device(EVE);
	device.connect();
	await stage.settle();
	expect(device.held.has(deal(1)), 'had by the old audience').toBe(true);
	await older(forAll, { kinds: ['deal', 'task', 'page', 'text'] });
	device.cut();
	await stage.reopen();
	device.connect();
	await stage.settle();
	expect(device.held.has(deal(1))).toBe(false);
	expect(device.held.has(task(1))).toBe(false);
});

test('[R1] a portal of this release is read as it is, and one that is new says at its first commit who made its rows', async () => {
	const fresh = await new MemoryRelayStore().portal('portal_00000000-0000-7000-8000-000000000009' as PortalId);
	expect((await remakeRows(fresh, ALWAYS)).head.rows).toEqual({ versions: ROW_VERSIONS, underWay: null });
	expect((await fresh.head()).rows, 'opening alone writes nothing').toEqual({ versions: {}, underWay: null });
	expect((await stage.portal.store.head()).rows).toEqual({ versions: ROW_VERSIONS, underWay: null });
	let commits = 0;
	onCommit = async () => void commits++;
	expect(await remakeRows(stage.portal.store, ALWAYS)).toMatchObject({ kinds: [], documents: 0, changed: 0 });
	expect(commits).toBe(0);
});

test('[R1] only kinds of another version are read; rows that say the same are not written', async () => {
	const made = await remakeAfter(stage.portal.store, { ...ROW_VERSIONS, task: ROW_VERSIONS.task + 1 });
	expect(made).toMatchObject({ kinds: ['task'], documents: 1, changed: 0 });
});

async function remakeAfter(store: PortalStore, versions: Readonly<Record<string, number>>) {
	await store.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [], head: { ...(await store.head()), rows: { versions, underWay: null } } });
	return remakeRows(store, ALWAYS);
}

test('[R2] made anew is what the log gives: random rows, readers, notes and snapshots', async () => {
	const before = await heads();
	const { store } = stage.portal;
	for (let seed = 1; seed <= (process.env.ATRIUM_DEEP === '1' ? 300 : 40); seed++) {
		const dice = new Dice(seed);
		const kinds = KINDS.filter(() => dice.chance(60));
		const ids = before.map(({ id }) => id);
		const versions = Object.fromEntries(KINDS.flatMap((kind) => (kinds.includes(kind) ? (dice.chance(50) ? [[kind, ROW_VERSIONS[kind] + 1 - dice.below(2) * 2]] : []) : [[kind, ROW_VERSIONS[kind]]])));
		const readers = ({ id }: DocumentHead) => ({ scope: dice.chance(50) ? id : dice.of(ids), audience: (['all', 'admins', `user:${BEN}`, `crm:deal:user:${BEN}`] as const).filter(() => dice.chance(40)) });
		await writeOlderRows(store, readers, { kinds, rows: { versions, underWay: null } });
		for (const { id, docSeq } of before) {
			if (!dice.chance(20)) continue;
			const doc = new Y.Doc();
			for (const { bytes } of await store.history(id, 0, docSeq)) Y.applyUpdate(doc, bytes);
			await store.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [{ document: id, docSeq, snapshot: Y.encodeStateAsUpdate(doc) }], head: await store.head() });
		}
		await remakeRows(store, ALWAYS);
		const after = await heads();
		expect(after, `seed ${seed}`).toEqual(before);
		for (const { id, row, scope, audience } of after) expect({ row, scope, audience }, `seed ${seed}: ${id}`).toEqual(await replayed(store, id));
	}
});

/** Many records and pages, so that kinds take several steps. */
async function grow(): Promise<void> {
	for (let n = 100; n < 100 + RECORDS_AT_ONCE * 2 + 50; n += 50) {
		const commands = Array.from({ length: 50 }, (_, i) => stage.command('task.create', task(n + i), { title: `task ${n + i}` }));
		expect(describeAnswer(await stage.batch(CAT, commands))).toBe('accepted');
	}
	for (let n = 10; n < 10 + PAGES_AT_ONCE * 2 + 3; n++) expect(describeAnswer(await stage.as(CAT, 'text.create', some('text', n), { title: `${n}`, place: 'company' }))).toBe('accepted');
	await stage.settle();
}

test('[R3] after a crash at any step the rest is made, and nothing twice', async () => {
	await grow();
	const before = await heads();
	await older(forNobody);
	const aged = stage.store.clone({});
	const all = before.length;
	let commits = 0;
	const whole = await remakeRows(await clone(aged, async () => void commits++), ALWAYS);
	expect(whole).toMatchObject({ documents: all, changed: all });
	expect(commits).toBeGreaterThan(10);
	// Each in deep runs; else the first, the last, and some between.
	const stride = process.env.ATRIUM_DEEP === '1' ? 1 : 4;
	for (let crash = 0; crash < commits; crash += crash + stride < commits ? stride : 1) {
		let n = 0;
		let seen = 0;
		const store = aged.clone({ gate: async () => void (n++ === crash && store.crash()) });
		const first = counting(await store.portal(stage.portal.id), (found) => (seen += found));
		await expect(remakeRows(first, ALWAYS), `crash ${crash}`).rejects.toThrow(/crashed/);
		const second = await store.portal(stage.portal.id);
		const rest = await remakeRows(second, ALWAYS);
		expect(await allHeads(second), `crash ${crash}`).toEqual(before);
		expect((await second.head()).rows).toEqual({ versions: ROW_VERSIONS, underWay: null });
		// What the step under way had read is read again, and not what came before it.
		const again = rest.documents + seen - all;
		expect(again, `crash ${crash}`).toBeGreaterThanOrEqual(0);
		expect(again, `crash ${crash}`).toBeLessThanOrEqual(RECORDS_AT_ONCE);
	}
});

async function clone(from: MemoryRelayStore, gate: () => Promise<void>): Promise<PortalStore> {
	return from.clone({ gate }).portal(stage.portal.id);
}
function counting(store: PortalStore, found: (documents: number) => void): PortalStore {
	return {
		...store,
		documentsOf: async (query) => {
			const documents = await store.documentsOf(query);
			found(documents.length);
			return documents;
		}
	};
}

test('[R3] a note of a release that is not this one is no note: the kind is made from its beginning', async () => {
	await grow();
	const before = await heads();
	const after = task(200);
	const { task: _, ...versions } = ROW_VERSIONS;
	const { store } = stage.portal;
	await older(forNobody, { kinds: ['task'], rows: { versions, underWay: { kind: 'task', version: ROW_VERSIONS.task, after } } });
	const tasks = before.filter(({ kind }) => kind === 'task').length;
	expect((await remakeRows(store, ALWAYS)).documents, 'its own it believes').toBeLessThan(tasks - 50);
	await older(forNobody, { kinds: ['task'], rows: { versions, underWay: { kind: 'task', version: ROW_VERSIONS.task + 1, after } } });
	expect((await remakeRows(store, ALWAYS)).documents).toBe(tasks);
	expect(await heads()).toEqual(before);
});

test('[R3] while a kind is being made its old version is not claimed any more', async () => {
	await grow();
	await older(forNobody);
	const notes: LogHead['rows'][] = [];
	const { store } = stage.portal;
	await remakeRows({ ...store, commit: async (commit) => (notes.push(commit.head.rows), store.commit(commit)) }, ALWAYS);
	const underWay = notes.filter((note) => note.underWay !== null);
	expect(underWay.length).toBeGreaterThan(3);
	for (const { versions, underWay: at } of underWay) expect(versions[at!.kind], at!.kind).toBeUndefined();
	expect(outdatedKinds(notes.at(-1)!)).toEqual([]);
});

test('[R4] other portals are opened and answered while one is being made anew, and nobody who looks at what is in memory waits for it', async () => {
	const memory = new MemoryRelayStore({ gate: async (_, id) => void (id === slow && (await held)) });
	let slow: PortalId | null = null;
	let held: Promise<void> = Promise.resolve();
	const remade: number[] = [];
	const options = { store: memory, macKey: MAC_KEY, onRemade: (_: PortalId, { documents }: { documents: number }) => void remade.push(documents) };
	const first = await Portals.open(options);
	const founding = { company: 'C', language: 'en', firstName: 'A', lastName: 'B', email: 'a@example.com' } as const;
	const [one, two] = [await first.found(founding), await first.found(founding)];
	await writeOlderRows(one.portal.store, forNobody);
	await first.close();
	memory.crash();

	const portals = await Portals.open(options);
	const release = Promise.withResolvers<void>();
	[slow, held] = [one.portal.id, release.promise];
	let isOpen = false;
	const opening = [portals.portal(slow), portals.portal(slow)].map(async (asked) => {
		const portal = await asked;
		isOpen = true;
		return portal;
	});
	await tick();
	const other = (await portals.portal(two.portal.id))!;
	const answer = await other.submit(two.administrator, { id: stage.batchId(), commands: [stage.command('task.create', task(1), { title: 'here' })] });
	expect(describeAnswer(answer)).toBe('accepted');
	expect(portals.opened().map(({ id }) => id)).toEqual([two.portal.id]);
	expect(isOpen, 'whoever asks for it waits').toBe(false);
	release.resolve();
	const [a, b] = await Promise.all(opening);
	expect(a === b).toBe(true);
	expect(portals.opened().map(({ id }) => id).sort()).toEqual([one.portal.id, two.portal.id].sort());
	expect(remade).toEqual([4 - 1]);
	await portals.close();
});

test('[R4] a relay that stops does not wait for what is being made anew, which goes on at the next start', async () => {
	await grow();
	const before = await heads();
	await older(forNobody);
	const ending = new AbortController();
	let steps = 0;
	const { store } = stage.portal;
	const opening = remakeRows({ ...store, commit: async (commit) => (await store.commit(commit), void (++steps === 3 && ending.abort(new Error('the relay stops')))) }, { ...ALWAYS, signal: ending.signal });
	await expect(opening).rejects.toThrow('the relay stops');
	expect(steps).toBe(3);
	expect(outdatedKinds((await store.head()).rows).length).toBeGreaterThan(0);
	await remakeRows(store, ALWAYS);
	expect(await heads()).toEqual(before);
});

test('[R4] within a step, too, everybody else has a turn', async () => {
	await grow();
	await older(forNobody, { kinds: ['task'], rows: { versions: { ...ROW_VERSIONS, task: 0 }, underWay: null } });
	let now = 0;
	let turns = 0;
	// Each document takes 2 ms.
	const { documents } = await remakeRows(stage.portal.store, { clock: { ...STANDING_CLOCK, now: () => (now += 2), soon: (work) => (turns++, void setImmediate(work)) } });
	expect(turns).toBeGreaterThanOrEqual(Math.floor(documents / 4));
});

test('[R5] a document of which no row can be made keeps its portal closed, and is named', async () => {
	const { store } = stage.portal;
	const id: DocumentId = deal(1);
	const [head] = await store.heads([id]);
	const empty = Y.encodeStateAsUpdate(new Y.Doc());
	await store.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [{ document: id, docSeq: head!.docSeq, snapshot: empty }], head: await store.head() });
	await stage.reopen();
	await older(forAll);
	await expect(stage.reopen()).rejects.toThrow(`${id} says nothing that this release makes a row of`);
	await expect(stage.reopen(), 'nor at the second try').rejects.toThrow(id);
});

test('[R5] so does one that cannot be read at all', async () => {
	const { store } = stage.portal;
	const [head] = await store.heads([deal(1)]);
	await store.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [{ document: deal(1), docSeq: head!.docSeq, snapshot: Uint8Array.of(9, 9, 9) }], head: await store.head() });
	await older(forAll);
	await expect(stage.reopen()).rejects.toThrow(`${deal(1)} makes no row by this release`);
});

test('[R6] counters of people and bytes are those of the rows that are made', async () => {
	const { people, storageBytes } = stage.portal.tariff;
	expect([people.used, storageBytes.used]).toEqual([5, 100]);
	const { store } = stage.portal;
	const head = await store.head();
	const counters = { ...head.counters, [USAGE_COUNTERS.people]: 77, [USAGE_COUNTERS.storageBytes]: 9 };
	await store.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [], head: { ...head, counters, rows: { versions: OLDER_VERSIONS, underWay: null } } });
	await stage.reopen();
	expect([stage.portal.tariff.people.used, stage.portal.tariff.storageBytes.used]).toEqual([5, 100]);
	expect(describeAnswer(await stage.as(ANN, 'file.create', some('file', 2), { name: 'b.pdf', size: 11, mime: 'application/pdf', digest: 'b'.repeat(64), place: 'company' }))).toBe('accepted');
	expect((await stage.portal.store.head()).counters).toMatchObject({ [USAGE_COUNTERS.people]: 5, [USAGE_COUNTERS.storageBytes]: 111, task: head.counters.task, deal: head.counters.deal });
});

