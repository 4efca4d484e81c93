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
export const GIGABYTE_BYTES = 1024 ** 3;
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
	/** Storage rented on top of a cloud plan's own. */
	readonly rentedBytes?: number;
}
/** What of it moves a plan's limits. */
export type Bought = Pick<Subscription, 'seats' | 'rentedBytes'>;

/** The plan that holds now: a demo gives way to the plan before it when its days are over. */
export function planAt({ plan, demoStartedAt }: Subscription, now: number): PlanName {
	const isDemo = demoStartedAt !== undefined && now >= demoStartedAt && now < demoStartedAt + DEMO_MS;
	return isDemo && PLANS[plan].where === 'cloud' ? 'demo' : plan;
}

/** Whether a portal may still have its demo: `free`, it is `running`, it is `over`, or there is `none` for a box. */
export const DEMO_STATES = ['free', 'running', 'over', 'none'] as const;
export type DemoState = (typeof DEMO_STATES)[number];

export function demoStateOf({ plan, demoStartedAt }: Subscription, now: number): DemoState {
	if (PLANS[plan].where === 'box') return 'none';
	if (demoStartedAt === undefined) return 'free';
	return planAt({ plan, demoStartedAt }, now) === 'demo' ? 'running' : 'over';
}

/** When the demo that holds now ends; null where none does. */
export function demoEndsAt(subscription: Subscription, now: number): number | null {
	return planAt(subscription, now) === 'demo' ? subscription.demoStartedAt! + DEMO_MS : null;
}

/**
 * How much a plan allows; Infinity where there is no limit.
 * @param bought seats of a box licence, without which it is the fewest that the edition is sold with; storage rented beside a cloud plan
 */
export function limitOf(plan: PlanName, limit: Limit, { seats, rentedBytes }: Bought = {}): number {
	if (limit === 'storageBytes') return PLANS[plan].storageBytes + (PLANS[plan].where === 'cloud' && isCount(rentedBytes) ? rentedBytes : 0);
	const { people } = PLANS[plan];
	if (typeof people === 'number') return people;
	const bought = seats !== undefined && Number.isFinite(seats) ? Math.floor(seats) : people.fewest;
	return Math.min(people.most, Math.max(people.fewest, bought));
}

export function hasFeature(plan: PlanName, feature: Feature): boolean {
	return !PLANS[plan].without.includes(feature);
}

export function isBox(plan: PlanName): boolean {
	return PLANS[plan].where === 'box';
}

/** How many seats an edition is sold with; null where seats are no matter of a licence. */
export function seatsSold(plan: PlanName): { readonly fewest: number; readonly most: number } | null {
	const { people } = PLANS[plan];
	return typeof people === 'number' ? null : people;
}

/** The plans of the same house that have the feature, smallest first: the way out that a refusal names. */
export function plansWith(feature: Feature, where: 'cloud' | 'box' = 'cloud'): PlanName[] {
	return sold(where).filter((name) => hasFeature(name, feature));
}

/** The plans of the same house in which so much would fit, smallest first; of a box the editions that are sold with so many seats. */
export function plansFor(limit: Limit, needed: number, where: 'cloud' | 'box' = 'cloud'): PlanName[] {
	return sold(where).filter((name) => needed <= limitOf(name, limit, { seats: seatsSold(name)?.most ?? 0 }));
}

/**
 * Whether growth fits. What is there already stays readable and exportable, however much it is: a downgrade deletes nothing.
 * @param used before, `more` on top of it; giving back (`more` ≤ 0) always fits
 */
export function mayGrow(plan: PlanName, limit: Limit, used: number, more: number, bought: Bought = {}): boolean {
	return more <= 0 || used + more <= limitOf(plan, limit, bought);
}

function sold(where: 'cloud' | 'box'): PlanName[] {
	return PLAN_NAMES.filter((name) => name !== 'demo' && PLANS[name].where === where);
}

function isCount(value: number | undefined): value is number {
	return value !== undefined && Number.isSafeInteger(value) && value > 0;
}
