/**
 * The hand-over at dismissal: everything of the company leaves the device at once; the person's own unsent work waits beside it until the relay has taken it,
 * which is at this contact, or where the network fails just then, at the next.
 */
import type { FarewellItem } from '#lib/sync/farewell.ts';
import { account } from './account.svelte.ts';

const keyOf = (employee: string) => `atrium:farewell:${employee}`;

/** Keeps the parcel outside the database that is about to go. One that waits already is older and whole. */
export function keepFarewell(employee: string, items: readonly FarewellItem[]): void {
	try {
		if (items.length > 0 && localStorage.getItem(keyOf(employee)) === null) localStorage.setItem(keyOf(employee), JSON.stringify(items));
	} catch {
		// Storage is forbidden or full: then it is handed over now or not at all.
	}
}

/** @returns what became of it: `nothing` where there was none */
export async function handOverFarewell(employee: string, fresh: readonly FarewellItem[]): Promise<'nothing' | 'taken' | 'waits'> {
	let items = fresh;
	try {
		const kept = localStorage.getItem(keyOf(employee));
		if (kept !== null) items = JSON.parse(kept) as FarewellItem[];
	} catch {
		// As above: what is in memory is sent.
	}
	if (items.length === 0) return 'nothing';
	if ((await account.farewell(items)) === 'later') return 'waits';
	try {
		localStorage.removeItem(keyOf(employee));
	} catch {
		// Nothing was kept there either.
	}
	return 'taken';
}
