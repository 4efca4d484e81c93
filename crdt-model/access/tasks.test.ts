/** Field by field: who may change what of a task. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RELAY, type PersonId } from '../ids.ts';
import type { TaskRow, TaskState } from '../kinds/task.ts';
import { EMPTY_STATE } from '../record/state.ts';
import { budget } from '../testing/budget.ts';
import { actorOf, companyOf, directoryOf, isAbove, pageRow, taskRow, worldOf, type Company } from '../testing/company.ts';
import { ADMIN, ANN, BEN, CAT, DORA, GONE, GUY, actor, ask, commentBy, directory, expectEach, say, who } from '../testing/office.ts';
import { person } from '../testing/world.ts';
import { decide, decideWrite } from './decide.ts';

/** Ann gave it, Ben answers for it, Cat takes part, Dora observes. Lead and Boss are above Ann and Ben; so is Dora, as deputy: she observes in vain below. */
const task = taskRow({ createdBy: ANN, responsible: BEN, participants: [CAT], observers: [GUY] });

test('[A10] who gave a task changes what it is; the heads and deputies above them and administrators too', () => {
	for (const changed of [['title'], ['priority'], ['control'], ['mayMoveDeadline']]) {
		expectEach({ before: task, changed }, { 'ann lead dora boss admin': 'allow task.giver-changes', 'cat guy': 'denied task.giver-changes' });
	}
	const other = taskRow({ createdBy: CAT, responsible: ANN });
	expectEach({ before: other }, { 'cat boss admin': 'allow task.giver-changes', 'ann lead': 'denied task.giver-changes' });
	expect(who(ask('ann', { before: other }))).toEqual([`task:user:${CAT}`, 'admins']);
	expectEach({ before: other, changed: ['deleted'] }, { 'cat boss admin': 'allow task.giver-deletes', 'ann lead': 'denied task.giver-deletes' });
});

test('[A10] the deadline is moved by who answers for the task only where the task says so', () => {
	const given = taskRow({ createdBy: CAT, responsible: ANN, participants: [BEN] });
	expectEach({ before: given, changed: ['deadline'] }, { 'cat boss admin': 'allow task.giver-sets-deadline', 'ann lead ben': 'denied task.giver-sets-deadline' });
	const free = { ...given, mayMoveDeadline: true };
	expectEach({ before: free, changed: ['deadline'] }, { cat: 'allow task.giver-sets-deadline', 'ann lead dora': 'allow task.responsible-moves-deadline', ben: 'denied task.responsible-moves-deadline' });
	expect(who(ask('ben', { before: free, changed: ['deadline'] }))).toEqual([`task:user:${CAT}`, `task:user:${ANN}`, 'admins']);
	// What was free when the task was made, not what the same command would make of it.
	expectEach({ before: given, next: free, changed: ['deadline'] }, { ann: 'denied task.giver-sets-deadline' });
});

test('[A10] who answers for a task moves its state and passes it on; who takes part does neither', () => {
	expectEach({ before: task, changed: ['state'] }, { 'ann ben lead dora boss admin': 'allow task.responsible-moves-state', 'cat guy': 'denied task.responsible-moves-state' });
	expectEach({ before: task, next: { ...task, responsible: CAT }, changed: ['responsible'] }, { 'ann ben lead admin': 'allow task.responsible-delegates', 'cat guy': 'denied task.responsible-delegates' });
	expect(who(ask('cat', { before: task, changed: ['state'] }))).toEqual([`task:user:${ANN}`, `task:user:${BEN}`, 'admins']);
});

test('[A10] with control, only who gave the task says that it is done, or is not', () => {
	const given = taskRow({ createdBy: CAT, responsible: ANN, control: true });
	const to = (before: TaskRow, state: TaskState) => ({ before, next: { ...before, state }, changed: ['state'] });
	expectEach(to({ ...given, state: 'progress' }, 'review'), { 'ann lead cat': 'allow task.responsible-moves-state' });
	expectEach(to({ ...given, state: 'progress' }, 'done'), { 'ann lead': 'denied task.giver-approves', 'cat boss admin': 'allow task.responsible-moves-state' });
	expectEach(to({ ...given, state: 'review' }, 'done'), { 'ann lead': 'denied task.giver-approves', cat: 'allow task.responsible-moves-state' });
	expectEach(to({ ...given, state: 'done' }, 'progress'), { ann: 'denied task.giver-approves', cat: 'allow task.responsible-moves-state' });
	expectEach(to({ ...given, control: false, state: 'progress' }, 'done'), { ann: 'allow task.responsible-moves-state' });
	// Who gave it to themself approves of themself.
	expectEach(to({ ...given, createdBy: ANN, state: 'review' }, 'done'), { ann: 'allow task.responsible-moves-state' });
});

test('[A10] people are named by who gave the task and who answers for it; anyone leaves by themself', () => {
	const add = { before: task, next: { ...task, observers: [GUY, ADMIN] }, changed: [`observers/${ADMIN}`] };
	expectEach(add, { 'ann ben lead admin': 'allow task.people-are-named', 'cat guy': 'denied task.people-are-named' });
	expectEach({ before: task, next: { ...task, participants: [] }, changed: [`participants/${CAT}`] }, { cat: 'allow task.anyone-leaves', guy: 'denied task.people-are-named' });
	expectEach({ before: task, next: { ...task, observers: [] }, changed: [`observers/${GUY}`] }, { guy: 'allow task.anyone-leaves', cat: 'denied task.people-are-named' });
	// Leaving is no way in.
	expectEach({ before: task, next: { ...task, participants: [CAT, GUY] }, changed: [`participants/${GUY}`] }, { guy: 'denied task.people-are-named' });
});

