// Installs the packages when they are not those of package-lock.json.
// npm keeps a copy of what it installed in node_modules/.package-lock.json, written last; comparing the two files needs
// no stamp of our own, accepts an `npm ci` made by hand, and sees an interrupted one.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNode } from './node.js';
import { Refusal, root, run, say } from './project.js';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage */

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined} nothing where the file is missing or broken
 */
function packagesOf(file) {
	try {
		return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
	} catch {
		// Missing or half-written both mean: not installed. A broken package-lock.json is npm's to explain.
		return undefined;
	}
}

/** @returns {boolean} */
export function isInstalled() {
	const wanted = packagesOf('package-lock.json');
	const found = packagesOf('node_modules/.package-lock.json');
	if (!wanted || !found) return false;
	return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
		if (path === '') return true;
		const installed = found[path];
		// npm leaves out optional packages made for other machines.
		if (!installed) return optional === true;
		return installed.version === version && installed.integrity === integrity;
	});
}

export async function ensureInstalled() {
	// On Linux x64 the project's Node is one of the packages: without it and with an older Node, installing may mend it.
	const nodeMissing = process.platform === 'linux' && process.arch === 'x64' && !findNode();
	if (isInstalled() && !nodeMissing) return;
	say('atrium: installing packages (once, and after package-lock.json changed)');
	if ((await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'])) !== 0) {
		throw new Refusal('the packages could not be installed: `npm ci` failed (its reason stands above).');
	}
}

/**
 * The npm that started us, by the Node that ran it; else the one in PATH. The script itself may be running on a Node
 * inside node_modules, which `npm ci` is about to remove.
 * @param {string[]} args
 */
async function npm(args) {
	const { npm_execpath: cli, npm_node_execpath: node } = process.env;
	if (cli?.endsWith('npm-cli.js') && node) return run(node, [cli, ...args], { quiet: true });
	try {
		return await run('npm', args, { quiet: true, shell: process.platform === 'win32' });
	} catch {
		throw new Refusal('npm was not found; it comes with Node.');
	}
}
