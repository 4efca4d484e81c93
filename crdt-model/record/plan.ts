/**
 * The one function that turns a command into writes (SPEC M1–M7). Relay and device run it alike: the relay on the canonical
 * state in the one order, the device on its view. It mutates nothing, so a refusal needs no undoing.
 */
import * as v from 'valibot';
import { kindOf, type CommandId, type DocumentId, type PersonId } from '../ids.ts';
import { refuse, type Refusal } from '../wire/refusal.ts';
import type { Command } from './command.ts';
import { meetingAt, specAt, type BaseRow, type CommandSpec, type Effect, type Kind } from './kind.ts';
import { valueAt, type Cell, type Json, type Path, type RecordState, type Write } from './state.ts';

/** An issue quotes what it refuses, and that may be a megabyte. */
const MAX_ISSUE_LENGTH = 200;

/** Two writers of one field who did not see each other: whose value stands and whose gave way. */
export interface Overruled {
	readonly path: Path;
	readonly stands: Cell;
	readonly gaveWay: Cell;
}

export type Plan =
	| {
			readonly kind: 'planned';
			readonly writes: readonly Write[];
			readonly overruled: readonly Overruled[];
			/** What the command is about: every path that it would write, also where it gives way. Rights are judged on these. */
			readonly paths: readonly Path[];
			/** What it wants there, whatever comes to stand. */
			readonly wishes: readonly Effect[];
	  }
	| { readonly kind: 'refused'; readonly refusal: Refusal };

export interface PlanContext {
	readonly author: PersonId;
	/** The latest time that a command may claim, in milliseconds since 1970: the relay's clock, or the device's own. */
	readonly latest: number;
}

export function planCommand(kind: Kind, state: RecordState, command: Command, context: PlanContext): Plan {
	const spec = specOf(kind, command);
	if (!spec) return refused(refuse('unknown-command', command.name));
	const standing = standingOf(state);
	if (spec.needs === 'new' && standing !== 'absent') return refused(refuse('exists', command.document));
	if (spec.needs !== 'new' && standing === 'absent') return refused(refuse('not-found', command.document));
	if (spec.needs === 'live' && standing === 'deleted') return refused(refuse('target-gone', command.document));

	const args = v.safeParse(spec.args, command.args);
	if (!args.success) return refused(refuse('bad-value', `${command.name}: ${issueOf(args.issues)}`));
	const effects = spec.effects(state, args.output as never, { id: command.document, author: context.author });
	if ('gone' in effects) return refused(refuse('target-gone', effects.gone));

	const writes: Write[] = [];
	const overruled: Overruled[] = [];
	const at = Math.min(command.at, context.latest);
	for (const [path, value] of effects) {
		const field = specAt(kind, path);
		if (!field || field.relayOnly) return refused(refuse('bad-value', `${command.name} writes no such field of a ${kind.kind}: ${path}`));
		const parsed = v.safeParse(field.schema, value);
		if (!parsed.success) return refused(refuse('bad-value', `${path}: ${issueOf(parsed.issues)}`));

		const standingCell = state.get(path);
		const seen = Object.hasOwn(command.seen, path) ? command.seen[path] : undefined;
		const wasSeen = standingCell === undefined || standingCell.command === seen;
		if (wasSeen) {
			// A clock set back between two edits of one person must not undo the second.
			const cell = cellOf(parsed.output, Math.max(at, standingCell?.at ?? 0), context.author, command.id);
			writes.push({ path, cell });
			continue;
		}
		if (meetingAt(field, state) === 'guarded') {
			const { value: current, by, command: last } = standingCell;
			return refused(refuse('stale', path, { current: { path, value: current, by, command: last } }));
		}
		const mine = cellOf(parsed.output, at, context.author, command.id);
		const stands = isLater(mine, standingCell) ? mine : standingCell;
		const gaveWay = stands === mine ? standingCell : mine;
		if (stands === mine) writes.push({ path, cell: mine });
		// The same value from both, or one person on two devices: nobody lost anything.
		if (gaveWay.by !== stands.by && !sameJson(gaveWay.value, stands.value)) overruled.push({ path, stands, gaveWay });
	}
	return { kind: 'planned', writes, overruled, paths: effects.map(([path]) => path), wishes: effects };
}

/** Which command last wrote each path that this command would replace, as its author sees the state now. */
export function seenBy(kind: Kind, state: RecordState, command: Omit<Command, 'seen'>, author: PersonId): Record<Path, CommandId> {
	const seen: Record<Path, CommandId> = {};
	const spec = specOf(kind, command);
	const args = spec && v.safeParse(spec.args, command.args);
	if (!spec || !args?.success) return seen;
	const effects = spec.effects(state, args.output as never, { id: command.document, author });
	if ('gone' in effects) return seen;
	for (const [path] of effects) {
		const cell = state.get(path);
		if (cell) seen[path] = cell.command;
	}
	return seen;
}

/** What a row of any kind begins with. Null while nobody has made the record. */
export function baseRow(kind: Kind, id: DocumentId, state: RecordState): BaseRow | null {
	const created = state.get('created');
	if (!created) return null;
	let updatedAt = created.at;
	for (const cell of state.values()) if (cell.at > updatedAt) updatedAt = cell.at;
	return {
		id,
		kind: kind.kind,
		number: (valueAt(state, 'number') as number | undefined) ?? null,
		createdBy: created.by,
		createdAt: created.at,
		updatedAt,
		deleted: valueAt(state, 'deleted') === true
	};
}

/** The row that screens show; null while nobody has made the record. */
export function rowOf<Row extends BaseRow>(kind: Kind<Row>, id: DocumentId, state: RecordState): Row | null {
	const base = baseRow(kind as Kind, id, state);
	return base && kind.row(base, state);
}

function specOf(kind: Kind, command: Pick<Command, 'name' | 'document'>): CommandSpec | null {
	const cut = command.name.indexOf('.');
	const verb = command.name.slice(cut + 1);
	const fits = command.name.slice(0, cut) === kind.kind && kindOf(command.document) === kind.kind;
	return fits && Object.hasOwn(kind.commands, verb) ? kind.commands[verb]! : null;
}

function standingOf(state: RecordState): 'absent' | 'live' | 'deleted' {
	if (!state.has('created')) return 'absent';
	return valueAt(state, 'deleted') === true ? 'deleted' : 'live';
}

/** Ties by command id, so that every replica settles alike. */
export function isLater(mine: Cell, standing: Cell): boolean {
	return mine.at === standing.at ? mine.command > standing.command : mine.at > standing.at;
}

function cellOf(value: Json, at: number, by: PersonId, command: CommandId): Cell {
	return { value, at, by, command };
}

function refused(refusal: Refusal): Plan {
	return { kind: 'refused', refusal };
}

function issueOf(issues: readonly v.BaseIssue<unknown>[]): string {
	const issue = issues[0];
	const where = issue?.path?.map((item) => String(item.key)).join('.');
	return [where, issue?.message ?? 'does not fit'].filter(Boolean).join(' ').slice(0, MAX_ISSUE_LENGTH);
}

function sameJson(a: Json, b: Json): boolean {
	return a === b || JSON.stringify(a) === JSON.stringify(b);
}
