/**
 * Who uses this device, and the calls that change that: register, sign in, accept, invite, sign out.
 *
 * Promises: the token never reaches this code's hands for keeping (the relay sets an HttpOnly cookie); the device remembers
 * only portal, employee and names, so that the app opens without asking anyone; an ended session is told, never acted on
 * by throwing local work away. Expected refusals are returned as problems; only bugs are thrown.
 */
import { untrack } from 'svelte';
import * as v from 'valibot';
import type { PersonId } from '#crdt-model/ids.ts';
import { tariffRefusalSchema } from '#crdt-model/tariff/tariff.ts';
import { m } from '#lib/paraglide/messages.js';
import { tariffReason } from '../tariff/words.ts';
import { thisTab } from './view.svelte.ts';

export interface RememberedSession {
	portal: string;
	employee: string;
	/** The person's. */
	name: string;
	email?: string;
	/** The portal's name, once known. */
	company?: string;
}

/** A refusal, in words for the reader; `fields` are those that it is about. */
export interface Problem {
	code: string;
	text: string;
	fields: Readonly<Record<string, string>>;
}
export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

export interface PortalChoice {
	portal: string;
	name: string;
}
export interface InvitationResult {
	address: string;
	result: string;
}

const SESSION_KEY = 'atrium.session';

class Account {
	#session = $state.raw<RememberedSession | undefined>(remembered());
	#expired = $state(false);

	constructor() {
		// Signed in or out in another tab: this one follows.
		window.addEventListener('storage', (event) => {
			if (event.key === SESSION_KEY) this.#session = remembered();
		});
	}

