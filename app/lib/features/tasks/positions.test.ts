import { expect, test } from 'vitest';
import { positionAt } from './positions.ts';

const at = (...positions: string[]) => positions.map((position) => ({ position }));

test('an item lands where it was dropped: first, between, last, in an empty list', () => {
	const list = at('a1', 'a2', 'a3');
	expect(positionAt(list, 0) < 'a1').toBe(true);
	const between = positionAt(list, 1);
	expect(between > 'a1' && between < 'a2').toBe(true);
	expect(positionAt(list, 3) > 'a3').toBe(true);
	expect(positionAt([], 0)).toMatch(/^[0-9A-Za-z]+$/);
});

test('between two items of one position it goes after both, before the next', () => {
	const between = positionAt(at('a1', 'a1', 'a2'), 1);
	expect(between > 'a1' && between < 'a2').toBe(true);
});

test('many insertions at one place stay short enough for the schema', () => {
	let list = at('a1', 'a2');
	for (let i = 0; i < 400; i++) {
		const position = positionAt(list, 1);
		expect(position).toMatch(/^[0-9A-Za-z]{1,100}$/);
		list = [list[0]!, { position }, ...list.slice(1)];
	}
});

test('a position of a foreign shape does not stop anybody', () => {
	expect(positionAt(at('zzzz-'), 1)).toBeTypeOf('string');
	expect(positionAt(at('0'), 1) > '0').toBe(true);
});
