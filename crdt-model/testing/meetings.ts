/**
 * How each pair of commands meets when neither author saw the other's: made by running them, for docs/meetings.md. A command that is declared
 * is in the table from that day on; one whose arguments cannot be made up stops the test with a sentence.
 */
import * as v from 'valibot';
import { KINDS, type CommandId, type KindName, type PersonId } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import type { Kind } from '../record/kind.ts';
import { planCommand, seenBy, type Plan } from '../record/plan.ts';
import { EMPTY_STATE, applyWrites, type RecordState } from '../record/state.ts';
import { recordOf } from './commands.ts';
import { ANN, BEN, CAT, commandId, documentId, itemId } from './world.ts';

/** How the second of two meets the first. */
export type Meets =
	/** They are about different things, or say the same. */
	| 'both'
	| 'later'
	/** The second is refused, and shown what stands there. */
	| 'stale'
	/** What the second is about is no longer there. */
	| 'gone'
	| 'exists';

const MARKS: Readonly<Record<Meets, string>> = { both: '·', later: '**L**', stale: '**S**', gone: 'G', exists: 'E' };

export interface Variant {
	readonly title: string;
	/** What happened, and was seen by both, before they meet. */
	readonly before?: { readonly verb: string; readonly args: unknown };
	/** What the first and the second say instead. */
	readonly says: Readonly<Record<string, readonly [unknown, unknown]>>;
}

/** Where the values matter: the stage of a closed deal is guarded, and the state of a task that is approved of. */
export const VARIANTS: Partial<Record<KindName, readonly Variant[]>> = {
	task: [{ title: 'Where whoever gave the task says when it is done', before: { verb: 'setControl', args: { value: true } }, says: { setControl: [{ value: true }, { value: true }] } }],
	deal: [
		{ title: 'Where the first closes the deal', says: { moveToStage: [{ value: 'won' }, { value: 'engaging' }] } },
		{ title: 'On a closed deal that the first leaves closed', before: { verb: 'moveToStage', args: { value: 'won' } }, says: { moveToStage: [{ value: 'lost' }, { value: 'engaging' }] } }
	]
};

const T0 = 1_700_000_000_000;

/** What each side says; the third is what stood there before. */
const WORDS = ['one', 'other', 'before'] as const;
type Side = 0 | 1 | 2;

const CANDIDATES: readonly (readonly unknown[])[] = [
	['Offer A', 'Offer B', 'Offer'],
	...KINDS.map((kind) => [11, 12, 13].map((n) => documentId(kind, n))),
	[11, 12, 13].map((n) => `user:${documentId('employee', n)}`),
	[100.5, 200.5, 300.5], [10, 20, 30], ['2026-11-30', '2026-12-01', '2026-12-02'], ['a1', 'a2', 'a3'], ['EUR', 'RON', 'USD'], ['en', 'ro', 'en'],
	['a@example.com', 'b@example.com', 'c@example.com'], ['a.example.com', 'b.example.com', 'c.example.com'], ['image/png', 'image/gif', 'image/webp'],
	['0', '1', '2'].map((digit) => digit.repeat(64)),
	[{ opportunity_id: 'A' }, { opportunity_id: 'B' }, { opportunity_id: 'C' }],
	['#1a2b3c', '#2b3c4d', '#3c4d5e'], ['10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16'],
	['a', 'b', 'c'].map((name) => `https://${name}.example.com`),
	['08:00', '09:00', '10:00'].map((from) => ({ days: [1, 2, 3], from, to: '17:00' })),
	[true, false, false], [1_700_000_000_001, 1_700_000_000_002, 1_700_000_000_003]
];

interface AnySchema extends v.GenericSchema {
	readonly wrapped?: v.GenericSchema;
	readonly item?: v.GenericSchema;
	readonly entries?: Readonly<Record<string, v.GenericSchema>>;
	readonly options?: readonly unknown[];
}

