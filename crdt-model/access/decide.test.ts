/** The rule book, a line per rule: what holds for everybody, and the company itself. Each module's fields have a test of their own. */
import { describe, expect, test } from 'vitest';
import { KINDS, RELAY } from '../ids.ts';
import type { EmployeeRow } from '../kinds/company-structure.ts';
import { kindNamed } from '../kinds/index.ts';
import type { BaseRow } from '../record/kind.ts';
import { companyRow, dealRow, departmentId, departmentRow, directoryOf, employeeRow, pageRow, taskRow, worldOf } from '../testing/company.ts';
import { ANN, BEN, CAT, CLOSED, DORA, GONE, GUY, SALES, SUPPORT, ask, closed, directory, expectEach, people, root, sales, say, settingsRow, who } from '../testing/office.ts';
import { documentId, person } from '../testing/world.ts';
import { audienceOf } from './decide.ts';

describe('everyone', () => {
	test('[A3] what is not readable is not there, whatever was tried', () => {
		const task = taskRow({ createdBy: ANN, responsible: ANN });
		const deal = dealRow({ createdBy: ANN, responsible: ANN });
		for (const before of [task, deal] as BaseRow[]) for (const changed of [['title'], ['deleted'], ['comments/x/text']]) {
			for (const name of ['cat', 'ben', 'gone', 'relay']) expect(ask(name, { before, changed })).toEqual({ allow: false, code: 'not-found', rule: 'not-readable', who: [] });
		}
		expectEach({ before: pageRow({ createdBy: ANN }) }, { 'boss ben': 'not-found not-readable', 'ann admin': 'allow page.own' });
	});

	test('[A3] a page cannot tell whether a record is unreadable, deleted or not there', () => {
		const hang = pageRow({ id: documentId('page', 1), createdBy: CAT, place: 'record', on: documentId('task', 1) });
		const answers = [[], [taskRow({ createdBy: ANN })], [taskRow({ createdBy: CAT, responsible: CAT, deleted: true })]].map((records) => ask('cat', { next: hang, records }));
		for (const answer of answers) expect(answer).toEqual({ allow: false, code: 'denied', rule: 'page.record-is-there', who: [] });
	});

	test('[A2] the relay and the dismissed make nothing of any kind', () => {
		for (const kind of KINDS) {
			const next = { ...taskRow(), kind, id: documentId(kind, 3) } as BaseRow;
			for (const name of ['relay', 'gone']) expect(say(ask(name, { next })), kind).toBe('not-found not-readable');
		}
	});

	test('[A2] a page has the audience of its record, never further than one step; without its record nobody’s', () => {
		const task = taskRow({ createdBy: ANN, responsible: BEN });
		const on = pageRow({ place: 'record', on: task.id });
		expect(audienceOf(on, worldOf(directory, [task]))).toEqual(kindNamed('task').audience(task));
		expect(audienceOf(on, worldOf(directory))).toEqual([]);
		const second = pageRow({ id: documentId('page', 2), place: 'record', on: on.id });
		expect(audienceOf(second, worldOf(directory, [task, on]))).toEqual([]);
		const itself = pageRow({ place: 'record', on: documentId('page', 1) });
		expect(audienceOf(itself, worldOf(directory, [itself]))).toEqual([]);
	});

	test('[A2] audiences: a task’s people, a deal’s responsible person, one’s own page, everybody’s company', () => {
		const task = taskRow({ createdBy: ANN, responsible: BEN, participants: [ANN], observers: [CAT] });
		expect(kindNamed('task').audience(task)).toEqual([ANN, BEN, CAT].map((id) => `task:user:${id}`).concat('admins'));
		for (const kind of ['deal', 'company'] as const) {
			const row = { ...(kind === 'deal' ? dealRow() : companyRow()), createdBy: ANN, responsible: BEN };
			expect(kindNamed(kind).audience(row)).toEqual([`crm:${kind}:user:${BEN}`, `crm:${kind}:all`]);
			expect(kindNamed(kind).audience({ ...row, open: true } as unknown as BaseRow)).toEqual([`crm:${kind}:user:${BEN}`, `crm:${kind}:all`, `crm:${kind}:open`]);
		}
		expect(kindNamed('page').audience(pageRow({ createdBy: ANN }))).toEqual([`user:${ANN}`, 'admins']);
		expect(kindNamed('employee').audience(employeeRow(1))).toEqual(['all', `user:${person(1)}`]);
		for (const row of [pageRow({ place: 'company' }), root, settingsRow]) expect(kindNamed(row.kind).audience(row)).toEqual(['all']);
	});
});

