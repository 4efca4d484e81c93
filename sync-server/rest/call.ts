/**
 * One call: who makes it, from where, and with what. Every route passes here before its handler runs.
 *
 * Promises: whoever calls too often is told when to come back, before anything is done (SPEC B6); a call is made by the person of a living session or by nobody; by cookie nothing is changed from a page that is not ours; a body is JSON of
 * at most `MAX_CALL_BYTES` and has the route's schema before a handler sees it; answers are never cached.
 * Leaves to others: rights (the gate, and handlers where the gate is not asked).
 */
import type { Context, Hono } from 'hono';
import * as v from 'valibot';
import { isPortalId, isSessionId, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import type { Accounts, ResolvedSession } from '../accounts/accounts.ts';
import { cookieValue, originAllowed, ownOriginAllowed, sessionCookieOf, tokensFromCookie, viewCookieOf } from '../accounts/cookie.ts';
import type { Founding } from '../config.ts';
import type { Letters } from '../accounts/letters.ts';
import type { Oidc } from '../accounts/oidc.ts';
import type { Blobs } from '../files/blobs.ts';
import type { Uploads } from '../files/uploads.ts';
import type { Portal } from '../room/portal.ts';
import type { Portals } from '../room/portals.ts';
import { READ_ONLY } from '../session/viewing.ts';
import type { Addresses } from '../budget/addresses.ts';
import { problem, refusalProblem, retryLater, type FieldError } from './problem.ts';

/** What every handler may use. */
export interface Services {
	readonly accounts: Accounts;
	readonly portals: Portals;
	readonly letters: Letters;
	/** Without a mail server they lie in DATA_DIR/mail. */
	readonly lettersAreFiles: boolean;
	readonly oidc: Oidc;
	readonly blobs: Blobs;
	readonly uploads: Uploads;
	readonly addresses: Addresses;
	readonly publicUrl: string;
	readonly now: () => number;
	/** Who may found a portal here; `mayFound` asks it. */
	readonly founding: Founding;
	/** Who changes tariffs, for administrators to turn to; null where the operator says nothing. */
	readonly operatorContact: string | null;
	/** For what nobody waits for. */
	readonly onFault: (fault: unknown) => void;
}

/** From which page a request comes and to which name it was sent, as the headers say. */
export interface Page {
	readonly origin: string | null | undefined;
	readonly host: string | null | undefined;
}

/**
 * Whether a request that carries a cookie, or is to set one, comes from a page of ours. At a portal's own domain that is a page of that domain, and only that
 * portal's sign-ins count there; everywhere else it is one of PUBLIC_URL.
 * @param portal whose sign-in it is; null for a call of nobody
 */
export function fromOurPage({ accounts, publicUrl }: Pick<Services, 'accounts' | 'publicUrl'>, { origin, host }: Page, portal: PortalId | null): boolean {
	const door = accounts.domains.at(host);
	if (door === null) return originAllowed(origin, publicUrl, host);
	return (portal === null || portal === door) && ownOriginAllowed(origin, publicUrl, host!);
}

/** Whether the sign-in of a cookie counts at the name that it was sent to: at a portal's own domain, that portal's alone. */
export function countsAt({ accounts }: Pick<Services, 'accounts'>, host: string | null | undefined, portal: PortalId): boolean {
	const door = accounts.domains.at(host);
	return door === null || door === portal;
}

/** Whether somebody may found a portal here now. Asked in the turn in which `portals.found` is called: of two who found the first, one comes too late. */
export function mayFound({ founding, portals }: Pick<Services, 'founding' | 'portals'>): boolean {
	return founding === 'open' || (founding === 'first' && portals.isEmpty);
}

export type Bindings = { Bindings: { ip: string | null; isLocal: boolean } };
export type App = Hono<Bindings>;

type Schema = v.GenericSchema;
export interface RouteSpec<Body extends Schema | undefined = Schema | undefined, Query extends Schema | undefined = Schema | undefined> {
	readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
	/** `/api/v1/documents/{id}` */
	readonly path: string;
	readonly summary: string;
	/** Whether only a signed-in person may call it. */
	readonly signedIn: boolean;
	/** Changes nothing of the portal: also for whoever looks on as somebody else. */
	readonly alsoViewing?: true;
	readonly body?: Body;
	/** The type of a body that is bytes and not JSON; the handler reads it as a stream. */
	readonly raw?: string;
	readonly query?: Query;
	readonly answer: { readonly status: number; readonly description: string; readonly schema?: Schema; readonly type?: string };
	/** Statuses of its problems beside those that every such call may have. */
	readonly problems?: readonly number[];
}

/** Keeps the schemas' types. */
export function route<Body extends Schema | undefined = undefined, Query extends Schema | undefined = undefined>(
	spec: RouteSpec<Body, Query>
): RouteSpec<Body, Query> {
	return spec;
}

type Output<S> = S extends Schema ? v.InferOutput<S> : undefined;

export interface Call<Body = undefined, Query = undefined> {
	readonly body: Body;
	readonly query: Query;
	/** As it was called, with its query unparsed. */
	readonly url: string;
	/** As it was called: GET handlers answer HEAD as well. */
	readonly method: string;
	/** The body of a route with `raw`, unread. */
	readonly stream: ReadableStream<Uint8Array> | null;
	readonly ip: string | null;
	readonly isLocal: boolean;
	header(name: string): string | undefined;
	/** What the call brought of who makes it; most handlers get a `Caller` in its place. */
	readonly presented: Presented;
	/** A part of the path, decoded. */
	param(name: string): string;
}
export interface Caller {
	readonly signIn: ResolvedSession;
	readonly token: string;
	readonly portal: Portal;
	readonly person: PersonId;
	/** An administrator who looks on as the person, read only. */
	readonly viewer: PersonId | null;
}

type Result = Response | Promise<Response>;

/** A route for anyone. */
export function everyone<B extends Schema | undefined, Q extends Schema | undefined>(
	app: App,
	services: Services,
	spec: RouteSpec<B, Q>,
	handler: (call: Call<Output<B>, Output<Q>>) => Result
): void {
	app.on(spec.method.toUpperCase(), honoPath(spec.path), async (c) => {
		const origin = c.req.header('origin');
		// Programs send no Origin; a browser does, and then the cookie that is set must be for a page of ours.
		if (spec.method !== 'get' && origin !== undefined && !fromOurPage(services, { origin, host: c.req.header('host') }, null)) return finished(problem('bad-origin'));
		const wait = asNobody(c, services);
		return finished(wait ?? (await withInput(c, spec, handler)));
	});
}

/** A route for signed-in people. */
export function members<B extends Schema | undefined, Q extends Schema | undefined>(
	app: App,
	services: Services,
	spec: RouteSpec<B, Q>,
	handler: (call: Call<Output<B>, Output<Q>>, caller: Caller) => Result
): void {
	app.on(spec.method.toUpperCase(), honoPath(spec.path), async (c) => {
		const changes = spec.method !== 'get';
		const caller = await callerOf(c, services, changes);
		if (!(caller instanceof Response) && caller.viewer !== null && changes && !spec.alsoViewing) return finished(refusalProblem(READ_ONLY));
		return finished(caller instanceof Response ? caller : await withInput<B, Q>(c, spec, (call) => handler(call, caller)));
	});
}

export const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** The header by which a call says which of a browser's sign-ins it means, and the query for sockets and links, which take no headers. */
export const PORTAL_HEADER = 'x-atrium-portal';
export const PORTAL_QUERY = 'portal';
/** The header by which a page that looks on names its view; the token is a cookie of that view's. */
export const VIEW_HEADER = 'x-atrium-view';

/** As it came. */
export interface Presented {
	readonly authorization?: string | undefined;
	readonly cookie?: string | undefined;
	/** The portal that is named; none where it is empty or absent. */
	readonly portal?: string | undefined;
	/** The view that is named. It is that one's token or none: no sign-in speaks in its place. */
	readonly view?: string | undefined;
}

export interface Credentials {
	readonly signIn: ResolvedSession;
	readonly token: string;
	readonly byCookie: boolean;
}

/**
 * `Authorization` where there is one, else the cookie of the view or of the portal that is named; named none, the browser's only living sign-in. A bad header is not
 * mended by a good cookie, and a sign-in of one portal never answers for another.
 */
export function signedInBy(accounts: Pick<Accounts, 'resolveToken'>, { authorization, cookie, portal, view }: Presented): Credentials | null {
	const named = portal ? portal : null;
	if (named !== null && !isPortalId(named)) return null;
	const living = (token: string | undefined, byCookie: boolean): Credentials[] => {
		const signIn = token === undefined ? null : accounts.resolveToken(token);
		return signIn && token !== undefined && (named === null || signIn.portal === named) ? [{ signIn, token, byCookie }] : [];
	};
	if (authorization) return living(/^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/i.exec(authorization)?.[1], false)[0] ?? null;
	if (view) return isSessionId(view) ? (living(cookieValue(cookie, viewCookieOf(view)) ?? undefined, true).find(({ signIn }) => signIn.session === view) ?? null) : null;
	const cookies = tokensFromCookie(cookie);
	if (named !== null) return living(cookies.get(sessionCookieOf(named)), true)[0] ?? null;
	const [only, ...others] = [...cookies.values()].flatMap((token) => living(token, true));
	return only && others.length === 0 ? only : null;
}

export const presentedBy = (c: Context<Bindings>): Presented => ({
	authorization: c.req.header('authorization'),
	cookie: c.req.header('cookie'),
	portal: c.req.header(PORTAL_HEADER) ?? c.req.query(PORTAL_QUERY),
	view: c.req.header(VIEW_HEADER)
});

/** Counts a call that no session stands behind against its address; the answer where there were too many. */
export function asNobody({ env }: Context<Bindings>, { addresses }: Pick<Services, 'addresses'>): Response | null {
	const wait = addresses.retryAfterSeconds(env);
	if (wait > 0) return retryLater('too-much', wait);
	addresses.wasNobody(env);
	return null;
}

async function callerOf(c: Context<Bindings>, services: Services, changes: boolean): Promise<Caller | Response> {
	const { accounts, portals, addresses, onFault } = services;
	const [origin, host] = [c.req.header('origin'), c.req.header('host')];
	const presented = signedInBy(accounts, presentedBy(c));
	const credentials = presented && (!presented.byCookie || countsAt(services, host, presented.signIn.portal)) ? presented : null;
	if (!credentials) return asNobody(c, { addresses }) ?? notSignedIn();
	if (changes && credentials.byCookie && !fromOurPage(services, { origin, host }, credentials.signIn.portal)) return problem('bad-origin');
	const { signIn } = credentials;
	const portal = await portals.portal(signIn.portal);
	if (!portal) return notSignedIn();
	const { employee: person, viewer = null } = signIn;
	if (viewer !== null && !portal.seated({ person, viewer })) {
		// The right to look on is gone, and does not come back with the next promotion.
		await accounts.endSession(credentials.token);
		return notSignedIn();
	}
	if (!portal.actorOf(person)) return problem('not-a-member');
	const wait = portal.lane(viewer ?? person).takeCall();
	if (wait > 0) return retryLater('too-much', wait);
	if (!portal.mayEnter(viewer ?? person, c.env.ip)) return problem('not-from-here');
	if (viewer === null) void accounts.noteSeen(signIn.session, c.env.ip).catch(onFault);
	return { signIn, token: credentials.token, portal, person, viewer };
}

export const notSignedIn = (headers: Record<string, string> = {}): Response =>
	problem('not-signed-in', { headers: { ...headers, 'www-authenticate': 'Bearer' } });

async function withInput<B extends Schema | undefined, Q extends Schema | undefined>(
	c: Context<Bindings>,
	spec: RouteSpec<B, Q>,
	handler: (call: Call<Output<B>, Output<Q>>) => Result
): Promise<Response> {
	let body: unknown;
	if (spec.body) {
		const read = await readJson(c);
		if (read instanceof Response) return read;
		const parsed = v.safeParse(spec.body, read.value);
		if (!parsed.success) return unfit(parsed.issues);
		body = parsed.output;
	}
	let query: unknown;
	if (spec.query) {
		const parsed = v.safeParse(spec.query, c.req.query());
		if (!parsed.success) return unfit(parsed.issues);
		query = parsed.output;
	}
	return handler({
		body: body as Output<B>,
		query: query as Output<Q>,
		url: c.req.url,
		method: c.req.method,
		stream: spec.raw ? c.req.raw.body : null,
		ip: c.env.ip,
		isLocal: c.env.isLocal,
		header: (name) => c.req.header(name),
		presented: presentedBy(c),
		param: (name) => c.req.param(name) ?? ''
	});
}

/** The value in an object, so that JSON's `null` is one too. */
export async function readJson(c: Context<Bindings>): Promise<{ value: unknown } | Response> {
	const type = c.req.header('content-type')?.split(';')[0]!.trim().toLowerCase();
	// Also against forms of other sites: a browser asks before it sends JSON there.
	if (type !== 'application/json' && !type?.endsWith('+json')) return problem('not-json', { detail: 'content-type must be application/json' });
	let text: string;
	try {
		text = new TextDecoder('utf-8', { fatal: true }).decode(await c.req.arrayBuffer());
	} catch {
		return problem('malformed', { detail: 'the body is not UTF-8, or broke off' });
	}
	try {
		return { value: JSON.parse(text) };
	} catch {
		return problem('malformed', { detail: 'the body is not JSON' });
	}
}

/** More would only help whoever sends garbage. */
const MAX_FIELD_ERRORS = 20;
const MAX_MESSAGE_LENGTH = 200;

function unfit(issues: readonly v.BaseIssue<unknown>[]): Response {
	const errors: FieldError[] = issues.slice(0, MAX_FIELD_ERRORS).map((issue) => ({
		field: (issue.path?.map((part) => String(part.key)).join('.') ?? '').slice(0, MAX_MESSAGE_LENGTH),
		message: issue.message.slice(0, MAX_MESSAGE_LENGTH)
	}));
	return problem('bad-value', { detail: `${errors[0]?.field ?? ''} ${errors[0]?.message ?? 'does not fit'}`.trim(), errors });
}

export function finished(response: Response): Response {
	response.headers.set('cache-control', 'no-store');
	response.headers.set('x-content-type-options', 'nosniff');
	return response;
}
