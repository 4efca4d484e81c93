/** Fractional positions of a checklist: a place between any two items, made on the device and never renumbered. */
import { generateKeyBetween } from 'fractional-indexing';

/**
 * The position that puts an item at `index` among `others`, which are in order and do not hold the item itself. Two items of one position, made by
 * two people at once, leave no room between them: the new one goes after both.
 */
export function positionAt(others: readonly { readonly position: string }[], index: number): string {
	const before = others[index - 1]?.position ?? null;
	const after = others.slice(index).find((one) => before === null || one.position > before)?.position ?? null;
	try {
		return generateKeyBetween(before, after);
	} catch {
		// A neighbour whose position another program made in another alphabet or shape: the end always has room.
		return generateKeyBetween(null, null) > (before ?? '') ? generateKeyBetween(null, null) : `${before}V`;
	}
}
