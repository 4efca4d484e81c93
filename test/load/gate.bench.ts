/**
 * What a change costs at the relay, in one process, without sockets. Reports, asserts nothing.
 *
 * "The gate" is everything between a frame's bytes and the entry that is enqueued for the disk: parsing, looking for a first answer, pinning, deciding, applying to
 * the document, the canonical update, digest, chain and seal. Not in it: the answer and the fan-out, which wait for the disk. The store in memory
 * answers at once and its commits do no work here, so that no other thread and no copying is measured.
 * "Loop time" is what the relay's one thread spends for a command that went to SQLite, all in all: what bounds the rate.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as Y from 'yjs';
import { IdMaker, type CommandId, type DocumentId, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { decodeUp, encodeUp } from '#crdt-model/wire/codec.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { MemoryRelayStore } from '#storage/memory/relay-store.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import type { Commit, RelayStore } from '#storage/contract.ts';
import { Portals } from '#sync-server/room/portals.ts';
import type { Portal } from '#sync-server/room/portal.ts';
import { quantile, table } from './report.ts';

const COMMANDS = 12_000;
/** A group commit in the gate's own bench: as many as arrive while a disk writes. */
const COMMIT_SIZE = 64;
/** Submissions under way at once, as from that many busy people. */
const WRITERS = 64;
const TASKS = 50;
const PAGE_PIECES = 10_000;
const HEADED = 10_000;
const ids = new IdMaker();

interface Founded {
	readonly portals: Portals;
	readonly portal: Portal;
	/** As many busy people, each with a share of the relay of their own; the first founded the portal. */
	readonly people: readonly PersonId[];
	readonly tasks: readonly DocumentId[];
}

async function founded(store: RelayStore): Promise<Founded> {
	const portals = await Portals.open({ store, macKey: new Uint8Array(32) });
	const { portal, administrator: person } = await portals.found({ company: 'Bench', language: 'en', firstName: 'Ana', lastName: 'Pop', email: 'ana@bench.example' });
	const tasks = Array.from({ length: TASKS }, () => ids.document('task'));
	for (const task of tasks) {
		await portal.submit(person, { id: ids.batch(), commands: [command(task, 'task.create', { title: 'bench', deadline: '2026-11-30', participants: [person] })] });
	}
	const others = Array.from({ length: WRITERS - 1 }, () => ids.document('employee'));
	await portal.submitAsRelay({
		commands: others.map((id, n) => command(id, 'employee.create', { firstName: 'W', lastName: `${n}`, email: `w${n}@bench.example`, administrator: true }))
	});
	return { portals, portal, people: [person, ...others], tasks };
}

function command(document: DocumentId, name: string, args: unknown, seen: Command['seen'] = {}): Command {
	return { id: ids.command(), document, name, args, at: Date.now(), seen };
}

/** Frames of somebody who renames tasks and sees what they wrote before. */
function frames(tasks: readonly DocumentId[], count: number): Uint8Array[] {
	const last = new Map<DocumentId, CommandId>();
	return Array.from({ length: count }, (_, i) => {
		const task = tasks[i % tasks.length]!;
		const seen = last.get(task);
		const one = command(task, 'task.setTitle', { value: `title ${i}` }, seen ? { title: seen } : {});
		last.set(task, one.id);
		return encodeUp({ type: 'submit', batch: { id: ids.batch(), commands: [one] } });
	});
}

/** A store whose commits wait until they are told, and then do nothing. */
function idle(memory: MemoryRelayStore): { readonly store: RelayStore; hold(): void; tell(): Promise<void> } {
	let held: PromiseWithResolvers<void> | null = null;
	const portal = async (id: PortalId) => {
		const real = await memory.portal(id);
		return { ...real, commit: (commit: Commit) => held?.promise ?? real.commit(commit) };
	};
	return {
		store: { portal, portals: () => memory.portals(), close: () => memory.close() },
		hold: () => void (held = Promise.withResolvers()),
		async tell() {
			// Once for the commit under way, once for what gathered behind it.
			for (let i = 0; i < 2; i++) {
				held!.resolve();
				held = Promise.withResolvers();
				await new Promise(setImmediate);
			}
		}
	};
}

