// What every starting script shares: where the project lies, how a program is run, how a script gives up.
// Plain JavaScript that Node 20 understands: it runs before the project's own Node is there.

import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Whether the module was started, rather than imported; also through a symbolic link.
 * @param {string} moduleUrl
 */
export function isStarted(moduleUrl) {
	return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(moduleUrl);
}

/** A failure that is told in one line and needs no stack. */
export class Refusal extends Error {}

/**
 * Progress goes to stderr: stdout belongs to what was asked for (the relay's address, a command's JSON).
 * @param {string} line
 */
export function say(line) {
	process.stderr.write(`${line}\n`);
}

/**
 * Runs a script's body; a Refusal becomes one line and exit code 1, anything else is a bug and keeps its stack.
 * @param {() => Promise<number>} body
 */
export async function script(body) {
	try {
		process.exitCode = await body();
	} catch (error) {
		if (!(error instanceof Refusal)) throw error;
		say(`atrium: ${error.message}`);
		process.exitCode = 1;
	}
}

/**
 * Runs a program to its end and answers with its exit code; a signal counts as failure. With `quiet`, what it prints on
 * stdout moves to stderr.
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, quiet?: boolean, shell?: boolean }} [options]
 * @returns {Promise<number>}
 */
export function run(program, args, options = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, {
			cwd: root,
			// No stdin: nothing here asks questions, and a waiting package manager would hang a machine without a terminal.
			stdio: ['ignore', options.quiet ? 2 : 'inherit', 'inherit'],
			shell: options.shell ?? false,
			env: environment(program, options.env)
		});
		child.once('error', reject);
		child.once('exit', (code) => resolve(code ?? 1));
	});
}

/**
 * The environment for a child. The folder of the Node that runs it comes first, so that whatever the child starts as
 * `node` is that Node and not the system's older one.
 * @param {string} program
 * @param {Record<string, string>} [extra]
 * @returns {NodeJS.ProcessEnv}
 */
export function environment(program, extra = {}) {
	const path = process.env.PATH ?? '';
	const folder = dirname(program);
	return { ...process.env, PATH: folder === '.' ? path : `${folder}${delimiter}${path}`, ...extra };
}
