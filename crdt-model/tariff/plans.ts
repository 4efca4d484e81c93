/**
 * Tariffs and editions as data, with the guide's numbers (FEATURES 1.17). Pure: what is used is counted by the relay's quota/, refused
 * by its gate. A plan limits growth and features, never access to what is there (P8).
 */

export const PLAN_NAMES = ['project', 'projectPlus', 'team', 'company', 'demo', 'boxCrm', 'boxPortal', 'boxBusiness'] as const;
export type PlanName = (typeof PLAN_NAMES)[number];

/** What a tariff may leave out; everything else belongs to every plan. */
export const FEATURES = ['time', 'reports', 'processes', 'extranet', 'workingHours', 'ownDomain'] as const;
export type Feature = (typeof FEATURES)[number];

export type Limit = 'people' | 'storageBytes';

/** Seats: as many as the plan says, or as many as the licence was bought for, within the plan's bounds. */
type Seats = number | { readonly fewest: number; readonly most: number };

interface Plan {
	/** `box`: runs on the company's own server, whose disk is its own affair. */
	readonly where: 'cloud' | 'box';
	/** Infinity where there is no limit. */
	readonly people: Seats;
	readonly storageBytes: number;
	readonly without: readonly Feature[];
}

/** As disks are counted by operating systems: 1024 to the third. */
const GIGABYTE_BYTES = 1024 ** 3;
const DAY_MS = 86_400_000;
export const DEMO_MS = 30 * DAY_MS;

const PLANS: Readonly<Record<PlanName, Plan>> = {
	project: { where: 'cloud', people: 12, storageBytes: 5 * GIGABYTE_BYTES, without: ['time', 'reports', 'processes', 'extranet', 'workingHours', 'ownDomain'] },
	projectPlus: { where: 'cloud', people: 24, storageBytes: 24 * GIGABYTE_BYTES, without: ['time', 'reports', 'processes', 'ownDomain'] },
	team: { where: 'cloud', people: Infinity, storageBytes: 100 * GIGABYTE_BYTES, without: ['time', 'reports', 'ownDomain'] },
	company: { where: 'cloud', people: Infinity, storageBytes: Infinity, without: [] },
	/** As Company, for `DEMO_MS`. */
	demo: { where: 'cloud', people: Infinity, storageBytes: Infinity, without: [] },
	/** The guide says "restricted" and no number; 50 is where the next edition begins. */
	boxCrm: { where: 'box', people: { fewest: 1, most: 50 }, storageBytes: Infinity, without: ['processes'] },
	boxPortal: { where: 'box', people: { fewest: 50, most: 500 }, storageBytes: Infinity, without: [] },
	boxBusiness: { where: 'box', people: { fewest: 1, most: 1000 }, storageBytes: Infinity, without: [] }
};

/** What a portal has bought. */
export interface Subscription {
	readonly plan: Exclude<PlanName, 'demo'>;
	/** Seats of a box licence. */
	readonly seats?: number;
	/** When an administrator started the demo, in milliseconds since 1970. One demo per portal. */
	readonly demoStartedAt?: number;
}

/** The plan that holds now: a demo gives way to the plan before it when its days are over. */
export function planAt({ plan, demoStartedAt }: Subscription, now: number): PlanName {
	const isDemo = demoStartedAt !== undefined && now >= demoStartedAt && now < demoStartedAt + DEMO_MS;
	return isDemo && PLANS[plan].where === 'cloud' ? 'demo' : plan;
}

/**
 * How much a plan allows; Infinity where there is no limit.
 * @param seats of a box licence; without one the fewest that the edition is sold with
 */
export function limitOf(plan: PlanName, limit: Limit, seats?: number): number {
	if (limit === 'storageBytes') return PLANS[plan].storageBytes;
	const { people } = PLANS[plan];
	if (typeof people === 'number') return people;
	const bought = seats !== undefined && Number.isFinite(seats) ? Math.floor(seats) : people.fewest;
	return Math.min(people.most, Math.max(people.fewest, bought));
}

export function hasFeature(plan: PlanName, feature: Feature): boolean {
	return !PLANS[plan].without.includes(feature);
}

/** The plans of the same house that have the feature, smallest first: the way out that a refusal names. */
export function plansWith(feature: Feature, where: 'cloud' | 'box' = 'cloud'): PlanName[] {
	return PLAN_NAMES.filter((name) => name !== 'demo' && PLANS[name].where === where && hasFeature(name, feature));
}

/**
 * Whether growth fits. What is there already stays readable and exportable, however much it is: a downgrade deletes nothing.
 * @param used before, `more` on top of it; giving back (`more` ≤ 0) always fits
 */
export function mayGrow(plan: PlanName, limit: Limit, used: number, more: number, seats?: number): boolean {
	return more <= 0 || used + more <= limitOf(plan, limit, seats);
}
