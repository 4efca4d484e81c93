/**
 * The app's screens as a person finds them: by role and name, never by class or test id. A control that cannot be found here cannot be found by
 * assistive technology either. English words only: what the other language says is a test of its own.
 */
import type { Locator, Page } from 'playwright-core';
import { PASSWORD } from '../support/relay.ts';
import { Device, eventually } from './browser.ts';

export type Mark = 'Kept here' | 'Sent' | 'Accepted' | 'Set aside';

export interface Newcomer {
	readonly company: string;
	readonly firstName: string;
	readonly lastName: string;
	readonly email: string;
}

export class Screens {
	readonly device: Device;

	constructor(device: Device) {
		this.device = device;
	}

	get page(): Page {
		return this.device.page;
	}
	get main(): Locator {
		return this.page.getByRole('main');
	}

	// ---- in and out

	async register({ company, firstName, lastName, email }: Newcomer): Promise<void> {
		await this.device.goto('/register');
		await this.page.getByRole('textbox', { name: 'Company' }).fill(company);
		await this.#nameAndPassword(firstName, lastName, email);
		await this.page.getByRole('button', { name: 'Create the portal' }).click();
		await this.page.getByRole('heading', { name: 'Look in your mailbox' }).waitFor();
		await this.follow('confirm', email);
		await this.#arrived();
	}
	/** The link of the newest letter to the address that opens this page. */
	async follow(page: 'confirm' | 'invitation' | 'join' | 'reset' | 'email', email: string): Promise<void> {
		await this.device.goto(`/${page}#${await this.device.relay.letterCode(email, page)}`);
	}
	async accept(link: string, firstName: string, lastName: string): Promise<void> {
		await this.page.goto(link);
		await this.#nameAndPassword(firstName, lastName);
		await this.page.getByRole('button', { name: 'Join' }).click();
		await this.page.getByRole('button', { name: 'Later' }).click();
		await this.#arrived();
	}
	async signIn(email: string, password = PASSWORD): Promise<void> {
		await this.device.goto('/sign-in');
		await this.page.getByRole('textbox', { name: 'E-mail' }).fill(email);
		await this.page.getByLabel('Password', { exact: true }).fill(password);
		await this.page.getByRole('button', { name: 'Sign in' }).click();
		await this.#arrived();
	}
	async #nameAndPassword(firstName: string, lastName: string, email?: string): Promise<void> {
		await this.page.getByRole('textbox', { name: 'First name' }).fill(firstName);
		await this.page.getByRole('textbox', { name: 'Last name' }).fill(lastName);
		if (email) await this.page.getByRole('textbox', { name: 'E-mail' }).fill(email);
		await this.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
	}
	async #arrived(): Promise<void> {
		await this.page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
		await this.device.keepsTheApp();
	}

	/** As a person goes: by the sections at the left, without loading the app again. */
	async section(name: 'Tasks' | 'CRM' | 'Documents' | 'Company' | 'Set aside'): Promise<void> {
		await this.page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: new RegExp(`^${name}`) }).click();
		await this.page.getByRole('heading', { name, level: 1 }).waitFor();
	}

	/** Whether anything on the device is kept under this document's id, whichever table it lies in. What its person wrote themself is kept under other names. */
	holds(document: string): Promise<boolean> {
		return this.page.evaluate(async (wanted) => {
			const result = <T>(asked: IDBRequest<T>): Promise<T> =>
				new Promise((resolve, reject) => {
					asked.onsuccess = () => resolve(asked.result);
					asked.onerror = () => reject(asked.error);
				});
			for (const { name } of await indexedDB.databases()) {
				if (!name?.startsWith('atrium:')) continue;
				const database = await result(indexedDB.open(name));
				try {
					for (const table of database.objectStoreNames) {
						const keys = await result(database.transaction(table).objectStore(table).getAllKeys());
						if (keys.flat().some((key) => key === wanted)) return true;
					}
				} finally {
					database.close();
				}
			}
			return false;
		}, document);
	}

	// ---- what it says of sync

	async syncWord(): Promise<string> {
		return (await this.page.getByRole('button', { name: /^(On this device|Sending|Receiving|Up to date|\d+ set aside)/ }).innerText()).trim();
	}
	saysSync(word: RegExp, ceilingMs?: number): Promise<string> {
		return eventually(`${this.device.name}'s sync word ${word}`, () => this.syncWord(), (now) => word.test(now), ceilingMs);
	}
	async markIn(where: Locator): Promise<Mark> {
		const label = await where.getByRole('img', { name: /^(Kept here|Sent|Accepted|Set aside)\b/ }).first().getAttribute('aria-label');
		return label!.split('.')[0] as Mark;
	}
	hasMark(where: Locator, mark: Mark): Promise<Mark> {
		return eventually(`the mark ${mark} on ${where}`, () => this.markIn(where), (now) => now === mark);
	}

	// ---- tasks

	async showTasks(scope: 'Mine' | 'I watch' | 'All'): Promise<void> {
		await this.section('Tasks');
		await this.page.getByRole('radiogroup', { name: 'Which tasks' }).getByRole('radio', { name: new RegExp(`^${scope}`) }).check({ force: true });
	}
	taskRow(title: string): Locator {
		return this.page.getByRole('grid', { name: 'Tasks' }).getByRole('row').filter({ hasText: title });
	}
	get taskPanel(): Locator {
		return this.page.getByRole('region').filter({ has: this.page.getByRole('heading', { name: 'Checklist' }) });
	}
	async newTask(title: string): Promise<void> {
		await this.page.getByRole('form', { name: 'New task' }).getByRole('textbox', { name: 'What has to be done' }).fill(title);
		await this.page.keyboard.press('Enter');
	}
	async openTask(title: string): Promise<Locator> {
		await this.taskRow(title).getByText(title).click();
		await this.taskPanel.waitFor();
		return this.taskPanel;
	}
	async setTaskTitle(title: string): Promise<void> {
		const field = this.taskPanel.getByRole('textbox', { name: 'What has to be done' });
		await field.fill(title);
		await field.press('Enter');
	}
	async setDeadline(day: string): Promise<void> {
		await this.taskPanel.getByLabel('Deadline', { exact: true }).fill(day);
		await this.taskPanel.getByLabel('Deadline', { exact: true }).blur();
	}
	checkItem(text: string): Locator {
		return this.taskPanel.getByRole('checkbox', { name: text });
	}
	async addItem(text: string): Promise<void> {
		await this.taskPanel.getByRole('textbox', { name: 'Add an item' }).fill(text);
		await this.page.keyboard.press('Enter');
	}

	// ---- deals

	column(stage: string): Locator {
		return this.page.getByRole('region', { name: new RegExp(`^${stage}, \\d+`) });
	}
	dealCard(title: string, stage?: string): Locator {
		return (stage ? this.column(stage) : this.page.getByRole('group', { name: 'Deals' })).getByRole('group', { name: new RegExp(`^${title}\\b`) });
	}
	get dealPanel(): Locator {
		return this.page.getByRole('region').filter({ has: this.page.getByRole('group', { name: 'Stage' }) });
	}
	async newDeal(title: string, amount: string): Promise<void> {
		await this.main.getByRole('button', { name: 'New deal' }).first().click();
		const dialog = this.page.getByRole('dialog', { name: 'New deal' });
		await dialog.getByRole('textbox', { name: 'Title' }).fill(title);
		await dialog.getByRole('textbox', { name: /^Amount/ }).fill(amount);
		await dialog.getByRole('button', { name: 'Create the deal' }).click();
		await this.dealPanel.waitFor();
	}
	async setAmount(amount: string): Promise<void> {
		const field = this.dealPanel.getByRole('textbox', { name: 'Amount' });
		await field.fill(amount);
		await field.press('Enter');
	}

	// ---- documents

	documentRow(title: string): Locator {
		return this.page.getByRole('grid', { name: 'Documents' }).getByRole('row').filter({ hasText: title });
	}
	async newPage(title: string): Promise<Locator> {
		await this.section('Documents');
		await this.page.keyboard.press('c');
		const field = this.main.getByRole('textbox', { name: 'Title', exact: true });
		await field.waitFor();
		await field.fill(title);
		await field.press('Enter');
		return this.text(title);
	}
	/** Everyone in the company reads and writes it from now on. */
	async toCompany(): Promise<void> {
		await this.main.getByRole('button', { name: 'More', exact: true }).first().click();
		await this.page.getByRole('menuitem', { name: /^Move to Company/ }).click();
		await this.main.getByText('Company', { exact: true }).waitFor();
	}
	/** The text of the open page: what is written, not its title. */
	text(title: string): Locator {
		return this.main.getByRole('textbox', { name: title });
	}
	async openDocument(title: string): Promise<Locator> {
		await this.section('Documents');
		await this.documentRow(title).getByRole('link', { name: title }).click();
		await this.text(title).waitFor();
		return this.text(title);
	}

	// ---- the company

	/** By the menu of the person's line: what the mouse does by carrying. */
	async movePerson(name: string, from: string, to: string): Promise<void> {
		await this.section('Company');
		await this.page.getByRole('tree', { name: 'Structure' }).getByText(from, { exact: true }).click();
		await this.page.getByRole('region', { name: from }).getByRole('button', { name: `What to do with ${name}` }).click();
		await this.page.getByRole('menuitem', { name: /^Move to a department/ }).click();
		await this.page.getByRole('dialog', { name: `Move ${name}` }).getByRole('option', { name: new RegExp(`^${to}`) }).click();
	}

	// ---- set aside

	async proposedToMe(): Promise<void> {
		await this.section('Set aside');
		await this.page.getByRole('tab', { name: /^Proposed to me/ }).click();
	}
	asideCard(title: string): Locator {
		return this.page.getByRole('article', { name: title });
	}
}

