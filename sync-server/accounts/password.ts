/**
 * Passwords: what is allowed, how they are kept, and how many may be worked on at once.
 *
 * Promises: length counts, composition does not, and what everybody tries first is none; one password typed on two systems is one password (NFKC); at rest there
 * is only an Argon2id hash in the usual text form, which names its own cost, so that the cost can be raised later; however
 * many sign-ins arrive, hashing takes a bounded share of memory and threads.
 * Leaves to others: who may try, and how often (`attempts.ts`).
 */
import { argon2, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '#crdt-model/ids.ts';
import { isCommon } from './common-passwords.ts';
import type { Email } from './email.ts';

declare const brand: unique symbol;
export type Password = string & { readonly [brand]: 'password' };

export type PasswordRefusal = 'password-not-text' | 'password-too-short' | 'password-too-long' | 'password-is-email' | 'password-too-common';
export type PasswordParsed = { outcome: 'parsed'; password: Password } | { outcome: 'refused'; refusal: PasswordRefusal };

/** Characters, not bytes: NIST SP 800-63B asks for length over composition. */
export const PASSWORD_MIN = 8;
/** Enough for any passphrase; keeps a hostile megabyte away from normalising and hashing. */
export const PASSWORD_MAX = 200;

const refuse = (refusal: PasswordRefusal): PasswordParsed => ({ outcome: 'refused', refusal });

/** The form in which a password is hashed, or null if it can be nobody's. Rules for new passwords do not apply here. */
export function presentedPassword(value: unknown): Password | null {
	// A character has at most two code units, so the length is judged before anything walks the text.
	if (typeof value !== 'string' || value === '' || value.length > PASSWORD_MAX * 2) return null;
	return value.normalize('NFKC') as Password;
}

/** @param own words of the person, which are guessed soon: their names, their company's */
export function parsePassword(value: unknown, email: Email, own: readonly string[] = []): PasswordParsed {
	if (typeof value !== 'string') return refuse('password-not-text');
	if (value.length > PASSWORD_MAX * 2) return refuse('password-too-long');
	const length = [...value].length;
	if (length < PASSWORD_MIN) return refuse('password-too-short');
	if (length > PASSWORD_MAX) return refuse('password-too-long');
	if (value.trim().toLowerCase() === email) return refuse('password-is-email');
	const words = [...own.flatMap((text) => [text, ...text.split(/[\s._-]+/)]), ...email.split('@').flatMap((part) => [part, ...part.split(/[._+-]+/)])];
	if (isCommon(value, words)) return refuse('password-too-common');
	return { outcome: 'parsed', password: value.normalize('NFKC') as Password };
}

export interface PasswordHasher {
	hash(password: string): Promise<string>;
	/** False for a wrong password and for a stored text that is no hash; never throws for either. */
	verify(stored: string, password: string): Promise<boolean>;
}

/** OWASP's first recommendation for Argon2id: 19 MiB, two passes, one lane; about 50 ms here. */
export const ARGON2_COST = { memoryKib: 19_456, passes: 2, lanes: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
const STORED = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

type Argon2Cost = { memoryKib: number; passes: number; lanes: number };

/** Tests pass a smaller cost; a stored hash is verified at the cost that it names. */
export function argon2Hasher(random: RandomBytes, cost: Argon2Cost = ARGON2_COST): PasswordHasher {
	const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
	return {
		async hash(password) {
			const salt = random(new Uint8Array(SALT_BYTES));
			const tag = await derive(password, salt, cost, TAG_BYTES);
			return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=${cost.lanes}$${base64(salt)}$${base64(tag)}`;
		},
		async verify(stored, password) {
			const parts = STORED.exec(stored);
			if (parts === null) return false;
			const expected = Buffer.from(parts[5]!, 'base64');
			const named = { memoryKib: Number(parts[1]), passes: Number(parts[2]), lanes: Number(parts[3]) };
			const tag = await derive(password, Buffer.from(parts[4]!, 'base64'), named, expected.length);
			return timingSafeEqual(tag, expected);
		}
	};
}

function derive(message: string, nonce: Uint8Array, cost: Argon2Cost, tagLength: number): Promise<Buffer> {
	const parameters = { message, nonce, memory: cost.memoryKib, passes: cost.passes, parallelism: cost.lanes, tagLength };
	return new Promise((resolve, reject) =>
		argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)))
	);
}

/** Node has four threads for files, names and hashing together; one stays free for files while people sign in. */
export const HASHES_AT_ONCE = 3;
/** A company's morning; some fifteen seconds of waiting at the cost above. Who comes later is better told to try again. */
export const HASHES_WAITING = 1_000;

export type Queued<T> = { outcome: 'done'; value: T } | { outcome: 'full' };

/** Lets a few hashes run at once and a bounded number wait, first come, first served. */
export class HashQueue {
	#running = 0;
	readonly #waiting: (() => void)[] = [];

	async run<T>(work: () => Promise<T>): Promise<Queued<T>> {
		if (this.#running >= HASHES_AT_ONCE) {
			if (this.#waiting.length >= HASHES_WAITING) return { outcome: 'full' };
			// Whoever finishes hands its place over, so the count stays right without a second look.
			await new Promise<void>((go) => this.#waiting.push(go));
		} else {
			this.#running++;
		}
		try {
			return { outcome: 'done', value: await work() };
		} finally {
			const next = this.#waiting.shift();
			if (next) next();
			else this.#running--;
		}
	}
}