/** A value that the schema takes; another one for each side. */
function value(given: v.GenericSchema, side: Side): unknown {
	const schema = given as AnySchema;
	if (schema.type === 'optional' || schema.type === 'nullable') return value(schema.wrapped!, side);
	const found = CANDIDATES.find((candidates) => candidates.every((one) => v.is(schema, one)));
	if (found && schema.type !== 'picklist') return found[side];
	if (schema.type === 'strict_object' && schema.entries) return Object.fromEntries(Object.entries(schema.entries).map(([name, entry]) => [name, value(entry, side)]));
	if (schema.type === 'array') return [value(schema.item!, side)];
	if (schema.type === 'picklist') return schema.options![(side + 1) % schema.options!.length];
	throw new Error(`no value is known for ${schema.type} (${schema.expects}): give meetings.ts a candidate`);
}

/** What the target of a command is called in its arguments: both sides mean the same one, whatever else they say. */
const TARGETS = ['member', 'key', 'item'];

function argsOf(kind: Kind, verb: string, side: Side): unknown {
	const spec = kind.commands[verb]!;
	const entries = (spec.args as AnySchema).entries ?? {};
	const args = Object.entries(entries)
		// A maker's options are not what it is about, and some exclude each other.
		.filter(([, entry]) => spec.needs !== 'new' || entry.type !== 'optional')
		.map(([name, entry]): [string, unknown] => [name, name === 'item' ? itemOf(verb, side) : value(entry, TARGETS.includes(name) ? 0 : side)]);
	const made = Object.fromEntries(args);
	if (verb === 'hang') made['on'] = documentId('task', Number.parseInt(recordOf(kind.kind).slice(-12), 16));
	// A proposal is of commands or of a text.
	if (kind.kind === 'proposal' && verb === 'create') made['text'] = WORDS[side];
	if (!v.is(spec.args, made)) throw new Error(`${kind.kind}.${verb} does not take ${JSON.stringify(made)}`);
	return made;
}

/** Two who make an item make two; two who change one mean the same. */
function itemOf(verb: string, side: Side) {
	return verb === 'addItem' || verb === 'comment' ? itemId(verb === 'addItem' ? [2, 3, 1][side]! : [5, 6, 4][side]!) : itemId(/omment$/.test(verb) ? 4 : 1);
}

interface Made {
	readonly author: PersonId;
	readonly at: number;
	readonly id: CommandId;
}

function run(kind: Kind, state: RecordState, seen: RecordState, verb: string, args: unknown, { author, at, id }: Made): Plan {
	const draft = { id, document: recordOf(kind.kind), name: `${kind.kind}.${verb}`, args, at };
	return planCommand(kind, state, { ...draft, seen: seenBy(kind, seen, draft, author) }, { author, latest: T0 + 1_000_000 });
}

/** Verbs that would end what the others are about. */
const ENDS = /^(?:delete|erase|restore|remove|leave|dismiss|apply|decline|withdraw)/;

/** A record of which every part has been written once and was seen by everyone. */
function baseOf(kind: Kind): RecordState {
	const verbs = Object.keys(kind.commands);
	const maker = verbs.find((verb) => kind.commands[verb]!.needs === 'new')!;
	let state: RecordState = EMPTY_STATE;
	[maker, ...verbs.filter((verb) => kind.commands[verb]!.needs !== 'new' && !ENDS.test(verb))].forEach((verb, n) => {
		const plan = run(kind, state, state, verb, argsOf(kind, verb, 2), { author: ANN, at: T0 + n, id: commandId(n + 1) });
		if (plan.kind === 'planned') state = applyWrites(state, plan.writes);
	});
	return state;
}

function meetingOf(kind: Kind, base: RecordState, first: string, second: string, says: Variant['says'] = {}): Meets {
	const [saidFirst, saidSecond] = [says[first]?.[0] ?? argsOf(kind, first, 0), says[second]?.[1] ?? argsOf(kind, second, 1)];
	const found = [-1, 1].map((skew): Meets => {
		const one = run(kind, base, base, first, saidFirst, { author: BEN, at: T0 + 1_000, id: commandId(1_001) });
		if (one.kind === 'refused') throw new Error(`${kind.kind}.${first} is refused on the base: ${one.refusal.detail}`);
		const state = applyWrites(base, one.writes);
		const two = run(kind, state, base, second, saidSecond, { author: CAT, at: T0 + 1_000 + skew, id: commandId(1_002) });
		if (two.kind === 'planned') return two.overruled.length > 0 ? 'later' : 'both';
		const { code } = two.refusal;
		if (code === 'target-gone') return 'gone';
		if (code === 'stale' || code === 'exists') return code;
		throw new Error(`${kind.kind}.${second} after ${first}: ${code} ${two.refusal.detail}`);
	});
	// A value that is the same from both makes nobody give way, whichever is later; all else may not depend on the clock.
	if (found[0] !== found[1]) throw new Error(`${kind.kind}: ${first} and ${second} meet as ${found[0]} or ${found[1]}, by the clock`);
	return found[0]!;
}

