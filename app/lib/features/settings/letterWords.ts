/** Kinds of letters and why one did not go, in words. */
import { m } from '#lib/paraglide/messages.js';

const kinds: Readonly<Record<string, () => string>> = {
	registration: m.settings_letter_registration,
	'registration-known': m.settings_letter_registration,
	invitation: m.settings_letter_invitation,
	'join-confirmation': m.settings_letter_join_confirmation,
	'join-known': m.settings_letter_join_confirmation,
	'join-approved': m.settings_letter_join_approved,
	'join-refused': m.settings_letter_join_refused,
	'join-asked': m.settings_letter_join_asked,
	'password-reset': m.settings_letter_password_reset,
	'password-changed': m.settings_letter_password_changed,
	'email-change': m.settings_letter_email_change,
	'email-changed': m.settings_letter_email_changed,
	'new-sign-in': m.settings_letter_new_sign_in,
	'second-factor-changed': m.settings_letter_second_factor,
	'added-directly': m.settings_letter_added
};
/** A relay that is newer than the app may know others. */
export const letterKind = (kind: string): string => (kinds[kind] ?? m.settings_letter_other)();

const reasons: Readonly<Record<string, () => string>> = {
	'server-away': m.settings_letter_server_away,
	'server-busy': m.settings_letter_server_busy,
	'server-refused': m.settings_letter_server_refused,
	'cannot-write': m.settings_letter_cannot_write,
	'link-too-old': m.settings_letter_too_old,
	'sealed-elsewhere': m.settings_letter_sealed,
	'queue-full': m.settings_letter_queue_full
};
export const letterReason = (reason: string): string => (reasons[reason] ?? m.settings_letter_other_reason)();
