/**
 * Invitations: a code, sent by letter, with which one address may join one portal once.
 *
 * States of a code: open → claimed → accepted; a claim that is released, lapses or dies with the process is open again, so
 * that a crash in the middle of an acceptance loses nothing. Expired, replaced, withdrawn and accepted codes are all
 * simply unknown.
 * Promises: only the SHA-256 of a code is kept; one open invitation per portal and address; of any number of acceptances
 * at once exactly one claims.
 * Leaves to others: who may invite and how many, seats, the letter, and making the employee between claim and finish.
 */
import { createHash } from 'node:crypto';
import type { DepartmentId, GroupId, IdMaker, PersonId, PortalId, RandomBytes } from '#crdt-model/ids.ts';
import type { AccountsDatabase, InvitationRow } from './database.ts';
import { type Email, type EmailRefusal, parseEmail } from './email.ts';

export type InvitationId = `invitation_${string}`;

export interface Invitation {
	id: InvitationId;
	portal: PortalId;
	email: Email;
	department: DepartmentId | null;
	groups: readonly GroupId[];
	invitedBy: PersonId;
	createdAt: number;
	expiresAt: number;
}

export type Invited =
	/** `undo` puts back what was there before: for whoever finds that no letter may go. */
	| { outcome: 'invited'; code: string; invitation: Invitation; undo: () => Promise<void> }
	| { outcome: 'refused'; refusal: EmailRefusal };

/** Proof of being the one acceptance under way; good for one finish or release. */
export interface InvitationClaim {
	readonly claim: symbol;
	readonly codeDigest: string;
	readonly invitation: Invitation;
}
export type InvitationClaimed =
	| { outcome: 'claimed'; claim: InvitationClaim }
	| { outcome: 'unknown' }
	/** Another acceptance of this code is under way; it will be accepted or open again within the lapse. */
	| { outcome: 'being-accepted'; retryAfterSeconds: number };

/** Two weeks: a holiday long. */
export const INVITATION_MS = 14 * 24 * 3_600_000;
/** Making an employee takes well under a second; a caller that never came back must not hold the code until a restart. */
export const CLAIM_LAPSE_MS = 2 * 60_000;

/** 192 bits, so that guessing needs no ceiling. */
const CODE_BYTES = 24;
const CODE = /^[A-Za-z0-9_-]{32}$/;
const digest = (code: string): string => createHash('sha256').update(code).digest('base64url');

export class Invitations {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;
	readonly #random: RandomBytes;
	readonly #ids: IdMaker;
	readonly #read: (digest: string) => unknown;
	/** In memory on purpose: one process serves a portal, and its end releases every claim. */
	readonly #claims = new Map<string, { claim: symbol; claimedAt: number }>();

	constructor(database: AccountsDatabase, world: { now: () => number; random: RandomBytes; ids: IdMaker }) {
		this.#database = database;
		this.#ids = world.ids;
		this.#now = world.now;
		this.#random = world.random;
		this.#read = database.read('select * from invitation where code_sha256 = ? and accepted_at is null');
	}

