/**
 * Subscriptions: what each portal has bought. A table and no document: nobody inside a portal may write it, and a restored backup of a
 * portal's log brings no older licence back.
 *
 * Promises: what `set` has answered is on disk and told to listeners; a portal without a row has the free plan.
 * Leaves to others: what a plan allows (crdt-model/tariff), counting and refusing (quota/).
 */
import type { PortalId } from '#crdt-model/ids.ts';
import { PLAN_NAMES, type PlanName, type Subscription } from '#crdt-model/tariff/plans.ts';
import type { AccountsDatabase } from './database.ts';

const FREE: Subscription = { plan: 'project' };

export type SubscriptionListener = (portal: PortalId) => void;

export class Subscriptions {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;
	readonly #read: (portal: string) => unknown;
	readonly #listeners = new Set<SubscriptionListener>();

	constructor(database: AccountsDatabase, now: () => number) {
		this.#database = database;
		this.#now = now;
		this.#read = database.read('select plan, seats, demo_started_at, rented_bytes from subscription where portal = ?');
	}

	/** One read of committed rows. */
	of(portal: PortalId): Subscription {
		const row = this.#read(portal) as { plan: string; seats: number | null; demo_started_at: number | null; rented_bytes: number } | undefined;
		if (!row) return FREE;
		if (!isSold(row.plan)) throw new Error(`accounts.db names a plan that this program does not know: ${row.plan}`);
		return {
			plan: row.plan,
			...(row.seats !== null && { seats: row.seats }),
			...(row.demo_started_at !== null && { demoStartedAt: row.demo_started_at }),
			...(row.rented_bytes > 0 && { rentedBytes: row.rented_bytes })
		};
	}

	async set(portal: PortalId, { plan, seats, demoStartedAt, rentedBytes }: Subscription): Promise<void> {
		const row = { plan, seats: seats ?? null, demo_started_at: demoStartedAt ?? null, rented_bytes: rentedBytes ?? 0, changed_at: this.#now() };
		await this.#database.db
			.insertInto('subscription')
			.values({ portal, ...row })
			.onConflict((conflict) => conflict.column('portal').doUpdateSet(row))
			.execute();
		for (const listener of this.#listeners) listener(portal);
	}

	/** Called once a change is on disk; returns the way to stop listening. */
	onChange(listener: SubscriptionListener): () => void {
		this.#listeners.add(listener);
		return () => void this.#listeners.delete(listener);
	}
}

function isSold(plan: string): plan is Exclude<PlanName, 'demo'> {
	return plan !== 'demo' && (PLAN_NAMES as readonly string[]).includes(plan);
}
