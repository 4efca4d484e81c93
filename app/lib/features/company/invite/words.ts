/** What became of an invitation and its letter, in words. */
import { m } from '#lib/paraglide/messages.js';
import type { Tone } from '#lib/ui/Badge.svelte';

export function resultTone(result: string): Tone {
	if (result === 'invited' || result === 'already-invited') return 'good';
	if (result === 'dismissed' || result === 'limited') return 'warn';
	return result === 'already-member' || result === 'repeated' ? 'neutral' : 'bad';
}
const results: Readonly<Record<string, () => string>> = {
	invited: m.account_result_invited,
	'already-invited': m.account_result_again,
	'already-member': m.account_result_member,
	repeated: m.company_address_repeated,
	dismissed: m.company_address_left,
	limited: m.company_letter_limited,
	invalid: m.account_result_invalid
};
export const resultWord = (result: string): string => (results[result] ?? m.account_result_refused)();

/** The letter waits where the mail server is away; it failed where it never will be taken. */
export const letterTone = (letter: string): Tone => (letter === 'sent' ? 'good' : letter === 'failed' ? 'bad' : 'warn');
const letters: Readonly<Record<string, () => string>> = {
	sent: m.company_letter_sent,
	waiting: m.company_letter_waiting,
	failed: m.company_letter_failed,
	limited: m.company_letter_limited
};
export const letterWord = (letter: string): string => (letters[letter] ?? m.company_letter_waiting)();
