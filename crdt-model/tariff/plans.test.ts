import fc from 'fast-check';
import { expect, test } from 'vitest';
import { budget } from '../testing/budget.ts';
import { DEMO_MS, demoEndsAt, FEATURES, PLAN_NAMES, hasFeature, limitOf, mayGrow, planAt, plansFor, plansWith, type Subscription } from './plans.ts';

const GB = 1_073_741_824;

test.each([
	['project', 12, 5 * GB, []],
	['projectPlus', 24, 24 * GB, ['extranet', 'workingHours']],
	['team', Infinity, 100 * GB, ['processes', 'extranet', 'workingHours']],
	['company', Infinity, Infinity, FEATURES],
	['demo', Infinity, Infinity, FEATURES],
	['boxBusiness', 1, Infinity, FEATURES]
] as const)('[T1] %s: %d people, %d bytes', (plan, people, storageBytes, features) => {
	expect([limitOf(plan, 'people'), limitOf(plan, 'storageBytes')]).toEqual([people, storageBytes]);
	expect(FEATURES.filter((feature) => hasFeature(plan, feature))).toEqual([...features]);
});

test('[T1] a box has the seats of its licence, within its edition', () => {
	const seats = (plan: 'boxCrm' | 'boxPortal' | 'boxBusiness') => [undefined, 0, 10, 250.9, 500, 1000, 1001, Number.NaN, Infinity].map((bought) => limitOf(plan, 'people', bought === undefined ? {} : { seats: bought }));
	expect(seats('boxPortal')).toEqual([50, 50, 50, 250, 500, 500, 500, 50, 50]);
	expect(seats('boxBusiness')).toEqual([1, 1, 10, 250, 500, 1000, 1000, 1, 1]);
	expect(seats('boxCrm')).toEqual([1, 1, 10, 50, 50, 50, 50, 1, 1]);
	expect(limitOf('project', 'people', { seats: 500 }), 'a cloud plan is no licence').toBe(12);
});

test('[T1] rented storage comes on top of a cloud plan’s own; a box’s disk is its own', () => {
	expect([0, 10 * GB, -5, 1.5, Number.NaN].map((rentedBytes) => limitOf('project', 'storageBytes', { rentedBytes }))).toEqual([5 * GB, 15 * GB, 5 * GB, 5 * GB, 5 * GB]);
	expect([mayGrow('project', 'storageBytes', 5 * GB, 1, { rentedBytes: 1 }), mayGrow('project', 'storageBytes', 5 * GB, 2, { rentedBytes: 1 })]).toEqual([true, false]);
	expect(limitOf('boxCrm', 'storageBytes', { rentedBytes: GB })).toBe(Infinity);
});

test('[T2] the thirteenth person and the byte beyond 5 GB are growth that does not fit', () => {
	expect([mayGrow('project', 'people', 11, 1), mayGrow('project', 'people', 12, 1)]).toEqual([true, false]);
	expect([mayGrow('project', 'storageBytes', 5 * GB - 1, 1), mayGrow('project', 'storageBytes', 5 * GB, 1)]).toEqual([true, false]);
	expect([mayGrow('company', 'people', 1e6, 1e6), mayGrow('boxPortal', 'people', 250, 1, { seats: 250 })]).toEqual([true, false]);
});

test('[T2] giving back always fits, also far above a smaller plan’s limit', () => {
	fc.assert(fc.property(fc.constantFrom(...PLAN_NAMES), fc.nat(), fc.nat(), (plan, used, less) => mayGrow(plan, 'people', used, -less) && mayGrow(plan, 'storageBytes', used, 0)), budget(100));
});

test('[T3] a demo gives everything for thirty days, then the plan before it', () => {
	const portal: Subscription = { plan: 'project', demoStartedAt: 1_000 };
	expect([999, 1_000, 1_000 + DEMO_MS - 1, 1_000 + DEMO_MS].map((now) => planAt(portal, now))).toEqual(['project', 'demo', 'demo', 'project']);
	expect(DEMO_MS).toBe(2_592_000_000);
	expect(planAt({ plan: 'team' }, 0)).toBe('team');
	expect(planAt({ plan: 'boxCrm', seats: 9, demoStartedAt: 0 }, 1), 'a box has no demo').toBe('boxCrm');
	expect([999, 1_000, 1_000 + DEMO_MS].map((now) => demoEndsAt(portal, now))).toEqual([null, 1_000 + DEMO_MS, null]);
});

test('[T4] a refusal can name the way out', () => {
	expect(FEATURES.map((feature) => plansWith(feature)[0])).toEqual(['company', 'company', 'team', 'projectPlus', 'projectPlus', 'company']);
	expect(plansWith('processes', 'box')).toEqual(['boxPortal', 'boxBusiness']);
	for (const feature of FEATURES) expect(plansWith(feature)).not.toContain('demo');
});

test('[T4] a refusal for growth names the plans in which it would fit', () => {
	expect(plansFor('people', 13)).toEqual(['projectPlus', 'team', 'company']);
	expect(plansFor('people', 25)).toEqual(['team', 'company']);
	expect(plansFor('storageBytes', 5 * GB + 1)).toEqual(['projectPlus', 'team', 'company']);
	expect(plansFor('storageBytes', 101 * GB)).toEqual(['company']);
	expect(plansFor('people', 60, 'box')).toEqual(['boxPortal', 'boxBusiness']);
	expect(plansFor('people', 1_001, 'box')).toEqual([]);
});
