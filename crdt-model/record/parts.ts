/**
 * The building blocks that kinds share: value schemas with their ceilings, and the commands that every record has.
 */
import * as v from 'valibot';
import { isRecipient, type Recipient } from '../access/recipients.ts';
import { isIdOf, isItemId, madeAt, type DocumentId, type ItemId, type KindName } from '../ids.ts';
import { command, type CommandSpec, type Effect, type FieldSpec, type Meeting } from './kind.ts';
import { keysOf, valueAt, type Json, type RecordState } from './state.ts';

/** A title fits one line of a list with room to spare. */
export const MAX_TITLE_LENGTH = 250;
/** A comment is a message; longer text is a page. */
export const MAX_COMMENT_LENGTH = 10_000;
/** A list beyond this is not a checklist; keeps one record under its size ceiling. */
export const MAX_ITEMS = 500;

type FieldSchema = v.GenericSchema<unknown, Json>;

/** Half an emoji does not survive UTF-8: the relay's document would say other than everyone's copy of it. */
export const wellFormed = v.pipe(v.string(), v.transform((text) => text.toWellFormed()));
export const title = v.pipe(wellFormed, v.trim(), v.minLength(1), v.maxLength(MAX_TITLE_LENGTH));
export const shortText = v.pipe(wellFormed, v.trim(), v.maxLength(MAX_TITLE_LENGTH));
export const longText = v.pipe(wellFormed, v.minLength(1), v.maxLength(MAX_COMMENT_LENGTH));
/**
 * Parsed and normalised by accounts/ before it becomes a way to sign in, which takes the same: `o'neil@…` and `r&d@…` are people's addresses, and a domain with
 * diacritics stands here in its ASCII form (`xn--…`).
 */
export const email = v.pipe(
	v.string(),
	v.regex(/^[\w+&'-]+(?:\.[\w+&'-]+)*@(?:[\da-z](?:[\da-z-]*[\da-z])?\.)+[a-z](?:[\da-z-]*[\da-z])$/i, 'not an e-mail address'),
	v.maxLength(254),
	v.metadata({ format: 'email' })
);
/** A day as `2026-11-30`, as the calendar says it, without a time zone. */
export const day = v.pipe(v.string(), v.isoDate(), v.check(isInCalendar, 'no such day'));
/** Money in the portal's currency, two decimals at most; the last binary digits of a sum are rounded away. */
export const money = v.pipe(
	v.number(),
	v.minValue(-1e12),
	v.maxValue(1e12),
	v.check((amount) => Math.abs(amount - roundToCents(amount)) < 1e-6, 'more than two decimals'),
	v.transform(roundToCents)
);
/** Adding zero turns -0, which JSON does not know, into 0. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER), v.transform((n) => n + 0));
export const item = v.custom<ItemId>(isItemId, 'not an item id');
/** A fractional position: sorts as text, has room between any two. */
export const position = v.pipe(v.string(), v.minLength(1), v.maxLength(100), v.regex(/^[0-9A-Za-z]+$/));

/** Values nested deeper come from no command of ours, and whoever walks them walks a stack. */
const MAX_JSON_DEPTH = 16;

/** Whether a value survives JSON as it is: plain objects, arrays and scalars, half an emoji and -0 not among them. */
export function isJson(value: unknown, depth = 0): value is Json {
	if (value === null || typeof value === 'boolean') return true;
	if (typeof value === 'string') return value.isWellFormed();
	if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
	if (typeof value !== 'object' || depth >= MAX_JSON_DEPTH) return false;
	if (Array.isArray(value)) return value.every((one) => isJson(one, depth + 1));
	const prototype: unknown = Object.getPrototypeOf(value);
	if (prototype !== Object.prototype && prototype !== null) return false;
	return Object.entries(value).every(([key, one]) => key !== '__proto__' && key.isWellFormed() && isJson(one, depth + 1));
}

/** In bytes of UTF-8. */
export function jsonSize(value: Json): number {
	return new TextEncoder().encode(JSON.stringify(value)).length;
}

