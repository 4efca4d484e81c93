/** The relay's list of letters that wait or failed, and what an administrator does with one. */
import * as v from 'valibot';
import { call } from '../account/api.ts';

const letter = v.object({
	id: v.string(),
	kind: v.string(),
	to: v.string(),
	state: v.picklist(['waiting', 'failed']),
	reason: v.nullable(v.string()),
	/** A code of the mail server, for whoever mends it. */
	detail: v.nullable(v.string()),
	createdAt: v.number(),
	nextTryAt: v.nullable(v.number())
});
export type Letter = v.InferOutput<typeof letter>;

export const shownLetters = () => call('GET', '/letters', { answer: v.object({ letters: v.array(letter), through: v.picklist(['mail-server', 'files']) }) });
export const retryLetter = (id: string) => call('POST', `/letters/${encodeURIComponent(id)}/retry`);
export const removeLetter = (id: string) => call('DELETE', `/letters/${encodeURIComponent(id)}`);
