/** What calls bring and what they get, schema first; the OpenAPI file is made of these. */
import * as v from 'valibot';
import { isCommandId, isDocumentId, isPortalId, kindOf, KINDS, type CommandId, type DepartmentId, type DocumentId, type GroupId, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { LANGUAGES } from '#crdt-model/kinds/company-structure.ts';
import { title } from '#crdt-model/record/parts.ts';
import { EMAIL_MAX, parseEmail } from '../accounts/email.ts';
import { PASSWORD_MAX, PASSWORD_MIN } from '../accounts/password.ts';
import { PROBLEM_CODES } from './problem.ts';

/** A page of rows. */
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 500;

const id = <T>(kind: string, is: (value: unknown) => boolean) =>
	v.pipe(v.custom<T>(is, `not the id of a ${kind}`), v.metadata({ type: 'string', description: `Id of a ${kind}` }));
export const portalId = id<PortalId>('portal', isPortalId);
export const personId = id<PersonId>('person', (value) => kindOf(value) === 'employee');
export const departmentId = id<DepartmentId>('department', (value) => kindOf(value) === 'department');
export const groupId = id<GroupId>('workgroup', (value) => kindOf(value) === 'group');
const documentId = id<DocumentId>('document', isDocumentId);
const commandId = id<CommandId>('command', isCommandId);

export const name = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100));
export const email = v.pipe(
	v.string(),
	v.check((value) => parseEmail(value).outcome === 'parsed', 'not an e-mail address'),
	v.metadata({ format: 'email', maxLength: EMAIL_MAX })
);
/** Judged by accounts/, which also knows the address. */
export const newPassword = v.pipe(v.string(), v.metadata({ format: 'password', minLength: PASSWORD_MIN, maxLength: PASSWORD_MAX }));
export const password = v.pipe(v.string(), v.metadata({ format: 'password' }));
export const language = v.picklist(LANGUAGES);
export const moment = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER), v.description('Milliseconds since 1970'));

export const foundingBody = v.object({ company: title, firstName: name, lastName: name, email, password: newPassword, language: v.optional(language) });
export const ticket = v.pipe(v.string(), v.maxLength(64), v.description('As it came with the problem that asks for this'));
export const typedCode = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(64), v.description('Of the authenticator, or one of the recovery codes'));
export const signInBody = v.union([
	v.object({ ticket, passkey: v.pipe(v.looseObject({}), v.description('What the browser answered to the options of `POST /passkeys/options`, whose ticket this is')), portal: v.optional(portalId) }),
	v.object({ ticket, portal: portalId }),
	v.object({ ticket, code: typedCode }),
	v.object({ ticket, password: newPassword }),
	v.pipe(v.strictObject({ ticket }), v.description('Nothing new: says again what the sign-in waits for, with a fresh ticket. From a page, only in the browser that a provider sent back with it')),
	v.object({ email: v.pipe(v.string(), v.description('The address, or the login')), password, portal: v.optional(portalId) })
]);
export const signedInAnswer = v.object({ portal: portalId, employee: personId, token: v.optional(v.pipe(v.string(), v.description('For `Authorization: Bearer`. Not told to pages, which have the cookie: where the call brings `Origin` and no token of its own'))) });
export const meAnswer = v.object({
	portal: portalId,
	company: v.string(),
	currency: v.string(),
	employee: personId,
	firstName: v.string(),
	lastName: v.string(),
	email: v.string(),
	language,
	administrator: v.boolean(),
	departments: v.array(departmentId),
	viewer: v.optional(v.pipe(personId, v.description('The administrator who looks on as this person; then nothing below is told'))),
	login: v.optional(v.nullable(v.string())),
	hasPassword: v.optional(v.boolean()),
	portals: v.optional(v.array(v.object({ portal: portalId, company: v.string(), employee: personId }))),
	secondFactor: v.optional(
		v.object({ enrolled: v.boolean(), required: v.boolean(), graceUntil: v.pipe(v.nullable(moment), v.description('From when on nobody comes in here without one; null where none is demanded')) })
	),
	ip: v.optional(v.pipe(v.nullable(v.string()), v.description('Where this call came from, as the relay sees it')))
});

