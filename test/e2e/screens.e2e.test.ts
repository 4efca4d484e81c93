/**
 * Every screen as everybody uses it: by assistive technology (axe), by keys alone, on a phone, in the dark, in Romanian; installed; and brought up
 * to date under someone who types.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DocumentId } from '#crdt-model/ids.ts';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const root = join(import.meta.dirname, '..', '..');
const MAIL = 'ana@acme.example';

describe('every screen', () => {
	let relay: TestRelay;
	let ana: SignedIn;
	let screens: Screens;
	const ids: Record<string, DocumentId> = {};

	beforeAll(async () => {
		relay = await TestRelay.start();
		ana = await relay.register();
		const bob = await relay.hire(ana, 'bob@acme.example', 'Bob', 'Ionescu-Constantinescu of the Very Long Name');
		const make = async (name: string, kind: string, fields: Record<string, unknown>): Promise<void> => {
			ids[name] = await relay.create(ana, kind, fields);
		};
		await make('task', 'task', { title: 'Prepare the fair', deadline: '2020-02-03', priority: 'high', participants: [bob.employee] });
		await make('second', 'task', { title: `A title that goes ${'on and '.repeat(25)}on`, deadline: '2031-02-03', responsible: bob.employee });
		await make('third', 'task', { title: 'Call the printer' });
		await make('company', 'company', { name: 'Cancity', sector: 'retail' });
		await make('product', 'product', { name: 'GTX Pro', price: 4821 });
		await make('deal', 'deal', { title: 'Fair stand', amount: 1000, account: ids.company, product: ids.product });
		await make('won', 'deal', { title: 'Won before', stage: 'won', amount: 20_000 });
		await make('page', 'page', { title: 'Minutes', place: 'company' });
		await make('group', 'group', { name: `A group with a name that goes ${'on and '.repeat(12)}on`, description: 'For the fair', visibility: 'closed', members: [bob.employee] });
		await make('role', 'role', { name: 'Sellers', people: [`user:${bob.employee}`, 'all'] });
		await make('text', 'text', { title: 'notes.md', place: 'mine' });
		screens = new Screens(await Device.open('ana', relay));
		await screens.signIn(MAIL);
		await screens.openTask('Prepare the fair');
		await screens.addItem('Book the stand');
		await screens.checkItem('Book the stand').waitFor();
		const minutes = await screens.openDocument('Minutes');
		await minutes.click();
		await screens.page.keyboard.type('# The fair');
		await screens.page.keyboard.press('Enter');
		await screens.page.keyboard.type('- one');
		// Something set aside: a guarded amount that the relay took from somebody else first.
		await screens.section('CRM');
		await screens.dealCard('Fair stand').click();
		await screens.dealPanel.waitFor();
		await screens.device.cut();
		await screens.saysSync(/^On this device$/);
		await screens.setAmount('3000');
		await screens.hasMark(screens.dealPanel, 'Kept here');
		const set = await relay.api('POST', `/documents/${ids.deal}/commands`, { command: 'deal.setAmount', value: 2000 }, ana.token);
		expect(set.status).toBeLessThan(300);
		await screens.device.mend();
		await screens.saysSync(/^1 set aside$/);
	});
	afterAll(async () => {
		await screens?.device.remove();
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [screens?.device]));

	interface View {
		readonly name: string;
		readonly path: () => string;
		/** What shows that it is drawn; its heading otherwise. */
		readonly ready: (page: Page) => Promise<unknown>;
		readonly title: RegExp;
	}
	const heading = (name: string) => (page: Page): Promise<unknown> => page.getByRole('heading', { name, level: 1 }).waitFor();
	const views: readonly View[] = [
		{ name: 'tasks', path: () => '/tasks', ready: (page) => page.getByRole('grid', { name: 'Tasks' }).waitFor(), title: /^Tasks · Atrium$/ },
		{ name: 'a task', path: () => `/tasks/${ids.task}`, ready: (page) => page.getByRole('heading', { name: 'Checklist' }).waitFor(), title: /Atrium$/ },
		{ name: 'deals', path: () => '/crm', ready: (page) => page.getByRole('region', { name: /^Won, 1/ }).waitFor(), title: /^CRM · Atrium$/ },
		{ name: 'a deal', path: () => `/crm/${ids.deal}`, ready: (page) => page.getByRole('group', { name: 'Stage' }).waitFor(), title: /^Fair stand · .*Atrium$/ },
		{ name: 'companies', path: () => '/crm?tab=companies', ready: (page) => page.getByText('Cancity').first().waitFor(), title: /Atrium$/ },
		{ name: 'a company', path: () => `/crm/${ids.company}`, ready: (page) => page.getByText('Sector').first().waitFor(), title: /^Cancity · .*Atrium$/ },
		{ name: 'products', path: () => '/crm?tab=products', ready: (page) => page.getByText('GTX Pro').first().waitFor(), title: /Atrium$/ },
		{ name: 'documents', path: () => '/documents', ready: (page) => page.getByRole('grid', { name: 'Documents' }).waitFor(), title: /^Documents · Atrium$/ },
		{ name: 'a page', path: () => `/documents/${ids.page}`, ready: (page) => page.getByRole('textbox', { name: 'Minutes' }).getByRole('heading').waitFor(), title: /^Minutes · Atrium$/ },
		{ name: 'a text', path: () => `/documents/${ids.text}`, ready: (page) => page.getByRole('textbox', { name: 'notes.md' }).waitFor(), title: /^notes.md · Atrium$/ },
		{ name: 'the company', path: () => '/company', ready: (page) => page.getByRole('tree', { name: 'Structure' }).waitFor(), title: /^Company · Atrium$/ },
		{ name: 'everybody', path: () => '/company?tab=people', ready: (page) => page.getByRole('grid', { name: 'People' }).waitFor(), title: /^People · Company · Atrium$/ },
		{ name: 'groups', path: () => '/company?tab=groups', ready: (page) => page.getByRole('grid', { name: 'Groups' }).waitFor(), title: /^Groups · Company · Atrium$/ },
		{ name: 'a group', path: () => `/company?tab=groups&group=${ids.group}`, ready: (page) => page.getByText('You own this group').waitFor(), title: /Atrium$/ },
		{ name: 'permissions', path: () => `/crm?tab=permissions&role=${ids.role}`, ready: (page) => page.getByRole('table', { name: 'What it gives' }).waitFor(), title: /^CRM · Atrium$/ },
		{ name: 'what a person gets', path: () => '/crm?tab=permissions&role=who', ready: (page) => page.getByRole('table').waitFor(), title: /^CRM · Atrium$/ },
		{ name: 'what was set aside', path: () => '/set-aside', ready: (page) => page.getByRole('article', { name: 'Fair stand' }).waitFor(), title: /^Set aside · Atrium$/ },
		{ name: 'an address that does not exist', path: () => '/nowhere', ready: heading('There is nothing at this address'), title: /Atrium$/ }
	];
	const doors: readonly View[] = [
		{ name: 'sign in', path: () => '/sign-in', ready: (page) => page.getByRole('button', { name: 'Sign in' }).waitFor(), title: /^Sign in to Acme · Atrium$/ },
		{ name: 'register another company', path: () => '/register', ready: (page) => page.getByRole('button', { name: 'Create the portal' }).waitFor(), title: /^Register another company · Atrium$/ }
	];

	/** What axe finds that keeps somebody out. A theme changes colours alone: the second one is asked for those. */
	async function barriers(page: Page, where: string, onlyColours = false): Promise<string[]> {
		// A theme that has just changed is drawn a frame later, its transitions with it.
		await page.evaluate(async () => {
			for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
			await Promise.allSettled(document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity).map((one) => one.finished));
		});
		const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
		const { violations } = await (onlyColours ? axe.withRules(['color-contrast']) : axe).analyze();
		return violations
			.filter(({ impact }) => impact === 'serious' || impact === 'critical')
			.map(({ id, impact, nodes }) => `${where}: ${id} (${impact}) ${nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`).join(' | ')}`);
	}

	const THEMES = ['light', 'dark'] as const;

	async function atADesk(): Promise<void> {
		const { page, device } = screens;
		const found: string[] = [];
		const titles: string[] = [];
		for (const view of [...views, ...doors]) {
			await device.goto(view.path());
			await view.ready(page);
			const title = await eventually(`the title of ${view.name}`, () => page.title(), (now) => view.title.test(now)).catch((fault: Error) => fault.message);
			if (!view.title.test(title)) titles.push(title);
			for (const colorScheme of THEMES) {
				await page.emulateMedia({ colorScheme });
				found.push(...(await barriers(page, `${view.name}, ${colorScheme}`, colorScheme === 'dark')));
			}
		}
		expect([...found, ...titles]).toEqual([]);
	}

	async function onAPhone(): Promise<void> {
		const phone = new Screens(await Device.open('phone', relay, { width: 390, height: 844, touch: true }));
		try {
			await phone.signIn(MAIL);
			await phone.saysSync(/Up to date/);
			const found: string[] = [];
			for (const view of views.filter(({ name }) => name !== 'what was set aside')) {
				await phone.device.goto(view.path());
				await view.ready(phone.page);
				for (const colorScheme of THEMES) {
					await phone.page.emulateMedia({ colorScheme });
					found.push(...(await barriers(phone.page, `${view.name}, phone, ${colorScheme}`, colorScheme === 'dark')));
				}
				const beyond = await phone.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
				if (beyond > 0) found.push(`${view.name}, phone: ${beyond} px wider than the screen`);
			}
			expect(found).toEqual([]);
			expect(phone.device.complaints()).toEqual([]);
		} finally {
			await phone.device.remove();
		}
	}

	it('keeps nobody out: axe finds nothing serious at a desk and on a phone, in both themes; titles are there; nothing reaches beyond the edge', async () => {
		// Side by side: each leaves a core of its time to the other.
		await Promise.all([atADesk(), onAPhone()]);
	});

	it('nor do palette, keys, menus and dialogs', async () => {
		const { page, device } = screens;
		await page.emulateMedia({ colorScheme: 'light' });
		const found: string[] = [];
		await device.goto('/tasks');
		await screens.taskRow('Prepare the fair').waitFor();
		await page.keyboard.press('Control+k');
		await page.getByRole('combobox', { name: 'Command palette' }).fill('fair');
		await page.getByRole('option', { name: /Prepare the fair/ }).waitFor();
		found.push(...(await barriers(page, 'palette')));
		await page.keyboard.press('Escape');
		await page.getByRole('combobox', { name: 'Command palette' }).waitFor({ state: 'hidden' });
		await page.keyboard.press('?');
		await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
		found.push(...(await barriers(page, 'keys')));
		await page.keyboard.press('Escape');
		await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor({ state: 'hidden' });
		await screens.section('CRM');
		await page.keyboard.press('c');
		await page.getByRole('dialog', { name: 'New deal' }).waitFor();
		found.push(...(await barriers(page, 'new deal')));
		await page.keyboard.press('Escape');
		await screens.main.getByRole('radio', { name: 'List' }).check({ force: true });
		await page.getByRole('row').filter({ hasText: 'Won before' }).waitFor();
		found.push(...(await barriers(page, 'list of deals')));
		await screens.main.getByRole('radio', { name: 'Board' }).check({ force: true });
		await screens.section('Company');
		await screens.main.getByRole('button', { name: 'Invite people' }).click();
		await page.getByRole('dialog', { name: 'Invite people' }).waitFor();
		found.push(...(await barriers(page, 'invite')));
		await page.keyboard.press('Escape');
		await page.keyboard.press('e');
		await page.getByRole('dialog', { name: 'Change the department' }).waitFor();
		found.push(...(await barriers(page, 'department')));
		await page.keyboard.press('Escape');
		await screens.main.getByRole('grid').getByRole('row').filter({ hasText: 'Ana Pop' }).first().getByRole('button', { name: /^What to do with/ }).click();
		await page.getByRole('menuitem', { name: /^Move to a department/ }).waitFor();
		found.push(...(await barriers(page, 'person menu')));
		await page.getByRole('menuitem', { name: /^Move to a department/ }).click();
		await page.getByRole('dialog', { name: 'Move Ana Pop' }).waitFor();
		found.push(...(await barriers(page, 'move')));
		await page.keyboard.press('Escape');
		await device.goto(`/documents/${ids.page}`);
		await screens.main.getByRole('button', { name: 'Share…' }).click();
		await page.getByRole('dialog', { name: 'Share “Minutes”' }).waitFor();
		found.push(...(await barriers(page, 'share')));
		await page.keyboard.press('Escape');
		await page.getByRole('button', { name: /^Account/ }).click();
		await page.getByRole('menu').waitFor();
		found.push(...(await barriers(page, 'account menu')));
		await page.keyboard.press('Escape');
		expect(found).toEqual([]);
	});

	it('keys alone go everywhere: g and a letter, c, j and k, Enter, Esc, Ctrl-K', async () => {
		const { page, device } = screens;
		await device.goto('/company');
		await page.getByRole('tree', { name: 'Structure' }).waitFor();
		await page.keyboard.press('g');
		await page.keyboard.press('t');
		await heading('Tasks')(page);
		await page.keyboard.press('c');
		await eventually('the field for a new task has the focus', () => focused(page), (now) => now === 'What has to be done');
		await page.keyboard.type('By keys alone');
		await page.keyboard.press('Enter');
		await screens.taskRow('By keys alone').waitFor();
		// With its number it has its place in the list, which is walked below.
		await screens.hasMark(screens.taskRow('By keys alone'), 'Accepted');
		await page.keyboard.press('Escape');
		await page.keyboard.press('f');
		await eventually('the filter has the focus', () => focused(page), (now) => now === 'Filter tasks');
		await page.keyboard.press('Enter');
		// From the top: the heading of a group, then task by task.
		const rows = page.getByRole('grid', { name: 'Tasks' });
		await eventually('Enter leaves the filter', () => focused(page), (now) => now !== 'Filter tasks');
		await page.keyboard.press('Home');
		let at = await eventually('Home goes to the top', () => activeRow(page), (now) => now !== '');
		for (let i = 0; i < 12 && !at.includes('By keys alone'); i++) {
			const before = at;
			await page.keyboard.press('j');
			at = await eventually('j goes down', () => activeRow(page), (now) => now !== before);
		}
		expect(at).toContain('By keys alone');
		await page.keyboard.press('k');
		await eventually('k went up', () => activeRow(page), (now) => !now.includes('By keys alone'));
		await page.keyboard.press('j');
		await eventually('j came back', () => activeRow(page), (now) => now.includes('By keys alone'));
		await page.keyboard.press('Enter');
		await screens.taskPanel.waitFor();
		expect(new URL(page.url()).pathname).toMatch(/^\/tasks\/task_/);
		await page.keyboard.press('Escape');
		await eventually('Esc closes it', async () => new URL(page.url()).pathname, (path) => path === '/tasks');
		await rows.waitFor();
		for (const [letter, name] of [['c', 'CRM'], ['d', 'Documents'], ['o', 'Company'], ['s', 'Set aside']] as const) {
			const link = page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: new RegExp(`^${name}`) });
			expect(await link.count()).toBe(1);
			await page.keyboard.press('g');
			await page.keyboard.press(letter);
			await heading(name)(page);
		}
		await page.keyboard.press('Control+k');
		await page.getByRole('combobox', { name: 'Command palette' }).waitFor();
		await page.keyboard.type('fair stand');
		await page.getByRole('option', { name: /^Fair stand/ }).waitFor();
		await page.keyboard.press('Enter');
		await screens.dealPanel.waitFor();
		await page.keyboard.press('Escape');
		await eventually('the deal is closed', async () => new URL(page.url()).pathname, (path) => path === '/crm');
		// People and departments are found by their names, too.
		for (const [asked, shown] of [['pop', page.getByRole('region', { name: /^Ana Pop: / })], ['acme', page.getByRole('treeitem', { name: /^Acme/, selected: true })]] as const) {
			await page.keyboard.press('Control+k');
			await page.getByRole('combobox', { name: 'Command palette' }).waitFor();
			await page.keyboard.type(asked);
			await page.getByRole('option', { name: /(Person|Department)/ }).first().waitFor();
			await page.keyboard.press('Enter');
			await shown.waitFor();
		}
	});

	it('speaks Romanian, all of it', async () => {
		const folder = join(root, 'app', 'messages');
		const missing: string[] = [];
		const english = new Map<string, string>();
		for (const file of readdirSync(folder).filter((name) => name.endsWith('.en.json'))) {
			const [en, ro] = ['en', 'ro'].map((language) => JSON.parse(readFileSync(join(folder, file.replace('.en.', `.${language}.`)), 'utf8')) as Record<string, unknown>) as [Record<string, unknown>, Record<string, unknown>];
			for (const key of Object.keys(en)) {
				if (!(key in ro)) missing.push(`${key} is not in Romanian`);
				else if (typeof en[key] === 'string' && !en[key].includes('{') && en[key] !== ro[key]) english.set(en[key], key);
			}
			for (const key of Object.keys(ro)) if (!(key in en)) missing.push(`${key} is not in English`);
		}
		// A word that is another message's Romanian is no slip.
		for (const file of readdirSync(folder).filter((name) => name.endsWith('.ro.json'))) {
			for (const value of Object.values(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>)) english.delete(value as string);
		}
		const romanian = new Screens(await Device.open('romanian', relay, { locale: 'ro-RO' }));
		try {
			const { page, device } = romanian;
			await device.goto('/sign-in');
			await page.getByRole('textbox', { name: 'E-mail' }).fill(MAIL);
			await page.getByLabel('Parola', { exact: true }).or(page.getByLabel('Parolă', { exact: true })).fill('a long enough password');
			await page.keyboard.press('Enter');
			await page.getByRole('navigation').first().waitFor();
			await device.keepsTheApp();
			// The portal speaks English until somebody chooses otherwise: what a browser asks for is no choice.
			await page.getByRole('button', { name: /^(Account|Cont)/ }).first().click();
			await page.getByRole('menuitemradio', { name: 'Română' }).click();
			const slips: string[] = [];
			for (const view of views) {
				await device.goto(view.path());
				await page.getByRole('heading', { level: 1 }).first().waitFor();
				await eventually('the language', () => page.evaluate(() => document.documentElement.lang), (lang) => lang === 'ro');
				const words = await page.evaluate(() => {
					const out: string[] = [];
					const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
					for (let node = walk.nextNode(); node; node = walk.nextNode()) {
						// What people wrote stays as they wrote it.
						if (!(node.parentElement?.closest('script, style, [contenteditable], [role=textbox]') ?? null)) out.push(node.textContent!.trim());
					}
					for (const one of document.querySelectorAll('[aria-label], [title], [placeholder]')) for (const name of ['aria-label', 'title', 'placeholder']) out.push(one.getAttribute(name)?.trim() ?? '');
					return out;
				});
				for (const word of new Set(words)) if (english.has(word)) slips.push(`${view.name}: “${word}” (${english.get(word)})`);
			}
			expect([...missing, ...slips]).toEqual([]);
		} finally {
			await romanian.device.remove();
		}
	});

	it('can be installed', async () => {
		await screens.device.goto('/tasks');
		const cdp = await screens.device.cdp();
		const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
		expect(installabilityErrors).toEqual([]);
		const { errors, url } = await cdp.send('Page.getAppManifest');
		expect([errors, new URL(url).pathname]).toEqual([[], '/manifest.webmanifest']);
	});

	it('[P3] a new version is offered, not forced, and what is being typed is not lost', async () => {
		const { page, device } = screens;
		await device.goto(`/tasks/${ids.task}`);
		await screens.taskPanel.waitFor();
		await screens.taskPanel.getByRole('textbox', { name: 'Write a comment' }).fill('half a com');
		device.expectOutage();
		await relay.stop();
		const worker = join(root, 'build', 'service-worker.js');
		const old = readFileSync(worker, 'utf8');
		const version = /version:`([^`]+)`/.exec(old)![1]!;
		try {
			writeFileSync(worker, old.replaceAll(version, `${version}-next`));
			// The relay reads the app when it starts.
			await relay.start();
		} finally {
			writeFileSync(worker, old);
		}
		await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
		const offer = page.getByRole('button', { name: 'Reload' });
		await offer.waitFor();
		const loaded = await page.evaluate(() => performance.timeOrigin);
		const description = screens.taskPanel.getByRole('textbox', { name: 'Description' });
		await description.click();
		await page.keyboard.type('half a sentence');
		expect(await page.evaluate(() => performance.timeOrigin)).toBe(loaded);
		await offer.click();
		await eventually('the page is loaded anew', () => page.evaluate(() => performance.timeOrigin), (now) => now !== loaded);
		await screens.taskPanel.waitFor();
		await description.getByText('half a sentence').waitFor();
		await eventually('the begun comment', () => screens.taskPanel.getByRole('textbox', { name: 'Write a comment' }).inputValue(), (text) => text === 'half a com');
		expect(await page.getByRole('button', { name: 'Reload' }).count()).toBe(0);
		expect((await page.evaluate(() => caches.keys())).filter((name) => name.startsWith('atrium:'))).toEqual([`atrium:${version}-next`]);
	});

	it('the console stayed silent', () => expect(screens.device.complaints()).toEqual([]));
});

/** The accessible name, near enough, of what has the focus. */
function focused(page: Page): Promise<string> {
	return page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
}

/** The row that the keys stand on: focused itself, or named by the grid. */
function activeRow(page: Page): Promise<string> {
	return page.evaluate(() => {
		const at = document.activeElement;
		const named = at?.getAttribute('aria-activedescendant');
		return ((named ? document.getElementById(named) : at?.closest('[role=row]')) ?? at)?.textContent ?? '';
	});
}
