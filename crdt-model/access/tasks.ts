/**
 * Who may change what of a task (FEATURES 2.7). It has sides: who gave it (creator, heads above the creator, administrators), who answers for it (the
 * responsible person and the heads above), who takes part, who observes.
 *
 *   title, priority, deadline, control, deletion      who gave it; the deadline also who answers for it, where the task says so
 *   passing it on, its people                         who gave it and who answers for it; anyone leaves by themself
 *   its state                                         who gave it and who answers for it; with control, only who gave it says that it is done
 *   checklist and description                         all of these and who takes part
 *   comments                                          whoever reads it
 */
import type { PersonId } from '../ids.ts';
import type { TaskRow } from '../kinds/task.ts';
import type { Json, Path } from '../record/state.ts';
import { commentsDenied } from './comments.ts';
import type { Directory } from './directory.ts';
import type { Principal } from './principals.ts';
import { allow, deny, type Actor, type Change, type Rules, type Verdict } from './verdict.ts';

const gave = (actor: Actor, row: TaskRow) => actor.principals.has('admins') || actor.principals.has(`task:user:${row.createdBy}`);
const answers = (actor: Actor, row: TaskRow) => actor.principals.has(`task:user:${row.responsible}`);
const takesPart = (actor: Actor, row: TaskRow) => row.participants.some((id) => actor.principals.has(`task:user:${id}`));

function who(...people: readonly PersonId[]): Principal[] {
	return [...new Set(people)].map((id) => `task:user:${id}` as const);
}
const givers = (row: TaskRow): Principal[] => [...who(row.createdBy), 'admins'];
const answerers = (row: TaskRow): Principal[] => [...who(row.createdBy, row.responsible), 'admins'];

function work(actor: Actor, row: TaskRow): Verdict {
	if (gave(actor, row) || answers(actor, row) || takesPart(actor, row)) return allow('task.people-change');
	return deny('task.people-change', ...who(row.createdBy, row.responsible, ...row.participants), 'admins');
}

/** The people that a task names must belong here: nobody answers for a task who cannot see it. */
export function strangers(directory: Directory, people: readonly PersonId[]): PersonId | undefined {
	return people.find((id) => !directory.isMember(id));
}

function namesStrangers(old: TaskRow | undefined, row: TaskRow, directory: Directory): boolean {
	const known = old ? [old.responsible, ...old.participants, ...old.observers] : [];
	return strangers(directory, [row.responsible, ...row.participants, ...row.observers].filter((id) => !known.includes(id))) !== undefined;
}

function ofPath(actor: Actor, old: TaskRow, row: TaskRow, path: Path, wish: Json | undefined): Verdict {
	const cut = path.indexOf('/');
	switch (cut === -1 ? path : path.slice(0, cut)) {
		case 'checklist':
			return work(actor, old);
		case 'state':
			if (!gave(actor, old) && !answers(actor, old)) return deny('task.responsible-moves-state', ...answerers(old));
			if (old.control && !gave(actor, old) && (row.state === 'done' || old.state === 'done')) return deny('task.giver-approves', ...givers(old));
			return allow('task.responsible-moves-state');
		case 'responsible':
			return gave(actor, old) || answers(actor, old) ? allow('task.responsible-delegates') : deny('task.responsible-delegates', ...answerers(old));
		case 'participants':
		case 'observers':
			if (gave(actor, old) || answers(actor, old)) return allow('task.people-are-named');
			return leaves(actor, row, path, wish) ? allow('task.anyone-leaves') : deny('task.people-are-named', ...answerers(old));
		case 'deadline':
			if (gave(actor, old)) return allow('task.giver-sets-deadline');
			if (!old.mayMoveDeadline) return deny('task.giver-sets-deadline', ...givers(old));
			return answers(actor, old) ? allow('task.responsible-moves-deadline') : deny('task.responsible-moves-deadline', ...answerers(old));
		case 'deleted':
			return gave(actor, old) ? allow('task.giver-deletes') : deny('task.giver-deletes', ...givers(old));
		default:
			return gave(actor, old) ? allow('task.giver-changes') : deny('task.giver-changes', ...givers(old));
	}
}

/** Also where the word gives way to a later one that names them again: to leave is everybody's, whatever comes to stand. */
function leaves(actor: Actor, row: TaskRow, path: Path, wish: Json | undefined): boolean {
	const [set, key] = path.split('/') as ['participants' | 'observers', string];
	return key === actor.person && (wish === undefined ? !row[set].includes(actor.person) : wish === false);
}

function ofChange(actor: Actor, { before, next, changed, wishes }: Change): Verdict {
	if (!before) return allow('task.anyone-creates');
	const denied = commentsDenied(actor, before.state, changed);
	if (denied) return denied;
	let verdict: Verdict = allow('task.readers-comment');
	for (const path of changed) {
		if (path.startsWith('comments/')) continue;
		verdict = ofPath(actor, before.row as TaskRow, next.row as TaskRow, path, wishes?.find(([one]) => one === path)?.[1]);
		if (!verdict.allow) return verdict;
	}
	return verdict;
}

export const taskRules: Rules = {
	change(actor, change, { directory }) {
		const verdict = ofChange(actor, change);
		// Asked last: a guest, who does not see the company's people, learns of nobody by trying names where they may name no one.
		if (verdict.allow && namesStrangers(change.before?.row as TaskRow | undefined, change.next.row as TaskRow, directory)) return deny('task.people-are-employees');
		return verdict;
	},
	write: (actor, row) => work(actor, row as TaskRow)
};
