/**
 * What the first opening after an upgrade costs: the demo's 8,800 deals with rows of another release, on SQLite, while somebody of another portal works. Measured are
 * the opening, what a command of the other portal waits meanwhile, and the longest that the event loop was held. Reports, asserts nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { IdMaker, KINDS } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { PROCESS_CLOCK } from '#sync-server/budget/clock.ts';
import { makeDemo } from '#sync-server/import/demo.ts';
import { MAC_KEY, realFiles, tablesOf, testRelay } from '#sync-server/import/testing.ts';
import { Portals } from '#sync-server/room/portals.ts';
import { OLDER_VERSIONS, writeOlderRows } from '#sync-server/testing/older-rows.ts';
import { quantile, table } from './report.ts';

const folder = await mkdtemp(join(tmpdir(), 'atrium-bench-'));
const ids = new IdMaker();
const relay = await testRelay(await SqliteRelayStore.open(folder));
const { portal: demo } = await makeDemo(await tablesOf(realFiles()), relay);
const other = await relay.portals.found({ company: 'Other', language: 'en', firstName: 'Ana', lastName: 'Pop', email: 'ana@bench.example' }, { plan: 'company' });
await relay.end();

type Rows = 'as this release makes them' | 'all of them others';
const open = async () => Portals.open({ store: await SqliteRelayStore.open(folder), macKey: MAC_KEY, clock: PROCESS_CLOCK });

async function age(rows: Rows): Promise<void> {
	const store = await SqliteRelayStore.open(folder);
	const portal = await store.portal(demo);
	if (rows === 'all of them others') await writeOlderRows(portal, ({ id }) => ({ scope: id, audience: ['admins'] }));
	else await portal.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [], head: { ...(await portal.head()), rows: { versions: OLDER_VERSIONS, underWay: null } } });
	await store.close();
}

for (const rows of [null, 'as this release makes them', 'all of them others'] as const) {
	if (rows) await age(rows);
	const portals = await open();
	const beside = (await portals.portal(other.portal.id))!;
	let isOpen = false;
	const waits: number[] = [];
	const commands = (async () => {
		while (!isOpen) {
			const began = performance.now();
			const command: Command = { id: ids.command(), document: ids.document('task'), name: 'task.create', args: { title: 'Beside' }, at: Date.now(), seen: {} };
			await beside.submit(other.administrator, { id: ids.batch(), commands: [command] });
			waits.push(performance.now() - began);
			await pause(5);
		}
	})();
	let longest = 0;
	let last = performance.now();
	const watch = setInterval(() => {
		longest = Math.max(longest, performance.now() - last);
		last = performance.now();
	}, 1);
	const began = performance.now();
	const portal = (await portals.portal(demo))!;
	const took = performance.now() - began;
	isOpen = true;
	clearInterval(watch);
	await commands;
	const documents = (await portal.store.headsOfKinds(KINDS)).length;
	table(`${documents.toLocaleString('en-US')} documents${rows ? `, rows of another release: ${rows}` : ', rows of this release'}`, [
		['the first opening', `${took.toFixed(0)} ms`],
		['a command of another portal meanwhile, median', `${quantile(waits, 0.5).toFixed(1)} ms (${waits.length} of them)`],
		['95 of 100', `${quantile(waits, 0.95).toFixed(1)} ms`],
		['longest that the event loop was held', `${longest.toFixed(0)} ms`]
	]);
	await portals.close();
}
await rm(folder, { recursive: true, force: true });
