// Builds the app into build/ when it is stale. The stamp is written last and the adapter empties the folder first, so an
// interrupted build counts as none.
// By hand: `npm run build` always builds; `npm run messages` only compiles the texts of both languages.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appFingerprint } from './fingerprint.js';
import { ensureInstalled } from './install.js';
import { requireNode } from './node.js';
import { isStarted, Refusal, root, run, say, script } from './project.js';

const stamp = join(root, 'build', '.fingerprint');
const messages = join(root, 'app', 'lib', 'paraglide', 'messages.js');

function isBuilt() {
	if (!existsSync(join(root, 'build', 'index.html')) || !existsSync(messages)) return false;
	try {
		return readFileSync(stamp, 'utf8') === appFingerprint();
	} catch (error) {
		if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return false;
		throw error;
	}
}

/** Not by Paraglide's Vite plugin: its timers keep the process alive for half a minute after a finished build. */
export async function compileMessages() {
	const done = await run(
		requireNode(),
		[
			'node_modules/@inlang/paraglide-js/bin/run.js',
			'compile',
			'--silent',
			...['--project', './project.inlang'],
			...['--outdir', './app/lib/paraglide'],
			...['--strategy', 'localStorage', 'preferredLanguage', 'baseLocale']
		],
		{ quiet: true }
	);
	if (done !== 0) throw new Refusal('the messages could not be compiled (the reason stands above).');
	keepPluralRules();
}

/**
 * Paraglide (2.22) makes new plural rules for each message with a number, which takes longer than drawing a row of a list. Where its text
 * is another one day, messages are as it makes them: slower, not wrong.
 */
function keepPluralRules() {
	const file = join(root, 'app', 'lib', 'paraglide', 'registry.js');
	if (!existsSync(file)) return;
	const made = 'return new Intl.PluralRules(locale, options).select(Number(input))';
	const kept =
		"const name = locale + (options?.type ?? '');\n\tlet rules = pluralRules.get(name);\n\tif (!rules) pluralRules.set(name, (rules = new Intl.PluralRules(locale, options)));\n\treturn rules.select(Number(input))";
	const text = readFileSync(file, 'utf8');
	if (text.includes(made)) writeFileSync(file, `/** @type {Map<string, Intl.PluralRules>} */\nconst pluralRules = new Map();\n${text.replace(made, kept)}`);
}

async function build() {
	await compileMessages();
	// Taken before: a source that changes while we build makes this build stale, not the next one fresh.
	const fingerprint = appFingerprint();
	const vite = ['node_modules/vite/bin/vite.js', 'build', '--config', 'vite.config.ts', '--logLevel', 'warn'];
	if ((await run(requireNode(), vite, { quiet: true })) !== 0) {
		throw new Refusal('the app could not be built (the reason stands above).');
	}
	writeFileSync(stamp, fingerprint);
}

export async function ensureBuilt() {
	if (isBuilt()) return;
	say('atrium: building the app (once, and after its sources changed)');
	await build();
}

if (isStarted(import.meta.url)) {
	await script(async () => {
		await ensureInstalled();
		await (process.argv.includes('--messages') ? compileMessages() : build());
		return 0;
	});
}
