/**
 * What a portal says of itself beside its log: its tariff, who is online, how many wait to be let in (SPEC N6–N9, Q6). Each is told whole after the welcome,
 * and when it changes; a socket that was full hears how it stands when it has drained, never what it missed.
 */
import type { Principal } from '#crdt-model/access/principals.ts';
import type { PersonId } from '#crdt-model/ids.ts';
import { encodeDown } from '#crdt-model/wire/codec.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import { Online } from '../presence/online.ts';
import type { Later } from '../quota/announcer.ts';
import type { Seat } from '../session/viewing.ts';

/** Whom each concerns: null is everybody, else who holds it. Guests hold no `all`: they may read nobody of whom they could be told. */
const CONCERNS = { tariff: null, online: 'all', waiting: 'admins' } as const satisfies Record<string, Principal | null>;
export type Topic = keyof typeof CONCERNS;
export const TOPICS = Object.keys(CONCERNS) as readonly Topic[];

const systemLater: Later = (run, ms) => void setTimeout(run, ms).unref();

/** What becomes a person's business when their rights grow by these. */
export function topicsWith(added: readonly Principal[]): Topic[] {
	return TOPICS.filter((topic) => CONCERNS[topic] !== null && added.includes(CONCERNS[topic]));
}

export interface Listener {
	readonly seat: Seat;
}

export interface AnnouncementsOptions {
	announce(topic: Topic, frame: Uint8Array, to: Principal | null): void;
	tariff(): Tariff;
	isMember(person: PersonId): boolean;
	readonly now: () => number;
	readonly later?: Later;
}

export class Announcements {
	readonly #options: AnnouncementsOptions;
	readonly #online: Online;
	#waiting = 0;
	readonly #welcomed = new Set<Listener>();

	constructor(options: AnnouncementsOptions) {
		this.#options = options;
		const { isMember, now, later = systemLater } = options;
		this.#online = new Online({ say: (frame) => this.#say('online', frame), isMember, now, later });
	}

	/** A session is being welcomed: its person is online, unless somebody else looks on. */
	join(listener: Listener): void {
		this.#welcomed.add(listener);
		if (listener.seat.viewer === null) this.#online.join(listener.seat.person);
	}
	leave(listener: Listener): void {
		if (this.#welcomed.delete(listener) && listener.seat.viewer === null) this.#online.leave(listener.seat.person);
	}

	/** The frames of a topic as it stands; none where it does not concern who holds this. */
	standing(topic: Topic, held: ReadonlySet<Principal>): readonly Uint8Array[] {
		const concerns = CONCERNS[topic];
		if (concerns !== null && !held.has(concerns)) return [];
		switch (topic) {
			case 'tariff':
				return [encodeDown({ type: 'tariff', ...this.#options.tariff() })];
			case 'online':
				return this.#online.whole();
			case 'waiting':
				return [encodeDown({ type: 'waiting', people: this.#waiting })];
		}
	}

	tellTariff(tariff: Tariff): void {
		this.#say('tariff', encodeDown({ type: 'tariff', ...tariff }));
	}
	tellWaiting(people: number): void {
		if (people === this.#waiting) return;
		this.#waiting = people;
		this.#say('waiting', encodeDown({ type: 'waiting', people }));
	}

	end(): void {
		this.#online.end();
	}

	#say(topic: Topic, frame: Uint8Array): void {
		this.#options.announce(topic, frame, CONCERNS[topic]);
	}
}
