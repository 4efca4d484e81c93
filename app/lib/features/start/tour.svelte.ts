/**
 * The tour of the frame: shown once to somebody new, again when asked for. It needs nothing from the relay.
 * What a step points at carries `data-tour`; where it is not on screen (a phone has no place for everything) the step stands in the middle.
 */
import type { PersonId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import { note, noted } from './once.ts';

export type TourTarget = 'sections' | 'search' | 'sync' | 'help' | 'account';
export interface TourStep {
	readonly target: TourTarget | null;
	readonly title: () => string;
	readonly text: () => string;
}

/** Somebody who has worked here for longer knows the frame, also on a new device. */
export const NEW_FOR_MS = 30 * 86_400_000;

export const steps = (company: string): readonly TourStep[] => [
	{ target: null, title: () => m.start_tour_welcome({ company }), text: m.start_tour_welcome_text },
	{ target: 'sections', title: m.start_tour_sections, text: m.start_tour_sections_text },
	{ target: 'search', title: m.start_tour_search, text: m.start_tour_search_text },
	{ target: 'sync', title: m.start_tour_sync, text: m.start_tour_sync_text },
	{ target: 'account', title: m.start_tour_account, text: m.start_tour_account_text },
	{ target: 'help', title: m.start_tour_help, text: m.start_tour_help_text }
];

class Tour {
	open = $state(false);

	/** @param createdAt of the person's own record */
	offer(person: PersonId, createdAt: number, now: number): void {
		if (!this.open && now - createdAt < NEW_FOR_MS && noted('tour', person) === null) this.open = true;
	}
	again(): void {
		this.open = true;
	}
	/** Skipped or walked through: it does not come by itself again. */
	end(person: PersonId): void {
		this.open = false;
		note('tour', person, 'seen');
	}
}

export const tour = new Tour();
