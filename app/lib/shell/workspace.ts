/**
 * Where a screen gets the person's workspace from. The layout of the app opens it and draws screens only once it is open, so
 * `getWorkspace()` always answers. Call it while a component is set up.
 */
import { getContext, setContext } from 'svelte';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';

const KEY = Symbol('workspace');

/** Called by the layout; `current` is read when a screen asks. */
export function provideWorkspace(holder: { readonly current: Workspace | undefined }): void {
	setContext(KEY, holder);
}

export function getWorkspace(): Workspace {
	const { current } = getContext<{ readonly current: Workspace | undefined }>(KEY);
	if (!current) throw new Error('A screen was drawn before the workspace was open.');
	return current;
}
