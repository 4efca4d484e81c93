/**
 * The one rule book (P4). The app greys a button with it, the relay enforces with it. Pure: everything it looks at is an argument.
 *
 * A verdict names its rule, so that "why can't I" is answered by the same function that refused. What is not readable is
 * refused as `not-found`, whatever else holds: the two are never told apart (SPEC A3).
 */
import type { KindName } from '../ids.ts';
import type { BaseRow } from '../record/kind.ts';
import { companyRules } from './company.ts';
import { crmRules } from './crm.ts';
import { groupRules } from './groups.ts';
import { pageRules } from './pages.ts';
import { proposalRules } from './proposals.ts';
import { roleRules } from './roles.ts';
import { taskRules } from './tasks.ts';
import { audienceOf, canRead, deny, notFound, type Actor, type Change, type Rules, type Verdict, type World } from './verdict.ts';

export { audienceOf, canRead, type Actor, type Change, type Verdict, type World } from './verdict.ts';

const rules: Readonly<Record<KindName, Rules>> = {
	settings: companyRules,
	employee: companyRules,
	department: companyRules,
	group: groupRules,
	role: roleRules,
	task: taskRules,
	deal: crmRules,
	company: crmRules,
	product: crmRules,
	page: pageRules,
	text: pageRules,
	file: pageRules,
	proposal: proposalRules
};

/** Judges a command by the record before and after it. */
export function decide(actor: Actor, change: Change, world: World): Verdict {
	const { before, next } = change;
	if (!actor.principals.has('all')) return notFound;
	if (before && !canRead(actor, audienceOf(before.row, world))) return notFound;
	return rules[next.row.kind].change(actor, change, world);
}

/** Judges an update of a page's or text's content. */
export function decideWrite(actor: Actor, row: BaseRow, world: World): Verdict {
	if (!canRead(actor, audienceOf(row, world))) return notFound;
	return rules[row.kind].write?.(actor, row, world) ?? deny('no-content');
}
