/**
 * The browser in which somebody asked for a letter, told from others by a cookie of its own.
 *
 * Anybody may type another person's address and a password of their own choice. The owner who answers the letter proves the address and not that password: it is taken over
 * only where the letter is answered in the browser in which it was chosen. Anywhere else the owner chooses one.
 * Promises: a mark is 256 random bits, new with every asking and never taken over from what a browser brings; beside what was asked there is only its SHA-256; no script reads it.
 * Leaves to others: for how long what was asked is good.
 */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '#crdt-model/ids.ts';
import { cookieValue, serialize } from './cookie.ts';
import { isEqual } from './one-time-codes.ts';

export const ASKER_COOKIE = 'atrium_asker';
const MARK_BYTES = 32;
const MARK = /^[A-Za-z0-9_-]{43}$/;
const digest = (mark: string): string => createHash('sha256').update(mark).digest('base64url');

export class Askers {
	readonly #random: RandomBytes;

	constructor(world: { random: RandomBytes }) {
		this.#random = world.random;
	}

	/** The `Set-Cookie` value for whoever asks now, and what is kept beside what they ask. @param lifetimeMs of what they ask */
	mark(lifetimeMs: number, publicUrl: string): { cookie: string; asker: string } {
		const mark = Buffer.from(this.#random(new Uint8Array(MARK_BYTES))).toString('base64url');
		return { cookie: serialize(ASKER_COOKIE, mark, Math.floor(lifetimeMs / 1000), publicUrl, '/api/v1'), asker: digest(mark) };
	}
}

/** Whether a `Cookie` header is of the browser in which it was asked. @param asker what was kept; null where nothing was */
export function isAsker(header: string | null | undefined, asker: string | null | undefined): boolean {
	const mark = cookieValue(header, ASKER_COOKIE);
	return typeof asker === 'string' && mark !== null && MARK.test(mark) && isEqual(digest(mark), asker);
}
