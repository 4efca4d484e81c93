/**
 * What a letter's code of this folder stands for: a company to be founded, a password to be chosen anew, an address to change to.
 */
import type { Language } from '#crdt-model/kinds/company-structure.ts';
import { codePurpose } from './codes.ts';
import type { Email } from './email.ts';
import type { IdentityId } from './identities.ts';

/** Typed before the address was proved; the password is a hash already. */
export interface Registration {
	readonly email: Email;
	readonly firstName: string;
	readonly lastName: string;
	readonly company: string;
	readonly language: Language;
	readonly hash: string;
	/** In which browser it was typed (askers.ts): elsewhere the password is chosen anew. */
	readonly asker: string;
}
/** What was asked for under one password is void under the next: whoever knew the old one keeps no way in. */
interface AskedUnder {
	readonly identity: IdentityId;
	/** `Accounts.passwordStamp` of that moment. */
	readonly stamp: string;
}
const HOUR_MS = 3_600_000;

/** A day: letters are slow, and a company is not founded at midnight. */
export const REGISTRATION = codePurpose<Registration>('registration', 24 * HOUR_MS);
/** An hour: a letter that opens an account should not lie about. Null for an address that nobody has: it is never sent, and costs as much. */
export const PASSWORD_RESET = codePurpose<AskedUnder | null>('password-reset', HOUR_MS);
export const EMAIL_CHANGE = codePurpose<AskedUnder & { readonly email: Email }>('email-change', 24 * HOUR_MS);
