/** Time that passes when a test says so, and turns of the event loop that a test takes one by one. */
import type { Clock } from '../budget/clock.ts';

export class FakeClock implements Clock {
	#now = 0;
	#soon: (() => void)[] = [];
	#later: { at: number; work: () => void }[] = [];

	now = (): number => this.#now;
	soon = (work: () => void): void => void this.#soon.push(work);
	after = (ms: number, work: () => void): void => void this.#later.push({ at: this.#now + ms, work });

	/** Work that takes so long. */
	spend(ms: number): void {
		this.#now += ms;
	}
	/** Time in which nothing happens but timers. */
	pass(ms: number): void {
		const end = this.#now + ms;
		for (;;) {
			const next = this.#later.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
			if (!next) break;
			this.#later.splice(this.#later.indexOf(next), 1);
			this.#now = Math.max(this.#now, next.at);
			next.work();
		}
		this.#now = end;
	}
	/** One turn of the event loop; says whether anything was to be done. */
	turn(): boolean {
		const work = this.#soon.splice(0);
		for (const one of work) one();
		return work.length > 0;
	}
	turns(): void {
		while (this.turn());
	}
}
