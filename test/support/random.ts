/** Seeded randomness: the same seed, the same test. */

export interface Random {
	/** In [0, 1). */
	next(): number;
	/** An integer in [0, end). */
	below(end: number): number;
	pick<T>(from: readonly T[]): T;
	chance(probability: number): boolean;
	/** Another stream that depends on this seed and the number alone. */
	fork(stream: number): Random;
	bytes(target: Uint8Array): Uint8Array;
}

/** Mulberry32: small, fast, good enough to choose what a test does. */
export function seeded(seed: number): Random {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
	const below = (end: number) => Math.floor(next() * end);
	return {
		next,
		below,
		pick: (from) => from[below(from.length)]!,
		chance: (probability) => next() < probability,
		fork: (stream) => seeded(Math.imul(seed ^ 0x9e3779b9, stream + 1) + stream),
		bytes: (target) => {
			for (let i = 0; i < target.length; i++) target[i] = below(256);
			return target;
		}
	};
}
