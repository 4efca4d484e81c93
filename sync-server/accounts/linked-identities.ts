/**
 * Linked identities: which account at which provider is which identity here.
 *
 * Promises: an account is one identity's, an identity has one account of each provider; who it is follows from issuer and subject, so that a provider which is
 * configured anew under the same name opens nothing.
 * Leaves to others: asking the provider (`oidc.ts`), and who may link.
 */
import { type AccountsDatabase, isUniqueViolation } from './database.ts';
import type { IdentityId } from './identities.ts';
import type { ProvidersWord } from './oidc.ts';

export interface LinkedIdentity {
	readonly provider: string;
	/** The account's address or name, as the provider said when it was last used. */
	readonly label: string | null;
	readonly linkedAt: number;
	readonly lastUsedAt: number | null;
}

export type Linked = { outcome: 'linked' } /** The account is another identity's, or this identity has one of the provider already. */ | { outcome: 'taken' };

export class LinkedIdentities {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;

	constructor(database: AccountsDatabase, now: () => number) {
		this.#database = database;
		this.#now = now;
	}

	/** Repeating is harmless. */
	async link(identity: IdentityId, { provider, issuer, subject, label }: ProvidersWord): Promise<Linked> {
		const row = { issuer, subject, identity, provider, label, linked_at: this.#now(), last_used_at: null };
		try {
			await this.#database.db.insertInto('linked_identity').values(row).execute();
			return { outcome: 'linked' };
		} catch (error) {
			if (!isUniqueViolation(error)) throw error;
			const present = await this.#database.db.selectFrom('linked_identity').select('identity').where('issuer', '=', issuer).where('subject', '=', subject).executeTakeFirst();
			return { outcome: present?.identity === identity ? 'linked' : 'taken' };
		}
	}

	/** Whose account it is, which is noted as used; null where it is nobody's. */
	async recognise({ issuer, subject, label }: ProvidersWord): Promise<IdentityId | null> {
		const used = await this.#database.db
			.updateTable('linked_identity')
			.set({ last_used_at: this.#now(), label })
			.where('issuer', '=', issuer)
			.where('subject', '=', subject)
			.returning('identity')
			.executeTakeFirst();
		return (used?.identity as IdentityId | undefined) ?? null;
	}

	async of(identity: IdentityId): Promise<LinkedIdentity[]> {
		return this.#database.db
			.selectFrom('linked_identity')
			.select(['provider', 'label', 'linked_at as linkedAt', 'last_used_at as lastUsedAt'])
			.where('identity', '=', identity)
			.orderBy('provider')
			.execute();
	}

	/** False if there was none. */
	async unlink(identity: IdentityId, provider: string): Promise<boolean> {
		const removed = await this.#database.db.deleteFrom('linked_identity').where('identity', '=', identity).where('provider', '=', provider).executeTakeFirst();
		return removed.numDeletedRows > 0n;
	}
}
