/** The gate's step quota, the counters behind it and who is told, on a portal in memory. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { DEMO_MS } from '#crdt-model/tariff/plans.ts';
import { usageOfAll } from '#crdt-model/tariff/usage.ts';
import { budget } from '#crdt-model/testing/budget.ts';
import { person } from '#crdt-model/testing/world.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import { describeAnswer } from '../testing/device.ts';
import { ANN, BEN, CAT, some, Stage, task } from '../testing/stage.ts';

const SETTINGS = some('settings', 1);
const HOURS = { days: [1, 2], from: '09:00', to: '17:00' };

let stage: Stage;
const answer = async (...args: Parameters<Stage['as']>) => describeAnswer(await stage.as(...args));
const fields = (n: number) => ({ firstName: `P${n}`, lastName: 'New', email: `p${n}@example.com` });
/** As an accepted invitation: the relay makes the record. */
const hire = (n: number): Promise<AnswerResult> => stage.portal.submitAsRelay({ commands: [stage.command('employee.create', person(n), fields(n))] });
/** The stage has six people. */
async function fill(upTo: number): Promise<void> {
	for (let n = 7; n <= upTo; n++) expect(describeAnswer(await hire(n))).toBe('accepted');
}
const people = () => stage.portal.tariff.people.used;

beforeEach(async () => {
	stage = await Stage.open();
});

test('[Q1] the thirteenth person of the free plan is refused with the number and the ways out; who gives a seat back makes room', async () => {
	stage.subscribe({ plan: 'project' });
	await fill(12);
	const refused = await hire(13);
	expect(refused).toMatchObject({
		kind: 'refused', refusal: { code: 'quota', rule: 'tariff.people', who: ['admins'], tariff: { plan: 'project', limit: 'people', used: 12, most: 12, more: 1, ways: ['projectPlus', 'team', 'company'] } }
	});
	expect(await answer(ANN, 'employee.dismiss', CAT)).toBe('accepted');
	expect(describeAnswer(await hire(13))).toBe('accepted');
	expect(await answer(ANN, 'employee.rehire', CAT), 'made offline, and no seat is left').toBe('refused quota by tariff.people');
	expect(people()).toBe(12);
});

test('[Q1] a batch is weighed as a whole: one who goes and one who comes fit where no seat is free', async () => {
	stage.subscribe({ plan: 'project' });
	await fill(12);
	expect(await answer(ANN, 'employee.dismiss', CAT)).toBe('accepted');
	expect(describeAnswer(await hire(13))).toBe('accepted');
	expect(describeAnswer(await hire(14))).toBe('refused quota by tariff.people');
	const both = (first: [string, PersonId], second: [string, PersonId]) => stage.batch(ANN, [stage.command(...first), stage.command(...second)]);
	expect(describeAnswer(await both(['employee.rehire', CAT], ['employee.dismiss', BEN]))).toBe('accepted');
	const refused = await both(['employee.setAdministrator', CAT], ['employee.rehire', BEN]);
	expect(refused.kind === 'refused' && refused.refusal.code, 'the arguments are checked first').toBe('bad-value');
	expect(people()).toBe(12);
});

test('[Q1] a refused batch changes nothing and names the command at fault', async () => {
	stage.subscribe({ plan: 'project' });
	await fill(12);
	await answer(ANN, 'employee.dismiss', CAT);
	await hire(13);
	const rehire = stage.command('employee.rehire', CAT);
	const result = await stage.batch(ANN, [stage.command('task.create', task(1), { title: 'x' }), rehire]);
	expect(result).toMatchObject({ kind: 'refused', command: rehire.id, refusal: { code: 'quota' } });
	expect(await stage.portal.read(ANN, task(1))).toBeNull();
});

test('[Q2] of two who take the last seat in one moment the second is refused', async () => {
	stage.subscribe({ plan: 'project' });
	await fill(11);
	const both = await Promise.all([hire(12), hire(13)]);
	expect(both.map(describeAnswer)).toEqual(['accepted', 'refused quota by tariff.people']);
	expect(people()).toBe(12);
});

test('[Q4] a feature opens and closes with the subscription, and at the end of a demo by the clock alone', async () => {
	stage.subscribe({ plan: 'project' });
	const set = () => answer(ANN, 'settings.setWorkingHours', SETTINGS, { value: HOURS });
	const clear = () => answer(ANN, 'settings.setWorkingHours', SETTINGS, { value: null });
	expect(await set()).toBe('refused quota by tariff.workingHours');
	stage.subscribe({ plan: 'project', demoStartedAt: stage.now() });
	expect([await set(), await clear()]).toEqual(['accepted', 'accepted']);
	stage.pass(DEMO_MS - 1);
	expect(await set()).toBe('accepted');
	stage.pass(1);
	expect(await answer(ANN, 'settings.setWorkingHours', SETTINGS, { value: { ...HOURS, from: '10:00' } })).toBe('refused quota by tariff.workingHours');
	expect(await answer(ANN, 'settings.setDomain', SETTINGS, { value: 'portal.acme.example' })).toBe('refused quota by tariff.ownDomain');
	expect([await answer(ANN, 'settings.setCompany', SETTINGS, { value: 'Other' }), await clear()], 'what is there can be given up').toEqual(['accepted', 'accepted']);
});

