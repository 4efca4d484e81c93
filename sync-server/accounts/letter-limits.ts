/**
 * How many letters may go, so that nobody makes a bomb of us: each ceiling with its reason. Counted from the letters themselves, so that a restart forgives
 * nothing. The table in docs/operations.md lists them.
 *
 * Sorts are counted apart: whoever has letters of one sort sent to somebody's address keeps that person from none of another. What an attacker would like to keep
 * from its reader (a password was changed) is a sort of its own, which nobody fills without having signed in.
 */
import type { LetterKind } from './letter-kinds.ts';

/** Letters of one sort to one address an hour: a person who lost one asks again, three times is patience, and six are no bomb. */
export const LETTERS_PER_ADDRESS_AND_HOUR = 6;
/** Notices to one address an hour: each follows something that its reader's account did. */
export const NOTICES_PER_ADDRESS_AND_HOUR = 20;
/** Letters that one network may ask for in an hour without being signed in: an office in which everybody joins on one morning. */
export const LETTERS_PER_NETWORK_AND_HOUR = 300;
/**
 * Letters of a portal a day, for a start: a new company invites its first people. Who founds companies in order to send gets no further. What strangers ask for
 * (to join) is counted apart, at the same number, so that they keep nobody from inviting; and so are notices, so that whoever may invite keeps nobody from hearing of a
 * strange sign-in.
 */
export const LETTERS_PER_PORTAL_AND_DAY = 200;
/** So many more a day for each person of the portal: whoever invites a thousand has people who accepted. */
export const LETTERS_PER_PERSON_AND_DAY = 20;
/** Letters of no portal an hour, all networks together, of each sort: a flood of registrations from many networks holds up no lost password and no notice. */
export const LETTERS_OF_NO_PORTAL_AND_HOUR = 2_000;
/** A mail server away for a day while companies invite their people; some 2 kB each. */
export const LETTERS_WAITING = 10_000;

/** What "an hour" and "a day" mean above: windows that slide. */
export const HOUR_MS = 3_600_000;
/** The same. */
export const DAY_MS = 24 * HOUR_MS;

export type LetterSort = 'registration' | 'invitation' | 'joining' | 'password' | 'email' | 'answer' | 'notice';

const SORTS: Record<LetterKind, LetterSort> = {
	registration: 'registration',
	'registration-known': 'registration',
	invitation: 'invitation',
	'join-confirmation': 'joining',
	'join-known': 'joining',
	'added-directly': 'invitation',
	'join-approved': 'answer',
	'join-refused': 'answer',
	'join-asked': 'notice',
	'password-reset': 'password',
	'password-changed': 'notice',
	'email-change': 'email',
	'email-changed': 'notice',
	'new-sign-in': 'notice',
	'second-factor-changed': 'notice'
};
export const sortOf = (kind: LetterKind): LetterSort => SORTS[kind];

export const perAddressAndHour = (sort: LetterSort): number => (sort === 'notice' ? NOTICES_PER_ADDRESS_AND_HOUR : LETTERS_PER_ADDRESS_AND_HOUR);

/** What strangers ask for; what an account's owner must hear; the rest. */
const OF_A_PORTAL: readonly (readonly LetterSort[])[] = [['registration', 'joining', 'password'], ['notice'], ['invitation', 'email', 'answer']];

/** The sorts that share a portal's letters of a day with this one. */
export const countedWith = (sort: LetterSort): readonly LetterSort[] => OF_A_PORTAL.find((sorts) => sorts.includes(sort))!;

/** Asked for by people who are not signed in, and answered alike for every address: whoever asks must not wait for the mail server, whose time would tell. */
const QUIET = new Set<LetterKind>(['registration', 'registration-known', 'join-confirmation', 'join-known', 'password-reset', 'email-change']);
export const isQuiet = (kind: LetterKind): boolean => QUIET.has(kind);
