/** How benches say what they found. */

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** @param share 0.5 for the median, 0.95 for what one in twenty exceeds */
export function quantile(values: readonly number[], share: number): number {
	const sorted = Float64Array.from(values).sort();
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function table(title: string, rows: readonly (readonly [what: string, value: string])[]): void {
	const width = Math.max(...rows.map(([what]) => what.length));
	console.log(`\n${title}`);
	for (const [what, value] of rows) console.log(`  ${what.padEnd(width)}  ${value}`);
}
