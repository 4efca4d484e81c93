/** How a company is reached, as its settings say; the partner, whom its administrators turn to, stands in the help. */
import type { Contact } from '#crdt-model/kinds/settings.ts';

const WAYS = ['address', 'phone', 'email', 'website'] as const;
type Way = (typeof WAYS)[number];
export type Reached = Pick<NonNullable<Contact>, Way>;

/** The ways that are there. */
export const reachable = (contact: Reached | null): Way[] => WAYS.filter((way) => contact?.[way]);

/** As people write it, with or without its beginning; nothing else than a page is linked. */
export function siteOf(text: string): string | null {
	const address = /^https?:\/\//i.test(text) ? text : `https://${text}`;
	return URL.canParse(address) ? address : null;
}
