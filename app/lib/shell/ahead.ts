/**
 * Parts of a screen that its first paint does not need (the open record, dialogs) are code of their own. They are fetched when the screen has stood for a
 * moment, so that they are there when they are asked for; asked for sooner, they are fetched then.
 */
import { onMount } from 'svelte';

const AHEAD_MS = 1_000;

/** Call it while a component is set up. */
export function fetchAhead(...parts: readonly (() => Promise<unknown>)[]): void {
	onMount(() => {
		const timer = setTimeout(() => {
			// Without a network on a first visit they may be missing: asking for them tries again.
			for (const part of parts) void part().catch(() => undefined);
		}, AHEAD_MS);
		return () => clearTimeout(timer);
	});
}
