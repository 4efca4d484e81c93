/**
 * Who may change what in the CRM (FEATURES 2.10). Roles say how far each action reaches (roles.ts); it is asked between the person and who was
 * responsible before the change, so that one passes on what one has. Products are the whole company's.
 *
 * A closed deal is frozen for those whose writing reaches no further than their own: what was sold is corrected by those above.
 */
import type { PersonId } from '../ids.ts';
import type { CompanyRow } from '../kinds/crm.ts';
import { isClosed, type DealRow } from '../kinds/deal.ts';
import type { BaseRow } from '../record/kind.ts';
import { commentsDenied, onlyComments } from './comments.ts';
import type { Directory } from './directory.ts';
import type { CrmEntity, Principal } from './principals.ts';
import { mayAtAll, reachedBy, type ReachedBy } from './roles.ts';
import { allow, audienceOf, canRead, deny, type Actor, type Rules, type Verdict, type World } from './verdict.ts';

type Governed = DealRow | CompanyRow;
type Action = 'add' | 'write' | 'delete';

/** The rule that a permission goes by: the default's own names where no role applies. */
const ruleOf: Readonly<Record<Action, string>> = { add: 'crm.role-adds', write: 'crm.role-writes', delete: 'crm.role-deletes' };
function ruleFor(directory: Directory, person: PersonId, kind: Governed['kind'], action: Action): string {
	if (!directory.reachesOf(person).builtIn) return ruleOf[action];
	if (kind === 'deal') return 'deal.responsible-or-head';
	return action === 'add' ? 'crm.anyone-creates' : 'crm.anyone-changes';
}

const isNarrow = (means: ReachedBy | null) => means === null || means === 'own' || means === 'open';

/** Of the responsible person and those above, who may: for the sentence on screen, hence only on a refusal. */
function whoMay(directory: Directory, row: Governed, action: Action, may: (means: ReachedBy | null) => boolean): Principal[] {
	const near = [row.responsible, ...directory.headsAbove(row.responsible)].filter((id) => directory.isEmployee(id));
	return [...near.filter((id) => may(reachedBy(directory, id, `${row.kind}.${action}`, row.responsible, row.open))).map((id) => `user:${id}` as const), 'admins'];
}

function judge(actor: Actor, row: Governed, action: Action, directory: Directory): { readonly verdict: Verdict; readonly means: ReachedBy | null } {
	const means = reachedBy(directory, actor.person, `${row.kind}.${action}`, row.responsible, row.open);
	const rule = ruleFor(directory, actor.person, row.kind, action);
	return { means, verdict: means ? allow(rule) : deny(rule, ...whoMay(directory, row, action, (one) => one !== null)) };
}

function makerDeletes(actor: Actor, row: BaseRow): Verdict {
	if (row.createdBy === actor.person || actor.principals.has('admins')) return allow('crm.maker-deletes');
	return deny('crm.maker-deletes', `user:${row.createdBy}`, 'admins');
}

function dealChanges(actor: Actor, old: DealRow, changed: readonly string[], directory: Directory): Verdict {
	const { means, verdict } = judge(actor, old, changed.includes('deleted') ? 'delete' : 'write', directory);
	if (!verdict.allow) return verdict;
	if (isClosed(old.stage) && isNarrow(means)) {
		return deny('deal.closed-is-frozen', ...whoMay(directory, old, 'write', (one) => !isNarrow(one)));
	}
	return verdict;
}

export const crmRules: Rules = {
	change(actor, { before, next, changed }, { directory }) {
		if (next.row.kind === 'product') {
			if (!before) return allow('crm.anyone-creates');
			return changed.includes('deleted') ? makerDeletes(actor, before.row) : allow('crm.anyone-changes');
		}
		const row = next.row as Governed;
		const old = before?.row as Governed | undefined;
		if (row.responsible !== old?.responsible && !directory.isEmployee(row.responsible)) {
			return deny(row.kind === 'deal' ? 'deal.responsible-is-employee' : 'crm.responsible-is-employee');
		}
		if (!before || !old) {
			// Handing out a deal at its making is passing it on: only whose adding reaches the other may do it.
			const { verdict, means } = judge(actor, row, 'add', directory);
			return means === 'own' && verdict.rule === 'deal.responsible-or-head' ? allow('deal.anyone-creates') : verdict;
		}
		if (old.kind === 'deal') {
			const denied = commentsDenied(actor, before.state, changed);
			if (denied) return denied;
			if (onlyComments(changed)) return allow('deal.readers-comment');
			return dealChanges(actor, old, changed, directory);
		}
		if (!changed.includes('deleted')) return judge(actor, old, 'write', directory).verdict;
		return directory.reachesOf(actor.person).builtIn ? makerDeletes(actor, old) : judge(actor, old, 'delete', directory).verdict;
	},
	write: (actor, row, { directory }) => (row.kind === 'product' ? allow('crm.anyone-changes') : judge(actor, row as Governed, 'write', directory).verdict)
};

/** Whether a person may take anything of an entity out of the portal. What goes out is each row that `exports` lets. */
export function mayExport(actor: Actor, entity: CrmEntity, { directory }: Pick<World, 'directory'>): Verdict {
	return mayAtAll(directory, actor.person, `${entity}.export`) ? allow('crm.role-exports') : deny('crm.role-exports', 'admins');
}
export function mayImport(actor: Actor, entity: CrmEntity, { directory }: Pick<World, 'directory'>): Verdict {
	return mayAtAll(directory, actor.person, `${entity}.import`) ? allow('crm.role-imports') : deny('crm.role-imports', 'admins');
}

/** Whether one row goes into an export: it is read, and exporting reaches who is responsible for it. Products are in every export. */
export function exports(actor: Actor, row: BaseRow, world: World): boolean {
	if (!canRead(actor, audienceOf(row, world))) return false;
	if (row.kind !== 'deal' && row.kind !== 'company') return row.kind === 'product';
	const { kind, responsible, open } = row as Governed;
	return reachedBy(world.directory, actor.person, `${kind}.export`, responsible, open) !== null;
}
