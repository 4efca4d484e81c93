/** What a browser says of itself, in words a person knows: "Firefox on Windows". Pure. */
import { m } from '#lib/paraglide/messages.js';

// In this order: each later one is also named by those before it.
const BROWSERS = [
	[/\bEdg(?:A|iOS)?\//, 'Edge'],
	[/\bOPR\//, 'Opera'],
	[/\bSamsungBrowser\//, 'Samsung Internet'],
	[/\b(?:Firefox|FxiOS)\//, 'Firefox'],
	[/\b(?:Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
	[/\bSafari\//, 'Safari']
] as const;
const SYSTEMS = [
	[/\biPhone\b/, 'iPhone'],
	[/\biPad\b/, 'iPad'],
	[/\bAndroid\b/, 'Android'],
	[/\bWindows\b/, 'Windows'],
	[/\bMac OS X\b/, 'macOS'],
	[/\bCrOS\b/, 'ChromeOS'],
	[/\bLinux\b/, 'Linux']
] as const;

export function deviceWords(userAgent: string | null): string {
	const find = (table: readonly (readonly [RegExp, string])[]): string | undefined => table.find(([pattern]) => userAgent !== null && pattern.test(userAgent))?.[1];
	const browser = find(BROWSERS);
	const system = find(SYSTEMS);
	if (browser && system) return m.company_device({ browser, system });
	// A program names itself: shown as it does, cut where it goes on.
	return browser ?? system ?? (userAgent ? userAgent.slice(0, 60) : m.company_device_unknown());
}
