/**
 * The one rule book (P4). The app greys a button with it, the relay enforces with it. Pure: everything it looks at is an argument.
 *
 * A verdict names its rule, so that "why can't I" is answered by the same function that refused. What is not readable is
 * refused as `not-found`, whatever else holds: the two are never told apart (SPEC A3).
 */
import type { KindName } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import type { BaseRow } from '../record/kind.ts';
import { companyRules } from './company.ts';
import { crmRules } from './crm.ts';
import { diskRules } from './disk.ts';
import { groupRules } from './groups.ts';
import { proposalRules } from './proposals.ts';
import { roleRules } from './roles.ts';
import { taskRules } from './tasks.ts';
import { audienceOf, canRead, deny, notFound, type Actor, type Change, type Rules, type Verdict, type World } from './verdict.ts';

export { audienceOf, canRead, type Actor, type Change, type Verdict, type World } from './verdict.ts';
export { exports, mayExport, mayImport } from './crm.ts';

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
	page: diskRules,
	text: diskRules,
	file: diskRules,
	proposal: proposalRules((actor, row, world) => rules[row.kind].write(actor, row, world))
};

/** Judges a command by the record before and after it. */
export function decide(actor: Actor, change: Change, world: World): Verdict {
	const { before, next } = change;
	if (before) {
		if (!canRead(actor, audienceOf(before.row, world))) return notFound;
	} else if (!actor.principals.has('all')) {
		if (actor.principals.size === 0) return notFound;
		// A guest works on what they were asked to, and that may want a description.
		if (!('on' in next.row && next.row.on !== null)) return deny('guests.make-nothing');
	}
	return rules[next.row.kind].change(actor, change, world);
}

/** Judges an update of a page's or text's content. */
export function decideWrite(actor: Actor, row: BaseRow, world: World): Verdict {
	if (!canRead(actor, audienceOf(row, world))) return notFound;
	return kindNamed(row.kind).content ? rules[row.kind].write(actor, row, world) : deny('no-content');
}
