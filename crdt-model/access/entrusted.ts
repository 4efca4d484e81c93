/**
 * What the settings entrust to some people: addressing everybody, inviting. Administrators always may; a guest never does, whatever names them.
 * Pure, and asked by the relay and the device alike.
 */
import type { SettingsRow } from '../kinds/settings.ts';
import type { Directory } from './directory.ts';
import type { Principal } from './principals.ts';
import { addresseeOf, type Recipient } from './recipients.ts';
import type { Actor } from './verdict.ts';

type Settings<K extends keyof SettingsRow> = Pick<SettingsRow, K> | null;

/** @param settings null before the portal was founded */
export function mayAddressAll(actor: Actor, settings: Settings<'writersToAll'>): boolean {
	if (actor.principals.has('admins')) return true;
	const writers = settings?.writersToAll ?? null;
	return actor.principals.has('all') && (writers === null || isNamed(actor, writers));
}
/** Whether a recipient is everybody, by whatever name: all employees, or the company's root with everything below it. */
export function namesEverybody(recipient: Recipient, directory: Directory): boolean {
	const addressee = addresseeOf(recipient);
	return addressee?.kind === 'all' || (addressee?.kind === 'departments' && directory.department(addressee.id)?.parent === null);
}
/** Who does, for the sentence on screen. */
export function whoAddressesAll(settings: Settings<'writersToAll'>): Principal[] {
	return [...(settings?.writersToAll ?? ['all']), 'admins'];
}

/** @param settings null before the portal was founded */
export function mayInvite(actor: Actor, settings: Settings<'inviters'>): boolean {
	if (actor.principals.has('admins')) return true;
	return actor.principals.has('all') && isNamed(actor, settings?.inviters ?? []);
}
export function whoInvites(settings: Settings<'inviters'>): Principal[] {
	return [...(settings?.inviters ?? []), 'admins'];
}

/** Also whether a setting's exception holds for somebody. */
export function isNamed(actor: Actor, recipients: readonly Recipient[]): boolean {
	return recipients.some((one) => actor.principals.has(one));
}
