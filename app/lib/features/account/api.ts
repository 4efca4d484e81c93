/**
 * The one way from a screen to the relay's REST.
 *
 * Promises: every call names the portal that this tab shows, so that two tabs may show two; an answer is parsed before anybody sees it; whatever goes wrong is
 * returned as a `Problem` with its words, only bugs are thrown; a session that the relay no longer knows is told to whoever listens, and nothing is thrown away for it;
 * an administrator who looks on as somebody else reads by that view and changes nothing.
 *
 * ```
 * const answer = await call('PUT', '/me/password', { send: { current, password }, words: { 'wrong-credentials': m.profile_wrong_password } });
 * if (answer.ok) … else status.show(answer.problem);
 * ```
 */
import * as v from 'valibot';
import { m } from '#lib/paraglide/messages.js';
import { Problem, type Body, type Words } from './problem.ts';
import { signIns } from './signIns.svelte.ts';
import { thisTab } from './view.svelte.ts';

export { Problem, type Words } from './problem.ts';
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface CallOptions<S extends v.GenericSchema | undefined> {
	/** The body. Codes and passwords go here and never into the path. */
	readonly send?: unknown;
	/** What a good answer must look like; without it the answer is not read. */
	readonly answer?: S;
	/** Sentences for this call alone: by code, by status, by field. */
	readonly words?: Words;
	/** Another portal than the tab's; null names none, for calls that are nobody's. */
	readonly portal?: string | null;
	readonly signal?: AbortSignal;
}

/** The header by which a call says which of the browser's sign-ins it means. */
export const PORTAL_HEADER = 'x-atrium-portal';
/** The same for sockets and links, which take no headers. */
export const PORTAL_QUERY = 'portal';
/** Names the view that this tab looks on by; its cookie speaks then, and no sign-in in its place. */
export const VIEW_HEADER = 'x-atrium-view';

type Listener = (problem: Problem, portal: string) => void;
const listeners = new Set<Listener>();

/** Hears of refusals that are about the whole session of a portal: it ended, or it may not be used from here. @returns how to stop */
export function onSessionProblem(listener: Listener): () => void {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

/**
 * @param path below `/api/v1`, such as `/me/sessions`
 */
export async function call<S extends v.GenericSchema | undefined = undefined>(
	method: Method,
	path: `/${string}`,
	{ send, answer, words = {}, portal = signIns.here?.portal ?? null, signal }: CallOptions<S> = {}
): Promise<Answer<S extends v.GenericSchema ? v.InferOutput<S> : void>> {
	const failed = (code: string, status: number, body: Body = {}) => ({ ok: false, problem: new Problem(code, status, body, words) }) as const;
	const { view } = thisTab;
	// The relay would refuse it; here it is said without asking.
	if (view && method !== 'GET' && path !== '/view-as') return { ok: false, problem: new Problem('read-only', 403, {}, { 'read-only': m.view_read_only }) };
	let response: Response;
	try {
		response = await fetch(`/api/v1${path}`, {
			method,
			credentials: 'same-origin',
			cache: 'no-store',
			redirect: 'error',
			headers: {
				accept: 'application/json',
				...(view ? { [VIEW_HEADER]: view.view } : portal === null ? {} : { [PORTAL_HEADER]: portal }),
				...(send === undefined ? {} : { 'content-type': 'application/json' })
			},
			...(send === undefined ? {} : { body: JSON.stringify(send) }),
			...(signal && { signal })
		});
	} catch {
		// No network, a relay that is down, a call that was given up: nobody answered.
		return failed('unreachable', 0);
	}
	let body: unknown;
	try {
		body = response.status === 204 ? {} : await response.json();
	} catch {
		// A proxy's page in place of an answer, or one that broke off: the status speaks.
		body = {};
	}
	const object: Body = typeof body === 'object' && body !== null ? (body as Body) : {};
	if (!response.ok) {
		const code = typeof object.code === 'string' ? object.code : '';
		// A proxy says so for a relay that is not there.
		if (code === '' && [502, 503, 504].includes(response.status)) return failed('unreachable', 0);
		const refused = failed(code || String(response.status), response.status, object);
		if (portal !== null && !view && (code === 'not-signed-in' || code === 'not-from-here')) for (const listener of listeners) listener(refused.problem, portal);
		return refused;
	}
	type Value = S extends v.GenericSchema ? v.InferOutput<S> : void;
	if (!answer) return { ok: true, value: undefined as Value };
	const parsed = v.safeParse(answer, body);
	return parsed.success ? { ok: true, value: parsed.output as Value } : failed('odd-answer', 500);
}
