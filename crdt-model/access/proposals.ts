/**
 * Who may do what with a proposal: any employee makes one, also for a record that they may not read; its author rewords or withdraws it; whoever reads
 * its target answers it, once. What is applied is judged command by command under the rights of whoever applies it.
 */
import type { ProposalRow } from '../kinds/proposal.ts';
import { allow, audienceOf, canRead, deny, type Rules } from './verdict.ts';

export const proposalRules: Rules = {
	change(actor, { before, next }, world) {
		if (!before) return allow('proposal.anyone-proposes');
		const old = before.row as ProposalRow;
		const row = next.row as ProposalRow;
		if (old.state !== 'open') return deny('proposal.answered-once');
		const byAuthor = row.state === 'withdrawn' || row.state === 'open';
		if (byAuthor) return old.createdBy === actor.person ? allow('proposal.author-rewords') : deny('proposal.author-rewords', `user:${old.createdBy}`);
		const target = world.rowOf(old.target);
		if (!target || !canRead(actor, audienceOf(target, world))) return deny('proposal.readers-answer');
		return allow('proposal.readers-answer');
	}
};
