/** What the deadline of a task says about it. */
import type { TaskRow } from '#crdt-model/kinds/task.ts';

export function isOpen(row: Pick<TaskRow, 'state'>): boolean {
	return row.state !== 'done' && row.state !== 'deferred';
}
/** @param now today, as `2026-11-30` */
export function isOverdue(row: Pick<TaskRow, 'state' | 'deadline'>, now: string): boolean {
	return row.deadline !== null && row.deadline < now && isOpen(row);
}
