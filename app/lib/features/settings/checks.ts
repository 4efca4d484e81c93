/** What may stand in a setting's field, asked before it is kept: the record refuses the rest without a sentence. */
import { parseNetwork } from '#crdt-model/access/networks.ts';
import { m } from '#lib/paraglide/messages.js';

export const emailProblem = (text: string): string | undefined => (text === '' || /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>".]{2,}$/u.test(text) ? undefined : m.settings_email_wrong());

/** `acme.example` is meant as its page over HTTPS. */
export const withScheme = (text: string): string => (text === '' || /^https?:\/\//iu.test(text) ? text : `https://${text}`);
export const websiteProblem = (text: string): string | undefined => (text === '' || /^https?:\/\/[^\s<>"']+\.[^\s<>"']+$/iu.test(withScheme(text)) ? undefined : m.settings_website_wrong());

export const networkProblem = (text: string): string | undefined => (parseNetwork(text) === null ? m.settings_network_wrong() : undefined);

const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/u;
/** A name alone, without scheme, port or path. */
export const domainProblem = (text: string): string | undefined => (text === '' || DOMAIN.test(text.toLowerCase()) ? undefined : m.settings_domain_wrong());

/** "acme.ro, @acme.example" as its domains; null where one is none. */
export function domainsOf(text: string): string[] | null {
	const domains = text.toLowerCase().split(/[\s,;]+/u).map((one) => one.replace(/^@/u, '')).filter(Boolean);
	return domains.every((one) => DOMAIN.test(one)) ? [...new Set(domains)].sort() : null;
}
