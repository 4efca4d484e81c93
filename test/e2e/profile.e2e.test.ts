/** One's own profile and sign-in through the screens: fields and photo without a network, the second factor, the password, devices. One story, in order. */
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { oneTimeCode } from '../support/one-time-code.ts';
import { PASSWORD, TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const NEXT = 'another long password';

describe('my profile', () => {
	let relay: TestRelay;
	let admin: SignedIn;
	let bob: Screens;
	let ana: Screens;

	beforeAll(async () => {
		relay = await TestRelay.start();
		admin = await relay.register();
		await relay.hire(admin, 'bob@acme.example', 'Bob');
		ana = new Screens(await Device.open('ana', relay));
		bob = new Screens(await Device.open('bob', relay));
		await ana.signIn('ana@acme.example');
		await bob.signIn('bob@acme.example');
	});
	afterAll(async () => {
		await Promise.all([ana?.device.remove(), bob?.device.remove()]);
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [bob?.device]));

	const panel = () => bob.page.getByRole('tabpanel');
	const dialog = (name: string | RegExp) => bob.page.getByRole('dialog', { name });
	const seriousFaults = async () => (await new AxeBuilder({ page: bob.page }).setLegacyMode().analyze()).violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
	async function open(tab: 'Profile' | 'Sign-in and devices'): Promise<void> {
		await bob.page.getByRole('tab', { name: tab }).or(bob.page.getByRole('radio', { name: tab })).first().click();
	}
	async function toProfile(): Promise<void> {
		await bob.page.getByRole('button', { name: /^Account/ }).first().click();
		await bob.page.getByRole('menuitem', { name: 'My profile' }).click();
		await bob.page.getByRole('heading', { name: 'My profile', level: 1 }).waitFor();
	}

	it('fields and a photo are kept without a network, and colleagues see them afterwards', async () => {
		await bob.device.keepsTheApp();
		await toProfile();
		await bob.device.cut();
		expect(await seriousFaults()).toEqual([]);
		await panel().getByRole('textbox', { name: 'Position' }).fill('Carpenter');
		await panel().getByRole('textbox', { name: 'Phone' }).fill('+40 700 000 111');
		await panel().getByRole('textbox', { name: 'Phone' }).blur();
		await panel().getByRole('textbox', { name: 'Birthday' }).fill('30/11/1990');
		await panel().getByRole('textbox', { name: 'Birthday' }).press('Enter');
		// Whatever the portal speaks, these screens speak the person's language.
		await panel().getByRole('combobox', { name: 'Language' }).selectOption('ro');
		await panel().getByRole('textbox', { name: 'Zi de naștere' }).waitFor();
		await panel().getByRole('combobox', { name: 'Limbă' }).selectOption('en');
		await panel().getByRole('button', { name: 'Choose a photo' }).click();
		await dialog('Photo').locator('input[type=file]').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: await pictureOf(bob) });
		await dialog('Photo').getByRole('button', { name: 'Use it' }).or(dialog('Photo').locator('button[type=submit]')).first().click();
		await panel().getByRole('button', { name: 'Another photo' }).waitFor();
		await bob.page.getByRole('img', { name: /^Kept here/ }).first().waitFor();

		await open('Sign-in and devices');
		await panel().getByText(/This needs the network/).waitFor();
		await bob.device.mend();
		await bob.saysSync(/^Up to date$/);

		await ana.section('Company');
		await ana.page.goto(`${relay.url}/company?tab=people`);
		await ana.page.getByText('Carpenter').first().waitFor();
		const { body } = await relay.api<{ rows: { email: string; birthday: string; language: string }[] }>('GET', '/documents?kind=employee', undefined, admin.token);
		expect(body.rows.find(({ email }) => email.startsWith('bob'))).toMatchObject({ birthday: '1990-11-30', language: 'en' });
	});

	it('a second factor is set up, asked for, and switched off with password and code', async () => {
		await panel().getByRole('button', { name: 'Try again' }).click();
		await panel().getByRole('button', { name: 'Set up' }).click();
		await dialog('Set up').getByLabel('Present password').fill('wrong');
		await bob.page.keyboard.press('Enter');
		await dialog('Set up').getByRole('alert').waitFor();
		await dialog('Set up').getByLabel('Present password').fill(PASSWORD);
		await bob.page.keyboard.press('Enter');
		const secret = (await dialog('Set up').locator('code').innerText()).replaceAll(' ', '');
		expect(await seriousFaults()).toEqual([]);
		await dialog('Set up').getByRole('textbox', { name: 'Code that the app shows' }).fill(oneTimeCode(secret));
		await bob.page.keyboard.press('Enter');
		await dialog('Recovery codes').getByRole('listitem').first().waitFor();
		const old = await dialog('Recovery codes').getByRole('listitem').allInnerTexts();
		await dialog('Recovery codes').getByRole('checkbox').check();
		await dialog('Recovery codes').getByRole('button', { name: 'Done' }).click();
		await panel().getByText('Asked for at each sign-in.').waitFor();

		const asked = await relay.api<{ code: string }>('POST', '/sessions', { email: 'bob@acme.example', password: PASSWORD });
		expect(asked.body.code).toBe('second-factor');

		// New recovery codes take the place of the old ones.
		await panel().getByRole('button', { name: 'New recovery codes' }).click();
		await dialog('New recovery codes').getByLabel('Present password').fill(PASSWORD);
		await dialog('New recovery codes').getByRole('textbox', { name: 'Code' }).fill(old[0]!);
		await bob.page.keyboard.press('Enter');
		const kept = dialog(/^Recovery codes/);
		await kept.getByRole('listitem').first().waitFor();
		const [recovery] = await kept.getByRole('listitem').allInnerTexts();
		await kept.getByRole('checkbox').check();
		await kept.getByRole('button', { name: 'Done' }).click();
		await kept.waitFor({ state: 'detached' });

		await panel().getByRole('button', { name: 'Switch off' }).click();
		await dialog(/^Switch the second factor off/).getByLabel('Present password').fill(PASSWORD);
		await dialog(/^Switch the second factor off/).getByRole('textbox', { name: 'Code' }).fill(old[1]!);
		await dialog(/^Switch the second factor off/).getByRole('button', { name: 'Switch off' }).click();
		await dialog(/^Switch the second factor off/).getByText('This code does not match.').waitFor();
		await dialog(/^Switch the second factor off/).getByRole('textbox', { name: 'Code' }).fill(recovery!);
		await dialog(/^Switch the second factor off/).getByRole('button', { name: 'Switch off' }).click();
		await panel().getByRole('button', { name: 'Set up' }).waitFor();
	});

	it('the password is changed, other devices end at once, and this one goes on', async () => {
		const other = await relay.api<SignedIn>('POST', '/sessions', { email: 'bob@acme.example', password: PASSWORD });
		await panel().getByRole('listitem').filter({ hasText: 'Password' }).getByRole('button', { name: 'Change…' }).click();
		await dialog('Change the password').getByLabel('New password').fill('password1');
		await dialog('Change the password').getByLabel('Present password').fill(PASSWORD);
		await bob.page.keyboard.press('Enter');
		await dialog('Change the password').getByRole('alert').first().waitFor();
		await dialog('Change the password').getByLabel('New password').fill(NEXT);
		await bob.page.keyboard.press('Enter');
		await dialog('Change the password').waitFor({ state: 'detached' });
		expect((await relay.api('GET', '/me', undefined, other.body.token)).status).toBe(401);
		expect((await relay.api('POST', '/sessions', { email: 'bob@acme.example', password: NEXT })).status).toBe(201);
	});

	it('devices are listed, and ended one by one or all together', async () => {
		const first = await relay.api<SignedIn>('POST', '/sessions', { email: 'bob@acme.example', password: NEXT });
		await bob.page.reload();
		await panel().getByText('This one').waitFor();
		await panel().getByRole('button', { name: 'End', exact: true }).first().click();
		await bob.page.getByText('The sign-in is ended').first().waitFor();
		await panel().getByRole('button', { name: 'End all others' }).click();
		await eventually('the others are ended', () => panel().getByRole('button', { name: 'End', exact: true }).count(), (count) => count === 0);
		expect((await relay.api('GET', '/me', undefined, first.body.token)).status).toBe(401);
		expect(await seriousFaults()).toEqual([]);
	});

	it('a login is chosen, and signs in beside the address', async () => {
		await panel().getByRole('listitem').filter({ hasText: 'Login' }).getByRole('button', { name: 'Choose…' }).click();
		await dialog('Choose a login').getByRole('textbox', { name: 'Login' }).fill('bob.the.carpenter');
		await dialog('Choose a login').getByLabel('Present password').fill(NEXT);
		await dialog('Choose a login').getByRole('button', { name: 'Save' }).click();
		await panel().getByText('bob.the.carpenter').waitFor();
		expect((await relay.api('POST', '/sessions', { email: 'bob.the.carpenter', password: NEXT })).status).toBe(201);
	});

	it('another e-mail address counts once its letter was answered, and the old one is told', async () => {
		const { page } = bob;
		await panel().getByRole('listitem').filter({ hasText: 'bob@acme.example' }).getByRole('button', { name: 'Change…' }).click();
		await dialog('Change the e-mail address').getByLabel('New address').fill('robert@acme.example');
		await dialog('Change the e-mail address').getByLabel('Present password').fill(NEXT);
		await page.keyboard.press('Enter');
		await page.getByText('A letter is on its way to robert@acme.example').first().waitFor();
		expect((await relay.api('POST', '/sessions', { email: 'robert@acme.example', password: NEXT })).status).toBe(401);
		await bob.follow('email', 'robert@acme.example');
		await page.getByRole('heading', { name: 'Your address is confirmed', level: 1 }).waitFor();
		expect(page.url()).not.toContain('#');
		expect(await seriousFaults()).toEqual([]);
		await relay.letterArrived('bob@acme.example', 'Your e-mail address was changed');
		await bob.device.goto('/tasks');
		await page.getByRole('button', { name: /^Account/ }).first().click();
		await page.getByRole('menuitem', { name: 'Sign out' }).click();
		await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
		await page.getByRole('textbox', { name: 'E-mail' }).fill('bob@acme.example');
		await page.getByLabel('Password', { exact: true }).fill(NEXT);
		await page.getByRole('button', { name: 'Sign in', exact: true }).click();
		await page.getByText('do not match').waitFor();
		await bob.signIn('robert@acme.example', NEXT);
		await bob.saysSync(/^Up to date$/);
		// Colleagues write to the new one.
		await ana.page.getByRole('searchbox', { name: 'Find a person' }).fill('robert@acme');
		await ana.page.getByRole('grid', { name: 'People' }).getByRole('row').filter({ hasText: 'Bob' }).waitFor();
	});

	async function pictureOf(who: Screens): Promise<Buffer> {
		const url = await who.page.evaluate(() => {
			const canvas = document.createElement('canvas');
			canvas.width = 900;
			canvas.height = 600;
			const pen = canvas.getContext('2d')!;
			pen.fillStyle = 'teal';
			pen.fillRect(0, 0, 900, 600);
			return canvas.toDataURL('image/png');
		});
		return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
	}
});
