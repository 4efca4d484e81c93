/**
 * What a document kind is: its fields and collections with their schemas, how concurrent writers of each meet, and its commands.
 *
 * A kind is data plus pure functions. It promises: `effects` reads state and arguments only; every path that it writes is
 * declared; the row is a pure function of the state. It leaves rights to `access/`, order and numbers to the relay.
 */
import * as v from 'valibot';
import { isDocumentId, isItemId, type DocumentId, type KindName, type PersonId } from '../ids.ts';
import type { Principal } from '../access/principals.ts';
import type { Json, Path, RecordState } from './state.ts';

/** Who may read: these principals; or whoever reads the scope's record, and beside them those who hold one of `also`. */
export type Audience = readonly Principal[] | { readonly scope: DocumentId; readonly also?: readonly Principal[] };

/**
 * How two writers of one path meet when neither saw the other (SPEC M4, M5).
 * `later`: the later authored stands, the other person is told. `guarded`: compare-and-set, refused as `stale`.
 */
export type Meeting = 'later' | 'guarded';

export interface FieldSpec {
	readonly schema: v.GenericSchema<unknown, Json>;
	/** May depend on the state: a deal's stage is guarded once the deal is closed. */
	readonly meeting: Meeting | ((state: RecordState) => Meeting);
	/** Written by the relay as itself; no command of a person may touch it. */
	readonly relayOnly?: true;
}

export type Effect = readonly [path: Path, value: Json];

export interface EffectContext {
	readonly id: DocumentId;
	readonly author: PersonId;
}

/** An effect list, or a sentence saying which part of the record is gone. */
export type EffectResult = readonly Effect[] | { readonly gone: string };

export interface CommandSpec {
	readonly args: v.GenericSchema;
	/** Where the record must stand: `new` makes it, `live` needs it undeleted, `deleted` brings it back. */
	readonly needs: 'new' | 'live' | 'deleted';
	effects(state: RecordState, args: never, context: EffectContext): EffectResult;
}

/** What every row has. Screens and REST show rows; `next` states of rights are judged on them. */
export interface BaseRow {
	readonly id: DocumentId;
	readonly kind: KindName;
	/** Given by the relay; null until accepted, and for kinds without numbers. */
	readonly number: number | null;
	readonly createdBy: PersonId;
	/** Milliseconds since 1970. */
	readonly createdAt: number;
	readonly updatedAt: number;
	readonly deleted: boolean;
}

/** Content that clients edit by Yjs updates beside the record's fields. */
export interface ContentSpec {
	/** The root's name in the Y.Doc. */
	readonly root: string;
	/** `rich`: Lexical over a Y.XmlText. `plain`: one Y.Text. */
	readonly shape: 'rich' | 'plain';
}

export interface Kind<Row extends BaseRow = BaseRow> {
	readonly kind: KindName;
	readonly fields: Readonly<Record<string, FieldSpec>>;
	/** Members of each set are keys; the value says whether they belong. */
	readonly sets: Readonly<Record<string, { readonly isMember: (key: string) => boolean }>>;
	/** Values by key, each meeting by itself: levels by whom they are granted to. */
	readonly maps?: Readonly<Record<string, { readonly isKey: (key: string) => boolean; readonly value: FieldSpec }>>;
	/** Items keyed by id; parts meet separately. */
	readonly lists: Readonly<Record<string, Readonly<Record<string, FieldSpec>>>>;
	readonly commands: Readonly<Record<string, CommandSpec>>;
	readonly content?: ContentSpec;
	/**
	 * The field that names the record whose audience this one has, where a kind's records may have another's. A command that writes it has it among
	 * its arguments under the same name, so that what a change is judged by is known before it is planned.
	 */
	readonly hangsBy?: string;
	/** Commands that are judged by another record which they name, with the argument that names it: it must be at hand when they are. */
	readonly refersBy?: Readonly<Record<string, string>>;
	/** The relay gives each new record the next number of its kind. */
	readonly numbered?: true;
	/** Raised whenever `row` changes what it says or `audience` who reads it: devices make rows anew when idle, a relay before it opens a portal. */
	readonly rowVersion: number;
	row(base: BaseRow, state: RecordState): Row;
	/** Pure over the row. */
	audience(row: Row): Audience;
}

/** Declared here so that a kind's row type is checked where it is written and forgotten where kinds are listed. */
export function defineKind<Row extends BaseRow>(kind: Kind<Row>): Kind<Row> {
	return kind;
}

/** The record whose audience a record has, by its row; null where the audience is its own. */
export function scopeOf(kind: Kind, row: BaseRow): DocumentId | null {
	const audience = kind.audience(row);
	return 'scope' in audience ? audience.scope : null;
}

/** The record that a command's arguments hang its document on. The arguments are as they came: anything. */
export function scopeNamedBy(kind: Kind, args: unknown): DocumentId | null {
	if (!kind.hangsBy || typeof args !== 'object' || args === null) return null;
	const named = (args as Record<string, unknown>)[kind.hangsBy];
	return isDocumentId(named) ? named : null;
}

/** The records that a command is judged by beside its own: the one that it would hang on, and the one that it refers to. */
export function recordsNamedBy(kind: Kind, name: string | undefined, args: unknown): DocumentId[] {
	const scope = scopeNamedBy(kind, args);
	const verb = name?.slice(name.indexOf('.') + 1) ?? '';
	const argument = kind.refersBy && Object.hasOwn(kind.refersBy, verb) ? kind.refersBy[verb]! : null;
	const referred: unknown = argument !== null && typeof args === 'object' && args !== null ? (args as Record<string, unknown>)[argument] : null;
	return [...(scope ? [scope] : []), ...(isDocumentId(referred) ? [referred] : [])];
}

/** Declares a command; the type of its arguments follows from the schema. */
export function command<const S extends v.GenericSchema>(
	args: S,
	effects: (state: RecordState, args: v.InferOutput<S>, context: EffectContext) => EffectResult,
	needs: CommandSpec['needs'] = 'live'
): CommandSpec {
	return { args, needs, effects: effects as CommandSpec['effects'] };
}

/** The roots in the Y.Doc beside the fields' own. */
export function collectionsOf(kind: Kind): string[] {
	return [...Object.keys(kind.sets), ...Object.keys(kind.maps ?? {}), ...Object.keys(kind.lists)];
}

const MEMBERSHIP: FieldSpec = { schema: v.boolean(), meeting: 'later' };

/** The declaration behind a path, or null where the kind declares none. */
export function specAt(kind: Kind, path: Path): FieldSpec | null {
	const parts = path.split('/');
	const [first, key, part] = parts as [string, string?, string?];
	if (parts.length === 1) return own(kind.fields, first);
	if (parts.length === 2) {
		const map = kind.maps && own(kind.maps, first);
		if (map) return map.isKey(key!) ? map.value : null;
		return own(kind.sets, first)?.isMember(key!) ? MEMBERSHIP : null;
	}
	if (parts.length > 3 || !isItemId(key)) return null;
	const list = own(kind.lists, first);
	return list ? own(list, part!) : null;
}

/** Own properties only: a path from outside may say `constructor`. */
function own<T>(table: Readonly<Record<string, T>>, key: string): T | null {
	return Object.hasOwn(table, key) ? table[key]! : null;
}

export function meetingAt(spec: FieldSpec, state: RecordState): Meeting {
	return typeof spec.meeting === 'function' ? spec.meeting(state) : spec.meeting;
}
