/**
 * Tells open sessions what the tariff says, when it says something else (SPEC Q6).
 *
 * Promises: a changed subscription is told at once; counters at most once a second, the last state always; the end of a demo at the next beat
 * after it. Nothing is told that is not on disk: whoever reckons the tariff takes the counters of the last commit.
 */
import type { Tariff } from '#crdt-model/tariff/tariff.ts';

/** A meter that moves more often than this is read by nobody; an import of a thousand files would send a thousand. */
export const ANNOUNCE_MS = 1_000;

export type Later = (run: () => void, ms: number) => void;

export interface AnnouncerOptions {
	tariff(): Tariff;
	say(tariff: Tariff): void;
	readonly later: Later;
}

export class TariffAnnouncer {
	readonly #options: AnnouncerOptions;
	#told: string;
	/** A later look is under way; what changes until then is in it. */
	#waits = false;
	#ended = false;

	constructor(options: AnnouncerOptions) {
		this.#options = options;
		this.#told = JSON.stringify(options.tariff());
	}

	/** Says what changed, if anything did. */
	now(): void {
		if (this.#ended) return;
		const tariff = this.#options.tariff();
		const told = JSON.stringify(tariff);
		if (told === this.#told) return;
		this.#told = told;
		this.#options.say(tariff);
	}

	/** After a commit: now, or within a second where something was said just before. */
	soon(): void {
		if (this.#waits || this.#ended) return;
		this.now();
		this.#waits = true;
		this.#options.later(() => {
			this.#waits = false;
			this.now();
		}, ANNOUNCE_MS);
	}

	end(): void {
		this.#ended = true;
	}
}
