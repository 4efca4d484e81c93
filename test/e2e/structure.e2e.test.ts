/**
 * The company built and changed through its screens, watched on a second device: departments, heads, moves by the mouse and by the keyboard, workgroups,
 * a CRM role that narrows what an open client holds, a dismissal with its hand-over. The tests of this file are one story and run in order.
 */
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const MARIA = 'maria@acme.example';
const DEAL = 'Fair stand';

describe('the company through its screens', () => {
	let relay: TestRelay;
	let admin: SignedIn;
	let ana: Screens;
	let maria: Screens;

	beforeAll(async () => {
		relay = await TestRelay.start();
		admin = await relay.register();
		await relay.hire(admin, MARIA, 'Maria', 'Marin');
		const bob = await relay.hire(admin, 'bob@acme.example', 'Bob', 'Ionescu');
		await relay.create(bob, 'deal', { title: DEAL, amount: 1000 });
		await relay.create(bob, 'task', { title: 'Call the printer' });
		await relay.create(bob, 'group', { name: 'Printing' });
		ana = new Screens(await Device.open('ana', relay));
		maria = new Screens(await Device.open('maria', relay));
		await ana.signIn('ana@acme.example');
		await maria.signIn(MARIA);
	});
	afterAll(async () => {
		await Promise.all([ana?.device.remove(), maria?.device.remove()]);
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [ana?.device, maria?.device]));

	const tree = (): Locator => ana.page.getByRole('tree', { name: 'Structure' });
	const department = (name: string): Locator => tree().getByRole('treeitem').filter({ has: ana.page.getByText(name, { exact: true }) });
	const dialog = (name: string | RegExp): Locator => ana.page.getByRole('dialog', { name });
	const marias = (): Locator => maria.dealCard(DEAL);

	async function newDepartment(name: string, head?: string): Promise<void> {
		await ana.main.getByRole('button', { name: 'New department' }).click();
		await dialog('New department').getByRole('textbox', { name: 'Name' }).fill(name);
		if (head) {
			await dialog('New department').getByRole('button', { name: /^Head:/ }).click();
			await ana.page.getByRole('combobox', { name: 'Head' }).fill(head);
			await ana.page.keyboard.press('Enter');
		}
		await dialog('New department').getByRole('button', { name: 'Create the department' }).click();
		await department(name).waitFor();
	}
	async function choose(name: string): Promise<void> {
		await department(name).click();
		await ana.page.getByRole('heading', { name, level: 2 }).waitFor();
	}
	/** As a hand does it: press, a little way first, then over the target. */
	async function carry(from: Locator, to: Locator, shift = false): Promise<void> {
		const [start, end] = [(await from.boundingBox())!, (await to.boundingBox())!];
		const { mouse, keyboard } = ana.page;
		await mouse.move(start.x + 60, start.y + start.height / 2);
		await mouse.down();
		await mouse.move(start.x + 80, start.y + start.height / 2 + 8, { steps: 4 });
		if (shift) await keyboard.down('Shift');
		await mouse.move(end.x + 90, end.y + end.height / 2, { steps: 10 });
		await ana.page.getByRole('status').filter({ hasText: /^(Move to|Put below|Also belongs|A department cannot|This would)/ }).first().waitFor();
		await mouse.up();
		if (shift) await keyboard.up('Shift');
	}
	const person = (name: string): Locator => ana.main.getByRole('grid').getByRole('row').filter({ hasText: name });

	it('[A5] an administrator makes departments and says who heads them; others read', async () => {
		await ana.section('Company');
		await choose('Acme');
		await newDepartment('Sales', 'Maria');
		await choose('Acme');
		await newDepartment('Support');
		await ana.page.getByText('No head').first().waitFor();

		await maria.section('Company');
		await maria.page.getByRole('treeitem').filter({ has: maria.page.getByText('Sales', { exact: true }) }).waitFor();
		expect(await maria.main.getByRole('button', { name: 'New department' }).count()).toBe(0);
		expect(await maria.page.getByRole('tree').getByRole('button', { name: /^What to do with/ }).count()).toBe(0);
		// What everybody may do with a colleague is theirs as well, and nothing of what administrators do.
		await maria.main.getByRole('grid').getByRole('button', { name: 'What to do with Ana Pop' }).click();
		await maria.page.getByRole('menuitem', { name: 'Write an e-mail' }).waitFor();
		expect(await maria.page.getByRole('menuitem', { name: /Dismiss|administrator|Move to/ }).count()).toBe(0);
		await maria.page.keyboard.press('Escape');
	});

	it('[A1] who moves below a head brings their deals to the head’s open screen, and takes them away again', async () => {
		await maria.section('CRM');
		await maria.main.getByRole('button', { name: 'New deal' }).first().waitFor();
		await ana.main.getByRole('button', { name: /Without a department/ }).click();
		await carry(person('Bob Ionescu'), department('Sales'));
		await ana.page.getByText('Bob Ionescu moved to Sales').waitFor();
		await marias().waitFor();

		await choose('Sales');
		await carry(person('Bob Ionescu'), department('Support'));
		await ana.page.getByText('Bob Ionescu moved to Support').waitFor();
		await marias().waitFor({ state: 'detached' });

		await ana.page.getByRole('button', { name: 'Undo' }).last().click();
		await marias().waitFor();

		// The card says to whom somebody reports, and who is below; the list is narrowed to a department.
		const card = (name: string): Locator => ana.page.getByRole('region', { name: `${name}: profile` });
		await ana.page.getByRole('tab', { name: /^People/ }).click();
		await person('Ana Pop').waitFor();
		await ana.main.getByRole('button', { name: /^Department:/ }).click();
		await ana.page.getByRole('combobox', { name: 'Department' }).fill('Sales');
		await ana.page.keyboard.press('Enter');
		await person('Ana Pop').waitFor({ state: 'detached' });
		await person('Bob Ionescu').getByRole('button').first().click();
		await card('Bob Ionescu').getByRole('region', { name: 'Reports to' }).getByText('Maria Marin').click();
		await card('Maria Marin').getByRole('region', { name: 'People below' }).getByText('Bob Ionescu').waitFor();
		await ana.device.goto('/company');
		await choose('Sales');
	});

	it('[A5] carried with Shift somebody belongs to both; a department goes below another, never below itself', async () => {
		await choose('Sales');
		await carry(person('Bob Ionescu'), department('Support'), true);
		await ana.page.getByText('Bob Ionescu also belongs to Support').waitFor();
		await marias().waitFor();

		await carry(department('Support'), department('Sales'));
		await ana.page.getByText('Support now belongs to Sales').waitFor();
		await eventually('the level of Support', () => department('Support').getAttribute('aria-level'), (level) => level === '3');

		await carry(department('Sales'), department('Support'));
		await eventually('the level of Sales', () => department('Sales').getAttribute('aria-level'), (level) => level === '2');
	});

	it('by the keyboard alone: a department is moved, renamed and deleted without a network, its people go up', async () => {
		await ana.device.cut();
		await ana.saysSync(/^On this device$/);
		await department('Support').focus();
		await ana.page.keyboard.press('m');
		await dialog('Move Support').getByRole('combobox', { name: 'Find a department' }).fill('Acme');
		await ana.page.keyboard.press('Enter');
		await eventually('the level of Support', () => department('Support').getAttribute('aria-level'), (level) => level === '2');

		await department('Support').focus();
		await ana.page.keyboard.press('e');
		await dialog('Change the department').getByRole('textbox', { name: 'Name' }).fill('Help desk');
		await ana.page.keyboard.press('Enter');
		await department('Help desk').waitFor();

		await department('Help desk').focus();
		await ana.page.keyboard.press('Delete');
		await dialog('Delete Help desk?').getByText('1 person').waitFor();
		await ana.page.keyboard.press('Enter');
		await department('Help desk').waitFor({ state: 'detached' });
		await choose('Acme');
		await person('Bob Ionescu').first().waitFor();

		await ana.device.mend();
		await ana.saysSync(/^Up to date$/);
		// He is in Sales still: his deal stays with its head.
		await marias().waitFor();
	});

	it('[A13] workgroups: asked at, let in, passed on, deleted and brought back', async () => {
		await ana.page.getByRole('tab', { name: /^Groups/ }).click();
		await ana.main.getByRole('button', { name: 'New group' }).first().click();
		await dialog('New group').getByRole('textbox', { name: 'Name' }).fill('Fair team');
		await dialog('New group').getByRole('radio', { name: /^Closed/ }).check();
		await dialog('New group').getByRole('button', { name: 'Create the group' }).click();
		const panel = ana.page.getByRole('region', { name: 'Fair team' });
		await panel.getByText('You own this group').waitFor();

		await maria.section('Company');
		await maria.page.getByRole('tab', { name: /^Groups/ }).click();
		await maria.page.getByRole('grid', { name: 'Groups' }).getByRole('row').filter({ hasText: 'Fair team' }).click();
		await maria.page.getByRole('button', { name: 'Ask to join' }).click();
		await maria.page.getByText('You asked to join').waitFor();

		await panel.getByRole('region', { name: 'Ask to join' }).getByText('Maria Marin').waitFor();
		await panel.getByRole('button', { name: 'Let in' }).click();
		await maria.page.getByText('You belong to this group').waitFor();

		await panel.getByRole('button', { name: 'What to do with Maria Marin' }).click();
		await ana.page.getByRole('menuitem', { name: 'Pass the group on' }).click();
		await maria.page.getByText('You own this group').waitFor();

		// Deleted by its owner, it is closed to everybody who has it open, and an administrator brings it back there.
		const listed = maria.page.getByRole('grid', { name: 'Groups' }).getByRole('row').filter({ hasText: 'Fair team' });
		await maria.page.getByRole('region', { name: 'Fair team' }).getByRole('button', { name: 'More', exact: true }).click();
		await maria.page.getByRole('menuitem', { name: 'Delete' }).click();
		await maria.page.getByText('Fair team is deleted').waitFor();
		await listed.waitFor({ state: 'detached' });
		await panel.getByText('This group is deleted.').waitFor();
		expect(await panel.getByRole('button', { name: 'Leave' }).count()).toBe(0);
		await panel.getByRole('button', { name: 'Bring back' }).click();
		await panel.getByText('This group is deleted.').waitFor({ state: 'detached' });
		await listed.click();
		await maria.page.getByText('You own this group').waitFor();
		await maria.page.getByRole('region', { name: 'Fair team' }).getByRole('region', { name: 'People' }).getByText('Ana Pop').waitFor();
	});

	it('[A8] a CRM role that narrows takes what it no longer gives from an open client, and gives it back', async () => {
		await maria.section('CRM');
		await marias().waitFor();
		await ana.section('CRM');
		await ana.page.getByRole('tab', { name: 'Permissions' }).click();
		await ana.main.getByRole('button', { name: 'New role' }).first().click();
		await dialog('New role').getByRole('textbox', { name: 'Name of the role' }).fill('Sellers');
		await dialog('New role').getByRole('button', { name: 'Create the role' }).click();
		const role = ana.page.getByRole('region', { name: 'Sellers' });
		await role.getByRole('region', { name: 'Who has it' }).getByRole('button', { name: 'Give the role' }).click();
		await ana.page.getByRole('combobox', { name: 'Give the role' }).fill('Maria');
		await ana.page.keyboard.press('Enter');
		await marias().waitFor({ state: 'detached' });

		await role.getByRole('combobox', { name: 'Deals: Read' }).selectOption({ label: 'And below' });
		await marias().waitFor();
		// Read, and no more: the panel says who may.
		await marias().click();
		await maria.dealPanel.getByText(/You may not do this|may\./i).first().waitFor();

		await ana.main.getByRole('button', { name: 'What does a person get?' }).click();
		await ana.page.getByRole('button', { name: /^Person:/ }).click();
		await ana.page.getByRole('combobox', { name: 'Person' }).fill('Maria');
		await ana.page.keyboard.press('Enter');
		const table = ana.page.getByRole('table', { name: 'What Maria Marin gets' });
		expect(await table.getByRole('row').filter({ hasText: 'Deals' }).getByRole('cell').first().innerText()).toContain('And below');
	});

	it('[A6] dismissal hands the open work over in one step; the last administrator stays', async () => {
		await ana.section('Company');
		await ana.page.getByRole('tab', { name: /^People/ }).click();
		await person('Ana Pop').getByRole('button', { name: /^What to do with/ }).click();
		await ana.page.getByRole('menuitem', { name: /^Dismiss…/ }).and(ana.page.locator('[aria-disabled=true]')).waitFor();
		await ana.page.keyboard.press('Escape');

		await person('Bob Ionescu').getByRole('button', { name: /^What to do with/ }).click();
		await ana.page.getByRole('menuitem', { name: /^Dismiss…/ }).click();
		const asks = dialog('Dismiss Bob Ionescu?');
		await asks.getByText('1 open task').waitFor();
		await asks.getByText('1 open deal').waitFor();
		await asks.getByText('Owns the group Printing').waitFor();
		await asks.getByRole('button', { name: /^Who takes it over:/ }).click();
		await ana.page.getByRole('combobox', { name: 'Who takes it over' }).fill('Maria');
		await ana.page.keyboard.press('Enter');
		await asks.getByRole('button', { name: 'Hand over and dismiss' }).click();
		await ana.page.getByText('Bob Ionescu is dismissed; Maria Marin has the open work').waitFor();
		await ana.page.getByRole('radio', { name: /^Dismissed/ }).click();
		await person('Bob Ionescu').waitFor();

		await maria.showTasks('Mine');
		await maria.taskRow('Call the printer').waitFor();
		await maria.section('Company');
		await maria.page.getByRole('tab', { name: /^Groups/ }).click();
		await maria.page.getByRole('grid', { name: 'Groups' }).getByRole('row').filter({ hasText: 'Printing' }).click();
		await maria.page.getByRole('region', { name: 'Printing' }).getByText('You own this group').waitFor();
		await maria.page.getByRole('region', { name: 'Printing' }).getByText('Owner: Maria Marin').waitFor();
		expect([...ana.device.complaints(), ...maria.device.complaints()]).toEqual([]);
	});
});
