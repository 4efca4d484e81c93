/**
 * Who may change the company itself: administrators; everyone keeps their own profile. Whatever the rights, the structure
 * stays a tree and somebody stays able to administer (SPEC A5, A6).
 */
import { RELAY, type DepartmentId, type PersonId } from '../ids.ts';
import type { DepartmentRow, EmployeeRow } from '../kinds/company-structure.ts';
import { allow, deny, type Rules, type Verdict, type World } from './verdict.ts';

const OWN_PROFILE = new Set(['firstName', 'lastName', 'position', 'language']);

export const companyRules: Rules = {
	change(actor, { before, next, changed }, world) {
		const administrator = actor.principals.has('admins');
		if (next.row.kind === 'employee') {
			// A record under the relay's own id would let a person write as the relay.
			if (next.row.id === RELAY) return deny('company.relay-is-nobody');
			// A person comes by an invitation that they accept: the relay makes the record, with the sign-in behind it.
			if (!before) return deny('company.people-are-invited', 'admins');
			// Who looked on as somebody is the relay's to say.
			if (changed.some((path) => path.startsWith('views/'))) return deny('company.relay-records');
			const own = next.row.id === actor.person && changed.every((path) => OWN_PROFILE.has(path));
			if (!own && !administrator) return deny('company.administrators-change', 'admins');
			return employeeStands(before.row as EmployeeRow, next.row as EmployeeRow, world) ?? allow(own ? 'company.own-profile' : 'company.administrators-change');
		}
		if (!administrator) return deny('company.administrators-change', 'admins');
		if (next.row.kind === 'settings') return before ? allow('company.administrators-change') : deny('company.one-settings');
		return departmentStands(before?.row as DepartmentRow | undefined, next.row as DepartmentRow, world) ?? allow('company.administrators-change');
	}
};

function employeeStands(before: EmployeeRow | undefined, next: EmployeeRow, { directory }: World): Verdict | null {
	const administers = (row: EmployeeRow) => row.active && row.administrator;
	if (before && administers(before) && !administers(next) && directory.administrators <= 1) return deny('company.last-administrator');
	const gone = next.departments.find((id) => !before?.departments.includes(id) && !isStanding(directory.department(id)));
	return gone ? deny('company.department-exists') : null;
}

function departmentStands(before: DepartmentRow | undefined, next: DepartmentRow, { directory }: World): Verdict | null {
	const moved = next.parent !== before?.parent;
	const returns = before?.deleted === true && !next.deleted;
	if (moved && next.parent === null) return deny('company.one-root');
	if ((moved || returns) && !isStanding(directory.department(next.parent as DepartmentId))) return deny('company.department-exists');
	if (moved && before && directory.wouldCycle(next.id as DepartmentId, next.parent as DepartmentId)) return deny('company.no-cycle');
	if (next.head !== null && next.head !== before?.head && !directory.isMember(next.head as PersonId)) return deny('company.head-is-employee');
	if (next.deleted && !before?.deleted) {
		if (next.parent === null) return deny('company.one-root');
		for (const child of directory.departments) if (child.parent === next.id && !child.deleted) return deny('company.department-empty');
		for (const person of directory.people) if (person.active && person.departments.includes(next.id as DepartmentId)) return deny('company.department-empty');
	}
	return null;
}

function isStanding(department: DepartmentRow | undefined): boolean {
	return department !== undefined && !department.deleted;
}
