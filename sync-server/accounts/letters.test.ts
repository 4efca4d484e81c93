import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { simpleParser } from 'mailparser';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Accounts } from './accounts.ts';
import { type Email, parseEmail } from './email.ts';
import type { Letter } from './letter-kinds.ts';
import {
	DAY_MS,
	HOUR_MS,
	LETTERS_OF_NO_PORTAL_AND_HOUR,
	LETTERS_PER_ADDRESS_AND_HOUR,
	LETTERS_PER_NETWORK_AND_HOUR,
	LETTERS_PER_PERSON_AND_DAY,
	LETTERS_PER_PORTAL_AND_DAY,
	LETTERS_WAITING,
	NOTICES_PER_ADDRESS_AND_HOUR
} from './letter-limits.ts';
import { Letters, type LettersOptions, RETRY_AFTER_MS } from './letters.ts';
import { DeliveryFailure, type Envelope, senderAddress } from './mail-transport.ts';
import { ids, World } from './test-accounts.ts';

const HOME = 'http://127.0.0.1:8420';
const email = (raw: string): Email => {
	const parsed = parseEmail(raw);
	if (parsed.outcome !== 'parsed') throw new Error(parsed.refusal);
	return parsed.email;
};
const ann = email('ann@example.com');
const code = 'c0de_-'.repeat(6).slice(0, 32);
const portal = ids.portal();

let folder: string;
let world: World;
let accounts: Accounts;
let invitation: Letter;
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), 'atrium-letters-'));
	world = new World();
	accounts = await world.open();
	invitation = { kind: 'invitation', language: 'en', company: 'Example SRL', invitedBy: 'Ion Popescu', code, expiresAt: world.now + 14 * DAY_MS };
});
afterEach(async () => {
	await world.end();
	rmSync(folder, { recursive: true, force: true });
});

const lettersOf = (options: Partial<LettersOptions> = {}) => new Letters({ store: accounts.letters, dataDir: folder, publicUrl: HOME, now: () => world.now, ...options });
const files = () => readdirSync(join(folder, 'mail'));
const onlyLetter = () => {
	expect(files()).toHaveLength(1);
	return readFileSync(join(folder, 'mail', files()[0]!), 'utf8');
};
const headersOf = (eml: string) => eml.slice(0, eml.indexOf('\r\n\r\n'));

