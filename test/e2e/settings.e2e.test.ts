/**
 * The settings through their screens, watched on a second device: what an administrator changes shows there at once, and after a reconnect where it was
 * changed without a network. The tests of this file are one story and run in order.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

/** Where somebody wants to look at it. */
const pictures = process.env.ATRIUM_PICTURES;
/** A square of one colour: a picture small enough to stand here. */
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mNkaPhPEmAiTfmohlENwwkA2MMBH1y5dFYAAAAASUVORK5CYII=', 'base64');
const PAGES = ['Company', 'Formats', 'Working hours', 'Communication', 'Services', 'Entry & security', 'Letters'] as const;

describe('the settings through their screens', () => {
	let relay: TestRelay;
	let admin: SignedIn;
	let bob: SignedIn;
	let ana: Screens;
	let bobs: Screens;

	beforeAll(async () => {
		relay = await TestRelay.start();
		admin = await relay.register();
		bob = await relay.hire(admin, 'bob@acme.example', 'Bob');
		await relay.create(bob, 'task', { title: 'Call the printer', deadline: '2031-05-20' });
		ana = new Screens(await Device.open('ana', relay));
		bobs = new Screens(await Device.open('bob', relay));
		await ana.signIn('ana@acme.example');
		await bobs.signIn('bob@acme.example');
	});
	afterAll(async () => {
		await Promise.all([ana?.device.remove(), bobs?.device.remove()]);
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [ana?.device, bobs?.device]));

	const sections = ({ page }: Screens): Locator => page.getByRole('navigation', { name: 'Sections' });
	const openPage = async (name: (typeof PAGES)[number]): Promise<void> => {
		if (!new URL(ana.page.url()).pathname.startsWith('/settings')) await sections(ana).getByRole('link', { name: 'Settings' }).click();
		await ana.page.getByRole('navigation', { name: 'Pages of the settings' }).getByRole('link', { name }).click();
		await ana.page.getByRole('heading', { name, level: 1 }).waitFor();
	};
	const settled = (): Promise<unknown> => ana.saysSync(/^Up to date$/);
	async function save(field: Locator, text: string): Promise<void> {
		await field.fill(text);
		await field.press('Enter');
	}
	const choose = async (label: string, option: string): Promise<void> => {
		await ana.main.getByLabel(label, { exact: true }).selectOption(option);
	};

	it('is the administrators\' alone', async () => {
		expect(await sections(bobs).getByRole('link', { name: 'Settings' }).count()).toBe(0);
		await bobs.device.goto('/settings/company');
		await bobs.page.getByRole('heading', { name: 'The settings are the administrators’' }).waitFor();
		await bobs.page.getByText('Ask Ana Pop').waitFor();
		await bobs.section('Tasks');
	});

	it('[SET-1] name, logo and colour show on another open client at once, and Undo takes them back', async () => {
		await openPage('Company');
		await save(ana.main.getByRole('textbox', { name: 'Company name' }), 'Acme & Daughters');
		await bobs.page.getByText('Acme & Daughters').first().waitFor();
		expect(await bobs.page.locator('aside img').count()).toBe(0);

		const chooser = ana.page.waitForEvent('filechooser');
		await ana.main.getByRole('button', { name: 'Choose a picture' }).click();
		await ana.page.getByRole('dialog', { name: 'Logo' }).getByRole('button', { name: 'Choose a picture' }).click();
		await (await chooser).setFiles({ name: 'logo.png', mimeType: 'image/png', buffer: PNG });
		await ana.page.getByRole('dialog', { name: 'Logo' }).getByRole('button', { name: 'Use this picture' }).click();
		await ana.page.getByRole('dialog', { name: 'Logo' }).waitFor({ state: 'hidden' });
		await bobs.page.locator('aside img').first().waitFor();

		const accent = (): Promise<string> => bobs.page.evaluate(() => document.documentElement.style.getPropertyValue('--accent-light'));
		expect(await accent()).toBe('');
		await ana.main.getByRole('radio', { name: 'Violet' }).click();
		await eventually('Bob\'s accent', accent, (now) => now !== '');
		await ana.page.getByText('Changed: Colour').waitFor();
		await ana.page.getByRole('button', { name: 'Undo' }).last().click();
		await eventually('Bob\'s accent', accent, (now) => now === '');
	});

	it('the company’s contact shows inside, to whoever works there, as it is written', async () => {
		await bobs.section('Company');
		const card = bobs.page.getByRole('button', { name: 'The company’s contact' });
		expect(await card.count()).toBe(0);
		await save(ana.main.getByRole('textbox', { name: 'Phone' }), '+40 21 000 00 00');
		await card.click();
		const shown = bobs.page.getByRole('dialog', { name: 'The company’s contact' });
		expect(await shown.getByRole('link', { name: '+40 21 000 00 00' }).getAttribute('href')).toBe('tel:+40210000000');
		await save(ana.main.getByRole('textbox', { name: 'Website' }), 'acme.example');
		expect(await shown.getByRole('link', { name: 'https://acme.example' }).getAttribute('href')).toBe('https://acme.example');
		await bobs.page.keyboard.press('Escape');
	});

	it('[SET-2] order of dates, clock and week change on every screen of the other', async () => {
		await bobs.section('Tasks');
		const deadline = (): Promise<string> => bobs.taskRow('Call the printer').getByRole('time').innerText();
		await eventually('the deadline as Britons write it', deadline, (now) => now.trim() === '20 May 2031');
		await bobs.openTask('Call the printer');
		const field = bobs.taskPanel.getByLabel('Deadline', { exact: true });
		expect(await field.inputValue()).toBe('20/05/2031');

		await openPage('Formats');
		await choose('Order of dates', 'ymd');
		await eventually('Bob\'s deadline', deadline, (now) => now.trim() === '2031-05-20');
		expect(await field.inputValue()).toBe('2031-05-20');
		await choose('Clock', 'h12');
		await choose('The week begins on', '7');
		await bobs.taskPanel.getByText(/\d{1,2}:\d{2}\s[ap]m/i).first().waitFor();

		// The calendar begins its week there, and is walked by keys.
		await field.press('Alt+ArrowDown');
		const calendar = bobs.page.getByRole('dialog', { name: 'Choose a day' });
		await eventually('the first day of the week', () => calendar.getByRole('columnheader').first().getAttribute('aria-label'), (day) => day === 'Sunday');
		await calendar.getByRole('gridcell', { name: 'Tuesday, 2031-05-20' }).waitFor();
		await eventually('the focus in the calendar', () => calendar.evaluate((node) => node.contains(document.activeElement)), (is) => is);
		for (const key of ['ArrowDown', 'ArrowRight', 'PageDown', 'Enter']) await bobs.page.keyboard.press(key);
		await eventually('the chosen day', () => field.inputValue(), (day) => day === '2031-06-28');

		// Typed in the order in use; what is no day stays, with the reason.
		await field.fill('2031-02-30');
		await field.blur();
		await bobs.taskPanel.getByText(/This is no day/).waitFor();
		await field.fill('2031-07-01');
		await field.blur();
		await eventually('the typed day', deadline, (now) => now.trim() === '2031-07-01');
	});

	it('the portal\'s language holds for whoever has chosen none', async () => {
		await choose('Language of the portal', 'ro');
		await bobs.page.getByRole('link', { name: 'Sarcini' }).first().waitFor();
		// Ana founded the portal in her own language.
		await choose('Language of the portal', 'en');
		await sections(bobs).getByRole('link', { name: 'Tasks' }).waitFor();
	});

	/** As `npm run portal -- tariff` does it; open devices hear of it at once. */
	const buy = (plan: 'project' | 'projectPlus' | 'company') => relay.operator('tariff', { portal: admin.portal, plan });

	it('[SET-3] working hours are locked on the free tariff, with the reason, and open on an open client with one that brings them; days off are quieter for the other', async () => {
		await openPage('Working hours');
		const reason = ana.main.getByText('The plan Project does not include a working schedule.');
		const on = ana.main.getByRole('checkbox', { name: 'The company has a working schedule' });
		await reason.waitFor();
		expect(await on.isDisabled()).toBe(true);
		expect(await ana.main.getByRole('textbox', { name: 'From' }).isDisabled()).toBe(true);

		await buy('projectPlus');
		await reason.waitFor({ state: 'detached' });
		await on.check({ force: true });
		const friday = ana.main.getByRole('button', { name: 'Fri' });
		await eventually('Friday is one of the days', () => friday.getAttribute('aria-pressed'), (pressed) => pressed === 'true');
		await friday.click();
		await eventually('Friday is none', () => friday.getAttribute('aria-pressed'), (pressed) => pressed === 'false');
		await save(ana.main.getByRole('textbox', { name: 'From' }), '8:30');
		const kept = async () => (await relay.api<{ rows: { workingHours: unknown }[] }>('GET', '/documents?kind=settings', undefined, admin.token)).body.rows[0]!.workingHours;
		await eventually('the schedule', kept, (now) => JSON.stringify(now) === JSON.stringify({ days: [1, 2, 3, 4], from: '08:30', to: '18:00' }));

		await bobs.taskPanel.getByLabel('Deadline', { exact: true }).press('Alt+ArrowDown');
		const calendar = bobs.page.getByRole('dialog', { name: 'Choose a day' });
		const ground = (day: RegExp) => calendar.getByRole('gridcell', { name: day }).evaluate((cell) => getComputedStyle(cell).backgroundColor + getComputedStyle(cell).color);
		await calendar.getByRole('gridcell', { name: /^Friday, 2031-07-04, no working day$/ }).waitFor();
		expect(await ground(/^Friday, 2031-07-04/)).not.toBe(await ground(/^Thursday, 2031-07-03$/));
		expect(await ground(/^Friday, 2031-07-11/)).toBe(await ground(/^Saturday, 2031-07-12/));
		await bobs.page.keyboard.press('Escape');
	});

	it('[SET-7] an own domain is locked below the tariff with the reason; on it the portal answers there, for this company alone', async () => {
		await openPage('Company');
		const field = ana.main.getByRole('textbox', { name: 'Domain of the portal' });
		const reason = ana.main.getByText('The plan Project+ does not include a domain of its own.');
		await reason.waitFor();
		expect(await field.isDisabled()).toBe(true);
		// With another company here nobody is at Acme's door by being here.
		await relay.register('Beta', 'bea@beta.example', 'Bea');
		await buy('company');
		await reason.waitFor({ state: 'detached' });
		await save(field, 'https://acme.localhost/');
		await ana.main.getByText(/This is no domain/).waitFor();
		await save(field, 'ACME.localhost');
		await settled();

		// Browsers take every name below `localhost` for this machine.
		const door = await bobs.device.context.newPage();
		const link = ana.main.getByRole('link', { name: `http://acme.localhost:${relay.port}/` });
		await door.goto(new URL('sign-in', (await link.getAttribute('href'))!).href);
		await door.getByRole('heading', { name: /^Sign in to Acme/, level: 1 }).waitFor();
		await door.getByRole('textbox', { name: 'E-mail or login' }).fill('bob@acme.example');
		await door.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await door.getByRole('button', { name: 'Sign in', exact: true }).click();
		await door.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
		expect(new URL(door.url()).host).toBe(`acme.localhost:${relay.port}`);
		await door.close();

		// The plan goes, the name stays the company's until it is given up.
		await buy('project');
		await ana.main.getByText('The plan Project does not include a domain of its own.').waitFor();
		expect([await field.inputValue(), await field.isDisabled()]).toEqual(['acme.localhost', false]);
		await save(field, '');
		await eventually('given up, it is closed', () => field.isDisabled(), (is) => is);
	});

	it('[SET-4] limited writing to all takes everybody from a normal user\'s picker', async () => {
		const page = await relay.create(bob, 'page', { title: 'Minutes', place: 'mine' });
		const offered = async (): Promise<number> => {
			await bobs.device.goto(`/documents/${page}`);
			await bobs.main.getByRole('button', { name: 'Share' }).click();
			await bobs.page.getByRole('dialog').getByRole('button', { name: 'Give access' }).click();
			await bobs.page.getByRole('option', { name: /Ana Pop/ }).waitFor();
			return bobs.page.getByRole('option', { name: /^Everyone|^All employees/ }).count();
		};
		expect(await offered()).toBe(1);
		await openPage('Communication');
		await ana.main.getByRole('radio', { name: 'Only some' }).click();
		await settled();
		await eventually('nobody is offered everybody any more', offered, (count) => count === 0);
		await bobs.page.keyboard.press('Escape');
		await bobs.page.keyboard.press('Escape');
		await bobs.main.getByRole('button', { name: 'More', exact: true }).first().click();
		const move = bobs.page.getByRole('menuitem', { name: /^Move to Company/ });
		await eventually('the way to everybody is closed', () => move.getAttribute('aria-disabled'), (is) => is === 'true');
		await move.getByText(/limited in the company’s settings/).waitFor();
		await bobs.page.keyboard.press('Escape');
		expect((await relay.api<{ code: string }>('POST', `/documents/${page}/commands`, { command: 'setPlace', value: 'company' }, bob.token)).body).toMatchObject({ code: 'denied', rule: 'recipients.all-is-limited' });
		expect((await relay.api<{ code: string }>('POST', `/documents/${page}/commands`, { command: 'setGrant', key: 'all', value: 'read' }, bob.token)).body.code).toBe('denied');
	});

	it('[SET-5] a service is asked for before it goes off, and leaves the other\'s menu', async () => {
		await bobs.device.goto('/tasks');
		await openPage('Services');
		await ana.main.getByRole('checkbox', { name: /^CRM/ }).uncheck({ force: true });
		const dialog = ana.page.getByRole('dialog', { name: 'Switch off CRM?' });
		await dialog.getByRole('button', { name: 'Cancel' }).click();
		await sections(bobs).getByRole('link', { name: 'CRM' }).waitFor();
		expect(await ana.main.getByRole('checkbox', { name: /^CRM/ }).isChecked()).toBe(true);
		await ana.main.getByRole('checkbox', { name: /^CRM/ }).uncheck({ force: true });
		await dialog.getByRole('button', { name: 'Switch off' }).click();
		await sections(bobs).getByRole('link', { name: 'CRM' }).waitFor({ state: 'detached' });
		await ana.main.getByRole('checkbox', { name: /^CRM/ }).check({ force: true });
		await sections(bobs).getByRole('link', { name: 'CRM' }).waitFor();
	});

	it('[SET-6] says when the address one is at would be left out, and adds it', async () => {
		await openPage('Entry & security');
		await ana.main.getByText('You are at 127.0.0.1 now.').waitFor();
		await ana.main.getByText('2 of 2 people have none yet.').waitFor();
		await ana.main.getByRole('button', { name: 'Show who' }).click();
		await ana.main.getByRole('list', { name: 'People without a second factor' }).getByRole('link', { name: 'Bob Ionescu' }).waitFor();
		await save(ana.main.getByRole('textbox', { name: 'Network or address' }), 'nowhere');
		await ana.main.getByText(/This is no network/).waitFor();
		await save(ana.main.getByRole('textbox', { name: 'Network or address' }), '203.0.113.7/24');
		await ana.main.getByRole('list', { name: 'Networks' }).getByText('203.0.113.0/24').waitFor();
		await ana.main.getByRole('alert').getByText(/127\.0\.0\.1 is outside these networks/).waitFor();
		// Bob is outside now, and goes on working; he is let in again once the address is named.
		const shutOut = bobs.page.getByRole('status').filter({ hasText: /outside your company/ });
		await shutOut.getByRole('button', { name: 'Try again' }).waitFor();
		await bobs.newTask('Thought of outside');
		await bobs.taskRow('Thought of outside').waitFor();
		await ana.main.getByRole('button', { name: 'Add mine: 127.0.0.1' }).click();
		await ana.main.getByText(/is outside these networks/).waitFor({ state: 'detached' });
		// By himself: nobody touches his device.
		await shutOut.waitFor({ state: 'detached' });
		await bobs.saysSync(/^Up to date$/);
		const { body } = await relay.api<{ rows: { title: string }[] }>('GET', '/documents?kind=task', undefined, bob.token);
		expect(body.rows.map(({ title }) => title)).toContain('Thought of outside');
		// Both at once: the second press does not bring the first network back.
		await ana.main.getByRole('list', { name: 'Networks' }).evaluate((list) => list.querySelectorAll('button').forEach((button) => button.click()));
		await ana.main.getByText('From anywhere.').waitFor();
		await settled();
	});

	it('who invites, in whose name letters come, self-registration and a second factor hold at once', async () => {
		await openPage('Communication');
		await save(ana.main.getByRole('textbox', { name: 'Sender’s name' }), 'Acme at work');
		await save(ana.main.getByRole('textbox', { name: 'Reply-to address' }), 'office@acme.example');
		await bobs.section('Company');
		expect(await bobs.main.getByRole('button', { name: 'Invite people' }).count()).toBe(0);
		await ana.main.getByRole('button', { name: 'Add who invites' }).click();
		await ana.page.getByRole('combobox', { name: 'Add who invites' }).fill('Bob');
		await ana.page.getByRole('option', { name: /Bob/ }).first().waitFor();
		await ana.page.keyboard.press('Enter');
		await bobs.main.getByRole('button', { name: 'Invite people' }).first().click();
		const asks = bobs.page.getByRole('dialog', { name: 'Invite people' });
		await asks.getByRole('textbox', { name: 'E-mail addresses' }).fill('cat@acme.example');
		await asks.getByRole('button', { name: /^Invite 1/ }).click();
		await asks.getByText(/^1 invitation sent/).waitFor();
		await asks.getByRole('button', { name: 'Done' }).click();
		const mail = join(relay.dataDir, 'mail');
		const letter = readFileSync(join(mail, readdirSync(mail).find((name) => name.includes('invitation-cat'))!), 'utf8');
		expect(letter).toMatch(/^From: "?Acme at work"? </m);
		expect(letter).toMatch(/^Reply-To: <?office@acme\.example>?/m);

		await openPage('Entry & security');
		await choose('People may register themselves', 'moderated');
		await eventually('the door', async () => (await relay.api<{ selfRegistration: string }>('GET', `/entrance?portal=${admin.portal}`)).body.selfRegistration, (mode) => mode === 'moderated');
		const demand = ana.main.getByRole('checkbox', { name: 'Everybody needs a second factor' });
		await demand.check({ force: true });
		await bobs.page.getByText(/^Your company demands a second factor from/).waitFor();
		await demand.uncheck({ force: true });
		await bobs.page.getByText(/^Your company demands a second factor from/).waitFor({ state: 'detached' });
	});

	it('a letter that does not go is shown with its reason, and goes once it is asked for again', async () => {
		const mail = join(relay.dataDir, 'mail');
		renameSync(mail, `${mail}.away`);
		writeFileSync(mail, 'in the way');
		try {
			const { body } = await relay.api<{ results: { letter: string }[] }>('POST', '/invitations', { addresses: ['dan@acme.example'] }, admin.token);
			expect(body.results[0]!.letter).toBe('waiting');
			await openPage('Letters');
			await ana.main.getByRole('list', { name: 'Letters that did not go' }).getByRole('listitem').filter({ hasText: 'dan@acme.example' }).getByText('The file of the letter could not be written.').waitFor();
		} finally {
			rmSync(mail);
			renameSync(`${mail}.away`, mail);
		}
		await ana.main.getByRole('button', { name: 'Send the letter to dan@acme.example again' }).click();
		await ana.main.getByText('Every letter went.').waitFor();
		expect(await relay.invitationCode('dan@acme.example')).toBeTruthy();
	});

	it('[P1] without a network a change is kept here and reaches the other after the reconnect', async () => {
		await openPage('Company');
		await ana.device.cut();
		await save(ana.main.getByRole('textbox', { name: 'Company name' }), 'Made on the train');
		await sections(ana).waitFor();
		await ana.page.locator('aside').getByText('Made on the train').waitFor();
		await ana.hasMark(ana.main, 'Kept here');
		await openPage('Letters');
		await ana.main.getByRole('alert').waitFor();
		expect(await bobs.page.getByText('Made on the train').count()).toBe(0);
		await ana.device.mend();
		await bobs.page.locator('aside').getByText('Made on the train').waitFor();
		await ana.main.getByText('Every letter went.').waitFor();
		await ana.main.getByText(/they lie as files/).waitFor();
	});

	it('fits the narrowest phone in Romanian', async () => {
		const { page } = ana;
		const wider: string[] = [];
		await page.setViewportSize({ width: 360, height: 740 });
		await page.evaluate(() => localStorage.setItem('PARAGLIDE_LOCALE', 'ro'));
		for (const id of ['company', 'formats', 'hours', 'communication', 'services', 'entry', 'letters', '']) {
			await ana.device.goto(`/settings/${id}`);
			await page.getByRole('heading', { level: 1 }).waitFor();
			if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) wider.push(id);
			if (!pictures) continue;
			mkdirSync(pictures, { recursive: true });
			await page.screenshot({ path: join(pictures, `${id || 'list'}-phone-ro.png`) });
		}
		expect(wider).toEqual([]);
		expect([...ana.device.complaints(), ...bobs.device.complaints()]).toEqual([]);
	});
});
