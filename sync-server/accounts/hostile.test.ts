/** What strangers may send: nothing of it throws, costs much or gets further than a refusal. */
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { email as recordEmail } from '#crdt-model/record/parts.ts';
import type { Accounts } from './accounts.ts';
import { ATTEMPT_KEYS, ATTEMPTS_WAITING, AttemptWindow, networkOf } from './attempts.ts';
import { parseEmail } from './email.ts';
import { ARGON2_COST, argon2Hasher, HASHES_AT_ONCE, HASHES_WAITING, HashQueue, parsePassword } from './password.ts';
import { ids, member, PASSWORD, token, World } from './test-accounts.ts';

let world: World;
let accounts: Accounts;
beforeEach(async () => {
	world = new World();
	accounts = await world.open();
});
afterEach(() => world.end());

const GARBAGE: unknown[] = [
	undefined, null, 0, true, {}, [], ['ann@example.com'], { toString: () => 'ann@example.com' }, '', ' ', '\0',
	"' or 1=1 --", '"; drop table user; --', '../../etc/passwd', '%', '_'.repeat(43), 'a'.repeat(32), '\ud800', 'x'.repeat(1 << 20)
];

describe('garbage', () => {
	test('as token, code, e-mail, password and name is a refusal', async () => {
		await member(accounts, 'ann@example.com');
		for (const value of GARBAGE) {
			expect(accounts.resolveToken(value)).toBeNull();
			expect(await accounts.endSession(value)).toBe(false);
			expect(accounts.openInvitation(value)).toBeNull();
			expect(accounts.claimInvitation(value)).toEqual({ outcome: 'unknown' });
			expect(await accounts.signIn({ email: value, password: PASSWORD })).toEqual({ outcome: 'wrong-credentials' });
			expect((await accounts.registerIdentity({ email: value, password: PASSWORD, name: 'x' })).outcome).toBe('refused');
			expect((await accounts.invite({ portal: ids.portal(), email: value, invitedBy: ids.document('employee') })).outcome).toBe('refused');
		}
		expect((await accounts.signIn({ email: 'ann@example.com', password: PASSWORD })).outcome).toBe('signed-in');
		for (const name of [undefined, '', '   ', 'a\r\nBcc: x', 'x'.repeat(1 << 20)]) {
			const answer = await accounts.registerIdentity({ email: 'new@example.com', password: PASSWORD, name });
			expect(answer).toEqual({ outcome: 'refused', refusal: 'name-malformed' });
		}
	});

	test('a megabyte as password is refused before it is hashed', async () => {
		await member(accounts, 'ann@example.com');
		const before = world.hashes;
		const password = 'x'.repeat(1 << 20);
		expect(await accounts.signIn({ email: 'ann@example.com', password })).toEqual({ outcome: 'wrong-credentials' });
		expect(await accounts.registerIdentity({ email: 'b@example.com', password, name: 'B' })).toEqual({
			outcome: 'refused', refusal: 'password-too-long'
		});
		expect(world.hashes).toBe(before);
	});

	test('SQL in a mailbox’s name is a name', async () => {
		const email = "o'brien--drop_table@example.com";
		expect((await accounts.registerIdentity({ email, password: PASSWORD, name: "Robert'); drop table user;--" })).outcome).toBe('created');
		expect((await accounts.signIn({ email, password: PASSWORD })).outcome).toBe('signed-in');
		expect((await accounts.signIn({ email: '%@example.com', password: PASSWORD })).outcome).toBe('wrong-credentials');
	});

	test('a token with one character changed, or its digest, signs nobody in', async () => {
		const t = await token(accounts, await member(accounts, 'ann@example.com'));
		expect(accounts.resolveToken(`${t[0] === 'A' ? 'B' : 'A'}${t.slice(1)}`)).toBeNull();
		const { createHash } = await import('node:crypto');
		expect(accounts.resolveToken(createHash('sha256').update(t).digest('base64url'))).toBeNull();
		expect(accounts.resolveToken(` ${t}`)).toBeNull();
	});
});

describe('e-mail addresses', () => {
	test.each([
		['ann@example.com', 'ann@example.com'],
		[' Ann.B+tag@Mail.Example.COM\n', 'ann.b+tag@mail.example.com'],
		['ion@exemplu-românesc.ro', 'ion@xn--exemplu-romnesc-ekb.ro'],
		["o'neil@example.co.uk", "o'neil@example.co.uk"],
		['R&D@Example.com', 'r&d@example.com'],
		['ana@пример.рф', 'ana@xn--e1afmkfd.xn--p1ai']
	])('%j is %s, and stands so in the record of its person', (raw, email) => {
		expect(parseEmail(raw)).toEqual({ outcome: 'parsed', email });
		expect(v.is(recordEmail, email)).toBe(true);
	});

	test.each([
		[42, 'email-not-text'], ['', 'email-missing'], ['ann', 'email-malformed'], ['@example.com', 'email-malformed'],
		['ann@', 'email-malformed'], ['ann@example', 'email-malformed'], ['ann@10.0.0.1', 'email-malformed'],
		['ann@[10.0.0.1]', 'email-malformed'], ['a@b@example.com', 'email-malformed'], ['ann..b@example.com', 'email-malformed'],
		['.ann@example.com', 'email-malformed'],
		['a%b.example@example.com', 'email-malformed'], ['a!b@example.com', 'email-malformed'], ['a?bcc=b@example.com', 'email-malformed'], ['ann@-example.com', 'email-malformed'], ['ann@example..com', 'email-malformed'],
		['"a b"@example.com', 'email-malformed'], ['a,b@example.com', 'email-malformed'], ['<a@example.com>', 'email-malformed'],
		['a@example.com\r\nBcc: b@example.com', 'email-malformed'], ['a\n@example.com', 'email-malformed'],
		['a@exa%6dple.com', 'email-malformed'], ['аnn@example.com', 'email-malformed'],
		[`${'a'.repeat(65)}@example.com`, 'email-too-long'], [`a@${'b.'.repeat(130)}com`, 'email-too-long'],
		['x'.repeat(1 << 20), 'email-too-long']
	])('case %# is refused', (raw, refusal) => {
		expect(parseEmail(raw)).toEqual({ outcome: 'refused', refusal });
		expect(v.is(recordEmail, raw)).toBe(refusal === 'email-too-long' && (raw as string).length < 100);
	});
});

