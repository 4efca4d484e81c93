// A device that an older app left with a database of its time opens under this one: what was not sent is there, and is sent.
import { Dexie } from 'dexie';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { expect, test } from 'vitest';
import { IdMaker, KINDS, type PersonId } from '#crdt-model/ids.ts';
import { ROW_VERSIONS } from '#crdt-model/kinds/index.ts';
import { DexieReplicaStore } from '#storage/dexie/replica-store.ts';
import { ReplicaDatabase, SCHEMA_VERSION } from '#storage/dexie/schema.ts';
import { Replica } from './engine.ts';
import { FakeRelay, PORTAL, seededBytes, TestClock } from './testing.ts';

const NAME = 'atrium:test';
/** As the first release made it. Frozen here: devices in the field have this, whatever schema.ts says of it today. */
const FIRST: Readonly<Record<string, string>> = {
	heads: 'id', bytes: 'id', tails: '[document+docSeq]', pending: '++order, id, *documents', aside: 'id, at, document', slots: '[document+slot], document', meta: 'key',
	row_settings: 'id', row_employee: 'id', row_department: 'id', row_task: 'id', row_company: 'id', row_product: 'id', row_deal: 'id', row_page: 'id, place', row_text: 'id, place'
};

function device(indexedDB: IDBFactory) {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const person = new IdMaker(() => clock.now, seededBytes(9)).document('employee') as PersonId;
	const open = (seed: number, factory = indexedDB) => {
		const store = new DexieReplicaStore(new ReplicaDatabase(NAME, { indexedDB: factory, IDBKeyRange }));
		return Replica.open({ portal: PORTAL, person, store, transport: relay.transport('ana', person), now: () => clock.now, timers: clock.timers, random: seededBytes(seed) });
	};
	return { relay, person, open };
}

async function calm(replica: Replica): Promise<void> {
	for (let i = 0; i < 20; i++) {
		await replica.settled();
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
}

/** What lies in a database of this version, as the first one would have kept it: without tables, and without things said once, that came later. */
async function writtenByFirst(from: IDBFactory, to: IDBFactory, spoil: (table: string, value: Record<string, unknown>) => Record<string, unknown> | null): Promise<void> {
	const today = await new ReplicaDatabase(NAME, { indexedDB: from, IDBKeyRange }).open();
	const first = new Dexie(NAME, { indexedDB: to, IDBKeyRange });
	first.version(1).stores({ ...FIRST });
	await first.open();
	for (const table of Object.keys(FIRST)) {
		const values = (await today.table(table).toArray()) as Record<string, unknown>[];
		await first.table(table).bulkPut(values.flatMap((value) => spoil(table, value) ?? []));
	}
	first.close();
	today.close();
}

/** Every object store with its key and its indexes. */
async function shapeOf(indexedDB: IDBFactory): Promise<unknown> {
	const open = indexedDB.open(NAME);
	const database = await new Promise<IDBDatabase>((resolve, reject) => {
		open.onsuccess = () => resolve(open.result);
		open.onerror = () => reject(open.error);
	});
	const names = [...database.objectStoreNames];
	const transaction = database.transaction(names);
	const shape = names.map((name) => {
		const { keyPath, autoIncrement, indexNames } = transaction.objectStore(name);
		const indexes = [...indexNames].map((index) => {
			const { keyPath: path, multiEntry, unique } = transaction.objectStore(name).index(index);
			return { index, path, multiEntry, unique };
		});
		return { name, keyPath, autoIncrement, indexes };
	});
	const { version } = database;
	database.close();
	return { version, shape };
}

test('[P1] [P3] unsent work of the first version of the database is there under this one, is sent, and arrives once', async () => {
	const [made, factory] = [new IDBFactory(), new IDBFactory()];
	const { relay, person, open } = device(factory);
	const before = await open(1, made);
	before.connect();
	const accepted = before.ids.document('task');
	await before.run([{ document: accepted, name: 'task.create', args: { title: 'Accepted' } }]);
	await calm(before);
	before.disconnect();
	relay.online = false;
	const unsent = before.ids.document('task');
	const text = before.ids.document('text');
	await before.run([{ document: unsent, name: 'task.create', args: { title: 'Unsent' } }, { document: unsent, name: 'task.setDeadline', args: { value: '2026-11-30' } }]);
	await before.run([{ document: accepted, name: 'task.setTitle', args: { value: 'Changed on a train' } }]);
	await before.run([{ document: text, name: 'text.create', args: { title: 'Notes' } }]);
	const page = await before.openPage(text, 'slot-1');
	page.doc.getText('text').insert(0, 'Written on a train');
	await page.release();
	const pending = await before.pending();
	expect(pending.length).toBeGreaterThan(3);
	await before.close();

	await writtenByFirst(made, factory, (table, value) => {
		if (table === 'meta') {
			if (value.key !== 'meta') return null;
			const { rows: _, ...meta } = value;
			return meta;
		}
		if (table === 'pending') {
			const { on: _, ...first } = value;
			return first;
		}
		// Rows as they were made once.
		return table === 'row_task' ? { id: value.id, kind: value.kind, title: 'as it was made once', sync: value.sync, deleted: false } : value;
	});
	const after = await open(2);
	expect((await after.pending()).map(({ id, state }) => [id, state])).toEqual(pending.map(({ id, state }) => [id, state]));
	await after.remade();
	expect(await after.row(unsent)).toMatchObject({ title: 'Unsent', deadline: '2026-11-30', sync: 'kept' });
	expect(await after.row(accepted)).toMatchObject({ title: 'Changed on a train', number: 1 });
	expect(after.status()).toMatchObject({ word: 'on-device', pending: pending.length });

	relay.online = true;
	after.connect();
	await calm(after);
	expect(after.status()).toMatchObject({ word: 'up-to-date', pending: 0, aside: 0 });
	expect(relay.docText(text)).toBe('Written on a train');
	expect(await after.row(unsent)).toMatchObject({ sync: 'accepted', number: 2 });
	const commands = relay.log.map(({ command }) => command?.name).filter((name) => name?.startsWith('task'));
	expect(commands.sort()).toEqual(['task.create', 'task.create', 'task.setDeadline', 'task.setTitle']);

	// What came with the second version works too.
	const group = after.ids.document('group');
	await after.run([{ document: group, name: 'group.create', args: { name: 'Choir', visibility: 'open' } }]);
	await calm(after);
	expect(await after.row(group)).toMatchObject({ name: 'Choir', sync: 'accepted' });
	expect((await after.store.read((reads) => reads.rawAfter(null, 100))).length, 'entries are kept as they came').toBeGreaterThan(0);
	expect((await after.store.read((reads) => reads.meta())).rows).toEqual(ROW_VERSIONS);
	expect(relay.log.every(({ author }) => author === person)).toBe(true);
	await after.close();
});

test('a database that was brought from the first version has the tables and indexes of a new one', async () => {
	const [grown, fresh] = [new IDBFactory(), new IDBFactory()];
	await writtenByFirst(fresh, grown, (_, value) => value);
	const opened = await new ReplicaDatabase(NAME, { indexedDB: grown, IDBKeyRange }).open();
	expect(opened.tables.map(({ name }) => name)).toEqual(expect.arrayContaining(KINDS.map((kind) => `row_${kind}`)));
	opened.close();
	const [brought, made] = [await shapeOf(grown), await shapeOf(fresh)];
	expect(brought).toEqual(made);
	expect(brought).toMatchObject({ version: SCHEMA_VERSION * 10 });
});
