/**
 * CRM roles: how far each permission reaches for a person, and who may change roles (administrators alone; a role is everybody's to read, so
 * that "why can I" has an answer).
 *
 * Of several roles the union holds. Without any role the built-in default does: deals are one's own and, for heads and deputies, of those below
 * them; client companies are everybody's, and deleted by their maker. Reading becomes principals on the session's side (holdings.ts); everything else is
 * asked at the change, between the person and who is responsible.
 */
import type { PersonId } from '../ids.ts';
import { CRM_ACTIONS, CRM_LEVELS, CRM_PERMISSIONS, OPEN_PERMISSIONS, type CrmAction, type CrmLevel, type CrmPermission, type OpenPermission, type RoleRow } from '../kinds/role.ts';
import type { Directory } from './directory.ts';
import { CRM_ENTITIES, type CrmEntity } from './principals.ts';
import { allow, deny, type Actor, type Rules, type Verdict } from './verdict.ts';

export interface Reach {
	readonly level: CrmLevel;
	/** Also what those below are responsible for, where the person is head or deputy. The built-in default's alone. */
	readonly heads: boolean;
	/** Also what is marked as open. */
	readonly open: boolean;
}

export interface Reaches {
	/** No role decides: the default holds, or the administrators' own. */
	readonly builtIn: boolean;
	readonly of: Readonly<Record<CrmPermission, Reach>>;
}

/** Entities that have documents in this version; principals of the others would open nothing. */
export const ENTITIES_WITH_DOCUMENTS = ['company', 'deal'] as const satisfies readonly CrmEntity[];

const reach = (level: CrmLevel, more: Partial<Reach> = {}): Reach => ({ level, heads: false, open: false, ...more });

function table(of: (entity: CrmEntity, action: CrmAction, permission: CrmPermission) => Reach): Reaches['of'] {
	const entries = CRM_ENTITIES.flatMap((entity) => CRM_ACTIONS.map((action) => [`${entity}.${action}`, of(entity, action, `${entity}.${action}`)] as const));
	return Object.freeze(Object.fromEntries(entries)) as Reaches['of'];
}

const ADMINISTRATOR: Reaches = { builtIn: true, of: table(() => reach('all')) };
/** A client company's deletion is asked apart: it is its maker's, who need not be the responsible person. */
const BUILT_IN: Reaches = {
	builtIn: true,
	of: table((entity, action) => (entity !== 'company' ? reach('own', { heads: true }) : action === 'delete' ? reach('none') : reach('all')))
};

const rank = (level: CrmLevel) => CRM_LEVELS.indexOf(level);

/** The union of roles. */
export function reachesOf(roles: readonly RoleRow[], isAdministrator: boolean): Reaches {
	if (isAdministrator) return ADMINISTRATOR;
	if (roles.length === 0) return BUILT_IN;
	return {
		builtIn: false,
		of: table((_entity, _action, permission) =>
			reach(
				roles.map((role) => role.permissions[permission]).reduce((most, level) => (rank(level) > rank(most) ? level : most), 'none'),
				{ open: OPEN_PERMISSIONS.includes(permission as OpenPermission) && roles.some((role) => role.open.includes(permission as OpenPermission)) }
			)
		)
	};
}

/** By which of its means a permission reaches an item, the widest first; null where it does not. */
export type ReachedBy = 'all' | 'heads' | 'subdepartments' | 'department' | 'own' | 'open';

/**
 * @param responsible who answers for the item
 * @param open whether it is marked as open
 */
export function reachedBy(directory: Directory, person: PersonId, permission: CrmPermission, responsible: PersonId, open: boolean): ReachedBy | null {
	const { level, heads, open: reachesOpen } = directory.reachesOf(person).of[permission];
	if (level === 'all') return 'all';
	if (heads && directory.isBelow(responsible, person)) return 'heads';
	if (level === 'subdepartments' && directory.isWithin(responsible, directory.departmentsOf(person))) return 'subdepartments';
	if (level === 'department' && shares(directory, person, responsible)) return 'department';
	if (level !== 'none' && responsible === person) return 'own';
	return open && reachesOpen ? 'open' : null;
}

/** The level by which one role alone reaches what a person is responsible for; null where it does not. */
export function reachOfRole(directory: Directory, person: PersonId, role: RoleRow, permission: CrmPermission, responsible: PersonId): CrmLevel | null {
	const level = role.permissions[permission];
	const reaches =
		level === 'all' ||
		(level !== 'none' && responsible === person) ||
		(level === 'subdepartments' && directory.isWithin(responsible, directory.departmentsOf(person))) ||
		(level === 'department' && shares(directory, person, responsible));
	return reaches ? level : null;
}

function shares(directory: Directory, person: PersonId, responsible: PersonId): boolean {
	const own = directory.departmentsOf(person);
	return directory.person(responsible)?.departments.some((id) => own.has(id)) ?? false;
}

/** Whether a person may do anything of the kind to anything at all: what decides if a button is shown before there is a record. */
export function mayAtAll(directory: Directory, person: PersonId, permission: CrmPermission): boolean {
	if (!directory.isEmployee(person)) return false;
	const { level, open } = directory.reachesOf(person).of[permission];
	return level !== 'none' || open;
}

const administrators = (actor: Actor): Verdict => (actor.principals.has('admins') ? allow('role.administrators-change') : deny('role.administrators-change', 'admins'));

export const roleRules: Rules = { change: administrators, write: administrators };
