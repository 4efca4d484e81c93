import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AccountsDatabase, openDatabase } from './database.ts';
import { EnrolledFactors, ENROLMENT_MS } from './enrolled-factors.ts';
import type { IdentityId } from './identities.ts';
import { RECOVERY_CODES, STEP_MS, totpCode } from './one-time-codes.ts';
import { member, World } from './test-accounts.ts';
import { Vault } from './vault.ts';

const random = (target: Uint8Array) => randomFillSync(target);
let world: World;
let database: AccountsDatabase;
let factors: EnrolledFactors;
let ann: IdentityId;
let bob: IdentityId;

beforeEach(async () => {
	world = new World();
	const accounts = await world.open();
	ann = (await member(accounts, 'ann@example.com')).identity;
	bob = (await member(accounts, 'bob@example.com')).identity;
	database = await openDatabase(world.folder, { now: () => world.now, random, hasher: world.hasher });
	factors = over(Vault.open(world.folder, random));
});
afterEach(async () => {
	await database.close();
	await world.end();
});

const over = (vault: Vault) => new EnrolledFactors(database, vault, { now: () => world.now, random });

async function enrol(identity = ann): Promise<{ secret: string; recoveryCodes: string[] }> {
	const begun = await factors.begin(identity, 'session-1', 'ann@example.com');
	if (begun.outcome !== 'begun') throw new Error(begun.outcome);
	const enrolled = await factors.confirm(identity, 'session-1', totpCode(begun.secret, world.now));
	if (enrolled.outcome !== 'enrolled') throw new Error(enrolled.outcome);
	return { secret: begun.secret, recoveryCodes: enrolled.recoveryCodes };
}

test('nothing is asked for until the right code came back', async () => {
	const begun = await factors.begin(ann, 'session-1', 'ann@example.com');
	if (begun.outcome !== 'begun') throw new Error(begun.outcome);
	expect(await factors.has(ann)).toBe(false);
	expect(await factors.check(ann, totpCode(begun.secret, world.now))).toBe(false);
	const wrong = String((Number(totpCode(begun.secret, world.now)) + 1) % 1_000_000).padStart(6, '0');
	expect(await factors.confirm(ann, 'session-1', wrong)).toEqual({ outcome: 'wrong-code' });
	expect(await factors.confirm(ann, 'session-1', null)).toEqual({ outcome: 'wrong-code' });
	expect(await factors.has(ann)).toBe(false);
	expect(await factors.confirm(ann, 'session-1', totpCode(begun.secret, world.now))).toMatchObject({ outcome: 'enrolled' });
	expect(await factors.has(ann)).toBe(true);
	expect(await factors.begin(ann, 'session-1', 'ann@example.com')).toEqual({ outcome: 'already-enrolled' });
});

test('what one sign-in began no other confirms, for nobody else, and not for ever', async () => {
	const begun = await factors.begin(ann, 'session-1', 'ann@example.com');
	if (begun.outcome !== 'begun') throw new Error(begun.outcome);
	const code = () => totpCode(begun.secret, world.now);
	expect(await factors.confirm(ann, 'session-2', code())).toEqual({ outcome: 'not-begun' });
	expect(await factors.confirm(bob, 'session-1', code())).toEqual({ outcome: 'not-begun' });
	world.now += ENROLMENT_MS;
	expect(await factors.confirm(ann, 'session-1', code())).toEqual({ outcome: 'not-begun' });
	expect([await factors.has(ann), await factors.has(bob)]).toEqual([false, false]);
});

test('a code is good once, also the one that enrolled, and none of an earlier step afterwards', async () => {
	const { secret } = await enrol();
	const code = totpCode(secret, world.now);
	expect(await factors.check(ann, code), 'it enrolled').toBe(false);
	world.now += STEP_MS;
	const [before, next] = [code, totpCode(secret, world.now + STEP_MS)];
	expect(await factors.check(ann, next)).toBe(true);
	expect(await factors.check(ann, next)).toBe(false);
	expect(await factors.check(ann, totpCode(secret, world.now))).toBe(false);
	expect(await factors.check(ann, before)).toBe(false);
	world.now += 2 * STEP_MS;
	const atOnce = await Promise.all(Array.from({ length: 20 }, () => factors.check(ann, totpCode(secret, world.now))));
	expect(atOnce.filter(Boolean)).toHaveLength(1);
	expect(await factors.check(bob, totpCode(secret, world.now))).toBe(false);
});

test('each recovery code opens once, of any number at the same moment one; new ones replace the old', async () => {
	const { recoveryCodes } = await enrol();
	expect(new Set(recoveryCodes).size).toBe(RECOVERY_CODES);
	const atOnce = await Promise.all(Array.from({ length: 20 }, () => factors.check(ann, recoveryCodes[0]!.toLowerCase())));
	expect(atOnce.filter(Boolean)).toHaveLength(1);
	expect(await factors.check(ann, recoveryCodes[0]!)).toBe(false);
	expect(await factors.check(bob, recoveryCodes[1]!)).toBe(false);
	expect(await factors.recoveryCodesLeft(ann)).toBe(RECOVERY_CODES - 1);
	const renewed = await factors.renewRecoveryCodes(ann);
	expect(await factors.check(ann, recoveryCodes[1]!)).toBe(false);
	expect(await factors.check(ann, renewed![1]!)).toBe(true);
	expect(await factors.renewRecoveryCodes(bob)).toBeNull();
});

test('neither secret nor recovery code is in the files', async () => {
	const { secret, recoveryCodes } = await enrol();
	for (const file of ['accounts.db', 'accounts.db-wal']) {
		const bytes = readFileSync(join(world.folder, file), 'latin1');
		expect(bytes.includes(secret), file).toBe(false);
		for (const code of recoveryCodes) expect(bytes.includes(code) || bytes.includes(code.replaceAll('-', '')), file).toBe(false);
	}
});

test('without the vault’s key the factor stands: its codes are wrong and recovery codes open', async () => {
	const { secret, recoveryCodes } = await enrol();
	const other = over(new Vault(random(new Uint8Array(32)), random));
	world.now += STEP_MS;
	expect([await other.has(ann), await other.check(ann, totpCode(secret, world.now)), await other.check(ann, recoveryCodes[0]!)]).toEqual([true, false, true]);
});

test('a sealed secret that is moved to somebody else by hand opens nothing there', async () => {
	const { secret } = await enrol();
	await enrol(bob);
	const { sealed } = await database.db.selectFrom('second_factor').select('sealed').where('identity', '=', ann).executeTakeFirstOrThrow();
	await database.db.updateTable('second_factor').set({ sealed, last_step: 0 }).where('identity', '=', bob).execute();
	world.now += STEP_MS;
	expect(await factors.check(bob, totpCode(secret, world.now))).toBe(false);
});

test('removed, it is gone with its recovery codes and with what was begun', async () => {
	const { secret, recoveryCodes } = await enrol();
	expect([await factors.remove(ann), await factors.remove(ann), await factors.has(ann)]).toEqual([true, false, false]);
	world.now += STEP_MS;
	expect([await factors.check(ann, totpCode(secret, world.now)), await factors.check(ann, recoveryCodes[0]!)]).toEqual([false, false]);
	const begun = await factors.begin(ann, 'session-1', 'ann@example.com');
	await factors.remove(ann);
	expect(await factors.confirm(ann, 'session-1', totpCode((begun as { secret: string }).secret, world.now))).toEqual({ outcome: 'not-begun' });
	await enrol();
});
