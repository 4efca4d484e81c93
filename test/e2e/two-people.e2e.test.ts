/**
 * Two people, one company, and a network that comes and goes: everything through the screens, in two real browsers, each on a profile of its own.
 * The tests of this file are one story and run in order.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, TestRelay } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens, TruthWatch } from './screens.ts';

const BOB = 'bob@acme.example';
/** What the product promises; printed, not asserted: the machine may be busy. */
const PROMISED_MS = 2_000;

describe('two people, with and without a network', () => {
	let relay: TestRelay;
	let ana: Screens;
	let bob: Screens;
	let anasTruth: TruthWatch;
	let bobsTruth: TruthWatch;
	const paths: Record<'task' | 'deal' | 'page', string> = { task: '', deal: '', page: '' };

	beforeAll(async () => {
		relay = await TestRelay.start();
		ana = new Screens(await Device.open('ana', relay));
		bob = new Screens(await Device.open('bob', relay));
		anasTruth = await TruthWatch.over(ana.device);
		bobsTruth = await TruthWatch.over(bob.device);
	});
	afterAll(async () => {
		await Promise.all([ana?.device.remove(), bob?.device.remove()]);
		await relay?.remove();
	});

	afterEach((context) => tellIfFailed(context, [ana?.device, bob?.device]));

	it('registers a company, and a colleague joins by the letter', async () => {
		await ana.register({ company: 'Acme', firstName: 'Ana', lastName: 'Pop', email: 'ana@acme.example' });
		await ana.section('Company');
		await ana.main.getByRole('button', { name: 'Invite people' }).click();
		const dialog = ana.page.getByRole('dialog', { name: 'Invite people' });
		await dialog.getByRole('textbox', { name: /^E-mail addresses/ }).fill(`Bob Ionescu <${BOB}>`);
		await dialog.getByRole('button', { name: 'Invite 1 person' }).click();
		await dialog.getByText('1 invitation sent').waitFor();
		await dialog.getByRole('button', { name: 'Done' }).click();

		const link = `${relay.url}/invitation#${await relay.invitationCode(BOB)}`;
		await bob.page.goto(link);
		await bob.page.getByText(`You were invited as ${BOB}`).waitFor();
		await bob.accept(link, 'Bob', 'Ionescu');
		await bob.saysSync(/^Up to date$/);
		await ana.main.getByText('Bob Ionescu').first().waitFor();

		// The letter works once.
		await bob.page.goto(link);
		await bob.page.getByRole('heading', { name: 'This invitation is no longer valid' }).waitFor();
		await bob.device.goto('/tasks');
	});

	it('both see what the other makes: a task, a deal, a page', async () => {
		await ana.showTasks('All');
		await ana.newTask('Prepare the fair');
		const panel = await ana.openTask('Prepare the fair');
		await panel.getByRole('button', { name: /^Responsible/ }).click();
		await ana.page.getByRole('option', { name: /Bob Ionescu/ }).click();
		// What a creator may leave to the responsible person.
		await panel.getByRole('checkbox', { name: 'The responsible person may move the deadline' }).check({ force: true });
		await ana.addItem('Book the stand');
		await ana.addItem('Print the flyers');
		await ana.checkItem('Print the flyers').waitFor();
		await ana.page.keyboard.press('Escape');

		await bob.showTasks('All');
		await bob.openTask('Prepare the fair');
		paths.task = new URL(bob.page.url()).pathname;
		await bob.checkItem('Print the flyers').waitFor();
		expect(await bob.taskPanel.getByRole('button', { name: 'Responsible: Bob Ionescu' }).count()).toBe(1);
		await bob.newTask('Call the printer');
		await ana.taskRow('Call the printer').waitFor();
		await bob.hasMark(bob.taskRow('Call the printer'), 'Accepted');

		await bob.section('CRM');
		await bob.newDeal('Fair stand', '1000');
		paths.deal = new URL(bob.page.url()).pathname;
		await bob.main.getByRole('button', { name: 'Close' }).click();
		await bob.newDeal('Second stand', '500');
		await ana.section('CRM');
		await ana.dealCard('Fair stand', 'Prospecting').waitFor();
		await ana.dealCard('Second stand', 'Prospecting').waitFor();

		const minutes = await ana.newPage('Minutes');
		await minutes.click();
		await ana.page.keyboard.type('The fair opens at nine.');
		await ana.toCompany();
		paths.page = new URL(ana.page.url()).pathname;
		await bob.openDocument('Minutes');
		await bob.text('Minutes').getByText('The fair opens at nine.').waitFor();
		await ana.saysSync(/^Up to date$/);
		await bob.saysSync(/^Up to date$/);
	});

	it('[P1] [P9] without a network Bob goes on, and is told the truth about it', async () => {
		await bob.device.cut();
		await bob.saysSync(/^On this device$/);

		// The same sentence, while Ana writes at its end.
		await bob.text('Minutes').click();
		await bob.page.keyboard.press('Control+Home');
		await bob.page.keyboard.type('Monday: ');
		await bob.text('Minutes').getByText('Monday: The fair opens at nine.').waitFor();
		await bob.hasMark(bob.main, 'Kept here');

		await bob.showTasks('All');
		await bob.openTask('Call the printer');
		await bob.setTaskTitle('Call the printer on Monday');
		await bob.taskRow('Call the printer on Monday').waitFor();
		await bob.hasMark(bob.taskRow('Call the printer on Monday'), 'Kept here');
		await bob.page.keyboard.press('Escape');

		await bob.openTask('Prepare the fair');
		await bob.setDeadline('2031-05-20');
		await bob.checkItem('Book the stand').check({ force: true });
		await bob.addItem('Order the coffee');
		await bob.checkItem('Order the coffee').waitFor();
		expect(await bob.syncWord()).toBe('On this device');
	});

	it('Ana works on the same things meanwhile', async () => {
		await ana.text('Minutes').click();
		await ana.page.keyboard.press('Control+End');
		await ana.page.keyboard.type(' Bring badges.');

		await ana.showTasks('All');
		await ana.openTask('Prepare the fair');
		await ana.setTaskTitle('Prepare the spring fair');
		await ana.checkItem('Print the flyers').check({ force: true });
		await ana.addItem('Hire a van');
		await ana.checkItem('Hire a van').waitFor();
		await ana.page.keyboard.press('Escape');
		// Later than Bob's: hers is to stand.
		await ana.openTask('Call the printer');
		await ana.setTaskTitle('Call the printer in Cluj');
		await ana.taskRow('Call the printer in Cluj').waitFor();

		await ana.section('CRM');
		await ana.dealCard('Fair stand').click();
		await ana.setAmount('2000');
		await ana.dealCard('Fair stand, .*2.?000').waitFor();
		await ana.saysSync(/^Up to date$/);
		expect(await ana.taskRow('Call the printer on Monday').count()).toBe(0);
	});

	it('[P1] with the relay gone too, and the browser started again cold, every screen opens', async () => {
		expect(bobsTruth.lies()).toEqual([]);
		ana.device.expectOutage();
		bob.device.expectOutage();
		await relay.stop('SIGKILL');
		await ana.saysSync(/^On this device$/);
		await bob.device.quit();
		const started = performance.now();
		await bob.device.start();
		await bobsTruth.rearm();
		await bob.device.goto('/tasks');
		await bob.page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
		await bob.taskRow('Prepare the fair').waitFor();
		console.log(`cold start of the browser without a network, to the list of tasks: ${Math.round(performance.now() - started)} ms`);
		expect(await bob.syncWord()).toBe('On this device');
		await bob.hasMark(bob.taskRow('Call the printer on Monday'), 'Kept here');

		// Deep links, each loaded anew.
		await bob.device.goto(paths.task);
		await bob.taskPanel.waitFor();
		expect(await bob.checkItem('Book the stand').isChecked()).toBe(true);
		expect(await bob.taskPanel.getByLabel('Deadline', { exact: true }).inputValue()).toBe('20/05/2031');
		await bob.device.goto(paths.deal);
		await bob.dealPanel.getByRole('textbox', { name: 'Title', exact: true }).waitFor();
		await bob.device.goto(paths.page);
		await bob.text('Minutes').getByText('Monday: The fair opens at nine.').waitFor();
		await bob.device.goto('/company');
		await bob.page.getByRole('tree', { name: 'Structure' }).waitFor();
		await bob.main.getByText('Ana Pop').first().waitFor();
		await bob.device.goto('/set-aside');
		await bob.page.getByRole('heading', { name: 'Nothing was set aside' }).waitFor();
		await bob.device.goto('/');
		await bob.page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
		for (const section of ['CRM', 'Documents', 'Company', 'Set aside', 'Tasks'] as const) await bob.section(section);
	});

	it('[P1] and he writes there: a task, a deal moved by keys, its amount, a sentence', async () => {
		await bob.newTask('Made on the train');
		await bob.hasMark(bob.taskRow('Made on the train'), 'Kept here');

		await bob.section('CRM');
		await bob.dealCard('Second stand', 'Prospecting').focus();
		for (const key of ['Space', 'ArrowRight', 'Space']) await bob.page.keyboard.press(key);
		await bob.dealCard('Second stand', 'Engaging').waitFor();
		await bob.hasMark(bob.dealCard('Second stand', 'Engaging'), 'Kept here');
		await bob.dealCard('Fair stand').click();
		await bob.setAmount('3000');
		await bob.dealCard('Fair stand, .*3.?000').waitFor();

		await bob.openDocument('Minutes');
		await bob.text('Minutes').click();
		await bob.page.keyboard.press('Control+End');
		await bob.page.keyboard.press('Enter');
		await bob.page.keyboard.type('Written on the train.');
		await bob.hasMark(bob.main, 'Kept here');
		expect(await bob.syncWord()).toBe('On this device');
	});

	it('[P6] [P9] back online everything meets, and the other sees it at once', async () => {
		await ana.showTasks('All');
		await relay.start();
		const returned = performance.now();
		// Attempts are further apart the longer the relay is away.
		await ana.saysSync(/^Up to date$/, 90_000);
		console.log(`a device finds the relay again after its restart: ${Math.round(performance.now() - returned)} ms`);
		expect(await ana.taskRow('Made on the train').count()).toBe(0);

		const mended = performance.now();
		await bob.device.mend();
		await ana.taskRow('Made on the train').waitFor();
		const seen = performance.now() - mended;
		await ana.section('CRM');
		await ana.dealCard('Second stand', 'Engaging').waitFor();
		const moved = performance.now() - mended;
		await ana.openDocument('Minutes');
		await ana.text('Minutes').getByText('Written on the train.').waitFor();
		console.log(
			`from Bob's network to Ana's screen: the task ${Math.round(seen)} ms, the deal by ${Math.round(moved)} ms, the page by ${Math.round(performance.now() - mended)} ms (promised: ${PROMISED_MS} ms)`
		);
		for (const { text } of [ana, bob].map((who) => ({ text: who.text('Minutes') }))) {
			await text.getByText('Monday: The fair opens at nine. Bring badges.').waitFor();
			await text.getByText('Written on the train.').waitFor();
		}
		await ana.saysSync(/^Up to date$/);
		// Two of his changes gave way: nothing of his is pending, and it is said that way.
		await bob.saysSync(/^2 set aside$/);
	});

	it('[P6] different fields and items of one task are all kept, on both', async () => {
		for (const who of [ana, bob]) {
			await who.showTasks('All');
			await who.openTask('Prepare the spring fair');
			await eventually('the deadline', () => who.taskPanel.getByLabel('Deadline', { exact: true }).inputValue(), (day) => day === '20/05/2031');
			for (const item of ['Book the stand', 'Print the flyers']) await eventually(item, () => who.checkItem(item).isChecked(), Boolean);
			for (const item of ['Order the coffee', 'Hire a van']) await who.checkItem(item).waitFor();
			await who.hasMark(who.taskPanel, 'Accepted');
		}
	});

	it('[P3] the same field: the later one stands, and the other is told and brings theirs back', async () => {
		await ana.page.keyboard.press('Escape');
		for (const who of [ana, bob]) await who.taskRow('Call the printer in Cluj').waitFor();
		await bob.section('Set aside');
		const card = bob.asideCard('Call the printer in Cluj');
		await card.getByText('Ana Pop changed the same field').waitFor();
		await card.getByRole('cell', { name: 'Call the printer on Monday' }).waitFor();
		await card.getByRole('cell', { name: 'Call the printer in Cluj' }).waitFor();
		await card.getByRole('button', { name: 'Bring mine back' }).click();
		await ana.taskRow('Call the printer on Monday').waitFor();
		await card.waitFor({ state: 'detached' });
		await bob.saysSync(/^1 set aside$/);
	});

	it('[P3] a guarded amount that both changed is stale: both values are shown, and his is used once he says so', async () => {
		const card = bob.asideCard('Fair stand');
		await card.getByText('this field is guarded').waitFor();
		await card.getByRole('cell', { name: /2.?000/ }).waitFor();
		await card.getByRole('cell', { name: /3.?000/ }).waitFor();
		await ana.section('CRM');
		await ana.dealCard('Fair stand, .*2.?000').waitFor();
		await card.getByRole('button', { name: 'Use mine anyway' }).click();
		await ana.dealCard('Fair stand, .*3.?000').waitFor();
		await bob.page.getByRole('heading', { name: 'Nothing was set aside' }).waitFor();
		await bob.saysSync(/^Up to date$/);
	});

	it('[P9] never said “Up to date” while something waited, and the console stayed silent', async () => {
		expect(anasTruth.lies()).toEqual([]);
		expect(bobsTruth.lies()).toEqual([]);
		expect(ana.device.complaints()).toEqual([]);
		expect(bob.device.complaints()).toEqual([]);
	});

	it('[P2] the relay holds what the screens show', async () => {
		const { body } = await relay.api<{ portal: string; token: string }>('POST', '/sessions', { email: 'ana@acme.example', password: PASSWORD });
		const { body: tasks } = await relay.api<{ rows: { title: string; deadline: string | null }[] }>('GET', '/documents?kind=task&limit=50', undefined, body.token);
		expect(tasks.rows.map(({ title }) => title).sort()).toEqual(['Call the printer on Monday', 'Made on the train', 'Prepare the spring fair']);
	});
});
