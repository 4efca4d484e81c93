// Imports point one way (ARCHITECTURE.md): crdt-model ← storage ← sync-server; the app takes the model and its own store.

import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const parts = ['crdt-model', 'storage', 'sync-server', 'app'] as const;
type Part = (typeof parts)[number];

/** Other parts that a part may import, as paths from the root. Nothing else of them is reachable. */
const allowed: Record<Part, RegExp> = {
	'crdt-model': /^crdt-model\//,
	storage: /^(crdt-model|storage)\//,
	'sync-server': /^(crdt-model|storage|sync-server)\//,
	app: /^(crdt-model\/|app\/|storage\/dexie\/|storage\/replica-contract\.ts$)/
};
/** Parts that also run in a browser. */
const withoutNode: readonly Part[] = ['crdt-model', 'app'];
const socketFolder = 'sync-server/socket/';
/** The scripts that start the project, and the seed of a service worker's version, belong to no part. */
const outsideTheParts = /^sync-server\/bootstrap\//;

const sourceFile = /\.(ts|js|svelte)$/;
const testFile = /\.test\.ts$|-suite\.ts$|\/testing(\.ts$|\/)|\/test-[a-z]+\.ts$/;
const skippedFolders = new Set(['node_modules', 'paraglide', '.svelte-kit']);
const nodeModule = new RegExp(`^(node:.*|(${builtinModules.join('|')})(/.*)?)$`);

interface Import {
	readonly file: string;
	/** As written. */
	readonly specifier: string;
	/** From the root, where it is one of our own files. */
	readonly target: string | undefined;
}

function sourcesIn(folder: string): string[] {
	return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
		const path = `${folder}/${entry.name}`;
		if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : sourcesIn(path);
		return sourceFile.test(entry.name) ? [path] : [];
	});
}

/** Comments may quote imports; they are blanked before the search. */
const comments = /\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->|^[\t ]*\/\/.*$/gm;
const imports = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g;

function importsOf(file: string, source: string): Import[] {
	return [...source.replace(comments, '').matchAll(imports)].map((match) => {
		const specifier = match[2] ?? '';
		return { file, specifier, target: targetOf(file, specifier) };
	});
}

function targetOf(file: string, specifier: string): string | undefined {
	if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier);
	if (specifier.startsWith('#lib/')) return `app/lib/${specifier.slice('#lib/'.length)}`;
	if (specifier.startsWith('#')) return specifier.slice(1);
	return undefined;
}

function partOf(file: string): Part {
	const part = parts.find((candidate) => file.startsWith(`${candidate}/`));
	if (!part) throw new Error(`${file} belongs to no part`);
	return part;
}

function againstTheRules({ file, specifier, target }: Import): string | undefined {
	const part = partOf(file);
	const isTest = testFile.test(file);
	// Tests may reach for any part (a contract's suite, a store in memory), but not for another socket library.
	if (target !== undefined && !isTest && !allowed[part].test(target)) return `${part} may not import ${target}`;
	if (specifier === 'uWebSockets.js' && !file.startsWith(socketFolder)) return `only ${socketFolder} knows uWebSockets.js`;
	if (nodeModule.test(specifier) && !isTest && withoutNode.includes(part)) return `${part} runs in browsers, without ${specifier}`;
	return undefined;
}

function findings(all: readonly Import[]): string[] {
	return all.flatMap((one) => {
		const reason = againstTheRules(one);
		return reason ? [`${one.file}: ${reason}`] : [];
	});
}

const files = parts.flatMap((part) => sourcesIn(part)).filter((file) => !outsideTheParts.test(file));

test('imports point one way', () => {
	const all = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
	expect(all.length, 'the search found imports at all').toBeGreaterThan(10);
	expect(findings(all)).toEqual([]);
});

test.each([
	['crdt-model/ids.ts', "import { open } from '../storage/contract.ts';"],
	['crdt-model/kinds/task.ts', "export * from '#storage/contract.ts';"],
	['crdt-model/ids.ts', "import { randomUUID } from 'node:crypto';"],
	['crdt-model/ids.ts', "import { readFile } from 'fs/promises';"],
	['storage/memory/log.ts', "import type { Gate } from '#sync-server/gate/gate.ts';"],
	['app/lib/sync/outbox.ts', "import { gate } from '#sync-server/gate/gate.ts';"],
	['app/lib/sync/outbox.ts', "const store = await import('#storage/sqlite/store.ts');"],
	['app/routes/+page.svelte', '<script>\n\timport fs from "node:fs";\n</script>'],
	['sync-server/gate/gate.ts', "import uws from 'uWebSockets.js';"]
])('a planted wrong import in %s is found: %s', (file, source) => {
	expect(findings(importsOf(file, source))).toHaveLength(1);
});

test.each([
	['crdt-model/kinds/task.ts', "import { taskId } from '../ids.ts';"],
	['storage/sqlite/store.ts', "import { DatabaseSync } from 'node:sqlite';\nimport type { Store } from '../contract.ts';"],
	['app/lib/sync/outbox.ts', "import { store } from '#storage/dexie/store.ts';\nimport { m } from '#lib/paraglide/messages.js';"],
	['app/lib/sync/outbox.ts', "// import { gate } from '#sync-server/gate/gate.ts';"],
	['sync-server/socket/uws.ts', "import type * as Uws from 'uWebSockets.js';"],
	['crdt-model/ids.test.ts', "import { readFileSync } from 'node:fs';"]
])('a right import in %s is not: %s', (file, source) => {
	expect(findings(importsOf(file, source))).toEqual([]);
});