function roundToCents(amount: number): number {
	return Math.round(amount * 100) / 100 + 0;
}

/** `2026-02-31` has the shape of a day and is none. */
function isInCalendar(date: string): boolean {
	const time = Date.parse(`${date}T00:00:00Z`);
	return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

export function reference<K extends KindName>(kind: K) {
	return v.custom<DocumentId<K>>((value) => isIdOf(kind, value), `not the id of a ${kind}`);
}

export function field(schema: v.GenericSchema, meeting: FieldSpec['meeting'] = 'later'): FieldSpec {
	return { schema: schema as FieldSchema, meeting };
}

export function guarded(schema: v.GenericSchema): FieldSpec {
	return field(schema, 'guarded' satisfies Meeting);
}

/** Fields that every record has; `number` only where the kind is numbered. */
export const commonFields = {
	created: field(v.literal(true)),
	deleted: field(v.boolean()),
	number: { schema: count as FieldSchema, meeting: 'later', relayOnly: true }
} as const satisfies Record<string, FieldSpec>;

export const deleteAndRestore = {
	delete: command(v.strictObject({}), () => [['deleted', true]]),
	restore: command(v.strictObject({}), () => [['deleted', false]], 'deleted')
} as const satisfies Record<string, CommandSpec>;

/** A command that replaces one field by `{value}`. */
export function setter(path: string, schema: v.GenericSchema): CommandSpec {
	return command(v.strictObject({ value: schema }), (_state, args) => [[path, args.value as Json]]);
}

/** Commands that add and remove a member of a set. Both only say what is so afterwards, hence repeat safely. */
export function membership(set: string, kind: KindName): { add: CommandSpec; remove: CommandSpec } {
	const args = v.strictObject({ member: reference(kind) });
	return {
		add: command(args, (_state, { member }) => [[`${set}/${member}`, true]]),
		remove: command(args, (_state, { member }) => [[`${set}/${member}`, false]])
	};
}

/** The keys of a set that belong to it. Sorted: the order of writing differs between a live document and one that was loaded. */
export function keysWhere(state: RecordState, set: string): string[] {
	return keysOf(state, set).filter((key) => valueAt(state, `${set}/${key}`) === true).sort();
}

export function membersOf<K extends KindName>(state: RecordState, set: string): DocumentId<K>[] {
	return keysWhere(state, set) as DocumentId<K>[];
}

export const recipient = v.custom<Recipient>(isRecipient, 'not a recipient');

/** A command that replaces one value of a map by `{key, value}`. */
export function mapSetter<K extends string>(map: string, key: v.GenericSchema<unknown, K>, value: v.GenericSchema): CommandSpec {
	return command(v.strictObject({ key, value }), (_state, args) => [[`${map}/${args.key}`, args.value as Json]]);
}

/** The values of a map that are not null, in the order of their keys. */
export function valuesOf<K extends string, V extends Json>(state: RecordState, map: string): Readonly<Record<K, V>> {
	const values: [string, Json][] = [];
	for (const key of keysOf(state, map).sort()) {
		const value = valueAt(state, `${map}/${key}`);
		if (value !== undefined && value !== null) values.push([key, value]);
	}
	return Object.fromEntries(values) as Readonly<Record<K, V>>;
}

/** The effects of the optional fields of a `create` command: those that were given. */
export function given(args: Readonly<Record<string, unknown>>, fields: readonly string[]): Effect[] {
	return fields.filter((name) => args[name] !== undefined).map((name) => [name, args[name] as Json]);
}

export const commentParts = {
	text: field(longText),
	removed: field(v.boolean())
} as const satisfies Record<string, FieldSpec>;

/** Comments: added by anyone who may, changed and removed by their author (access/ sees to that). */
export const commentCommands = {
	comment: command(v.strictObject({ item, text: longText }), (state, args) =>
		isKnown(state, 'comments', args.item) ? { gone: 'comment exists' } : [[`comments/${args.item}/text`, args.text]]
	),
	editComment: command(v.strictObject({ item, text: longText }), (state, args) =>
		isLive(state, 'comments', args.item) ? [[`comments/${args.item}/text`, args.text]] : { gone: 'comment' }
	),
	removeComment: command(v.strictObject({ item }), (state, args) =>
		isLive(state, 'comments', args.item) ? [[`comments/${args.item}/removed`, true]] : { gone: 'comment' }
	)
} as const satisfies Record<string, CommandSpec>;

export const checklistParts = {
	text: field(title),
	done: field(v.boolean()),
	position: field(position),
	removed: field(v.boolean())
} as const satisfies Record<string, FieldSpec>;

/** A list with ticks. Position carries its neighbours' room within itself: a neighbour that went leaves it standing. */
export const checklistCommands = {
	addItem: command(v.strictObject({ item, text: title, position }), (state, args) => {
		if (isKnown(state, 'checklist', args.item)) return { gone: 'item exists' };
		if (keysOf(state, 'checklist').length >= MAX_ITEMS) return { gone: `room for more than ${MAX_ITEMS} items` };
		return [
			[`checklist/${args.item}/text`, args.text],
			[`checklist/${args.item}/position`, args.position],
			[`checklist/${args.item}/done`, false]
		];
	}),
	editItem: itemCommand(v.strictObject({ item, text: title }), (args) => [[`checklist/${args.item}/text`, args.text]]),
	tickItem: itemCommand(v.strictObject({ item, done: v.boolean() }), (args) => [[`checklist/${args.item}/done`, args.done]]),
	moveItem: itemCommand(v.strictObject({ item, position }), (args) => [[`checklist/${args.item}/position`, args.position]]),
	removeItem: itemCommand(v.strictObject({ item }), (args) => [[`checklist/${args.item}/removed`, true]])
} as const satisfies Record<string, CommandSpec>;

function itemCommand<const S extends v.GenericSchema<unknown, { item: ItemId }>>(
	args: S,
	effects: (args: v.InferOutput<S>) => Effect[]
): CommandSpec {
	return command(args, (state, given) => (isLive(state, 'checklist', given.item) ? effects(given) : { gone: 'checklist item' }));
}

function isKnown(state: RecordState, list: string, id: ItemId): boolean {
	return state.has(`${list}/${id}/text`);
}

function isLive(state: RecordState, list: string, id: ItemId): boolean {
	return isKnown(state, list, id) && valueAt(state, `${list}/${id}/removed`) !== true;
}

export interface ChecklistItem {
	readonly id: ItemId;
	readonly text: string;
	readonly done: boolean;
	readonly position: string;
}

/** The items that stand, by position, ties by id. */
export function checklistOf(state: RecordState): ChecklistItem[] {
	return (keysOf(state, 'checklist') as ItemId[])
		.filter((id) => isLive(state, 'checklist', id))
		.map((id) => ({
			id,
			text: valueAt(state, `checklist/${id}/text`) as string,
			done: valueAt(state, `checklist/${id}/done`) === true,
			position: valueAt(state, `checklist/${id}/position`) as string
		}))
		.sort((a, b) => compare(a.position, b.position) || compare(a.id, b.id));
}

export interface Comment {
	readonly id: ItemId;
	readonly by: DocumentId<'employee'>;
	readonly text: string;
	/** When it was made, in milliseconds since 1970. */
	readonly at: number;
}

/** The comments that stand, oldest first. A comment's id carries the time of its making, which an edit of its text does not move. */
export function commentsOf(state: RecordState): Comment[] {
	return (keysOf(state, 'comments') as ItemId[])
		.filter((id) => isLive(state, 'comments', id))
		.map((id) => {
			const cell = state.get(`comments/${id}/text`)!;
			return { id, by: cell.by, text: cell.value as string, at: Math.min(madeAt(id), cell.at) };
		})
		.sort((a, b) => a.at - b.at || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
