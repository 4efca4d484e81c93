/**
 * The company itself as records: its departments and its people; its settings are in settings.ts. The directory that rights are computed
 * from is a projection of these (access/directory.ts).
 */
import * as v from 'valibot';
import { isIdOf, type DepartmentId, type DocumentId, type PersonId } from '../ids.ts';
import { command, defineKind, type BaseRow, type Effect } from '../record/kind.ts';
import { commonFields, count, day, deleteAndRestore, email, field, given, membersOf, membership, reference, setter, shortText, title, wellFormed } from '../record/parts.ts';
import { keysOf, valueAt, type RecordState } from '../record/state.ts';
import { language, type Language } from './settings.ts';

export { LANGUAGES, LEASES, settings, type Language, type Lease, type SettingsRow, type WorkingHours } from './settings.ts';

export interface DepartmentRow extends BaseRow {
	readonly kind: 'department';
	readonly name: string;
	/** Null for the company's root alone. */
	readonly parent: DepartmentId | null;
	readonly head: PersonId | null;
	/** Have the rights of the head. */
	readonly deputies: readonly PersonId[];
}

const parent = v.nullable(reference('department'));
const head = v.nullable(reference('employee'));
const deputies = membership('deputies', 'employee');

export const department = defineKind<DepartmentRow>({
	kind: 'department',
	rowVersion: 2,
	fields: { ...commonFields, name: field(title), parent: field(parent), head: field(head) },
	sets: { deputies: { isMember: (key) => isIdOf('employee', key) } },
	lists: {},
	commands: {
		create: command(
			v.strictObject({ name: title, parent, head: v.optional(head) }),
			(_state, args): Effect[] => [['created', true], ...given(args, ['name', 'parent', 'head'])],
			'new'
		),
		setName: setter('name', title),
		move: setter('parent', parent),
		setHead: setter('head', head),
		addDeputy: deputies.add,
		removeDeputy: deputies.remove,
		...deleteAndRestore
	},
	row: (base, state): DepartmentRow => ({
		...base,
		kind: 'department',
		name: valueAt(state, 'name') as string,
		parent: (valueAt(state, 'parent') as DepartmentId | null | undefined) ?? null,
		head: (valueAt(state, 'head') as PersonId | null | undefined) ?? null,
		deputies: membersOf<'employee'>(state, 'deputies')
	}),
	audience: () => ['all']
});

export interface EmployeeRow extends BaseRow {
	readonly kind: 'employee';
	readonly firstName: string;
	readonly lastName: string;
	/** Empty once the profile was erased. */
	readonly email: string;
	readonly phone: string | null;
	/** A day of the calendar: `1990-11-30`. */
	readonly birthday: string | null;
	/** A file of the place `face`. */
	readonly photo: DocumentId<'file'> | null;
	readonly position: string | null;
	readonly language: Language | null;
	readonly departments: readonly DepartmentId[];
	readonly administrator: boolean;
	/** False after dismissal; the profile stays as the author of what it wrote. */
	readonly active: boolean;
	/** From outside the company: signs in, and holds what names them alone. Made so by the relay when it makes the record. */
	readonly guest: boolean;
	/** What was personal is gone; the profile stays as the author of what it wrote. */
	readonly erased: boolean;
}

const name = v.pipe(wellFormed, v.trim(), v.minLength(1), v.maxLength(100));

/** An administrator looked on as this person. */
export interface View {
	readonly by: PersonId;
	/** Milliseconds since 1970, by the relay's clock. */
	readonly at: number;
}

/** The last time of each administrator, newest first; the log keeps them all. */
export function viewsOf(state: RecordState): View[] {
	const views = keysOf(state, 'views').map((by): View => ({ by: by as PersonId, at: valueAt(state, `views/${by}`) as number }));
	return views.sort((a, b) => b.at - a.at);
}

/** Nobody makes a person without a name and an address; erasing takes them away. */
const orErased = (schema: v.GenericSchema<unknown, string>) => field(v.union([schema, v.literal('')]));
const phone = v.nullable(v.pipe(shortText, v.minLength(1), v.maxLength(50)));
const birthday = v.nullable(day);
const photo = v.nullable(reference('file'));
const departments = membership('departments', 'department');

