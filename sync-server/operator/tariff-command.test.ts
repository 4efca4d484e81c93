/** `tariff`: what it shows, what it sets, what it will not do; on portals in memory with real accounts. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PortalId } from '#crdt-model/ids.ts';
import { DEMO_MS, GIGABYTE_BYTES } from '#crdt-model/tariff/plans.ts';
import { NOW, testRelay, type TestRelay } from '../import/testing.ts';
import { oneLine, tariffText } from './print.ts';
import { tariffCommand, type PortalTariff, type TariffArgs } from './tariff-command.ts';

let relay: TestRelay;
let portal: PortalId;
const found = async (company: string) => (await relay.portals.found({ company, language: 'en', firstName: 'Ann', lastName: 'Lee', email: 'ann@example.com' })).portal.id;
const ask = (args: TariffArgs | object, now = NOW) => tariffCommand({ portals: relay.portals, now: () => now }, args);
async function shown(args: TariffArgs = {}, now = NOW): Promise<PortalTariff> {
	const answer = await ask(args, now);
	if ('problem' in answer) throw new Error(answer.problem);
	return answer.portals[0]!;
}
const problem = async (args: TariffArgs | object, now = NOW) => (await ask(args, now) as { problem?: string }).problem;

beforeEach(async () => {
	relay = await testRelay();
});
afterEach(() => relay.end());

test('a newly registered portal has the free plan', async () => {
	expect(await problem({})).toBe('There is no portal here yet.');
	portal = await found('Acme');
	expect(await shown()).toMatchObject({ portal, company: 'Acme', bought: { plan: 'project' }, tariff: { plan: 'project', people: { used: 1, most: 12 } } });
});

test('plan, seats, rent and demo are set, hold at once in the portal, and survive it', async () => {
	portal = await found('Acme');
	const opened = (await relay.portals.portal(portal))!;
	await shown({ plan: 'projectPlus', rentedGigabytes: 10 });
	expect(opened.tariff).toMatchObject({ plan: 'projectPlus', people: { most: 24 }, storageBytes: { most: 34 * GIGABYTE_BYTES } });
	await shown({ demo: 'start' });
	expect(opened.tariff).toMatchObject({ plan: 'demo', until: NOW + DEMO_MS, people: { most: null } });
	expect((await shown()).bought).toEqual({ plan: 'projectPlus', demoStartedAt: NOW, rentedBytes: 10 * GIGABYTE_BYTES });
	await shown({ demo: 'end' });
	expect(opened.tariff).toMatchObject({ plan: 'projectPlus', until: null });
	expect(await problem({ demo: 'start' })).toMatch(/^This portal has had its demo: it began on 2026-10-31, and there is one per portal\.$/);
	await shown({ rentedGigabytes: 0 });
	expect(opened.tariff.storageBytes.most).toBe(24 * GIGABYTE_BYTES);
	await shown({ plan: 'boxPortal', seats: 120 });
	expect(opened.tariff).toMatchObject({ plan: 'boxPortal', people: { most: 120 }, storageBytes: { most: null } });
	await shown({ plan: 'boxBusiness' });
	expect((await shown()).bought, 'a licence’s seats go with it to the larger edition').toMatchObject({ plan: 'boxBusiness', seats: 120 });
	await shown({ plan: 'team' });
	expect((await shown()).bought.seats).toBeUndefined();
});

test('what makes no sense is one line and changes nothing', async () => {
	portal = await found('Acme');
	const cases: [TariffArgs | object, RegExp][] = [
		[{ plan: 'demo' }, /^A demo is no plan that is bought: --demo start/],
		[{ plan: 'gold' }, /^These arguments do not fit: plan /],
		[{ seats: 5 }, /^project is sold without a number of seats/],
		[{ plan: 'boxPortal', seats: 49 }, /^boxPortal is sold with 50 to 500 seats, not with 49\.$/],
		[{ plan: 'boxPortal', rentedGigabytes: 5 }, /^A box stores on its own disk/],
		[{ plan: 'boxCrm', demo: 'start' }, /^A box has no demo/],
		[{ demo: 'end' }, /^No demo is running\.$/],
		[{ portal: 'nonsense' }, /^These arguments do not fit: portal /],
		[{ portal: portal.replace(/.$/, (last) => (last === '0' ? '1' : '0')), plan: 'team' }, /^There is no portal portal_.* here\.$/],
		[{ colour: 'red' }, /^These arguments do not fit: colour /]
	];
	for (const [args, says] of cases) expect(await problem(args), JSON.stringify(args)).toMatch(says);
	expect((await shown()).bought).toEqual({ plan: 'project' });
	await found('Beta');
	expect(await problem({ plan: 'team' })).toMatch(/^There are 2 portals here: say which one with --portal/);
	expect(((await ask({})) as { portals: unknown[] }).portals).toHaveLength(2);
});

test('the text says what holds, until when, and what stands above a limit', async () => {
	portal = await found('Acme\u001b[31m');
	const entry = await shown({ demo: 'start', rentedGigabytes: 2 });
	const text = tariffText({ ...entry, tariff: { ...entry.tariff, people: { used: 30, most: 12 }, features: ['extranet'] } });
	expect(text.split('\n').every((line) => line === oneLine(line))).toBe(true);
	expect(text).toContain('plan      demo until 2026-12-30 15:00 UTC, then project');
	expect(text).toContain('people    30 of 12  (above the limit: all of it stays readable, nothing can be added)');
	expect(text).toContain('storage   0 of any number of GB, 2 of them rented');
	expect(text).toContain('features  extranet; without time, reports, processes, workingHours, ownDomain');
});
