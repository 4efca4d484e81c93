/** How one command becomes writes, and how two meet: the cases by hand. The properties for every kind are in kinds/kinds.test.ts. */
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { CommandId, DocumentId, KindName, PersonId } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import type { DealRow } from '../kinds/deal.ts';
import type { TaskRow } from '../kinds/task.ts';
import { ANN, BEN, CAT, commandId, documentId, itemId, person } from '../testing/world.ts';
import { MAX_BATCH_COMMANDS, batchSchema, commandSchema, type Command } from './command.ts';
import { specAt } from './kind.ts';
import { MAX_ITEMS, checklistOf, day, money, shortText, title } from './parts.ts';
import { planCommand, rowOf, seenBy, type Plan } from './plan.ts';
import { EMPTY_STATE, applyWrites, valueAt, type RecordState } from './state.ts';

const NOW = 1_700_000_000_000;

/** One record with its relay; commands are made on the state that their author saw. */
class Desk {
	state: RecordState = EMPTY_STATE;
	readonly #kind;
	readonly id: DocumentId;
	readonly name: KindName;
	latest = NOW + 1_000_000;
	#commands = 0;
	constructor(name: KindName) {
		this.name = name;
		this.#kind = kindNamed(name);
		this.id = documentId(name, 1);
	}

