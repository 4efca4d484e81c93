/**
 * Who is told: all open sessions of one portal, by the principals that they hold (SPEC F1–F6).
 *
 * After a commit each change goes to the sessions that may read its document now. A change of the audience itself is never sent as an
 * entry to those who gain or lose by it: the ones get the document whole, the others are told to drop it, with all that hangs on it.
 * When the structure changes, the sessions of those whom it may touch are decided again: what they gained is sent, what they lost is taken back.
 * All of it by the directory as it is on disk, which this feeds: nothing is sent by a right whose commit might still fail.
 */
import type { AffectedPeople } from '#crdt-model/access/affected.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { SettingsRow } from '#crdt-model/kinds/settings.ts';
import { encodeDown } from '#crdt-model/wire/codec.ts';
import type { Entry } from '#crdt-model/wire/down.ts';
import type { LogEntry } from '#storage/contract.ts';
import type { Committed } from '../log/portal-log.ts';
import { Presence } from '../presence/presence.ts';
import type { Topic } from '../room/announcements.ts';
import type { Portal } from '../room/portal.ts';
import { differenceOf, Exchange, type Difference } from './exchange.ts';
import type { LiveSession } from './live-session.ts';
import { CLOSE, type CloseCode } from './socket.ts';
import { mayStay, NOT_FROM_HERE } from './viewing.ts';
import type { SyncSession } from './sync-session.ts';

interface Moved {
	readonly document: DocumentId;
	scope: DocumentId;
	readonly isNew: boolean;
	/** New, and something hung on it before anybody made it. */
	readonly isAwaited: boolean;
	/** Whether its audience has changed at any time within the commit. */
	hasMoved: boolean;
	readers: readonly Principal[];
	/** Those of its readers that it names itself: they also read what hangs on it. */
	named: readonly Principal[];
	readonly before: ReadonlySet<SyncSession>;
	after: ReadonlySet<SyncSession>;
}

export class Audience {
	readonly #portal: Portal;
	readonly #byPrincipal = new Map<Principal, Set<SyncSession>>();
	/** Principals that a session holds no more but whose documents it has not been told to drop yet; an object for each time that it gave them up. */
	readonly #leaving = new Map<Principal, Set<{ readonly session: SyncSession }>>();
	readonly #sync = new Set<SyncSession>();
	/** By whose session it is, and by who looks on in it. */
	readonly #byPerson = new Map<PersonId, Set<SyncSession>>();
	readonly #live = new Map<DocumentId, Set<LiveSession>>();
	readonly #presence = new Map<DocumentId, Presence>();

	constructor(portal: Portal) {
		this.#portal = portal;
	}

