/**
 * The two ways a letter leaves: to an SMTP server, or into a folder as `.eml` files.
 *
 * Promises: a file appears whole or not at all and is readable by its owner only (it holds a working code); a failure is
 * thrown as a `DeliveryFailure` that quotes neither password nor letter.
 * Leaves to others: what is written (`letter-texts.ts`), trying again (`letters.ts`).
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import nodemailer from 'nodemailer';
import type { Email } from './email.ts';
import type { LetterReason } from './letter-store.ts';
import type { LetterTexts } from './letter-texts.ts';

export interface Envelope extends LetterTexts {
	from: { name: string; address: string };
	replyTo: Email | null;
	to: Email;
	date: Date;
	/** Says in a file's name what the letter is; letters and digits of it are used. */
	slug: string;
}

export interface MailTransport {
	deliver(envelope: Envelope): Promise<void>;
	close(): void;
}

export class DeliveryFailure extends Error {
	readonly reason: LetterReason;
	/** A code for whoever mends it: `ECONNREFUSED`, `550`. */
	readonly detail: string;
	/** A later try may succeed: the server was away or full. False: it refused this letter for good. */
	readonly temporary: boolean;

	constructor(reason: LetterReason, detail: string, temporary: boolean) {
		super(`${reason} (${detail})`);
		this.reason = reason;
		this.detail = detail;
		this.temporary = temporary;
	}
}

const message = (envelope: Envelope) => ({
	from: envelope.from,
	// As an object: nodemailer would take a text apart at commas, and an address may not be a list.
	to: { name: '', address: envelope.to },
	...(envelope.replyTo === null ? {} : { replyTo: { name: '', address: envelope.replyTo } }),
	subject: envelope.subject,
	text: envelope.text,
	html: envelope.html,
	date: envelope.date,
	headers: { 'Auto-Submitted': 'auto-generated' },
	// Letters contain only what we wrote: nothing may make nodemailer read a file or an address for a part of them.
	disableFileAccess: true,
	disableUrlAccess: true
});

/**
 * A part as it is, in UTF-8. A file passes no mail server that would need seven bits, and it is opened in editors and read by scripts:
 * quoted-printable would break the link in two.
 */
const readable = (type: 'plain' | 'html', content: string) => ({
	raw: `Content-Type: text/${type}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${content.replace(/\r?\n/g, '\r\n')}`
});

/** Named so that a person can find a letter: `2026-11-23T15-46-06-123Z-invitation-ann-example-com-3f9a01bc.eml`. */
export function fileTransport(folder: string, uniqueSuffix: () => string): MailTransport {
	const composer = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
	return {
		async deliver(envelope) {
			const slug = envelope.slug.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 80);
			const name = `${envelope.date.toISOString().replace(/[:.]/g, '-')}-${slug}-${uniqueSuffix()}`;
			const temporary = join(folder, `.${name}.tmp`);
			try {
				const { text, html } = envelope;
				const composed = await composer.sendMail({ ...message(envelope), text: readable('plain', text), html: readable('html', html) });
				await mkdir(folder, { recursive: true, mode: 0o700 });
				const file = await open(temporary, 'wx', 0o600);
				try {
					await file.writeFile(composed.message as Buffer);
					await file.sync();
				} finally {
					await file.close();
				}
				await rename(temporary, join(folder, `${name}.eml`));
			} catch (error) {
				await rm(temporary, { force: true }).catch(() => undefined); // the failure below is what matters
				throw new DeliveryFailure('cannot-write', codeOf(error), true);
			}
		},
		close: () => composer.close()
	};
}

/** A server that does not answer must not hold a request of ours for minutes, as nodemailer's own limits would. */
const SMTP_CONNECT_MS = 10_000;
const SMTP_SILENCE_MS = 30_000;

export function smtpTransport(url: string): MailTransport {
	const transport = nodemailer.createTransport({
		...smtpOptions(url),
		pool: true,
		maxConnections: 2,
		connectionTimeout: SMTP_CONNECT_MS,
		greetingTimeout: SMTP_CONNECT_MS,
		socketTimeout: SMTP_SILENCE_MS
	});
	return {
		async deliver(envelope) {
			try {
				await transport.sendMail(message(envelope));
			} catch (error) {
				// 5xx is the server's last word about this letter, except at signing in, which the operator can mend.
				const { responseCode } = error as { responseCode?: number };
				const final = codeOf(error) !== 'EAUTH' && responseCode !== undefined && responseCode >= 500;
				const detail = responseCode === undefined ? codeOf(error) : `${codeOf(error)} ${responseCode}`;
				throw new DeliveryFailure(final ? 'server-refused' : responseCode === undefined ? 'server-away' : 'server-busy', detail, !final);
			}
		},
		close: () => transport.close()
	};
}

function smtpOptions(url: string) {
	const parsed = new URL(url);
	if (parsed.protocol !== 'smtp:' && parsed.protocol !== 'smtps:') throw new Error('SMTP_URL begins with smtp:// or smtps://.');
	const secure = parsed.protocol === 'smtps:';
	const user = decodeURIComponent(parsed.username);
	return {
		host: parsed.hostname.replace(/^\[|\]$/g, ''),
		port: parsed.port === '' ? (secure ? 465 : 587) : Number(parsed.port),
		secure,
		...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(parsed.password) } })
	};
}

/** Error codes are safe to show; messages may quote a path, an address or what the server said. */
function codeOf(error: unknown): string {
	const code = (error as { code?: unknown } | null)?.code;
	return typeof code === 'string' ? code : 'unknown';
}

/** `SMTP_URL` may name the sender as `?from=`; else a user that is an address; else `no-reply` at the portal's host. */
export function senderAddress(publicUrl: string, smtpUrl: string | null): string {
	const host = new URL(publicUrl).hostname;
	const named = /^\[|^[\d.]+$/.test(host) ? 'localhost' : host;
	if (smtpUrl !== null) {
		const url = new URL(smtpUrl);
		for (const candidate of [url.searchParams.get('from'), decodeURIComponent(url.username)]) {
			if (candidate !== null && /^[^\s@<>",;:]+@[^\s@<>",;:]+$/.test(candidate)) return candidate;
		}
	}
	return `no-reply@${named}`;
}
