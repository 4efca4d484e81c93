/** Puts an address where it can be pasted. */
import { m } from '#lib/paraglide/messages.js';
import { toasts } from '#lib/ui/toasts.svelte.ts';

const READ_MS = 8_000;

export async function copyEmail(email: string): Promise<void> {
	await copyText(email, m.company_email_copied());
}
/** @param said once it is copied; where the browser forbids it, the text itself is shown and can be marked */
export async function copyText(text: string, said: string): Promise<void> {
	try {
		await navigator.clipboard.writeText(text);
		toasts.show(said);
	} catch {
		toasts.show(text, { stayMs: READ_MS });
	}
}
