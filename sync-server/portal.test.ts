/** The command line as it is started: exit codes, single lines, JSON, with a relay's door and without one. */
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SMALL } from './import/testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'atrium-portal-'));
const dataDir = join(folder, 'data');
const crm = join(folder, 'crm');

beforeAll(() => {
	mkdirSync(crm);
	for (const [name, text] of Object.entries(SMALL)) writeFileSync(join(crm, name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function portal(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
	const child = spawn(process.execPath, [join(import.meta.dirname, 'portal.ts'), ...args], {
		env: { PATH: process.env.PATH, DATA_DIR: dataDir, INIT_CWD: folder },
		stdio: ['ignore', 'pipe', 'pipe']
	});
	let [out, err] = ['', ''];
	child.stdout.on('data', (part: Buffer) => (out += part.toString()));
	child.stderr.on('data', (part: Buffer) => (err += part.toString()));
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, out, err }));
	});
}

test('help, and what is not understood', async () => {
	expect(await portal('--help')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('npm run portal -- <command>') });
	expect(await portal('demo', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--dates') });
	for (const args of [[], ['fly'], ['--j'], ['demo', '--colour'], ['demo', '--dates', 'never'], ['verify', 'twice'], ['demo', '--company', ' ']]) {
		const { code, out, err } = await portal(...args);
		expect([args, code, out]).toEqual([args, 2, '']);
		expect(err).toMatch(/^atrium: [^\n]+\n\nnpm run portal/);
	}
}, 60_000);

test('before anything is there, verify says so and makes nothing', async () => {
	expect(await portal('verify')).toEqual({ code: 0, err: '', out: expect.stringMatching(/^There is no portal in .* yet\.\n$/) });
	expect(existsSync(dataDir)).toBe(false);
});

test('a missing file is one line, and no portal is made', async () => {
	const { code, out, err } = await portal('demo', '--data', 'nowhere', '--json');
	expect([code, out]).toEqual([1, '']);
	expect(err).toBe(`atrium: ${join(folder, 'nowhere', 'accounts.csv')} cannot be read (ENOENT): the demo needs accounts.csv, products.csv, sales_teams.csv, sales_pipeline.csv.\n`);
	expect(readdirSync(dataDir, { recursive: true }).filter((name) => String(name).includes('portal_'))).toEqual([]);
});

test('demo without a relay, then verify', async () => {
	const { code, out, err } = await portal('demo', '--data', 'crm', '--json', '--password', 'long enough for all');
	expect([code, err]).toEqual([0, '']);
	const made = JSON.parse(out) as { portal: string; people: object[]; summary: object };
	expect(Object.keys(made)).toEqual(['portal', 'people', 'summary']);
	expect(made.people[1]).toEqual({ name: 'Dustin Brinkmann', email: 'dustin.brinkmann@maventech.example', password: 'long enough for all', role: 'manager' });
	expect(made.people).toHaveLength(6);
	const verified = await portal('verify', '--json');
	expect(JSON.parse(verified.out)).toEqual({ ok: true, portals: [{ portal: made.portal, entries: expect.any(Number), documents: expect.any(Number), difference: null, notJudged: null, outdated: [] }] });
	expect(verified.code).toBe(0);
}, 60_000);

test('tariff without a relay: the demo company runs under the demo, and what is set is there the next time', async () => {
	const [first] = JSON.parse((await portal('tariff', '--json')).out) as { portal: string; bought: object; tariff: object }[];
	expect(first).toMatchObject({ company: 'MavenTech', bought: { plan: 'project' }, tariff: { plan: 'demo', people: { used: 6, most: null } } });
	expect(await portal('tariff', '--plan', 'team', '--demo', 'end', '--rent', '7')).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^MavenTech \(portal_[^]*plan {6}team\n[^]*of 107 GB, 7 of them rented/) });
	expect((await portal('tariff')).out).toContain('plan      team\n');
	expect(await portal('tariff', '--plan', 'demo')).toEqual({ code: 1, out: '', err: expect.stringMatching(/^atrium: A demo is no plan that is bought[^\n]*\n$/) });
	for (const args of [['--seats', 'many'], ['--plan', 'gold'], ['--demo', 'maybe'], ['--rent', '-1'], ['--portal', 'x']]) expect((await portal('tariff', ...args)).code, args.join(' ')).toBe(2);
	expect((await portal('verify')).code).toBe(0);
}, 60_000);

/** A relay's door that gives one answer. */
async function door(status: number, body: string): Promise<{ server: Server; asked: { path?: string | undefined; auth?: string | undefined; body: string } }> {
	const asked = { path: undefined as string | undefined, auth: undefined as string | undefined, body: '' };
	const server = createServer((request, response) => {
		asked.path = request.url;
		asked.auth = request.headers.authorization;
		request.on('data', (part: Buffer) => (asked.body += part.toString()));
		request.on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(body));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	writeFileSync(join(dataDir, 'operator.json'), JSON.stringify({ pid: 1, address: `http://127.0.0.1:${port}`, token: 'secret' }));
	return { server, asked };
}

test('through a running relay: the folder goes there, absolute, and its problem comes back as one line', async () => {
	const { server, asked } = await door(200, JSON.stringify({ result: { problem: 'products.csv is missing.' } }));
	expect(await portal('demo', '--data', 'crm', '--dates', 'keep')).toEqual({ code: 1, out: '', err: 'atrium: products.csv is missing.\n' });
	expect(asked).toMatchObject({ path: '/api/operator/demo', auth: 'Bearer secret' });
	expect(JSON.parse(asked.body)).toEqual({ folder: crm, dates: 'keep' });
	server.close();
}, 60_000);

test('a relay that fails is said so; a note that a killed relay left is no relay', async () => {
	const failing = await door(500, '{}');
	expect(await portal('demo', '--data', 'crm')).toEqual({ code: 1, out: '', err: 'atrium: The relay failed at demo (status 500): its log says why.\n' });
	failing.server.close();
	const closed = await door(404, '{}');
	await new Promise((resolve) => closed.server.close(resolve));
	const { code, out } = await portal('demo', '--data', 'crm');
	expect([code, out.split('\n')[1]]).toEqual([0, '  3 opportunities → 3 deals (1 prospecting, 0 engaging, 1 won, 1 lost)']);
	expect(out).toContain('@maventech-2.example');
}, 60_000);
