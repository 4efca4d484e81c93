/** Values that no field takes, for fields of every type. */
export const COMMAND_NAME_OF_NOBODY = 'nobody.create';

export const odd: readonly (readonly [what: string, value: unknown])[] = [
	['a query', { $gt: '' }],
	['a list', ['x']],
	['a nested list', [[[[[[['x']]]]]]]],
	['true', true],
	['a number beyond all', 1e308],
	['an object with toString', { toString: 'x' }],
	['bytes', new Uint8Array([1, 2, 3])],
	['200,000 letters', 'x'.repeat(200_000)],
	['nothing at all', undefined]
];
