/**
 * Outside the company's networks: when it is asked again whether this device is let in.
 *
 * A rule may be changed back while people look at the notice, so a tab that is looked at asks after seconds, each time a little longer up to LAST_KNOCK_MS; a tab
 * that nobody sees leaves it to the conversation's own minute (link.ts). Whoever comes back to the tab, or whose network changes, does not wait.
 * Bound: one attempt in FIRST_KNOCK_MS / 2 at most, and one in LAST_KNOCK_MS / 2 in the long run; each is an upgrade that is closed before anything is read.
 */
import type { Timers } from './core.ts';

export const FIRST_KNOCK_MS = 3_000;
export const LAST_KNOCK_MS = 15_000;
const LONGER = 1.5;

export interface KnockingOptions {
	readonly timers: Timers;
	/** From 0 to 1: devices that were shut out together do not come together. */
	readonly fraction: () => number;
	readonly isSeen: () => boolean;
	/** Does not wait for the next attempt. */
	readonly knock: () => void;
}

export class Knocking {
	readonly #options: KnockingOptions;
	#isOutside = false;
	#waitMs = FIRST_KNOCK_MS;
	#timer: unknown = null;

	constructor(options: KnockingOptions) {
		this.#options = options;
	}

	/** What the connection says, as often as it says it. */
	outside(is: boolean): void {
		if (this.#isOutside === is) return;
		this.#isOutside = is;
		this.#waitMs = FIRST_KNOCK_MS;
		this.#rest();
	}

	/** Somebody looks at this tab again, or its network is another: at once, and soon again after that. */
	lookedAt(): void {
		if (!this.#isOutside) return;
		this.#waitMs = FIRST_KNOCK_MS;
		this.#rest();
		this.#options.knock();
	}

	#rest(): void {
		const { timers, fraction, isSeen, knock } = this.#options;
		if (this.#timer !== null) timers.clear(this.#timer);
		this.#timer = null;
		if (!this.#isOutside || !isSeen()) return;
		this.#timer = timers.set(() => {
			this.#timer = null;
			this.#waitMs = Math.min(LAST_KNOCK_MS, this.#waitMs * LONGER);
			this.#rest();
			// Hidden meanwhile: whoever looks again knocks at once.
			if (isSeen()) knock();
		}, this.#waitMs * (0.5 + fraction() / 2));
	}
}