export const LETTER_RESULTS = ['sent', 'waiting', 'failed', 'limited'] as const;
/** What the link of a letter carries behind its `#`. */
export const codeBody = v.object({ code: v.pipe(v.string(), v.maxLength(100)) });
/** A code that makes an identity. Programs, which keep no cookie of the asking, send the password. */
export const confirmationBody = v.object({
	...codeBody.entries,
	password: v.optional(v.pipe(newPassword, v.description('Takes the place of the one that was typed when the letter was asked for; needed where it is answered elsewhere than in that browser (`choose-password`)')))
});

export const createBody = v.object({
	kind: v.picklist(KINDS),
	fields: v.pipe(v.record(v.string(), v.unknown()), v.description('The arguments of the kind\'s `create` command'))
});
export const createdAnswer = v.object({ id: documentId });
export const listQuery = v.object({
	kind: v.picklist(KINDS),
	after: v.optional(documentId),
	limit: v.optional(
		v.pipe(
			v.custom<string>((value) => typeof value === 'string' && /^0*[1-9]\d{0,15}$/.test(value), 'not a whole number from 1'),
			v.metadata({ type: 'integer', minimum: 1, default: DEFAULT_LIMIT, description: `More than ${MAX_LIMIT} counts as ${MAX_LIMIT}` })
		)
	)
});
const row = v.pipe(
	v.looseObject({
		id: documentId,
		kind: v.picklist(KINDS),
		number: v.nullable(v.number()),
		createdBy: personId,
		createdAt: moment,
		updatedAt: moment,
		deleted: v.boolean()
	}),
	v.description('What screens show of a record; further members depend on its kind')
);
export const rowsAnswer = v.object({ rows: v.array(row), next: v.nullable(documentId) });
export const documentAnswer = v.object({
	id: documentId,
	kind: v.picklist(KINDS),
	row,
	comments: v.optional(v.array(v.object({ id: v.string(), by: personId, text: v.string(), at: moment }))),
	checklist: v.optional(v.array(v.object({ id: v.string(), text: v.string(), done: v.boolean(), position: v.string() })))
});
export const accessQuery = v.object({ person: v.optional(personId) });
const principals = v.pipe(v.array(v.string()), v.description('`user:…`, `department:…`, `crm:deal:user:…`: whoever holds one of them'));
export const accessAnswer = v.object({
	person: personId,
	visible: v.boolean(),
	openings: v.pipe(
		v.array(
			v.object({
				principal: v.string(),
				of: documentId,
				grant: v.nullable(v.string()),
				by: v.array(v.pipe(v.looseObject({ kind: v.string() }), v.description('By what the person holds it: `self`, `leader` with the department and its path, `role` with its level, …')))
			})
		),
		v.description('Each principal of the document, or of the record that it hangs on, that the person holds')
	),
	who: principals,
	may: v.array(v.object({ verb: v.string(), verdict: v.looseObject({ allow: v.boolean(), rule: v.string(), who: v.optional(principals) }) }))
});
export const commandBody = v.looseObject({
	command: v.pipe(v.string(), v.maxLength(64), v.description('`setDeadline` or `task.setDeadline`')),
	args: v.optional(v.pipe(v.record(v.string(), v.unknown()), v.description('The arguments; without it all further members are the arguments'))),
	id: v.optional(commandId),
	at: v.optional(moment),
	seen: v.optional(v.pipe(v.record(v.string(), v.string()), v.description('Path → command that last wrote it, as the caller saw it; the present state where absent')))
});
export const commandAnswer = v.object({
	accepted: v.literal(true),
	seq: v.number(),
	command: commandId,
	item: v.optional(v.pipe(v.string(), v.description('The comment or checklist item that the relay gave an id')))
});
export const problemAnswer = v.looseObject({
	type: v.string(),
	title: v.string(),
	status: v.number(),
	code: v.picklist(PROBLEM_CODES),
	detail: v.optional(v.string()),
	errors: v.optional(v.array(v.object({ field: v.string(), message: v.string() })))
});
