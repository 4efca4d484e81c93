/**
 * A refusal over REST, in words for the reader.
 *
 * Promises: every word is in the language that is chosen when it is read, so a change of language changes what stands on screen; nothing that the relay wrote for
 * programs is shown; a code without a sentence of its own has one by its kind.
 */
import * as v from 'valibot';
import { tariffRefusalSchema } from '#crdt-model/tariff/tariff.ts';
import { m } from '#lib/paraglide/messages.js';
import { tariffReason } from '../tariff/words.ts';

export type Sentence = () => string;
/** Sentences by code, which a screen has for itself; by status where the code does not matter. */
export type Words = Readonly<Record<string, Sentence>>;
export type Body = Readonly<Record<string, unknown>>;

export class Problem {
	/** `unreachable` where nothing answered, `odd-answer` where it was none of the relay's. */
	readonly code: string;
	/** 0 where nothing answered. */
	readonly status: number;
	/** The whole problem document: tickets, choices, waiting times. */
	readonly body: Body;
	readonly #words: Words;

	constructor(code: string, status: number, body: Body = {}, words: Words = {}) {
		this.code = code;
		this.status = status;
		this.body = body;
		this.#words = words;
	}

	/** Nothing answered: what was typed is kept, and may be sent again. */
	get unreachable(): boolean {
		return this.code === 'unreachable';
	}
	/** The code of a letter or link that is used up, out of date, or never was. */
	get gone(): boolean {
		return this.status === 404 || this.status === 410;
	}
	get text(): string {
		const { code, status, body } = this;
		const own = this.#words[code] ?? this.#words[String(status)];
		if (own) return own();
		if (code === 'unreachable') return navigator.onLine ? m.account_error_network() : m.account_error_offline();
		if (code === 'quota' && v.is(tariffRefusalSchema, body.tariff)) return tariffReason(body.tariff);
		if (status === 429) return waiting(body.retryAfterSeconds);
		return (sentences[code] ?? byStatus(status))();
	}
	/** Sentences of the fields that the refusal is about, by their names in the request. */
	get fields(): Readonly<Record<string, string>> {
		const { errors, rule } = this.body;
		const about = fieldOf[this.code];
		if (!Array.isArray(errors)) return about ? { [about]: this.text } : {};
		const out: Record<string, string> = {};
		for (const one of errors as (Body | null)[]) {
			const field = one?.field;
			if (typeof field !== 'string' || field === '' || out[field] !== undefined) continue;
			out[field] = fieldSentence(field, String(one?.code ?? rule ?? ''), this.#words)();
		}
		return out;
	}
}

/** @param reason the rule of the field that does not hold, where the relay names one */
function fieldSentence(field: string, reason: string, words: Words): Sentence {
	return words[`${field}:${reason}`] ?? sentences[reason] ?? words[field] ?? fieldSentences[field] ?? m.account_error_field;
}

function waiting(seconds: unknown): string {
	const minutes = typeof seconds === 'number' && seconds > 0 ? Math.ceil(seconds / 60) : 5;
	return m.account_error_attempts({ count: minutes });
}

const sentences: Words = {
	'email-not-text': m.account_error_email,
	'email-malformed': m.account_error_email,
	'email-too-long': m.account_error_email,
	'password-not-text': m.account_error_required,
	'password-too-short': m.account_error_password_short,
	'password-too-long': m.account_error_password_long,
	'password-is-email': m.account_error_password_is_email,
	'password-too-common': m.account_error_password_common,
	'choose-password': m.account_choose_password_text,
	'login-taken': m.account_error_login_taken,
	'registration-closed': m.account_error_registration_closed,
	'already-member': m.account_error_already_member,
	dismissed: m.account_error_dismissed,
	'too-many': m.account_error_too_many,
	'login-malformed': m.account_error_login,
	'wrong-credentials': m.account_error_credentials,
	'wrong-password': m.account_error_wrong_password,
	'wrong-code': m.account_error_code,
	'password-unchanged': m.account_error_password_unchanged,
	'ticket-lapsed': m.account_ticket_lapsed,
	'founding-closed': m.account_error_founding_closed,
	'passkey-refused': m.account_passkey_unknown,
	'no-passkeys-here': m.account_passkeys_not_here,
	'passkey-known': m.account_passkey_known,
	'too-many-passkeys': m.account_passkeys_too_many,
	'factor-enrolled': m.account_factor_enrolled,
	'no-second-factor': m.account_factor_none,
	'enrolment-lapsed': m.account_enrolment_lapsed,
	'oidc-taken': m.account_oidc_taken,
	'oidc-not-linked': m.account_oidc_not_linked,
	'oidc-cancelled': m.account_oidc_cancelled,
	'oidc-expired': m.account_oidc_expired,
	'oidc-failed': m.account_oidc_failed,
	'oidc-unreachable': m.account_oidc_unreachable,
	'not-signed-in': m.account_expired,
	'not-a-member': m.account_error_not_member,
	'not-from-here': m.account_not_from_here,
	'no-portal': m.account_error_no_portal,
	'service-off': m.account_error_service_off,
	'being-accepted': m.account_error_server,
	quota: m.account_error_seats
};

const fieldSentences: Words = {
	email: m.account_error_email,
	password: m.account_error_password_short,
	login: m.account_error_login,
	code: m.account_error_code
};

/** Codes that are about one field, and name it by themselves. */
const fieldOf: Readonly<Record<string, string>> = { 'wrong-code': 'code', 'login-taken': 'login' };

function byStatus(status: number): Sentence {
	if (status === 401) return m.account_error_credentials;
	if (status === 403) return m.account_error_denied;
	if (status === 404 || status === 410) return m.account_error_gone;
	return status >= 500 ? m.account_error_server : m.account_error_refused;
}