test('[Q4] guests come where the tariff has an extranet, and take a seat', async () => {
	const guest = (n: number) => stage.portal.submitAsRelay({ commands: [stage.command('employee.create', person(n), { ...fields(n), guest: true })] });
	stage.subscribe({ plan: 'project' });
	expect(describeAnswer(await guest(7))).toBe('refused quota by tariff.extranet');
	stage.subscribe({ plan: 'projectPlus' });
	expect(describeAnswer(await guest(7))).toBe('accepted');
	expect(people()).toBe(7);
	expect(await answer(ANN, 'employee.dismiss', person(7))).toBe('accepted');
	stage.subscribe({ plan: 'project' });
	expect([await answer(ANN, 'employee.rehire', person(7)), people()]).toEqual(['refused quota by tariff.extranet', 6]);
});

test('[Q5] thirty people and 10 GB fall to the free plan: all is read and edited as before, nobody sees more, nothing grows', async () => {
	await fill(30);
	for (let n = 1; n <= 5; n++) expect(await upload(n, 2 * 1024 ** 3 - 1, n % 2 ? CAT : BEN)).toBe('accepted');
	expect(await answer(CAT, 'task.create', task(1), { title: 'one' })).toBe('accepted');
	expect(await answer(ANN, 'settings.setWorkingHours', SETTINGS, { value: HOURS })).toBe('accepted');
	const members = [...stage.portal.directory.people].map(({ id }) => id as PersonId);
	const seen = async () => {
		const rows: string[] = [];
		for (const id of members) for (const kind of ['task', 'employee', 'settings', 'file'] as const) rows.push(JSON.stringify([id, await stage.portal.rows(id, { kind, limit: 100 })]));
		return rows;
	};
	const before = await seen();
	stage.subscribe({ plan: 'project' });
	expect(await seen()).toEqual(before);
	for (const id of members.slice(0, 15)) expect(await answer(id, 'task.create', task(100 + members.indexOf(id)), { title: 'goes on' })).toBe('accepted');
	expect(await answer(CAT, 'task.comment', task(1), { item: 'item_00000000-0000-7000-8000-000000000001', text: 'still' })).toBe('accepted');
	expect(await answer(BEN, 'employee.setPosition', BEN, { value: 'Head' })).toBe('accepted');
	expect([await answer(CAT, 'file.setName', file(1), { value: 'renamed' }), await answer(BEN, 'file.setPlace', file(2), { value: 'mine' })]).toEqual(['accepted', 'accepted']);
	expect([await upload(6, 1), await answer(CAT, 'file.delete', file(1)), await upload(6, 1)], 'also after giving some back').toEqual(['refused quota by tariff.storageBytes', 'accepted', 'refused quota by tariff.storageBytes']);
	expect(describeAnswer(await hire(31))).toBe('refused quota by tariff.people');
	expect(await answer(ANN, 'employee.dismiss', person(30)), 'smaller is always possible').toBe('accepted');
	expect(await answer(ANN, 'employee.rehire', person(30)), 'and still far above').toBe('refused quota by tariff.people');
});

test('[Q6] devices hear the tariff after the welcome, a subscription at once, counters once a second, and the end of a demo', async () => {
	stage.subscribe({ plan: 'project' });
	stage.runLater();
	const device = stage.device(BEN).connect();
	await stage.settle();
	const told = () => device.tariffs.splice(0).map(({ plan, people: { used, most } }) => `${plan} ${used}/${most}`);
	expect(told()).toEqual(['project 6/12']);
	stage.subscribe({ plan: 'projectPlus' });
	await stage.settle();
	expect(told()).toEqual(['projectPlus 6/24']);
	await fill(10);
	await stage.settle();
	expect(told(), 'the first at once, the others wait').toEqual(['projectPlus 7/24']);
	stage.runLater();
	await stage.settle();
	expect(told()).toEqual(['projectPlus 10/24']);
	expect(await answer(CAT, 'task.create', task(1), { title: 'x' })).toBe('accepted');
	stage.runLater();
	await stage.settle();
	expect(told(), 'what is not counted is not told').toEqual([]);
	stage.subscribe({ plan: 'projectPlus', demoStartedAt: stage.now() });
	stage.pass(DEMO_MS);
	stage.portal.heartbeat();
	await stage.settle();
	expect(told()).toEqual(['demo 10/null', 'projectPlus 10/24']);
	expect(device.complaints).toEqual([]);
});

