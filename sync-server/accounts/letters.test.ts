import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Email, parseEmail } from './email.ts';
import { LETTER_KINDS, LETTER_LANGUAGES, type Letter, type LetterBody } from './letter-kinds.ts';
import { composeLetter, harmlessName, oneLine, readableAccent } from './letter-texts.ts';
import { LETTERS_WAITING, Letters, RETRY_AFTER_MS } from './letters.ts';
import { DeliveryFailure, type Envelope, senderAddress } from './mail-transport.ts';

const HOME = 'http://127.0.0.1:8420';
const email = (raw: string): Email => {
	const parsed = parseEmail(raw);
	if (parsed.outcome !== 'parsed') throw new Error(parsed.refusal);
	return parsed.email;
};
const ann = email('ann@example.com');
const now = Date.parse('2026-01-01T12:00:00Z');
const code = 'c0de_-'.repeat(6).slice(0, 32);
const invitation: Letter = {
	kind: 'invitation', language: 'en', company: 'Example SRL', invitedBy: 'Ion Popescu', code, expiresAt: now + 14 * 86_400_000
};
const link = `${HOME}/invitation#${code}`;

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'atrium-letters-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = () => readdirSync(join(folder, 'mail'));
const onlyLetter = () => {
	expect(files()).toHaveLength(1);
	return readFileSync(join(folder, 'mail', files()[0]!), 'utf8');
};
const headersOf = (eml: string) => eml.slice(0, eml.indexOf('\r\n\r\n'));

