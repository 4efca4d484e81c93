// After a restore devices hand back what the relay lost. Whoever hands back what never was, or what is not sealed so, changes nothing.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { DocumentId } from '#crdt-model/ids.ts';
import { decodeDown, encodeUp } from '#crdt-model/wire/codec.ts';
import type { Entry } from '#crdt-model/wire/down.ts';
import type { Sealed } from '#crdt-model/wire/up.ts';
import { backup } from '#sync-server/operator/backup.ts';
import { restore } from '#sync-server/operator/restore.ts';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { SyncClient } from '../support/sync-client.ts';
import { batchOf, commandOf, HELLO, ids, outcomeOf } from './arena.ts';

let relay: TestRelay;
let ana: SignedIn;
let mallory: SignedIn;
/** Folders that this leaves behind. */
const beside: string[] = [];
/** Made before the backup, changed after it. */
let old: DocumentId;
/** Mallory's, made after it. */
const lost = ids.document('task');
/** As Mallory's device got them after the backup. */
const kept: Sealed[] = [];

const sealedOf = ({ document, docSeq, author, authoredAt, acceptedAt, command, bytes, mac }: Entry): Sealed => ({ document, docSeq, author, authoredAt, acceptedAt, command, bytes, mac }) as Sealed;

beforeAll(async () => {
	relay = await TestRelay.start();
	ana = await relay.register();
	mallory = await relay.hire(ana, 'mallory@acme.example', 'Mallory');
	old = await relay.create(ana, 'company', { name: 'Before' });
	const dirs = { dataDir: relay.dataDir, storageDir: join(relay.dataDir, 'portals') };
	const to = `${relay.dataDir}-backup`;
	beside.push(to);
	await relay.stop();
	await backup(dirs, to, Date.now);
	await relay.start();
	const device = new SyncClient(relay.socketUrl, mallory.token);
	device.onFrame = (frame) => {
		const decoded = decodeDown(frame);
		if (decoded.ok && decoded.message.type === 'entries') kept.push(...decoded.message.entries.map(sealedOf));
	};
	await device.connect();
	expect(outcomeOf(await device.submit(batchOf(commandOf(lost, 'task.create', { title: 'Lost' }))))).toBe('accepted');
	expect(outcomeOf(await device.submit(batchOf(commandOf(old, 'company.setSector', { value: 'After' }))))).toBe('accepted');
	device.close();
	await relay.stop();
	beside.push(...(await restore(dirs, { from: to, replace: true }, Date.now)).movedTo);
	await relay.start();
}, 240_000);
afterAll(async () => {
	expect((await fetch(`${relay.url}/healthz`)).status).toBe(200);
	expect(relay.output).not.toMatch(/TypeError|RangeError|ReferenceError/);
	await relay.remove();
	for (const folder of beside) await rm(folder, { recursive: true, force: true });
});

/** Hands entries back as this person and says what became of each; null where the connection was closed instead. */
function handBack(who: SignedIn, entries: readonly Sealed[], documents = entries.map(({ document }) => document)): Promise<readonly string[] | null> {
	return new Promise((resolve) => {
		const socket = new WebSocket(`${relay.socketUrl}/sync`, { headers: { authorization: `Bearer ${who.token}` } });
		socket.on('error', () => {});
		socket.on('close', () => resolve(null));
		socket.on('open', () => socket.send(HELLO));
		socket.on('message', (data: Buffer) => {
			const decoded = decodeDown(new Uint8Array(data));
			if (!decoded.ok) return;
			if (decoded.message.type === 'welcome') socket.send(encodeUp({ type: 'reoffer', documents, entries: [...entries], last: true }));
			if (decoded.message.type !== 'reoffered') return;
			resolve(decoded.message.fates);
			socket.close();
		});
	});
}
const rowOf = async (id: DocumentId) => (await relay.api<{ row?: Record<string, unknown> }>('GET', `/documents/${id}`, undefined, ana.token)).body.row;
const of = (document: DocumentId) => kept.find((entry) => entry.document === document)!;

