/** Files as others saved them, and rows that do not fit: nothing is lost, everything is counted. */
import { describe, expect, test } from 'vitest';
import { planCompany, type CompanyPlan } from './company-plan.ts';
import { readCrmFolder } from './crm-files.ts';
import { MAX_TITLE_LENGTH } from '#crdt-model/record/parts.ts';
import { realFiles, SMALL, tablesOf, type Files } from './testing.ts';

async function plan(files: Files): Promise<CompanyPlan> {
	return planCompany(await tablesOf(files), { company: 'Test', latestOn: null });
}
const reasons = (planned: CompanyPlan) => Object.fromEntries(planned.misfits.list().map(({ reason, count }) => [reason, count]));
/** The plan without what is counted. */
const facts = ({ misfits: _, ...rest }: CompanyPlan) => rest;

const HEADER = 'opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n';
const withDeals = (...lines: string[]): Files => ({ ...SMALL, 'sales_pipeline.csv': HEADER + lines.join('\n') });

/** Every file rewritten row by row. The real files hold no quotes and no commas within fields. */
function rewritten(change: (rows: string[][]) => string): Files {
	return Object.fromEntries(Object.entries(realFiles()).map(([name, text]) => [name, change(text.trimEnd().split(/\r?\n/).map((line) => line.split(',')))]));
}
const joined = (rows: string[][], comma = ',', end = '\n') => rows.map((row) => row.join(comma)).join(end) + end;

describe('the same facts, saved otherwise', async () => {
	const original = facts(await plan(realFiles()));
	const utf16 = (text: string) => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le'));
	const cases: Record<string, Files> = {
		'with a byte order mark': rewritten((rows) => `\ufeff${joined(rows)}`),
		'with CRLF': rewritten((rows) => joined(rows, ',', '\r\n')),
		'without a last line end': rewritten((rows) => joined(rows).trimEnd()),
		'in another order of columns': rewritten((rows) => joined(rows.map((row) => row.toReversed()))),
		'with further columns': rewritten((rows) => joined(rows.map((row, n) => [n ? 'x' : 'extra', ...row, n ? '' : 'notes']))),
		'with quotes around everything': rewritten((rows) => joined(rows.map((row) => row.map((cell) => `"${cell}"`)))),
		'with semicolons': rewritten((rows) => joined(rows, ';')),
		'with tabs, in UTF-16': Object.fromEntries(Object.entries(rewritten((rows) => joined(rows, '\t'))).map(([name, text]) => [name, utf16(text as string)])),
		'with empty lines': rewritten((rows) => `\n\n${joined(rows, ',', '\n\n')}\n,,\n`),
		'with another spelling of the header': rewritten((rows) => joined([rows[0]!.map((name) => ` ${name.toUpperCase().replaceAll('_', ' ')} `), ...rows.slice(1)])),
		'with blanks around fields': rewritten((rows) => joined(rows.map((row) => row.map((cell) => ` ${cell} `))))
	};
	for (const [name, files] of Object.entries(cases)) {
		test(name, async () => expect(facts(await plan(files))).toEqual(original));
	}
});

test('quoted fields hold commas, quotes and line ends', async () => {
	const planned = await plan({ ...SMALL, 'accounts.csv': 'account,sector\n"Acme, ""the"" first",retail\n"two\nlines",x\n' });
	expect(planned.accounts.slice(0, 2).map(({ name }) => name)).toEqual(['Acme, "the" first', 'two\nlines']);
});

test('optional columns may be missing', async () => {
	const planned = await plan({
		'accounts.csv': 'account\nAcme\n',
		'products.csv': 'product\nGTX Basic\n',
		'sales_teams.csv': 'manager,sales_agent\nDustin,Anna Snelling\n',
		'sales_pipeline.csv': 'opportunity_id,sales_agent,product,account,deal_stage\nA1,Anna Snelling,GTX Basic,Acme,Engaging\n'
	});
	expect(planned.offices).toEqual([]);
	expect(planned.teams).toEqual([{ name: 'Team Dustin', office: null, head: 1 }]);
	expect(planned.deals[0]).toMatchObject({ title: 'Acme – GTX Basic', stage: 'engaging', amount: null, engagedOn: null, responsible: 2 });
	expect(planned.people[1]).toMatchObject({ firstName: 'Dustin', lastName: '–', local: 'dustin', role: 'manager' });
});

describe('what cannot be an import', () => {
	const cases: [string, Files, RegExp][] = [
		['a missing file', { 'accounts.csv': 'account\nA\n' }, /^products\.csv is missing\.$/],
		['an empty file', { ...SMALL, 'sales_teams.csv': '' }, /^sales_teams\.csv is empty/],
		['a file of blank lines', { ...SMALL, 'sales_teams.csv': '\ufeff\r\n\r\n , ,\r\n' }, /^sales_teams\.csv is empty/],
		['a missing column', { ...SMALL, 'sales_pipeline.csv': 'opportunity_id,product,account,deal_stage\n' }, /^sales_pipeline\.csv has no column sales_agent; its first line names/],
		['a quote that is never closed', { ...SMALL, 'products.csv': 'product,series\n"GTX,GTX\nMG,MG\n' }, /^products\.csv cannot be read as CSV near line \d+: [^\n]+$/],
		['a picture', { ...SMALL, 'products.csv': new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]) }, /^products\.csv is not a text file\.$/]
	];
	for (const [name, files, line] of cases) test(name, async () => expect(plan(files)).rejects.toThrow(line));
	test('a missing folder', async () => expect(readCrmFolder('/nowhere/at/all')).rejects.toThrow(/^\/nowhere\/at\/all\/accounts\.csv cannot be read \(ENOENT\)/));
});

