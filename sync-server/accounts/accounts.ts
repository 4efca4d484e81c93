/**
 * Accounts: who someone is. The door of this folder; the parts behind it each have a file.
 *
 * Promises: expected refusals are returned as unions, faults are thrown; what a call has answered is on disk; nothing here
 * writes to a log, and nothing secret leaves except to the person whom it is for: a token or a code, once.
 * Leaves to others: rights, employee records, HTTP (the REST side calls this; better-auth serves no routes of its own).
 */
import { randomFillSync } from 'node:crypto';
import { IdMaker, type DepartmentId, type GroupId, type PersonId, type PortalId, type RandomBytes, type SessionId } from '#crdt-model/ids.ts';
import { Askers } from './askers.ts';
import { networkOf } from './attempts.ts';
import { Codes } from './codes.ts';
import { type AccountsDatabase, openDatabase, type Outlives } from './database.ts';
import { Domains } from './domains.ts';
import { type Email, parseEmail } from './email.ts';
import type { FactorDemand } from './factor-demand.ts';
import { Factors } from './factors.ts';
import { Guard, type Guarded, type Ip, type TooManyAttempts } from './guard.ts';
import { type Added, type HashedChosen, type HashedForLater, Identities, type Identity, type IdentityId, type LoginSet, type PasswordChecked, type PasswordSet, type Registered } from './identities.ts';
import { type Invitation, type InvitationClaim, type InvitationClaimed, Invitations, type Invited } from './invitations.ts';
import { InvitationLinks } from './invitation-links.ts';
import { Joins } from './joins.ts';
import type { LetterSort } from './letter-limits.ts';
import { LetterStore } from './letter-store.ts';
import { type HeldMembership, type Membership, type MembershipAdded, Memberships } from './memberships.ts';
import { argon2Hasher, type PasswordHasher } from './password.ts';
import type { SecondFactors } from './second-factors.ts';
import { type EndedSession, type ListedSession, type ResolvedSession, Sessions, type SessionsEndedListener, type SessionStarted } from './sessions.ts';
import { SIGN_IN } from './sign-ins.ts';
import { Subscriptions } from './subscriptions.ts';
import { Tickets } from './tickets.ts';
import { Turns } from './turns.ts';
import { Vault } from './vault.ts';
import { Views, type ViewStarted } from './views.ts';

export type { Added, Email, EndedSession, Identity, IdentityId, Invitation, InvitationClaim, InvitationClaimed, Invited };
export type { Membership, MembershipAdded, Registered, ResolvedSession, SessionId, SessionsEndedListener, SessionStarted, ViewStarted };

export type SignedIn =
	| { outcome: 'signed-in'; identity: IdentityId; email: Email; name: string; memberships: HeldMembership[] }
	| { outcome: 'wrong-credentials' }
	| TooManyAttempts;

export interface AccountsOptions {
	/** Where `accounts.db` lies; made if it is missing. */
	folder: string;
	/** Milliseconds since 1970. */
	now?: () => number;
	random?: RandomBytes;
	/** Tests pass a cheaper one. */
	hasher?: PasswordHasher;
	/** Tests pass others than those that people enrol. */
	secondFactors?: SecondFactors;
	/** `the-machine` where nothing else is said. */
	outlives?: Outlives;
}

export class Accounts {
	readonly #database: AccountsDatabase;
	readonly #identities: Identities;
	readonly #memberships: Memberships;
	readonly #sessions: Sessions;
	readonly #views: Views;
	readonly #invitations: Invitations;
	readonly #guard: Guard;
	readonly subscriptions: Subscriptions;
	/** Which names belong to which portals. */
	readonly domains: Domains;
	readonly letters: LetterStore;
	readonly invitationLinks: InvitationLinks;
	readonly joins: Joins;
	/** What must not run beside itself for one address. */
	readonly turns = new Turns();
	readonly tickets: Tickets;
	readonly askers: Askers;
	readonly codes: Codes;
	readonly vault: Vault;
	/** What people enrol, add and link. */
	readonly factors: Factors;
	/** What a sign-in asks. */
	readonly secondFactors: SecondFactors;

