/**
 * Every screen by which people come in and by which a company is set up, as everybody uses it: axe finds nothing that keeps somebody out, at a desk and
 * on the narrowest phone, in both themes, and nothing reaches beyond the edge.
 */
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PersonId } from '#crdt-model/ids.ts';
import { PASSWORD, TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const ANA = 'ana@acme.example';
const BOB = 'bob@acme.example';
const COMPANY = 'Întreprinderea Românească de Construcții Acme';
const FORMS = [{ name: 'desk', options: {} }, { name: 'phone', options: { width: 360, height: 740, touch: true } }] as const;

describe('every way in and every setting', () => {
	let relay: TestRelay;
	let ana: SignedIn;
	let first: PersonId;
	const codes = { invitation: '', link: '', reset: '' };
	const devices: Device[] = [];

	async function set(name: string, value: unknown): Promise<void> {
		const { body } = await relay.api<{ rows: { id: string }[] }>('GET', '/documents?kind=settings', undefined, ana.token);
		expect((await relay.api('POST', `/documents/${body.rows[0]!.id}/commands`, { command: `settings.${name}`, args: { value } }, ana.token)).status).toBe(200);
	}

	beforeAll(async () => {
		relay = await TestRelay.start();
		ana = await relay.register(COMPANY, ANA, 'Ana-Maria', 'Constantinescu-Brâncoveanu');
		await relay.hire(ana, BOB, 'Bogdan', 'Popescu-Tăriceanu');
		const add = async (firstName: string, lastName: string, email: string): Promise<PersonId> => {
			const { status, body } = await relay.api<{ employee: PersonId }>('POST', '/people', { firstName, lastName, email, password: 'a first password' }, ana.token);
			expect(status, JSON.stringify(body)).toBe(201);
			return body.employee;
		};
		first = await add('Ștefania-Alexandra', 'Bălășescu-Dumitrăchescu', 'first@acme.example');
		const gone = await add('Cristina', 'Ene', 'gone@acme.example');
		expect((await relay.api('POST', `/documents/${gone}/commands`, { command: 'employee.dismiss', args: {} }, ana.token)).status).toBe(200);
		await set('setPublicPage', true);
		await set('setAbout', 'We build houses and halls.');
		await set('setContact', { address: 'Strada Florilor 1', phone: '+40 21 000 00 00', email: 'office@acme.example', website: 'https://acme.example', partner: null });
		await set('setSelfRegistration', { mode: 'moderated', domains: [] });
		await set('setEntry', { ranges: [{ cidr: '127.0.0.0/8', note: 'The office' }], exceptions: [] });
		expect((await relay.api('POST', '/invitations', { addresses: ['invited@x.example'] }, ana.token)).status).toBe(200);
		codes.invitation = await relay.invitationCode('invited@x.example');
		codes.link = (await relay.api<{ code: string }>('POST', '/invitation-links', { approval: true, expiresInDays: 7 }, ana.token)).body.code;
		await relay.api('POST', '/joins', { portal: ana.portal, firstName: 'Dumitru-Cătălin', lastName: 'Vasilescu-Popârțac', email: 'asks@x.example', password: PASSWORD, language: 'en' });
		await relay.api('POST', '/joins/confirmation', { code: await relay.letterCode('asks@x.example', 'join') });
		await relay.api('POST', '/password-resets', { email: BOB });
		codes.reset = await relay.letterCode(BOB, 'reset');
	});
	afterAll(async () => {
		await Promise.all(devices.map((one) => one.remove()));
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, devices));

	/** What keeps somebody out. A theme changes colours alone: the second one is asked for those. */
	async function barriers(page: Page, where: string): Promise<string[]> {
		const found: string[] = [];
		for (const colorScheme of ['light', 'dark'] as const) {
			await page.emulateMedia({ colorScheme });
			await page.evaluate(async () => {
				for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
				await Promise.allSettled(document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity).map((one) => one.finished));
			});
			const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
			const { violations } = await (colorScheme === 'dark' ? axe.withRules(['color-contrast']) : axe).analyze();
			found.push(...violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${where}, ${colorScheme}: ${id} ${nodes[0]?.target.join(' ')} ${nodes[0]?.any[0]?.message ?? ''}`));
		}
		const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
		if (beyond > 0) found.push(`${where}: ${beyond} px wider than the screen`);
		return found;
	}
	async function inEachForm(walk: (screens: Screens, look: (where: string) => Promise<void>) => Promise<void>): Promise<void> {
		const found: string[] = [];
		await Promise.all(FORMS.map(async ({ name, options }) => {
			const device = await Device.open(name, relay, options);
			devices.push(device);
			await walk(new Screens(device), async (where) => void found.push(...(await barriers(device.page, `${where}, ${name}`))));
		}));
		expect(found).toEqual([]);
	}

	it('the doors keep nobody out', async () => {
		await inEachForm(async ({ page, device }, look) => {
			const doors: readonly (readonly [string, string, Locator])[] = [
				['the public page', '/', page.getByText('We build houses')],
				['sign in', '/sign-in', page.getByRole('button', { name: 'Sign in' })],
				['register', '/register', page.getByRole('button', { name: 'Create the portal' })],
				['a confirmation that is over', '/confirm#nonsense', page.getByRole('heading', { name: 'This link is no longer valid' })],
				['a forgotten password', '/reset', page.getByRole('button', { name: 'Send the letter' })],
				['a new password', `/reset#${codes.reset}`, page.getByRole('button', { name: 'Set the password' })],
				['an invitation', `/invitation#${codes.invitation}`, page.getByText('You were invited as')],
				['an invitation that is over', '/invitation#nonsense', page.getByRole('heading', { name: 'This invitation is no longer valid' })],
				['self-registration', '/join', page.getByRole('button', { name: 'Register' })],
				['a link to join by', `/join#${codes.link}`, page.getByRole('button', { name: 'Register' })],
				['an address that is not confirmed', '/email#nonsense', page.getByRole('heading', { name: 'This link is no longer valid' })]
			];
			for (const [name, path, ready] of doors) {
				// Another page between: behind the # alone nothing is loaded anew.
				await page.goto('about:blank');
				await device.goto(path);
				await ready.first().waitFor();
				await look(name);
			}
		});
	});

	it('nor do the settings, the profile, people and their dialogs', async () => {
		await inEachForm(async (screens, look) => {
			const { page, device } = screens;
			await screens.signIn(ANA);
			const dialog = page.getByRole('dialog');
			const away = async (): Promise<void> => {
				// The first Esc may be for a hint that the pointer happens to rest on.
				await eventually('the dialog is closed', async () => {
					await page.keyboard.press('Escape');
					return dialog.count();
				}, (open) => open === 0);
			};
			for (const [path, title] of [['company', 'Company'], ['formats', 'Formats'], ['hours', 'Working hours'], ['communication', 'Communication'], ['services', 'Services'], ['entry', 'Entry & security'], ['letters', 'Letters'], ['licence', 'Licence']] as const) {
				await device.goto(`/settings/${path}`);
				await page.getByRole('heading', { name: title, level: 1 }).waitFor();
				await look(`settings, ${path}`);
			}
			await device.goto('/settings');
			// On a phone the list is the screen; at a desk the first page stands beside it.
			await page.getByRole('heading', { name: /^(Settings|Company)$/, level: 1 }).waitFor();
			await look('settings');
			await device.goto('/profile');
			await screens.main.getByRole('button', { name: 'Choose a photo' }).waitFor();
			await look('profile');
			await screens.main.getByRole('button', { name: 'Choose a day' }).click();
			await page.getByRole('grid').waitFor();
			await look('calendar');
			await device.goto('/profile?tab=security');
			await page.getByRole('heading', { name: 'Devices' }).waitFor();
			await look('sign-in and devices');
			await screens.main.getByRole('button', { name: 'Set up' }).click();
			await look('second factor');
			await away();
			for (const which of ['Work here', 'Invited', 'Ask to join', 'Dismissed']) {
				await device.goto('/company?tab=people');
				await screens.main.getByRole('radio', { name: new RegExp(`^${which}`) }).check({ force: true });
				await look(`people, ${which}`);
			}
			await screens.main.getByRole('button', { name: 'What to do with Cristina Ene' }).first().click();
			await page.getByRole('menuitem', { name: /^Erase personal details/ }).click();
			await dialog.waitFor();
			await look('erase');
			await away();
			await device.goto(`/company?tab=people&person=${first}`);
			await page.getByRole('heading', { name: /Ștefania/, level: 2 }).waitFor();
			await look('a person');
			await page.getByRole('button', { name: /^What to do with Ștefania/ }).last().click();
			await page.getByRole('menuitem', { name: /^Sessions and devices/ }).click();
			await dialog.getByText('Signed in nowhere.').waitFor();
			await look('sessions');
			await away();
			await device.goto('/company');
			await screens.main.getByRole('button', { name: 'Invite people' }).click();
			for (const way of await dialog.getByRole('radio').all()) {
				await way.check({ force: true });
				await look('invite');
			}
			await away();
			await page.keyboard.press('F1');
			await page.getByRole('complementary', { name: 'Help' }).waitFor();
			await look('help');
		});
	});
});
