/** What people do at work: tasks, deals, words in pages and texts, and new things of every kind. */
import * as Y from 'yjs';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { pageOf } from '#crdt-model/ids.ts';
import type { DealRow } from '#crdt-model/kinds/deal.ts';
import { DEAL_STAGES } from '#crdt-model/kinds/deal.ts';
import type { Row } from '#crdt-model/kinds/index.ts';
import type { PageRow, TextRow } from '#crdt-model/kinds/page.ts';
import type { TaskRow } from '#crdt-model/kinds/task.ts';
import { TASK_STATES } from '#crdt-model/kinds/task.ts';
import { checklistOf, commentsOf } from '#crdt-model/record/parts.ts';
import type { Draft } from '#lib/sync/engine.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import type { Device } from './device.ts';
import type { World } from './world.ts';

export async function pickRow<R>(world: World, device: Device, kind: Row['kind']): Promise<(StoredRow & R) | null> {
	const rows = (await device.replica.rows(kind)).filter((row) => !row.deleted);
	if (rows.length === 0) return null;
	// Mostly the oldest, which everybody knows: people get in each other's way at what they share.
	const pick = world.random.chance(0.6) ? rows.sort((a, b) => (a.id < b.id ? -1 : 1))[world.random.below(Math.min(2, rows.length))] : world.random.pick(rows);
	return pick as StoredRow & R;
}

/** Somebody who is or was of the company. */
export const anyone = (world: World): PersonId => world.random.pick(world.rowsOf('employee')).id as PersonId;

export async function actOnTask(world: World, device: Device): Promise<void> {
	const task = await pickRow<TaskRow>(world, device, 'task');
	if (!task) return makeSomething(world, device);
	const { random, ids } = world;
	const state = await device.replica.state(task.id);
	const item = checklistOf(state)[random.below(6)]?.id ?? ids.item();
	const comment = commentsOf(state)[0]?.id ?? ids.item();
	const draft = (name: string, args: unknown): Draft => ({ document: task.id, name: `task.${name}`, args });
	const drafts = random.pick<() => Draft[]>([
		() => [draft('setTitle', { value: `title ${random.below(1000)}` })],
		() => [draft('setDeadline', { value: `2026-02-${10 + random.below(18)}` })],
		() => [draft('setState', { value: random.pick(TASK_STATES) })],
		() => [draft('setResponsible', { value: anyone(world) })],
		() => [draft('addParticipant', { member: anyone(world) })],
		() => [draft('removeParticipant', { member: anyone(world) })],
		() => [draft('addItem', { item: ids.item(), text: `item ${random.below(1000)}`, position: random.pick(['a0', 'a1', 'Zz']) })],
		() => [draft('tickItem', { item, done: random.chance(0.5) })],
		() => [draft('moveItem', { item, position: random.pick(['a0', 'a1', 'a2']) })],
		() => [draft('removeItem', { item })],
		() => [draft('comment', { item: ids.item(), text: `hello ${random.below(1000)}` })],
		() => [draft('editComment', { item: comment, text: `changed ${random.below(1000)}` })],
		() => [draft('setTitle', { value: 'both' }), draft('setPriority', { value: 'high' })],
		() => [random.chance(0.3) ? draft('delete', {}) : draft('setPriority', { value: 'high' })]
	])();
	await world.run(device, ...drafts);
}

export async function actOnDeal(world: World, device: Device): Promise<void> {
	const deal = await pickRow<DealRow>(world, device, 'deal');
	if (!deal) return makeSomething(world, device);
	const { random, ids } = world;
	const draft = (name: string, args: unknown): Draft => ({ document: deal.id, name: `deal.${name}`, args });
	await world.run(
		device,
		random.pick([
			draft('moveToStage', { value: random.pick(DEAL_STAGES) }),
			draft('setAmount', { value: random.below(100) * 100 }),
			draft('setAmount', { value: random.below(100) * 100 }),
			draft('setTitle', { value: `deal ${random.below(1000)}` }),
			draft('setResponsible', { value: anyone(world) }),
			draft('comment', { item: ids.item(), text: 'call back' })
		])
	);
}

export async function makeSomething(world: World, device: Device): Promise<void> {
	const { random, ids } = world;
	const n = random.below(1000);
	const [kind, args] = random.pick<[string, Record<string, unknown>]>([
		['task', { title: `task ${n}`, responsible: anyone(world), participants: [anyone(world)] }],
		['task', { title: `task ${n}` }],
		['deal', { title: `deal ${n}`, amount: 100 }],
		['text', { title: `text ${n}`, place: random.pick(['company', 'mine']) }],
		['page', { title: `page ${n}`, place: 'company' }],
		['company', { name: `client ${n}` }]
	]);
	await world.run(device, { document: ids.document(kind as 'task'), name: `${kind}.create`, args });
}

/** Types a word into a text, a page or the description of a task, or deletes one. */
export async function actOnText(world: World, device: Device): Promise<void> {
	const { random } = world;
	const kind = random.pick(['text', 'text', 'page', 'task'] as const);
	const row = await pickRow<TextRow | PageRow | TaskRow>(world, device, kind);
	if (!row) return;
	const document: DocumentId = row.kind === 'task' ? pageOf(row.id) : row.id;
	await device.edit(row.id, (doc) => {
		const content = kind === 'text' ? doc.getText('text') : (doc.get('root', Y.XmlText) as Y.XmlText);
		const text = content.toString();
		const words = [...text.matchAll(/<[^>]+>/g)];
		if (words.length > 0 && random.chance(0.25)) {
			const word = random.pick(words);
			world.deletedWords.add(word[0]);
			content.delete(word.index, word[0].length);
			return world.note(`${device.name} deletes ${word[0]}`);
		}
		const word = `<${device.name}${world.words.size}>`;
		content.insert(words.length > 0 && random.chance(0.7) ? random.pick(words).index : text.length, word);
		world.words.set(word, { person: device.person, document });
		world.tally.typed++;
		world.note(`${device.name} types ${word} into ${document.slice(-4)}`);
	});
}
