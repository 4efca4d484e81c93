/**
 * The company itself as records: its settings, its departments and its people. The directory that rights are computed
 * from is a projection of these (access/directory.ts).
 */
import * as v from 'valibot';
import { isIdOf, type DepartmentId, type PersonId } from '../ids.ts';
import { command, defineKind, type BaseRow, type Effect } from '../record/kind.ts';
import { commonFields, count, deleteAndRestore, field, given, membersOf, membership, reference, setter, shortText, title, wellFormed } from '../record/parts.ts';
import { keysOf, valueAt, type RecordState } from '../record/state.ts';

export const LANGUAGES = ['en', 'ro'] as const;
export type Language = (typeof LANGUAGES)[number];

const language = v.picklist(LANGUAGES);
/** ISO 4217. */
const currency = v.pipe(v.string(), v.regex(/^[A-Z]{3}$/));

/** `2` of `days` is Tuesday (ISO 8601); times of the day as `09:00`. */
const timeOfDay = v.pipe(v.string(), v.regex(/^([01]\d|2[0-3]):[0-5]\d$/));
const workingHours = v.nullable(
	v.pipe(
		v.strictObject({ days: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7))), v.maxLength(7)), from: timeOfDay, to: timeOfDay }),
		v.check(({ days }) => new Set(days).size === days.length, 'a day twice'),
		v.check(({ from, to }) => from < to, 'the day ends before it begins'),
		v.transform(({ days, from, to }) => ({ days: [...days].sort((a, b) => a - b), from, to }))
	)
);
export type WorkingHours = v.InferOutput<typeof workingHours>;
/** The company's own address of the portal, without scheme: `portal.example.com`. */
const domain = v.nullable(v.pipe(v.string(), v.trim(), v.toLowerCase(), v.maxLength(253), v.regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/)));

/** How long a device may go without reaching the relay before it locks itself; `off` for ever. */
export const LEASES = ['off', '72h', '30d'] as const;
export type Lease = (typeof LEASES)[number];
const lease = v.picklist(LEASES);

export interface SettingsRow extends BaseRow {
	readonly kind: 'settings';
	readonly company: string;
	readonly language: Language;
	readonly currency: string;
	/** Null: no working schedule. Under a tariff with `workingHours`. */
	readonly workingHours: WorkingHours;
	/** Null: the relay's own address. Under a tariff with `ownDomain`. */
	readonly domain: string | null;
	readonly lease: Lease;
}

export const settings = defineKind<SettingsRow>({
	kind: 'settings',
	rowVersion: 2,
	fields: { ...commonFields, company: field(title), language: field(language), currency: field(currency), workingHours: field(workingHours), domain: field(domain), lease: field(lease) },
	sets: {},
	lists: {},
	commands: {
		create: command(
			v.strictObject({ company: title, language: v.optional(language), currency: v.optional(currency) }),
			(_state, args): Effect[] => [['created', true], ...given(args, ['company', 'language', 'currency'])],
			'new'
		),
		setCompany: setter('company', title),
		setLanguage: setter('language', language),
		setCurrency: setter('currency', currency),
		setWorkingHours: setter('workingHours', workingHours),
		setDomain: setter('domain', domain),
		setLease: setter('lease', lease)
	},
	row: (base, state): SettingsRow => ({
		...base,
		kind: 'settings',
		company: valueAt(state, 'company') as string,
		language: (valueAt(state, 'language') as Language | undefined) ?? 'en',
		currency: (valueAt(state, 'currency') as string | undefined) ?? 'EUR',
		workingHours: (valueAt(state, 'workingHours') as WorkingHours | undefined) ?? null,
		domain: (valueAt(state, 'domain') as string | null | undefined) ?? null,
		lease: (valueAt(state, 'lease') as Lease | undefined) ?? 'off'
	}),
	audience: () => ['all']
});

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
	readonly email: string;
	readonly position: string | null;
	readonly language: Language | null;
	readonly departments: readonly DepartmentId[];
	readonly administrator: boolean;
	/** False after dismissal; the profile stays as the author of what it wrote. */
	readonly active: boolean;
	/** From outside the company: signs in, and holds what names them alone. Made so by the relay when it makes the record. */
	readonly guest: boolean;
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

/** Parsed and normalised by accounts/ before it gets here. */
const email = v.pipe(v.string(), v.email(), v.maxLength(254));
const departments = membership('departments', 'department');

export const employee = defineKind<EmployeeRow>({
	kind: 'employee',
	rowVersion: 2,
	fields: {
		...commonFields,
		firstName: field(name),
		lastName: field(name),
		email: field(email),
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
		setAdministrator: setter('administrator', v.boolean()),
		joinDepartment: departments.add,
		leaveDepartment: departments.remove,
		dismiss: command(v.strictObject({}), () => [['active', false]]),
		rehire: command(v.strictObject({}), () => [['active', true]])
	},
	row: (base, state): EmployeeRow => ({
		...base,
		kind: 'employee',
		firstName: valueAt(state, 'firstName') as string,
		lastName: valueAt(state, 'lastName') as string,
		email: valueAt(state, 'email') as string,
		position: (valueAt(state, 'position') as string | null | undefined) ?? null,
		language: (valueAt(state, 'language') as Language | null | undefined) ?? null,
		departments: membersOf<'department'>(state, 'departments'),
		administrator: valueAt(state, 'administrator') === true,
		active: valueAt(state, 'active') !== false,
		guest: valueAt(state, 'guest') === true
	}),
	audience: (row) => ['all', `user:${row.id as PersonId}`]
});
