/** CRM deals: a sale on its way through the stages. Money is guarded, and so is the stage once the deal is closed. */
import * as v from 'valibot';
import type { DocumentId, PersonId } from '../ids.ts';
import { command, defineKind, type BaseRow, type Effect } from '../record/kind.ts';
import {
	commentCommands, commentParts, commentsOf, commonFields, day, deleteAndRestore, field, given, guarded, money, reference, setter,
	shortText, title
} from '../record/parts.ts';
import { valueAt } from '../record/state.ts';

/** The stages of the one pipeline of this version, in order; the last two close a deal. */
export const DEAL_STAGES = ['prospecting', 'engaging', 'won', 'lost'] as const;
export type DealStage = (typeof DEAL_STAGES)[number];

export const isClosed = (stage: unknown): boolean => stage === 'won' || stage === 'lost';

export interface DealRow extends BaseRow {
	readonly kind: 'deal';
	readonly title: string;
	readonly stage: DealStage;
	/** In the portal's currency; null while nobody named a sum. */
	readonly amount: number | null;
	readonly responsible: PersonId;
	readonly account: DocumentId<'company'> | null;
	readonly product: DocumentId<'product'> | null;
	/** Days as `2017-03-01`, or null. */
	readonly engagedOn: string | null;
	readonly closedOn: string | null;
	/** Where an import took it from. */
	readonly source: { readonly opportunity_id: string } | null;
	readonly comments: number;
	/** Whoever may read open items reads it. */
	readonly open: boolean;
}

const stage = v.picklist(DEAL_STAGES);
const amount = v.nullable(money);
const account = v.nullable(reference('company'));
const product = v.nullable(reference('product'));
const person = reference('employee');
const date = v.nullable(day);
const source = v.strictObject({ opportunity_id: shortText });

export const deal = defineKind<DealRow>({
	kind: 'deal',
	numbered: true,
	rowVersion: 2,
	fields: {
		...commonFields,
		title: field(title),
		stage: field(stage, (state) => (isClosed(valueAt(state, 'stage')) ? 'guarded' : 'later')),
		amount: guarded(amount),
		responsible: field(person),
		account: field(account),
		product: field(product),
		engagedOn: field(date),
		closedOn: field(date),
		source: field(source),
		open: field(v.boolean())
	},
	sets: {},
	lists: { comments: commentParts },
	commands: {
		create: command(
			v.strictObject({
				title,
				stage: v.optional(stage),
				amount: v.optional(amount),
				responsible: v.optional(person),
				account: v.optional(account),
				product: v.optional(product),
				engagedOn: v.optional(date),
				closedOn: v.optional(date),
				source: v.optional(source),
				open: v.optional(v.boolean())
			}),
			(_state, args, context): Effect[] => [
				['created', true],
				['stage', args.stage ?? 'prospecting'],
				['responsible', args.responsible ?? context.author],
				...given(args, ['title', 'amount', 'account', 'product', 'engagedOn', 'closedOn', 'source', 'open'])
			],
			'new'
		),
		setTitle: setter('title', title),
		moveToStage: setter('stage', stage),
		setAmount: setter('amount', amount),
		setResponsible: setter('responsible', person),
		setAccount: setter('account', account),
		setProduct: setter('product', product),
		setEngagedOn: setter('engagedOn', date),
		setClosedOn: setter('closedOn', date),
		setOpen: setter('open', v.boolean()),
		...commentCommands,
		...deleteAndRestore
	},
	row(base, state): DealRow {
		const or = <T>(path: string): T | null => (valueAt(state, path) as T | undefined) ?? null;
		return {
			...base,
			kind: 'deal',
			title: valueAt(state, 'title') as string,
			stage: valueAt(state, 'stage') as DealStage,
			amount: or<number>('amount'),
			responsible: valueAt(state, 'responsible') as PersonId,
			account: or<DocumentId<'company'>>('account'),
			product: or<DocumentId<'product'>>('product'),
			engagedOn: or<string>('engagedOn'),
			closedOn: or<string>('closedOn'),
			source: or<{ opportunity_id: string }>('source'),
			comments: commentsOf(state).length,
			open: valueAt(state, 'open') === true
		};
	},
	audience: (row) => [`crm:deal:user:${row.responsible}`, 'crm:deal:all', ...(row.open ? (['crm:deal:open'] as const) : [])]
});
