// Dodging the tariff: over the sockets, in batches and side by side, by an administrator who would rather not pay. What the documents add up to is compared with the counters after every attack.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DocumentId } from '#crdt-model/ids.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import { Arena, batchOf, commandOf, ids, outcomeOf, type Hostile } from './arena.ts';

const GB = 1024 ** 3;
const LARGEST = 2_147_483_647;
let arena: Arena;
let mallory: Hostile;
/** Room that is left in the free plan. */
const ROOM = 1_000;

beforeAll(async () => {
	arena = await Arena.open();
	mallory = await arena.hostile();
	expect(await arena.truth.submit(batchOf(commandOf(mallory.person, 'employee.setAdministrator', { value: true })))).toMatchObject({ kind: 'accepted' });
	await arena.relay.operator('tariff', { plan: 'project' });
	let left = 5 * GB - ROOM;
	for (; left > 0; left -= LARGEST) expect(await create(Math.min(left, LARGEST))).toBe('accepted');
}, 120_000);
afterAll(() => arena?.close());
afterEach(async () => {
	const { people, storageBytes } = await tariff();
	expect([people.used, storageBytes.used]).toEqual([await rows('employee').then((all) => all.filter((row) => row['active']).length), await rows('file').then((all) => all.reduce((sum, row) => sum + (row['size'] as number), 0))]);
	expect(storageBytes.used).toBeLessThanOrEqual(5 * GB);
	expect(people.used).toBeLessThanOrEqual(12);
});

const args = (size: unknown, more: object = {}) => ({ name: 'x', size, mime: 'a/b', digest: 'd'.repeat(64), place: 'company', ...more });
const made: DocumentId<'file'>[] = [];
async function create(size: unknown, more: object = {}): Promise<string> {
	const id = ids.document('file');
	const outcome = await mallory.command(id, 'file.create', args(size, more));
	if (outcome === 'accepted') made.push(id);
	return outcome;
}
const tariff = async () => (await arena.relay.api<Tariff>('GET', '/tariff', undefined, arena.ana.token)).body;
const rows = async (kind: string) => (await arena.relay.api<{ rows: Record<string, unknown>[] }>('GET', `/documents?kind=${kind}&limit=500`, undefined, arena.ana.token)).body.rows;

test('the byte beyond the limit, alone and spread over a batch', async () => {
	expect(await create(ROOM + 1)).toBe('quota');
	expect(await mallory.submit(...Array.from({ length: 100 }, () => commandOf(ids.document('file'), 'file.create', args(11))))).toBe('quota');
	expect((await tariff()).storageBytes.used).toBe(5 * GB - ROOM);
});

test('many devices that take the last room at the same moment', async () => {
	const devices = await Promise.all(Array.from({ length: 8 }, () => mallory.anotherDevice()));
	const outcomes = await Promise.all(
		devices.flatMap((device) => Array.from({ length: 4 }, async () => outcomeOf(await device.submit(batchOf(commandOf(ids.document('file'), 'file.create', args(ROOM)))), device)))
	);
	for (const device of devices) device.close();
	expect(outcomes.toSorted().slice(0, 2)).toEqual(['accepted', 'quota']);
	expect(outcomes.filter((one) => one === 'accepted')).toHaveLength(1);
	for (const row of await rows('file')) if (row['size'] === ROOM) expect(await mallory.command(row['id'] as DocumentId, 'file.delete')).toBe('accepted');
});

test('sizes that are none, below zero or too exact to add', async () => {
	for (const size of [-1, -1e15, 0.5, Number.NaN, Infinity, 2 ** 53, '12', null, undefined, [5], { valueOf: 5 }]) expect(['bad-value', 'closed 4400'], String(size)).toContain(await create(size));
	expect(await create(-0), 'is nothing').toBe('accepted');
});

test('a size that is changed afterwards, and bytes that come without the relay’s word', async () => {
	const [file] = made as [DocumentId<'file'>];
	for (const name of ['file.setSize', 'file.setDigest', 'file.size', 'file.create']) expect(['unknown-command', 'exists', 'bad-value'], name).toContain(await mallory.command(file, name, name === 'file.create' ? args(1) : { value: 1 }));
	expect(await mallory.command(file, 'file.arrive')).toBe('denied');
	const id = ids.document('file');
	expect(await mallory.submit(commandOf(id, 'file.create', args(1)), commandOf(id, 'file.arrive'))).toBe('denied');
	expect(await create(1, { arrived: true })).toBe('bad-value');
});

