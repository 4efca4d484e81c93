/** One after another of a kind: what must not run beside itself for the same key. Holds only what is under way. */
export class Turns {
	readonly #last = new Map<string, Promise<unknown>>();

	async run<T>(key: string, work: () => Promise<T>): Promise<T> {
		// Whether the one before failed is its caller's business.
		const mine = (this.#last.get(key) ?? Promise.resolve()).then(work, work);
		this.#last.set(key, mine);
		try {
			return await mine;
		} finally {
			if (this.#last.get(key) === mine) this.#last.delete(key);
		}
	}
}
