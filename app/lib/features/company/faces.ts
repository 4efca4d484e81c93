/** The pictures of somebody whose profile is erased, and the commands that take them away with it. Pure. */
import type { EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import type { Draft } from '#lib/sync/engine.ts';

/**
 * The photo, and the ones before it that they brought themself. A face that shows somebody else, or the company, stays.
 * @param inUse what others and the company are shown by
 */
export function facesOf(person: Pick<EmployeeRow, 'id' | 'photo'>, files: readonly FileRow[], inUse: ReadonlySet<string>): FileRow[] {
	return files.filter((file) => file.place === 'face' && !file.deleted && !inUse.has(file.id) && (file.id === person.photo || file.createdBy === person.id));
}

export const eraseDrafts = (person: Pick<EmployeeRow, 'id' | 'photo'>, withName: boolean, faces: readonly FileRow[]): Draft[] => [
	{ document: person.id, name: 'employee.erase', args: withName ? { name: true } : {} },
	...faces.map((face): Draft => ({ document: face.id, name: 'file.delete', args: {} }))
];
