// `npm run bench`: each test/load/*.bench.ts in a process of its own, so that none measures the heap of another.
// `npm run bench -- <part of a name>` runs some.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from './build.js';
import { ensureInstalled } from './install.js';
import { requireNode } from './node.js';
import { root, run, say, script } from './project.js';

const folder = join(root, 'test', 'load');

function listBenches() {
	return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.bench.ts')).sort() : [];
}

await script(async () => {
	await ensureInstalled();
	const node = requireNode();
	await ensureBuilt();
	const wanted = process.argv.slice(2);
	const benches = listBenches().filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
	if (benches.length === 0) say('atrium: no bench found in test/load');
	let worst = 0;
	for (const name of benches) {
		say(`\n== ${name}`);
		worst = Math.max(worst, await run(node, [`test/load/${name}`]));
	}
	return worst;
});
