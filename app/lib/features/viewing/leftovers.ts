/** What earlier views left on this device goes when the app starts: a tab that was closed could not tidy up after itself. */
import { deleteLeftViews } from '#storage/dexie/schema.ts';
import { thisTab } from '../account/view.svelte.ts';

/** @param all also those that are open in other tabs: whoever looked on has signed out */
export async function tidyViews(all = false): Promise<void> {
	const own = thisTab.view?.id;
	const held = 'locks' in navigator ? ((await navigator.locks.query()).held ?? []).map(({ name }) => name ?? '') : null;
	const inUse = (name: string): boolean => (own !== undefined && name.endsWith(own)) || held!.some((lock) => lock.includes(name));
	await deleteLeftViews(Date.now(), all ? () => false : held && inUse);
}
