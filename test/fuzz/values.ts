/**
 * Arguments for commands, read off the commands' own schemas, so that a new command is tried from the day it is declared. Cheap: nothing
 * is built that is not used, because the fuzzer asks for hundreds of thousands. A schema that it cannot fill stops the run with a sentence.
 */
import * as v from 'valibot';
import { KINDS, type DocumentId, type ItemId, type KindName } from '#crdt-model/ids.ts';
import { documentId, itemId } from '#crdt-model/testing/world.ts';
import type { Random } from '../support/random.ts';

/** Where ids come from: mostly such as are there, so that commands meet. */
export interface Source {
	readonly random: Random;
	idOf(kind: KindName): DocumentId;
	item(): ItemId;
	principal(): string;
}

interface AnySchema extends v.GenericSchema {
	readonly wrapped?: AnySchema;
	readonly item?: AnySchema;
	readonly entries?: Readonly<Record<string, AnySchema>>;
	readonly options?: readonly unknown[];
	readonly literal?: unknown;
}

const PLAIN: readonly unknown[] = [
	true, false, 0, 1, 12, 2_000_000_000, 199.99, 1234567890.12, 'a', 'Call Ann', '  padded  ', 'half an emoji \ud83d', '<b>x</b>', 'EUR', 'RON', 'ann@example.com',
	'2026-11-30', '2026-12-01', 'a0', 'a1V', 'Zz', 'application/pdf', 'task.setTitle', '09:00', '17:30', 'portal.acme.example', 'https://www.acme.example', '10.0.0.0/8', '#1a2b3c', 'image/webp', '+40 21 555 0199', 'x'.repeat(250), 'a'.repeat(64), ['a'], [], {}
];
const itemSample = itemId(1);

type Filler = (source: Source) => unknown;
const fillers = new WeakMap<v.GenericSchema, Filler>();

/** A value that the schema takes. */
export function valueOf(schema: v.GenericSchema, source: Source): unknown {
	let filler = fillers.get(schema);
	if (!filler) fillers.set(schema, (filler = fillerOf(schema as AnySchema)));
	return filler(source);
}

function fillerOf(schema: AnySchema): Filler {
	switch (schema.type) {
		case 'strict_object':
		case 'object': {
			const entries = Object.entries(schema.entries!);
			return (source) => {
				const value: Record<string, unknown> = {};
				for (const [key, entry] of entries) {
					if ((entry.type === 'optional' || entry.type === 'exact_optional') && source.random.chance(0.6)) continue;
					value[key] = valueOf(entry.type === 'optional' || entry.type === 'exact_optional' ? entry.wrapped! : entry, source);
				}
				return value;
			};
		}
		case 'nullable':
			return (source) => (source.random.chance(0.2) ? null : valueOf(schema.wrapped!, source));
		case 'array': {
			const inner = schema.item!;
			return (source) => Array.from({ length: source.random.below(4) }, () => valueOf(inner, source));
		}
		case 'picklist':
			return ({ random }) => random.pick(schema.options!);
		case 'literal':
			return () => schema.literal;
		case 'boolean':
			return ({ random }) => random.chance(0.5);
		case 'union':
		case 'variant':
			return (source) => valueOf(source.random.pick(schema.options as v.GenericSchema[]), source);
	}
	const kinds = KINDS.filter((kind) => v.is(schema, documentId(kind, 1)));
	const takesItems = v.is(schema, itemSample);
	const principals = ['all', `user:${documentId('employee', 1)}`].some((principal) => v.is(schema, principal));
	const plain = PLAIN.filter((value) => v.is(schema, value));
	// Free text takes ids too; a reference takes nothing else.
	if (plain.length > 0 && (kinds.length === 0 || kinds.length === KINDS.length)) return ({ random }) => random.pick(plain);
	if (kinds.length > 0) return ({ random, idOf }) => idOf(random.pick(kinds));
	if (takesItems) return ({ item }) => item();
	if (principals) return ({ principal }) => principal();
	throw new Error(`the generator knows no value for ${schema.type} (${schema.expects}); give it one`);
}

/** What a hand-made client may send instead: JSON of another shape, what lib0 adds to it, and known tricks. */
const TRICKS: readonly unknown[] = [
	undefined, null, 7, 'text', [], {}, { value: null }, { member: null }, { value: Number.NaN }, { value: Infinity }, { value: -0 }, { value: [[[]]] },
	JSON.parse('{"__proto__":{"value":"x"},"value":"y"}'), JSON.parse('{"constructor":1,"toString":2,"hasOwnProperty":3}'),
	{ value: { toString: 1 } }, { value: 'x'.repeat(20_000) }, { member: '__proto__' }, { member: 'employee_x/y' }, { member: 'employee_x' },
	{ item: 'item_/../text' }, { item: itemSample, text: '' }, { value: '2026-02-31' }, { value: 7n }, { value: new Uint8Array(3) }, { on: '__proto__' }
];

/** Arguments that fit, or with a part replaced, left out or added, or nothing of the kind. */
export function hostileArgs(args: unknown, source: Source): unknown {
	const { random } = source;
	if (typeof args !== 'object' || args === null || random.chance(0.4)) return random.pick(TRICKS);
	const keys = Object.keys(args);
	const changed: Record<string, unknown> = { ...args };
	if (random.chance(0.3) || keys.length === 0) changed[random.pick(['extra', 'by', 'author', 'createdBy', 'relayOnly', 'number'])] = 1;
	else if (random.chance(0.3)) delete changed[random.pick(keys)];
	else changed[random.pick(keys)] = random.pick([...TRICKS, source.idOf(random.pick(KINDS)), source.item()]);
	return changed;
}
