/**
 * From four tables to a company on paper: who works where, which accounts and products there are, and one deal for every opportunity.
 *
 * Promises: no opportunity is dropped; what does not fit is kept as the reasons of misfits.ts say and counted there; every value
 * passes the model's schemas, so that the import, once begun, is not refused half-way. Touches nothing but its own memory.
 * Leaves to others: ids and commands (write-company.ts), sign-ins (demo.ts).
 *
 * Offices have no head: the files name none, so whatever passes a team's manager goes to the company's head, the administrator.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { DealStage } from '#crdt-model/kinds/deal.ts';
import { MAX_TITLE_LENGTH } from '#crdt-model/record/parts.ts';
import type { TableRow } from './csv.ts';
import type { CrmTables } from './crm-files.ts';
import { Misfits } from './misfits.ts';
import { addDays, addressOf, amountIn, countIn, cut, dayReader, daysBetween, nameKey, splitName, stageIn } from './values.ts';

export type Role = 'agent' | 'manager' | 'administrator';

/** People, teams, accounts and products are spoken of by their place in the plan's lists; the administrator is person 0. */
export interface PersonPlan {
	readonly firstName: string;
	readonly lastName: string;
	/** The address before the `@`, no two alike. */
	readonly local: string;
	role: Role;
	readonly teams: number[];
}
export interface TeamPlan {
	readonly name: string;
	/** Null under the company itself. */
	readonly office: number | null;
	readonly head: number | null;
}
export interface AccountPlan {
	readonly name: string;
	readonly sector: string | null;
	readonly yearEstablished: number | null;
	readonly revenue: number | null;
	readonly employees: number | null;
	readonly location: string | null;
	parent: number | null;
}
export interface ProductPlan {
	readonly name: string;
	readonly series: string | null;
	readonly price: number | null;
}
export interface DealPlan {
	readonly title: string;
	readonly stage: DealStage;
	readonly amount: number | null;
	readonly engagedOn: string | null;
	readonly closedOn: string | null;
	readonly responsible: number;
	readonly account: number | null;
	readonly product: number | null;
	readonly opportunityId: string | null;
}
export interface CompanyPlan {
	readonly company: string;
	readonly offices: readonly string[];
	readonly teams: readonly TeamPlan[];
	readonly people: readonly PersonPlan[];
	readonly accounts: readonly AccountPlan[];
	readonly products: readonly ProductPlan[];
	readonly deals: readonly DealPlan[];
	readonly misfits: Misfits;
	/** Days by which every date was moved. */
	readonly shiftedDays: number;
}

export interface PlanOptions {
	readonly company: string;
	/** `today` moves all dates as a whole, so that the latest one falls on this day; null keeps them. */
	readonly latestOn: string | null;
}

const ROWS_PER_TURN = 2_000;
const ADMINISTRATOR = { firstName: 'Portal', lastName: 'Administrator' } as const;