describe('files', () => {
	test('a letter is a whole .eml file that holds the link, its owner’s only', async () => {
		const letters = lettersOf({ uniqueSuffix: () => 'abcd' });
		expect(await letters.send(ann, invitation)).toEqual({ outcome: 'sent' });
		expect(files()).toEqual(['2026-01-01T12-00-00-000Z-invitation-ann-example-com-abcd.eml']);
		const eml = onlyLetter();
		expect(eml).toContain(`\r\n${HOME}/invitation#${code}\r\n`);
		expect(headersOf(eml)).toMatch(/^To: ann@example\.com$/m);
		expect(headersOf(eml)).toMatch(/^From: Atrium <no-reply@localhost>$/m);
		expect(headersOf(eml)).toContain('Date: Thu, 01 Jan 2026 12:00:00 +0000');
		expect(statSync(join(folder, 'mail', files()[0]!)).mode & 0o077).toBe(0);
		await letters.close();
	});

	test('whatever the language, names and address, the link is in one piece for whoever reads the file as text', async () => {
		const publicUrl = `https://${'portal.'.repeat(12)}example.com`;
		const letters = lettersOf({ publicUrl });
		await letters.send(ann, { ...invitation, language: 'ro', company: 'Ștefan și fiii', invitedBy: 'Țară Mică' } as Letter);
		const eml = onlyLetter();
		expect(eml).toContain(`\r\n${publicUrl}/invitation#${code}\r\n`);
		expect(eml.match(/https:\/\/[^\s"<]+\/invitation#[\w-]+/g)).toEqual(Array(4).fill(`${publicUrl}/invitation#${code}`));
		await letters.close();
	});

	test('a header cannot be injected through any name, address or setting', async () => {
		const evil = `Evil\r\nBcc: victim@example.com\r\n\r\n<b>\u202Ebody</b>${'x'.repeat(200)}`;
		const letters = lettersOf({ portalOf: async () => ({ look: { company: evil, accent: evil, senderName: evil, replyTo: 'x@example.com\r\nBcc: y@example.com' }, people: 1 }) });
		await letters.send(email("a'b&c@example.com"), { ...invitation, company: evil, invitedBy: evil } as Letter, { portal });
		const headers = headersOf(onlyLetter());
		expect(headers).not.toMatch(/^Bcc:/im);
		expect(headers.match(/^[\w-]+:/gm)!.map((name) => name.toLowerCase()).sort()).toEqual(
			['auto-submitted:', 'content-type:', 'date:', 'from:', 'message-id:', 'mime-version:', 'subject:', 'to:']
		);
		// Nor does the sender's name turn the reading direction or go on for ever.
		expect((await simpleParser(onlyLetter())).from!.value[0]!.name).toMatch(/^[\x20-\x7e]{1,99}…$/);
		await expect(letters.send('x@example.com\r\nBcc: y@example.com' as Email, invitation)).rejects.toThrow('parsed');
		await letters.close();
	});

	test('a folder that cannot be written is a failure that waits, and no half file stays', async () => {
		writeFileSync(join(folder, 'mail'), 'in the way');
		const letters = lettersOf();
		expect(await letters.send(ann, invitation)).toEqual({ outcome: 'waiting', reason: 'cannot-write', nextTryAt: world.now + RETRY_AFTER_MS[0] });
		expect(letters.counts).toEqual({ waiting: 1, failed: 0 });
		rmSync(join(folder, 'mail'));
		mkdirSync(join(folder, 'mail'));
		world.now += RETRY_AFTER_MS[0];
		await letters.retryDue();
		expect(files()).toHaveLength(1);
		await letters.close();
	});
});

/** A mail server that does as it is told, and a timer that is rung by hand. */
class Post {
	failure: DeliveryFailure | null = new DeliveryFailure('server-away', 'ETIMEDOUT', true);
	delivered: Envelope[] = [];
	tries = 0;
	timer: { callback: () => void; afterMs: number } | null = null;
	people = 1;
	faults: unknown[] = [];
	readonly letters = this.open();

	ring(): void {
		const { timer } = this;
		this.timer = null;
		timer!.callback();
	}
	open(): Letters {
		return lettersOf({
			timers: { set: (callback, afterMs) => (this.timer = { callback, afterMs }), clear: () => (this.timer = null) },
			portalOf: async () => ({ look: { company: 'Example SRL', accent: null, senderName: 'Example post', replyTo: 'office@example.org' }, people: this.people }),
			onFault: (fault) => this.faults.push(fault),
			transport: {
				deliver: async (envelope) => {
					this.tries++;
					if (this.failure) throw this.failure;
					this.delivered.push(envelope);
				},
				close: () => undefined
			}
		});
	}
}
const at = (index: number) => email(`p${index}@example.com`);

describe('trying again', () => {
	test('a passing failure is tried later, by the timer, until it goes', async () => {
		const post = new Post();
		expect(await post.letters.send(ann, invitation)).toMatchObject({ outcome: 'waiting', reason: 'server-away' });
		expect(post.timer?.afterMs).toBe(RETRY_AFTER_MS[0]);
		await post.letters.retryDue();
		expect(post.tries).toBe(1);
		world.now += RETRY_AFTER_MS[0];
		post.ring();
		await post.letters.settled();
		expect(post.timer?.afterMs).toBe(RETRY_AFTER_MS[1]);
		world.now += RETRY_AFTER_MS[1];
		post.failure = null;
		post.ring();
		await post.letters.settled();
		expect(post.delivered.map(({ to }) => to)).toEqual([ann]);
		expect([post.letters.counts, post.timer]).toEqual([{ waiting: 0, failed: 0 }, null]);
	});

	test('it is given up after the last try, and at once when refused for good; both are shown, and may be tried again or thrown away', async () => {
		const post = new Post();
		await post.letters.send(ann, invitation, { portal });
		for (const afterMs of RETRY_AFTER_MS) {
			world.now += afterMs;
			await post.letters.retryDue();
		}
		expect([post.tries, post.letters.counts]).toEqual([1 + RETRY_AFTER_MS.length, { waiting: 0, failed: 1 }]);
		post.failure = new DeliveryFailure('server-refused', 'EENVELOPE 550', false);
		expect(await post.letters.send(at(1), invitation, { portal })).toEqual({ outcome: 'given-up', reason: 'server-refused' });
		const [refused, late] = await post.letters.shown(portal);
		expect(refused).toMatchObject({ kind: 'invitation', to: at(1), state: 'failed', tries: 1, reason: 'server-refused', detail: 'EENVELOPE 550', nextTryAt: null });
		expect(late).toMatchObject({ to: ann, state: 'failed', tries: 1 + RETRY_AFTER_MS.length, reason: 'server-away' });
		expect(JSON.stringify([refused, late])).not.toContain(code);

		expect(await post.letters.retry(ids.portal(), late!.id), 'of another portal').toBeNull();
		expect(await post.letters.retry(portal, refused!.id)).toEqual({ outcome: 'given-up', reason: 'server-refused' });
		post.failure = null;
		expect(await post.letters.retry(portal, late!.id)).toEqual({ outcome: 'sent' });
		expect(post.delivered.map(({ text }) => text.includes(`#${code}`))).toEqual([true]);
		expect(await post.letters.retry(portal, late!.id), 'it went').toBeNull();
		expect(await post.letters.remove(ids.portal(), refused!.id), 'of another portal').toBe(false);
		expect(await post.letters.remove(portal, refused!.id)).toBe(true);
		expect(await post.letters.shown(portal)).toEqual([]);
	});

	test('what waits goes on after a restart; what went is not on disk any more, and nothing of it ever in the open', async () => {
		const post = new Post();
		await post.letters.send(ann, invitation, { portal });
		await post.letters.close();
		const bytes = () => Buffer.concat(readdirSync(world.folder).filter((name) => name.startsWith('accounts.db')).map((name) => readFileSync(join(world.folder, name))));
		expect(bytes().includes(code)).toBe(false);
		accounts = await world.reopen();
		post.timer = null;
		post.failure = null;
		const later = post.open();
		await later.start();
		expect(post.timer).not.toBeNull();
		world.now += RETRY_AFTER_MS[0];
		post.ring();
		await later.settled();
		expect(post.delivered.map(({ to, text }) => [to, text.includes(code)])).toEqual([[ann, true]]);
		expect(later.counts).toEqual({ waiting: 0, failed: 0 });
	});

	test('a letter that the process ended in the middle of is tried again', async () => {
		const post = new Post();
		let end = (): void => undefined;
		const never = new Promise<void>((resolve) => (end = resolve));
		const cut = lettersOf({ transport: { deliver: () => never, close: () => undefined } });
		void cut.send(ann, invitation);
		await expect.poll(() => cut.counts.waiting).toBe(1);
		post.failure = null;
		world.now += RETRY_AFTER_MS[0];
		await post.letters.retryDue();
		expect(post.delivered.map(({ to }) => to)).toEqual([ann]);
		end();
		await cut.settled();
	});

	test('a link that would not work any more, and words sealed under another key, are not sent', async () => {
		const post = new Post();
		await post.letters.send(ann, { ...invitation, expiresAt: world.now + RETRY_AFTER_MS[0] } as Letter, { portal });
		await post.letters.send(at(1), { kind: 'join-approved', language: 'en', company: 'X', name: '' }, { portal });
		post.failure = null;
		world.now += RETRY_AFTER_MS[0];
		rmSync(join(world.folder, 'accounts.key'));
		accounts = await world.reopen();
		await post.open().retryDue();
		expect((await accounts.letters.shown(portal)).map(({ reason }) => reason).sort()).toEqual(['sealed-elsewhere', 'sealed-elsewhere']);
		const fresh = new Post();
		await fresh.letters.send(ann, { ...invitation, expiresAt: world.now + 1 } as Letter, { portal });
		world.now += RETRY_AFTER_MS[0];
		await fresh.letters.retryDue();
		expect((await accounts.letters.shown(portal)).map(({ reason }) => reason)).toContain('link-too-old');
		expect(post.delivered).toEqual([]);
	});

	test('while the server is away one try stands for all; a single address that has to wait holds nobody up', async () => {
		const post = new Post();
		for (let i = 0; i < 5; i++) await post.letters.send(at(i), invitation);
		world.now += RETRY_AFTER_MS[0];
		const before = post.tries;
		await post.letters.retryDue();
		expect([post.tries - before, post.letters.counts.waiting]).toEqual([1, 5]);
		expect(post.timer!.afterMs, 'and the others find out later').toBeGreaterThanOrEqual(RETRY_AFTER_MS[0]);
		post.failure = new DeliveryFailure('server-busy', 'EENVELOPE 451', true);
		await post.letters.retryDue();
		expect(post.tries - before).toBe(5);
		world.now += RETRY_AFTER_MS[1];
		post.failure = null;
		await post.letters.retryDue();
		expect(post.letters.counts.waiting).toBe(0);
	});

	test('what strangers ask for is answered before anything is done, and a fault in it is told', async () => {
		const post = new Post();
		const reset: Letter = { kind: 'password-reset', language: 'en', code, expiresAt: world.now + HOUR_MS };
		expect(await post.letters.send(ann, reset)).toEqual({ outcome: 'waiting', reason: null, nextTryAt: world.now });
		expect(post.tries).toBe(0);
		await post.letters.settled();
		expect(post.tries).toBe(1);
		await accounts.close();
		expect(await post.letters.send(ann, reset)).toMatchObject({ outcome: 'waiting' });
		await post.letters.settled();
		expect(post.faults).toHaveLength(1);
		accounts = await world.open();
	});
});

describe('ceilings', () => {
	const outcomes = (sent: { outcome: string }[]) => ({ sent: sent.filter(({ outcome }) => outcome === 'sent').length, limited: sent.filter(({ outcome }) => outcome === 'limited').length });
	const many = <T>(count: number, make: (index: number) => Promise<T>) => Promise.all(Array.from({ length: count }, (_, index) => make(index)));
	const post = () => Object.assign(new Post(), { failure: null });

	test('an address gets so many of one sort an hour, whoever asks, also all at once, also over a restart; other sorts still come', async () => {
		const { letters } = post();
		const sent = await many(40, () => letters.send(ann, invitation, { portal: ids.portal() }));
		expect(outcomes(sent)).toEqual({ sent: LETTERS_PER_ADDRESS_AND_HOUR, limited: 40 - LETTERS_PER_ADDRESS_AND_HOUR });
		accounts = await world.reopen();
		const after = post();
		expect(await after.letters.send(ann, invitation)).toEqual({ outcome: 'limited', retryAfterSeconds: 3_600 });
		const notices = await many(40, () => after.letters.send(ann, { kind: 'password-changed', language: 'en', at: world.now }));
		expect(outcomes(notices)).toEqual({ sent: NOTICES_PER_ADDRESS_AND_HOUR, limited: 40 - NOTICES_PER_ADDRESS_AND_HOUR });
		world.now += HOUR_MS;
		expect((await after.letters.send(ann, invitation)).outcome).toBe('sent');
	});

	test('what waits, failed or was thrown away counts as well', async () => {
		const busy = new Post();
		for (let i = 0; i < LETTERS_PER_ADDRESS_AND_HOUR; i++) await busy.letters.send(ann, invitation, { portal });
		for (const { id } of await busy.letters.shown(portal)) await busy.letters.remove(portal, id);
		expect((await busy.letters.send(ann, invitation)).outcome).toBe('limited');
	});

	/** Letters that went just now, in one transaction: thousands of commits would test the disk. */
	function went(count: number, row: { portal?: string; network?: string; sort?: string; state?: string }): void {
		const other = new DatabaseSync(join(world.folder, 'accounts.db'));
		const insert = other.prepare(`insert into letter (id, kind, sort, recipient, portal, network, state, tries, created_at, due_at) values (?, 'invitation', ?, ?, ?, ?, ?, 0, ?, 0)`);
		other.exec('pragma synchronous = off; begin');
		for (let i = 0; i < count; i++) insert.run(`letter_${ids.uuid()}`, row.sort ?? 'invitation', `went${i}@example.com`, row.portal ?? null, row.network ?? null, row.state ?? 'sent', world.now);
		other.exec('commit');
		other.close();
	}
	const approved: Letter = { kind: 'join-approved', language: 'en', company: 'X', name: '' };

	test('a portal sends so many a day, more with more people, also all at once; what strangers ask of it is counted apart', async () => {
		const one = post();
		const perDay = LETTERS_PER_PORTAL_AND_DAY + LETTERS_PER_PERSON_AND_DAY;
		went(perDay - 2, { portal });
		expect(outcomes(await many(5, (index) => one.letters.send(at(index), approved, { portal })))).toEqual({ sent: 2, limited: 3 });
		world.now += HOUR_MS;
		expect((await one.letters.send(at(8), approved, { portal })).outcome, 'a day, not an hour').toBe('limited');
		expect((await one.letters.send(at(8), approved, { portal: ids.portal() })).outcome, 'another portal').toBe('sent');
		one.delivered.length = 0;
		const asked: Letter = { kind: 'join-known', language: 'en', company: 'X', confirm: null };
		await one.letters.send(at(9), asked, { portal });
		await one.letters.settled();
		expect(one.delivered.map(({ to }) => to)).toEqual([at(9)]);
		one.people = 2;
		expect(outcomes(await many(LETTERS_PER_PERSON_AND_DAY + 2, (index) => one.letters.send(at(100 + index), approved, { portal })))).toEqual({ sent: LETTERS_PER_PERSON_AND_DAY, limited: 2 });
		went(perDay + LETTERS_PER_PERSON_AND_DAY, { portal, sort: 'joining' });
		one.delivered.length = 0;
		await one.letters.send(at(10), asked, { portal });
		await one.letters.settled();
		expect(one.delivered).toEqual([]);
		world.now += DAY_MS;
		expect((await one.letters.send(at(8), approved, { portal })).outcome).toBe('sent');
	});

	test('a network that asks without being signed in, whatever its addresses; and all that is of no portal', async () => {
		const { letters } = post();
		went(LETTERS_PER_NETWORK_AND_HOUR - 1, { network: '2001:db8:0:0::/64', portal });
		const sent = await many(4, (index) => letters.send(at(index), approved, { ip: `2001:db8::${index + 1}` }));
		expect(outcomes(sent)).toEqual({ sent: 1, limited: 3 });
		expect((await letters.send(at(1), approved, { ip: '2001:db9::1' })).outcome, 'another network').toBe('sent');
		went(LETTERS_OF_NO_PORTAL_AND_HOUR, { sort: 'registration' });
		went(LETTERS_OF_NO_PORTAL_AND_HOUR - 3, { sort: 'answer' });
		expect(outcomes(await many(6, (index) => letters.send(at(20 + index), approved, { ip: index % 2 ? null : '127.0.0.1' })))).toEqual({ sent: 1, limited: 5 });
		expect((await letters.send(at(30), approved, { portal: ids.portal() })).outcome, 'letters of a portal go on').toBe('sent');
	});

	test('what an owner must hear is kept back by no flood: neither of strangers at the door, nor of a portal that invites', async () => {
		const { letters } = post();
		const changed: Letter = { kind: 'password-changed', language: 'en', at: world.now };
		for (const sort of ['registration', 'password', 'answer']) went(LETTERS_OF_NO_PORTAL_AND_HOUR, { sort });
		went(LETTERS_PER_PORTAL_AND_DAY + LETTERS_PER_PERSON_AND_DAY, { portal, sort: 'invitation' });
		expect((await letters.send(at(1), invitation, { portal })).outcome).toBe('limited');
		expect((await letters.send(at(2), changed)).outcome).toBe('sent');
		expect((await letters.send(at(3), changed, { portal })).outcome).toBe('sent');
	});

	test('only so many wait, and what is beyond is given up at once', async () => {
		went(LETTERS_WAITING, { state: 'waiting' });
		expect(await post().letters.send(ann, invitation)).toEqual({ outcome: 'given-up', reason: 'queue-full' });
	});
});

test.each(['http://x', 'nonsense'])('%s stops the start', (smtpUrl) => {
	expect(() => lettersOf({ smtpUrl })).toThrow();
});

test.each([
	[null, 'https://portal.example', 'no-reply@portal.example'],
	[null, 'http://[::1]:8420', 'no-reply@localhost'],
	['smtp://me%40example.org:x@mail.example.org', HOME, 'me@example.org'],
	['smtp://u:x@mail.example.org?from=a@example.org', HOME, 'a@example.org'],
	['smtp://u:x@mail.example.org?from=a@example.org%0d%0aBcc:b@c.d', 'https://portal.example', 'no-reply@portal.example']
])('%s at %s sends as %s', (smtpUrl, publicUrl, sender) => expect(senderAddress(publicUrl, smtpUrl)).toBe(sender));
