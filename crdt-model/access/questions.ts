/**
 * What one may and may not do with a record: its kind's main actions, each asked of the rule book as if it were done now and changed nothing. What a
 * screen or REST answers to "why can I (not)" beside the reading (SPEC A15).
 */
import type { CommandId, ItemId, KindName, PersonId } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import type { BaseRow } from '../record/kind.ts';
import { planCommand, rowOf, seenBy } from '../record/plan.ts';
import { applyWrites, type RecordState } from '../record/state.ts';
import { explain, type Opening } from './explain.ts';
import type { Principal } from './principals.ts';
import type { Actor, Verdict, World } from './verdict.ts';

interface Question {
	readonly verb: string;
	/** Undefined: the new value is the present one of this field. */
	readonly args: (row: Readonly<Record<string, unknown>>, item: ItemId) => unknown;
}

const setting = (verb: string, field: string): Question => ({ verb, args: (row) => ({ value: row[field] }) });
const plain = (verb: string): Question => ({ verb, args: () => ({}) });
const comment: Question = { verb: 'comment', args: (_row, item) => ({ item, text: '…' }) };
const title = setting('setTitle', 'title');
const name = setting('setName', 'name');
const responsible = setting('setResponsible', 'responsible');
const remove = plain('delete');

/** The main actions of each kind, most used first; `write` is the content of a page or text. */
const QUESTIONS: Readonly<Record<KindName, readonly Question[]>> = {
	settings: [setting('setCompany', 'company')],
	employee: [setting('setPosition', 'position'), setting('setAdministrator', 'administrator'), plain('dismiss')],
	department: [name, setting('move', 'parent'), setting('setHead', 'head'), remove],
	group: [name, setting('setVisibility', 'visibility'), setting('setOwner', 'owner'), remove],
	role: [name, remove],
	task: [
		title, setting('setDeadline', 'deadline'), responsible, setting('setState', 'state'), setting('setPriority', 'priority'),
		{ verb: 'addItem', args: (_row, item) => ({ item, text: '…', position: 'a0' }) }, comment, remove
	],
	company: [name, responsible, remove],
	product: [name, setting('setPrice', 'price'), remove],
	deal: [title, setting('moveToStage', 'stage'), setting('setAmount', 'amount'), responsible, comment, remove],
	page: [title, { verb: 'write', args: () => null }, remove],
	text: [title, { verb: 'write', args: () => null }, remove],
	file: [name, remove],
	proposal: [plain('apply'), plain('decline'), plain('withdraw')]
};

export interface Answered {
	/** `setAmount`, or `write` for content. */
	readonly verb: string;
	readonly verdict: Verdict;
}

export interface Access {
	readonly visible: boolean;
	readonly openings: readonly Opening[];
	/** Who could read it, as far as whoever asks may know. */
	readonly who: readonly Principal[];
	/** Empty for whoever does not see it: what they may do with it would tell of it. */
	readonly may: readonly Answered[];
}

/** Ids that no record holds. */
const NOBODY = '00000000-0000-7000-8000-000000000000';
const ITEM = `item_${NOBODY}` as ItemId;
const COMMAND = `command_${NOBODY}` as CommandId;

/**
 * Why a person sees a record or not, and what they may do with it. Whoever asks for somebody else must be allowed to: that is the caller's to see to.
 * @param asking who is told, where that is another person
 */
export function accessTo(actor: Actor, row: BaseRow, state: RecordState, world: World, asking: Actor = actor): Access {
	const reading = explain(actor, 'read', row, world, asking);
	if (reading.action !== 'read') throw new Error('reading was asked for');
	const { visible, openings, who } = reading;
	const may = visible ? QUESTIONS[row.kind].flatMap((question) => answered(question, actor, row, state, world)) : [];
	return { visible, openings, who, may };
}

function answered({ verb, args }: Question, actor: Actor, row: BaseRow, state: RecordState, world: World): Answered[] {
	const verdictOf = (explained: ReturnType<typeof explain>): Verdict => (explained.action === 'change' ? explained.verdict : { allow: explained.visible, rule: 'read', code: 'not-found', who: [] });
	if (verb === 'write') return [{ verb, verdict: verdictOf(explain(actor, 'write', row, world)) }];
	const kind = kindNamed(row.kind);
	const bare = { id: COMMAND, document: row.id, name: `${row.kind}.${verb}`, args: args(row as unknown as Record<string, unknown>, ITEM), at: row.updatedAt };
	const person: PersonId = actor.person;
	const plan = planCommand(kind, state, { ...bare, seen: seenBy(kind, state, bare, person) }, { author: person, latest: row.updatedAt });
	// A deleted record takes nothing but being brought back; that is no matter of rights.
	if (plan.kind === 'refused') return plan.refusal.code === 'target-gone' ? [] : [{ verb, verdict: { allow: false, code: 'denied', rule: plan.refusal.code, who: [] } }];
	const next = applyWrites(state, plan.writes);
	const change = { before: { row, state }, next: { row: rowOf(kind, row.id, next) ?? row, state: next }, changed: plan.writes.map(({ path }) => path) };
	return [{ verb, verdict: verdictOf(explain(actor, change, row, world)) }];
}
