/**
 * A sign-in that goes over several steps: what was proved so far lies with the relay, in a ticket that lives in memory here and is gone with the screen.
 *
 * States: `credentials` → (`code` | `portal` | `enrol` → `recovery-codes` | `new-password` | `choose-password`)* → in.
 * Promises: every way in (password, passkey, provider, a letter's code) goes on here with the same steps; a lapsed ticket leads back to the beginning with a reason.
 */
import * as v from 'valibot';
import { isIdOf, isPortalId, type PersonId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import { call, type Answer } from './api.ts';
import { askPasskey, rememberPasskey, type AnsweredPasskey } from './passkey.ts';

export interface PortalChoice {
	readonly portal: string;
	readonly company: string;
}
const portalId = v.custom<string>(isPortalId);
export const signedInAnswer = v.object({ portal: portalId, employee: v.custom<PersonId>((value) => isIdOf('employee', value)) });
export type SignedIn = v.InferOutput<typeof signedInAnswer>;

export type Step =
	| { readonly at: 'credentials' }
	| { readonly at: 'code'; readonly ticket: string }
	| { readonly at: 'portal'; readonly ticket: string; readonly portals: readonly PortalChoice[] }
	| { readonly at: 'enrol'; readonly ticket: string; readonly secret: string; readonly uri: string }
	| { readonly at: 'recovery-codes'; readonly codes: readonly string[]; readonly signedIn: SignedIn }
	| { readonly at: 'new-password'; readonly ticket: string }
	/** A letter is answered in another browser than the one that asked for it: whoever reads the mailbox chooses the password, so that nobody else's counts. */
	| { readonly at: 'choose-password'; readonly send: (password: string) => Promise<Answer<void>> };

const ticketBody = v.object({ ticket: v.string() });
const choicesBody = v.object({ ticket: v.string(), portals: v.array(v.object({ portal: portalId, company: v.string() })) });
const enrolmentAnswer = v.object({ secret: v.string(), uri: v.string() });
const enrolledAnswer = v.object({ ...signedInAnswer.entries, recoveryCodes: v.array(v.string()) });

const moved: Answer<void> = { ok: true, value: undefined };

export class SignInFlow {
	#step = $state.raw<Step>({ at: 'credentials' });
	/** Why the sign-in began anew, until the next try. */
	#lapsed = $state(false);
	readonly #in: (signedIn: SignedIn) => Promise<void>;
	/** The portal that is meant, where one is: it is taken without asking. */
	readonly #portal: () => string | null;

	constructor(options: { onin: (signedIn: SignedIn) => Promise<void>; portal?: () => string | null }) {
		this.#in = options.onin;
		this.#portal = options.portal ?? (() => null);
	}

	get step(): Step {
		return this.#step;
	}
	get lapsed(): boolean {
		return this.#lapsed;
	}
	restart(): void {
		this.#lapsed = false;
		this.#step = { at: 'credentials' };
	}

	/** @param name e-mail or login */
	password(name: string, password: string, portal?: string | null): Promise<Answer<void>> {
		return this.#post({ email: name, password, ...(portal ? { portal } : {}) });
	}
	choose(portal: string): Promise<Answer<void>> {
		return this.#withTicket('portal', (ticket) => this.#post({ ticket, portal }));
	}
	/** @param code of the authenticator app, or one of the recovery codes */
	code(code: string): Promise<Answer<void>> {
		return this.#withTicket('code', (ticket) => this.#post({ ticket, code }));
	}
	/**
	 * Answers a letter.
	 *
	 * @param send called anew with a password where the relay asks for one; what it answers then and is not taken stands above the fields
	 */
	async letter(send: (password?: string) => Promise<Answer<SignedIn | null>>): Promise<Answer<void>> {
		const answer = await send();
		if (answer.ok || answer.problem.code !== 'choose-password') return this.take(answer);
		this.#step = { at: 'choose-password', send: async (password) => this.take(await send(password)) };
		return moved;
	}
	newPassword(password: string): Promise<Answer<void>> {
		if (this.#step.at === 'choose-password') return this.#step.send(password);
		return this.#withTicket('new-password', (ticket) => this.#post({ ticket, password }));
	}
	enrol(code: string): Promise<Answer<void>> {
		return this.#withTicket('enrol', async (ticket) => {
			const answer = await call('PUT', '/second-factor', { send: { ticket, code }, answer: enrolledAnswer, portal: null });
			if (!answer.ok) return this.take(answer);
			const { recoveryCodes: codes, portal, employee } = answer.value;
			this.#step = { at: 'recovery-codes', codes, signedIn: { portal, employee } };
			return moved;
		});
	}
	/** The recovery codes were seen; only now is the person in. */
	async seen(): Promise<void> {
		if (this.#step.at === 'recovery-codes') await this.#in(this.#step.signedIn);
	}

	/** Asks the browser for a passkey. @returns `given-up` where the person closed the browser's question */
	async passkey(portal?: string | null): Promise<Answer<void> | 'given-up'> {
		const asked = await askPasskey();
		if (!asked.ok) return asked;
		return asked.value === null ? 'given-up' : this.withPasskey(asked.value, portal);
	}
	/** Goes on with what the browser has answered. */
	async withPasskey({ ticket, passkey }: AnsweredPasskey, portal?: string | null): Promise<Answer<void>> {
		const done = await this.#post({ ticket, passkey, ...(portal ? { portal } : {}) }, { 'wrong-credentials': m.account_passkey_unknown, 'ticket-lapsed': m.account_ticket_lapsed });
		rememberPasskey(done.ok || done.problem.code !== 'wrong-credentials');
		return done;
	}
	/** Goes on with a ticket that came with an address: the relay says what it waits for. */
	resume(ticket: string): Promise<Answer<void>> {
		return this.#post({ ticket });
	}

	/** What any call answered that may sign in: goes in, takes the next step, or hands the problem back. Null was taken and signs nobody in. */
	async take(answer: Answer<SignedIn | null>): Promise<Answer<void>> {
		this.#lapsed = false;
		if (answer.ok) {
			if (answer.value) await this.#in(answer.value);
			else this.restart();
			return moved;
		}
		const { problem } = answer;
		const body = v.safeParse(ticketBody, problem.body);
		switch (problem.code) {
			case 'choose-portal': {
				const choices = v.safeParse(choicesBody, problem.body);
				if (!choices.success) break;
				const { ticket, portals } = choices.output;
				this.#step = { at: 'portal', ticket, portals };
				const meant = portals.find(({ portal }) => portal === this.#portal());
				return meant ? this.choose(meant.portal) : moved;
			}
			case 'second-factor':
				if (!body.success) break;
				this.#step = { at: 'code', ticket: body.output.ticket };
				return moved;
			case 'must-change-password':
				if (!body.success) break;
				this.#step = { at: 'new-password', ticket: body.output.ticket };
				return moved;
			case 'must-enrol': {
				if (!body.success) break;
				const { ticket } = body.output;
				const begun = await call('POST', '/second-factor', { send: { ticket }, answer: enrolmentAnswer, portal: null });
				if (!begun.ok) return begun;
				this.#step = { at: 'enrol', ticket, ...begun.value };
				return moved;
			}
			case 'ticket-lapsed':
				this.#step = { at: 'credentials' };
				this.#lapsed = true;
				return moved;
		}
		return { ok: false, problem };
	}

	async #post(send: object, words = {}): Promise<Answer<void>> {
		return this.take(await call('POST', '/sessions', { send, answer: signedInAnswer, portal: null, words }));
	}
	#withTicket(at: Step['at'], go: (ticket: string) => Promise<Answer<void>>): Promise<Answer<void>> {
		const step = this.#step;
		// A second press, after the first one has moved on.
		return step.at === at && 'ticket' in step ? go(step.ticket) : Promise.resolve(moved);
	}
}
