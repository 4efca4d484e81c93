/**
 * Pages and texts in real browsers: two people in one page at once, what each does shown to the other, a third who comes late; and a text of a
 * quarter of a million edits, opened cold. The tests of a story run in order.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Locator } from 'playwright-core';
import type { DocumentId } from '#crdt-model/ids.ts';
import { TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { typePaper } from './paper.ts';
import { Screens } from './screens.ts';

describe('two people in one page', () => {
	let relay: TestRelay;
	let ana: Screens;
	let bob: Screens;
	let cora: Screens | null = null;
	const title = 'Plan';

	beforeAll(async () => {
		relay = await TestRelay.start();
		const admin = await relay.register();
		await relay.hire(admin, 'bob@acme.example', 'Bob');
		await relay.hire(admin, 'cora@acme.example', 'Cora');
		await relay.create(admin, 'page', { title, place: 'company' });
		ana = new Screens(await Device.open('ana', relay));
		bob = new Screens(await Device.open('bob', relay));
		await Promise.all([ana.signIn('ana@acme.example'), bob.signIn('bob@acme.example')]);
		await Promise.all([ana.openDocument(title), bob.openDocument(title)]);
	});
	afterAll(async () => {
		await Promise.all([ana, bob, cora].map((who) => who?.device.remove()));
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [ana?.device, bob?.device, cora?.device]));

	const type = async (who: Screens, text: string): Promise<void> => {
		await who.page.keyboard.type(text);
	};
	/** By the marks that make it so: what is typed becomes what is meant. */
	const newLine = async (who: Screens): Promise<void> => {
		await who.text(title).click();
		await who.page.keyboard.press('Control+End');
		await who.page.keyboard.press('Enter');
	};
	const inText = (who: Screens, role: Parameters<Locator['getByRole']>[0], name?: string): Locator => who.text(title).getByRole(role, name === undefined ? {} : { name });

	it('each sees the other come, and the other’s caret with the name', async () => {
		for (const [who, other] of [[ana, 'Bob Ionescu'], [bob, 'Ana Pop']] as const) await who.main.getByRole('img', { name: `Also here: ${other}` }).waitFor();
		await ana.text(title).click();
		await type(ana, 'Where we stand');
		await bob.text(title).getByText('Where we stand').waitFor();
		await bob.text(title).click();
		await bob.page.keyboard.press('Control+End');
		// Carets are drawn for the eye: by text, not by role.
		await ana.main.getByText('Bob Ionescu', { exact: true }).first().waitFor();
		await bob.main.getByText('Ana Pop', { exact: true }).first().waitFor();
	});

	it('headings, marks, lists, links, quotes, code and tables come out the same on the other side', async () => {
		await newLine(ana);
		await type(ana, '## Money');
		await inText(bob, 'heading', 'Money').waitFor();

		await newLine(ana);
		await type(ana, 'plain ');
		await ana.page.keyboard.press('Control+b');
		await type(ana, 'strong');
		await ana.page.keyboard.press('Control+b');
		await type(ana, ' and ');
		await ana.page.keyboard.press('Control+i');
		await type(ana, 'leaning');
		await ana.page.keyboard.press('Control+i');
		await inText(bob, 'strong').getByText('strong').waitFor();
		await inText(bob, 'emphasis').getByText('leaning').waitFor();

		await newLine(ana);
		await type(ana, '- rent');
		await ana.page.keyboard.press('Enter');
		await type(ana, 'tea');
		await inText(bob, 'list').getByRole('listitem').filter({ hasText: 'tea' }).waitFor();
		await ana.page.keyboard.press('Enter');
		await ana.page.keyboard.press('Enter');

		await type(ana, 'see ');
		await ana.main.getByRole('button', { name: 'Link', exact: true }).click();
		const dialog = ana.page.getByRole('dialog', { name: 'Add a link' });
		await dialog.getByRole('textbox', { name: /^Address/ }).fill('https://acme.example/fair');
		await dialog.getByRole('button', { name: 'Save' }).click();
		await inText(bob, 'link', 'acme.example/fair').waitFor();
		expect(await inText(bob, 'link', 'acme.example/fair').getAttribute('href')).toBe('https://acme.example/fair');

		await newLine(ana);
		await type(ana, '> said somebody');
		await inText(bob, 'blockquote').getByText('said somebody').waitFor();

		await newLine(ana);
		await ana.main.getByRole('button', { name: 'Code block' }).click();
		await type(ana, 'let x = 1');
		await inText(bob, 'code').getByText('let x = 1').waitFor();

		await ana.main.getByRole('button', { name: 'Insert a table' }).click();
		await inText(bob, 'table').waitFor();
		await type(ana, 'in the corner');
		await inText(bob, 'table').getByText('in the corner').waitFor();
		expect(await inText(bob, 'table').getByRole('row').count()).toBe(3);
	});

	it('undo takes back one’s own words and spares the other’s', async () => {
		await bob.text(title).click();
		await bob.page.keyboard.press('Control+Home');
		await type(bob, 'Draft. ');
		await ana.text(title).getByText('Draft. Where we stand').waitFor();
		await ana.text(title).getByText('Where we stand').click();
		await ana.page.keyboard.press('End');
		await type(ana, ' today');
		await bob.text(title).getByText('Draft. Where we stand today').waitFor();
		await bob.text(title).getByText('Draft.').click();
		await bob.page.keyboard.press('Control+z');
		await eventually('the first line at Ana’s', () => ana.text(title).innerText(), (text) => text.startsWith('Where we stand today'));
		await eventually('the first line at Bob’s', () => bob.text(title).innerText(), (text) => text.startsWith('Where we stand today'));
	});

	it('[P1] [P6] what is typed without a network meets what the other typed meanwhile', async () => {
		await bob.device.cut();
		await bob.main.getByText('Offline: kept on this device').waitFor();
		await bob.text(title).getByText('Where we stand').click();
		await bob.page.keyboard.press('Home');
		await type(bob, 'Offline words. ');
		await ana.text(title).getByText('Where we stand').click();
		await ana.page.keyboard.press('End');
		await type(ana, ', written online');
		await bob.hasMark(bob.main, 'Kept here');
		await bob.device.mend();
		for (const who of [ana, bob]) {
			await eventually(`the line at ${who.device.name}’s`, () => who.text(title).innerText(), (text) => text.startsWith('Offline words. Where we stand today, written online'));
		}
		await bob.hasMark(bob.main, 'Accepted');
	});

	it('[P6] a third who comes late reads the same', async () => {
		const late = (cora = new Screens(await Device.open('cora', relay)));
		await late.signIn('cora@acme.example');
		await late.openDocument(title);
		await inText(late, 'table').getByText('in the corner').waitFor();
		const texts = await Promise.all([ana, bob, late].map((who) => who.text(title).innerText()));
		expect(texts[1]).toBe(texts[0]);
		expect(texts[2]).toBe(texts[0]);
		for (const role of ['heading', 'strong', 'emphasis', 'listitem', 'link', 'blockquote', 'code', 'row'] as const) {
			expect([role, await inText(late, role).count()]).toEqual([role, await inText(ana, role).count()]);
		}
		for (const who of [ana, bob, late]) expect(who.device.complaints()).toEqual([]);
	});
});

