/** The words of tasks: states, priorities, and why something was refused. */
import type { Verdict } from '#crdt-model/access/decide.ts';
import type { TASK_PRIORITIES, TaskState } from '#crdt-model/kinds/task.ts';
import type { Refusal } from '#crdt-model/wire/refusal.ts';
import { m } from '#lib/paraglide/messages.js';

const states: Readonly<Record<TaskState, () => string>> = {
	pending: m.tasks_state_pending,
	progress: m.tasks_state_progress,
	review: m.tasks_state_review,
	done: m.tasks_state_done,
	deferred: m.tasks_state_deferred
};
export const stateWord = (state: TaskState): string => states[state]();

export const priorityWord = (priority: (typeof TASK_PRIORITIES)[number]): string => (priority === 'high' ? m.tasks_priority_high() : m.tasks_priority_normal());

const rules: Readonly<Record<string, () => string>> = {
	'task.people-change': m.tasks_rule_people_change,
	'task.responsible-moves-state': m.tasks_rule_responsible_moves,
	'task.giver-approves': m.tasks_rule_giver_approves,
	'task.responsible-delegates': m.tasks_rule_responsible_delegates,
	'task.people-are-named': m.tasks_rule_people_are_named,
	'task.giver-sets-deadline': m.tasks_rule_giver_sets_deadline,
	'task.responsible-moves-deadline': m.tasks_rule_responsible_moves_deadline,
	'task.giver-deletes': m.tasks_rule_giver_deletes,
	'task.giver-changes': m.tasks_rule_giver_changes,
	'comments.author-or-administrator-removes': m.tasks_rule_comments_author_only,
	'task.people-are-employees': m.tasks_rule_people_are_employees,
	'comments.author-only': m.tasks_rule_comments_author_only,
	'not-readable': m.tasks_refused_not_found,
	'view.read-only': m.view_read_only
};
const codes: Readonly<Partial<Record<Refusal['code'], () => string>>> = {
	denied: m.tasks_rule_people_change,
	'not-found': m.tasks_refused_not_found,
	'target-gone': m.tasks_refused_gone,
	'bad-value': m.tasks_refused_bad_value,
	'too-large': m.tasks_refused_too_large,
	quota: m.tasks_refused_quota,
	stale: m.tasks_refused_stale
};

export function refusalText(refusal: Pick<Refusal, 'code' | 'rule'>): string {
	return (refusal.rule && rules[refusal.rule]?.()) || codes[refusal.code]?.() || m.tasks_refused_other();
}

/** Why not, for a tooltip; undefined where one may. */
export function reasonOf(verdict: Verdict): string | undefined {
	return verdict.allow ? undefined : refusalText({ code: verdict.code, rule: verdict.rule });
}
