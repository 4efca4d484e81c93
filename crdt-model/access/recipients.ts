/**
 * Recipients: whom something is granted to or meant for, as one vocabulary. A role's people, the grants of documents and files, and what will be
 * addressed to people all speak it. Each recipient is a principal, so that "whom does this name" and "who holds it" are one question.
 */
import { isIdOf, type DepartmentId, type GroupId, type PersonId } from '../ids.ts';
import type { Principal } from './principals.ts';

export type Recipient = Extract<
	Principal,
	'all' | `user:${string}` | `department:${string}` | `departments:${string}` | `group:${GroupId}`
>;

/** A recipient taken apart. `departments`: the department with everything below it. */
export type Addressee =
	| { readonly kind: 'all' }
	| { readonly kind: 'user'; readonly id: PersonId }
	| { readonly kind: 'department'; readonly id: DepartmentId }
	| { readonly kind: 'departments'; readonly id: DepartmentId }
	| { readonly kind: 'group'; readonly id: GroupId };

/** What a value names, or null where it is no recipient. */
export function addresseeOf(value: unknown): Addressee | null {
	if (value === 'all') return { kind: 'all' };
	if (typeof value !== 'string') return null;
	const cut = value.indexOf(':');
	const id: unknown = value.slice(cut + 1);
	switch (value.slice(0, cut)) {
		case 'user':
			return isIdOf('employee', id) ? { kind: 'user', id } : null;
		case 'department':
			return isIdOf('department', id) ? { kind: 'department', id } : null;
		case 'departments':
			return isIdOf('department', id) ? { kind: 'departments', id } : null;
		case 'group':
			return isIdOf('group', id) ? { kind: 'group', id } : null;
		default:
			return null;
	}
}

export function isRecipient(value: unknown): value is Recipient {
	return addresseeOf(value) !== null;
}
