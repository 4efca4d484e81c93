import { expect, test } from 'vitest';
import { EMPTY_META } from '../replica-contract.ts';
import { replicaSuite } from '../replica-suite.ts';
import { MemoryReplicaStore } from './replica-store.ts';

replicaSuite('memory', async () => {
	const store = new MemoryReplicaStore();
	return { store, restart: async () => store.crash() };
});

test('[R1] a crash between work and commit leaves nothing of it', async () => {
	let release = () => {};
	const held = new Promise<void>((resolve) => (release = resolve));
	const store = new MemoryReplicaStore({ beforeCommit: () => held });
	const commit = store.transact((tx) => tx.setMeta({ ...EMPTY_META, cursor: { epoch: 1, seq: 1 } }));
	await new Promise((resolve) => setImmediate(resolve));
	const next = store.crash({});
	release();
	await expect(commit).rejects.toThrow('closed');
	expect((await next.read((reads) => reads.meta())).cursor).toBeNull();
});
