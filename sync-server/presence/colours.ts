/** A person's colour, the same on every screen and every day. */
import type { PersonId } from '#crdt-model/ids.ts';

/** Carets and avatars: readable beside black and white text (4.5 : 1 against white). */
const COLOURS = ['#b3261e', '#8a5100', '#5f6300', '#2e6b1f', '#00696d', '#00629d', '#4355b9', '#7440a6', '#9a2c78', '#6b4f3f'] as const;

export function colourOf(person: PersonId): string {
	let hash = 0;
	for (let i = 0; i < person.length; i++) hash = (Math.imul(hash, 31) + person.charCodeAt(i)) >>> 0;
	return COLOURS[hash % COLOURS.length]!;
}
