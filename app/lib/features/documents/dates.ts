/** When something was, in as few characters as leave no doubt: the time today, the day this year, else with the year. */
export function whenOf(at: number, locale: string, now = Date.now()): string {
	const date = new Date(at);
	const today = new Date(now);
	if (date.toDateString() === today.toDateString()) return date.toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' });
	const year = date.getFullYear() === today.getFullYear() ? undefined : 'numeric';
	return date.toLocaleDateString(locale, { day: 'numeric', month: 'short', year });
}
