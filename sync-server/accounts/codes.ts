/**
 * Codes of letters: whoever brings one back reads the mailbox that it was sent to.
 *
 * States of a code: open → taken or lapsed; a code that is taken, too old or of another purpose is simply unknown.
 * Promises: only the SHA-256 of a code is kept, and what it stands for only sealed; of any number of takings at once exactly one succeeds; of one purpose and
 * address a few are open at a time, so that nobody makes another person's letter worthless by asking again and again; of one purpose so many that a flood from
 * everywhere fills no disk.
 * Leaves to others: who may ask for a letter and how often (guard.ts), the letter.
 */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '#crdt-model/ids.ts';
import type { AccountsDatabase } from './database.ts';
import type { Email } from './email.ts';
import type { Vault } from './vault.ts';

declare const payload: unique symbol;
/** What a code is for, how long it is good, and the type of what it stands for. */
export interface CodePurpose<P> {
	readonly name: string;
	readonly lifetimeMs: number;
	readonly [payload]?: P;
}
export const codePurpose = <P>(name: string, lifetimeMs: number): CodePurpose<P> => ({ name, lifetimeMs });

export interface CodeIssued {
	readonly code: string;
	/** Milliseconds since 1970. */
	readonly expiresAt: number;
}

/** Open at once of one purpose and address; the oldest gives way. */
export const CODES_PER_ADDRESS = 5;
/**
 * Open at once of one purpose; the oldest give way, so that whoever asks now gets in. Ten hours in which as many letters of no portal leave as may
 * (`LETTERS_OF_NO_PORTAL_AND_HOUR`), and some 15 MB: what is beyond that is a flood, and was asked for from thousands of networks.
 */
export const CODES_PER_PURPOSE = 20_000;

/** 192 bits, so that guessing needs no ceiling of its own. */
const CODE_BYTES = 24;
const CODE = /^[A-Za-z0-9_-]{32}$/;
const digest = (code: string): string => createHash('sha256').update(code).digest('base64url');

export class Codes {
	readonly #database: AccountsDatabase;
	readonly #vault: Vault;
	readonly #now: () => number;
	readonly #random: RandomBytes;

	constructor(database: AccountsDatabase, vault: Vault, world: { now: () => number; random: RandomBytes }) {
		this.#database = database;
		this.#vault = vault;
		this.#now = world.now;
		this.#random = world.random;
	}

	async issue<P>({ name: purpose, lifetimeMs }: CodePurpose<P>, address: Email, says: P): Promise<CodeIssued> {
		const code = Buffer.from(this.#random(new Uint8Array(CODE_BYTES))).toString('base64url');
		const [code_sha256, created_at] = [digest(code), this.#now()];
		const expires_at = created_at + lifetimeMs;
		const sealed = this.#vault.seal(JSON.stringify(says), `code ${purpose} ${code_sha256}`);
		await this.#database.db.transaction().execute(async (transaction) => {
			await transaction.insertInto('letter_code').values({ code_sha256, purpose, address, sealed, created_at, expires_at }).execute();
			const ofPurpose = transaction.selectFrom('letter_code').select('code_sha256').where('purpose', '=', purpose).orderBy('created_at', 'desc').orderBy('code_sha256').limit(-1);
			for (const beyond of [ofPurpose.where('address', '=', address).offset(CODES_PER_ADDRESS), ofPurpose.offset(CODES_PER_PURPOSE)]) {
				await transaction.deleteFrom('letter_code').where('code_sha256', 'in', beyond).execute();
			}
		});
		return { code, expiresAt: expires_at };
	}

	/** What it stands for, and it stays good; null for an unknown one. */
	async open<P>(purpose: CodePurpose<P>, code: unknown): Promise<P | null> {
		if (!isCode(code)) return null;
		const row = await this.#database.db.selectFrom('letter_code').selectAll().where('code_sha256', '=', digest(code)).where('purpose', '=', purpose.name).executeTakeFirst();
		return row ? this.#read<P>(row) : null;
	}

	/** What it stands for, once. */
	async take<P>(purpose: CodePurpose<P>, code: unknown): Promise<P | null> {
		if (!isCode(code)) return null;
		const row = await this.#database.db.deleteFrom('letter_code').where('code_sha256', '=', digest(code)).where('purpose', '=', purpose.name).returningAll().executeTakeFirst();
		return row ? this.#read<P>(row) : null;
	}

	/** All of a purpose that went to an address. */
	async drop({ name }: CodePurpose<unknown>, address: Email): Promise<void> {
		await this.#database.db.deleteFrom('letter_code').where('purpose', '=', name).where('address', '=', address).execute();
	}

	async sweep(): Promise<void> {
		await this.#database.db.deleteFrom('letter_code').where('expires_at', '<=', this.#now()).execute();
	}

	#read<P>({ code_sha256, purpose, sealed, expires_at }: { code_sha256: string; purpose: string; sealed: string; expires_at: number }): P | null {
		if (expires_at <= this.#now()) return null;
		const text = this.#vault.open(sealed, `code ${purpose} ${code_sha256}`);
		return text === null ? null : (JSON.parse(text) as P);
	}
}

const isCode = (code: unknown): code is string => typeof code === 'string' && CODE.test(code);
