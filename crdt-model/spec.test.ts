import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const spec = readFileSync(join(root, 'crdt-model/SPEC.md'), 'utf8');
const rules = [...spec.matchAll(/^- \*\*([A-Z]\d+)\*\*/gm)].map((match) => match[1]!);

/** The page module specifies itself. */
const isOurs = (file: string) => file.endsWith('.ts') && !file.startsWith('crdt-model/page/');

function filesIn(folder: string): string[] {
	return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name.replaceAll('\\', '/')}`).filter(isOurs);
}
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const model = filesIn('crdt-model');
const tests = [...model, ...filesIn('test/compat')].filter((file) => file.endsWith('.test.ts'));

/** The first argument of `test(…)`, `test.each(…)(…)`, `test.skipIf(…)(…)`: wherever a line begins a test, the next string that opens a title. */
function titlesOf(source: string): string[] {
	return [...source.matchAll(/^[\t ]*(?:\] as const\)|\]\)|test(?:\.each\(.*\))?)\((['"`])((?:\\.|(?!\1).)*)\1/gm)].map((match) => match[2]!);
}
const cited = (title: string) => [...(title.match(/^(?:\[[A-Z]\d+\])+/)?.[0] ?? '').matchAll(/[A-Z]\d+/g)].map(([rule]) => rule);

test('[S1] every rule is numbered once and proved by a test, every test cites a rule', () => {
	expect(new Set(rules).size, 'a rule stands twice').toBe(rules.length);
	const titles = tests.flatMap((file) => titlesOf(read(file)).map((title) => ({ file, title })));
	expect(titles.filter(({ title }) => cited(title).length === 0 || cited(title).some((rule) => !rules.includes(rule))), 'titles without a rule of SPEC.md').toEqual([]);
	const proved = new Set(titles.flatMap(({ title }) => cited(title)));
	expect(rules.filter((rule) => !proved.has(rule)), 'rules without a test').toEqual([]);
	for (const file of tests) {
		const begun = read(file).match(/^[\t ]*test(\.each)?\(/gm)?.length ?? 0;
		expect(titlesOf(read(file)).length, `titles found in ${file}`).toBe(begun);
	}
});

test('[S1] comments cite rules that are there', () => {
	const citations = model.flatMap((file) => [...read(file).matchAll(/SPEC ((?:[A-Z]\d+(?:–|, )?)+)/g)].flatMap((match) => match[1]!.match(/[A-Z]\d+/g)!.map((rule) => ({ file, rule }))));
	expect(citations.length).toBeGreaterThan(5);
	expect(citations.filter(({ rule }) => !rules.includes(rule))).toEqual([]);
});