/**
 * P9, watched from inside the page without a pause: whenever the frame says "Up to date", nothing may wait in the device's own list of pending work.
 * The word follows the database by a reading and a frame; the same piece of work waiting unsaid for longer than that is a lie. Survives reloads.
 */
export class TruthWatch {
	readonly #device: Device;
	readonly #lies: string[] = [];
	#samples = 0;

	private constructor(device: Device) {
		this.#device = device;
	}

	static async over(device: Device): Promise<TruthWatch> {
		const watch = new TruthWatch(device);
		await watch.rearm();
		return watch;
	}
	/** After the browser was started again. */
	async rearm(): Promise<void> {
		await this.#device.context.exposeBinding('atriumTruth', (_, said: { samples: number; lie?: string }) => {
			this.#samples += said.samples;
			if (said.lie) this.#lies.push(`${this.#device.name}: ${said.lie}`);
		});
		await this.#device.context.addInitScript(sampleTruth);
		await this.#device.page.evaluate(sampleTruth).catch(() => {
			// An empty tab has no origin to look into; the script runs with the next page.
		});
	}
	lies(): readonly string[] {
		if (this.#samples === 0) throw new Error('The watch never looked: it proves nothing.');
		return this.#lies;
	}
}

function sampleTruth(): void {
	const tell = (window as unknown as { atriumTruth: (said: { samples: number; lie?: string }) => void }).atriumTruth;
	const own = window as unknown as { atriumSampling?: true };
	if (own.atriumSampling || !location.protocol.startsWith('http')) return;
	own.atriumSampling = true;
	const EVERY_MS = 30;
	const A_FRAME_AND_A_READING_MS = 150;
	/** Since when which pending work is denied. */
	let denied = new Map<IDBValidKey, number>();
	let database: IDBDatabase | null = null;
	const saysUpToDate = (): boolean => [...document.querySelectorAll('button')].some((button) => button.textContent?.trim() === 'Up to date');
	const waitingIn = (open: IDBDatabase): Promise<IDBValidKey[]> =>
		new Promise((resolve, reject) => {
			const asked = open.transaction('pending', 'readonly').objectStore('pending').getAllKeys();
			asked.onsuccess = () => resolve(asked.result);
			asked.onerror = () => reject(asked.error);
		});
	async function look(): Promise<void> {
		if (!database) {
			const known = (await indexedDB.databases()).find(({ name }) => name?.startsWith('atrium:'));
			if (!known) return;
			database = await new Promise<IDBDatabase>((resolve, reject) => {
				const asked = indexedDB.open(known.name!);
				asked.onsuccess = () => resolve(asked.result);
				asked.onerror = () => reject(asked.error);
			});
			database.onversionchange = () => {
				database?.close();
				database = null;
			};
			if (!database.objectStoreNames.contains('pending')) {
				database.close();
				database = null;
				return;
			}
		}
		const saidBefore = saysUpToDate();
		const waiting = await waitingIn(database);
		const now = performance.now();
		denied = new Map(saidBefore && saysUpToDate() ? waiting.map((key) => [key, denied.get(key) ?? now]) : []);
		const longestMs = Math.max(0, ...[...denied.values()].map((since) => now - since));
		tell({ samples: 1, ...(longestMs > A_FRAME_AND_A_READING_MS ? { lie: `“Up to date” at ${location.pathname} while ${waiting.length} wait, for ${Math.round(longestMs)} ms` } : {}) });
	}
	const again = (): void => void look().catch(() => (database = null)).finally(() => setTimeout(again, EVERY_MS));
	again();
}