test('deleted, filled up and restored again and again, also within one batch', async () => {
	const file = ids.document('file');
	expect(await mallory.command(file, 'file.create', args(ROOM))).toBe('accepted');
	for (let n = 0; n < 5; n++) {
		expect(await mallory.command(file, 'file.delete')).toBe('accepted');
		expect(await mallory.command(file, 'file.delete'), 'given back once').toBe('target-gone');
		const other = ids.document('file');
		expect(await mallory.command(other, 'file.create', args(ROOM))).toBe('accepted');
		expect(await mallory.command(file, 'file.restore')).toBe('quota');
		expect(await mallory.submit(commandOf(other, 'file.delete'), commandOf(file, 'file.restore'), commandOf(ids.document('file'), 'file.create', args(1)))).toBe('quota');
		expect(await mallory.submit(commandOf(file, 'file.restore'), commandOf(other, 'file.delete')), 'what goes makes room in whatever order').toBe('accepted');
		expect(await mallory.command(file, 'file.restore'), 'taken once').toBe('accepted');
	}
	expect((await tariff()).storageBytes.used).toBe(5 * GB);
	expect(await mallory.command(file, 'file.delete')).toBe('accepted');
});

test('a repeat of an accepted command is counted once', async () => {
	const device = await mallory.device();
	const batch = batchOf(commandOf(ids.document('file'), 'file.create', args(7)));
	const before = (await tariff()).storageBytes.used;
	for (let n = 0; n < 4; n++) expect(outcomeOf(await device.submit({ ...batch, id: ids.batch() }), device)).toBe('accepted');
	expect((await tariff()).storageBytes.used).toBe(before + 7);
});

test('people made, guests let in and dismissed ones brought back beyond the seats', async () => {
	const person = { firstName: 'M', lastName: 'M', email: 'm@acme.example' };
	expect(await mallory.command(ids.document('employee'), 'employee.create', person)).toBe('denied');
	expect(await mallory.command(ids.document('employee'), 'employee.create', { ...person, guest: true })).toBe('denied');
	const others: Hostile[] = [];
	for (let n = (await tariff()).people.used; n < 12; n++) others.push(await arena.honest(`Seat${n}`));
	const [first, second] = others as [Hostile, Hostile];
	expect(await mallory.command(first.person, 'employee.dismiss')).toBe('accepted');
	await arena.honest('Late');
	expect(await mallory.command(first.person, 'employee.rehire')).toBe('quota');
	const out = commandOf(second.person, 'employee.dismiss');
	expect(await mallory.submit(out, commandOf(first.person, 'employee.rehire'), commandOf(second.person, 'employee.rehire', {}, { seen: { active: out.id } }))).toBe('quota');
	const devices = await Promise.all([mallory.anotherDevice(), mallory.anotherDevice()]);
	expect(await mallory.command(second.person, 'employee.dismiss')).toBe('accepted');
	const race = await Promise.all(devices.map(async (device, n) => outcomeOf(await device.submit(batchOf(commandOf([first, second][n]!.person, 'employee.rehire'))), device)));
	for (const device of devices) device.close();
	expect(race.toSorted()).toEqual(['accepted', 'quota']);
}, 120_000);

test('features that the plan does not have', async () => {
	const [settings] = await rows('settings');
	const id = settings!['id'] as DocumentId;
	expect(await mallory.command(id, 'settings.setWorkingHours', { value: { days: [1], from: '09:00', to: '17:00' } })).toBe('quota');
	expect(await mallory.command(id, 'settings.setDomain', { value: 'portal.acme.example' })).toBe('quota');
	expect(await mallory.submit(commandOf(id, 'settings.setDomain', { value: 'portal.acme.example' }), commandOf(id, 'settings.setDomain', { value: null })), 'not for a moment either').toBe('quota');
	for (const value of ['http://x.example', 'x', '-a.example', 'a..example', 'x.example/path', `${'a'.repeat(64)}.example`]) expect(await mallory.command(id, 'settings.setDomain', { value }), value).toBe('bad-value');
	for (const value of [{ days: [0], from: '09:00', to: '17:00' }, { days: [1, 1], from: '09:00', to: '17:00' }, { days: [1], from: '17:00', to: '09:00' }, { days: [1], from: '9', to: '17:00' }]) {
		expect(await mallory.command(id, 'settings.setWorkingHours', { value })).toBe('bad-value');
	}
	expect((await arena.relay.api('POST', '/operator/tariff', { plan: 'company' }, mallory.token)).status).toBe(404);
});
