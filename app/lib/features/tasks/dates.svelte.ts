/** Days of tasks: which one is today, how far a deadline is, and the words for it. Days are `2026-11-30`, as the calendar says, without a zone. */
import type { TaskRow } from '#crdt-model/kinds/task.ts';
import { preferences } from '#lib/shell/preferences.svelte.ts';

const DAY_MS = 86_400_000;
/** Clocks are changed and laptops sleep: asking each minute is right within a minute whatever happens. */
const LOOK_EVERY_MS = 60_000;
/** Near days are said in words ("in 3 days"), others as a date. */
const WORDS_WITHIN_DAYS = 6;

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
	if (Math.abs(days) <= WORDS_WITHIN_DAYS) return new Intl.RelativeTimeFormat(preferences.locale, { numeric: 'auto' }).format(days, 'day');
	const sameYear = day.slice(0, 4) === now.slice(0, 4);
	return new Intl.DateTimeFormat(preferences.locale, { day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }), timeZone: 'UTC' }).format(numberOf(day) * DAY_MS);
}
export function fullDay(day: string): string {
	return new Intl.DateTimeFormat(preferences.locale, { dateStyle: 'full', timeZone: 'UTC' }).format(numberOf(day) * DAY_MS);
}
/** A moment in the reader's own zone. */
export function momentInWords(at: number): string {
	const sameDay = dayOf(new Date(at)) === today;
	return new Intl.DateTimeFormat(preferences.locale, sameDay ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' }).format(at);
}
