/**
 * People who ask to join: by an invitation link, or by registering themselves.
 *
 * States of a request: asked → confirmed (the letter was answered) → waiting for a decision | in; refused and lapsed ones are gone. Until the letter is answered it is a
 * stranger's claim about an address and means nothing to anybody: it is shown to nobody, and makes no identity.
 * Promises: only the SHA-256 of a code is kept, and of a password its hash; of any number of confirmations or decisions at once exactly one holds; one waiting request of an
 * address in a portal; how many are kept of a portal is bounded, and the oldest unanswered ones give way.
 * Leaves to others: whether one may ask here, whether somebody has to decide, letters, making the employee.
 */
import { createHash } from 'node:crypto';
import type { IdMaker, PortalId, RandomBytes } from '#crdt-model/ids.ts';
import type { Language } from '#crdt-model/kinds/settings.ts';
import type { AccountsDatabase, JoinRequestRow } from './database.ts';
import type { Email } from './email.ts';
import type { InvitationLinkId } from './invitation-links.ts';

export type JoinRequestId = `join_${string}`;
export interface JoinRequest {
	readonly id: JoinRequestId;
	readonly portal: PortalId;
	/** By which link; null: they registered themselves. */
	readonly link: InvitationLinkId | null;
	readonly email: Email;
	readonly firstName: string;
	readonly lastName: string;
	readonly login: string | null;
	readonly language: Language;
	readonly hash: string;
	/** In which browser they asked (askers.ts). */
	readonly asker: string | null;
	/** Milliseconds since 1970, as `confirmedAt`. */
	readonly createdAt: number;
	readonly confirmedAt: number | null;
}

/** Proof of being the one who decides about a request now; good for one finish or release. */
export interface JoinClaim {
	readonly claim: symbol;
	readonly request: JoinRequest;
}
export type JoinClaimed = { outcome: 'claimed'; claim: JoinClaim } | { outcome: 'unknown' } | { outcome: 'being-decided'; retryAfterSeconds: number };

/** A weekend: letters are read on Monday. */
export const JOIN_MS = 3 * 24 * 3_600_000;
/** A request that waits for a decision so long was forgotten by both. */
export const JOIN_WAITING_MS = 60 * 24 * 3_600_000;
/** Unanswered requests of a portal: what a flood leaves behind. The oldest give way. */
export const JOINS_ASKED_PER_PORTAL = 1_000;
/** Requests that wait for a decision in a portal: more than anybody decides about one by one. */
export const JOINS_WAITING_PER_PORTAL = 500;
/** Deciding takes well under a second; whoever never came back must not hold the request until a restart. */
const CLAIM_LAPSE_MS = 2 * 60_000;

const CODE_BYTES = 24;
const CODE = /^[A-Za-z0-9_-]{32}$/;
const digest = (code: string): string => createHash('sha256').update(code).digest('base64url');

export class Joins {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;
	readonly #random: RandomBytes;
	readonly #ids: IdMaker;
	readonly #claims = new Map<string, { claim: symbol; claimedAt: number }>();
	readonly #waiting: (portal: string) => unknown;

	constructor(database: AccountsDatabase, world: { now: () => number; random: RandomBytes; ids: IdMaker }) {
		this.#database = database;
		this.#now = world.now;
		this.#random = world.random;
		this.#ids = world.ids;
		this.#waiting = database.read('select count(*) as people from join_request where portal = ? and confirmed_at is not null');
	}

