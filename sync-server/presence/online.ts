/**
 * Who has the portal open: people with a connection of their own on `/sync` that was welcomed (SPEC N6–N8). In memory alone.
 *
 * Promises: a change is told at once where nothing was told just before, and never more often than every two seconds; a frame is encoded once for all who
 * get it; whoever closes and opens again within the grace was never gone.
 * Leaves to others: who may be told (room/announcements.ts).
 */
import type { PersonId } from '#crdt-model/ids.ts';
import { encodeDown } from '#crdt-model/wire/codec.ts';
import { ONLINE_CHUNK } from '#crdt-model/wire/limits.ts';
import type { Later } from '../quota/announcer.ts';

/** A company that comes to work at nine would else send each of its people to each of the others. */
export const ONLINE_EVERY_MS = 2_000;
/** A reload, or a phone that changes its network, is back within this. */
export const ONLINE_GRACE_MS = 10_000;

export interface OnlineOptions {
	/** To everybody who may be told. */
	say(frame: Uint8Array): void;
	/** Whoever was dismissed is not waited for. */
	isMember(person: PersonId): boolean;
	readonly now: () => number;
	readonly later: Later;
}

export class Online {
	readonly #options: OnlineOptions;
	/** Connections by person, none of them zero. */
	readonly #connections = new Map<PersonId, number>();
	/** Whose last connection closed, and until when they are not gone; in that order. */
	readonly #leaving = new Map<PersonId, number>();
	/** As everybody was told. */
	readonly #told = new Set<PersonId>();
	/** People of whom something may have changed since. */
	readonly #changed = new Set<PersonId>();
	#whole: readonly Uint8Array[] | null = null;
	#waits = false;
	#watches = false;
	#ended = false;

	constructor(options: OnlineOptions) {
		this.#options = options;
	}

	join(person: PersonId): void {
		this.#connections.set(person, (this.#connections.get(person) ?? 0) + 1);
		this.#leaving.delete(person);
		this.#changed.add(person);
		this.#soon();
	}

	leave(person: PersonId): void {
		const rest = (this.#connections.get(person) ?? 0) - 1;
		if (rest > 0) return void this.#connections.set(person, rest);
		this.#connections.delete(person);
		if (!this.#options.isMember(person)) {
			this.#changed.add(person);
			return this.#soon();
		}
		this.#leaving.set(person, this.#options.now() + ONLINE_GRACE_MS);
		this.#watch();
	}

	/** All who are online, as everybody was told: what is told next builds on it. At least one frame: that nobody is here is said as well. */
	whole(): readonly Uint8Array[] {
		if (this.#whole) return this.#whole;
		const here = [...this.#told];
		const frames: Uint8Array[] = [];
		for (let at = 0; at === 0 || at < here.length; at += ONLINE_CHUNK) {
			frames.push(encodeDown({ type: 'online', ...(at === 0 && { whole: true }), here: here.slice(at, at + ONLINE_CHUNK), gone: [] }));
		}
		return (this.#whole = frames);
	}

	end(): void {
		this.#ended = true;
	}

	/** One timer for all who are leaving, however many they are. */
	#watch(): void {
		const [earliest] = this.#leaving.values();
		if (earliest === undefined || this.#watches || this.#ended) return;
		this.#watches = true;
		this.#options.later(() => {
			this.#watches = false;
			const now = this.#options.now();
			for (const [person, until] of this.#leaving) {
				if (until > now) break;
				this.#leaving.delete(person);
				this.#changed.add(person);
			}
			this.#soon();
			this.#watch();
		}, Math.max(0, earliest - this.#options.now()));
	}

	#soon(): void {
		if (this.#changed.size === 0 || this.#waits || this.#ended) return;
		this.#tell();
		this.#waits = true;
		this.#options.later(() => {
			this.#waits = false;
			this.#soon();
		}, ONLINE_EVERY_MS);
	}

	#tell(): void {
		const here: PersonId[] = [];
		const gone: PersonId[] = [];
		for (const person of this.#changed) {
			const isHere = this.#connections.has(person) || this.#leaving.has(person);
			if (isHere === this.#told.has(person)) continue;
			(isHere ? here : gone).push(person);
			if (isHere) this.#told.add(person);
			else this.#told.delete(person);
		}
		this.#changed.clear();
		if (here.length + gone.length === 0) return;
		this.#whole = null;
		for (let at = 0; at < Math.max(here.length, gone.length); at += ONLINE_CHUNK) {
			this.#options.say(encodeDown({ type: 'online', here: here.slice(at, at + ONLINE_CHUNK), gone: gone.slice(at, at + ONLINE_CHUNK) }));
		}
	}
}
