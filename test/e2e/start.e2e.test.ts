/** Somebody new: the tour once, the administrator's first steps that tick themselves, help for each screen without a network and in both languages. One story, in order. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AxeBuilder } from '@axe-core/playwright';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

describe('the first steps', () => {
	let relay: TestRelay;
	let admin: SignedIn;
	let ana: Screens;

	beforeAll(async () => {
		relay = await TestRelay.start();
		admin = await relay.register();
		ana = new Screens(await Device.open('ana', relay, { newcomer: true }));
	});
	afterAll(async () => {
		await ana?.device.remove();
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [ana?.device]));

	const tour = () => ana.page.getByRole('dialog', { name: /^(Welcome to Acme|The sections|Find, go, create|Where your work is|Your name|Help for each screen)$/ });
	const steps = () => ana.page.getByRole('dialog', { name: 'First steps' });
	const help = () => ana.page.getByRole('complementary', { name: 'Help' });
	const seriousFaults = async () => (await new AxeBuilder({ page: ana.page }).analyze()).violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);

	it('shows the tour to somebody new, by the keyboard, without a network, and once', async () => {
		await ana.signIn('ana@acme.example');
		await tour().waitFor();
		await ana.device.cut();
		expect(await seriousFaults()).toEqual([]);
		for (const title of ['Welcome to Acme', 'The sections', 'Find, go, create', 'Where your work is', 'Your name']) {
			await ana.page.getByRole('dialog', { name: title }).waitFor();
			await ana.page.keyboard.press('ArrowRight');
		}
		await ana.page.getByRole('dialog', { name: 'Help for each screen' }).waitFor();
		await ana.page.getByRole('button', { name: 'Begin' }).click();
		await tour().waitFor({ state: 'detached' });

		await ana.page.reload();
		await ana.main.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
		await ana.page.getByRole('button', { name: /First steps/ }).waitFor();
		expect(await tour().count()).toBe(0);
		await ana.device.mend();
	});

	it('ticks each first step by what the portal holds', async () => {
		await ana.page.getByRole('button', { name: /First steps/ }).click();
		await steps().waitFor();
		expect(await steps().getByRole('img', { name: 'Done' }).count()).toBe(0);
		expect(await seriousFaults()).toEqual([]);

		await relay.create(admin, 'department', { name: 'Sales', parent: await rootOf() });
		await steps().getByRole('button', { name: /^Done Draw the structure/ }).waitFor();
		await relay.hire(admin, 'bob@acme.example', 'Bob');
		await steps().getByRole('button', { name: /^Done Invite your colleagues/ }).waitFor();
		await relay.create(admin, 'task', { title: 'Read the house rules' });
		await steps().getByRole('button', { name: /^Done Write something first/ }).waitFor();
		await steps().getByRole('progressbar', { name: '3 of 4' }).waitFor();

		// Each leads to where it is done.
		await steps().getByRole('button', { name: /Invite your colleagues/ }).click();
		await ana.page.getByRole('dialog', { name: /^Invite people/ }).waitFor();
		await ana.page.keyboard.press('Escape');
		await ana.page.getByRole('button', { name: /First steps/ }).click();
		await steps().getByRole('button', { name: /Make it yours/ }).click();
		await ana.page.waitForURL(/\/settings\/company/);
		await ana.main.getByRole('textbox', { name: 'E-mail' }).fill('office@acme.example');
		await ana.page.keyboard.press('Enter');
		await ana.page.getByRole('button', { name: /4 of 4/ }).waitFor();
	});

	it('explains the screen in sight without a network, finds other topics, and speaks Romanian', async () => {
		await ana.device.keepsTheApp();
		await ana.device.cut();
		await ana.section('Company');
		await ana.page.getByRole('button', { name: 'Help', exact: true }).click();
		await help().getByRole('heading', { name: 'Company structure' }).waitFor();
		expect(await seriousFaults()).toEqual([]);
		await ana.section('CRM');
		await help().getByRole('heading', { name: 'CRM', exact: true }).waitFor();
		await help().getByRole('searchbox').fill('recovery codes');
		await help().getByRole('button', { name: 'Your profile and your sign-in' }).click();
		await help().getByRole('heading', { name: 'Your profile and your sign-in' }).waitFor();
		await help().getByRole('button', { name: 'Help for this screen' }).click();
		await help().getByRole('heading', { name: 'CRM', exact: true }).waitFor();
		// The tour is taken again from there, and skipped.
		await help().getByRole('button', { name: 'Take the tour' }).click();
		await ana.page.getByRole('dialog', { name: 'Welcome to Acme' }).getByRole('button', { name: 'Skip' }).click();
		await tour().waitFor({ state: 'detached' });

		await ana.page.keyboard.press('F1');
		await help().waitFor();
		await ana.page.evaluate(() => document.documentElement.lang);
		await ana.page.getByRole('button', { name: /^Account/ }).first().click();
		await ana.page.getByRole('menuitemradio', { name: 'Română' }).click();
		await ana.page.getByRole('complementary', { name: 'Ajutor' }).getByRole('heading', { name: 'De la prima discuție la vânzare' }).waitFor();
		await ana.device.mend();
		expect(ana.device.complaints()).toEqual([]);
	});

	async function rootOf(): Promise<string> {
		let root = '';
		await eventually('the company’s department', async () => {
			const { body } = await relay.api<{ rows: { id: string; parent: string | null }[] }>('GET', '/documents?kind=department', undefined, admin.token);
			root = body.rows.find(({ parent }) => parent === null)?.id ?? '';
			return root;
		}, (id) => id !== '');
		return root;
	}
});
