/** What the rows that a directory is made of say: who administers, who leads a department, what each person is in a workgroup, and which changes of them change nobody's rights. */
import type { PersonId } from '../ids.ts';
import type { DepartmentRow, EmployeeRow } from '../kinds/company-structure.ts';
import type { GroupRow } from '../kinds/group.ts';
import type { RoleRow } from '../kinds/role.ts';

export function administers(person: EmployeeRow | undefined): boolean {
	return person?.active === true && person.administrator && !person.guest;
}

/** Head and deputies. Rows of the first release know no deputies. */
export function leadersOf(department: DepartmentRow | undefined): PersonId[] {
	if (!department) return [];
	const deputies = department.deputies ?? [];
	return department.head && !deputies.includes(department.head) ? [department.head, ...deputies] : [...deputies];
}

/** What each of a group's people is in it. A deleted group has none. */
export function rankOf(group: GroupRow | undefined): Map<PersonId, 'moderator' | 'member'> {
	const ranks = new Map<PersonId, 'moderator' | 'member'>();
	if (!group || group.deleted) return ranks;
	for (const id of group.members) ranks.set(id, 'member');
	for (const id of [group.owner, ...group.moderators]) ranks.set(id, 'moderator');
	return ranks;
}

export function sameMembers<T>(a: readonly T[], b: readonly T[]): boolean {
	return a.length === b.length && a.every((one) => b.includes(one));
}

export function sameRole(before: RoleRow | undefined, row: RoleRow | undefined): boolean {
	const isNothing = (one: RoleRow | undefined) => !one || one.deleted;
	if (isNothing(before) || isNothing(row)) return isNothing(before) && isNothing(row);
	const permissions = Object.keys(row!.permissions) as (keyof RoleRow['permissions'])[];
	return (
		sameMembers(before!.people, row!.people) &&
		sameMembers(before!.open, row!.open) &&
		permissions.every((key) => before!.permissions[key] === row!.permissions[key])
	);
}
