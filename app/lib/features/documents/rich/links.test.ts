import { expect, test } from 'vitest';
import { safeAddress } from './links.ts';

test.each([
	['https://example.com/a?b', 'https://example.com/a?b'],
	['example.com', 'https://example.com'],
	['example.com:8080/x', 'https://example.com:8080/x'],
	[' ana@example.ro ', 'mailto:ana@example.ro'],
	['mailto:ana@example.ro', 'mailto:ana@example.ro'],
	['tel:+40721000000', 'tel:+40721000000'],
	['javascript:alert(1)', null],
	['JavaScript:alert(1)', null],
	['java\tscript:alert(1)', null],
	['data:text/html,<b>', null],
	['file:///etc/passwd', null],
	['word', null],
	['', null]
])('%s leads to %s', (typed, address) => {
	expect(safeAddress(typed)).toBe(address);
});
