/**
 * Where one may enter the portal from: the company's own networks, and who may from anywhere (SPEC N3). Pure and fast: the relay asks it for every call,
 * at every connection and again when a rule or a person changes; the app asks it before an administrator shuts people out.
 *
 * Leaves to others: what an address is and by whom it is said (the relay's socket/client-address.ts).
 */
import type { PersonId } from '../ids.ts';
import type { Directory } from './directory.ts';
import { isWithin, parseAddress, parseNetwork, type Network } from './networks.ts';
import type { Recipient } from './recipients.ts';

/** As it stands in the settings. */
export interface EntryRule {
	readonly ranges: readonly { readonly cidr: string }[];
	/** Beside administrators, who may always. */
	readonly exceptions: readonly Recipient[];
}

/** A rule is read once: it is asked far more often than it changes. */
const read = new WeakMap<EntryRule, readonly Network[]>();

/**
 * @param rule null: from anywhere
 * @param ip null where nobody knows, which is outside
 */
export function mayEnter(rule: EntryRule | null, directory: Directory, person: PersonId, ip: string | null): boolean {
	if (rule === null || directory.isAdministrator(person) || isInside(rule, ip)) return true;
	if (rule.exceptions.length === 0) return false;
	const held = directory.principalsOf(person);
	return rule.exceptions.some((one) => held.has(one));
}

/** Whether an address lies in one of the ranges. */
export function isInside(rule: EntryRule, ip: string | null): boolean {
	const address = ip === null ? null : parseAddress(ip);
	return address !== null && networksOf(rule).some((network) => isWithin(address, network));
}

function networksOf(rule: EntryRule): readonly Network[] {
	let networks = read.get(rule);
	if (!networks) read.set(rule, (networks = rule.ranges.flatMap(({ cidr }) => parseNetwork(cidr) ?? [])));
	return networks;
}
