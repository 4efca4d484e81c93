/**
 * Letters: keeps, sends, and tries again.
 *
 * Promises: a letter is on disk before anything is tried, and what failed for a passing reason is tried again, also after a restart; the caller learns at once
 * whether it went, will be tried again, is given up, or was one too many, except of letters that strangers ask for: those are answered before anything is done,
 * so that the time of an answer tells nothing; nothing is logged, and what can be shown of a failure quotes neither the letter nor a password.
 * Leaves to others: whether someone may be written to; how many letters are too many (`letter-limits.ts`).
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { PortalId } from '#crdt-model/ids.ts';
import { networkOf } from './attempts.ts';
import { type Email, parseEmail } from './email.ts';
import { isQuiet, LETTERS_PER_PERSON_AND_DAY, LETTERS_PER_PORTAL_AND_DAY } from './letter-limits.ts';
import type { Letter, LetterLook } from './letter-kinds.ts';
import type { LetterId, LetterReason, LetterShown, LetterStore, WaitingLetter } from './letter-store.ts';
import { composeLetter, oneLine, OWN_NAME } from './letter-texts.ts';
import { DeliveryFailure, type Envelope, fileTransport, type MailTransport, senderAddress, smtpTransport } from './mail-transport.ts';

export type { Letter, LetterKind, LetterLanguage, LetterLook } from './letter-kinds.ts';
export type { LetterReason, LetterShown } from './letter-store.ts';

export type LetterSent =
	| { outcome: 'sent' }
	/** Without a reason: it has not been tried yet. */
	| { outcome: 'waiting'; reason: LetterReason | null; nextTryAt: number }
	| { outcome: 'given-up'; reason: LetterReason }
	/** More letters than may go; nothing was kept. */
	| { outcome: 'limited'; retryAfterSeconds: number };

/** A minute for a restart of the server, then longer; given up after about nine hours. */
export const RETRY_AFTER_MS = [60_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000, 6 * 3_600_000] as const;
/** Read from disk at once. */
const DUE_AT_ONCE = 100;
/** At the least, so that a letter that fails at once makes no tight loop. */
const WAKE_AFTER_MS = 1_000;
/** What is under way at the end gets so long; it stays waiting, and goes after the next start. */
const LAST_LETTERS_MS = 5_000;

/** On whose behalf a letter goes: whose look it has, and whose share of letters it takes. */
export interface LetterFrom {
	portal?: PortalId | null;
	/** The network address that asked for it without being signed in. */
	ip?: string | null;
}
/** What letters have to know of their portal. */
export interface LetterPortal {
	readonly look: LetterLook;
	readonly people: number;
}

export interface LettersOptions {
	store: LetterStore;
	dataDir: string;
	publicUrl: string;
	/** Without it letters are files in `DATA_DIR/mail`. */
	smtpUrl?: string | null;
	now?: () => number;
	timers?: { set: (callback: () => void, afterMs: number) => unknown; clear: (timer: unknown) => void };
	uniqueSuffix?: () => string;
	/** Without it, and where it says null, letters look like our own. */
	portalOf?: (portal: PortalId) => Promise<LetterPortal | null>;
	/** Of letters that nobody waits for. */
	onFault?: (fault: unknown) => void;
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

/** Null for this machine: a proxy that names nobody stands for everybody. */
function countedNetwork(ip: string | null | undefined): string | null {
	if (ip === null || ip === undefined) return null;
	const network = networkOf(ip);
	return network.startsWith('127.') || network === '0:0:0:0::/64' || network === 'unknown' ? null : network;
}

export class Letters {
	readonly #store: LetterStore;
	readonly #publicUrl: string;
	readonly #address: string;
	readonly #portalOf: NonNullable<LettersOptions['portalOf']>;
	readonly #now: () => number;
	readonly #timers: NonNullable<LettersOptions['timers']>;
	readonly #transport: MailTransport;
	/** How letters leave. */
	readonly through: 'mail-server' | 'files';
	readonly #onFault: (fault: unknown) => void;
	/** Being handed over now: no second try of the same letter begins beside it. */
	readonly #trying = new Set<LetterId>();
	readonly #underWay = new Set<Promise<unknown>>();
	#timer: { readonly timer: unknown; readonly at: number } | null = null;
	#retrying: Promise<void> | null = null;
	#closed = false;

