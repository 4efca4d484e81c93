/** CRM roles: what its people may do with each entity, and how far. Read scopes become principals (access/roles.ts), the rest is asked at each change. */
import * as v from 'valibot';
import { CRM_ENTITIES, type CrmEntity } from '../access/principals.ts';
import { isRecipient, type Recipient } from '../access/recipients.ts';
import { command, defineKind, type BaseRow, type Effect } from '../record/kind.ts';
import { commonFields, deleteAndRestore, field, keysWhere, mapSetter, recipient, setter, title, valuesOf } from '../record/parts.ts';
import { valueAt } from '../record/state.ts';

export const CRM_ACTIONS = ['read', 'add', 'write', 'delete', 'export', 'import'] as const;
export type CrmAction = (typeof CRM_ACTIONS)[number];

/** How far an action reaches, from little to much. `subdepartments`: the own departments and everything below them. */
export const CRM_LEVELS = ['none', 'own', 'department', 'subdepartments', 'all'] as const;
export type CrmLevel = (typeof CRM_LEVELS)[number];

export type CrmPermission = `${CrmEntity}.${CrmAction}`;
export const CRM_PERMISSIONS = CRM_ENTITIES.flatMap((entity) => CRM_ACTIONS.map((action) => `${entity}.${action}` as const)) satisfies CrmPermission[];

/** What open items may be added to. */
export type OpenPermission = `${CrmEntity}.${'read' | 'write'}`;
export const OPEN_PERMISSIONS = CRM_ENTITIES.flatMap((entity) => [`${entity}.read` as const, `${entity}.write` as const]) satisfies OpenPermission[];

export interface RoleRow extends BaseRow {
	readonly kind: 'role';
	readonly name: string;
	/** Whom the role applies to. */
	readonly people: readonly Recipient[];
	/** Every permission; `none` where nothing was said. */
	readonly permissions: Readonly<Record<CrmPermission, CrmLevel>>;
	/** Permissions that also reach what is marked as open, whoever is responsible for it. */
	readonly open: readonly OpenPermission[];
}

const permission = v.picklist(CRM_PERMISSIONS);
const openPermission = v.picklist(OPEN_PERMISSIONS);
const level = v.picklist(CRM_LEVELS);
const member = v.strictObject({ member: recipient });

export const role = defineKind<RoleRow>({
	kind: 'role',
	rowVersion: 1,
	fields: { ...commonFields, name: field(title) },
	sets: { people: { isMember: isRecipient }, open: { isMember: (key) => v.is(openPermission, key) } },
	maps: { permissions: { isKey: (key) => v.is(permission, key), value: field(level) } },
	lists: {},
	commands: {
		create: command(
			v.strictObject({
				name: title,
				people: v.optional(v.pipe(v.array(recipient), v.maxLength(50))),
				permissions: v.optional(v.pipe(v.array(v.strictObject({ key: permission, value: level })), v.maxLength(CRM_PERMISSIONS.length))),
				open: v.optional(v.pipe(v.array(openPermission), v.maxLength(OPEN_PERMISSIONS.length)))
			}),
			(_state, args): Effect[] => [
				['created', true],
				['name', args.name],
				...(args.people ?? []).map((one): Effect => [`people/${one}`, true]),
				...(args.permissions ?? []).map(({ key, value }): Effect => [`permissions/${key}`, value]),
				...(args.open ?? []).map((key): Effect => [`open/${key}`, true])
			],
			'new'
		),
		setName: setter('name', title),
		addPerson: command(member, (_state, { member: one }): Effect[] => [[`people/${one}`, true]]),
		removePerson: command(member, (_state, { member: one }): Effect[] => [[`people/${one}`, false]]),
		setPermission: mapSetter('permissions', permission, level),
		setOpen: mapSetter('open', openPermission, v.boolean()),
		...deleteAndRestore
	},
	row(base, state): RoleRow {
		const said: Partial<Record<CrmPermission, CrmLevel>> = valuesOf<CrmPermission, CrmLevel>(state, 'permissions');
		return {
			...base,
			kind: 'role',
			name: valueAt(state, 'name') as string,
			people: keysWhere(state, 'people') as Recipient[],
			permissions: Object.fromEntries(CRM_PERMISSIONS.map((key) => [key, said[key] ?? 'none'])) as Record<CrmPermission, CrmLevel>,
			open: keysWhere(state, 'open') as OpenPermission[]
		};
	},
	audience: () => ['all']
});
