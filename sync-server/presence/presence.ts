/**
 * Presence on one open page: who is here and where their caret is (SPEC N1–N5). Kept in memory alone, never stored, never delayed.
 *
 * A connection speaks for one client id at a time, its own. Stock providers echo everybody's presence: entries that are not the
 * session's are ignored silently, they are no offence. Name and colour are the relay's to say (P7), and each session gets its
 * own presence back, since a stock provider drops a connection that brings nothing for 30 s.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

/** A caret and a selection are a few hundred bytes; a state beyond this is no caret. */
const MAX_STATE_BYTES = 4 * 1024;
/** People on one page, twice over: what a stock provider echoes at most. */
const MAX_ENTRIES = 512;
/** A connection that was cut without a word is gone after this (y-protocols renews every 15 s). */
const EXPIRE_MS = 30_000;

export interface PresenceEntry {
	readonly client: number;
	readonly clock: number;
	/** Null: gone. */
	readonly state: Record<string, unknown> | null;
}

/** Reads an awareness message; null where it is none. */
export function readPresence(bytes: Uint8Array): PresenceEntry[] | null {
	try {
		const decoder = decoding.createDecoder(bytes);
		const count = decoding.readVarUint(decoder);
		if (count > MAX_ENTRIES) return null;
		const entries: PresenceEntry[] = [];
		for (let i = 0; i < count; i++) {
			const client = decoding.readVarUint(decoder);
			const clock = decoding.readVarUint(decoder);
			const json = decoding.readVarUint8Array(decoder);
			if (client > 0xffffffff || clock > 0xffffffff || json.byteLength > MAX_STATE_BYTES) continue;
			const state: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
			if (typeof state !== 'object' || Array.isArray(state)) return null;
			entries.push({ client, clock, state: state as Record<string, unknown> | null });
		}
		return entries;
	} catch {
		// Truncated, no JSON, no UTF-8: nothing was taken from it.
		return null;
	}
}

export function writePresence(entries: readonly PresenceEntry[]): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, entries.length);
	for (const { client, clock, state } of entries) {
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, clock);
		encoding.writeVarString(encoder, JSON.stringify(state));
	}
	return encoding.toUint8Array(encoder);
}

interface Standing {
	entry: PresenceEntry;
	readonly owner: unknown;
	seenAt: number;
}

export class Presence {
	readonly #now: () => number;
	readonly #standing = new Map<number, Standing>();
	readonly #listeners = new Set<(entries: readonly PresenceEntry[]) => void>();

	constructor(now: () => number) {
		this.#now = now;
	}

	/** Told of every change; returns how to stop. */
	listen(listener: (entries: readonly PresenceEntry[]) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	all(): PresenceEntry[] {
		return [...this.#standing.values()].map(({ entry }) => entry);
	}

	/** Whether another session speaks for this id right now. */
	isTaken(client: number, owner: unknown): boolean {
		const standing = this.#standing.get(client);
		return standing !== undefined && standing.owner !== owner;
	}

	/**
	 * Shows a session's own entry, already stamped. An older clock than what stands is ignored.
	 * @param owner the session that speaks
	 */
	show(owner: unknown, entry: PresenceEntry): void {
		const standing = this.#standing.get(entry.client);
		if (standing && (standing.owner !== owner || entry.clock < standing.entry.clock)) return;
		if (entry.state === null) this.#standing.delete(entry.client);
		else this.#standing.set(entry.client, { entry, owner, seenAt: this.#now() });
		if (standing || entry.state !== null) this.#tell([entry]);
	}

	/** The session is over: whatever it showed is gone. */
	leave(owner: unknown): void {
		this.#remove((standing) => standing.owner === owner);
	}

	expire(): void {
		const oldest = this.#now() - EXPIRE_MS;
		this.#remove((standing) => standing.seenAt < oldest);
	}

	#remove(isGone: (standing: Standing) => boolean): void {
		const gone: PresenceEntry[] = [];
		for (const [client, standing] of this.#standing) {
			if (!isGone(standing)) continue;
			this.#standing.delete(client);
			// The same clock: whoever comes back under this id a moment later goes on with the next.
			gone.push({ client, clock: standing.entry.clock, state: null });
		}
		if (gone.length > 0) this.#tell(gone);
	}

	#tell(entries: readonly PresenceEntry[]): void {
		for (const listener of this.#listeners) listener(entries);
	}
}
