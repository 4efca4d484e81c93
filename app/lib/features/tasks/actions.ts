/** What screens do with tasks: commands, their refusals as a notice in plain words, and Undo where undoing is possible. */
import { decide } from '#crdt-model/access/decide.ts';
import type { DocumentId } from '#crdt-model/ids.ts';
import type { TaskRow, TaskState } from '#crdt-model/kinds/task.ts';
import { MAX_BATCH_COMMANDS } from '#crdt-model/record/command.ts';
import { EMPTY_STATE } from '#crdt-model/record/state.ts';
import { m } from '#lib/paraglide/messages.js';
import type { Draft } from '#lib/sync/engine.ts';
import { liveRows } from '#lib/sync/live-rows.svelte.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { reasonOf, refusalText, stateWord } from './words.ts';

export type TaskId = DocumentId<'task'>;

/** Runs commands as one; a refusal is told, and nothing was changed then. */
export async function runOrTell(workspace: Workspace, ...drafts: Draft[]): Promise<boolean> {
	try {
		const result = await workspace.run(...drafts);
		if (result.kind === 'kept') return true;
		toasts.show(refusalText(result.refusal), { tone: 'bad' });
	} catch (fault) {
		console.error('A change could not be kept.', fault);
		toasts.show(m.tasks_not_kept(), { tone: 'bad' });
	}
	return false;
}

const principals = new WeakMap<Workspace, { version: number; held: ReturnType<Workspace['replica']['directory']['principalsOf']> }>();

/** What a change of a task is about: each path has its own rule. */
export type TaskChange = Partial<Pick<TaskRow, 'title' | 'state' | 'priority' | 'responsible' | 'participants' | 'observers' | 'deadline' | 'control' | 'mayMoveDeadline' | 'deleted'>>;

/**
 * Why this person may not change a task so, by the one rule book; undefined where they may. At once, for rows and cards:
 * `workspace.may` asks the database and is for single commands.
 */
export function whyNot(workspace: Workspace, row: TaskRow, change: TaskChange, paths: readonly string[] = Object.keys(change)): string | undefined {
	const { directory } = workspace.replica;
	// Before the first sync nobody can be judged here; the relay does.
	if (!directory.person(workspace.person)) return undefined;
	let held = principals.get(workspace);
	if (held?.version !== workspace.structure) principals.set(workspace, (held = { version: workspace.structure, held: directory.principalsOf(workspace.person) }));
	const actor = { person: workspace.person, principals: held.held };
	return reasonOf(decide(actor, { before: { row, state: EMPTY_STATE }, next: { row: { ...row, ...change }, state: EMPTY_STATE }, changed: paths }, { directory, settings: null, rowOf: () => null }));
}

/** Why the state may not be changed at all, or not to this one. */
export function whyNotState(workspace: Workspace, row: TaskRow, to: TaskState = row.state === 'progress' ? 'pending' : 'progress'): string | undefined {
	return whyNot(workspace, row, { state: to });
}

export async function setState(workspace: Workspace, row: StoredRow<TaskRow>, state: TaskState): Promise<boolean> {
	if (row.state === state) return true;
	const known = liveRows(workspace, 'task').expect({ ...row, state, updatedAt: Date.now() });
	try {
		return await runOrTell(workspace, { document: row.id, name: 'task.setState', args: { value: state } });
	} finally {
		known();
	}
}

/** Those that may not be changed stay as they are, and their number is told; the others can be brought back by Undo. */
export async function setStates(workspace: Workspace, rows: readonly TaskRow[], state: TaskState): Promise<void> {
	const differ = rows.filter((row) => row.state !== state);
	const may = differ.filter((row) => whyNotState(workspace, row, state) === undefined);
	const changed = await runEach(workspace, may, (row) => ({ document: row.id, name: 'task.setState', args: { value: state } }));
	if (changed.length === 0 && differ.length > 0) return void toasts.show(whyNotState(workspace, differ[0]!, state) ?? m.tasks_rule_people_change(), { tone: 'bad' });
	if (changed.length === 0) return;
	const text = changed.length < differ.length ? m.tasks_bulk_some({ changed: changed.length, all: differ.length }) : m.tasks_bulk_state({ count: changed.length, state: stateWord(state) });
	toasts.show(text, {
		action: { label: m.common_undo(), run: () => void runEach(workspace, changed, (row) => ({ document: row.id, name: 'task.setState', args: { value: row.state } })) }
	});
}

export async function deleteTasks(workspace: Workspace, rows: readonly TaskRow[]): Promise<boolean> {
	const may = rows.filter((row) => whyNot(workspace, row, { deleted: true }) === undefined);
	const gone = await runEach(workspace, may, (row) => ({ document: row.id, name: 'task.delete', args: {} }));
	if (gone.length === 0) {
		toasts.show(m.tasks_rule_giver_deletes(), { tone: 'bad' });
		return false;
	}
	const text = gone.length < rows.length ? m.tasks_bulk_some({ changed: gone.length, all: rows.length }) : m.tasks_deleted({ count: gone.length });
	toasts.show(text, {
		action: { label: m.common_undo(), run: () => void runEach(workspace, gone, (row) => ({ document: row.id, name: 'task.restore', args: {} })) }
	});
	return true;
}

/** In batches under the ceiling; answers with those that were changed. */
async function runEach(workspace: Workspace, rows: readonly TaskRow[], draft: (row: TaskRow) => Draft): Promise<TaskRow[]> {
	const done: TaskRow[] = [];
	for (let at = 0; at < rows.length; at += MAX_BATCH_COMMANDS) {
		const part = rows.slice(at, at + MAX_BATCH_COMMANDS);
		if (await runOrTell(workspace, ...part.map(draft))) done.push(...part);
	}
	return done;
}
