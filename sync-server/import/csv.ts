/**
 * One CSV file, however it was saved, as rows under known column names.
 *
 * Promises: byte order marks, CRLF, quoted fields, empty lines, other column orders, further columns, and the separators that
 * spreadsheets write are all read; a header is matched without regard to case, spaces, dashes and underscores; what cannot be read is one
 * `ImportProblem` with one line that names the file; other work gets its turn while a large file is read.
 * Leaves to others: what a cell means (values.ts).
 */
import { Readable } from 'node:stream';
import { setImmediate as breathe } from 'node:timers/promises';
import { parse, type CsvError, type Parser } from 'csv-parse';

/** Something about the files that whoever brought them can mend; its message is the one line that they see. */
export class ImportProblem extends Error {}

export interface Columns {
	readonly required: readonly string[];
	readonly optional: readonly string[];
}

export interface TableRow {
	/** Line in the file, for whoever looks there. */
	readonly line: number;
	/** Trimmed; empty where the file has nothing. */
	readonly cells: Readonly<Record<string, string>>;
	/** Fields beyond the header's, or missing before its end. */
	readonly isRagged: boolean;
}

export interface Table {
	readonly file: string;
	readonly rows: readonly TableRow[];
	/** Optional columns that the file does not have. */
	readonly absent: readonly string[];
}

/** Keeps one turn of the event loop to a few milliseconds while a relay goes on serving. */
const ROWS_PER_TURN = 1_000;
const CHUNK_CHARACTERS = 64 * 1024;
/** Beyond the largest spreadsheet cell (32,767 characters); a quote that is never closed ends here and not in all of memory. */
const MAX_RECORD_CHARACTERS = 1_000_000;
/** `Opportunity ID` and `opportunity_id` are one column. */
const headerKey = (text: string): string => text.normalize('NFKC').toLowerCase().replace(/[\s_-]+/gu, '');

export async function readTable(file: string, bytes: Uint8Array, columns: Columns): Promise<Table> {
	const text = decode(file, bytes);
	const delimiter = delimiterOf(text);
	const parser = parse({
		delimiter,
		info: true,
		relax_column_count: true,
		relax_quotes: true,
		skip_empty_lines: true,
		trim: true,
		max_record_size: MAX_RECORD_CHARACTERS
	});
	const source = Readable.from(chunksOf(text));
	source.pipe(parser);
	try {
		return await collect(file, parser, columns);
	} catch (error) {
		if (error instanceof ImportProblem) throw error;
		const { code, lines, message } = error as CsvError;
		if (code === undefined) throw error;
		throw new ImportProblem(`${file} cannot be read as CSV near line ${lines}: ${message.split('\n')[0]}`);
	} finally {
		source.destroy();
		parser.destroy();
	}
}

async function collect(file: string, parser: Parser, columns: Columns): Promise<Table> {
	const rows: TableRow[] = [];
	let header: { places: Map<string, number>; width: number } | null = null;
	let seen = 0;
	for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
		if (++seen % ROWS_PER_TURN === 0) await breathe();
		// A spreadsheet leaves rows of separators where cells were emptied.
		if (record.every((cell) => cell === '')) continue;
		if (!header) {
			header = { places: placesOf(file, record, columns), width: record.length };
			continue;
		}
		const cells: Record<string, string> = {};
		for (const [name, place] of header.places) cells[name] = record[place] ?? '';
		rows.push({ line: info.lines, cells, isRagged: record.length !== header.width });
	}
	if (!header) throw new ImportProblem(`${file} is empty: its first line must name the columns ${columns.required.join(', ')}.`);
	const { places } = header;
	return { file, rows, absent: columns.optional.filter((name) => !places.has(name)) };
}

function placesOf(file: string, header: readonly string[], { required, optional }: Columns): Map<string, number> {
	const keys = header.map(headerKey);
	const places = new Map<string, number>();
	for (const name of [...required, ...optional]) {
		const place = keys.indexOf(headerKey(name));
		if (place !== -1) places.set(name, place);
	}
	const missing = required.filter((name) => !places.has(name));
	if (missing.length > 0) {
		const found = header.slice(0, 12).join(', ').slice(0, 200);
		throw new ImportProblem(`${file} has no column ${missing.join(', ')}; its first line names ${found}.`);
	}
	return places;
}

/** UTF-8, or UTF-16 by its mark; anything else is taken for the Western code page of older spreadsheets, in which every byte means something. */
function decode(file: string, bytes: Uint8Array): string {
	const [first, second] = bytes;
	if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
	if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
	if (bytes.subarray(0, 4_096).includes(0)) throw new ImportProblem(`${file} is not a text file.`);
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder('windows-1252').decode(bytes);
	}
}

/** What separates the header's fields: the commonest of the usual ones outside quotes. */
function delimiterOf(text: string): string {
	const start = text.search(/\S/);
	const line = text.slice(Math.max(start, 0)).split(/\r|\n/, 1)[0]!.replace(/"[^"]*"/g, '');
	const counts = [',', ';', '\t', '|'].map((mark) => ({ mark, count: line.split(mark).length }));
	return counts.reduce((best, next) => (next.count > best.count ? next : best)).mark;
}

function* chunksOf(text: string): Generator<string> {
	for (let from = 0; from < text.length; from += CHUNK_CHARACTERS) yield text.slice(from, from + CHUNK_CHARACTERS);
}
