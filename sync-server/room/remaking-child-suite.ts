/**
 * Run by remake-kill.test.ts as a process of its own: makes the rows of the folder's portal anew as an opening does, and prints a line for each step that is on disk.
 * Killed at any moment.
 */
import { writeSync } from 'node:fs';
import type { PortalId } from '#crdt-model/ids.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { STANDING_CLOCK } from '../budget/clock.ts';
import { remakeRows } from './remake.ts';

const [folder, id] = process.argv.slice(2) as [string, PortalId];
const store = await SqliteRelayStore.open(folder);
const portal = await store.portal(id);
// Written at once and whole: what the parent reads is on disk, and nothing waits in a buffer.
const commit: typeof portal.commit = async (step) => (await portal.commit(step), void writeSync(1, 'step\n'));
await remakeRows({ ...portal, commit }, { clock: STANDING_CLOCK });
await store.close();
