/**
 * Commands: how a record is changed (SPEC C1–C8). A command is a serialisable value that carries everything that is not state:
 * its id, the ids of what it makes, the author's time, and for every field that it replaces the command that last
 * wrote the field as the author saw it. The author is the session's person and is never taken from the command.
 */
import * as v from 'valibot';
import { isBatchId, isCommandId, isDocumentId, type BatchId, type CommandId, type DocumentId } from '../ids.ts';
import type { Path } from './state.ts';

/** A batch larger than this is an import and belongs to a job at the relay. */
export const MAX_BATCH_COMMANDS = 100;
/** A command replaces a few fields; create writes them anew and sees none. */
const MAX_SEEN_PATHS = 64;
/** Command names are `kind.verb`. */
const MAX_NAME_LENGTH = 64;
const MAX_PATH_LENGTH = 160;

export interface Command {
	readonly id: CommandId;
	readonly document: DocumentId;
	/** `task.setDeadline`: the kind, a dot, the verb. */
	readonly name: string;
	/** Checked against the command's own schema by the plan. */
	readonly args: unknown;
	/** Milliseconds since 1970 by the author's clock. */
	readonly at: number;
	/** Which command last wrote each replaced path, as the author saw it. A path that is missing was seen empty. */
	readonly seen: Readonly<Record<Path, CommandId>>;
}

/** Accepted or refused as one. A single command is a batch of one. */
export interface Batch {
	readonly id: BatchId;
	readonly commands: readonly Command[];
}

export const commandSchema: v.GenericSchema<unknown, Command> = v.object({
	id: v.custom<CommandId>(isCommandId, 'not a command id'),
	document: v.custom<DocumentId>(isDocumentId, 'not a document id'),
	name: v.pipe(v.string(), v.maxLength(MAX_NAME_LENGTH), v.regex(/^[a-z]+\.[a-zA-Z]+$/)),
	args: v.unknown(),
	at: v.pipe(v.number(), v.integer(), v.minValue(0)),
	seen: v.pipe(
		v.record(v.pipe(v.string(), v.maxLength(MAX_PATH_LENGTH)), v.custom<CommandId>(isCommandId, 'not a command id')),
		v.check((seen) => Object.keys(seen).length <= MAX_SEEN_PATHS, 'too many seen paths')
	)
});

export const batchSchema: v.GenericSchema<unknown, Batch> = v.object({
	id: v.custom<BatchId>(isBatchId, 'not a batch id'),
	commands: v.pipe(v.array(commandSchema), v.minLength(1), v.maxLength(MAX_BATCH_COMMANDS))
});
