/**
 * Who may change a workgroup: anyone makes one and owns it; the owner and the moderators say who belongs to it; the owner and the administrators
 * say what it is called, who sees it, who moderates it, and whether it still goes on. Anyone joins an open group, asks at a closed one, and leaves;
 * the owner first passes the group on. Administrators do all of it, so that a group survives its owner.
 */
import type { PersonId } from '../ids.ts';
import type { GroupRow } from '../kinds/group.ts';
import type { Json, Path } from '../record/state.ts';
import type { Directory } from './directory.ts';
import type { Principal } from './principals.ts';
import { allow, deny, type Actor, type Change, type Rules, type Verdict } from './verdict.ts';

const owns = (actor: Actor, row: GroupRow) => row.owner === actor.person || actor.principals.has('admins');
const moderates = (actor: Actor, row: GroupRow) => owns(actor, row) || row.moderators.includes(actor.person);
const owners = (row: GroupRow): Principal[] => [`user:${row.owner}`, 'admins'];
const managers = (row: GroupRow): Principal[] => [`user:${row.owner}`, ...row.moderators.map((id) => `user:${id}` as const), 'admins'];

/** Owner and moderators work here; members may be guests; all are active. */
function peopleStand(old: GroupRow | undefined, row: GroupRow, directory: Directory): Verdict | null {
	if (row.owner !== old?.owner && !directory.isEmployee(row.owner)) return deny('group.owner-is-employee');
	const known = (set: 'moderators' | 'members' | 'requests', id: PersonId) => old?.[set].includes(id) ?? false;
	if (row.moderators.some((id) => !known('moderators', id) && !directory.isEmployee(id))) return deny('group.moderators-are-employees');
	if (row.members.some((id) => !known('members', id) && id !== old?.owner && !directory.isMember(id))) return deny('group.people-are-here');
	if (row.requests.some((id) => !known('requests', id) && !directory.isMember(id))) return deny('group.people-are-here');
	return null;
}

function ofPath(actor: Actor, old: GroupRow, row: GroupRow, path: Path, wish: Json | undefined): Verdict {
	const cut = path.indexOf('/');
	const key = path.slice(cut + 1) as PersonId;
	const isOwn = key === actor.person;
	switch (cut === -1 ? path : path.slice(0, cut)) {
		case 'owner':
			return owns(actor, old) ? allow('group.owner-passes-on') : deny('group.owner-passes-on', ...owners(old));
		case 'moderators': {
			const [was, is] = [old.moderators.includes(key), row.moderators.includes(key)];
			// Whoever leaves or is removed is no moderator afterwards, and mostly was none before. To others that is no free word: it would stand against the
			// owner's naming of a moderator, said earlier and brought later.
			// Who leaves says so also where the word gives way to a later one that names them: to leave is everybody's.
			if ((isOwn && (!is || wish === false)) || (!is && !was && moderates(actor, old))) return allow('group.anyone-leaves');
			return owns(actor, old) ? allow('group.owner-names-moderators') : deny('group.owner-names-moderators', ...owners(old));
		}
		case 'members': {
			const stays = row.members.includes(key);
			if (isOwn && !stays && row.owner === key && old.owner === key) return deny('group.owner-stays');
			// Also who leaves a second time, or gives way to their own later word: nothing changes, and nobody is asked for an invitation.
			if (isOwn && (!stays || old.members.includes(key))) return allow('group.anyone-leaves');
			if (isOwn && old.visibility === 'open') return allow('group.anyone-joins');
			return moderates(actor, old) ? allow('group.moderators-manage') : deny(isOwn ? 'group.joined-by-invitation' : 'group.moderators-manage', ...managers(old));
		}
		case 'requests':
			if (isOwn) return allow('group.anyone-asks');
			return moderates(actor, old) ? allow('group.moderators-manage') : deny('group.moderators-manage', ...managers(old));
		default:
			return owns(actor, old) ? allow('group.owner-changes') : deny('group.owner-changes', ...owners(old));
	}
}

function ofChange(actor: Actor, old: GroupRow, row: GroupRow, { changed, wishes }: Change): Verdict {
	// One who passes the group on names themself a member by it.
	if (changed.includes('owner')) return ofPath(actor, old, row, 'owner', undefined);
	let verdict: Verdict | null = null;
	for (const path of changed) {
		const one = ofPath(actor, old, row, path, wishes?.find(([wished]) => wished === path)?.[1]);
		if (!one.allow) return one;
		verdict ??= one;
	}
	return verdict ?? allow('group.owner-changes');
}

export const groupRules: Rules = {
	change(actor, change, { directory }) {
		const { before, next } = change;
		const row = next.row as GroupRow;
		const old = before?.row as GroupRow | undefined;
		const verdict = old ? ofChange(actor, old, row, change) : allow('group.anyone-creates');
		// Asked last, as in tasks: who may not name anybody does not learn who is here.
		return (verdict.allow && peopleStand(old, row, directory)) || verdict;
	},
	write: (actor, row) => (moderates(actor, row as GroupRow) ? allow('group.moderators-manage') : deny('group.moderators-manage', ...managers(row as GroupRow)))
};
