import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InOrder } from './in-order.ts';

interface Row {
	readonly id: number;
	readonly value: number;
}
const compare = (a: Row, b: Row): number => a.value - b.value || a.id - b.id;

test('after any changes the list is what sorting anew would give', () => {
	const change = fc.array(fc.tuple(fc.nat({ max: 12 }), fc.option(fc.nat({ max: 5 }))), { maxLength: 8 });
	fc.assert(
		fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
			const held = new Map<number, Row>();
			const list = new InOrder(compare);
			for (const part of changes) {
				for (const [id, value] of part) {
					if (value === null) held.delete(id);
					else held.set(id, { id, value });
				}
				const rows = [...held.values()];
				expect(list.of(rows)).toEqual([...rows].sort(compare));
			}
		})
	);
});

test('where nothing changed the answer is the same array', () => {
	const list = new InOrder(compare);
	const rows = [3, 1, 2].map((value) => ({ id: value, value }));
	const first = list.of(rows);
	expect(list.of([...rows].reverse())).toBe(first);
	expect(first.map((row) => row.value)).toEqual([1, 2, 3]);
});
