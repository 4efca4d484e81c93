/** Numbers beside the sections' names: features report what waits for the person, the frame shows it. */
import type { SectionId } from './sections.ts';

class Counters {
	#counts = $state<Partial<Record<SectionId, number>>>({});

	of(section: SectionId): number {
		return this.#counts[section] ?? 0;
	}
	report(section: SectionId, count: number): void {
		this.#counts[section] = count;
	}
}

export const counters = new Counters();
