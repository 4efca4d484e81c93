// No link leads elsewhere after signing in.
import { expect, test } from 'vitest';
import { nextOf } from './next.ts';

const asked = (next: string): string => nextOf(new URL(`https://portal.example/sign-in?next=${encodeURIComponent(next)}`));

test('own addresses are gone to, with what they ask for', () => {
	expect(asked('/documents/page_1?x=1')).toBe('/documents/page_1?x=1');
	expect(asked('/company?person=employee_1')).toBe('/company?person=employee_1');
});

test.each(['https://evil.example', '//evil.example', '/\\evil.example', '\\\\evil.example', '/\t/evil.example', '/\n/evil.example', 'javascript:alert(1)', 'tasks', '', '/x/..//evil.example/\\', '/.//evil.example', '/..//evil.example'])('%j is not', (next) => {
	const went = new URL(asked(next), 'https://portal.example');
	expect(went.origin).toBe('https://portal.example');
	expect(asked(next)).not.toMatch(/^\/[/\\]/);
});

test('neither back to the door nor to an answer for programs', () => {
	for (const next of ['/', '/sign-in?next=/sign-in', '/api/v1/me', '/register', '/join']) expect(asked(next), next).toBe('/tasks');
});
