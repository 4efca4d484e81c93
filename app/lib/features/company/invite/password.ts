/** A first password that can be read out over the telephone: no letters that look alike, in groups, 80 bits of chance. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUPS = 4;
const GROUP_LENGTH = 4;

export function firstPassword(random: (target: Uint8Array<ArrayBuffer>) => void = (target) => void crypto.getRandomValues(target)): string {
	const bytes = new Uint8Array(GROUPS * GROUP_LENGTH);
	random(bytes);
	// 32 letters: each byte's low five bits choose one evenly.
	const letters = [...bytes].map((byte) => LETTERS[byte & 31]!);
	return Array.from({ length: GROUPS }, (_, i) => letters.slice(i * GROUP_LENGTH, (i + 1) * GROUP_LENGTH).join('')).join('-');
}