export async function planCompany(tables: CrmTables, { company, latestOn }: PlanOptions): Promise<CompanyPlan> {
	const misfits = new Misfits();
	for (const { file, rows } of Object.values(tables)) {
		for (const row of rows) if (row.isRagged) misfits.add('row-ragged', `${file} line ${row.line}`);
	}
	const text = (file: string, row: TableRow, column: string): string => {
		const cell = (row.cells[column] ?? '').toWellFormed();
		if (cell.length > MAX_TITLE_LENGTH) misfits.add('text-long', `${file} line ${row.line}: ${column}`);
		return cut(cell, MAX_TITLE_LENGTH);
	};
	const number = <T>(file: string, row: TableRow, column: string, read: (cell: string) => T | null | undefined): T | null => {
		const cell = row.cells[column] ?? '';
		const value = read(cell);
		if (value === undefined) misfits.add('number-unreadable', `${file} line ${row.line}: ${column} ${cell}`);
		return value ?? null;
	};
	const staff = planStaff(tables, misfits, text);
	const accounts = planAccounts(tables, misfits, text, number);
	const products = new Named<ProductPlan>((name) => ({ name, series: null, price: null }));
	for (const row of tables.products.rows) {
		const name = text('products.csv', row, 'product');
		if (name === '') misfits.add('name-empty', `products.csv line ${row.line}`);
		else if (products.has(name)) misfits.add('name-repeated', `products.csv line ${row.line}: ${name}`);
		else products.put(name, { name, series: text('products.csv', row, 'series') || null, price: number('products.csv', row, 'sales_price', amountIn) });
	}

	const { file, rows } = tables.pipeline;
	const engaged = dayReader(rows.map((row) => row.cells.engage_date ?? ''));
	const closed = dayReader(rows.map((row) => row.cells.close_date ?? ''));
	const seenIds = new Set<string>();
	const deals: DealPlan[] = [];
	for (const row of rows) {
		if (deals.length % ROWS_PER_TURN === 0) await breathe();
		const opportunityId = text(file, row, 'opportunity_id');
		const told = opportunityId || `line ${row.line}`;
		if (opportunityId === '') misfits.add('opportunity-id-empty', told);
		else if (seenIds.has(opportunityId)) misfits.add('opportunity-id-repeated', told);
		seenIds.add(opportunityId);

		const day = (column: string, read: (cell: string) => string | null | undefined): string | null => {
			const cell = row.cells[column] ?? '';
			const value = read(cell);
			if (value === undefined) misfits.add('date-unreadable', `${told}: ${cell}`);
			return value ?? null;
		};
		const stage = stageIn(row.cells.deal_stage ?? '');
		if (!stage) misfits.add('stage-unknown', `${told}: ${row.cells.deal_stage || 'empty'}`);
		const isClosed = stage === 'won' || stage === 'lost';
		const [engagedOn, closedOn] = [day('engage_date', engaged), day('close_date', closed)];
		const amount = number(file, row, 'close_value', amountIn);
		if (engagedOn === null) misfits.add('engage-date-missing', told);
		if (isClosed && closedOn === null) misfits.add('close-date-missing', told);
		if (isClosed && amount === null) misfits.add('close-value-missing', told);
		if (engagedOn && closedOn && closedOn < engagedOn) misfits.add('dates-reversed', `${told}: ${engagedOn} – ${closedOn}`);

		const account = refer(accounts, text(file, row, 'account'), 'account', told, misfits);
		const product = refer(products, text(file, row, 'product'), 'product', told, misfits);
		const names = [account, product].filter((each) => each !== null).map((each) => each.name);
		deals.push({
			title: cut(names.join(' – ') || opportunityId || 'Deal', MAX_TITLE_LENGTH),
			stage: stage ?? 'prospecting',
			amount,
			engagedOn,
			closedOn,
			responsible: staff.responsible(text(file, row, 'sales_agent'), told),
			account: account?.place ?? null,
			product: product?.place ?? null,
			opportunityId: opportunityId || null
		});
	}
	const shiftedDays = latestOn === null ? 0 : shiftTo(deals, latestOn);
	const moved = (on: string | null) => on && addDays(on, shiftedDays);
	return {
		company, ...staff.plan, accounts: accounts.list, products: products.list, misfits, shiftedDays,
		deals: shiftedDays === 0 ? deals : deals.map((deal) => ({ ...deal, engagedOn: moved(deal.engagedOn), closedOn: moved(deal.closedOn) }))
	};
}

function shiftTo(deals: readonly DealPlan[], latestOn: string): number {
	let latest: string | null = null;
	for (const { engagedOn, closedOn } of deals) for (const on of [engagedOn, closedOn]) if (on && (latest === null || on > latest)) latest = on;
	return latest === null ? 0 : daysBetween(latest, latestOn);
}

type TextOf = (file: string, row: TableRow, column: string) => string;
type NumberOf = <T>(file: string, row: TableRow, column: string, read: (cell: string) => T | null | undefined) => T | null;

