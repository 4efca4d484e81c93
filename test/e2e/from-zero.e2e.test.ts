/**
 * From a relay that has just started to two people at work in one portal, through the screens alone, with letters that go through a mail server: at a desk and
 * on a phone. How long it takes is printed, and is no assertion.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MailServer } from '../support/mail-server.ts';
import { PASSWORD, TestRelay, until } from '../support/relay.ts';
import { Device, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const ANA = 'ana@acme.example';
const BOB = 'bob@acme.example';

describe.each([
	['at a desk', {}],
	['on a phone', { width: 390, height: 844, touch: true }]
])('from nothing to two people at work, %s', (where, size) => {
	const mail = new MailServer();
	let relay: TestRelay;
	let ana: Screens;
	let bob: Screens;

	beforeAll(async () => {
		await mail.start();
		ana = new Screens(await Device.open('ana', (relay = await TestRelay.start({ SMTP_URL: mail.url })), size));
		bob = new Screens(await Device.open('bob', relay, { ...size, newcomer: true }));
	});
	afterAll(async () => {
		await Promise.all([ana?.device.remove(), bob?.device.remove()]);
		await relay?.remove();
		await mail.stop();
	});
	afterEach((context) => tellIfFailed(context, [ana?.device, bob?.device]));

	/** As a person does: opens the newest letter to the address and presses its link. */
	async function openLetter(to: string, subject: RegExp): Promise<string> {
		const find = () => mail.received.findLast((one) => one.to.includes(to) && subject.test(one.mail.subject ?? ''));
		await until(() => find() !== undefined);
		const { mail: letter } = find()!;
		const [link] = /https?:\/\/\S+#\S+/.exec(letter.text ?? '') ?? [];
		// Whoever reads HTML is sent to the same place.
		expect(letter.html).toContain(link);
		return link!;
	}

	it('a company is registered, a colleague invited, and both change one task', async () => {
		const began = performance.now();
		const { page } = ana;
		await ana.device.goto('/');
		await page.getByRole('link', { name: 'Create a portal' }).click();
		await page.getByRole('textbox', { name: 'Company' }).fill('Acme');
		await page.getByRole('textbox', { name: 'First name' }).fill('Ana');
		await page.getByRole('textbox', { name: 'Last name' }).fill('Pop');
		await page.getByRole('textbox', { name: 'E-mail' }).fill(ANA);
		await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await page.getByRole('button', { name: 'Create the portal' }).click();
		await page.getByRole('heading', { name: 'Look in your mailbox' }).waitFor();
		await page.goto(await openLetter(ANA, /confirm/i));
		await page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();

		await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: /^Company/ }).locator('visible=true').click();
		await ana.main.getByRole('button', { name: 'Invite people' }).first().click();
		const invite = page.getByRole('dialog', { name: /^Invite people/ });
		await invite.getByRole('textbox', { name: 'E-mail addresses' }).fill(`Bob Ionescu <${BOB}>`);
		await invite.getByRole('button', { name: /^Invite 1/ }).click();
		await invite.getByText(/^1 invitation sent/).waitFor();
		await invite.getByRole('button', { name: 'Done' }).click();

		const { page: his } = bob;
		await his.goto(await openLetter(BOB, /invitation/i));
		await his.getByRole('textbox', { name: 'First name' }).fill('Bob');
		await his.getByRole('textbox', { name: 'Last name' }).fill('Ionescu');
		await his.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await his.getByRole('button', { name: 'Join' }).click();
		await his.getByRole('textbox', { name: 'Phone' }).fill('+40 700 000 222');
		await his.getByRole('button', { name: 'To work' }).click();
		// One welcome after the other: the tour does not stand on the first screen.
		await his.getByRole('dialog', { name: 'Welcome to Acme' }).getByRole('button', { name: 'Skip' }).click();
		await his.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();

		await bob.newTask('Paint the fence');
		await bob.taskRow('Paint the fence').waitFor();
		await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: /^Tasks/ }).locator('visible=true').click();
		await page.getByRole('radiogroup', { name: 'Which tasks' }).getByRole('radio', { name: /^All/ }).check({ force: true });
		await ana.taskRow('Paint the fence').waitFor();
		await ana.openTask('Paint the fence');
		await ana.setTaskTitle('Paint the fence green');
		await bob.taskRow('Paint the fence green').waitFor();
		console.log(`two people at work ${where}: ${((performance.now() - began) / 1000).toFixed(1)} s of script time`);

		expect(mail.received.map((one) => one.to).flat().sort()).toEqual([ANA, BOB]);
		expect([...ana.device.complaints(), ...bob.device.complaints()]).toEqual([]);
	});
});
