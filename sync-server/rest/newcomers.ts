/**
 * Bringing people in: who may, where they may be put, and the one way in which somebody becomes an employee.
 *
 * Promises: nobody puts a newcomer where they could not be themselves (an accomplice would read there for them); however many ways lead an address into a portal at once, it becomes one
 * employee; what broke off half-way (a crash, a lost answer) is taken up by repeating it.
 * Leaves to others: proving who somebody is, the seat (the gate, in the transaction that makes the employee).
 */
import { audienceOf, canRead } from '#crdt-model/access/decide.ts';
import { mayInvite } from '#crdt-model/access/entrusted.ts';
import type { DepartmentId, GroupId, PersonId } from '#crdt-model/ids.ts';
import type { EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import type { Language } from '#crdt-model/kinds/settings.ts';
import type { Refusal } from '#crdt-model/wire/refusal.ts';
import type { Accounts, IdentityId } from '../accounts/accounts.ts';
import type { Email } from '../accounts/email.ts';
import type { Portal } from '../room/portal.ts';
import { addEmployee, rehire } from '../room/relay-acts.ts';
import type { Services } from './call.ts';
import { badField, problem } from './problem.ts';

/** Where a newcomer begins. */
export interface Placement {
	readonly department: DepartmentId | null;
	readonly groups: readonly GroupId[];
}

/** Administrators, and whom the settings name; asked again whenever something that they sent is used. */
export function mayBringIn(portal: Portal, person: PersonId): boolean {
	const actor = portal.actorOf(person);
	return actor !== null && mayInvite(actor, portal.settings);
}
export const bringsNobodyIn = (): Response => problem('denied', { detail: 'administrators invite, and those whom they named in the settings' });

/** An administrator anywhere; others into their own departments, and into those below what they lead. */
function mayPutInto(portal: Portal, person: PersonId, department: DepartmentId): boolean {
	const { directory } = portal;
	if (!directory.isStanding(department)) return false;
	if (directory.isAdministrator(person) || directory.departmentsOf(person).has(department)) return true;
	return directory.standingChainOf(department).some((one) => directory.leads(person, one));
}

/** Whoever lets people into it, and anybody where anybody joins. */
function mayAddTo(portal: Portal, person: PersonId, id: GroupId): 'may' | 'may-not' | 'unknown' {
	const row = portal.directory.group(id);
	const actor = portal.actorOf(person);
	if (!row || row.deleted || row.archived || !actor || !canRead(actor, audienceOf(row, portal.world))) return 'unknown';
	const manages = actor.principals.has('admins') || row.owner === person || row.moderators.includes(person);
	return manages || row.visibility === 'open' ? 'may' : 'may-not';
}

/** Why somebody may not put a newcomer there; null where they may. */
export function placementProblem(portal: Portal, person: PersonId, { department, groups }: Placement): Response | null {
	if (department !== null && !portal.directory.isStanding(department)) return badField('department', 'no such department');
	if (department !== null && !mayPutInto(portal, person, department)) return problem('denied', { detail: 'you put people into your own departments, and into those below one that you lead', extra: { field: 'department' } });
	for (const [at, group] of groups.entries()) {
		const may = mayAddTo(portal, person, group);
		if (may === 'unknown') return badField(`groups.${at}`, 'no such workgroup');
		if (may === 'may-not') return problem('denied', { detail: 'the owner and the moderators of a workgroup let people in', extra: { field: `groups.${at}` } });
	}
	return null;
}

/** What of a placement holds by now: departments go, and rights with them; that keeps nobody out. */
export const placementOfNow = (portal: Portal, person: PersonId, { department, groups }: Placement): Placement => ({
	department: department !== null && mayPutInto(portal, person, department) ? department : null,
	groups: groups.filter((group) => mayAddTo(portal, person, group) === 'may')
});

export interface Newcomer {
	readonly email: Email;
	readonly firstName: string;
	readonly lastName: string;
	readonly language: Language | undefined;
	readonly position?: string | null | undefined;
	readonly placement: Placement;
	/** Somebody who may has decided: a dismissed person is let in again. */
	readonly mayReturn: boolean;
}

/** The person's record and their membership. Whoever calls knows that the identity is the newcomer's. */
export function letIn({ accounts }: Services, portal: Portal, identity: IdentityId, newcomer: Newcomer): Promise<{ employee: PersonId } | Refusal> {
	return accounts.turns.run(`${portal.id} ${newcomer.email}`, async () => {
		const member = (await accounts.membershipsOf(identity)).find((membership) => membership.portal === portal.id)?.employee;
		if (member !== undefined) return portal.actorOf(member) || !newcomer.mayReturn ? { employee: member } : rehire(portal, member, newcomer.placement.groups);
		let employee = await withoutIdentity(accounts, portal, newcomer.email);
		if (employee === null) {
			const { firstName, lastName, email, position, language, placement } = newcomer;
			const added = await addEmployee(portal, { firstName, lastName, email, position, language, department: placement.department ?? undefined, groups: placement.groups });
			if (!('employee' in added)) return added;
			employee = added.employee;
		}
		const joined = await accounts.addMembership({ identity, portal: portal.id, employee });
		if (joined.outcome === 'employee-taken') throw new Error(`${employee} has an identity already, though an address is let in once at a time`);
		return { employee: joined.outcome === 'already-member' ? joined.employee : employee };
	});
}

/** The employee that was made before a letting-in broke off, or whom an import made. */
async function withoutIdentity(accounts: Accounts, portal: Portal, email: Email): Promise<PersonId | null> {
	for (const person of portal.directory.people) {
		const id = person.id as PersonId;
		if (person.active && person.email === email && (await accounts.identityOf(portal.id, id)) === null) return id;
	}
	return null;
}

/** Whoever has the address here, active ones first. */
export function personWith(portal: Portal, email: Email): EmployeeRow | null {
	let dismissed: EmployeeRow | null = null;
	for (const person of portal.directory.people) {
		if (person.email !== email) continue;
		if (person.active) return person;
		dismissed ??= person;
	}
	return dismissed;
}

export function nameOf(portal: Portal, id: PersonId): string {
	const person = portal.directory.person(id);
	return person ? `${person.firstName} ${person.lastName}` : (portal.settings?.company ?? '');
}
