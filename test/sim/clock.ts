/** Time of the simulation: stands still until it is moved, and runs the timers that fall due on the way. */
import type { Timers } from '#lib/sync/core.ts';

export class Clock {
	#now = Date.UTC(2026, 0, 5, 8);
	readonly #timers = new Map<number, { at: number; run: () => void }>();
	#next = 1;

	readonly now = (): number => this.#now;

	/** Timers of one device; a device that died takes its own with it. */
	timers(): Timers & { stop(): void } {
		const own = new Set<number>();
		return {
			set: (run, ms) => {
				const id = this.#next++;
				own.add(id);
				this.#timers.set(id, { at: Math.ceil(this.#now + ms), run });
				return id;
			},
			clear: (id) => void this.#timers.delete(id as number),
			stop: () => {
				for (const id of own) this.#timers.delete(id);
			}
		};
	}

	/** Moves on and runs what fell due, in order. */
	advance(ms: number): void {
		this.#now += ms;
		const due = [...this.#timers].filter(([, timer]) => timer.at <= this.#now).sort(([, a], [, b]) => a.at - b.at);
		for (const [id, timer] of due) if (this.#timers.delete(id)) timer.run();
	}

	/** Moves to the next timer, if there is one. */
	toNextTimer(): void {
		const at = Math.min(...[...this.#timers.values()].map((timer) => timer.at));
		if (Number.isFinite(at)) this.advance(Math.max(0, at - this.#now));
	}
}

/** Everything that waits for nothing but promises has run when this resolves. */
export const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
