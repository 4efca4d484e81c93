/** Which day it is, and how days are counted. Days are `2026-11-30`, as the calendar says, without a zone. */

const DAY_MS = 86_400_000;
/** Clocks are changed and laptops sleep: asking each minute is right within a minute whatever happens. */
const LOOK_EVERY_MS = 60_000;

/** The day of a moment by this device's calendar. */
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
/** The same day of another month, or that month's last where it is shorter. */
export function addMonths(day: string, months: number): string {
	const at = new Date(`${day.slice(0, 7)}-01T00:00:00Z`);
	at.setUTCMonth(at.getUTCMonth() + months);
	const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
	return `${at.toISOString().slice(0, 8)}${String(Math.min(Number(day.slice(8)), last)).padStart(2, '0')}`;
}
/** 1 is Monday (ISO 8601). */
export const weekDayOf = (day: string): number => ((numberOf(day) + 3) % 7 + 7) % 7 + 1;
/** The first day of the week that a day is in. */
export const startOfWeek = (day: string, weekStart: number): string => addDays(day, -((weekDayOf(day) - weekStart + 7) % 7));
/** The last day of the week that a day is in. */
export const endOfWeek = (day: string, weekStart: number): string => addDays(startOfWeek(day, weekStart), 6);
