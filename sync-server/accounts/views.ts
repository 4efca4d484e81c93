/**
 * Views: an administrator looks on as another person, read only, for an hour at most.
 *
 * Promises: a view hangs on the sign-in that began it and ends with it; its token is 256 random bits of its own, kept here by its digest and never
 * on disk, so a restart of the relay ends every view; whoever listens hears of an end in the turn in which it happens.
 * Leaves to others: who may begin one and that it is recorded (rest/view-as.ts), what may be read and that nothing is written (session/viewing.ts).
 */
import { createHash } from 'node:crypto';
import type { IdMaker, PersonId, RandomBytes, SessionId } from '#crdt-model/ids.ts';
import type { ResolvedSession, SessionsEndedListener } from './sessions.ts';

/** Long enough to answer "what does she see", too short to be forgotten in a tab. */
export const VIEW_MS = 3_600_000;
/** Tabs of one administrator; beyond it the oldest view gives way. */
export const VIEWS_PER_SIGN_IN = 16;

const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const digest = (token: string): string => createHash('sha256').update(token).digest('base64url');

export interface ViewStarted {
	/** Names it to whoever holds the token as a cookie; opens nothing. */
	readonly view: SessionId;
	readonly token: string;
	/** Milliseconds since 1970. */
	readonly expiresAt: number;
}

interface View {
	readonly resolved: ResolvedSession;
	/** The administrator's own sign-in. */
	readonly under: SessionId;
}

export class Views {
	readonly #now: () => number;
	readonly #random: RandomBytes;
	readonly #ids: Pick<IdMaker, 'session'>;
	/** By the digest of the token, oldest first. */
	readonly #views = new Map<string, View>();
	readonly #listeners = new Set<SessionsEndedListener>();

	constructor(world: { now: () => number; random: RandomBytes; ids: Pick<IdMaker, 'session'> }) {
		this.#now = world.now;
		this.#random = world.random;
		this.#ids = world.ids;
	}

	/** @param viewer the administrator's own sign-in, which is no view itself */
	start(viewer: ResolvedSession, person: PersonId): ViewStarted {
		const token = Buffer.from(this.#random(new Uint8Array(TOKEN_BYTES))).toString('base64url');
		const expiresAt = Math.min(this.#now() + VIEW_MS, viewer.expiresAt);
		const { identity, portal, employee } = viewer;
		const own = [...this.#views].filter(([, { under }]) => under === viewer.session);
		if (own.length >= VIEWS_PER_SIGN_IN) this.#end(own.slice(0, own.length - VIEWS_PER_SIGN_IN + 1).map(([key]) => key));
		const resolved = Object.freeze({ session: this.#ids.session(), identity, portal, employee: person, expiresAt, viewer: employee });
		this.#views.set(digest(token), { resolved, under: viewer.session });
		return { view: resolved.session, token, expiresAt };
	}

	/** Asked for every request; as good as free while nobody looks on. */
	resolve(token: unknown): ResolvedSession | null {
		if (this.#views.size === 0 || typeof token !== 'string' || !TOKEN.test(token)) return null;
		const resolved = this.#views.get(digest(token))?.resolved;
		return resolved && resolved.expiresAt > this.#now() ? resolved : null;
	}

	/** False for a token that is no view's. */
	end(token: unknown): boolean {
		if (typeof token !== 'string' || !TOKEN.test(token)) return false;
		return this.#end([digest(token)]) > 0;
	}

	/** Signing out, or the end of a sign-in by whatever cause, ends what hangs on it. */
	endUnder(sessions: readonly SessionId[]): number {
		return this.#end([...this.#views].filter(([, { under }]) => sessions.includes(under)).map(([key]) => key));
	}

	sweep(): void {
		const now = this.#now();
		this.#end([...this.#views].filter(([, { resolved }]) => resolved.expiresAt <= now).map(([key]) => key));
	}

	onEnded(listener: SessionsEndedListener): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#end(keys: readonly string[]): number {
		const ended = keys.flatMap((key) => {
			const view = this.#views.get(key);
			this.#views.delete(key);
			return view ? [view.resolved] : [];
		});
		if (ended.length === 0) return 0;
		const told = ended.map(({ session, identity, portal, employee }) => ({ session, identity, portal, employee, reason: 'signed-out' as const }));
		for (const listener of this.#listeners) listener(told);
		return ended.length;
	}
}
