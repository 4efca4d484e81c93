/**
 * The seeded simulation: real replicas and the real gate over a network that drops, delays and repeats, a relay that crashes and disks that
 * fail, in a company that is reorganised, whose people come and go, whose tariff shrinks, whose relay is
 * restored from an older backup, and where somebody has a program of their own. Every run is checked at rest; a failing seed is printed with its story and belongs into regressions.json, which is replayed first.
 *
 * `npm run test:deep` runs it without limit (ATRIUM_SEED begins elsewhere, ATRIUM_DEEP_MINUTES bounds it).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { step } from './act.ts';
import { switchAllOn } from './act-company.ts';
import { bringToRest, expectAtRest } from './check.ts';
import { newTally, World, type Tally } from './world.ts';

const RUNS = 300;
const STEPS = 90;
const FIRST_SEED = Number(process.env.ATRIUM_SEED ?? 1);
const isDeep = process.env.ATRIUM_DEEP === '1';
const deepMs = Number(process.env.ATRIUM_DEEP_MINUTES ?? Infinity) * 60_000;

async function simulate(seed: number, tally: Tally): Promise<void> {
	const world = new World(seed, tally);
	try {
		await world.open();
		await bringToRest(world);
		world.backUp();
		for (let i = 0; i < STEPS; i++) await step(world);
		await bringToRest(world);
		// What is switched off need not be the same everywhere; on again, it is.
		await switchAllOn(world);
		await bringToRest(world);
		await expectAtRest(world);
	} catch (fault) {
		throw new Error(`seed ${seed}:\n${world.story.slice(-60).join('\n')}`, { cause: fault });
	}
}

describe('simulation', () => {
	const tally = newTally();

	const regressions = JSON.parse(readFileSync(new URL('./regressions.json', import.meta.url), 'utf8')) as number[];
	it.runIf(regressions.length > 0)('[P2] [P3] [P4] [P5] [P6] [P7] [P8] [P9] hold for seeds that once failed', { timeout: 600_000 }, async () => {
		for (const seed of regressions) await simulate(seed, newTally());
	});

	it(`[P2] [P3] [P4] [P5] [P6] [P7] [P8] [P9] hold after each of ${isDeep ? 'ever more' : RUNS} runs`, { timeout: isDeep ? 2 ** 31 - 1 : 900_000 }, async () => {
		const end = Date.now() + deepMs;
		for (let run = 0; isDeep ? Date.now() < end : run < RUNS; run++) await simulate(FIRST_SEED + run, tally);
	});

	it('really met what it is for', () => {
		if (process.env.ATRIUM_FUZZ_STATS === '1') console.info(JSON.stringify(tally));
		for (const [what, times] of Object.entries(tally)) expect(times, what).toBeGreaterThan(RUNS / 20);
	});
});
