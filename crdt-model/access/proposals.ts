/**
 * Who may do what with a proposal: any employee makes one, also for a record that they may not read; its author rewords or withdraws it; whoever
 * may work on its target answers it, once. What is applied is judged command by command under the rights of whoever applies it, in the same batch.
 *
 * Making one tells nothing: the verdict is the same whether the target is there or not, unless the author reads it anyway.
 */
import { kindOf } from '../ids.ts';
import type { PageRow } from '../kinds/page.ts';
import type { ProposalRow } from '../kinds/proposal.ts';
import type { BaseRow } from '../record/kind.ts';
import { allow, audienceOf, canRead, deny, type Actor, type Rules, type Verdict, type World } from './verdict.ts';

/** Who may write a record of any kind: given by decide.ts, which knows all tables. */
export type MayWrite = (actor: Actor, row: BaseRow, world: World) => Verdict;

function makes(actor: Actor, row: ProposalRow, world: World): Verdict {
	if (kindOf(row.target) === 'proposal') return deny('proposal.not-on-proposals');
	const target = world.rowOf(row.target);
	// A page's readers are its record's, so the proposal names the record (SPEC A2: one step and no further).
	const hangs = target?.kind === 'page' && (target as PageRow).place === 'record' && canRead(actor, audienceOf(target, world));
	return hangs ? deny('proposal.names-the-record') : allow('proposal.anyone-proposes');
}

function answers(actor: Actor, row: ProposalRow, world: World, mayWrite: MayWrite): Verdict {
	const target = world.rowOf(row.target);
	if (!target || !canRead(actor, audienceOf(target, world))) return deny('proposal.readers-answer');
	const verdict = mayWrite(actor, target, world);
	return verdict.allow ? allow('proposal.writers-answer') : deny('proposal.writers-answer', ...verdict.who);
}

export function proposalRules(mayWrite: MayWrite): Rules {
	return {
		change(actor, { before, next }, world) {
			const row = next.row as ProposalRow;
			if (!before) return makes(actor, row, world);
			const old = before.row as ProposalRow;
			if (old.state !== 'open') return deny('proposal.answered-once');
			const isAuthors = row.state === 'open' || row.state === 'withdrawn';
			if (!isAuthors) return answers(actor, row, world, mayWrite);
			return old.createdBy === actor.person ? allow('proposal.author-rewords') : deny('proposal.author-rewords', `user:${old.createdBy}`);
		},
		write: (actor, row, world) => answers(actor, row as ProposalRow, world, mayWrite)
	};
}
