import { expect, test } from 'vitest';
import { person } from '#crdt-model/testing/world.ts';
import type { PortalId } from '#crdt-model/ids.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { STANDING_CLOCK } from './clock.ts';
import { Lanes, type Lane } from './lanes.ts';
import { CALLS_BURST, CALLS_PER_SECOND, CPU_BURST_MS, CPU_MS_PER_SECOND, ENTRIES_UNDER_WAY, FRAMES_BURST, FRAMES_PER_SECOND, OPENINGS_BURST, TURN_MS } from './limits.ts';

const PORTAL = 'portal_00000000-0000-7000-8000-000000000001' as PortalId;
const OTHER = 'portal_00000000-0000-7000-8000-000000000002' as PortalId;

function relay() {
	const clock = new FakeClock();
	const faults: unknown[] = [];
	const lanes = new Lanes(clock, (fault) => void faults.push(fault));
	const done: string[] = [];
	/** Pieces that take so long each. */
	const flood = (lane: Lane, name: string, pieces: number, ms: number) => {
		let left = pieces;
		lane.post(() => {
			clock.spend(ms);
			done.push(name);
			return --left > 0;
		});
	};
	return { clock, lanes, faults, done, flood, of: (n: number) => lanes.of(PORTAL, person(n)) };
}

test('[B1] who has spent their budget rests until it has grown, their work in order; others go on meanwhile', async () => {
	const { clock, of, done, flood } = relay();
	const [mallory, ana] = [of(1), of(2)];
	flood(mallory, 'm', 1_000, 100);
	clock.turns();
	const spent = done.length;
	// The budget grows while it is spent: of each second at work three quarters come off the burst.
	const untilSpent = CPU_BURST_MS / (1 - CPU_MS_PER_SECOND / 1_000);
	expect([spent * 100 >= untilSpent - 100, spent * 100 <= untilSpent + 100]).toEqual([true, true]);
	expect([mallory.isSpent, ana.isSpent]).toEqual([true, false]);
	const later = [1, 2, 3].map((n) => mallory.run(() => void done.push(`later ${n}`)));
	let answered = false;
	void ana.run(() => void (answered = true));
	expect(answered, 'nobody stands before Ana').toBe(true);
	clock.pass(10_000);
	while (done.length < 1_003) {
		clock.turns();
		clock.pass(1_000);
	}
	await Promise.all(later);
	expect(done.filter((name) => name !== 'm')).toEqual(['later 1', 'later 2', 'later 3']);
	// A thousand pieces of 100 ms: the burst at once, the rest at the rate.
	expect(clock.now() / 1_000).toBeGreaterThan((1_000 * 100 - CPU_BURST_MS) / CPU_MS_PER_SECOND);
});

test('[B1] what is done for somebody together with others, and what cannot wait, is charged as well', () => {
	const { clock, of } = relay();
	const lane = of(1);
	lane.charge(CPU_BURST_MS - 50);
	expect(lane.isSpent).toBe(false);
	expect(lane.measure(() => (clock.spend(100), 'made'))).toBe('made');
	expect([lane.isSpent, lane.tryRun(() => {})]).toEqual([true, false]);
	clock.pass(1_000);
	expect(lane.isSpent).toBe(false);
	expect(lane.restMs).toBe(0);
});

test('[B1] a person is one person over all connections, and another in another portal', () => {
	const { lanes, of } = relay();
	of(1).charge(CPU_BURST_MS);
	expect([of(1).isSpent, of(2).isSpent, lanes.of(OTHER, person(1)).isSpent]).toEqual([true, false, false]);
});

test('[B2] a turn ends after its time, every lane that waits gets a piece before any gets its second, other work comes in between', () => {
	const { clock, of, done, flood } = relay();
	flood(of(1), 'a', 100, 1);
	flood(of(1), 'A', 100, 1);
	flood(of(2), 'b', 3, 1);
	flood(of(3), 'c', 3, 1);
	clock.turn();
	expect(done.length, 'one turn').toBe(TURN_MS);
	expect(done).toEqual(['a', 'b', 'c', 'A', 'b']);
	clock.turn();
	expect(done.slice(TURN_MS)).toEqual(['c', 'a', 'b', 'c', 'A']);
	clock.turns();
	expect(done.length).toBe(206);
});

test('[B2] a long piece is not interrupted; nothing more begins in its turn', () => {
	const { clock, of, done, flood } = relay();
	flood(of(1), 'long', 2, 45);
	flood(of(2), 'short', 1, 1);
	clock.turn();
	expect(done).toEqual(['long']);
	clock.turn();
	expect(done).toEqual(['long', 'short', 'long']);
});

