/**
 * The cookies of sign-ins, one per portal, and of views, one per view, and who may use them from where.
 *
 * Promises: pure functions; a script on a page never sees a token (HttpOnly); two portals live side by side in one browser, and a tab's cookie is the one of
 * the portal that it names; what changes something by cookie comes from our own pages only, also where a browser ignores SameSite.
 * Leaves to others: `Authorization: Bearer`, which no browser adds by itself and which therefore needs no origin; whether a token is good, and for the portal that was named.
 */
import type { PortalId, SessionId } from '#crdt-model/ids.ts';

/** What the names of all of them begin with. */
export const SESSION_COOKIES = 'atrium_session_';
/** The random end of a portal's id: long enough to be one portal's alone, and all that a name needs. */
const PORTAL_PART = 12;
const NAME = new RegExp(`^${SESSION_COOKIES}[0-9a-f]{${PORTAL_PART}}$`);
/** More portals than anybody works in; each costs a look at the sessions where a call names none. */
const COOKIES_MAX = 32;
/** uWebSockets.js cuts headers off long before; here so that the function is safe alone. */
const COOKIE_HEADER_MAX = 16_384;
const VALUE = /^[A-Za-z0-9_-]{1,256}$/;

export const sessionCookieOf = (portal: PortalId): string => SESSION_COOKIES + portal.slice(-PORTAL_PART).toLowerCase();

/** The `Set-Cookie` value that signs a browser in. Times in milliseconds since 1970. */
export function sessionCookie(portal: PortalId, token: string, times: { expiresAt: number; now: number }, publicUrl: string): string {
	if (!VALUE.test(token)) throw new Error('A session token holds only characters that need no quoting in a cookie.');
	return serialize(sessionCookieOf(portal), token, Math.max(0, Math.floor((times.expiresAt - times.now) / 1000)), publicUrl);
}

/** The cookie of one view (views.ts), by the end of its id. Apart from those of sign-ins: it counts for a call that names it and for no other. */
export const viewCookieOf = (view: SessionId): string => `atrium_view_${view.slice(-PORTAL_PART)}`;

/** The `Set-Cookie` value by which a page looks on: no script of it ever has the token. Times in milliseconds since 1970. */
export function viewCookie(view: SessionId, token: string, times: { expiresAt: number; now: number }, publicUrl: string): string {
	if (!VALUE.test(token)) throw new Error('A token holds only characters that need no quoting in a cookie.');
	return serialize(viewCookieOf(view), token, Math.max(0, Math.floor((times.expiresAt - times.now) / 1000)), publicUrl);
}
/** The `Set-Cookie` value that takes a view's cookie off a browser. */
export const clearedViewCookie = (view: SessionId, publicUrl: string): string => serialize(viewCookieOf(view), '', 0, publicUrl);

/** The `Set-Cookie` value that takes a cookie of a sign-in off a browser. @param name as `tokensFromCookie` or `sessionCookieOf` say it */
export function clearedSessionCookie(name: string, publicUrl: string): string {
	if (!NAME.test(name)) throw new Error('Only cookies of sign-ins are cleared.');
	return serialize(name, '', 0, publicUrl);
}

/** The `Set-Cookie` value of any cookie of ours: no script reads it, and other sites' pages do not send it with what changes something. @param value in no need of quoting */
export function serialize(name: string, value: string, maxAgeSeconds: number, publicUrl: string, path = '/'): string {
	const secure = new URL(publicUrl).protocol === 'https:' ? '; Secure' : '';
	return `${name}=${value}; Path=${path}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`;
}

/**
 * The tokens in a `Cookie` header by the name of their cookie. Two different values of one name mean that someone planted one (a neighbouring host of the
 * same domain can); neither is trusted then.
 */
export function tokensFromCookie(header: string | null | undefined): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	if (typeof header !== 'string' || header.length > COOKIE_HEADER_MAX) return found;
	const spoilt = new Set<string>();
	for (const pair of header.split(';')) {
		const equals = pair.indexOf('=');
		const name = pair.slice(0, Math.max(0, equals)).trim();
		if (!NAME.test(name)) continue;
		const value = pair.slice(equals + 1).trim();
		const other = found.get(name);
		if (!VALUE.test(value) || (other !== undefined && other !== value)) spoilt.add(name);
		else if (found.size < COOKIES_MAX) found.set(name, value);
	}
	for (const name of spoilt) found.delete(name);
	return found;
}

/** The value of one cookie by its name. Null where there is none, or two that differ: then somebody planted one. */
export function cookieValue(header: string | null | undefined, name: string): string | null {
	const values = (header ?? '').split(';').flatMap((pair) => {
		const equals = pair.indexOf('=');
		return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
	});
	return new Set(values).size === 1 ? values[0]! : null;
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Whether a request that carries the cookie comes from a page of ours: for upgrades and for whatever changes something.
 * `PUBLIC_URL` decides, never `Host` alone. On one's own machine the names of the loopback are one place, if scheme
 * and port agree and the request was sent to the very name that it comes from; another port is another program.
 * No `Origin` means no: every browser sends one with upgrades and with POST.
 */
export function originAllowed(
	originHeader: string | null | undefined,
	publicUrl: string,
	hostHeader?: string | null
): boolean {
	const origin = parseOrigin(originHeader);
	if (origin === null) return false;
	const ours = new URL(publicUrl);
	if (origin.origin === ours.origin) return true;
	if (!LOOPBACK.has(ours.hostname) || !LOOPBACK.has(origin.hostname)) return false;
	if (origin.protocol !== ours.protocol || origin.port !== ours.port) return false;
	return hostHeader === null || hostHeader === undefined || hostHeader.trim().toLowerCase() === origin.host;
}

/** Whether a request comes from a page at the very name that it was sent to, over the scheme and port of `PUBLIC_URL`: for names that belong to a portal. */
export function ownOriginAllowed(originHeader: string | null | undefined, publicUrl: string, hostHeader: string): boolean {
	const origin = parseOrigin(originHeader);
	const ours = new URL(publicUrl);
	return origin !== null && origin.protocol === ours.protocol && origin.port === ours.port && origin.host === hostHeader.trim().toLowerCase();
}

function parseOrigin(header: string | null | undefined): URL | null {
	if (typeof header !== 'string' || header.length > 300) return null;
	const text = header.trim().toLowerCase();
	if (!URL.canParse(text)) return null;
	const url = new URL(text);
	// An Origin is scheme, host and port and nothing else; what URL() had to mend was not written by a browser.
	return (url.protocol === 'http:' || url.protocol === 'https:') && url.origin === text ? url : null;
}
