/**
 * Who may change a workgroup: anyone makes one and owns it; the owner and the moderators say who belongs to it; the owner and the administrators
 * say what it is called, who sees it and whether it still goes on. Anyone joins an open group, asks at a closed one, and leaves;
 * the owner first passes the group on.
 */
import type { PersonId } from '../ids.ts';
import type { GroupRow } from '../kinds/group.ts';
import type { Path } from '../record/state.ts';
import { allow, deny, type Actor, type Rules } from './verdict.ts';

const isOwner = (actor: Actor, row: GroupRow) => row.owner === actor.person;
const moderates = (actor: Actor, row: GroupRow) => isOwner(actor, row) || row.moderators.includes(actor.person);

export const groupRules: Rules = {
	change(actor, { before, next, changed }, { directory }) {
		const row = next.row as GroupRow;
		const old = before?.row as GroupRow | undefined;
		const known = new Set(old ? peopleOf(old) : []);
		for (const id of peopleOf(row)) if (!known.has(id) && !directory.isMember(id)) return deny('group.people-are-here');
		if (row.owner !== old?.owner && !directory.isEmployee(row.owner)) return deny('group.owner-is-employee');
		if (!old) return allow('group.anyone-creates');

		const administrator = actor.principals.has('admins');
		if (changed.includes('owner')) return isOwner(actor, old) || administrator ? allow('group.owner-passes-on') : deny('group.owner-passes-on', `user:${old.owner}`, 'admins');
		const { self, others, moderators, rest } = sorted(actor, changed);
		if (rest && !isOwner(actor, old) && !administrator) return deny('group.owner-changes', `user:${old.owner}`, 'admins');
		if (moderators && !isOwner(actor, old) && !administrator) return deny('group.owner-names-moderators', `user:${old.owner}`, 'admins');
		if (others && !moderates(actor, old) && !administrator) return deny('group.moderators-manage', `user:${old.owner}`, ...old.moderators.map((id) => `user:${id}` as const), 'admins');
		if (self && isOwner(actor, old) && !row.members.includes(actor.person) && old.members.includes(actor.person) && old.owner === row.owner) return deny('group.owner-stays');
		if (self && row.members.includes(actor.person) && !old.members.includes(actor.person) && old.visibility !== 'open' && !moderates(actor, old) && !administrator) {
			return deny('group.joined-by-invitation', `user:${old.owner}`, ...old.moderators.map((id) => `user:${id}` as const));
		}
		return allow(rest || moderators ? 'group.owner-changes' : others ? 'group.moderators-manage' : 'group.anyone-joins-and-leaves');
	}
};

function peopleOf(row: GroupRow): PersonId[] {
	return [row.owner, ...row.moderators, ...row.members, ...row.requests];
}

/** What a change is about: oneself, other members and requests, moderators, or the group itself. */
function sorted(actor: Actor, changed: readonly Path[]) {
	const about = { self: false, others: false, moderators: false, rest: false };
	for (const path of changed) {
		const cut = path.indexOf('/');
		const key = path.slice(cut + 1);
		if (cut === -1) about.rest = true;
		else if (key === actor.person) about.self = true;
		else if (path.startsWith('moderators/')) about.moderators = true;
		else about.others = true;
	}
	return about;
}
