/**
 * A service that the company switches off, as its people see it (SET-5): it leaves menu, palette and search of an open client at once, its addresses
 * say so plainly, and nothing is lost: on again, all of it is back, also on a device that came in between.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

/** Where somebody wants to look at it. */
const pictures = process.env.ATRIUM_PICTURES;

describe('a service that is switched off', () => {
	let relay: TestRelay;
	let ana: SignedIn;
	let bob: SignedIn;
	let settings: string;
	const screens: Screens[] = [];

	const off = async (...value: string[]): Promise<void> => {
		const answer = await relay.api<unknown>('POST', `/documents/${settings}/commands`, { command: 'setServicesOff', value }, ana.token);
		expect(answer.status).toBe(200);
	};
	async function opened(name: string, options: Parameters<typeof Device.open>[2] = {}): Promise<Screens> {
		const one = new Screens(await Device.open(name, relay, options));
		screens.push(one);
		return one;
	}
	async function picture({ device }: Screens, name: string): Promise<void> {
		if (!pictures) return;
		mkdirSync(pictures, { recursive: true });
		await device.page.screenshot({ path: join(pictures, `${name}.png`) });
	}

	beforeAll(async () => {
		relay = await TestRelay.start();
		ana = await relay.register();
		bob = await relay.hire(ana, 'bob@acme.example', 'Bob');
		settings = (await relay.api<{ rows: { id: string }[] }>('GET', '/documents?kind=settings', undefined, ana.token)).body.rows[0]!.id;
	});
	afterAll(() => relay?.remove());
	afterEach(async (context) => {
		await tellIfFailed(context, screens.map(({ device }) => device));
		await Promise.all(screens.splice(0).map(({ device }) => device.remove()));
	});

	it('is gone at once for whoever has the portal open, and back with everything', async () => {
		const deal = await relay.create(bob, 'deal', { title: 'Offer for Kan-code' });
		const bobs = await opened('bob');
		const { page } = bobs.device;
		await bobs.signIn('bob@acme.example');
		await bobs.section('CRM');
		await page.getByText('Offer for Kan-code').first().waitFor();
		const menu = page.getByRole('navigation', { name: 'Sections' }).first();

		await off('crm', 'groups');
		await page.getByRole('heading', { name: 'This service is switched off' }).waitFor();
		await menu.getByRole('link', { name: 'CRM' }).waitFor({ state: 'detached' });
		await picture(bobs, 'off-wide');
		// The search of the device still holds it and does not say so; nothing of it is made.
		await page.keyboard.press('Control+k');
		const palette = page.getByRole('dialog', { name: 'Go, make, find' }).or(page.locator('dialog[open]')).first();
		await palette.getByRole('combobox').fill('Kan-code');
		await palette.getByText('Nothing found').waitFor();
		await palette.getByRole('combobox').fill('deal');
		expect(await palette.getByRole('option', { name: /New deal/ }).count()).toBe(0);
		await page.keyboard.press('Escape');
		// An address that somebody kept.
		await bobs.device.goto(`/crm/${deal}`);
		await page.getByRole('heading', { name: 'This service is switched off' }).waitFor();
		await bobs.section('Company');
		await page.getByRole('tab', { name: 'People' }).waitFor();
		expect(await page.getByRole('tab', { name: 'Groups' }).count()).toBe(0);

		// Somebody who signs in meanwhile, on a phone, has nothing of it.
		const phone = await opened('phone', { width: 390, height: 844, touch: true, theme: 'dark' });
		await phone.signIn('bob@acme.example');
		await phone.device.page.getByRole('navigation', { name: 'Sections' }).last().getByRole('link', { name: 'Tasks' }).waitFor();
		await phone.device.goto('/crm');
		await phone.device.page.getByRole('heading', { name: 'This service is switched off' }).waitFor();
		await picture(phone, 'off-phone');

		// The lines are closed and made anew: the browser says so.
		for (const { device } of screens) device.expectOutage();
		await off();
		for (const { device } of [bobs, phone]) {
			await device.goto('/crm');
			await device.page.getByText('Offer for Kan-code').first().waitFor();
		}
		await menu.getByRole('link', { name: 'CRM' }).waitFor();
		for (const one of screens) expect(one.device.complaints()).toEqual([]);
	});

	it('whoever opens the portal begins with what is used', async () => {
		await off('tasks');
		const anas = await opened('ana');
		const { page } = anas.device;
		await anas.device.goto('/sign-in');
		await page.getByRole('textbox', { name: 'E-mail' }).fill('ana@acme.example');
		await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await page.getByRole('button', { name: 'Sign in' }).click();
		await page.waitForURL('**/crm');
		await page.getByRole('heading', { name: 'CRM', level: 1 }).waitFor();
		await anas.device.goto('/tasks/new');
		await page.getByRole('link', { name: 'Open the settings' }).waitFor();
		await picture(anas, 'off-administrator');
		await off();
		await page.getByRole('heading', { name: 'This service is switched off' }).waitFor({ state: 'detached' });
	});
});