	private constructor(database: AccountsDatabase, identities: Identities, vault: Vault, secondFactors: SecondFactors | null, sold: { subscriptions: Subscriptions; domains: Domains }, world: { now: () => number; random: RandomBytes; guard: Guard }) {
		this.#database = database;
		this.#identities = identities;
		this.#memberships = new Memberships(database, world.now);
		this.#sessions = new Sessions(database, world);
		this.#views = new Views({ ...world, ids: new IdMaker(world.now, world.random) });
		this.#sessions.onEnded((ended) => void this.#views.endUnder(ended.map(({ session }) => session)));
		const ids = new IdMaker(world.now, world.random);
		this.#invitations = new Invitations(database, { ...world, ids });
		this.invitationLinks = new InvitationLinks(database, { ...world, ids });
		this.joins = new Joins(database, { ...world, ids });
		this.#guard = world.guard;
		this.vault = vault;
		this.tickets = new Tickets(world);
		this.askers = new Askers(world);
		this.codes = new Codes(database, vault, world);
		this.factors = new Factors(database, { ...world, vault, tickets: this.tickets });
		this.secondFactors = secondFactors ?? this.factors;
		this.subscriptions = sold.subscriptions;
		this.domains = sold.domains;
		this.letters = new LetterStore(database, vault, { now: world.now, ids });
	}

