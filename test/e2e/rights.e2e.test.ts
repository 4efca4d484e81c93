/**
 * What may not be read never reaches a device (P5): the real sales pipeline, 8,800 deals of 35 people, looked at from inside the browser's own
 * database and on its wire. An agent has their deals, a manager those of the team, an administrator all; the others' are not even sent.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CDPSession } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestRelay } from '../support/relay.ts';
import { Device, eventually, tellIfFailed } from './browser.ts';
import { makeDemo, type DemoPerson } from './demo.ts';
import { Screens } from './screens.ts';

interface Opportunity {
	readonly id: string;
	readonly agent: string;
}

const crm = join(import.meta.dirname, '..', 'data', 'crm');
const linesOf = (file: string): string[][] => readFileSync(join(crm, file), 'utf8').trim().split(/\r?\n/).slice(1).map((line) => line.split(','));
const opportunities: readonly Opportunity[] = linesOf('sales_pipeline.csv').map(([id, agent]) => ({ id: id!, agent: agent! }));
/** Agent to manager. */
const teams = new Map(linesOf('sales_teams.csv').map(([agent, manager]) => [agent!, manager!]));

describe('who holds which of 8,800 deals', () => {
	let relay: TestRelay;
	let people: readonly DemoPerson[];
	let screens: Screens | null = null;

	beforeAll(async () => {
		relay = await TestRelay.start();
		({ people } = await makeDemo(relay));
	});
	afterAll(async () => {
		await screens?.device.remove();
		await relay?.remove();
	});
	afterEach(async (context) => {
		await tellIfFailed(context, [screens?.device]);
		await screens?.device.remove();
		screens = null;
	});

	it.each(['agent', 'manager', 'administrator'] as const)('[P5] the device and the wire of an %s', async (role) => {
		const person = people.find((one) => one.role === role && (role !== 'agent' || opportunities.some(({ agent }) => agent === one.name)))!;
		const may = new Set(
			opportunities.filter(({ agent }) => role === 'administrator' || agent === person.name || (role === 'manager' && teams.get(agent) === person.name)).map(({ id }) => id)
		);
		expect(may.size).toBeGreaterThan(50);
		expect(may.size === opportunities.length).toBe(role === 'administrator');

		screens = new Screens(await Device.open(role, relay));
		const wire = await Wire.tap(await screens.device.cdp());
		const began = performance.now();
		await screens.signIn(person.email, person.password);
		await screens.section('CRM');
		await screens.saysSync(/^Up to date$/, 120_000);
		console.log(`${role}: ${may.size} deals on a new device after ${Math.round(performance.now() - began)} ms, ${Math.round(wire.bytes / 1024)} kB received`);

		const held = await eventually('the deals on the device', () => dealsHeld(screens!), (now) => now.length >= may.size);
		expect(held.length).toBe(may.size);
		expect(held.filter((id) => !may.has(id))).toEqual([]);

		// Every frame that the browser took from a socket, opened: ids are plain text in it.
		const sent = new Set(wire.opportunityIds());
		expect([...may].filter((id) => !sent.has(id))).toEqual([]);
		expect(opportunities.filter(({ id }) => !may.has(id) && sent.has(id)).map(({ id }) => id)).toEqual([]);
		expect(screens.device.complaints()).toEqual([]);
	});
});

/** What the page itself finds in the browser's database, whichever table it lies in. */
function dealsHeld({ page }: Screens): Promise<string[]> {
	return page.evaluate(async () => {
		const result = <T>(asked: IDBRequest<T>): Promise<T> =>
			new Promise((resolve, reject) => {
				asked.onsuccess = () => resolve(asked.result);
				asked.onerror = () => reject(asked.error);
			});
		const ids = new Set<string>();
		for (const { name } of await indexedDB.databases()) {
			if (!name?.startsWith('atrium:')) continue;
			const database = await result(indexedDB.open(name));
			for (const table of database.objectStoreNames) {
				for (const row of (await result(database.transaction(table).objectStore(table).getAll())) as { source?: { opportunity_id?: string } }[]) {
					if (row?.source?.opportunity_id) ids.add(row.source.opportunity_id);
				}
			}
			database.close();
		}
		return [...ids];
	});
}

/** The sockets of one browser, as the browser's own network log has them: compression is already taken off. */
class Wire {
	readonly #frames: Buffer[] = [];
	bytes = 0;

	static async tap(cdp: CDPSession): Promise<Wire> {
		const wire = new Wire();
		cdp.on('Network.webSocketFrameReceived', ({ response: { opcode, payloadData } }) => {
			const frame = Buffer.from(payloadData, opcode === 2 ? 'base64' : 'utf8');
			wire.bytes += frame.byteLength;
			wire.#frames.push(frame);
		});
		await cdp.send('Network.enable');
		return wire;
	}

	opportunityIds(): string[] {
		const known = new Set(opportunities.map(({ id }) => id));
		return this.#frames.flatMap((frame) => [...frame.toString('latin1').matchAll(/(?=([0-9A-Z]{8}))/g)].map(([, id]) => id!).filter((id) => known.has(id)));
	}
}
