/** A bucket of tokens: a burst passes, a stream above the rate does not. */
export interface Rate {
	readonly burst: number;
	readonly perSecond: number;
}

export class Bucket {
	readonly #now: () => number;
	readonly #rate: Rate;
	#left: number;
	#at: number;

	/** @param now milliseconds, monotonic */
	constructor(now: () => number, rate: Rate) {
		this.#now = now;
		this.#rate = rate;
		this.#left = rate.burst;
		this.#at = now();
	}

	/** May be below zero: what something cost is known afterwards. */
	get left(): number {
		const now = this.#now();
		// A clock that goes back gives nothing.
		this.#left = Math.min(this.#rate.burst, this.#left + (Math.max(0, now - this.#at) / 1000) * this.#rate.perSecond);
		this.#at = now;
		return this.#left;
	}
	get isFull(): boolean {
		return this.left >= this.#rate.burst;
	}

	/** Takes what there may not be; says whether there was enough. */
	spend(amount: number): boolean {
		this.#left = this.left - amount;
		return this.#left >= 0;
	}

	/** Takes only what there is; whoever is refused may ask again and is not set back by asking. */
	take(amount: number): boolean {
		if (this.left < amount) return false;
		this.#left -= amount;
		return true;
	}

	msUntil(amount: number): number {
		return Math.max(0, ((amount - this.left) / this.#rate.perSecond) * 1000);
	}
}
