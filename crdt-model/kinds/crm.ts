/** The CRM's directory: client companies (accounts) and the products that deals are about. Roles say who reads companies; products are everyone's. */
import * as v from 'valibot';
import type { DocumentId, PersonId } from '../ids.ts';
import { command, defineKind, type BaseRow, type Effect, type Kind } from '../record/kind.ts';
import { commonFields, count, deleteAndRestore, field, given, money, reference, setter, shortText, title } from '../record/parts.ts';
import { valueAt } from '../record/state.ts';

export interface CompanyRow extends BaseRow {
	readonly kind: 'company';
	readonly name: string;
	readonly sector: string | null;
	readonly yearEstablished: number | null;
	/** Yearly, in millions of the portal's currency. */
	readonly revenue: number | null;
	readonly employees: number | null;
	readonly location: string | null;
	readonly parent: DocumentId<'company'> | null;
	/** Who answers for the client; its maker where nobody was named. */
	readonly responsible: PersonId;
	/** Whoever may read open items reads it. */
	readonly open: boolean;
}

const text = v.nullable(shortText);
const number = v.nullable(count);
const person = reference('employee');
const companyDetails = {
	sector: text,
	yearEstablished: number,
	revenue: v.nullable(money),
	employees: number,
	location: text,
	parent: v.nullable(reference('company'))
};

export const company: Kind<CompanyRow> = defineKind<CompanyRow>({
	kind: 'company',
	rowVersion: 2,
	fields: {
		...commonFields,
		name: field(title),
		responsible: field(person),
		open: field(v.boolean()),
		...mapValues(companyDetails, (schema) => field(schema))
	},
	sets: {},
	lists: {},
	commands: {
		create: command(
			v.strictObject({
				name: title,
				responsible: v.optional(person),
				open: v.optional(v.boolean()),
				...mapValues(companyDetails, (schema) => v.optional(schema as v.GenericSchema))
			}),
			(_state, args, context): Effect[] => [
				['created', true],
				['responsible', (args.responsible as PersonId | undefined) ?? context.author],
				...given(args, ['name', 'open', ...Object.keys(companyDetails)])
			],
			'new'
		),
		setName: setter('name', title),
		setResponsible: setter('responsible', person),
		setOpen: setter('open', v.boolean()),
		setSector: setter('sector', text),
		setLocation: setter('location', text),
		setEmployees: setter('employees', number),
		setRevenue: setter('revenue', companyDetails.revenue),
		setParent: setter('parent', companyDetails.parent),
		...deleteAndRestore
	},
	row(base, state): CompanyRow {
		const or = <T>(path: string): T | null => (valueAt(state, path) as T | undefined) ?? null;
		return {
			...base,
			kind: 'company',
			name: valueAt(state, 'name') as string,
			sector: or<string>('sector'),
			yearEstablished: or<number>('yearEstablished'),
			revenue: or<number>('revenue'),
			employees: or<number>('employees'),
			location: or<string>('location'),
			parent: or<DocumentId<'company'>>('parent'),
			responsible: or<PersonId>('responsible') ?? base.createdBy,
			open: valueAt(state, 'open') === true
		};
	},
	audience: (row) => [`crm:company:user:${row.responsible}`, 'crm:company:all', ...(row.open ? (['crm:company:open'] as const) : [])]
});

export interface ProductRow extends BaseRow {
	readonly kind: 'product';
	readonly name: string;
	readonly series: string | null;
	readonly price: number | null;
}

const price = v.nullable(money);

export const product = defineKind<ProductRow>({
	kind: 'product',
	rowVersion: 1,
	fields: { ...commonFields, name: field(title), series: field(text), price: field(price) },
	sets: {},
	lists: {},
	commands: {
		create: command(
			v.strictObject({ name: title, series: v.optional(text), price: v.optional(price) }),
			(_state, args): Effect[] => [['created', true], ...given(args, ['name', 'series', 'price'])],
			'new'
		),
		setName: setter('name', title),
		setSeries: setter('series', text),
		setPrice: setter('price', price),
		...deleteAndRestore
	},
	row: (base, state): ProductRow => ({
		...base,
		kind: 'product',
		name: valueAt(state, 'name') as string,
		series: (valueAt(state, 'series') as string | null | undefined) ?? null,
		price: (valueAt(state, 'price') as number | null | undefined) ?? null
	}),
	audience: () => ['all']
});

function mapValues<T, U>(table: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
	return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value)]));
}
