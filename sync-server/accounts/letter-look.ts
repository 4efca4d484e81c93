/** What letters have to know of their portal, by its settings. */
import type { SettingsRow } from '#crdt-model/kinds/company-structure.ts';
import type { LetterLook } from './letter-kinds.ts';
import type { LetterPortal } from './letters.ts';

export function letterPortal(settings: SettingsRow | null, people: number): LetterPortal | null {
	if (!settings) return null;
	const { accent = null, senderName = null, replyTo = null }: Partial<LetterLook> = settings;
	return { look: { company: settings.company, accent, senderName, replyTo }, people };
}
