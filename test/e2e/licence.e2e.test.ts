/**
 * The licence as people see it: the table of all plans, a plan that the operator switches by REST while people have the portal open, the demo month, and
 * what a plan leaves out. The tests of this file are one story and run in order.
 */
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FEATURES, hasFeature, PLAN_NAMES } from '#crdt-model/tariff/plans.ts';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const OPERATOR = 'operator-of-this-story-0123456789-abcdef';
const BOB = 'bob@acme.example';

describe('the licence', () => {
	let relay: TestRelay;
	let admin: SignedIn;
	let ana: Screens;
	let bob: Screens;

	beforeAll(async () => {
		relay = await TestRelay.start({ OPERATOR_TOKEN: OPERATOR, OPERATOR_CONTACT: 'portal@partner.example' });
		admin = await relay.register();
		await relay.hire(admin, BOB, 'Bob');
		ana = new Screens(await Device.open('ana', relay));
		bob = new Screens(await Device.open('bob', relay, { width: 360, height: 740, touch: true }));
		await ana.signIn('ana@acme.example');
		await bob.signIn(BOB);
		for (const who of [ana, bob]) await who.device.goto('/settings/licence');
	});
	afterAll(async () => {
		await Promise.all([ana?.device.remove(), bob?.device.remove()]);
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [ana?.device, bob?.device]));

	async function operator(change: object): Promise<void> {
		const response = await fetch(`${relay.url}/api/operator/v1/portals/${admin.portal}/tariff`, {
			method: 'PUT',
			headers: { authorization: `Bearer ${OPERATOR}`, 'content-type': 'application/json' },
			body: JSON.stringify(change)
		});
		expect(response.status, await response.clone().text()).toBe(200);
	}
	const row = (who: Screens, plan: string): Locator => who.main.getByRole('table', { name: 'What each plan brings' }).getByRole('row').filter({ has: who.page.getByRole('rowheader', { name: new RegExp(`^${plan.replace('+', '\\+')}( Your plan)?( For thirty days)?$`) }) });
	const holds = (who: Screens, plan: string) => who.main.getByRole('status').getByText(plan, { exact: true }).waitFor();
	async function barriers(who: Screens): Promise<string[]> {
		const found: string[] = [];
		for (const colorScheme of ['light', 'dark'] as const) {
			await who.page.emulateMedia({ colorScheme });
			await who.page.evaluate(() => Promise.allSettled(document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity).map((one) => one.finished)));
			const { violations } = await new AxeBuilder({ page: who.page }).setLegacyMode().options({ resultTypes: ['violations'] }).analyze();
			found.push(...violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${colorScheme} ${id} ${nodes[0]?.target.join(' ')}`));
		}
		return found;
	}

	it('[TAR-4] all plans and editions stand in one table with their numbers, at a desk and at 360 pixels', async () => {
		const said: Readonly<Record<(typeof PLAN_NAMES)[number], [string, string, string]>> = {
			project: ['Project', '12', '5 GB'],
			projectPlus: ['Project+', '24', '24 GB'],
			team: ['Team', 'No limit', '100 GB'],
			company: ['Company', 'No limit', 'No limit'],
			demo: ['Demo', 'No limit', 'No limit'],
			boxCrm: ['Box CRM', '1–50 seats', 'Your own disk'],
			boxPortal: ['Box Corporate portal', '50–500 seats', 'Your own disk'],
			boxBusiness: ['Box Business', '1–1,000 seats', 'Your own disk']
		};
		for (const who of [ana, bob]) {
			await row(who, 'Box Business').waitFor();
			for (const plan of PLAN_NAMES) {
				const [name, people, storage] = said[plan];
				const cells = row(who, name).getByRole('cell');
				// What is drawn as a label of a card is not said aloud, where the column's head says it.
				const texts = (await cells.allInnerTexts()).map((text) => text.split('\n').at(-1)!.trim());
				expect([texts[0], texts[1]], `${name} for ${who.device.name}`).toEqual([people, storage]);
				const has = await cells.locator('.sr-only').allTextContents();
				expect(has, name).toEqual(FEATURES.map((feature) => (hasFeature(plan, feature) ? 'Yes' : 'No')));
			}
			expect(await row(who, 'Project').getAttribute('aria-current')).toBe('true');
			expect(await who.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), 'nothing is scrolled sideways').toBe(true);
			expect(await barriers(who)).toEqual([]);
		}
	});

	it('whom to ask is told to administrators; employees have nothing to press', async () => {
		await ana.main.getByRole('link', { name: 'portal@partner.example' }).waitFor();
		await bob.main.getByText('An administrator can ask for another plan.').waitFor();
		expect(await bob.main.getByRole('button').count()).toBe(0);
		expect(await bob.main.getByText('portal@partner.example').count()).toBe(0);
	});

	it('[TAR-1] the operator switches the plan, and open screens of everybody follow at once', async () => {
		await ana.section('Documents');
		await ana.main.getByText('0 bytes of 5 GB').waitFor();
		await operator({ plan: 'projectPlus', rentedGigabytes: 6 });
		await ana.main.getByText('0 bytes of 30 GB').waitFor();
		await holds(bob, 'Project+');
		await bob.main.getByText('2 of 24').waitFor();
		await bob.main.getByText('30 GB free · 6 GB of it rented').waitFor();
		expect(await row(bob, 'Project+').getAttribute('aria-current')).toBe('true');
		expect(await row(bob, 'Project').getAttribute('aria-current')).toBeNull();
	});

	it('what the plan leaves out is refused with the plans that have it, and is taken once the plan has it', async () => {
		const settings = (await relay.api<{ rows: { id: string }[] }>('GET', '/documents?kind=settings', undefined, admin.token)).body.rows[0]!.id;
		const domain = () => relay.api<{ code?: string; tariff?: { feature: string; ways: string[] } }>('POST', `/documents/${settings}/commands`, { command: 'setDomain', value: 'portal.acme.example' }, admin.token);
		expect(await domain()).toMatchObject({ status: 402, body: { code: 'quota', tariff: { feature: 'ownDomain', ways: ['company'] } } });
		await operator({ plan: 'company' });
		expect((await domain()).status).toBeLessThan(300);
		await operator({ plan: 'project', rentedGigabytes: 0 });
		await holds(bob, 'Project');
	});

	it('an administrator begins the demo month; without a network it says so; every open screen has it', async () => {
		await ana.device.goto('/settings/licence');
		const begin = () => ana.main.getByRole('button', { name: 'Begin the demo month' });
		const dialog = ana.page.getByRole('dialog', { name: 'Begin the demo month now?' });
		await begin().click();
		await ana.device.cut();
		await dialog.getByRole('button', { name: 'Begin the demo month' }).click();
		await dialog.getByText('which cannot be reached now').waitFor();
		await ana.device.mend();
		await eventually('the demo begins', async () => {
			if (await dialog.isVisible()) await dialog.getByRole('button', { name: 'Begin the demo month' }).click({ timeout: 2_000 }).catch(() => {});
			return dialog.isVisible();
		}, (open) => !open);
		for (const who of [ana, bob]) {
			await holds(who, 'Demo');
			await who.main.getByText('30 days left').waitFor();
			await who.main.getByText(/Then Project holds again\./).waitFor();
			await who.main.getByText(/all data stays, and can always be read and exported/).waitFor();
		}
		expect(await begin().count()).toBe(0);
		expect(await barriers(ana)).toEqual([]);
	});

	it('it opens without a network, from what the device keeps', async () => {
		await ana.device.cut();
		await ana.device.goto('/settings/licence');
		await holds(ana, 'Demo');
		await ana.main.getByText('30 days left').waitFor();
		await ana.device.mend();
	});

	it('[TAR-2] when the demo ends the plan before it holds again, and there is no second one', async () => {
		await operator({ demo: 'end' });
		for (const who of [ana, bob]) {
			await holds(who, 'Project');
			await who.main.getByText(/This portal has had its demo month/).waitFor();
		}
		expect(await ana.main.getByRole('button', { name: 'Begin the demo month' }).count()).toBe(0);
		expect([...ana.device.complaints(), ...bob.device.complaints()]).toEqual([]);
	});
});
