/** What calls about inviting, joining and letters bring and get; the OpenAPI file is made of these. */
import * as v from 'valibot';
import { LETTER_KINDS } from '../accounts/letter-kinds.ts';
import { LETTER_RESULTS, moment } from './schemas.ts';

export const LETTER_REASONS = ['server-away', 'server-busy', 'server-refused', 'cannot-write', 'link-too-old', 'sealed-elsewhere', 'queue-full'] as const;
const reason = v.pipe(v.picklist(LETTER_REASONS), v.description('`server-busy`: the mail server answered, and not now; `server-refused`: never this letter; `link-too-old`: what the letter speaks of is over'));

export const lettersAnswer = v.object({
	letters: v.array(
		v.object({
			id: v.string(),
			kind: v.picklist(LETTER_KINDS),
			to: v.string(),
			state: v.picklist(['waiting', 'failed']),
			tries: v.number(),
			reason: v.nullable(reason),
			detail: v.nullable(v.pipe(v.string(), v.description('A code of the mail server or the system, for whoever mends it'))),
			createdAt: moment,
			nextTryAt: v.nullable(moment)
		})
	)
});
export const letterAnswer = v.object({ letter: v.picklist(LETTER_RESULTS), reason: v.optional(v.nullable(reason)) });
