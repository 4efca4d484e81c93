import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { networkText } from '#crdt-model/access/networks.ts';
import { claimDataDir, ConfigProblem, keptSecret, publicUrlFor, readConfig, warningsFor } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'atrium-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ACME = { OIDC_PROVIDERS: 'acme', OIDC_ACME_ISSUER: 'https://id.example.com/realm', OIDC_ACME_CLIENT_ID: 'x', OIDC_ACME_CLIENT_SECRET: 'y' };

test('nothing set is the documented default', () => {
	expect(readConfig({})).toMatchObject({ host: '127.0.0.1', port: 8420, dataDir: join(process.cwd(), 'data'), publicUrl: null, smtpUrl: null, tls: null, oidc: [] });
	expect(readConfig({ PORT: ' ', HOST: '', PUBLIC_URL: '' })).toEqual(readConfig({}));
	expect(readConfig({ DATA_DIR: folder }).storageDir).toBe(join(folder, 'portals'));
	expect(readConfig({ DATA_DIR: folder, STORAGE_URL: 'sqlite:' }).storageDir).toBe(join(folder, 'portals'));
	expect(readConfig({ STORAGE_URL: 'sqlite:/srv/atrium' }).storageDir).toBe('/srv/atrium');
	expect(readConfig({ PUBLIC_URL: 'https://Portal.Example.com/' }).publicUrl).toBe('https://portal.example.com');
});

test('who may come in, and who operates', () => {
	expect(readConfig({})).toMatchObject({ trustedProxies: [], founding: 'open', operatorToken: null, operatorContact: null });
	const token = 'x'.repeat(32);
	const read = readConfig({ TRUSTED_PROXIES: '10.0.0.7,  2001:db8::/48\n', FOUNDING: 'First', OPERATOR_TOKEN: token, OPERATOR_CONTACT: ' it@example.com ' });
	expect(read).toMatchObject({ founding: 'first', operatorToken: token, operatorContact: 'it@example.com' });
	expect(read.trustedProxies.map(networkText)).toEqual(['10.0.0.7/32', '2001:db8::/48']);
});

test.each([
	[{ PORT: 'eighty' }, /^PORT is "eighty"/],
	[{ PORT: '70000' }, /^PORT/],
	[{ PORT: '-1' }, /^PORT/],
	[{ PORT: '8420.5' }, /^PORT/],
	[{ HOST: 'a b' }, /^HOST/],
	[{ STORAGE_URL: 'postgres://user:secret@db/x' }, /^(?!.*secret).*only sqlite: is supported in this version\.$/],
	[{ PUBLIC_URL: 'portal.example.com' }, /^PUBLIC_URL/],
	[{ PUBLIC_URL: 'ftp://portal.example.com' }, /^PUBLIC_URL/],
	[{ PUBLIC_URL: 'https://portal.example.com/atrium' }, /^PUBLIC_URL/],
	[{ SMTP_URL: 'mail:secret@example.com' }, /^(?!.*secret)SMTP_URL/],
	[{ TRUSTED_PROXIES: '10.0.0.0/24, proxy.example.com' }, /^TRUSTED_PROXIES holds "proxy.example.com", which is no address or range/],
	[{ TRUSTED_PROXIES: '10.0.0.0/40' }, /^TRUSTED_PROXIES holds "10.0.0.0\/40"/],
	[{ TRUSTED_PROXIES: '10.0.0.1 ::/0' }, /^TRUSTED_PROXIES holds "::\/0", which trusts everybody/],
	[{ FOUNDING: 'yes' }, /^FOUNDING is "yes"; it must be open, first or closed\.$/],
	[{ OPERATOR_TOKEN: 'short-secret' }, /^(?!.*secret)OPERATOR_TOKEN must be 32 to 512/],
	[{ OPERATOR_TOKEN: `secret ${'x'.repeat(40)}` }, /^(?!.*secret)OPERATOR_TOKEN/],
	[{ OPERATOR_TOKEN: 'ș'.repeat(40) }, /^OPERATOR_TOKEN/],
	[{ OPERATOR_CONTACT: 'x'.repeat(201) }, /^OPERATOR_CONTACT/],
	[{ OPERATOR_CONTACT: 'Ann\nBob' }, /^OPERATOR_CONTACT is "Ann\\nBob"/],
	[{ TLS_CERT: '/x.pem' }, /^TLS_CERT is set and TLS_KEY is not/],
	[{ TLS_KEY: '/x.pem' }, /^TLS_KEY is set and TLS_CERT is not/],
	[{ TLS_CERT: '/nowhere/x.pem', TLS_KEY: '/nowhere/y.pem' }, /^TLS_CERT names "\/nowhere\/x.pem", which cannot be read \(ENOENT\)/],
	[{ TLS_CERT: import.meta.filename, TLS_KEY: import.meta.filename }, /^TLS_CERT and TLS_KEY are no certificate/],
	[{ OIDC_PROVIDERS: 'Acme!' }, /^OIDC_PROVIDERS holds "Acme!"/],
	[{ OIDC_PROVIDERS: 'google,' }, /^OIDC_PROVIDERS holds ""/],
	[{ OIDC_PROVIDERS: 'acme,acme' }, /^OIDC_PROVIDERS names acme twice/],
	[{ OIDC_PROVIDERS: 'a,b,c,d,e,f,g,h,i,j,k' }, /^OIDC_PROVIDERS names 11 providers/],
	[{ OIDC_PROVIDERS: 'google' }, /^OIDC_PROVIDERS names google, and OIDC_GOOGLE_CLIENT_ID is not set/],
	[{ OIDC_PROVIDERS: 'google', OIDC_GOOGLE_CLIENT_ID: 'x' }, /OIDC_GOOGLE_CLIENT_SECRET is not set/],
	[{ OIDC_PROVIDERS: 'my-house', OIDC_MY_HOUSE_CLIENT_ID: 'x', OIDC_MY_HOUSE_CLIENT_SECRET: 'y' }, /OIDC_MY_HOUSE_ISSUER is not set/],
	[{ OIDC_PROVIDERS: 'constructor', OIDC_CONSTRUCTOR_CLIENT_ID: 'x', OIDC_CONSTRUCTOR_CLIENT_SECRET: 'y' }, /OIDC_CONSTRUCTOR_ISSUER is not set/],
	[{ ...ACME, OIDC_ACME_ISSUER: 'http://id.example.com' }, /^OIDC_ACME_ISSUER is "http:\/\/id.example.com"; it must be an https/],
	[{ ...ACME, OIDC_ACME_ISSUER: 'https://user:hidden@id.example.com' }, /^(?!.*hidden)OIDC_ACME_ISSUER/],
	[{ ...ACME, OIDC_ACME_ISSUER: 'id.example.com' }, /^OIDC_ACME_ISSUER/],
	[{ ...ACME, OIDC_ACME_NAME: 'x'.repeat(61) }, /^OIDC_ACME_NAME/]
])('%j stops the start with one line', (environment, line) => {
	let problem: unknown;
	try {
		readConfig(environment as Record<string, string>);
	} catch (error) {
		problem = error;
	}
	expect(problem).toBeInstanceOf(ConfigProblem);
	expect((problem as Error).message).toMatch(line);
	expect((problem as Error).message).not.toContain('\n');
});

