/**
 * What the rules did not take: an agent's offline change to a deal that was passed on meanwhile is set aside with its reason, proposed to the new owner,
 * applied by them with one click, and the answer comes back. And an administrator looks on as the agent, read only and recorded.
 */
import { AxeBuilder } from '@axe-core/playwright';
import type { DocumentId } from '#crdt-model/ids.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';
import { keptBy, secretsOf } from './secrets.ts';

describe('set aside, proposed, looked on', () => {
	let relay: TestRelay;
	let ana: SignedIn;
	let bob: SignedIn;
	let cora: SignedIn;
	let deal: DocumentId;
	let agent: Screens;
	let owner: Screens;
	let admin: Screens | null = null;

	beforeAll(async () => {
		relay = await TestRelay.start();
		ana = await relay.register('Acme', 'ana@acme.example');
		bob = await relay.hire(ana, 'bob@acme.example', 'Bob');
		cora = await relay.hire(ana, 'cora@acme.example', 'Cora');
		deal = await relay.create(cora, 'deal', { title: 'Fair stand', amount: 500 });
		agent = new Screens(await Device.open('cora', relay));
		owner = new Screens(await Device.open('bob', relay));
	});
	afterAll(async () => {
		for (const screens of [agent, owner, admin]) await screens?.device.remove();
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [agent?.device, owner?.device, admin?.device]));

	async function barriers({ page }: Screens, where: string): Promise<string[]> {
		const { violations } = await new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] }).analyze();
		return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${where}: ${id} ${nodes[0]?.target.join(' ')}`);
	}

	it('[P3] the agent’s change waits in Set aside, the new owner applies it, the agent is told by whom', async () => {
		await agent.signIn('cora@acme.example');
		await agent.device.goto(`/crm/${deal}`);
		await agent.page.getByRole('group', { name: 'Stage' }).waitFor();
		await agent.saysSync(/Up to date/);
		await agent.device.cut();
		const amount = agent.page.getByRole('textbox', { name: 'Amount' });
		await amount.fill('900');
		await amount.press('Enter');
		await agent.saysSync(/On this device/);
		const passedOn = await relay.api('POST', `/documents/${deal}/commands`, { command: 'setResponsible', value: bob.employee }, ana.token);
		expect(passedOn.status).toBe(200);
		await agent.device.mend();
		await agent.saysSync(/^1 set aside$/);

		await agent.section('Set aside');
		const card = agent.page.getByRole('article').first();
		await card.getByText('You may not see this any more').waitFor();
		await card.getByRole('button', { name: 'Propose to the owner' }).click();
		const dialog = agent.page.getByRole('dialog', { name: 'Propose to the owner' });
		await dialog.getByRole('textbox', { name: /A word to them/ }).fill('They asked for more');
		await dialog.getByRole('button', { name: 'Propose' }).click();
		await card.getByText('Proposed, waiting for an answer').waitFor();
		expect(await barriers(agent, 'proposed')).toEqual([]);

		await owner.signIn('bob@acme.example');
		await owner.section('Set aside');
		await owner.page.getByRole('tab', { name: /^Proposed to me/ }).click();
		const proposal = owner.page.getByRole('article').filter({ hasText: 'Cora Ionescu proposes' });
		await proposal.getByText('They asked for more').waitFor();
		expect(await barriers(owner, 'to decide')).toEqual([]);
		await proposal.getByRole('button', { name: 'Apply' }).click();
		await proposal.waitFor({ state: 'detached' });
		const amountNow = () => relay.api<{ row: { amount: number } }>('GET', `/documents/${deal}`, undefined, bob.token).then(({ body }) => body.row.amount);
		await eventually('the deal is worth what was proposed', amountNow, (now) => now === 900);
		await card.getByText(/Bob Ionescu applied it/).waitFor();
		expect([...agent.device.complaints(), ...owner.device.complaints()]).toEqual([]);
	});

	it('[P5] an administrator looks on as the agent: what they see and no more, nothing can be changed, and the agent’s record says so', async () => {
		await relay.create(cora, 'task', { title: 'Call the fair' });
		await relay.create(bob, 'task', { title: 'Bob’s own' });
		admin = new Screens(await Device.open('ana', relay));
		await admin.signIn('ana@acme.example');
		await admin.device.goto(`/view/${cora.employee}`);
		const banner = admin.page.getByText('You see what Cora Ionescu sees. Read only.');
		await banner.waitFor();
		await admin.showTasks('All');
		await admin.taskRow('Call the fair').waitFor();
		expect(await admin.taskRow('Bob’s own').count()).toBe(0);
		await admin.newTask('Forged');
		await admin.page.getByText('You are looking on: nothing can be changed here.').first().waitFor();
		expect(await barriers(admin, 'looking on')).toEqual([]);
		await admin.page.reload();
		await banner.waitFor();
		await admin.taskRow('Call the fair').waitFor();
		// What it looks on by is a cookie that no script of the page reads.
		const kept = await keptBy(admin.device);
		const secrets = await secretsOf(relay, admin.device);
		expect([kept.includes('Call the fair'), (await admin.device.context.cookies()).some(({ name, httpOnly }) => name.startsWith('atrium_view_') && httpOnly)]).toEqual([true, true]);
		expect(secrets.filter((secret) => kept.includes(secret) || [...admin!.device.addresses].some((address) => address.includes(secret)))).toEqual([]);
		await admin.page.getByRole('button', { name: 'End', exact: true }).click();
		await banner.waitFor({ state: 'detached' });
		await admin.page.getByRole('heading', { name: 'Company', level: 1 }).waitFor();
		await eventually('the view left nothing behind', () => admin!.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? '')), (names) => !names.some((name) => name.includes(':view:')));
		expect((await relay.api<{ rows: { title: string }[] }>('GET', '/documents?kind=task', undefined, cora.token)).body.rows.map(({ title }) => title)).toEqual(['Call the fair']);

		const history = await relay.api<{ may: { verb: string; verdict: { allow: boolean } }[] }>('GET', `/documents/${deal}/access?person=${bob.employee}`, undefined, ana.token);
		expect(history.body.may.find(({ verb }) => verb === 'setAmount')?.verdict.allow).toBe(true);
		expect(admin.device.complaints()).toEqual([]);
	});
});
