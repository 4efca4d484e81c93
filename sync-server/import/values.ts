/**
 * What a cell says: days, sums, counts, names. A cell that says nothing is null; one that cannot be understood is `undefined`, and whoever asked
 * reports it. Pure.
 */

/** Two spellings of one name: `GTXPro` and `GTX Pro`, `Acme corporation` and `ACME Corporation`. */
export const nameKey = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/\s+/gu, '');

type Cell<T> = T | null | undefined;

/** `1,100.04`, `$1100`, `1100.04`, `1.100,04`; rounded to cents, as money is kept. */
export function amountIn(cell: string): Cell<number> {
	if (cell === '') return null;
	const bare = cell.replace(/[\s\u00a0$€£]|(?:USD|EUR)/gu, '');
	const plain = /^-?\d{1,3}(\.\d{3})+,\d+$/.test(bare) || /^-?\d+,\d{1,2}$/.test(bare) ? bare.replaceAll('.', '').replace(',', '.') : bare.replaceAll(',', '');
	if (!/^[+-]?\d+(\.\d+)?$|^[+-]?\.\d+$/.test(plain)) return undefined;
	const amount = Math.round(Number(plain) * 100) / 100 + 0;
	// The ceiling of the model's own money.
	return Math.abs(amount) <= 1e12 ? amount : undefined;
}

export function countIn(cell: string): Cell<number> {
	const amount = amountIn(cell);
	return amount === null || amount === undefined || (Number.isSafeInteger(amount) && amount >= 0) ? amount : undefined;
}

type Order = 'month-first' | 'day-first';

/**
 * Reads the days of one column. `3/4/2017` is March or April by country, so the column decides: day first if some value cannot be
 * otherwise, else month first as the spreadsheets of the data's country write.
 */
export function dayReader(cells: Iterable<string>): (cell: string) => Cell<string> {
	let order: Order = 'month-first';
	for (const cell of cells) {
		const parts = SLASHED.exec(cell);
		if (parts && Number(parts[1]) > 12) order = 'day-first';
	}
	return (cell) => {
		if (cell === '') return null;
		const iso = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$/.exec(cell);
		if (iso) return dayOf(iso[1]!, iso[2]!, iso[3]!);
		const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(cell);
		if (dotted) return dayOf(dotted[3]!, dotted[2]!, dotted[1]!);
		const slashed = SLASHED.exec(cell);
		if (!slashed) return undefined;
		const [month, day] = order === 'month-first' ? [slashed[1]!, slashed[2]!] : [slashed[2]!, slashed[1]!];
		return dayOf(slashed[3]!, month, day);
	};
}
const SLASHED = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?: .*)?$/;

function dayOf(year: string, month: string, day: string): string | undefined {
	const text = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
	const time = Date.parse(`${text}T00:00:00Z`);
	// `2017-02-31` has the shape of a day and is none.
	return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) ? text : undefined;
}

const DAY_MS = 86_400_000;

export const timeOf = (day: string): number => Date.parse(`${day}T12:00:00Z`);
export const dayAt = (time: number): string => new Date(time).toISOString().slice(0, 10);
export const addDays = (day: string, days: number): string => dayAt(timeOf(day) + days * DAY_MS);
export const daysBetween = (from: string, to: string): number => Math.round((timeOf(to) - timeOf(from)) / DAY_MS);

/** The stage that a cell names; exports of other programs say `Closed Won` or `Deal lost`. */
export function stageIn(cell: string): Cell<'prospecting' | 'engaging' | 'won' | 'lost'> {
	if (cell === '') return null;
	const key = nameKey(cell).replace(/[-_]/g, '').replace(/^(closed|deal)/, '');
	return key === 'prospecting' || key === 'engaging' || key === 'won' || key === 'lost' ? key : undefined;
}

/** First name and last name; who has one word only gets a dash, because a person's record needs both. */
export function splitName(name: string): { firstName: string; lastName: string } {
	const words = name.split(/\s+/u).filter(Boolean);
	const lastName = words.length > 1 ? words.pop()! : '–';
	return { firstName: cut(words.join(' '), 100), lastName: cut(lastName, 100) };
}

/** The local part of an address, or the empty text where no letter of the name is Latin. */
export function addressOf({ firstName, lastName }: { firstName: string; lastName: string }): string {
	return [firstName, lastName].map((name) => latin(name).slice(0, 25)).filter(Boolean).join('.');
}

/** What Unicode does not take apart by itself. */
const UNDECOMPOSED: Readonly<Record<string, string>> = { ł: 'l', ø: 'o', đ: 'd', ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th', ð: 'd', ı: 'i' };

/** Letters and digits that an address may hold, without their accents. */
export function latin(text: string): string {
	return text.toLowerCase().replace(/[łøđßæœþðı]/g, (letter) => UNDECOMPOSED[letter]!).normalize('NFKD').replace(/[^a-z0-9]+/g, '');
}

/** By characters, so that no emoji is cut in half. */
export function cut(text: string, length: number): string {
	if (text.length <= length) return text;
	return `${text.slice(0, length - 1).toWellFormed().replace(/\ufffd$/u, '')}…`;
}
