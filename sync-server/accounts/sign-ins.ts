/**
 * Sign-ins under way: what is known of somebody who has proved something and is not in yet. It travels in a ticket, from call to call.
 */
import type { PortalId } from '#crdt-model/ids.ts';
import type { IdentityId } from './identities.ts';
import { ticketPurpose } from './tickets.ts';

export interface SignIn {
	readonly identity: IdentityId;
	/** Chosen or named; null while it is open. */
	readonly portal: PortalId | null;
	/** Whether a second factor was proved, or something that is as good as both (a passkey). */
	readonly factorDone: boolean;
	/** By a session that lives, and by nothing that was proved now: a browser that was left open sets up nothing by which one signs in. */
	readonly bySession?: true;
}

/** What the ticket waits for; with anything else it is not good. */
export type AwaitedStep = 'portal' | 'code' | 'enrolment' | 'password';

export const SIGN_IN = ticketPurpose<SignIn & { readonly awaits: AwaitedStep }>('sign-in');

/** Long enough to fetch the telephone, short enough for a screen that was left. */
export const SIGN_IN_MS = 10 * 60_000;
