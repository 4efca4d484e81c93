/** What the tests of the import share: the real files, small hand-made ones, and a relay in memory. No promises to anyone else. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryRelayStore } from '#storage/memory/relay-store.ts';
import type { RelayStore } from '#storage/contract.ts';
import { Accounts } from '../accounts/accounts.ts';
import { argon2Hasher } from '../accounts/password.ts';
import { Portals } from '../room/portals.ts';
import { readCrmTables, type CrmTables } from './crm-files.ts';
import type { DemoWorld } from './demo.ts';

export const REAL_FOLDER = join(import.meta.dirname, '..', '..', 'test', 'data', 'crm');
export const MAC_KEY = new Uint8Array(32).fill(7);
export const NOW = Date.parse('2026-11-30T15:00:00Z');

export type Files = Record<string, string | Uint8Array>;

export function realFiles(): Record<string, string> {
	const names = ['accounts.csv', 'products.csv', 'sales_teams.csv', 'sales_pipeline.csv'];
	return Object.fromEntries(names.map((name) => [name, readFileSync(join(REAL_FOLDER, name), 'utf8')]));
}

/** Two offices, two teams, three agents, three accounts, two products, three opportunities. */
export const SMALL: Readonly<Record<string, string>> = {
	'accounts.csv': 'account,sector,year_established,revenue,employees,office_location,subsidiary_of\nAcme,technolgy,1996,1100.04,2822,United States,\nBeta,medical,1986,647.18,1185,Kenya,Acme\nGamma Co,,,,,,\n',
	'products.csv': 'product,series,sales_price\nGTX Basic,GTX,550\nGTX Pro,GTX,4821\n',
	'sales_teams.csv': 'sales_agent,manager,regional_office\nAnna Snelling,Dustin Brinkmann,Central\nBen Cole,Dustin Brinkmann,Central\nCat Dale,Eve Fox,East\n',
	'sales_pipeline.csv':
		'opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\nA1,Anna Snelling,GTX Basic,Acme,Won,2016-10-20,2017-03-01,1054\nA2,Ben Cole,GTXPro,Beta,Lost,2016-11-01,2017-12-31,0\nA3,Cat Dale,GTX Pro,,Prospecting,,,\n'
};

export function tablesOf(files: Files): Promise<CrmTables> {
	const encoder = new TextEncoder();
	return readCrmTables(Object.fromEntries(Object.entries(files).map(([name, content]) => [name, typeof content === 'string' ? encoder.encode(content) : content])));
}

export interface TestRelay extends DemoWorld {
	end(): Promise<void>;
}

export async function testRelay(store: RelayStore = new MemoryRelayStore()): Promise<TestRelay> {
	const folder = mkdtempSync(join(tmpdir(), 'atrium-demo-'));
	const hasher = argon2Hasher((target) => randomFillSync(target), { memoryKib: 8, passes: 1, lanes: 1 });
	const accounts = await Accounts.open({ folder, hasher });
	const portals = await Portals.open({ store, macKey: MAC_KEY, now: () => NOW, subscriptions: accounts.subscriptions });
	return {
		accounts,
		portals,
		now: () => NOW,
		async end() {
			await portals.close();
			await accounts.close();
			rmSync(folder, { recursive: true, force: true });
		}
	};
}
