/** What did not fit, counted by reason with a few examples: nothing is dropped silently, and a million odd rows make no million lines. */

/** Each reason says what was found and what became of it. The order is that of the summary. */
export const REASONS = {
	'account-empty': 'opportunities name no account: kept without one',
	'account-unknown': 'opportunities name an account that accounts.csv lacks: it was added with its name alone',
	'account-spelling': 'opportunities spell an account another way: matched without regard to case and spaces',
	'product-empty': 'opportunities name no product: kept without one',
	'product-unknown': 'opportunities name a product that products.csv lacks: it was added with its name alone',
	'product-spelling': 'opportunities spell a product another way: matched without regard to case and spaces',
	'agent-empty': 'opportunities name no agent: kept with the administrator',
	'agent-unknown': 'opportunities name an agent whom sales_teams.csv lacks: kept with the administrator',
	'agent-spelling': 'opportunities spell an agent another way: matched without regard to case and spaces',
	'stage-unknown': 'opportunities are at no known stage: kept as prospecting',
	'opportunity-id-empty': 'opportunities have no id: kept without one',
	'opportunity-id-repeated': 'opportunities repeat an id: each kept as a deal of its own',
	'engage-date-missing': 'opportunities have no engage date: left empty',
	'close-date-missing': 'won or lost opportunities have no close date: left empty',
	'close-value-missing': 'won or lost opportunities have no value: left empty',
	'date-unreadable': 'dates could not be understood: left empty',
	'dates-reversed': 'opportunities were closed before they began: kept as they are',
	'number-unreadable': 'numbers could not be understood: left empty',
	'row-ragged': 'rows have more or fewer fields than the header: read as far as they go',
	'name-empty': 'rows name nobody and nothing: not a record',
	'name-repeated': 'rows repeat a name: the first one stands',
	'text-long': 'texts are longer than a field holds: cut',
	'parent-unknown': 'accounts belong to a company that accounts.csv lacks: kept without one',
	'parent-circular': 'accounts belong to themselves, by a ring: kept without a parent',
	'manager-empty': 'agents have no manager: they stand in their office itself',
	'office-empty': 'agents have no regional office: their team stands under the company itself'
} as const;
export type Reason = keyof typeof REASONS;

const MAX_EXAMPLES = 3;
const MAX_EXAMPLE_LENGTH = 120;

export interface Misfit {
	readonly reason: Reason;
	readonly count: number;
	readonly says: string;
	readonly examples: readonly string[];
}

export class Misfits {
	readonly #found = new Map<Reason, { count: number; examples: string[] }>();

	add(reason: Reason, example: string): void {
		let found = this.#found.get(reason);
		if (!found) this.#found.set(reason, (found = { count: 0, examples: [] }));
		found.count++;
		if (found.examples.length < MAX_EXAMPLES) found.examples.push(example.slice(0, MAX_EXAMPLE_LENGTH).toWellFormed());
	}

	list(): Misfit[] {
		const order = Object.keys(REASONS) as Reason[];
		return order.flatMap((reason) => {
			const found = this.#found.get(reason);
			return found ? [{ reason, count: found.count, says: REASONS[reason], examples: found.examples }] : [];
		});
	}
}
