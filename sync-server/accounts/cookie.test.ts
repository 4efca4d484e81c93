import { describe, expect, test } from 'vitest';
import { clearedSessionCookie, originAllowed, sessionCookie, tokenFromCookie } from './cookie.ts';

const HOME = 'http://127.0.0.1:8420';

describe('the session cookie', () => {
	test('is HttpOnly, Lax, for the whole origin, and Secure over https only', () => {
		const times = { now: 1_000, expiresAt: 61_999 };
		expect(sessionCookie('abc', times, HOME)).toBe('atrium_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax');
		expect(sessionCookie('abc', times, 'https://portal.example')).toBe('atrium_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure');
		expect(clearedSessionCookie(HOME)).toBe('atrium_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax');
	});
	test.each(['', 'a b', 'a;b', 'a\r\nSet-Cookie: x=y', 'a,b'])('cannot be made of %j', (token) => {
		expect(() => sessionCookie(token, { now: 0, expiresAt: 1 }, HOME)).toThrow();
	});
	test.each([
		['atrium_session=abc', 'abc'],
		['lang=ro; atrium_session=abc; theme=dark', 'abc'],
		['atrium_session=abc;atrium_session=abc', 'abc'],
		['atrium_session=abc; atrium_session=planted', null],
		['atrium_session=', null],
		['atrium_session="abc"', null],
		['xatrium_session=abc', null],
		['Atrium_Session=abc', null],
		['atrium_session', null],
		['', null],
		[undefined, null],
		[null, null],
		[`a=${'x'.repeat(20_000)}; atrium_session=abc`, null],
		[`atrium_session=${'x'.repeat(300)}`, null]
	])('header %#', (header, token) => expect(tokenFromCookie(header)).toBe(token));
});

describe('origins', () => {
	test.each([
		// Origin, PUBLIC_URL, Host, allowed
		['http://127.0.0.1:8420', HOME, '127.0.0.1:8420', true],
		['http://127.0.0.1:8420', HOME, null, true],
		['http://localhost:8420', HOME, 'localhost:8420', true],
		['http://localhost:8420', HOME, undefined, true],
		['http://[::1]:8420', HOME, '[::1]:8420', true],
		['http://127.0.0.1:8420', 'http://localhost:8420', '127.0.0.1:8420', true],
		['http://localhost:8420', HOME, '127.0.0.1:8420', false],
		['http://localhost:8421', HOME, 'localhost:8420', false],
		['http://127.0.0.1:3000', HOME, '127.0.0.1:8420', false],
		['http://127.0.0.1', HOME, '127.0.0.1:8420', false],
		['https://localhost:8420', HOME, 'localhost:8420', false],
		['http://evil.example:8420', HOME, 'evil.example:8420', false],
		['http://localhost.evil.example:8420', HOME, 'localhost.evil.example:8420', false],
		['http://127.0.0.1:8420@evil.example', HOME, '127.0.0.1:8420', false],
		['http://127.0.0.1:8420.evil.example', HOME, '127.0.0.1:8420', false],
		['http://127.0.0.1:8420/', HOME, '127.0.0.1:8420', false],
		['https://portal.example', 'https://portal.example/', '127.0.0.1:8420', true],
		['https://PORTAL.example', 'https://portal.example', 'portal.example', true],
		['https://portal.example:443', 'https://portal.example', 'portal.example', false],
		['http://portal.example', 'https://portal.example', 'portal.example', false],
		['https://portal.example:8443', 'https://portal.example', 'portal.example', false],
		['https://sub.portal.example', 'https://portal.example', 'portal.example', false],
		['http://localhost:8420', 'https://portal.example', 'localhost:8420', false],
		['null', HOME, '127.0.0.1:8420', false],
		['', HOME, '127.0.0.1:8420', false],
		[undefined, HOME, '127.0.0.1:8420', false],
		[null, HOME, null, false],
		['file://', HOME, null, false],
		[`http://${'a'.repeat(5_000)}`, HOME, null, false]
	])('case %#', (origin, publicUrl, host, allowed) =>
		expect(originAllowed(origin, publicUrl, host)).toBe(allowed)
	);
});
