/** Reasons of the rule book in words: by what a person sees a record, and what its main actions are called. */
import type { Held, Opening } from '#crdt-model/access/explain.ts';
import type { DepartmentId, PersonId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import { formatList } from '#lib/shell/formats.svelte.ts';
import { peopleOf, type Knows } from '../set-aside/reasons.ts';

/** One line for each way in which the person holds the opening; the grant's level with it. */
export function reasonsOf(opening: Opening, knows: Knows): string[] {
	return opening.by.map((held) => {
		const reason = heldBy(held, opening.principal, knows);
		return opening.grant === null ? reason : m.access_granted({ reason, level: levelWord(opening.grant) });
	});
}

function heldBy(held: Held, principal: string, knows: Knows): string {
	switch (held.kind) {
		case 'self':
			if (principal.startsWith('task:')) return m.access_by_task();
			return principal.startsWith('crm:') ? m.access_by_responsible() : m.access_by_name();
		case 'employee':
			return m.access_by_employee();
		case 'administrator':
			return m.access_by_administrator();
		case 'leader': {
			const words = { department: departmentName(held.department, knows), name: nameOf(held.over, knows), path: pathWords(held.path) };
			return held.as === 'head' ? m.access_by_head(words) : m.access_by_deputy(words);
		}
		case 'department':
			return m.access_by_department({ path: pathWords(held.path) });
		case 'group':
			return { owner: m.access_by_group_owner, moderator: m.access_by_group_moderator, member: m.access_by_group_member }[held.as]({ group: held.name });
		case 'role':
			return m.access_by_role({ role: held.name, level: reachWord(held.level), through: formatList(peopleOf([held.through], knows)) });
		case 'default':
			return m.access_by_default();
	}
}

const pathWords = (path: readonly string[]): string => path.join(' › ');
const departmentName = (id: DepartmentId, { directory }: Knows): string => directory.department(id)?.name ?? '';
const nameOf = (person: PersonId, knows: Knows): string => (person === knows.person ? m.aside_who_you() : knows.nameOf(person)) || m.aside_somebody();

function reachWord(level: Extract<Held, { kind: 'role' }>['level']): string {
	const words: Readonly<Record<string, () => string>> = { own: m.access_reach_own, department: m.access_reach_department, subdepartments: m.access_reach_subdepartments, all: m.access_reach_all, open: m.access_reach_open };
	return (words[level] ?? m.access_reach_own)();
}

function levelWord(level: NonNullable<Opening['grant']>): string {
	return { read: m.access_level_read, add: m.access_level_add, edit: m.access_level_edit, share: m.access_level_share, full: m.access_level_full }[level]();
}

const actions: Readonly<Record<string, () => string>> = {
	setTitle: m.access_do_title,
	setName: m.access_do_title,
	setCompany: m.access_do_title,
	write: m.access_do_write,
	setDeadline: m.access_do_deadline,
	setResponsible: m.access_do_responsible,
	setState: m.access_do_state,
	setPriority: m.access_do_priority,
	addItem: m.access_do_checklist,
	comment: m.access_do_comment,
	moveToStage: m.access_do_stage,
	setAmount: m.access_do_amount,
	setPrice: m.access_do_price,
	setPosition: m.access_do_position,
	setAdministrator: m.access_do_administrator,
	dismiss: m.access_do_dismiss,
	move: m.access_do_move,
	setHead: m.access_do_head,
	setVisibility: m.access_do_visibility,
	setOwner: m.access_do_owner,
	apply: m.access_do_apply,
	decline: m.access_do_decline,
	withdraw: m.access_do_withdraw,
	delete: m.access_do_delete
};

export function actionWord(verb: string): string {
	return (actions[verb] ?? m.aside_did_change)();
}
