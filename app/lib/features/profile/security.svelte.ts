/**
 * What the relay knows of a person's own sign-in: asked when the screen opens and again after each change. Nothing of it is kept on the device.
 *
 * Promises: each part fails for itself and says why; without a network nothing is shown as if it were known.
 */
import * as v from 'valibot';
import { m } from '#lib/paraglide/messages.js';
import { call, type Answer, type Problem, type Words } from '../account/api.ts';
import { entrance, type EntranceFacts } from '../account/entrance.svelte.ts';

const moment = v.number();
const meAnswer = v.object({
	email: v.string(),
	login: v.nullish(v.string(), null),
	hasPassword: v.optional(v.boolean(), true),
	secondFactor: v.optional(v.object({ enrolled: v.boolean(), required: v.boolean(), graceUntil: v.nullish(moment, null) }), { enrolled: false, required: false, graceUntil: null })
});
const sessionsAnswer = v.object({
	sessions: v.array(
		v.object({
			id: v.string(),
			company: v.nullish(v.string(), null),
			current: v.optional(v.boolean(), false),
			createdAt: moment,
			lastSeenAt: v.nullish(moment, null),
			ip: v.nullish(v.string(), null),
			userAgent: v.nullish(v.string(), null)
		})
	)
});
const passkeysAnswer = v.object({ passkeys: v.array(v.object({ id: v.string(), name: v.string(), createdAt: moment, lastUsedAt: v.nullish(moment, null) })) });
const linksAnswer = v.object({ links: v.array(v.object({ provider: v.string(), label: v.nullish(v.string(), null), linkedAt: moment })) });

export type Me = v.InferOutput<typeof meAnswer>;
export type SignIn = v.InferOutput<typeof sessionsAnswer>['sessions'][number];
export type Passkey = v.InferOutput<typeof passkeysAnswer>['passkeys'][number];
export type Link = v.InferOutput<typeof linksAnswer>['links'][number];

/** What is said where the password that proves it is wrong: nobody was asked for an address. */
export const PROOF_WORDS: Words = { 'wrong-credentials': m.account_error_wrong_password };

/** One question to the relay: what it answered last, or why it did not. */
class Asked<T> {
	#value = $state.raw<T | null>(null);
	#problem = $state.raw<Problem | null>(null);
	readonly #ask: () => Promise<Answer<T>>;

	constructor(ask: () => Promise<Answer<T>>) {
		this.#ask = ask;
	}
	get value(): T | null {
		return this.#value;
	}
	get problem(): Problem | null {
		return this.#problem;
	}
	async load(): Promise<void> {
		const answer = await this.#ask();
		this.#problem = answer.ok ? null : answer.problem;
		if (answer.ok) this.#value = answer.value;
	}
}

export class Security {
	readonly me = new Asked<Me>(() => call('GET', '/me', { answer: meAnswer }));
	readonly sessions = new Asked<v.InferOutput<typeof sessionsAnswer>>(() => call('GET', '/sessions', { answer: sessionsAnswer }));
	readonly passkeys = new Asked<v.InferOutput<typeof passkeysAnswer>>(() => call('GET', '/me/passkeys', { answer: passkeysAnswer }));
	readonly links = new Asked<v.InferOutput<typeof linksAnswer>>(() => call('GET', '/me/links', { answer: linksAnswer }));
	readonly entrance = new Asked<EntranceFacts>(() => entrance.ask());

	async load(): Promise<void> {
		await Promise.all([this.me, this.sessions, this.passkeys, this.links, this.entrance].map((one) => one.load()));
	}
	/** The first that could not be answered: nearly always the network, and then one sentence says it for all. */
	get problem(): Problem | null {
		return this.me.problem ?? this.sessions.problem;
	}
}
