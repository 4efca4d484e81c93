/**
 * Where a request comes from, through whatever proxies: limits, sign-ins, the rules about networks and the operator's door go by it.
 *
 * Promises: what a stranger writes into a header is never believed: of `X-Forwarded-For` only what trusted proxies appended is read, from the right, up to
 * the first address that is no trusted proxy's; what came through any proxy is never local; equal addresses are said in one spelling.
 * Leaves to others: which proxies are trusted (config.ts).
 */
import { addressText, isWithin, parseAddress, parseNetwork, type Address, type Network } from '#crdt-model/access/networks.ts';

/** What the transport knows beyond the request; Hono hands it on as `c.env`. */
export interface Peer {
	/** Of the client; null where the proxy says something that is no address. */
	readonly ip: string | null;
	/** Connected from this machine and by no proxy. */
	readonly isLocal: boolean;
}
export interface Forwarding {
	/** `X-Forwarded-For`, several headers joined in their order; null where there is none. */
	readonly chain: string | null;
	/** Whether anything of the request says that a proxy passed it on. */
	readonly isProxied: boolean;
}

/** Proxies on this machine: whoever runs one is the operator. */
const LOOPBACK = ['127.0.0.0/8', '::1'].map((text) => parseNetwork(text)!);
/** What proxies add of themselves; one of them is enough. */
const PROXY_HEADERS: ReadonlySet<string> = new Set(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto', 'x-forwarded-server', 'x-real-ip']);

/** @param request anything that lists its headers in lower case, as uWS does */
export function forwardingOf(request: { forEach(each: (name: string, value: string) => void): void }): Forwarding {
	const chain: string[] = [];
	let isProxied = false;
	request.forEach((name, value) => {
		if (name === 'x-forwarded-for') chain.push(value);
		isProxied ||= PROXY_HEADERS.has(name);
	});
	return { chain: chain.length === 0 ? null : chain.join(','), isProxied };
}

/** @param remote of the connection itself, as text */
export function clientOf(remote: string, { chain, isProxied }: Forwarding, trusted: readonly Network[]): Peer {
	let address = parseAddress(remote);
	const isLocal = address !== null && !isProxied && isAmong(address, LOOPBACK);
	// Empty elements are allowed in a list and say nothing.
	const hops = (chain ?? '').split(',').filter((hop) => hop.trim() !== '');
	while (address !== null && (isAmong(address, LOOPBACK) || isAmong(address, trusted))) {
		const hop = hops.pop();
		if (hop === undefined) break;
		address = parseAddress(withoutPort(hop.trim()));
	}
	return { ip: address && addressText(address), isLocal };
}

/** `192.0.2.1:4711`, `[2001:db8::1]`, `[2001:db8::1]:4711`: some proxies say from which port. */
function withoutPort(hop: string): string {
	return /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(hop)?.[1] ?? hop;
}

function isAmong(address: Address, networks: readonly Network[]): boolean {
	return networks.some((network) => isWithin(address, network));
}