	/** Keeps a request until its letter is answered, and says the letter's code. */
	async ask(asked: Omit<JoinRequest, 'id' | 'createdAt' | 'confirmedAt'>): Promise<{ code: string; expiresAt: number }> {
		const code = Buffer.from(this.#random(new Uint8Array(CODE_BYTES))).toString('base64url');
		const now = this.#now();
		const row: JoinRequestRow = {
			id: `join_${this.#ids.uuid()}`,
			code_sha256: digest(code),
			portal: asked.portal,
			link: asked.link,
			email: asked.email,
			first_name: asked.firstName,
			last_name: asked.lastName,
			login: asked.login,
			language: asked.language,
			hash: asked.hash,
			asker_sha256: asked.asker,
			created_at: now,
			expires_at: now + JOIN_MS,
			confirmed_at: null
		};
		await this.#database.db.transaction().execute(async (transaction) => {
			const beyond = transaction
				.selectFrom('join_request')
				.select('id')
				.where('portal', '=', asked.portal)
				.where('confirmed_at', 'is', null)
				.orderBy('created_at', 'desc')
				.orderBy('id', 'desc')
				.limit(JOINS_ASKED_PER_PORTAL)
				.offset(JOINS_ASKED_PER_PORTAL - 1);
			await transaction.deleteFrom('join_request').where('id', 'in', beyond).execute();
			await transaction.insertInto('join_request').values(row).execute();
		});
		return { code, expiresAt: row.expires_at };
	}

	/** Takes the code of a letter for one confirmation. */
	async claimByCode(code: unknown): Promise<JoinClaimed> {
		if (typeof code !== 'string' || !CODE.test(code)) return { outcome: 'unknown' };
		return this.#claim(() => this.#living().where('code_sha256', '=', digest(code)).where('confirmed_at', 'is', null).executeTakeFirst());
	}

	/** Takes a request of this portal that waits, for one decision. */
	async claimWaiting(portal: PortalId, id: string): Promise<JoinClaimed> {
		return this.#claim(() => this.#living().where('portal', '=', portal).where('id', '=', id).where('confirmed_at', 'is not', null).executeTakeFirst());
	}

	/** The letter was answered and somebody has to decide; the password is the request's hash by then, whoever chose the first one. Replaces an older request of the address. `full`: too many wait, and nothing changed. */
	async wait({ claim, request }: JoinClaim): Promise<'waiting' | 'full' | 'lapsed'> {
		if (!this.#holds(claim, request.id)) return 'lapsed';
		const { id, portal, email, hash } = request;
		const now = this.#now();
		const became = await this.#database.db.transaction().execute(async (transaction) => {
			await transaction.deleteFrom('join_request').where('portal', '=', portal).where('email', '=', email).where('id', '!=', id).where('confirmed_at', 'is not', null).execute();
			const { count } = await transaction
				.selectFrom('join_request')
				.select((eb) => eb.fn.countAll<number>().as('count'))
				.where('portal', '=', portal)
				.where('confirmed_at', 'is not', null)
				.executeTakeFirstOrThrow();
			if (count >= JOINS_WAITING_PER_PORTAL) return 'full';
			await transaction.updateTable('join_request').set({ code_sha256: null, hash, asker_sha256: null, confirmed_at: now, expires_at: now + JOIN_WAITING_MS }).where('id', '=', id).execute();
			return 'waiting';
		});
		this.#claims.delete(id);
		return became;
	}

	/** The person is in, or was refused: whatever the address asked of the portal is over. */
	async finish({ claim, request }: JoinClaim): Promise<void> {
		await this.#database.db.deleteFrom('join_request').where('portal', '=', request.portal).where('email', '=', request.email).execute();
		if (this.#holds(claim, request.id)) this.#claims.delete(request.id);
	}

	/** It came to nothing (no seat): the code or the request is as it was. */
	release({ claim, request }: JoinClaim): void {
		if (this.#holds(claim, request.id)) this.#claims.delete(request.id);
	}

	/** Oldest first: who waits longest is read first. */
	async waiting(portal: PortalId): Promise<JoinRequest[]> {
		const rows = await this.#living().where('portal', '=', portal).where('confirmed_at', 'is not', null).orderBy('confirmed_at').orderBy('id').execute();
		return rows.map(toRequest);
	}

	/** One look, for what is told over /sync. */
	countWaiting(portal: PortalId): number {
		return (this.#waiting(portal) as { people: number }).people;
	}

	async sweep(): Promise<void> {
		const now = this.#now();
		for (const [key, { claimedAt }] of this.#claims) if (now - claimedAt >= CLAIM_LAPSE_MS) this.#claims.delete(key);
		await this.#database.db.deleteFrom('join_request').where('expires_at', '<=', now).execute();
	}

	async #claim(find: () => Promise<JoinRequestRow | undefined>): Promise<JoinClaimed> {
		const row = await find();
		if (!row) return { outcome: 'unknown' };
		const now = this.#now();
		const held = this.#claims.get(row.id);
		if (held !== undefined && now - held.claimedAt < CLAIM_LAPSE_MS) {
			return { outcome: 'being-decided', retryAfterSeconds: Math.ceil((held.claimedAt + CLAIM_LAPSE_MS - now) / 1000) };
		}
		const claim = Symbol('join claim');
		this.#claims.set(row.id, { claim, claimedAt: now });
		// Between the look above and the claim another may have finished it: what is there now counts.
		const present = await find();
		if (!present) {
			this.#claims.delete(row.id);
			return { outcome: 'unknown' };
		}
		return { outcome: 'claimed', claim: { claim, request: toRequest(present) } };
	}

	#holds(claim: symbol, id: JoinRequestId): boolean {
		return this.#claims.get(id)?.claim === claim;
	}
	#living() {
		return this.#database.db.selectFrom('join_request').selectAll().where('expires_at', '>', this.#now());
	}
}

const toRequest = (row: JoinRequestRow): JoinRequest => ({
	id: row.id as JoinRequestId,
	portal: row.portal as PortalId,
	link: row.link as InvitationLinkId | null,
	email: row.email as Email,
	firstName: row.first_name,
	lastName: row.last_name,
	login: row.login,
	language: row.language as Language,
	hash: row.hash,
	asker: row.asker_sha256,
	createdAt: row.created_at,
	confirmedAt: row.confirmed_at
});
