import { expect, test } from 'vitest';
import { markedParts } from './marks.ts';

const marked = (text: string, ...words: string[]): string => markedParts(text, words).map((part) => (part.marked ? `[${part.text}]` : part.text)).join('');

test('words are marked wherever they stand, whatever accents they have', () => {
	expect(marked('Ștefan Munteanu', 'stef')).toBe('[Ștef]an Munteanu');
	expect(marked('Ana Banana', 'an')).toBe('[An]a B[anan]a');
	expect(marked('Ana Pop', 'pop', 'ana')).toBe('[Ana] [Pop]');
	expect(marked('ﬁne', 'f')).toBe('ﬁne');
	expect(marked('Strasse', 'x')).toBe('Strasse');
	expect(marked('', 'x')).toBe('');
	expect(marked('a+b', '+')).toBe('a[+]b');
});
