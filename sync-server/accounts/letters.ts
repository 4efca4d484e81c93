/**
 * Letters: writes, sends, and tries again.
 *
 * Promises: the caller learns at once whether a letter went, will be tried again, or is given up; a letter that failed for
 * a passing reason waits in memory, in bounded number and for bounded time; nothing is logged, and what can be shown of a
 * failure quotes neither the letter nor a password.
 * Leaves to others: whether someone may be written to. A restart forgets waiting letters: the invitation itself is on disk
 * and can be sent anew.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Email, parseEmail } from './email.ts';
import type { PortalId } from '#crdt-model/ids.ts';
import type { Letter, LetterLook } from './letter-kinds.ts';
import { composeLetter, oneLine, OWN_NAME } from './letter-texts.ts';
import { DeliveryFailure, type Envelope, fileTransport, type MailTransport, senderAddress, smtpTransport } from './mail-transport.ts';

export type { Letter, LetterKind, LetterLanguage, LetterLook } from './letter-kinds.ts';

export type LetterSent =
	| { outcome: 'sent' }
	| { outcome: 'waiting'; reason: string; nextTryAt: number }
	| { outcome: 'given-up'; reason: string };

/** A mail server away for an afternoon while a company invites its people; some 10 kB each. */
export const LETTERS_WAITING = 1_000;
/** A minute for a restart of the server, then longer; given up after about nine hours. */
export const RETRY_AFTER_MS = [60_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000, 6 * 3_600_000] as const;

interface Waiting {
	envelope: Envelope;
	tries: number;
	dueAt: number;
}

/** On whose behalf a letter goes: whose look it has, and whose share of letters it takes. */
export interface LetterFrom {
	portal?: PortalId | null;
	/** The network address that asked for it. */
	ip?: string | null;
}

export interface LettersOptions {
	dataDir: string;
	publicUrl: string;
	/** Without it letters are files in `DATA_DIR/mail`. */
	smtpUrl?: string | null;
	now?: () => number;
	timers?: { set: (callback: () => void, afterMs: number) => unknown; clear: (timer: unknown) => void };
	uniqueSuffix?: () => string;
	/** How letters of a portal look; without it, and where it says null, they are our own. */
	lookOf?: (portal: PortalId) => Promise<LetterLook | null>;
	/** For tests; else chosen by `smtpUrl`. */
	transport?: MailTransport;
}

const systemTimers = {
	// A waiting letter must not keep a process alive that wants to end.
	set: (callback: () => void, afterMs: number): unknown => setTimeout(callback, afterMs).unref(),
	clear: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout)
};

/** A setting is a person's text: only what is an address may stand in a header. */
function replyAddress(look: LetterLook | null): Email | null {
	const parsed = parseEmail(look?.replyTo ?? null);
	return parsed.outcome === 'parsed' ? parsed.email : null;
}

export class Letters {
	readonly #publicUrl: string;
	readonly #address: string;
	readonly #lookOf: NonNullable<LettersOptions['lookOf']>;
	readonly #now: () => number;
	readonly #timers: NonNullable<LettersOptions['timers']>;
	readonly #transport: MailTransport;
	#waiting: Waiting[] = [];
	#timer: unknown = null;
	#retrying = false;
	#closed = false;

	/** Throws for an SMTP_URL that cannot be one, so that a bad value stops the start. */
	constructor(options: LettersOptions) {
		const smtpUrl = options.smtpUrl || null;
		const suffix = options.uniqueSuffix ?? (() => randomBytes(4).toString('hex'));
		this.#publicUrl = options.publicUrl;
		this.#now = options.now ?? Date.now;
		this.#timers = options.timers ?? systemTimers;
		this.#transport =
			options.transport ??
			(smtpUrl === null ? fileTransport(join(options.dataDir, 'mail'), suffix) : smtpTransport(smtpUrl));
		this.#address = senderAddress(options.publicUrl, smtpUrl);
		this.#lookOf = options.lookOf ?? (async () => null);
	}

	async send(to: Email, letter: Letter, from: LetterFrom = {}): Promise<LetterSent> {
		// The brand is a promise of the compiler only, and a header is no place to find out that it was broken.
		if (parseEmail(to).outcome !== 'parsed') throw new Error('A letter goes to a parsed e-mail address.');
		const look = from.portal ? await this.#lookOf(from.portal) : null;
		const { subject, text, html } = composeLetter(letter, this.#publicUrl, look);
		const envelope: Envelope = {
			from: { name: oneLine(look?.senderName || look?.company || OWN_NAME), address: this.#address },
			replyTo: replyAddress(look),
			to,
			subject,
			text,
			html,
			date: new Date(this.#now()),
			slug: `${letter.kind} ${to}`
		};
		return this.#attempt({ envelope, tries: 0, dueAt: 0 });
	}

	get waiting(): number {
		return this.#waiting.length;
	}

	/** Tries what is due; the own timer calls it, and an operator may. */
	async retryDue(): Promise<void> {
		if (this.#retrying) return;
		this.#retrying = true;
		try {
			const now = this.#now();
			const due = this.#waiting.filter((letter) => letter.dueAt <= now);
			this.#waiting = this.#waiting.filter((letter) => letter.dueAt > now);
			// One after another: a server that has just come back is not to be hit with all of them.
			for (const [index, letter] of due.entries()) {
				if (this.#closed) break;
				const { outcome } = await this.#attempt(letter);
				if (outcome === 'waiting') {
					// Still away: the rest need not find out one by one, each with a timeout.
					this.#waiting.push(...due.slice(index + 1));
					break;
				}
			}
		} finally {
			this.#retrying = false;
			this.#schedule();
		}
	}

	close(): void {
		this.#closed = true;
		if (this.#timer !== null) this.#timers.clear(this.#timer);
		this.#timer = null;
		this.#waiting = [];
		this.#transport.close();
	}

	async #attempt(letter: Waiting): Promise<LetterSent> {
		try {
			await this.#transport.deliver(letter.envelope);
			return { outcome: 'sent' };
		} catch (error) {
			if (!(error instanceof DeliveryFailure)) throw error;
			const afterMs = RETRY_AFTER_MS[letter.tries];
			if (!error.temporary || afterMs === undefined || this.#closed || this.#waiting.length >= LETTERS_WAITING) {
				return { outcome: 'given-up', reason: error.message };
			}
			const dueAt = this.#now() + afterMs;
			this.#waiting.push({ envelope: letter.envelope, tries: letter.tries + 1, dueAt });
			this.#schedule();
			return { outcome: 'waiting', reason: error.message, nextTryAt: dueAt };
		}
	}

	#schedule(): void {
		if (this.#timer !== null) this.#timers.clear(this.#timer);
		this.#timer = null;
		if (this.#closed || this.#retrying || this.#waiting.length === 0) return;
		const dueAt = Math.min(...this.#waiting.map((letter) => letter.dueAt));
		// At least a second: what stayed due behind a failed letter is tried soon, not in a tight loop.
		const afterMs = Math.max(1_000, dueAt - this.#now());
		this.#timer = this.#timers.set(() => {
			this.#timer = null;
			void this.retryDue();
		}, afterMs);
	}
}
