/**
 * What the CRM screen shows and does: filters, order, columns and sums, derived from one live table of deals; commands and their answers.
 *
 * Promises: nothing is written but by commands; what the rule book refuses is told in a toast with its reason, and the screen
 * stays as it was. Leaves to others: how it looks.
 */
import { DEAL_STAGES, isClosed, type DealRow, type DealStage } from '#crdt-model/kinds/deal.ts';
import type { CompanyRow, ProductRow } from '#crdt-model/kinds/crm.ts';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { m } from '#lib/paraglide/messages.js';
import { todayIs } from '#lib/shell/days.svelte.ts';
import { formatMoney, formatMoneyShort, formatNumber } from '#lib/shell/formats.svelte.ts';
import { preferences } from '#lib/shell/preferences.svelte.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import type { Draft } from '#lib/sync/engine.ts';
import { settingsOf } from '#lib/sync/live-rows.svelte.ts';
import { InOrder } from '#lib/sync/in-order.ts';
import { fold } from '#lib/ui/Combobox.svelte';
import type { RecordPanelProps } from '#lib/ui/RecordPanel.svelte';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { hindrance, runOrTell } from '../set-aside/run.ts';
import { RowTable } from './table.svelte.ts';

export type Deal = StoredRow<DealRow>;
export type ClientCompany = StoredRow<CompanyRow>;
export type Product = StoredRow<ProductRow>;
export type CrmTab = 'deals' | 'companies' | 'products';
export type DealView = 'board' | 'list';
export type SortColumn = 'number' | 'title' | 'account' | 'product' | 'amount' | 'stage' | 'responsible' | 'closedOn';

/** A stage's own colour, drawn as a dot beside its word. */
export const STAGE_DOTS: Readonly<Record<DealStage, string>> = { prospecting: '#8a8a99', engaging: '#3f7fd9', won: '#2f9e5f', lost: '#d0524c' };

export function stageLabel(stage: DealStage): string {
	switch (stage) {
		case 'prospecting':
			return m.crm_stage_prospecting();
		case 'engaging':
			return m.crm_stage_engaging();
		case 'won':
			return m.crm_stage_won();
		case 'lost':
			return m.crm_stage_lost();
		default:
			return stage satisfies never;
	}
}

const VIEW_KEY = 'atrium.crm.view';

export interface DealTotals {
	count: number;
	open: number;
	won: number;
	openSum: number;
	wonSum: number;
}

export class Crm {
	readonly workspace: Workspace;
	readonly deals: RowTable<'deal'>;
	readonly companies: RowTable<'company'>;
	readonly products: RowTable<'product'>;

	text = $state('');
	stage = $state<DealStage | ''>('');
	responsible = $state<PersonId | null>(null);
	account = $state<DocumentId<'company'> | null>(null);
	sort = $state.raw<{ column: SortColumn; up: boolean }>({ column: 'number', up: false });
	#view = $state<DealView>(storedView());
	/** A move that asks first: a closed deal that is to be reopened. */
	asking = $state.raw<{ deal: Deal; to: DealStage } | null>(null);

	/** Shown in its new column in the next frame; the row that the device then keeps takes its place. */
	#moving = $state.raw<{ from: Deal; shown: Deal } | null>(null);

	constructor(workspace: Workspace) {
		this.workspace = workspace;
		this.deals = new RowTable(workspace, 'deal');
		this.companies = new RowTable(workspace, 'company');
		this.products = new RowTable(workspace, 'product');
	}

	get view(): DealView {
		return this.#view;
	}
	set view(view: DealView) {
		this.#view = view;
		try {
			localStorage.setItem(VIEW_KEY, view);
		} catch {
			// Storage is forbidden: the view holds for this visit.
		}
	}

	get currency(): string {
		return settingsOf(this.workspace)?.currency ?? 'EUR';
	}
	money(amount: number | null): string {
		return amount === null ? '' : formatMoney(amount, this.currency);
	}

	// ---- what is shown

	/** Names of companies and products as the filter reads them. */
	readonly #names = $derived.by(() => new Map<string, string>([...this.companies.rows, ...this.products.rows].map((row) => [row.id, fold(row.name)])));

	get filtering(): boolean {
		return this.text.trim() !== '' || this.stage !== '' || this.responsible !== null || this.account !== null;
	}