/** A list with a look-up by name that forgives case and spaces. */
class Named<T extends { readonly name: string }> {
	readonly list: T[] = [];
	readonly #places = new Map<string, number>();
	readonly #make: (name: string) => T;
	/** Names that only the pipeline knows. */
	readonly #added = new Set<number>();
	constructor(make: (name: string) => T) {
		this.#make = make;
	}
	has(name: string): boolean {
		return this.#places.has(nameKey(name));
	}
	place(name: string): number | null {
		return this.#places.get(nameKey(name)) ?? null;
	}
	put(name: string, value: T): number {
		this.#places.set(nameKey(name), this.list.length);
		return this.list.push(value) - 1;
	}
	add(name: string): number {
		const place = this.put(name, this.#make(name));
		this.#added.add(place);
		return place;
	}
	isAdded(place: number): boolean {
		return this.#added.has(place);
	}
}

function refer(list: Named<{ readonly name: string }>, name: string, what: 'account' | 'product', told: string, misfits: Misfits) {
	if (name === '') {
		misfits.add(`${what}-empty`, told);
		return null;
	}
	const place = list.place(name) ?? list.add(name);
	const found = list.list[place]!;
	if (list.isAdded(place)) misfits.add(`${what}-unknown`, `${told}: ${name}`);
	else if (found.name !== name) misfits.add(`${what}-spelling`, `${told}: ${name} → ${found.name}`);
	return { place, name: found.name };
}

function planAccounts({ accounts: table }: CrmTables, misfits: Misfits, text: TextOf, number: NumberOf): Named<AccountPlan> {
	const empty = { sector: null, yearEstablished: null, revenue: null, employees: null, location: null, parent: null };
	const accounts = new Named<AccountPlan>((name) => ({ ...empty, name }));
	const parents: [child: number, parent: string, line: number][] = [];
	const { file } = table;
	for (const row of table.rows) {
		const name = text(file, row, 'account');
		if (name === '') {
			misfits.add('name-empty', `${file} line ${row.line}`);
			continue;
		}
		if (accounts.has(name)) {
			misfits.add('name-repeated', `${file} line ${row.line}: ${name}`);
			continue;
		}
		const place = accounts.put(name, {
			name,
			sector: text(file, row, 'sector') || null,
			yearEstablished: number(file, row, 'year_established', countIn),
			revenue: number(file, row, 'revenue', amountIn),
			employees: number(file, row, 'employees', countIn),
			location: text(file, row, 'office_location') || null,
			parent: null
		});
		const parent = text(file, row, 'subsidiary_of');
		if (parent !== '') parents.push([place, parent, row.line]);
	}
	for (const [child, name, line] of parents) {
		const parent = accounts.place(name);
		if (parent === null) misfits.add('parent-unknown', `${file} line ${line}: ${name}`);
		else if (isBelow(accounts.list, parent, child)) misfits.add('parent-circular', `${file} line ${line}: ${name}`);
		else accounts.list[child]!.parent = parent;
	}
	return accounts;
}

function isBelow(accounts: readonly AccountPlan[], from: number, above: number): boolean {
	for (let at: number | null = from; at !== null; at = accounts[at]!.parent) if (at === above) return true;
	return false;
}

function planStaff({ teams: table }: CrmTables, misfits: Misfits, text: TextOf) {
	const people: PersonPlan[] = [];
	const places = new Map<string, number>();
	const locals = new Set<string>();
	const person = (name: string, role: Role): number => {
		const known = places.get(nameKey(name));
		if (known !== undefined) {
			if (role === 'manager') people[known]!.role = role;
			return known;
		}
		const split = splitName(name);
		const wanted = addressOf(split) || `person${people.length}`;
		let local = wanted;
		for (let n = 2; locals.has(local); n++) local = `${wanted}${n}`;
		locals.add(local);
		places.set(nameKey(name), people.length);
		return people.push({ ...split, local, role, teams: [] }) - 1;
	};
	person(`${ADMINISTRATOR.firstName} ${ADMINISTRATOR.lastName}`, 'administrator');
	// The administrator's own name is no agent's: an agent who is called so is somebody else.
	places.clear();

	const offices = new Named<{ name: string }>((name) => ({ name }));
	const teams: TeamPlan[] = [];
	const teamPlaces = new Map<string, number>();
	const { file, absent } = table;
	const spelled = new Map<string, string>();
	for (const row of table.rows) {
		const [name, manager, office] = [text(file, row, 'sales_agent'), text(file, row, 'manager'), text(file, row, 'regional_office')];
		if (name === '' && manager === '') {
			misfits.add('name-empty', `${file} line ${row.line}`);
			continue;
		}
		if (office === '' && !absent.includes('regional_office')) misfits.add('office-empty', `${file} line ${row.line}`);
		const officePlace = office === '' ? null : (offices.place(office) ?? offices.put(office, { name: office }));
		const key = `${officePlace}/${nameKey(manager)}`;
		let team = teamPlaces.get(key);
		if (team === undefined) {
			const head = manager === '' ? null : person(manager, 'manager');
			team = teams.push({ name: manager === '' ? 'Sales' : cut(`Team ${manager}`, MAX_TITLE_LENGTH), office: officePlace, head }) - 1;
			teamPlaces.set(key, team);
			// A person's record holds twenty departments; who heads more teams is found as their head.
			if (head !== null && people[head]!.teams.length < 20) people[head]!.teams.push(team);
		}
		if (name === '') continue;
		if (manager === '') misfits.add('manager-empty', `${file} line ${row.line}: ${name}`);
		if (spelled.has(nameKey(name))) {
			misfits.add('name-repeated', `${file} line ${row.line}: ${name}`);
			continue;
		}
		spelled.set(nameKey(name), name);
		const agent = people[person(name, 'agent')]!;
		if (!agent.teams.includes(team)) agent.teams.push(team);
	}
	return {
		plan: { people, teams, offices: offices.list.map(({ name }) => name) },
		responsible(name: string, told: string): number {
			if (name === '') misfits.add('agent-empty', told);
			const place = name === '' ? undefined : places.get(nameKey(name));
			if (place === undefined) {
				if (name !== '') misfits.add('agent-unknown', `${told}: ${name}`);
				return 0;
			}
			const first = spelled.get(nameKey(name));
			if (first !== undefined && first !== name) misfits.add('agent-spelling', `${told}: ${name} → ${first}`);
			return place;
		}
	};
}
