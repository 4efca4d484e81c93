/** The rule book, a line per rule: who may, who may not, and whom the refusal names. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KINDS, RELAY, type PersonId } from '../ids.ts';
import type { EmployeeRow } from '../kinds/company-structure.ts';
import type { DealRow } from '../kinds/deal.ts';
import type { PageRow } from '../kinds/page.ts';
import type { TaskRow } from '../kinds/task.ts';
import type { BaseRow } from '../record/kind.ts';
import { EMPTY_STATE, type RecordState } from '../record/state.ts';
import { budget } from '../testing/budget.ts';
import {
	actorOf, companyOf, dealRow, departmentId, departmentRow, directoryOf, employeeRow, isAbove, pageRow, taskRow, worldOf, type Company
} from '../testing/company.ts';
import { commandId, documentId, itemId, person } from '../testing/world.ts';
import { audienceOf, decide, decideWrite, type Verdict } from './decide.ts';
import { kindNamed } from '../kinds/index.ts';

/** Boss heads all, Lead heads Sales, Ann and Ben work there; Cat works elsewhere; Admin is an administrator outside of all. */
const [BOSS, LEAD, ANN, BEN, CAT, ADMIN, GONE] = [1, 2, 3, 4, 5, 6, 7].map(person) as [PersonId, PersonId, PersonId, PersonId, PersonId, PersonId, PersonId];
const NAMES: Readonly<Record<string, PersonId>> = { boss: BOSS, lead: LEAD, ann: ANN, ben: BEN, cat: CAT, admin: ADMIN, gone: GONE, relay: RELAY };
const [ROOT, SALES, SUPPORT, CLOSED] = [1, 2, 3, 4] as const;
const root = departmentRow(ROOT, { head: BOSS });
const sales = departmentRow(SALES, { parent: departmentId(ROOT), head: LEAD });
const support = departmentRow(SUPPORT, { parent: departmentId(ROOT) });
const closed = departmentRow(CLOSED, { parent: departmentId(ROOT), deleted: true });
const people = [
	employeeRow(1, { departments: [departmentId(ROOT)] }),
	...[2, 3, 4].map((n) => employeeRow(n, { departments: [departmentId(SALES)] })),
	employeeRow(5, { departments: [departmentId(SUPPORT)] }),
	employeeRow(6, { administrator: true }),
	employeeRow(7, { active: false, departments: [departmentId(SALES)] })
];
const directory = directoryOf([root, sales, support, closed, ...people]);
const settingsRow = { ...root, kind: 'settings', id: documentId('settings', 1) } as BaseRow;
const companyRow = (createdBy: PersonId, deleted = false) => ({ ...taskRow(), kind: 'company', id: documentId('company', 1), name: 'x', createdBy, deleted }) as BaseRow;

interface Asked<Row extends BaseRow> {
	readonly before?: Row | null;
	readonly next?: Row;
	readonly changed?: readonly string[];
	readonly state?: RecordState;
	readonly records?: readonly BaseRow[];
	readonly in?: typeof directory;
}
function ask<Row extends BaseRow>(who: string, { before = null, next, changed = ['title'], state = EMPTY_STATE, records = [], in: inside = directory }: Asked<Row>): Verdict {
	const row = next ?? before!;
	return decide(actorOf(inside, NAMES[who]!), { before: before && { row: before, state }, next: { row, state }, changed }, worldOf(inside, records));
}
const say = (verdict: Verdict) => `${verdict.allow ? 'allow' : verdict.code} ${verdict.rule}`;
const who = (verdict: Verdict) => (verdict.allow ? null : verdict.who);

/** Each line: who → what they are told. */
function expectEach<Row extends BaseRow>(asked: Asked<Row>, lines: Readonly<Record<string, string>>): void {
	for (const [names, expected] of Object.entries(lines)) for (const name of names.split(' ')) expect(say(ask(name, asked)), name).toBe(expected);
}

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
		expect(kindNamed('deal').audience(dealRow({ createdBy: ANN, responsible: BEN }))).toEqual([`crm:deal:user:${BEN}`, 'crm:deal:all']);
		expect(kindNamed('page').audience(pageRow({ createdBy: ANN }))).toEqual([`user:${ANN}`, 'admins']);
		expect(kindNamed('employee').audience(employeeRow(1))).toEqual(['all', `user:${person(1)}`]);
		for (const row of [pageRow({ place: 'company' }), root, settingsRow]) expect(kindNamed(row.kind).audience(row)).toEqual(['all']);
	});
});

