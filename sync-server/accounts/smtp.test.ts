/** Letters to a mail server of its own: what arrives is read by a parser that is not ours. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Accounts } from './accounts.ts';
import { type Email, parseEmail } from './email.ts';
import type { Letter, LetterLook } from './letter-kinds.ts';
import { Letters, type LettersOptions, RETRY_AFTER_MS } from './letters.ts';
import { MailServer, type Received } from '../../test/support/mail-server.ts';
import { ids, World } from './test-accounts.ts';

const HOME = 'https://portal.example.com';
const CODE = 'c0de_-'.repeat(6).slice(0, 32);
const portal = ids.portal();
const email = (raw: string): Email => {
	const parsed = parseEmail(raw);
	if (parsed.outcome !== 'parsed') throw new Error(parsed.refusal);
	return parsed.email;
};
const ann = email('ann@example.com');

let folder: string;
let world: World;
let accounts: Accounts;
let server: MailServer;
let open: Letters[];
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), 'atrium-smtp-'));
	world = new World();
	accounts = await world.open();
	server = new MailServer();
	open = [];
	await server.start();
});
afterEach(async () => {
	for (const letters of open) await letters.close();
	await server.stop();
	await world.end();
	rmSync(folder, { recursive: true, force: true });
});

function lettersOf(look: Partial<LetterLook> = {}, more: Partial<LettersOptions> = {}): Letters {
	const portalOf = async () => ({ look: { company: 'Ștefan & fiii SRL', accent: '#0a7d4f', senderName: null, replyTo: null, ...look }, people: 3 });
	const letters = new Letters({ store: accounts.letters, dataDir: folder, publicUrl: HOME, smtpUrl: server.url, now: () => world.now, portalOf, ...more });
	open.push(letters);
	return letters;
}
const invitation = (more: Partial<Extract<Letter, { kind: 'invitation' }>> = {}): Letter => ({
	kind: 'invitation', language: 'ro', company: 'Ștefan & fiii SRL', invitedBy: 'Ana Țurcanu', code: CODE, expiresAt: world.now + 14 * 86_400_000, ...more
});

test('a letter arrives with text, HTML, sender, answering address and the link in both', async () => {
	const letters = lettersOf({ senderName: 'Poșta firmei', replyTo: 'birou@example.org' });
	expect(await letters.send(ann, invitation(), { portal })).toEqual({ outcome: 'sent' });
	const [{ mail, from, to }] = server.received as [Received];
	expect([from, to]).toEqual(['post@portal.example.com', ['ann@example.com']]);
	expect(mail.from?.value).toEqual([{ name: 'Poșta firmei', address: 'post@portal.example.com' }]);
	expect(mail.replyTo?.value).toEqual([{ name: '', address: 'birou@example.org' }]);
	expect(mail.to).toMatchObject({ value: [{ address: 'ann@example.com' }] });
	expect(mail.subject).toBe('Invitație în portalul Ștefan & fiii SRL');
	expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
	expect(mail.messageId).toMatch(/@/);
	const link = `${HOME}/invitation#${CODE}`;
	expect(mail.text!.split('\n')).toContain(link);
	expect(mail.text).toContain('Ana Țurcanu vă invită în portalul companiei Ștefan & fiii SRL.');
	expect(mail.html).toContain(`href="${link}"`);
	expect(mail.html).toContain('background:#0a7d4f');
	expect(mail.html).toContain('prefers-color-scheme:dark');
	expect(mail.html).toContain('Ștefan &#38; fiii SRL');
	expect(mail.attachments).toEqual([]);
});

test('a letter of no portal comes from us, and can be answered to nobody else', async () => {
	const letters = lettersOf();
	await letters.send(ann, { kind: 'password-reset', language: 'en', code: CODE, expiresAt: world.now + 3_600_000 });
	await letters.settled();
	const [{ mail }] = server.received as [Received];
	expect(mail.from?.value).toEqual([{ name: 'Atrium', address: 'post@portal.example.com' }]);
	expect(mail.replyTo).toBeUndefined();
	expect(mail.text).toContain(`${HOME}/reset#${CODE}`);
});

test('names that would be headers, recipients or HTML are words', async () => {
	const evil = 'Evil"\r\nBcc: victim@example.com\r\nX-Evil: yes\r\n\r\n<script>alert(1)</script>, "a" <victim@example.com>';
	const letters = lettersOf({ company: evil, senderName: evil, replyTo: `office@example.org\r\nBcc: victim@example.com`, accent: '#000000;background:url(http://evil.example)' });
	for (const language of ['en', 'ro'] as const) expect(await letters.send(ann, invitation({ language, company: evil, invitedBy: evil }), { portal })).toEqual({ outcome: 'sent' });
	expect(server.received).toHaveLength(2);
	for (const { mail, to } of server.received) {
		expect(to).toEqual(['ann@example.com']);
		expect([mail.bcc, mail.cc, mail.replyTo, mail.headers.get('x-evil')]).toEqual([undefined, undefined, undefined, undefined]);
		expect(mail.from?.value.map(({ address }) => address)).toEqual(['post@portal.example.com']);
		expect(mail.html).not.toMatch(/<script|url\(|evil\.example/);
		const expected = new Set(['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to']);
		expect(mail.headerLines.map(({ key }) => key).filter((key) => !expected.has(key))).toEqual([]);
	}
});

test('a server that is away and comes back gets what waited, once', async () => {
	const letters = lettersOf();
	await server.stop();
	const addresses = ['a', 'b', 'c'].map((name) => email(`${name}@example.com`));
	for (const to of addresses) expect(await letters.send(to, invitation(), { portal })).toMatchObject({ outcome: 'waiting', reason: 'server-away' });
	expect(await letters.shown(portal)).toHaveLength(3);
	await letters.close();

	accounts = await world.reopen();
	await server.start();
	const later = lettersOf();
	await later.start();
	world.now += RETRY_AFTER_MS[0];
	await later.retryDue();
	await later.retryDue();
	expect(server.received.map(({ to }) => to[0]).sort()).toEqual([...addresses].sort());
	expect(await later.shown(portal)).toEqual([]);
});

test('4xx waits and is tried again; 5xx has failed, is shown, and goes when it is asked for again', async () => {
	const letters = lettersOf();
	server.refusal = { responseCode: 451, message: 'greylisted' };
	expect(await letters.send(ann, invitation(), { portal })).toMatchObject({ outcome: 'waiting', reason: 'server-busy' });
	world.now += RETRY_AFTER_MS[0];
	server.refusal = { responseCode: 550, message: `no mailbox for ann@example.com, ${CODE}` };
	await letters.retryDue();
	const [failed] = await letters.shown(portal);
	expect(failed).toMatchObject({ state: 'failed', tries: 2, reason: 'server-refused' });
	expect(failed!.detail).toMatch(/550/);
	expect(JSON.stringify(failed), 'what the server said is not repeated').not.toMatch(/mailbox|c0de/);
	server.refusal = null;
	world.now += RETRY_AFTER_MS[4];
	await letters.retryDue();
	expect(server.received).toEqual([]);
	expect(await letters.retry(portal, failed!.id)).toEqual({ outcome: 'sent' });
	expect(server.received).toHaveLength(1);
});

test('a server that refuses to let us in is a failure that waits, and nothing quotes the password', async () => {
	await server.stop();
	await server.start({ disabledCommands: ['STARTTLS'], authOptional: false, allowInsecureAuth: true, onAuth: (_auth, _session, done) => done(new Error('no')) });
	const letters = lettersOf({}, { smtpUrl: `smtp://user:hunter2@127.0.0.1:${server.port}` });
	const answer = await letters.send(ann, invitation(), { portal });
	expect(answer).toMatchObject({ outcome: 'waiting' });
	expect(JSON.stringify([answer, await letters.shown(portal)])).not.toMatch(/hunter2/);
});