	get session(): RememberedSession | undefined {
		return this.#session;
	}
	/** The relay no longer knows this device; what is here stays usable. */
	get expired(): boolean {
		return this.#expired;
	}
	/** Called by whoever hears 401 or close code 4401. */
	markExpired(expired = true): void {
		this.#expired = expired;
	}
	/** Newer names, from the directory. */
	describe(names: { name?: string; company?: string; email?: string }): void {
		// Called from effects: they must not come to depend on what they set.
		const now = untrack(() => this.#session);
		if (now) this.#remember({ ...now, ...names });
	}

	async signIn(email: string, password: string, portal?: PortalChoice): Promise<Answer<'signed-in' | readonly PortalChoice[]>> {
		const answer = await call('POST', '/api/v1/sessions', { email, password, ...(portal ? { portal: portal.portal } : {}) });
		if (answer.kind === 'body') {
			await this.#begin(answer.body, { email, company: portal?.name });
			return { ok: true, value: 'signed-in' };
		}
		if (answer.kind === 'problem' && answer.body.code === 'choose-portal' && Array.isArray(answer.body.portals)) {
			return { ok: true, value: answer.body.portals as PortalChoice[] };
		}
		return refused(answer, { unauthorized: m.account_error_credentials });
	}

	async register(request: { company: string; firstName: string; lastName: string; email: string; password: string; language: string }): Promise<Answer<void>> {
		const answer = await call('POST', '/api/v1/portals', request);
		if (answer.kind !== 'body') return refused(answer, { unauthorized: m.account_error_known_password });
		await this.#begin(answer.body, { email: request.email, company: request.company, name: `${request.firstName} ${request.lastName}`.trim() });
		return { ok: true, value: undefined };
	}

	async invitation(code: string): Promise<Answer<{ company: string; email: string } | 'gone'>> {
		const answer = await call('POST', '/api/v1/invitations/open', { code });
		if (answer.kind === 'body') return { ok: true, value: { company: String(answer.body.company ?? ''), email: String(answer.body.email ?? '') } };
		if (answer.kind === 'problem' && (answer.status === 404 || answer.status === 410)) return { ok: true, value: 'gone' };
		return refused(answer, {});
	}

	async accept(code: string, invited: { company: string; email: string }, request: { firstName: string; lastName: string; password: string }): Promise<Answer<void>> {
		const answer = await call('POST', '/api/v1/invitations/acceptance', { code, ...request });
		if (answer.kind !== 'body') return refused(answer, { unauthorized: m.account_error_known_password });
		await this.#begin(answer.body, { ...invited, name: `${request.firstName} ${request.lastName}`.trim() });
		return { ok: true, value: undefined };
	}

	async invite(addresses: readonly string[], department: string | undefined): Promise<Answer<readonly InvitationResult[]>> {
		const answer = await call('POST', '/api/v1/invitations', { addresses, ...(department ? { department } : {}) });
		if (answer.kind === 'body' && Array.isArray(answer.body.results)) return { ok: true, value: answer.body.results as InvitationResult[] };
		if (answer.kind === 'problem' && answer.status === 401) this.#expired = true;
		return refused(answer, { unauthorized: m.account_expired, forbidden: m.account_error_not_allowed });
	}

	/** Looks on as somebody else in this tab, read only. The relay records it. */
	async beginView(person: PersonId): Promise<Answer<void>> {
		thisTab.end();
		const answer = await call('POST', '/api/v1/view-as', { person });
		if (answer.kind === 'problem' && answer.status === 401) this.#expired = true;
		if (answer.kind !== 'body' || !this.#session) return refused(answer, { unauthorized: m.account_expired, forbidden: m.view_administrators_only });
		const { portal, employee } = this.#session;
		thisTab.begin({ token: String(answer.body.token), person, viewer: employee as PersonId, portal, expiresAt: Number(answer.body.expiresAt) });
		return { ok: true, value: undefined };
	}

	/** Where the relay cannot be told, the view ends there by the hour. */
	async endView(): Promise<void> {
		if (thisTab.view) await call('DELETE', '/api/v1/view-as');
		thisTab.end();
	}

	/** Whether the portal has a document that this person may read. It answers alike for what is not there and what is not theirs. */
	async asksAccess(document: string): Promise<'there' | 'not-there' | 'no-network'> {
		const answer = await call('GET', `/api/v1/documents/${document}/access`);
		if (answer.kind === 'problem' && answer.status === 401) this.#expired = true;
		return answer.kind === 'body' ? 'there' : answer.kind === 'problem' && answer.status === 404 ? 'not-there' : 'no-network';
	}

	/** Forgets who is here even where the relay cannot be told; false then. Local work stays. */
	/** A dismissed person's own unsent work. Whatever the relay answers it has heard it; `later` where it could not be reached. */
	async farewell(items: readonly object[]): Promise<'heard' | 'later'> {
		const answer = await call('POST', '/api/v1/farewell', { items });
		return answer.kind === 'unreachable' || (answer.kind === 'problem' && (answer.status >= 500 || answer.status === 429)) ? 'later' : 'heard';
	}

	async signOut(): Promise<boolean> {
		const answer = await call('DELETE', '/api/v1/sessions/current');
		this.#session = undefined;
		this.#expired = false;
		try {
			localStorage.removeItem(SESSION_KEY);
		} catch {
			// Storage is forbidden here, so nothing was remembered either.
		}
		return answer.kind === 'body' || (answer.kind === 'problem' && answer.status === 401);
	}

	async #begin(body: Body, known: { email: string; company?: string | undefined; name?: string }): Promise<void> {
		const portal = String(body.portal);
		const employee = String(body.employee);
		let { name } = known;
		let company = known.company;
		if (name === undefined || company === undefined) {
			const me = await call('GET', '/api/v1/me');
			// The names are a comfort: without them the address stands in until the directory arrives.
			if (me.kind === 'body') {
				if (typeof me.body.name === 'string') name ??= me.body.name;
				if (typeof me.body.company === 'string') company ??= me.body.company;
			}
		}
		this.#expired = false;
		this.#remember({ portal, employee, name: name || known.email, email: known.email, ...(company ? { company } : {}) });
	}

	#remember(session: RememberedSession): void {
		this.#session = session;
		try {
			localStorage.setItem(SESSION_KEY, JSON.stringify(session));
		} catch {
			// Storage is forbidden: the session holds for this visit.
		}
	}
}

function remembered(): RememberedSession | undefined {
	try {
		const stored: unknown = JSON.parse(localStorage.getItem(SESSION_KEY) ?? 'null');
		if (typeof stored !== 'object' || stored === null) return undefined;
		const { portal, employee, name, email, company } = stored as Record<string, unknown>;
		if (typeof portal !== 'string' || typeof employee !== 'string' || typeof name !== 'string') return undefined;
		return { portal, employee, name, ...(typeof email === 'string' ? { email } : {}), ...(typeof company === 'string' ? { company } : {}) };
	} catch {
		// Unreadable is the same as nobody: the person signs in.
		return undefined;
	}
}