describe('a text of 259,778 edits', () => {
	let end = '';
	let relay: TestRelay;
	let admin: SignedIn;
	let text: DocumentId;
	let reader: Screens;

	beforeAll(async () => {
		relay = await TestRelay.start();
		admin = await relay.register();
		text = await relay.create(admin, 'text', { title: 'paper.tex', place: 'company' });
	});
	afterAll(async () => {
		await reader?.device.remove();
		await relay?.remove();
	});
	afterEach((context) => tellIfFailed(context, [reader?.device]));

	it('is typed by any y-websocket client', async () => {
		end = await typePaper(relay, admin.token, text);
		expect(end.length).toBeGreaterThan(100_000);
	});

	it('[P1] opens cold in a fresh browser with its whole content, and again without a network', async () => {
		reader = new Screens(await Device.open('reader', relay));
		await reader.signIn('ana@acme.example');
		await reader.saysSync(/^Up to date$/);
		await reader.section('Documents');
		await reader.documentRow('paper.tex').waitFor();
		const opened = performance.now();
		await reader.documentRow('paper.tex').getByRole('link', { name: 'paper.tex' }).click();
		await showsWholeText();
		console.log(`the text of 259,778 edits, opened cold: ${Math.round(performance.now() - opened)} ms`);

		await reader.device.cut();
		await reader.device.quit();
		await reader.device.start();
		const again = performance.now();
		await reader.device.goto(`/documents/${text}`);
		await showsWholeText();
		console.log(`and loaded anew without a network: ${Math.round(performance.now() - again)} ms`);
		expect(reader.device.complaints()).toEqual([]);
	});

	/** The editor draws what is in sight: its start and its end, and what all of it copied is. */
	async function showsWholeText(): Promise<void> {
		const editor = reader.text('paper.tex');
		const lineOf = (line: string): string => line.replace(/\s+/gu, ' ').trim();
		const lines = end.split('\n').map(lineOf).filter(Boolean);
		const seen = async (): Promise<string> => lineOf(await editor.innerText());
		await eventually('its first line', seen, (now) => now.includes(lines[0]!));
		await editor.click();
		// Pressed again until there: CodeMirror guesses the height of lines that it has not drawn, and its first jump may fall short.
		const atEnd = async (): Promise<string> => {
			await reader.page.keyboard.press('Control+End');
			return (await seen()).slice(-200);
		};
		await eventually('its last line', atEnd, (now) => now.includes(lines.at(-1)!));
		await reader.page.keyboard.press('Control+a');
		const copied = await reader.page.evaluate(
			() =>
				new Promise<string>((resolve) => {
					document.addEventListener('copy', (event) => resolve(event.clipboardData?.getData('text/plain') ?? ''), { once: true });
					document.execCommand('copy');
				})
		);
		expect(copied.length).toBe(end.length);
		expect(copied === end).toBe(true);
	}
});