describe('tasks', () => {
	const task = taskRow({ createdBy: ANN, responsible: BEN, observers: [CAT] });
	test('[A4] its people, the heads above them and administrators change a task; observers do not', () => {
		expectEach({ before: task }, { 'ann ben lead boss admin': 'allow task.people-change', cat: 'denied task.people-change' });
		expect(who(ask('cat', { before: task }))).toEqual([`task:user:${ANN}`, `task:user:${BEN}`]);
		expectEach({ before: { ...task, participants: [CAT] } }, { cat: 'allow task.people-change' });
		expectEach({ next: taskRow({ createdBy: CAT, responsible: BOSS }) }, { cat: 'allow task.anyone-creates' });
	});
	test('[A4] whoever reads a task comments, and changes their own comments alone', () => {
		const text = `comments/${itemId(1)}/text`;
		const state: RecordState = new Map([[text, { value: 'x', at: 1, by: CAT, command: commandId(1) }]]);
		expectEach({ before: task, changed: [text] }, { 'cat ann': 'allow task.readers-comment' });
		for (const path of [text, `comments/${itemId(1)}/removed`]) {
			expectEach({ before: task, changed: [path], state }, { cat: 'allow task.readers-comment', 'ann boss admin': 'denied comments.author-only' });
		}
		expectEach({ before: task, changed: [text, 'title'], state }, { cat: 'denied task.people-change' });
	});
	test('[A4] nobody is named in a task who is not of the company; who was named stays', () => {
		for (const [path, more] of [['responsible', { responsible: GONE }], ['participants', { participants: [RELAY] }], ['observers', { observers: [person(99)] }]] as const) {
			const next = { ...task, ...more } as TaskRow;
			expectEach({ before: task, next, changed: [path] }, { ann: 'denied task.people-are-employees' });
			expectEach({ next }, { ann: 'denied task.people-are-employees' });
			expectEach({ before: next }, { ann: 'allow task.people-change' });
		}
	});
	test('[A4] a task’s page is written by who changes the task', () => {
		const page = pageRow({ createdBy: ANN, place: 'record', on: task.id });
		const write = (name: string, row: PageRow = page, records: BaseRow[] = [task]) => say(decideWrite(actorOf(directory, NAMES[name]!), row, worldOf(directory, records)));
		expect(write('ben')).toBe('allow task.people-change');
		expect(write('cat')).toBe('denied task.people-change');
		expect(write('ben', page, [])).toBe('not-found not-readable');
		expect(write('ben', page, [{ ...task, deleted: true }])).toBe('denied page.record-is-there');
		expect(write('ann', { ...page, deleted: true })).toBe('denied page.deleted');
	});
});

describe('the CRM', () => {
	const deal = dealRow({ createdBy: CAT, responsible: ANN });
	test('[A4] a deal is changed by its responsible person, the heads above and administrators', () => {
		expectEach({ before: deal }, { 'ann lead boss admin': 'allow deal.responsible-or-head', 'ben cat': 'not-found not-readable' });
		const text = `comments/${itemId(1)}/text`;
		const state: RecordState = new Map([[text, { value: 'x', at: 1, by: ANN, command: commandId(1) }]]);
		expectEach({ before: deal, changed: [text], state }, { ann: 'allow deal.responsible-or-head', lead: 'denied comments.author-only' });
	});
	test('[A4] a deal is made for oneself or for those below, and given to employees', () => {
		expectEach({ next: dealRow({ responsible: ANN }) }, { ann: 'allow deal.anyone-creates', 'lead boss admin': 'allow deal.responsible-or-head', ben: 'denied deal.responsible-or-head' });
		expect(who(ask('ben', { next: dealRow({ responsible: ANN }) }))).toEqual([`crm:deal:user:${ANN}`, 'crm:deal:all']);
		for (const responsible of [GONE, RELAY]) expectEach({ before: deal, next: { ...deal, responsible }, changed: ['responsible'] }, { 'ann admin': 'denied deal.responsible-is-employee' });
		expectEach({ before: deal, next: { ...deal, responsible: CAT }, changed: ['responsible'] }, { ann: 'allow deal.responsible-or-head' });
	});
	test('[A4] client companies are everyone’s; their maker and administrators delete them', () => {
		expectEach({ next: companyRow(ANN) }, { 'ann cat': 'allow crm.anyone-creates' });
		expectEach({ before: companyRow(ANN) }, { 'ann cat': 'allow crm.anyone-changes' });
		expectEach({ before: companyRow(ANN), changed: ['deleted'] }, { 'ann admin': 'allow crm.anyone-changes', 'cat boss': 'denied crm.maker-deletes' });
		expect(who(ask('cat', { before: companyRow(ANN), changed: ['deleted'] }))).toEqual([`user:${ANN}`, 'admins']);
		const write = (row: BaseRow) => say(decideWrite(actorOf(directory, CAT), pageRow({ place: 'record', on: row.id }), worldOf(directory, [row])));
		expect(write(companyRow(ANN))).toBe('allow crm.anyone-changes');
		expect(write(deal)).toBe('not-found not-readable');
	});
});

