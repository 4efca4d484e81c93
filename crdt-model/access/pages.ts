/**
 * Who may change pages and texts: those of the company are everyone's to write, one's own are one's own; a page on a record follows
 * the record. Place and deletion stay with the maker and the administrators.
 */
import type { FileRow } from '../kinds/file.ts';
import type { PageRow, TextRow } from '../kinds/page.ts';
import type { KindName } from '../ids.ts';
import { crmRules } from './crm.ts';
import { taskRules } from './tasks.ts';
import { allow, audienceOf, canRead, deny, type Actor, type Rules, type Verdict, type World } from './verdict.ts';

type Placed = PageRow | TextRow | FileRow;

/** The kinds that a page may hang on: whoever may change the record may write its page. */
const scopeRules: Partial<Record<KindName, Rules>> = { task: taskRules, deal: crmRules, company: crmRules };

function mayWrite(actor: Actor, row: Placed, world: World): Verdict {
	if (row.place === 'record') {
		const scope = row.on && world.rowOf(row.on);
		if (!scope || scope.deleted || !canRead(actor, audienceOf(scope, world))) return deny('page.record-is-there');
		return scopeRules[scope.kind]?.write?.(actor, scope, world) ?? deny('page.hangs-on-work');
	}
	if (row.place === 'company') return allow('page.company-writes');
	return row.createdBy === actor.person || actor.principals.has('admins') ? allow('page.own') : deny('page.own', `user:${row.createdBy}`, 'admins');
}

export const pageRules: Rules = {
	change(actor, { before, next, changed }, world) {
		const row = next.row as Placed;
		// Whoever could say that a file's bytes have come could make others fetch what is not there.
		if (changed.includes('arrived')) return deny('file.relay-says');
		if (!before) return mayWrite(actor, row, world);
		const keeps = changed.includes('deleted') || changed.includes('place');
		if (keeps && before.row.createdBy !== actor.person && !actor.principals.has('admins')) {
			return deny('page.maker-places', `user:${before.row.createdBy}`, 'admins');
		}
		if (row.place === 'record' && (before.row as Placed).place !== 'record') return deny('page.stays-loose');
		return mayWrite(actor, before.row as Placed, world);
	},
	write(actor, row, world) {
		if (row.deleted) return deny('page.deleted');
		return canRead(actor, audienceOf(row, world)) ? mayWrite(actor, row as Placed, world) : deny('page.readers');
	}
};
