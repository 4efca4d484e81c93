/** What every module says alike of comments: whoever reads may add one; its author alone rewords it; its author or an administrator removes it. */
import type { PersonId } from '../ids.ts';
import type { Path, RecordState } from '../record/state.ts';
import { deny, type Actor, type Verdict } from './verdict.ts';

export function onlyComments(changed: readonly Path[]): boolean {
	return changed.length > 0 && changed.every((path) => path.startsWith('comments/'));
}

/** The refusal of a command that would touch what somebody else wrote; null where it touches nothing of the kind. */
export function commentsDenied(actor: Actor, before: RecordState, changed: readonly Path[]): Verdict | null {
	for (const path of changed) {
		if (!path.startsWith('comments/')) continue;
		const author: PersonId | undefined = before.get(`${path.slice(0, path.lastIndexOf('/'))}/text`)?.by;
		if (author === undefined || author === actor.person) continue;
		if (!path.endsWith('/removed')) return deny('comments.author-only', `user:${author}`);
		if (!actor.principals.has('admins')) return deny('comments.author-or-administrator-removes', `user:${author}`, 'admins');
	}
	return null;
}
