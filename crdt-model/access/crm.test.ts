/** Who may do what in the CRM: without roles, and along the ladder. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RELAY, type PersonId } from '../ids.ts';
import type { CrmLevel, CrmPermission } from '../kinds/role.ts';
import type { BaseRow } from '../record/kind.ts';
import { EMPTY_STATE } from '../record/state.ts';
import { budget } from '../testing/budget.ts';
import { actorOf, companyRow, dealRow, departmentId, directoryOf, organisationOf, pageRow, roleRow, rowsOf, worldOf } from '../testing/company.ts';
import { ADMIN, ANN, BEN, CAT, GONE, GUY, LEAD, SALES, actor, ask, commentBy, directory, expectEach, office, say, who } from '../testing/office.ts';
import { reaches } from '../testing/slow-rights.ts';
import { documentId, person } from '../testing/world.ts';
import { decide, decideWrite, exports, mayExport, mayImport } from './decide.ts';

describe('without a role', () => {
	const deal = dealRow({ createdBy: CAT, responsible: ANN });

	test('[A11] a deal is changed by its responsible person, the heads and deputies above, and administrators', () => {
		expectEach({ before: deal }, { 'ann lead dora boss admin': 'allow deal.responsible-or-head', 'ben cat guy': 'not-found not-readable' });
		expectEach({ before: { ...deal, open: true } }, { 'ben cat guy': 'not-found not-readable' });
	});

	test('[A4] whoever reads a deal comments, and rewords their own comments alone', () => {
		const { text, removed, state } = commentBy(ANN);
		expectEach({ before: deal, changed: [text] }, { 'ann lead': 'allow deal.readers-comment' });
		expectEach({ before: deal, changed: [text], state }, { ann: 'allow deal.readers-comment', 'lead admin': 'denied comments.author-only' });
		expectEach({ before: deal, changed: [removed], state }, { 'ann admin': 'allow deal.readers-comment', lead: 'denied comments.author-or-administrator-removes' });
	});

	test('[A11] a deal is made for oneself or for those below, and given to employees', () => {
		expectEach({ next: dealRow({ responsible: ANN }) }, { ann: 'allow deal.anyone-creates', 'lead dora boss admin': 'allow deal.responsible-or-head', ben: 'denied deal.responsible-or-head', guy: 'denied guests.make-nothing' });
		expect(who(ask('ben', { next: dealRow({ responsible: ANN }) }))).toEqual([`user:${ANN}`, `user:${LEAD}`, `user:${person(8)}`, `user:${person(1)}`, 'admins']);
		for (const responsible of [GONE, RELAY, GUY]) expectEach({ before: deal, next: { ...deal, responsible }, changed: ['responsible'] }, { 'ann admin': 'denied deal.responsible-is-employee' });
		expectEach({ before: deal, next: { ...deal, responsible: CAT }, changed: ['responsible'] }, { ann: 'allow deal.responsible-or-head' });
		// Who was dismissed meanwhile may still be named by what is there.
		expectEach({ before: { ...deal, responsible: GONE } }, { lead: 'allow deal.responsible-or-head' });
	});

	test('[A11] a closed deal is frozen for its own person, and corrected by those above', () => {
		const { text, state } = commentBy(ANN);
		for (const stage of ['won', 'lost'] as const) for (const changed of [['stage'], ['amount'], ['responsible'], ['closedOn'], ['title'], ['deleted']]) {
			const before = { ...deal, stage };
			expectEach({ before, changed }, { ann: 'denied deal.closed-is-frozen', 'lead dora boss admin': 'allow deal.responsible-or-head' });
			expectEach({ before, changed: [text], state }, { ann: 'allow deal.readers-comment' });
		}
		expect(who(ask('ann', { before: { ...deal, stage: 'won' } }))).toEqual([`user:${LEAD}`, `user:${person(8)}`, `user:${person(1)}`, 'admins']);
		expectEach({ before: deal, next: { ...deal, stage: 'won' }, changed: ['stage'] }, { ann: 'allow deal.responsible-or-head' });
		expectEach({ next: dealRow({ responsible: ANN, stage: 'won' }) }, { ann: 'allow deal.anyone-creates' });
	});

	test('[A11] client companies are everyone’s; their maker and administrators delete them', () => {
		const client = companyRow({ createdBy: ANN, responsible: BEN });
		expectEach({ next: client }, { 'ann cat': 'allow crm.anyone-creates' });
		expectEach({ before: client }, { 'ann cat': 'allow crm.anyone-changes', guy: 'not-found not-readable' });
		expectEach({ before: client, changed: ['deleted'] }, { 'ann admin': 'allow crm.maker-deletes', 'ben cat boss': 'denied crm.maker-deletes' });
		expect(who(ask('cat', { before: client, changed: ['deleted'] }))).toEqual([`user:${ANN}`, 'admins']);
		for (const responsible of [GONE, GUY]) expectEach({ before: client, next: { ...client, responsible }, changed: ['responsible'] }, { ann: 'denied crm.responsible-is-employee' });
		const write = (row: BaseRow) => say(decideWrite(actor('cat'), pageRow({ place: 'record', on: row.id }), worldOf(directory, [row])));
		expect(write(client)).toBe('allow crm.anyone-changes');
		expect(write(deal)).toBe('not-found not-readable');
	});

	test('[A11] products are everyone’s, whatever the roles; their maker and administrators delete them', () => {
		const product = { ...dealRow(), kind: 'product', id: documentId('product', 1), createdBy: ANN } as BaseRow;
		const closed = directoryOf([...office, roleRow(1, {}, { people: ['all'] })]);
		for (const inside of [directory, closed]) {
			expectEach({ next: product, in: inside }, { cat: 'allow crm.anyone-creates' });
			expectEach({ before: product, in: inside }, { cat: 'allow crm.anyone-changes' });
			expectEach({ before: product, changed: ['deleted'], in: inside }, { ann: 'allow crm.maker-deletes', cat: 'denied crm.maker-deletes' });
		}
	});

	test('[A11] what one reads one exports, and what one adds one imports', () => {
		for (const name of ['ann', 'admin']) for (const entity of ['deal', 'company'] as const) expect([mayExport(actor(name), entity, { directory }).allow, mayImport(actor(name), entity, { directory }).allow]).toEqual([true, true]);
		for (const name of ['guy', 'gone']) expect([mayExport(actor(name), 'deal', { directory }).allow, mayImport(actor(name), 'deal', { directory }).allow]).toEqual([false, false]);
		const goes = (name: string, row: BaseRow) => exports(actor(name), row, worldOf(directory));
		expect([goes('ann', deal), goes('lead', deal), goes('ben', deal), goes('ben', companyRow({ createdBy: ANN })), goes('admin', deal)]).toEqual([true, true, false, true, true]);
	});
});

describe('with roles', () => {
	const everything = (level: CrmLevel): Partial<Record<CrmPermission, CrmLevel>> => ({ 'deal.read': level, 'deal.add': level, 'deal.write': level, 'deal.delete': level });
	const withRole = (permissions: Partial<Record<CrmPermission, CrmLevel>>, more: Parameters<typeof roleRow>[2] = { people: ['all'] }) => directoryOf([...office, roleRow(1, permissions, more)]);
	const deal = dealRow({ createdBy: CAT, responsible: ANN });

	test('[A11] each level reaches as far as it says, for what is changed, made and deleted', () => {
		const rights: readonly (readonly [CrmLevel, Readonly<Record<string, string>>])[] = [
			['none', { 'ann ben lead boss cat': 'not-found not-readable' }],
			['own', { ann: 'allow crm.role-writes', 'ben lead dora boss cat': 'not-found not-readable' }],
			['department', { 'ann ben lead dora': 'allow crm.role-writes', 'boss cat': 'not-found not-readable' }],
			['subdepartments', { 'ann ben lead dora boss': 'allow crm.role-writes', cat: 'not-found not-readable' }],
			['all', { 'ann ben lead boss cat': 'allow crm.role-writes' }]
		];
		for (const [level, lines] of rights) {
			const inside = withRole(everything(level));
			expectEach({ before: deal, in: inside }, { ...lines, admin: 'allow deal.responsible-or-head', guy: 'not-found not-readable' });
			const deleting = Object.fromEntries(Object.entries(lines).map(([names, said]) => [names, said.replace('writes', 'deletes')]));
			expectEach({ before: deal, changed: ['deleted'], in: inside }, deleting);
			const making = Object.fromEntries(Object.entries(lines).map(([names, said]) => [names, said.replace('writes', 'adds').replace('not-found not-readable', 'denied crm.role-adds')]));
			expectEach({ next: deal, in: inside }, making);
		}
	});

	test('[A11] reading is not writing: what is read only is commented on', () => {
		const inside = withRole({ 'deal.read': 'all', 'deal.write': 'own' });
		expectEach({ before: deal, in: inside }, { ann: 'allow crm.role-writes', 'ben lead boss': 'denied crm.role-writes', admin: 'allow deal.responsible-or-head' });
		expectEach({ before: deal, changed: ['deleted'], in: inside }, { 'ann ben': 'denied crm.role-deletes' });
		expectEach({ before: deal, changed: [commentBy(ANN).text], in: inside }, { ben: 'allow deal.readers-comment' });
		expect(who(ask('ben', { before: deal, in: inside }))).toEqual([`user:${ANN}`, 'admins']);
		expect(who(ask('ann', { before: deal, changed: ['deleted'], in: inside }))).toEqual(['admins']);
	});

	test('[A11] a role of the department corrects closed deals; of one’s own, or of open ones, it does not', () => {
		const won = { ...deal, stage: 'won' as const };
		expectEach({ before: won, in: withRole(everything('own')) }, { ann: 'denied deal.closed-is-frozen' });
		expectEach({ before: won, in: withRole(everything('department')) }, { 'ann ben': 'allow crm.role-writes' });
		const open = withRole({ 'deal.read': 'own', 'deal.write': 'own' }, { people: ['all'], open: ['deal.read', 'deal.write'] });
		expectEach({ before: { ...won, open: true }, in: open }, { 'ann ben': 'denied deal.closed-is-frozen' });
	});

	test('[A11] open items are read and written by whoever was given open ones', () => {
		const inside = withRole({ 'deal.read': 'own', 'deal.write': 'own' }, { people: ['all'], open: ['deal.read', 'deal.write', 'company.read'] });
		expectEach({ before: { ...deal, open: true }, in: inside }, { 'ann ben cat': 'allow crm.role-writes', guy: 'not-found not-readable' });
		expectEach({ before: deal, in: inside }, { ben: 'not-found not-readable' });
		const client = companyRow({ createdBy: ANN, open: true });
		expectEach({ before: client, in: inside }, { ben: 'denied crm.role-writes' });
		expectEach({ before: { ...client, open: false }, in: inside }, { 'ben ann': 'not-found not-readable' });
	});

	test('[A11] client companies follow a role by who is responsible for them', () => {
		const client = companyRow({ createdBy: CAT, responsible: ANN });
		const inside = withRole({ 'company.read': 'all', 'company.write': 'own', 'company.delete': 'department', 'company.add': 'own' });
		expectEach({ before: client, in: inside }, { ann: 'allow crm.role-writes', 'cat ben': 'denied crm.role-writes' });
		expectEach({ before: client, changed: ['deleted'], in: inside }, { 'ann ben': 'allow crm.role-deletes', cat: 'denied crm.role-deletes' });
		expectEach({ next: client, in: inside }, { ann: 'allow crm.role-adds', cat: 'denied crm.role-adds' });
		expectEach({ before: { ...client, responsible: CAT }, next: { ...client, responsible: BEN }, changed: ['responsible'], in: inside }, { cat: 'allow crm.role-writes' });
	});

	test('[A11] the union of roles holds; a role for a group, a department or one person leaves others to the default', () => {
		const inside = directoryOf([
			...office,
			roleRow(1, { 'deal.read': 'all' }, { people: [`user:${CAT}`] }), roleRow(2, { 'deal.read': 'own', 'deal.write': 'all' }, { people: [`user:${CAT}`] }),
			roleRow(3, { 'deal.read': 'none' }, { people: [`department:${departmentId(SALES)}`] })
		]);
		expectEach({ before: deal, in: inside }, { cat: 'allow crm.role-writes', 'ann ben lead': 'not-found not-readable', 'boss dora': 'allow deal.responsible-or-head' });
	});

	test('[A11] exporting and importing are rights of their own', () => {
		const inside = withRole({ 'deal.read': 'all', 'deal.export': 'own', 'deal.import': 'none' });
		const ann = actor('ann', inside);
		expect([say(mayExport(ann, 'deal', { directory: inside })), say(mayImport(ann, 'deal', { directory: inside })), say(mayExport(ann, 'company', { directory: inside }))]).toEqual(['allow crm.role-exports', 'denied crm.role-imports', 'denied crm.role-exports']);
		expect([ANN, BEN].map((responsible) => exports(ann, dealRow({ responsible }), worldOf(inside)))).toEqual([true, false]);
		expect(exports(actor('admin', inside), deal, worldOf(inside))).toBe(true);
	});

	test('[A11] administrators alone change roles; everyone reads them', () => {
		const role = roleRow(1);
		expectEach({ before: role, changed: ['permissions/deal.read'] }, { admin: 'allow role.administrators-change', 'boss ann': 'denied role.administrators-change', guy: 'not-found not-readable' });
		expectEach({ next: role }, { admin: 'allow role.administrators-change', boss: 'denied role.administrators-change' });
		expect(who(ask('ann', { before: role }))).toEqual(['admins']);
		expect(ADMIN).toBe(person(6));
	});
});

test('[A11] against a slow oracle: deals in companies with any roles', () => {
	const n = fc.integer({ min: 1, max: 6 });
	const tally = new Map<string, number>();
	fc.assert(
		fc.property(organisationOf({ broken: true }), n, n, n, fc.constantFrom('make', 'write', 'delete'), fc.boolean(), (company, a, r, to, what, open) => {
			const [one, responsible] = [person(a), person(r)];
			const inside = directoryOf(rowsOf(company));
			const isHere = (id: PersonId) => company.people.some((p) => p.id === id && p.active && !p.guest);
			const isNew = what === 'make';
			const next = dealRow({ responsible: what === 'write' ? person(to) : responsible, open });
			const before = isNew ? null : dealRow({ responsible, open });
			const names = isNew || next.responsible !== responsible;
			const permission = isNew ? 'deal.add' : what === 'write' ? 'deal.write' : 'deal.delete';
			const reads = isNew ? isHere(one) : reaches(company, one, 'deal.read', responsible, open);
			const isGuest = company.people.some((p) => p.id === one && p.active && p.guest);
			const expected = isNew && isGuest ? 'denied' : !reads ? 'not-found' : (names && !isHere(next.responsible)) || !reaches(company, one, permission, responsible, open) ? 'denied' : 'allow';
			const verdict = decide(
				actorOf(inside, one),
				{ before: before && { row: before, state: EMPTY_STATE }, next: { row: next, state: EMPTY_STATE }, changed: [what === 'delete' ? 'deleted' : 'responsible'] },
				worldOf(inside)
			);
			expect(verdict.allow ? 'allow' : verdict.code).toBe(expected);
			tally.set(`${expected} ${what}`, (tally.get(`${expected} ${what}`) ?? 0) + 1);
		}),
		budget(1_000)
	);
	expect([...tally.keys()].length).toBe(9);
});