	make(verb: string, args: unknown, author: PersonId = ANN, at = NOW, saw = this.state, id: CommandId = commandId(++this.#commands)) {
		const draft = { id, document: this.id, name: `${this.name}.${verb}`, args, at };
		return { command: { ...draft, seen: seenBy(this.#kind, saw, draft, author) } satisfies Command, author };
	}
	take({ command, author }: { command: Command; author: PersonId }): Plan {
		const plan = planCommand(this.#kind, this.state, command, { author, latest: this.latest });
		if (plan.kind === 'planned') this.state = applyWrites(this.state, plan.writes);
		return plan;
	}
	/** Made and taken at once. */
	do(verb: string, args: unknown, author: PersonId = ANN, at = NOW): Plan {
		return this.take(this.make(verb, args, author, at));
	}
	row<Row>(): Row {
		return rowOf(this.#kind, this.id, this.state) as Row;
	}
}

function desk(name: KindName, args: unknown): Desk {
	const made = new Desk(name);
	expect(made.do('create', args).kind).toBe('planned');
	return made;
}
const code = (plan: Plan) => (plan.kind === 'refused' ? plan.refusal.code : plan.kind);
const told = (plan: Plan) => (plan.kind === 'planned' ? plan.overruled : []);

describe('commands', () => {
	test('[C1] the author is the session, whatever the command says', () => {
		const task = new Desk('task');
		const { command } = task.make('create', { title: 'x' });
		task.take({ command: { ...command, author: BEN, by: BEN } as Command, author: CAT });
		expect(task.row<TaskRow>()).toMatchObject({ createdBy: CAT, responsible: CAT });
		expect(Object.keys(v.parse(commandSchema, { ...command, author: BEN }))).not.toContain('author');
	});

	test('[C2] a command belongs to its kind', () => {
		const task = desk('task', { title: 'x' });
		for (const name of ['task.fly', 'deal.setTitle', 'task.constructor', 'task.__proto__', 'task', '.setTitle', 'setTitle']) {
			expect(code(task.take({ author: ANN, command: { ...task.make('setTitle', { value: 'y' }).command, name } })), name).toBe('unknown-command');
		}
		const elsewhere = { ...task.make('setTitle', { value: 'y' }).command, document: documentId('deal', 1) };
		expect(code(task.take({ author: ANN, command: elsewhere }))).toBe('unknown-command');
	});

	test('[C4] a path that the kind does not declare has no declaration', () => {
		const task = kindNamed('task');
		const bad = ['constructor', '__proto__', 'nothing', 'title/x', 'participants', 'participants/x', `participants/${ANN}/x`, `checklist/${itemId(1)}`, `checklist/${itemId(1)}/x`, `checklist/${itemId(1)}/text/x`, 'checklist/x/text', `constructor/${itemId(1)}/name`, ''];
		for (const path of bad) expect(specAt(task, path), path).toBeNull();
		for (const path of ['title', `participants/${ANN}`, `checklist/${itemId(1)}/done`]) expect(specAt(task, path), path).not.toBeNull();
	});

	test('[C5] what does not fit the schema is refused as bad-value, and the sentence quotes little of it', () => {
		const task = desk('task', { title: 'x' });
		const before = task.state;
		for (const args of [{}, { value: '' }, { value: '   ' }, { value: 'x'.repeat(251) }, { value: 7 }, { value: 'y', more: 1 }, null, [], 'y', { value: ['y'.repeat(1e6)] }]) {
			const plan = task.do('setTitle', args);
			expect(code(plan)).toBe('bad-value');
			if (plan.kind === 'refused') expect(plan.refusal.detail.length).toBeLessThan(300);
		}
		expect(task.state).toBe(before);
	});

	test('[C5] titles are trimmed and whole characters, days are in the calendar, money has cents', () => {
		expect(v.parse(title, '  Call Ann ')).toBe('Call Ann');
		expect(v.parse(shortText, 'half \ud83d')).toBe('half \ufffd');
		for (const bad of ['2026-02-31', '2025-02-29', '2026-1-1', '2026-13-01', 'x']) expect(v.is(day, bad), bad).toBe(false);
		for (const good of ['2024-02-29', '2026-11-30', '0001-01-01']) expect(v.is(day, good), good).toBe(true);
		for (const good of [0, 0.1 + 0.2, 199.99, -0.01, 1e12, 72_453_071_046.31, 1234567890.12]) expect(v.is(money, good), String(good)).toBe(true);
		for (let cents = 1; cents < 1e14; cents = cents * 3 + 7) expect(v.parse(money, cents / 100)).toBe(cents / 100);
		for (const bad of [0.001, 1.005, 1e12 + 1, Number.NaN, Infinity, 1e308, '1']) expect(v.is(money, bad), String(bad)).toBe(false);
		expect(v.parse(money, 0.1 + 0.2)).toBe(0.3);
		expect(Object.is(v.parse(money, -0), 0)).toBe(true);
	});

	test('[C6] a record is made once, is there before it is changed, and comes back only where it was', () => {
		const task = new Desk('task');
		expect(code(task.do('setTitle', { value: 'x' }))).toBe('not-found');
		expect(code(task.do('restore', {}))).toBe('not-found');
		task.do('create', { title: 'x' });
		expect(code(task.do('create', { title: 'x' }))).toBe('exists');
		task.do('delete', {});
		expect(code(task.do('create', { title: 'x' }))).toBe('exists');
		expect(task.row<TaskRow>().deleted).toBe(true);
		task.do('restore', {}, BEN);
		expect(task.row<TaskRow>()).toMatchObject({ deleted: false, createdBy: ANN, title: 'x' });
		// Two who bring it back want the same.
		expect(code(task.do('restore', {}))).toBe('planned');
	});

	test('[C7] the schema holds a batch to its ceilings and a command to its shape', () => {
		const { command } = new Desk('task').make('create', { title: 'x' });
		const batch = (n: number) => ({ id: `batch_${command.id.slice(8)}`, commands: Array.from({ length: n }, () => command) });
		expect([0, 1, MAX_BATCH_COMMANDS, MAX_BATCH_COMMANDS + 1].map((n) => v.is(batchSchema, batch(n)))).toEqual([false, true, true, false]);
		const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`p${n}`, command.id]));
		for (const wrong of [{ id: 'x' }, { document: 'task_1' }, { name: 'task' }, { name: 'a.b.c' }, { at: -1 }, { at: 1.5 }, { at: Infinity }, { seen: many }, { seen: { x: 'y' } }, { seen: { ['x'.repeat(200)]: command.id } }]) {
			expect(v.is(commandSchema, { ...command, ...wrong }), JSON.stringify(wrong).slice(0, 60)).toBe(false);
		}
	});

	test('[C8] what a command saw names the last writer of each path that it replaces, and nothing else', () => {
		const task = desk('task', { title: 'x' });
		expect(task.make('setTitle', { value: 'y' }).command.seen).toEqual({ title: commandId(1) });
		expect(task.make('setDeadline', { value: null }).command.seen).toEqual({});
		expect(task.make('setTitle', { value: 7 }).command.seen).toEqual({});
		expect(task.make('tickItem', { item: itemId(1), done: true }).command.seen).toEqual({});
	});
});

describe('how writers meet', () => {
	test('[M1] a field that nobody wrote, or whose last command the author names, was seen', () => {
		const task = desk('task', { title: 'x' });
		expect(told(task.do('setDeadline', { value: '2026-11-30' }, BEN))).toEqual([]);
		expect(told(task.do('setDeadline', { value: '2026-12-01' }, CAT))).toEqual([]);
		const blind = task.make('setDeadline', { value: '2026-12-24' }, BEN, NOW + 1, EMPTY_STATE);
		expect(told(task.take(blind))).toHaveLength(1);
	});

	test('[M1] the author’s own pending command counts as seen', () => {
		const deal = desk('deal', { title: 'x', amount: 1 });
		const first = deal.make('setAmount', { value: 2 });
		const planned = planCommand(kindNamed('deal'), deal.state, first.command, { author: ANN, latest: NOW });
		if (planned.kind === 'refused') throw new Error('refused');
		const second = deal.make('setAmount', { value: 3 }, ANN, NOW, applyWrites(deal.state, planned.writes));
		expect([code(deal.take(first)), code(deal.take(second))]).toEqual(['planned', 'planned']);
		expect(deal.row<DealRow>().amount).toBe(3);
	});

	test('[M2] a clock that runs ahead is held to the relay’s', () => {
		const task = desk('task', { title: 'x' });
		task.latest = NOW + 50;
		task.do('setTitle', { value: 'from the future' }, BEN, NOW + 1e9);
		expect(task.state.get('title')!.at).toBe(NOW + 50);
	});

	test('[M3] who saw the old value replaces it, also with a clock that was set back', () => {
		const task = desk('task', { title: 'x' });
		const plan = task.do('setTitle', { value: 'y' }, BEN, NOW - 1e6);
		expect(told(plan)).toEqual([]);
		expect(task.state.get('title')).toMatchObject({ value: 'y', at: NOW, by: BEN });
	});

	test('[M4] money is guarded: who did not see the last sum is refused and shown it', () => {
		const deal = desk('deal', { title: 'x', amount: 1 });
		const [ann, ben] = [deal.make('setAmount', { value: 2 }), deal.make('setAmount', { value: 3 }, BEN, NOW + 9)];
		expect(code(deal.take(ann))).toBe('planned');
		expect(deal.take(ben)).toMatchObject({ refusal: { code: 'stale', current: { path: 'amount', value: 2, by: ANN, command: ann.command.id } } });
		expect(deal.row<DealRow>().amount).toBe(2);
	});

	test('[M4] a stage is plain while the deal is open and guarded once it is closed', () => {
		const deal = desk('deal', { title: 'x' });
		const late = deal.make('moveToStage', { value: 'engaging' }, BEN, NOW + 9);
		const win = deal.make('moveToStage', { value: 'won' }, ANN, NOW + 1);
		const lose = deal.make('moveToStage', { value: 'lost' }, CAT, NOW + 2);
		expect(code(deal.take(win))).toBe('planned');
		expect(code(deal.take(lose))).toBe('stale');
		expect(code(deal.take(late))).toBe('stale');
		expect(code(deal.do('moveToStage', { value: 'engaging' }, BEN))).toBe('planned');
	});

	test.each([
		['the later authored', 1, 2, 'Ben'],
		['the earlier arrived', 2, 1, 'Ann'],
		['at one time the higher command id', 1, 1, 'Ben']
	])('[M5] a plain field: %s stands and the other person is told', (_, annAt, benAt, winner) => {
		const task = desk('task', { title: 'x' });
		const ann = task.make('setTitle', { value: 'Ann' }, ANN, NOW + annAt);
		const ben = task.make('setTitle', { value: 'Ben' }, BEN, NOW + benAt);
		task.take(ann);
		const loser = winner === 'Ann' ? 'Ben' : 'Ann';
		expect(told(task.take(ben))).toMatchObject([{ path: 'title', stands: { value: winner }, gaveWay: { value: loser, by: loser === 'Ann' ? ANN : BEN } }]);
		expect(task.row<TaskRow>().title).toBe(winner);
	});

	test('[M5] nobody is told who lost nothing: the same value, or the same person on two devices', () => {
		const task = desk('task', { title: 'x' });
		const [one, same, own] = [task.make('setTitle', { value: 'y' }), task.make('setTitle', { value: 'y' }, BEN), task.make('setTitle', { value: 'z' }, BEN, NOW + 1)];
		task.take(one);
		expect(told(task.take(same))).toEqual([]);
		expect(told(task.take(own))).toEqual([]);
		expect(task.row<TaskRow>().title).toBe('z');
	});

	test('[M6] members, items, ticks, moves and comments of several people all survive', () => {
		const task = desk('task', { title: 'x' });
		task.do('addItem', { item: itemId(1), text: 'one', position: 'a0' });
		task.do('addItem', { item: itemId(2), text: 'two', position: 'a1' });
		const made = [
			task.make('addParticipant', { member: BEN }, ANN), task.make('addParticipant', { member: CAT }, BEN), task.make('addParticipant', { member: CAT }, CAT),
			task.make('tickItem', { item: itemId(1), done: true }, ANN), task.make('moveItem', { item: itemId(1), position: 'a2' }, BEN), task.make('editItem', { item: itemId(1), text: 'eins' }, CAT),
			task.make('removeItem', { item: itemId(2) }, BEN), task.make('addItem', { item: itemId(3), text: 'three', position: 'a0' }, CAT),
			task.make('comment', { item: itemId(4), text: 'hi' }, ANN), task.make('comment', { item: itemId(5), text: 'hello' }, BEN),
			task.make('setTitle', { value: 'y' }, ANN), task.make('setDeadline', { value: '2026-11-30' }, BEN)
		];
		for (const one of made) expect(task.take(one)).toMatchObject({ kind: 'planned', overruled: [] });
		expect(task.row<TaskRow>()).toMatchObject({ title: 'y', deadline: '2026-11-30', participants: [BEN, CAT], itemsDone: 1, itemsTotal: 2, comments: 2 });
		expect(checklistOf(task.state).map(({ id, text, done }) => [id, text, done])).toEqual([[itemId(3), 'three', false], [itemId(1), 'eins', true]]);
	});

	test('[M6] items at one position stand by id', () => {
		const task = desk('task', { title: 'x' });
		for (const n of [3, 1, 2]) task.do('addItem', { item: itemId(n), text: `${n}`, position: 'a0' });
		expect(checklistOf(task.state).map(({ id }) => id)).toEqual([1, 2, 3].map(itemId));
	});

	test('[M7] a deleted record and a removed item take nothing more, and say so', () => {
		const task = desk('task', { title: 'x' });
		task.do('addItem', { item: itemId(1), text: 'one', position: 'a0' });
		task.do('comment', { item: itemId(2), text: 'hi' });
		const late = [
			task.make('tickItem', { item: itemId(1), done: true }, BEN), task.make('moveItem', { item: itemId(1), position: 'a1' }, BEN),
			task.make('editItem', { item: itemId(1), text: 'y' }, BEN), task.make('editComment', { item: itemId(2), text: 'y' }), task.make('removeComment', { item: itemId(2) })
		];
		task.do('removeItem', { item: itemId(1) });
		task.do('removeComment', { item: itemId(2) });
		expect(late.map((one) => code(task.take(one)))).toEqual(late.map(() => 'target-gone'));
		const title = task.make('setTitle', { value: 'y' }, BEN, NOW + 99);
		task.do('delete', {});
		expect(code(task.take(title))).toBe('target-gone');
		expect(valueAt(task.state, 'title')).toBe('x');
	});

	test('[M7] a list has a ceiling, and an item is made once', () => {
		const task = desk('task', { title: 'x' });
		for (let n = 1; n <= MAX_ITEMS; n++) task.do('addItem', { item: itemId(n), text: 'x', position: 'a0' });
		expect(code(task.do('addItem', { item: itemId(1), text: 'x', position: 'a0' }))).toBe('target-gone');
		expect(code(task.do('addItem', { item: itemId(MAX_ITEMS + 1), text: 'x', position: 'a0' }))).toBe('target-gone');
		expect(task.row<TaskRow>().itemsTotal).toBe(MAX_ITEMS);
		task.do('comment', { item: itemId(1), text: 'x' });
		expect(code(task.do('comment', { item: itemId(1), text: 'y' }))).toBe('target-gone');
	});

	test('[M3] a member who was removed and added again is there', () => {
		const task = desk('task', { title: 'x' });
		for (const verb of ['addObserver', 'removeObserver', 'addObserver']) task.do(verb, { member: person(4) });
		expect(task.row<TaskRow>().observers).toEqual([person(4)]);
	});
});