describe('pages and texts', () => {
	test('[A4] the company’s are everyone’s to write, one’s own are one’s own', () => {
		expectEach({ before: pageRow({ createdBy: ANN, place: 'company' }) }, { 'ann cat': 'allow page.company-writes' });
		expectEach({ next: pageRow({ createdBy: CAT }) }, { cat: 'allow page.own' });
		const loose = { ...pageRow({ createdBy: ANN }), kind: 'text', id: documentId('text', 1) } as BaseRow;
		expect(['ann', 'admin', 'boss'].map((name) => say(decideWrite(actorOf(directory, NAMES[name]!), loose, worldOf(directory))))).toEqual(['allow page.own', 'allow page.own', 'not-found not-readable']);
		expect(say(decideWrite(actorOf(directory, ANN), taskRow({ createdBy: ANN }), worldOf(directory)))).toMatch(/^allow/);
		expect(say(decideWrite(actorOf(directory, ANN), root, worldOf(directory)))).toBe('denied no-content');
	});
	test('[A4] place and deletion stay with the maker and administrators', () => {
		for (const changed of [['place'], ['deleted']]) {
			const before = pageRow({ createdBy: ANN, place: 'company' });
			expectEach({ before, changed }, { 'ann admin': 'allow page.company-writes', 'cat boss': 'denied page.maker-places' });
			expect(who(ask('cat', { before, changed }))).toEqual([`user:${ANN}`, 'admins']);
		}
		expectEach({ before: pageRow({ createdBy: ANN }), next: pageRow({ createdBy: ANN, place: 'record', on: documentId('task', 1) }) }, { ann: 'denied page.stays-loose' });
	});
	test('[A4] a page hangs on work, not on people or on other pages', () => {
		const on = (row: BaseRow) => say(ask('ann', { next: pageRow({ createdBy: ANN, place: 'record', on: row.id }), records: [row] }));
		expect(on(taskRow({ createdBy: ANN }))).toBe('allow task.people-change');
		expect(on(dealRow({ responsible: ANN }))).toBe('allow deal.responsible-or-head');
		expect(on(companyRow(CAT))).toBe('allow crm.anyone-changes');
		expect(on(people[0]!)).toBe('denied page.hangs-on-work');
		expect(on(pageRow({ id: documentId('page', 2), createdBy: ANN }))).toBe('denied page.hangs-on-work');
	});
});

