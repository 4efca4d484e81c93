/**
 * Principals: what a document's audience is made of and what a session holds. Visible if the two sets meet.
 * The company's structure is expanded on the session's side alone (SPEC A1), so moving people changes sessions, not documents.
 */
import type { DepartmentId, PersonId } from '../ids.ts';

export type Principal =
	/** Employees; guests never hold it. */
	| 'all'
	| 'admins'
	| `user:${PersonId}`
	| `department:${DepartmentId}`
	/** A task's people and their heads. */
	| `task:user:${PersonId}`
	/** The deal's responsible person and the heads above. */
	| `crm:deal:user:${PersonId}`
	| 'crm:deal:all';
