/**
 * The gate against the oracle: random companies, roles and records, and commands of people who may and who may not, by seed. Forbidden and
 * accepted is a failure, allowed and refused is one, and so is an answer that tells the unreadable from what is not there, or a refusal that
 * left a trace.
 *
 * 200,000 decisions by default; `npm run test:deep` goes on (ATRIUM_DEEP_MINUTES bounds it, ATRIUM_SEED begins elsewhere). A failure is shrunk and
 * written to regressions/, whose cases are replayed first.
 */
import { describe, expect, it } from 'vitest';
import { KINDS } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import { Run, newTally } from './run.ts';
import { keep, kept } from './regressions.ts';
import { ORACLE_RULES } from './oracle.ts';

const DECISIONS = 200_000;
/** Long enough that a company grows and changes hands, short enough that many different ones are met. */
const ACTS = 600;
const isDeep = process.env.ATRIUM_DEEP === '1';
const deepMs = Number(process.env.ATRIUM_DEEP_MINUTES ?? 20) * 60_000;
const FIRST_SEED = Number(process.env.ATRIUM_SEED ?? (isDeep ? Date.now() % 2 ** 31 : 1));

describe('the gate decides as the oracle', () => {
	const tally = newTally();

	it('in cases that once went wrong', { timeout: 600_000 }, async () => {
		for (const { seed, acts } of kept()) await new Run(seed, newTally()).replay(acts);
	});

	it(`in ${isDeep ? 'ever more' : DECISIONS.toLocaleString('en')} decisions`, { timeout: isDeep ? 2 ** 31 - 1 : 900_000 }, async () => {
		const end = Date.now() + deepMs;
		for (let seed = FIRST_SEED; isDeep ? Date.now() < end : tally.decisions < DECISIONS; seed++) {
			const run = new Run(seed, tally);
			try {
				await run.play(ACTS);
			} catch (fault) {
				throw new Error(await keep(seed, run.acts, fault), { cause: fault });
			}
		}
	});

	it('and met every command, every rule both ways, every refusal', () => {
		if (process.env.ATRIUM_FUZZ_STATS === '1') console.info(JSON.stringify(tally, null, '\t'));
		const commands = KINDS.flatMap((kind) => Object.keys(kindNamed(kind).commands).map((verb) => `${kind}.${verb}`));
		expect(commands.filter((name) => !tally.accepted[name] && !OUT_OF_REACH.has(name)), 'never accepted').toEqual([]);
		const { both, allowing, denying } = ORACLE_RULES;
		expect([...both, ...allowing].filter((rule) => !tally.allowedBy[rule]), 'never allowed by').toEqual([]);
		expect([...both, ...denying].filter((rule) => !tally.deniedBy[rule]), 'never denied by').toEqual([]);
		expect(CODES.filter((code) => !tally.codes[code]), 'never refused as').toEqual([]);
		expect(tally.twins).toBeGreaterThan(1_000);
		expect(tally.readings).toBeGreaterThan(10_000);
	});
});

/** What no person's command reaches: people come by invitations, and of looking on, of addresses and of a file's bytes the relay alone speaks. */
const OUT_OF_REACH = new Set(['settings.create', 'employee.create', 'employee.recordView', 'employee.setEmail', 'file.arrive']);
/** Refusals of the record gate; those of content are met in page.fuzz.test.ts. */
const CODES = ['malformed', 'unknown-command', 'bad-value', 'denied', 'service-off', 'stale', 'target-gone', 'not-found', 'exists', 'quota'];
