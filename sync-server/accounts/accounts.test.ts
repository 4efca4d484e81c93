import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Accounts, EndedSession } from './accounts.ts';
import { ATTEMPT_WINDOW_MS, ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NETWORK } from './attempts.ts';
import { CLAIM_LAPSE_MS, INVITATION_MS } from './invitations.ts';
import { SESSION_CACHE_MS, SESSION_MS, SESSIONS_PER_EMPLOYEE } from './sessions.ts';
import { ids, member, PASSWORD, token, World } from './test-accounts.ts';

let world: World;
let accounts: Accounts;
beforeEach(async () => {
	world = new World();
	accounts = await world.open();
});
afterEach(() => world.end());

const ann = { email: 'ann@example.com', password: PASSWORD, name: 'Ann Example' };

describe('identities', () => {
	test('a free address is created, a known one needs its present password and keeps it', async () => {
		const created = await accounts.registerIdentity(ann);
		expect(created).toMatchObject({ outcome: 'created', email: 'ann@example.com' });
		const identity = 'identity' in created ? created.identity : null;
		expect(identity).toMatch(/^identity_/);
		expect(await accounts.registerIdentity(ann)).toMatchObject({ outcome: 'known', identity });
		expect(await accounts.registerIdentity({ ...ann, password: 'another password' })).toEqual({ outcome: 'wrong-password' });
		expect(await accounts.signIn({ ...ann, password: 'another password' })).toEqual({ outcome: 'wrong-credentials' });
		expect(await accounts.signIn(ann)).toMatchObject({ outcome: 'signed-in', identity, name: 'Ann Example', memberships: [] });
		expect(await accounts.identity(identity!)).toMatchObject({ email: 'ann@example.com', emailConfirmed: true });
	});

	test('the same address in another case or with blanks is the same identity', async () => {
		await accounts.registerIdentity(ann);
		expect(await accounts.registerIdentity({ ...ann, email: '  ANN@Example.COM ' })).toMatchObject({ outcome: 'known' });
		expect(await accounts.signIn({ ...ann, email: 'Ann@EXAMPLE.com' })).toMatchObject({ outcome: 'signed-in' });
	});

	test('concurrent registrations of one address make one identity; only the first password counts', async () => {
		const passwords = Array.from({ length: 8 }, (_, i) => `password number ${i}`);
		const answers = await Promise.all(passwords.map((password) => accounts.registerIdentity({ ...ann, password })));
		expect(answers.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
		expect(answers.filter(({ outcome }) => outcome === 'wrong-password')).toHaveLength(7);
		const winner = passwords[answers.findIndex(({ outcome }) => outcome === 'created')]!;
		expect(await accounts.signIn({ ...ann, password: winner })).toMatchObject({ outcome: 'signed-in' });
	});

	test('known and unknown addresses cost one hash each, at sign-in and at registration', async () => {
		await accounts.registerIdentity(ann);
		const cost = async (work: () => Promise<unknown>) => {
			const before = world.hashes;
			await work();
			return world.hashes - before;
		};
		expect(await cost(() => accounts.signIn({ ...ann, password: 'wrong password' }))).toBe(1);
		expect(await cost(() => accounts.signIn({ ...ann, email: 'nobody@example.com' }))).toBe(1);
		expect(await cost(() => accounts.registerIdentity({ ...ann, password: 'wrong password' }))).toBe(1);
		expect(await cost(() => accounts.registerIdentity({ ...ann, email: 'new@example.com' }))).toBe(1);
	});

	test('failures for one address close it for a while, for sign-in and registration alike', async () => {
		await accounts.registerIdentity(ann);
		const wrong = { ...ann, password: 'wrong password' };
		for (let i = 0; i < ATTEMPTS_PER_ADDRESS; i++) {
			const answer = await (i % 2 ? accounts.signIn(wrong) : accounts.registerIdentity(wrong));
			expect(answer.outcome).toMatch(/^wrong-/);
			world.now += 1_000;
		}
		const refused = await accounts.signIn(ann);
		expect(refused).toEqual({ outcome: 'too-many-attempts', retryAfterSeconds: (ATTEMPT_WINDOW_MS - 10_000) / 1000 });
		expect((await accounts.registerIdentity(ann)).outcome).toBe('too-many-attempts');
		expect((await accounts.signIn({ ...ann, email: 'bob@example.com' })).outcome).toBe('wrong-credentials');
		world.now += ATTEMPT_WINDOW_MS - 10_000;
		expect((await accounts.signIn(ann)).outcome).toBe('signed-in');
	});

	test('a thousand attempts at once get no further than the ceiling', async () => {
		await accounts.registerIdentity(ann);
		const answers = await Promise.all(Array.from({ length: 1000 }, () => accounts.signIn({ ...ann, password: 'wrong password' })));
		expect(answers.filter(({ outcome }) => outcome === 'wrong-credentials')).toHaveLength(ATTEMPTS_PER_ADDRESS);
	});

	test('many right passwords at once are no guessing', async () => {
		await accounts.registerIdentity(ann);
		const answers = await Promise.all(Array.from({ length: 300 }, () => accounts.signIn({ ...ann, ip: '192.0.2.1' })));
		expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['signed-in']));
	});

	test('one network is counted over many addresses, an IPv6 /64 as one; right passwords weigh nothing', async () => {
		await accounts.registerIdentity(ann);
		for (let i = 0; i < ATTEMPTS_PER_NETWORK; i++) {
			const ip = `2001:db8:0:1::${i.toString(16)}`;
			expect((await accounts.signIn({ ...ann, ip })).outcome).toBe('signed-in');
			expect((await accounts.signIn({ email: `x${i}@example.com`, password: PASSWORD, ip })).outcome).toBe('wrong-credentials');
		}
		expect((await accounts.signIn({ ...ann, ip: '2001:db8:0:1:ffff::1' })).outcome).toBe('too-many-attempts');
		expect((await accounts.signIn({ ...ann, ip: '2001:db8:0:2::1' })).outcome).toBe('signed-in');
	});
});

