/**
 * Random commands for every kind, derived from the kind's own table: a new command is generated from the day it is declared. A schema that
 * the generator cannot fill stops the tests with a sentence; nothing is skipped in silence.
 */
import fc from 'fast-check';
import * as v from 'valibot';
import { KINDS, pageOf, type CommandId, type KindName } from '../ids.ts';
import type { Command } from '../record/command.ts';
import type { Kind } from '../record/kind.ts';
import { kindNamed } from '../kinds/index.ts';
import { EMPTY_STATE, applyWrites, type RecordState } from '../record/state.ts';
import { planCommand, seenBy, type Plan } from '../record/plan.ts';
import { PEOPLE, commandId, documentId, itemId } from './world.ts';

/** Few of each, so that commands meet. */
const ITEMS = [1, 2, 3].map(itemId);
const IDS = KINDS.flatMap((kind) => [1, 2, 3].map((n) => documentId(kind, n)));
const CANDIDATES: readonly unknown[] = [
	...IDS, ...ITEMS, 'all', `user:${IDS.find((id) => id.startsWith('employee_'))!}`, `departments:${IDS.find((id) => id.startsWith('department_'))!}`, 'application/pdf', 'a'.repeat(64), 'deal.setAmount', 'title',
	null, true, false, 0, 1, 12, 199.99, -3.5, 1234567890.12,
	'a', 'Call Ann', '  padded  ', 'half an emoji \ud83d', '<b>x</b>', 'EUR', 'RON', 'ann@example.com', '2026-11-30', '2026-12-01', '09:00', '18:00', 'portal.acme.example', 'https://www.acme.example', '10.0.0.0/8', '#1a2b3c', 'image/webp', 'a0', 'a1V', 'Zz', 'x'.repeat(250)
];

interface AnySchema extends v.GenericSchema {
	readonly wrapped?: v.GenericSchema;
	readonly item?: v.GenericSchema;
	readonly entries?: Readonly<Record<string, v.GenericSchema>>;
	readonly options?: readonly string[];
	readonly pipe?: readonly unknown[];
}

/** Values that the schema takes. */
export function fits(given: v.GenericSchema): fc.Arbitrary<unknown> {
	const schema = given as AnySchema;
	if (schema.type === 'strict_object' && schema.entries) {
		const entries = Object.entries(schema.entries);
		const requiredKeys = entries.filter(([, entry]) => entry.type !== 'optional').map(([key]) => key);
		const records = fc.record(Object.fromEntries(entries.map(([key, entry]) => [key, fits(entry)])), { requiredKeys, noNullPrototype: true });
		return schema.pipe ? records.filter((value) => v.is(schema, value)) : records;
	}
	if (schema.type === 'optional') return fits(schema.wrapped!);
	if (schema.type === 'nullable') return fc.oneof({ arbitrary: fits(schema.wrapped!), weight: 4 }, fc.constant(null));
	if (schema.type === 'array') return fc.array(fits(schema.item!), { maxLength: 4 });
	const known = [...CANDIDATES, ...(schema.options ?? [])].filter((value) => v.is(schema, value));
	if (known.length === 0) throw new Error(`the generator knows no value for ${schema.type} (${schema.expects}); give it a candidate`);
	return fc.constantFrom(...known);
}

function nested(depth: number): unknown {
	let value: unknown = [];
	for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { value };
	return value;
}

/** What a hand-made client may send as arguments: JSON, what lib0 adds to it, and known tricks. */
export const hostileArgs: fc.Arbitrary<unknown> = fc.oneof(
	fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>,
	fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true, maxDepth: 3 }),
	fc.constantFrom<unknown>(
		JSON.parse('{"__proto__":{"value":"x"},"value":"y"}'),
		JSON.parse('{"constructor":1,"toString":2,"hasOwnProperty":3}'),
		{ value: 'x'.repeat(300_000) }, { value: { toString: 1 } }, { value: Number.NaN }, { value: Infinity }, { value: -0 }, { value: [[[]]] },
		{ value: '2026-02-31' }, { member: '__proto__' }, { member: 'employee_x/y' }, { item: 'item_/../text' }, { item: itemId(1), text: '' },
		nested(20_000), undefined, null, 7n, new Uint8Array(3)
	)
);

/** One step of a history: who does what, how late their view is, and what their clock says. */
export interface Step {
	readonly verb: string;
	readonly args: unknown;
	readonly author: number;
	/** How many steps of the history the author had not seen. */
	readonly lag: number;
	/** Milliseconds that the author's clock is off from the step's turn. */
	readonly skew: number;
	/** Replaces the order of command ids, which settles ties. */
	readonly rank: number;
}

