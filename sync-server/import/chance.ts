/** Chance that is the same in every run: a demonstration should look alike tomorrow. Mulberry32. */
export class Chance {
	#state: number;
	constructor(seed: number) {
		this.#state = seed >>> 0;
	}
	/** From 0 up to `end`, which is left out. */
	below(end: number): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let t = this.#state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end);
	}
	pick<T>(from: readonly T[]): T {
		return from[this.below(from.length)]!;
	}
}