describe('the company', () => {
	const ann = people[2]!;
	test('[A4] administrators change the company; everyone keeps their own profile', () => {
		for (const before of [ann, sales, settingsRow]) expect(say(ask('admin', { before, changed: ['name'] }))).toBe('allow company.administrators-change');
		for (const before of [sales, settingsRow]) expectEach({ before }, { 'boss lead ann': 'denied company.administrators-change' });
		for (const field of ['firstName', 'lastName', 'position', 'language', 'phone', 'birthday']) expectEach({ before: ann, changed: [field] }, { ann: 'allow company.own-profile', 'lead boss': 'denied company.administrators-change' });
		for (const field of ['administrator', 'active', `departments/${departmentId(1)}`]) expectEach({ before: ann, changed: ['firstName', field] }, { ann: 'denied company.administrators-change' });
		expect(who(ask('ann', { before: sales }))).toEqual(['admins']);
		expectEach({ next: employeeRow(20) }, { 'admin boss ann': 'denied company.people-are-invited' });
	});
	test('[A4] one settings record, and nobody under the relay’s id', () => {
		expectEach({ next: settingsRow }, { admin: 'denied company.one-settings' });
		expectEach({ next: employeeRow(0, { administrator: true }) }, { admin: 'denied company.relay-is-nobody' });
		expect(employeeRow(0).id).toBe(RELAY);
	});
	test('[A4] heads and deputies are employees', () => {
		for (const head of [GONE, RELAY, person(99), GUY]) expectEach({ before: sales, next: { ...sales, head } }, { admin: 'denied company.head-is-employee' });
		for (const head of [null, CAT]) expectEach({ before: sales, next: { ...sales, head } }, { admin: 'allow company.administrators-change' });
		for (const deputy of [GONE, RELAY, GUY]) expectEach({ before: sales, next: { ...sales, deputies: [DORA, deputy] }, changed: [`deputies/${deputy}`] }, { admin: 'denied company.head-is-employee' });
		expectEach({ before: sales, next: { ...sales, deputies: [DORA, CAT] }, changed: [`deputies/${CAT}`] }, { admin: 'allow company.administrators-change', 'lead dora': 'denied company.administrators-change' });
		// Who was dismissed stays named until somebody else is.
		expectEach({ before: { ...sales, head: GONE, deputies: [GONE] }, changed: ['name'] }, { admin: 'allow company.administrators-change' });
	});
	test('[A5] the structure stays one tree', () => {
		const move = (parent: number | null) => say(ask('admin', { before: sales, next: { ...sales, parent: parent === null ? null : departmentId(parent) }, changed: ['parent'] }));
		expect(move(SUPPORT)).toBe('allow company.administrators-change');
		expect(move(null)).toBe('denied company.one-root');
		expect(move(SALES)).toBe('denied company.no-cycle');
		for (const nowhere of [CLOSED, 99]) expect(move(nowhere)).toBe('denied company.department-exists');
		expectEach({ before: root, next: { ...root, parent: departmentId(SALES) } }, { admin: 'denied company.no-cycle' });
		expectEach({ next: departmentRow(9) }, { admin: 'denied company.one-root' });
		expectEach({ next: departmentRow(9, { parent: departmentId(CLOSED) }) }, { admin: 'denied company.department-exists' });
		expectEach({ next: departmentRow(9, { parent: departmentId(SALES) }) }, { admin: 'allow company.administrators-change' });
	});
	test('[A5] a department goes when it is empty, the root never, and comes back only under one that stands', () => {
		const remove = (row: typeof root) => say(ask('admin', { before: row, next: { ...row, deleted: true }, changed: ['deleted'] }));
		expect(remove(root)).toBe('denied company.one-root');
		expect(remove(sales)).toBe('denied company.department-empty');
		const empty = departmentRow(8, { parent: departmentId(SALES) });
		expect(remove(empty)).toBe('allow company.administrators-change');
		const gone = departmentRow(8, { parent: departmentId(CLOSED), deleted: true });
		expectEach({ before: gone, next: { ...gone, deleted: false }, changed: ['deleted'] }, { admin: 'denied company.department-exists' });
		expectEach({ before: closed, next: { ...closed, deleted: false }, changed: ['deleted'] }, { admin: 'allow company.administrators-change' });
		expectEach({ before: ann, next: { ...ann, departments: [departmentId(CLOSED)] }, changed: ['departments'] }, { admin: 'denied company.department-exists' });
		const parentOnly = directoryOf([root, sales, departmentRow(8, { parent: departmentId(SALES) }), people[5]!]);
		expectEach({ before: sales, next: { ...sales, deleted: true }, changed: ['deleted'], in: parentOnly }, { admin: 'denied company.department-empty' });
	});
	test('[A6] a guest administers nothing, and is not counted as one who could', () => {
		const guest = employeeRow(9, { guest: true });
		expectEach({ before: guest, next: { ...guest, administrator: true }, changed: ['administrator'] }, { admin: 'denied company.guests-administer-nothing' });
		const admin = people[5]!;
		const inside = directoryOf([...people, employeeRow(10, { guest: true, administrator: true })]);
		expectEach({ before: admin, next: { ...admin, administrator: false }, changed: ['administrator'], in: inside }, { admin: 'denied company.last-administrator' });
		expectEach({ before: guest, changed: ['lastName'] }, { guy: 'allow company.own-profile', ann: 'denied company.administrators-change' });
		expectEach({ before: people[2]!, changed: ['lastName'] }, { guy: 'not-found not-readable' });
	});
	test('[A6] the last administrator neither resigns nor is dismissed', () => {
		const admin = people[5]!;
		const without: Partial<EmployeeRow>[] = [{ administrator: false }, { active: false }];
		for (const more of without) {
			expectEach({ before: admin, next: { ...admin, ...more } }, { admin: 'denied company.last-administrator' });
			const two = directoryOf([...people, employeeRow(8, { administrator: true })]);
			expectEach({ before: admin, next: { ...admin, ...more }, in: two }, { admin: 'allow company.administrators-change' });
			const other = directoryOf([...people, employeeRow(8, { administrator: true, active: false })]);
			expectEach({ before: admin, next: { ...admin, ...more }, in: other }, { admin: 'denied company.last-administrator' });
		}
		expectEach({ before: ann, next: { ...ann, active: false } }, { admin: 'allow company.administrators-change' });
	});
});

