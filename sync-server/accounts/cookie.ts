/**
 * The session cookie, and who may use it from where.
 *
 * Promises: pure functions; a script on a page never sees the token (HttpOnly); what changes something by cookie comes from
 * our own pages only, also where a browser ignores SameSite.
 * Leaves to others: `Authorization: Bearer`, which no browser adds by itself and which therefore needs no origin.
 */

export const SESSION_COOKIE = 'atrium_session';
/** uWebSockets.js cuts headers off long before; here so that the function is safe alone. */
const COOKIE_HEADER_MAX = 16_384;
const VALUE = /^[A-Za-z0-9_-]{1,256}$/;

/** The `Set-Cookie` value that signs a browser in. Times in milliseconds since 1970. */
export function sessionCookie(token: string, times: { expiresAt: number; now: number }, publicUrl: string): string {
	if (!VALUE.test(token)) throw new Error('A session token holds only characters that need no quoting in a cookie.');
	return serialize(token, Math.max(0, Math.floor((times.expiresAt - times.now) / 1000)), publicUrl);
}

/** The `Set-Cookie` value that signs it out. */
export function clearedSessionCookie(publicUrl: string): string {
	return serialize('', 0, publicUrl);
}

function serialize(value: string, maxAgeSeconds: number, publicUrl: string): string {
	const secure = new URL(publicUrl).protocol === 'https:' ? '; Secure' : '';
	return `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`;
}

/**
 * The token in a `Cookie` header, or null. Two different values mean that someone planted one (a neighbouring host of the
 * same domain can); neither is trusted then.
 */
export function tokenFromCookie(header: string | null | undefined): string | null {
	if (typeof header !== 'string' || header.length > COOKIE_HEADER_MAX) return null;
	let found: string | null = null;
	for (const pair of header.split(';')) {
		const equals = pair.indexOf('=');
		if (equals < 0 || pair.slice(0, equals).trim() !== SESSION_COOKIE) continue;
		const value = pair.slice(equals + 1).trim();
		if (!VALUE.test(value) || (found !== null && found !== value)) return null;
		found = value;
	}
	return found;
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

function parseOrigin(header: string | null | undefined): URL | null {
	if (typeof header !== 'string' || header.length > 300) return null;
	const text = header.trim().toLowerCase();
	if (!URL.canParse(text)) return null;
	const url = new URL(text);
	// An Origin is scheme, host and port and nothing else; what URL() had to mend was not written by a browser.
	return (url.protocol === 'http:' || url.protocol === 'https:') && url.origin === text ? url : null;
}
