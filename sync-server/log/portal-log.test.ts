import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { commandId, documentId } from '#crdt-model/testing/world.ts';
import { NO_ROWS_MADE, type Commit, type PortalStore } from '#storage/contract.ts';
import { LogFailed, PortalLog, type Committed, type Draft } from './portal-log.ts';
import { CHAIN_START, chained, SealKey, sealOf } from './seal.ts';
import { ANN, MAC_KEY, PORTAL, task } from '../testing/stage.ts';

function draft(n: number, docSeq = 1): Draft {
	return {
		document: task(n), docSeq, author: ANN, authoredAt: 5, overruled: [], swallowed: [], bytes: Uint8Array.of(n, docSeq), origin: null,
		command: { id: commandId(n), document: task(n), name: 'task.create', args: { title: 'x' }, at: 5, seen: {} },
		head: { id: task(n), kind: 'task', docSeq, firstSeq: null, row: {} as never, scope: task(n), audience: ['all'] },
		readersBefore: docSeq === 1 ? [] : ['all'], readersAfter: ['all'], changesRights: false
	};
}

/** A log whose disk is a list of commits that the test settles one by one. */
function open() {
	const disk: { commit: Commit; done: PromiseWithResolvers<void> }[] = [];
	const told: Committed[][] = [];
	const failures: unknown[] = [];
	const log = new PortalLog({
		portal: PORTAL,
		store: { commit: (commit: Commit) => (disk.push({ commit, done: Promise.withResolvers() }), disk.at(-1)!.done.promise) } as unknown as PortalStore,
		head: { epoch: 3, seq: 0, chain: CHAIN_START, counters: { task: 4 }, restores: [], rows: NO_ROWS_MADE },
		macKey: MAC_KEY,
		now: () => 9,
		onCommitted: (changes) => void told.push([...changes]),
		onFailed: (reason) => void failures.push(reason)
	});
	return { log, disk, told, failures };
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('[L1] seq has no holes and follows the order of appending; numbers continue', async () => {
	const { log, disk } = open();
	expect([1, 2, 3].map((n) => log.append(draft(n), 0).seq)).toEqual([1, 2, 3]);
	expect([log.nextNumber('task'), log.nextNumber('deal')]).toEqual([5, 1]);
	await turn();
	expect(disk[0]!.commit.entries.map(({ seq }) => seq)).toEqual([1, 2, 3]);
	expect(disk[0]!.commit.head).toMatchObject({ epoch: 3, seq: 3, counters: { task: 5, deal: 1 } });
});

test('[L2] what arrives while a commit is under way goes with the next, as one', async () => {
	const { log, disk } = open();
	log.append(draft(1), 0);
	await turn();
	log.append(draft(2), 0);
	log.append(draft(3), 0);
	log.append(draft(2, 2), 0);
	await turn();
	expect(disk.length).toBe(1);
	disk[0]!.done.resolve();
	await turn();
	expect(disk.length).toBe(2);
	expect(disk[1]!.commit.entries.map(({ seq }) => seq)).toEqual([2, 3, 4]);
	expect(disk[1]!.commit.heads.map(({ id, docSeq, seq }) => [id, docSeq, seq])).toEqual([[task(2), 2, 4], [task(3), 1, 3]]);
});

test('[L3] nothing is told before it is on disk, and entries are told before answers', async () => {
	const { log, disk, told } = open();
	const order: string[] = [];
	log.append(draft(1), 0);
	void log.settled().then(() => order.push(`answer after ${told.length} told`));
	await turn();
	expect([log.durable, log.assigned, told.length, order.length]).toEqual([0, 1, 0, 0]);
	disk[0]!.done.resolve();
	await turn();
	expect([log.durable, told.length]).toEqual([1, 1]);
	expect(order).toEqual(['answer after 1 told']);
});

test('[L3] whoever waits for two commits waits for both', async () => {
	const { log, disk } = open();
	let settled = false;
	log.append(draft(1), 0);
	await turn();
	log.append(draft(2), 0);
	void log.settled().then(() => (settled = true));
	disk[0]!.done.resolve();
	await turn();
	expect(settled).toBe(false);
	disk[1]!.done.resolve();
	await turn();
	expect(settled).toBe(true);
});

test('[L4] a failed commit voids everything since, says so once and takes nothing more', async () => {
	const { log, disk, told, failures } = open();
	log.append(draft(1), 0);
	const first = log.settled();
	await turn();
	log.append(draft(2), 0);
	const second = log.settled();
	disk[0]!.done.reject(new Error('disk full'));
	await expect(first).rejects.toThrow(LogFailed);
	await expect(second).rejects.toThrow(LogFailed);
	await turn();
	expect([disk.length, told.length, failures.length, log.durable]).toEqual([1, 0, 1, 0]);
	expect(() => log.append(draft(3), 0)).toThrow(LogFailed);
	expect(() => log.answer({ command: commandId(1), author: ANN, result: '' })).toThrow(LogFailed);
	await expect(log.settled()).rejects.toThrow(LogFailed);
});

test('[L4] a fan-out that throws ends the log: nobody knows who was told', async () => {
	const failures: unknown[] = [];
	const log = new PortalLog({
		portal: PORTAL, store: { commit: async () => {} } as unknown as PortalStore, head: { epoch: 1, seq: 0, chain: CHAIN_START, counters: {}, restores: [], rows: NO_ROWS_MADE },
		macKey: MAC_KEY, now: () => 9, onFailed: (reason) => void failures.push(reason),
		onCommitted: () => {
			throw new TypeError('a bug');
		}
	});
	log.append(draft(1), 0);
	await log.settled();
	await turn();
	expect([failures.length, log.hasFailed, log.durable]).toEqual([1, true, 1]);
});

test('[L4] ended halfway, a commit that comes through is told to nobody', async () => {
	const { log, disk, told, failures } = open();
	log.append(draft(1), 0);
	const waiting = log.settled();
	await turn();
	log.end(new Error('a bug'));
	await expect(waiting).rejects.toThrow(LogFailed);
	disk[0]!.done.resolve();
	await turn();
	expect([told.length, failures.length]).toEqual([0, 1]);
});

test('[L5] the chain ties every entry to all before it', async () => {
	const { log } = open();
	const entries = [1, 2, 3].map((n) => log.append(draft(n), n));
	let chain = CHAIN_START;
	for (const entry of entries) {
		chain = chained(chain, entry, entry.rightsVersion);
		expect(entry.hash).toEqual(chain);
	}
	const forged = { ...entries[1]!, author: documentId('employee', 9) };
	expect(chained(entries[0]!.hash, forged, forged.rightsVersion)).not.toEqual(entries[1]!.hash);
});

test('[L5] the seal proves an entry wherever it is brought back to, and nothing else', () => {
	const { log } = open();
	const entry = log.append(draft(1), 0);
	expect(sealOf(MAC_KEY, PORTAL, { ...entry })).toEqual(entry.mac);
	for (const changed of [{ author: documentId('employee', 9) }, { docSeq: 2 }, { authoredAt: 6 }, { bytes: Uint8Array.of(9) }, { command: null }]) {
		expect(sealOf(MAC_KEY, PORTAL, { ...entry, ...changed }), Object.keys(changed)[0]).not.toEqual(entry.mac);
	}
	expect(sealOf(new Uint8Array(32), PORTAL, entry)).not.toEqual(entry.mac);
});

test('[L5] the seal is the HMAC of RFC 2104, whatever the key', () => {
	for (const length of [0, 1, 32, 64, 65, 200]) {
		const key = new Uint8Array(length).map((_, i) => i * 7 + 1);
		for (const text of ['', 'abc', 'ș👋', 'x'.repeat(1_300)]) {
			expect(new SealKey(key).mac(text), `${length} ${text.length}`).toEqual(new Uint8Array(createHmac('sha256', key).update(text).digest()));
		}
	}
	expect(() => new SealKey(new Uint8Array(32)).mac('x'.repeat(5_000))).toThrow();
});

test('[L5] both proofs are of the texts that docs/protocol.md names, at any length', () => {
	const { log } = open();
	let chain = CHAIN_START;
	for (const [n, size] of [[1, 3], [2, 40_000]] as const) {
		const one = draft(n);
		const command = { ...one.command!, args: { title: 'ș👋'.repeat(size) } };
		const overruled = [{ path: 'title', stands: { value: 'é'.repeat(size), at: 1, by: ANN, command: commandId(1) }, gaveWay: { value: 'b', at: 1, by: ANN, command: commandId(2) } }];
		const entry = log.append({ ...one, command, overruled, swallowed: [[1, 2, 3]] }, 4);
		const sha = (...parts: (Uint8Array | string)[]) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
		const digest = sha(entry.bytes, JSON.stringify(entry.command)).toString('hex');
		const header = JSON.stringify([entry.document, entry.docSeq, entry.author, entry.authoredAt, entry.acceptedAt, digest]);
		const rest = JSON.stringify([entry.seq, 4, entry.command!.id, entry.overruled, entry.swallowed]);
		chain = new Uint8Array(sha(chain, header, rest));
		expect(entry.hash).toEqual(chain);
		expect(entry.mac).toEqual(new Uint8Array(createHmac('sha256', MAC_KEY).update(PORTAL + header).digest()));
	}
});
