// The chosen theme, before the first paint. A file of its own, so that a strict content policy lets it run.
// lib/shell/preferences.svelte.ts writes the key.
try {
	const theme = localStorage.getItem('atrium.theme');
	if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
	// No storage: the system's theme it is.
}
