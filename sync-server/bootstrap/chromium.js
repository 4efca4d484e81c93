// Finds the browser for the tests that need one; installs it where that takes no question (root on Debian or Ubuntu).

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Refusal, run, say } from './project.js';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const usualPlaces = ['/usr/bin', '/usr/local/bin', '/snap/bin'];
const elsewhere = [
	'/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
	'/Applications/Chromium.app/Contents/MacOS/Chromium',
	'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'
];

/** @param {string} file */
function isExecutable(file) {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/**
 * @param {string[]} [commands]
 * @returns {string | undefined}
 */
function find(commands = names) {
	const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...usualPlaces];
	const candidates = commands.flatMap((name) => folders.map((folder) => join(folder, name)));
	return [...candidates, ...(commands === names ? elsewhere : [])].find(isExecutable);
}

/** @returns {Promise<string>} the browser's path */
export async function ensureChromium() {
	const chosen = process.env.CHROMIUM_PATH;
	if (chosen) {
		if (isExecutable(chosen)) return chosen;
		throw new Refusal(`CHROMIUM_PATH is ${chosen}, which is no program.`);
	}
	const found = find();
	if (found) return found;
	if (process.getuid?.() === 0 && find(['apt-get'])) {
		say('atrium: installing Chromium for the browser tests');
		const env = { DEBIAN_FRONTEND: 'noninteractive' };
		// A stale mirror in the list fails the update though the package may still be had: the install decides.
		await run('apt-get', ['update', '-qq'], { env, quiet: true });
		await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { env, quiet: true });
		const installed = find();
		if (installed) return installed;
	}
	throw new Refusal('the browser tests need Chromium or Chrome: install it, or name it in CHROMIUM_PATH.');
}
