/**
 * Files of older versions, for the tests that open them: made by the statements of their time, with the rows of a file of today as far as those tables and columns
 * were there. What a version did not know is not in its file, as it was not then.
 */
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID, STEPS } from './schema.ts';

/**
 * @param today a closed file of this version
 * @param statements what the older version had run when it made its file
 */
export function writeOlderFile(today: string, older: string, statements: readonly string[], pragmas: Readonly<Record<string, number>>): void {
	const database = new DatabaseSync(older, { enableForeignKeyConstraints: false });
	try {
		for (const statement of statements) database.exec(statement);
		database.exec(`ATTACH '${today}' AS today; BEGIN`);
		const names = (schema: string) => (database.prepare(`SELECT name FROM ${schema}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).all() as { name: string }[]).map(({ name }) => name);
		const columns = (schema: string, table: string) => (database.prepare(`PRAGMA ${schema}.table_info("${table}")`).all() as { name: string }[]).map(({ name }) => `"${name}"`);
		const known = new Set(names('today'));
		for (const table of names('main')) {
			if (!known.has(table)) continue;
			const here = new Set(columns('main', table));
			const both = columns('today', table).filter((column) => here.has(column)).join(', ');
			database.exec(`DELETE FROM main."${table}"; INSERT INTO main."${table}" (${both}) SELECT ${both} FROM today."${table}"`);
		}
		database.exec('COMMIT; DETACH today');
		for (const [name, value] of Object.entries(pragmas)) database.exec(`PRAGMA ${name} = ${value}`);
	} finally {
		database.close();
	}
}

/** @param version of the tables of a portal; 1 is the first */
export function writeOlderPortal(today: string, older: string, version: number): void {
	writeOlderFile(today, older, STEPS.slice(0, version), { user_version: version, application_id: APPLICATION_ID });
}

/** Every row of every table, with the columns that a set of tables had; in an order that does not depend on how they lie. */
export function rowsOf(file: string, of = tablesOf(file)): Record<string, string[]> {
	const database = new DatabaseSync(file, { readOnly: true });
	try {
		const spelled = (row: object) => JSON.stringify(row, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value));
		return Object.fromEntries(Object.entries(of).map(([table, columns]) => [table, database.prepare(`SELECT ${columns.join(', ')} FROM "${table}"`).all().map(spelled).sort()]));
	} finally {
		database.close();
	}
}

/** Tables with their columns. */
export function tablesOf(file: string): Record<string, string[]> {
	const database = new DatabaseSync(file, { readOnly: true });
	try {
		const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`).all() as { name: string }[];
		return Object.fromEntries(tables.map(({ name }) => [name, (database.prepare(`PRAGMA table_info("${name}")`).all() as { name: string }[]).map((column) => `"${column.name}"`)]));
	} finally {
		database.close();
	}
}
