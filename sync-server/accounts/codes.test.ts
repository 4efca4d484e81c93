/** Codes of letters: once, for their purpose, while they last, and never more than a disk holds. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Accounts } from './accounts.ts';
import { codePurpose, CODES_PER_ADDRESS, CODES_PER_PURPOSE } from './codes.ts';
import type { Email } from './email.ts';
import { World } from './test-accounts.ts';

const ONE = codePurpose<string>('one', 3_600_000);
const OTHER = codePurpose<string>('other', 3_600_000);
const ann = 'ann@example.com' as Email;

let world: World;
let accounts: Accounts;
beforeEach(async () => {
	world = new World();
	accounts = await world.open();
});
afterEach(() => world.end());

/** Asks the file itself, beside the relay. */
function inTheFile<T>(ask: (database: DatabaseSync) => T): T {
	const database = new DatabaseSync(join(world.folder, 'accounts.db'));
	try {
		return ask(database);
	} finally {
		database.close();
	}
}
const kept = (purpose: string) => inTheFile((database) => (database.prepare('select count(*) as count from letter_code where purpose = ?').get(purpose) as { count: number }).count);

test('a code is good once, for its purpose, and while it lasts', async () => {
	const { code, expiresAt } = await accounts.codes.issue(ONE, ann, 'hers');
	expect([await accounts.codes.open(OTHER, code), await accounts.codes.open(ONE, code)]).toEqual([null, 'hers']);
	expect(await Promise.all([accounts.codes.take(ONE, code), accounts.codes.take(ONE, code)]).then((all) => all.filter(Boolean))).toEqual(['hers']);
	const late = await accounts.codes.issue(ONE, ann, 'late');
	world.now = expiresAt;
	expect(await accounts.codes.take(ONE, late.code)).toBeNull();
});

test('of one purpose and address a few are open; the oldest gives way', async () => {
	const codes: string[] = [];
	for (let i = 0; i <= CODES_PER_ADDRESS; i++, world.now++) codes.push((await accounts.codes.issue(ONE, ann, String(i))).code);
	expect(await Promise.all(codes.map((code) => accounts.codes.open(ONE, code)))).toEqual([null, ...Array.from({ length: CODES_PER_ADDRESS }, (_, i) => String(i + 1))]);
});

test('[B8] of one purpose so many are kept, whoever asks for however many addresses; the oldest give way, those of other purposes stay', async () => {
	const other = await accounts.codes.issue(OTHER, ann, 'other');
	const oldest = await accounts.codes.issue(ONE, ann, 'oldest');
	inTheFile((database) => {
		// As a flood leaves them, in one transaction: as many commits would test the disk.
		const insert = database.prepare('insert into letter_code (code_sha256, purpose, address, sealed, created_at, expires_at) values (?, ?, ?, ?, ?, ?)');
		database.exec('pragma synchronous = off; begin');
		for (let i = 1; i < CODES_PER_PURPOSE; i++) insert.run(`flood ${i}`, ONE.name, `p${i}@example.com`, 'sealed', world.now + 1, world.now + ONE.lifetimeMs);
		database.exec('commit');
	});
	world.now += 2;
	expect([kept(ONE.name), await accounts.codes.open(ONE, oldest.code)]).toEqual([CODES_PER_PURPOSE, 'oldest']);
	const newest = await accounts.codes.issue(ONE, 'eve@example.com' as Email, 'newest');
	expect([kept(ONE.name), kept(OTHER.name)]).toEqual([CODES_PER_PURPOSE, 1]);
	expect(await Promise.all([accounts.codes.open(ONE, oldest.code), accounts.codes.open(ONE, newest.code), accounts.codes.open(OTHER, other.code)])).toEqual([null, 'newest', 'other']);
	const plan = inTheFile((database) => database.prepare('explain query plan select code_sha256 from letter_code where purpose = ? order by created_at desc, code_sha256 limit -1 offset 20000').all(ONE.name));
	expect(JSON.stringify(plan), 'found by an index, not sorted with every letter').not.toMatch(/TEMP B-TREE/);
});
