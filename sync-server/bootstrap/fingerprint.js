// One name for everything the app is built from. The build is stale when the name changed, and the service worker takes
// it as its version. Contents and not dates: a clone, a checkout and a copy of one commit have the same name. A thousand
// sources take well under 100 ms.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './project.js';

// Of storage, only what the app may import.
const folders = ['app', 'crdt-model', 'storage', 'project.inlang'];
const files = ['package.json', 'package-lock.json', 'svelte.config.js', 'vite.config.ts', 'tsconfig.json'];
const skippedFolders = new Set(['node_modules', 'app/lib/paraglide', 'storage/sqlite', 'storage/postgres', 'project.inlang/cache']);
const skippedFiles = /\.test\.ts$|\.md$|\.bench\.ts$|^\./;

/**
 * @param {string} folder path from the root, with forward slashes on every system
 * @returns {string[]}
 */
function sourcesIn(folder) {
	let entries;
	try {
		entries = readdirSync(join(root, folder), { withFileTypes: true });
	} catch (error) {
		if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return [];
		throw error;
	}
	return entries.flatMap((entry) => {
		const path = `${folder}/${entry.name}`;
		if (entry.isDirectory()) {
			return entry.name === 'node_modules' || skippedFolders.has(path) ? [] : sourcesIn(path);
		}
		return skippedFiles.test(entry.name) || !entry.isFile() ? [] : [path];
	});
}

/** @returns {string} 16 hexadecimal digits */
export function appFingerprint() {
	const hash = createHash('sha256');
	for (const path of [...folders.flatMap(sourcesIn), ...files].sort()) {
		// The length keeps the end of one file and the name of the next apart.
		const bytes = readFileSync(join(root, path));
		hash.update(`${path}\n${bytes.length}\n`).update(bytes);
	}
	return hash.digest('hex').slice(0, 16);
}
