/**
 * What a portal's tariff says at a moment: the plan that holds, how much is used of how much, which features there are. The relay reckons it, judges
 * growth by it and sends it to devices, which keep the last one so that screens grey the same things without a network.
 */
import * as v from 'valibot';
import { DEMO_STATES, demoEndsAt, demoStateOf, FEATURES, hasFeature, isBox, limitOf, mayGrow, planAt, PLAN_NAMES, plansFor, plansWith, type Feature, type Limit, type PlanName, type Subscription } from './plans.ts';
import type { Usage } from './usage.ts';

const counter = v.pipe(v.number(), v.integer(), v.minValue(0));
const limit = v.object({
	used: counter,
	/** Null where there is no limit: JSON has no infinity. */
	most: v.nullable(counter)
});

export const tariffSchema = v.object({
	plan: v.picklist(PLAN_NAMES),
	/** When the demo ends, in milliseconds since 1970 by the relay's clock; null outside one. */
	until: v.nullable(counter),
	people: limit,
	storageBytes: limit,
	features: v.array(v.picklist(FEATURES)),
	/** What was bought, for whoever looks at the licence; what holds is said above. */
	bought: v.exactOptional(
		v.object({
			/** What holds again when a demo is over. */
			plan: v.picklist(PLAN_NAMES),
			/** Of a box licence. */
			seats: v.exactOptional(counter),
			/** Storage beside a cloud plan's own. */
			rentedBytes: counter,
			demo: v.picklist(DEMO_STATES)
		})
	)
});
export type Tariff = v.InferOutput<typeof tariffSchema>;

export function tariffOf(subscription: Subscription, used: Usage, now: number): Tariff {
	const plan = planAt(subscription, now);
	const most = (name: Limit) => {
		const allowed = limitOf(plan, name, subscription);
		return Number.isFinite(allowed) ? allowed : null;
	};
	return {
		plan,
		until: demoEndsAt(subscription, now),
		people: { used: used.people, most: most('people') },
		storageBytes: { used: used.storageBytes, most: most('storageBytes') },
		features: FEATURES.filter((feature) => hasFeature(plan, feature)),
		bought: {
			plan: subscription.plan,
			...(subscription.seats !== undefined && { seats: subscription.seats }),
			rentedBytes: subscription.rentedBytes ?? 0,
			demo: demoStateOf(subscription, now)
		}
	};
}

/** What a refusal by the tariff says: which limit or feature, how much of it, and the plans in which the change would fit. */
export const tariffRefusalSchema = v.object({
	plan: v.picklist(PLAN_NAMES),
	limit: v.exactOptional(v.picklist(['people', 'storageBytes'])),
	used: v.exactOptional(counter),
	most: v.exactOptional(counter),
	/** How much more the change wanted. */
	more: v.exactOptional(counter),
	feature: v.exactOptional(v.picklist(FEATURES)),
	ways: v.array(v.picklist(PLAN_NAMES))
});
export type TariffRefusal = v.InferOutput<typeof tariffRefusalSchema>;

/** Growth beyond the plan's limit; null where it fits. Giving back always does. */
export function growthRefusal(subscription: Subscription, used: Usage, more: Usage, now: number): TariffRefusal | null {
	const plan = planAt(subscription, now);
	for (const name of ['people', 'storageBytes'] as const) {
		if (mayGrow(plan, name, used[name], more[name], subscription)) continue;
		return {
			plan, limit: name, used: used[name], most: limitOf(plan, name, subscription), more: more[name],
			ways: plansFor(name, used[name] + more[name], houseOf(plan))
		};
	}
	return null;
}

export function featureRefusal(plan: PlanName, feature: Feature): TariffRefusal {
	return { plan, feature, ways: plansWith(feature, houseOf(plan)) };
}

function houseOf(plan: PlanName): 'cloud' | 'box' {
	return isBox(plan) ? 'box' : 'cloud';
}
