import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { replicaSuite } from '../replica-suite.ts';
import { DexieReplicaStore } from './replica-store.ts';
import { ReplicaDatabase } from './schema.ts';

replicaSuite('dexie', async () => {
	const indexedDB = new IDBFactory();
	const open = () => new DexieReplicaStore(new ReplicaDatabase('atrium:test', { indexedDB, IDBKeyRange }));
	const store = open();
	return {
		store,
		async restart() {
			await store.close();
			return open();
		}
	};
});
