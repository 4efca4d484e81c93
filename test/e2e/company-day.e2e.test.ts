/**
 * A day in a company of two offices: while an agent is on the road without a network, changing deals of the North, their manager moves them to the South.
 * The agent comes back; everybody sees what is theirs to see; the change that was not the agent's to make any more lies in the tray, goes to the North as a
 * proposal, and is applied there. Three browsers, through the screens; founding and inviting alone go over REST.
 *
 * Nora administers and heads the North, with Adi and Nelu; Sorin heads the South. A role lets everybody read and change the deals of their own office.
 * The tests of this file are one story and run in order.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DocumentId } from '#crdt-model/ids.ts';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens, TruthWatch } from './screens.ts';

describe('a company day', () => {
	let relay: TestRelay;
	let nora: Screens;
	let adi: Screens;
	let sorin: Screens;
	let truths: TruthWatch[];
	/** Of the North, by Nelu: of the North, by Adi: of the South, by Sorin. */
	let crane: DocumentId;
	let road: DocumentId;
	let vineyard: DocumentId;
	let nelusAccess: SignedIn;

	beforeAll(async () => {
		relay = await TestRelay.start();
		const office = await foundOffices(relay);
		({ crane, road, vineyard } = office);
		nelusAccess = office.nelu;
		[nora, adi, sorin] = await Promise.all(['nora', 'adi', 'sorin'].map(async (name) => new Screens(await Device.open(name, relay)))) as [Screens, Screens, Screens];
		truths = await Promise.all([nora, adi, sorin].map(({ device }) => TruthWatch.over(device)));
	});
	afterAll(async () => {
		await Promise.all([nora, adi, sorin].map((screens) => screens?.device.remove()));
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [nora?.device, adi?.device, sorin?.device]));

	it('[P5] in the morning each sees the deals of their own office, the administrator all', async () => {
		for (const [screens, email] of [[nora, 'nora'], [adi, 'adi'], [sorin, 'sorin']] as const) {
			await screens.signIn(`${email}@acme.example`);
			await screens.section('CRM');
			await screens.saysSync(/^Up to date$/);
		}
		for (const title of ['Harbour crane', 'Road works', 'Vineyard']) await nora.dealCard(title).waitFor();
		for (const title of ['Harbour crane', 'Road works']) await adi.dealCard(title).waitFor();
		await sorin.dealCard('Vineyard').waitFor();
		expect(await adi.holds(vineyard)).toBe(false);
		expect([await sorin.holds(crane), await sorin.holds(road)]).toEqual([false, false]);
	});

	it('[P1] on the road Adi changes a deal of the office and one of their own', async () => {
		await adi.device.cut();
		await adi.saysSync(/^On this device$/);
		for (const [title, amount] of [['Harbour crane', '1500'], ['Road works', '700']] as const) {
			await adi.dealCard(title).getByText(title).click();
			await adi.dealPanel.waitFor();
			await adi.setAmount(amount);
			await adi.hasMark(adi.dealPanel, 'Kept here');
			await adi.main.getByRole('button', { name: 'Close' }).click();
		}
	});

	it('meanwhile Nora moves Adi to the South, and the South sees what Adi brings along', async () => {
		await nora.movePerson('Adi Ionescu', 'North office', 'South office');
		await nora.page.getByText('Adi Ionescu moved to South office').waitFor();
		await sorin.dealCard('Road works').waitFor();
		expect(await sorin.holds(crane)).toBe(false);
		// Nelu stayed in the North: what Adi took along is no longer theirs to see.
		await eventually('Nelu loses the deal', async () => (await relay.api('GET', `/documents/${road}`, undefined, nelusAccess.token)).status, (status) => status === 404);
		// On the road nothing of this is known.
		expect(await adi.dealCard('Harbour crane').count()).toBe(1);
	});

	it('[P5] Adi comes back: the North leaves the device, the South comes, one’s own goes on', async () => {
		await adi.device.mend();
		await adi.dealCard('Vineyard').waitFor();
		await eventually('the North leaves', () => adi.dealCard('Harbour crane').count(), (count) => count === 0);
		await eventually('the North leaves the database', () => adi.holds(crane), (held) => !held);
		await adi.saysSync(/^1 set aside/);
		await sorin.dealCard('Road works').getByText('€700').waitFor();
		expect((await relay.api<{ row: { amount: number } }>('GET', `/documents/${crane}`, undefined, nelusAccess.token)).body.row.amount).toBe(1000);
	});

	it('[P3] what was not Adi’s to change any more lies in the tray, and goes to the North as a proposal', async () => {
		await adi.section('Set aside');
		const card = adi.page.getByRole('article');
		await card.waitFor();
		expect(await card.count()).toBe(1);
		await card.getByText('1,500').waitFor();
		await card.getByText('It is not there any more, or you may no longer see it').first().waitFor();
		await card.getByRole('button', { name: 'Propose to the owner' }).click();
		const dialog = adi.page.getByRole('dialog', { name: 'Propose to the owner' });
		await dialog.getByRole('textbox', { name: /^A word to them/ }).fill('The customer said yes to the larger one.');
		await dialog.getByRole('button', { name: 'Propose', exact: true }).click();
		await card.getByText('Proposed, waiting for an answer').waitFor();
		expect(await adi.holds(crane)).toBe(false);
	});

	it('Nora reads why, and applies it with one click in her own name', async () => {
		await nora.proposedToMe();
		const card = nora.page.getByRole('article');
		await card.getByText('Adi Ionescu proposes').waitFor();
		await card.getByText('The customer said yes to the larger one.').waitFor();
		await card.getByRole('button', { name: 'Apply' }).click();
		await nora.page.getByText('Applied. It is done in your name.').waitFor();
		await nora.section('CRM');
		await nora.dealCard('Harbour crane').getByText('€1,500').waitFor();
		await eventually(
			'Nelu sees it',
			async () => (await relay.api<{ row: { amount: number } }>('GET', `/documents/${crane}`, undefined, nelusAccess.token)).body.row.amount,
			(amount) => amount === 1500
		);
	});

	it('[P9] Adi hears so, sees nothing more than before, and nobody’s browser complained', async () => {
		await adi.page.getByText(/^Nora Pop applied it/).waitFor();
		await adi.page.getByRole('button', { name: 'Done, remove' }).click();
		await adi.saysSync(/^Up to date$/);
		expect(await adi.holds(crane)).toBe(false);
		expect([await sorin.holds(crane), await sorin.holds(vineyard)]).toEqual([false, true]);
		for (const truth of truths) expect(truth.lies()).toEqual([]);
		for (const { device } of [nora, adi, sorin]) expect(device.complaints()).toEqual([]);
	});
});

