/**
 * A company of 1,000 departments and 10,000 people on one device: until its screen stands, how it scrolls, what a search and a drag cost. Real browser, real relay.
 * Reported, not asserted: compare on the same machine only. The aim for opening the screen is a second.
 */
import type { Locator } from 'playwright-core';
import { Device, eventually } from '../e2e/browser.ts';
import { Screens } from '../e2e/screens.ts';
import { writeLargeCompany } from '../support/large-company.ts';
import { TestRelay } from '../support/relay.ts';
import { median, quantile, table } from './report.ts';

const DEPARTMENTS = 1_000;
const PEOPLE = 10_000;
const OPENINGS = 5;
const FRAMES = 90;

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const rows: [what: string, value: string][] = [];
const frames = (times: readonly number[]): string => {
	return `median ${ms(median(times))}, p95 ${ms(quantile(times, 0.95))}, worst ${ms(Math.max(...times))}`;
};

const relay = await TestRelay.start();
const devices: Device[] = [];
try {
	const admin = await relay.register();
	const began = performance.now();
	await writeLargeCompany(relay, admin, { departments: DEPARTMENTS, people: PEOPLE });
	console.log(`written in ${Math.round(performance.now() - began)} ms`);

	const device = await Device.open('ana', relay);
	devices.push(device);
	const ana = new Screens(device);
	const { page } = ana;
	const synced = performance.now();
	await ana.signIn('ana@acme.example');
	await ana.saysSync(/^Up to date$/, 180_000);
	rows.push(['first sync', ms(performance.now() - synced)]);

	const tree = page.getByRole('tree', { name: 'Structure' });
	const department = (name: string): Locator => tree.getByRole('treeitem').filter({ has: page.getByText(name, { exact: true }) });

	/** From the press until the given thing is painted, by the page's own clock. */
	const opened = async (press: () => Promise<unknown>, selector: string): Promise<number> => {
		await page.evaluate((wanted) => {
			const own = window as unknown as { openedAfter: number };
			own.openedAfter = 0;
			addEventListener(
				'pointerdown',
				(event) => {
					const look = (): void => {
						if (!document.querySelector(wanted)) requestAnimationFrame(look);
						else requestAnimationFrame(() => (own.openedAfter = performance.now() - event.timeStamp));
					};
					look();
				},
				{ capture: true, once: true }
			);
		}, selector);
		await press();
		return eventually('the screen', () => page.evaluate(() => (window as unknown as { openedAfter: number }).openedAfter), (after) => after > 0);
	};
	const section = (name: string) => (): Promise<void> => page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: new RegExp(`^${name}`) }).click();
	const times: number[] = [];
	for (let i = 0; i < OPENINGS; i++) {
		times.push(await opened(section('Company'), '[role=treeitem]'));
		await section('Tasks')();
		await page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
	}
	rows.push(['Company opened from Tasks, first time', ms(times[0]!)]);
	rows.push(['the same again, median', ms(median(times.slice(1)))]);

	await device.keepsTheApp();
	await device.cut();
	const cold: number[] = [];
	for (let i = 0; i < 3; i++) {
		await device.goto('/company');
		await page.getByRole('treeitem').first().waitFor();
		cold.push(await page.evaluate(() => performance.now()));
	}
	rows.push(['/company loaded cold without a network, median of 3', ms(median(cold))]);
	await device.mend();
	await ana.saysSync(/^Up to date$/);

	/** Times between frames while `each` is done once a frame. */
	const whileMoving = (selector: string, stepPx: number): Promise<number[]> =>
		page.evaluate(
			({ wanted, step, count }) =>
				new Promise<number[]>((resolve) => {
					const scrolled = document.querySelector(wanted)!;
					const out: number[] = [];
					let last = performance.now();
					const tick = (now: number): void => {
						out.push(now - last);
						last = now;
						if (out.length > count) return resolve(out.slice(1));
						scrolled.scrollTop += step;
						requestAnimationFrame(tick);
					};
					requestAnimationFrame(tick);
				}),
			{ wanted: selector, step: stepPx, count: FRAMES }
		);
	await page.getByRole('grid').waitFor();
	rows.push(['scrolling the people of the company, 120 px a frame', frames(await whileMoving('[role=grid]', 120))]);
	await page.getByRole('button', { name: 'How the departments are shown' }).click();
	await page.getByRole('menuitem', { name: 'Unfold all' }).click();
	await page.getByRole('tree').waitFor();
	rows.push(['scrolling 1,001 departments, 120 px a frame', frames(await whileMoving('[role=tree]', 120))]);

	/** From a key until the frame that shows it, letter by letter. */
	await page.evaluate(() => {
		const own = window as unknown as { shown: number[] };
		own.shown = [];
		addEventListener('input', (event) => requestAnimationFrame(() => setTimeout(() => own.shown.push(performance.now() - event.timeStamp))), true);
	});
	const typed = async (field: Locator, text: string): Promise<number[]> => {
		await field.click();
		await page.evaluate(() => void ((window as unknown as { shown: number[] }).shown.length = 0));
		for (let i = 0; i < text.length; i++) {
			await page.keyboard.press(text[i]!);
			await eventually('the letter', () => page.evaluate(() => (window as unknown as { shown: number[] }).shown.length), (count) => count > i);
		}
		return page.evaluate(() => [...(window as unknown as { shown: number[] }).shown]);
	};
	rows.push(['a letter typed into the search of the structure', frames(await typed(page.getByRole('searchbox', { name: 'Find a department or a person' }), 'munteanu'))]);
	await page.getByRole('searchbox', { name: 'Find a department or a person' }).fill('');

	// ---- a person carried over the tree, with the tree scrolling at its edge
	await tree.evaluate((element) => void (element.scrollTop = 0));
	await department('Department 1').first().click();
	const line = page.getByRole('grid').getByRole('row').nth(1);
	const [from, over] = [(await line.boundingBox())!, (await tree.boundingBox())!];
	await page.mouse.move(from.x + 60, from.y + 20);
	await page.mouse.down();
	await page.mouse.move(from.x + 90, from.y + 30, { steps: 4 });
	const dragging = page.evaluate(
		(count) =>
			new Promise<number[]>((resolve) => {
				const out: number[] = [];
				let last = performance.now();
				const tick = (now: number): void => {
					out.push(now - last);
					last = now;
					if (out.length > count) resolve(out.slice(1));
					else requestAnimationFrame(tick);
				};
				requestAnimationFrame(tick);
			}),
		FRAMES * 2
	);
	for (let i = 0; i < 60; i++) await page.mouse.move(over.x + 120 + (i % 7) * 10, over.y + 20 + ((i * 37) % (over.height - 30)));
	await page.mouse.move(over.x + 120, over.y + over.height - 10);
	rows.push(['frames while a person is carried over the tree', frames(await dragging)]);
	await page.keyboard.press('Escape');
	await page.mouse.up();

	// ---- the structure changes: until the screen shows it
	await tree.evaluate((element) => void (element.scrollTop = 0));
	await department('Department 1').first().focus();
	const moved = performance.now();
	await page.keyboard.press('m');
	await page.getByRole('combobox', { name: 'Find a department' }).fill('Department 777');
	rows.push(['the dialog that moves a department, opened and narrowed', ms(performance.now() - moved)]);
	await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();

	await page.getByRole('tab', { name: /^People/ }).click();
	await page.getByRole('grid', { name: 'People' }).waitFor();
	rows.push(['scrolling the list of 10,001 people, 160 px a frame', frames(await whileMoving('[role=grid]', 160))]);
	rows.push(['a letter typed into the search of people', frames(await typed(page.getByRole('searchbox', { name: 'Find a person' }), 'munteanu'))]);
	const problems = device.complaints();
	if (problems.length > 0) console.log(problems.join('\n'));
} finally {
	for (const device of devices) await device.remove();
	await relay.remove();
	table('structure', rows);
}
