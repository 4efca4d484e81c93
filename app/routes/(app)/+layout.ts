import { redirect } from '@sveltejs/kit';
import { account } from '#lib/features/account/account.svelte.ts';
import type { LayoutLoad } from './$types';
import { beginOpening } from './opening.ts';

// The device answers, not the relay: whoever was here last opens at once, with or without a network.
export const load: LayoutLoad = ({ url }) => {
	if (!account.session) redirect(307, `/sign-in?next=${encodeURIComponent(url.pathname + url.search)}`);
	beginOpening();
};
