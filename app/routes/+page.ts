import { redirect } from '@sveltejs/kit';
import { account } from '#lib/features/account/account.svelte.ts';
import { entrance } from '#lib/features/account/entrance.svelte.ts';
import type { PageLoad } from './$types';

// Whoever works here goes to work, with or without a network; a visitor sees what the company shows to the public, or the door.
export const load: PageLoad = async ({ url }) => {
	if (account.session) redirect(307, '/tasks');
	const named = url.searchParams.get('portal');
	const asked = await entrance.ask(named);
	if (!asked.ok || !asked.value.publicPage) redirect(307, named === null ? '/sign-in' : `/sign-in?portal=${encodeURIComponent(named)}`);
	return { facts: asked.value };
};
