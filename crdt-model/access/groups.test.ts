/** Workgroups: who joins, who asks, who manages, who owns. */
import { expect, test } from 'vitest';
import type { PersonId } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import type { GroupRow } from '../kinds/group.ts';
import { applyWrites } from '../record/state.ts';
import { planCommand, rowOf, seenBy } from '../record/plan.ts';
import { groupId, groupRow, worldOf } from '../testing/company.ts';
import { ADMIN, ANN, BEN, CAT, DORA, GONE, GUY, actor, circle, directory, expectEach, say } from '../testing/office.ts';
import { commandId } from '../testing/world.ts';
import { decide } from './decide.ts';

const group = kindNamed('group');

/** Runs a real command on a group and says what the rule book says of it. */
function tries(name: string, verb: string, args: unknown, row: GroupRow = circle): string {
	const state = stateOf(row);
	const author = actor(name).person;
	const draft = { id: commandId(99), document: row.id, name: `group.${verb}`, args, at: 50 };
	const plan = planCommand(group, state, { ...draft, seen: seenBy(group, state, draft, author) }, { author, latest: 60 });
	if (plan.kind === 'refused') return `refused ${plan.refusal.code} ${plan.refusal.detail}`;
	const next = applyWrites(state, plan.writes);
	const change = { before: { row, state }, next: { row: rowOf(group, row.id, next)!, state: next }, changed: plan.writes.map(({ path }) => path) };
	return say(decide(actor(name), change, worldOf(directory)));
}
function stateOf(row: GroupRow) {
	const cell = (value: unknown) => ({ value: value as never, at: 1, by: row.createdBy, command: commandId(1) });
	const set = (name: string, ids: readonly PersonId[]) => ids.map((id) => [`${name}/${id}`, cell(true)] as const);
	return new Map([
		['created', cell(true)], ['name', cell(row.name)], ['visibility', cell(row.visibility)], ['owner', cell(row.owner)],
		...set('members', row.members), ...set('moderators', row.moderators), ...set('requests', row.requests)
	] as const);
}
const each = (names: string, verb: string, args: unknown, row?: GroupRow) => Object.fromEntries(names.split(' ').map((name) => [name, tries(name, verb, args, row)]));

test('[A13] everyone reads open and closed groups; a secret one its people and administrators', () => {
	expect(group.audience(circle)).toEqual(['all', `group:${circle.id}`]);
	expect(group.audience({ ...circle, visibility: 'secret' } as GroupRow)).toEqual([`group:${circle.id}`, `user:${CAT}`, 'admins']);
	const secret: GroupRow = { ...circle, visibility: 'secret' };
	expectEach({ before: secret, changed: ['name'] }, { 'boss lead dora': 'not-found not-readable', 'ann guy ben': 'denied group.owner-changes', 'cat admin': 'allow group.owner-changes' });
});

test('[A13] anyone makes a group and owns it, with people who are here', () => {
	expectEach({ next: groupRow(2, { owner: ANN, members: [GUY] }) }, { ann: 'allow group.anyone-creates' });
	expectEach({ next: groupRow(2, { owner: GUY }) }, { guy: 'denied guests.make-nothing' });
	expectEach({ next: groupRow(2, { owner: ANN, members: [GONE] }) }, { ann: 'denied group.people-are-here' });
	expectEach({ next: groupRow(2, { owner: ANN, moderators: [GUY] }) }, { ann: 'denied group.moderators-are-employees' });
});

test('[A13] an open group is joined, a closed one asked, a secret one unknown', () => {
	const with_ = (visibility: GroupRow['visibility']): GroupRow => ({ ...circle, visibility });
	expect(tries('lead', 'join', {}, with_('open'))).toBe('allow group.anyone-joins');
	expect(tries('lead', 'join', {}, with_('closed'))).toBe('denied group.joined-by-invitation');
	expect(tries('lead', 'join', {}, with_('secret'))).toBe('not-found not-readable');
	expect(tries('lead', 'ask', {}, with_('closed'))).toBe('allow group.anyone-asks');
	expect(tries('lead', 'ask', {}, with_('secret'))).toBe('not-found not-readable');
	expect(tries('lead', 'withdrawRequest', {}, { ...circle, requests: [directoryPerson('lead')] })).toBe('allow group.anyone-asks');
	// Letting oneself in by the moderators' door is joining.
	expect(tries('lead', 'addMember', { member: directoryPerson('lead') }, with_('closed'))).toBe('denied group.joined-by-invitation');
});

test('[A13] owner and moderators let in and put out; administrators too; members do not', () => {
	expect(each('cat ben admin', 'addMember', { member: DORA })).toEqual({ cat: 'allow group.moderators-manage', ben: 'allow group.moderators-manage', admin: 'allow group.moderators-manage' });
	expect(each('ann guy lead', 'addMember', { member: DORA })).toEqual({ ann: 'denied group.moderators-manage', guy: 'denied group.moderators-manage', lead: 'denied group.moderators-manage' });
	expect(each('cat ben', 'removeMember', { member: ANN })).toEqual({ cat: 'allow group.moderators-manage', ben: 'allow group.moderators-manage' });
	const asked: GroupRow = { ...circle, requests: [DORA] };
	expect(each('ben ann', 'declineRequest', { member: DORA }, asked)).toEqual({ ben: 'allow group.moderators-manage', ann: 'denied group.moderators-manage' });
	expect(tries('ben', 'addMember', { member: GONE })).toBe('denied group.people-are-here');
});

