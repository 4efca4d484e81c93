import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ACCOUNTS_KEY, Vault } from './vault.ts';

const folder = mkdtempSync(join(tmpdir(), 'atrium-vault-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const random = (target: Uint8Array) => randomFillSync(target);

test('what is sealed opens again for its purpose, also after a restart, and says nothing by itself', () => {
	const sealed = Vault.open(folder, random).seal('JBSWY3DPEHPK3PXP și altele', 'totp identity_1');
	expect(sealed).not.toContain('JBSWY3DP');
	expect(Vault.open(folder, random).open(sealed, 'totp identity_1')).toBe('JBSWY3DPEHPK3PXP și altele');
	expect(statSync(join(folder, ACCOUNTS_KEY.file)).mode & 0o777).toBe(0o600);
	expect(Vault.open(folder, random).open(Vault.open(folder, random).seal('', 'empty'), 'empty')).toBe('');
});

test('the same text is never sealed alike', () => {
	const vault = Vault.open(folder, random);
	expect(vault.seal('text', 'purpose')).not.toBe(vault.seal('text', 'purpose'));
});

test('another purpose, another person, another key or one changed bit opens nothing', () => {
	const vault = Vault.open(folder, random);
	const sealed = vault.seal('secret', 'totp identity_1');
	expect(vault.open(sealed, 'totp identity_2')).toBeNull();
	expect(vault.open(sealed, 'letter')).toBeNull();
	expect(new Vault(new Uint8Array(32).fill(1), random).open(sealed, 'totp identity_1')).toBeNull();
	const bytes = Buffer.from(sealed.slice(3), 'base64url');
	for (let at = 0; at < bytes.length; at++) {
		const changed = Buffer.from(bytes);
		changed[at]! ^= 1;
		expect(vault.open(`v1.${changed.toString('base64url')}`, 'totp identity_1'), `byte ${at}`).toBeNull();
	}
});

test.each([undefined, null, 7, '', 'v1.', 'v1.AAAA', 'secret', 'v2.AAAA', {}, 'v1.' + 'A'.repeat(1 << 16)])('garbage %# opens nothing', (garbage) => {
	expect(Vault.open(folder, random).open(garbage, 'purpose')).toBeNull();
});

test('a key that is cut short stops the start and is not replaced', () => {
	const other = mkdtempSync(join(folder, 'short-'));
	writeFileSync(join(other, ACCOUNTS_KEY.file), 'short');
	expect(() => Vault.open(other, random)).toThrow(/bring it back from a backup/);
	expect(readFileSync(join(other, ACCOUNTS_KEY.file), 'utf8')).toBe('short');
});
