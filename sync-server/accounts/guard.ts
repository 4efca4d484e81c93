/**
 * The guard: every judging of a password or a code passes here, and whoever fails too often waits.
 *
 * Promises: a place in each window first, then the judging in a bounded queue, and only failures weigh; neither a fault of ours nor a full queue is the
 * person's failure; what is asked of a stranger's mailbox (letters) is counted whether it succeeds or not.
 */
import { ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NETWORK, AttemptWindow, type AttemptTaken, CODES_PER_IDENTITY, LETTERS_ASKED_PER_ADDRESS, LETTERS_ASKED_PER_NETWORK, networkOf } from './attempts.ts';
import type { Email } from './email.ts';
import type { IdentityId } from './identities.ts';
import type { LetterSort } from './letter-limits.ts';
import { HashQueue } from './password.ts';

export type TooManyAttempts = { outcome: 'too-many-attempts'; retryAfterSeconds: number };
export type Guarded<T> = { outcome: 'judged'; value: T } | TooManyAttempts;
export type Ip = string | null | undefined;

/** A full line for hashing drains within about three times this. */
const QUEUE_RETRY_SECONDS = 5;

type Taken = Extract<AttemptTaken, { outcome: 'taken' }>;
type Judged<T> = { right: boolean; value: T };

export class Guard {
	readonly #queue = new HashQueue();
	readonly #byAddress: AttemptWindow;
	readonly #byNetwork: AttemptWindow;
	readonly #codes: AttemptWindow;
	readonly #lettersByAddress: AttemptWindow;
	readonly #lettersByNetwork: AttemptWindow;

	constructor(now: () => number) {
		this.#byAddress = new AttemptWindow(ATTEMPTS_PER_ADDRESS, now);
		this.#byNetwork = new AttemptWindow(ATTEMPTS_PER_NETWORK, now);
		this.#codes = new AttemptWindow(CODES_PER_IDENTITY, now);
		this.#lettersByAddress = new AttemptWindow(LETTERS_ASKED_PER_ADDRESS, now);
		this.#lettersByNetwork = new AttemptWindow(LETTERS_ASKED_PER_NETWORK, now);
	}

	/** A password. @param account the address or the login, as it was typed */
	password<T>(account: Email | string, ip: Ip, judge: () => Promise<Judged<T>>): Promise<Guarded<T>> {
		return this.#judge([[this.#byNetwork, networkKey(ip)], [this.#byAddress, account]], async () => {
			const queued = await this.#queue.run(judge);
			return queued.outcome === 'full' ? null : queued.value;
		});
	}

	/** The code of a second factor: six digits are guessed sooner than a password. */
	code(identity: IdentityId, ip: Ip, check: () => Promise<boolean>): Promise<Guarded<boolean>> {
		return this.#judge([[this.#byNetwork, networkKey(ip)], [this.#codes, identity]], async () => {
			const right = await check();
			return { right, value: right };
		});
	}

	/** Something of 256 bits that is not to be guessed, from a letter or a ticket: unknown ones weigh on the network alone. */
	async secret<T>(ip: Ip, find: () => Promise<T | null> | T | null): Promise<Guarded<T | null>> {
		return this.#judge([[this.#byNetwork, networkKey(ip)]], async () => {
			const value = await find();
			return { right: value !== null, value };
		});
	}

	/** Asking for a letter to an address, known or not; null where it may be asked for. Sorts are counted apart: who registers in another's name keeps them from no lost password. */
	async letter(sort: LetterSort, email: Email, ip: Ip): Promise<TooManyAttempts | null> {
		const guarded = await this.#judge([[this.#lettersByNetwork, networkKey(ip)], [this.#lettersByAddress, `${sort} ${email}`]], async () => ({ right: false, value: null }));
		return guarded.outcome === 'judged' ? null : guarded;
	}

	/** Work that costs a hash and judges nobody. */
	async hash<T>(work: () => Promise<T>): Promise<T | TooManyAttempts> {
		const queued = await this.#queue.run(work);
		return queued.outcome === 'full' ? { outcome: 'too-many-attempts', retryAfterSeconds: QUEUE_RETRY_SECONDS } : queued.value;
	}

	/** @param judge null where the queue is full */
	async #judge<T>(windows: readonly (readonly [AttemptWindow, string | null])[], judge: () => Promise<Judged<T> | null>): Promise<Guarded<T>> {
		const places: Taken[] = [];
		let failed = false;
		try {
			for (const [window, key] of windows) {
				if (key === null) continue;
				const place = await window.take(key);
				if (place.outcome === 'refused') return { outcome: 'too-many-attempts', retryAfterSeconds: place.retryAfterSeconds };
				places.push(place);
			}
			const judged = await judge();
			if (judged === null) return { outcome: 'too-many-attempts', retryAfterSeconds: QUEUE_RETRY_SECONDS };
			failed = !judged.right;
			return { outcome: 'judged', value: judged.value };
		} finally {
			for (const place of places.reverse()) place.settle(failed);
		}
	}
}

const networkKey = (ip: Ip): string | null => (ip === null || ip === undefined ? null : networkOf(ip));
