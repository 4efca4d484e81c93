import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const section = /## Ceilings([^]*?)\n## /.exec(read('docs/operations.md'))![1]!;
const rows = [...section.matchAll(/^\| (.+?) \| `(\S+)` `(\S+)` \| (.+?) \|$/gm)].map(([, what, file, name, value]) => ({ what: what!, file: file!, name: name!, value: value! }));

/** Files of which every constant is a ceiling. */
const CEILINGS = ['budget/limits.ts', 'crdt-model/wire/limits.ts', 'accounts/letter-limits.ts'];
/** A rhythm, no ceiling. */
const NOT_CEILINGS = ['HEARTBEAT_MS', 'HOUR_MS', 'DAY_MS'];

const pathOf = (file: string) => (file.startsWith('crdt-model/') ? file : `sync-server/${file}`);

/** The number that the source gives to `NAME` or to `NAME.property`. */
function inTheCode(file: string, name: string): number {
	const source = read(pathOf(file));
	const [constant, property] = name.split('.');
	const start = source.search(new RegExp(`^(export )?const ${constant}\\b`, 'm'));
	if (start < 0) return Number.NaN;
	const written = property ? new RegExp(`\\b${property}: ([^,]+),`) : /= ([^;]+);/;
	return product(written.exec(source.slice(start))?.[1] ?? '');
}
/** `64 * 1024`, `1 << 20`, `'16384'`. */
function product(written: string): number {
	const plain = written.replace(/['_]/g, '');
	const shifted = /^(\d+) << (\d+)$/.exec(plain);
	if (shifted) return Number(shifted[1]) * 2 ** Number(shifted[2]);
	return plain.split(' * ').reduce((all, factor) => all * Number(factor), 1);
}
/** `256 KiB`, `10 s`, `50,000`. */
function inTheTable(value: string): number {
	const [, number, unit] = /^([\d.,]+)(?: (KiB|MiB|s|ms|bytes))?$/.exec(value) ?? [];
	return Number(number?.replace(/,/g, '')) * ({ KiB: 1024, MiB: 1024 * 1024, s: 1_000 }[unit ?? ''] ?? 1);
}

test('[B8] the table of ceilings is what the code says', () => {
	expect(rows.length).toBeGreaterThan(50);
	expect(rows.map(({ file, name, value }) => [file, name, inTheTable(value)])).toEqual(rows.map(({ file, name }) => [file, name, inTheCode(file, name)]));
});

test('[B8] every ceiling of the files that hold nothing else is in the table, with a reason beside it', () => {
	for (const file of CEILINGS) {
		const constants = [...read(pathOf(file)).matchAll(/(\*\/|\/\/.*)?\n?export const ([A-Z_]+) =/g)];
		const listed = rows.filter((row) => row.file === file).map(({ name }) => name);
		expect(constants.map(([, , name]) => name!).filter((name) => !NOT_CEILINGS.includes(name)).sort(), file).toEqual(listed.sort());
		expect(constants.filter(([, reason]) => reason === undefined).map(([, , name]) => name), 'without a reason').toEqual([]);
	}
});
