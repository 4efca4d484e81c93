/** The company's pages in the demonstration: written by hand, with what the files say where facts are wanted. */
import type { CompanyPlan } from './company-plan.ts';
import { bullets, heading, steps, text, type Block } from './page-writer.ts';

export interface PagePlan {
	readonly title: string;
	/** Place in the plan's people. */
	readonly author: number;
	readonly blocks: readonly Block[];
}

/** A page is read by people: beyond this a list of products belongs on its own screen. */
const MAX_TABLE_ROWS = 100;

export function planPages(plan: CompanyPlan): PagePlan[] {
	const manager = plan.people.findIndex(({ role }) => role === 'manager');
	const writer = manager === -1 ? 0 : manager;
	return [
		{ title: 'How we work', author: 0, blocks: howWeWork(plan) },
		{ title: 'Sales playbook', author: writer, blocks: playbook(plan) },
		{ title: 'Product list with prices', author: writer, blocks: products(plan) },
		{ title: 'Offices and teams', author: 0, blocks: teams(plan) }
	];
}

function howWeWork({ company, offices, teams, people }: CompanyPlan): Block[] {
	const agents = people.filter(({ role }) => role === 'agent').length;
	return [
		text(`${company} sells through ${count(agents, 'agent')} in ${count(teams.length, 'team')}${offices.length ? `, spread over ${count(offices.length, 'regional office')}` : ''}.`),
		heading('Where things live'),
		bullets(
			'Deals: every opportunity, with the agent who answers for it. You see your own; managers see those of their team.',
			'Tasks: whatever somebody promised to somebody. If it has a deadline, it is a task.',
			'Pages: what more than one person needs to know.'
		),
		heading('Without a network'),
		text('Open the portal once and it stays on your device. Write on the train; it goes out when you are back, and what could not be accepted waits for you in Set aside.'),
		heading('When you are away'),
		steps('Pass your open deals to a colleague or your manager.', 'Move the deadlines that nobody can keep for you.', 'Tell the customers who answers meanwhile.')
	];
}

function playbook({ deals, accounts }: CompanyPlan): Block[] {
	const won = deals.filter(({ stage }) => stage === 'won').length;
	const closed = won + deals.filter(({ stage }) => stage === 'lost').length;
	const sectors = [...new Set(accounts.map(({ sector }) => sector).filter((sector) => sector !== null))].sort();
	return [
		text(closed === 0 ? 'No deal is closed yet.' : `Of ${count(closed, 'closed deal')} we won ${won}, ${Math.round((won / closed) * 100)} in a hundred.`),
		heading('Prospecting'),
		bullets('Find out who decides, who pays and who uses it.', 'Write down the next step before you put the phone away.', 'No account in the deal yet? Add it as soon as you know it.'),
		heading('Engaging'),
		steps('Agree on what the customer wants to be better in half a year.', 'Send an offer with one product, one price and one date.', 'Call two days later.'),
		heading('Won or lost'),
		text('Close the deal on the day it is decided and enter the sum that was agreed. A lost deal deserves one honest sentence in a comment.'),
		...(sectors.length ? [heading('Sectors we know'), bullets(...sectors.slice(0, MAX_TABLE_ROWS))] : [])
	];
}

function products({ products: list, deals }: CompanyPlan): Block[] {
	const soldOf = new Map<number, number>();
	for (const { stage, product } of deals) if (stage === 'won' && product !== null) soldOf.set(product, (soldOf.get(product) ?? 0) + 1);
	const rows = list.map(({ name, series, price }, place) => [name, series ?? '', price === null ? 'on request' : price.toLocaleString('en-US'), String(soldOf.get(place) ?? 0)]);
	return [
		text('List prices in US dollars. Discounts beyond a tenth are your manager’s decision.'),
		{ is: 'table', header: ['Product', 'Series', 'Price', 'Sold'], rows: rows.slice(0, MAX_TABLE_ROWS) },
		...(rows.length > MAX_TABLE_ROWS ? [text(`And ${rows.length - MAX_TABLE_ROWS} more on the products’ own screen.`)] : [])
	];
}

function teams({ teams: list, offices, people }: CompanyPlan): Block[] {
	const name = (place: number | null) => (place === null ? 'nobody' : `${people[place]!.firstName} ${people[place]!.lastName}`);
	const rows = list.map(({ name: team, office, head }, place) => [
		office === null ? '' : offices[office]!,
		team,
		name(head),
		String(people.filter(({ role, teams: own }) => role === 'agent' && own.includes(place)).length)
	]);
	return [
		text('Whom to ask first: your manager. Offices have no head of their own; what a manager cannot decide goes to the administrator.'),
		{ is: 'table', header: ['Office', 'Team', 'Manager', 'Agents'], rows: rows.slice(0, MAX_TABLE_ROWS) }
	];
}

const count = (n: number, what: string): string => `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
