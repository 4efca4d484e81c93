/** What a person waits for, in a real browser against a real relay. Reported, not asserted: compare on the same machine only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Device, eventually } from '../e2e/browser.ts';
import { makeDemo } from '../e2e/demo.ts';
import { typePaper } from '../e2e/paper.ts';
import { Screens } from '../e2e/screens.ts';
import { TestRelay } from '../support/relay.ts';
import { median, table } from './report.ts';

const KEYSTROKES = 50;
const AIM_KB = 120;
const build = join(import.meta.dirname, '..', '..', 'build');
const ms = (value: number): string => `${Math.round(value)} ms`;
const rows: [what: string, value: string][] = [];

const relay = await TestRelay.start();
const devices: Device[] = [];
const open = async (name: string): Promise<Screens> => {
	const device = await Device.open(name, relay);
	devices.push(device);
	return new Screens(device);
};

try {
	const admin = await relay.register();
	await relay.hire(admin, 'bob@acme.example', 'Bob');
	for (let i = 0; i < 40; i++) await relay.create(admin, 'task', { title: `Task ${i}` });
	await relay.create(admin, 'page', { title: 'Plan', place: 'company' });
	const text = await relay.create(admin, 'text', { title: 'paper.tex', place: 'company' });
	await typePaper(relay, admin.token, text);

	// ---- first load: what the page itself asks for until its first list; the worker's own fetching ahead is not waited for
	const ana = await open('ana');
	const scripts = new Set<string>();
	ana.page.on('request', (request) => {
		const { pathname } = new URL(request.url());
		if (pathname.endsWith('.js') && request.serviceWorker() === null) scripts.add(pathname);
	});
	await ana.signIn('ana@acme.example');
	await ana.taskRow('Task 39').waitFor();
	const asked = [...scripts].filter((path) => !path.includes('service-worker'));
	const gzipped = asked.map((path) => ({ path, bytes: gzipSync(readFileSync(join(build, path)), { level: 9 }).byteLength, hasLexical: readFileSync(join(build, path), 'utf8').includes('__lexical') }));
	const total = gzipped.reduce((sum, { bytes }) => sum + bytes, 0);
	rows.push(['first load, JavaScript gzipped, sign in to first list', `${Math.round(total / 1024)} kB in ${asked.length} files (aim: below ${AIM_KB} kB)`]);
	rows.push(['Lexical among it', gzipped.some(({ hasLexical }) => hasLexical) ? 'YES' : 'no']);

	// ---- cold start without a network
	await ana.saysSync(/^Up to date$/);
	await ana.device.cut();
	const starts: number[] = [];
	const loads: number[] = [];
	for (let i = 0; i < 5; i++) {
		await ana.device.quit();
		const began = performance.now();
		await ana.device.start();
		const started = performance.now();
		await ana.device.goto('/tasks');
		await ana.taskRow('Task 39').waitFor();
		starts.push(performance.now() - began);
		loads.push(performance.now() - started);
	}
	rows.push(['first list offline, cold start, median of 5', `${ms(median(loads))} after the browser stood (${ms(median(starts))} with its start)`]);
	await ana.device.mend();
	await ana.saysSync(/^Up to date$/);

	// ---- one keystroke to the other's screen
	const bob = await open('bob');
	await bob.signIn('bob@acme.example');
	await ana.openDocument('Plan');
	await bob.openDocument('Plan');
	await ana.text('Plan').click();
	await ana.page.keyboard.type('#');
	await bob.text('Plan').getByText('#').waitFor();
	await ana.page.evaluate(() => {
		const own = window as unknown as { pressed: number[] };
		own.pressed = [];
		addEventListener('keydown', (event) => own.pressed.push(performance.timeOrigin + event.timeStamp), true);
	});
	await bob.text('Plan').evaluate((element) => {
		const own = window as unknown as { shown: number[] };
		own.shown = [];
		let length = (element as HTMLElement).innerText.length;
		new MutationObserver(() => {
			const now = (element as HTMLElement).innerText.length;
			for (; length < now; length++) own.shown.push(performance.timeOrigin + performance.now());
		}).observe(element, { subtree: true, childList: true, characterData: true });
	});
	for (let i = 0; i < KEYSTROKES; i++) {
		await ana.page.keyboard.press('abcdefghij'[i % 10]!);
		await eventually('the keystroke', () => bob.page.evaluate(() => (window as unknown as { shown: number[] }).shown.length), (count) => count > i);
	}
	const pressed = await ana.page.evaluate(() => (window as unknown as { pressed: number[] }).pressed);
	const shown = await bob.page.evaluate(() => (window as unknown as { shown: number[] }).shown);
	const latencies = pressed.map((at, i) => shown[i]! - at).sort((a, b) => a - b);
	rows.push([`keystroke to the other's screen, ${KEYSTROKES}`, `median ${ms(median(latencies))}, p95 ${ms(latencies[Math.floor(latencies.length * 0.95)]!)}`]);

	// ---- the long text
	const reader = await open('reader');
	await reader.signIn('bob@acme.example');
	await reader.saysSync(/^Up to date$/);
	await reader.section('Documents');
	await reader.documentRow('paper.tex').waitFor();
	const opening = performance.now();
	await reader.documentRow('paper.tex').getByRole('link', { name: 'paper.tex' }).click();
	await reader.text('paper.tex').getByText('documentclass').first().waitFor();
	rows.push(['text of 259,778 edits, opened cold', ms(performance.now() - opening)]);
	for (const device of devices.splice(0)) await device.remove();

	// ---- 8,800 deals
	const { people } = await makeDemo(relay);
	const boss = people.find(({ role }) => role === 'administrator')!;
	const desk = await open('administrator');
	const began = performance.now();
	await desk.signIn(boss.email, boss.password);
	await desk.saysSync(/^Up to date$/, 180_000);
	rows.push(['first sync of an administrator, 8,800 deals', ms(performance.now() - began)]);
	await desk.section('CRM');
	await desk.column('Won').waitFor();
	await desk.device.quit();
	await desk.device.start();
	const again = performance.now();
	await desk.device.goto('/crm');
	await desk.column('Won').waitFor();
	rows.push(['their deals on screen, cold start', ms(performance.now() - again)]);
} finally {
	for (const device of devices) await device.remove();
	await relay.remove();
}
table('browser', rows);
