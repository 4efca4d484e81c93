/**
 * Sessions: who stays signed in, in which portal, as which employee.
 *
 * Promises: a token is 256 random bits and is known to its holder alone: better-auth's `session.token` column holds its
 * SHA-256, so neither the file nor a backup signs anyone in; a session is bound to one portal; an ended session resolves
 * to nothing from the moment that ending it resolves, and listeners have heard of it by then.
 * Leaves to others: cookies (`cookie.ts`), closing sockets (whoever listens).
 */
import { createHash } from 'node:crypto';
import type { PersonId, PortalId, RandomBytes, SessionId } from '#crdt-model/ids.ts';
import type { AccountsDatabase } from './database.ts';
import type { IdentityId } from './identities.ts';

export interface ResolvedSession {
	session: SessionId;
	identity: IdentityId;
	portal: PortalId;
	employee: PersonId;
	/** Milliseconds since 1970. */
	expiresAt: number;
	/** An administrator looks on as `employee`, read only (views.ts). */
	viewer?: PersonId;
}

/** As its owner and administrators see it. Times in milliseconds since 1970. */
export interface ListedSession {
	session: SessionId;
	portal: PortalId;
	createdAt: number;
	lastSeenAt: number;
	ip: string | null;
	userAgent: string | null;
}

export type SessionStarted =
	| { outcome: 'started'; session: SessionId; token: string; expiresAt: number }
	/** The membership ended between signing in and here. */
	| { outcome: 'not-a-member' };

export type EndReason = 'signed-out' | 'signed-out-everywhere' | 'membership-ended' | 'replaced' | 'expired' | 'factor-demanded' | 'factor-reset' | 'signed-in-again';
export interface EndedSession extends Omit<ResolvedSession, 'expiresAt' | 'viewer'> {
	reason: EndReason;
}
export type SessionsEndedListener = (ended: readonly EndedSession[]) => void;

/** A month: the portal is opened daily, and a lost device should not stay signed in for ever. */
export const SESSION_MS = 30 * 24 * 3_600_000;
/** One process ends all sessions, so the cache is told; this bounds the harm if another process touches the file. */
export const SESSION_CACHE_MS = 30_000;
/** Twice the sockets of a full relay; the entries that came first go first. */
export const SESSION_CACHE_ENTRIES = 20_000;
/** Devices and browsers of one person; beyond it someone is signing in by script, and the oldest session gives way. */
export const SESSIONS_PER_EMPLOYEE = 200;
/** How exactly "last seen" is known: a write per session and call would be the dearest thing here. */
export const SEEN_MS = 10 * 60_000;
/** Shown in the list of devices; a header may be far longer. */
const USER_AGENT_MAX = 400;
const IP_MAX = 64;
/** SQLite binds at most 32,766 values in one statement. */
const DELETE_AT_ONCE = 10_000;

const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const digest = (token: string): string => createHash('sha256').update(token).digest('base64url');

interface SessionRow {
	session: string;
	token: string;
	identity: string;
	portal: string;
	employee: string;
}

export class Sessions {
	readonly #database: AccountsDatabase;
	readonly #now: () => number;
	readonly #random: RandomBytes;
	readonly #read: (digest: string) => unknown;
	/** By digest, so that a dump of the heap holds no more tokens than it must. */
	readonly #cache = new Map<string, { resolved: ResolvedSession; cachedAt: number }>();
	readonly #listeners = new Set<SessionsEndedListener>();
	/**
	 * Which session each new one takes the place of in its browser. It ends when the new one is first used: only then is it certain that the browser has the new
	 * cookie, and its other tabs, which hear of the end, find it there. In memory: over a restart an old one just stays until it expires.
	 */
	readonly #successors = new Map<SessionId, SessionId>();
	/** When each was last written down as seen, by this process. */
	readonly #seen = new Map<SessionId, number>();

