/** Commands as a screen gives them: kept at once, or the reason why not in plain words. */
import { MAX_BATCH_COMMANDS } from '#crdt-model/record/command.ts';
import { m } from '#lib/paraglide/messages.js';
import type { Draft } from '#lib/sync/engine.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import { reasonOf, type Knows } from './reasons.ts';

const READ_MS = 10_000;

export function knowsOf(workspace: Workspace): Knows {
	void workspace.structure;
	return { directory: workspace.replica.directory, person: workspace.person, nameOf: (person) => workspace.nameOf(person) };
}

/** As one batch. True once it is kept on this device; a refusal is told, and nothing was changed then. */
export async function runOrTell(workspace: Workspace, ...drafts: Draft[]): Promise<boolean> {
	try {
		const result = await workspace.run(...drafts);
		if (result.kind === 'kept') return true;
		toasts.show(reasonOf(result.refusal, knowsOf(workspace)), { tone: 'bad', stayMs: READ_MS });
	} catch (fault) {
		console.error('A change could not be kept.', fault);
		toasts.show(m.tasks_not_kept(), { tone: 'bad' });
	}
	return false;
}

/** More than fit into one batch: batch by batch in order, and no further than the first refusal. */
export async function runAllOrTell(workspace: Workspace, drafts: readonly Draft[]): Promise<boolean> {
	for (let at = 0; at < drafts.length; at += MAX_BATCH_COMMANDS) {
		if (!(await runOrTell(workspace, ...drafts.slice(at, at + MAX_BATCH_COMMANDS)))) return false;
	}
	return true;
}

/** Why something may not be done now, or undefined. */
export async function hindrance(workspace: Workspace, draft: Draft): Promise<string | undefined> {
	const verdict = await workspace.may(draft);
	if (verdict.allow) return undefined;
	if (verdict.code === 'not-found') return reasonOf({ code: 'not-found' }, knowsOf(workspace));
	if (verdict.rule === 'target-gone') return reasonOf({ code: 'target-gone' }, knowsOf(workspace));
	return reasonOf({ code: 'denied', rule: verdict.rule, who: verdict.who }, knowsOf(workspace), false);
}