describe('texts', () => {
	const bodies: Record<(typeof LETTER_KINDS)[number], LetterBody[]> = {
		registration: [{ kind: 'registration', company: 'Example SRL', name: 'Ann', code, expiresAt: now }],
		'registration-known': [{ kind: 'registration-known', company: 'Example SRL' }],
		invitation: [invitation],
		'join-confirmation': [{ kind: 'join-confirmation', company: 'Example SRL', name: 'Ann', code, expiresAt: now }],
		'join-known': [{ kind: 'join-known', company: 'Example SRL', confirm: { code, expiresAt: now } }, { kind: 'join-known', company: 'Example SRL', confirm: null }],
		'join-approved': [{ kind: 'join-approved', company: 'Example SRL', name: 'Ann' }],
		'join-refused': [{ kind: 'join-refused', company: 'Example SRL', name: 'Ann' }],
		'join-asked': [{ kind: 'join-asked', company: 'Example SRL', people: 1 }, { kind: 'join-asked', company: 'Example SRL', people: 20 }],
		'password-reset': [{ kind: 'password-reset', code, expiresAt: now }],
		'password-changed': [{ kind: 'password-changed', at: now }],
		'email-change': [{ kind: 'email-change', code, expiresAt: now }],
		'email-changed': [{ kind: 'email-changed', at: now }],
		'new-sign-in': [{ kind: 'new-sign-in', company: null, at: now, ip: '192.0.2.7', userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0' }],
		'second-factor-changed': [{ kind: 'second-factor-changed', change: 'switched-on', at: now }],
		'added-directly': [{ kind: 'added-directly', company: 'Example SRL', addedBy: 'Ion', name: 'Ann' }]
	};

	test.each(LETTER_KINDS.flatMap((kind) => LETTER_LANGUAGES.map((language) => ({ kind, language }))))('$kind in $language carries its one link, and its code behind the #', ({ kind, language }) => {
		for (const body of bodies[kind]) {
			const { subject, text, html } = composeLetter({ ...body, language }, `${HOME}/`);
			const links = text.split('\n').filter((line) => line.startsWith('http'));
			expect(links).toHaveLength(kind === 'join-refused' ? 0 : 1);
			const secret = 'code' in body || ('confirm' in body && body.confirm !== null);
			if (secret) expect(new URL(links[0]!).hash).toBe(`#${code}`);
			expect(text.includes(code)).toBe(secret);
			expect(new Set([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href))).toEqual(new Set(links));
			expect(html).toContain(`<html lang="${language}">`);
			expect(html).not.toMatch(/<img|src=|url\(/);
			expect(subject + text + html).not.toMatch(/undefined|null|\[object/);
		}
	});

	test('both languages say other words of everything, and dates as they are written there', () => {
		for (const body of Object.values(bodies).flat()) {
			const [english, romanian] = LETTER_LANGUAGES.map((language) => composeLetter({ ...body, language }, HOME));
			expect(english!.subject).not.toBe(romanian!.subject);
			const lines = new Set(english!.text.split('\n').filter((line) => line !== '' && !line.startsWith('http') && !line.startsWith('-- ') && line !== 'Atrium'));
			expect(romanian!.text.split('\n').filter((line) => lines.has(line))).toEqual([]);
		}
		expect(composeLetter(invitation, HOME).text).toContain('15 January 2026');
		expect(composeLetter({ ...invitation, language: 'ro' }, HOME).text).toContain('15 ianuarie 2026');
		expect(composeLetter({ ...invitation, language: 'ro' }, HOME).subject).toBe('Invitație în portalul Example SRL');
		expect(composeLetter({ kind: 'join-asked', company: 'X', people: 20, language: 'ro' }, HOME).subject).toBe('20 de persoane cer să intre în X');
		expect(composeLetter({ kind: 'join-asked', company: 'X', people: 119, language: 'ro' }, HOME).subject).toBe('119 persoane cer să intre în X');
	});

	test('a letter wears the portal\u2019s name and its colour, dark enough for white words', () => {
		const { html, text } = composeLetter(invitation, HOME, { company: 'Example SRL', accent: '#ffee00', senderName: null, replyTo: null });
		expect(text).toContain('-- \nExample SRL\n');
		expect(html).not.toContain('#ffee00');
		expect(html).toContain(`background:${readableAccent('#ffee00')}`);
		expect(readableAccent('#1b4b8f')).toBe('#1b4b8f');
		for (const odd of ['red', '#fff', '#1b4b8f;}', null]) expect(readableAccent(odd)).toBe('#3557d6');
	});

	test('a name is no link: no address in it is followed, and what it looks like stays', () => {
		const joined = (text: string) => text.replaceAll('\u2060', '');
		for (const name of ['www.example.com', 'Buy at https://evil.example/now', 'me@example.com', 'xn--a.co/b']) {
			expect(harmlessName(name)).not.toMatch(/[a-z]\.[a-z]{2}|\/\/[a-z]|@[a-z]/);
			expect(joined(harmlessName(name))).toBe(name);
		}
		for (const name of ['S.R.L. Acme', 'Ann Lee', 'A/B', 'Ștefan & fiii, nr. 5']) expect(harmlessName(name)).toBe(name);
		expect(composeLetter({ ...invitation, company: 'evil.example', invitedBy: 'www.evil.example' }, HOME).text).not.toMatch(/evil\.example/);
	});

	test('of a browser’s own words only names that we know are repeated', () => {
		const of = (userAgent: string) => composeLetter({ kind: 'new-sign-in', language: 'en', company: 'X', at: now, ip: '2001:db8::1', userAgent }, HOME).text;
		expect(of('Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36')).toContain('Device: Chrome, Windows.');
		expect(of('evil <b>words</b> http://evil.example')).not.toMatch(/evil|Device/);
		expect(of('x')).toContain('Network address: 2001:db8::1.');
	});

	test('HTML from names is text', () => {
		const { html } = composeLetter({ ...invitation, company: `<img src=x onerror="alert('1')">&amp;` }, HOME);
		expect(html).not.toMatch(/<img|onerror="/);
		expect(html).toContain('&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;amp;');
	});

	test.each([
		['a\r\nBcc: b@example.com', 'a Bcc: b@example.com'], ['a\u2028b\u2029c\u0085d\0e', 'a b c d e'], ['a\u202egnp.exe', 'a gnp.exe'],
		['\ud800x', 'x'], ['x'.repeat(1 << 20), `${'x'.repeat(99)}…`], ['😀'.repeat(200), `${'😀'.repeat(99)}…`]
	])('case %# becomes one line', (raw, line) => expect(oneLine(raw)).toBe(line));
});

describe('files', () => {
	test('a letter is a whole .eml file that holds the link, its owner’s only', async () => {
		const letters = new Letters({ dataDir: folder, publicUrl: HOME, now: () => now, uniqueSuffix: () => 'abcd' });
		expect(await letters.send(ann, invitation)).toEqual({ outcome: 'sent' });
		expect(files()).toEqual(['2026-01-01T12-00-00-000Z-invitation-ann-example-com-abcd.eml']);
		const eml = onlyLetter();
		expect(eml).toContain(`\r\n${link}\r\n`);
		expect(headersOf(eml)).toMatch(/^To: ann@example\.com$/m);
		expect(headersOf(eml)).toMatch(/^From: Atrium <no-reply@localhost>$/m);
		expect(headersOf(eml)).toContain('Date: Thu, 01 Jan 2026 12:00:00 +0000');
		expect(statSync(join(folder, 'mail', files()[0]!)).mode & 0o077).toBe(0);
		letters.close();
	});

	test('whatever the language, names and address, the link is in one piece for whoever reads the file as text', async () => {
		const publicUrl = `https://${'portal.'.repeat(12)}example.com`;
		const letters = new Letters({ dataDir: folder, publicUrl, now: () => now });
		await letters.send(ann, { ...invitation, language: 'ro', company: 'Ștefan și fiii', invitedBy: 'Țară Mică' });
		const eml = onlyLetter();
		expect(eml).toContain(`\r\n${publicUrl}/invitation#${code}\r\n`);
		expect(eml.match(/https:\/\/[^\s"<]+\/invitation#[\w-]+/g)).toEqual(Array(4).fill(`${publicUrl}/invitation#${code}`));
		letters.close();
	});

	test('a header cannot be injected through any name or address', async () => {
		const letters = new Letters({ dataDir: folder, publicUrl: HOME, now: () => now });
		const evil = 'Evil\r\nBcc: victim@example.com\r\n\r\n<b>body</b>';
		await letters.send(email("a'b|c@example.com"), { ...invitation, company: evil, invitedBy: evil });
		const headers = headersOf(onlyLetter());
		expect(headers).not.toMatch(/^Bcc:/im);
		expect(headers.match(/^[\w-]+:/gm)!.map((name) => name.toLowerCase()).sort()).toEqual(
			['auto-submitted:', 'content-type:', 'date:', 'from:', 'message-id:', 'mime-version:', 'subject:', 'to:']
		);
		await expect(letters.send('x@example.com\r\nBcc: y@example.com' as Email, invitation)).rejects.toThrow('parsed');
		letters.close();
	});

	test('a folder that cannot be written is a failure that waits, and no half file stays', async () => {
		writeFileSync(join(folder, 'mail'), 'in the way');
		const letters = new Letters({ dataDir: folder, publicUrl: HOME, now: () => now });
		expect(await letters.send(ann, invitation)).toMatchObject({ outcome: 'waiting', nextTryAt: now + RETRY_AFTER_MS[0] });
		expect(letters.waiting).toBe(1);
		rmSync(join(folder, 'mail'));
		letters.close();
	});
});

describe('trying again', () => {
	class Post {
		now = now;
		failure: DeliveryFailure | null = new DeliveryFailure('The mail server did not take the letter (ETIMEDOUT).', true);
		delivered: Envelope[] = [];
		tries = 0;
		timer: { callback: () => void; afterMs: number } | null = null;
		letters = new Letters({
			dataDir: '/nowhere', publicUrl: HOME, now: () => this.now,
			timers: { set: (callback, afterMs) => (this.timer = { callback, afterMs }), clear: () => (this.timer = null) },
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

	test('a passing failure is tried later, by the timer, until it goes', async () => {
		const post = new Post();
		expect(await post.letters.send(ann, invitation)).toMatchObject({ outcome: 'waiting' });
		expect(post.timer?.afterMs).toBe(RETRY_AFTER_MS[0]);
		await post.letters.retryDue();
		expect(post.tries).toBe(1);
		post.now += RETRY_AFTER_MS[0];
		await post.letters.retryDue();
		expect(post.timer?.afterMs).toBe(RETRY_AFTER_MS[1]);
		post.now += RETRY_AFTER_MS[1];
		post.failure = null;
		await post.letters.retryDue();
		expect(post.delivered.map(({ to }) => to)).toEqual([ann]);
		expect([post.letters.waiting, post.timer]).toEqual([0, null]);
	});

	test('it is given up after the last try, and at once when refused for good', async () => {
		const post = new Post();
		await post.letters.send(ann, invitation);
		for (const afterMs of RETRY_AFTER_MS) {
			post.now += afterMs;
			await post.letters.retryDue();
		}
		expect([post.tries, post.letters.waiting]).toEqual([1 + RETRY_AFTER_MS.length, 0]);
		post.failure = new DeliveryFailure('no such mailbox', false);
		expect(await post.letters.send(ann, invitation)).toEqual({ outcome: 'given-up', reason: 'no such mailbox' });
	});

	test('only so many wait; while the server is away one try stands for all', async () => {
		const post = new Post();
		for (let i = 0; i < LETTERS_WAITING; i++) await post.letters.send(ann, invitation);
		expect((await post.letters.send(ann, invitation)).outcome).toBe('given-up');
		post.now += RETRY_AFTER_MS[0];
		const before = post.tries;
		await post.letters.retryDue();
		expect([post.tries - before, post.letters.waiting]).toEqual([1, LETTERS_WAITING]);
		post.failure = null;
		await post.letters.retryDue();
		expect(post.letters.waiting).toBe(1);
		post.letters.close();
		expect(post.timer).toBeNull();
	});
});

describe('SMTP', () => {
	/** The least server that takes a letter; `refuse` answers RCPT with a code of its own. */
	async function server(refuse: string | null) {
		const received: string[] = [];
		const net = createServer((socket) => {
			let data = false;
			let buffer = '';
			socket.on('error', () => undefined);
			socket.write('220 test\r\n');
			socket.on('data', (chunk) => {
				buffer += chunk.toString();
				for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
					const line = buffer.slice(0, end);
					buffer = buffer.slice(end + 2);
					received.push(line);
					if (data && line !== '.') continue;
					if (line === 'DATA') (data = true), socket.write('354 go\r\n');
					else if (data) (data = false), socket.write('250 taken\r\n');
					else socket.write(refuse !== null && line.startsWith('RCPT') ? `${refuse}\r\n` : '250 ok\r\n');
				}
			});
		});
		await new Promise<void>((ready) => net.listen(0, '127.0.0.1', ready));
		return { received, url: `smtp://127.0.0.1:${(net.address() as AddressInfo).port}?from=portal@example.org`, close: () => net.close() };
	}

	test('a letter is handed over with sender and recipient', async () => {
		const smtp = await server(null);
		const letters = new Letters({ dataDir: folder, publicUrl: HOME, smtpUrl: smtp.url });
		expect(await letters.send(ann, invitation)).toEqual({ outcome: 'sent' });
		expect(smtp.received).toEqual(expect.arrayContaining(['MAIL FROM:<portal@example.org>', 'RCPT TO:<ann@example.com>', link]));
		letters.close();
		smtp.close();
	});

	test.each([['550 no such mailbox', 'given-up'], ['451 later', 'waiting']])('%s is %s', async (answer, outcome) => {
		const smtp = await server(answer);
		const letters = new Letters({ dataDir: folder, publicUrl: HOME, smtpUrl: smtp.url });
		expect((await letters.send(ann, invitation)).outcome).toBe(outcome);
		letters.close();
		smtp.close();
	});

	test('a server that is away is a failure that waits; it quotes no password', async () => {
		const letters = new Letters({ dataDir: folder, publicUrl: HOME, smtpUrl: 'smtp://user:hunter2@127.0.0.1:1' });
		const answer = await letters.send(ann, invitation);
		expect(answer.outcome).toBe('waiting');
		expect(JSON.stringify(answer)).not.toMatch(/hunter2|ann@/);
		letters.close();
	});

	test.each(['http://x', 'nonsense'])('%s stops the start', (smtpUrl) => {
		expect(() => new Letters({ dataDir: folder, publicUrl: HOME, smtpUrl })).toThrow();
	});

	test.each([
		[null, 'https://portal.example', 'no-reply@portal.example'],
		[null, 'http://[::1]:8420', 'no-reply@localhost'],
		['smtp://me%40example.org:x@mail.example.org', HOME, 'me@example.org'],
		['smtp://u:x@mail.example.org?from=a@example.org', HOME, 'a@example.org'],
		['smtp://u:x@mail.example.org?from=a@example.org%0d%0aBcc:b@c.d', 'https://portal.example', 'no-reply@portal.example']
	])('%s at %s sends as %s', (smtpUrl, publicUrl, sender) => expect(senderAddress(publicUrl, smtpUrl)).toBe(sender));
});