	constructor(database: AccountsDatabase, world: { now: () => number; random: RandomBytes }) {
		this.#database = database;
		this.#now = world.now;
		this.#random = world.random;
		// Joined with the membership: a session outlives it nowhere, not even between two statements of its removal.
		this.#read = database.read(`
			select s.id as session, s.userId as identity, s.expiresAt, m.portal, m.employee
			from session s
			join session_portal p on p.session = s.id
			join membership m on m.identity = s.userId and m.portal = p.portal and m.employee = p.employee
			where s.token = ?`);
	}

	async start(request: {
		identity: IdentityId;
		portal: PortalId;
		employee: PersonId;
		userAgent?: string | null;
		ip?: string | null;
		/** One of the same identity and portal, whose cookie this one overwrites; of anybody else it is left alone. */
		replaces?: SessionId;
	}): Promise<SessionStarted> {
		const { db, auth } = this.#database;
		const token = Buffer.from(this.#random(new Uint8Array(TOKEN_BYTES))).toString('base64url');
		const now = this.#now();
		const expiresAt = now + SESSION_MS;
		const row = {
			token: digest(token),
			expiresAt: new Date(expiresAt),
			createdAt: new Date(now),
			updatedAt: new Date(now),
			ipAddress: (request.ip ?? '').slice(0, IP_MAX),
			userAgent: (request.userAgent ?? '').slice(0, USER_AGENT_MAX)
		};
		const made = await auth.internalAdapter.createSession(request.identity, false, row, true);
		const session = made.id as SessionId;
		// A crash between the two leaves a session without a portal: it resolves to nothing and is swept when it expires.
		const bound = await db
			.insertInto('session_portal')
			.columns(['session', 'portal', 'employee'])
			.expression((eb) =>
				eb
					.selectFrom('membership')
					.select((columns) => [columns.val(session).as('session'), 'portal', 'employee'])
					.where('identity', '=', request.identity)
					.where('portal', '=', request.portal)
					.where('employee', '=', request.employee)
			)
			.executeTakeFirst();
		if ((bound.numInsertedOrUpdatedRows ?? 0n) === 0n) {
			await auth.internalAdapter.deleteSession(row.token);
			return { outcome: 'not-a-member' };
		}
		if (request.replaces !== undefined) {
			if (this.#successors.size >= SESSION_CACHE_ENTRIES) this.#successors.delete(this.#successors.keys().next().value!);
			this.#successors.set(session, request.replaces);
		}
		await this.#makeRoom(request.portal, request.employee);
		return { outcome: 'started', session, token, expiresAt };
	}

	/** Asked for every request: one hash and, within the cache's time, no statement. */
	resolve(token: unknown): ResolvedSession | null {
		if (typeof token !== 'string' || !TOKEN.test(token)) return null;
		const key = digest(token);
		const now = this.#now();
		const cached = this.#cache.get(key);
		if (cached !== undefined && now - cached.cachedAt < SESSION_CACHE_MS) {
			return cached.resolved.expiresAt > now ? cached.resolved : null;
		}
		// Unknown tokens are not cached: garbage would only push out people who are signed in.
		this.#cache.delete(key);
		const row = this.#read(key) as (Omit<SessionRow, 'token'> & { expiresAt: string }) | undefined;
		if (row === undefined) return null;
		const resolved = Object.freeze({
			session: row.session as SessionId,
			identity: row.identity as IdentityId,
			portal: row.portal as PortalId,
			employee: row.employee as PersonId,
			expiresAt: Date.parse(row.expiresAt)
		});
		if (!(resolved.expiresAt > now)) return null;
		if (this.#cache.size >= SESSION_CACHE_ENTRIES) this.#cache.delete(this.#cache.keys().next().value!);
		this.#cache.set(key, { resolved, cachedAt: now });
		return resolved;
	}

	/** Those that ended, which is none for a token that was not signed in. */
	async end(token: unknown, reason: EndReason = 'signed-out'): Promise<EndedSession[]> {
		if (typeof token !== 'string' || !TOKEN.test(token)) return [];
		return this.#end(await this.#select().where('s.token', '=', digest(token)).execute(), reason);
	}

	/** @param except the one that goes on, of whoever ended the others */
	async endAll(
		whose: { identity: IdentityId } | { portal: PortalId; employee: PersonId },
		reason: EndReason = 'signed-out-everywhere',
		except?: SessionId
	): Promise<EndedSession[]> {
		const select = except === undefined ? this.#select() : this.#select().where('s.id', '!=', except);
		const rows = await ('identity' in whose
			? select.where('s.userId', '=', whose.identity)
			: select.where('p.portal', '=', whose.portal).where('p.employee', '=', whose.employee)
		).execute();
		return this.#end(rows, reason);
	}

	/** Those of them that are still there. */
	async endSome(sessions: readonly SessionId[], reason: EndReason): Promise<EndedSession[]> {
		const ended: EndedSession[] = [];
		for (let from = 0; from < sessions.length; from += DELETE_AT_ONCE) {
			const rows = await this.#select().where('s.id', 'in', sessions.slice(from, from + DELETE_AT_ONCE)).execute();
			ended.push(...(await this.#end(rows, reason)));
		}
		return ended;
	}

	/** Of one identity in all portals, or of one employee; those that are over left out. */
	async list(whose: { identity: IdentityId } | { portal: PortalId; employee: PersonId }): Promise<ListedSession[]> {
		const select = this.#database.db
			.selectFrom('session as s')
			.innerJoin('session_portal as p', 'p.session', 's.id')
			.select(['s.id', 'p.portal', 's.createdAt', 's.updatedAt', 's.ipAddress', 's.userAgent'])
			.where('s.expiresAt', '>', new Date(this.#now()).toISOString())
			.orderBy('s.createdAt', 'desc')
			.orderBy('s.id', 'desc');
		const rows = await ('identity' in whose ? select.where('s.userId', '=', whose.identity) : select.where('p.portal', '=', whose.portal).where('p.employee', '=', whose.employee)).execute();
		return rows.map((row) => ({
			session: row.id as SessionId,
			portal: row.portal as PortalId,
			createdAt: Date.parse(row.createdAt),
			lastSeenAt: Date.parse(row.updatedAt),
			ip: row.ipAddress || null,
			userAgent: row.userAgent || null
		}));
	}

	/** Called for every request and connection: when and from where it was last used is written at most every `SEEN_MS`, and the one whose place it took ends. */
	async noteSeen(session: SessionId, ip: string | null | undefined): Promise<void> {
		const replaced = this.#successors.get(session);
		if (replaced !== undefined) {
			this.#successors.delete(session);
			await this.#endReplaced(replaced, session);
		}
		const now = this.#now();
		if (now - (this.#seen.get(session) ?? 0) < SEEN_MS) return;
		if (this.#seen.size >= SESSION_CACHE_ENTRIES) this.#seen.delete(this.#seen.keys().next().value!);
		this.#seen.delete(session);
		this.#seen.set(session, now);
		const ipAddress = (ip ?? '').slice(0, IP_MAX);
		await this.#database.db.updateTable('session').set({ updatedAt: new Date(now).toISOString(), ...(ipAddress !== '' && { ipAddress }) }).where('id', '=', session).execute();
	}

	/** When a session of this identity began, in milliseconds since 1970; null for one that is over. */
	async beganAt(identity: IdentityId, session: SessionId): Promise<number | null> {
		const row = await this.#database.db.selectFrom('session').select(['createdAt', 'expiresAt']).where('id', '=', session).where('userId', '=', identity).executeTakeFirst();
		return row !== undefined && Date.parse(row.expiresAt) > this.#now() ? Date.parse(row.createdAt) : null;
	}

	/** Ends what has expired; called now and then by the process. */
	async sweep(): Promise<EndedSession[]> {
		// better-auth keeps dates as ISO texts of one length, which sort as they should.
		const now = new Date(this.#now()).toISOString();
		return this.#end(await this.#select().where('s.expiresAt', '<=', now).execute(), 'expired');
	}

	onEnded(listener: SessionsEndedListener): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#select() {
		return this.#database.db
			.selectFrom('session as s')
			.leftJoin('session_portal as p', 'p.session', 's.id')
			.select(['s.id as session', 's.token', 's.userId as identity', 'p.portal', 'p.employee']);
	}

	/** By the rows of both, whatever was said when it started. */
	async #endReplaced(replaced: SessionId, by: SessionId): Promise<void> {
		const rows = await this.#select().where('s.id', 'in', [replaced, by]).execute();
		const [old, successor] = [rows.find((row) => row.session === replaced), rows.find((row) => row.session === by)];
		if (old && successor && old.identity === successor.identity && old.portal === successor.portal) await this.#end([old], 'signed-in-again');
	}

	async #makeRoom(portal: PortalId, employee: PersonId): Promise<void> {
		const excess = await this.#select()
			.where('p.portal', '=', portal)
			.where('p.employee', '=', employee)
			.orderBy('s.createdAt', 'desc')
			.orderBy('s.id', 'desc')
			.limit(DELETE_AT_ONCE)
			.offset(SESSIONS_PER_EMPLOYEE)
			.execute();
		if (excess.length > 0) await this.#end(excess, 'replaced');
	}

	async #end(rows: readonly Nullable<SessionRow, 'portal' | 'employee'>[], reason: EndReason): Promise<EndedSession[]> {
		const gone = new Set<string>();
		for (let from = 0; from < rows.length; from += DELETE_AT_ONCE) {
			const ids = rows.slice(from, from + DELETE_AT_ONCE).map((row) => row.session);
			// What two calls end at once is announced by the one that deleted it.
			const deleted = await this.#database.db.deleteFrom('session').where('id', 'in', ids).returning('id').execute();
			for (const { id } of deleted) gone.add(id);
		}
		const ended: EndedSession[] = [];
		for (const row of rows) {
			// After the commit: whatever was cached before it goes here, and nothing can be cached after it.
			this.#cache.delete(row.token);
			if (!gone.has(row.session) || row.portal === null || row.employee === null) continue;
			const { session, identity, portal, employee } = row;
			ended.push({ session, identity, portal, employee, reason } as EndedSession);
		}
		if (ended.length > 0) this.#announce(ended);
		return ended;
	}

	#announce(ended: readonly EndedSession[]): void {
		const faults: unknown[] = [];
		for (const listener of this.#listeners) {
			// One listener's fault must not leave another's sockets open; it is thrown when all have heard.
			try {
				listener(ended);
			} catch (error) {
				faults.push(error);
			}
		}
		if (faults.length > 0) throw new AggregateError(faults, 'A listener failed when sessions ended.');
	}
}

type Nullable<T, K extends keyof T> = { [P in keyof T]: P extends K ? T[P] | null : T[P] };
