/** What people cost the relay: entries delivered per CPU-second to 200 readers, and memory per idle connection. Reports, asserts nothing. */
import { readFileSync } from 'node:fs';
import { IdMaker } from '#crdt-model/ids.ts';
import { SyncClient } from '../support/sync-client.ts';
import { PASSWORD, TestRelay, until } from '../support/relay.ts';
import { table } from './report.ts';

const READERS = 200;
const CHANGES = 500;
const IDLE = 2_000;
const CLOCK_TICKS_PER_SECOND = 100;

/** CPU seconds that a process has used, user and system (Linux). */
function cpuSeconds(pid: number): number {
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
	return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}
function residentBytes(pid: number): number {
	return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
}

const ids = new IdMaker();
const relay = await TestRelay.start();
try {
	const ana = await relay.register();
	const task = await relay.create(ana, 'task', { title: 'bench' });

	// A sign-in may hold only so many sockets, so people sign in again and again.
	const signIn = async () =>
		(await relay.api<{ token: string }>('POST', '/sessions', { email: 'ana@acme.example', password: PASSWORD })).body.token;
	const connect = async (count: number) => {
		const clients: SyncClient[] = [];
		let current = ana.token;
		for (let i = 0; i < count; i += 50) {
			const token = i % 200 === 0 ? (current = await signIn()) : current;
			const some = Array.from({ length: Math.min(50, count - i) }, () => new SyncClient(relay.socketUrl, token));
			await Promise.all(some.map((client) => client.connect()));
			clients.push(...some);
		}
		return clients;
	};

	const readers = await connect(READERS);
	const writer = readers[0]!;
	const before = cpuSeconds(relay.pid);
	const started = performance.now();
	for (let i = 0; i < CHANGES; i++) {
		const commands = [{ id: ids.command(), document: task, name: 'task.setTitle', args: { value: `title ${i}` }, at: Date.now(), seen: {} }];
		await writer.submit({ id: ids.batch(), commands });
	}
	await until(() => readers.every(({ cursor }) => cursor!.seq >= writer.cursor!.seq), 120_000);
	const seconds = (performance.now() - started) / 1000;
	const cpu = cpuSeconds(relay.pid) - before;
	const delivered = READERS * CHANGES;

	const residentBefore = residentBytes(relay.pid);
	const idle = await connect(IDLE);
	const perConnection = (residentBytes(relay.pid) - residentBefore) / IDLE;
	table('Sockets', [
		[`entries delivered to ${READERS} readers, per CPU-second of the relay`, (delivered / cpu).toFixed(0)],
		['the same per second of time, readers on this machine too', (delivered / seconds).toFixed(0)],
		[`resident memory per idle connection, ${IDLE} of them`, `${(perConnection / 1024).toFixed(1)} KiB`]
	]);
	for (const client of [...readers, ...idle]) client.close();
} finally {
	await relay.remove();
}
