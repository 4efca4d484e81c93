/**
 * Who is told: all open sessions of one portal, by the principals that they hold (SPEC F1–F6).
 *
 * After a commit each change goes to the sessions that may read its document now. A change of the audience itself is never sent as an
 * entry to those who gain or lose by it: the ones get the document whole, the others are told to drop it, with all that hangs on it.
 * When the structure changes, every session is decided again: what it gained is sent, what it lost is taken back.
 */
import type { Principal } from '#crdt-model/access/principals.ts';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { encodeDown } from '#crdt-model/wire/codec.ts';
import type { Entry } from '#crdt-model/wire/down.ts';
import type { LogEntry } from '#storage/contract.ts';
import type { Committed } from '../log/portal-log.ts';
import { Presence } from '../presence/presence.ts';
import type { Portal } from '../room/portal.ts';
import type { LiveSession } from './live-session.ts';
import { CLOSE, type CloseCode } from './socket.ts';
import type { SyncSession } from './sync-session.ts';

export class Audience {
	readonly #portal: Portal;
	readonly #byPrincipal = new Map<Principal, Set<SyncSession>>();
	readonly #sync = new Set<SyncSession>();
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

	join(session: SyncSession): void {
		this.#sync.add(session);
		for (const principal of session.principals) add(this.#byPrincipal, principal, session);
	}
	leave(session: SyncSession): void {
		this.#sync.delete(session);
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

	/** Sends a commit to its readers. Called once per commit, in the order of the log, after it is on disk. */
	fanOut(changes: readonly Committed[]): void {
		const durable = this.#portal.log.durable;
		const parcels = new Map<SyncSession, Entry[]>();
		let rightsChanged = false;
		for (const change of changes) {
			const { document, entry, readersBefore, readersAfter } = change;
			const isNew = entry.docSeq === 1;
			const after = this.#holding(readersAfter);
			const before = readersBefore === readersAfter ? after : this.#holding(readersBefore);
			for (const session of after) {
				if (isNew || before.has(session)) push(parcels, session, shipped(entry));
				else session.gain([document]);
			}
			if (!isNew && before !== after) this.#followScope(change, before, after);
			for (const session of this.liveOn(document)) session.canonical(entry.bytes, change.origin);
			rightsChanged ||= change.changesRights;
		}
		const encoded = new Map<string, Uint8Array>();
		for (const [session, entries] of parcels) {
			const key = entries.length === 1 ? String(entries[0]!.seq) : entries.map(({ seq }) => seq).join();
			let frame = encoded.get(key);
			if (!frame) {
				frame = encodeDown({ type: 'entries', entries, cursor: { epoch: this.#portal.log.epoch, seq: durable } });
				encoded.set(key, frame);
			}
			session.push(frame, durable);
		}
		if (rightsChanged) this.redecide();
		else for (const change of changes) if (change.readersBefore !== change.readersAfter) this.#recheckLive(change.document);
	}

	/** A record's audience changed: what hangs on it comes and goes with it. */
	#followScope(change: Committed, before: ReadonlySet<SyncSession>, after: ReadonlySet<SyncSession>): void {
		const lost = [...before].filter((session) => !after.has(session));
		const gained = [...after].filter((session) => !before.has(session));
		if (lost.length === 0 && gained.length === 0) return;
		for (const session of lost) session.lose([change.document]);
		if (change.head.scope !== change.document) return;
		this.#portal.store.ofScope(change.document).then(
			(heads) => {
				const hanging = heads.map(({ id }) => id).filter((id) => id !== change.document);
				for (const id of hanging) this.#recheckLive(id);
				if (hanging.length === 0) return;
				for (const session of lost) session.lose(hanging);
				for (const session of gained) session.gain(hanging);
			},
			() => this.closeAll(CLOSE.restarting, 'the store does not answer')
		);
	}

	/** After a change of the structure: every session holds what its person holds now (SPEC F4). */
	redecide(): void {
		for (const session of [...this.#sync]) {
			const held = this.#portal.directory.principalsOf(session.person);
			if (!held.has('all')) {
				session.close(CLOSE.noLongerAllowed, 'no longer a member');
				continue;
			}
			const before = session.principals;
			if (before.size === held.size && [...held].every((principal) => before.has(principal))) continue;
			for (const principal of before) if (!held.has(principal)) remove(this.#byPrincipal, principal, session);
			for (const principal of held) if (!before.has(principal)) add(this.#byPrincipal, principal, session);
			session.hold(held);
		}
		for (const document of [...this.#live.keys()]) this.#recheckLive(document);
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
}

/** What of an entry leaves the relay: the audit's own columns stay. */
export function shipped({ rightsVersion: _rights, hash: _hash, ...entry }: LogEntry): Entry {
	return entry;
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