describe('memberships', () => {
	test('one employee per identity and portal, one identity per employee; repeating is harmless', async () => {
		const one = await member(accounts, 'ann@example.com');
		expect(await accounts.addMembership(one)).toEqual({ outcome: 'already-member', employee: one.employee });
		const other = ids.document('employee');
		expect(await accounts.addMembership({ ...one, employee: other })).toEqual({ outcome: 'already-member', employee: one.employee });
		const bob = await member(accounts, 'bob@example.com');
		expect(await accounts.addMembership({ ...one, identity: bob.identity })).toEqual({ outcome: 'employee-taken' });
		expect(await accounts.identityOf(one.portal, one.employee)).toBe(one.identity);
		expect(await accounts.identityOf(bob.portal, one.employee)).toBeNull();
	});

	test('an identity belongs to several portals, longest first', async () => {
		const first = await member(accounts, 'ann@example.com');
		world.now += 1;
		const second = await member(accounts, 'ann@example.com');
		const expected = [first, second].map(({ portal, employee }) => ({ portal, employee }));
		expect(await accounts.membershipsOf(first.identity)).toMatchObject(expected);
		expect(await accounts.signIn(ann)).toMatchObject({ memberships: expected });
	});
});

describe('sessions', () => {
	test('a token resolves to who it is until it is ended; listeners hear of it once', async () => {
		const who = await member(accounts, 'ann@example.com');
		const heard: EndedSession[] = [];
		accounts.onSessionsEnded((ended) => heard.push(...ended));
		const started = await accounts.startSession({ ...who, userAgent: 'x'.repeat(9_999), ip: null });
		if (started.outcome !== 'started') throw new Error(started.outcome);
		expect(started.token).toMatch(/^[\w-]{43}$/);
		expect(started.expiresAt).toBe(world.now + SESSION_MS);
		const resolved = accounts.resolveToken(started.token);
		expect(resolved).toEqual({ ...who, session: started.session, expiresAt: started.expiresAt });
		expect(accounts.resolveToken(started.token)).toBe(resolved);
		expect(await Promise.all([accounts.endSession(started.token), accounts.endSession(started.token)])).toContain(true);
		expect(accounts.resolveToken(started.token)).toBeNull();
		expect(await accounts.endSession(started.token)).toBe(false);
		expect(heard).toEqual([{ ...who, session: started.session, reason: 'signed-out' }]);
	});

	test('sessions survive a restart and expire on time, cached or not', async () => {
		const who = await member(accounts, 'ann@example.com');
		const t = await token(accounts, who);
		accounts = await world.reopen();
		expect(accounts.resolveToken(t)).toMatchObject(who);
		world.now += SESSION_MS - 1;
		expect(accounts.resolveToken(t)).toMatchObject(who);
		world.now += 1;
		expect(accounts.resolveToken(t)).toBeNull();
		const heard: EndedSession[] = [];
		accounts.onSessionsEnded((ended) => heard.push(...ended));
		await accounts.sweep();
		expect(heard.map(({ reason }) => reason)).toEqual(['expired']);
	});

	test('ending all of an employee leaves the identity’s other portal alone; ending all of the identity does not', async () => {
		const here = await member(accounts, 'ann@example.com');
		const there = await member(accounts, 'ann@example.com');
		const tokens = [await token(accounts, here), await token(accounts, here), await token(accounts, there)];
		for (const t of tokens) expect(accounts.resolveToken(t)).not.toBeNull();
		expect(await accounts.endAllSessions({ portal: here.portal, employee: here.employee })).toBe(2);
		expect(tokens.map((t) => accounts.resolveToken(t) !== null)).toEqual([false, false, true]);
		expect(await accounts.endAllSessions({ identity: here.identity })).toBe(1);
		expect(accounts.resolveToken(tokens[2])).toBeNull();
	});

	test('dismissal ends the sessions, and none starts after it', async () => {
		const who = await member(accounts, 'ann@example.com');
		const t = await token(accounts, who);
		accounts.resolveToken(t);
		const heard: EndedSession[] = [];
		accounts.onSessionsEnded((ended) => heard.push(...ended));
		expect(await accounts.removeMembership(who.portal, who.employee)).toBe(true);
		expect(accounts.resolveToken(t)).toBeNull();
		expect(heard).toMatchObject([{ employee: who.employee, reason: 'membership-ended' }]);
		expect(await accounts.startSession(who)).toEqual({ outcome: 'not-a-member' });
		expect(await accounts.removeMembership(who.portal, who.employee)).toBe(false);
	});

	test('a session is not started for another person’s employee or another portal', async () => {
		const one = await member(accounts, 'ann@example.com');
		const bob = await member(accounts, 'bob@example.com', one.portal);
		expect(await accounts.startSession({ ...one, employee: bob.employee })).toEqual({ outcome: 'not-a-member' });
		expect(await accounts.startSession({ ...one, portal: ids.portal() })).toEqual({ outcome: 'not-a-member' });
	});

	test('beyond the ceiling the oldest session gives way', async () => {
		const who = await member(accounts, 'ann@example.com');
		const first = await token(accounts, who);
		for (let i = 0; i < SESSIONS_PER_EMPLOYEE; i++) {
			world.now += 1;
			await token(accounts, who);
		}
		expect(accounts.resolveToken(first)).toBeNull();
		expect(await accounts.endAllSessions({ identity: who.identity })).toBe(SESSIONS_PER_EMPLOYEE);
	});

	test('what another process ended is noticed when the cache is due', async () => {
		const who = await member(accounts, 'ann@example.com');
		const t = await token(accounts, who);
		expect(accounts.resolveToken(t)).not.toBeNull();
		const outside = new DatabaseSync(join(world.folder, 'accounts.db'));
		outside.exec('delete from session');
		outside.close();
		world.now += SESSION_CACHE_MS;
		expect(accounts.resolveToken(t)).toBeNull();
	});

	test('a failing listener keeps no other from hearing', async () => {
		const who = await member(accounts, 'ann@example.com');
		const t = await token(accounts, who);
		let heard = 0;
		accounts.onSessionsEnded(() => {
			throw new Error('broken');
		});
		const stop = accounts.onSessionsEnded(() => heard++);
		await expect(accounts.endSession(t)).rejects.toThrow(AggregateError);
		expect(heard).toBe(1);
		expect(accounts.resolveToken(t)).toBeNull();
		stop();
	});
});

