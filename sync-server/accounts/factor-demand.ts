/**
 * What a portal demands of its people beside a password, and from when.
 *
 * Promises: pure; whoever joins after the demand was made has the same time to enrol as those who were there.
 * Leaves to others: who has a factor (`enrolled-factors.ts`), what is done when the time is over (the sign-in, and the sweep of sessions).
 */

/** The portal's setting `secondFactor`; null where it demands none. Milliseconds since 1970, and days. */
export type FactorDemand = { readonly since: number; readonly graceDays: number } | null;

const DAY_MS = 24 * 3_600_000;

/** When a person who has no second factor is no longer let in; null where none is demanded. */
export function graceEnd(demand: FactorDemand, joinedAt: number): number | null {
	return demand === null ? null : Math.max(demand.since, joinedAt) + demand.graceDays * DAY_MS;
}

/** Whether a second factor must be there now. */
export function isOverdue(demand: FactorDemand, joinedAt: number, now: number): boolean {
	const end = graceEnd(demand, joinedAt);
	return end !== null && end <= now;
}
