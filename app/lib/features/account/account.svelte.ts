/**
 * Who uses this device, and the calls that change that: register, join, sign in and out, change between portals, invite.
 *
 * Promises: the token never reaches this code's hands for keeping (the relay sets an HttpOnly cookie); the device remembers
 * only portal, employee and names (signIns), so that the app opens without asking anyone; an ended session is told, never acted on
 * by throwing local work away. Expected refusals are returned as problems (api.ts); only bugs are thrown.
 */
import { untrack } from 'svelte';
import * as v from 'valibot';
import type { PersonId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import { call, onSessionProblem, type Answer } from './api.ts';
import { signedInAnswer, type PortalChoice, type SignedIn } from './signInFlow.svelte.ts';
import { signIns, type RememberedSession } from './signIns.svelte.ts';
import { thisTab } from './view.svelte.ts';

export type { RememberedSession } from './signIns.svelte.ts';
export type { Answer, Problem } from './api.ts';

const meAnswer = v.object({
	employee: v.string(),
	firstName: v.string(),
	lastName: v.string(),
	company: v.string(),
	email: v.string(),
	portals: v.fallback(v.array(v.object({ portal: v.string(), company: v.string() })), [])
});
const invitationAnswer = v.object({ company: v.string(), email: v.string(), known: v.fallback(v.boolean(), false) });
const linkAnswer = v.object({ company: v.string(), approval: v.boolean() });
const confirmedAnswer = v.union([signedInAnswer, v.object({ waiting: v.boolean() })]);
const viewAnswer = v.object({ view: v.string(), expiresAt: v.number() });

export type Invited = v.InferOutput<typeof invitationAnswer>;
export type OpenLink = v.InferOutput<typeof linkAnswer>;

/** What a newcomer says of themself. */
export interface Newcomer {
	readonly firstName: string;
	readonly lastName: string;
	readonly login?: string;
	readonly email: string;
	readonly password: string;
	readonly language: string;
}

/** Why a sign-in is over: it ended; or the company demands a second factor, which signing in again sets up. */
export type Expiry = 'ended' | 'second-factor';

class Account {
	/** Portals whose sign-in the relay no longer knows, and why as far as it said. */
	#expired = $state.raw<ReadonlyMap<string, Expiry>>(new Map());
	#renewing = $state(false);

	constructor() {
		onSessionProblem((problem, portal) => {
			if (problem.code === 'not-signed-in') this.#expire(portal, 'ended');
		});
	}

	get session(): RememberedSession | undefined {
		return signIns.here;
	}
	/** The relay no longer knows this device; what is here stays usable. */
	get expired(): Expiry | null {
		return (this.session && this.#expired.get(this.session.portal)) ?? null;
	}
	/** Another portal of this person is being asked for: no dialog until it is known whether it lets them in. */
	get renewing(): boolean {
		return this.#renewing;
	}
	/** Called by whoever hears close code 4401, or, with null, is let in again. */
	markExpired(expiry: Expiry | null): void {
		const { session } = this;
		if (session) this.#expire(session.portal, expiry);
	}
	/**
	 * A connection was closed as nobody's. In another tab this browser may have signed in again, and then the cookie that it has now is good.
	 * @returns whether it is, for this very person
	 */
	async isStillIn(): Promise<boolean> {
		const { session } = this;
		if (!session) return false;
		const me = await call('GET', '/me', { answer: meAnswer, portal: session.portal });
		return me.ok && me.value.employee === session.employee;
	}
	/** Newer names, from the directory. */
	describe(names: { name?: string; company?: string; email?: string }): void {
		// Called from effects: they must not come to depend on what they set.
		untrack(() => signIns.describe(names));
	}

	/** The relay has let somebody in: this tab shows that portal from now on, with their own store. */
	async begin({ portal, employee }: SignedIn, typed: { name?: string; email?: string; company?: string } = {}): Promise<void> {
		const me = await call('GET', '/me', { answer: meAnswer, portal });
		const known = signIns.known.find((one) => one.portal === portal && one.employee === employee);
		// The names are a comfort: without them what was typed stands in until the directory arrives.
		const email = me.ok ? me.value.email : (typed.email ?? known?.email);
		const name = (me.ok ? `${me.value.firstName} ${me.value.lastName}`.trim() : (typed.name ?? known?.name)) || email || '…';
		const company = (me.ok ? me.value.company : typed.company) || known?.company;
		this.#expire(portal, null);
		signIns.begin({ portal, employee, name, ...(email ? { email } : {}), ...(company ? { company } : {}) });
	}

	/** A provider has let somebody in, and the address says only where. */
	async beginAt(portal: string): Promise<Answer<void>> {
		const me = await call('GET', '/me', { answer: meAnswer, portal });
		if (!me.ok) return me;
		await this.begin({ portal, employee: me.value.employee as PersonId });
		return { ok: true, value: undefined };
	}

	/** A letter goes out; only its code makes the portal. */
	register(request: Omit<Newcomer, 'login'> & { company: string }): Promise<Answer<void>> {
		return call('POST', '/registrations', { send: request, portal: null });
	}
	/** @param password where the relay asked for one: the letter is answered in another browser than the one that asked for it */
	confirmRegistration(code: string, password?: string): Promise<Answer<SignedIn>> {
		return call('POST', '/registrations/confirmation', { send: { code, password }, answer: signedInAnswer, portal: null });
	}
	/** Another company of a person who is signed in. */
	foundAnother(company: string, language: string): Promise<Answer<SignedIn>> {
		return call('POST', '/portals', { send: { company, language }, answer: signedInAnswer });
	}
	/** The portals of this person, as the relay knows them; none without a network. */
	async portals(): Promise<readonly PortalChoice[]> {
		const me = await call('GET', '/me', { answer: meAnswer });
		return me.ok ? me.value.portals : [];
	}
	/**
	 * This tab shows another portal. One that the device remembers opens at once, also without a network, and where its sign-in is over the relay is asked for one
	 * by that of the portal that is left. @returns what is still to be proved, or why the portal cannot be opened
	 */
	async switchTo(portal: string): Promise<Answer<void | SignedIn>> {
		const from = this.session?.portal;
		if (from === undefined || from === portal) return { ok: true, value: undefined };
		const ask = () => call('POST', '/sessions/switch', { send: { portal }, answer: signedInAnswer, portal: from });
		const known = signIns.known.find((one) => one.portal === portal);
		if (!known) return ask();
		this.#renewing = true;
		try {
			signIns.show(portal);
			const me = await call('GET', '/me', { portal });
			if (me.ok || me.problem.code !== 'not-signed-in') return { ok: true, value: undefined };
			const answer = await ask();
			if (answer.ok && signIns.here?.portal === portal) await this.begin(answer.value);
		} finally {
			this.#renewing = false;
		}
		return { ok: true, value: undefined };
	}

	forgotPassword(email: string): Promise<Answer<void>> {
		return call('POST', '/password-resets', { send: { email }, portal: null });
	}
	resetPassword(code: string, password: string): Promise<Answer<void>> {
		return call('POST', '/password-resets/confirmation', { send: { code, password }, portal: null });
	}
	confirmEmail(code: string): Promise<Answer<void>> {
		return call('POST', '/email-confirmations', { send: { code }, portal: null });
	}

	invitation(code: string): Promise<Answer<Invited>> {
		return call('POST', '/invitations/open', { send: { code }, answer: invitationAnswer, portal: null });
	}
	accept(code: string, request: { firstName: string; lastName: string; password: string; login?: string }): Promise<Answer<SignedIn>> {
		return call('POST', '/invitations/acceptance', { send: { code, ...request }, answer: signedInAnswer, portal: null, words: { 'wrong-credentials': m.account_error_known_password } });
	}

	openLink(code: string): Promise<Answer<OpenLink>> {
		return call('POST', '/invitation-links/open', { send: { code }, answer: linkAnswer, portal: null });
	}
	/** @param where the code of a link, or the portal that lets people register themselves */
	join(where: { code: string } | { portal: string }, request: Newcomer): Promise<Answer<void>> {
		return call('POST', '/joins', { send: { ...where, ...request }, portal: null });
	}
	/** Waiting for an administrator; or, not waiting, with an account that was here before and signs in with its password. */
	confirmJoin(code: string, password?: string): Promise<Answer<SignedIn | { waiting: boolean }>> {
		return call('POST', '/joins/confirmation', { send: { code, password }, answer: confirmedAnswer, portal: null });
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
		this.#expire(session.portal, null);
		signIns.forget(session.portal);
		return answer.ok || answer.problem.status === 401;
	}

	#expire(portal: string, expiry: Expiry | null): void {
		const now = untrack(() => this.#expired);
		const before = now.get(portal) ?? null;
		// Every call hears that the sign-in is over; why, the relay said once.
		if (before === expiry || (before === 'second-factor' && expiry === 'ended')) return;
		const next = new Map(now);
		if (expiry === null) next.delete(portal);
		else next.set(portal, expiry);
		this.#expired = next;
	}
}

export const account = new Account();
