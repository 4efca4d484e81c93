/**
 * Invitation links: a code with which anybody who has it may ask to join one portal, as often as it is used until it ends.
 *
 * Promises: only the SHA-256 of a code is kept, so that it is shown once, to whoever made it; expired and withdrawn codes are simply unknown.
 * Leaves to others: who may make one, whether whoever made it still may, and what becomes of whoever uses it (`joins.ts`).
 */
import { createHash } from 'node:crypto';
import type { DepartmentId, GroupId, IdMaker, PersonId, PortalId, RandomBytes } from '#crdt-model/ids.ts';
import type { AccountsDatabase, InvitationLinkRow } from './database.ts';

export type InvitationLinkId = `link_${string}`;
export interface InvitationLink {
	readonly id: InvitationLinkId;
	readonly portal: PortalId;
	readonly department: DepartmentId | null;
	readonly groups: readonly GroupId[];
	/** Whether an administrator decides about whoever uses it. */
	readonly approval: boolean;
	readonly createdBy: PersonId;
	/** Milliseconds since 1970, as `expiresAt`. */
	readonly createdAt: number;
	readonly expiresAt: number;
	/** How often somebody answered the letter that it led to. */
	readonly uses: number;
}

/** Links of a portal that are open at once: one for each larger department, and no list that nobody can look through. */
export const LINKS_PER_PORTAL = 50;

/** 192 bits, so that guessing is hopeless; it is counted all the same. */
const CODE_BYTES = 24;
/** Tells it apart from the code of a letter, which stands on the same page's address. */
const CODE = /^link-[A-Za-z0-9_-]{32}$/;
export const isLinkCode = (code: unknown): code is string => typeof code === 'string' && CODE.test(code);
const digest = (code: string): string => createHash('sha256').update(code).digest('base64url');

export class InvitationLinks {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;
	readonly #random: RandomBytes;
	readonly #ids: IdMaker;

	constructor(database: AccountsDatabase, world: { now: () => number; random: RandomBytes; ids: IdMaker }) {
		this.#database = database;
		this.#now = world.now;
		this.#random = world.random;
		this.#ids = world.ids;
	}

	/** Null where the portal has as many as it may. */
	async make(link: Omit<InvitationLink, 'id' | 'createdAt' | 'uses'>): Promise<{ link: InvitationLink; code: string } | null> {
		const code = `link-${Buffer.from(this.#random(new Uint8Array(CODE_BYTES))).toString('base64url')}`;
		const now = this.#now();
		const row: InvitationLinkRow = {
			id: `link_${this.#ids.uuid()}`,
			code_sha256: digest(code),
			portal: link.portal,
			department: link.department,
			groups: JSON.stringify(link.groups),
			approval: link.approval ? 1 : 0,
			created_by: link.createdBy,
			created_at: now,
			expires_at: link.expiresAt,
			uses: 0
		};
		return this.#database.db.transaction().execute(async (transaction) => {
			const { count } = await transaction
				.selectFrom('invitation_link')
				.select((eb) => eb.fn.countAll<number>().as('count'))
				.where('portal', '=', link.portal)
				.where('expires_at', '>', now)
				.executeTakeFirstOrThrow();
			if (count >= LINKS_PER_PORTAL) return null;
			await transaction.insertInto('invitation_link').values(row).execute();
			return { link: toLink(row), code };
		});
	}

	async open(code: unknown): Promise<InvitationLink | null> {
		if (!isLinkCode(code)) return null;
		const row = await this.#living().where('code_sha256', '=', digest(code)).executeTakeFirst();
		return row ? toLink(row) : null;
	}

	async get(id: string): Promise<InvitationLink | null> {
		const row = await this.#living().where('id', '=', id).executeTakeFirst();
		return row ? toLink(row) : null;
	}

	/** Newest first. */
	async openOf(portal: PortalId): Promise<InvitationLink[]> {
		const rows = await this.#living().where('portal', '=', portal).orderBy('created_at', 'desc').orderBy('id').execute();
		return rows.map(toLink);
	}

	async used(id: InvitationLinkId): Promise<void> {
		await this.#database.db.updateTable('invitation_link').set((eb) => ({ uses: eb('uses', '+', 1) })).where('id', '=', id).execute();
	}

	async withdraw(portal: PortalId, id: string): Promise<boolean> {
		const removed = await this.#database.db.deleteFrom('invitation_link').where('portal', '=', portal).where('id', '=', id).executeTakeFirst();
		return removed.numDeletedRows > 0n;
	}

	async sweep(): Promise<void> {
		await this.#database.db.deleteFrom('invitation_link').where('expires_at', '<=', this.#now()).execute();
	}

	#living() {
		return this.#database.db.selectFrom('invitation_link').selectAll().where('expires_at', '>', this.#now());
	}
}

const toLink = (row: InvitationLinkRow): InvitationLink => ({
	id: row.id as InvitationLinkId,
	portal: row.portal as PortalId,
	department: row.department as DepartmentId | null,
	groups: JSON.parse(row.groups) as GroupId[],
	approval: row.approval === 1,
	createdBy: row.created_by as PersonId,
	createdAt: row.created_at,
	expiresAt: row.expires_at,
	uses: row.uses
});
