/**
 * What the relay tells everybody before they sign in: which company is meant, how one may come in, and what the company shows to the public.
 *
 * Promises: asked once for a portal and a visit, and again where nobody answered; without an answer the screens show what works anywhere (a name and a password).
 */
import * as v from 'valibot';
import { isPortalId } from '#crdt-model/ids.ts';
import { preferences } from '#lib/shell/preferences.svelte.ts';
import { call, type Answer } from './api.ts';

const line = v.fallback(v.nullable(v.string()), null);
const contactAnswer = v.object({ address: line, phone: line, email: line, website: line, partner: line });
const entranceAnswer = v.object({
	portal: v.nullable(v.custom<string>(isPortalId)),
	company: v.nullable(v.string()),
	accent: v.fallback(v.nullable(v.string()), null),
	selfRegistration: v.fallback(v.picklist(['off', 'moderated', 'open']), 'off'),
	founding: v.fallback(v.boolean(), false),
	providers: v.fallback(v.array(v.object({ id: v.string(), name: v.string() })), []),
	passkeys: v.fallback(v.boolean(), false),
	publicPage: v.fallback(v.nullable(v.object({ about: line, contact: v.fallback(v.nullable(contactAnswer), null) })), null),
	lettersAreFiles: v.fallback(v.boolean(), false)
});
export type EntranceFacts = v.InferOutput<typeof entranceAnswer>;
export type Contact = v.InferOutput<typeof contactAnswer>;

class Entrance {
	#facts = $state.raw<EntranceFacts | null>(null);
	#asked = new Map<string, Promise<Answer<EntranceFacts>>>();

	/** Null until it answered, and where nobody did. */
	get facts(): EntranceFacts | null {
		return this.#facts;
	}

	/** @param portal the one that is meant; null leaves it to the relay: its only one, or that of the address */
	async ask(portal: string | null = null): Promise<Answer<EntranceFacts>> {
		const key = portal ?? '';
		const asking = this.#asked.get(key) ?? call('GET', portal === null ? '/entrance' : `/entrance?portal=${encodeURIComponent(portal)}`, { answer: entranceAnswer, portal: null });
		this.#asked.set(key, asking);
		const answer = await asking;
		if (!answer.ok) {
			this.#asked.delete(key);
			return answer;
		}
		this.#facts = answer.value;
		if (answer.value.accent !== null) preferences.setAccent(answer.value.accent);
		return answer;
	}
}

export const entrance = new Entrance();
