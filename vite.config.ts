import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';
import config from './svelte.config.js';

// Only `npm run dev` uses the proxy: there Vite serves the app and the relay answers everything else. In production the
// relay serves both on one port.
const relay = `http://127.0.0.1:${process.env.RELAY_PORT ?? '8420'}`;

export default defineConfig({
	root: 'app',
	plugins: [sveltekit(config)],
	server: {
		// crdt-model/ and storage/ lie beside Vite's root.
		fs: { allow: ['..'] },
		proxy: {
			'/api': relay,
			'/files': relay,
			'/healthz': relay,
			'/sync': { target: relay, ws: true },
			'/live': { target: relay, ws: true }
		}
	}
});
