/** What a change costs at the relay: the gate alone, and with the disk. In one process, without sockets. Reports, asserts nothing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as Y from 'yjs';
import { IdMaker, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { MemoryRelayStore } from '#storage/memory/relay-store.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import type { RelayStore } from '#storage/contract.ts';
import { Portals } from '#sync-server/room/portals.ts';
import type { Portal } from '#sync-server/room/portal.ts';
import { median, table } from './report.ts';

const COMMANDS = 4_000;
/** Submissions under way at once, as from that many busy people. */
const WRITERS = 64;
const ids = new IdMaker();

async function founded(store: RelayStore): Promise<{ portals: Portals; portal: Portal; person: PersonId; task: DocumentId }> {
	const portals = await Portals.open({ store, macKey: new Uint8Array(32) });
	const { portal, administrator } = await portals.found({ company: 'Bench', language: 'en', firstName: 'Ana', lastName: 'Pop', email: 'ana@bench.example' });
	const task = ids.document('task');
	await portal.submit(administrator, { id: ids.batch(), commands: [command(task, 'task.create', { title: 'bench' })] });
	return { portals, portal, person: administrator, task };
}

function command(document: DocumentId, name: string, args: unknown): Command {
	return { id: ids.command(), document, name, args, at: Date.now(), seen: {} };
}

async function commandsPerSecond(store: RelayStore): Promise<number> {
	const { portals, portal, person, task } = await founded(store);
	let made = 0;
	const started = performance.now();
	await Promise.all(
		Array.from({ length: WRITERS }, async () => {
			while (made++ < COMMANDS) {
				await portal.submit(person, { id: ids.batch(), commands: [command(task, 'task.setTitle', { value: `title ${made}` })] });
			}
		})
	);
	const rate = COMMANDS / ((performance.now() - started) / 1000);
	await portals.close();
	return rate;
}

async function keystrokes(store: RelayStore): Promise<{ gateUs: number; perSecond: number }> {
	const { portals, portal, person } = await founded(store);
	const text = ids.document('text');
	await portal.submit(person, { id: ids.batch(), commands: [command(text, 'text.create', { title: 'bench', place: 'company' })] });
	const doc = new Y.Doc();
	const updates: Uint8Array[] = [];
	doc.on('update', (update: Uint8Array) => updates.push(update));
	for (let i = 0; i < 100; i++) doc.getText('text').insert(0, 'x'.repeat(1_000));
	for (let i = 0; i < COMMANDS; i++) doc.getText('text').insert(Math.floor(Math.random() * doc.getText('text').length), 'y');
	const waiting: Promise<void>[] = [];
	const times: number[] = [];
	const started = performance.now();
	for (const update of updates) {
		const before = performance.now();
		const { durable, result } = await portal.admitUpdate(person, text, update, null);
		times.push((performance.now() - before) * 1000);
		if (result.kind === 'refused') throw new Error(result.refusal.code);
		waiting.push(durable);
	}
	await Promise.all(waiting);
	const perSecond = updates.length / ((performance.now() - started) / 1000);
	await portals.close();
	return { gateUs: median(times), perSecond };
}

async function gateTimeUs(): Promise<number> {
	const { portals, portal, person, task } = await founded(new MemoryRelayStore());
	const times: number[] = [];
	for (let i = 0; i < COMMANDS; i++) {
		const batch = { id: ids.batch(), commands: [command(task, 'task.setTitle', { value: `title ${i}` })] };
		const before = performance.now();
		const { durable } = await portal.admit(person, batch);
		times.push((performance.now() - before) * 1000);
		await durable;
	}
	await portals.close();
	return median(times);
}

const folder = await mkdtemp(join(tmpdir(), 'atrium-bench-'));
try {
	const perCommand = await gateTimeUs();
	const inMemory = await commandsPerSecond(new MemoryRelayStore());
	const durable = await commandsPerSecond(await SqliteRelayStore.open(join(folder, 'commands')));
	const typing = await keystrokes(await SqliteRelayStore.open(join(folder, 'typing')));
	table('The gate', [
		['gate per command, store in memory, median', `${perCommand.toFixed(0)} µs`],
		['gate per keystroke, page of 100 kB, median', `${typing.gateUs.toFixed(0)} µs`],
		[`durable commands, ${WRITERS} writers`, `${durable.toFixed(0)} /s`],
		['the same, store in memory', `${inMemory.toFixed(0)} /s (disk costs ${(inMemory / durable).toFixed(1)} ×)`],
		['durable keystrokes of one writer who does not wait', `${typing.perSecond.toFixed(0)} /s`]
	]);
} finally {
	await rm(folder, { recursive: true, force: true });
}
