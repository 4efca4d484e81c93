/** How long property tests look: little by default, so that `npm test` stays quick; `ATRIUM_DEEP=1` looks longer and elsewhere. */
const deep = process.env.ATRIUM_DEEP === '1';

/**
 * @param runs cases of an ordinary run
 * @returns fast-check's parameters; it prints seed and path of a failure, which go here or into a named test
 */
export function budget(runs: number): { numRuns: number; seed: number } {
	const seed = Number(process.env.ATRIUM_SEED ?? (deep ? Date.now() % 2 ** 31 : 20261123));
	return { numRuns: deep ? runs * 50 : runs, seed };
}
