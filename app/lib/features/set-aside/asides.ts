/** Items of Set aside as cards: what was made together and refused together is one card with one decision. */
import type { AsideItem } from '#storage/replica-contract.ts';

export interface AsideCardInfo {
	readonly key: string;
	readonly items: readonly AsideItem[];
	/** The item that says why: of a batch the one that was refused for itself. */
	readonly first: AsideItem;
}

export function cardsOf(items: readonly AsideItem[]): AsideCardInfo[] {
	const cards = new Map<string, AsideItem[]>();
	for (const item of items) {
		const key = item.kind === 'command' ? item.batch : item.id;
		const own = cards.get(key);
		if (own) own.push(item);
		else cards.set(key, [item]);
	}
	return [...cards].map(([key, own]) => {
		// Ids of one batch sort by time of making: fields come in the order in which they were set.
		const sorted = own.length > 1 ? own.toSorted((a, b) => (a.id < b.id ? -1 : 1)) : own;
		return { key, items: sorted, first: sorted.find((item) => item.kind === 'command' && item.reason.code !== 'batch') ?? sorted[0]! };
	});
}
