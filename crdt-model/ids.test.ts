import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
	IdMaker, KINDS, RELAY, isBatchId, isCommandId, isDocumentId, isIdOf, isItemId, isPortalId, kindOf, pageOf
} from './ids.ts';
import { budget } from './testing/budget.ts';
import { documentId, idMaker, seededBytes } from './testing/world.ts';

test('[I1] an id carries what it names, and is recognised as that alone', () => {
	const ids = idMaker(1);
	for (const kind of KINDS) {
		const id = ids.document(kind);
		expect(kindOf(id)).toBe(kind);
		expect(KINDS.filter((other) => isIdOf(other, id))).toEqual([kind]);
	}
	const made = [ids.portal(), ids.command(), ids.batch(), ids.item()];
	const checks = [isPortalId, isCommandId, isBatchId, isItemId];
	for (const [i, id] of made.entries()) {
		expect(checks.map((check) => check(id))).toEqual(checks.map((_, j) => i === j));
		expect(isDocumentId(id)).toBe(false);
	}
});

test('[I1] nothing else is an id, whatever it is', () => {
	const task = documentId('task', 1);
	const near = [task.toUpperCase(), ` ${task}`, `${task}\n`, `${task}/x`, task.replace('-7000-', '-4000-'), task.replace('task', 'constructor'), task.replace('_', ''), '__proto__', ''];
	for (const value of near) expect(kindOf(value), JSON.stringify(value)).toBeNull();
	fc.assert(fc.property(fc.anything(), (value) => kindOf(value) === null && !isCommandId(value) && !isItemId(value)), budget(300));
});

test('[I2] ids sort by the time of their making, and the same clock and randomness make the same ids', () => {
	fc.assert(
		fc.property(fc.nat(2 ** 45), fc.integer({ min: 1, max: 2 ** 30 }), fc.nat(), (time, later, seed) => {
			const at = (now: number) => new IdMaker(() => now, seededBytes(seed)).uuid();
			expect(at(time) < at(time + later)).toBe(true);
			expect(at(time)).toBe(at(time));
			expect(Number.parseInt(at(time).replace('-', '').slice(0, 12), 16)).toBe(time);
		}),
		budget(200)
	);
	expect(isCommandId(new IdMaker().command())).toBe(true);
});

test('[I3] the relay has an id of its own, older than any that is made', () => {
	expect(kindOf(RELAY)).toBe('employee');
	expect(idMaker(2).document('employee') > RELAY).toBe(true);
});

test('[I4] a record has one page, whose id two people offline know alike', () => {
	expect(pageOf(documentId('task', 5))).toBe(documentId('page', 5));
	expect(kindOf(pageOf(idMaker(3).document('deal')))).toBe('page');
});
