/**
 * Every way into a portal, through the screens: founding it by a letter, a forgotten password, registering oneself, a demanded second factor, a passkey, an account
 * at a provider; a sign-in that ends over unsent work; two portals of one person. The tests of this file are one story and run in order.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { oneTimeCode } from '../support/one-time-code.ts';
import { OidcIssuer } from '../support/oidc-issuer.ts';
import { PASSWORD, TestRelay } from '../support/relay.ts';
import { Device, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';
import { keptBy, secretsOf } from './secrets.ts';

const ANA = 'ana@acme.example';
const CRIS = 'cris@acme.example';
const FLO = 'flo@acme.example';
const NEW_PASSWORD = 'quite another long sentence';

describe('the ways in', () => {
	let relay: TestRelay;
	let issuer: OidcIssuer;
	let ana: Screens;
	let cris: Screens;
	let password = PASSWORD;
	/** What screens showed this once. */
	const shown: string[] = [];

	beforeAll(async () => {
		issuer = await OidcIssuer.start();
		relay = await TestRelay.start(issuer.environment('acme', 'Acme Login'));
		ana = new Screens(await Device.open('ana', relay));
		cris = new Screens(await Device.open('cris', relay, { width: 390, height: 844, touch: true }));
	});
	afterAll(async () => {
		await Promise.all([ana?.device.remove(), cris?.device.remove()]);
		await relay?.remove();
		await issuer?.close();
	});
	afterEach((context) => tellIfFailed(context, [ana?.device, cris?.device]));

	const field = (page: Page, name: string | RegExp) => page.getByRole('textbox', { name });
	const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();
	const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name, level: 1 }).waitFor();
	const home = (page: Page) => heading(page, 'Tasks');

	/** What axe finds that keeps somebody out, in both themes. */
	async function isOpenToAll(page: Page): Promise<void> {
		await page.waitForFunction(() => document.title !== '' && document.querySelector('h1') !== null);
		for (const colorScheme of ['light', 'dark'] as const) {
			await page.emulateMedia({ colorScheme });
			const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
			expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes[0]?.html}`)).toEqual([]);
		}
		// Nothing is cut off at the narrowest.
		expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
	}
	/** Ana's token for Acme, also once she has another portal. */
	async function anaToken(): Promise<string> {
		const first = await relay.api<{ token: string; ticket: string; portals?: { portal: string; company: string }[] }>('POST', '/sessions', { email: ANA, password });
		const acme = first.body.portals?.find(({ company }) => company === 'Acme');
		const { status, body } = acme ? await relay.api<{ token: string }>('POST', '/sessions', { ticket: first.body.ticket, portal: acme.portal }) : first;
		expect(status, JSON.stringify(body)).toBe(201);
		return body.token;
	}
	async function set(name: string, value: unknown): Promise<void> {
		const token = await anaToken();
		const { body } = await relay.api<{ rows: { id: string }[] }>('GET', '/documents?kind=settings', undefined, token);
		const done = await relay.api('POST', `/documents/${body.rows[0]!.id}/commands`, { command: `settings.${name}`, args: { value } }, token);
		expect(done.status, JSON.stringify(done.body)).toBe(200);
	}
	async function signOut({ page }: Screens): Promise<void> {
		await press(page, /^Account/);
		await page.getByRole('menuitem', { name: 'Sign out' }).click();
		await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
		await page.getByRole('heading', { name: /^Sign in/, level: 1 }).waitFor();
	}

	it('a company is founded by the code of a letter, which stays in no address', async () => {
		const { page } = ana;
		await ana.device.goto('/register');
		await press(page, 'Create the portal');
		await page.getByText('Please fill this in.').first().waitFor();
		expect(await field(page, 'Company').evaluate((node) => node === document.activeElement)).toBe(true);
		await isOpenToAll(page);
		await field(page, 'Company').fill('Acme');
		await field(page, 'First name').fill('Ana');
		await field(page, 'Last name').fill('Pop');
		await field(page, 'E-mail').fill(ANA);
		await page.getByLabel('Password', { exact: true }).fill('password1');
		await press(page, 'Create the portal');
		await page.getByText('among the first that are guessed').waitFor();
		await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await press(page, 'Create the portal');
		await heading(page, 'Look in your mailbox');
		await page.getByText('letters are files').waitFor();
		await isOpenToAll(page);
		const code = await relay.letterCode(ANA, 'confirm');
		// In another browser whoever reads the mailbox is asked for a password; the code stays good.
		await cris.follow('confirm', ANA);
		await heading(cris.page, 'Choose your password');
		await isOpenToAll(cris.page);
		await ana.follow('confirm', ANA);
		await home(page);
		expect(page.url()).not.toContain(code);
		expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(code);
		await ana.follow('confirm', ANA);
		await heading(page, 'This link is no longer valid');
		await ana.device.goto('/tasks');
		await home(page);
	});

	it('a forgotten password is chosen anew, and nobody learns which addresses are known', async () => {
		const { page } = cris;
		await cris.device.goto('/reset');
		await isOpenToAll(page);
		for (const email of ['nobody@acme.example', ANA]) {
			await cris.device.goto('/reset');
			await field(page, 'E-mail').fill(email);
			await press(page, 'Send the letter');
			await page.getByText(`If ${email} has an account`).waitFor();
		}
		await cris.follow('reset', ANA);
		await page.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
		await page.getByLabel('Password, once more').fill(`${NEW_PASSWORD}!`);
		await press(page, 'Set the password');
		await page.getByText('The two passwords are not the same.').waitFor();
		await isOpenToAll(page);
		await page.getByLabel('Password, once more').fill(NEW_PASSWORD);
		await press(page, 'Set the password');
		await heading(page, /^Sign in/);
		password = NEW_PASSWORD;
	});

	it('the sign-in that ended with it is asked for over the screen, and what was typed stays and goes up', async () => {
		const { page } = ana;
		const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
		await dialog.waitFor();
		await isOpenToAll(page);
		// Put away, the work goes on, on this device.
		await page.keyboard.press('Escape');
		await ana.newTask('Typed without a sign-in');
		await ana.taskRow('Typed without a sign-in').waitFor();
		await field(page, 'What has to be done').first().fill('half a sentence');
		await press(page, 'Sign in again');
		await dialog.getByText('1 change waits here').waitFor();
		await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
		await dialog.getByText('do not match').waitFor();
		await dialog.getByLabel('Password', { exact: true }).fill(password);
		await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
		await dialog.waitFor({ state: 'hidden' });
		await ana.saysSync(/^Up to date$/);
		expect(await field(page, 'What has to be done').first().inputValue()).toBe('half a sentence');
	});

	it('somebody registers themselves, waits for an administrator, who lets them into a department, and comes in; another one is refused', async () => {
		const { page } = cris;
		await set('setSelfRegistration', { mode: 'moderated', domains: [] });
		await cris.device.goto('/sign-in');
		await heading(page, 'Sign in to Acme');
		await isOpenToAll(page);
		await page.getByRole('link', { name: 'Register' }).click();
		await heading(page, 'Join Acme');
		await field(page, 'First name').fill('Cristina');
		await field(page, 'Last name').fill('Dumitrescu');
		await field(page, 'Login').fill('x');
		await field(page, 'E-mail').fill(CRIS);
		await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await page.getByLabel('Password, once more').fill('something else');
		await press(page, 'Register');
		await page.getByText('A login has 3 to 40').waitFor();
		await page.getByText('The two passwords are not the same.').waitFor();
		await isOpenToAll(page);
		await field(page, 'Login').fill('cris');
		await page.getByLabel('Password, once more').fill(PASSWORD);
		await press(page, 'Register');
		await heading(page, 'Look in your mailbox');
		await ana.follow('join', CRIS);
		await heading(ana.page, 'Choose your password');
		await ana.page.getByLabel('Password', { exact: true }).fill('password1');
		await ana.page.getByLabel('Password, once more').fill('password1');
		await press(ana.page, 'Go on');
		await ana.page.getByText('among the first that are guessed').waitFor();
		await isOpenToAll(ana.page);
		await ana.page.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
		await ana.page.getByLabel('Password, once more').fill(NEW_PASSWORD);
		await press(ana.page, 'Go on');
		await ana.page.getByText('An administrator decides now.').waitFor();
		// Somebody else asks too, from a browser that is not here.
		const { body } = await relay.api<{ portal: string }>('GET', '/me', undefined, await anaToken());
		expect((await relay.api('POST', '/joins', { portal: body.portal, firstName: 'Flo', lastName: 'Oprea', email: FLO, password: PASSWORD })).status).toBe(202);
		expect((await relay.api('POST', '/joins/confirmation', { code: await relay.letterCode(FLO, 'join'), password: PASSWORD })).body).toEqual({ waiting: true });

		await ana.device.goto('/company?tab=people');
		await press(ana.page, '2 ask to join');
		const asking = (name: string) => ana.page.getByRole('list', { name: 'Ask to join' }).getByRole('listitem').filter({ hasText: name });
		await asking('Cristina Dumitrescu').getByText('registered themselves').waitFor();
		await asking('Flo Oprea').getByRole('button', { name: 'Refuse' }).click();
		await ana.page.getByRole('dialog', { name: 'Refuse Flo Oprea?' }).getByRole('button', { name: 'Refuse' }).click();
		await ana.page.getByText('Flo Oprea is refused').waitFor();
		await asking('Flo Oprea').waitFor({ state: 'detached' });
		await relay.letterArrived(FLO, 'Your request to join Acme');
		expect((await relay.api('POST', '/sessions', { email: FLO, password: PASSWORD })).status).toBe(401);
		await asking('Cristina Dumitrescu').getByRole('button', { name: 'Let in' }).click();
		const admission = ana.page.getByRole('dialog', { name: 'Let Cristina Dumitrescu in?' });
		await admission.getByRole('button', { name: /^Department:/ }).click();
		await ana.page.getByRole('combobox', { name: 'Department' }).fill('Acme');
		await ana.page.keyboard.press('Enter');
		await admission.getByRole('button', { name: 'Let in' }).click();
		await ana.page.getByRole('heading', { name: 'Nobody asks to join' }).waitFor();
		await ana.page.getByRole('radio', { name: /^Work here/ }).click();
		const people = ana.page.getByRole('grid', { name: 'People' }).getByRole('row');
		await people.filter({ hasText: 'Cristina Dumitrescu' }).getByText('Acme', { exact: true }).waitFor();
		expect(await people.filter({ hasText: 'Flo' }).count()).toBe(0);

		await cris.device.goto('/sign-in');
		await field(page, 'E-mail or login').fill('cris');
		await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await press(page, /^Sign in$/);
		// What was typed elsewhere than where the letter was answered counts for nothing.
		await page.getByText('do not match').waitFor();
		await page.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
		await press(page, /^Sign in$/);
		await home(page);
		await signOut(cris);
	});

	it('a passkey is added in the profile, signs in by itself, and signs in no more once it is removed', async () => {
		const { page } = ana;
		// Browsers make passkeys for names, not for numbers.
		const address = relay.url.replace('127.0.0.1', 'localhost');
		const cdp = await ana.device.cdp();
		await cdp.send('WebAuthn.enable');
		const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
			options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true }
		});
		await page.goto(`${address}/sign-in`);
		await field(page, 'E-mail or login').fill(ANA);
		await page.getByLabel('Password', { exact: true }).fill(password);
		await press(page, /^Sign in$/);
		await home(page);
		await page.goto(`${address}/profile?tab=security`);
		await press(page, 'Add a passkey');
		const adding = page.getByRole('dialog', { name: 'Add a passkey' });
		await adding.getByRole('textbox', { name: 'Name' }).fill('Key of the office');
		await adding.getByLabel('Present password').fill(PASSWORD);
		await press(page, 'Go on');
		await adding.getByText('This is not your password.').waitFor();
		await adding.getByLabel('Present password').fill(password);
		await press(page, 'Go on');
		await page.getByText('The passkey is added').waitFor();
		const added = page.getByRole('tabpanel').getByRole('listitem').filter({ hasText: 'Key of the office' });
		await added.getByText('not used yet').waitFor();

		// A browser that had one offers it in the field of the name; the authenticator stands for whoever picks it there.
		const finger = (enabled: boolean) => cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
		const askedRelay = () => page.waitForResponse((response) => response.url().endsWith('/passkeys/options'));
		const leave = async (): Promise<void> => {
			await finger(false);
			const offered = askedRelay();
			await signOut(ana);
			await offered;
		};
		/** It answers what the browser asks from here on, not what waits already. */
		const fingerNext = () => page.route('**/passkeys/options', async (route) => (await finger(true), await route.continue()), { times: 1 });
		await leave();
		expect(await field(page, 'E-mail or login').getAttribute('autocomplete')).toBe('username webauthn');
		await fingerNext();
		await page.reload();
		await home(page);
		// The button takes the place of an offer that waits.
		await leave();
		await fingerNext();
		await press(page, 'Sign in with a passkey');
		await home(page);
		// Whoever types their password is not disturbed.
		await leave();
		await field(page, 'E-mail or login').fill(ANA);
		await page.getByLabel('Password', { exact: true }).fill(password);
		await press(page, /^Sign in$/);
		await home(page);
		// Taken out of the list it signs nobody in, though the device has it still.
		await page.goto(`${address}/profile?tab=security`);
		await added.getByText('Last used').waitFor();
		await added.getByRole('button', { name: 'Remove' }).click();
		const removing = page.getByRole('dialog', { name: 'Remove “Key of the office”?' });
		await removing.getByLabel('Present password').fill(password);
		await removing.getByRole('button', { name: 'Remove' }).click();
		await added.waitFor({ state: 'detached' });
		await leave();
		await fingerNext();
		await press(page, 'Sign in with a passkey');
		await page.getByText('This passkey is not known here.').waitFor();
		await ana.device.goto('/tasks');
		await home(page);
	});

	it('an account at a provider signs in as long as it is linked in the profile, not before and not after', async () => {
		const { page } = ana;
		await signOut(ana);
		await press(page, 'Sign in with Acme Login');
		await page.getByText('This account is linked with nobody here.').waitFor();
		expect(new URL(page.url()).hash).toBe('');
		await isOpenToAll(page);
		await field(page, 'E-mail or login').fill(ANA);
		await page.getByLabel('Password', { exact: true }).fill(password);
		await press(page, /^Sign in$/);
		await home(page);
		const provider = page.getByRole('tabpanel').getByRole('listitem').filter({ hasText: 'Acme Login' });
		await ana.device.goto('/profile?tab=security');
		await provider.getByText('Not linked').waitFor();
		await provider.getByRole('button', { name: 'Link…' }).click();
		await page.getByRole('dialog', { name: 'Link Acme Login' }).getByLabel('Present password').fill(password);
		const visited = page.waitForRequest((request) => request.url().startsWith(`${issuer.url}/authorize`));
		await press(page, 'Go on');
		await visited;
		await page.getByText('The account is linked').waitFor();
		await provider.getByText(issuer.account.email!).waitFor();
		await signOut(ana);
		await page.goto(`${relay.url}/sign-in?next=/company`);
		await press(page, 'Sign in with Acme Login');
		await heading(page, 'Company');
		await page.getByRole('button', { name: 'Account: Ana Pop' }).waitFor();
		// Unlinked, it is nobody's again.
		await ana.device.goto('/profile?tab=security');
		await provider.getByRole('button', { name: 'Unlink' }).click();
		await provider.getByText('Not linked').waitFor();
		await signOut(ana);
		await press(page, 'Sign in with Acme Login');
		await page.getByText('This account is linked with nobody here.').waitFor();
		await field(page, 'E-mail or login').fill(ANA);
		await page.getByLabel('Password', { exact: true }).fill(password);
		await press(page, /^Sign in$/);
		await home(page);
	});

	it('one person has two portals, each with its own store, in two tabs at once and without a network', async () => {
		const { page, device } = ana;
		await device.goto('/tasks');
		await ana.newTask('Only of Acme');
		await ana.taskRow('Only of Acme').waitFor();
		await ana.saysSync(/^Up to date$/);
		await press(page, 'Portals: Acme');
		await page.getByRole('menuitem', { name: 'Register another company' }).click();
		await heading(page, 'Register another company');
		await isOpenToAll(page);
		await field(page, 'Company').fill('Beta');
		await press(page, 'Create the portal');
		await page.getByRole('button', { name: 'Portals: Beta' }).waitFor();
		await ana.newTask('Only of Beta');
		await ana.taskRow('Only of Beta').waitFor();
		await ana.saysSync(/^Up to date$/);
		expect(await ana.taskRow('Only of Acme').count()).toBe(0);

		// A second tab opens what was chosen last, and goes its own way.
		const second = await device.context.newPage();
		await second.goto(`${relay.url}/tasks`);
		await second.getByRole('button', { name: 'Portals: Beta' }).click();
		await second.getByRole('menuitemradio', { name: /^Acme/ }).click();
		await second.getByRole('button', { name: 'Portals: Acme' }).waitFor();
		await second.getByRole('grid', { name: 'Tasks' }).getByRole('row').filter({ hasText: 'Only of Acme' }).waitFor();
		await page.reload();
		await page.getByRole('button', { name: 'Portals: Beta' }).waitFor();
		await ana.taskRow('Only of Beta').waitFor();
		await ana.saysSync(/^Up to date$/);
		await second.close();

		await device.keepsTheApp();
		await device.cut();
		await press(page, 'Portals: Beta');
		await page.getByRole('menuitemradio', { name: /^Acme/ }).click();
		await ana.taskRow('Only of Acme').waitFor();
		expect(await ana.taskRow('Only of Beta').count()).toBe(0);
		await device.mend();
		await ana.saysSync(/^Up to date$/);
	});

	it('who signs in anew chooses between their portals, and changes to the other one without signing in again', async () => {
		const { page, device } = ana;
		const portalNow = () => page.evaluate(() => sessionStorage.getItem('atrium.portal'));
		const acme = (await portalNow())!;
		await signOut(ana);
		await page.getByRole('button', { name: /^Beta/ }).click();
		await page.getByRole('button', { name: 'Portals: Beta' }).waitFor();
		const beta = (await portalNow())!;
		await signOut(ana);
		await device.goto('/sign-in');
		await field(page, 'E-mail or login').fill(ANA);
		await page.getByLabel('Password', { exact: true }).fill(password);
		const answer = page.waitForResponse((response) => response.url().endsWith('/api/v1/sessions'));
		await press(page, /^Sign in$/);
		expect([(await answer).status(), ((await (await answer).json()) as { code: string }).code]).toEqual([409, 'choose-portal']);
		await heading(page, 'Which portal?');
		expect(await page.getByRole('list').getByRole('button').allInnerTexts()).toHaveLength(2);
		await isOpenToAll(page);
		await press(page, /Acme$/);
		await page.getByRole('button', { name: 'Portals: Acme' }).waitFor();
		await ana.taskRow('Only of Acme').waitFor();
		await ana.saysSync(/^Up to date$/);

		// The device has forgotten Beta's sign-in: the relay names it, and this sign-in opens it.
		await press(page, 'Portals: Acme');
		await page.getByRole('menuitemradio', { name: /^Beta/ }).click();
		await page.getByRole('button', { name: 'Portals: Beta' }).waitFor();
		await ana.taskRow('Only of Beta').waitFor();
		await ana.saysSync(/^Up to date$/);
		expect(await ana.taskRow('Only of Acme').count()).toBe(0);
		const stores = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? ''));
		for (const portal of [acme, beta]) expect(stores.filter((name) => name.startsWith(`atrium:${portal}:`)), portal).toHaveLength(1);
		await press(page, 'Portals: Beta');
		await page.getByRole('menuitemradio', { name: /^Acme/ }).click();
		await ana.taskRow('Only of Acme').waitFor();
		await ana.saysSync(/^Up to date$/);
	});

	it('signing in again in another tab ends the sign-in before, and is asked for nowhere', async () => {
		const { page, device } = ana;
		const sessions = () => page.evaluate(async () => ((await (await fetch('/api/v1/sessions', { headers: { 'x-atrium-portal': sessionStorage.getItem('atrium.portal')! } })).json()) as { sessions: { portal: string }[] }).sessions.length);
		const before = await sessions();
		await page.evaluate(() => {
			const look = () => document.body.innerText.includes('sign in again') && document.body.setAttribute('data-asked', '');
			new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
		});
		const next = page.waitForEvent('websocket');
		const second = await device.context.newPage();
		await second.goto(`${relay.url}/sign-in`);
		await second.getByLabel('Password', { exact: true }).fill(password);
		await press(second, /^Sign in$/);
		await home(second);
		await next;
		await ana.saysSync(/^Up to date$/);
		expect(await page.evaluate(() => document.body.hasAttribute('data-asked'))).toBe(false);
		expect(await sessions()).toBe(before);
		await second.close();
		await ana.newTask('After the change of cookies');
		await ana.hasMark(ana.taskRow('After the change of cookies'), 'Accepted');
	});

	it('a company shows its public page to visitors, and the door at its top', async () => {
		const { page } = cris;
		// With a second portal here nobody can tell which one a visitor means: it is the address that names it then.
		const { body } = await relay.api<{ portal: string }>('GET', '/me', undefined, await anaToken());
		await set('setPublicPage', true);
		await set('setAbout', 'We paint houses.\nSince 1990.');
		await set('setContact', { address: 'Strada Florilor 1', phone: '+40 21 000 00 00', email: 'office@acme.example', website: 'https://acme.example', partner: null });
		await cris.device.goto(`/?portal=${body.portal}`);
		await heading(page, 'Acme');
		await page.getByText('We paint houses.').waitFor();
		await page.getByRole('link', { name: 'office@acme.example' }).waitFor();
		await isOpenToAll(page);
		await page.getByRole('link', { name: 'Sign in' }).click();
		await heading(page, 'Sign in to Acme');
	});

	it('an invited person says who they are, and cuts their photo by keys, also without a network', async () => {
		const { page, device } = cris;
		const DAN = 'dan@acme.example';
		expect((await relay.api('POST', '/invitations', { addresses: [DAN] }, await anaToken())).status).toBe(200);
		await cris.follow('invitation', DAN);
		await heading(page, 'Join Acme');
		await page.getByText(`You were invited as ${DAN}`).waitFor();
		await isOpenToAll(page);
		await field(page, 'First name').fill('Dan');
		await field(page, 'Last name').fill('Marin');
		await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await press(page, 'Join');
		await heading(page, 'Welcome to Acme');
		await cris.saysSync(/^Up to date$/);
		await isOpenToAll(page);
		await device.keepsTheApp();
		await device.cut();
		const picture = await page.evaluate(() => {
			const canvas = document.createElement('canvas');
			canvas.width = 900;
			canvas.height = 600;
			const context = canvas.getContext('2d')!;
			context.fillStyle = 'teal';
			context.fillRect(0, 0, 900, 600);
			return canvas.toDataURL('image/png').split(',')[1]!;
		});
		await press(page, 'Your photo');
		const dialog = page.getByRole('dialog', { name: 'Your photo' });
		await dialog.locator('input[type=file]').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: Buffer.from(picture, 'base64') });
		const view = dialog.getByRole('application', { name: 'Your photo' });
		const zoom = dialog.getByRole('slider', { name: 'Enlargement' });
		await expect.poll(() => zoom.isEnabled()).toBe(true);
		await view.press('+');
		await view.press('ArrowLeft');
		expect(await zoom.getAttribute('aria-valuetext')).toBe('110 %');
		await isOpenToAll(page);
		await dialog.getByRole('button', { name: 'Use this picture' }).click();
		await dialog.waitFor({ state: 'hidden' });
		await field(page, /^Position/).fill('Painter');
		await field(page, /^Phone/).fill('+40 722 000 000');
		await press(page, 'To work');
		await home(page);
		await device.mend();
		await cris.saysSync(/^Up to date$/);
		const { body } = await relay.api<{ rows: { email: string; position: string; phone: string; photo: string }[] }>('GET', '/documents?kind=employee', undefined, await anaToken());
		const row = body.rows.find(({ email }) => email === DAN)!;
		expect(row).toMatchObject({ position: 'Painter', phone: '+40 722 000 000' });
		const bytes = await fetch(`${relay.url}/api/v1/files/${row.photo}`, { headers: { authorization: `Bearer ${await anaToken()}` } });
		expect([bytes.status, bytes.headers.get('content-type')]).toEqual([200, 'image/webp']);
		await signOut(cris);
	});

	it('a portal that demands a second factor has it enrolled on the way in; a recovery code opens once', async () => {
		const { page } = cris;
		await set('setSecondFactor', { since: 1, graceDays: 0 });
		const begin = async () => {
			await field(page, 'E-mail or login').fill(CRIS);
			await page.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
			await press(page, /^Sign in$/);
		};
		await begin();
		await heading(page, 'Protect your account');
		await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
		const secret = (await page.locator('code').innerText()).replaceAll(' ', '');
		await isOpenToAll(page);
		const code = oneTimeCode(secret);
		await field(page, 'Code').fill(code === '000000' ? '000001' : '000000');
		await press(page, 'Confirm the code');
		await page.getByText('This code does not match.').waitFor();
		await field(page, 'Code').fill(oneTimeCode(secret));
		await press(page, 'Confirm the code');
		await heading(page, 'Recovery codes');
		const codes = await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allInnerTexts();
		expect(new Set(codes).size).toBeGreaterThan(5);
		shown.push(secret, ...codes);
		await isOpenToAll(page);
		await press(page, 'I have kept them');
		await home(page);
		await signOut(cris);

		await begin();
		await heading(page, 'One more step');
		expect(await field(page, 'Code').getAttribute('autocomplete')).toBe('one-time-code');
		await isOpenToAll(page);
		await press(page, 'Use a recovery code');
		await field(page, 'Recovery code').fill(codes[0]!);
		await press(page, /^Sign in$/);
		await home(page);
		await signOut(cris);

		await begin();
		await press(page, 'Use a recovery code');
		await field(page, 'Recovery code').fill(codes[0]!);
		await press(page, /^Sign in$/);
		await page.getByText('This code does not match.').waitFor();
		await field(page, 'Recovery code').fill(codes[1]!);
		await press(page, /^Sign in$/);
		await home(page);
	});

	it('where it is demanded of somebody at work, the open app says so, keeps what is made, and sends it once it is set up', async () => {
		const { page } = ana;
		const asks = page.getByRole('dialog', { name: 'Your company asks for a second step' });
		// The relay looks once a minute.
		await asks.waitFor({ timeout: 120_000 });
		await isOpenToAll(page);
		await page.keyboard.press('Escape');
		await page.getByText('Your company asks for a second step at signing in').waitFor();
		await ana.newTask('Made without a second step');
		await ana.taskRow('Made without a second step').waitFor();
		await press(page, 'Set it up');
		await asks.getByText('1 change waits here').waitFor();
		await asks.getByLabel('Password', { exact: true }).fill(password);
		await asks.getByRole('button', { name: 'Sign in', exact: true }).click();
		const steps = page.getByRole('dialog', { name: 'Protect your account' });
		const secret = (await steps.locator('code').innerText()).replaceAll(' ', '');
		shown.push(secret);
		await field(page, 'Code').fill(oneTimeCode(secret));
		await press(page, 'Confirm the code');
		await press(page, 'I have kept them');
		await page.getByRole('dialog').waitFor({ state: 'hidden' });
		await ana.saysSync(/^Up to date$/);
		await ana.hasMark(ana.taskRow('Made without a second step'), 'Accepted');
	});

	it('after all of it no code, password or token stands in an address that was asked or in what the browsers keep', async () => {
		for (const [{ device }, own] of [[ana, 'Only of Acme'], [cris, CRIS]] as const) {
			const secrets = [...(await secretsOf(relay, device)), ...shown, PASSWORD, NEW_PASSWORD];
			expect(secrets.length).toBeGreaterThan(15);
			const kept = await keptBy(device);
			expect(kept, 'the store was read').toContain(own);
			expect(secrets.filter((secret) => kept.includes(secret)), device.name).toEqual([]);
			const addresses = [...device.addresses].filter((address) => !address.startsWith(issuer.url));
			expect(addresses.filter((address) => /^ws:.*\/sync/.test(address)).length).toBeGreaterThan(0);
			expect(addresses.filter((address) => secrets.some((secret) => decodeURIComponent(address).includes(secret))), device.name).toEqual([]);
		}
	});
});
