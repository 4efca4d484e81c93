/** How benches say what they found. */

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function table(title: string, rows: readonly (readonly [what: string, value: string])[]): void {
	const width = Math.max(...rows.map(([what]) => what.length));
	console.log(`\n${title}`);
	for (const [what, value] of rows) console.log(`  ${what.padEnd(width)}  ${value}`);
}
