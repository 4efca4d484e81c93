/**
 * Who uses this device, and the calls that change that: register, sign in, accept, invite, sign out.
 *
 * Promises: the token never reaches this code's hands for keeping (the relay sets an HttpOnly cookie); the device remembers
 * only portal, employee and names (signIns), so that the app opens without asking anyone; an ended session is told, never acted on
 * by throwing local work away. Expected refusals are returned as problems (api.ts); only bugs are thrown.
 */
import { untrack } from 'svelte';
import * as v from 'valibot';
import { isIdOf, isPortalId, type PersonId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import { call, onSessionProblem, type Answer } from './api.ts';
import { signIns, type RememberedSession } from './signIns.svelte.ts';
import { thisTab } from './view.svelte.ts';

export type { RememberedSession } from './signIns.svelte.ts';
export type { Answer, Problem } from './api.ts';

export interface PortalChoice {
	portal: string;
	name: string;
}

const portalId = v.custom<string>(isPortalId);
const personId = v.custom<PersonId>((value) => isIdOf('employee', value));
const signedInAnswer = v.object({ portal: portalId, employee: personId });
const choicesAnswer = v.object({ portals: v.array(v.object({ portal: portalId, company: v.string() })) });
const meAnswer = v.object({ firstName: v.string(), lastName: v.string(), company: v.string() });
const invitationAnswer = v.object({ company: v.string(), email: v.string() });
const viewAnswer = v.object({ token: v.string(), expiresAt: v.number() });

class Account {
	/** Portals whose sign-in the relay no longer knows. */
	#expired = $state.raw<ReadonlySet<string>>(new Set());

	constructor() {
		onSessionProblem((problem, portal) => {
			if (problem.code === 'not-signed-in') this.#expire(portal, true);
		});
	}

	get session(): RememberedSession | undefined {
		return signIns.here;
	}
	/** The relay no longer knows this device; what is here stays usable. */
	get expired(): boolean {
		return this.session !== undefined && this.#expired.has(this.session.portal);
	}
	/** Called by whoever hears close code 4401, or is let in again. */
	markExpired(expired = true): void {
		const { session } = this;
		if (session) this.#expire(session.portal, expired);
	}
	/** Newer names, from the directory. */
	describe(names: { name?: string; company?: string; email?: string }): void {
		// Called from effects: they must not come to depend on what they set.
		untrack(() => signIns.describe(names));
	}

	async signIn(email: string, password: string, portal?: PortalChoice): Promise<Answer<'signed-in' | readonly PortalChoice[]>> {
		const answer = await call('POST', '/sessions', { send: { email, password, ...(portal ? { portal: portal.portal } : {}) }, answer: signedInAnswer, portal: null });
		if (answer.ok) {
			await this.#begin(answer.value, { email, company: portal?.name });
			return { ok: true, value: 'signed-in' };
		}
		if (answer.problem.code === 'choose-portal') {
			const choices = v.safeParse(choicesAnswer, answer.problem.body);
			if (choices.success) return { ok: true, value: choices.output.portals.map((one) => ({ portal: one.portal, name: one.company })) };
		}
		return answer;
	}

	async register(request: { company: string; firstName: string; lastName: string; email: string; password: string; language: string }): Promise<Answer<void>> {
		const answer = await call('POST', '/portals', { send: request, answer: signedInAnswer, portal: null, words: { 'wrong-credentials': m.account_error_known_password } });
		if (!answer.ok) return answer;
		await this.#begin(answer.value, { email: request.email, company: request.company, name: `${request.firstName} ${request.lastName}`.trim() });
		return { ok: true, value: undefined };
	}

	async invitation(code: string): Promise<Answer<{ company: string; email: string } | 'gone'>> {
		const answer = await call('POST', '/invitations/open', { send: { code }, answer: invitationAnswer, portal: null });
		return !answer.ok && [404, 410].includes(answer.problem.status) ? { ok: true, value: 'gone' } : answer;
	}

	async accept(code: string, invited: { company: string; email: string }, request: { firstName: string; lastName: string; password: string }): Promise<Answer<void>> {
		const answer = await call('POST', '/invitations/acceptance', { send: { code, ...request }, answer: signedInAnswer, portal: null, words: { 'wrong-credentials': m.account_error_known_password } });
		if (!answer.ok) return answer;
		await this.#begin(answer.value, { ...invited, name: `${request.firstName} ${request.lastName}`.trim() });
		return { ok: true, value: undefined };
	}

	/** Looks on as somebody else in this tab, read only. The relay records it. */
	async beginView(person: PersonId): Promise<Answer<void>> {
		thisTab.end();
		const answer = await call('POST', '/view-as', { send: { person }, answer: viewAnswer, words: { 403: m.view_administrators_only } });
		if (!answer.ok) return answer;
		const { session } = this;
		if (session) thisTab.begin({ ...answer.value, person, viewer: session.employee as PersonId, portal: session.portal });
		return { ok: true, value: undefined };
	}

	/** Where the relay cannot be told, the view ends there by the hour. */
	async endView(): Promise<void> {
		if (thisTab.view) await call('DELETE', '/view-as');
		thisTab.end();
	}

	/** Whether the portal has a document that this person may read. It answers alike for what is not there and what is not theirs. */
	async asksAccess(document: string): Promise<'there' | 'not-there' | 'no-network'> {
		const answer = await call('GET', `/documents/${document}/access`);
		return answer.ok ? 'there' : answer.problem.status === 404 ? 'not-there' : 'no-network';
	}

	/** A dismissed person's own unsent work. Whatever the relay answers it has heard it; `later` where it could not be reached. */
	async farewell(items: readonly object[]): Promise<'heard' | 'later'> {
		const answer = await call('POST', '/farewell', { send: { items } });
		return !answer.ok && (answer.problem.unreachable || answer.problem.status >= 500 || answer.problem.status === 429) ? 'later' : 'heard';
	}

	/** Forgets who is here even where the relay cannot be told; false then. Local work stays. */
	async signOut(): Promise<boolean> {
		const { session } = this;
		if (!session) return true;
		const answer = await call('DELETE', '/sessions/current');
		this.#expire(session.portal, false);
		signIns.forget(session.portal);
		return answer.ok || answer.problem.status === 401;
	}

	async #begin(signedIn: v.InferOutput<typeof signedInAnswer>, known: { email: string; company?: string | undefined; name?: string }): Promise<void> {
		const { portal, employee } = signedIn;
		let { name } = known;
		let company = known.company;
		if (name === undefined || company === undefined) {
			const me = await call('GET', '/me', { answer: meAnswer, portal });
			// The names are a comfort: without them the address stands in until the directory arrives.
			if (me.ok) {
				name ??= `${me.value.firstName} ${me.value.lastName}`.trim();
				company ??= me.value.company;
			}
		}
		this.#expire(portal, false);
		signIns.begin({ portal, employee, name: name || known.email, email: known.email, ...(company ? { company } : {}) });
	}

	#expire(portal: string, expired: boolean): void {
		const now = untrack(() => this.#expired);
		if (now.has(portal) === expired) return;
		this.#expired = expired ? new Set([...now, portal]) : new Set([...now].filter((one) => one !== portal));
	}
}

export const account = new Account();
