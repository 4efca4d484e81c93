import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { relayStoreSuite } from '../contract-suite.ts';
import { SqliteRelayStore } from './relay-store.ts';

relayStoreSuite('sqlite', async () => {
	const folder = await mkdtemp(join(tmpdir(), 'atrium-store-'));
	return {
		open: () => SqliteRelayStore.open(folder),
		dispose: () => rm(folder, { recursive: true, force: true })
	};
});
