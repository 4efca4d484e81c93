/**
 * Which row of the page draws which item of a long list: an item that stays keeps its row, one that comes takes over that of one that left, which costs a
 * fifth of a new row. For rows that keep nothing of their own between two items.
 */
export class Slots {
	#of = new Map<string, number>();
	#last = 0;

	/** @param keys of the items in sight, each once; @returns their rows, in the same order */
	give(keys: readonly string[]): number[] {
		const free = new Set(this.#of.values());
		for (const key of keys) free.delete(this.#of.get(key) ?? -1);
		const left = free.values();
		const given = keys.map((key) => this.#of.get(key) ?? left.next().value ?? ++this.#last);
		this.#of = new Map(keys.map((key, i) => [key, given[i]!]));
		return given;
	}
}
