/**
 * Tasks of the demonstration: some sixty, made of the accounts, products and people of the files, with deadlines around today.
 * What they say is invented, and says nothing of any deal's sum or outcome.
 */
import { generateNKeysBetween } from 'fractional-indexing';
import { pageOf, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { TaskState } from '#crdt-model/kinds/task.ts';
import { MAX_TITLE_LENGTH } from '#crdt-model/record/parts.ts';
import { Chance } from './chance.ts';
import type { CompanyPlan } from './company-plan.ts';
import { bullets, heading, text, updatesOf, type Block } from './page-writer.ts';
import type { PortalWriter } from './portal-writer.ts';
import { addDays, cut, dayAt } from './values.ts';
import type { WrittenCompany } from './write-company.ts';

const TASKS = 60;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

interface Template {
	readonly title: (account: string, product: string) => string;
	readonly checklist: readonly string[];
	readonly comments: readonly string[];
	readonly description?: (account: string, product: string) => Block[];
}

const AGENT_WORK: readonly Template[] = [
	{
		title: (account) => `Prepare offer for ${account}`,
		checklist: ['Check the price list', 'Agree on delivery date', 'Have the manager read it', 'Send it'],
		comments: ['They want one page, not five.', 'Price list checked, nothing changed since last month.', 'Good. Send it before noon.'],
		description: (account, product) => [
			text(`${account} asks for an offer for ${product}.`),
			heading('What must be in it'),
			bullets('One product, one price, one date', 'Terms of payment', 'Who installs it')
		]
	},
	{ title: (account) => `Call ${account} back`, checklist: [], comments: ['Tried twice, nobody there in the morning.', 'Afternoons are better.'] },
	{
		title: (account, product) => `Show ${product} to ${account}`,
		checklist: ['Book the room', 'Test the device', 'Print the handouts'],
		comments: ['Their technician comes along.', 'Then take the second adapter with you.'],
		description: (account, product) => [text(`Half an hour at ${account}: what ${product} does, and time for questions.`), bullets('Start with their own example', 'No slides')]
	},
	{ title: (account) => `Ask ${account} for a reference`, checklist: ['Draft two sentences', 'Get their approval'], comments: ['They agreed in principle.'] },
	{ title: (account) => `Update contact persons of ${account}`, checklist: ['Purchasing', 'IT', 'Accounts payable'], comments: [] },
	{ title: (account, product) => `Clear up delivery of ${product} to ${account}`, checklist: ['Ask the warehouse', 'Tell the customer'], comments: ['The warehouse says Thursday.', 'Please tell them today.'] }
];
const MANAGER_WORK: readonly Template[] = [
	{
		title: () => 'Go through the open deals of the team',
		checklist: ['Deals without an account', 'Deals without a next step', 'Deals older than half a year'],
		comments: ['Mine are done.', 'Mine by tomorrow evening.'],
		description: () => [text('An hour, all together. Everybody brings the three deals they are least sure of.'), bullets('What is the next step?', 'Who decides?', 'By when?')]
	},
	{ title: (_, product) => `Plan the campaign for ${product}`, checklist: ['Choose accounts', 'Write the letter', 'Agree on the budget', 'Send'], comments: ['I can write the letter.'] },
	{ title: (account) => `Visit ${account} together`, checklist: ['Agree on a day', 'Read the last three deals'], comments: ['Any day but Monday.'] },
	{ title: () => 'Forecast for the quarter', checklist: ['Collect numbers', 'Compare with last quarter', 'Send to the administrator'], comments: [] }
];
const ADMINISTRATOR_WORK: readonly Template[] = [
	{ title: () => 'Check who has left and who has joined', checklist: ['Compare with the payroll', 'Invite the new ones'], comments: [] },
	{ title: () => 'Merge accounts that are there twice', checklist: ['List candidates', 'Ask the agents', 'Merge'], comments: ['Found three candidates.'] },
	{ title: (_, product) => `Publish new price of ${product}`, checklist: ['Change the product', 'Change the page', 'Tell the teams'], comments: ['Teams are told.'] },
	{ title: () => 'Complete accounts without a sector', checklist: [], comments: [] }
];
const STATES: readonly TaskState[] = ['pending', 'pending', 'progress', 'progress', 'progress', 'review', 'done', 'done', 'deferred'];

/** @returns how many tasks, and how many of them have a description */
export async function writeTasks(writer: PortalWriter, plan: CompanyPlan, written: WrittenCompany): Promise<{ tasks: number; descriptions: number }> {
	const chance = new Chance(60);
	const today = dayAt(writer.now);
	const work = workOf(plan, chance);
	const person = (place: number) => written.people[place]!;
	const tasks = work.map((each, index) => {
		const state = STATES[index % STATES.length]!;
		const madeAt = writer.now - (2 + chance.below(20)) * DAY_MS - chance.below(8) * HOUR_MS;
		const due = state === 'done' ? -chance.below(10) : chance.below(22) - 5;
		return { ...each, index, id: writer.ids.document('task'), state, madeAt, deadline: addDays(today, due), ticked: chance.below(10) };
	});
	await writer.submitAll(
		tasks.map(({ index, id, template, account, product, responsible, creator, colleague, state, deadline, madeAt }) => ({
			author: person(creator),
			command: writer.command(
				id,
				'task.create',
				{
					title: cut(template.title(account, product), MAX_TITLE_LENGTH),
					responsible: person(responsible),
					state,
					...(index % 7 === 0 ? {} : { deadline }),
					...(index % 5 === 0 ? { priority: 'high' } : {}),
					...(colleague !== null && index % 3 === 0 ? { participants: [person(colleague)] } : {}),
					...(creator !== 0 && index % 11 === 0 ? { observers: [person(0)] } : {})
				},
				madeAt
			)
		}))
	);
	let descriptions = 0;
	const details = tasks.map(async ({ index, id, template, account, product, responsible, creator, state, madeAt, ticked }) => {
		await writeChecklist(writer, id, template.checklist, state, person(responsible), madeAt, ticked);
		for (const [n, words] of template.comments.slice(0, index % 4).entries()) {
			const by = person(n % 2 === 0 ? responsible : creator);
			await writer.submit(by, [writer.command(id, 'task.comment', { item: writer.ids.item(), text: words }, madeAt + (n + 1) * 5 * HOUR_MS)]);
		}
		if (!template.description || index % 2 === 1) return;
		const page = pageOf(id);
		await writer.submit(person(creator), [writer.command(page, 'page.hang', { title: 'Description', on: id }, madeAt)]);
		await writer.edit(person(creator), page, updatesOf(template.description(account, product)));
		descriptions++;
	});
	// Side by side: one after another, each step would wait for the disk by itself.
	await Promise.all(details);
	return { tasks: work.length, descriptions };
}

async function writeChecklist(
	writer: PortalWriter, task: DocumentId<'task'>, texts: readonly string[], state: TaskState, by: PersonId, madeAt: number, ticked: number
): Promise<void> {
	if (texts.length === 0) return;
	const places = generateNKeysBetween(null, null, texts.length);
	const adds = texts.map((words, n) => writer.command(task, 'task.addItem', { item: writer.ids.item(), text: words, position: places[n]! }, madeAt));
	const done = state === 'done' || state === 'review' ? texts.length : state === 'progress' ? ticked % texts.length : 0;
	const ticks = adds.slice(0, done).map((add, n) => {
		const { item } = add.args as { item: string };
		return writer.command(task, 'task.tickItem', { item, done: true }, madeAt + (n + 1) * 3 * HOUR_MS, { [`checklist/${item}/done`]: add.id });
	});
	await writer.submit(by, [...adds, ...ticks]);
}

interface Work {
	readonly responsible: number;
	readonly creator: number;
	readonly colleague: number | null;
	readonly template: Template;
	readonly account: string;
	readonly product: string;
}

/** Two tasks of three are an agent's; a manager hands out every second one of the team. */
function workOf(plan: CompanyPlan, chance: Chance): Work[] {
	const placed = plan.people.map((person, place) => ({ ...person, place }));
	const agents = placed.filter(({ role }) => role === 'agent');
	const managers = placed.filter(({ role }) => role === 'manager');
	const openOf = new Map<number, CompanyPlan['deals'][number][]>();
	for (const deal of plan.deals) {
		if (deal.account === null || deal.stage === 'lost') continue;
		const own = openOf.get(deal.responsible);
		if (!own) openOf.set(deal.responsible, [deal]);
		else own.push(deal);
	}
	const anyProduct = () => (plan.products.length ? chance.pick(plan.products).name : 'the new product');
	const anyAccount = () => (plan.accounts.length ? chance.pick(plan.accounts).name : 'the new customer');
	return Array.from({ length: TASKS }, (_, n): Work => {
		const group = n % 12 === 11 || placed.length === 1 ? 'administrator' : (n % 3 === 2 && managers.length) || agents.length === 0 ? 'manager' : 'agent';
		const round = Math.floor(n / 3);
		const own = group === 'administrator' ? placed[0]! : group === 'manager' && managers.length ? managers[round % managers.length]! : agents.length ? agents[n % agents.length]! : placed[0]!;
		const head = own.teams.map((team) => plan.teams[team]!.head).find((place) => place !== null && place !== own.place) ?? 0;
		const mates = agents.filter(({ place, teams }) => place !== own.place && teams.some((team) => own.teams.includes(team)));
		const deals = openOf.get(own.place);
		const deal = deals && chance.pick(deals);
		const templates = group === 'agent' ? AGENT_WORK : group === 'manager' ? MANAGER_WORK : ADMINISTRATOR_WORK;
		return {
			responsible: own.place,
			creator: n % 2 === 0 ? head : own.place,
			colleague: mates.length ? chance.pick(mates).place : null,
			template: templates[(group === 'agent' ? n : round) % templates.length]!,
			account: deal?.account != null ? plan.accounts[deal.account]!.name : anyAccount(),
			product: deal?.product != null ? plan.products[deal.product]!.name : anyProduct()
		};
	});
}
