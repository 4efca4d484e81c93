/** Money, numbers and days as the person's language writes them; and money as people type it. */
import { preferences } from '#lib/shell/preferences.svelte.ts';

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();
function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => T): T {
	let made = cache.get(key) as T | undefined;
	if (!made) cache.set(key, (made = make()));
	return made;
}

/** Whole sums without their ".00". */
export function formatMoney(amount: number, currency: string): string {
	const digits = Number.isInteger(amount) ? 0 : 2;
	const { locale } = preferences;
	return cached(`m${locale}${currency}${digits}`, () => new Intl.NumberFormat(locale, { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits })).format(amount);
}

/** A sum in a narrow place: €1.2M. */
export function formatMoneyShort(amount: number, currency: string): string {
	if (Math.abs(amount) < 100_000) return formatMoney(Math.round(amount), currency);
	const { locale } = preferences;
	return cached(`s${locale}${currency}`, () => new Intl.NumberFormat(locale, { style: 'currency', currency, notation: 'compact', maximumFractionDigits: 1 })).format(amount);
}

export function formatNumber(value: number): string {
	const { locale } = preferences;
	return cached(`n${locale}`, () => new Intl.NumberFormat(locale)).format(value);
}

/** A calendar day `2026-11-30`, which has no time zone. */
export function formatDay(day: string): string {
	const { locale } = preferences;
	const time = Date.parse(`${day}T00:00:00Z`);
	if (Number.isNaN(time)) return day;
	return cached(`d${locale}`, () => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })).format(time);
}

export function formatTime(at: number): string {
	const { locale } = preferences;
	return cached(`t${locale}`, () => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric', hour: 'numeric', minute: '2-digit' })).format(at);
}

export function formatList(words: readonly string[], type: 'conjunction' | 'disjunction' = 'conjunction'): string {
	return new Intl.ListFormat(preferences.locale, { type }).format(words);
}

/** Today by this device's calendar, as `2026-11-30`. */
export function today(): string {
	const now = new Date();
	const two = (part: number): string => String(part).padStart(2, '0');
	return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** As it stands in a field: no currency, no grouping. */
export function editMoney(amount: number | null): string {
	if (amount === null) return '';
	const { locale } = preferences;
	return cached(`e${locale}`, () => new Intl.NumberFormat(locale, { useGrouping: false, maximumFractionDigits: 2 })).format(amount);
}

/**
 * What somebody typed as a sum: `1.234,50`, `1,234.50`, `1 234 €`. The last point or comma with one or two digits behind it is the
 * decimal one; where three digits follow, the person's language decides.
 * @returns null for an empty field, undefined for what is no sum
 */
export function parseMoney(text: string): number | null | undefined {
	const bare = text.replace(/[\s\u00a0\u202f'’]/gu, '').replace(/^[^\d.,+-]+|[^\d.,]+$/gu, '');
	if (text.trim() === '') return null;
	if (!/^[+-]?[\d.,]+$/u.test(bare)) return undefined;
	const point = cached(`p${preferences.locale}`, () => new Intl.NumberFormat(preferences.locale)).formatToParts(1.5).find((part) => part.type === 'decimal')?.value ?? '.';
	const at = Math.max(bare.lastIndexOf('.'), bare.lastIndexOf(','));
	const behind = at < 0 ? 0 : bare.length - at - 1;
	const sameAgain = at >= 0 && bare.split(bare[at]!).length > 2;
	const isDecimal = at >= 0 && !sameAgain && (behind <= 2 || (bare[at] === point && behind !== 3) || (bare[at] === point && behind === 3 && /^[+-]?0?[.,]/u.test(bare)));
	const digits = (part: string): string => part.replace(/[.,]/gu, '');
	const value = Number(isDecimal ? `${digits(bare.slice(0, at))}.${bare.slice(at + 1)}` : digits(bare));
	if (!Number.isFinite(value) || Math.abs(value) > 1e12) return undefined;
	return Math.round(value * 100) / 100;
}
