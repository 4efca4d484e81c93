/**
 * Why can I, why can I not (FEATURES M10): the rule book's answers with their reasons, as data. Screens and REST put them into words.
 *
 * For reading: which principals of the record open it, and by what a person holds each: their own name, the department that they lead and the path down
 * from the root, a role with its level and through which membership, a workgroup, administration, a grant with its level. Where none does: who could.
 * For a change: the verdict with its rule and who may. It says nothing that the rule book does not: visible if and only if readable.
 *
 * Whoever asks for somebody else must be allowed to know the record; that is the caller's to see to.
 */
import type { DepartmentId, DocumentId, GroupId, PersonId } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import type { DiskLevel, Grants } from '../kinds/grants.ts';
import type { CrmLevel, CrmPermission, RoleRow } from '../kinds/role.ts';
import type { Audience, BaseRow } from '../record/kind.ts';
import { canRead, decide, decideWrite, type Actor, type Change, type Verdict, type World } from './decide.ts';
import type { Directory } from './directory.ts';
import { leadersOf } from './directory-rows.ts';
import type { CrmEntity, Principal } from './principals.ts';
import { addresseeOf, type Recipient } from './recipients.ts';
import { reachOfRole } from './roles.ts';
import { audienceOf } from './verdict.ts';

/** By what a person holds a principal. Paths are names of departments, the root first. */
export type Held =
	/** The principal names the person. */
	| { readonly kind: 'self' }
	| { readonly kind: 'employee' }
	| { readonly kind: 'administrator' }
	| { readonly kind: 'leader'; readonly as: 'head' | 'deputy'; readonly department: DepartmentId; readonly over: PersonId; readonly path: readonly string[] }
	| { readonly kind: 'department'; readonly department: DepartmentId; readonly path: readonly string[] }
	| { readonly kind: 'group'; readonly group: GroupId; readonly name: string; readonly as: 'owner' | 'moderator' | 'member' }
	/** `through`: by which of the role's recipients it applies to the person. */
	| { readonly kind: 'role'; readonly role: DocumentId<'role'>; readonly name: string; readonly permission: CrmPermission; readonly level: CrmLevel | 'open'; readonly through: Recipient }
	/** What holds for everyone to whom no role applies. */
	| { readonly kind: 'default'; readonly permission: CrmPermission };

export interface Opening {
	readonly principal: Principal;
	/** Whose audience it stands in: the record's own, or that of the record it hangs on. */
	readonly of: DocumentId;
	/** The level that it was granted, where it is a grant. */
	readonly grant: DiskLevel | null;
	readonly by: readonly Held[];
}

export type Explanation =
	| {
			readonly action: 'read';
			readonly visible: boolean;
			readonly openings: readonly Opening[];
			/** Who could read it, whether or not the person does; of the record it hangs on only for whoever asks and reads that too. */
			readonly who: readonly Principal[];
	  }
	| { readonly action: 'change'; readonly verdict: Verdict };

/**
 * @param action reading, writing the content of a page or text, or a change as the rule book is asked about it
 * @param asking who is told, where somebody asks for another
 */
export function explain(actor: Actor, action: 'read' | 'write' | Change, row: BaseRow, world: World, asking: Actor = actor): Explanation {
	if (action === 'write') return { action: 'change', verdict: decideWrite(actor, row, world) };
	if (action !== 'read') return { action: 'change', verdict: decide(actor, action, world) };
	const openings = sourcesOf(row, world)
		.filter(({ principal }) => actor.principals.has(principal))
		.map((source) => ({ ...source, by: howHeld(world.directory, actor.person, source.principal) }));
	return { action: 'read', visible: openings.length > 0, openings, who: toldOf(asking, row, world) };
}

/**
 * Who could read it, as far as that may be told. Whoever reads a record by its own principals alone does not read the one it hangs on: whose that is, and
 * whether it is there, is not theirs to know (A14).
 */
function toldOf(asking: Actor, row: BaseRow, world: World): readonly Principal[] {
	const audience: Audience = kindNamed(row.kind).audience(row);
	const readers = audienceOf(row, world);
	if (!('scope' in audience) || !audience.also || !canRead(asking, audience.also)) return readers;
	const scope = world.rowOf(audience.scope);
	return scope && canRead(asking, audienceOf(scope, world)) ? readers : audience.also;
}

/** The principals of the audience with where each comes from. The same steps as `audienceOf`, of which this is the longer form. */
function sourcesOf(row: BaseRow, world: World): Omit<Opening, 'by'>[] {
	const audience: Audience = kindNamed(row.kind).audience(row);
	const own = sourced(row, 'scope' in audience ? (audience.also ?? []) : audience);
	if (!('scope' in audience)) return own;
	const scope = world.rowOf(audience.scope);
	if (!scope) return own;
	const above: Audience = kindNamed(scope.kind).audience(scope);
	return [...own, ...sourced(scope, 'scope' in above ? (above.also ?? []) : above)];
}

