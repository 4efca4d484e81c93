/**
 * What the relay's store does in a second on this machine's disk: durable commits, reading the log, finding what somebody reaches.
 * Prints a table and asserts nothing.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DocumentId } from '#crdt-model/ids.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import type { PortalStore } from '#storage/contract.ts';
import { Writer } from '#storage/memory/writer-suite.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';

const ENTRY_BYTES = 300;
const BUDGET_MS = 2_000;
const DOCUMENTS = 100_000;

// `ATRIUM_BENCH_FOLDER` names another disk than that of temporary files.
const folder = mkdtempSync(join(process.env.ATRIUM_BENCH_FOLDER ?? tmpdir(), 'atrium-bench-'));
const store = await SqliteRelayStore.open(folder);
const table: { measured: string; result: string }[] = [];
const say = (measured: string, result: string) => table.push({ measured, result });
const count = (number: number) => Math.round(number).toLocaleString('en');

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
	const start = performance.now();
	const value = await work();
	return [value, performance.now() - start];
}

async function benchCommits(batch: number): Promise<void> {
	const writer = new Writer(batch);
	const portal = await store.portal(writer.ids.portal());
	const documents = Array.from({ length: 100 }, () => writer.create('task', ['all']));
	await portal.commit(writer.commit());
	const took: number[] = [];
	const end = performance.now() + BUDGET_MS;
	while (performance.now() < end) {
		for (let i = 0; i < batch; i++) writer.edit(documents[i % documents.length]!, {}, ENTRY_BYTES);
		const commit = writer.commit();
		took.push((await timed(() => portal.commit(commit)))[1]);
	}
	const total = took.reduce((sum, ms) => sum + ms, 0);
	took.sort((a, b) => a - b);
	const [p50, p99] = [0.5, 0.99].map((q) => took[Math.floor(took.length * q)]!.toFixed(2));
	const rates = `${count((took.length * 1000) / total)} commits/s, ${count((took.length * batch * 1000) / total)} entries/s`;
	say(`durable commits of ${batch} × ${ENTRY_BYTES} bytes`, `${rates}, p50 ${p50} ms, p99 ${p99} ms`);
}

/** A portal of many documents, every tenth of which one person reaches; a third inherit from a scope. */
async function fill(writer: Writer, portal: PortalStore, one: Principal, other: Principal): Promise<void> {
	let scope: DocumentId | undefined;
	const [, ms] = await timed(async () => {
		for (let i = 0; i < DOCUMENTS; i += 3) {
			const audience: Principal[] = i % 30 === 0 ? ['admins', one] : ['admins', other];
			scope = writer.create('task', audience);
			writer.createIn(scope);
			writer.create('deal', audience);
			if (i % 999 === 0) await portal.commit(writer.commit());
		}
		await portal.commit(writer.commit());
	});
	say(`making ${count(writer.log.length)} documents in commits of 1,000`, `${count((writer.log.length * 1000) / ms)} documents/s with making them up`);
}

async function benchReads(): Promise<void> {
	const writer = new Writer(99);
	const [one, other] = [0, 1].map((): Principal => `task:user:${writer.ids.document('employee')}`) as [Principal, Principal];
	const id = writer.ids.portal();
	const portal = await store.portal(id);
	await fill(writer, portal, one, other);
	const head: Principal[] = [one, ...Array.from({ length: 9_999 }, (): Principal => `task:user:${writer.ids.document('employee')}`)];

	for (const [who, principals] of [['admins', ['admins']], ['one in ten', [one]], ['10,000 principals', head]] as const) {
		for (const window of [10, 1_000]) {
			let rows = 0;
			let calls = 0;
			const start = performance.now();
			for (let after = 0; performance.now() - start < BUDGET_MS / 2; calls++) {
				const page = await portal.entriesAfter({ principals, after, window });
				rows += page.entries.length;
				after = page.reached >= writer.head.seq ? 0 : page.reached;
			}
			const ms = performance.now() - start;
			say(`entriesAfter for ${who}, window ${window}`, `${count((rows * 1000) / ms)} rows/s, ${(ms / calls).toFixed(2)} ms a call`);
		}
		const pages = async () => {
			let reached = 0;
			for (let after: DocumentId | null = null, first = true; first || after; first = false) {
				const page = await portal.reached({ principals, after, limit: 1_000 });
				reached += page.items.length;
				after = page.next;
			}
			return reached;
		};
		const [digest, digestMs] = await timed(() => portal.digest({ principals, upTo: writer.head.seq }));
		const [, againMs] = await timed(() => portal.digest({ principals, upTo: writer.head.seq }));
		const [reached, reachedMs] = await timed(pages);
		say(`digest for ${who}`, `${count(digest.count)} documents, ${digestMs.toFixed(0)} ms, again ${againMs.toFixed(0)} ms`);
		say(`reached for ${who}, all pages of 1,000`, `${count(reached)} documents, ${reachedMs.toFixed(0)} ms`);
	}
	// A keystroke in a big portal costs what it costs in a small one.
	const task = writer.sorted((one) => one.kind === 'task')[0]!.id;
	const took: number[] = [];
	for (let i = 0; i < 300; i++) {
		writer.edit(task, {}, ENTRY_BYTES);
		const commit = writer.commit();
		took.push((await timed(() => portal.commit(commit)))[1]);
	}
	took.sort((a, b) => a - b);
	say('one entry committed in the big portal', `p50 ${took[150]!.toFixed(2)} ms`);
	say('its file', `${count(statSync(join(folder, `${id}.db`)).size / writer.log.length)} bytes a document with one entry`);
}

try {
	for (const batch of [1, 10, 100]) await benchCommits(batch);
	await benchReads();
	console.table(table);
} finally {
	await store.close();
	rmSync(folder, { recursive: true, force: true });
}