export function meetingsOf(name: KindName, variant?: Variant): { readonly verbs: readonly string[]; readonly cells: readonly (readonly Meets[])[] } {
	const kind = kindNamed(name);
	let base = baseOf(kind);
	if (variant?.before) {
		const plan = run(kind, base, base, variant.before.verb, variant.before.args, { author: ANN, at: T0 + 900, id: commandId(900) });
		if (plan.kind === 'refused') throw new Error(plan.refusal.detail);
		base = applyWrites(base, plan.writes);
	}
	const verbs = Object.keys(kind.commands).filter((verb) => kind.commands[verb]!.needs !== 'new');
	return { verbs, cells: verbs.map((first) => verbs.map((second) => meetingOf(kind, base, first, second, variant?.says))) };
}

function makersOf(name: KindName): string {
	const kind = kindNamed(name);
	const makers = Object.keys(kind.commands).filter((verb) => kind.commands[verb]!.needs === 'new');
	const pairs = makers.flatMap((first) => makers.map((second) => {
		const one = run(kind, EMPTY_STATE, EMPTY_STATE, first, argsOf(kind, first, 0), { author: BEN, at: T0, id: commandId(1) });
		const state = one.kind === 'planned' ? applyWrites(EMPTY_STATE, one.writes) : EMPTY_STATE;
		const two = run(kind, state, EMPTY_STATE, second, argsOf(kind, second, 1), { author: CAT, at: T0, id: commandId(2) });
		return two.kind === 'refused' ? two.refusal.code : two.kind;
	}));
	return `${makers.map((verb) => `\`${verb}\``).join(', ')}: a second one of the same id is refused as ${[...new Set(pairs)].map((code) => `\`${code}\``).join(', ')}.`;
}

function tableOf({ verbs, cells }: ReturnType<typeof meetingsOf>): string {
	const head = `| first ↓ second → | ${verbs.map((_verb, n) => n + 1).join(' | ')} |`;
	const line = `|---|${verbs.map(() => ':-:|').join('')}`;
	return [head, line, ...cells.map((row, n) => `| ${n + 1} ${verbs[n]} | ${row.map((cell) => MARKS[cell]).join(' | ')} |`)].join('\n');
}

/** The whole page; the same for the same code. */
export function meetingsPage(): string {
	const parts = KINDS.map((name) => {
		const variants = (VARIANTS[name] ?? []).map((variant) => `${variant.title}:\n\n${tableOf(meetingsOf(name, variant))}\n`);
		return [`## ${name}`, '', makersOf(name), '', tableOf(meetingsOf(name)), '', ...variants].join('\n');
	});
	return `# How commands meet

Two people change one record, and neither has seen the other's change. The relay takes one first (the row), then the other (the column); this page says what
becomes of the second. It is made by running every pair on a record of which every part was written before, both about the same item, person or key, with different
values, by two people, and with either of them being the later author. Rules: \`crdt-model/SPEC.md\`, M1 to M8. Whether each of them *may* is asked besides (A).

| mark | meaning |
|:-:|---|
| · | both stand: they are about different things, or say the same |
| **L** | the later authored stands, whichever arrives first; the person whose value gave way is told and can bring it back |
| **S** | the second is refused as \`stale\`; its author is shown what stands there, and by whom |
| G | the second is refused as \`target-gone\`: what it is about was deleted or removed by the first |

Whoever says the same as the other gives way to nobody. \`restore\` on a record that stands says that it stands. The page is made by \`ATRIUM_FREEZE=1 npm exec -c "vitest run
crdt-model/meetings.test.ts"\`, and a test fails when the code does otherwise.

${parts.join('\n').trimEnd()}
`;
}
