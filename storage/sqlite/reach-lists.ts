/**
 * Lists of what a set of principals reaches, kept between the pages of one long answer: a first synchronisation asks for 100,000 documents
 * by the thousand, and finding and sorting all of them for each page would cost the worker twenty seconds instead of a fifth of one.
 * A list is good as long as its portal's reach stands as it did; every commit that changes who reads what takes a new stamp.
 */

/** Ids over all lists together; about 100 bytes each. Three devices at the largest size that the design knows. */
const MAX_LISTED_IDS = 300_000;

export interface ReachList {
	/** In ascending order; the other columns go with them. */
	readonly ids: readonly string[];
	readonly kinds: readonly string[];
	readonly firstSeqs: readonly number[];
}

export class ReachLists {
	/** Least recently used first. */
	readonly #lists = new Map<string, { readonly stamp: number; readonly list: ReachList }>();
	#ids = 0;
	#clock = 0;

	/** A stamp that no list carries yet. */
	stamp(): number {
		return ++this.#clock;
	}

	get(key: string, stamp: number, find: () => ReachList): ReachList {
		const kept = this.#lists.get(key);
		if (kept) this.#drop(key);
		const entry = kept?.stamp === stamp ? kept : { stamp, list: find() };
		this.#lists.set(key, entry);
		this.#ids += entry.list.ids.length;
		for (const oldest of this.#lists.keys()) {
			if (this.#ids <= MAX_LISTED_IDS) break;
			this.#drop(oldest);
		}
		return entry.list;
	}

	#drop(key: string): void {
		this.#ids -= this.#lists.get(key)?.list.ids.length ?? 0;
		this.#lists.delete(key);
	}
}
