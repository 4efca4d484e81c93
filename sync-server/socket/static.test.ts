import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { inlineScriptHashes, StaticApp, type StaticRequest } from './static.ts';

const folder = mkdtempSync(join(tmpdir(), 'atrium-static-'));
const script = '\n\tstart("/");\n';
const words = 'let a = 1;\n'.repeat(200);
let app: StaticApp;

beforeAll(() => {
	mkdirSync(join(folder, '_app/immutable'), { recursive: true });
	writeFileSync(join(folder, 'index.html'), `<html><script>${script}</script><script src="/x.js"></script></html>`);
	writeFileSync(join(folder, '_app/immutable/a.js'), words);
	writeFileSync(join(folder, 'service-worker.js'), words);
	writeFileSync(join(folder, 'icon one.png'), new Uint8Array(2_000));
	writeFileSync(join(folder, '.secret'), 'x');
	symlinkSync('/etc/passwd', join(folder, 'passwd'));
	app = StaticApp.read(folder, 'https://portal.example.com');
});
afterAll(() => rmSync(folder, { recursive: true }));

function get(path: string, more: Partial<StaticRequest> = {}, from = app) {
	const answer = from.answer({ path, method: 'GET', accept: '*/*', acceptEncoding: '', ifNoneMatch: '', fetchMode: '', ...more });
	return { status: answer.status, body: Buffer.from(answer.body), headers: Object.fromEntries(answer.headers) as Record<string, string> };
}

test('what has a hash in its name is kept for ever, everything else asked for again', () => {
	expect(get('/_app/immutable/a.js').headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable', 'content-type': 'text/javascript; charset=utf-8' });
	for (const path of ['/', '/service-worker.js', '/icon%20one.png']) expect(get(path).headers['cache-control']).toBe('no-cache');
	const { etag } = get('/').headers;
	expect(get('/', { ifNoneMatch: `"other", W/${etag}` })).toMatchObject({ status: 304, body: Buffer.alloc(0) });
	expect(get('/', { ifNoneMatch: '"other"' }).status).toBe(200);
});

test('navigations get the app; a missing file or chunk does not', () => {
	for (const path of ['/', '/tasks', '/tasks/task_1', '/invitation/abc']) expect(get(path).headers['content-type'], path).toBe('text/html; charset=utf-8');
	expect(get('/people/ann@example.com', { fetchMode: 'navigate' }).status).toBe(200);
	for (const path of ['/missing.png', '/_app/immutable/gone.js', '/_app/gone', '/api/v1/x', '/live/x', '/%zz', '/%00.png']) expect(get(path).status, path).toBe(404);
});

test.each(['/../etc/passwd', '/..%2f..%2fetc%2fpasswd', '/.secret', '/passwd', '/_app/../index.html', '/%2e%2e%2fpackage.json', '//index.html'])('%s is no way out', (path) => {
	expect(get(path).body.toString()).not.toMatch(/root:|^x$/);
});

test('compressed forms once they are made', async () => {
	expect(get('/service-worker.js', { acceptEncoding: 'br' }).headers['content-encoding']).toBeUndefined();
	await app.compress();
	const brotli = get('/service-worker.js', { acceptEncoding: 'gzip, deflate, br;q=0.9' });
	expect([brotli.headers['content-encoding'], brotliDecompressSync(brotli.body).toString()]).toEqual(['br', words]);
	const gzip = get('/service-worker.js', { acceptEncoding: 'gzip, br;q=0' });
	expect([gzip.headers['content-encoding'], gunzipSync(gzip.body).toString()]).toEqual(['gzip', words]);
	expect(gzip.headers['etag']).not.toBe(brotli.headers['etag']);
	expect(gzip.headers['vary']).toBe('accept-encoding');
	expect(get('/icon%20one.png', { acceptEncoding: 'br' }).headers['content-encoding']).toBeUndefined();
});

test('only the start script that was built may run inline', () => {
	const hash = `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
	expect(inlineScriptHashes(`<script>${script}</script><script type="module" src="x"></script>`)).toEqual([hash]);
	const policy = get('/').headers['content-security-policy']!;
	expect(policy).toContain(`script-src 'self' ${hash};`);
	expect(policy).toContain("connect-src 'self' ws://portal.example.com wss://portal.example.com;");
	for (const path of ['/', '/missing.png']) {
		expect(get(path).headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cross-origin-opener-policy': 'same-origin', 'referrer-policy': 'same-origin' });
		expect(get(path).headers['content-security-policy']).toContain("frame-ancestors 'none'");
	}
});

test('without a build there is a sentence instead of a blank page', () => {
	const empty = StaticApp.read(join(folder, 'nothing'), 'http://localhost');
	expect(get('/', {}, empty)).toMatchObject({ status: 503 });
	expect(get('/', {}, empty).body.toString()).toContain('npm run build');
});
