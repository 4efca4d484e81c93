import { redirect } from '@sveltejs/kit';
import { account } from '#lib/features/account/account.svelte.ts';
import { entrance } from '#lib/features/account/entrance.svelte.ts';
import type { PageLoad } from './$types';

// Whoever works here goes to work, with or without a network; a visitor sees what the company shows to the public, or the door.
export const load: PageLoad = async () => {
	if (account.session) redirect(307, '/tasks');
	const asked = await entrance.ask();
	if (!asked.ok || !asked.value.publicPage) redirect(307, '/sign-in');
	return { facts: asked.value };
};