	static async open(options: AccountsOptions): Promise<Accounts> {
		const now = options.now ?? Date.now;
		const random = options.random ?? ((target) => randomFillSync(target));
		const hasher = options.hasher ?? argon2Hasher(random);
		const database = await openDatabase(options.folder, { now, random, hasher, ...(options.outlives && { outlives: options.outlives }) });
		try {
			const vault = Vault.open(options.folder, random);
			const guard = new Guard(now);
			const subscriptions = new Subscriptions(database, now);
			const sold = { subscriptions, domains: await Domains.open(database, subscriptions, now) };
			return new Accounts(database, await Identities.open(database, { now, random, hasher, guard }), vault, options.secondFactors ?? null, sold, { now, random, guard });
		} catch (error) {
			await database.close();
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.domains.settled();
		await this.#database.close();
	}

	/**
	 * By whoever has proved the address by a letter. A free one gets an identity; a confirmed one must bring its present password, which is neither set nor
	 * reset; one that was only added becomes theirs, and everything by which one signed in before is void.
	 */
	async registerIdentity(request: { email: unknown; password: unknown; name: unknown; login?: unknown; ip?: Ip }): Promise<Registered> {
		const registered = await this.#identities.register(request);
		if (registered.outcome === 'taken-over') await this.#voidOthers(registered.identity);
		return registered;
	}

	/** What a newcomer chose, judged and hashed, to wait until they have answered a letter. At the same cost whatever the address is. */
	hashForLater(request: { letter: LetterSort; email: unknown; password: unknown; name: unknown; login?: unknown; ip?: Ip }): Promise<HashedForLater> {
		return this.#identities.hashForLater(request);
	}

	/** What the owner of an address chose when they answered a letter that somebody else may have asked for, judged and hashed. */
	hashChosen(request: { email: Email; name: string; password: unknown }): Promise<HashedChosen> {
		return this.#identities.hashChosen(request);
	}

	/** The hash of a password that nobody knows. */
	get nobodysHash(): string {
		return this.#identities.nobodysHash;
	}

	/** The letter was answered. Null where the address has a confirmed identity by now, which keeps its password. */
	async registerHashed(request: { email: Email; name: string; hash: string; login: string | null }): Promise<Extract<Registered, { outcome: 'created' | 'taken-over' }> | null> {
		const registered = await this.#identities.registerHashed(request);
		if (registered?.outcome === 'taken-over') await this.#voidOthers(registered.identity);
		return registered;
	}

	/** Takes back an identity that was added and belongs nowhere. */
	discardAdded(identity: IdentityId): Promise<void> {
		return this.#identities.discardAdded(identity);
	}

	/** Whether a letter may be asked for by a stranger now; null where it may. Known addresses and unknown ones count alike. */
	mayAskLetter(sort: LetterSort, email: Email, ip: Ip): Promise<TooManyAttempts | null> {
		return this.#guard.letter(sort, email, ip);
	}

	/** By an administrator, with a first password that must be changed at the first sign-in. A known address is left as it is: invite it. */
	addIdentity(request: { email: unknown; password: unknown; name: unknown; login?: unknown; portal: PortalId }): Promise<Added> {
		return this.#identities.add(request);
	}

	/** @param request.email the address, or the login */
	async signIn(request: { email: unknown; password: unknown; ip?: Ip }): Promise<SignedIn> {
		const recognised = await this.#identities.recognise(request);
		if (recognised.outcome !== 'recognised') return recognised;
		const { identity, email, name } = recognised.identity;
		return { outcome: 'signed-in', identity, email, name, memberships: await this.#memberships.of(identity) };
	}

	identity(identity: IdentityId): Promise<Identity | null> {
		return this.#identities.get(identity);
	}

	async identityByEmail(email: unknown): Promise<Identity | null> {
		const parsed = parseEmail(email);
		return parsed.outcome === 'parsed' ? this.#identities.byEmail(parsed.email) : null;
	}

	/** For what asks for the password of somebody who is signed in. */
	checkPassword(identity: IdentityId, password: unknown, ip?: Ip): Promise<PasswordChecked> {
		return this.#identities.checkPassword(identity, password, ip);
	}

	/** The code of the second factor, counted: the judged value says whether it was right. */
	checkCode(identity: IdentityId, code: string, ip?: Ip): Promise<Guarded<boolean>> {
		return this.#guard.code(identity, ip, () => this.secondFactors.check(identity, code));
	}

	/** What is found by something that is not to be guessed: unknown ones weigh on the network that brings them. */
	bySecret<T>(ip: Ip, find: () => Promise<T | null> | T | null): Promise<Guarded<T | null>> {
		return this.#guard.secret(ip, find);
	}

	/** Whether the password in force was chosen by an administrator. */
	mustChangePassword(identity: IdentityId): boolean {
		return this.#identities.mustChangePassword(identity);
	}

	/** Chosen by the person. Sign-ins under way end with it; the caller ends sessions. */
	async setPassword(identity: IdentityId, password: unknown): Promise<PasswordSet> {
		const set = await this.#identities.setPassword(identity, password);
		if (set.outcome === 'set') this.tickets.drop(SIGN_IN, (signIn) => signIn.identity === identity);
		return set;
	}

	/** By a letter's code: everybody who is signed in is out, and an address that somebody else had added is its owner's from now on. */
	async resetPassword(identity: IdentityId, password: unknown): Promise<PasswordSet> {
		const before = await this.#identities.get(identity);
		const set = await this.setPassword(identity, password);
		if (set.outcome !== 'set' || !before) return set;
		if (!before.emailConfirmed) {
			await this.#identities.changeEmail(identity, before.email);
			await this.#voidOthers(identity);
		} else await this.#sessions.endAll({ identity });
		return set;
	}

	/** By a letter's code too, of somebody who registers again because they work nowhere any more. */
	async adoptPassword(identity: IdentityId, hash: string): Promise<void> {
		await this.#identities.adoptPassword(identity, hash);
		this.tickets.drop(SIGN_IN, (signIn) => signIn.identity === identity);
		await this.#sessions.endAll({ identity });
	}

	/** Changes with the password; a letter's code that was asked for under another one is void. */
	passwordStamp(identity: IdentityId): Promise<string> {
		return this.#identities.passwordStamp(identity);
	}

	/** False where the new address has become another identity's. */
	changeEmail(identity: IdentityId, email: Email): Promise<boolean> {
		return this.#identities.changeEmail(identity, email);
	}

	/** Of somebody whose personal fields were erased: nothing stays of an identity that belongs to no portal any more. */
	async removeIfNowhere(identity: IdentityId): Promise<boolean> {
		if ((await this.#memberships.of(identity)).length > 0) return false;
		await this.#voidOthers(identity);
		await this.#identities.remove(identity);
		return true;
	}

	hasPassword(identity: IdentityId): Promise<boolean> {
		return this.#identities.hasPassword(identity);
	}

	loginOf(identity: IdentityId): Promise<string | null> {
		return this.#identities.loginOf(identity);
	}

	setLogin(identity: IdentityId, login: unknown): Promise<LoginSet> {
		return this.#identities.setLogin(identity, login);
	}

	startSession(request: {
		identity: IdentityId;
		portal: PortalId;
		employee: PersonId;
		userAgent?: string | null;
		ip?: string | null;
		replaces?: SessionId;
	}): Promise<SessionStarted> {
		return this.#sessions.start(request);
	}

	/** Synchronous and cheap: a cached answer, or one read of committed rows. */
	resolveToken(token: unknown): ResolvedSession | null {
		return this.#views.resolve(token) ?? this.#sessions.resolve(token);
	}

	async endSession(token: unknown): Promise<boolean> {
		return this.#views.end(token) || (await this.#sessions.end(token)).length > 0;
	}

	/** An administrator looks on as another person; whoever calls has asked for rights and had it recorded. */
	startView(viewer: ResolvedSession, person: PersonId): ViewStarted {
		return this.#views.start(viewer, person);
	}

	/** Every view that hangs on this sign-in. */
	endViewsUnder(session: SessionId): number {
		return this.#views.endUnder([session]);
	}

	/** How many ended. @param except the session that goes on */
	async endAllSessions(whose: { identity: IdentityId } | { portal: PortalId; employee: PersonId }, except?: SessionId): Promise<number> {
		return (await this.#sessions.endAll(whose, 'signed-out-everywhere', except)).length;
	}

	/** One of a person's own; false where it is none of theirs, or over. */
	async endOwnSession(identity: IdentityId, session: string): Promise<boolean> {
		const own = (await this.#sessions.list({ identity })).find((one) => one.session === session);
		return own !== undefined && (await this.#sessions.endSome([own.session], 'signed-out')).length > 0;
	}

	sessionsOf(whose: { identity: IdentityId } | { portal: PortalId; employee: PersonId }): Promise<ListedSession[]> {
		return this.#sessions.list(whose);
	}

	/** Called for every call and connection. */
	noteSeen(session: SessionId, ip: Ip): Promise<void> {
		return this.#sessions.noteSeen(session, ip);
	}

	/** Whether somebody who signed in before comes with a program and from a network that none of their sessions has. */
	async isUnfamiliar(identity: IdentityId, from: { ip: string | null; userAgent: string | null }): Promise<boolean> {
		const known = await this.#sessions.list({ identity });
		const network = from.ip === null ? null : networkOf(from.ip);
		return known.length > 0 && !known.some(({ ip, userAgent }) => (userAgent !== null && userAgent === from.userAgent) || (ip !== null && networkOf(ip) === network));
	}

	/** Those of a portal that demands a second factor, whose people have none and had their time. How many ended. */
	async endOverdueSessions(portal: PortalId, demand: FactorDemand): Promise<number> {
		return (await this.#sessions.endSome(await this.factors.overdueSessions(portal, demand), 'factor-demanded')).length;
	}

	/** When a living session of this identity began; null for one that is over. */
	sessionBeganAt(identity: IdentityId, session: SessionId): Promise<number | null> {
		return this.#sessions.beganAt(identity, session);
	}

	/**
	 * By somebody else than the person, who lost the factor: it is gone with its recovery codes, and so are all sessions and sign-ins under way, because what was
	 * lost may be signed in. False if there was none.
	 */
	async resetSecondFactor(identity: IdentityId): Promise<boolean> {
		if (!(await this.factors.codes.remove(identity))) return false;
		this.tickets.drop(SIGN_IN, (signIn) => signIn.identity === identity);
		await this.#sessions.endAll({ identity }, 'factor-reset');
		return true;
	}

	/** Called once the sessions are gone from disk, and for views, which are on none; returns the way to stop listening. */
	onSessionsEnded(listener: SessionsEndedListener): () => void {
		const stops = [this.#sessions.onEnded(listener), this.#views.onEnded(listener)];
		return () => stops.forEach((stop) => stop());
	}

	addMembership(membership: Membership & { identity: IdentityId }): Promise<MembershipAdded> {
		return this.#memberships.add(membership);
	}

	/** Dismissal: the employee's sessions end with it. False if there was none. */
	async removeMembership(portal: PortalId, employee: PersonId): Promise<boolean> {
		const removed = await this.#memberships.remove(portal, employee);
		// Also when nothing was removed: a crash between the two steps of an earlier call is mended by repeating it.
		await this.#sessions.endAll({ portal, employee }, 'membership-ended');
		return removed;
	}

	membershipsOf(identity: IdentityId): Promise<HeldMembership[]> {
		return this.#memberships.of(identity);
	}

	identityOf(portal: PortalId, employee: PersonId): Promise<IdentityId | null> {
		return this.#memberships.identityOf(portal, employee);
	}

	invite(request: {
		portal: PortalId;
		email: unknown;
		department?: DepartmentId | null;
		groups?: readonly GroupId[];
		invitedBy: PersonId;
	}): Promise<Invited> {
		return this.#invitations.invite(request);
	}

	/** A new code and time, in the name of whoever sends it anew; null where there is no open one of that id. */
	renewInvitation(portal: PortalId, id: string, invitedBy: PersonId): Promise<Extract<Invited, { outcome: 'invited' }> | null> {
		return this.#invitations.renew(portal, id, invitedBy);
	}

	openInvitation(code: unknown): Invitation | null {
		return this.#invitations.open(code);
	}

	openInvitationsOf(portal: PortalId): Promise<Invitation[]> {
		return this.#invitations.openOf(portal);
	}

	withdrawInvitation(portal: PortalId, id: string): Promise<boolean> {
		return this.#invitations.withdraw(portal, id);
	}

	/** First phase of an acceptance: from here until finish, release or lapse nobody else can use the code. */
	claimInvitation(code: unknown): InvitationClaimed {
		return this.#invitations.claim(code);
	}

	/** Second phase, after the membership was added. */
	finishInvitation(claim: InvitationClaim): Promise<{ outcome: 'accepted' } | { outcome: 'lapsed' }> {
		return this.#invitations.finish(claim);
	}

	releaseInvitation(claim: InvitationClaim): void {
		this.#invitations.release(claim);
	}

	/** Housekeeping, now and then: expired sessions (announced as ended) and invitations leave the file. */
	async sweep(): Promise<void> {
		this.tickets.sweep();
		await this.codes.sweep();
		this.factors.sweep();
		this.#views.sweep();
		await this.#sessions.sweep();
		await this.#invitations.sweep();
		await this.invitationLinks.sweep();
		await this.joins.sweep();
	}

	/** Whoever was in by what somebody else had set up is out. */
	async #voidOthers(identity: IdentityId): Promise<void> {
		this.tickets.drop(SIGN_IN, (signIn) => signIn.identity === identity);
		await this.secondFactors.forget(identity);
		await this.#sessions.endAll({ identity });
	}
}
