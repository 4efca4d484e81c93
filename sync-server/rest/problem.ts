/**
 * Refusals over HTTP: problem+json (RFC 9457) with a `code` that programs read. The codes of the sync protocol keep their names and bring their own
 * status; the few that only HTTP has are listed here.
 */
import { STATUS_CODES } from 'node:http';
import { REFUSALS, type Refusal, type RefusalCode } from '#crdt-model/wire/refusal.ts';

const HTTP_CODES = {
	'not-signed-in': 401,
	'wrong-credentials': 401,
	/** The sign-in needs the code of the second factor: `ticket` goes on with it. */
	'second-factor': 401,
	'wrong-code': 401,
	/** A ticket that is used up, too old or for something else: begin again. */
	'ticket-lapsed': 401,
	/** The session is good, but its person is no active member of the portal. */
	'not-a-member': 403,
	/** The portal demands a second factor, and there is none: `ticket` enrols one. */
	'must-enrol': 403,
	/** The password was chosen by an administrator: `ticket` goes on with a new one. */
	'must-change-password': 403,
	/** A call by cookie from a page that is not ours. */
	'bad-origin': 403,
	/** The operator founds the portals here, or there is one and no second. */
	'founding-closed': 403,
	/** The company lets people in from its own networks alone, and this call comes from elsewhere. */
	'not-from-here': 403,
	/** The demo was had already, is running, or is not to be had for a box edition. */
	'no-demo': 409,
	/** People do not register themselves here. */
	'registration-closed': 403,
	'no-such-path': 404,
	'no-such-method': 405,
	/** The letter is answered elsewhere than it was asked for: the code stays good, and `password` must come with it. */
	'choose-password': 409,
	'login-taken': 409,
	/** The address has an account by now, which its owner signs in with. */
	'address-known': 409,
	/** The account was made by an administrator, and its address has answered no letter yet. */
	'address-unproved': 403,
	/** There is a second factor already; it is removed first. */
	'factor-enrolled': 409,
	'no-second-factor': 409,
	/** Nothing was begun by this sign-in, or too long ago. */
	'enrolment-lapsed': 409,
	/** The person belongs to other portals as well: what is reset for all of them is the operator's to reset. */
	'belongs-elsewhere': 409,
	/** No browser makes passkeys for the address at which this was called. */
	'no-passkeys-here': 409,
	/** What the browser sent is no answer to the challenge. */
	'passkey-refused': 422,
	'passkey-known': 409,
	'too-many-passkeys': 409,
	/** No account of that provider is linked, or the account is linked with nobody here. */
	'oidc-not-linked': 409,
	/** The account is linked with somebody else, or another account of that provider is linked already. */
	'oidc-taken': 409,
	/** The way to the provider and back was begun in another browser, too long ago, or ended already. */
	'oidc-expired': 409,
	'oidc-cancelled': 409,
	'oidc-failed': 409,
	'oidc-unreachable': 503,
	/** Several portals are possible and none was named: `ticket` goes on with one of `portals`. */
	'choose-portal': 409,
	/** The same invitation or request is being accepted at this moment. */
	'being-accepted': 409,
	/** Somebody who works here has the address; `employee` says who. */
	'already-member': 409,
	/** The address is of somebody who was dismissed: rehire them; `employee` says whom. */
	dismissed: 409,
	/** A list that is bounded has as many as it may: take some away first. */
	'too-many': 409,
	/** The same file's bytes are coming over another connection. */
	'being-uploaded': 409,
	/** A piece of an upload that goes on elsewhere than it stands; `Upload-Offset` says where. */
	'offset-mismatch': 409,
	/** The record is there and its bytes are not yet. */
	'not-uploaded': 409,
	'no-such-range': 416,
	'not-json': 415,
	'not-bytes': 415,
	'too-many-attempts': 429,
	fault: 500
} as const;

export type ProblemCode = RefusalCode | keyof typeof HTTP_CODES;
export const PROBLEM_CODES = [...Object.keys(REFUSALS), ...Object.keys(HTTP_CODES)] as ProblemCode[];

export interface FieldError {
	/** As in the request, with dots: `addresses.2`. */
	readonly field: string;
	readonly message: string;
}
export interface ProblemMore {
	readonly detail?: string;
	readonly errors?: readonly FieldError[];
	readonly headers?: Readonly<Record<string, string>>;
	/** Members beside the standard ones. */
	readonly extra?: Readonly<Record<string, unknown>>;
}

export function statusOf(code: ProblemCode): number {
	return code in HTTP_CODES ? HTTP_CODES[code as keyof typeof HTTP_CODES] : REFUSALS[code as RefusalCode].status;
}

export function problem(code: ProblemCode, more: ProblemMore = {}): Response {
	const status = statusOf(code);
	const body = {
		type: `urn:atrium:problem:${code}`,
		title: STATUS_CODES[status] ?? 'Error',
		status,
		code,
		...(more.detail === undefined ? {} : { detail: more.detail }),
		...(more.errors === undefined ? {} : { errors: more.errors }),
		...more.extra
	};
	return Response.json(body, { status, headers: { ...more.headers, 'content-type': 'application/problem+json' } });
}

/** The gate's own refusal, with everything that helps a program to go on. */
export function refusalProblem({ code, detail, ...rest }: Refusal): Response {
	const passing = code === 'unavailable' || code === 'too-much';
	return problem(code, { detail, extra: rest, ...(passing ? { headers: { 'retry-after': '1' } } : {}) });
}

export function retryLater(code: 'too-many-attempts' | 'being-accepted' | 'too-much', retryAfterSeconds: number): Response {
	return problem(code, { headers: { 'retry-after': String(Math.max(1, retryAfterSeconds)) }, extra: { retryAfterSeconds } });
}

export const badField = (field: string, message: string): Response => problem('bad-value', { detail: `${field}: ${message}`, errors: [{ field, message }] });
