/**
 * What a session holds: the company's structure, the workgroups and the read scopes of the CRM, expanded for one person (SPEC A1). Documents
 * name people and places; only here are they followed, so that moving people changes sessions and no document.
 */
import type { PersonId } from '../ids.ts';
import type { Directory } from './directory.ts';
import type { CrmEntity, Principal } from './principals.ts';
import { ENTITIES_WITH_DOCUMENTS, type Reach } from './roles.ts';

/** The principals that name one person. Made once for each: the head of a large company holds those of everybody. */
export interface NamingPrincipals extends Readonly<Record<(typeof ENTITIES_WITH_DOCUMENTS)[number], Principal>> {
	readonly task: Principal;
}
export function principalsNaming(id: PersonId): NamingPrincipals {
	return { task: `task:user:${id}`, deal: `crm:deal:user:${id}`, company: `crm:company:user:${id}` };
}

export function holdingsOf(directory: Directory, id: PersonId): ReadonlySet<Principal> {
	const held = new Set<Principal>();
	const person = directory.person(id);
	if (!person?.active) return held;
	held.add(`user:${id}`).add(directory.naming(id).task);
	for (const one of directory.groupsOf(id)) {
		held.add(`group:${one}`);
		const group = directory.group(one)!;
		if (group.owner === id || group.moderators.includes(id)) held.add(`group:${one}:moderators`);
	}
	// From outside: what names them, and nothing of the company's.
	if (person.guest) return held;

	held.add('all');
	if (directory.isAdministrator(id)) held.add('admins');
	for (const own of person.departments) {
		if (directory.isStanding(own)) held.add(`department:${own}`);
		for (const above of directory.standingChainOf(own)) held.add(`departments:${above}`);
	}
	const led = directory.ledBy(id);
	for (const department of led) for (const other of directory.subtree(department)) held.add(directory.naming(other).task);
	const reaches = directory.reachesOf(id);
	for (const entity of ENTITIES_WITH_DOCUMENTS) addReach(held, directory, id, entity, reaches.of[`${entity}.read`]);
	return held;
}

function addReach(held: Set<Principal>, directory: Directory, id: PersonId, entity: (typeof ENTITIES_WITH_DOCUMENTS)[number], { level, heads, open }: Reach): void {
	const name = (other: PersonId) => void held.add(directory.naming(other)[entity]);
	if (open) held.add(`crm:${entity satisfies CrmEntity}:open`);
	if (level === 'none') return;
	if (level === 'all') {
		held.add(`crm:${entity}:all`);
		return;
	}
	name(id);
	if (heads) for (const department of directory.ledBy(id)) directory.subtree(department).forEach(name);
	if (level === 'department') for (const department of directory.departmentsOf(id)) directory.membersOf(department).forEach(name);
	if (level === 'subdepartments') for (const department of directory.departmentsOf(id)) directory.subtree(department).forEach(name);
}
