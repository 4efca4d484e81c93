/**
 * Letters on disk: what waits, what failed, and how many went.
 *
 * States of a letter: waiting → sent | failed; a failed one may be made waiting again. What it says, its code among it, lies here sealed by the vault,
 * and is gone with the sending; that it went stays for a day, because letters are counted.
 * Promises: a letter that was kept is sent or shown as failed, also over a restart; it may be sent twice where the process ends between the mail server's answer
 * and the disk; letters beyond a ceiling are not kept, however many are asked for at once.
 * Leaves to others: composing and sending (`letters.ts`), the numbers (`letter-limits.ts`).
 */
import type { IdMaker, PortalId } from '#crdt-model/ids.ts';
import type { AccountsDatabase, LetterRow } from './database.ts';
import type { Email } from './email.ts';
import type { Letter, LetterKind } from './letter-kinds.ts';
import { countedWith, DAY_MS, HOUR_MS, LETTERS_OF_NO_PORTAL_AND_HOUR, LETTERS_PER_NETWORK_AND_HOUR, LETTERS_WAITING, perAddressAndHour, sortOf } from './letter-limits.ts';
import type { Vault } from './vault.ts';

export type LetterId = `letter_${string}`;
export type LetterReason =
	/** The mail server did not answer, or not to the end. */
	| 'server-away'
	/** It answered, and not now (4xx), or will not let us in. */
	| 'server-busy'
	/** It refused this letter for good. */
	| 'server-refused'
	/** The mail folder cannot be written. */
	| 'cannot-write'
	/** Its link would no longer work when it arrives. */
	| 'link-too-old'
	/** Sealed under a key that is not here any more. */
	| 'sealed-elsewhere'
	/** Too many wait. */
	| 'queue-full';

export interface WaitingLetter {
	readonly id: LetterId;
	readonly to: Email;
	readonly portal: PortalId | null;
	readonly tries: number;
	/** Null where the key of the vault is another. */
	readonly letter: Letter | null;
}
/** What administrators see: never what it says. */
export interface LetterShown {
	readonly id: LetterId;
	readonly kind: LetterKind;
	readonly to: Email;
	readonly state: 'waiting' | 'failed';
	readonly tries: number;
	readonly reason: LetterReason | null;
	readonly detail: string | null;
	/** Milliseconds since 1970, as `nextTryAt`. */
	readonly createdAt: number;
	readonly nextTryAt: number | null;
}
export interface NewLetter {
	readonly to: Email;
	readonly letter: Letter;
	readonly portal: PortalId | null;
	readonly network: string | null;
	/** What the portal may send in a day. */
	readonly perPortalAndDay: number;
	readonly dueAt: number;
}
export type LetterKept = { outcome: 'kept'; letter: WaitingLetter } | { outcome: 'limited'; retryAfterSeconds: number } | { outcome: 'full' };

/** Failed letters are shown for so long; then the invitation or the like that they spoke of is over as well. */
const FAILED_KEPT_MS = 14 * DAY_MS;
/** More than an administrator reads. */
const SHOWN_AT_ONCE = 500;

const purpose = (id: LetterId): string => `letter ${id}`;

export class LetterStore {
	readonly #database: AccountsDatabase;
	readonly #vault: Pick<Vault, 'seal' | 'open'>;
	readonly #now: () => number;
	readonly #ids: IdMaker;
	readonly #counts: () => unknown;

	constructor(database: AccountsDatabase, vault: Pick<Vault, 'seal' | 'open'>, world: { now: () => number; ids: IdMaker }) {
		this.#database = database;
		this.#vault = vault;
		this.#now = world.now;
		this.#ids = world.ids;
		this.#counts = database.read(`select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'failed') as failed from letter`);
	}

