/**
 * The promises of contract.ts as tests, for every adapter. An adapter's own test file makes a harness and calls `relayStoreSuite`; what is
 * particular to it (kill -9, damaged files) is tested there. Titles begin with the promise.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DocumentId, KindName, PersonId, PortalId } from '#crdt-model/ids.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import type { Commit, DocumentHead, LogEntry, PortalStore, RelayStore } from './contract.ts';
import { emptyDraft, Writer } from './memory/writer-suite.ts';

/** One disk on which stores are opened one after another. */
export interface StoreHarness {
	/** Opens a store on what the ones before have left; they are closed. */
	open(): Promise<RelayStore>;
	dispose(): Promise<void>;
}

/** Every read of the portal says what the model says. */
export async function expectEqual(portal: PortalStore, model: Writer): Promise<void> {
	const { dice, log } = model;
	const ids = [...model.heads.keys()];
	expect(await portal.head()).toStrictEqual(model.head);
	expect(await portal.heads(ids)).toStrictEqual([...model.heads.values()]);
	expect(await portal.load(ids)).toStrictEqual(
		ids.map((id) => {
			const { docSeq: snapshotDocSeq, snapshot } = model.snapshots.get(id) ?? { docSeq: 0, snapshot: null };
			const tail = log.filter((entry) => entry.document === id && entry.docSeq > snapshotDocSeq).map((entry) => entry.bytes);
			return { ...model.heads.get(id)!, snapshot, snapshotDocSeq, tail };
		})
	);
	const kinds: readonly KindName[] = ['task', 'page'];
	for (const kind of kinds) {
		const all = model.sorted((head) => head.kind === kind).map(({ id }) => id);
		const after = dice.chance(50) ? null : dice.of([...all, ...ids]);
		const step = 1 + dice.below(5);
		const wanted = all.filter((id) => after === null || id > after).slice(0, step);
		expect(await portal.documentsOf({ kind, after, limit: step })).toStrictEqual(await portal.load(wanted));
	}
	expect(await portal.headsOfKinds(kinds)).toStrictEqual(model.sorted((head) => kinds.includes(head.kind)));
	for (const id of [...ids.slice(0, 10), ...ids.map((one) => model.heads.get(one)!.scope).filter((scope) => !model.heads.has(scope)).slice(0, 3)]) {
		expect(await portal.ofScope(id)).toStrictEqual(model.sorted((head) => head.scope === id));
		const after = dice.below(4);
		const history = log.filter((entry) => entry.document === id && entry.docSeq > after).slice(0, 3);
		expect(await portal.history(id, after, 3)).toStrictEqual(history);
		const bindings = model.bindings.filter((binding) => binding.document === id).sort((a, b) => a.client - b.client);
		expect(await portal.bindings(id)).toStrictEqual(bindings);
	}
	expect(await portal.answers(model.answers.map((answer) => answer.command))).toStrictEqual(model.answers);

	for (let round = 0; round < 3; round++) {
		const principals = model.principals.filter(() => dice.chance(30));
		const without = model.principals.filter(() => dice.chance(20));
		const readable = model.sorted((head) => model.mayRead(head, principals));

		const read: LogEntry[] = [];
		const window = 1 + dice.below(log.length + 5);
		for (let after = 0; after < log.length; ) {
			const { entries, reached } = await portal.entriesAfter({ principals, after, window });
			expect(reached).toBe(Math.min(after + window, log.length));
			read.push(...entries);
			after = reached;
		}
		expect(read).toStrictEqual(log.filter((entry) => readable.some((head) => head.id === entry.document)));

		const limit = 1 + dice.below(8);
		const only = dice.chance(50) ? kinds : undefined;
		const pages: DocumentHead[] = [];
		for (let after: DocumentId | null = null, first = true; first || after !== null; first = false) {
			const page = await portal.reached({ principals, without, after, limit, ...(only ? { kinds: only } : {}) });
			expect(page.items.length).toBeLessThanOrEqual(limit);
			if (page.next !== null) expect(page.items).toHaveLength(limit);
			pages.push(...page.items);
			after = page.next;
		}
		expect(pages).toStrictEqual(readable.filter((head) => !model.mayRead(head, without) && (only?.includes(head.kind) ?? true)));

		const upTo = dice.below(log.length + 2);
		const counted = readable.filter((head) => head.firstSeq <= upTo).map((head) => head.id);
		expect(await portal.digest({ principals, upTo })).toStrictEqual(digestOf(counted));
	}
}

