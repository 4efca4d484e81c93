/**
 * What somebody signs in with beside the password: second factors, passkeys, linked accounts; and which sessions proved more than a password.
 *
 * Promises: `forget` leaves nothing of it; a session that is overdue is one that proved no factor, of a person who has none, in a portal that demands one and whose
 * time of grace is over for that person.
 * Leaves to others: ending those sessions, and everything that the parts behind this door leave.
 */
import type { PersonId, PortalId, RandomBytes, SessionId } from '#crdt-model/ids.ts';
import type { AccountsDatabase } from './database.ts';
import { EnrolledFactors } from './enrolled-factors.ts';
import { type FactorDemand, isOverdue } from './factor-demand.ts';
import type { IdentityId } from './identities.ts';
import { LinkedIdentities } from './linked-identities.ts';
import { Passkeys } from './passkeys.ts';
import type { SecondFactors } from './second-factors.ts';
import type { Tickets } from './tickets.ts';
import type { Vault } from './vault.ts';

export class Factors implements SecondFactors {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;
	readonly codes: EnrolledFactors;
	readonly passkeys: Passkeys;
	readonly links: LinkedIdentities;

	constructor(database: AccountsDatabase, world: { vault: Vault; tickets: Tickets; now: () => number; random: RandomBytes }) {
		this.#database = database;
		this.#now = world.now;
		this.codes = new EnrolledFactors(database, world.vault, world);
		this.passkeys = new Passkeys(database, world.tickets, world);
		this.links = new LinkedIdentities(database, world.now);
	}

	has(identity: IdentityId): Promise<boolean> {
		return this.codes.has(identity);
	}

	check(identity: IdentityId, code: string): Promise<boolean> {
		return this.codes.check(identity, code);
	}

	async forget(identity: IdentityId): Promise<void> {
		await this.codes.remove(identity);
		await this.#database.db.transaction().execute(async (transaction) => {
			await transaction.deleteFrom('passkey').where('identity', '=', identity).execute();
			await transaction.deleteFrom('linked_identity').where('identity', '=', identity).execute();
		});
	}

	/** The session's sign-in, or somebody within it, proved a second factor. */
	async noteProved(session: SessionId): Promise<void> {
		await this.#database.db
			.insertInto('session_factor')
			.columns(['session', 'proved_at'])
			// A session that ended in between is no fault.
			.expression((eb) => eb.selectFrom('session').select(['id', eb.val(this.#now()).as('proved_at')]).where('id', '=', session))
			.onConflict((conflict) => conflict.doNothing())
			.execute();
	}

	async hasProved(session: SessionId): Promise<boolean> {
		return (await this.#database.db.selectFrom('session_factor').select('session').where('session', '=', session).executeTakeFirst()) !== undefined;
	}

	/** Sessions of a portal that are to end now, because it demands a factor. */
	async overdueSessions(portal: PortalId, demand: FactorDemand): Promise<SessionId[]> {
		if (demand === null) return [];
		const now = this.#now();
		const rows = await this.#database.db
			.selectFrom('session_portal as p')
			.innerJoin('session as s', 's.id', 'p.session')
			.innerJoin('membership as m', (join) => join.onRef('m.portal', '=', 'p.portal').onRef('m.employee', '=', 'p.employee').onRef('m.identity', '=', 's.userId'))
			.leftJoin('session_factor as f', 'f.session', 'p.session')
			.leftJoin('second_factor as t', 't.identity', 's.userId')
			.select(['p.session', 'm.created_at as joinedAt'])
			.where('p.portal', '=', portal)
			.where('f.session', 'is', null)
			.where('t.identity', 'is', null)
			.execute();
		return rows.filter(({ joinedAt }) => isOverdue(demand, joinedAt, now)).map(({ session }) => session as SessionId);
	}

	/** Who of a portal's people, dismissed ones included, has no second factor. */
	async peopleWithout(portal: PortalId): Promise<PersonId[]> {
		const rows = await this.#database.db
			.selectFrom('membership as m')
			.leftJoin('second_factor as t', 't.identity', 'm.identity')
			.select('m.employee')
			.where('m.portal', '=', portal)
			.where('t.identity', 'is', null)
			.execute();
		return rows.map(({ employee }) => employee as PersonId);
	}

	sweep(): void {
		this.codes.sweep();
	}
}
