/** What every module says alike of comments: whoever reads may add one, only its author changes or removes it. */
import type { Path, RecordState } from '../record/state.ts';
import type { Actor } from './verdict.ts';

export function onlyComments(changed: readonly Path[]): boolean {
	return changed.length > 0 && changed.every((path) => path.startsWith('comments/'));
}

/** Whether a command would touch a comment that somebody else wrote. */
export function foreignComments(actor: Actor, before: RecordState, changed: readonly Path[]): boolean {
	return changed.some((path) => {
		if (!path.startsWith('comments/')) return false;
		const item = path.slice(0, path.lastIndexOf('/'));
		const author = before.get(`${item}/text`)?.by;
		return author !== undefined && author !== actor.person;
	});
}
