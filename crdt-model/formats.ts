/**
 * How days and times are written and read: in the reader's language, in the order and clock that the portal chose. Screens and letters ask the same functions.
 *
 * Promises: pure; what `writeDay` writes as `numeric`, `readDay` reads back. Leaves to others: whose language and which zone (app/lib/shell/formats.svelte.ts, the relay's letters).
 */

// What a portal may choose. Here and not with its settings: the door needs to write a day and knows no records.
export const DATE_FORMATS = ['auto', 'dmy', 'mdy', 'ymd'] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];
export const TIME_FORMATS = ['auto', 'h24', 'h12'] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];
/** Monday, Saturday, Sunday (ISO 8601). */
export const WEEK_STARTS = [1, 6, 7] as const;
export type WeekStart = (typeof WEEK_STARTS)[number];

export interface Formats {
	/** The reader's language, with the region where it is known: `ro`, `en-GB`. */
	readonly locale: string;
	/** `auto`: as the language has it. */
	readonly dates: DateFormat;
	readonly times: TimeFormat;
	/** Where moments are told: `Europe/Bucharest`; left out, where the code runs. */
	readonly timeZone?: string;
}

/** `20.05.2031` · `20 May` · `20 May 2031` · `20 May 2031`, the month in full · `Tuesday, 20 May 2031`. */
export type DayLook = 'numeric' | 'short' | 'medium' | 'long' | 'full';

const LOOKS: Readonly<Record<DayLook, Intl.DateTimeFormatOptions>> = {
	numeric: { day: '2-digit', month: '2-digit', year: 'numeric' },
	short: { day: 'numeric', month: 'short' },
	medium: { day: 'numeric', month: 'short', year: 'numeric' },
	long: { day: 'numeric', month: 'long', year: 'numeric' },
	full: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }
};

/** Making a formatter takes longer than drawing a row. Bounded by looks, languages and zones, which are few. */
const made = new Map<string, Intl.DateTimeFormat>();
function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const key = locale + JSON.stringify(options);
	let found = made.get(key);
	if (!found) made.set(key, (found = new Intl.DateTimeFormat(locale, options)));
	return found;
}

/** The midnight that begins a day in UTC, where days without a zone are told. */
const utc = (day: string): number => Date.parse(`${day}T00:00:00Z`);

function write({ locale, dates }: Formats, at: number, look: DayLook, timeZone: string | undefined): string {
	const format = formatter(locale, { ...LOOKS[look], ...(timeZone && { timeZone }) });
	// Without its year a day has no order of figures: "2031-05" would be a month.
	if (dates === 'auto' || (dates === 'ymd' && look === 'short')) return format.format(at);
	const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
	const part = (type: 'weekday' | 'day' | 'month' | 'year'): string => parts.get(type) ?? '';
	if (look === 'numeric') {
		const { separator } = figuresOf({ locale, dates });
		return [...dates].map((one) => (one === 'd' ? part('day') : one === 'm' ? part('month') : part('year'))).join(separator);
	}
	const weekday = look === 'full' ? `${part('weekday')}, ` : '';
	if (dates === 'ymd') {
		const figures = new Map(formatter('en', { ...LOOKS.numeric, ...(timeZone && { timeZone }) }).formatToParts(at).map(({ type, value }) => [type, value]));
		return `${weekday}${figures.get('year')}-${figures.get('month')}-${figures.get('day')}`;
	}
	const year = look === 'short' ? '' : part('year');
	if (dates === 'dmy') return `${weekday}${part('day')} ${part('month')}${year && ` ${year}`}`;
	return `${weekday}${part('month')} ${part('day')}${year && `, ${year}`}`;
}

/** A day of the calendar (`2031-05-20`), which has no zone. What is no day is given back as it came. */
export function writeDay(formats: Formats, day: string, look: DayLook = 'medium'): string {
	const at = utc(day);
	return Number.isNaN(at) ? day : write(formats, at, look, 'UTC');
}

/** The day that a moment falls on where it is told. */
export function writeDayOf(formats: Formats, at: number, look: DayLook = 'medium'): string {
	return write(formats, at, look, formats.timeZone);
}

/** The time of day of a moment: `14:05`, `2:05 PM`. */
export function writeTime({ locale, times, timeZone }: Formats, at: number): string {
	const clock = times === 'auto' ? {} : times === 'h24' ? { hourCycle: 'h23' as const, hour: '2-digit' as const } : { hourCycle: 'h12' as const };
	return formatter(locale, { hour: 'numeric', minute: '2-digit', ...clock, ...(timeZone && { timeZone }) }).format(at);
}

/** Day and time of a moment. */
export function writeMoment(formats: Formats, at: number, look: DayLook = 'medium'): string {
	return `${writeDayOf(formats, at, look)}, ${writeTime(formats, at)}`;
}

