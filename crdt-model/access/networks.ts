/**
 * Network addresses and ranges of them, as people and proxies write them: one address has many spellings, and a rule about where somebody comes from
 * must see through all of them. Pure, and the same on the relay and in the app.
 *
 * Promises: equal addresses are equal values, however they were written; an IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is that IPv4 address; what is
 * no address is null and lies in no range. The two families never meet: `::/0` holds no IPv4 address.
 */

/** Bits as a number: 32 of IPv4, 128 of IPv6. */
export interface Address {
	readonly family: 4 | 6;
	readonly bits: bigint;
}
/** A range: all addresses that begin with the same bits. */
export interface Network extends Address {
	/** How many bits are shared. */
	readonly prefix: number;
}

/** The longest spelling of IPv6, with a dotted tail, is 45 characters; a zone may follow. */
const MAX_TEXT = 100;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const GROUP = /^[0-9a-f]{1,4}$/;
/** `::ffff:0:0/96`: IPv4 as a listener of both families sees it. */
const MAPPED = 0xffffn;

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** An address alone, without port or brackets; null for anything else. A zone (`%eth0`) is of one machine's interfaces and is left out. */
export function parseAddress(text: string): Address | null {
	if (text.length > MAX_TEXT) return null;
	const trimmed = text.trim().toLowerCase();
	const four = bitsOfFour(trimmed);
	if (four !== null) return { family: 4, bits: four };
	const bits = bitsOfSix(trimmed.replace(/%[0-9a-z_.-]+$/, ''));
	if (bits === null) return null;
	return bits >> 32n === MAPPED ? { family: 4, bits: bits & 0xffff_ffffn } : { family: 6, bits };
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits behind the prefix are cleared: `10.1.2.3/8` is meant as its network. */
export function parseNetwork(text: string): Network | null {
	if (text.length > MAX_TEXT) return null;
	const [written = '', length, ...more] = text.trim().split('/');
	const address = parseAddress(written);
	if (!address || more.length > 0) return null;
	if (length === undefined) return { ...address, prefix: width(address.family) };
	if (!/^\d{1,3}$/.test(length)) return null;
	// `::ffff:10.0.0.0/104` counts its bits from the beginning of IPv6.
	const prefix = Number(length) - (address.family === 4 && written.includes(':') ? 96 : 0);
	if (prefix < 0 || prefix > width(address.family)) return null;
	return { ...address, bits: head(address, prefix) << BigInt(width(address.family) - prefix), prefix };
}

export function isWithin(address: Address, network: Network): boolean {
	return address.family === network.family && head(address, network.prefix) === head(network, network.prefix);
}

/** One spelling for each: dotted, or RFC 5952. */
export function addressText({ family, bits }: Address): string {
	if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join('.');
	const groups = Array.from({ length: 8 }, (_, at) => ((bits >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
	// The longest run of zeros, the first of equals, and none of a single group.
	let [from, length] = [-1, 1];
	for (let at = 0; at < 8; at++) {
		let run = 0;
		while (groups[at + run] === '0') run++;
		if (run > length) [from, length] = [at, run];
	}
	if (from < 0) return groups.join(':');
	return `${groups.slice(0, from).join(':')}::${groups.slice(from + length).join(':')}`;
}

export function networkText(network: Network): string {
	return `${addressText(network)}/${network.prefix}`;
}

function head({ family, bits }: Address, prefix: number): bigint {
	return bits >> BigInt(width(family) - prefix);
}

function bitsOfFour(text: string): bigint | null {
	const parts = IPV4.exec(text)?.slice(1);
	// `010` is eight to some readers and ten to others; neither is taken.
	if (!parts || parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return null;
	return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function bitsOfSix(text: string): bigint | null {
	const halves = text.split('::');
	if (!text.includes(':') || halves.length > 2) return null;
	const [before, after] = halves.map((half, at) => groupsOf(half, at === halves.length - 1)) as [string[] | null, string[] | null | undefined];
	if (before === null || after === null) return null;
	const given = before.length + (after?.length ?? 0);
	if (after === undefined ? given !== 8 : given > 7) return null;
	const all = [...before, ...Array<string>(8 - given).fill('0'), ...(after ?? [])];
	return all.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** Null where a group is none. A dotted tail stands for two, and only at the very end. */
function groupsOf(half: string, isLast: boolean): string[] | null {
	if (half === '') return [];
	const groups = half.split(':');
	const last = groups.at(-1)!;
	if (last.includes('.')) {
		const four = isLast ? bitsOfFour(last) : null;
		if (four === null) return null;
		groups.splice(-1, 1, (four >> 16n).toString(16), (four & 0xffffn).toString(16));
	}
	return groups.every((group) => GROUP.test(group)) ? groups : null;
}
