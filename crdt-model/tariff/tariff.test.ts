import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SettingsRow } from '../kinds/company-structure.ts';
import type { BaseRow } from '../record/kind.ts';
import { budget } from '../testing/budget.ts';
import { settingsRow as settings, taskRow } from '../testing/company.ts';
import { ANN, documentId, person } from '../testing/world.ts';
import { isLockable, lockedFeature } from './locks.ts';
import { DEMO_MS, FEATURES, GIGABYTE_BYTES, PLAN_NAMES, type Feature, type Subscription } from './plans.ts';
import { featureRefusal, growthRefusal, tariffOf } from './tariff.ts';
import { isCounted, NOTHING_USED, usageOf, usageOfAll } from './usage.ts';

const base = { number: null, createdBy: ANN, createdAt: 1, updatedAt: 1, deleted: false };
const employee = (n: number, more: object = {}): BaseRow => ({ ...base, id: person(n), kind: 'employee', active: true, guest: false, ...more }) as BaseRow;
const file = (size: number, more: object = {}): BaseRow => ({ ...base, id: documentId('file', size), kind: 'file', name: 'a.pdf', size, ...more }) as BaseRow;
const hours = { days: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' };
const without = (feature: Feature) => FEATURES.filter((name) => name !== feature);

type Case<Name> = [Name, BaseRow | null, BaseRow];
const locked: Case<Feature>[] = [
	['workingHours', settings(), settings({ workingHours: hours })],
	['workingHours', settings({ workingHours: hours }), settings({ workingHours: { ...hours, to: '17:00' } })],
	['ownDomain', settings(), settings({ domain: 'portal.acme.example' })],
	['extranet', null, employee(9, { guest: true })],
	['extranet', employee(9, { guest: true, active: false }), employee(9, { guest: true })],
	['extranet', employee(9), employee(9, { guest: true })]
];
test.each(locked)('[T5] %s is locked where the tariff leaves it out, and only there', (feature, before, next) => {
	expect(lockedFeature(before, next, without(feature))).toBe(feature);
	expect(lockedFeature(before, next, FEATURES)).toBeNull();
	expect(isLockable(next)).toBe(true);
});

const free: Case<string>[] = [
	['working hours are given up', settings({ workingHours: hours }), settings()],
	['a domain is given up', settings({ domain: 'a.example' }), settings()],
	['another field beside a locked one that stays', settings({ workingHours: hours, domain: 'a.example' }), settings({ workingHours: { ...hours }, domain: 'a.example', company: 'Other' })],
	['a guest of before keeps their profile', employee(9, { guest: true }), employee(9, { guest: true, position: 'Buyer' })],
	['a guest is dismissed', employee(9, { guest: true }), employee(9, { guest: true, active: false })],
	['a guest becomes an employee', employee(9, { guest: true }), employee(9)],
	['what no tariff speaks of', null, taskRow({})]
];
test.each(free)('[T5] nothing is locked when %s', (_case, before, next) => {
	expect(lockedFeature(before, next, [])).toBeNull();
});

test('[T6] active people take a seat each, guests too; dismissed ones none', () => {
	expect(usageOfAll([employee(1), employee(2, { guest: true }), employee(3, { active: false }), settings(), taskRow({})])).toEqual({ people: 2, storageBytes: 0 });
	expect(usageOfAll([file(100), file(20), file(3, { deleted: true })]), 'a deleted file gives its bytes back').toEqual({ people: 0, storageBytes: 120 });
	expect([usageOf(null), usageOf(taskRow({}))]).toEqual([NOTHING_USED, NOTHING_USED]);
	expect([isCounted(employee(1)), isCounted(file(1)), isCounted(settings())]).toEqual([true, true, false]);
});

test('[T7] what is told survives JSON, also where there is no limit', () => {
	fc.assert(
		fc.property(fc.constantFrom(...PLAN_NAMES.filter((name) => name !== 'demo')), fc.nat(), fc.nat(), fc.nat({ max: 3 * DEMO_MS }), (plan, people, storageBytes, now) => {
			const tariff = tariffOf({ plan, seats: 60, demoStartedAt: DEMO_MS }, { people, storageBytes }, now);
			expect(JSON.parse(JSON.stringify(tariff))).toEqual(tariff);
			expect(tariff.until).toBe(tariff.plan === 'demo' ? 2 * DEMO_MS : null);
			expect([tariff.people.used, tariff.storageBytes.used]).toEqual([people, storageBytes]);
		}),
		budget(100)
	);
	expect(tariffOf({ plan: 'team' }, NOTHING_USED, 0)).toEqual({
		plan: 'team', until: null, people: { used: 0, most: null }, storageBytes: { used: 0, most: 100 * GIGABYTE_BYTES }, features: ['processes', 'extranet', 'workingHours'],
		bought: { plan: 'team', rentedBytes: 0, demo: 'free' }
	});
	const bought = (subscription: Subscription, now = 0) => tariffOf(subscription, NOTHING_USED, now).bought;
	expect(bought({ plan: 'team', rentedBytes: 5, demoStartedAt: 0 }, 1)).toEqual({ plan: 'team', rentedBytes: 5, demo: 'running' });
	expect(bought({ plan: 'team', demoStartedAt: 0 }, DEMO_MS)).toEqual({ plan: 'team', rentedBytes: 0, demo: 'over' });
	expect(bought({ plan: 'boxPortal', seats: 60, demoStartedAt: 0 }, 1)).toEqual({ plan: 'boxPortal', seats: 60, rentedBytes: 0, demo: 'none' });
});

test('[T7] a refusal says the number, the limit and the way out', () => {
	expect(growthRefusal({ plan: 'project' }, { people: 12, storageBytes: 0 }, { people: 1, storageBytes: 0 }, 0)).toEqual({
		plan: 'project', limit: 'people', used: 12, most: 12, more: 1, ways: ['projectPlus', 'team', 'company']
	});
	expect(growthRefusal({ plan: 'project', rentedBytes: 2 }, { people: 0, storageBytes: 5 * GIGABYTE_BYTES }, { people: 0, storageBytes: 3 }, 0)).toMatchObject({
		limit: 'storageBytes', used: 5 * GIGABYTE_BYTES, most: 5 * GIGABYTE_BYTES + 2, more: 3, ways: ['projectPlus', 'team', 'company']
	});
	expect(growthRefusal({ plan: 'boxPortal', seats: 50 }, { people: 50, storageBytes: 0 }, { people: 1, storageBytes: 0 }, 0)?.ways).toEqual(['boxPortal', 'boxBusiness']);
	expect(growthRefusal({ plan: 'project' }, { people: 30, storageBytes: 1e12 }, { people: -1, storageBytes: 0 }, 0), 'giving back always fits').toBeNull();
	expect(featureRefusal('project', 'extranet')).toEqual({ plan: 'project', feature: 'extranet', ways: ['projectPlus', 'team', 'company'] });
});
