import { randomFillSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { graceEnd, isOverdue } from './factor-demand.ts';
import { newRecoveryCodes, newTotpSecret, readCode, recoveryDigest, STEP_MS, totpCode, totpStep, totpUri } from './one-time-codes.ts';
import { relyingParty } from './relying-party.ts';

const random = (target: Uint8Array) => randomFillSync(target);
/** RFC 6238, appendix B: the secret of its SHA-1 rows. */
const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

test('codes are those of RFC 6238', () => {
	// The table has eight digits; six are their end.
	for (const [seconds, code] of [[59, '287082'], [1_111_111_109, '081804'], [1_234_567_890, '005924'], [20_000_000_000, '353130']] as const) {
		expect(totpCode(RFC_SECRET, seconds * 1000)).toBe(code);
		expect(totpStep(RFC_SECRET, code, seconds * 1000)).toBe(Math.floor(seconds / 30));
	}
});

test('a step before and after is right, two are not', () => {
	const now = 1_000_000 * STEP_MS;
	const found = [-2, -1, 0, 1, 2].map((off) => totpStep(RFC_SECRET, totpCode(RFC_SECRET, now + off * STEP_MS), now));
	expect(found).toEqual([null, 999_999, 1_000_000, 1_000_001, null]);
	for (const wrong of ['', '12345', '1234567', 'abcdef']) expect(totpStep(RFC_SECRET, wrong, now)).toBeNull();
});

test('a secret has 160 bits, and the address says what an app needs', () => {
	const secret = newTotpSecret(random);
	expect(secret).toMatch(/^[A-Z2-7]{32}$/);
	expect(newTotpSecret(random)).not.toBe(secret);
	const uri = new URL(totpUri(secret, 'ann@example.com'));
	expect([uri.protocol, uri.host || uri.pathname.split('/')[2], decodeURIComponent(uri.pathname.split('/').at(-1)!)]).toEqual(['otpauth:', 'totp', 'Atrium:ann@example.com']);
	expect(Object.fromEntries(uri.searchParams)).toEqual({ issuer: 'Atrium', secret, algorithm: 'SHA1', digits: '6', period: '30' });
});

test('what a person types is read as they mean it', () => {
	expect(readCode(' 123 456 ')).toEqual({ kind: 'totp', code: '123456' });
	const [code] = newRecoveryCodes(random) as [string];
	expect(code).toMatch(/^(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
	for (const typed of [code, code.toLowerCase(), code.replaceAll('-', ' '), code.replaceAll('-', ''), code.replaceAll('-', '–')]) {
		expect(readCode(typed)).toEqual({ kind: 'recovery', digest: recoveryDigest(code) });
	}
	for (const nothing of [null, 123456, '', '12345', '1234567', 'ABCD-EFGH', '１２３４５６', `${code}A`, 'x'.repeat(10_000)]) expect(readCode(nothing)).toBeNull();
});

test('the time of grace begins with the demand, or with joining after it', () => {
	const day = 24 * 3_600_000;
	const demand = { since: 100 * day, graceDays: 7 };
	expect(graceEnd(null, 0)).toBeNull();
	expect(graceEnd(demand, 50 * day)).toBe(107 * day);
	expect(graceEnd(demand, 105 * day)).toBe(112 * day);
	expect([isOverdue(demand, 0, 107 * day - 1), isOverdue(demand, 0, 107 * day), isOverdue({ ...demand, graceDays: 0 }, 0, 100 * day)]).toEqual([false, true, true]);
	expect(isOverdue(null, 0, Number.MAX_SAFE_INTEGER)).toBe(false);
});

test('passkeys are offered at the public name, and at localhost of the same machine', () => {
	const at = (publicUrl: string, from: Parameters<typeof relyingParty>[1] = {}) => relyingParty(publicUrl, from);
	expect(at('https://portal.example.com')).toEqual({ id: 'portal.example.com', origin: 'https://portal.example.com' });
	expect(at('https://portal.example.com:8443', { host: 'portal.example.com:8443' })).toEqual({ id: 'portal.example.com', origin: 'https://portal.example.com:8443' });
	expect(at('http://localhost:8420')).toEqual({ id: 'localhost', origin: 'http://localhost:8420' });
	expect(at('http://127.0.0.1:8420', { origin: 'http://localhost:8420' })).toEqual({ id: 'localhost', origin: 'http://localhost:8420' });
	expect(at('http://127.0.0.1:8420', { host: 'localhost:8420' })).toEqual({ id: 'localhost', origin: 'http://localhost:8420' });
	for (const [publicUrl, from] of [
		['http://127.0.0.1:8420', {}],
		['https://192.0.2.1', {}],
		['https://[2001:db8::1]', {}],
		['http://portal.example.com', {}],
		['https://portal.example.com', { origin: 'https://evil.example' }],
		['https://portal.example.com', { origin: 'https://sub.portal.example.com' }],
		['https://portal.example.com', { origin: 'http://localhost' }],
		['https://portal.example.com', { host: 'portal.example.com@evil.example' }],
		['http://127.0.0.1:8420', { origin: 'http://localhost:8421' }],
		['http://127.0.0.1:8420', { origin: 'null' }]
	] as const) expect(at(publicUrl, from), `${publicUrl} ${JSON.stringify(from)}`).toBeNull();
});
