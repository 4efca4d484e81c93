/**
 * What everybody must know now, above the screen: one at a time, the weightiest first, the others a press away. Three bars one above the other would leave a phone no
 * room for the work, and none of them would be read.
 */
import { untrack } from 'svelte';

/** From what must be known first to what can wait. */
const ORDER = ['view', 'storage', 'no-portal', 'expired', 'outside', 'outdated', 'factor', 'update'] as const;
export type NoticeId = (typeof ORDER)[number];

export interface NoticeContent {
	readonly text: string;
	readonly tone?: 'warn' | 'info';
	/** The one thing to do about it. */
	readonly action?: { readonly label: string; readonly run: () => void };
	readonly busy?: boolean;
}

type Open = readonly { readonly id: NoticeId; readonly content: () => NoticeContent }[];

class Notices {
	#open = $state.raw<Open>([]);
	#at = $state(0);

	get count(): number {
		return this.#open.length;
	}
	/** Which of them is shown, from 1. */
	get at(): number {
		return this.#at + 1;
	}
	get shown(): NoticeContent | undefined {
		return this.#open[this.#at]?.content();
	}

	/** Call it in an effect. @param content read whenever it is shown, so that its words follow the language @returns how it ends */
	open(id: NoticeId, content: () => NoticeContent): () => void {
		const mine = { id, content };
		this.#put([...untrack(() => this.#open), mine].toSorted((a, b) => ORDER.indexOf(a.id) - ORDER.indexOf(b.id)));
		return () => this.#put(this.#open.filter((one) => one !== mine));
	}
	next(): void {
		this.#at = (this.#at + 1) % this.#open.length;
	}

	/** Whatever comes or goes, the weightiest is what is shown. */
	#put(open: Open): void {
		this.#open = open;
		this.#at = 0;
	}
}

export const notices = new Notices();
