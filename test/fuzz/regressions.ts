/** Cases that once went wrong: shrunk to the acts that matter, kept as files, replayed first. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Act } from './company.ts';
import { newTally, Run, said } from './run.ts';

const FOLDER = new URL('./regressions/', import.meta.url);
/** Attempts at leaving acts out; a fault that shows at once is shrunk well within. */
const MAX_ATTEMPTS = 300;

export interface Case {
	/** The company. */
	readonly seed: number;
	readonly what: string;
	readonly acts: readonly Act[];
}

export function kept(): Case[] {
	mkdirSync(FOLDER, { recursive: true });
	return readdirSync(FOLDER).filter((name) => name.startsWith('seed-')).map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Case);
}

/** @returns a sentence with the seed and the acts that are left */
export async function keep(seed: number, acts: readonly Act[], fault: unknown): Promise<string> {
	const shrunk = await shrink(seed, acts);
	const what = fault instanceof Error ? fault.message : String(fault);
	const file = new URL(`seed-${seed}.json`, FOLDER);
	mkdirSync(FOLDER, { recursive: true });
	writeFileSync(file, `${JSON.stringify({ seed, what, acts: shrunk } satisfies Case, plainly, '\t')}\n`);
	return `seed ${seed}: ${what}\n${shrunk.map(said).join('\n')}\nkept in ${file.pathname}`;
}

/** Leaves out halves, then quarters, then single acts, as long as something still goes wrong. */
async function shrink(seed: number, acts: readonly Act[]): Promise<readonly Act[]> {
	const fails = async (some: readonly Act[]) => new Run(seed, newTally()).replay(some).then(() => false, () => true);
	let left = [...acts];
	let attempts = 0;
	if (!(await fails(left))) return left;
	for (let size = Math.ceil(left.length / 2); size >= 1 && attempts < MAX_ATTEMPTS; size = size === 1 ? 0 : Math.ceil(size / 2)) {
		for (let at = left.length - size; at >= -size + 1 && attempts < MAX_ATTEMPTS; at -= size) {
			attempts++;
			const without = [...left.slice(0, Math.max(0, at)), ...left.slice(at + size)];
			if (without.length < left.length && (await fails(without))) left = without;
		}
	}
	return left;
}

/** What JSON does not know is not what a kept case is about. */
function plainly(_key: string, value: unknown): unknown {
	return typeof value === 'bigint' || (typeof value === 'string' && value.length > 2_000) ? String(value).slice(0, 2_000) : value;
}
