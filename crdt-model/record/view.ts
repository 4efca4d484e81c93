/**
 * What a device shows of a record: the canonical state with the pending commands run again on it (SPEC V1). Recomputed, never patched,
 * so a refusal needs no surgery: the refused command is left out of the next run.
 */
import type { CommandId, DocumentId, PersonId } from '../ids.ts';
import type { Refusal } from '../wire/refusal.ts';
import type { Command } from './command.ts';
import type { BaseRow, Kind } from './kind.ts';
import { planCommand, rowOf, type Overruled } from './plan.ts';
import { applyWrites, type RecordState } from './state.ts';

export interface View<Row extends BaseRow = BaseRow> {
	readonly state: RecordState;
	/** Null while nobody has made the record, or its making was refused. */
	readonly row: Row | null;
	/** Pending commands that would be refused if they arrived now; they stay pending, for the relay alone decides. */
	readonly doubtful: ReadonlyMap<CommandId, Refusal>;
	readonly overruled: readonly Overruled[];
}

/**
 * @param canonical the accepted state
 * @param pending the person's own commands on this record, oldest first
 * @param now the device's clock in milliseconds
 */
export function viewOf<Row extends BaseRow>(
	kind: Kind<Row>,
	id: DocumentId,
	canonical: RecordState,
	pending: readonly Command[],
	author: PersonId,
	now: number
): View<Row> {
	let state = canonical;
	const doubtful = new Map<CommandId, Refusal>();
	const overruled: Overruled[] = [];
	for (const command of pending) {
		const plan = planCommand(kind as unknown as Kind, state, command, { author, latest: now });
		if (plan.kind === 'refused') doubtful.set(command.id, plan.refusal);
		else {
			state = applyWrites(state, plan.writes);
			overruled.push(...plan.overruled);
		}
	}
	return { state, row: rowOf(kind, id, state), doubtful, overruled };
}