describe('passwords', () => {
	const email = (() => {
		const parsed = parseEmail('ann.example@example.com');
		if (parsed.outcome !== 'parsed') throw new Error('unreachable');
		return parsed.email;
	})();

	test.each([
		[undefined, 'password-not-text'], ['', 'password-too-short'], ['1234567', 'password-too-short'],
		['😀'.repeat(7), 'password-too-short'], ['😀'.repeat(201), 'password-too-long'], ['x'.repeat(201), 'password-too-long'],
		['Ann.Example@example.com ', 'password-is-email']
	])('case %# is refused', (raw, refusal) => expect(parsePassword(raw, email)).toEqual({ outcome: 'refused', refusal }));

	const faces = (count: number) => Array.from({ length: count }, (_, at) => String.fromCodePoint(0x1f600 + ((at * 7) % 64))).join('');
	test.each(['1029384756', faces(10), faces(200), 'a b c d e '])('case %# is long enough', (raw) =>
		expect(parsePassword(raw, email).outcome).toBe('parsed')
	);

	test('typed composed or decomposed it is the same', async () => {
		await accounts.registerIdentity({ email, password: 'păstrăv rotund', name: 'Ann' });
		expect((await accounts.signIn({ email, password: 'păstrăv rotund'.normalize('NFD') })).outcome).toBe('signed-in');
	});

	test('the real hash is Argon2id at the named cost, salted, and verifies; no hash verifies nothing', async () => {
		const hasher = argon2Hasher((target) => crypto.getRandomValues(target as Uint8Array<ArrayBuffer>));
		const [one, two] = [await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)];
		expect(one).toMatch(new RegExp(`^\\$argon2id\\$v=19\\$m=${ARGON2_COST.memoryKib},t=2,p=1\\$`));
		expect(one).not.toBe(two);
		expect(await hasher.verify(one, PASSWORD)).toBe(true);
		expect(await hasher.verify(one, `${PASSWORD} `)).toBe(false);
		for (const stored of ['', 'x', PASSWORD, one.replace('argon2id', 'argon2i')]) expect(await hasher.verify(stored, PASSWORD)).toBe(false);
	});
});

describe('ceilings', () => {
	test('few hashes run at once, a bounded number waits, the rest is told so', async () => {
		const queue = new HashQueue();
		let running = 0;
		let most = 0;
		const work = async () => {
			most = Math.max(most, ++running);
			await new Promise((resolve) => setImmediate(resolve));
			running--;
		};
		const answers = await Promise.all(Array.from({ length: HASHES_AT_ONCE + HASHES_WAITING + 5 }, () => queue.run(work)));
		expect(answers.filter(({ outcome }) => outcome === 'full')).toHaveLength(5);
		expect(most).toBe(HASHES_AT_ONCE);
		await expect(queue.run(() => Promise.reject(new Error('fault')))).rejects.toThrow('fault');
		expect((await queue.run(work)).outcome).toBe('done');
	});

	test('windows forget the oldest keys rather than grow', async () => {
		const window = new AttemptWindow(1, () => 0);
		const fail = async (key: string) => {
			const taken = await window.take(key);
			if (taken.outcome === 'taken') taken.settle(true);
			return taken.outcome;
		};
		for (let i = 0; i <= ATTEMPT_KEYS; i++) await fail(`key ${i}`);
		expect(await fail('key 0')).toBe('taken');
		expect(await fail(`key ${ATTEMPT_KEYS}`)).toBe('refused');
	});

	test('attempts beyond the ceiling wait for those under way; a failure answers them, a right one lets one in', async () => {
		let now = 0;
		const window = new AttemptWindow(2, () => now);
		const outcomes: string[] = [];
		const take = async () => {
			const taken = await window.take('key');
			outcomes.push(taken.outcome);
			return taken.outcome === 'taken' ? taken.settle : () => undefined;
		};
		const [one, two] = [await take(), await take()];
		const rest = Array.from({ length: ATTEMPTS_WAITING }, take);
		await take();
		expect(outcomes).toEqual(['taken', 'taken', 'refused']);
		one(false);
		const three = await rest[0]!;
		expect(outcomes).toHaveLength(4);
		now += 1;
		two(true);
		three(true);
		await Promise.all(rest);
		expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(3);
	});

	test.each([
		['192.0.2.7', '192.0.2.7'], ['::ffff:192.0.2.7', '192.0.2.7'], ['::1', '0:0:0:0::/64'],
		['2001:db8::1', '2001:db8:0:0::/64'], ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
		['2001:db8:0:0:1::', '2001:db8:0:0::/64'], ['fe80::1%eth0', 'fe80:0:0:0::/64'], ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
		['', 'unknown'], ['x', 'unknown']
	])('%s counts for %s', (ip, network) => expect(networkOf(ip)).toBe(network));
});