test('[A13] moderators are the owner’s and the administrators’ to name; nobody makes themself one', () => {
	expect(each('cat admin', 'addModerator', { member: ANN })).toEqual({ cat: 'allow group.owner-names-moderators', admin: 'allow group.owner-names-moderators' });
	expect(each('ben ann', 'addModerator', { member: ANN })).toEqual({ ben: 'denied group.owner-names-moderators', ann: 'denied group.owner-names-moderators' });
	const two: GroupRow = { ...circle, moderators: [BEN, DORA] };
	expect(each('ben cat', 'removeModerator', { member: DORA }, two)).toEqual({ ben: 'denied group.owner-names-moderators', cat: 'allow group.owner-names-moderators' });
	expect(tries('ben', 'removeMember', { member: DORA }, two)).toBe('denied group.owner-names-moderators');
	expect(tries('ben', 'removeModerator', { member: BEN }, two)).toBe('allow group.anyone-leaves');
});

test('[A13] everyone leaves, the owner after passing the group on', () => {
	expect(each('ann guy ben', 'leave', {})).toEqual({ ann: 'allow group.anyone-leaves', guy: 'allow group.anyone-leaves', ben: 'allow group.anyone-leaves' });
	expect(tries('cat', 'leave', {})).toBe('denied group.owner-stays');
	expect(each('cat admin', 'setOwner', { value: ANN })).toEqual({ cat: 'allow group.owner-passes-on', admin: 'allow group.owner-passes-on' });
	expect(each('ben ann', 'setOwner', { value: ANN })).toEqual({ ben: 'denied group.owner-passes-on', ann: 'denied group.owner-passes-on' });
	for (const value of [GUY, GONE]) expect(tries('cat', 'setOwner', { value })).toBe('denied group.owner-is-employee');
	expect(tries('cat', 'leave', {}, { ...circle, owner: ANN, members: [CAT] })).toBe('allow group.anyone-leaves');
	// An owner who was dismissed is followed by whom an administrator names.
	expect(tries('admin', 'setOwner', { value: ANN }, { ...circle, owner: GONE, createdBy: GONE })).toBe('allow group.owner-passes-on');
});

test('[A13] name, description, visibility, archive and end are the owner’s and the administrators’', () => {
	for (const [verb, args] of [['setName', { value: 'x' }], ['setDescription', { value: null }], ['setVisibility', { value: 'open' }], ['setArchived', { value: true }], ['delete', {}]] as const) {
		expect(each('cat admin ben ann', verb, args), verb).toEqual({ cat: 'allow group.owner-changes', admin: 'allow group.owner-changes', ben: 'denied group.owner-changes', ann: 'denied group.owner-changes' });
	}
});

test('[A13] asking and letting in meet wherever they cross', () => {
	const state = stateOf(circle);
	const let_in = { id: commandId(11), document: circle.id, name: 'group.addMember', args: { member: DORA }, at: 10, seen: {} };
	const ask = { id: commandId(12), document: circle.id, name: 'group.ask', args: {}, at: 20, seen: {} };
	for (const order of [[let_in, ask], [ask, let_in]]) {
		let at = state as ReturnType<typeof applyWrites>;
		for (const command of order) {
			const plan = planCommand(group, at, command, { author: command === ask ? DORA : CAT, latest: 30 });
			if (plan.kind === 'planned') at = applyWrites(at, plan.writes);
		}
		expect(rowOf(group, circle.id, at)).toMatchObject({ members: [ANN, DORA, GUY].sort(), requests: [] });
	}
	expect(ADMIN).not.toBe(CAT);
	expect(groupId(1)).toBe(circle.id);
});

function directoryPerson(name: string): PersonId {
	return actor(name).person;
}

test('[A13] taking away what somebody is not yet is a word as well: it would stand against the owner’s own, said earlier and brought later', () => {
	expect(each('lead ben guy', 'removeModerator', { member: ANN }, { ...circle, visibility: 'open', moderators: [], members: [] })).toEqual({
		lead: 'denied group.owner-names-moderators', ben: 'denied group.owner-names-moderators', guy: 'denied group.owner-names-moderators'
	});
	// Moderators put out members, and that ends whatever those were.
	expect(tries('ann', 'removeMember', { member: GUY }, { ...circle, moderators: [ANN], members: [ANN, GUY] })).toBe('allow group.moderators-manage');
});

test('[A13] who leaves also gives up moderating where a later word, which they had not seen, still names them', () => {
	const state = stateOf(circle);
	const change = { before: { row: circle, state }, next: { row: circle, state }, changed: [`members/${BEN}`, `moderators/${BEN}`] };
	const leaves = { ...change, wishes: change.changed.map((path) => [path, false] as const) };
	expect(say(decide(actor('ben'), leaves, worldOf(directory)))).toBe('allow group.anyone-leaves');
	expect(say(decide(actor('ann'), leaves, worldOf(directory)))).toBe('denied group.moderators-manage');
	const named = { ...circle, moderators: [...circle.moderators, ANN] };
	const names = { ...change, next: { row: named, state }, changed: [`moderators/${ANN}`], wishes: [[`moderators/${ANN}`, true] as const] };
	expect(say(decide(actor('ann'), names, worldOf(directory)))).toBe('denied group.owner-names-moderators');
});
