/** An upgrade whose first opening is killed: on real files, by a process of its own, and judged by `verify`, which asks the log alone. */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdMaker, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { ROW_VERSIONS } from '#crdt-model/kinds/index.ts';
import type { DocumentHead } from '#storage/contract.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { makeDemo } from '../import/demo.ts';
import { PortalWriter } from '../import/portal-writer.ts';
import { MAC_KEY, NOW, SMALL, tablesOf, testRelay } from '../import/testing.ts';
import { verifyPortal } from '../operator/verify.ts';
import { allHeads, writeOlderRows } from '../testing/older-rows.ts';
import { RECORDS_AT_ONCE } from './remake.ts';

const KILLS = process.env.ATRIUM_DEEP === '1' ? 40 : 3;
const TASKS = RECORDS_AT_ONCE * 2 + 20;

const folder = mkdtempSync(join(tmpdir(), 'atrium-remake-'));
let portal: PortalId;
let before: DocumentHead[];

beforeAll(async () => {
	const relay = await testRelay(await SqliteRelayStore.open(folder));
	({ portal } = await makeDemo(await tablesOf({ ...SMALL }), relay));
	const opened = (await relay.portals.portal(portal))!;
	const writer = new PortalWriter(opened, new IdMaker(), NOW);
	const author = [...opened.directory.people][0]!.id as PersonId;
	for (let made = 0; made < TASKS; made += 50) await writer.submit(author, Array.from({ length: 50 }, () => writer.command(writer.ids.document('task'), 'task.create', { title: 'One of many' })));
	before = await allHeads(opened.store);
	await writeOlderRows(opened.store, ({ id }) => ({ scope: id, audience: ['all'] }));
	await relay.end();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Opens as a new release does, and kills it when so many steps are on disk. Resolves with whether it came to its end before. */
function killedAfter(steps: number, at: string): Promise<boolean> {
	const script = fileURLToPath(new URL('./remaking-child-suite.ts', import.meta.url));
	const child = spawn(process.execPath, [script, at, portal], { stdio: ['ignore', 'pipe', 'pipe'] });
	let printed = 0;
	let said = '';
	child.stderr.on('data', (chunk) => (said += String(chunk)));
	child.stdout.on('data', (chunk) => {
		printed += String(chunk).split('\n').length - 1;
		if (printed >= steps) child.kill('SIGKILL');
	});
	return new Promise((resolve, reject) => {
		child.on('close', (code, signal) => {
			if (signal === 'SIGKILL') resolve(false);
			else if (code === 0) resolve(true);
			else reject(new Error(`the child ended by itself: ${said}`));
		});
	});
}

test('[R2][R3] kill -9 while rows are made anew: the next opening goes on, and in the end all is as the log gives it', { timeout: 0 }, async () => {
	const at = join(folder, 'killed');
	mkdirSync(at);
	copyFileSync(join(folder, `${portal}.db`), join(at, `${portal}.db`));
	const file = join(at, `${portal}.db`);
	expect(verifyPortal(file, portal, MAC_KEY).outdated.length).toBeGreaterThan(5);
	const left: number[] = [];
	for (let kill = 0; kill < KILLS; kill++) {
		const isDone = await killedAfter(1 + (kill % 3), at);
		const { difference, notJudged, outdated } = verifyPortal(file, portal, MAC_KEY);
		// What is made is right, what is not made says so.
		expect([difference, notJudged], `kill ${kill}`).toEqual([null, null]);
		left.push(outdated.length);
		if (isDone) break;
	}
	expect(left[0], 'the first was killed before its end').toBeGreaterThan(0);
	expect(left).toEqual([...left].sort((a, b) => b - a));
	expect(await killedAfter(Number.POSITIVE_INFINITY, at)).toBe(true);
	expect(verifyPortal(file, portal, MAC_KEY)).toMatchObject({ difference: null, outdated: [] });
	const store = await SqliteRelayStore.open(at);
	const opened = await store.portal(portal);
	expect(await allHeads(opened)).toEqual(before);
	expect((await opened.head()).rows).toEqual({ versions: ROW_VERSIONS, underWay: null });
	await store.close();
});
