/**
 * Who may change a task (FEATURES 2.7, in the first measure): its creator, responsible person and participants, the heads
 * above them, and administrators change it; observers read and comment. Comments are changed by their authors alone.
 */
import type { PersonId } from '../ids.ts';
import type { TaskRow } from '../kinds/task.ts';
import { allow, deny, type Actor, type Rules } from './verdict.ts';
import type { Directory } from './directory.ts';
import { foreignComments, onlyComments } from './comments.ts';
import type { Principal } from './principals.ts';

function workers(row: TaskRow): PersonId[] {
	return [row.createdBy, row.responsible, ...row.participants];
}

function worksOn(actor: Actor, row: TaskRow): boolean {
	return actor.principals.has('admins') || workers(row).some((id) => actor.principals.has(`task:user:${id}`));
}

const whoMay = (row: TaskRow): Principal[] => [...new Set(workers(row))].map((id) => `task:user:${id}` as const);

/** The people that a task names must belong to the company: nobody answers for a task who cannot see it. */
export function strangers(directory: Directory, people: readonly PersonId[]): PersonId | undefined {
	return people.find((id) => !directory.isMember(id));
}

export const taskRules: Rules = {
	change(actor, { before, next, changed }, { directory }) {
		const row = next.row as TaskRow;
		const old = before?.row as TaskRow | undefined;
		const named = [row.responsible, ...row.participants, ...row.observers];
		const known = old ? [old.responsible, ...old.participants, ...old.observers] : [];
		const stranger = strangers(directory, named.filter((id) => !known.includes(id)));
		if (stranger) return deny('task.people-are-employees');
		if (!before) return allow('task.anyone-creates');
		if (foreignComments(actor, before.state, changed)) return deny('comments.author-only');
		if (onlyComments(changed)) return allow('task.readers-comment');
		return worksOn(actor, before.row as TaskRow) ? allow('task.people-change') : deny('task.people-change', ...whoMay(before.row as TaskRow));
	},
	write(actor, row) {
		return worksOn(actor, row as TaskRow) ? allow('task.people-change') : deny('task.people-change', ...whoMay(row as TaskRow));
	}
};
