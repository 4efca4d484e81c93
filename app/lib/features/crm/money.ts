/** Money as people type it: read, and as it stands in a field. How it is shown is in shell/formats. */
import { decimalPoint, formatForField } from '#lib/shell/formats.svelte.ts';

/** As it stands in a field: no currency, no grouping. */
export const editMoney = (amount: number | null): string => (amount === null ? '' : formatForField(amount));

/**
 * What somebody typed as a sum: `1.234,50`, `1,234.50`, `1 234 €`. The last point or comma with one or two digits behind it is the
 * decimal one; where three digits follow, the person's language decides.
 * @returns null for an empty field, undefined for what is no sum
 */
export function parseMoney(text: string): number | null | undefined {
	const bare = text.replace(/[\s\u00a0\u202f'’]/gu, '').replace(/^[^\d.,+-]+|[^\d.,]+$/gu, '');
	if (text.trim() === '') return null;
	if (!/^[+-]?[\d.,]+$/u.test(bare)) return undefined;
	const point = decimalPoint();
	const at = Math.max(bare.lastIndexOf('.'), bare.lastIndexOf(','));
	const behind = at < 0 ? 0 : bare.length - at - 1;
	const sameAgain = at >= 0 && bare.split(bare[at]!).length > 2;
	const isDecimal = at >= 0 && !sameAgain && (behind <= 2 || (bare[at] === point && behind !== 3) || (bare[at] === point && behind === 3 && /^[+-]?0?[.,]/u.test(bare)));
	const digits = (part: string): string => part.replace(/[.,]/gu, '');
	const value = Number(isDecimal ? `${digits(bare.slice(0, at))}.${bare.slice(at + 1)}` : digits(bare));
	if (!Number.isFinite(value) || Math.abs(value) > 1e12) return undefined;
	return Math.round(value * 100) / 100;
}
