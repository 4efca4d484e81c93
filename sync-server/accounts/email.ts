/**
 * E-mail addresses: the only place where a text becomes an `Email`.
 *
 * Promises: two spellings of one mailbox give one value (trimmed, lower-case, domain in its ASCII form), so that an
 * identity cannot be made twice; an `Email` holds no space, control character, quote, angle bracket or comma, so that it is
 * safe inside a letter's header; hostile input costs no more than its first few hundred characters.
 * Leaves to others: whether anyone reads the mailbox (a confirmation letter finds out).
 */
import { domainToASCII } from 'node:url';

declare const brand: unique symbol;
export type Email = string & { readonly [brand]: 'email' };

export type EmailRefusal = 'email-not-text' | 'email-missing' | 'email-too-long' | 'email-malformed';
export type EmailParsed = { outcome: 'parsed'; email: Email } | { outcome: 'refused'; refusal: EmailRefusal };

/** RFC 5321 4.5.3.1 and its path limit: longer addresses cannot be delivered to. */
export const EMAIL_MAX = 254;
const LOCAL_MAX = 64;
/** Before trimming; pasted blanks are forgiven, a megabyte is not even looked at. */
const RAW_MAX = 1024;

// Of the dot-atom of RFC 5322 what people have, and what their record takes as well: a `%` or `!` would be a way through other servers, a `?` a header of a `mailto:`. Quoted local
// parts and non-ASCII ones are left out too: hardly a server accepts them.
const LOCAL = /^[a-z0-9_+&'-]+(\.[a-z0-9_+&'-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** A last label of digits only would be an address of a machine, not a domain. */
const TOP_LABEL = /^[a-z][a-z0-9-]*[a-z0-9]$/;

const refuse = (refusal: EmailRefusal): EmailParsed => ({ outcome: 'refused', refusal });

export function parseEmail(value: unknown): EmailParsed {
	if (typeof value !== 'string') return refuse('email-not-text');
	if (value.length > RAW_MAX) return refuse('email-too-long');
	const text = value.trim().normalize('NFC').toLowerCase();
	if (text === '') return refuse('email-missing');
	const at = text.lastIndexOf('@');
	if (at < 1) return refuse('email-malformed');
	const local = text.slice(0, at);
	const domain = asciiDomain(text.slice(at + 1));
	if (domain === null || !LOCAL.test(local)) return refuse('email-malformed');
	if (local.length > LOCAL_MAX || local.length + 1 + domain.length > EMAIL_MAX) return refuse('email-too-long');
	return { outcome: 'parsed', email: `${local}@${domain}` as Email };
}

function asciiDomain(domain: string): string | null {
	// domainToASCII also decodes percent signs and the like, so plain ASCII never goes through it.
	const ascii = /^[\x00-\x7f]*$/.test(domain) ? domain : /^[\p{L}\p{M}\p{N}.-]+$/u.test(domain) ? domainToASCII(domain) : '';
	const labels = ascii.split('.');
	if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return null;
	return TOP_LABEL.test(labels[labels.length - 1]!) ? ascii : null;
}
