/** Whom a role or a share names, as words and as choices: people, departments (alone, or with everything below), groups, everyone. */
import Network from '@lucide/svelte/icons/network';
import FolderTree from '@lucide/svelte/icons/folder-tree';
import Users from '@lucide/svelte/icons/users';
import UsersRound from '@lucide/svelte/icons/users-round';
import { addresseeOf, type Recipient } from '#crdt-model/access/recipients.ts';
import type { Directory } from '#crdt-model/access/directory.ts';
import { m } from '#lib/paraglide/messages.js';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import type { IconComponent } from '#lib/ui/icon.ts';

export interface RecipientWords {
	readonly label: string;
	readonly hint?: string;
	/** None for a person, who has a picture. */
	readonly icon?: IconComponent;
}

const unknown = (): RecipientWords => ({ label: m.people_not_known_here(), icon: Users });

export function recipientWords(directory: Directory, recipient: Recipient): RecipientWords {
	const one = addresseeOf(recipient);
	switch (one?.kind) {
		case undefined:
			return unknown();
		case 'all':
			return { label: m.people_everyone(), hint: m.people_everyone_hint(), icon: Users };
		case 'user': {
			const person = directory.person(one.id);
			if (!person) return unknown();
			const label = `${person.firstName} ${person.lastName}`.trim();
			return { label, hint: person.active ? (person.position ?? person.email) : m.company_dismissed_badge() };
		}
		case 'department': {
			const department = directory.department(one.id);
			return department && !department.deleted ? { label: department.name, hint: m.people_department_alone(), icon: Network } : unknown();
		}
		case 'departments': {
			const department = directory.department(one.id);
			return department && !department.deleted ? { label: department.name, hint: m.people_department_below(), icon: FolderTree } : unknown();
		}
		case 'group': {
			const group = directory.group(one.id);
			return group && !group.deleted ? { label: group.name, hint: m.people_group(), icon: UsersRound } : unknown();
		}
		default:
			return one satisfies never;
	}
}

export interface RecipientOption extends RecipientWords {
	readonly id: Recipient;
}

/** Everyone, then groups and departments, then people; each by name. */
export function recipientOptions(workspace: Workspace, without: ReadonlySet<string>): RecipientOption[] {
	const { directory } = workspace.replica;
	const order = new Intl.Collator(undefined, { numeric: true });
	const named = (recipients: readonly Recipient[]): RecipientOption[] =>
		recipients
			.filter((one) => !without.has(one))
			.map((one) => ({ id: one, ...recipientWords(directory, one) }))
			.sort((a, b) => order.compare(a.label, b.label) || order.compare(a.hint ?? '', b.hint ?? ''));
	const groups = [...directory.groups].filter((one) => !one.deleted && !one.archived).map((one): Recipient => `group:${one.id as never}`);
	const departments = [...directory.departments].filter((one) => !one.deleted).flatMap((one): Recipient[] => [`departments:${one.id as never}`, `department:${one.id as never}`]);
	const people = [...directory.people].filter((one) => one.active).map((one): Recipient => `user:${one.id as never}`);
	return [...named(['all']), ...named(groups), ...named(departments), ...named(people)];
}
