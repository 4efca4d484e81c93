import { expect, test } from 'vitest';
import type { PersonId } from '../ids.ts';
import type { DepartmentRow, EmployeeRow } from '../kinds/company-structure.ts';
import type { GroupRow } from '../kinds/group.ts';
import { documentId, person } from '../testing/world.ts';
import { Directory } from './directory.ts';
import { isInside, mayEnter, type EntryRule } from './entry.ts';

const [ANN, BEN, CAT, DAN, EVE] = [1, 2, 3, 4, 5].map((n) => person(n)) as [PersonId, PersonId, PersonId, PersonId, PersonId];
const COMPANY = documentId('department', 1);
const SALES = documentId('department', 2);
const TEAM = documentId('department', 3);
const GROUP = documentId('group', 1);
const base = { number: null, createdBy: ANN, createdAt: 1, updatedAt: 1, deleted: false };
const employee = (id: PersonId, more: Partial<EmployeeRow> = {}) => ({ ...base, id, kind: 'employee', firstName: 'A', lastName: 'B', email: 'a@b.example', departments: [COMPANY], administrator: false, active: true, guest: false, ...more }) as EmployeeRow;
const department = (id: DepartmentRow['id'], parent: DepartmentRow['parent']) => ({ ...base, id, kind: 'department', name: 'D', parent, head: null, deputies: [] }) as unknown as DepartmentRow;

function company(): Directory {
	const directory = new Directory();
	for (const row of [
		department(COMPANY, null), department(SALES, COMPANY), department(TEAM, SALES),
		employee(ANN, { administrator: true }), employee(BEN, { departments: [SALES] }), employee(CAT, { departments: [TEAM] }), employee(DAN), employee(EVE, { guest: true, departments: [] }),
		{ ...base, id: GROUP, kind: 'group', name: 'G', owner: DAN, moderators: [], members: [EVE], visibility: 'open' } as unknown as GroupRow
	]) directory.take(row);
	return directory;
}
const OFFICE = '198.51.100.7';
const HOME = '203.0.113.9';
const rule = (...exceptions: EntryRule['exceptions'][number][]): EntryRule => ({ ranges: [{ cidr: '198.51.100.0/24' }, { cidr: '2001:db8:5::/48' }], exceptions });

test('[N3] without a rule from anywhere, with one from its ranges; from nowhere that is known is outside', () => {
	const directory = company();
	for (const ip of [OFFICE, HOME, null]) expect(mayEnter(null, directory, BEN, ip)).toBe(true);
	const asked = [OFFICE, '::ffff:198.51.100.7', '::FFFF:C633:6407', '2001:db8:5::1', '2001:0DB8:0005:0::1'];
	for (const ip of asked) expect(mayEnter(rule(), directory, BEN, ip), ip).toBe(true);
	for (const ip of [HOME, '198.51.101.7', '2001:db8:6::1', '::198.51.100.7', '198.51.100.7:80', 'unknown', '', null]) expect(mayEnter(rule(), directory, BEN, ip), String(ip)).toBe(false);
	expect([isInside(rule(), OFFICE), isInside(rule(), HOME), isInside(rule(), null)]).toEqual([true, false, false]);
});

test('[N3] administrators may always, and whom an exception names: a person, a department alone or with those below, a workgroup', () => {
	const directory = company();
	const from = (one: EntryRule) => [ANN, BEN, CAT, DAN, EVE].filter((id) => mayEnter(one, directory, id, HOME));
	expect(from(rule())).toEqual([ANN]);
	expect(from(rule(`user:${DAN}`))).toEqual([ANN, DAN]);
	expect(from(rule(`department:${SALES}`))).toEqual([ANN, BEN]);
	expect(from(rule(`departments:${SALES}`))).toEqual([ANN, BEN, CAT]);
	expect(from(rule(`group:${GROUP}`))).toEqual([ANN, DAN, EVE]);
	expect(from(rule('all')), 'guests are not of the company').toEqual([ANN, BEN, CAT, DAN]);
});

test('[N3] it follows the person: demoted, moved, dismissed', () => {
	const directory = company();
	const may = (id: PersonId, one = rule(`departments:${SALES}`)) => mayEnter(one, directory, id, HOME);
	expect([may(ANN), may(CAT)]).toEqual([true, true]);
	directory.take(employee(ANN));
	directory.take(employee(CAT, { departments: [COMPANY] }));
	expect([may(ANN), may(CAT)]).toEqual([false, false]);
	directory.take(employee(ANN, { administrator: true, active: false }));
	expect(may(ANN), 'who was dismissed administers nothing').toBe(false);
});
