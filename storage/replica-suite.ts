/** The shared proof of replica-contract.ts: run on every adapter. */
import { tariffOf } from '#crdt-model/tariff/tariff.ts';
import { describe, expect, test } from 'vitest';
import { IdMaker, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { EMPTY_META, type AsideItem, type NewPending, type RawEntry, type ReplicaStore, type StoredRow } from './replica-contract.ts';

export interface ReplicaStoreUnderTest {
	readonly store: ReplicaStore;
	/** Ends this start and begins the next on the same device. */
	restart(): Promise<ReplicaStore>;
}

export function replicaSuite(name: string, make: () => Promise<ReplicaStoreUnderTest>): void {
	const ids = new IdMaker();
	const person = ids.document('employee') as PersonId;
	const row = (id: DocumentId, title = 'A'): StoredRow =>
		({ id, kind: 'task', number: null, createdBy: person, createdAt: 1, updatedAt: 1, deleted: false, sync: 'kept', aside: false, title }) as StoredRow;
	const batch = (document: DocumentId): NewPending => {
		const command: Command = { id: ids.command(), document, name: 'task.create', args: { title: 'A' }, at: 1, seen: {} };
		const id = ids.batch();
		return { kind: 'batch', id, documents: [document], at: 1, state: 'kept', tried: false, batch: { id, commands: [command] }, arrived: [] };
	};
	const bytes = (...values: number[]) => new Uint8Array(values);

	describe(`replica store: ${name}`, () => {
		test('[R1] a transaction is there whole, and sees its own writes', async () => {
			const { store, restart } = await make();
			const id = ids.document('task');
			const tariff = tariffOf({ plan: 'project' }, { people: 3, storageBytes: 0 }, 1);
			expect(await store.read((reads) => reads.tariff())).toBeNull();
			const seen = await store.transact(async (tx) => {
				await tx.putCanonical([{ id, docSeq: 3, bytes: bytes(1, 2) }]);
				await tx.putRows([row(id)]);
				await tx.addPending([batch(id)]);
				await tx.setMeta({ cursor: { epoch: 1, seq: 9 }, held: { count: 1, digest: 'a'.repeat(16) } });
				await tx.setTariff(tariff);
				return { head: (await tx.heads([id])).get(id), pending: await tx.pendingOn([id]), rows: await tx.rows([id]) };
			});
			expect(seen.head).toEqual({ id, docSeq: 3, tail: 0 });
			expect(seen.pending).toHaveLength(1);
			expect(seen.rows.get(id)).toEqual(row(id));
			const again = await restart();
			expect(await again.read((reads) => reads.meta())).toEqual({ cursor: { epoch: 1, seq: 9 }, held: { count: 1, digest: 'a'.repeat(16) } });
			expect(await again.read((reads) => reads.tariff())).toEqual(tariff);
			expect(await again.read((reads) => reads.rowsOf('task'))).toEqual([row(id)]);
			expect(await again.read((reads) => reads.pendingAfter(0, Infinity))).toHaveLength(1);
			await again.close();
		});

		test('[R2] transactions run one after another', async () => {
			const { store } = await make();
			const raise = () =>
				store.transact(async (tx) => {
					const { cursor } = await tx.meta();
					await tx.setMeta({ ...EMPTY_META, cursor: { epoch: 1, seq: (cursor?.seq ?? 0) + 1 } });
				});
			await Promise.all(Array.from({ length: 20 }, raise));
			expect((await store.read((reads) => reads.meta())).cursor?.seq).toBe(20);
			await store.close();
		});

		test('[R3] a work that throws changes nothing, and the store goes on', async () => {
			const { store } = await make();
			const id = ids.document('task');
			await expect(
				store.transact(async (tx) => {
					await tx.putRows([row(id)]);
					await tx.addPending([batch(id)]);
					throw new Error('broken off');
				})
			).rejects.toThrow('broken off');
			expect(await store.read((reads) => reads.rowsOf('task'))).toEqual([]);
			await store.transact((tx) => tx.addPending([batch(id)]));
			expect(await store.read((reads) => reads.counts())).toEqual({ pending: 1, aside: 0 });
			await store.close();
		});

		test('[R4] pending work in order of making, by document, over restarts', async () => {
			const { store, restart } = await make();
			const [a, b] = [ids.document('task'), ids.document('task')];
			await store.transact((tx) => tx.addPending([batch(a), batch(b)]));
			const first = await store.read((reads) => reads.pendingAfter(0, 10));
			await store.transact((tx) => tx.dropPending(first.map((item) => item.order)));
			const again = await restart();
			await again.transact((tx) => tx.addPending([batch(b), batch(a), batch(b)]));
			const later = await again.read((reads) => reads.pendingAfter(0, Infinity));
			expect(later.map((item) => item.documents[0])).toEqual([b, a, b]);
			expect(Math.min(...later.map((item) => item.order))).toBeGreaterThan(Math.max(...first.map((item) => item.order)));
			expect(await again.read((reads) => reads.pendingAfter(later[0]!.order, 1))).toEqual([later[1]]);
			expect((await again.read((reads) => reads.pendingOn([b]))).map((item) => item.order)).toEqual([later[0]!.order, later[2]!.order]);
			expect((await again.read((reads) => reads.pendingOn([a, b]))).length).toBe(3);
			await again.transact((tx) => tx.putPending([{ ...later[1]!, state: 'sent', tried: true }]));
			expect(await again.read((reads) => reads.pendingById([later[1]!.id]))).toMatchObject([{ order: later[1]!.order, state: 'sent' }]);
			await again.close();
		});

		test('[R5] bytes as they went in, without the frame around them', async () => {
			const { store } = await make();
			const id = ids.document('page');
			const frame = bytes(0, 0, 7, 8, 9, 0, 0);
			await store.transact((tx) => tx.putCanonical([{ id, docSeq: 1, bytes: frame.subarray(2, 5) }]));
			await store.transact((tx) => tx.appendTail(id, 2, frame.subarray(3, 5)));
			const held = (await store.read((reads) => reads.canonical([id]))).get(id)!;
			expect([...held.bytes]).toEqual([7, 8, 9]);
			expect(held.bytes.buffer.byteLength).toBe(3);
			expect([...held.updates[0]!]).toEqual([8, 9]);
			expect(held.updates[0]!.buffer.byteLength).toBe(2);
			await store.close();
		});

		test('[R6] wiping leaves nothing', async () => {
			const { store, restart } = await make();
			const id = ids.document('task');
			await store.transact(async (tx) => {
				await tx.putRows([row(id)]);
				await tx.addPending([batch(id)]);
			});
			await store.wipe();
			const again = await restart();
			expect(await again.read((reads) => reads.counts())).toEqual({ pending: 0, aside: 0 });
			expect(await again.read((reads) => reads.rowsOf('task'))).toEqual([]);
			await again.close();
		});

		test('[R7] a tail comes after its bytes in order, and goes when they are replaced or dropped', async () => {
			const { store } = await make();
			const [id, other] = [ids.document('text'), ids.document('text')];
			await store.transact(async (tx) => {
				for (let seq = 1; seq <= 12; seq++) await tx.appendTail(id, seq, bytes(seq));
				await tx.appendTail(other, 1, bytes(99));
			});
			let held = (await store.read((reads) => reads.canonical([id]))).get(id)!;
			expect(held).toMatchObject({ docSeq: 12, tail: 12 });
			expect(held.updates.map((update) => update[0])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
			await store.transact((tx) => tx.putCanonical([{ id, docSeq: 13, bytes: bytes(5) }]));
			held = (await store.read((reads) => reads.canonical([id]))).get(id)!;
			expect(held).toMatchObject({ docSeq: 13, tail: 0, updates: [] });
			expect(new Map(await store.read((reads) => reads.inventory()))).toEqual(new Map([[id, 13], [other, 1]]));
			await store.transact(async (tx) => {
				await tx.putSlot({ document: other, slot: 's', clientId: 1, clock: 2, live: false });
				await tx.dropDocuments([other]);
			});
			expect((await store.read((reads) => reads.canonical([other]))).size).toBe(0);
			expect(await store.read((reads) => reads.slot(other, 's'))).toBeUndefined();
			await store.transact((tx) => tx.appendTail(other, 1, bytes(1)));
			expect((await store.read((reads) => reads.canonical([other]))).get(other)!.updates).toHaveLength(1);
			await store.close();
		});

		test('[R8] entries as they came: in order, gone with their document unless they wait, pruned by age', async () => {
			const { store, restart } = await make();
			const [id, other] = [ids.document('task'), ids.document('task')];
			const frame = bytes(0, 7, 8, 0);
			const raw = (epoch: number, seq: number, document = id, fate: RawEntry['fate'] = null): RawEntry => ({
				epoch, seq, document, keptAt: epoch * 1_000 + seq, fate,
				sealed: { document, docSeq: seq, author: person, authoredAt: 1, acceptedAt: 2, command: null, bytes: frame.subarray(1, 3), mac: frame.subarray(2, 3) }
			});
			await store.transact((tx) => tx.putRaw([raw(2, 1), raw(1, 10), raw(1, 9), raw(1, 11, other), raw(1, 12, other, { epoch: 2, was: 'waiting' })]));
			await store.transact((tx) => tx.putRaw([raw(1, 9, id, { epoch: 2, was: 'taken' })]));
			const again = await restart();
			const keys = async (after: { epoch: number; seq: number } | null, limit = 10) => (await again.read((reads) => reads.rawAfter(after, limit))).map(({ epoch, seq }) => `${epoch}:${seq}`);
			expect(await keys(null)).toEqual(['1:9', '1:10', '1:11', '1:12', '2:1']);
			expect(await keys({ epoch: 1, seq: 9 }, 2)).toEqual(['1:10', '1:11']);
			const [first] = await again.read((reads) => reads.rawAfter(null, 1));
			expect(first).toMatchObject({ fate: { epoch: 2, was: 'taken' } });
			expect([[...first!.sealed.bytes], first!.sealed.bytes.buffer.byteLength, first!.sealed.mac.buffer.byteLength]).toEqual([[7, 8], 2, 1]);
			await again.transact((tx) => tx.dropDocuments([other]));
			expect(await keys(null)).toEqual(['1:9', '1:10', '1:12', '2:1']);
			expect((await again.transact((tx) => tx.pruneRaw(2_000))).map(({ seq }) => seq)).toEqual([12]);
			expect(await keys(null)).toEqual(['2:1']);
			await again.transact((tx) => tx.dropRaw([{ epoch: 2, seq: 1 }]));
			expect(await keys(null)).toEqual([]);
			await again.close();
		});

		test('[R1] set aside: newest first, found by document, put twice is one', async () => {
			const { store } = await make();
			const id = ids.document('page');
			const item = (name: string, at: number): AsideItem => ({ kind: 'swallowed', id: name, at, document: id, title: null, text: 'x', by: null });
			await store.transact((tx) => tx.addAside([item('a', 1), item('b', 2)]));
			await store.transact((tx) => tx.addAside([item('a', 1)]));
			expect((await store.read((reads) => reads.aside())).map((found) => found.id)).toEqual(['b', 'a']);
			expect(await store.read((reads) => reads.asideOn([id, ids.document('task')]))).toEqual(new Set([id]));
			await store.transact((tx) => tx.dropAside(['a', 'b']));
			expect(await store.read((reads) => reads.asideOn([id]))).toEqual(new Set());
			await store.close();
		});
	});
}