/** The order in which figures of a day stand, and what stands between them. */
export function figuresOf({ locale, dates }: Pick<Formats, 'locale' | 'dates'>): { readonly order: Exclude<DateFormat, 'auto'>; readonly separator: string } {
	const parts = formatter(locale, { ...LOOKS.numeric, timeZone: 'UTC' }).formatToParts(0);
	const own = parts.filter(({ type }) => type === 'day' || type === 'month' || type === 'year').map(({ type }) => type[0]).join('') as Exclude<DateFormat, 'auto'>;
	const separator = parts.find(({ type }) => type === 'literal')?.value.trim() || '.';
	if (dates === 'auto' || dates === own) return { order: own, separator };
	return { order: dates, separator: dates === 'ymd' ? '-' : separator };
}

const isoOf = (year: number, month: number, day: number): string | undefined => {
	const at = new Date(Date.UTC(year, month - 1, day));
	// 31 February is none; years before 1000 are typing that has not ended.
	return year >= 1000 && year <= 9999 && at.getUTCMonth() === month - 1 && at.getUTCDate() === day ? at.toISOString().slice(0, 10) : undefined;
};
/** `31` is 2031; a birthday of the last century is written with all four figures. */
const yearOf = (figures: string): number => (figures.length <= 2 ? 2000 + Number(figures) : Number(figures));

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Which of a year's months or a week's days a word begins, in the reader's language or in English; the first is 1. */
function named(locale: string, word: string, what: 'month' | 'weekday'): number | undefined {
	const wanted = plain(word);
	if (wanted.length < 3) return undefined;
	for (let i = 0; i < (what === 'month' ? 12 : 7); i++) {
		// The first of January 2024 was a Monday.
		const at = what === 'month' ? Date.UTC(2024, i, 15) : Date.UTC(2024, 0, i + 1);
		for (const language of [locale, 'en']) if (plain(formatter(language, { [what]: 'long', timeZone: 'UTC' }).format(at)).startsWith(wanted)) return i + 1;
	}
	return undefined;
}

/**
 * What somebody typed as a day: in the order in use, as `2031-05-20` under every order, with the month in words, without the year.
 * @param today the day whose year is meant where none is typed
 * @returns `2031-05-20`, null for nothing, undefined for what is no day
 */
export function readDay(formats: Pick<Formats, 'locale' | 'dates'>, text: string, today: string): string | null | undefined {
	// Which weekday it is, the calendar knows. In Romanian a Tuesday begins as March does: then the rest must be a day without it.
	const typed = text.trim().replace(/^(\p{L}+)[.,]?\s+(?=.*\p{L}|(?:\D*\d+){3})/u, (all, word: string) => (named(formats.locale, word, 'weekday') ? '' : all));
	if (typed === '') return null;
	const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/u.exec(typed);
	if (iso) return isoOf(Number(iso[1]), Number(iso[2]), Number(iso[3]));
	const { order } = figuresOf(formats);
	const thisYear = today.slice(0, 4);
	const words = typed.match(/\p{L}+/gu) ?? [];
	if (words.length > 0) {
		const month = words.length === 1 ? named(formats.locale, words[0], 'month') : undefined;
		const figures = typed.match(/\d+/gu) ?? [];
		if (!month || figures.length === 0 || figures.length > 2) return undefined;
		const [day, year] = figures[0]!.length === 4 ? [figures[1], figures[0]] : [figures[0], figures[1] ?? thisYear];
		return day === undefined || day.length > 2 || (year!.length !== 2 && year!.length !== 4) ? undefined : isoOf(yearOf(year!), month, Number(day));
	}
	if (/[^\d\s./\-,]/u.test(typed)) return undefined;
	let figures: readonly string[] = typed.match(/\d+/gu) ?? [];
	if (figures.length === 1 && figures[0]!.length === 8) {
		const all = figures[0]!;
		figures = order === 'ymd' ? [all.slice(0, 4), all.slice(4, 6), all.slice(6)] : [all.slice(0, 2), all.slice(2, 4), all.slice(4)];
	}
	if (figures.length < 2 || figures.length > 3) return undefined;
	// Four figures in front are a year, whatever the order in use.
	const used = figures.length === 2 ? order.replace('y', '') : figures[0]!.length === 4 ? 'ymd' : order;
	const part = (name: string): string => figures[used.indexOf(name)] ?? '';
	const [year, month, day] = [figures.length === 2 ? thisYear : part('y'), part('m'), part('d')];
	if ((year.length !== 2 && year.length !== 4) || month.length > 2 || day.length > 2) return undefined;
	return isoOf(yearOf(year), Number(month), Number(day));
}

/** A time of the clock, as records keep it. */
export type Clock = `${string}:${string}`;

/**
 * What somebody typed as a time of the day: `9`, `9:30`, `0930`, `9.30`, `9 pm`.
 * @returns `09:30`, or undefined for what is none
 */
export function readClock(text: string): Clock | undefined {
	const found = /^(\d{1,2})(?:[:.\s]?(\d{2}))?\s*(?:([ap])\.?\s*m\.?)?$/iu.exec(text.trim());
	if (!found) return undefined;
	const [, hours, minutes = '00', half] = found;
	let hour = Number(hours);
	if (half) {
		if (hour < 1 || hour > 12) return undefined;
		hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
	}
	return hour > 23 || Number(minutes) > 59 ? undefined : `${String(hour).padStart(2, '0')}:${minutes}`;
}
