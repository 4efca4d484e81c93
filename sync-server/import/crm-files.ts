/**
 * The four files of a CRM export: which columns they have, and reading them from a folder.
 *
 * Promises: a missing folder, file or required column is one `ImportProblem`; sizes are asked before anything is read.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImportProblem, readTable, type Columns, type Table } from './csv.ts';

export const CRM_FILES = {
	accounts: {
		file: 'accounts.csv',
		required: ['account'],
		optional: ['sector', 'year_established', 'revenue', 'employees', 'office_location', 'subsidiary_of']
	},
	products: { file: 'products.csv', required: ['product'], optional: ['series', 'sales_price'] },
	teams: { file: 'sales_teams.csv', required: ['sales_agent', 'manager'], optional: ['regional_office'] },
	pipeline: {
		file: 'sales_pipeline.csv',
		required: ['opportunity_id', 'sales_agent', 'product', 'account', 'deal_stage'],
		optional: ['engage_date', 'close_date', 'close_value']
	}
} as const satisfies Record<string, Columns & { readonly file: string }>;

export type CrmTables = Readonly<Record<keyof typeof CRM_FILES, Table>>;

/** Half a million opportunities; more than that is no demonstration and would fill the relay's memory. */
export const MAX_IMPORT_BYTES = 64 * 1024 * 1024;

export async function readCrmFolder(folder: string): Promise<CrmTables> {
	let total = 0;
	const bytes = new Map<string, Uint8Array>();
	for (const { file } of Object.values(CRM_FILES)) {
		const path = join(folder, file);
		try {
			const found = await stat(path);
			if (!found.isFile()) throw new ImportProblem(`${path} is not a file.`);
			total += found.size;
			if (total > MAX_IMPORT_BYTES) throw new ImportProblem(`The files in ${folder} have more than ${MAX_IMPORT_BYTES / 2 ** 20} MiB together.`);
			bytes.set(file, await readFile(path));
		} catch (error) {
			if (error instanceof ImportProblem) throw error;
			throw new ImportProblem(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): the demo needs ${Object.values(CRM_FILES).map((each) => each.file).join(', ')}.`);
		}
	}
	return readCrmTables(Object.fromEntries(bytes));
}

/** @param files content by file name */
export async function readCrmTables(files: Readonly<Record<string, Uint8Array>>): Promise<CrmTables> {
	const tables: Partial<Record<keyof typeof CRM_FILES, Table>> = {};
	for (const [name, { file, ...columns }] of Object.entries(CRM_FILES) as [keyof typeof CRM_FILES, Columns & { file: string }][]) {
		const bytes = files[file];
		if (!bytes) throw new ImportProblem(`${file} is missing.`);
		tables[name] = await readTable(file, bytes, columns);
	}
	return tables as CrmTables;
}
