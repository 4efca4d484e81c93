/**
 * People through the screens: who is online, the list and the profile beside it, inviting three ways, requests, dismissal, return and erasing, a structure
 * changed by hand and by finger. The tests of this file are one story and run in order.
 */
import { AxeBuilder } from '@axe-core/playwright';
import type { CDPSession, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DepartmentId } from '#crdt-model/ids.ts';
import { oneTimeCode } from '../support/one-time-code.ts';
import { PASSWORD, TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const MARIA = 'maria@acme.example';

describe('people through the screens', () => {
	let relay: TestRelay;
	let admin: SignedIn;
	let bob: SignedIn;
	let ana: Screens;
	let maria: Screens;
	/** A tablet that several people use, one after another. */
	let door: Screens;
	const others: Device[] = [];

	beforeAll(async () => {
		relay = await TestRelay.start();
		admin = await relay.register();
		await relay.hire(admin, MARIA, 'Maria', 'Marin');
		bob = await relay.hire(admin, 'bob@acme.example', 'Bob', 'Ionescu');
		await relay.create(bob, 'task', { title: 'Call the printer' });
		await relay.create(bob, 'page', { title: 'Notes of Bob' });
		await relay.create(admin, 'group', { name: 'Fair' });
		ana = new Screens(await Device.open('ana', relay));
		maria = new Screens(await Device.open('maria', relay));
		await ana.signIn('ana@acme.example');
	});
	afterAll(async () => {
		await Promise.all([ana?.device, maria?.device, ...others].map((device) => device?.remove()));
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [ana?.device, maria?.device, ...others]));

	const dialog = (name: string | RegExp, screens = ana): Locator => screens.page.getByRole('dialog', { name });
	const line = (name: string, screens = ana): Locator => screens.main.getByRole('grid').getByRole('row').filter({ hasText: name });
	const card = (name: string, screens = ana): Locator => screens.page.getByRole('region', { name: `${name}: profile` });
	const which = (name: RegExp): Locator => ana.page.getByRole('radiogroup', { name: 'Which people' }).getByRole('radio', { name });
	async function people(): Promise<void> {
		await ana.section('Company');
		await ana.page.getByRole('tab', { name: /^People/ }).click();
		await ana.main.getByRole('grid', { name: 'People' }).waitFor();
	}
	async function menuOf(name: string): Promise<void> {
		await line(name).getByRole('button', { name: `What to do with ${name}` }).click();
		await ana.page.getByRole('menu', { name: `What to do with ${name}` }).waitFor();
	}
	/** Through the link and the letter, until it says that an administrator decides. */
	async function asksToJoin({ page, device }: Screens, address: string, who: { firstName: string; lastName: string; email: string; password: string }): Promise<void> {
		await page.goto(address);
		await page.getByRole('heading', { name: 'Join Acme', level: 1 }).waitFor();
		expect(page.url()).not.toContain('#');
		await page.getByText('An administrator lets you in').waitFor();
		await page.getByRole('textbox', { name: 'First name' }).fill(who.firstName);
		await page.getByRole('textbox', { name: 'Last name' }).fill(who.lastName);
		await page.getByRole('textbox', { name: 'E-mail' }).fill(who.email);
		await page.getByLabel('Password', { exact: true }).fill(who.password);
		await page.getByLabel('Password, once more').fill(who.password);
		await page.getByRole('button', { name: 'Register' }).click();
		await page.getByRole('heading', { name: 'Look in your mailbox', level: 1 }).waitFor();
		await device.goto(`/join#${await relay.letterCode(who.email, 'join')}`);
		await page.getByText('An administrator decides now.').waitFor();
	}
	async function barriers(where: string): Promise<string[]> {
		const { violations } = await new AxeBuilder({ page: ana.page }).setLegacyMode().options({ resultTypes: ['violations'] }).analyze();
		return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${where}: ${id} ${nodes[0]?.html}`);
	}

	it('who comes is online on the other’s screen, who goes is not; without a network nobody knows', async () => {
		await people();
		await which(/^Online/).click();
		await line('Ana Pop').waitFor();
		expect(await line('Maria Marin').count()).toBe(0);
		await maria.signIn(MARIA);
		await line('Maria Marin').waitFor();
		await which(/^Work here/).click();
		await line('Maria Marin').getByText('Online').waitFor();

		await ana.device.cut();
		await ana.saysSync(/^On this device$/);
		await line('Maria Marin').getByText('Online').waitFor({ state: 'detached' });
		await which(/^Online/).click();
		await ana.page.getByRole('heading', { name: 'Who is online is not known now' }).waitFor();
		await ana.device.mend();
		await line('Maria Marin').waitFor();
		await maria.device.quit();
		await line('Maria Marin').waitFor({ state: 'detached' });
		await maria.device.start();
		await maria.device.goto('/tasks');
		await line('Maria Marin').waitFor();
		await which(/^Work here/).click();
	});

	it('the list is narrowed by words; a profile stands beside it with an address of its own, by mouse and by keys', async () => {
		await ana.page.getByRole('searchbox', { name: 'Find a person' }).fill('io bob');
		await line('Bob Ionescu').waitFor();
		await eventually('the lines', () => ana.main.getByRole('grid').getByRole('row').count(), (count) => count === 1);
		await line('Bob Ionescu').getByRole('button').first().click();
		await card('Bob Ionescu').getByRole('link', { name: 'bob@acme.example' }).waitFor();
		expect(ana.page.url()).toContain(`person=${bob.employee}`);
		expect(await barriers('profile')).toEqual([]);

		await ana.page.getByRole('searchbox', { name: 'Find a person' }).fill('');
		await ana.main.getByRole('grid', { name: 'People' }).focus();
		await ana.page.keyboard.press('j');
		await card('Maria Marin').waitFor();
		await ana.page.keyboard.press('ContextMenu');
		await ana.page.getByRole('menuitem', { name: 'Write an e-mail' }).waitFor();
		await ana.page.keyboard.press('Escape');
		await ana.page.keyboard.press('Escape');
		await card('Maria Marin').waitFor({ state: 'detached' });

		await line('Bob Ionescu').click({ button: 'right' });
		await ana.page.getByRole('menuitem', { name: /^Dismiss…/ }).waitFor();
		await ana.page.keyboard.press('Escape');

		// The address alone brings the profile back.
		await ana.device.goto(`/company?person=${bob.employee}`);
		await card('Bob Ionescu').waitFor();
		await ana.page.getByRole('button', { name: 'Close' }).click();
	});

	it('by letter: each address has its verdict before it is sent, and its answer after; the invitation stands in the list and is withdrawn', async () => {
		await people();
		await ana.main.getByRole('button', { name: 'Invite people' }).first().click();
		const asks = dialog('Invite people');
		await asks.getByRole('textbox', { name: 'E-mail addresses' }).fill(`Cat Pop <cat@acme.example>, dan@acme.example; ${MARIA}\nnobody, dan@acme.example`);
		const typed = asks.getByRole('list', { name: 'What was typed' }).getByRole('listitem');
		expect(await typed.allInnerTexts().then((all) => all.map((text) => text.replace(/\s+/g, ' ').trim()))).toEqual([
			'cat@acme.example Gets a letter', 'dan@acme.example Gets a letter', `${MARIA} Works here already`, 'nobody No e-mail address', 'dan@acme.example Twice here'
		]);
		expect(await barriers('inviting')).toEqual([]);
		// Where they land: the department that was in sight, and a group.
		await asks.getByRole('button', { name: /^Department: Acme/ }).waitFor();
		await asks.getByRole('button', { name: /^Groups:/ }).click();
		await ana.page.getByRole('combobox', { name: 'Groups' }).fill('Fair');
		await ana.page.keyboard.press('Enter');
		await asks.getByRole('button', { name: /^Groups: Fair/ }).click();
		await ana.page.getByRole('combobox', { name: 'Groups' }).waitFor({ state: 'detached' });
		await asks.getByRole('button', { name: 'Invite 2 people' }).click();
		await asks.getByText('2 invitations sent').waitFor();
		await asks.getByRole('button', { name: 'Done' }).click();

		await which(/^Invited/).click();
		await ana.page.getByText('dan@acme.example').waitFor();
		await ana.page.getByRole('button', { name: 'Withdraw the invitation of dan@acme.example' }).click();
		await ana.page.getByRole('listitem').filter({ hasText: 'dan@acme.example' }).waitFor({ state: 'detached' });
		await ana.page.getByRole('listitem').filter({ hasText: 'cat@acme.example' }).getByText('Invited by Ana Pop').waitFor();
		const code = await relay.invitationCode('cat@acme.example');
		const accepted = await relay.api('POST', '/invitations/acceptance', { code, firstName: 'Cat', lastName: 'Pop', password: PASSWORD });
		expect(accepted.status).toBe(201);
		await which(/^Work here/).click();
		await line('Cat Pop').getByText('Acme', { exact: true }).waitFor();
		await line('Cat Pop').getByRole('button').first().click();
		await card('Cat Pop').getByRole('region', { name: 'Groups' }).getByRole('link', { name: 'Fair' }).waitFor();
		await card('Cat Pop').getByRole('button', { name: 'Close' }).click();
	});

	it('by link with approval: who asks is counted beside the section at once, and is let into a department', async () => {
		await ana.main.getByRole('button', { name: 'Invite people' }).first().click();
		const asks = dialog('Invite people');
		await asks.getByRole('radio', { name: 'By link' }).click();
		await asks.getByRole('button', { name: 'Make the link' }).click();
		const address = await asks.getByRole('textbox', { name: 'Link' }).inputValue();
		await asks.getByRole('button', { name: 'Done' }).click();
		// Whoever got the link opens it in a browser of their own.
		door = new Screens(await Device.open('tablet', relay, { width: 1180, height: 820, touch: true }));
		others.push(door.device);
		await asksToJoin(door, address, { firstName: 'Eve', lastName: 'Enescu', email: 'eve@acme.example', password: PASSWORD });
		expect((await relay.api('POST', '/sessions', { email: 'eve@acme.example', password: PASSWORD })).status, 'not before somebody has decided').not.toBe(201);

		await ana.page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: /^Company.*1/ }).waitFor();
		await ana.main.getByRole('button', { name: '1 asks to join' }).click();
		await ana.page.getByText('Eve Enescu').waitFor();
		expect(await barriers('requests')).toEqual([]);
		await ana.page.getByRole('button', { name: 'Let in' }).click();
		await dialog('Let Eve Enescu in?').getByRole('button', { name: /^Department:/ }).click();
		await ana.page.getByRole('combobox', { name: 'Department' }).fill('Acme');
		await ana.page.keyboard.press('Enter');
		await dialog('Let Eve Enescu in?').getByRole('button', { name: 'Let in' }).click();
		await ana.page.getByText('Eve Enescu is in').waitFor();
		await ana.page.getByRole('heading', { name: 'Nobody asks to join' }).waitFor();
		await which(/^Work here/).click();
		await line('Eve Enescu').getByText('Acme', { exact: true }).waitFor();
		await door.signIn('eve@acme.example');
		await door.saysSync(/^Up to date$/);

		// Somebody who has an account keeps its password, whatever was typed into the form.
		await relay.register('Beta', 'zoe@beta.example', 'Zoe', 'Albu');
		await asksToJoin(door, address, { firstName: 'Zoe', lastName: 'Albu', email: 'zoe@beta.example', password: 'typed by whoever has the link' });
		await ana.main.getByRole('button', { name: '1 asks to join' }).click();
		await ana.page.getByRole('button', { name: 'Let in' }).click();
		await dialog('Let Zoe Albu in?').getByRole('button', { name: 'Let in' }).click();
		await ana.page.getByText('Zoe Albu is in').waitFor();
		await which(/^Work here/).click();
		await line('Zoe Albu').waitFor();
		expect((await relay.api('POST', '/sessions', { email: 'zoe@beta.example', password: 'typed by whoever has the link' })).status).toBe(401);
		await door.signIn('zoe@beta.example');
		await door.page.getByRole('button', { name: 'Account: Zoe Albu' }).waitFor();
		await door.page.getByRole('button', { name: 'Portals: Acme' }).waitFor();
	});

	it('added directly: somebody is there at once, and without a network what was typed stays', async () => {
		await ana.device.cut();
		await ana.main.getByRole('button', { name: 'Invite people' }).first().click();
		const asks = dialog('Invite people');
		await asks.getByRole('radio', { name: 'Add directly' }).click();
		await asks.getByText('There is no connection to the portal now.').waitFor();
		await asks.getByRole('textbox', { name: 'First name' }).fill('Fay');
		await asks.getByRole('textbox', { name: 'Last name' }).fill('Florea');
		await asks.getByRole('textbox', { name: 'E-mail' }).fill('fay@acme.example');
		await asks.getByRole('button', { name: 'Make one' }).click();
		const password = await asks.getByRole('textbox', { name: 'First password' }).inputValue();
		expect(password).toMatch(/^(?:[a-z2-9]{4}-){3}[a-z2-9]{4}$/);
		await asks.getByRole('button', { name: 'Add', exact: true }).click();
		await asks.getByRole('alert').waitFor();
		await asks.getByRole('button', { name: 'Cancel' }).click();
		await ana.device.mend();
		await ana.saysSync(/^Up to date$/);
		await ana.main.getByRole('button', { name: 'Invite people' }).first().click();
		expect(await asks.getByRole('textbox', { name: 'First name' }).inputValue()).toBe('Fay');
		await asks.getByRole('button', { name: 'Add', exact: true }).click();
		await ana.page.getByText('Fay Florea is added').waitFor();
		await line('Fay Florea').waitFor();
		const signedIn = await relay.api<{ code: string }>('POST', '/sessions', { email: 'fay@acme.example', password });
		expect([signedIn.status, signedIn.body.code]).toEqual([403, 'must-change-password']);
	});

	it('sessions of a person are shown and ended', async () => {
		await menuOf('Maria Marin');
		await ana.page.getByRole('menuitem', { name: /^Sessions and devices/ }).click();
		const asks = dialog('Where Maria Marin is signed in');
		await asks.getByText(/Chrome/).first().waitFor();
		await asks.getByRole('button', { name: 'Sign out everywhere' }).click();
		await ana.page.getByText('Maria Marin is signed out everywhere').waitFor();
		await maria.page.getByText(/sign in again/i).first().waitFor();
	});

	it('who lost their second factor has it reset from their card, and signs in without it', async () => {
		const { token } = (await relay.api<SignedIn>('POST', '/sessions', { email: MARIA, password: PASSWORD })).body;
		const { secret } = (await relay.api<{ secret: string }>('POST', '/me/second-factor', { password: PASSWORD }, token)).body;
		expect((await relay.api('PUT', '/me/second-factor', { code: oneTimeCode(secret) }, token)).status).toBe(200);
		const signIn = async (): Promise<void> => {
			const again = dialog('Please sign in again', maria);
			await again.getByLabel('Password', { exact: true }).fill(PASSWORD);
			await again.getByRole('button', { name: 'Sign in', exact: true }).click();
		};
		await signIn();
		const step = dialog('One more step', maria);
		await step.getByRole('textbox', { name: 'Code' }).waitFor();

		await line('Maria Marin').getByRole('button').first().click();
		await card('Maria Marin').getByRole('button', { name: 'What to do with Maria Marin' }).click();
		await ana.page.getByRole('menuitem', { name: 'Reset second factor…' }).click();
		const asks = dialog('Reset the second factor of Maria Marin?');
		await asks.getByRole('button', { name: 'Reset', exact: true }).click();
		await ana.page.getByText('The second factor of Maria Marin is reset').waitFor();
		await card('Maria Marin').getByRole('button', { name: 'Close' }).click();
		expect((await relay.api('GET', '/me', undefined, token)).status, 'what was lost may be signed in').toBe(401);

		// A sign-in under way was begun with the factor that is gone.
		await step.getByRole('textbox', { name: 'Code' }).fill('000000');
		await step.getByRole('button', { name: 'Sign in', exact: true }).click();
		await signIn();
		await maria.saysSync(/^Up to date$/);
		await maria.device.goto('/profile?tab=security');
		await maria.page.getByRole('tabpanel').getByRole('button', { name: 'Set up' }).waitFor();
	});

	it('dismissed with the work and the documents handed over, taken back, dismissed again and erased', async () => {
		await menuOf('Bob Ionescu');
		await ana.page.getByRole('menuitem', { name: /^Dismiss…/ }).click();
		const asks = dialog('Dismiss Bob Ionescu?');
		await asks.getByText('1 open task').waitFor();
		await asks.getByText('1 document or file of their own').waitFor();
		await asks.getByRole('button', { name: /^Who takes it over:/ }).click();
		await ana.page.getByRole('combobox', { name: 'Who takes it over' }).fill('Cat');
		await ana.page.keyboard.press('Enter');
		await asks.getByRole('button', { name: 'Hand over and dismiss' }).click();
		await ana.page.getByText('Bob Ionescu is dismissed; Cat Pop has the open work').waitFor();
		const cat = await relay.api<{ token: string }>('POST', '/sessions', { email: 'cat@acme.example', password: PASSWORD });
		await eventually('the notes at Cat', async () => JSON.stringify(await relay.api('GET', '/documents?kind=page', undefined, cat.body.token)), (said) => said.includes('Notes of Bob'));

		await which(/^Dismissed/).click();
		await menuOf('Bob Ionescu');
		await ana.page.getByRole('menuitem', { name: /^Take back…/ }).click();
		await dialog('Take Bob Ionescu back?').getByRole('button', { name: 'Take back' }).click();
		await ana.page.getByText('Bob Ionescu works here again').waitFor();
		await which(/^Work here/).click();
		await menuOf('Bob Ionescu');
		await ana.page.getByRole('menuitem', { name: /^Dismiss…/ }).click();
		await dialog('Dismiss Bob Ionescu?').getByRole('button', { name: 'Dismiss', exact: true }).click();

		await which(/^Dismissed/).click();
		await line('Bob Ionescu').getByRole('button').first().click();
		await card('Bob Ionescu').getByRole('button', { name: 'What to do with Bob Ionescu' }).click();
		await ana.page.getByRole('menuitem', { name: /^Erase personal details/ }).click();
		const erase = dialog('Erase the personal details of Bob Ionescu?');
		await erase.getByText('Backups that were made before').waitFor();
		expect(await barriers('erasing')).toEqual([]);
		await erase.getByRole('checkbox', { name: /^Erase the name too/ }).check({ force: true });
		await erase.getByRole('button', { name: 'Erase details and name' }).click();
		await card('Erased profile').getByText('The personal details of this profile were erased.').waitFor();
		expect(await card('Erased profile').getByRole('link', { name: /@/ }).count()).toBe(0);
		await card('Erased profile').getByRole('button', { name: 'Close' }).click();
		await which(/^Work here/).click();
	});

	it('five people and a department are moved by mouse and keys', async () => {
		const sales = (await relay.create(admin, 'department', { name: 'Sales', parent: await root() })) as DepartmentId;
		await relay.create(admin, 'department', { name: 'Support', parent: await root() });
		await ana.page.getByRole('tab', { name: 'Structure' }).click();
		const tree = ana.page.getByRole('tree', { name: 'Structure' });
		const department = (name: string): Locator => tree.getByRole('treeitem').filter({ has: ana.page.getByText(name, { exact: true }) });
		await department('Sales').waitFor();
		await department('Acme').click();
		await ana.main.getByRole('grid', { name: 'Acme' }).focus();
		// Three are picked together by keys, below the head, who comes first.
		await ana.page.keyboard.press('Home');
		for (let i = 0; i < 3; i++) {
			await ana.page.keyboard.press('j');
			await ana.page.keyboard.press('x');
		}
		await ana.page.getByText('3 people chosen').waitFor();
		await ana.page.keyboard.press('m');
		await dialog('Move 3 people').getByRole('combobox', { name: 'Find a department' }).fill('Sales');
		await ana.page.keyboard.press('Enter');
		await ana.page.getByText('3 people moved to Sales').waitFor();
		await department('Sales').click();
		const rows = ana.main.getByRole('grid', { name: 'Sales' }).getByRole('row');
		for (const left of [2, 1]) {
			await eventually('the people of Sales', () => rows.count(), (count) => count === left + 1);
			const row = rows.first();
			const who = await nameIn(row);
			const [from, to] = [(await row.boundingBox())!, (await department('Support').boundingBox())!];
			const { mouse } = ana.page;
			await mouse.move(from.x + 60, from.y + 20);
			await mouse.down();
			await mouse.move(from.x + 80, from.y + 28, { steps: 4 });
			await mouse.move(to.x + 90, to.y + to.height / 2, { steps: 8 });
			await ana.page.getByRole('status').filter({ hasText: /^Move to Support/ }).waitFor();
			await mouse.up();
			await ana.page.getByText(`${who} moved to Support`).waitFor();
			await eventually('the people of Sales', () => rows.count(), (count) => count === left);
		}
		await department('Support').focus();
		await ana.page.keyboard.press('m');
		await dialog('Move Support').getByRole('combobox', { name: 'Find a department' }).fill('Sales');
		await ana.page.keyboard.press('Enter');
		await eventually('the level of Support', () => department('Support').getAttribute('aria-level'), (level) => level === '3');
		await eventually('the people below Sales', () => department('Sales').innerText(), (text) => /\b3\b/.test(text));
		expect(sales).toBeTruthy();

		// Nearer and farther, by the wheel and by keys.
		const height = (): Promise<number> => department('Sales').boundingBox().then((box) => box!.height);
		const before = await height();
		// The dialog gives the focus back when it goes.
		await dialog('Move Support').waitFor({ state: 'detached' });
		await department('Sales').focus();
		await eventually('the focus', () => department('Sales').evaluate((node) => node === document.activeElement), (is) => is);
		await ana.page.keyboard.press('+');
		await eventually('a taller row', height, (now) => now > before);
		await department('Sales').getByText('No head').waitFor();
		await ana.page.keyboard.press('-');
	});

	it('a finger that holds lifts a person onto a department and is asked; let go where it was, it opens the menu', async () => {
		const tablet = door;
		await tablet.signIn('ana@acme.example');
		await tablet.saysSync(/^Up to date$/);
		await tablet.section('Company');
		const tree = tablet.page.getByRole('tree', { name: 'Structure' });
		const department = (name: string): Locator => tree.getByRole('treeitem').filter({ has: tablet.page.getByText(name, { exact: true }) });
		await department('Support').tap();
		await tablet.page.getByRole('heading', { name: 'Support', level: 2 }).waitFor();
		const rows = tablet.main.getByRole('grid', { name: 'Support' }).getByRole('row');
		await eventually('the people of Support', () => rows.count(), (count) => count === 2);
		const name = await nameIn(rows.first());
		const finger = new Finger(await tablet.device.cdp());
		const [from, to] = [await placeOf(rows.first()), await placeOf(department('Acme'))];

		await finger.down(from.x + 80, from.y + 25);
		await tablet.page.locator('.atrium-carried').waitFor();
		await finger.up();
		const entry = tablet.page.getByRole('menuitem', { name: 'Open the profile' });
		await placeOf(entry);
		expect(await card(name, tablet).count(), 'letting go is no tap').toBe(0);
		await tablet.page.keyboard.press('Escape');
		await entry.waitFor({ state: 'detached' });

		await finger.down(from.x + 80, from.y + 25);
		await tablet.page.locator('.atrium-carried').waitFor();
		await finger.move(to.x + 100, to.y + to.height / 2);
		await tablet.page.getByRole('status').filter({ hasText: 'To Acme: move, or also belongs' }).waitFor();
		await finger.up();
		const asks = tablet.page.getByRole('dialog', { name: `${name} to Acme` });
		await asks.getByRole('radio', { name: 'Also belongs' }).tap();
		await asks.getByRole('button', { name: 'Also belongs' }).tap();
		await asks.waitFor({ state: 'detached' });
		await tablet.page.getByText(`${name} also belongs to Acme`).waitFor();

		// On a phone the people lie over the tree: it comes back under whoever is carried, as far as the finger has gone.
		await tablet.page.setViewportSize({ width: 390, height: 844 });
		const sheet = tablet.page.getByText('Let go here to cancel');
		const lift = async (): Promise<void> => {
			const line = await placeOf(rows.filter({ hasText: name }));
			await finger.down(line.x + 80, line.y + 25);
			await tablet.page.locator('.atrium-carried').waitFor();
			expect(await tree.isVisible()).toBe(false);
			await finger.move(line.x + 90, line.y + 60);
			await sheet.waitFor();
		};
		await tree.waitFor({ state: 'hidden' });
		await lift();
		const cancel = await placeOf(sheet);
		await finger.move(cancel.x + 40, cancel.y + cancel.height / 2);
		await finger.up();
		await sheet.waitFor({ state: 'detached' });
		await lift();
		const row = await placeOf(department('Sales'));
		await finger.move(row.x + 100, row.y + row.height / 2);
		await tablet.page.getByRole('status').filter({ hasText: 'To Sales: move, or also belongs' }).waitFor();
		await finger.up();
		await tablet.page.getByRole('dialog', { name: `${name} to Sales` }).getByRole('button', { name: 'Move' }).tap();
		await tablet.page.getByText(`${name} moved to Sales`).waitFor();
		await tablet.page.getByRole('heading', { name: 'Support', level: 2 }).waitFor();
		await tablet.page.setViewportSize({ width: 1180, height: 820 });

		// A swipe scrolls and lifts nothing.
		await eventually('the people of Support', () => rows.count(), (count) => count === 1);
		const rest = await placeOf(rows.first());
		await finger.swipe(rest.x + 80, rest.y + 25, 0, 120, async () => expect(await tablet.page.locator('.atrium-carried').count()).toBe(0));
		// A link that is no letter's code, and an account of two portals, are answers of the relay.
		expect(tablet.device.complaints().filter((text) => !/status of 404 .*\/invitation-links\/open|status of 409 .*\/sessions/.test(text))).toEqual([]);
	});

	it('nothing was complained of', () => {
		expect([...ana.device.complaints(), ...maria.device.complaints()].filter((text) => !/status of 401/.test(text))).toEqual([]);
	});

	async function root(): Promise<string> {
		const { body } = await relay.api<{ rows: { id: string; parent: string | null }[] }>('GET', '/documents?kind=department', undefined, admin.token);
		return body.rows.find(({ parent }) => parent === null)!.id;
	}
});

interface Place {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}
/** Where something is, once it lies still and nothing lies over it: a finger goes by places. Presses nothing itself, a finger may be down. */
async function placeOf(what: Locator): Promise<Place> {
	const still = (): Promise<Place | null> =>
		what.evaluate(async (node) => {
			const before = node.getBoundingClientRect();
			for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
			const { x, y, width, height } = node.getBoundingClientRect();
			const isStill = x === before.x && y === before.y && width === before.width && height === before.height;
			return isStill && node.contains(document.elementFromPoint(x + width / 2, y + height / 2)) ? { x, y, width, height } : null;
		});
	return (await eventually(`the place of ${what}`, still, (place) => place !== null))!;
}
/** The first words of a person's line that are a name and not its first letters. */
const nameIn = async (line: Locator): Promise<string> => (await line.innerText()).split('\n').map((text) => text.trim()).find((text) => / /.test(text))!;

/** A finger as the system reports it, not as a page would pretend. */
class Finger {
	readonly #cdp: CDPSession;
	#at = { x: 0, y: 0 };

	constructor(cdp: CDPSession) {
		this.#cdp = cdp;
	}
	async down(x: number, y: number): Promise<void> {
		this.#at = { x, y };
		await this.#cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [this.#at] });
	}
	async move(x: number, y: number, steps = 12): Promise<void> {
		const from = this.#at;
		for (let i = 1; i <= steps; i++) {
			this.#at = { x: from.x + ((x - from.x) * i) / steps, y: from.y + ((y - from.y) * i) / steps };
			await this.#cdp.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [this.#at] });
		}
	}
	async up(): Promise<void> {
		await this.#cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
	}
	/** At one go: what the browser has not taken yet is not waited for, lest it become a hold. @param look before the finger is lifted */
	async swipe(x: number, y: number, byX: number, byY: number, look: () => Promise<void>): Promise<void> {
		await Promise.all([this.down(x, y), this.move(x + byX, y + byY, 1)]);
		await look();
		await this.up();
	}
}
