// The relay as a process: what it prints, how it ends, what it leaves.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { readOperatorNote } from './ops/operator.ts';

const folder = mkdtempSync(join(tmpdir(), 'atrium-main-'));
const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Process {
	readonly child: ChildProcess;
	readonly ended: Promise<{ code: number | null; out: string; err: string }>;
	/** The address of the ready line. */
	readonly ready: Promise<string>;
}
function start(environment: Record<string, string>): Process {
	const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { env: { PATH: process.env['PATH'], DATA_DIR: folder, PORT: '0', ...environment } });
	children.push(child);
	let [out, err] = ['', ''];
	const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => child.on('close', (code) => resolve({ code, out, err })));
	child.stderr!.on('data', (data) => void (err += data));
	const ready = new Promise<string>((resolve) => {
		child.stdout!.on('data', (data) => {
			out += data;
			const address = /^Atrium: (\S+)$/m.exec(out)?.[1];
			if (address) resolve(address);
		});
	});
	return { child, ended, ready };
}

test.each([
	[{ PORT: 'x' }, /^atrium: PORT is "x", which is no port number between 0 and 65535\.\n$/],
	[{ STORAGE_URL: 'postgres://x' }, /^atrium: STORAGE_URL .*only sqlite: is supported in this version\.\n$/],
	[{ DATA_DIR: '/proc/nowhere' }, /^atrium: DATA_DIR is "\/proc\/nowhere", where this user cannot write \(E\w+\)\.\n$/],
	[{ TLS_CERT: '/x' }, /^atrium: TLS_CERT is set and TLS_KEY is not: .*\n$/],
	[{ PUBLIC_URL: 'x' }, /^atrium: PUBLIC_URL is "x"; .*\n$/],
	[{ HOST: '203.0.113.1' }, /^atrium: Cannot listen on 203\.0\.113\.1:0: .*\n$/]
])('%j: one line, exit 1, no stack', async (environment, line) => {
	const { code, err } = await start(environment as unknown as Record<string, string>).ended;
	expect(err).toMatch(line);
	expect(code).toBe(1);
});

test('a second relay on the folder or the port is told so; kill -9 frees both; SIGTERM drains and exits 0', async () => {
	const first = start({});
	const address = await first.ready;
	expect((await fetch(`${address}/healthz`)).status).toBe(200);
	expect(readOperatorNote(folder)).toMatchObject({ pid: first.child.pid, address });
	for (const name of ['mac.key', 'operator.json', 'accounts.db']) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);

	const second = await start({}).ended;
	expect([second.code, second.err]).toEqual([1, expect.stringMatching(/^atrium: Another relay is using DATA_DIR .*\n$/)]);
	const third = await start({ DATA_DIR: join(folder, 'other'), PORT: new URL(address).port }).ended;
	expect([third.code, third.err]).toEqual([1, expect.stringMatching(/^atrium: Cannot listen on .*\n$/)]);

	first.child.kill('SIGKILL');
	await first.ended;
	const again = start({});
	await again.ready;
	again.child.kill('SIGTERM');
	expect(await again.ended).toMatchObject({ code: 0, err: '' });
	expect(existsSync(join(folder, 'operator.json'))).toBe(false);
});

test('a plain http address other than localhost is warned of', async () => {
	const { child, ready, ended } = start({ PUBLIC_URL: 'http://portal.example.com' });
	expect(await ready).toBe('http://portal.example.com');
	child.kill('SIGINT');
	expect(await ended).toMatchObject({ code: 0, err: expect.stringMatching(/^atrium: http:\/\/portal\.example\.com is plain http: .*TLS_CERT.*\n$/) });
});

test('HTTPS with a certificate', async () => {
	const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost'], { stdio: 'ignore' });
	const { ready } = start({ TLS_CERT: cert, TLS_KEY: key });
	const address = await ready;
	expect(address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
	const status = await new Promise((resolve, reject) => get(`${address}/healthz`, { rejectUnauthorized: false }, (response) => resolve(response.statusCode)).on('error', reject));
	expect(status).toBe(200);
});
