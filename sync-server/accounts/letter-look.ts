/** How letters of a portal look, by its settings. */
import type { SettingsRow } from '#crdt-model/kinds/company-structure.ts';
import type { LetterLook } from './letter-kinds.ts';

export function letterLook(settings: SettingsRow | null): LetterLook | null {
	if (!settings) return null;
	const { accent = null, senderName = null, replyTo = null }: Partial<LetterLook> = settings;
	return { company: settings.company, accent, senderName, replyTo };
}