test('[Q6] what is not on disk is not told', async () => {
	let commit = Promise.resolve();
	stage = await Stage.open({ gate: () => commit });
	stage.runLater();
	const device = stage.device(BEN).connect();
	await stage.settle();
	const { promise, resolve } = Promise.withResolvers<void>();
	commit = promise;
	const hired = hire(7);
	await stage.settle();
	stage.portal.heartbeat();
	await stage.settle();
	expect([people(), device.tariffs.length]).toEqual([6, 1]);
	resolve();
	await hired;
	await stage.settle();
	expect([people(), device.tariffs.at(-1)?.people.used]).toEqual([7, 7]);
});

const file = (n: number) => some('file', n);
const upload = (n: number, size: number, by = CAT) => answer(by, 'file.create', file(n), { name: `f${n}.bin`, size, mime: 'application/octet-stream', digest: n.toString(16).padStart(64, '0'), place: 'company' });

test('[Q1] the byte beyond the storage is refused, a deleted file makes room at once, and its return needs room again', async () => {
	stage.subscribe({ plan: 'project' });
	const GB = 1024 ** 3;
	expect([await upload(5, 2 * GB - 1), await upload(6, 2 * GB - 1), await upload(1, GB + 1), await upload(2, 1), await upload(3, 1)]).toEqual([...Array(4).fill('accepted'), 'refused quota by tariff.storageBytes']);
	expect(await answer(CAT, 'file.delete', file(2))).toBe('accepted');
	expect(stage.portal.tariff.storageBytes).toEqual({ used: 5 * GB - 1, most: 5 * GB });
	expect([await upload(3, 1), await answer(CAT, 'file.restore', file(2))]).toEqual(['accepted', 'refused quota by tariff.storageBytes']);
	stage.subscribe({ plan: 'project', rentedBytes: GB });
	expect(await answer(CAT, 'file.restore', file(2))).toBe('accepted');
	expect(stage.portal.tariff.storageBytes).toEqual({ used: 5 * GB + 1, most: 6 * GB });
	stage.subscribe({ plan: 'project' });
	expect([await upload(4, 0), await answer(CAT, 'file.setName', file(1), { value: 'renamed' }), await answer(CAT, 'task.create', task(1), { title: 'work goes on' })]).toEqual(['accepted', 'accepted', 'accepted']);
});

/** What may happen to a portal; numbers choose among those who are there. */
const acts = fc.array(
	fc.oneof(
		fc.record({ act: fc.constant('hire' as const), n: fc.integer({ min: 7, max: 20 }) }),
		fc.record({ act: fc.constantFrom('dismiss' as const, 'rehire' as const), n: fc.integer({ min: 2, max: 20 }) }),
		fc.record({ act: fc.constantFrom('upload' as const, 'remove' as const, 'restore' as const), n: fc.integer({ min: 1, max: 6 }) }),
		fc.record({ act: fc.constantFrom('fail' as const, 'crash' as const), n: fc.constant(0) })
	),
	{ minLength: 5, maxLength: 40 }
);

test('[Q3] whatever happens, the counters are what the documents add up to', async () => {
	const answerOf = async (act: string, n: number): Promise<string> => {
		if (act === 'hire') return describeAnswer(await hire(n));
		// Sizes of which some three fill the free plan.
		if (act === 'upload') return upload(n, n * 700_000_000);
		if (act === 'remove' || act === 'restore') return answer(CAT, `file.${act === 'remove' ? 'delete' : 'restore'}`, file(n));
		return answer(ANN, `employee.${act}`, person(n) as DocumentId);
	};
	let happened = 0;
	let failed = 0;
	await fc.assert(
		fc.asyncProperty(acts, async (list) => {
			stage = await Stage.open();
			stage.subscribe({ plan: 'project' });
			for (const { act, n } of list) {
				if (act === 'fail') stage.store.failNext(1);
				else if (act === 'crash') await stage.reopen();
				else {
					const accepted = await answerOf(act, n);
					if (accepted === 'accepted') happened++;
					if (stage.portal.isOver) {
						failed++;
						await stage.reopen();
					}
				}
				const store = await stage.store.portal(stage.portal.id);
				const counted = (await store.head()).counters;
				const found = usageOfAll((await store.headsOfKinds(['employee', 'file'])).map(({ row }) => row));
				expect({ people: counted['quota:people'] ?? 0, storageBytes: counted['quota:bytes'] ?? 0 }).toEqual(found);
				expect([found.people <= 12, found.storageBytes <= 5 * 1024 ** 3]).toEqual([true, true]);
				const { people: told, storageBytes } = stage.portal.tariff;
				expect({ people: told.used, storageBytes: storageBytes.used }).toEqual(found);
			}
		}),
		budget(60)
	);
	expect([happened > 0, failed > 0], 'the property looked at something').toEqual([true, true]);
});

test('[Q3] a portal of a release that kept no counters is counted at its first opening', async () => {
	const store = await stage.store.portal(stage.portal.id);
	const head = await store.head();
	await store.commit({ entries: [], heads: [], answers: [], bindings: [], compactions: [], head: { ...head, counters: {} } });
	await stage.reopen();
	expect(people()).toBe(6);
	await fill(7);
	expect((await store.head()).counters['quota:people']).toBe(7);
});
