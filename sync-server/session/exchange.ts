/**
 * What sessions lose and gain when the structure changes (SPEC F4). A thousand people of one department change alike: what their old and new
 * principals reach is found once for all of them, and each picks what it could not read before, or can no longer, by the rest of what it holds.
 *
 * Whoever changes alone, or by many principals, asks the store for the difference itself: there the answer is shorter than the lists.
 */
import type { Principal } from '#crdt-model/access/principals.ts';
import type { DocumentId } from '#crdt-model/ids.ts';
import type { DocumentHead, PageOf, PortalStore } from '#storage/contract.ts';

/** Documents that a shared list may have; a role of the whole company may open millions, and those are not listed in memory. */
const MAX_SHARED = 10_000;
/** A list for as many principals is of one head alone. */
const MAX_SHARED_PRINCIPALS = 32;
const PAGE = 1_000;

export interface Difference {
	readonly before: ReadonlySet<Principal>;
	readonly now: ReadonlySet<Principal>;
	readonly dropped: readonly Principal[];
	readonly added: readonly Principal[];
}

export function differenceOf(before: ReadonlySet<Principal>, now: ReadonlySet<Principal>): Difference | null {
	const dropped: Principal[] = [];
	const added: Principal[] = [];
	if (before === now) return null;
	for (const principal of before) if (!now.has(principal)) dropped.push(principal);
	for (const principal of now) if (!before.has(principal)) added.push(principal);
	return dropped.length + added.length > 0 ? { before, now, dropped, added } : null;
}

type Reached = Pick<DocumentHead, 'id' | 'scope'>;
interface Shared extends Reached {
	readonly readers: readonly Principal[];
}

/** One change of the structure, for all sessions that it touches. */
export class Exchange {
	readonly #store: PortalStore;
	/** How many sessions ask for the same. */
	readonly #sharers = new Map<string, number>();
	readonly #lists = new Map<string, Promise<readonly Shared[] | null>>();

	constructor(store: PortalStore, differences: Iterable<Difference>) {
		this.#store = store;
		for (const { dropped, added } of differences) {
			for (const principals of [dropped, added]) {
				const key = keyOf(principals);
				if (key) this.#sharers.set(key, (this.#sharers.get(key) ?? 0) + 1);
			}
		}
	}

	lost({ dropped, now }: Difference): Promise<Reached[]> {
		return this.#reachedBy(dropped, now);
	}
	gained({ added, before }: Difference): Promise<Reached[]> {
		return this.#reachedBy(added, before);
	}

	/** What the principals reach and the others do not. */
	async #reachedBy(principals: readonly Principal[], without: ReadonlySet<Principal>): Promise<Reached[]> {
		if (principals.length === 0) return [];
		const key = keyOf(principals);
		if (key && this.#sharers.get(key)! > 1) {
			let list = this.#lists.get(key);
			if (!list) this.#lists.set(key, (list = this.#list(principals)));
			const found = await list;
			if (found) return found.filter(({ readers }) => !readers.some((one) => without.has(one)));
		}
		const found: Reached[] = [];
		for await (const page of pagesOf(this.#store, { principals, without: [...without] })) for (const { id, scope } of page) found.push({ id, scope });
		return found;
	}

	/** Null where it is too long to be shared. */
	async #list(principals: readonly Principal[]): Promise<readonly Shared[] | null> {
		const heads: DocumentHead[] = [];
		for await (const page of pagesOf(this.#store, { principals })) {
			heads.push(...page);
			if (heads.length > MAX_SHARED) return null;
		}
		const scopes = new Set(heads.filter(({ id, scope }) => scope !== id).map(({ scope }) => scope));
		const named = new Map(scopes.size === 0 ? [] : (await this.#store.heads([...scopes])).map(({ id, audience }) => [id, audience]));
		return heads.map(({ id, scope, audience }) => ({ id, scope, readers: [...audience, ...(named.get(scope) ?? [])] }));
	}
}

async function* pagesOf(store: PortalStore, query: { principals: readonly Principal[]; without?: readonly Principal[] }): AsyncGenerator<readonly DocumentHead[]> {
	let after: DocumentId | null = null;
	do {
		const page: PageOf<DocumentHead, DocumentId> = await store.reached({ ...query, after, limit: PAGE });
		yield page.items;
		after = page.next;
	} while (after !== null);
}

function keyOf(principals: readonly Principal[]): string | null {
	return principals.length === 0 || principals.length > MAX_SHARED_PRINCIPALS ? null : [...principals].sort().join(' ');
}
