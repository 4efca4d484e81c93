/**
 * Help by topic: which article belongs to which screen, and what an article is. The articles of one language are one file, loaded when help is first
 * opened and kept with the app, so that they open without a network; a type holds both languages to the same topics.
 */

export const TOPICS = ['start', 'tasks', 'crm', 'permissions', 'documents', 'company', 'people', 'groups', 'set-aside', 'offline', 'account', 'settings', 'licence'] as const;
export type Topic = (typeof TOPICS)[number];

/** `text` with `**bold**` for what is written on the screen. */
export type Block = { readonly text: string } | { readonly steps: readonly string[] } | { readonly list: readonly string[] };

export interface Article {
	readonly title: string;
	/** One sentence: what the screen is for. */
	readonly lead: string;
	readonly parts: readonly { readonly title: string; readonly blocks: readonly Block[] }[];
	readonly see?: readonly Topic[];
}
export type Articles = Readonly<Record<Topic, Article>>;

/** The article of a screen; where there is none, how everything begins. */
export function topicOf({ pathname, searchParams }: { readonly pathname: string; readonly searchParams: Pick<URLSearchParams, 'get' | 'has'> }): Topic {
	const [, section = '', page = ''] = pathname.split('/');
	const tab = searchParams.get('tab');
	switch (section) {
		case 'tasks':
		case 'documents':
		case 'set-aside':
			return section;
		case 'crm':
			return tab === 'permissions' ? 'permissions' : 'crm';
		case 'company':
			return tab === 'people' || searchParams.has('person') ? 'people' : tab === 'groups' ? 'groups' : 'company';
		case 'profile':
			return 'account';
		case 'settings':
			return page === 'licence' ? 'licence' : 'settings';
		default:
			return 'start';
	}
}

const BOLD = /\*\*([^*]+)\*\*/g;

/** Taken apart for the screen; there is no other mark-up. */
export function marked(text: string): { readonly text: string; readonly bold: boolean }[] {
	const out: { text: string; bold: boolean }[] = [];
	let from = 0;
	for (const match of text.matchAll(BOLD)) {
		if (match.index > from) out.push({ text: text.slice(from, match.index), bold: false });
		out.push({ text: match[1]!, bold: true });
		from = match.index + match[0].length;
	}
	if (from < text.length) out.push({ text: text.slice(from), bold: false });
	return out;
}

/** Every word of an article, for the search. */
export function wordsOf({ title, lead, parts }: Article): string {
	const lines = parts.flatMap((part) => [part.title, ...part.blocks.flatMap((block) => ('text' in block ? [block.text] : 'steps' in block ? block.steps : block.list))]);
	return [title, lead, ...lines].join(' ').replace(BOLD, '$1');
}
