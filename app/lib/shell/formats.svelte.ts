/**
 * How everything is written: days, times, numbers, money, sizes of weeks. In the person's language, in the order, clock and currency that the portal chose.
 *
 * Promises: reactive, so a change of either shows in place; the portal's choice is known at the first paint (it is kept on the device). Screens make no Intl formatter of their own.
 * Leaves to others: the grammar of days, which letters share (crdt-model/formats.ts); the portal's record itself (features/settings).
 */
import { DATE_FORMATS, figuresOf, readClock, readDay, TIME_FORMATS, WEEK_STARTS, writeDay, writeDayOf, writeMoment, writeTime, type DayLook, type Formats } from '#crdt-model/formats.ts';
import type { SettingsRow } from '#crdt-model/kinds/settings.ts';
import { todayIs, daysBetween, dayOf } from './days.svelte.ts';
import { preferences } from './preferences.svelte.ts';

const KEY = 'atrium.formats';
/** Near days are said in words ("in 3 days"), others as a date. */
const WORDS_WITHIN_DAYS = 6;

/** What of the portal's settings decides how things are written. */
export type PortalFormats = Pick<SettingsRow, 'dateFormat' | 'timeFormat' | 'weekStart' | 'currency' | 'workingHours'>;
const PLAIN: PortalFormats = { dateFormat: 'auto', timeFormat: 'auto', weekStart: 1, currency: 'EUR', workingHours: null };

function kept(): PortalFormats {
	try {
		const read = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Record<keyof PortalFormats, unknown>>;
		return {
			...PLAIN,
			dateFormat: DATE_FORMATS.find((one) => one === read.dateFormat) ?? 'auto',
			timeFormat: TIME_FORMATS.find((one) => one === read.timeFormat) ?? 'auto',
			weekStart: WEEK_STARTS.find((one) => one === read.weekStart) ?? 1
		};
	} catch {
		// No storage, or something else wrote there: the language's own until the record is read, some milliseconds.
		return PLAIN;
	}
}

let chosen = $state.raw<PortalFormats>(kept());

/** The portal's formats as they are now; read it in markup or `$derived`. */
export const portalFormats = (): PortalFormats => chosen;

/** Called with the portal's settings whenever they change. */
export function adoptFormats({ dateFormat, timeFormat, weekStart, currency, workingHours }: PortalFormats): void {
	const next: PortalFormats = { dateFormat, timeFormat, weekStart, currency, workingHours };
	if (JSON.stringify(next) === JSON.stringify(chosen)) return;
	chosen = next;
	try {
		localStorage.setItem(KEY, JSON.stringify({ dateFormat, timeFormat, weekStart }));
	} catch {
		// Kept for this visit.
	}
}

/** The region that the person's browser names for their language: with `auto`, Britons read days as Britons do. */
function regional(language: string): string {
	return navigator.languages.find((one) => one === language || one.startsWith(`${language}-`)) ?? language;
}
const formats = (): Formats => ({ locale: regional(preferences.locale), dates: chosen.dateFormat, times: chosen.timeFormat });

// ---- days and times

/** A day of the calendar, `2026-11-30`: "30 Nov 2026". */
export const formatDay = (day: string, look: DayLook = 'medium'): string => writeDay(formats(), day, look);
/** With its weekday, for a tooltip. */
export const formatFullDay = (day: string): string => writeDay(formats(), day, 'full');
/** A moment in the reader's own zone: "30 Nov 2026, 14:05". */
export const formatMoment = (at: number, look: DayLook = 'medium'): string => writeMoment(formats(), at, look);
/** The time of day of a moment. */
export const formatTimeOfDay = (at: number): string => writeTime(formats(), at);
/** A time of the clock as records keep it, `09:30`. */
export function formatClock(time: string): string {
	const [hours, minutes] = time.split(':');
	return writeTime({ ...formats(), timeZone: 'UTC' }, Date.UTC(2024, 0, 1, Number(hours), Number(minutes)));
}

