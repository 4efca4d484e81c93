/**
 * accounts.db of every older version, with people, sign-ins, open invitations and whatever else that version could hold, opens under this one: people sign in and are
 * still signed in, codes of letters that are under way are good, and not one row is lost.
 */
import { randomFillSync } from 'node:crypto';
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rowsOf, tablesOf, writeOlderFile } from '#storage/sqlite/older-file-suite.ts';
import type { Accounts } from './accounts.ts';
import { codePurpose } from './codes.ts';
import { MIGRATIONS, openDatabase } from './database.ts';
import { EnrolledFactors } from './enrolled-factors.ts';
import { totpCode } from './one-time-codes.ts';
import { ids, member, PASSWORD, token, World, type Member } from './test-accounts.ts';
import { Vault } from './vault.ts';

const OLDER = Array.from({ length: MIGRATIONS.length - 1 }, (_, i) => i + 1);
/** Which version brought what. */
const CAME_WITH = { subscriptions: 2, logins: 3, letters: 4, factors: 5, links: 6, codes: 7, domains: 8, askers: 9 } as const;
const RESET = codePurpose<{ says: string }>('reset', 3_600_000);
const HOUR_MS = 3_600_000;

let world: World;
let accounts: Accounts;
let ann: Member;
let told: Awaited<ReturnType<typeof live>>;

/** Where the day was lived; each test begins with a copy. */
let today: World;

beforeAll(async () => {
	today = world = new World();
	accounts = await world.open();
	ann = await member(accounts, 'ann@example.com');
	told = await live();
	await accounts.close();
});
afterAll(() => rmSync(today.folder, { recursive: true, force: true }));
beforeEach(() => {
	world = new World();
	for (const name of ['accounts.db', 'accounts.key']) copyFileSync(join(today.folder, name), join(world.folder, name));
});
afterEach(() => world.end());

const outcome = <T extends { outcome: string }, O extends T['outcome']>(answer: T, wanted: O): Extract<T, { outcome: O }> => {
	if (answer.outcome !== wanted) throw new Error(answer.outcome);
	return answer as Extract<T, { outcome: O }>;
};

/** A company in the middle of its day. */
async function live() {
	const { portal, employee } = ann;
	const annsToken = await token(accounts, ann);
	const email = (name: string) => `${name}@example.com`;
	const department = ids.document('department');
	const open = outcome(await accounts.invite({ portal, email: email('ben'), department, invitedBy: employee }), 'invited');
	const accepted = outcome(await accounts.invite({ portal, email: email('cat'), invitedBy: employee }), 'invited');
	const cat = await member(accounts, email('cat'), portal);
	await accounts.finishInvitation(outcome(accounts.claimInvitation(accepted.code), 'claimed').claim);
	// A second portal of the same person.
	const elsewhere = await member(accounts, email('ann'), ids.portal());

	await accounts.subscriptions.set(portal, { plan: 'team', seats: 12, rentedBytes: 5_000_000_000 });
	await accounts.setLogin(cat.identity, 'cat.one');
	const dan = outcome(await accounts.addIdentity({ email: email('dan'), password: 'chosen by an administrator', name: 'Dan', portal }), 'created');
	await accounts.letters.keep({ to: open.invitation.email, letter: { kind: 'password-changed', language: 'en' } as never, portal, network: null, perPortalAndDay: 100, dueAt: world.now });

	const random = (target: Uint8Array) => randomFillSync(target);
	const database = await openDatabase(world.folder, { now: () => world.now, random, hasher: world.hasher });
	const factors = new EnrolledFactors(database, Vault.open(world.folder, random), { now: () => world.now, random });
	const { secret } = outcome(await factors.begin(cat.identity, 'a session', email('cat')), 'begun');
	const { recoveryCodes } = outcome(await factors.confirm(cat.identity, 'a session', totpCode(secret, world.now)), 'enrolled');
	await database.db.insertInto('passkey').values({ id: 'key', identity: cat.identity, party: 'localhost', public_key: 'AA', counter: 3, transports: '[]', name: 'Phone', created_at: 1, last_used_at: null }).execute();
	await database.db.insertInto('linked_identity').values({ issuer: 'https://id.example', subject: '7', identity: cat.identity, provider: 'acme', label: 'cat', linked_at: 1, last_used_at: null }).execute();
	await database.close();

	const made = (await accounts.invitationLinks.make({ portal, department: null, groups: [], approval: true, createdBy: employee, expiresAt: world.now + HOUR_MS }))!;
	const hash = accounts.nobodysHash;
	const asked = { portal, link: made.link.id, firstName: 'Eve', lastName: 'Fox', login: null, language: 'en', hash, asker: 'a browser' } as const;
	const join1 = await accounts.joins.ask({ ...asked, email: open.invitation.email });
	const join2 = await accounts.joins.ask({ ...asked, email: accepted.invitation.email });
	await accounts.joins.wait(outcome(await accounts.joins.claimByCode(join2.code), 'claimed').claim);
	const letterCode = await accounts.codes.issue(RESET, open.invitation.email, { says: 'hello' });
	accounts.domains.takes(portal, 'portal.acme.example');
	await accounts.domains.settled();
	return { annsToken, open, accepted, cat, dan, department, elsewhere, secret, recoveryCodes, made, join1, letterCode };
}

