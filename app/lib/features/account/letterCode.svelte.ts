/**
 * The code of a letter's link, which stands behind the # of the address, where no server and no log sees it.
 *
 * Promises: it is in memory only, and gone from the address (and so from the history and the screen) before anything is drawn.
 */
import { untrack } from 'svelte';

/**
 * Call it while a component is set up. `current` is null where there was none, or none that could be one.
 *
 * @param ontaken told of the first one and of each that follows, once: a code is good only once
 */
export function letterCode(ontaken?: (code: string | null) => void): { readonly current: string | null } {
	let code = $state(takeCode());
	$effect(() => {
		const taken = code;
		untrack(() => ontaken?.(taken));
	});
	$effect(() => {
		// Another letter's link, opened in the same tab.
		const look = (): void => void (code = takeCode() ?? code);
		window.addEventListener('hashchange', look);
		return () => window.removeEventListener('hashchange', look);
	});
	return {
		get current() {
			return code;
		}
	};
}

/** What stands behind the #, taken out of the address. */
export function takeFragment(): string {
	const fragment = location.hash.slice(1);
	if (fragment !== '') history.replaceState(history.state, '', location.pathname + location.search);
	return fragment;
}

function takeCode(): string | null {
	const fragment = takeFragment();
	return /^[A-Za-z0-9_-]{8,512}$/.test(fragment) ? fragment : null;
}
