/**
 * Who may change the company itself: administrators; everyone keeps their own profile. Whatever the rights, the structure
 * stays a tree and somebody stays able to administer (SPEC A5, A6).
 */
import { RELAY, type DepartmentId } from '../ids.ts';
import { PERSONAL, type DepartmentRow, type EmployeeRow } from '../kinds/company-structure.ts';
import type { FileRow } from '../kinds/file.ts';
import type { SettingsRow } from '../kinds/settings.ts';
import { allow, audienceOf, canRead, deny, type Actor, type Change, type Rules, type Verdict, type World } from './verdict.ts';

const OWN_PROFILE = new Set(['firstName', 'lastName', 'position', 'language', 'phone', 'birthday', 'photo']);

export const companyRules: Rules = {
	change(actor, change, world) {
		const { before, next, changed } = change;
		const administrator = actor.principals.has('admins');
		if (next.row.kind === 'employee') {
			// A record under the relay's own id would let a person write as the relay.
			if (next.row.id === RELAY) return deny('company.relay-is-nobody');
			// A person comes by an invitation that they accept: the relay makes the record, with the sign-in behind it.
			if (!before) return deny('company.people-are-invited', 'admins');
			// Who looked on as somebody is the relay's to say.
			if (changed.some((path) => path.startsWith('views/'))) return deny('company.relay-records');
			// An address is a way to sign in: it is whose who has proved it, and that is between them and the relay.
			if (changed.includes('email') && !changed.includes('erased')) return deny('company.relay-sets-email');
			const own = next.row.id === actor.person && changed.every((path) => OWN_PROFILE.has(path));
			if (!own && !administrator) return deny('company.administrators-change', 'admins');
			const row = next.row as EmployeeRow;
			const denied = employeeStands(before.row as EmployeeRow, row, world) ?? erasedStands(before.row as EmployeeRow, row, changed) ?? faceStands(actor, change, 'photo', row.photo, world);
			return denied ?? allow(own ? 'company.own-profile' : 'company.administrators-change');
		}
		if (!administrator) return deny('company.administrators-change', 'admins');
		if (next.row.kind === 'settings') {
			if (!before) return deny('company.one-settings');
			return faceStands(actor, change, 'logo', (next.row as SettingsRow).logo, world) ?? allow('company.administrators-change');
		}
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

/** Only who has left is erased, for good unless they come back; and nobody comes back without an address to be reached at. */
function erasedStands(before: EmployeeRow, next: EmployeeRow, changed: Change['changed']): Verdict | null {
	const returns = changed.includes('active') && next.active;
	if (!returns && changed.includes('erased')) return before.active ? deny('company.erased-has-left') : null;
	if (returns && next.email === '') return deny('company.erased-has-no-email');
	// Also where it would give way to a later word: it would stand in the history, and the person would be told of it.
	return before.erased && changed.some((path) => PERSONAL.includes(path)) ? deny('company.erased-stays-empty') : null;
}

/** A photo or a logo is a face that whoever chooses it sees: by a number of something else, others would be led to what they may not know. */
function faceStands(actor: Actor, { changed, wishes }: Change, path: 'photo' | 'logo', stands: FileRow['id'] | null, world: World): Verdict | null {
	if (!changed.includes(path)) return null;
	const wish = wishes?.find(([one]) => one === path);
	const wanted = (wish ? wish[1] : stands) as FileRow['id'] | null;
	if (wanted === null) return null;
	const file = world.rowOf(wanted) as FileRow | null;
	return file && !file.deleted && file.place === 'face' && canRead(actor, audienceOf(file, world)) ? null : deny('company.face-is-there');
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
