import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const rules = [...read('sync-server/SPEC.md').matchAll(/^- \*\*([A-Z]\d+)\*\*/gm)].map((match) => match[1]!);
const FOLDERS = ['sync-server/log', 'sync-server/room', 'sync-server/gate', 'sync-server/quota', 'sync-server/session', 'sync-server/presence', 'sync-server/budget'];

const files = FOLDERS.flatMap((folder) => readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`));
const tests = [...files.filter((file) => file.endsWith('.test.ts')), 'sync-server/spec.test.ts', 'sync-server/socket/connection-budget.test.ts', 'sync-server/rest/joining.test.ts', 'sync-server/rest/joining-hostile.test.ts', 'sync-server/rest/askers.test.ts', 'test/hostile/soak.test.ts'];

/** The first string after `test(`, or after the table of a `test.each`. */
const titlesOf = (source: string) => [...source.matchAll(/^(?:\]|\] as const)?\)?(?:test)?\((['"`])((?:\\.|(?!\1).)*)\1/gm)].map((match) => match[2]!);
const cited = (title: string) => [...(title.match(/^(?:\[[A-Z]\d+\])+/)?.[0] ?? '').matchAll(/[A-Z]\d+/g)].map(([rule]) => rule);

test('[S1] every rule is numbered once and proved by a test, every test names a rule', () => {
	expect(new Set(rules).size, 'a rule stands twice').toBe(rules.length);
	const titles = tests.flatMap((file) => titlesOf(read(file)).map((title) => ({ file, title })));
	expect(titles.filter(({ title }) => cited(title).length === 0 || cited(title).some((rule) => !rules.includes(rule))), 'titles without a rule of SPEC.md').toEqual([]);
	const proved = new Set(titles.flatMap(({ title }) => cited(title)));
	expect(rules.filter((rule) => !proved.has(rule)), 'rules without a test').toEqual([]);
	for (const file of tests) expect(titlesOf(read(file)).length, `titles found in ${file}`).toBe(read(file).match(/^test[.(]/gm)!.length);
});

test('[S1] comments cite rules that are here', () => {
	const sources = files.filter((file) => !file.endsWith('.test.ts'));
	const citations = sources.flatMap((file) => [...read(file).matchAll(/SPEC ((?:[A-Z]\d+(?:–|, )?)+)/g)].flatMap((match) => match[1]!.match(/[A-Z]\d+/g)!.map((rule) => ({ file, rule }))));
	expect(citations.length).toBeGreaterThan(8);
	expect(citations.filter(({ rule }) => !rules.includes(rule))).toEqual([]);
});
