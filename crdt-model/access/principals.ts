/**
 * Principals: what a document's audience is made of and what a session holds. Visible if the two sets meet.
 * The company's structure is expanded on the session's side alone (SPEC A1), so moving people changes sessions, not documents.
 */
import type { DepartmentId, GroupId, PersonId } from '../ids.ts';

/** What the CRM speaks of. Leads and contacts have no documents in this version; roles already say who will read them. */
export const CRM_ENTITIES = ['lead', 'contact', 'company', 'deal'] as const;
export type CrmEntity = (typeof CRM_ENTITIES)[number];

export type Principal =
	/** Employees; guests never hold it. */
	| 'all'
	| 'admins'
	| `user:${PersonId}`
	/** The department's own people. */
	| `department:${DepartmentId}`
	/** The department's people and everyone in those below it. */
	| `departments:${DepartmentId}`
	/** All people of a workgroup. */
	| `group:${GroupId}`
	/** A workgroup's owner and moderators. */
	| `group:${GroupId}:moderators`
	/** A task's people, the heads and deputies above them. */
	| `task:user:${PersonId}`
	/** Whoever may read what this person is responsible for, by their roles. */
	| `crm:${CrmEntity}:user:${PersonId}`
	/** Whoever may read all of an entity. */
	| `crm:${CrmEntity}:all`
	/** Whoever may read what is marked as open. */
	| `crm:${CrmEntity}:open`;
