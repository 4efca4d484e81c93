/**
 * What the relay changes in a portal in its own name: people who come, come back and have another address, a look on as somebody else, bytes that arrived.
 *
 * Promises: each is one batch of commands, decided and logged as anybody's.
 * Leaves to others: whether it may be. Whoever calls has asked for rights; the relay's authority stands behind it.
 */
import type { DepartmentId, DocumentId, GroupId, PersonId } from '#crdt-model/ids.ts';
import type { Language } from '#crdt-model/kinds/company-structure.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import type { Refusal } from '#crdt-model/wire/refusal.ts';
import type { Portal } from './portal.ts';

export interface NewEmployee {
	readonly firstName: string;
	readonly lastName: string;
	readonly email: string;
	readonly department?: DepartmentId | undefined;
	/** Workgroups that the person becomes a member of, whoever may let people in there. */
	readonly groups?: readonly GroupId[] | undefined;
	readonly position?: string | null | undefined;
	readonly language?: Language | undefined;
	readonly administrator?: boolean | undefined;
}

/** Makes a person's record; it takes a seat of the tariff. */
export async function addEmployee(portal: Portal, { department, groups = [], ...fields }: NewEmployee): Promise<{ employee: PersonId } | Refusal> {
	const employee = portal.ids.document('employee');
	const args = { ...fields, departments: department && portal.directory.department(department)?.deleted === false ? [department] : [] };
	const refusal = await act(portal, command(portal, employee, 'employee.create', JSON.parse(JSON.stringify(args))), ...welcome(portal, employee, groups));
	return refusal ?? { employee };
}

/** A dismissed person who is let in again; takes a seat like anybody. */
export async function rehire(portal: Portal, employee: PersonId, groups: readonly GroupId[] = []): Promise<{ employee: PersonId } | Refusal> {
	return (await act(portal, command(portal, employee, 'employee.rehire', {}), ...welcome(portal, employee, groups))) ?? { employee };
}

/** A person's address goes with their account; the relay alone changes it. */
export function changeEmail(portal: Portal, person: PersonId, email: string): Promise<Refusal | null> {
	return act(portal, command(portal, person, 'employee.setEmail', { value: email }));
}

/** Says in the log and in the person's record that an administrator looks on. Null once that is on disk. */
export function recordView(portal: Portal, viewer: PersonId, person: PersonId): Promise<Refusal | null> {
	return act(portal, command(portal, person, 'employee.recordView', { by: viewer, at: portal.now() }));
}

/** A file's bytes are on disk: told to whoever reads its record. */
export function fileArrived(portal: Portal, document: DocumentId<'file'>): Promise<AnswerResult> {
	return portal.submitAsRelay({ commands: [command(portal, document, 'file.arrive', {})] });
}

async function act(portal: Portal, ...commands: Command[]): Promise<Refusal | null> {
	const result = await portal.submitAsRelay({ commands });
	return result.kind === 'accepted' ? null : (result.refusal as Refusal);
}

function command(portal: Portal, document: DocumentId, name: string, args: Command['args']): Command {
	return { id: portal.ids.command(), document, name, args, at: portal.now(), seen: {} };
}

function welcome(portal: Portal, employee: PersonId, groups: readonly GroupId[]): Command[] {
	const standing = groups.filter((id) => portal.directory.group(id)?.deleted === false);
	return standing.map((id) => command(portal, id, 'group.addMember', { member: employee }));
}
