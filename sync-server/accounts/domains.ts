/**
 * Domains of their own: which name belongs to which portal of this relay. The settings of a portal say which it wants; here it is decided, over all portals,
 * whose it is, and kept, so that a name is known before its portal is in memory.
 *
 * Promises: a name belongs to one portal at most, from the turn of the decision on; a name answers only while its portal's tariff has own domains; nothing is
 * believed of `Host` but a name that a portal holds.
 * Leaves to others: asking before a portal takes one (gate/), what may be done at such a name (rest/call.ts), DNS and certificates (the operator).
 */
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import { hasFeature, planAt } from '#crdt-model/tariff/plans.ts';
import type { AccountsDatabase } from './database.ts';
import type { Subscriptions } from './subscriptions.ts';

export class Domains {
	readonly #database: AccountsDatabase;
	readonly #subscriptions: Pick<Subscriptions, 'of'>;
	readonly #now: () => number;
	readonly #holders = new Map<string, PortalId>();
	readonly #held = new Map<PortalId, string>();
	#writing: Promise<void> = Promise.resolve();

	private constructor(database: AccountsDatabase, subscriptions: Pick<Subscriptions, 'of'>, now: () => number) {
		this.#database = database;
		this.#subscriptions = subscriptions;
		this.#now = now;
	}

	static async open(database: AccountsDatabase, subscriptions: Pick<Subscriptions, 'of'>, now: () => number): Promise<Domains> {
		const domains = new Domains(database, subscriptions, now);
		for (const { domain, portal } of await database.db.selectFrom('portal_domain').selectAll().execute()) {
			if (!isPortalId(portal)) continue;
			domains.#holders.set(domain, portal);
			domains.#held.set(portal, domain);
		}
		return domains;
	}

	/** Whether no other portal holds the name. */
	isFree(portal: PortalId, domain: string): boolean {
		const holder = this.#holders.get(domain);
		return holder === undefined || holder === portal;
	}

	/** What a portal's settings say, as they were decided or as they are read anew; a name that another holds stays the other's. */
	takes(portal: PortalId, domain: string | null): void {
		const before = this.#held.get(portal) ?? null;
		if (before === domain) return;
		if (before !== null) {
			this.#holders.delete(before);
			this.#held.delete(portal);
		}
		if (domain !== null && !this.#holders.has(domain)) {
			this.#holders.set(domain, portal);
			this.#held.set(portal, domain);
		}
		// A failure is nobody's to mend here: it ends the process, and the next start reads what the settings say.
		this.#writing = this.#writing.then(() => this.#write(portal));
	}

	async #write(portal: PortalId): Promise<void> {
		const domain = this.#held.get(portal);
		await this.#database.db.transaction().execute(async (tx) => {
			await tx.deleteFrom('portal_domain').where('portal', '=', portal).execute();
			if (domain === undefined) return;
			// Whoever held it before may still be in the file: their own writing comes after this one.
			await tx.deleteFrom('portal_domain').where('domain', '=', domain).execute();
			await tx.insertInto('portal_domain').values({ domain, portal }).execute();
		});
	}

	/** The portal that answers at a `Host`, with or without its port. */
	at(host: string | null | undefined): PortalId | null {
		if (this.#holders.size === 0 || !host) return null;
		const portal = this.#holders.get(host.trim().toLowerCase().replace(/:\d{1,5}$/, '').replace(/\.$/, ''));
		return portal !== undefined && hasFeature(planAt(this.#subscriptions.of(portal), this.#now()), 'ownDomain') ? portal : null;
	}

	/** Resolves when everything is on disk. */
	settled(): Promise<void> {
		return this.#writing;
	}
}
