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
	'no-such-path': 404,
	'no-such-method': 405,
	'login-taken': 409,
	/** Several portals are possible and none was named: `ticket` goes on with one of `portals`. */
	'choose-portal': 409,
	/** The same invitation is being accepted at this moment. */
	'being-accepted': 409,
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
