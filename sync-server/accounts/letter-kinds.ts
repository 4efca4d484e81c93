/**
 * What letters there are, and what each needs to be written. Data only: a letter that waits is kept as this.
 *
 * Codes are single words without meaning; in the letter they stand behind the `#` of a link, which no browser sends and no server logs.
 */
import type { LetterFormats } from './letter-words.ts';

export const LETTER_LANGUAGES = ['en', 'ro'] as const;
export type LetterLanguage = (typeof LETTER_LANGUAGES)[number];

/** A link that works once and until then. `expiresAt` in milliseconds since 1970. */
interface WithCode {
	code: string;
	expiresAt: number;
}
/** What changed about how somebody signs in with more than a password. */
export type FactorChange = 'switched-on' | 'switched-off' | 'reset' | 'recovery-codes' | 'recovery-code-used' | 'passkey-added' | 'passkey-removed' | 'account-linked' | 'account-unlinked';

export type LetterBody =
	/** Found a company: confirm the address first. */
	| ({ kind: 'registration'; company: string; name: string } & WithCode)
	/** The same, to an address that has an identity: nothing was made. */
	| { kind: 'registration-known'; company: string }
	| ({ kind: 'invitation'; company: string; invitedBy: string } & WithCode)
	/** Somebody asked to join by a link or by registering themselves. */
	| ({ kind: 'join-confirmation'; company: string; name: string } & WithCode)
	/** The same, to an address that has an identity; without a code it is in the company already. */
	| { kind: 'join-known'; company: string; confirm: WithCode | null }
	| { kind: 'join-approved'; company: string; name: string }
	| { kind: 'join-refused'; company: string; name: string }
	/** To those who decide. */
	| { kind: 'join-asked'; company: string; people: number }
	| ({ kind: 'password-reset' } & WithCode)
	/** After the fact, to the person; `at` in milliseconds since 1970. */
	| { kind: 'password-changed'; at: number }
	/** To the new address, which must answer before anything changes. */
	| ({ kind: 'email-change' } & WithCode)
	/** To the old address, once the new one is in use. */
	| { kind: 'email-changed'; at: number }
	/** From a device or network that was not seen before; both as far as they are known. */
	| { kind: 'new-sign-in'; company: string | null; at: number; ip: string | null; userAgent: string | null }
	| { kind: 'second-factor-changed'; change: FactorChange; at: number }
	/** An administrator made the account and tells the first password by another way. */
	| { kind: 'added-directly'; company: string; addedBy: string; name: string };

export type Letter = { language: LetterLanguage } & LetterBody;
export type LetterKind = LetterBody['kind'];

/** Every kind, so that words and tests miss none. */
export const LETTER_KINDS = [
	'registration',
	'registration-known',
	'invitation',
	'join-confirmation',
	'join-known',
	'join-approved',
	'join-refused',
	'join-asked',
	'password-reset',
	'password-changed',
	'email-change',
	'email-changed',
	'new-sign-in',
	'second-factor-changed',
	'added-directly'
] as const satisfies readonly LetterKind[];

/** How letters of a portal look and whom they come from; null where a letter is of no portal. */
export interface LetterLook {
	company: string;
	/** `#rrggbb`; null is our own. */
	accent: string | null;
	/** In place of the company's name in `From`. */
	senderName: string | null;
	replyTo: string | null;
	formats?: LetterFormats;
}

/** The page that the letter's one link opens, below PUBLIC_URL. */
export function pathOf(letter: LetterBody): string {
	switch (letter.kind) {
		case 'registration':
			return `/confirm#${letter.code}`;
		case 'invitation':
			return `/invitation#${letter.code}`;
		case 'join-confirmation':
			return `/join#${letter.code}`;
		case 'join-known':
			return letter.confirm === null ? '/sign-in' : `/join#${letter.confirm.code}`;
		case 'password-reset':
			return `/reset#${letter.code}`;
		case 'email-change':
			return `/email#${letter.code}`;
		case 'password-changed':
			return '/reset';
		case 'join-asked':
			return '/company';
		case 'new-sign-in':
		case 'second-factor-changed':
			return '/profile';
		case 'registration-known':
		case 'join-approved':
		case 'join-refused':
		case 'email-changed':
		case 'added-directly':
			return '/sign-in';
	}
}
