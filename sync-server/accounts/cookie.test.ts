import { describe, expect, test } from 'vitest';
import type { PortalId } from '#crdt-model/ids.ts';
import { clearedSessionCookie, originAllowed, sessionCookie, sessionCookieOf, tokensFromCookie } from './cookie.ts';

const HOME = 'http://127.0.0.1:8420';
const PORTAL = 'portal_01935f6e-8d2a-7c31-9f00-0123456789ab' as PortalId;
const A = 'atrium_session_0123456789ab';
const B = 'atrium_session_ba9876543210';

describe('the session cookie', () => {
	test('is HttpOnly, Lax, for the whole origin, and Secure over https only', () => {
		const times = { now: 1_000, expiresAt: 61_999 };
		expect(sessionCookie(PORTAL, 'abc', times, HOME)).toBe('atrium_session_0123456789ab=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax');
		expect(sessionCookie(PORTAL, 'abc', times, 'https://portal.example')).toBe('atrium_session_0123456789ab=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure');
		expect(clearedSessionCookie(sessionCookieOf(PORTAL), HOME)).toBe('atrium_session_0123456789ab=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax');
	});
	test.each(['', 'a b', 'a;b', 'a\r\nSet-Cookie: x=y', 'a,b'])('cannot be made of %j', (token) => {
		expect(() => sessionCookie(PORTAL, token, { now: 0, expiresAt: 1 }, HOME)).toThrow();
	});
	test.each([
		[`${A}=abc`, { [A]: 'abc' }],
		[`lang=ro; ${A}=abc; theme=dark`, { [A]: 'abc' }],
		[`${A}=abc; ${B}=def`, { [A]: 'abc', [B]: 'def' }],
		[`${A}=abc;${A}=abc`, { [A]: 'abc' }],
		[`${A}=abc; ${A}=planted; ${B}=def`, { [B]: 'def' }],
		[`${A}=abc; ${A}=planted; ${A}=abc`, {}],
		[`${A}=`, {}],
		[`${A}="abc"`, {}],
		[`x${A}=abc`, {}],
		[`${A}0=abc`, {}],
		['atrium_session=abc', {}],
		['Atrium_Session_0123456789ab=abc', {}],
		['atrium_session___proto__=abc', {}],
		[A, {}],
		['', {}],
		[undefined, {}],
		[null, {}],
		[`a=${'x'.repeat(20_000)}; ${A}=abc`, {}],
		[`${A}=${'x'.repeat(300)}`, {}]
	])('header %#', (header, tokens) => expect(Object.fromEntries(tokensFromCookie(header))).toEqual(tokens));
	test('no header makes more than a few of them', () => {
		const many = Array.from({ length: 200 }, (_, at) => `atrium_session_${String(at).padStart(12, '0')}=abc`).join('; ');
		expect(tokensFromCookie(many).size).toBe(32);
	});
	test('none but these is ever cleared', () => {
		expect(() => clearedSessionCookie('x\r\nset-cookie', HOME)).toThrow();
	});
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
