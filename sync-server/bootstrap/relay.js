// Runs a TypeScript program of the server as if it were this process: same terminal, same signals, same exit code.
//
// A signal reaches the program once. It has a process group of its own, because a terminal's Ctrl-C goes to the whole
// group and npm passes the same signal on: the relay would take the second one for impatience and leave before it has
// drained. For the other way round it holds a channel to us; when we are gone without a word, the channel closes and
// leave-with-parent.js ends the program. We in turn leave when npm is killed.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { requireNode } from './node.js';
import { environment, root } from './project.js';

const echoMs = 1000;
const parentCheckMs = 1000;

/**
 * @param {string} file from the root
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Promise<number>} its exit code; 128 + n after signal n, as shells count
 */
export function runAsSelf(file, args, env) {
	const node = requireNode();
	const guard = new URL('./leave-with-parent.js', import.meta.url).href;
	const child = spawn(node, ['--import', guard, file, ...args], {
		cwd: root,
		stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
		detached: process.platform !== 'win32',
		env: environment(node, env)
	});

	let lastSignalAt = -Infinity;
	for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
		process.on(signal, () => {
			// The same wish by two ways: from the terminal and from npm.
			if (performance.now() - lastSignalAt < echoMs) return;
			lastSignalAt = performance.now();
			child.kill(signal);
		});
	}

	// Only under npm: a script started in the background by hand may well outlive its shell.
	const parent = process.ppid;
	const watch = process.env.npm_lifecycle_event
		? setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), parentCheckMs)
		: undefined;

	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code, signal) => {
			clearInterval(watch);
			resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
		});
	});
}