export function stepOf(kind: Kind, verbs: readonly string[] = Object.keys(kind.commands), hostile = 1): fc.Arbitrary<Step> {
	return fc.constantFrom(...verbs).chain((verb) =>
		fc.record({
			verb: fc.constant(verb),
			args: fc.oneof({ arbitrary: argsOf(kind, verb), weight: 9 }, { arbitrary: hostileArgs, weight: hostile }),
			author: fc.nat(PEOPLE.length - 1),
			lag: fc.oneof({ arbitrary: fc.constant(0), weight: 2 }, fc.nat(6)),
			skew: fc.integer({ min: -5, max: 5 }),
			rank: fc.nat(0xffff)
		})
	);
}

export function argsOf(kind: Kind, verb: string): fc.Arbitrary<unknown> {
	const declared = kind.commands[verb]!;
	const args = fits(declared.args);
	// The page of a record carries the record's uuid; any other id would only be refused.
	if (kind.kind === 'page' && verb === 'hang') return args.map((given) => ({ ...(given as object), on: documentId('task', RECORD) }));
	return args;
}

/** Every history is of one record. Its uuid is that of the task that a page hangs on. */
const RECORD = 9;
export const recordOf = (kind: KindName) => (kind === 'page' ? pageOf(documentId('task', RECORD)) : documentId(kind, RECORD));

/** A maker first, so that most steps find a record; deletions are few, so that it lives. */
export function historyOf(kind: Kind, maxLength = 25): fc.Arbitrary<Step[]> {
	const verbs = Object.keys(kind.commands);
	const makers = verbs.filter((verb) => kind.commands[verb]!.needs === 'new');
	const common = verbs.filter((verb) => verb !== 'delete' && verb !== 'restore' && !makers.includes(verb));
	const any = fc.oneof(
		{ arbitrary: stepOf(kind, common), weight: 12 },
		{ arbitrary: stepOf(kind), weight: 2 }
	);
	return fc.tuple(stepOf(kind, makers, 0), fc.array(any, { maxLength })).map(([first, rest]) => [first, ...rest]);
}

export interface Played {
	readonly command: Command;
	readonly author: (typeof PEOPLE)[number];
	readonly before: RecordState;
	readonly plan: Plan;
	/** The relay's clock at this step. */
	readonly now: number;
}

export const START = 1_700_000_000_000;

/** Plays a history as the relay would: each step planned on what all steps before it left. */
export function play(name: KindName, steps: readonly Step[]): { state: RecordState; played: Played[] } {
	const kind = kindNamed(name);
	const states: RecordState[] = [EMPTY_STATE];
	const played: Played[] = [];
	steps.forEach((step, turn) => {
		const before = states[turn]!;
		const author = PEOPLE[step.author]!;
		const now = START + turn * 3;
		const draft = draftOf(name, step.verb, step.args, now + step.skew, commandId(step.rank * 1_000 + turn + 1));
		const command = { ...draft, seen: seenBy(kind, states[Math.max(0, turn - step.lag)]!, draft, author) };
		const plan = planCommand(kind, before, command, { author, latest: now });
		played.push({ command, author, before, plan, now });
		states.push(plan.kind === 'planned' ? applyWrites(before, plan.writes) : before);
	});
	return { state: states.at(-1)!, played };
}

export function draftOf(name: KindName, verb: string, args: unknown, at: number, id: CommandId): Omit<Command, 'seen'> {
	return { id, document: recordOf(name), name: `${name}.${verb}`, args, at };
}

/** In one order whatever the order of writing, for comparing. */
export function sorted(state: RecordState) {
	return [...state].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Freezes to the bottom without recursion: the hostile arguments nest deeper than the stack. */
export function freezeDeep<T>(root: T): T {
	const open: unknown[] = [root];
	while (open.length > 0) {
		const value = open.pop();
		if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) continue;
		Object.freeze(value);
		open.push(...Object.values(value));
	}
	return root;
}

/** A state whose writers are caught. */
export class FrozenState extends Map<string, never> {
	#closed = false;
	constructor(state: RecordState) {
		super(state as ReadonlyMap<string, never>);
		this.#closed = true;
	}
	override set(key: string, value: never): this {
		// The constructor of Map calls this before the field is there.
		if (#closed in this && this.#closed) throw new Error(`the state was written at ${key}`);
		return super.set(key, value);
	}
	override delete(): never {
		throw new Error('the state was deleted from');
	}
	override clear(): never {
		throw new Error('the state was cleared');
	}
}