async function gateMicros(): Promise<{ parse: number[]; whole: number[] }> {
	const disk = idle(new MemoryRelayStore());
	const { portal, people, tasks } = await founded(disk.store);
	const parse: number[] = [];
	const whole: number[] = [];
	const bytes = frames(tasks, COMMANDS * 2);
	disk.hold();
	for (const [i, frame] of bytes.entries()) {
		const began = performance.now();
		const decoded = decodeUp(frame);
		const parsed = performance.now();
		if (!decoded.ok || decoded.message.type !== 'submit') throw new Error('bench: not a submission');
		const { result } = await portal.admit(people[i % WRITERS]!, decoded.message.batch);
		const ended = performance.now();
		if (result.kind === 'refused') throw new Error(`bench: ${result.refusal.code}`);
		// The first half warms up.
		if (i >= COMMANDS) {
			parse.push((parsed - began) * 1000);
			whole.push((ended - began) * 1000);
		}
		if (i % COMMIT_SIZE === 0) await disk.tell();
	}
	await disk.tell();
	return { parse, whole };
}

interface Rate {
	readonly perSecond: number;
	readonly loopMicros: number;
}

async function commandRate({ portal, people, tasks }: Pick<Founded, 'portal' | 'people' | 'tasks'>): Promise<Rate> {
	let made = 0;
	const before = performance.eventLoopUtilization();
	const started = performance.now();
	await Promise.all(
		Array.from({ length: WRITERS }, async (_, writer) => {
			while (made++ < COMMANDS) {
				await portal.submit(people[writer]!, { id: ids.batch(), commands: [command(tasks[writer % TASKS]!, 'task.setTitle', { value: `title ${made}` })] });
			}
		})
	);
	const seconds = (performance.now() - started) / 1000;
	return { perSecond: COMMANDS / seconds, loopMicros: (performance.eventLoopUtilization(before).active * 1000) / COMMANDS };
}

/** Keystrokes in a text of 100 kB, in many pieces as much editing leaves it, through the whole gate. */
async function keystrokes(store: RelayStore): Promise<{ micros: number[]; perSecond: number }> {
	const { portals, portal, people: [person] } = await founded(store);
	const text = ids.document('text');
	await portal.submit(person!, { id: ids.batch(), commands: [command(text, 'text.create', { title: 'bench', place: 'company' })] });
	const doc = new Y.Doc();
	const content = doc.getText('text');
	let seed = 1;
	const roll = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
	doc.transact(() => {
		for (let i = 0; i < PAGE_PIECES; i++) content.insert(roll(content.length + 1), 'ten chars ');
	});
	const whole = Y.encodeStateAsUpdate(doc);
	const updates: Uint8Array[] = [];
	doc.on('update', (update: Uint8Array) => updates.push(update));
	for (let i = 0, at = 0; i < COMMANDS / 2; i++) {
		if (i % 50 === 0) at = roll(content.length);
		content.insert(at++, 'y');
	}
	const first = await portal.admitUpdate(person!, text, whole, null);
	if (first.result.kind === 'refused') throw new Error(`bench: ${first.result.refusal.code} ${first.result.refusal.detail}`);
	await first.durable;
	const waiting: Promise<void>[] = [];
	const micros: number[] = [];
	const started = performance.now();
	for (const update of updates) {
		const frame = encodeUp({ type: 'update', id: 'u', document: text, bytes: update });
		const before = performance.now();
		const decoded = decodeUp(frame);
		if (!decoded.ok || decoded.message.type !== 'update') throw new Error('bench: not an update');
		const { durable, result } = await portal.admitUpdate(person!, text, decoded.message.bytes, null);
		micros.push((performance.now() - before) * 1000);
		if (result.kind === 'refused') throw new Error(`bench: ${result.refusal.code}`);
		waiting.push(durable);
	}
	await Promise.all(waiting);
	const perSecond = updates.length / ((performance.now() - started) / 1000);
	await portals.close();
	return { micros, perSecond };
}

