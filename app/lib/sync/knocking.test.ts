// When a device outside the company's networks asks again: soon while somebody looks, never while nobody does, at once when they come back.
import { expect, test } from 'vitest';
import { FIRST_KNOCK_MS, Knocking, LAST_KNOCK_MS } from './knocking.ts';
import { TestClock } from './testing.ts';

function door() {
	const clock = new TestClock();
	const began = clock.now;
	const here = { seen: true };
	const knocks: number[] = [];
	const knocking = new Knocking({ timers: clock.timers, fraction: () => 1, isSeen: () => here.seen, knock: () => knocks.push(clock.now - began) });
	return { clock, here, knocks, knocking };
}

test('a tab that is looked at asks after seconds, and at most once in LAST_KNOCK_MS in the long run', () => {
	const { clock, knocks, knocking } = door();
	clock.pass(60_000);
	expect(knocks, 'nobody is outside').toEqual([]);
	knocking.outside(true);
	clock.pass(FIRST_KNOCK_MS);
	expect(knocks).toHaveLength(1);
	for (let said = 0; said < 600; said++) {
		// Said with every change of the status; no reason to begin anew.
		knocking.outside(true);
		clock.pass(1_000);
	}
	const gaps = knocks.slice(1).map((at, i) => at - knocks[i]!);
	expect(Math.max(...gaps), 'it never stops').toBeLessThanOrEqual(LAST_KNOCK_MS);
	expect(gaps.at(-1)).toBe(LAST_KNOCK_MS);
	expect(Math.min(...gaps)).toBeGreaterThanOrEqual(FIRST_KNOCK_MS);
});

test('let in, it is quiet; shut out again, it begins with the short wait', () => {
	const { clock, knocks, knocking } = door();
	knocking.outside(true);
	clock.pass(300_000);
	knocking.outside(false);
	knocks.length = 0;
	clock.pass(300_000);
	knocking.lookedAt();
	expect(knocks).toEqual([]);
	knocking.outside(true);
	clock.pass(FIRST_KNOCK_MS);
	expect(knocks).toHaveLength(1);
});

test('a tab that nobody sees does not ask; whoever comes back to it does not wait', () => {
	const { clock, here, knocks, knocking } = door();
	knocking.outside(true);
	here.seen = false;
	clock.pass(600_000);
	expect(knocks).toEqual([]);
	here.seen = true;
	knocking.lookedAt();
	expect(knocks).toHaveLength(1);
	clock.pass(FIRST_KNOCK_MS);
	expect(knocks, 'and goes on').toHaveLength(2);
});
