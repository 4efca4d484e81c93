/**
 * `npm run portal -- <command>`: the operator's command line. Arguments in, text or JSON out, exit code: 0 done, 1 could not be done or
 * a difference was found, 2 not understood. Whatever goes wrong is one line on stderr; only a bug keeps its stack.
 */
import { join } from 'node:path';
import { ConfigProblem, readConfig } from './config.ts';
import { HELP, readArguments, UsageProblem, type Asked } from './operator/arguments.ts';
import { backupText, demoText, oneLine, restoreText, secondFactorText, tariffText, verifiedText } from './operator/print.ts';
import { Problem } from './operator/problem.ts';

const OWN_FILES = join(import.meta.dirname, '..', 'test', 'data', 'crm');

async function run(asked: Exclude<Asked, { command: 'help' }>): Promise<number> {
	const config = readConfig(process.env);
	// Loaded when asked for: help should not wait for Yjs.
	if (asked.command === 'demo') {
		const { runDemo } = await import('./operator/run-demo.ts');
		const { json, folder, dates, password, company } = asked;
		const result = await runDemo(config, { folder: folder ?? OWN_FILES, dates, ...(password !== undefined && { password }), ...(company !== undefined && { company }) });
		console.log(json ? JSON.stringify(result) : demoText(result));
		return 0;
	}
	if (asked.command === 'tariff') {
		const { runTariff } = await import('./operator/run-tariff.ts');
		const { command: _command, json, ...change } = asked;
		const shown = await runTariff(config, JSON.parse(JSON.stringify(change)) as Parameters<typeof runTariff>[1]);
		console.log(json ? JSON.stringify(shown) : shown.map(tariffText).join('\n\n'));
		return 0;
	}
	if (asked.command === 'second-factor') {
		const { runSecondFactor } = await import('./operator/run-second-factor.ts');
		const result = await runSecondFactor(config, { reset: asked.reset });
		console.log(asked.json ? JSON.stringify(result) : secondFactorText(result));
		return 0;
	}
	if (asked.command === 'backup') {
		const { backup } = await import('./operator/backup.ts');
		const result = await backup(config, asked.to, Date.now);
		console.log(asked.json ? JSON.stringify(result) : backupText(result, asked.to));
		return result.damaged.length === 0 ? 0 : 1;
	}
	if (asked.command === 'restore') {
		const { restore } = await import('./operator/restore.ts');
		const { command: _command, json, ...options } = asked;
		const result = await restore(config, options, Date.now);
		console.log(json ? JSON.stringify(result) : restoreText(result, config.dataDir));
		return 0;
	}
	const { runVerify } = await import('./operator/run-verify.ts');
	const result = runVerify(config, (verified) => {
		if (!asked.json) console.log(verifiedText(verified));
	});
	if (asked.json) console.log(JSON.stringify(result));
	else if (result.portals.length === 0) console.log(`There is no portal in ${config.storageDir} yet.`);
	return result.ok ? 0 : 1;
}

async function main(args: readonly string[]): Promise<number> {
	try {
		// npm says where it was called; the program itself runs in the project's folder.
		const asked = readArguments(args, process.env.INIT_CWD ?? process.cwd());
		if (asked.command !== 'help') return await run(asked);
		console.log(HELP);
		return 0;
	} catch (error) {
		if (error instanceof UsageProblem) {
			console.error(`atrium: ${oneLine(error.message)}\n\n${HELP}`);
			return 2;
		}
		const { message } = error as Error;
		const isKnown = error instanceof ConfigProblem || error instanceof Problem;
		// Plain errors are sentences of our own stores; a TypeError and its like is a bug.
		if (!isKnown && (!(error instanceof Error) || error.constructor !== Error)) throw error;
		console.error(`atrium: ${oneLine(message)}`);
		return 1;
	}
}

process.exitCode = await main(process.argv.slice(2));
