/** The line to the relay: what a transport is, how it ends, and how long is waited before the next. */
import { HEARTBEAT_MS } from '#crdt-model/wire/limits.ts';

export interface Link {
	send(frame: Uint8Array): void;
	close(): void;
}
export interface LinkEvents {
	opened(): void;
	frame(bytes: Uint8Array): void;
	/** @param code of the WebSocket close; 1006 where the line just broke @param reason what the relay says beside it */
	closed(code: number, reason?: string): void;
}
/** Opens a connection to `/sync`. Events may come during the call. */
export type Transport = (events: LinkEvents) => Link;

export type Problem =
	/** 4401: sign in again; everything is kept. */
	| 'sign-in'
	/** 4401 with FACTOR_DEMANDED: the same, and the company wants a second factor that this person does not have. */
	| 'second-factor'
	/** 4403: no longer of the company. */
	| 'dismissed'
	/** 4404: the portal is not there. */
	| 'no-portal'
	/** 4511: the company lets people in from its own networks alone, and this is none of them. Tried again, and at once when the network changes. */
	| 'not-from-here'
	/** The relay speaks a newer version, or for another person: reload the app. */
	| 'outdated'
	| 'storage';

export type LinkState = 'off' | 'connecting' | 'admitted' | 'waiting' | 'stopped';

/** Not final: whoever comes back into the office goes on without doing anything. */
export const NOT_FROM_HERE = 4511;
export const NOT_SIGNED_IN = 4401;
/** The reason beside it that the app tells apart. */
export const FACTOR_DEMANDED = 'second-factor-demanded';

/** What a close says once and for all; null where it is worth trying again. */
export function finalProblem(code: number, reason: string): Problem | null {
	if (code === NOT_SIGNED_IN) return reason === FACTOR_DEMANDED ? 'second-factor' : 'sign-in';
	return code === 4403 ? 'dismissed' : code === 4404 ? 'no-portal' : null;
}

/** The first wait after a drop: long enough for a relay that restarts, short enough not to be noticed. */
export const MIN_BACKOFF_MS = 500;
/** For some minutes after a drop people wait for it: a relay that comes back is found within two seconds. */
export const EAGER_BACKOFF_MS = 1_500;
export const EAGER_ATTEMPTS = 200;
/** The longest, once nobody expects it any more: a portal's devices must not storm a relay that comes back after a night. */
export const MAX_BACKOFF_MS = 60_000;
/** Between two tries from outside the company's networks while nobody looks (knocking.ts is for those who do): it is a person who moves, not a relay that comes back. */
export const OUTSIDE_RETRY_MS = 60_000;
/** The relay says something every HEARTBEAT_MS; two and a half of them without a word is a dead line. */
export const SILENCE_MS = 2.5 * HEARTBEAT_MS;
