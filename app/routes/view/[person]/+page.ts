import { redirect } from '@sveltejs/kit';
import { account } from '#lib/features/account/account.svelte.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = ({ url }) => {
	if (!account.session) redirect(307, `/sign-in?next=${encodeURIComponent(url.pathname)}`);
};
