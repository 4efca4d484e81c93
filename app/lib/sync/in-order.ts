/**
 * A sorted list that is kept, not sorted again: one change among ten thousand rows moves one row. Rests on rows being the same objects
 * while they say the same (live-rows).
 *
 * Promises: the answer is what sorting anew would give, provided `compare` leaves no two rows equal.
 */
export class InOrder<T extends object> {
	readonly #compare: (a: T, b: T) => number;
	#sorted: readonly T[] = [];

	constructor(compare: (a: T, b: T) => number) {
		this.#compare = compare;
	}

	of(rows: readonly T[]): readonly T[] {
		const fresh = new Set(rows);
		// Those that stay are in order among themselves; what is left of `fresh` is new.
		const stay = this.#sorted.filter((row) => fresh.delete(row));
		if (fresh.size === 0 && stay.length === this.#sorted.length) return this.#sorted;
		const added = [...fresh].sort(this.#compare);
		return (this.#sorted = added.length === 0 ? stay : stay.length === 0 ? added : merged(stay, added, this.#compare));
	}
}

function merged<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): T[] {
	const out: T[] = [];
	let at = 0;
	for (const one of b) {
		while (at < a.length && compare(a[at]!, one) <= 0) out.push(a[at++]!);
		out.push(one);
	}
	while (at < a.length) out.push(a[at++]!);
	return out;
}