	get size(): number {
		let live = 0;
		for (const sessions of this.#live.values()) live += sessions.size;
		return this.#sync.size + live;
	}

	/** Nothing is left of any session: what a leak would show in. */
	get isEmpty(): boolean {
		return this.#sync.size + this.#live.size + this.#presence.size + this.#byPrincipal.size + this.#byPerson.size + this.#leaving.size === 0;
	}

	join(session: SyncSession): void {
		this.#sync.add(session);
		for (const person of peopleIn(session)) add(this.#byPerson, person, session);
		for (const principal of session.principals) add(this.#byPrincipal, principal, session);
	}
	leave(session: SyncSession): void {
		this.#sync.delete(session);
		for (const person of peopleIn(session)) remove(this.#byPerson, person, session);
		for (const principal of session.principals) remove(this.#byPrincipal, principal, session);
	}

	joinLive(session: LiveSession): Presence {
		add(this.#live, session.document, session);
		let presence = this.#presence.get(session.document);
		if (!presence) this.#presence.set(session.document, (presence = new Presence(this.#portal.now)));
		return presence;
	}
	leaveLive(session: LiveSession): void {
		remove(this.#live, session.document, session);
		if (!this.#live.has(session.document)) this.#presence.delete(session.document);
	}
	/** Those who have the document open over `/live`. */
	liveOn(document: DocumentId): Iterable<LiveSession> {
		return this.#live.get(document) ?? [];
	}

	/**
	 * Sends a commit to its readers. Called once per commit, in the order of the log, after it is on disk. All is judged by what holds after the whole
	 * commit: an entry is not sent to somebody who loses its document a moment later in the same commit.
	 */
	fanOut(changes: readonly Committed[]): void {
		const documents = this.#byDocument(changes);
		const { directoryOnDisk: directory } = this.#portal;
		const { version } = directory;
		for (const { head } of changes) directory.take(head.row);
		this.#switchServices(changes);
		if (directory.version !== version) this.#redecide(directory.affectedSince(version));
		// Before anything of this commit is sent: whoever is outside now gets nothing more.
		if (changes.some(({ head }) => head.row.kind === 'settings')) this.#turnAway(this.#all());
		for (const moved of documents.values()) this.#settle(moved, documents);

		const parcels = new Map<SyncSession, Entry[]>();
		for (const { document, entry, head, origin } of changes) {
			const { before, after, isNew } = documents.get(document)!;
			const parcel = shipped(entry);
			// Cursors go on without it; whoever lacks it is compared when the service comes back (SPEC V4).
			if (!this.#portal.services.isWithheld(head.row)) for (const session of after) if (isNew || before.has(session)) push(parcels, session, parcel);
			for (const session of [...this.liveOn(document)]) session.canonical(entry.bytes, origin);
		}
		this.#send(parcels);
	}

	/**
	 * What the commit switched off is shown to nobody from here on, and what devices hold of it they keep. Where a service came back, every device may lack
	 * something of it that it was moved past: it is asked what it holds, and before it is told of this commit, by which its cursor would say more than it has.
	 */
	#switchServices(changes: readonly Committed[]): void {
		const { services } = this.#portal;
		const { off } = services;
		let isBack = false;
		for (const { head } of changes) if (head.row.kind === 'settings') isBack = services.committed(head.row as SettingsRow) || isBack;
		if (services.off === off) return;
		for (const document of [...this.#live.keys()]) this.#recheckLive(document);
		if (isBack) for (const session of [...this.#sync]) session.compareAnew();
	}

	/** What the commit did to each document, with the sessions that could read it before, by what they held before. */
	#byDocument(changes: readonly Committed[]): Map<DocumentId, Moved> {
		const documents = new Map<DocumentId, Moved>();
		for (const { document, entry, head, readersBefore, readersAfter, isAwaited = false } of changes) {
			const moved = documents.get(document);
			if (moved) {
				moved.scope = head.scope;
				moved.readers = readersAfter;
				moved.named = head.audience;
				moved.hasMoved ||= !sameMembers(readersBefore, readersAfter);
				continue;
			}
			documents.set(document, {
				document,
				scope: head.scope,
				isNew: entry.docSeq === 1,
				isAwaited,
				hasMoved: !sameMembers(readersBefore, readersAfter),
				readers: readersAfter,
				named: head.audience,
				before: new Set([...this.#holding(readersBefore), ...this.#stillHolding(readersBefore)]),
				after: new Set()
			});
		}
		return documents;
	}

	/** Who may read the document now; those who lost it are told to drop it, those who gained it get it whole. */
	#settle(moved: Moved, documents: ReadonlyMap<DocumentId, Moved>): void {
		// Where the commit goes on to change the scope, its last word counts.
		const scope = moved.scope === moved.document ? undefined : documents.get(moved.scope);
		moved.after = this.#holding(scope ? [...moved.named, ...scope.named] : moved.readers);
		if (moved.isAwaited) for (const session of moved.after) session.gain(moved.document);
		if (moved.isNew) return;
		const lost = [...moved.before].filter((session) => !moved.after.has(session));
		const gained = [...moved.after].filter((session) => !moved.before.has(session));
		for (const session of lost) session.lose([moved.document]);
		for (const session of gained) session.gain(moved.document);
		if (!moved.hasMoved) return;
		for (const session of moved.after) if (moved.before.has(session)) session.keeps(moved.document);
		this.#recheckLive(moved.document);
		this.#loseWhatHangs(moved, lost);
	}

	/**
	 * A record's audience changed: what hangs on it goes with it, but not from those whom it names itself. What comes with it is read by the session that
	 * gains.
	 */
	#loseWhatHangs({ document, named }: Moved, lost: readonly SyncSession[]): void {
		this.#portal.store.ofScope(document).then(
			(heads) => {
				const hanging = heads.filter(({ id }) => id !== document);
				for (const { id } of hanging) this.#recheckLive(id);
				// The store may know a later word already: who has got it back by then loses nothing.
				const stands = heads.find(({ id }) => id === document)?.audience ?? named;
				for (const session of lost) {
					const holds = (principal: Principal) => session.principals.has(principal);
					if (hanging.length === 0 || stands.some(holds)) continue;
					const gone = hanging.filter(({ audience }) => !audience.some(holds)).map(({ id }) => id);
					if (gone.length > 0) session.lose(gone);
				}
			},
			() => this.closeAll(CLOSE.restarting, 'the store does not answer')
		);
	}

	/** Most readers of a commit get the same entries: those are encoded once. */
	#send(parcels: ReadonlyMap<SyncSession, Entry[]>): void {
		const { durable, epoch } = this.#portal.log;
		const frames = new Map<string, Uint8Array>();
		for (const [session, entries] of parcels) {
			const key = entries.map(({ seq }) => seq).join();
			let frame = frames.get(key);
			if (!frame) frames.set(key, (frame = encodeDown({ type: 'entries', entries, cursor: { epoch, seq: durable } })));
			session.push(frame, durable);
		}
	}

	/** After a change of the structure: every session that it may touch holds what its person holds now (SPEC F4). */
	#redecide(people: AffectedPeople): void {
		const differences = new Map<SyncSession, Difference>();
		for (const session of this.#sessionsOf(people)) {
			const reader = this.#portal.reader(session.seat);
			if (!reader) {
				session.close(CLOSE.noLongerAllowed, 'no longer a member');
				continue;
			}
			if (this.#turnAway([session])) continue;
			const difference = differenceOf(session.principals, reader.principals);
			if (difference) differences.set(session, difference);
		}
		const exchange = new Exchange(this.#portal.store, differences.values());
		for (const [session, difference] of differences) {
			const { dropped, added } = difference;
			for (const principal of dropped) remove(this.#byPrincipal, principal, session);
			for (const principal of added) add(this.#byPrincipal, principal, session);
			// Until the session has looked for what it lost, a document that moves on counts as one that it could read.
			const leaver = { session };
			for (const principal of dropped) add(this.#leaving, principal, leaver);
			const left = () => {
				for (const principal of dropped) remove(this.#leaving, principal, leaver);
			};
			// Also where it ended by a fault before it came to that.
			void session.hold(difference, exchange, left).then(left);
		}
		for (const document of [...this.#live.keys()]) this.#recheckLive(document);
	}

	/** Ends the sessions that come from where the company lets nobody in, by its rule and by who they are now. Returns whether there was one. */
	#turnAway(sessions: readonly (SyncSession | LiveSession)[]): boolean {
		const outside = sessions.filter((session) => !mayStay(this.#portal, session));
		for (const session of outside) session.close(CLOSE.notFromHere, NOT_FROM_HERE);
		return outside.length > 0;
	}

	#sessionsOf(people: AffectedPeople): Iterable<SyncSession> {
		if (people === 'all') return [...this.#sync];
		const sessions = new Set<SyncSession>();
		for (const person of people) for (const session of this.#byPerson.get(person) ?? []) sessions.add(session);
		return sessions;
	}

	/** Something of the portal itself, which is no entry: to every session on /sync that was welcomed, or of them to those who hold the principal. */
	announce(topic: Topic, frame: Uint8Array, to: Principal | null): void {
		for (const session of to === null ? this.#sync : (this.#byPrincipal.get(to) ?? [])) session.announce(topic, frame);
	}

	#recheckLive(document: DocumentId): void {
		for (const session of [...this.liveOn(document)]) session.recheck();
	}

	heartbeat(): void {
		for (const session of this.#sync) session.heartbeat();
		for (const presence of this.#presence.values()) presence.expire();
	}

	closeSessionsOf(person: PersonId, code: CloseCode, reason: string): void {
		for (const session of this.#all()) if (session.person === person) session.close(code, reason);
	}
	closeAll(code: CloseCode, reason: string): void {
		for (const session of this.#all()) session.close(code, reason);
	}
	#all(): (SyncSession | LiveSession)[] {
		return [...this.#sync, ...[...this.#live.values()].flatMap((sessions) => [...sessions])];
	}

	#holding(principals: readonly Principal[]): Set<SyncSession> {
		const sessions = new Set<SyncSession>();
		for (const principal of principals) for (const session of this.#byPrincipal.get(principal) ?? []) sessions.add(session);
		return sessions;
	}
	#stillHolding(principals: readonly Principal[]): SyncSession[] {
		return principals.flatMap((principal) => [...(this.#leaving.get(principal) ?? [])].map(({ session }) => session));
	}
}

function sameMembers(a: readonly Principal[], b: readonly Principal[]): boolean {
	if (a === b || a.length !== b.length) return a === b;
	// A task of ten thousand people is compared at every commit that touches it.
	const other = new Set(b);
	return a.every((principal) => other.has(principal));
}

/** What of an entry leaves the relay: the audit's own columns stay. */
export function shipped({ seq, document, docSeq, author, authoredAt, acceptedAt, command, overruled, swallowed, bytes, mac }: LogEntry): Entry {
	return { seq, document, docSeq, author, authoredAt, acceptedAt, command, overruled, swallowed, bytes, mac };
}

function peopleIn({ seat }: SyncSession): readonly PersonId[] {
	return seat.viewer === null ? [seat.person] : [seat.person, seat.viewer];
}

function add<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
	const set = index.get(key);
	if (set) set.add(value);
	else index.set(key, new Set([value]));
}
function remove<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
	const set = index.get(key);
	if (set?.delete(value) && set.size === 0) index.delete(key);
}
function push<K, V>(index: Map<K, V[]>, key: K, value: V): void {
	const list = index.get(key);
	if (list) list.push(value);
	else index.set(key, [value]);
}
