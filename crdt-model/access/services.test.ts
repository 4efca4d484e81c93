import { describe, expect, test } from 'vitest';
import { KINDS } from '../ids.ts';
import { KINDS_OF_SERVICE, SERVICES, serviceOf, serviceOfKind, type ServiceId } from '../kinds/services.ts';
import { companyRow, dealRow, departmentRow, employeeRow, fileRow, groupRow, pageRow, proposalRow, roleRow, settingsRow, taskRow } from '../testing/company.ts';
import { documentId } from '../testing/world.ts';
import { isWithheld, offServiceOf, refusedByService } from './services.ts';

const deal = documentId('deal', 1);
const task = documentId('task', 1);

describe('services', () => {
	test('[E2] every kind is of one service or of none', () => {
		expect(KINDS.filter((kind) => serviceOfKind(kind) === null)).toEqual(['settings', 'employee', 'department', 'proposal']);
		expect(SERVICES.flatMap((service) => KINDS_OF_SERVICE[service]).length).toBe(new Set(SERVICES.flatMap((service) => KINDS_OF_SERVICE[service])).size);
	});

	test.each([
		['a task', taskRow(), 'tasks'],
		['a deal', dealRow(), 'crm'],
		['a client company', companyRow(), 'crm'],
		['a role', roleRow(1), 'crm'],
		['a group', groupRow(1), 'groups'],
		['a page', pageRow(), 'documents'],
		['a page on a task', pageRow({ place: 'record', on: task }), 'tasks'],
		['a page on a deal', pageRow({ place: 'record', on: deal }), 'crm'],
		['a file', fileRow(), 'documents'],
		['a face', fileRow({ place: 'face' }), null],
		['a proposal about a deal', proposalRow({ target: deal }), 'crm'],
		['a proposal about a page', proposalRow({ target: documentId('page', 1) }), 'documents'],
		['a proposal about a person', proposalRow({ target: documentId('employee', 1) }), null],
		['a person', employeeRow(1), null],
		['a department', departmentRow(1), null],
		['the settings', settingsRow(), null]
	] as const)('[E2] %s', (_what, row, service) => {
		expect(serviceOf(row)).toBe(service);
		for (const off of SERVICES) expect(offServiceOf(row, [off])).toBe(off === service ? service : null);
	});

	test('[E3] what is off is refused by its name, and goes to no device but what rights follow from', () => {
		const settings = settingsRow({ servicesOff: ['crm', 'groups'] });
		expect(refusedByService(dealRow(), settings)).toMatchObject({ code: 'service-off', rule: 'service.crm', who: ['admins'] });
		expect([refusedByService(taskRow(), settings), refusedByService(dealRow(), null), refusedByService(settings, settings)]).toEqual([null, null, null]);
		const off: readonly ServiceId[] = SERVICES;
		const withheld = [taskRow(), dealRow(), companyRow(), pageRow(), fileRow(), proposalRow({ target: deal })];
		const sent = [roleRow(1), groupRow(1), fileRow({ place: 'face' }), employeeRow(1), departmentRow(1), settingsRow(), proposalRow({ target: documentId('department', 1) })];
		expect([withheld.every((row) => isWithheld(row, off)), sent.some((row) => isWithheld(row, off))]).toEqual([true, false]);
		expect(withheld.some((row) => isWithheld(row, []))).toBe(false);
	});
});
