/**
 * Whose frame is next: one sender's ten thousand frames must not keep everybody else waiting for seconds.
 *
 * uWS hands over all that lies in a socket at once, up to megabytes of small frames. A turn of the event loop takes in a bounded amount of all of them
 * together, what is more waits its turn, connection by connection, and other sockets, calls and timers come in between.
 * Promises: nobody waits while there is room in the turn; every waiting connection gets a frame before any gets its second.
 * Leaves to others: order within a connection and what may wait there (connection.ts).
 */

/** An ordinary frame costs 1, about 0.15 ms with everything that it sets going: a turn stays near 10 ms. */
export const TURN = 64;
/** Larger frames cost more to judge, so they count for more. */
const BYTES_PER_COST = 4 * 1024;

/** Takes in one frame; says what it cost, and whether the connection has another. */
export type Next = () => { cost: number; more: boolean };

export class Turns {
	readonly #later: (work: () => void) => void;
	readonly #onFault: (fault: unknown) => void;
	#left = TURN;
	#waiting: Next[] = [];
	#scheduled = false;

	/** @param later runs the work in another turn of the event loop, behind what has come in meanwhile */
	constructor(onFault: (fault: unknown) => void, later: (work: () => void) => void = setImmediate) {
		this.#onFault = onFault;
		this.#later = later;
	}

	static costOf(bytes: number): number {
		return 1 + bytes / BYTES_PER_COST;
	}

	/** True when a frame of this cost may be taken in at once. */
	take(cost: number): boolean {
		if (this.#waiting.length > 0 || this.#left <= 0) return false;
		this.#left -= cost;
		this.#schedule();
		return true;
	}

	wait(next: Next): void {
		this.#waiting.push(next);
		this.#schedule();
	}

	#schedule(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		this.#later(() => this.#turn());
	}

	#turn(): void {
		this.#scheduled = false;
		this.#left = TURN;
		while (this.#left > 0) {
			const next = this.#waiting.shift();
			if (!next) return;
			// Below nothing is thrown away: the one that fails is out, the others go on.
			try {
				const { cost, more } = next();
				this.#left -= cost;
				if (more) this.#waiting.push(next);
			} catch (fault) {
				this.#onFault(fault);
			}
		}
		this.#schedule();
	}
}
