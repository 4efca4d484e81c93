/**
 * For which address a passkey is good (WebAuthn's relying party), and where passkeys can be offered at all.
 *
 * Promises: pure; `PUBLIC_URL` decides. An IP address cannot be a relying party, and no browser does it over plain http but on its own machine; there the name
 * `localhost` may be, where the portal was opened under it.
 */
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

export interface RelyingParty {
	/** A host name. */
	readonly id: string;
	/** Where the page stands that asks the browser. */
	readonly origin: string;
}

/**
 * Null where passkeys are not offered.
 * @param from the page's origin, or where it was sent to; without it the public address
 */
export function relyingParty(publicUrl: string, from: { origin?: string | undefined; host?: string | undefined } = {}): RelyingParty | null {
	const ours = new URL(publicUrl);
	const named = from.origin ?? (from.host === undefined ? ours.origin : `${ours.protocol}//${from.host}`);
	if (!URL.canParse(named)) return null;
	const { origin, protocol, hostname, port } = new URL(named);
	const isLocalhost = hostname === 'localhost' || hostname.endsWith('.localhost');
	if (isAddress(hostname) || (protocol !== 'https:' && !(protocol === 'http:' && isLocalhost))) return null;
	if (origin === ours.origin) return { id: hostname, origin };
	const isSameMachine = LOOPBACK.has(ours.hostname) && hostname === 'localhost' && protocol === ours.protocol && port === ours.port;
	return isSameMachine ? { id: hostname, origin } : null;
}

const isAddress = (hostname: string): boolean => hostname.startsWith('[') || /^[\d.]+$/.test(hostname);
