/** Workgroups as screens read them: who belongs to one and how, and what a person may do there by the one rule book. */
import type { PersonId } from '#crdt-model/ids.ts';
import type { GroupRow, GroupVisibility } from '#crdt-model/kinds/group.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import Globe from '@lucide/svelte/icons/globe';
import EyeOff from '@lucide/svelte/icons/eye-off';
import Lock from '@lucide/svelte/icons/lock';
import { m } from '#lib/paraglide/messages.js';
import type { IconComponent } from '#lib/ui/icon.ts';

export type Group = StoredRow<GroupRow>;

export type Standing = 'owner' | 'moderator' | 'member' | 'asked' | 'outside';

export function standingOf(group: GroupRow, person: PersonId): Standing {
	if (group.owner === person) return 'owner';
	if (group.moderators.includes(person)) return 'moderator';
	if (group.members.includes(person)) return 'member';
	return group.requests.includes(person) ? 'asked' : 'outside';
}

/** The owner, the moderators, then the members: each person once. */
export function peopleOf(group: GroupRow): PersonId[] {
	return [...new Set([group.owner, ...group.moderators, ...group.members])];
}

export function standingWord(standing: Standing): string {
	switch (standing) {
		case 'owner':
			return m.groups_owner();
		case 'moderator':
			return m.groups_moderator();
		case 'member':
			return m.groups_member();
		case 'asked':
			return m.groups_asked();
		case 'outside':
			return '';
		default:
			return standing satisfies never;
	}
}

export const visibilities: Readonly<Record<GroupVisibility, { readonly icon: IconComponent; readonly word: () => string; readonly text: () => string }>> = {
	open: { icon: Globe, word: m.groups_open, text: m.groups_open_text },
	closed: { icon: Lock, word: m.groups_closed, text: m.groups_closed_text },
	secret: { icon: EyeOff, word: m.groups_secret, text: m.groups_secret_text }
};
