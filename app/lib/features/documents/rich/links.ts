/** Addresses that a page may link to. Anything else is drawn as text, and is not accepted when typed. */
const SAFE = new Set(['http:', 'https:', 'mailto:', 'tel:']);

/** What a person typed as an address, made whole; null where it is none, or is no safe one. */
export function safeAddress(typed: string): string | null {
	const trimmed = typed.trim();
	if (trimmed === '' || /\s/u.test(trimmed)) return null;
	if (/^[^@:/]+@[^@:/]+\.[^@:/]+$/u.test(trimmed)) return `mailto:${trimmed}`;
	// "example.com:8080/x" parses as a scheme named "example.com".
	const hasScheme = /^[a-z][a-z0-9+-]*:/iu.test(trimmed) && !/^[^/:]*\.[^/:]*:\d/u.test(trimmed);
	const whole = hasScheme ? trimmed : `https://${trimmed.replace(/^\/+/u, '')}`;
	let url: URL;
	try {
		url = new URL(whole);
	} catch {
		// The browser's own parser says that it is no address.
		return null;
	}
	if (!SAFE.has(url.protocol)) return null;
	if (!hasScheme && !url.hostname.includes('.') && url.hostname !== 'localhost') return null;
	return whole;
}
