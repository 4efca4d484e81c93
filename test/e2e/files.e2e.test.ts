/**
 * Files in real browsers: chosen without a network, going up with it, and coming down on a colleague's device byte for byte; and what the tariff has no
 * room for, although it was made offline, in Set aside with the number, its bytes still there.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, TestRelay, type SignedIn } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { Screens } from './screens.ts';

const GB = 1024 ** 3;

describe('files', () => {
	let relay: TestRelay;
	let folder: string;
	let ana: Screens;
	let bob: Screens;
	let anaSigned: SignedIn;

	beforeAll(async () => {
		relay = await TestRelay.start();
		folder = await mkdtemp(join(tmpdir(), 'atrium-files-'));
		anaSigned = await relay.register('Acme', 'ana@acme.example');
		await relay.hire(anaSigned, 'bob@acme.example', 'Bob');
		ana = new Screens(await Device.open('ana', relay));
		bob = new Screens(await Device.open('bob', relay));
		await ana.signIn('ana@acme.example');
		await bob.signIn('bob@acme.example', PASSWORD);
	});
	afterAll(async () => {
		await ana?.device.remove();
		await bob?.device.remove();
		await relay?.remove();
		await rm(folder, { recursive: true, force: true });
	});
	afterEach((context) => tellIfFailed(context, [ana?.device, bob?.device]));

	async function written(name: string, bytes: Uint8Array): Promise<string> {
		const path = join(folder, name);
		await writeFile(path, bytes);
		return path;
	}
	/** By the button, as a person chooses. */
	async function upload(who: Screens, paths: string[]): Promise<void> {
		await who.section('Documents');
		await who.main.getByRole('button', { name: 'New', exact: true }).first().click();
		const asked = who.page.waitForEvent('filechooser');
		await who.page.getByRole('menuitem', { name: /^Upload files/ }).click();
		await (await asked).setFiles(paths);
	}
	async function downloaded(who: Screens, button: Locator): Promise<Buffer> {
		const coming = who.page.waitForEvent('download');
		await button.click();
		const path = join(folder, `down-${Math.random()}`);
		await (await coming).saveAs(path);
		return readFile(path);
	}
	const says = (row: Locator, words: RegExp) => eventually(`${row} says ${words}`, () => row.innerText(), (text) => words.test(text));

	it('go up when the network is back, and a colleague has the same bytes, then also without a network', async () => {
		// Three pieces, so that the way up is one with stops.
		const offer = randomBytes(9_000_000);
		const note = new TextEncoder().encode('meeting at nine\n');
		const paths = [await written('Offer – final.bin', offer), await written('note.txt', note)];
		await ana.device.cut();
		await upload(ana, paths);
		const row = ana.documentRow('Offer – final.bin');
		await ana.hasMark(row, 'Kept here');
		await says(row, /8\.6\sMB · Not uploaded yet/);
		await ana.hasMark(ana.documentRow('note.txt'), 'Kept here');
		expect(await ana.syncWord()).toBe('On this device');

		// A restart of the browser loses nothing of it.
		await ana.device.quit();
		await ana.device.start();
		await ana.device.goto('/documents');
		await ana.hasMark(ana.documentRow('Offer – final.bin'), 'Kept here');

		await ana.device.mend();
		await eventually('the content went up', () => ana.documentRow('Offer – final.bin').innerText(), (text) => !/upload/i.test(text));
		await ana.saysSync(/^Up to date$/);

		await bob.section('Documents');
		expect(await bob.documentRow('note.txt').count(), 'Mine is mine').toBe(0);
		for (const name of ['Offer – final.bin', 'note.txt']) {
			await ana.documentRow(name).getByRole('button', { name: /^Actions for/ }).click();
			await ana.page.getByRole('menuitem', { name: /^Move to Company/ }).click();
		}
		await bob.documentRow('Offer – final.bin').getByRole('link').click();
		const button = bob.main.getByRole('button', { name: 'Download' });
		expect(Buffer.compare(await downloaded(bob, button), offer)).toBe(0);
		await bob.device.cut();
		expect(Buffer.compare(await downloaded(bob, button), offer), 'what was opened stays on the device').toBe(0);
		await bob.page.keyboard.press('Escape');
		await bob.documentRow('note.txt').getByRole('link').click();
		await bob.main.getByRole('button', { name: 'Download' }).click();
		await bob.page.getByText('is not on this device, and it cannot be fetched now').waitFor();
		await bob.device.mend();
		expect(Buffer.compare(await downloaded(bob, bob.main.getByRole('button', { name: 'Download' })), Buffer.from(note))).toBe(0);
	});

	it('leave the device with the right to read them', async () => {
		const blobs = () =>
			bob.page.evaluate(async () => {
				const name = (await indexedDB.databases()).find((one) => one.name?.startsWith('atrium:'))!.name!;
				const open = await new Promise<IDBDatabase>((done, fail) => Object.assign(indexedDB.open(name), { onsuccess: (event: Event) => done((event.target as IDBOpenDBRequest).result), onerror: fail }));
				const keys = await new Promise<IDBValidKey[]>((done) => (open.transaction('blobs').objectStore('blobs').getAllKeys().onsuccess = (event) => done((event.target as IDBRequest).result)));
				open.close();
				return keys.length;
			});
		expect(await blobs()).toBe(2);
		await ana.documentRow('Offer – final.bin').getByRole('button', { name: /^Actions for/ }).click();
		await ana.page.getByRole('menuitem', { name: /^Move to Mine/ }).click();
		await eventually('one blob is left', blobs, (count) => count === 1);
	});

	it('that the tariff has no room for wait in Set aside with the number, and go up when there is room', async () => {
		// 5 GB of the free plan, but for what went up before and ten bytes: two of the largest files and the rest, whose bytes need not come.
		const { used } = (await relay.api<{ storageBytes: { used: number } }>('GET', '/tariff', undefined, anaSigned.token)).body.storageBytes;
		let left = 5 * GB - used - 10;
		for (let n = 0; left > 0; n++) {
			const size = Math.min(left, 2 ** 31 - 1);
			await relay.create(anaSigned, 'file', { name: `archive-${n}.bin`, size, mime: 'application/octet-stream', digest: n.toString().repeat(64), place: 'mine' });
			left -= size;
		}
		const bytes = randomBytes(2_000_000);
		await bob.section('Documents');
		await eventually('the meter', () => bob.main.getByRole('meter', { name: 'Storage' }).getAttribute('aria-valuetext'), (text) => text === '5 GB of 5 GB');
		await bob.device.cut();
		await upload(bob, [await written('video.bin', bytes)]);
		await bob.hasMark(bob.documentRow('video.bin'), 'Kept here');
		await bob.device.mend();
		await bob.saysSync(/^1 set aside$/);
		await bob.section('Set aside');
		const card = bob.asideCard('video.bin');
		await card.getByText('This needs 1.9 MB, and the plan Project stores 5 GB, of which 5 GB are used.').waitFor();
		await card.getByText(/Deleting files makes room at once; an administrator can change to Project\+, Team,? or Company, or rent storage\./).waitFor();
		expect(Buffer.compare(await downloaded(bob, card.getByRole('button', { name: 'Save the file' })), bytes)).toBe(0);
		// Everything else goes on.
		await bob.showTasks('All');
		await bob.newTask('Ask for more room');
		await bob.hasMark(bob.taskRow('Ask for more room'), 'Accepted');

		await relay.operator('tariff', { rentedGigabytes: 1 });
		await bob.section('Documents');
		await eventually('the meter', () => bob.main.getByRole('meter', { name: 'Storage' }).getAttribute('aria-valuetext'), (text) => text === '5 GB of 6 GB');
		await bob.section('Set aside');
		await card.getByRole('button', { name: 'Try again' }).click();
		await bob.section('Documents');
		await eventually('the content went up', () => bob.documentRow('video.bin').innerText(), (text) => /1\.9\sMB/.test(text) && !/upload/i.test(text));
		await bob.saysSync(/^Up to date$/);
	});

	it('and a person taken back without a network, when the last seat went meanwhile, wait with the number as well', async () => {
		await relay.operator('tariff', { plan: 'boxBusiness', seats: 3 });
		const cora = await relay.hire(anaSigned, 'cora@acme.example', 'Cora', 'Late');
		expect((await relay.api('POST', `/documents/${cora.employee}/commands`, { command: 'dismiss' }, anaSigned.token)).status).toBe(200);
		await ana.section('Company');
		await ana.page.getByRole('link', { name: /^People/ }).or(ana.page.getByRole('tab', { name: /^People/ })).click();
		await ana.main.getByRole('radio', { name: /^Dismissed/ }).check({ force: true });
		await ana.main.getByRole('row').filter({ hasText: 'Cora Late' }).waitFor();
		await ana.device.cut();
		await ana.main.getByRole('row').filter({ hasText: 'Cora Late' }).getByRole('button', { name: /Cora Late/ }).last().click();
		await ana.page.getByRole('menuitem', { name: /^Take back/ }).click();
		await ana.page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
		await relay.hire(anaSigned, 'dan@acme.example', 'Dan');
		await ana.device.mend();
		await ana.saysSync(/^1 set aside$/);
		await ana.section('Set aside');
		await ana.asideCard('Cora Late').getByText('The plan Box Business has 3 seats, and 3 are taken. An administrator can dismiss somebody who has left, or have seats added to the licence; then try again.').waitFor();
		expect([...ana.device.complaints(), ...bob.device.complaints()]).toEqual([]);
	});
});
