/** Writes a planned company into a portal that was just founded: structure, people, accounts, products and deals. */
import type { DepartmentId, DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { CompanyPlan } from './company-plan.ts';
import type { Draft, PortalWriter } from './portal-writer.ts';
import { timeOf } from './values.ts';

/** What stands where in the portal, in the plan's order. */
export interface WrittenCompany {
	readonly people: readonly PersonId[];
	readonly accounts: readonly DocumentId<'company'>[];
	readonly products: readonly DocumentId<'product'>[];
	readonly deals: readonly DocumentId<'deal'>[];
}

export interface WriteOptions {
	/** The founder, who is person 0 of the plan. */
	readonly administrator: PersonId;
	/** By the plan's places. */
	readonly emails: readonly string[];
}

const POSITION = { agent: 'Sales agent', manager: 'Sales manager', administrator: 'Administrator' } as const;
/** The files name no currency; their company sells in the United States. */
const CURRENCY = 'USD';

export async function writeCompany(writer: PortalWriter, plan: CompanyPlan, { administrator, emails }: WriteOptions): Promise<WrittenCompany> {
	const { portal, ids } = writer;
	const people = plan.people.map((_, place) => (place === 0 ? administrator : ids.document('employee')));
	const root = [...portal.directory.departments].find(({ parent }) => parent === null)!.id as DepartmentId;
	const offices = plan.offices.map(() => ids.document('department'));
	const teams = plan.teams.map(() => ids.document('department'));

	// The structure goes as one batch, so that nobody sees teams whose people are still to come.
	await writer.submit(administrator, [
		writer.command(portal.settings!.id, 'settings.setCurrency', { value: CURRENCY }),
		writer.command(administrator, 'employee.setPosition', { value: POSITION.administrator }),
		...plan.offices.map((name, place) => writer.command(offices[place]!, 'department.create', { name, parent: root })),
		...plan.teams.map(({ name, office, head }, place) =>
			writer.command(teams[place]!, 'department.create', {
				name,
				parent: office === null ? root : offices[office]!,
				head: head === null ? null : people[head]!
			})
		),
		...plan.people.slice(1).map(({ firstName, lastName, role, teams: own }, index) =>
			writer.command(people[index + 1]!, 'employee.create', {
				firstName, lastName, email: emails[index + 1]!, position: POSITION[role], departments: own.map((team) => teams[team]!)
			})
		)
	]);

	const accounts = plan.accounts.map(() => ids.document('company'));
	const products = plan.products.map(() => ids.document('product'));
	await writer.submitAll([
		...plan.accounts.map(({ parent, ...fields }, place): Draft => ({
			author: administrator,
			command: writer.command(accounts[place]!, 'company.create', known({ ...fields, parent: parent === null ? null : accounts[parent]! }))
		})),
		...plan.products.map((fields, place): Draft => ({
			author: administrator,
			command: writer.command(products[place]!, 'product.create', known({ ...fields }))
		}))
	]);

	const deals = plan.deals.map(() => ids.document('deal'));
	const drafts = plan.deals.map(({ opportunityId, ...deal }, place): Draft => ({
		author: people[deal.responsible]!,
		command: writer.command(
			deals[place]!,
			'deal.create',
			known({
				title: deal.title,
				stage: deal.stage,
				amount: deal.amount,
				engagedOn: deal.engagedOn,
				closedOn: deal.closedOn,
				responsible: people[deal.responsible]!,
				account: deal.account === null ? null : accounts[deal.account]!,
				product: deal.product === null ? null : products[deal.product]!,
				source: opportunityId === null ? null : { opportunity_id: opportunityId }
			}),
			// Made when the sale began, so that lists by time say something; what has no date is of today.
			deal.engagedOn === null ? writer.now : timeOf(deal.engagedOn)
		)
	}));
	await writer.submitAll(drafts);
	return { people, accounts, products, deals };
}

/** Without the empty fields: nobody wrote them. */
function known(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
