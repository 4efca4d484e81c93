/**
 * Memberships: which identity is which employee of which portal.
 *
 * Promises: an identity has one employee in a portal and an employee has one identity; adding what is already there is no
 * error, so that an acceptance broken off half-way can be repeated; removing one takes the employee's sessions with it.
 * Leaves to others: the employee record itself and its rights.
 */
import type { PersonId, PortalId } from '#crdt-model/ids.ts';
import { type AccountsDatabase, isUniqueViolation } from './database.ts';
import type { IdentityId } from './identities.ts';

export interface Membership {
	portal: PortalId;
	employee: PersonId;
}

export interface HeldMembership extends Membership {
	/** Milliseconds since 1970. */
	joinedAt: number;
}

export type MembershipAdded =
	| { outcome: 'added' }
	/** The identity is already in the portal, as this employee; it may be the one that was asked for. */
	| { outcome: 'already-member'; employee: PersonId }
	| { outcome: 'employee-taken' };

export class Memberships {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;

	constructor(database: AccountsDatabase, now: () => number) {
		this.#database = database;
		this.#now = now;
	}

	async add({ identity, portal, employee }: Membership & { identity: IdentityId }): Promise<MembershipAdded> {
		try {
			const row = { identity, portal, employee, created_at: this.#now() };
			await this.#database.db.insertInto('membership').values(row).execute();
			return { outcome: 'added' };
		} catch (error) {
			if (!isUniqueViolation(error)) throw error;
			const present = (await this.of(identity)).find((membership) => membership.portal === portal);
			return present ? { outcome: 'already-member', employee: present.employee } : { outcome: 'employee-taken' };
		}
	}

	/** Oldest first: where a sign-in names no portal, the first is the one that the person has had longest. */
	async of(identity: IdentityId): Promise<HeldMembership[]> {
		const rows = await this.#database.db
			.selectFrom('membership')
			.select(['portal', 'employee', 'created_at as joinedAt'])
			.where('identity', '=', identity)
			.orderBy('created_at')
			.orderBy('portal')
			.execute();
		return rows as HeldMembership[];
	}

	async identityOf(portal: PortalId, employee: PersonId): Promise<IdentityId | null> {
		const row = await this.#database.db
			.selectFrom('membership')
			.select('identity')
			.where('portal', '=', portal)
			.where('employee', '=', employee)
			.executeTakeFirst();
		return row === undefined ? null : (row.identity as IdentityId);
	}

	/** The caller ends the sessions; until then they resolve to nothing, because a session is read with its membership. */
	async remove(portal: PortalId, employee: PersonId): Promise<boolean> {
		const result = await this.#database.db
			.deleteFrom('membership')
			.where('portal', '=', portal)
			.where('employee', '=', employee)
			.executeTakeFirst();
		return result.numDeletedRows > 0n;
	}
}