	/** Throws for an SMTP_URL that cannot be one, so that a bad value stops the start. */
	constructor(options: LettersOptions) {
		const smtpUrl = options.smtpUrl || null;
		const suffix = options.uniqueSuffix ?? (() => randomBytes(4).toString('hex'));
		this.#store = options.store;
		this.#publicUrl = options.publicUrl;
		this.#now = options.now ?? Date.now;
		this.#timers = options.timers ?? systemTimers;
		this.through = smtpUrl === null ? 'files' : 'mail-server';
		this.#transport = options.transport ?? (smtpUrl === null ? fileTransport(join(options.dataDir, 'mail'), suffix) : smtpTransport(smtpUrl));
		this.#address = senderAddress(options.publicUrl, smtpUrl);
		this.#portalOf = options.portalOf ?? (async () => null);
		this.#onFault = options.onFault ?? (() => undefined);
	}

	/** Goes on with what waited when the process before ended. */
	async start(): Promise<void> {
		this.#wakeAt(await this.#store.nextDueAt());
	}

	async send(to: Email, letter: Letter, from: LetterFrom = {}): Promise<LetterSent> {
		// The brand is a promise of the compiler only, and a header is no place to find out that it was broken.
		if (parseEmail(to).outcome !== 'parsed') throw new Error('A letter goes to a parsed e-mail address.');
		const sent = this.#watched(this.#send(to, letter, from));
		if (!isQuiet(letter.kind)) return sent;
		sent.catch(this.#onFault);
		return { outcome: 'waiting', reason: null, nextTryAt: this.#now() };
	}

	/** Work that ends in such a letter: the answer to whoever asked does not wait for it. */
	afterwards(work: () => Promise<void>): void {
		this.#watched(work()).catch(this.#onFault);
	}

	/** How many wait, and how many failed. */
	get counts(): { readonly waiting: number; readonly failed: number } {
		return this.#store.counts;
	}

	/** A portal's letters that wait or failed, newest first. */
	shown(portal: PortalId): Promise<LetterShown[]> {
		return this.#store.shown(portal);
	}

	/** Tries one of a portal's letters now; null where there is none of that id. */
	async retry(portal: PortalId, id: string): Promise<LetterSent | null> {
		const letter = await this.#store.again(portal, id);
		return letter && this.#watched(this.#attempt(letter));
	}

	/** A letter that waits or failed is not sent any more. */
	remove(portal: PortalId, id: string): Promise<boolean> {
		return this.#store.remove(portal, id);
	}

	/** Tries what is due; the own timer calls it, and an operator may. */
	retryDue(): Promise<void> {
		return (this.#retrying ??= this.#watched(this.#retryDue()).finally(() => (this.#retrying = null)));
	}

	/** Resolves once nothing is being sent. */
	async settled(): Promise<void> {
		while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
	}

	async close(): Promise<void> {
		this.#closed = true;
		if (this.#timer) this.#timers.clear(this.#timer.timer);
		this.#timer = null;
		await Promise.race([this.settled(), new Promise<void>((late) => setTimeout(late, LAST_LETTERS_MS).unref())]);
		this.#transport.close();
	}

	async #send(to: Email, letter: Letter, from: LetterFrom): Promise<LetterSent> {
		const portal = from.portal ?? null;
		const known = portal && (await this.#portalOf(portal));
		const kept = await this.#store.keep({
			to,
			letter,
			portal,
			network: countedNetwork(from.ip),
			perPortalAndDay: LETTERS_PER_PORTAL_AND_DAY + LETTERS_PER_PERSON_AND_DAY * (known ? known.people : 0),
			// Where the process ends in the middle of the first try, the next one finds it so.
			dueAt: this.#now() + RETRY_AFTER_MS[0]
		});
		if (kept.outcome === 'limited') return kept;
		if (kept.outcome === 'full') return { outcome: 'given-up', reason: 'queue-full' };
		return this.#attempt(kept.letter);
	}

	async #retryDue(): Promise<void> {
		let mayGoOn = true;
		while (mayGoOn && !this.#closed) {
			const due = (await this.#store.due(DUE_AT_ONCE)).filter(({ id }) => !this.#trying.has(id));
			if (due.length === 0) break;
			// One after another: a server that has just come back is not to be hit with all of them.
			for (const letter of due) {
				const answer = await this.#attempt(letter);
				// Still away: the rest need not find out one by one, each with a timeout.
				mayGoOn = !this.#closed && !(answer.outcome === 'waiting' && STANDS_FOR_ALL.has(answer.reason));
				if (!mayGoOn) break;
			}
		}
		const next = this.#closed ? null : await this.#store.nextDueAt();
		this.#wakeAt(next === null || mayGoOn ? next : Math.max(next, this.#now() + RETRY_AFTER_MS[0]));
	}

	async #attempt(waiting: WaitingLetter): Promise<LetterSent> {
		const { id, to, letter } = waiting;
		const unchanged: LetterSent = { outcome: 'waiting', reason: null, nextTryAt: this.#now() };
		if (this.#closed || this.#trying.has(id)) return unchanged;
		this.#trying.add(id);
		try {
			const tries = waiting.tries + 1;
			if (letter === null) return await this.#giveUp(id, { tries, reason: 'sealed-elsewhere', detail: '' });
			if (expiryOf(letter) <= this.#now()) return await this.#giveUp(id, { tries, reason: 'link-too-old', detail: '' });
			try {
				await this.#transport.deliver(await this.#envelope(waiting, to, letter));
			} catch (error) {
				if (!(error instanceof DeliveryFailure)) throw error;
				const { reason, detail } = error;
				const afterMs = RETRY_AFTER_MS[waiting.tries];
				if (!error.temporary || afterMs === undefined) return await this.#giveUp(id, { tries, reason, detail });
				const dueAt = this.#now() + afterMs;
				await this.#store.postpone(id, { tries, reason, detail, dueAt });
				this.#wakeAt(dueAt);
				return { outcome: 'waiting', reason, nextTryAt: dueAt };
			}
			await this.#store.sent(id);
			return { outcome: 'sent' };
		} finally {
			this.#trying.delete(id);
		}
	}

	async #giveUp(id: LetterId, state: { tries: number; reason: LetterReason; detail: string }): Promise<LetterSent> {
		await this.#store.fail(id, state);
		return { outcome: 'given-up', reason: state.reason };
	}

	/** Composed when it goes, with the look of now. */
	async #envelope({ portal }: WaitingLetter, to: Email, letter: Letter): Promise<Envelope> {
		const look = (portal && (await this.#portalOf(portal)))?.look ?? null;
		const { subject, text, html } = composeLetter(letter, this.#publicUrl, look);
		return {
			from: { name: oneLine(look?.senderName || look?.company || OWN_NAME), address: this.#address },
			replyTo: replyAddress(look),
			to,
			subject,
			text,
			html,
			date: new Date(this.#now()),
			slug: `${letter.kind} ${to}`
		};
	}

	#watched<T>(work: Promise<T>): Promise<T> {
		this.#underWay.add(work);
		void work.catch(() => undefined).finally(() => this.#underWay.delete(work));
		return work;
	}

	/** No later than then, and not at once. */
	#wakeAt(at: number | null): void {
		if (at === null || this.#closed || (this.#timer && this.#timer.at <= at)) return;
		if (this.#timer) this.#timers.clear(this.#timer.timer);
		const wake = () => {
			this.#timer = null;
			this.retryDue().catch(this.#onFault);
		};
		this.#timer = { timer: this.#timers.set(wake, Math.max(WAKE_AFTER_MS, at - this.#now())), at };
	}
}

/** What one letter finds out of these holds for all others. */
const STANDS_FOR_ALL = new Set<LetterReason | null>(['server-away', 'cannot-write']);

function expiryOf(letter: Letter): number {
	if ('expiresAt' in letter) return letter.expiresAt;
	return letter.kind === 'join-known' && letter.confirm ? letter.confirm.expiresAt : Number.POSITIVE_INFINITY;
}
