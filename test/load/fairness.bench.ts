/**
 * What somebody honest feels of a flood: how long their command takes from sending to its durable answer, alone and beside one person who sends as much
 * as the relay takes, kind by kind; at the beginning, while the flood may still spend its burst, and when that is spent. Reports, asserts nothing.
 */
import { Worker } from 'node:worker_threads';
import * as Y from 'yjs';
import { IdMaker, type DocumentId } from '#crdt-model/ids.ts';
import { CPU_BURST_MS } from '#sync-server/budget/limits.ts';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { SyncClient } from '../support/sync-client.ts';
import type { FloodKind, FloodOrder } from './flood-worker.ts';
import { table } from './report.ts';

const COMMANDS = 150;
/** A person who works does not send the next thing in the same moment. */
const PAUSE_MS = 15;
/** When the burst is surely spent, also where the flood gets but half of the machine. */
const SPENT_MS = 2 * CPU_BURST_MS;
const KINDS: readonly [FloodKind, string, boolean][] = [
	['frames', 'one update again and again on /live', true],
	['merges', 'the dearest updates that the gate lets through', true],
	['commands', 'full windows of commands on 20 connections', true],
	['whole', 'a page of 1 MB asked for again and again', false],
	['presence', 'presence on a page', false],
	['greetings', 'connections that ask for everything and go', false],
	['calls', 'REST calls on 50 lines', false]
];

const ids = new IdMaker();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const at = (sorted: readonly number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;

interface Felt {
	readonly median: number;
	readonly p95: number;
	readonly max: number;
}
async function felt(honest: SyncClient, task: DocumentId): Promise<Felt> {
	const times: number[] = [];
	for (let i = 0; i < COMMANDS; i++) {
		const commands = [{ id: ids.command(), document: task, name: 'task.setTitle', args: { value: `title ${i}` }, at: Date.now(), seen: {} }];
		const before = performance.now();
		const result = await honest.submit({ id: ids.batch(), commands });
		if (result?.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(result)}`);
		times.push(performance.now() - before);
		await pause(PAUSE_MS);
	}
	times.sort((a, b) => a - b);
	return { median: at(times, 0.5), p95: at(times, 0.95), max: times.at(-1)! };
}

/** A relay of its own for each flood, so that none finds the budget that another has spent. */
async function beside(kind: FloodKind, isLong: boolean): Promise<{ alone: Felt; first: Felt; spent: Felt | null }> {
	const relay = await TestRelay.start();
	try {
		const ana = await relay.register();
		const mallory: SignedIn = await relay.hire(ana, 'mallory@acme.example', 'Mallory');
		const task = await relay.create(ana, 'task', { title: 'bench' });
		const own = await relay.create(mallory, 'task', { title: 'flood' });
		const text = await relay.create(ana, 'text', { title: 'bench', place: 'company' });
		const page = await relay.create(ana, 'page', { title: 'bench', place: 'company' });
		const honest = new SyncClient(relay.socketUrl, ana.token);
		await honest.connect();
		const doc = new Y.Doc();
		for (let i = 0; i < 4; i++) {
			const before = Y.encodeStateVector(doc);
			doc.getText('text').insert(0, 'x'.repeat(250_000));
			await honest.update(ids.batch(), text, Y.encodeStateAsUpdate(doc, before));
		}
		await felt(honest, task);
		const alone = await felt(honest, task);
		const order: FloodOrder = { kind, url: relay.url, socketUrl: relay.socketUrl, token: mallory.token, text, page, task: own };
		const worker = new Worker(new URL('./flood-worker.ts', import.meta.url), { workerData: order });
		worker.on('error', (fault) => console.error(fault));
		await new Promise((resolve) => worker.once('message', resolve));
		const started = performance.now();
		await pause(500);
		const first = await felt(honest, task);
		let spent: Felt | null = null;
		if (isLong) {
			await pause(Math.max(0, SPENT_MS - (performance.now() - started)));
			spent = await felt(honest, task);
		}
		await worker.terminate();
		honest.close();
		return { alone, first, spent };
	} finally {
		await relay.remove();
	}
}

const wanted = process.argv.slice(2);
const said = ({ median, p95, max }: Felt, alone: Felt) => `${median.toFixed(1)} / ${p95.toFixed(1)} / ${max.toFixed(0)} ms  (${(median / alone.median).toFixed(1)} × / ${(p95 / alone.p95).toFixed(1)} ×)`;
const rows: [string, string][] = [];
for (const [kind, what, isLong] of KINDS) {
	if (wanted.length > 0 && !wanted.includes(kind)) continue;
	const { alone, first, spent } = await beside(kind, isLong);
	rows.push([what, `alone ${alone.median.toFixed(1)} / ${alone.p95.toFixed(1)} / ${alone.max.toFixed(0)} ms`]);
	rows.push(['', `beside it ${said(first, alone)}`]);
	if (spent) rows.push(['', `when the burst is spent ${said(spent, alone)}`]);
}
table('A command of somebody honest beside a flood: median / 95 % / longest', rows);
