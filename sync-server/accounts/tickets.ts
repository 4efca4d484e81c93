/**
 * Tickets: how something that takes several calls (a sign-in with a second factor, a passkey's challenge) is taken up again by whoever began it.
 *
 * States of a ticket: issued → taken or lapsed, each of which is final; a ticket that was taken twice, lapsed, or belongs to another purpose is simply unknown.
 * Promises: 256 random bits, kept here by their digest; of any number of takings at once exactly one succeeds; each purpose has its own bounded place, so that
 * tickets which anybody may ask for push out none that a right password stands behind.
 * Leaves to others: what is said in them. In memory: a restart ends them all, and the person begins again.
 */
import { createHash } from 'node:crypto';
import type { RandomBytes } from '#crdt-model/ids.ts';

/** Waiting at once, of one purpose: a company's morning. The oldest give way. */
export const TICKETS_PER_PURPOSE = 10_000;

/** Waiting at once, of one purpose, for one person or, where nobody is known yet, one network: so that whoever asks for tickets by script pushes out their own. */
export const TICKETS_PER_HOLDER = 200;

const TICKET_BYTES = 32;
const TICKET = /^[A-Za-z0-9_-]{43}$/;
const digest = (ticket: string): string => createHash('sha256').update(ticket).digest('base64url');

declare const payload: unique symbol;
/** What a ticket is for, and the type of what it says. */
export interface TicketPurpose<P> {
	readonly name: string;
	readonly [payload]?: P;
}

export const ticketPurpose = <P>(name: string): TicketPurpose<P> => ({ name });

interface Issued {
	readonly payload: unknown;
	/** Milliseconds since 1970. */
	readonly expiresAt: number;
	readonly holder: string | null;
}

export class Tickets {
	readonly #now: () => number;
	readonly #random: RandomBytes;
	/** By purpose, then by digest, oldest first. */
	readonly #issued = new Map<string, Map<string, Issued>>();

	constructor(world: { now: () => number; random: RandomBytes }) {
		this.#now = world.now;
		this.#random = world.random;
	}

	/** @param holder the person or network whose tickets are counted together; null for what nobody fills (this machine's own programs) */
	issue<P>(purpose: TicketPurpose<P>, payload: P, lifetimeMs: number, holder: string | null = null): string {
		const ticket = Buffer.from(this.#random(new Uint8Array(TICKET_BYTES))).toString('base64url');
		const issued = this.#of(purpose);
		if (holder !== null) {
			const theirs = [...issued].filter(([, one]) => one.holder === holder);
			if (theirs.length >= TICKETS_PER_HOLDER) issued.delete(theirs[0]![0]);
		}
		if (issued.size >= TICKETS_PER_PURPOSE) {
			this.#forgetLapsed(issued);
			if (issued.size >= TICKETS_PER_PURPOSE) issued.delete(issued.keys().next().value!);
		}
		issued.set(digest(ticket), { payload, expiresAt: this.#now() + lifetimeMs, holder });
		return ticket;
	}

	/** What it says, and it stays good. */
	peek<P>(purpose: TicketPurpose<P>, ticket: unknown): P | null {
		return this.#find(purpose, ticket)?.payload ?? null;
	}

	/** What it says, once. */
	take<P>(purpose: TicketPurpose<P>, ticket: unknown): P | null {
		const found = this.#find(purpose, ticket);
		if (!found) return null;
		this.#of(purpose).delete(found.key);
		return found.payload;
	}

	/** Ends all of a purpose that speak of something: the sign-ins under way of a person whose password changed, for one. */
	drop<P>(purpose: TicketPurpose<P>, isMeant: (payload: P) => boolean): void {
		const issued = this.#of(purpose);
		for (const [key, one] of issued) if (isMeant(one.payload as P)) issued.delete(key);
	}

	sweep(): void {
		for (const issued of this.#issued.values()) this.#forgetLapsed(issued);
	}

	#find<P>(purpose: TicketPurpose<P>, ticket: unknown): { key: string; payload: P } | null {
		if (typeof ticket !== 'string' || !TICKET.test(ticket)) return null;
		const key = digest(ticket);
		const found = this.#of(purpose).get(key);
		return found && found.expiresAt > this.#now() ? { key, payload: found.payload as P } : null;
	}

	#forgetLapsed(issued: Map<string, Issued>): void {
		const now = this.#now();
		for (const [key, { expiresAt }] of issued) if (expiresAt <= now) issued.delete(key);
	}

	#of({ name }: TicketPurpose<unknown>): Map<string, Issued> {
		let issued = this.#issued.get(name);
		if (!issued) this.#issued.set(name, (issued = new Map()));
		return issued;
	}
}
