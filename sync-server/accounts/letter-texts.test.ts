import { describe, expect, test } from 'vitest';
import { LETTER_KINDS, LETTER_LANGUAGES, type Letter, type LetterBody } from './letter-kinds.ts';
import { composeLetter, harmlessName, oneLine, readableAccent } from './letter-texts.ts';

const HOME = 'http://127.0.0.1:8420';
const now = Date.parse('2026-01-01T12:00:00Z');
const code = 'c0de_-'.repeat(6).slice(0, 32);
const invitation: Letter = { kind: 'invitation', language: 'en', company: 'Example SRL', invitedBy: 'Ion Popescu', code, expiresAt: now + 14 * 86_400_000 };

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

	test('days and times are written as the portal writes them', () => {
		const at = Date.parse('2026-06-01T15:05:00Z');
		const of = (language: 'en' | 'ro', dateFormat: 'auto' | 'dmy' | 'mdy' | 'ymd', timeFormat: 'auto' | 'h24' | 'h12') =>
			composeLetter({ kind: 'password-changed', language, at }, HOME, { company: 'X', accent: null, senderName: null, replyTo: null, formats: { dateFormat, timeFormat } }).text.replace(/\u202f/g, ' ');
		expect(of('en', 'auto', 'auto')).toContain('1 June 2026, 15:05 UTC');
		expect(of('en', 'mdy', 'h12')).toMatch(/June 1, 2026, 0?3:05 pm UTC/i);
		expect(of('en', 'ymd', 'h24')).toContain('2026-06-01, 15:05 UTC');
		expect(of('ro', 'dmy', 'h24')).toContain('1 iunie 2026, 15:05 UTC');
		expect(of('ro', 'ymd', 'auto')).toContain('2026-06-01, 15:05 UTC');
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
		for (const name of ['www.example.com', 'Buy at https://evil.example/now', 'me@example.com', 'xn--a.co/b', 'HTTP://WWW.evil.example']) {
			expect(harmlessName(name)).not.toMatch(/[a-z]\.[a-z]{2}|:\/\/|www\.|@[a-z]/i);
		}
		for (const name of ['emag.ro', 'me@example.com', 'A.B.C. Invest/Trade']) expect(joined(harmlessName(name))).toBe(name);
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
