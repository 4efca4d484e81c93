/**
 * `tariff` as an operator's command: shows what portals have bought, and sets it. The same in a running relay, whose open devices are told at once,
 * and without one. A smaller tariff takes nothing away; the answer says what stands above its limits.
 */
import * as v from 'valibot';
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import { DEMO_MS, GIGABYTE_BYTES, isBox, PLAN_NAMES, planAt, seatsSold, type Subscription } from '#crdt-model/tariff/plans.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import type { DemoWorld } from '../import/demo.ts';

/** Far beyond any disk; a slip of the keyboard is noticed. */
const MAX_RENTED_GIGABYTES = 1_000_000;

const changeEntries = {
	plan: v.optional(v.picklist(PLAN_NAMES)),
	seats: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
	demo: v.optional(v.picklist(['start', 'end'])),
	rentedGigabytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_RENTED_GIGABYTES)))
};
/** What of a tariff is changed, the same for the command line and over REST. */
export const tariffChange = v.strictObject(changeEntries);
const argsSchema = v.strictObject({ portal: v.optional(v.custom<PortalId>(isPortalId, 'the id of a portal begins with portal_')), ...changeEntries });
export type TariffArgs = v.InferOutput<typeof argsSchema>;

export interface PortalTariff {
	readonly portal: PortalId;
	readonly company: string;
	/** What was bought, and what a demo gives way to. */
	readonly bought: Subscription;
	/** What holds now. */
	readonly tariff: Tariff;
}
/** A problem is one line for the operator and nothing was changed. */
export type TariffAnswer = { readonly portals: readonly PortalTariff[] } | { readonly problem: string };

class Mistake extends Error {}

/** A change is reckoned from what stands: the operator's and an administrator's at once come one after the other. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<T>(change: () => Promise<T>): Promise<T> {
	const done = last.then(change);
	last = done.catch(() => {
		// Told to whoever asked for it.
	});
	return done;
}

export async function tariffCommand({ portals, now }: Pick<DemoWorld, 'portals' | 'now'>, args: unknown): Promise<TariffAnswer> {
	const parsed = v.safeParse(argsSchema, args);
	if (!parsed.success) return { problem: `These arguments do not fit: ${parsed.issues[0].path?.map(({ key }) => String(key)).join('.') ?? ''} ${parsed.issues[0].message}` };
	const { portal: asked, ...change } = parsed.output;
	const ids = asked ? [asked] : [...portals.ids];
	try {
		if (ids.length === 0) throw new Mistake('There is no portal here yet.');
		if (Object.keys(change).length > 0) {
			if (ids.length > 1) throw new Mistake(`There are ${ids.length} portals here: say which one with --portal (npm run portal -- tariff lists them).`);
			const [id] = ids as [PortalId];
			if (!(await portals.portal(id))) throw new Mistake(`There is no portal ${id} here.`);
			await inTurn(() => portals.subscribe(id, changed(portals.subscriptionOf(id), change, now())));
		}
		const shown: PortalTariff[] = [];
		for (const id of ids) {
			const portal = await portals.portal(id);
			if (!portal) throw new Mistake(`There is no portal ${id} here.`);
			shown.push({ portal: id, company: portal.settings?.company ?? '', bought: portal.quota.subscription, tariff: portal.tariff });
		}
		return { portals: shown };
	} catch (error) {
		if (error instanceof Mistake) return { problem: error.message };
		throw error;
	}
}

/** @throws Mistake for what makes no sense */
function changed(before: Subscription, { plan: asked, seats, demo, rentedGigabytes }: Omit<TariffArgs, 'portal'>, now: number): Subscription {
	if (asked === 'demo') throw new Mistake('A demo is no plan that is bought: --demo start begins its thirty days, beside the plan that holds afterwards.');
	const plan = asked ?? before.plan;
	const sold = seatsSold(plan);
	const box = isBox(plan);
	if (seats !== undefined && !sold) throw new Mistake(`${plan} is sold without a number of seats: --seats is for box editions.`);
	if (seats !== undefined && sold && (seats < sold.fewest || seats > sold.most)) throw new Mistake(`${plan} is sold with ${sold.fewest} to ${sold.most} seats, not with ${seats}.`);
	if (rentedGigabytes && box) throw new Mistake('A box stores on its own disk: --rent is for cloud plans.');
	if (demo === 'start' && box) throw new Mistake(`A box has no demo, and ${plan} is a box edition.`);
	if (demo === 'start' && before.demoStartedAt !== undefined) {
		throw new Mistake(`This portal has had its demo: it began on ${new Date(before.demoStartedAt).toISOString().slice(0, 10)}, and there is one per portal.`);
	}
	if (demo === 'end' && planAt({ ...before, plan }, now) !== 'demo') throw new Mistake('No demo is running.');
	// What was bought of one house means nothing in the other.
	const keptSeats = sold ? (seats ?? before.seats) : undefined;
	const rented = box ? 0 : rentedGigabytes === undefined ? (before.rentedBytes ?? 0) : rentedGigabytes * GIGABYTE_BYTES;
	const demoStartedAt = demo === 'start' ? now : demo === 'end' ? now - DEMO_MS : before.demoStartedAt;
	return {
		plan,
		...(keptSeats !== undefined && { seats: keptSeats }),
		...(demoStartedAt !== undefined && { demoStartedAt }),
		...(rented > 0 && { rentedBytes: rented })
	};
}