/** The same work in a company of 10,000, while its authors, and everyone whose session is open, head nobody, or all of them. */
async function withManyPrincipals(open: (name: string) => Promise<RelayStore>): Promise<{ few: Rate; many: Rate }> {
	const rates: { few: Rate[]; many: Rate[] } = { few: [], many: [] };
	for (let round = 0; round < 3; round++) {
		for (const size of ['few', 'many'] as const) {
			const all = await founded(await open(`${size}-${round}`));
			const { portal } = all;
			const department = [...portal.directory.departments][0]!.id;
			for (let from = 0; from < HEADED; from += 100) {
				const commands = Array.from({ length: 100 }, (_, i) => {
					return command(ids.document('employee'), 'employee.create', { firstName: 'P', lastName: `${from + i}`, email: `p${from + i}@bench.example`, departments: [department] });
				});
				await portal.submitAsRelay({ commands });
			}
			const heads = size === 'few' ? [] : all.people.map((member) => command(department, 'department.addDeputy', { member }));
			await portal.submitAsRelay({ commands: [command(department, 'department.setHead', { value: size === 'few' ? null : all.people[0]! }), ...heads] });
			const held = portal.actorOf(all.people[0]!)!.principals.size;
			if (held > HEADED !== (size === 'many')) throw new Error(`bench: ${held} principals`);
			const sockets = Array.from({ length: 20 }, () => {
				const session = portal.attachSync(all.people[0]!, { send: () => 'ok', close: () => {} });
				void session.receive(encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: { epoch: portal.log.epoch, seq: portal.log.durable }, held: { count: 0, digest: '' } }));
				void session.receive(encodeUp({ type: 'inventory', documents: [], last: true }));
				return session;
			});
			await new Promise((resolve) => setTimeout(resolve, 500));
			rates[size].push(await commandRate(all));
			for (const session of sockets) session.closed();
			await all.portals.close();
		}
	}
	const middle = (list: Rate[]) => [...list].sort((a, b) => a.perSecond - b.perSecond)[1]!;
	return { few: middle(rates.few), many: middle(rates.many) };
}

/** The relay's own timers hold no process; its sockets do, and here are none. */
const awake = setInterval(() => {}, 1_000);
const folder = await mkdtemp(join(tmpdir(), 'atrium-bench-'));
const open = (name: string) => SqliteRelayStore.open(join(folder, name));
const micros = (values: readonly number[]) => `median ${quantile(values, 0.5).toFixed(1)} µs, p95 ${quantile(values, 0.95).toFixed(1)} µs`;
try {
	const { parse, whole } = await gateMicros();
	const memory = await founded(new MemoryRelayStore());
	const inMemory = await commandRate(memory);
	await memory.portals.close();
	const disk = await founded(await open('commands'));
	const durable = await commandRate(disk);
	await disk.portals.close();
	const typing = await keystrokes(await open('typing'));
	const { few, many } = await withManyPrincipals(open);
	table('The gate', [
		['a command, frame to enqueued entry', micros(whole)],
		['parsing the frame, of that', micros(parse)],
		['a keystroke in a text of 100 kB, frame to enqueued entry', micros(typing.micros)],
		[`durable commands, ${WRITERS} writers`, `${durable.perSecond.toFixed(0)} /s, loop time ${durable.loopMicros.toFixed(0)} µs each`],
		['the same, store in memory', `${inMemory.perSecond.toFixed(0)} /s`],
		['durable keystrokes of one writer who does not wait', `${typing.perSecond.toFixed(0)} /s`],
		['durable commands, 20 sessions of few principals, median of 3', `${few.perSecond.toFixed(0)} /s, loop time ${few.loopMicros.toFixed(0)} µs each`],
		[`the same, each holding those of a head of ${HEADED}`, `${many.perSecond.toFixed(0)} /s, loop time ${many.loopMicros.toFixed(0)} µs each (${((many.perSecond / few.perSecond - 1) * 100).toFixed(1)} %)`]
	]);
} finally {
	clearInterval(awake);
	await rm(folder, { recursive: true, force: true });
}
