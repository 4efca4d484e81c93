// Pages and texts: edits kept at once, carried over /sync, accepted when the shadow holds them.
import * as Y from 'yjs';
import { describe, expect, test } from 'vitest';
import { IdMaker, pageOf, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { PAGE_SCAN_LIMITS, scan } from '#crdt-model/page/scan.ts';
import { MAX_UPDATE_BYTES } from '#crdt-model/wire/limits.ts';
import { refuse } from '#crdt-model/wire/refusal.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import { Replica } from './engine.ts';
import { FLUSH_MS } from './pages.ts';
import { FakeRelay, PORTAL, seededBytes, TestClock } from './testing.ts';
import { piecesOf, typedText } from './update-bytes.ts';

function world() {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const makes = new IdMaker(() => clock.now, seededBytes(99));
	const ana = makes.document('employee') as PersonId;
	const bob = makes.document('employee') as PersonId;
	const open = (store: MemoryReplicaStore, seed = 1) =>
		Replica.open({ portal: PORTAL, person: ana, store, transport: relay.transport('ana', ana), now: () => clock.now, timers: clock.timers, random: seededBytes(seed) });
	return { clock, relay, ana, bob, open };
}

async function calm(...replicas: Replica[]): Promise<void> {
	for (let i = 0; i < 5; i++) {
		for (const replica of replicas) await replica.settled();
		await new Promise((resolve) => setImmediate(resolve));
	}
}

async function text(replica: Replica): Promise<DocumentId<'text'>> {
	const id = replica.ids.document('text');
	expect(await replica.run([{ document: id, name: 'text.create', args: { title: 'Notes' } }])).toMatchObject({ kind: 'kept' });
	return id;
}

describe('page edits', () => {
	test('[P1] [P3] typed offline, kept over a crash, tail over /sync, accepted', async () => {
		const { clock, relay, open } = world();
		const store = new MemoryReplicaStore();
		const before = await open(store);
		const id = await text(before);
		const page = await before.openPage(id, 'slot-1');
		page.doc.getText('text').insert(0, 'Hello');
		page.doc.getText('text').insert(5, ' world');
		clock.pass(FLUSH_MS);
		await page.flush();
		page.doc.getText('text').insert(11, '!');
		await page.flush();
		expect((await before.pending()).map((item) => item.kind)).toEqual(['batch', 'update']);
		expect(await before.row(id)).toMatchObject({ sync: 'kept' });

		const after = await open(store.crash(), 2);
		const again = await after.openPage(id, 'slot-1');
		expect(again.doc.getText('text').toString()).toBe('Hello world!');
		expect(again.clientId).not.toBe(page.clientId);
		after.connect();
		await calm(after);
		expect(relay.conversation.slice(4)).toEqual([
			'ana → relay | submit text.create',
			'relay → ana | entries text.create up to 1',
			'relay → ana | answer accepted 1',
			'ana → relay | update text',
			'relay → ana | entries edit up to 2',
			'relay → ana | answer accepted 2'
		]);
		expect(relay.docText(id)).toBe('Hello world!');
		expect(after.status()).toMatchObject({ pending: 0, word: 'up-to-date' });
		expect(await after.row(id)).toMatchObject({ sync: 'accepted' });
	});

	test('[R6] one client id per document and slot, continued only when nothing of it is open', async () => {
		const { open } = world();
		const store = new MemoryReplicaStore();
		const replica = await open(store);
		replica.connect();
		const id = await text(replica);
		await calm(replica);
		const type = async (slot: string, word: string) => {
			const page = await replica.openPage(id, slot);
			page.doc.getText('text').insert(0, word);
			await page.release();
			await calm(replica);
			return page.clientId;
		};
		const first = await type('slot-1', 'a');
		expect(await type('slot-1', 'b')).toBe(first);
		expect(await type('slot-2', 'c')).not.toBe(first);
		replica.disconnect();
		expect(await type('slot-1', 'd')).toBe(first);
		expect(await type('slot-1', 'e')).not.toBe(first);
	});

	test('[R6] an id that was live when the tab died is not continued', async () => {
		const { open } = world();
		const store = new MemoryReplicaStore();
		const replica = await open(store);
		replica.connect();
		const id = await text(replica);
		await calm(replica);
		const page = await replica.openPage(id, 'slot-1');
		page.doc.getText('text').insert(0, 'a');
		await page.flush();
		await calm(replica);
		await replica.setLive(id, true);
		const after = await open(store.crash(), 3);
		expect((await after.openPage(id, 'slot-1')).clientId).not.toBe(page.clientId);
	});

	test('[P6] two tabs show each other’s edits and the relay’s', async () => {
		const { relay, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await text(replica);
		await calm(replica);
		const one = await replica.openPage(id, 'slot-1');
		const two = await replica.openPage(id, 'slot-2');
		one.doc.getText('text').insert(0, 'one ');
		await one.flush();
		expect(two.doc.getText('text').toString()).toBe('one ');
		two.doc.getText('text').insert(4, 'two ');
		await two.flush();
		await calm(replica);
		const theirs = new Y.Doc();
		Y.applyUpdate(theirs, Y.encodeStateAsUpdate(relay.docs.get(id)!.doc));
		theirs.getText('text').insert(8, 'bob');
		relay.edits(bob, id, Y.encodeStateAsUpdate(theirs));
		await calm(replica);
		expect([one, two].map((page) => page.doc.getText('text').toString())).toEqual(['one two bob', 'one two bob']);
		expect(replica.status().pending).toBe(0);
	});

	test('[P3] refused: the whole tail is one item with its text, the open document is built anew under a new id', async () => {
		const { relay, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		const id = replica.ids.document('text');
		relay.does(bob, id, 'text.create', { title: 'Plan', place: 'company' });
		const theirs = new Y.Doc();
		theirs.getText('text').insert(0, 'Bob says. ');
		relay.edits(bob, id, Y.encodeStateAsUpdate(theirs));
		await calm(replica);
		const page = await replica.openPage(id, 'slot-1');
		const before = page.clientId;
		const resets: (string | undefined)[] = [];
		page.onReset((doc) => resets.push(doc?.getText('text').toString()));
		relay.judge = () => refuse('denied', 'page.own');
		replica.disconnect();
		page.doc.getText('text').insert(10, 'Ana too.');
		await page.flush();
		page.doc.getText('text').insert(0, 'First: ');
		await page.flush();
		replica.connect();
		await calm(replica);
		expect(resets).toEqual(['Bob says. ']);
		expect(page.doc.getText('text').toString()).toBe('Bob says. ');
		expect(page.clientId).not.toBe(before);
		const items = await replica.aside();
		expect(items).toMatchObject([{ kind: 'page', title: 'Plan', reason: { code: 'denied' }, text: 'First: Ana too.' }]);
		expect(replica.status()).toMatchObject({ pending: 0, aside: 1 });
	});

	test('[P3] [P5] the author’s version is shown against the page while it may be read; then their own text alone remains', async () => {
		const { relay, ana, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		const id = replica.ids.document('text');
		relay.does(bob, id, 'text.create', { title: 'Secret plan', place: 'company' });
		const theirs = new Y.Doc();
		theirs.getText('text').insert(0, 'Bob says so. ');
		relay.edits(bob, id, Y.encodeStateAsUpdate(theirs));
		await calm(replica);
		const page = await replica.openPage(id, 'slot-1');
		relay.judge = (what) => ('bytes' in what ? refuse('denied', 'page.own', { rule: 'page.own', who: [`user:${bob}`] }) : null);
		page.doc.getText('text').insert(13, 'Ana too.');
		page.doc.getText('text').delete(8, 3);
		await page.flush();
		await calm(replica);
		const [item] = await replica.aside();
		expect(await replica.unsentVersion(item!.id)).toEqual({
			pieces: [{ kind: 'same', text: 'Bob says' }, { kind: 'deleted', text: ' so.' }, { kind: 'added', text: '.' }, { kind: 'same', text: ' ' }, { kind: 'added', text: 'Ana too.' }],
			text: 'Bob says. Ana too.'
		});
		relay.lose(ana, id);
		await calm(replica);
		expect(await replica.unsentVersion(item!.id)).toBeNull();
		const [left] = await replica.aside();
		expect(left).toMatchObject({ kind: 'page', title: null, text: 'Ana too.', reason: { code: 'denied', rule: 'page.own' } });
		expect(left!.kind === 'page' && left!.reason.who).toBeUndefined();
		expect(JSON.stringify(left)).not.toContain('Secret');
		expect(JSON.stringify(left)).not.toContain(bob);
		expect(await replica.copyText(left!.id)).toBe('Ana too.');
	});

	test('[P3] text for a page that was deleted meanwhile is set aside as target-gone, whole and with its version', async () => {
		const { relay, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		const id = replica.ids.document('text');
		relay.does(bob, id, 'text.create', { title: 'Plan', place: 'company' });
		await calm(replica);
		const page = await replica.openPage(id, 'slot-1');
		replica.disconnect();
		page.doc.getText('text').insert(0, 'Written on the train');
		await page.flush();
		relay.does(bob, id, 'text.delete', {});
		replica.connect();
		await calm(replica);
		const items = await replica.aside();
		expect(items).toMatchObject([{ kind: 'page', title: 'Plan', reason: { code: 'target-gone' }, text: 'Written on the train' }]);
		expect((await replica.unsentVersion(items[0]!.id))?.text).toBe('Written on the train');
		expect(relay.docText(id)).toBe('');
	});

	test('[P3] a gap: the tail is sent anew from the relay’s state, a bounded number of times', async () => {
		const { relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await text(replica);
		await calm(replica);
		const page = await replica.openPage(id, 'slot-1');
		let gaps = 2;
		relay.judge = (what) => ('bytes' in what && gaps-- > 0 ? refuse('gap', 'earlier edits') : null);
		page.doc.getText('text').insert(0, 'kept');
		await page.flush();
		await calm(replica);
		expect(relay.docText(id)).toBe('kept');
		relay.judge = (what) => ('bytes' in what ? refuse('gap', 'earlier edits') : null);
		page.doc.getText('text').insert(4, ' and lost');
		await page.flush();
		await calm(replica);
		expect(await replica.aside()).toMatchObject([{ kind: 'page', text: 'and lost' }]);
		expect(page.doc.getText('text').toString()).toBe('kept');
	});

	test('[P1] a record’s page comes into being with its first edit', async () => {
		const { relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const task = replica.ids.document('task');
		await replica.run([{ document: task, name: 'task.create', args: { title: 'Offer' } }]);
		await calm(replica);
		const page = await replica.openPage(task, 'slot-1');
		await page.flush();
		expect(relay.docs.has(pageOf(task))).toBe(false);
		const paragraph = new Y.XmlText();
		(page.doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, paragraph);
		paragraph.insert(0, 'What to do');
		await page.flush();
		await calm(replica);
		expect(relay.conversation.filter((line) => line.startsWith('ana → relay')).slice(-2)).toEqual(['ana → relay | submit page.hang', 'ana → relay | update page']);
		expect(await replica.row(pageOf(task))).toMatchObject({ title: 'Offer', place: 'record', on: task, sync: 'accepted' });
	});

	test('[P9] while a page is live its tail waits for the entries; without it the tail goes up over /sync', async () => {
		const { relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await text(replica);
		await calm(replica);
		const page = await replica.openPage(id, 'slot-1');
		await replica.setLive(id, true);
		page.doc.getText('text').insert(0, 'live');
		await page.flush();
		await calm(replica);
		expect(relay.docText(id)).toBe('');
		expect(await page.hasTail()).toBe(true);
		await replica.setLive(id, false);
		await calm(replica);
		expect(relay.docText(id)).toBe('live');
		expect(await page.hasTail()).toBe(false);
	});

	test('[P3] typed into what another just deleted: the passage is set aside', async () => {
		const { relay, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		const id = await text(replica);
		await calm(replica);
		const page = await replica.openPage(id, 'slot-1');
		page.doc.getText('text').insert(0, 'vanishing words');
		relay.swallowedNext = [[page.clientId, 0, 9]];
		await page.flush();
		await calm(replica);
		expect(await replica.aside()).toMatchObject([{ kind: 'swallowed', text: 'vanishing' }]);
	});

	test('[P5] a page that leaves the device leaves the editor', async () => {
		const { relay, ana, bob, open } = world();
		const replica = await open(new MemoryReplicaStore());
		replica.connect();
		await calm(replica);
		const id = replica.ids.document('text');
		relay.does(bob, id, 'text.create', { title: 'Plan', place: 'company' });
		await calm(replica);
		const page = await replica.openPage(id, 'slot-1');
		const resets: (Y.Doc | null)[] = [];
		page.onReset((doc) => resets.push(doc));
		relay.lose(ana, id);
		await calm(replica);
		expect(resets).toEqual([null]);
	});

	test('[P6] many entries: the tail is compacted from the shadow', async () => {
		const { relay, bob, open } = world();
		const store = new MemoryReplicaStore();
		const replica = await open(store);
		replica.connect();
		await calm(replica);
		const id = replica.ids.document('text');
		relay.does(bob, id, 'text.create', { title: 'Plan', place: 'company' });
		const theirs = new Y.Doc();
		for (let i = 0; i < 200; i++) {
			const before = Y.encodeStateVector(theirs);
			theirs.getText('text').insert(i, String(i % 10));
			relay.edits(bob, id, Y.encodeStateAsUpdate(theirs, before));
		}
		await calm(replica);
		const held = (await store.read((reads) => reads.canonical([id]))).get(id)!;
		expect(held.docSeq).toBe(201);
		expect(held.tail).toBeLessThanOrEqual(64);
		const page = await replica.openPage(id, 'slot-1');
		expect(page.doc.getText('text').toString()).toBe(theirs.getText('text').toString());
	});
});

describe('update bytes', () => {
	test('[P3] a large edit is cut into pieces that say the same', () => {
		const doc = new Y.Doc();
		const content = doc.getText('text');
		content.insert(0, '😀é'.repeat(150_000));
		content.insert(1_000, 'inside');
		content.delete(20_000, 30_000);
		for (let i = 0; i < 500; i++) content.insert((i * 977) % content.length, `${i}`);
		const whole = Y.encodeStateAsUpdate(doc);
		const pieces = piecesOf(whole, MAX_UPDATE_BYTES);
		expect(pieces.length).toBeGreaterThan(2);
		const copy = new Y.Doc();
		for (const piece of pieces) {
			expect(piece.byteLength).toBeLessThanOrEqual(MAX_UPDATE_BYTES);
			expect(scan(piece, PAGE_SCAN_LIMITS).kind).toBe('scanned');
			Y.applyUpdate(copy, piece);
			expect(copy.store.pendingStructs).toBeNull();
		}
		expect(copy.getText('text').toString()).toBe(content.toString());
	});

	test('[P3] typed text is read out of updates, also clipped', () => {
		const doc = new Y.Doc();
		doc.getText('text').insert(0, 'abcdef');
		const bytes = Y.encodeStateAsUpdate(doc);
		expect(typedText([bytes, bytes])).toBe('abcdef');
		expect(typedText([bytes], [{ client: doc.clientID, from: 1, to: 3 }])).toBe('bc');
	});
});