test('providers: known ones need no issuer, others do; plain http only on this machine', () => {
	expect(readConfig({ ...ACME, OIDC_PROVIDERS: ' acme , google ', OIDC_GOOGLE_CLIENT_ID: 'g', OIDC_GOOGLE_CLIENT_SECRET: 's' }).oidc).toEqual([
		{ id: 'acme', name: 'acme', issuer: 'https://id.example.com/realm', clientId: 'x', clientSecret: 'y' },
		{ id: 'google', name: 'Google', issuer: 'https://accounts.google.com', clientId: 'g', clientSecret: 's' }
	]);
	expect(readConfig({ ...ACME, OIDC_ACME_ISSUER: 'http://127.0.0.1:9000', OIDC_ACME_NAME: 'Acme' }).oidc[0]).toMatchObject({ name: 'Acme', issuer: 'http://127.0.0.1:9000' });
});

test('the address follows from host and port, and plain http away from this machine is warned of', () => {
	const at = (environment: Record<string, string>) => {
		const config = readConfig(environment);
		const url = publicUrlFor(config, 8420);
		return [url, warningsFor(config, url).length];
	};
	expect(at({})).toEqual(['http://127.0.0.1:8420', 0]);
	expect(at({ HOST: '::1' })).toEqual(['http://[::1]:8420', 0]);
	expect(at({ HOST: '0.0.0.0' })).toEqual(['http://localhost:8420', 1]);
	expect(at({ HOST: '192.168.1.5' })).toEqual(['http://192.168.1.5:8420', 1]);
	expect(at({ PUBLIC_URL: 'http://portal.example.com' })).toEqual(['http://portal.example.com', 1]);
	expect(at({ PUBLIC_URL: 'https://portal.example.com', HOST: '0.0.0.0' })).toEqual(['https://portal.example.com', 0]);
});

test('one relay per folder, and a folder that cannot be one', () => {
	const dataDir = join(folder, 'claimed');
	const claim = claimDataDir(dataDir);
	expect(statSync(dataDir).mode & 0o777).toBe(0o700);
	expect(() => claimDataDir(dataDir)).toThrow(/^Another relay is using DATA_DIR/);
	claim.release();
	claimDataDir(dataDir).release();
	writeFileSync(join(folder, 'file'), '');
	expect(() => claimDataDir(join(folder, 'file', 'below'))).toThrow(/^DATA_DIR .* cannot write \(ENOTDIR\)/);
	expect(() => claimDataDir(join(folder, 'file'))).toThrow(ConfigProblem);
});

test('a secret is made once, for the owner alone, and a broken one is not replaced', () => {
	let calls = 0;
	const random = (target: Uint8Array) => target.fill(++calls);
	const first = keptSecret(folder, 'mac.key', 32, random);
	expect([keptSecret(folder, 'mac.key', 32, random), calls]).toEqual([first, 1]);
	expect(statSync(join(folder, 'mac.key')).mode & 0o777).toBe(0o600);
	expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
	writeFileSync(join(folder, 'mac.key'), 'short');
	expect(() => keptSecret(folder, 'mac.key', 32, random)).toThrow(/backup/);
	expect(existsSync(join(folder, 'mac.key'))).toBe(true);
});
