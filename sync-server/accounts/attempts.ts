/**
 * Sliding windows that slow down password guessing, per address and per network.
 *
 * States of an attempt: waiting → under way → failed or right. An attempt under way holds a place as if it had failed, so
 * that a thousand at once are no way around the ceiling; those beyond it wait until it is known, so that many right
 * passwords at once are not mistaken for guessing. Only failures stay.
 * Promises: never more failures in a window than the ceiling; memory is bounded whatever arrives.
 * Leaves to others: what counts as a failure. Kept in memory: a restart forgives, which costs a guesser one restart.
 */
import { isIP, isIPv4 } from 'node:net';

/** A quarter of an hour: long enough to make guessing hopeless, short enough for someone who mistyped. */
export const ATTEMPT_WINDOW_MS = 15 * 60_000;
/** Ten wrong passwords for one address: a person stops earlier, a guesser gets 1,000 a day. */
export const ATTEMPTS_PER_ADDRESS = 10;
/** A whole office shares one IP; a hundred failures in a quarter of an hour are no office. */
export const ATTEMPTS_PER_NETWORK = 100;
/** A code has six digits and the password stands before it: at ten tries in a quarter of an hour a guesser needs months. */
export const CODES_PER_IDENTITY = 10;
/** Letters of one sort that strangers may ask for to one address: whoever mistyped asks again, and nobody's mailbox is filled. */
export const LETTERS_ASKED_PER_ADDRESS = 5;
/** A training room where everybody registers at once. */
export const LETTERS_ASKED_PER_NETWORK = 50;
/** Tens of megabytes at the very worst; the windows that began longest ago go first. */
export const ATTEMPT_KEYS = 50_000;

/** Attempts that may wait for others of their key, all keys together; the hash queue has the like. */
export const ATTEMPTS_WAITING = 1_000;
/** What waits is decided within seconds. */
const WAITING_RETRY_SECONDS = 5;

export type AttemptTaken =
	| { outcome: 'taken'; settle: (failed: boolean) => void }
	| { outcome: 'refused'; retryAfterSeconds: number };

interface Attempts {
	/** When the failures of the last window happened, oldest first. */
	failures: number[];
	underWay: number;
	waiting: (() => void)[];
}

export class AttemptWindow {
	readonly #keys = new Map<string, Attempts>();
	readonly #ceiling: number;
	readonly #now: () => number;
	#waiting = 0;

	constructor(ceiling: number, now: () => number) {
		this.#ceiling = ceiling;
		this.#now = now;
	}

	async take(key: string): Promise<AttemptTaken> {
		for (;;) {
			const attempts = this.#of(key);
			const now = this.#now();
			attempts.failures = attempts.failures.filter((time) => time > now - ATTEMPT_WINDOW_MS);
			const { failures, underWay } = attempts;
			if (failures.length >= this.#ceiling) {
				const afterMs = failures[0]! + ATTEMPT_WINDOW_MS - now;
				return { outcome: 'refused', retryAfterSeconds: Math.max(1, Math.ceil(afterMs / 1000)) };
			}
			if (failures.length + underWay < this.#ceiling) {
				attempts.underWay++;
				return { outcome: 'taken', settle: (failed) => this.#settle(key, attempts, failed) };
			}
			if (this.#waiting >= ATTEMPTS_WAITING) return { outcome: 'refused', retryAfterSeconds: WAITING_RETRY_SECONDS };
			// Something is under way here, else one of the branches above had answered; its settling wakes us.
			this.#waiting++;
			await new Promise<void>((wake) => attempts.waiting.push(wake));
			this.#waiting--;
		}
	}

	#settle(key: string, attempts: Attempts, failed: boolean): void {
		attempts.underWay--;
		if (failed) attempts.failures.push(this.#now());
		// A right one frees one place. A failure frees none, but may be the one that answers all who wait.
		const woken = failed ? attempts.waiting.splice(0) : attempts.waiting.splice(0, 1);
		for (const wake of woken) wake();
		const idle = attempts.underWay === 0 && attempts.failures.length === 0 && attempts.waiting.length === 0;
		// Those just woken look the key up anew.
		if (idle) this.#keys.delete(key);
	}

	#of(key: string): Attempts {
		let attempts = this.#keys.get(key);
		if (attempts === undefined) {
			if (this.#keys.size >= ATTEMPT_KEYS) this.#makeRoom();
			attempts = { failures: [], underWay: 0, waiting: [] };
			this.#keys.set(key, attempts);
		}
		return attempts;
	}

	#makeRoom(): void {
		const since = this.#now() - ATTEMPT_WINDOW_MS;
		for (const evenRecent of [false, true]) {
			for (const [key, { failures, underWay, waiting }] of this.#keys) {
				if (this.#keys.size < ATTEMPT_KEYS) return;
				// What is under way or waits is bounded elsewhere, and forgetting it would leave someone waiting for ever.
				if (underWay === 0 && waiting.length === 0 && (evenRecent || (failures.at(-1) ?? 0) <= since)) this.#keys.delete(key);
			}
		}
	}
}

/** One key per network: a home with IPv6 has 2^64 addresses to change between, so its /64 counts as one. */
export function networkOf(ip: string): string {
	if (isIP(ip) === 0) return 'unknown';
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
	if (mapped !== undefined) return mapped;
	if (isIPv4(ip)) return ip;
	const [head = '', tail] = ip.split('%')[0]!.toLowerCase().split('::');
	const groups = head === '' ? [] : head.split(':');
	const rest = tail === undefined || tail === '' ? [] : tail.split(':');
	// A dotted tail stands for two groups; it lies in the lower half and only its length matters here.
	const restLength = rest.length + (rest.at(-1)?.includes('.') ? 1 : 0);
	const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - restLength);
	const full = [...groups, ...Array<string>(zeros).fill('0'), ...rest];
	return `${full.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
