/** Tasks: what to do, who answers for it, until when; a checklist, comments, and a description page that hangs on the task. */
import * as v from 'valibot';
import { isIdOf, type PersonId } from '../ids.ts';
import { command, defineKind, type BaseRow, type Effect } from '../record/kind.ts';
import {
	checklistCommands, checklistOf, checklistParts, commentCommands, commentParts, commentsOf, commonFields, day,
	deleteAndRestore, field, given, membersOf, membership, reference, setter, title
} from '../record/parts.ts';
import { valueAt } from '../record/state.ts';

export const TASK_STATES = ['pending', 'progress', 'review', 'done', 'deferred'] as const;
export type TaskState = (typeof TASK_STATES)[number];
export const TASK_PRIORITIES = ['normal', 'high'] as const;

export interface TaskRow extends BaseRow {
	readonly kind: 'task';
	readonly title: string;
	readonly state: TaskState;
	readonly priority: (typeof TASK_PRIORITIES)[number];
	readonly responsible: PersonId;
	readonly participants: readonly PersonId[];
	readonly observers: readonly PersonId[];
	/** `2026-11-30`, or null. */
	readonly deadline: string | null;
	readonly itemsDone: number;
	readonly itemsTotal: number;
	readonly comments: number;
	/** The responsible person may move the deadline. */
	readonly mayMoveDeadline: boolean;
	/** Who gave the task says when it is done; the responsible side hands it in for review. */
	readonly control: boolean;
}

const person = reference('employee');
const deadline = v.nullable(day);
const state = v.picklist(TASK_STATES);
const priority = v.picklist(TASK_PRIORITIES);
const participants = membership('participants', 'employee');
const observers = membership('observers', 'employee');
const isPerson = (key: string) => isIdOf('employee', key);

export const task = defineKind<TaskRow>({
	kind: 'task',
	numbered: true,
	rowVersion: 2,
	fields: {
		...commonFields,
		title: field(title),
		/** With control it is an approval: whoever approves has seen what they approve of. */
		state: field(state, (cells) => (valueAt(cells, 'control') === true ? 'guarded' : 'later')),
		priority: field(priority),
		responsible: field(person),
		deadline: field(deadline),
		mayMoveDeadline: field(v.boolean()),
		control: field(v.boolean())
	},
	sets: { participants: { isMember: isPerson }, observers: { isMember: isPerson } },
	lists: { checklist: checklistParts, comments: commentParts },
	commands: {
		create: command(
			v.strictObject({
				title,
				responsible: v.optional(person),
				deadline: v.optional(deadline),
				state: v.optional(state),
				priority: v.optional(priority),
				mayMoveDeadline: v.optional(v.boolean()),
				control: v.optional(v.boolean()),
				participants: v.optional(v.pipe(v.array(person), v.maxLength(50))),
				observers: v.optional(v.pipe(v.array(person), v.maxLength(50)))
			}),
			(_state, args, context): Effect[] => [
				['created', true],
				['responsible', args.responsible ?? context.author],
				['state', args.state ?? 'pending'],
				...given(args, ['title', 'deadline', 'priority', 'mayMoveDeadline', 'control']),
				...(args.participants ?? []).map((id): Effect => [`participants/${id}`, true]),
				...(args.observers ?? []).map((id): Effect => [`observers/${id}`, true])
			],
			'new'
		),
		setTitle: setter('title', title),
		setState: setter('state', state),
		setPriority: setter('priority', priority),
		setResponsible: setter('responsible', person),
		setDeadline: setter('deadline', deadline),
		setMayMoveDeadline: setter('mayMoveDeadline', v.boolean()),
		setControl: setter('control', v.boolean()),
		addParticipant: participants.add,
		removeParticipant: participants.remove,
		addObserver: observers.add,
		removeObserver: observers.remove,
		...checklistCommands,
		...commentCommands,
		...deleteAndRestore
	},
	row(base, state): TaskRow {
		const items = checklistOf(state);
		return {
			...base,
			kind: 'task',
			title: valueAt(state, 'title') as string,
			state: valueAt(state, 'state') as TaskState,
			priority: (valueAt(state, 'priority') as TaskRow['priority'] | undefined) ?? 'normal',
			responsible: valueAt(state, 'responsible') as PersonId,
			participants: membersOf<'employee'>(state, 'participants'),
			observers: membersOf<'employee'>(state, 'observers'),
			deadline: (valueAt(state, 'deadline') as string | null | undefined) ?? null,
			itemsDone: items.filter((item) => item.done).length,
			itemsTotal: items.length,
			comments: commentsOf(state).length,
			mayMoveDeadline: valueAt(state, 'mayMoveDeadline') === true,
			control: valueAt(state, 'control') === true
		};
	},
	audience(row) {
		const people = new Set([row.createdBy, row.responsible, ...row.participants, ...row.observers]);
		return [...[...people].map((id) => `task:user:${id}` as const), 'admins'];
	}
});

