/** The open work of somebody who leaves, and the commands that pass it on. Pure. */
import { offServiceOf } from '#crdt-model/access/services.ts';
import type { DepartmentRow } from '#crdt-model/kinds/company-structure.ts';
import { isClosed, type DealRow } from '#crdt-model/kinds/deal.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import type { GroupRow } from '#crdt-model/kinds/group.ts';
import type { PageRow, TextRow } from '#crdt-model/kinds/page.ts';
import type { ServiceId } from '#crdt-model/kinds/services.ts';
import type { TaskRow } from '#crdt-model/kinds/task.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { Draft } from '#lib/sync/engine.ts';

export interface OpenWork {
	readonly tasks: readonly TaskRow[];
	readonly deals: readonly DealRow[];
	/** Departments that they head. */
	readonly headed: readonly DepartmentRow[];
	/** Workgroups that they own. */
	readonly owned: readonly GroupRow[];
	/** Documents and files that are theirs alone: what lies in the company's place is everybody's already. */
	readonly documents: readonly Own[];
}
type Own = PageRow | TextRow | FileRow;

/** @param off services that are switched off: what is of them stays with the person, and nobody could pass it on now */
export function openWorkOf(person: string, from: { tasks: readonly TaskRow[]; deals: readonly DealRow[]; departments: Iterable<DepartmentRow>; groups: readonly GroupRow[]; documents: readonly Own[] }, off: readonly ServiceId[]): OpenWork {
	const isOn = (row: BaseRow): boolean => offServiceOf(row, off) === null;
	return {
		tasks: from.tasks.filter((task) => task.responsible === person && task.state !== 'done' && !task.deleted && isOn(task)),
		deals: from.deals.filter((deal) => deal.responsible === person && !isClosed(deal.stage) && !deal.deleted && isOn(deal)),
		headed: [...from.departments].filter((one) => one.head === person && !one.deleted),
		owned: from.groups.filter((one) => one.owner === person && !one.deleted && isOn(one)),
		documents: from.documents.filter((one) => one.createdBy === person && one.place === 'mine' && !one.deleted && isOn(one))
	};
}

export const isNothing = (work: OpenWork): boolean => work.tasks.length + work.deals.length + work.headed.length + work.owned.length + work.documents.length === 0;

/** What is done stays with who did it. */
export function handOver(work: OpenWork, to: string): Draft[] {
	return [
		...work.tasks.map((task): Draft => ({ document: task.id, name: 'task.setResponsible', args: { value: to } })),
		...work.deals.map((deal): Draft => ({ document: deal.id, name: 'deal.setResponsible', args: { value: to } })),
		...work.headed.map((one): Draft => ({ document: one.id, name: 'department.setHead', args: { value: to } })),
		...work.owned.map((one): Draft => ({ document: one.id, name: 'group.setOwner', args: { value: to } })),
		// Who made a document stays its maker: whoever takes over gets all rights on it.
		...work.documents.map((one): Draft => ({ document: one.id, name: `${one.kind}.setGrant`, args: { key: `user:${to}`, value: 'full' } }))
	];
}