test('[B2] at once where there is room and nobody waits; a piece within a piece is charged once; a fault is the caller\'s or is told', async () => {
	const { clock, of, faults } = relay();
	const lane = of(1);
	let inner = 0;
	expect(lane.tryRun(() => lane.measure(() => (clock.spend(2), (inner = 2))))).toBe(true);
	expect(inner).toBe(2);
	lane.charge(CPU_BURST_MS - 3);
	expect(lane.isSpent, '2 and not 4 were charged').toBe(false);
	await expect(lane.run(() => { throw new Error('mine'); })).rejects.toThrow('mine');
	expect(() => lane.tryRun(() => { throw new Error('at once'); })).toThrow('at once');
	lane.post(() => { throw new Error('nobody listens'); });
	clock.turns();
	expect(faults.map(String)).toEqual(['Error: nobody listens']);
});

test('[B2] where time stands nobody ever waits', async () => {
	const lane = new Lanes(STANDING_CLOCK).of(PORTAL, person(1));
	let runs = 0;
	for (let i = 0; i < 100_000; i++) lane.tryRun(() => runs++);
	expect(runs).toBe(100_000);
	await lane.ready();
});

test('[B2] so many entries of one person are on their way to disk; the next wait until those are there, and others do not', async () => {
	const { clock, of } = relay();
	const durable = Promise.withResolvers<void>();
	const lane = of(1);
	lane.untilOnDisk(durable.promise, ENTRIES_UNDER_WAY - 1);
	expect(lane.tryRun(() => {})).toBe(true);
	lane.untilOnDisk(Promise.reject(new Error('a failed commit')), 1);
	const done: string[] = [];
	void lane.run(() => done.push('next'));
	void of(2).run(() => done.push('other'));
	expect(done).toEqual(['other']);
	await Promise.resolve();
	clock.turns();
	expect(done, 'what failed is on its way no more').toEqual(['other', 'next']);
	lane.untilOnDisk(durable.promise, 1);
	void lane.run(() => done.push('last'));
	clock.turns();
	expect(done.length).toBe(2);
	durable.resolve();
	await Promise.resolve();
	clock.turns();
	expect(done.length).toBe(3);
});

test('[B2] one reading of the store at a time for one person; a failed one is the caller\'s and holds nobody up', async () => {
	const { of } = relay();
	const steps: string[] = [];
	const first = Promise.withResolvers<string>();
	const reads = [
		of(1).read(() => (steps.push('first'), first.promise)),
		of(1).read(async () => { steps.push('second'); throw new Error('the disk'); }),
		of(1).read(async () => void steps.push('third')),
		of(2).read(async () => void steps.push('other'))
	];
	await reads[3];
	expect(steps.sort()).toEqual(['first', 'other']);
	first.resolve('found');
	expect(await reads[0]).toBe('found');
	await expect(reads[1]).rejects.toThrow('the disk');
	await reads[2];
	expect(steps).toContain('third');
});

test('[B3] frames and bytes a second are the person\'s', () => {
	const { clock, of } = relay();
	for (let i = 0; i < FRAMES_BURST; i++) expect(of(1).takeFrame(1)).toBe(true);
	expect([of(1).takeFrame(1), of(2).takeFrame(1)]).toEqual([false, true]);
	clock.pass(1_000);
	for (let i = 0; i < FRAMES_PER_SECOND - 1; i++) expect(of(1).takeFrame(1)).toBe(true);
});

test('[B4] openings a person may make, over all sign-ins', () => {
	const { clock, of } = relay();
	for (let i = 0; i < OPENINGS_BURST; i++) expect(of(1).takeOpening()).toBe(true);
	expect([of(1).takeOpening(), of(2).takeOpening()]).toEqual([false, true]);
	clock.pass(50);
	expect([of(1).takeOpening(), of(1).takeOpening()]).toEqual([true, false]);
});

test('[B6] calls: a burst, then the rate, and none while the budget is spent; a refused call costs nothing', () => {
	const { clock, of } = relay();
	const lane = of(1);
	for (let i = 0; i < CALLS_BURST; i++) expect(lane.takeCall()).toBe(0);
	for (let i = 0; i < 100; i++) expect(lane.takeCall()).toBe(1);
	clock.pass(1_000);
	for (let i = 0; i < CALLS_PER_SECOND; i++) expect(lane.takeCall()).toBe(0);
	expect([lane.takeCall(), of(2).takeCall()]).toEqual([1, 0]);
	of(2).charge(CPU_BURST_MS + CPU_MS_PER_SECOND * 3);
	expect(of(2).takeCall()).toBe(4);
});

test('[B1] a lane of which nothing would be missed is forgotten, and no other', () => {
	const { clock, lanes, of, flood } = relay();
	flood(of(1), 'x', 1, 1);
	of(2).connections++;
	of(3).charge(1);
	of(4);
	lanes.sweep();
	expect(lanes.size).toBe(3);
	clock.turns();
	clock.pass(60_000);
	lanes.sweep();
	expect(lanes.size, 'the one with a connection').toBe(1);
});
