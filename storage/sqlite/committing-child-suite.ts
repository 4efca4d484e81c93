/**
 * Run by durability.test.ts as a process of its own: goes on where the folder's portal stands, commits without end, several under way at a time,
 * and prints each seq once it is acknowledged. Killed at any moment; the parent knows from the seed what each commit was.
 */
import { writeSync } from 'node:fs';
import type { PortalId } from '#crdt-model/ids.ts';
import { Writer } from '../memory/writer-suite.ts';
import { SqliteRelayStore } from './relay-store.ts';

const UNDER_WAY = 4;

const [folder, id, seed] = process.argv.slice(2) as [string, PortalId, string];
const store = await SqliteRelayStore.open(folder);
const portal = await store.portal(id);
const { seq } = await portal.head();
const writer = new Writer(Number(seed));
while (writer.head.seq < seq) writer.random();

const underWay: Promise<void>[] = [];
for (;;) {
	const commit = writer.random();
	// Written at once and whole: what the parent reads was acknowledged, and nothing acknowledged waits in a buffer.
	underWay.push(portal.commit(commit).then(() => void writeSync(1, `${commit.head.seq}\n`)));
	if (underWay.length >= UNDER_WAY) await underWay.shift();
}