describe('invitations', () => {
	const portal = ids.portal();
	const by = ids.document('employee');
	const invite = async (email = 'new@example.com') => {
		const invited = await accounts.invite({ portal, email, department: ids.document('department'), invitedBy: by });
		if (invited.outcome !== 'invited') throw new Error(invited.refusal);
		return invited;
	};

	test('a code opens its invitation, also after a restart, until it expires', async () => {
		const { code, invitation } = await invite();
		expect(code).toMatch(/^[\w-]{32}$/);
		accounts = await world.reopen();
		expect(accounts.openInvitation(code)).toEqual(invitation);
		expect(await accounts.openInvitationsOf(portal)).toEqual([invitation]);
		world.now += INVITATION_MS - 1;
		expect(accounts.openInvitation(code)).toEqual(invitation);
		world.now += 1;
		expect(accounts.openInvitation(code)).toBeNull();
		expect(accounts.claimInvitation(code)).toEqual({ outcome: 'unknown' });
		await accounts.sweep();
	});

	test('a new invitation replaces the old one of the same address in the same portal only', async () => {
		const old = await invite();
		const elsewhere = await accounts.invite({ portal: ids.portal(), email: 'new@example.com', invitedBy: by });
		const fresh = await invite(' NEW@example.com');
		expect(accounts.openInvitation(old.code)).toBeNull();
		expect(accounts.openInvitation(fresh.code)).not.toBeNull();
		expect(elsewhere.outcome === 'invited' && accounts.openInvitation(elsewhere.code)).not.toBeNull();
		expect(await accounts.withdrawInvitation(portal, fresh.invitation.id)).toBe(true);
		expect(accounts.openInvitation(fresh.code)).toBeNull();
	});

	test('of many acceptances at once exactly one wins, and the code is spent', async () => {
		const { code } = await invite();
		const outcomes = await Promise.all(
			Array.from({ length: 20 }, async () => {
				const claimed = accounts.claimInvitation(code);
				if (claimed.outcome !== 'claimed') return claimed.outcome;
				await member(accounts, claimed.claim.invitation.email, claimed.claim.invitation.portal);
				return (await accounts.finishInvitation(claimed.claim)).outcome;
			})
		);
		expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
		expect(outcomes.filter((outcome) => outcome === 'being-accepted')).toHaveLength(19);
		expect(accounts.claimInvitation(code)).toEqual({ outcome: 'unknown' });
		accounts = await world.reopen();
		expect(accounts.openInvitation(code)).toBeNull();
	});

	test('a released, a lapsed and a crashed claim leave the code open; a late finish changes nothing', async () => {
		const { code } = await invite();
		const claim = () => {
			const claimed = accounts.claimInvitation(code);
			if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome);
			return claimed.claim;
		};
		const released = claim();
		accounts.releaseInvitation(released);
		expect(await accounts.finishInvitation(released)).toEqual({ outcome: 'lapsed' });
		const slow = claim();
		expect(accounts.claimInvitation(code)).toEqual({ outcome: 'being-accepted', retryAfterSeconds: CLAIM_LAPSE_MS / 1000 });
		world.now += CLAIM_LAPSE_MS;
		claim();
		expect(await accounts.finishInvitation(slow)).toEqual({ outcome: 'lapsed' });
		accounts.releaseInvitation(slow);
		expect(accounts.claimInvitation(code).outcome).toBe('being-accepted');
		accounts = await world.reopen();
		expect(await accounts.finishInvitation(claim())).toEqual({ outcome: 'accepted' });
	});

	test('an invitation written while the acceptance runs is closed with it; a later one is open again', async () => {
		const { code } = await invite();
		const claimed = accounts.claimInvitation(code);
		const second = await invite();
		if (claimed.outcome === 'claimed') await accounts.finishInvitation(claimed.claim);
		expect(accounts.openInvitation(second.code)).toBeNull();
		expect(accounts.openInvitation((await invite()).code)).not.toBeNull();
	});
});

describe('the file', () => {
	test('holds no password, token or code, and is its owner’s only', async () => {
		const who = await member(accounts, 'ann@example.com');
		const t = await token(accounts, who);
		const invited = await accounts.invite({ portal: who.portal, email: 'new@example.com', invitedBy: who.employee });
		const names = readdirSync(world.folder);
		expect(names).toContain('accounts.db-wal');
		for (const name of names) {
			const bytes = readFileSync(join(world.folder, name));
			for (const secret of [PASSWORD, t, invited.outcome === 'invited' ? invited.code : '?']) {
				expect(bytes.includes(secret), name).toBe(false);
			}
			expect(statSync(join(world.folder, name)).mode & 0o077, name).toBe(0);
		}
	});

	test('a file of a newer version is refused, not touched', async () => {
		await accounts.close();
		const path = join(world.folder, 'accounts.db');
		const newer = new DatabaseSync(path);
		const { user_version: own } = newer.prepare('pragma user_version').get() as { user_version: number };
		newer.exec('pragma user_version = 99');
		newer.close();
		await expect(world.open()).rejects.toThrow('version 99');
		const older = new DatabaseSync(path);
		older.exec(`pragma user_version = ${own}`);
		older.close();
		accounts = await world.open();
	});
});
