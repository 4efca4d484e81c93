/**
 * Pages (rich text) and texts (plain text). Their content is edited by Yjs updates in a root of its own; title and place are
 * fields in the same Y.Doc, changed by commands like any record's. A page may hang on a record and then has its audience.
 */
import * as v from 'valibot';
import { isDocumentId, pageOf, type DocumentId } from '../ids.ts';
import { command, defineKind, type BaseRow, type CommandSpec, type ContentSpec, type Effect, type FieldSpec, type Kind } from '../record/kind.ts';
import { commonFields, deleteAndRestore, field, setter, title } from '../record/parts.ts';
import { grantCommands, grantMap, grantsOf, placedPrincipals, type Grants } from './grants.ts';
import { valueAt, type RecordState } from '../record/state.ts';

/** `company`: every employee reads and writes. `mine`: its maker and the administrators. `record`: as the record it hangs on. */
export const PLACES = ['company', 'mine', 'record'] as const;
export type Place = (typeof PLACES)[number];

interface PlacedRow extends BaseRow {
	readonly title: string;
	readonly place: Place;
	/** The record that it hangs on; only where place is `record`. */
	readonly on: DocumentId | null;
	readonly grants: Grants;
}
export interface PageRow extends PlacedRow {
	readonly kind: 'page';
}
export interface TextRow extends PlacedRow {
	readonly kind: 'text';
}

const ownPlace = v.picklist(['company', 'mine']);
const record = v.custom<DocumentId>(isDocumentId, 'not a document id');

const fields: Readonly<Record<string, FieldSpec>> = {
	...commonFields,
	title: field(title),
	place: field(v.picklist(PLACES)),
	on: field(record)
};

const create = command(
	v.strictObject({ title, place: v.optional(ownPlace) }),
	(_state, args): Effect[] => [
		['created', true],
		['title', args.title],
		['place', args.place ?? 'mine']
	],
	'new'
);

const ownCommands: Readonly<Record<string, CommandSpec>> = {
	setTitle: setter('title', title),
	setPlace: setter('place', ownPlace),
	...grantCommands,
	...deleteAndRestore
};

function placedRow(base: BaseRow, state: RecordState) {
	return {
		...base,
		title: valueAt(state, 'title') as string,
		place: valueAt(state, 'place') as Place,
		on: (valueAt(state, 'on') as DocumentId | undefined) ?? null,
		grants: grantsOf(state)
	};
}

function placedAudience(row: PlacedRow): ReturnType<Kind['audience']> {
	if (row.place === 'record' && row.on) return { scope: row.on };
	return placedPrincipals(row);
}

const rich: ContentSpec = { root: 'root', shape: 'rich' };
const plain: ContentSpec = { root: 'text', shape: 'plain' };

export const page = defineKind<PageRow>({
	kind: 'page',
	rowVersion: 2,
	hangsBy: 'on',
	content: rich,
	fields,
	sets: {},
	maps: grantMap,
	lists: {},
	commands: {
		create,
		/**
		 * Starts the page of a record. Two people may do so offline: the page's id follows from the record's, and the second
		 * start finds what it wanted to make.
		 */
		hang: command(
			v.strictObject({ title, on: record }),
			(_state, args, context): Effect[] | { gone: string } =>
				pageOf(args.on) === context.id
					? [
							['created', true],
							['title', args.title],
							['place', 'record'],
							['on', args.on]
						]
					: { gone: 'the record of this page id' },
			'new'
		),
		...ownCommands
	},
	row: (base, state): PageRow => ({ ...placedRow(base, state), kind: 'page' }),
	audience: placedAudience
});

export const text = defineKind<TextRow>({
	kind: 'text',
	rowVersion: 2,
	content: plain,
	fields,
	sets: {},
	maps: grantMap,
	lists: {},
	commands: { create, ...ownCommands },
	row: (base, state): TextRow => ({ ...placedRow(base, state), kind: 'text' }),
	audience: placedAudience
});
