// `npm run check`: the types of everything, as one question with one answer.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compileMessages } from './build.js';
import { ensureInstalled } from './install.js';
import { requireNode } from './node.js';
import { isStarted, Refusal, root, run, script } from './project.js';

/** @returns {Promise<boolean>} */
export async function typesHold() {
	const node = requireNode();
	if ((await run(node, ['node_modules/@sveltejs/kit/svelte-kit.js', 'sync'], { quiet: true })) !== 0) {
		throw new Refusal('`svelte-kit sync` failed (the reason stands above).');
	}
	const svelteCheck = ['node_modules/svelte-check/bin/svelte-check', '--tsconfig', './tsconfig.json', '--fail-on-warnings'];
	if ((await run(node, svelteCheck)) !== 0) return false;
	// The service worker's globals are other ones, and it has no component.
	if (!existsSync(join(root, 'app', 'service-worker', 'index.ts'))) return true;
	return (await run(node, ['node_modules/typescript/bin/tsc', '--project', './app/service-worker/tsconfig.json'])) === 0;
}

if (isStarted(import.meta.url)) {
	await script(async () => {
		await ensureInstalled();
		await compileMessages();
		return (await typesHold()) ? 0 : 1;
	});
}
