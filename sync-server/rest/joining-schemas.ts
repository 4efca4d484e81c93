/** What calls about inviting, joining and letters bring and get; the OpenAPI file is made of these. */
import * as v from 'valibot';
import { shortText } from '#crdt-model/record/parts.ts';
import { LETTER_KINDS } from '../accounts/letter-kinds.ts';
import { EMAIL_MAX } from '../accounts/email.ts';
import { codeBody, departmentId, email, groupId, language, LETTER_RESULTS, moment, name, newPassword, personId, portalId } from './schemas.ts';

/** One call's worth of letters; a company of thousands sends several. */
export const MAX_ADDRESSES = 200;
/** Workgroups that a newcomer begins in. */
export const MAX_GROUPS = 20;
/** A link that hangs on a wall for a quarter of a year. */
export const MAX_LINK_DAYS = 90;

const department = v.optional(v.nullable(departmentId));
const groups = v.optional(v.pipe(v.array(groupId), v.maxLength(MAX_GROUPS), v.transform((all) => [...new Set(all)])));
const placed = { department: v.nullable(departmentId), groups: v.array(groupId) };
const login = v.optional(v.nullable(v.pipe(v.string(), v.maxLength(1_024), v.description('To sign in with in place of the address'))));

// Invitations

export const invitationsBody = v.object({
	addresses: v.pipe(v.array(v.pipe(v.string(), v.maxLength(1_024))), v.minLength(1), v.maxLength(MAX_ADDRESSES)),
	department,
	groups
});
export const INVITATION_RESULTS = ['invited', 'already-invited', 'already-member', 'dismissed', 'invalid', 'repeated', 'limited'] as const;
export const invitationsAnswer = v.object({
	results: v.array(
		v.object({
			address: v.string(),
			result: v.pipe(
				v.picklist(INVITATION_RESULTS),
				v.description('`already-invited`: a new letter went, and the older link no longer works; `dismissed`: the person worked here, rehire them instead; `limited`: too many letters, nothing changed')
			),
			letter: v.optional(v.picklist(LETTER_RESULTS)),
			employee: v.optional(v.pipe(personId, v.description('Who has the address already'))),
			retryAfterSeconds: v.optional(v.number())
		})
	)
});
export const invitationAnswer = v.object({
	portal: portalId,
	company: v.string(),
	accent: v.nullable(v.string()),
	email: v.string(),
	known: v.pipe(v.boolean(), v.description('Whether the address has an identity, whose present password accepts')),
	invitedBy: v.pipe(v.string(), v.description('Their name')),
	language,
	expiresAt: moment
});
export const invitationListAnswer = v.object({
	invitations: v.array(
		v.object({
			id: v.string(),
			email: v.string(),
			...placed,
			invitedBy: personId,
			createdAt: moment,
			expiresAt: moment,
			valid: v.pipe(v.boolean(), v.description('False while whoever sent it may not invite any more'))
		})
	)
});
export const acceptanceBody = v.object({
	...codeBody.entries,
	firstName: name,
	lastName: name,
	password: v.pipe(v.string(), v.metadata({ format: 'password', description: 'A new one, or the present one where the address has an identity already' })),
	login,
	language: v.optional(language)
});

// Links

export const linkBody = v.object({
	department,
	groups,
	approval: v.pipe(v.boolean(), v.description('Whether an administrator decides about whoever uses it; never about addresses in the domains of the settings')),
	expiresInDays: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_LINK_DAYS))
});
const link = { id: v.string(), ...placed, approval: v.boolean(), createdBy: personId, createdAt: moment, expiresAt: moment, uses: v.number() };
export const linkMadeAnswer = v.object({ ...link, code: v.pipe(v.string(), v.description('Shown once: the address is `PUBLIC_URL/join#<code>`')) });
export const linksAnswer = v.object({ links: v.array(v.object({ ...link, valid: v.pipe(v.boolean(), v.description('False while whoever made it may not invite any more')) })) });
export const linkShownAnswer = v.object({ portal: portalId, company: v.string(), accent: v.nullable(v.string()), language, approval: v.boolean(), expiresAt: moment });

// Joining

const newcomer = {
	firstName: name,
	lastName: name,
	login,
	email,
	password: newPassword,
	language: v.optional(language)
};
export const joinBody = v.union([
	v.object({ code: v.pipe(codeBody.entries.code, v.description('Of an invitation link')), ...newcomer }),
	v.object({ portal: v.pipe(portalId, v.description('Where people register themselves')), ...newcomer })
]);
export const askedAnswer = v.pipe(v.object({}), v.description('The same for every address: what holds is told by a letter'));
export const joinedAnswer = v.object({
	waiting: v.pipe(v.boolean(), v.description('True: an administrator decides. False: the person is in, and signs in with the password that their address has already'))
});
export const joinRequestsAnswer = v.object({
	requests: v.array(
		v.object({
			id: v.string(),
			firstName: v.string(),
			lastName: v.string(),
			email: v.pipe(v.string(), v.metadata({ maxLength: EMAIL_MAX })),
			login: v.nullable(v.string()),
			language,
			link: v.nullable(v.pipe(v.string(), v.description('By which link they came; null: they registered themselves'))),
			...placed,
			dismissed: v.nullable(v.pipe(personId, v.description('They worked here: to approve is to rehire them'))),
			createdAt: moment,
			confirmedAt: moment
		})
	)
});
export const approvalBody = v.object({ department, groups });
export const approvedAnswer = v.object({ employee: personId });
export const refusalBody = v.object({});

export const personBody = v.object({
	firstName: name,
	lastName: name,
	email,
	login,
	position: v.optional(v.nullable(shortText)),
	department,
	groups,
	language: v.optional(language),
	password: v.pipe(newPassword, v.description('The first one: it must be changed at the first sign-in'))
});
export const personAddedAnswer = v.union([
	v.object({ employee: personId, letter: v.picklist(LETTER_RESULTS) }),
	v.object({ invited: v.pipe(v.literal(true), v.description('The address has an identity already, which keeps its password: an invitation went')), letter: v.picklist(LETTER_RESULTS) })
]);

// Letters

export const LETTER_REASONS = ['server-away', 'server-busy', 'server-refused', 'cannot-write', 'link-too-old', 'sealed-elsewhere', 'queue-full'] as const;
const reason = v.pipe(v.picklist(LETTER_REASONS), v.description('`server-busy`: the mail server answered, and not now; `server-refused`: never this letter; `link-too-old`: what the letter speaks of is over'));

export const lettersAnswer = v.object({
	through: v.pipe(v.picklist(['mail-server', 'files']), v.description('How letters leave: without SMTP_URL they are files in DATA_DIR/mail')),
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
