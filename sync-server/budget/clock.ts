/** Time as budgets need it, so that tests make it pass. */
export interface Clock {
	/** Milliseconds, monotonic. */
	now(): number;
	/** Runs the work in another turn of the event loop, behind what has come in meanwhile. */
	soon(work: () => void): void;
	/** Runs the work after so many milliseconds. */
	after(ms: number, work: () => void): void;
}

export const PROCESS_CLOCK: Clock = {
	now: () => performance.now(),
	soon: (work) => void setImmediate(work),
	// Nothing that waits keeps the process alive.
	after: (ms, work) => void setTimeout(work, ms).unref()
};

/** Time that stands: nothing costs anything, so nobody ever waits. For portals without sockets, such as the simulation's. */
export const STANDING_CLOCK: Clock = { ...PROCESS_CLOCK, now: () => 0 };
