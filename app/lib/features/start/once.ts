/** What a person has seen or put away on this device: the tour, the first steps. Where the browser forbids storage it holds for this visit. */
import type { PersonId } from '#crdt-model/ids.ts';

export type Once = 'tour' | 'first-steps';

const visit = new Map<string, string>();
/** Without a person: for everyone on this device, where many share it. */
const everyone = (what: Once): string => `atrium.${what}`;
const keyOf = (what: Once, person: PersonId): string => `atrium.${what}:${person}`;

export function noted(what: Once, person: PersonId): string | null {
	const key = keyOf(what, person);
	try {
		return localStorage.getItem(key) ?? localStorage.getItem(everyone(what)) ?? visit.get(key) ?? null;
	} catch {
		return visit.get(key) ?? null;
	}
}

export function note(what: Once, person: PersonId, word: string): void {
	const key = keyOf(what, person);
	visit.set(key, word);
	try {
		localStorage.setItem(key, word);
	} catch {
		// For this visit, then.
	}
}
