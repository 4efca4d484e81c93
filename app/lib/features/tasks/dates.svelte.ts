/** Days of tasks: which one is today, how far a deadline is, and the words for it. Days are `2026-11-30`, as the calendar says, without a zone. */
import type { TaskRow } from '#crdt-model/kinds/task.ts';
import { preferences } from '#lib/shell/preferences.svelte.ts';

const DAY_MS = 86_400_000;
/** Clocks are changed and laptops sleep: asking each minute is right within a minute whatever happens. */
const LOOK_EVERY_MS = 60_000;
/** Near days are said in words ("in 3 days"), others as a date. */
const WORDS_WITHIN_DAYS = 6;

/** Making a formatter takes longer than drawing a row. */
const formatters = new Map<string, Intl.DateTimeFormat | Intl.RelativeTimeFormat>();
function kept<T extends Intl.DateTimeFormat | Intl.RelativeTimeFormat>(name: string, make: (locale: string) => T): T {
	const { locale } = preferences;
	let found = formatters.get(name + locale) as T | undefined;
	if (!found) formatters.set(name + locale, (found = make(locale)));
	return found;
}

export function dayOf(time: Date): string {
	const pad = (n: number): string => String(n).padStart(2, '0');
	return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
}

let today = $state(dayOf(new Date()));
setInterval(() => (today = dayOf(new Date())), LOOK_EVERY_MS);

/** Reactive: lists regroup themselves at midnight. */
export const todayIs = (): string => today;

const numberOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / DAY_MS;
export const daysBetween = (from: string, to: string): number => numberOf(to) - numberOf(from);
export function addDays(day: string, days: number): string {
	return new Date((numberOf(day) + days) * DAY_MS).toISOString().slice(0, 10);
}

export function isOpen(row: Pick<TaskRow, 'state'>): boolean {
	return row.state !== 'done' && row.state !== 'deferred';
}
export function isOverdue(row: Pick<TaskRow, 'state' | 'deadline'>, now: string): boolean {
	return row.deadline !== null && row.deadline < now && isOpen(row);
}

/** Sunday of the week that the day is in. */
export function endOfWeek(day: string): string {
	const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
	return addDays(day, weekday === 0 ? 0 : 7 - weekday);
}

/** "today", "tomorrow", "in 3 days", "12 Jan", "12 Jan 2028". */
export function dayInWords(day: string, now: string): string {
	const days = daysBetween(now, day);
	if (Math.abs(days) <= WORDS_WITHIN_DAYS) return kept('days', (locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })).format(days, 'day');
	const sameYear = day.slice(0, 4) === now.slice(0, 4);
	const date = kept(sameYear ? 'day' : 'day and year', (locale) => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }), timeZone: 'UTC' }));
	return date.format(numberOf(day) * DAY_MS);
}
export function fullDay(day: string): string {
	return kept('full', (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: 'UTC' })).format(numberOf(day) * DAY_MS);
}
/** A moment in the reader's own zone. */
export function momentInWords(at: number): string {
	const sameDay = dayOf(new Date(at)) === today;
	return kept(sameDay ? 'time' : 'moment', (locale) => new Intl.DateTimeFormat(locale, sameDay ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' })).format(at);
}
