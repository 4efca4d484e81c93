import adapter from '@sveltejs/adapter-static';
import { appFingerprint } from './sync-server/bootstrap/fingerprint.js';

// SvelteKit 3 refuses a svelte.config.js inside Vite's root, which is `app/`; ours lies above it and is handed to
// `sveltekit(config)` in vite.config.ts. All paths here count from `app/`, except the adapter's, which count from the top.
/** @type {NonNullable<Parameters<typeof import('@sveltejs/kit/vite').sveltekit>[0]>} */
const config = {
	files: { src: '.', assets: 'static' },
	outDir: '../.svelte-kit',
	adapter: adapter({ pages: 'build', assets: 'build', fallback: 'index.html', strict: true }),
	// The default is the time of the build. A name made of the sources gives two builds of one commit the same caches, and
	// any change a new service worker.
	version: { name: appFingerprint() }
};

export default config;
