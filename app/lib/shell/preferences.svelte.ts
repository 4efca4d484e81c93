/**
 * What a person chose for this device: theme, language, the portal's accent.
 *
 * Promises: a change shows in the next frame and loses nothing that is typed. Messages read the language from here
 * (`overwriteGetLocale`), and it is reactive, so every text on screen changes in place, without a reload.
 * app/static/theme.js sets the theme before the first paint; the two agree on the key `atrium.theme`.
 */
import { getLocale, type Locale, locales, localStorageKey, overwriteGetLocale, setLocale } from '#lib/paraglide/runtime.js';

export type Theme = 'system' | 'light' | 'dark';
export type { Locale };

const THEME_KEY = 'atrium.theme';
const ACCENT_KEY = 'atrium.accent';
/** The portal's language, which holds until the person chooses one. */
const PORTAL_LANGUAGE_KEY = 'atrium.language';

/** Languages by their own names: a reader finds theirs whatever is set. */
export const languages: readonly { locale: Locale; name: string }[] = [
	{ locale: 'en', name: 'English' },
	{ locale: 'ro', name: 'Română' }
];

/** localStorage throws where the browser forbids storage; a preference is then kept for this visit only. */
function read(key: string): string | null {
	try {
		return localStorage.getItem(key);
	} catch {
		return null;
	}
}
function write(key: string, value: string | null): void {
	try {
		if (value === null) localStorage.removeItem(key);
		else localStorage.setItem(key, value);
	} catch {
		// Kept for this visit; see above.
	}
}

class Preferences {
	#theme = $state<Theme>('system');
	#locale = $state<Locale>('en');

	constructor() {
		const theme = read(THEME_KEY);
		this.#theme = theme === 'light' || theme === 'dark' ? theme : 'system';
		const { hasChosenLanguage } = this;
		const own = getLocale();
		// Asking for it keeps what the browser says as if the person had chosen it, and the portal's would never be taken.
		if (!hasChosenLanguage) write(localStorageKey, null);
		this.#locale = (hasChosenLanguage ? undefined : locales.find((one) => one === read(PORTAL_LANGUAGE_KEY))) ?? own;
		overwriteGetLocale(() => this.#locale);
		this.#show();
		const accent = read(ACCENT_KEY);
		if (accent) this.#paint(accent);
		// Another tab changed it.
		window.addEventListener('storage', (event) => {
			if (event.key === THEME_KEY) {
				this.#theme = event.newValue === 'light' || event.newValue === 'dark' ? event.newValue : 'system';
				this.#show();
			}
		});
	}

	get theme(): Theme {
		return this.#theme;
	}
	set theme(theme: Theme) {
		this.#theme = theme;
		write(THEME_KEY, theme === 'system' ? null : theme);
		this.#show();
	}

	get locale(): Locale {
		return this.#locale;
	}
	set locale(locale: Locale) {
		if (!locales.includes(locale) || locale === this.#locale) return;
		void setLocale(locale, { reload: false });
		this.#locale = locale;
		this.#show();
	}

	/** Whether the person chose a language on this device, or the portal's may be taken. */
	get hasChosenLanguage(): boolean {
		return read(localStorageKey) !== null;
	}

	/** What the portal speaks, to somebody who has not chosen: it is no choice, and gives way to the portal's next one. */
	adoptLanguage(locale: Locale): void {
		write(PORTAL_LANGUAGE_KEY, locale);
		if (this.hasChosenLanguage || locale === this.#locale) return;
		this.#locale = locale;
		this.#show();
	}

	/** The portal's colour as #rrggbb, or null for our own. Made darker or lighter until text on it can be read. */
	setAccent(accent: string | null): void {
		write(ACCENT_KEY, accent);
		this.#paint(accent);
	}

	#show(): void {
		const root = document.documentElement;
		if (this.#theme === 'system') delete root.dataset.theme;
		else root.dataset.theme = this.#theme;
		root.lang = this.#locale;
	}

	#paint(accent: string | null): void {
		const style = document.documentElement.style;
		const rgb = accent === null ? null : parse(accent);
		if (!rgb) {
			style.removeProperty('--accent-light');
			style.removeProperty('--accent-dark');
			return;
		}
		style.setProperty('--accent-light', readable(rgb, [255, 255, 255], 0));
		style.setProperty('--accent-dark', readable(rgb, [30, 30, 35], 255));
	}
}

type Rgb = [number, number, number];

function parse(hex: string): Rgb | null {
	const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
	return match ? [parseInt(match[1]!, 16), parseInt(match[2]!, 16), parseInt(match[3]!, 16)] : null;
}

function luminance(rgb: Rgb): number {
	const [r, g, b] = rgb.map((part) => {
		const value = part / 255;
		return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
	}) as Rgb;
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Steps toward black (0) or white (255) until 5:1 against the ground; 5 leaves room for soft backgrounds. */
function readable(rgb: Rgb, ground: Rgb, toward: 0 | 255): string {
	let now = rgb;
	for (let i = 0; i < 40; i++) {
		const [a, b] = [luminance(now) + 0.05, luminance(ground) + 0.05];
		if (Math.max(a, b) / Math.min(a, b) >= 5) break;
		now = now.map((part) => part + (toward - part) * 0.06) as Rgb;
	}
	return `rgb(${now.map(Math.round).join(' ')})`;
}

export const preferences = new Preferences();