const file = () => join(world.folder, 'accounts.db');

/** The file as an older version would have it. What better-auth made of its own stands as it is. */
function makeOlder(version: number): void {
	const database = new DatabaseSync(file());
	database.exec('pragma wal_checkpoint(truncate); pragma journal_mode = delete');
	const own = database.prepare(`select sql from sqlite_schema where tbl_name in ('user', 'session', 'account', 'verification') and sql is not null order by type desc`).all() as { sql: string }[];
	database.close();
	const older = `${file()}.older`;
	writeOlderFile(file(), older, [...own.map(({ sql }) => sql), ...MIGRATIONS.slice(0, version).flat()], { user_version: version });
	for (const end of ['', '-wal', '-shm']) rmSync(file() + end, { force: true });
	renameSync(older, file());
}

describe.each(OLDER)('accounts.db of version %i', (version) => {
	const had = (what: keyof typeof CAME_WITH) => version >= CAME_WITH[what];

	test('loses no row, and knows of everybody what it knew', async () => {
		makeOlder(version);
		const then = tablesOf(file());
		// Whoever was there before somebody could be added without a letter has confirmed their address.
		if (!had('logins')) then.user = then.user!.filter((column) => column !== '"emailVerified"');
		const held = rowsOf(file(), then);
		expect(held.membership).toHaveLength(3);
		expect(held.invitation).toHaveLength(2);
		accounts = await world.open();
		expect(rowsOf(file(), then)).toEqual(held);
		accounts = await world.reopen();
		expect(rowsOf(file(), then), 'and at the second start nothing is done again').toEqual(held);
	});

	test('people are signed in, sign in and sign out', async () => {
		makeOlder(version);
		accounts = await world.open();
		const { portal, employee, identity } = ann;
		expect(accounts.resolveToken(told.annsToken)).toMatchObject({ portal, employee, identity });
		const signedIn = outcome(await accounts.signIn({ email: 'ann@example.com', password: PASSWORD }), 'signed-in');
		expect(signedIn.memberships.map((one) => one.portal).sort()).toEqual([portal, told.elsewhere.portal].sort());
		expect(await accounts.signIn({ email: 'ann@example.com', password: 'another password' })).toEqual({ outcome: 'wrong-credentials' });
		expect(await accounts.identity(identity)).toMatchObject({ email: 'ann@example.com', emailConfirmed: true });
		expect(accounts.resolveToken(await token(accounts, ann))).toMatchObject({ employee });
		expect(await accounts.sessionsOf({ identity })).toHaveLength(2);
		await accounts.endSession(told.annsToken);
		expect(accounts.resolveToken(told.annsToken)).toBeNull();
		expect(await accounts.setPassword(identity, 'a password of the new time')).toMatchObject({ outcome: 'set' });
		expect((await accounts.signIn({ email: 'ann@example.com', password: 'a password of the new time' })).outcome).toBe('signed-in');
		if (had('logins')) expect((await accounts.signIn({ email: 'cat.one', password: PASSWORD })).outcome).toBe('signed-in');
		else expect(await accounts.setLogin(told.cat.identity, 'cat.one')).toMatchObject({ outcome: 'set' });
		expect(accounts.mustChangePassword(told.dan.identity)).toBe(had('logins'));
	});

	test('an open invitation is shown, renewed, withdrawn and accepted once; an accepted one is spent', async () => {
		makeOlder(version);
		accounts = await world.open();
		const { portal, employee } = ann;
		const open = accounts.openInvitation(told.open.code)!;
		expect(open).toMatchObject({ portal, email: 'ben@example.com', department: told.department, invitedBy: employee, groups: [] });
		// Its own name it has since version 6.
		expect(open.id).toMatch(had('links') ? told.open.invitation.id : /^invitation_[0-9a-f]{32}$/);
		expect((await accounts.openInvitationsOf(portal)).map(({ id }) => id)).toEqual([open.id]);
		expect(accounts.claimInvitation(told.accepted.code)).toEqual({ outcome: 'unknown' });

		const renewed = (await accounts.renewInvitation(portal, open.id, employee))!;
		expect(accounts.openInvitation(told.open.code), 'the letter before is void').toBeNull();
		await renewed.undo();
		const { claim } = outcome(accounts.claimInvitation(told.open.code), 'claimed');
		expect(claim.invitation).toEqual(open);
		await member(accounts, 'ben@example.com', portal);
		expect(await accounts.finishInvitation(claim)).toEqual({ outcome: 'accepted' });
		expect(accounts.claimInvitation(told.open.code)).toEqual({ outcome: 'unknown' });
		const again = outcome(await accounts.invite({ portal, email: 'new@example.com', invitedBy: employee }), 'invited');
		expect(await accounts.withdrawInvitation(portal, again.invitation.id)).toBe(true);
	});

	test('tariff, letters, factors, links, requests, codes and domains are what they were, or begin', async () => {
		makeOlder(version);
		accounts = await world.open();
		const { portal } = ann;
		const { cat } = told;
		if (had('subscriptions')) expect(accounts.subscriptions.of(portal)).toEqual({ plan: 'team', seats: 12, rentedBytes: 5_000_000_000 });
		else expect(accounts.subscriptions.of(portal), 'a portal of before tariffs begins with its demo').toEqual({ plan: 'project', demoStartedAt: expect.any(Number) });
		const due = await accounts.letters.due(10);
		expect(due.map(({ to, letter }) => [to, letter?.kind])).toEqual(had('letters') ? [['ben@example.com', 'password-changed']] : []);
		expect(await accounts.factors.has(cat.identity)).toBe(had('factors'));
		world.now += 60_000;
		expect(await accounts.factors.check(cat.identity, totpCode(told.secret, world.now))).toBe(had('factors'));
		expect(await accounts.factors.check(cat.identity, told.recoveryCodes[0]!)).toBe(had('factors'));
		expect(await accounts.invitationLinks.open(told.made.code)).toEqual(had('links') ? told.made.link : null);
		expect((await accounts.joins.waiting(portal)).map(({ email }) => email)).toEqual(had('links') ? ['cat@example.com'] : []);
		const claimed = await accounts.joins.claimByCode(told.join1.code);
		expect(claimed.outcome).toBe(had('links') ? 'claimed' : 'unknown');
		// Without its mark the browser that asked is not known, and the code asks for a password.
		if (claimed.outcome === 'claimed') expect(claimed.claim.request.asker).toBe(had('askers') ? 'a browser' : null);
		expect(await accounts.codes.take(RESET, told.letterCode.code)).toEqual(had('codes') ? { says: 'hello' } : null);
		await accounts.subscriptions.set(portal, { plan: 'company' });
		expect(accounts.domains.at('portal.acme.example')).toBe(had('domains') ? portal : null);
		if (!had('domains')) accounts.domains.takes(portal, 'portal.acme.example');
		expect(accounts.domains.at('portal.acme.example'), 'also when its settings are read for the first time').toBe(portal);
		await accounts.domains.settled();
	});
});