	/** Counts and keeps in one transaction: of many at once no more pass than may. */
	async keep({ to, letter, portal, network, perPortalAndDay, dueAt }: NewLetter): Promise<LetterKept> {
		const id: LetterId = `letter_${this.#ids.uuid()}`;
		const now = this.#now();
		const sort = sortOf(letter.kind);
		const row: LetterRow = {
			id,
			portal,
			kind: letter.kind,
			sort,
			recipient: to,
			network,
			state: 'waiting',
			tries: 0,
			reason: null,
			detail: null,
			created_at: now,
			due_at: dueAt,
			sealed: this.#vault.seal(JSON.stringify(letter), purpose(id))
		};
		return this.#database.db.transaction().execute(async (transaction): Promise<LetterKept> => {
			const letters = () => transaction.selectFrom('letter').select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min('created_at').as('oldest')]);
			const { count: waiting } = await letters().where('state', '=', 'waiting').executeTakeFirstOrThrow();
			if (waiting >= LETTERS_WAITING) return { outcome: 'full' };
			const ceilings = [
				{ within: HOUR_MS, most: perAddressAndHour(sort), query: letters().where('recipient', '=', to).where('sort', '=', sort) },
				...(network === null ? [] : [{ within: HOUR_MS, most: LETTERS_PER_NETWORK_AND_HOUR, query: letters().where('network', '=', network) }]),
				portal === null
					? { within: HOUR_MS, most: LETTERS_OF_NO_PORTAL_AND_HOUR, query: letters().where('portal', 'is', null).where('sort', '=', sort) }
					: { within: DAY_MS, most: perPortalAndDay, query: letters().where('portal', '=', portal).where('sort', 'in', countedWith(sort)) }
			];
			for (const { within, most, query } of ceilings) {
				const { count, oldest } = await query.where('created_at', '>', now - within).executeTakeFirstOrThrow();
				if (count >= most) return { outcome: 'limited', retryAfterSeconds: Math.max(1, Math.ceil(((oldest ?? now) + within - now) / 1000)) };
			}
			await transaction.insertInto('letter').values(row).execute();
			return { outcome: 'kept', letter: { id, to, portal, tries: 0, letter } };
		});
	}

	/** Those whose time has come, the longest due first. */
	async due(most: number): Promise<WaitingLetter[]> {
		const rows = await this.#database.db.selectFrom('letter').selectAll().where('state', '=', 'waiting').where('due_at', '<=', this.#now()).orderBy('due_at').orderBy('id').limit(most).execute();
		return rows.map((row) => this.#opened(row));
	}

	/** Milliseconds since 1970; null where none waits. */
	async nextDueAt(): Promise<number | null> {
		const row = await this.#database.db.selectFrom('letter').select('due_at').where('state', '=', 'waiting').orderBy('due_at').limit(1).executeTakeFirst();
		return row?.due_at ?? null;
	}

	async sent(id: LetterId): Promise<void> {
		await this.#database.db.updateTable('letter').set({ state: 'sent', sealed: null, reason: null, detail: null, due_at: null }).where('id', '=', id).execute();
	}

	async postpone(id: LetterId, state: { tries: number; reason: LetterReason; detail: string; dueAt: number }): Promise<void> {
		const { tries, reason, detail, dueAt } = state;
		await this.#database.db.updateTable('letter').set({ tries, reason, detail, due_at: dueAt }).where('id', '=', id).where('state', '=', 'waiting').execute();
	}

	async fail(id: LetterId, state: { tries: number; reason: LetterReason; detail: string }): Promise<void> {
		const { tries, reason, detail } = state;
		await this.#database.db.updateTable('letter').set({ state: 'failed', tries, reason, detail, due_at: null }).where('id', '=', id).execute();
	}

	/** A portal's waiting and failed letters, newest first. */
	async shown(portal: PortalId): Promise<LetterShown[]> {
		const rows = await this.#database.db
			.selectFrom('letter')
			.selectAll()
			.where('portal', '=', portal)
			.where('state', '!=', 'sent')
			.orderBy('created_at', 'desc')
			.orderBy('id')
			.limit(SHOWN_AT_ONCE)
			.execute();
		return rows.map((row) => ({
			id: row.id as LetterId,
			kind: row.kind as LetterKind,
			to: row.recipient as Email,
			state: row.state as 'waiting' | 'failed',
			tries: row.tries,
			reason: row.reason as LetterReason | null,
			detail: row.detail,
			createdAt: row.created_at,
			nextTryAt: row.due_at
		}));
	}

	/** Makes one of a portal's letters due now and says what it is; null where the portal has none of that id that waits or failed. */
	async again(portal: PortalId, id: string): Promise<WaitingLetter | null> {
		const row = await this.#database.db
			.updateTable('letter')
			.set({ state: 'waiting', tries: 0, due_at: this.#now() + HOUR_MS })
			.where('portal', '=', portal)
			.where('id', '=', id)
			.where('state', '!=', 'sent')
			.returningAll()
			.executeTakeFirst();
		return row ? this.#opened(row) : null;
	}

	/** Only its words: that it was asked for goes on counting. */
	async remove(portal: PortalId, id: string): Promise<boolean> {
		const removed = await this.#database.db
			.updateTable('letter')
			.set({ state: 'sent', sealed: null, due_at: null })
			.where('portal', '=', portal)
			.where('id', '=', id)
			.where('state', '!=', 'sent')
			.executeTakeFirst();
		return removed.numUpdatedRows > 0n;
	}

	/** Whether one of the kind was asked for in the last hour, whatever became of it. */
	async wentWithinTheHour(portal: PortalId, kind: LetterKind): Promise<boolean> {
		const row = await this.#database.db.selectFrom('letter').select('id').where('portal', '=', portal).where('kind', '=', kind).where('created_at', '>', this.#now() - HOUR_MS).limit(1).executeTakeFirst();
		return row !== undefined;
	}

	/** For the numbers that are watched: one look. */
	get counts(): { readonly waiting: number; readonly failed: number } {
		return this.#counts() as { waiting: number; failed: number };
	}

	async sweep(): Promise<void> {
		const now = this.#now();
		await this.#database.db.deleteFrom('letter').where('state', '=', 'sent').where('created_at', '<=', now - DAY_MS).execute();
		await this.#database.db.deleteFrom('letter').where('state', '=', 'failed').where('created_at', '<=', now - FAILED_KEPT_MS).execute();
	}

	#opened(row: LetterRow): WaitingLetter {
		const id = row.id as LetterId;
		const text = this.#vault.open(row.sealed, purpose(id));
		return { id, to: row.recipient as Email, portal: row.portal as PortalId | null, tries: row.tries, letter: text === null ? null : (JSON.parse(text) as Letter) };
	}
}
