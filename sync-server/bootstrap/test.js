// `npm test`: everything that proves the project, from a fresh clone to one last line `N passed, N failed`.
// The type check counts as one test, and so does a test file that could not be loaded: nothing that went wrong may hide
// behind a count of what went well. `--deep` runs the searching suites alone, with their larger budgets.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ensureBuilt } from './build.js';
import { typesHold } from './check.js';
import { ensureChromium } from './chromium.js';
import { ensureInstalled } from './install.js';
import { requireNode } from './node.js';
import { root, run, say, script } from './project.js';

const deep = process.argv.includes('--deep');
const filters = deep ? ['.sim.test.ts', '.fuzz.test.ts'] : process.argv.slice(2);

/**
 * @typedef {{ name: string, status: string, message?: string, assertionResults: { status: string }[] }} FileResult
 * @typedef {{ passed: number, failed: number }} Count
 */

/**
 * @param {string} report written by Vitest; missing where it did not get that far
 * @param {number} exitCode
 * @returns {Count}
 */
function countTests(report, exitCode) {
	/** @type {FileResult[]} */
	const files = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [];
	let passed = 0;
	let failed = 0;
	for (const file of files) {
		const failedHere = file.assertionResults.filter((test) => test.status === 'failed').length;
		passed += file.assertionResults.filter((test) => test.status === 'passed').length;
		failed += failedHere;
		// A file that cannot be imported, or whose preparation failed, has no failed test to show for it.
		if (file.status === 'failed' && failedHere === 0) {
			say(`atrium: failed outside its tests: ${relative(root, file.name)}`);
			failed += 1;
		}
	}
	if (exitCode !== 0 && failed === 0) {
		say('atrium: the test run failed outside any test (the reason stands above).');
		failed = 1;
	}
	return { passed, failed };
}

/** @returns {Promise<Count>} */
async function runTests() {
	const folder = mkdtempSync(join(tmpdir(), 'atrium-test-'));
	try {
		const report = join(folder, 'report.json');
		const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--root', '.', ...filters];
		const exitCode = await run(
			requireNode(),
			[...vitest, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
			{ env: { CHROMIUM_PATH: await ensureChromium(), ...(deep && { ATRIUM_DEEP: '1' }) } }
		);
		return countTests(report, exitCode);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

await script(async () => {
	await ensureInstalled();
	requireNode();
	await ensureChromium();
	await ensureBuilt();
	const typed = deep || (await typesHold());
	const { passed, failed } = await runTests();
	const types = deep ? 0 : 1;
	const allFailed = failed + (typed ? 0 : types);
	console.log(`${passed + (typed ? types : 0)} passed, ${allFailed} failed`);
	return allFailed === 0 ? 0 : 1;
});