const NAMES: readonly string[] = ['firstName', 'lastName'];
const EMPTY_TEXT: readonly string[] = [...NAMES, 'email'];
/** What erasing takes, the names on demand. */
export const PERSONAL: readonly string[] = [...EMPTY_TEXT, 'phone', 'birthday', 'photo', 'position'];

export const employee = defineKind<EmployeeRow>({
	kind: 'employee',
	rowVersion: 3,
	refersBy: { setPhoto: 'value' },
	fields: {
		...commonFields,
		firstName: orErased(name),
		lastName: orErased(name),
		email: orErased(email),
		phone: field(phone),
		birthday: field(birthday),
		photo: field(photo),
		erased: field(v.boolean()),
		position: field(v.nullable(shortText)),
		language: field(v.nullable(language)),
		administrator: field(v.boolean()),
		active: field(v.boolean()),
		guest: field(v.boolean())
	},
	sets: { departments: { isMember: (key) => isIdOf('department', key) } },
	/** Who looked on as this person, and when last. */
	maps: { views: { isKey: (key) => isIdOf('employee', key), value: field(count) } },
	lists: {},
	commands: {
		create: command(
			v.strictObject({
				firstName: name,
				lastName: name,
				email,
				position: v.optional(v.nullable(shortText)),
				language: v.optional(v.nullable(language)),
				administrator: v.optional(v.boolean()),
				guest: v.optional(v.boolean()),
				departments: v.optional(v.pipe(v.array(reference('department')), v.maxLength(20)))
			}),
			(_state, args): Effect[] => [
				['created', true],
				['active', true],
				...given(args, ['firstName', 'lastName', 'email', 'position', 'language', 'administrator', 'guest']),
				...(args.departments ?? []).map((id): Effect => [`departments/${id}`, true])
			],
			'new'
		),
		/** Only the relay writes it; that somebody looked on is no secret from those who read the record. */
		recordView: command(v.strictObject({ by: reference('employee'), at: count }), (_state, { by, at }): Effect[] => [[`views/${by}`, at]]),
		setFirstName: setter('firstName', name),
		setLastName: setter('lastName', name),
		setPosition: setter('position', v.nullable(shortText)),
		setLanguage: setter('language', v.nullable(language)),
		setPhone: setter('phone', phone),
		setBirthday: setter('birthday', birthday),
		setPhoto: setter('photo', photo),
		/** The relay's own word: an address is a way to sign in, and belongs to whoever has proved it. */
		setEmail: setter('email', email),
		setAdministrator: setter('administrator', v.boolean()),
		joinDepartment: departments.add,
		leaveDepartment: departments.remove,
		dismiss: command(v.strictObject({}), () => [['active', false]]),
		/** Whoever comes back may have a profile again. Both paths are written always, so that it meets an erasing wherever they cross. */
		rehire: command(v.strictObject({}), () => [
			['active', true],
			['erased', false]
		]),
		/** Takes away what is personal of somebody who has left. What they wrote stays theirs by the record, which is never deleted. */
		erase: command(v.strictObject({ name: v.optional(v.boolean()) }), (_state, args): Effect[] => [
			['erased', true],
			...PERSONAL.filter((path) => args.name === true || !NAMES.includes(path)).map((path): Effect => [path, EMPTY_TEXT.includes(path) ? '' : null])
		])
	},
	row: (base, state): EmployeeRow => ({
		...base,
		kind: 'employee',
		firstName: valueAt(state, 'firstName') as string,
		lastName: valueAt(state, 'lastName') as string,
		email: valueAt(state, 'email') as string,
		phone: (valueAt(state, 'phone') as string | null | undefined) ?? null,
		birthday: (valueAt(state, 'birthday') as string | null | undefined) ?? null,
		photo: (valueAt(state, 'photo') as DocumentId<'file'> | null | undefined) ?? null,
		position: (valueAt(state, 'position') as string | null | undefined) ?? null,
		language: (valueAt(state, 'language') as Language | null | undefined) ?? null,
		departments: membersOf<'department'>(state, 'departments'),
		administrator: valueAt(state, 'administrator') === true,
		active: valueAt(state, 'active') !== false,
		guest: valueAt(state, 'guest') === true,
		erased: valueAt(state, 'erased') === true
	}),
	audience: (row) => ['all', `user:${row.id as PersonId}`]
});
