/**
 * Proposals: a change that its author may not make, put before those who may. Whoever may applies it on their own device and under their own
 * rights, in one batch with `proposal.apply`; or declines with a word.
 *
 * A proposal is accepted alike whether its target is there or not, readable or not: making one tells nothing. A text is meant for the
 * page of its target: the page itself, or the one that hangs on a record (their ids follow from each other), whose proposals name the record.
 */
import * as v from 'valibot';
import { isDocumentId, type DocumentId } from '../ids.ts';
import { command, defineKind, type BaseRow, type Effect } from '../record/kind.ts';
import { commonFields, field, given, guarded, isJson, jsonSize, longText, setter, shortText, wellFormed } from '../record/parts.ts';
import { valueAt, type Json, type Path } from '../record/state.ts';

export const PROPOSAL_STATES = ['open', 'applied', 'declined', 'withdrawn'] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];

/** A proposal is one decision; what needs more is several. */
export const MAX_PROPOSED_COMMANDS = 20;
/** In bytes of JSON. A record stays a record, not a parcel. */
export const MAX_PROPOSED_BYTES = 32 * 1024;

export interface ProposedCommand {
	readonly document: DocumentId;
	readonly name: string;
	readonly args: Json;
}
/** What the author saw at a path when proposing, as far as they may show it. */
export interface SeenValue {
	readonly path: Path;
	readonly value: Json;
}

export interface ProposalRow extends BaseRow {
	readonly kind: 'proposal';
	readonly target: DocumentId;
	readonly state: ProposalState;
	/** Empty where a text is proposed. */
	readonly commands: readonly ProposedCommand[];
	readonly text: string | null;
	readonly note: string | null;
	readonly before: readonly SeenValue[];
	/** Whoever answered may say why. */
	readonly word: string | null;
}

const json = v.custom<Json>(isJson, 'not plain data');
const target = v.custom<DocumentId>(isDocumentId, 'not a document id');
const fitsParcel = (value: unknown): boolean => jsonSize(value as Json) <= MAX_PROPOSED_BYTES;
const commands = v.pipe(
	v.array(v.strictObject({ document: target, name: v.pipe(v.string(), v.maxLength(64), v.regex(/^[a-z]+\.[a-zA-Z]+$/)), args: json })),
	v.maxLength(MAX_PROPOSED_COMMANDS),
	v.check((list) => fitsParcel(list), 'more than a proposal holds')
);
const before = v.pipe(
	v.array(v.strictObject({ path: v.pipe(wellFormed, v.maxLength(160)), value: json })),
	v.maxLength(64),
	v.check((list) => fitsParcel(list), 'more than a proposal holds')
);
const word = v.nullable(shortText);

export const proposal = defineKind<ProposalRow>({
	kind: 'proposal',
	rowVersion: 1,
	hangsBy: 'target',
	fields: {
		...commonFields,
		target: field(target),
		commands: field(commands),
		text: field(longText),
		note: field(longText),
		before: field(before),
		/** Answered once: the second of two who answer is told what the first said. */
		state: guarded(v.picklist(PROPOSAL_STATES)),
		word: field(word)
	},
	sets: {},
	lists: {},
	commands: {
		create: command(
			v.pipe(
				v.strictObject({ target, commands: v.optional(commands), text: v.optional(longText), note: v.optional(longText), before: v.optional(before) }),
				v.check((args) => ((args.commands?.length ?? 0) > 0) !== (args.text !== undefined), 'either commands or a text')
			),
			(_state, args): Effect[] => [['created', true], ['state', 'open'], ...given(args, ['target', 'commands', 'text', 'note', 'before'])],
			'new'
		),
		setNote: setter('note', longText),
		apply: command(v.strictObject({ word: v.optional(word) }), (_state, args): Effect[] => [['state', 'applied'], ...given(args, ['word'])]),
		decline: command(v.strictObject({ word: v.optional(word) }), (_state, args): Effect[] => [['state', 'declined'], ...given(args, ['word'])]),
		withdraw: command(v.strictObject({}), (): Effect[] => [['state', 'withdrawn']])
	},
	row(base, state): ProposalRow {
		const or = <T>(path: string): T | null => (valueAt(state, path) as T | undefined) ?? null;
		return {
			...base,
			kind: 'proposal',
			target: valueAt(state, 'target') as DocumentId,
			state: valueAt(state, 'state') as ProposalState,
			commands: or<ProposedCommand[]>('commands') ?? [],
			text: or<string>('text'),
			note: or<string>('note'),
			before: or<SeenValue[]>('before') ?? [],
			word: or<string>('word')
		};
	},
	audience: (row) => ({ scope: row.target, also: [`user:${row.createdBy}`] })
});
