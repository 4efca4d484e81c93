/** What letters have to know of their portal, by its settings. */
import type { SettingsRow } from '#crdt-model/kinds/settings.ts';
import type { LetterPortal } from './letters.ts';

export function letterPortal(settings: SettingsRow | null, people: number): LetterPortal | null {
	if (!settings) return null;
	const { company, accent, senderName, replyTo, dateFormat, timeFormat } = settings;
	return { look: { company, accent, senderName, replyTo, formats: { dateFormat, timeFormat } }, people };
}
