// `npm run dev`: the relay, restarted when its sources change, behind Vite's server with hot reload.

import { compileMessages } from './build.js';
import { ensureInstalled } from './install.js';
import { requireNode } from './node.js';
import { run, script } from './project.js';

await script(async () => {
	await ensureInstalled();
	const node = requireNode();
	await compileMessages();
	const port = process.env.RELAY_PORT ?? '8420';
	// Ctrl-C reaches both by the terminal; when either ends, so does the other.
	const code = await Promise.race([
		run(node, ['--watch', 'sync-server/main.ts'], { env: { PORT: port, PUBLIC_URL: process.env.PUBLIC_URL ?? 'http://localhost:5173' } }),
		run(node, ['node_modules/vite/bin/vite.js', '--config', 'vite.config.ts'])
	]);
	process.exit(code);
});
