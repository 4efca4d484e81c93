/** A mail server for tests, on 127.0.0.1: what arrives is read by a parser that is not ours. */
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface Received {
	mail: ParsedMail;
	from: string;
	to: string[];
}

export class MailServer {
	readonly received: Received[] = [];
	/** What RCPT is answered with, in place of yes. */
	refusal: { responseCode: number; message: string } | null = null;
	#server: SMTPServer | null = null;
	port = 0;

	async start(options: SMTPServerOptions = {}): Promise<void> {
		this.#server = new SMTPServer({
			disabledCommands: ['AUTH', 'STARTTLS'],
			onRcptTo: (_address, _session, done) => done(this.refusal && Object.assign(new Error(this.refusal.message), { responseCode: this.refusal.responseCode })),
			onData: (stream, session, done) => {
				simpleParser(stream).then((mail) => {
					const { mailFrom, rcptTo } = session.envelope;
					this.received.push({ mail, from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) });
					done();
				}, done);
			},
			...options
		});
		this.#server.on('error', () => undefined);
		await new Promise<void>((ready) => this.#server!.listen(this.port, '127.0.0.1', ready));
		this.port = (this.#server.server.address() as AddressInfo).port;
	}
	async stop(): Promise<void> {
		const server = this.#server;
		this.#server = null;
		if (server) await new Promise<void>((closed) => server.close(() => closed()));
	}
	get url(): string {
		return `smtp://127.0.0.1:${this.port}?from=post@portal.example.com`;
	}
}
