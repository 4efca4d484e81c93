/** Signing in over several steps through the screens: a first password that becomes one's own, a code of the second factor; and being outside the company's networks. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { oneTimeCode } from '../support/one-time-code.ts';
import { PASSWORD, TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const DAN = 'dan@acme.example';
const FIRST = 'handed over on paper';

describe('the steps of signing in', () => {
	let relay: TestRelay;
	let admin: SignedIn;
	let dan: Screens;
	/** Dan as a program sees him. */
	let mine: SignedIn;

	beforeAll(async () => {
		relay = await TestRelay.start();
		admin = await relay.register();
		dan = new Screens(await Device.open('dan', relay, { width: 390, height: 844, touch: true }));
	});
	afterAll(async () => {
		await dan?.device.remove();
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [dan?.device]));

	async function signIn(password: string): Promise<void> {
		await dan.device.goto('/sign-in');
		await dan.page.getByRole('textbox', { name: 'E-mail' }).fill(DAN);
		await dan.page.getByLabel('Password', { exact: true }).fill(password);
		await dan.page.getByRole('button', { name: 'Sign in', exact: true }).click();
	}
	async function signOut(): Promise<void> {
		await dan.page.getByRole('button', { name: /^Account/ }).locator('visible=true').click();
		await dan.page.getByRole('menuitem', { name: 'Sign out' }).click();
		await dan.page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
		await dan.page.getByRole('heading', { name: /^Sign in/, level: 1 }).waitFor();
	}
	const tasksOf = async ({ token }: SignedIn) => (await relay.api<{ rows: { title: string }[] }>('GET', '/documents?kind=task', undefined, token)).body.rows.map(({ title }) => title);
	const home = () => dan.page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();

	it('a password that somebody else chose is good for choosing one’s own', async () => {
		const added = await relay.api('POST', '/people', { firstName: 'Dan', lastName: 'Rusu', email: DAN, password: FIRST }, admin.token);
		expect(added.status).toBeLessThan(300);
		await signIn(FIRST);
		await dan.page.getByRole('heading', { name: 'Choose your own password', level: 1 }).waitFor();
		await dan.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
		await dan.page.getByLabel('Password, once more').fill(PASSWORD);
		await dan.page.getByRole('button', { name: 'Go on' }).click();
		await home();
		expect((await relay.api('POST', '/sessions', { email: DAN, password: FIRST })).status).toBe(401);
		await signOut();
	});

	it('the code of the second factor is asked for; a wrong one says so', async () => {
		mine = (await relay.api<SignedIn>('POST', '/sessions', { email: DAN, password: PASSWORD })).body;
		const { secret } = (await relay.api<{ secret: string }>('POST', '/me/second-factor', { password: PASSWORD }, mine.token)).body;
		// The code of the step before, so that the present one is still good for the screen.
		expect((await relay.api('PUT', '/me/second-factor', { code: oneTimeCode(secret, Date.now() - 30_000) }, mine.token)).status).toBe(200);
		await signIn(PASSWORD);
		await dan.page.getByRole('textbox', { name: /code/i }).fill('000000');
		await dan.page.keyboard.press('Enter');
		await dan.page.getByRole('alert').first().waitFor();
		await dan.page.getByRole('textbox', { name: /code/i }).fill(oneTimeCode(secret));
		await dan.page.keyboard.press('Enter');
		await home();
	});

	it('from outside the company’s networks nothing is sent and nothing is lost; let in again, the open app comes back by itself', async () => {
		const { body } = await relay.api<{ rows: { id: string }[] }>('GET', '/documents?kind=settings', undefined, admin.token);
		const rule = (value: unknown) => relay.api('POST', `/documents/${body.rows[0]!.id}/commands`, { command: 'settings.setEntry', args: { value } }, admin.token);
		expect((await rule({ ranges: [{ cidr: '203.0.113.0/24', note: 'Office' }], exceptions: [] })).status).toBe(200);
		await dan.page.getByText(/outside your company/).first().waitFor();
		await dan.newTask('Written outside');
		await dan.taskRow('Written outside').waitFor();
		const notice = dan.page.getByRole('status').filter({ hasText: /outside your company/ });
		await notice.getByRole('button', { name: 'Try again' }).click();
		await notice.waitFor();
		expect((await rule(null)).status).toBe(200);
		// Nobody touches the device.
		await notice.waitFor({ state: 'detached' });
		await dan.saysSync(/^Up to date$/);
		expect(await tasksOf(mine)).toContain('Written outside');
	});
});
