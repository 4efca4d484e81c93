/**
 * Services: the parts of a portal that a company may switch off (settings.servicesOff), and whose documents belong to each. While one is off its
 * documents are not shown, changed or sent; nothing of them is deleted. What is of no service is always there: the company, its people, its settings.
 */
import { kindOf, type KindName } from '../ids.ts';
import type { BaseRow } from '../record/kind.ts';
import type { FileRow } from './file.ts';
import type { PageRow } from './page.ts';
import type { ProposalRow } from './proposal.ts';

export const SERVICES = ['tasks', 'crm', 'documents', 'groups'] as const;
export type ServiceId = (typeof SERVICES)[number];

/** A module that can be switched off adds its line here. A proposal is of the service of what it is about. */
export const KINDS_OF_SERVICE: Readonly<Record<ServiceId, readonly KindName[]>> = {
	tasks: ['task'],
	crm: ['company', 'product', 'deal', 'role'],
	documents: ['page', 'text', 'file'],
	groups: ['group']
};

const serviceByKind = new Map<KindName, ServiceId>(SERVICES.flatMap((service) => KINDS_OF_SERVICE[service].map((kind) => [kind, service] as const)));

/** The service to which a kind's documents belong, but for those that follow another record; null where it can not be switched off. */
export function serviceOfKind(kind: KindName): ServiceId | null {
	return serviceByKind.get(kind) ?? null;
}

/**
 * The service of one record. What hangs on another follows that one: the description of a task is a part of the task, a proposal of what it is about (for the
 * page of a record it names the record, SPEC A14).
 */
export function serviceOf(row: BaseRow): ServiceId | null {
	switch (row.kind) {
		case 'page': {
			const { on } = row as PageRow;
			return serviceOfKind(on === null ? 'page' : kindOf(on)!);
		}
		case 'file':
			// A face belongs to whoever it shows.
			return (row as FileRow).place === 'face' ? null : serviceOfKind('file');
		case 'proposal':
			return serviceOfKind(kindOf((row as ProposalRow).target)!);
		default:
			return serviceOfKind(row.kind);
	}
}