	/** The board shows every stage: a filter by stage belongs to the list. */
	readonly matching = $derived.by((): readonly Deal[] => {
		const words = fold(this.text).split(/\s+/u).filter(Boolean);
		const stage = this.view === 'list' ? this.stage : '';
		const { responsible, account } = this;
		if (words.length === 0 && stage === '' && responsible === null && account === null) return this.deals.rows;
		const names = words.length > 0 ? this.#names : null;
		return this.deals.rows.filter(
			(deal) =>
				(stage === '' || deal.stage === stage) &&
				(responsible === null || deal.responsible === responsible) &&
				(account === null || deal.account === account) &&
				(names === null || words.every((word) => foldedDeal(deal).includes(word) || names.get(deal.account ?? '')?.includes(word) || names.get(deal.product ?? '')?.includes(word)))
		);
	});

	/** By closing where a deal is closed, else by the last change; the latest first. */
	readonly #orders: Readonly<Record<DealStage, InOrder<Deal>>> = {
		prospecting: new InOrder(lastChangedFirst),
		engaging: new InOrder(lastChangedFirst),
		won: new InOrder(lastClosedFirst),
		lost: new InOrder(lastClosedFirst)
	};
	readonly columns = $derived.by(() => {
		const byStage: Record<DealStage, Deal[]> = { prospecting: [], engaging: [], won: [], lost: [] };
		const sums: Record<DealStage, number> = { prospecting: 0, engaging: 0, won: 0, lost: 0 };
		// Once the device's own row is there, it is shown and no longer what was expected of it.
		const moving = this.#moving;
		for (const deal of this.matching) {
			const shown = moving?.from === deal ? moving.shown : deal;
			byStage[shown.stage].push(shown);
			sums[shown.stage] += shown.amount ?? 0;
		}
		return DEAL_STAGES.map((stage) => ({
			id: stage,
			title: stageLabel(stage),
			items: this.#orders[stage].of(byStage[stage]),
			dot: STAGE_DOTS[stage],
			sum: sums[stage],
			note: sums[stage] === 0 ? '' : formatMoneyShort(sums[stage], this.currency),
			noteTitle: sums[stage] === 0 ? '' : formatMoney(sums[stage], this.currency)
		}));
	});

	readonly sorted = $derived.by((): readonly Deal[] => {
		const { column, up } = this.sort;
		const sign = up ? 1 : -1;
		const key = this.#sortKey(column);
		const keyed = this.matching.map((deal) => ({ deal, key: key(deal) }));
		// Empty values come last in both directions; ties by number, so that the order is one.
		keyed.sort((a, b) => {
			if (a.key === null || b.key === null) return a.key === b.key ? tie(a.deal, b.deal) : a.key === null ? 1 : -1;
			const order = typeof a.key === 'number' ? a.key - (b.key as number) : compareText(a.key, b.key as string);
			return order === 0 ? tie(a.deal, b.deal) : order * sign;
		});
		return keyed.map((one) => one.deal);
	});

	#sortKey(column: SortColumn): (deal: Deal) => number | string | null {
		// Names are put in the order of the language once, then compared as numbers: 8,800 collations a click would be felt.
		const ranked = (names: Iterable<readonly [string, string]>): Map<string, number> => {
			const order = new Intl.Collator(preferences.locale, { numeric: true });
			return new Map([...names].sort((a, b) => order.compare(a[1], b[1])).map(([id], rank) => [id, rank]));
		};
		switch (column) {
			case 'number':
				// A deal without a number yet is the newest.
				return (deal) => deal.number ?? Number.MAX_SAFE_INTEGER;
			case 'title':
				return foldedDeal;
			case 'account': {
				const ranks = ranked(this.companies.rows.map((row) => [row.id, row.name] as const));
				return (deal) => (deal.account ? (ranks.get(deal.account) ?? null) : null);
			}
			case 'product': {
				const ranks = ranked(this.products.rows.map((row) => [row.id, row.name] as const));
				return (deal) => (deal.product ? (ranks.get(deal.product) ?? null) : null);
			}
			case 'amount':
				return (deal) => deal.amount;
			case 'stage':
				return (deal) => DEAL_STAGES.indexOf(deal.stage);
			case 'responsible': {
				const people = new Set(this.matching.map((deal) => deal.responsible));
				const ranks = ranked([...people].map((id) => [id, this.workspace.nameOf(id)] as const));
				return (deal) => ranks.get(deal.responsible) ?? null;
			}
			case 'closedOn':
				return (deal) => deal.closedOn;
			default:
				return column satisfies never;
		}
	}

	sortBy(column: SortColumn): void {
		const now = this.sort;
		const downFirst = column === 'number' || column === 'amount' || column === 'closedOn';
		this.sort = { column, up: now.column === column ? !now.up : !downFirst };
	}

	clearFilters(): void {
		this.text = '';
		this.stage = '';
		this.responsible = null;
		this.account = null;
	}

	/** Counts and sums by company and by product, in one walk over the deals. */
	readonly #totals = $derived.by(() => {
		const found = new Map<string, DealTotals>();
		for (const deal of this.deals.rows) {
			for (const id of [deal.account, deal.product]) {
				if (!id) continue;
				let totals = found.get(id);
				if (!totals) found.set(id, (totals = { count: 0, open: 0, won: 0, openSum: 0, wonSum: 0 }));
				totals.count++;
				if (deal.stage === 'won') {
					totals.won++;
					totals.wonSum += deal.amount ?? 0;
				} else if (deal.stage !== 'lost') {
					totals.open++;
					totals.openSum += deal.amount ?? 0;
				}
			}
		}
		return found;
	});
	totalsOf(id: string): DealTotals {
		return this.#totals.get(id) ?? { count: 0, open: 0, won: 0, openSum: 0, wonSum: 0 };
	}

	count(value: number): string {
		return formatNumber(value);
	}

	// ---- what is done

	/** True once the change is kept on this device; a refusal is told. */
	run(...drafts: Draft[]): Promise<boolean> {
		return runOrTell(this.workspace, ...drafts);
	}
	/** Why something may not be done now, or undefined. */
	hindrance(draft: Draft): Promise<string | undefined> {
		return hindrance(this.workspace, draft);
	}
	/** What stands above a record that cannot be changed as it is: that it was deleted, or why it is not this person's to change. */
	barOf(row: Deal | ClientCompany | Product | undefined, why: string | undefined): RecordPanelProps['bar'] {
		if (row?.deleted) return { text: m.crm_deleted_bar(), action: { label: m.crm_restore(), run: () => void this.run({ document: row.id, name: `${row.kind}.restore`, args: {} }) } };
		return why === undefined ? undefined : { text: why };
	}

	/** A closed deal asks first; closing asks nothing. */
	moveTo(deal: Deal, to: DealStage): void {
		if (deal.stage === to) return;
		if (isClosed(deal.stage)) this.asking = { deal, to };
		else void this.#move(deal, to);
	}
	async confirmMove(): Promise<void> {
		const asked = this.asking;
		this.asking = null;
		if (asked) await this.#move(asked.deal, asked.to);
	}

	async #move(deal: Deal, to: DealStage): Promise<void> {
		const document = deal.id;
		const drafts: Draft[] = [];
		const closedOn = isClosed(to) ? (isClosed(deal.stage) ? deal.closedOn : todayIs()) : null;
		// Before the stage: once a deal is closed, most people change nothing of it any more.
		if (closedOn !== deal.closedOn) drafts.push({ document, name: 'deal.setClosedOn', args: { value: closedOn } });
		drafts.push({ document, name: 'deal.moveToStage', args: { value: to } });
		this.#moving = { from: deal, shown: { ...deal, stage: to, closedOn, updatedAt: Date.now() } };
		if (!(await this.run(...drafts))) this.#moving = null;
	}

	async delete(row: Deal | ClientCompany | Product, title: string): Promise<boolean> {
		const document = row.id;
		const { kind } = row;
		if (!(await this.run({ document, name: `${kind}.delete`, args: {} }))) return false;
		toasts.show(m.crm_deal_deleted({ title }), { action: { label: m.common_undo(), run: () => void this.run({ document, name: `${kind}.restore`, args: {} }) } });
		return true;
	}

	/** For pickers that make what is not there yet; null where it was refused. */
	async createCompany(name: string, more: Record<string, unknown> = {}): Promise<DocumentId<'company'> | null> {
		const document = this.workspace.ids.document('company');
		return (await this.run({ document, name: 'company.create', args: { name, ...more } })) ? document : null;
	}
}

/** A deal's own words, folded once for each state of its row: a keystroke then compares text and no more. */
const folded = new WeakMap<Deal, string>();
function foldedDeal(deal: Deal): string {
	let text = folded.get(deal);
	if (text === undefined) folded.set(deal, (text = fold(`${deal.title} ${deal.number ?? ''} ${deal.source?.opportunity_id ?? ''}`)));
	return text;
}

function lastChangedFirst(a: Deal, b: Deal): number {
	return b.updatedAt - a.updatedAt || compareText(b.id, a.id);
}
function lastClosedFirst(a: Deal, b: Deal): number {
	return compareText(b.closedOn ?? '', a.closedOn ?? '') || lastChangedFirst(a, b);
}
function tie(a: Deal, b: Deal): number {
	return (b.number ?? Infinity) - (a.number ?? Infinity) || compareText(b.id, a.id);
}
function compareText(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
function storedView(): DealView {
	try {
		return localStorage.getItem(VIEW_KEY) === 'list' ? 'list' : 'board';
	} catch {
		// Storage is forbidden: begin with the board.
		return 'board';
	}
}
