/** Workgroups: people across departments, with an owner and moderators. Who belongs to one holds its principals (access/directory.ts). */
import * as v from 'valibot';
import { isIdOf, type GroupId, type PersonId } from '../ids.ts';
import { command, defineKind, type BaseRow, type Effect } from '../record/kind.ts';
import { commonFields, deleteAndRestore, field, given, longText, membersOf, membership, reference, setter, title } from '../record/parts.ts';
import { valueAt } from '../record/state.ts';

/** `open`: anyone joins. `closed`: people ask and are let in. `secret`: people are invited, and nobody else knows of it. */
export const GROUP_VISIBILITIES = ['open', 'closed', 'secret'] as const;
export type GroupVisibility = (typeof GROUP_VISIBILITIES)[number];

export interface GroupRow extends BaseRow {
	readonly kind: 'group';
	readonly name: string;
	readonly description: string | null;
	readonly visibility: GroupVisibility;
	readonly owner: PersonId;
	readonly moderators: readonly PersonId[];
	/** Without the owner and the moderators, unless they are named here too. */
	readonly members: readonly PersonId[];
	/** Who asks to be let in and is not in yet. */
	readonly requests: readonly PersonId[];
	readonly archived: boolean;
}

const person = reference('employee');
const description = v.nullable(longText);
const visibility = v.picklist(GROUP_VISIBILITIES);
const moderators = membership('moderators', 'employee');
const isPerson = (key: string) => isIdOf('employee', key);
const nobody = v.strictObject({});
const somebody = v.strictObject({ member: person });

export const group = defineKind<GroupRow>({
	kind: 'group',
	rowVersion: 1,
	fields: {
		...commonFields,
		name: field(title),
		description: field(description),
		visibility: field(visibility),
		owner: field(person),
		archived: field(v.boolean())
	},
	sets: { moderators: { isMember: isPerson }, members: { isMember: isPerson }, requests: { isMember: isPerson } },
	lists: {},
	commands: {
		create: command(
			v.strictObject({
				name: title,
				description: v.optional(description),
				visibility: v.optional(visibility),
				members: v.optional(v.pipe(v.array(person), v.maxLength(50)))
			}),
			(_state, args, context): Effect[] => [
				['created', true],
				['owner', context.author],
				['visibility', args.visibility ?? 'closed'],
				...given(args, ['name', 'description']),
				...(args.members ?? []).map((id): Effect => [`members/${id}`, true])
			],
			'new'
		),
		setName: setter('name', title),
		setDescription: setter('description', description),
		setVisibility: setter('visibility', visibility),
		setArchived: setter('archived', v.boolean()),
		/** Who passes the group on stays in it. */
		setOwner: command(v.strictObject({ value: person }), (state, { value }): Effect[] => [
			['owner', value],
			[`members/${valueAt(state, 'owner') as PersonId}`, true]
		]),
		join: command(nobody, (_state, _args, { author }): Effect[] => [[`members/${author}`, true]]),
		leave: command(nobody, (_state, _args, { author }): Effect[] => [
			[`members/${author}`, false],
			[`moderators/${author}`, false]
		]),
		ask: command(nobody, (_state, _args, { author }): Effect[] => [[`requests/${author}`, true]]),
		withdrawRequest: command(nobody, (_state, _args, { author }): Effect[] => [[`requests/${author}`, false]]),
		/** Invites, and lets in who asked. Both paths are written always, so that asking and letting in meet wherever they cross. */
		addMember: command(somebody, (_state, { member }): Effect[] => [
			[`members/${member}`, true],
			[`requests/${member}`, false]
		]),
		removeMember: command(somebody, (_state, { member }): Effect[] => [
			[`members/${member}`, false],
			[`moderators/${member}`, false]
		]),
		declineRequest: command(somebody, (_state, { member }): Effect[] => [[`requests/${member}`, false]]),
		addModerator: moderators.add,
		removeModerator: moderators.remove,
		...deleteAndRestore
	},
	row(base, state): GroupRow {
		const members = membersOf<'employee'>(state, 'members');
		return {
			...base,
			kind: 'group',
			name: valueAt(state, 'name') as string,
			description: (valueAt(state, 'description') as string | null | undefined) ?? null,
			visibility: valueAt(state, 'visibility') as GroupVisibility,
			owner: valueAt(state, 'owner') as PersonId,
			moderators: membersOf<'employee'>(state, 'moderators'),
			members,
			requests: membersOf<'employee'>(state, 'requests').filter((id) => !members.includes(id)),
			archived: valueAt(state, 'archived') === true
		};
	},
	/** A deleted group gives nobody its principal; its owner still reads it, to bring it back. */
	audience(row) {
		const inside = `group:${row.id as GroupId}` as const;
		return row.visibility === 'secret' ? [inside, `user:${row.owner}`, 'admins'] : ['all', inside];
	}
});
