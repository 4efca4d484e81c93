/** Roles in plain words. */
import type { CrmEntity } from '#crdt-model/access/principals.ts';
import type { Reach } from '#crdt-model/access/roles.ts';
import type { CrmAction, CrmLevel } from '#crdt-model/kinds/role.ts';
import { m } from '#lib/paraglide/messages.js';

export const entityWord: Readonly<Record<CrmEntity, () => string>> = {
	lead: m.permissions_leads,
	contact: m.permissions_contacts,
	company: m.crm_companies,
	deal: m.crm_deals
};
export const actionWord: Readonly<Record<CrmAction, () => string>> = {
	read: m.permissions_read,
	add: m.permissions_add,
	write: m.permissions_write,
	delete: m.permissions_delete,
	export: m.permissions_export,
	import: m.permissions_import
};
export const levelWord: Readonly<Record<CrmLevel, () => string>> = {
	none: m.permissions_none,
	own: m.permissions_own,
	department: m.permissions_department,
	subdepartments: m.permissions_subdepartments,
	all: m.permissions_all
};
/** What a level means, said once under the table. */
export const levelText: Readonly<Record<CrmLevel, () => string>> = {
	none: m.permissions_none_text,
	own: m.permissions_own_text,
	department: m.permissions_department_text,
	subdepartments: m.permissions_subdepartments_text,
	all: m.permissions_all_text
};

/** How far somebody reaches: "Own, and of those below; open ones". */
export function reachWords({ level, heads, open }: Reach): string {
	const word = heads ? m.permissions_own_and_below() : levelWord[level]();
	if (!open || level === 'all') return word;
	return level === 'none' ? m.permissions_open_only() : m.permissions_and_open({ level: word });
}
