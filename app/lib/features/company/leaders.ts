/** Who leads a department, as a line of words. */
import type { Directory } from '#crdt-model/access/directory.ts';
import { m } from '#lib/paraglide/messages.js';
import { headOf, nameOf, type DepartmentNode } from './structure.ts';

export function leadersOf(directory: Directory, node: DepartmentNode): string {
	const head = headOf(directory, node);
	return head ? m.company_head_of({ name: nameOf(head) }) : m.company_no_head();
}