/** Deep runs explore more seeds (`npm run test:deep`). */
const SEEDS = process.env.ATRIUM_DEEP === '1' ? 500 : 12;

export function relayStoreSuite(name: string, makeHarness: () => Promise<StoreHarness>): void {
	describe(`${name} keeps the promises of a relay's store`, () => {
		let harness: StoreHarness;
		let store: RelayStore;
		let portal: PortalStore;
		let writer: Writer;
		let id: PortalId;

		beforeEach(async () => {
			harness = await makeHarness();
			store = await harness.open();
			writer = new Writer(1);
			id = writer.ids.portal();
			portal = await store.portal(id);
		});
		afterEach(async () => {
			await store.close();
			await harness.dispose();
		});

		const reopen = async () => {
			await store.close();
			store = await harness.open();
			portal = await store.portal(id);
		};

		test('[S1] a portal begins empty and knows nothing', async () => {
			const nothing = writer.ids.document('task');
			await expectEqual(portal, writer);
			expect(await portal.heads([nothing])).toEqual([]);
			expect(await portal.load([nothing])).toEqual([]);
			expect(await portal.answers([writer.ids.command()])).toEqual([]);
			expect(await portal.reached({ principals: ['all'], limit: 5 })).toEqual({ items: [], next: null });
		});

		test('[S1] what is committed is there after reopening', async () => {
			for (let i = 0; i < 10; i++) await portal.commit(writer.random());
			await reopen();
			await expectEqual(portal, writer);
			await portal.commit(writer.random());
			await expectEqual(portal, writer);
		});

		test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('[S1] random commits read like the naive model, seed %i', async (seed) => {
			const model = new Writer(seed);
			const other = await store.portal(model.ids.portal());
			for (let i = 0; i < 4; i++) {
				for (let count = model.dice.below(10); count >= 0; count--) await other.commit(model.random());
				await expectEqual(other, model);
			}
			expect(model.log.length, 'the generator made something').toBeGreaterThan(5);
		});

		test('[S1] portals know nothing of each other, and are listed', async () => {
			const second = writer.ids.portal();
			const other = await store.portal(second);
			writer.create('task', ['all']);
			await portal.commit(writer.commit());
			expect((await other.head()).seq).toBe(0);
			expect(await other.reached({ principals: ['all'], limit: 9 })).toEqual({ items: [], next: null });
			expect(await store.portals()).toEqual([id, second].sort());
			await reopen();
			expect(await store.portals()).toEqual([id, second].sort());
		});

		test('[S2] commits called at once become visible in their order, and reads between see a prefix', async () => {
			const task = writer.create('task', ['all']);
			const commits = [writer.commit()];
			for (let i = 0; i < 30; i++) {
				writer.edit(task);
				commits.push(writer.commit());
			}
			const order: number[] = [];
			const done = commits.map((commit) => portal.commit(commit).then(() => order.push(commit.head.seq)));
			const seen: number[] = [];
			for (let i = 0; i < 10; i++) seen.push((await portal.head()).seq);
			await Promise.all(done);
			expect(order).toEqual(commits.map((commit) => commit.head.seq));
			expect(seen).toEqual([...seen].sort((a, b) => a - b));
			await expectEqual(portal, writer);
		});

		test('[S3] a commit that repeats a seq or leaves a hole is refused and changes nothing', async () => {
			for (let i = 0; i < 5; i++) await portal.commit(writer.random());
			const doc = writer.heads.keys().next().value!;
			const later = new Writer(1);
			for (let i = 0; i < 5; i++) later.random();
			later.edit(doc);
			const good = later.commit();
			const at = (by: number): Commit => ({
				...good,
				entries: good.entries.map((entry) => ({ ...entry, seq: entry.seq + by })),
				heads: good.heads.map((head) => ({ ...head, seq: head.seq + by })),
				head: { ...good.head, seq: good.head.seq + by }
			});
			const wrong: Commit[] = [
				at(-1),
				at(1),
				{ ...good, entries: [] },
				{ ...good, entries: [...good.entries, ...good.entries] },
				{ ...good, head: { ...good.head, epoch: 0 } },
				{ ...good, heads: [] },
				{ ...good, entries: good.entries.map((entry) => ({ ...entry, docSeq: entry.docSeq + 1 })) },
				{ ...good, compactions: [{ document: doc, docSeq: 1_000, snapshot: new Uint8Array(1) }] },
				{ ...good, bindings: [{ document: writer.ids.document('page'), client: 1, person: writer.ids.document('employee') }] }
			];
			for (const commit of wrong) {
				await expect(portal.commit(commit)).rejects.toThrow(/commit refused/);
				await expectEqual(portal, writer);
			}
		});

		test('[S3] a commit without entries may compact, answer and raise the epoch', async () => {
			const task = writer.create('task', ['all']);
			await portal.commit(writer.commit());
			writer.compact(task, 1);
			writer.answer();
			writer.head = { ...writer.head, epoch: 2 };
			await portal.commit(writer.commit());
			await expectEqual(portal, writer);
			await expect(portal.commit({ ...writer.commit(), head: { ...writer.head, epoch: 1 } })).rejects.toThrow(/epoch/);
		});

		test('[S4] reads during commits see all of a commit or nothing', async () => {
			const pair = [writer.create('task', ['all']), writer.create('task', ['all'])];
			await portal.commit(writer.commit());
			const commits = Array.from({ length: 20 }, () => {
				for (const one of pair) writer.edit(one);
				return portal.commit(writer.commit());
			});
			for (let i = 0; i < 20; i++) {
				const [a, b] = await portal.heads(pair);
				expect(a!.docSeq).toBe(b!.docSeq);
				const { entries, reached } = await portal.entriesAfter({ principals: ['all'], after: 0, window: 1_000 });
				expect(entries).toHaveLength(reached);
				expect(reached % 2).toBe(0);
			}
			await Promise.all(commits);
		});

		test('notices: what of a document\'s later entries a person must hear of, and nothing of anybody else\'s', async () => {
			const [ann, ben, eve] = Array.from({ length: 3 }, () => writer.ids.document('employee'));
			const cell = (by: PersonId, value: string) => ({ value, at: 1, by, command: writer.ids.command() });
			const gaveWay = (loser: PersonId, winner: PersonId, value: string) => ({ path: 'title', stands: cell(winner, 'stands'), gaveWay: cell(loser, value) });
			const told = writer.create('task', ['all']);
			const quiet = writer.create('task', ['all']);
			for (let i = 0; i < 3; i++) writer.edit(told);
			const commit = writer.commit();
			const entries = commit.entries.map((entry) => {
				if (entry.document !== told || entry.docSeq === 3) return { ...entry, overruled: [], swallowed: [] };
				const overruled = [gaveWay(ann!, ben!, `ann ${entry.docSeq}`), gaveWay(eve!, ben!, `eve ${entry.docSeq}`), gaveWay(ann!, ann!, 'her own')];
				return { ...entry, author: ann!, overruled, swallowed: [[7, entry.docSeq, 9]] as [number, number, number][] };
			});
			await portal.commit({ ...commit, entries });
			const heard = async (person: PersonId, after: number) => {
				const found = await portal.notices({ person, after: [[told, after], [quiet, 0], [writer.ids.document('task'), 0]] });
				return [...found].map(([id, { overruled, swallowed }]) => [id, overruled.map((one) => one.gaveWay.value), swallowed]);
			};
			expect(await heard(ann!, 1)).toEqual([[told, ['ann 2', 'ann 4'], [[7, 2, 9], [7, 4, 9]]]]);
			expect(await heard(eve!, 2)).toEqual([[told, ['eve 4'], []]]);
			expect(await heard(ann!, 4)).toEqual([]);
			expect(await heard(ben!, 0)).toEqual([]);
		});

		test('[S5] arrays are never shared: neither those that went in nor those that came out', async () => {
			const pool = new Uint8Array(1_000).fill(9);
			const task = writer.create('task', ['all']);
			const commit = writer.commit();
			const view = pool.subarray(100, 140);
			const audience: Principal[] = ['all'];
			const entries = commit.entries.map((entry) => ({ ...entry, bytes: view, mac: Buffer.from('mac'), hash: new Uint8Array(0) }));
			const committed = portal.commit({ ...commit, entries, heads: commit.heads.map((head) => ({ ...head, audience })) });
			pool.fill(1);
			audience.push('admins');
			await committed;
			expect(pool.byteLength, 'not detached').toBe(1_000);
			const read = async () => (await portal.history(task, 0, 1))[0]!;
			const first = await read();
			expect(first.bytes).toStrictEqual(new Uint8Array(40).fill(9));
			expect(first.mac).toStrictEqual(new Uint8Array([109, 97, 99]));
			expect(first.hash).toStrictEqual(new Uint8Array(0));
			expect(first.bytes.buffer.byteLength, 'holds no more memory than itself').toBe(40);
			first.bytes.fill(0);
			(await portal.head()).chain.fill(0xff);
			((await portal.heads([task]))[0]!.audience as Principal[]).push('admins');
			expect((await read()).bytes).toStrictEqual(new Uint8Array(40).fill(9));
			expect((await portal.head()).chain).toStrictEqual(commit.head.chain);
			expect((await portal.heads([task]))[0]!.audience).toEqual(['all']);
		});

		test('[S6] after a failed commit the next good one is taken, and those called behind the failed one fail with it', async () => {
			await portal.commit(writer.random());
			const task = writer.heads.keys().next().value!;
			const gap: Commit = { ...emptyDraft(), head: { ...writer.head, seq: writer.head.seq + 7 } };
			await expect(portal.commit(gap)).rejects.toThrow();
			writer.edit(task);
			const good = writer.commit();
			const next = { ...good, entries: good.entries.map((entry) => ({ ...entry, seq: entry.seq + 1 })), head: { ...good.head, seq: good.head.seq + 1 } };
			const results = await Promise.allSettled([portal.commit(next), portal.commit(good), portal.commit(next)]);
			expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled', 'rejected']);
			await expectEqual(portal, writer);
		});

		test('[S6] a closed portal and a closed store answer nothing; closing twice is harmless', async () => {
			const pending = portal.commit(writer.random());
			await portal.close();
			await pending;
			await expect(portal.head()).rejects.toThrow(/closed/);
			await portal.close();
			portal = await store.portal(id);
			await expectEqual(portal, writer);
			await store.close();
			await store.close();
			await expect(portal.head()).rejects.toThrow(/closed/);
			await expect(portal.commit(writer.random())).rejects.toThrow(/closed/);
			await expect(store.portal(id)).rejects.toThrow(/closed/);
		});

		test('[S7] rows that are made anew stand where they stood: readers follow them, the log does not move, and what made them is kept', async () => {
			const task = writer.create('task', ['all']);
			const page = writer.createIn(task);
			const other = writer.create('task', ['admins']);
			await portal.commit(writer.commit());
			const readers = async (id: DocumentId) => {
				const found = await Promise.all(writer.principals.map(async (one) => ((await portal.reached({ principals: [one], limit: 9 })).items.some((head) => head.id === id) ? [one] : [])));
				return found.flat();
			};
			expect(await readers(page)).toEqual(['all']);
			const { seq, chain } = await portal.head();

			writer.remake(task, [writer.principals[2]!]);
			await portal.commit(writer.commit());
			await expectEqual(portal, writer);
			expect(await readers(task)).toEqual([writer.principals[2]]);
			expect(await readers(page), 'what hangs on it goes along').toEqual([writer.principals[2]]);
			writer.remake(page, [writer.principals[3]!], other);
			await portal.commit(writer.commit());
			expect(await readers(page), 'another scope, and who reads beside it').toEqual(['admins', writer.principals[3]]);
			expect(await portal.head()).toMatchObject({ seq, chain, rows: writer.head.rows });
			await reopen();
			await expectEqual(portal, writer);
			expect((await portal.head()).rows).toEqual(writer.head.rows);
		});

		test('[S7] a head to which no entry leads is refused, and changes nothing', async () => {
			const task = writer.create('task', ['all']);
			await portal.commit(writer.commit());
			const stranger = new Writer(9);
			const unknown = stranger.create('task', ['all']);
			const head = writer.heads.get(task)!;
			const wrong: DocumentHead[] = [{ ...head, docSeq: 2 }, { ...head, seq: head.seq + 1 }, { ...head, docSeq: 0, seq: 0 }, stranger.heads.get(unknown)!];
			for (const one of wrong) {
				await expect(portal.commit({ ...emptyDraft(), heads: [one], head: writer.head })).rejects.toThrow(/no entry leads to the head/);
				await expectEqual(portal, writer);
			}
		});

		test('an id that is none makes no portal', async () => {
			await expect(store.portal('portal_../../etc' as PortalId)).rejects.toThrow(/not a portal id/);
		});

		test('a head of many holds 10,000 principals', async () => {
			const people = Array.from({ length: 10_000 }, () => `task:user:${writer.ids.document('employee')}` as const);
			for (let i = 0; i < 50; i++) writer.create('task', [people[i * 7]!, people[i * 11 + 1]!]);
			await portal.commit(writer.commit());
			const all = await portal.reached({ principals: people, limit: 100 });
			expect(all.items).toStrictEqual(writer.sorted(() => true));
			expect((await portal.reached({ principals: people, without: people.slice(1), limit: 100 })).items).toEqual([]);
			expect((await portal.entriesAfter({ principals: people, after: 0, window: 100 })).entries).toStrictEqual(writer.log);
		});
	});
}
