/** Levels of documents and files: who may do what by place and by grant. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PersonId } from '../ids.ts';
import { DISK_LEVELS, MAX_GRANTS, type DiskLevel, type Grants } from '../kinds/grants.ts';
import { kindNamed } from '../kinds/index.ts';
import type { PageRow } from '../kinds/page.ts';
import type { BaseRow, Kind } from '../record/kind.ts';
import { planCommand } from '../record/plan.ts';
import { EMPTY_STATE, type Json, type RecordState } from '../record/state.ts';
import { budget } from '../testing/budget.ts';
import { actorOf, companyRow, dealRow, departmentId, directoryOf, fileRow, groupId, organisationOf, pageRow, rowsOf, taskRow, worldOf } from '../testing/company.ts';
import { ANN, BEN, CAT, GUY, ROOT, SALES, actor, ask, directory, expectEach, people, root, say, who } from '../testing/office.ts';
import { names } from '../testing/slow-rights.ts';
import { commandId, documentId, person } from '../testing/world.ts';
import { audienceOf, canRead, decide, decideWrite } from './decide.ts';
import { diskLevel } from './disk.ts';
import type { Recipient } from './recipients.ts';

const grant = (level: DiskLevel, to: Recipient = `user:${BEN}`) => ({ grants: { [to]: level } });
const to = (...grants: readonly (readonly [Recipient, DiskLevel])[]): Grants => Object.fromEntries(grants) as Grants;
const content = (name: string, row: BaseRow, records: BaseRow[] = []) => say(decideWrite(actor(name), row, worldOf(directory, records)));

describe('places', () => {
	test('[A12] the company’s are everyone’s to write, one’s own are one’s own', () => {
		expectEach({ before: pageRow({ createdBy: ANN, place: 'company' }) }, { 'ann cat': 'allow page.company-writes', guy: 'not-found not-readable' });
		expectEach({ before: fileRow({ createdBy: ANN, place: 'company' }), changed: ['name'] }, { 'ann cat': 'allow page.company-writes', guy: 'not-found not-readable' });
		expectEach({ next: pageRow({ createdBy: CAT }) }, { cat: 'allow page.own' });
		expectEach({ next: fileRow({ createdBy: CAT }) }, { cat: 'allow page.own', guy: 'denied guests.make-nothing' });
		const loose = { ...pageRow({ createdBy: ANN }), kind: 'text', id: documentId('text', 1) } as BaseRow;
		expect(['ann', 'admin', 'boss'].map((name) => content(name, loose))).toEqual(['allow page.own', 'allow page.own', 'not-found not-readable']);
		for (const row of [taskRow({ createdBy: ANN }), root, fileRow({ createdBy: ANN })]) expect(content('ann', row)).toBe('denied no-content');
	});

	test('[A12] place and deletion are the maker’s, the administrators’ and of whoever was given everything', () => {
		for (const changed of [['place'], ['deleted']]) {
			const before = pageRow({ createdBy: ANN, place: 'company', ...grant('full') });
			expectEach({ before, changed }, { 'ann admin': 'allow page.company-writes', ben: 'allow disk.granted', 'cat boss': 'denied page.maker-places' });
			expect(who(ask('cat', { before, changed }))).toEqual([`user:${ANN}`, `user:${BEN}`, 'admins']);
			expectEach({ before: fileRow({ createdBy: ANN, ...grant('share') }), changed }, { ann: 'allow page.own', ben: 'denied page.maker-places' });
		}
		expectEach({ before: pageRow({ createdBy: ANN }), next: pageRow({ createdBy: ANN, place: 'record', on: documentId('task', 1) }) }, { ann: 'denied page.stays-loose' });
	});

	test('[A12] that a file’s bytes are there is the relay’s word', () => {
		expectEach({ before: fileRow({ createdBy: ANN }), next: fileRow({ createdBy: ANN, arrived: true }), changed: ['arrived'] }, { 'ann admin': 'denied file.relay-says', boss: 'not-found not-readable' });
	});

	test('[A12] a page hangs on work, not on people or on other pages', () => {
		const on = (row: BaseRow) => say(ask('ann', { next: pageRow({ createdBy: ANN, place: 'record', on: row.id }), records: [row] }));
		expect(on(taskRow({ createdBy: ANN }))).toBe('allow task.people-change');
		expect(on(dealRow({ responsible: ANN }))).toBe('allow deal.responsible-or-head');
		expect(on(companyRow({ createdBy: CAT }))).toBe('allow crm.anyone-changes');
		expect(on(people[0]!)).toBe('denied page.hangs-on-work');
		expect(on(pageRow({ id: documentId('page', 2), createdBy: ANN }))).toBe('denied page.hangs-on-work');
	});

	test('[A12] a page on a record follows the record and takes no grants and stays there; its deletion is its maker’s', () => {
		const task = taskRow({ createdBy: ANN, responsible: BEN });
		const page = pageRow({ createdBy: BEN, place: 'record', on: task.id });
		expectEach({ before: page, changed: [`grants/user:${CAT}`], records: [task] }, { 'ann ben admin': 'denied disk.record-gives' });
		expectEach({ before: page, changed: ['deleted'], records: [task] }, { 'ben admin': 'allow task.people-change', ann: 'denied page.maker-places' });
		// What others wrote into a description is not its first writer's to publish, or to take along.
		for (const place of ['company', 'mine'] as const) {
			expectEach({ before: page, next: { ...page, place }, changed: ['place'], records: [task] }, { 'ann ben admin': 'denied page.stays-with-record', cat: 'not-found not-readable' });
		}
	});
});

describe('levels', () => {
	test('[A12] each level does what it says: reading, editing, sharing, everything', () => {
		const expected: Readonly<Record<DiskLevel, readonly [string, string, string, string]>> = {
			read: ['denied page.own', 'denied page.own', 'denied disk.share-grants', 'denied page.maker-places'],
			add: ['denied page.own', 'denied page.own', 'denied disk.share-grants', 'denied page.maker-places'],
			edit: ['allow disk.granted', 'allow disk.granted', 'denied disk.share-grants', 'denied page.maker-places'],
			share: ['allow disk.granted', 'allow disk.granted', 'allow disk.share-grants', 'denied page.maker-places'],
			full: ['allow disk.granted', 'allow disk.granted', 'allow disk.full-grants', 'allow disk.granted']
		};
		for (const level of DISK_LEVELS) {
			const before = pageRow({ createdBy: ANN, ...grant(level) });
			const next: PageRow = { ...before, grants: { ...before.grants, [`user:${CAT}`]: 'read' } };
			expect([content('ben', before), say(ask('ben', { before })), say(ask('ben', { before, next, changed: [`grants/user:${CAT}`] })), say(ask('ben', { before, changed: ['deleted'] }))], level).toEqual(expected[level]);
			expectEach({ before }, { 'cat guy': 'not-found not-readable' });
		}
		expect(who(ask('ben', { before: pageRow({ createdBy: ANN, grants: to([`user:${BEN}`, 'read'], [`user:${CAT}`, 'edit']) }) }))).toEqual([`user:${ANN}`, `user:${CAT}`, 'admins']);
	});

	test('[A12] one shares up to one’s own level, and only who has everything takes back', () => {
		const before = pageRow({ createdBy: ANN, grants: to([`user:${BEN}`, 'share'], [`user:${CAT}`, 'edit']) });
		const give = (name: string, to: Recipient, level: DiskLevel | null) => {
			const { [to]: _old, ...rest } = before.grants;
			return say(ask(name, { before, next: { ...before, grants: level ? { ...rest, [to]: level } : rest }, changed: [`grants/${to}`] }));
		};
		expect([give('ben', `user:${GUY}`, 'share'), give('ben', `user:${GUY}`, 'full'), give('ben', `user:${BEN}`, 'full')]).toEqual(['allow disk.share-grants', 'denied disk.up-to-own-level', 'denied disk.up-to-own-level']);
		expect([give('ben', `user:${CAT}`, 'share'), give('ben', `user:${CAT}`, 'read'), give('ben', `user:${CAT}`, null)]).toEqual(['allow disk.share-grants', 'denied disk.full-takes-back', 'denied disk.full-takes-back']);
		expect([give('cat', `user:${GUY}`, 'read'), give('ann', `user:${BEN}`, null), give('admin', `user:${GUY}`, 'full')]).toEqual(['denied disk.share-grants', 'allow disk.full-grants', 'allow disk.full-grants']);
	});

	test('[M7] a document names so many recipients at most: whoever is named may be named again, nobody new', () => {
		const kind = kindNamed('text') as Kind;
		const id = documentId('text', 1);
		const cell = (value: Json) => ({ value, at: 1, by: ANN, command: commandId(1) });
		const named = Array.from({ length: MAX_GRANTS }, (_, n) => `user:${person(n + 100)}` as const);
		const state: RecordState = new Map([['created', cell(true)], ['place', cell('mine')], ['title', cell('x')], ...named.map((one) => [`grants/${one}`, cell(null)] as const)]);
		const give = (key: string, value: DiskLevel | null) => {
			const plan = planCommand(kind, state, { id: commandId(2), document: id, name: 'text.setGrant', args: { key, value }, at: 2, seen: {} }, { author: ANN, latest: 2 });
			return plan.kind === 'planned' ? plan.paths : plan.refusal.code;
		};
		expect(give(named[0]!, 'edit')).toEqual([`grants/${named[0]}`]);
		expect([give(`user:${person(2)}`, 'edit'), give(`user:${person(2)}`, null), give('all', 'read')]).toEqual(['target-gone', 'target-gone', 'target-gone']);
	});

	test('[A12] grants go to departments with all below, to workgroups and to guests; the highest of all that apply wins', () => {
		const sales: Recipient = `departments:${departmentId(SALES)}`;
		const row = pageRow({ createdBy: CAT, grants: to([`departments:${departmentId(ROOT)}`, 'read'], [sales, 'edit'], [`group:${groupId(1)}`, 'share'], [`user:${ANN}`, 'add']) });
		const level = (name: string) => diskLevel(actor(name), row);
		expect(level('boss')).toEqual({ level: 'read', by: `departments:${departmentId(ROOT)}` });
		expect(level('lead')).toEqual({ level: 'edit', by: sales });
		for (const name of ['ann', 'ben', 'guy']) expect(level(name), name).toEqual({ level: 'share', by: `group:${groupId(1)}` });
		expect(level('admin')).toEqual({ level: 'full', by: 'admins' });
		expect(level('gone')).toBeNull();
		// The company's place gives more than a grant of reading: nobody is shut out by being named.
		expect(diskLevel(actor('ben'), pageRow({ createdBy: ANN, place: 'company', ...grant('read') }))).toEqual({ level: 'edit', by: 'all' });
	});

	test('[A2] whoever was granted any level reads; a grant that is taken back, or to somebody who is not here, opens nothing', () => {
		expect(kindNamed('page').audience(pageRow({ createdBy: ANN, ...grant('read') }))).toEqual([`user:${ANN}`, 'admins', `user:${BEN}`]);
		expect(kindNamed('file').audience(fileRow({ createdBy: ANN, place: 'company', ...grant('read', 'all') }))).toEqual(['all']);
		expectEach({ before: pageRow({ createdBy: ANN, ...grant('full', `user:${person(7)}`) }) }, { gone: 'not-found not-readable' });
	});

	test('[A12] against a slow oracle: the highest level of place and grants decides', () => {
		const recipient = fc.constantFrom<Recipient>('all', `user:${person(2)}`, `department:${departmentId(2)}`, `departments:${departmentId(1)}`, `group:${groupId(1)}`);
		const tally = new Map<string, number>();
		fc.assert(
			fc.property(organisationOf({ broken: true }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.dictionary(recipient, fc.constantFrom(...DISK_LEVELS), { maxKeys: 3 }), fc.constantFrom('company', 'mine'), (company, a, by, grants, place) => {
				const me = company.people[a - 1]!;
				const row = pageRow({ createdBy: person(by), place, grants });
				const applies = (one: Recipient) => (one === 'all' || /^department/.test(one) ? !me.guest : true) && names(company, one, me);
				const levels: DiskLevel[] = (Object.entries(grants) as [Recipient, DiskLevel][]).filter(([one]) => applies(one)).map(([, level]) => level);
				// A guest makes nothing; what a guest's name stands on in the company's place is theirs only if somebody lets them read it.
				if ((by === a && !(me.guest && place === 'company' && levels.length === 0)) || (me.administrator && !me.guest)) levels.push('full');
				if (place === 'company' && !me.guest) levels.push('edit');
				const most = me.active ? Math.max(-1, ...levels.map((one) => DISK_LEVELS.indexOf(one))) : -1;
				const inside = directoryOf(rowsOf(company));
				const one = actorOf(inside, me.id as PersonId);
				expect(canRead(one, audienceOf(row, worldOf(inside)))).toBe(most >= 0);
				const side = { row, state: EMPTY_STATE };
				const may = (changed: string) => decide(one, { before: side, next: side, changed: [changed] }, worldOf(inside)).allow;
				expect([may('title'), may('deleted'), decideWrite(one, row, worldOf(inside)).allow]).toEqual([most >= 2, most >= 4, most >= 2]);
				tally.set(String(most), (tally.get(String(most)) ?? 0) + 1);
			}),
			budget(500)
		);
		expect([...tally.keys()].sort()).toEqual(['-1', '0', '1', '2', '3', '4']);
	});
});
