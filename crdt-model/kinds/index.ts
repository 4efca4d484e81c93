/** Every kind of this version. A new module of the portal adds its file beside this one and its line here. */
import type { KindName } from '../ids.ts';
import type { Kind } from '../record/kind.ts';
import { department, employee, settings, type DepartmentRow, type EmployeeRow, type SettingsRow } from './company-structure.ts';
import { company, product, type CompanyRow, type ProductRow } from './crm.ts';
import { deal, type DealRow } from './deal.ts';
import { file, type FileRow } from './file.ts';
import { group, type GroupRow } from './group.ts';
import { page, text, type PageRow, type TextRow } from './page.ts';
import { proposal, type ProposalRow } from './proposal.ts';
import { role, type RoleRow } from './role.ts';
import { task, type TaskRow } from './task.ts';

export interface RowOf {
	settings: SettingsRow;
	employee: EmployeeRow;
	department: DepartmentRow;
	group: GroupRow;
	role: RoleRow;
	task: TaskRow;
	company: CompanyRow;
	product: ProductRow;
	deal: DealRow;
	page: PageRow;
	text: TextRow;
	file: FileRow;
	proposal: ProposalRow;
}
export type Row = RowOf[KindName];

const kinds: { readonly [K in KindName]: Kind<RowOf[K]> } = {
	settings, employee, department, group, role, task, company, product, deal, page, text, file, proposal
};

/** The kind with its row type forgotten: what the machinery of plan, gate and replica works on. */
export function kindNamed(name: KindName): Kind {
	return kinds[name] as unknown as Kind;
}

/** The version of every row function, sent at hello, so that a device knows whose rows to believe. */
export const ROW_VERSIONS: Readonly<Record<KindName, number>> = Object.freeze(
	Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, kind.rowVersion])) as Record<KindName, number>
);
