/** What a person holds and what a role reaches, by the book and slowly, from the rows alone: what the directory is compared with. */
import type { Principal } from '../access/principals.ts';
import type { Recipient } from '../access/recipients.ts';
import type { DepartmentId, GroupId, PersonId } from '../ids.ts';
import type { EmployeeRow } from '../kinds/company-structure.ts';
import { CRM_LEVELS, type CrmLevel, type CrmPermission, type OpenPermission, type RoleRow } from '../kinds/role.ts';
import { isAbove, type Organisation } from './company.ts';

const personOf = (company: Organisation, id: PersonId) => company.people.find((one) => one.id === id);
const standing = (company: Organisation, id: DepartmentId | null) => company.departments.find((one) => one.id === id && !one.deleted);

/** Is the department `top`, or does it hang below it? */
function isUnder(company: Organisation, id: DepartmentId, top: DepartmentId): boolean {
	let at = standing(company, id);
	for (let step = 0; at && step <= company.departments.length; step++) {
		if (at.id === top) return true;
		at = standing(company, at.parent);
	}
	return false;
}

export function names(company: Organisation, recipient: Recipient, person: EmployeeRow): boolean {
	if (recipient === 'all') return true;
	const [kind, id] = recipient.split(':') as [string, string];
	if (kind === 'user') return person.id === id;
	if (kind === 'department') return person.departments.some((own) => own === id && standing(company, own));
	if (kind === 'departments') return person.departments.some((own) => isUnder(company, own, id as DepartmentId));
	return company.groups.some((group) => group.id === id && !group.deleted && [group.owner, ...group.moderators, ...group.members].includes(person.id as PersonId));
}

export function rolesFor(company: Organisation, person: EmployeeRow): RoleRow[] {
	return company.roles.filter((role) => !role.deleted && role.people.some((recipient) => names(company, recipient, person)));
}

/** A person's own departments for the ladder: where they belong, and what they lead. */
function ownDepartments(company: Organisation, person: EmployeeRow): DepartmentId[] {
	return company.departments
		.filter((one) => !one.deleted && (person.departments.includes(one.id as DepartmentId) || one.head === person.id || one.deputies.includes(person.id as PersonId)))
		.map((one) => one.id as DepartmentId);
}

/** Whether a permission reaches what `responsible` answers for. Deletion of client companies without a role is another rule's business. */
export function reaches(company: Organisation, id: PersonId, permission: CrmPermission, responsible: PersonId, open: boolean): boolean {
	const person = personOf(company, id);
	if (!person?.active || person.guest) return false;
	if (person.administrator) return true;
	const roles = rolesFor(company, person);
	if (roles.length === 0) {
		if (permission === 'company.delete') return false;
		return permission.startsWith('company.') || id === responsible || isAbove(company, id, responsible);
	}
	const level = CRM_LEVELS[Math.max(...roles.map((role) => CRM_LEVELS.indexOf(role.permissions[permission])))] as CrmLevel;
	const theirs = personOf(company, responsible)?.departments ?? [];
	const mine = ownDepartments(company, person);
	return (
		level === 'all' ||
		(level !== 'none' && id === responsible) ||
		(level === 'department' && theirs.some((one) => mine.includes(one))) ||
		(level === 'subdepartments' && mine.some((top) => theirs.some((one) => isUnder(company, one, top)))) ||
		(open && roles.some((role) => role.open.includes(permission as OpenPermission)))
	);
}

/** Whether a session of this person holds the principal; the CRM's by what they open. */
export function holds(company: Organisation, id: PersonId, principal: Principal): boolean {
	const person = personOf(company, id);
	if (!person?.active) return false;
	const [kind, ...rest] = principal.split(':') as [string, ...string[]];
	if (kind === 'user') return rest[0] === id;
	if (kind === 'group') {
		const group = company.groups.find((one) => one.id === (rest[0] as GroupId) && !one.deleted);
		if (!group) return false;
		const moderates = group.owner === id || group.moderators.includes(id);
		return moderates || (rest[1] === undefined && group.members.includes(id));
	}
	if (kind === 'task') return rest[1] === id || (!person.guest && isAbove(company, id, rest[1] as PersonId));
	if (person.guest) return false;
	if (kind === 'all') return true;
	if (kind === 'admins') return person.administrator;
	return names(company, principal as Recipient, person);
}