function sourced(row: BaseRow, principals: readonly Principal[]): Omit<Opening, 'by'>[] {
	const { grants } = row as BaseRow & { readonly grants?: Grants };
	return [...new Set(principals)].map((principal) => ({ principal, of: row.id, grant: grants?.[principal as Recipient] ?? null }));
}

/** By what a person holds a principal; empty if and only if they do not. */
export function howHeld(directory: Directory, id: PersonId, principal: Principal): readonly Held[] {
	const person = directory.person(id);
	if (!person?.active) return [];
	if (principal.startsWith('task:user:')) return [...isSelf(id, principal), ...(person.guest ? [] : leading(directory, id, lastOf(principal)))];
	if (principal.startsWith('group:')) return inGroup(directory, id, principal);
	if (principal.startsWith('user:')) return isSelf(id, principal);
	if (person.guest) return [];
	if (principal === 'admins') return directory.isAdministrator(id) ? [{ kind: 'administrator' }] : [];
	if (principal.startsWith('crm:')) return inCrm(directory, id, principal);
	return asRecipient(directory, id, principal as Recipient);
}

const lastOf = (principal: Principal) => principal.slice(principal.lastIndexOf(':') + 1) as PersonId;

function isSelf(id: PersonId, principal: Principal): Held[] {
	return lastOf(principal) === id ? [{ kind: 'self' }] : [];
}

/** The names from the root down to a department. */
export function pathOf(directory: Directory, id: DepartmentId): string[] {
	return directory.standingChainOf(id).reverse().map((one) => directory.department(one)!.name);
}

/** The departments that one leads and in or below which the other is. */
function leading(directory: Directory, id: PersonId, over: PersonId): Held[] {
	if (id === over) return [];
	const found: Held[] = [];
	for (const own of directory.person(over)?.departments ?? []) {
		for (const department of directory.standingChainOf(own)) {
			const row = directory.department(department);
			if (leadersOf(row).includes(id)) found.push({ kind: 'leader', as: row!.head === id ? 'head' : 'deputy', department, over, path: pathOf(directory, own) });
		}
	}
	return found;
}

function inGroup(directory: Directory, id: PersonId, principal: Principal): Held[] {
	const [, key, part] = principal.split(':') as [string, GroupId, string?];
	const group = directory.group(key);
	if (!group || !directory.groupsOf(id).has(key)) return [];
	const as = group.owner === id ? 'owner' : group.moderators.includes(id) ? 'moderator' : 'member';
	return part !== undefined && as === 'member' ? [] : [{ kind: 'group', group: key, name: group.name, as }];
}

/** How a recipient refers to a person who works here. */
function asRecipient(directory: Directory, id: PersonId, recipient: Recipient): Held[] {
	const addressee = addresseeOf(recipient);
	switch (addressee?.kind) {
		case 'all':
			return [{ kind: 'employee' }];
		case 'user':
			return isSelf(id, recipient);
		case 'group':
			return inGroup(directory, id, recipient);
		case 'department':
		case 'departments': {
			const top = addressee.id;
			const under = (own: DepartmentId) => (addressee.kind === 'department' ? own === top && directory.isStanding(own) : directory.standingChainOf(own).includes(top));
			return (directory.person(id)?.departments ?? []).filter(under).map((own) => ({ kind: 'department', department: top, path: pathOf(directory, own) }));
		}
		default:
			return [];
	}
}

function inCrm(directory: Directory, id: PersonId, principal: Principal): Held[] {
	const [, entity, what] = principal.split(':') as [string, CrmEntity, 'user' | 'all' | 'open'];
	const permission: CrmPermission = `${entity}.read`;
	const reaches = directory.reachesOf(id);
	// What a session holds is asked of the session's own set: a principal that a wider one makes needless is not in it.
	if (!directory.principalsOf(id).has(principal)) return [];
	if (directory.isAdministrator(id)) return [{ kind: 'administrator' }];
	if (reaches.builtIn) {
		if (what !== 'user') return [{ kind: 'default', permission }];
		return [...isSelf(id, principal), ...leading(directory, id, lastOf(principal))];
	}
	return directory.rolesOf(id).flatMap((role): Held[] => {
		const row = directory.role(role)!;
		const level = what === 'user' ? reachOfRole(directory, id, row, permission, lastOf(principal)) : what === 'all' ? (row.permissions[permission] === 'all' ? 'all' : null) : row.open.includes(permission as never) ? 'open' : null;
		return level === null ? [] : throughs(directory, id, row).map((through) => ({ kind: 'role', role, name: row.name, permission, level, through }));
	});
}

/** By which of its recipients a role applies to a person. */
function throughs(directory: Directory, id: PersonId, role: RoleRow): Recipient[] {
	return role.people.filter((recipient) => asRecipient(directory, id, recipient).length > 0);
}