test('the restore has lost what came after the backup', async () => {
	expect([(await rowOf(old))?.['sector'] ?? null, await rowOf(lost)]).toEqual([null, undefined]);
	expect(kept.length).toBeGreaterThanOrEqual(2);
});

const forgeries: readonly (readonly [what: string, (entry: Sealed) => Sealed])[] = [
	['another author', (entry) => ({ ...entry, author: ana.employee })],
	['another document', (entry) => ({ ...entry, document: ids.document('task') })],
	['another place in its document', (entry) => ({ ...entry, docSeq: entry.docSeq + 1 })],
	['another time', (entry) => ({ ...entry, authoredAt: entry.authoredAt - 1 })],
	['another time of acceptance', (entry) => ({ ...entry, acceptedAt: entry.acceptedAt + 1 })],
	['one byte turned over', (entry) => ({ ...entry, bytes: entry.bytes.map((byte, i) => (i === entry.bytes.length - 1 ? byte ^ 1 : byte)) })],
	['another command', (entry) => ({ ...entry, command: entry.command && { ...entry.command, args: { title: 'forged', value: 'forged' } } })],
	['no command', (entry) => ({ ...entry, command: null })],
	['a seal of zeros', (entry) => ({ ...entry, mac: new Uint8Array(32) })],
	['a seal that is too short', (entry) => ({ ...entry, mac: entry.mac.slice(0, 16) })],
	['no seal', (entry) => ({ ...entry, mac: new Uint8Array() })],
	['a megabyte of seal', (entry) => ({ ...entry, mac: new Uint8Array(500_000) })]
];
test.each(forgeries)('handed back with %s', async (_what, forge) => {
	for (const entry of [of(lost), of(old)]) expect(await handBack(mallory, [forge(entry)])).toEqual(['refused']);
	expect([(await rowOf(old))?.['sector'] ?? null, await rowOf(lost)]).toEqual([null, undefined]);
});

test('a right that nobody ever gave, handed back as an administrator’s', async () => {
	const command = commandOf(mallory.employee, 'employee.setAdministrator', { value: true });
	const entry: Sealed = { ...of(old), document: mallory.employee, docSeq: 9, author: ana.employee, command };
	expect(await handBack(mallory, [entry])).toEqual(['refused']);
	expect(await rowOf(mallory.employee)).toMatchObject({ administrator: false });
});

test('what is good among what is forged: the good one alone comes back, under its author, once, whoever brings it how often', async () => {
	const forged = { ...of(lost), author: ana.employee };
	expect(await handBack(ana, [forged, of(lost), of(lost)])).toEqual(['refused', 'taken', 'taken'].map((fate, i) => (i === 2 ? expect.any(String) : fate)));
	expect(await rowOf(lost)).toMatchObject({ title: 'Lost', createdBy: mallory.employee });
	const { updatedAt } = (await rowOf(lost))!;
	await handBack(mallory, [of(lost), of(lost)]);
	expect(await rowOf(lost)).toMatchObject({ title: 'Lost', updatedAt });
	const history = await relay.api<{ row: { number: number } }>('GET', `/documents/${lost}`, undefined, ana.token);
	expect(history.body.row.number).toBe(1);
});

test('announcing and bringing nothing keeps others from their work for no longer than it says', async () => {
	const text = await relay.create(ana, 'text', { title: 'Notes', place: 'company' });
	expect(await handBack(mallory, [], [text, ...Array.from({ length: 4_000 }, () => ids.document('text'))])).toEqual([]);
	// The connection is gone, and with it what it announced.
	const socket = new WebSocket(`${relay.socketUrl}/live/${text}`, { headers: { authorization: `Bearer ${ana.token}` } });
	const first = await new Promise((resolve) => socket.on('message', () => resolve('open')).on('close', resolve));
	expect(first).toBe('open');
	socket.close();
});
