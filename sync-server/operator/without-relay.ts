/** Opens accounts and portals as the relay does, for a command that runs while none does. The caller holds the claim on DATA_DIR. */
import { randomFillSync } from 'node:crypto';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { Accounts } from '../accounts/accounts.ts';
import { keptSecret, type Config } from '../config.ts';
import type { DemoWorld } from '../import/demo.ts';
import { Portals } from '../room/portals.ts';
import { MAC_KEY } from './mac-key.ts';

export async function withStores<T>({ dataDir, storageDir }: Pick<Config, 'dataDir' | 'storageDir'>, use: (world: DemoWorld) => Promise<T>): Promise<T> {
	const macKey = keptSecret(dataDir, MAC_KEY.file, MAC_KEY.bytes, (target) => randomFillSync(target));
	const accounts = await Accounts.open({ folder: dataDir });
	try {
		const portals = await Portals.open({ store: await SqliteRelayStore.open(storageDir), macKey, subscriptions: accounts.subscriptions });
		try {
			return await use({ portals, accounts, now: Date.now });
		} finally {
			await portals.close();
		}
	} finally {
		await accounts.close();
	}
}