type Body = Record<string, unknown>;
type Called = { kind: 'body'; body: Body } | { kind: 'problem'; status: number; body: Body } | { kind: 'unreachable' };

async function call(method: 'GET' | 'POST' | 'DELETE', path: string, send?: unknown): Promise<Called> {
	const { view } = thisTab;
	// The administrator's own cookie would change what the view may not.
	if (view && method !== 'GET' && path !== '/api/v1/view-as') return { kind: 'problem', status: 403, body: { code: 'denied', detail: m.view_read_only() } };
	let response: Response;
	try {
		response = await fetch(path, {
			method,
			credentials: view ? 'omit' : 'same-origin',
			headers: { accept: 'application/json', ...(view ? { authorization: `Bearer ${view.token}` } : {}), ...(send === undefined ? {} : { 'content-type': 'application/json' }) },
			...(send === undefined ? {} : { body: JSON.stringify(send) })
		});
	} catch {
		return { kind: 'unreachable' };
	}
	let body: unknown = {};
	try {
		body = await response.json();
	} catch {
		// 204, or a proxy's page in place of an answer: the status speaks.
	}
	const object = typeof body === 'object' && body !== null ? (body as Body) : {};
	return response.ok ? { kind: 'body', body: object } : { kind: 'problem', status: response.status, body: object };
}

const sentences: Readonly<Record<string, () => string>> = {
	required: m.account_error_required,
	missing: m.account_error_required,
	'email-missing': m.account_error_required,
	'email-not-text': m.account_error_email,
	'email-malformed': m.account_error_email,
	'email-too-long': m.account_error_email,
	'password-not-text': m.account_error_required,
	'password-too-short': m.account_error_password_short,
	'password-too-long': m.account_error_password_long,
	'password-is-email': m.account_error_password_is_email,
	'too-long': m.account_error_too_long,
	'wrong-credentials': m.account_error_credentials,
	'wrong-password': m.account_error_known_password,
	'too-many-attempts': m.account_error_attempts,
	quota: m.account_error_seats
};

function refused(answer: Called, words: { unauthorized?: () => string; forbidden?: () => string }): { ok: false; problem: Problem } {
	if (answer.kind === 'unreachable') return { ok: false, problem: { code: 'unreachable', text: m.account_error_network(), fields: {} } };
	if (answer.kind === 'body') return { ok: false, problem: { code: 'odd-answer', text: m.account_error_server(), fields: {} } };
	const { status, body } = answer;
	const code = typeof body.code === 'string' ? body.code : '';
	const fields = fieldErrors(body.errors);
	const tariff = v.is(tariffRefusalSchema, body.tariff) ? body.tariff : null;
	const detail = typeof body.detail === 'string' ? body.detail : '';
	const text =
		status === 401 && words.unauthorized
			? words.unauthorized()
			: status === 403 && words.forbidden
				? words.forbidden()
				: code === 'quota' && tariff
					? tariffReason(tariff)
					: status === 429
					? m.account_error_attempts()
					: (sentences[code]?.() ?? (detail && status < 500 ? detail : m.account_error_server()));
	return { ok: false, problem: { code: code || String(status), text, fields } };
}

/** `{email: "…"}`, `{email: ["…"]}` and `[{field|path|pointer, code|detail|message}]` are all met in problem documents. */
function fieldErrors(errors: unknown): Record<string, string> {
	const out: Record<string, string> = {};
	const add = (field: unknown, said: unknown): void => {
		const name = String(field ?? '').replace(/^[#/]+/u, '');
		const text = Array.isArray(said) ? said[0] : said;
		if (name === '' || typeof text !== 'string' || out[name] !== undefined) return;
		out[name] = sentences[text]?.() ?? sentences[`${name}-${text}`]?.() ?? text;
	};
	if (Array.isArray(errors)) {
		for (const one of errors as Body[]) add(one.field ?? one.path ?? one.pointer, one.code ?? one.detail ?? one.message);
	} else if (typeof errors === 'object' && errors !== null) {
		for (const [field, said] of Object.entries(errors)) add(field, said);
	}
	return out;
}

export const account = new Account();