async function foundOffices(relay: TestRelay): Promise<{ crane: DocumentId; road: DocumentId; vineyard: DocumentId; nelu: SignedIn }> {
	const nora = await relay.register('Acme', 'nora@acme.example', 'Nora', 'Pop');
	const [adi, nelu, sorin] = [
		await relay.hire(nora, 'adi@acme.example', 'Adi'),
		await relay.hire(nora, 'nelu@acme.example', 'Nelu'),
		await relay.hire(nora, 'sorin@acme.example', 'Sorin')
	];
	const { body } = await relay.api<{ rows: { id: DocumentId }[] }>('GET', '/documents?kind=department', undefined, nora.token);
	const [root] = body.rows;
	const [north, south] = [await relay.create(nora, 'department', { name: 'North office', parent: root!.id, head: nora.employee }), await relay.create(nora, 'department', { name: 'South office', parent: root!.id, head: sorin.employee })];
	for (const [person, office] of [[adi, north], [nelu, north], [sorin, south]] as const) {
		for (const [command, member] of [['joinDepartment', office], ['leaveDepartment', root!.id]] as const) {
			const { status } = await relay.api('POST', `/documents/${person.employee}/commands`, { command, args: { member } }, nora.token);
			if (status !== 200) throw new Error(`${command}: ${status}`);
		}
	}
	const permissions = [
		...['deal.read', 'deal.write'].map((key) => ({ key, value: 'department' })),
		{ key: 'deal.add', value: 'own' },
		{ key: 'company.read', value: 'all' }
	];
	await relay.create(nora, 'role', { name: 'Sales', people: ['all'], permissions });
	return {
		crane: await relay.create(nelu, 'deal', { title: 'Harbour crane', amount: 1000 }),
		road: await relay.create(adi, 'deal', { title: 'Road works', amount: 500 }),
		vineyard: await relay.create(sorin, 'deal', { title: 'Vineyard', amount: 300 }),
		nelu
	};
}
