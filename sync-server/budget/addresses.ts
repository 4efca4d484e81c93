/**
 * What comes from one network address: connections, and openings and calls of nobody (SPEC B4). Whoever is signed in is never kept waiting by a
 * neighbour behind the same address.
 *
 * Addresses of this machine are not counted: they are its owner's own programs, or a proxy that does not say for whom it speaks.
 */
import { networkOf } from '../accounts/attempts.ts';
import { Bucket } from './bucket.ts';
import { ADDRESSES, CONNECTIONS_PER_ADDRESS, UNKNOWN_BURST, UNKNOWN_PER_SECOND } from './limits.ts';

/** As `socket/http.ts` says it. */
export interface From {
	readonly ip: string | null;
	readonly isLocal: boolean;
}

interface Known {
	readonly unknown: Bucket;
	connections: number;
}

export class Addresses {
	readonly #now: () => number;
	/** In order of last use. */
	readonly #known = new Map<string, Known>();

	/** @param now milliseconds, monotonic */
	constructor(now: () => number) {
		this.#now = now;
	}

	/** Zero while somebody from there may still be nobody; else the seconds after which they may. */
	retryAfterSeconds(from: From): number {
		if (from.isLocal) return 0;
		const known = this.#known.get(networkOf(from.ip ?? ''));
		return known ? Math.ceil(known.unknown.msUntil(1) / 1000) : 0;
	}
	/** An opening or a call that nobody stands behind. */
	wasNobody(from: From): void {
		if (!from.isLocal) this.#of(from).unknown.take(1);
	}

	/** Null where there are too many from there; else what to call when it is over. */
	open(from: From): (() => void) | null {
		if (from.isLocal) return () => {};
		const known = this.#of(from);
		if (known.connections >= CONNECTIONS_PER_ADDRESS) return null;
		known.connections++;
		return () => void known.connections--;
	}

	#of({ ip }: From): Known {
		const network = networkOf(ip ?? '');
		const known = this.#known.get(network) ?? { unknown: new Bucket(this.#now, { burst: UNKNOWN_BURST, perSecond: UNKNOWN_PER_SECOND }), connections: 0 };
		this.#known.delete(network);
		this.#known.set(network, known);
		if (this.#known.size > ADDRESSES) this.#makeRoom();
		return known;
	}

	#makeRoom(): void {
		for (const [network, { connections }] of this.#known) {
			if (connections > 0) continue;
			this.#known.delete(network);
			return;
		}
	}
}