/** The time if it was today, else day and time. */
export function formatRecentMoment(at: number): string {
	return dayOf(new Date(at)) === todayIs() ? formatTimeOfDay(at) : formatMoment(at);
}
/** When something was, in as few characters as leave no doubt: the time today, the day this year, else with the year. */
export function formatWhen(at: number): string {
	const today = todayIs();
	const day = dayOf(new Date(at));
	if (day === today) return formatTimeOfDay(at);
	return writeDayOf(formats(), at, day.slice(0, 4) === today.slice(0, 4) ? 'short' : 'medium');
}
/** "today", "tomorrow", "in 3 days", "12 Jan", "12 Jan 2028". */
export function formatNearDay(day: string, today = todayIs()): string {
	const days = daysBetween(today, day);
	if (Math.abs(days) <= WORDS_WITHIN_DAYS) return cached('days', (locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })).format(days, 'day');
	return formatDay(day, day.slice(0, 4) === today.slice(0, 4) ? 'short' : 'medium');
}
/** Day and month without a year, as a birthday is told. */
export const formatDayOfYear = (day: string): string => writeDay(formats(), day, 'short');

/** What was typed as a day: null for nothing, undefined for what is none. */
export const parseDay = (text: string): string | null | undefined => readDay(formats(), text, todayIs());
/** What was typed as a time of the day, as `09:30`; undefined for what is none. */
export const parseClock = readClock;
/** How a day is typed here, with an example's figures: "31.12.2026". */
export const dayExample = (): string => formatDay(`${todayIs().slice(0, 4)}-12-31`, 'numeric');
export const dayFigures = () => figuresOf(formats());

// ---- weeks

/** Days of the week as ISO 8601 counts them, in the portal's order. */
export function weekDays(): readonly number[] {
	return Array.from({ length: 7 }, (_, i) => ((chosen.weekStart - 1 + i) % 7) + 1);
}
/** "Monday", "Mon", "M" of 1. */
export function weekDayName(day: number, look: 'long' | 'short' | 'narrow' = 'long'): string {
	// The first of January 2024 was a Monday.
	return cached(`weekday ${look}`, (locale) => new Intl.DateTimeFormat(locale, { weekday: look, timeZone: 'UTC' })).format(Date.UTC(2024, 0, day));
}
/** "November 2026" of any day in it. */
export function monthName(day: string): string {
	return cached('month', (locale) => new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' })).format(Date.parse(`${day}T00:00:00Z`));
}

// ---- numbers and money

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();
/** Making a formatter takes longer than drawing a row. */
function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(key: string, make: (locale: string) => T): T {
	const { locale } = preferences;
	let made = cache.get(`${key} ${locale}`) as T | undefined;
	if (!made) cache.set(`${key} ${locale}`, (made = make(locale)));
	return made;
}

export const formatNumber = (value: number): string => cached('number', (locale) => new Intl.NumberFormat(locale)).format(value);
/** A share of one, as "38%". */
export const formatPercent = (share: number): string => cached('percent', (locale) => new Intl.NumberFormat(locale, { style: 'percent' })).format(share);
/** As it stands in a field: no grouping, two decimals at most. */
export const formatForField = (value: number): string => cached('field', (locale) => new Intl.NumberFormat(locale, { useGrouping: false, maximumFractionDigits: 2 })).format(value);
/** The decimal point of the person's language. */
export const decimalPoint = (): string => cached('number', (locale) => new Intl.NumberFormat(locale)).formatToParts(1.5).find((part) => part.type === 'decimal')?.value ?? '.';

/** A sum in the portal's currency unless another is named. Whole sums go without their ".00". */
export function formatMoney(amount: number, currency = chosen.currency): string {
	const digits = Number.isInteger(amount) ? 0 : 2;
	return cached(`money ${currency} ${digits}`, (locale) => new Intl.NumberFormat(locale, { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits })).format(amount);
}
/** A sum in a narrow place: €1.2M. */
export function formatMoneyShort(amount: number, currency = chosen.currency): string {
	if (Math.abs(amount) < 100_000) return formatMoney(Math.round(amount), currency);
	return cached(`short ${currency}`, (locale) => new Intl.NumberFormat(locale, { style: 'currency', currency, notation: 'compact', maximumFractionDigits: 1 })).format(amount);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
/** `3.2 GB`; counted as disks are, 1024 to a step. */
export function formatSize(bytes: number): string {
	const step = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
	return cached(`size ${step}`, (locale) => new Intl.NumberFormat(locale, { style: 'unit', unit: UNITS[step]!, unitDisplay: step === 0 ? 'long' : 'short', maximumFractionDigits: step < 2 ? 0 : 1 })).format(bytes / 1024 ** step);
}

export const formatList = (words: readonly string[], type: 'conjunction' | 'disjunction' = 'conjunction'): string => new Intl.ListFormat(preferences.locale, { type }).format(words);
