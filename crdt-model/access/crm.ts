/**
 * Who may change what in the CRM, in the first measure: a deal belongs to its responsible person and the heads above; client
 * companies and products are the whole company's, and only their maker or an administrator deletes them.
 */
import type { DealRow } from '../kinds/deal.ts';
import { allow, deny, type Actor, type Rules, type Verdict } from './verdict.ts';
import { foreignComments } from './comments.ts';

function holds(actor: Actor, row: DealRow): boolean {
	return actor.principals.has('crm:deal:all') || actor.principals.has(`crm:deal:user:${row.responsible}`);
}

function dealVerdict(actor: Actor, row: DealRow): Verdict {
	return holds(actor, row) ? allow('deal.responsible-or-head') : deny('deal.responsible-or-head', `crm:deal:user:${row.responsible}`, 'crm:deal:all');
}

export const crmRules: Rules = {
	change(actor, { before, next, changed }, { directory }) {
		if (next.row.kind === 'deal') {
			const row = next.row as DealRow;
			const old = before?.row as DealRow | undefined;
			if (row.responsible !== old?.responsible && !directory.isMember(row.responsible)) return deny('deal.responsible-is-employee');
			if (!before) {
				// Handing out a deal at its making is passing it on: only who may see the other's deals may do it.
				return row.responsible === actor.person ? allow('deal.anyone-creates') : dealVerdict(actor, row);
			}
			if (foreignComments(actor, before.state, changed)) return deny('comments.author-only');
			return dealVerdict(actor, before.row as DealRow);
		}
		if (!before) return allow('crm.anyone-creates');
		if (changed.includes('deleted') && before.row.createdBy !== actor.person && !actor.principals.has('admins')) {
			return deny('crm.maker-deletes', `user:${before.row.createdBy}`, 'admins');
		}
		return allow('crm.anyone-changes');
	},
	write(actor, row) {
		return row.kind === 'deal' ? dealVerdict(actor, row as DealRow) : allow('crm.anyone-changes');
	}
};
