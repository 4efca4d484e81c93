// Seeded: three devices of two people, lines that break, answers that get lost, browsers that die, refusals. At the end everyone shows the same,
// and everything that was ever kept is accepted or set aside.
import { expect, test } from 'vitest';
import { IdMaker, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { refuse, type RefusalCode } from '#crdt-model/wire/refusal.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import { MAX_BACKOFF_MS } from './link.ts';
import { Replica } from './engine.ts';
import { FakeRelay, PORTAL, seededBytes, TestClock } from './testing.ts';

const STEPS = 120;
/** `ATRIUM_DEEP=1` looks much further. */
const SEEDS = process.env['ATRIUM_DEEP'] === '1' ? 1_000 : 25;

interface Device {
	readonly name: string;
	readonly person: PersonId;
	store: MemoryReplicaStore;
	replica: Replica;
}

async function breathe(times = 3): Promise<void> {
	for (let i = 0; i < times; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function story(seed: number): Promise<void> {
	const clock = new TestClock();
	const relay = new FakeRelay(clock);
	const bytes = seededBytes(seed);
	const roll = (sides: number) => {
		const [a, b] = bytes(new Uint8Array(2));
		return ((a! << 8) | b!) % sides;
	};
	const makes = new IdMaker(() => clock.now, seededBytes(seed + 1));
	const people = [makes.document('employee'), makes.document('employee')] as PersonId[];
	let starts = 0;
	const start = (name: string, person: PersonId, store: MemoryReplicaStore) =>
		Replica.open({ portal: PORTAL, person, store, transport: relay.transport(name, person), now: () => clock.now, timers: clock.timers, random: seededBytes(seed * 1_000 + ++starts) });
	const devices: Device[] = [];
	for (const [name, person] of [['ana', people[0]!], ['ana2', people[0]!], ['bob', people[1]!]] as const) {
		const store = new MemoryReplicaStore();
		devices.push({ name, person, store, replica: await start(name, person, store) });
	}
	for (const device of devices) device.replica.connect();
	const tasks: DocumentId[] = [];
	const texts: DocumentId[] = [];
	const kept = new Set<string>();
	let word = 0;
	const words = new Set<string>();

	const mischief: RefusalCode[] = ['denied', 'too-much', 'unavailable'];
	relay.judge = (what) => (roll(10) > 0 ? null : refuse('bytes' in what && roll(2) ? 'gap' : mischief[roll(3)]!, 'by chance'));
	for (let step = 0; step < STEPS; step++) {
		const device = devices[roll(devices.length)]!;
		const { replica } = device;
		const run = async (document: DocumentId, name: string, args: unknown) => {
			const result = await replica.run([{ document, name, args }]);
			if (result.kind === 'kept') for (const id of result.commands) kept.add(id);
		};
		const task = tasks[roll(Math.max(1, tasks.length))];
		const text = texts[roll(Math.max(1, texts.length))];
		switch (roll(13)) {
			case 0: {
				const id = replica.ids.document('task');
				tasks.push(id);
				await run(id, 'task.create', { title: `T${step}` });
				break;
			}
			case 1: {
				const id = replica.ids.document('text');
				texts.push(id);
				await run(id, 'text.create', { title: `N${step}`, place: 'company' });
				break;
			}
			case 2:
			case 3:
				if (task) await run(task, 'task.setTitle', { value: `T${step}` });
				break;
			case 4:
				if (task) await run(task, 'task.comment', { item: replica.ids.item(), text: `C${step}` });
				break;
			case 5:
			case 6:
				if (text && (await replica.row(text))) {
					const page = await replica.openPage(text, 'slot-1');
					const content = page.doc.getText('text');
					// One unit each, so that nothing can be typed into the middle of it.
					const typed = String.fromCharCode(0x4e00 + word++);
					words.add(typed);
					content.insert(roll(content.length + 1), typed);
					await page.flush();
					if (roll(2)) await page.release();
				}
				break;
			case 7:
				relay.cut(1006, device.person);
				break;
			case 8:
				relay.swallow = roll(2) ? () => false : (message) => message.type === 'answer' && roll(2) === 0;
				break;
			case 9:
				relay.online = roll(3) > 0;
				break;
			case 10:
				replica.abandon();
				device.store = device.store.crash();
				device.replica = await start(device.name, device.person, device.store);
				device.replica.connect();
				break;
			case 11:
				clock.pass(roll(30_000));
				break;
			case 12: {
				const id = roll(2) ? task : text;
				if (!id || !relay.docs.has(id)) break;
				// Access goes, and comes back unseen: the next comparison brings it.
				if (roll(3) > 0) relay.lose(device.person, id);
				else relay.unreadable.clear();
				break;
			}
		}
		clock.pass(roll(50));
		if (roll(3) === 0) await breathe();
	}

	relay.unreadable.clear();
	relay.judge = () => null;
	relay.swallow = () => false;
	relay.online = true;
	for (let i = 0; i < 30; i++) {
		for (const { replica } of devices) {
			await replica.flush();
			await replica.settled();
		}
		await breathe(5);
		if (i < 20) clock.pass(MAX_BACKOFF_MS / 3);
		if (i === 0 || i === 5) relay.cut();
	}
	const accepted = new Set(relay.log.flatMap((entry) => (entry.command ? [entry.command.id as string] : [])));
	const aside = new Set<string>();
	let asideText = '';
	for (const { name, replica, store } of devices) {
		expect(replica.status(), `${name} is through`).toMatchObject({ word: 'up-to-date', pending: 0 });
		for (const item of await replica.aside()) {
			if (item.kind === 'command') aside.add(item.command.id);
			if (item.kind === 'page') asideText += item.text;
		}
		const { cursor, held } = await store.read((reads) => reads.meta());
		expect({ cursor, held }).toEqual({ cursor: { epoch: 1, seq: relay.log.length }, held: digestOf(relay.docs.keys()) });
		for (const [id, { doc }] of relay.docs) {
			const row = await replica.row(id);
			const other = await devices[0]!.replica.row(id);
			expect({ ...row, aside: false }).toEqual({ ...other, aside: false });
			expect(row?.sync).toBe('accepted');
			if (!id.startsWith('text')) continue;
			const page = await replica.openPage(id, 'slot-9');
			expect(page.doc.getText('text').toString()).toBe(doc.getText('text').toString());
			await page.release();
		}
	}
	expect([...kept].filter((id) => !accepted.has(id) && !aside.has(id)), 'commands lost').toEqual([]);
	const all = [...relay.docs.values()].map(({ doc }) => doc.getText('text').toString()).join('') + asideText;
	expect([...words].filter((typed) => !all.includes(typed)), 'words lost').toEqual([]);
	for (const { replica } of devices) replica.abandon();
}

for (let seed = 1; seed <= SEEDS; seed++) {
	test(`[P3] [P6] seed ${seed}`, () => story(seed));
}