describe('the company', () => {
	const ann = people[2]!;
	test('[A4] administrators change the company; everyone keeps their own profile', () => {
		for (const before of [ann, sales, settingsRow]) expect(say(ask('admin', { before, changed: ['name'] }))).toBe('allow company.administrators-change');
		for (const before of [sales, settingsRow]) expectEach({ before }, { 'boss lead ann': 'denied company.administrators-change' });
		for (const field of ['firstName', 'lastName', 'position', 'language']) expectEach({ before: ann, changed: [field] }, { ann: 'allow company.own-profile', 'lead boss': 'denied company.administrators-change' });
		for (const field of ['administrator', 'active', `departments/${departmentId(1)}`, 'email']) expectEach({ before: ann, changed: ['firstName', field] }, { ann: 'denied company.administrators-change' });
		expect(who(ask('ann', { before: sales }))).toEqual(['admins']);
		expectEach({ next: employeeRow(20) }, { 'admin boss ann': 'denied company.people-are-invited' });
	});
	test('[A4] one settings record, and nobody under the relay’s id', () => {
		expectEach({ next: settingsRow }, { admin: 'denied company.one-settings' });
		expectEach({ next: employeeRow(0, { administrator: true }) }, { admin: 'denied company.relay-is-nobody' });
		expect(employeeRow(0).id).toBe(RELAY);
	});
	test('[A4] a head is an employee', () => {
		for (const head of [GONE, RELAY, person(99)]) expectEach({ before: sales, next: { ...sales, head } }, { admin: 'denied company.head-is-employee' });
		for (const head of [null, CAT]) expectEach({ before: sales, next: { ...sales, head } }, { admin: 'allow company.administrators-change' });
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

describe('against a slow oracle', () => {
	const n = fc.integer({ min: 1, max: 6 });
	const several = fc.uniqueArray(n, { maxLength: 2 });
	const mayAct = (company: Company, actor: PersonId) => company.people.some((p) => p.id === actor && p.active);
	const isAdmin = (company: Company, actor: PersonId) => company.people.some((p) => p.id === actor && p.active && p.administrator);
	const overAny = (company: Company, actor: PersonId, ids: readonly PersonId[]) => ids.some((id) => id === actor || isAbove(company, actor, id));

	test('[A4] tasks', () => {
		const tally = new Map<string, number>();
		fc.assert(
			fc.property(companyOf({ broken: true }), n, n, n, several, several, fc.constantFrom('title', 'comments/a/text', 'participants/x'), (company, a, c, r, ps, os, changed) => {
				const row = taskRow({ createdBy: person(c), responsible: person(r), participants: ps.map(person), observers: os.map(person) });
				const actor = person(a);
				const inside = directoryOf([...company.departments, ...company.people]);
				const workers = [c, r, ...ps].map(person);
				const reads = mayAct(company, actor) && (isAdmin(company, actor) || overAny(company, actor, [...workers, ...os.map(person)]));
				const changes = isAdmin(company, actor) || overAny(company, actor, workers) || changed.startsWith('comments/');
				const expected = !reads ? 'not-found' : changes ? 'allow' : 'denied';
				const verdict = decide(actorOf(inside, actor), { before: { row, state: EMPTY_STATE }, next: { row, state: EMPTY_STATE }, changed: [changed] }, worldOf(inside));
				expect(verdict.allow ? 'allow' : verdict.code).toBe(expected);
				tally.set(expected, (tally.get(expected) ?? 0) + 1);
			}),
			budget(400)
		);
		expect([...tally.keys()].sort()).toEqual(['allow', 'denied', 'not-found']);
	});

	test('[A4] deals', () => {
		const tally = new Map<string, number>();
		fc.assert(
			fc.property(companyOf({ broken: true }), n, n, n, fc.boolean(), (company, a, r, to, isNew) => {
				const before = isNew ? null : dealRow({ responsible: person(r) });
				const next: DealRow = dealRow({ responsible: person(to) });
				const actor = person(a);
				const inside = directoryOf([...company.departments, ...company.people]);
				const holds = (id: PersonId) => isAdmin(company, actor) || overAny(company, actor, [id]);
				const known = (id: PersonId) => company.people.some((p) => p.id === id && p.active);
				const passes = !mayAct(company, actor) || (before && !holds(before.responsible)) ? 'not-found' : (isNew || r !== to) && !known(person(to)) ? 'denied' : isNew && !holds(person(to)) ? 'denied' : 'allow';
				const verdict = decide(actorOf(inside, actor), { before: before && { row: before, state: EMPTY_STATE }, next: { row: next, state: EMPTY_STATE }, changed: ['responsible'] }, worldOf(inside));
				expect(verdict.allow ? 'allow' : verdict.code).toBe(passes);
				tally.set(passes, (tally.get(passes) ?? 0) + 1);
			}),
			budget(400)
		);
		expect([...tally.keys()].sort()).toEqual(['allow', 'denied', 'not-found']);
	});
});
