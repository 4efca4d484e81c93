/** Who leads a department, as a line of words. */
import type { Directory } from '#crdt-model/access/directory.ts';
import { m } from '#lib/paraglide/messages.js';
import { headOf, nameOf, type DepartmentNode } from './structure.ts';

export function leadersOf(directory: Directory, node: DepartmentNode): string {
	const head = headOf(directory, node);
	const words = [head ? m.company_head_of({ name: nameOf(head) }) : m.company_no_head()];
	const deputies = node.department.deputies.flatMap((id) => directory.person(id) ?? []).filter((one) => one.active);
	if (deputies.length > 0) words.push(m.company_deputies_of({ count: deputies.length, names: deputies.map(nameOf).join(', ') }));
	return words.join(' · ');
}