test('[A10] checklist and description are everybody’s who works on it; an observer watches', () => {
	for (const changed of [['checklist/x/done'], ['checklist/x/text', 'checklist/x/position']]) {
		expectEach({ before: task, changed }, { 'ann ben cat lead boss admin': 'allow task.people-change', guy: 'denied task.people-change' });
	}
	const page = pageRow({ createdBy: ANN, place: 'record', on: task.id });
	const write = (name: string, row = page, records = [task]) => say(decideWrite(actor(name), row, worldOf(directory, records)));
	expect([write('ben'), write('cat'), write('guy')]).toEqual(['allow task.people-change', 'allow task.people-change', 'denied task.people-change']);
	expect(write('ben', page, [])).toBe('not-found not-readable');
	expect(write('ben', page, [{ ...task, deleted: true }])).toBe('denied page.record-is-there');
	expect(write('ann', { ...page, deleted: true })).toBe('denied page.deleted');
});

test('[A4] whoever reads a task comments; its author rewords a comment, its author or an administrator removes it', () => {
	const { text, removed, state } = commentBy(CAT);
	expectEach({ before: task, changed: [text] }, { 'guy cat ann': 'allow task.readers-comment' });
	expectEach({ before: task, changed: [text], state }, { cat: 'allow task.readers-comment', 'ann boss admin guy': 'denied comments.author-only' });
	expectEach({ before: task, changed: [removed], state }, { 'cat admin': 'allow task.readers-comment', 'ann boss guy': 'denied comments.author-or-administrator-removes' });
	expect(who(ask('ann', { before: task, changed: [removed], state }))).toEqual([`user:${CAT}`, 'admins']);
	expectEach({ before: task, changed: [text, 'title'], state }, { cat: 'denied task.giver-changes' });
});

test('[A10] nobody is named in a task who is not here; who was named stays', () => {
	expectEach({ next: taskRow({ createdBy: CAT, responsible: GUY }) }, { cat: 'allow task.anyone-creates' });
	for (const [path, more] of [['responsible', { responsible: GONE }], ['participants', { participants: [RELAY] }], ['observers', { observers: [person(99)] }]] as const) {
		const next = { ...task, ...more } as TaskRow;
		expectEach({ before: task, next, changed: [path] }, { ann: 'denied task.people-are-employees' });
		expectEach({ next }, { ann: 'denied task.people-are-employees' });
		expectEach({ before: next }, { ann: 'allow task.giver-changes' });
	}
});

test('[A2][A10] a guest works on the tasks that name them, and makes none', () => {
	expectEach({ next: taskRow({ createdBy: GUY, responsible: GUY }) }, { guy: 'denied guests.make-nothing' });
	expectEach({ next: pageRow({ createdBy: GUY, place: 'company' }) }, { guy: 'denied guests.make-nothing' });
	const theirs = taskRow({ createdBy: ANN, responsible: GUY });
	expectEach({ before: theirs, changed: ['state'] }, { guy: 'allow task.responsible-moves-state' });
	expectEach({ before: taskRow({ createdBy: ANN, responsible: DORA }), changed: ['state'] }, { guy: 'not-found not-readable' });
	const page = pageRow({ createdBy: GUY, place: 'record', on: theirs.id });
	expectEach({ next: page, records: [theirs] }, { guy: 'allow task.people-change' });
	expectEach({ next: page, records: [taskRow({ createdBy: ANN, responsible: ANN })] }, { guy: 'denied page.record-is-there' });
});

test('[A10] against a slow oracle', () => {
	const n = fc.integer({ min: 1, max: 6 });
	const several = fc.uniqueArray(n, { maxLength: 2 });
	const paths = ['title', 'deadline', 'responsible', 'state', 'deleted', 'comments/a/text', 'checklist/a/done', 'participants/x'] as const;
	const tally = new Map<string, number>();
	const isAdmin = (company: Company, one: PersonId) => company.people.some((p) => p.id === one && p.active && p.administrator);
	fc.assert(
		fc.property(companyOf({ broken: true }), n, n, n, several, several, fc.constantFrom(...paths), fc.boolean(), (company, a, c, r, ps, os, changed, mayMoveDeadline) => {
			const row = taskRow({ createdBy: person(c), responsible: person(r), participants: ps.map(person), observers: os.map(person), mayMoveDeadline });
			const one = person(a);
			const over = (ids: readonly number[]) => ids.some((id) => person(id) === one || isAbove(company, one, person(id)));
			const gave = isAdmin(company, one) || over([c]);
			const may = { title: gave, deadline: gave || (mayMoveDeadline && over([r])), responsible: gave || over([r]), state: gave || over([r]), deleted: gave, 'comments/a/text': true, 'checklist/a/done': gave || over([r, ...ps]), 'participants/x': gave || over([r]) };
			const reads = company.people.some((p) => p.id === one && p.active) && (gave || over([r, ...ps, ...os]));
			const expected = !reads ? 'not-found' : may[changed] ? 'allow' : 'denied';
			const inside = directoryOf([...company.departments, ...company.people]);
			const side = { row, state: EMPTY_STATE };
			const verdict = decide(actorOf(inside, one), { before: side, next: side, changed: [changed] }, worldOf(inside));
			expect(verdict.allow ? 'allow' : verdict.code).toBe(expected);
			tally.set(`${expected} ${changed}`, (tally.get(`${expected} ${changed}`) ?? 0) + 1);
		}),
		budget(800)
	);
	expect([...tally.keys()].filter((key) => !key.startsWith('not-found')).length, [...tally.keys()].join()).toBe(2 * paths.length - 1);
});