	/** An open invitation of the same address to the same portal is replaced: the newest letter is the one that works. */
	async invite(request: {
		portal: PortalId;
		email: unknown;
		department?: DepartmentId | null;
		groups?: readonly GroupId[];
		invitedBy: PersonId;
	}): Promise<Invited> {
		const parsed = parseEmail(request.email);
		if (parsed.outcome === 'refused') return parsed;
		return this.#write({
			id: `invitation_${this.#ids.uuid()}`,
			portal: request.portal,
			email: parsed.email,
			department: request.department ?? null,
			groups: JSON.stringify(request.groups ?? []),
			invited_by: request.invitedBy
		});
	}

	/** The same invitation with a new code and time, in the name of whoever sends it anew; null where there is none that is open. */
	async renew(portal: PortalId, id: string, invitedBy: PersonId): Promise<Extract<Invited, { outcome: 'invited' }> | null> {
		const row = await this.#database.db.selectFrom('invitation').selectAll().where('portal', '=', portal).where('id', '=', id).where('accepted_at', 'is', null).executeTakeFirst();
		return row ? this.#write({ ...row, invited_by: invitedBy }) : null;
	}

	async #write(fields: Pick<InvitationRow, 'id' | 'portal' | 'email' | 'department' | 'groups' | 'invited_by'>): Promise<Extract<Invited, { outcome: 'invited' }>> {
		const code = Buffer.from(this.#random(new Uint8Array(CODE_BYTES))).toString('base64url');
		const now = this.#now();
		const { id, portal, email, department, groups, invited_by } = fields;
		const row: InvitationRow = { id, code_sha256: digest(code), portal, email, department, groups, invited_by, created_at: now, expires_at: now + INVITATION_MS, accepted_at: null };
		const replaced = await this.#database.db.transaction().execute(async (transaction) => {
			const before = await transaction
				.deleteFrom('invitation')
				.where('portal', '=', portal)
				.where('email', '=', email)
				.where('accepted_at', 'is', null)
				.returningAll()
				.execute();
			await transaction.insertInto('invitation').values(row).execute();
			return before;
		});
		const undo = () =>
			this.#database.db.transaction().execute(async (transaction) => {
				const removed = await transaction.deleteFrom('invitation').where('code_sha256', '=', row.code_sha256).where('accepted_at', 'is', null).executeTakeFirst();
				// Replaced or accepted meanwhile: what came later stands.
				if (removed.numDeletedRows > 0n && replaced.length > 0) await transaction.insertInto('invitation').values(replaced).execute();
			});
		return { outcome: 'invited', code, invitation: toInvitation(row), undo };
	}

	/** What the page behind the link shows before anyone accepts; null for any code that cannot be accepted. */
	open(code: unknown): Invitation | null {
		return this.#find(code)?.invitation ?? null;
	}

	/** Newest first. */
	async openOf(portal: PortalId): Promise<Invitation[]> {
		const rows = await this.#database.db
			.selectFrom('invitation')
			.selectAll()
			.where('portal', '=', portal)
			.where('accepted_at', 'is', null)
			.where('expires_at', '>', this.#now())
			.orderBy('created_at', 'desc')
			.execute();
		return rows.map(toInvitation);
	}

	async withdraw(portal: PortalId, id: string): Promise<boolean> {
		const result = await this.#database.db
			.deleteFrom('invitation')
			.where('portal', '=', portal)
			.where('id', '=', id)
			.where('accepted_at', 'is', null)
			.executeTakeFirst();
		return result.numDeletedRows > 0n;
	}

	/** Takes the code for one acceptance. No await between looking and taking: that is what lets exactly one win. */
	claim(code: unknown): InvitationClaimed {
		const found = this.#find(code);
		if (found === null) return { outcome: 'unknown' };
		const now = this.#now();
		const held = this.#claims.get(found.codeDigest);
		if (held !== undefined && now - held.claimedAt < CLAIM_LAPSE_MS) {
			return { outcome: 'being-accepted', retryAfterSeconds: Math.ceil((held.claimedAt + CLAIM_LAPSE_MS - now) / 1000) };
		}
		const claim = Symbol('invitation claim');
		this.#claims.set(found.codeDigest, { claim, claimedAt: now });
		return { outcome: 'claimed', claim: { claim, ...found } };
	}

	/**
	 * The employee and the membership exist: the code has done its work. Every open invitation of the address to the
	 * portal is closed with it, also one written while the acceptance ran. `lapsed` means that the claim had lapsed and
	 * another took the code over, or that it was finished or released before.
	 */
	async finish(claim: InvitationClaim): Promise<{ outcome: 'accepted' } | { outcome: 'lapsed' }> {
		if (!this.#holds(claim)) return { outcome: 'lapsed' };
		const { portal, email } = claim.invitation;
		await this.#database.db
			.updateTable('invitation')
			.set({ accepted_at: this.#now() })
			.where('portal', '=', portal)
			.where('email', '=', email)
			.where('accepted_at', 'is', null)
			.execute();
		// Only now: until the row says so, the claim is what keeps others out.
		this.#claims.delete(claim.codeDigest);
		return { outcome: 'accepted' };
	}

	/** The acceptance came to nothing (a wrong password, no seat): the code is open again. */
	release(claim: InvitationClaim): void {
		if (this.#holds(claim)) this.#claims.delete(claim.codeDigest);
	}

	/** Forgets expired invitations and lapsed claims; accepted invitations stay as a record. */
	async sweep(): Promise<void> {
		const now = this.#now();
		for (const [key, { claimedAt }] of this.#claims) if (now - claimedAt >= CLAIM_LAPSE_MS) this.#claims.delete(key);
		await this.#database.db
			.deleteFrom('invitation')
			.where('accepted_at', 'is', null)
			.where('expires_at', '<=', now)
			.execute();
	}

	#holds(claim: InvitationClaim): boolean {
		return this.#claims.get(claim.codeDigest)?.claim === claim.claim;
	}

	#find(code: unknown): { codeDigest: string; invitation: Invitation } | null {
		if (typeof code !== 'string' || !CODE.test(code)) return null;
		const codeDigest = digest(code);
		const row = this.#read(codeDigest) as InvitationRow | undefined;
		return row !== undefined && row.expires_at > this.#now() ? { codeDigest, invitation: toInvitation(row) } : null;
	}
}

function toInvitation(row: InvitationRow): Invitation {
	return {
		id: row.id as InvitationId,
		portal: row.portal as PortalId,
		email: row.email as Email,
		department: row.department as DepartmentId | null,
		groups: JSON.parse(row.groups) as GroupId[],
		invitedBy: row.invited_by as PersonId,
		createdAt: row.created_at,
		expiresAt: row.expires_at
	};
}
