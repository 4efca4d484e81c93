/**
 * Who may change the company itself: administrators; everyone keeps their own profile. Whatever the rights, the structure
 * stays a tree and somebody stays able to administer (SPEC A5, A6).
 */
import { RELAY, type DepartmentId } from '../ids.ts';
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
	},
	write: (actor) => (actor.principals.has('admins') ? allow('company.administrators-change') : deny('company.administrators-change', 'admins'))
};

function employeeStands(before: EmployeeRow | undefined, next: EmployeeRow, { directory }: World): Verdict | null {
	const administers = (row: EmployeeRow) => row.active && row.administrator && !row.guest;
	if (next.guest && next.administrator && !before?.administrator) return deny('company.guests-administer-nothing');
	if (before && administers(before) && !administers(next) && directory.administrators <= 1) return deny('company.last-administrator');
	const gone = next.departments.find((id) => !before?.departments.includes(id) && !directory.isStanding(id));
	return gone ? deny('company.department-exists') : null;
}

function departmentStands(before: DepartmentRow | undefined, next: DepartmentRow, { directory }: World): Verdict | null {
	const id = next.id as DepartmentId;
	const moved = next.parent !== before?.parent;
	const returns = before?.deleted === true && !next.deleted;
	if (moved && next.parent === null) return deny('company.one-root');
	if ((moved || returns) && !directory.isStanding(next.parent)) return deny('company.department-exists');
	if (moved && before && directory.wouldCycle(id, next.parent as DepartmentId)) return deny('company.no-cycle');
	if (next.head !== null && next.head !== before?.head && !directory.isEmployee(next.head)) return deny('company.head-is-employee');
	if (next.deputies.some((one) => !before?.deputies.includes(one) && !directory.isEmployee(one))) return deny('company.head-is-employee');
	if (next.deleted && !before?.deleted) {
		if (next.parent === null) return deny('company.one-root');
		if (directory.childrenOf(id).size > 0) return deny('company.department-empty');
		for (const one of directory.membersOf(id)) if (directory.isMember(one)) return deny('company.department-empty');
	}
	return null;
}
