/** The company's people as choices. */
import type { PersonId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';

export interface PersonOption {
	id: string;
	label: string;
	hint?: string;
}

/** Oneself first, the most frequent choice; then by name. Somebody whom this device does not know (any more) stays chosen and in sight. */
export function personOptions(workspace: Workspace, chosen: readonly PersonId[] = [], without: readonly PersonId[] = []): PersonOption[] {
	const out: PersonOption[] = [];
	const wanted = new Set<string>(chosen);
	const left = new Set<string>(without);
	for (const one of workspace.replica.directory.people) {
		if ((!one.active && !wanted.has(one.id)) || left.has(one.id)) continue;
		wanted.delete(one.id);
		const name = `${one.firstName} ${one.lastName}`.trim();
		out.push({ id: one.id, label: name, hint: one.id === workspace.person ? m.tasks_person_you() : (one.position ?? one.email) });
	}
	for (const id of wanted) out.push({ id, label: m.tasks_unknown_person() });
	const order = new Intl.Collator();
	return out.sort((a, b) => Number(b.id === workspace.person) - Number(a.id === workspace.person) || order.compare(a.label, b.label));
}
