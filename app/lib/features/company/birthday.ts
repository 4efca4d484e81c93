/** A birthday as others see it. Pure. */

/** @param day `1990-11-30`, a day of the calendar without a time zone */
export function birthdayOf(day: string, locale: string, withYear: boolean): string | null {
	const time = Date.parse(`${day}T00:00:00Z`);
	if (Number.isNaN(time)) return null;
	return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', ...(withYear && { year: 'numeric' }), timeZone: 'UTC' }).format(time);
}