describe('rows that do not fit are kept and counted', () => {
	test('agents, accounts and products that nobody knows', async () => {
		const planned = await plan(withDeals('A1,Nobody,Wonder,Unheard,Won,2017-01-01,2017-02-01,5', 'A2,,,,Lost,2017-01-01,2017-02-01,0', 'A3,anna  SNELLING,gtx basic,ACME,Engaging,2017-01-01,,'));
		expect(planned.deals.map(({ responsible, title }) => [responsible, title])).toEqual([[0, 'Unheard – Wonder'], [0, 'A2'], [2, 'Acme – GTX Basic']]);
		expect(planned.accounts.at(-1)).toMatchObject({ name: 'Unheard', revenue: null });
		expect(planned.products.at(-1)).toEqual({ name: 'Wonder', series: null, price: null });
		expect(reasons(planned)).toEqual({
			'account-empty': 1, 'account-unknown': 1, 'account-spelling': 1, 'product-empty': 1, 'product-unknown': 1, 'product-spelling': 1, 'agent-empty': 1, 'agent-unknown': 1, 'agent-spelling': 1
		});
	});

	test('a manager may sell as well', async () => {
		const planned = await plan(withDeals('A1,Dustin Brinkmann,GTX Pro,Acme,Won,2017-01-01,2017-02-01,5'));
		expect(planned.people[planned.deals[0]!.responsible]).toMatchObject({ lastName: 'Brinkmann', role: 'manager' });
		expect(reasons(planned)).toEqual({});
	});

	test('stages, dates, numbers, ids and ragged rows', async () => {
		const planned = await plan(
			withDeals(
				'A1,Anna Snelling,GTX Pro,Acme,Closed Won,2017-02-31,2017-02-01T10:00:00Z,"$1,054.50"',
				'A1,Anna Snelling,GTX Pro,Acme,maybe,2017-05-01,2017-02-01,many',
				',Anna Snelling,GTX Pro,Acme,Won,2017-01-01',
				'A4,Anna Snelling,GTX Pro,Acme,Lost,01.02.2017,3/14/2017,1e99,and,more'
			)
		);
		expect(planned.deals.map(({ stage, amount, engagedOn, closedOn, opportunityId }) => [stage, amount, engagedOn, closedOn, opportunityId])).toEqual([
			['won', 1054.5, null, '2017-02-01', 'A1'],
			['prospecting', null, '2017-05-01', '2017-02-01', 'A1'],
			['won', null, '2017-01-01', null, null],
			['lost', null, '2017-02-01', '2017-03-14', 'A4']
		]);
		expect(reasons(planned)).toEqual({
			'stage-unknown': 1, 'opportunity-id-empty': 1, 'opportunity-id-repeated': 1, 'engage-date-missing': 1, 'close-date-missing': 1, 'close-value-missing': 2, 'date-unreadable': 1, 'dates-reversed': 1, 'number-unreadable': 2, 'row-ragged': 2
		});
	});

	test('structure: rings of parents, repeated names, people without office or manager', async () => {
		const planned = await plan({
			...SMALL,
			'accounts.csv': 'account,subsidiary_of\nA,B\nB,A\nC,C\nD,Nowhere\nA,\n,\n',
			'sales_teams.csv': 'sales_agent,manager,regional_office\nAnna Snelling,Dustin Brinkmann,\nAnna Snelling,Eve Fox,East\nBen Cole,,East\n,,East\nÉva Łoś,Dustin Brinkmann,\nПётр Ильин,Dustin Brinkmann,\n'
		});
		expect(planned.accounts.slice(0, 4).map(({ parent }) => parent)).toEqual([1, null, null, null]);
		expect(planned.people.map(({ local }) => local)).toEqual(['portal.administrator', 'dustin.brinkmann', 'anna.snelling', 'eve.fox', 'ben.cole', 'eva.los', 'person6']);
		expect(planned.teams.map(({ name, office, head }) => [name, office, head])).toEqual([['Team Dustin Brinkmann', null, 1], ['Team Eve Fox', 0, 3], ['Sales', 0, null]]);
		expect(reasons(planned)).toMatchObject({ 'parent-circular': 2, 'parent-unknown': 1, 'name-repeated': 2, 'name-empty': 1, 'office-empty': 3, 'manager-empty': 1 });
	});

	test('texts longer than a field are cut, whole characters stay', async () => {
		const planned = await plan({ ...SMALL, 'accounts.csv': `account\n${'😀'.repeat(300)}\n` });
		const { name } = planned.accounts[0]!;
		expect(name.length).toBeLessThanOrEqual(MAX_TITLE_LENGTH);
		expect(name.isWellFormed()).toBe(true);
		expect(reasons(planned)).toMatchObject({ 'text-long': 1 });
	});
});

test('dates are moved as a whole, so that the latest is the day that was asked for', async () => {
	const planned = await planCompany(await tablesOf({ ...SMALL }), { company: 'Test', latestOn: '2026-11-30' });
	expect(planned.deals.map(({ engagedOn, closedOn }) => [engagedOn, closedOn])).toEqual([['2025-09-19', '2026-01-29'], ['2025-10-01', '2026-11-30'], [null, null]]);
});
