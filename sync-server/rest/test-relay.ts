/**
 * A whole relay for tests: real port, real accounts, real store, in a folder of its own; passwords at a cost that tests can pay.
 * `test/e2e` and everything else that needs a running relay may use it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomFillSync } from 'node:crypto';
import type { Accounts } from '../accounts/accounts.ts';
import type { Letter } from '../accounts/letter-kinds.ts';
import { argon2Hasher } from '../accounts/password.ts';
import { type Config, readConfig } from '../config.ts';
import { type Relay, startRelay } from '../main.ts';

export const PASSWORD = 'correct horse battery';

export interface SignIn {
	readonly portal: string;
	readonly employee: string;
	readonly token: string;
}

/** What a test decides beside the configuration. */
type World = Pick<Parameters<typeof Accounts.open>[0], 'now' | 'secondFactors' | 'hasher'>;

export class TestRelay {
	readonly dataDir = mkdtempSync(join(tmpdir(), 'atrium-relay-'));
	readonly log: string[] = [];
	relay!: Relay;

	#world: World = {};

	static async start(config: Partial<Config> = {}, world: World = {}): Promise<TestRelay> {
		const test = new TestRelay();
		test.#world = world;
		await test.restart(config);
		return test;
	}

	/** Starts on the same folder again. */
	async restart(config: Partial<Config> = {}): Promise<void> {
		await this.relay?.close();
		const hasher = argon2Hasher((target) => randomFillSync(target), { memoryKib: 8, passes: 1, lanes: 1 });
		const { now, ...accounts } = this.#world;
		this.relay = await startRelay(
			{ ...readConfig({ PORT: '0', DATA_DIR: this.dataDir }), ...config },
			{ log: (line) => this.log.push(line), ...(now && { now }), accounts: { hasher, outlives: 'the-process', ...accounts } }
		);
	}

	get address(): string {
		return this.relay.address;
	}

	/** JSON in, JSON out; `body` is null where there is none. */
	async call(
		method: string,
		path: string,
		options: { body?: unknown; token?: string; headers?: Record<string, string> } = {}
	): Promise<{ status: number; body: any; headers: Headers }> {
		const response = await fetch(this.address + path, {
			method,
			headers: {
				...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
				...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
				...options.headers
			},
			body: options.body === undefined ? null : typeof options.body === 'string' ? options.body : JSON.stringify(options.body)
		});
		const text = await response.text();
		return { status: response.status, headers: response.headers, body: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text || null };
	}

	/** Through the letter, as a person does; somebody who has an account founds another with it. */
	async found(email: string, company = 'Acme'): Promise<SignIn> {
		const letter = await this.letterAfter('/api/v1/registrations', { company, firstName: 'Ann', lastName: 'Lee', email, password: PASSWORD });
		const founded =
			letter?.kind === 'registration'
				? await this.call('POST', '/api/v1/registrations/confirmation', { body: { code: letter.code, password: PASSWORD } })
				: await this.call('POST', '/api/v1/portals', { body: { company }, token: (await this.signInAnywhere(email)).token });
		if (founded.status !== 201) throw new Error(`not founded: ${JSON.stringify(founded.body)}`);
		return founded.body;
	}

	/** To the first of their portals. */
	async signInAnywhere(email: string): Promise<SignIn> {
		const asked = await this.call('POST', '/api/v1/sessions', { body: { email, password: PASSWORD } });
		const { ticket, portals } = asked.body;
		const signed = portals ? await this.call('POST', '/api/v1/sessions', { body: { ticket, portal: portals[0].portal } }) : asked;
		if (signed.status !== 201) throw new Error(`not signed in: ${JSON.stringify(signed.body)}`);
		return signed.body;
	}

	/** The letter that a call makes the relay write; null where it writes none. */
	async letterAfter(path: string, body: unknown, token?: string): Promise<Letter | null> {
		let written: Letter | null = null;
		const { letters } = this.relay.services;
		const send = letters.send.bind(letters);
		letters.send = (to, letter, from) => {
			written = letter;
			return send(to, letter, from);
		};
		try {
			const { status, body: answer } = await this.call('POST', path, { body, ...(token && { token }) });
			if (status >= 300) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
			// Some are written after the answer.
			await letters.settled();
		} finally {
			letters.send = send;
		}
		return written;
	}

	/** Through the letter, as a person does. */
	async join(administrator: SignIn, email: string, firstName = 'Bob'): Promise<SignIn> {
		const code = await this.codeFor(administrator, email);
		const joined = await this.call('POST', '/api/v1/invitations/acceptance', { body: { code, firstName, lastName: 'Ray', password: PASSWORD } });
		if (joined.status !== 201) throw new Error(`not joined: ${JSON.stringify(joined.body)}`);
		return joined.body;
	}

	async codeFor(administrator: SignIn, email: string): Promise<string> {
		const letter = await this.letterAfter('/api/v1/invitations', { addresses: [email] }, administrator.token);
		if (letter?.kind !== 'invitation') throw new Error(`not invited: ${email}`);
		return letter.code;
	}

	async end(): Promise<void> {
		await this.relay.close();
		rmSync(this.dataDir, { recursive: true, force: true });
	}
}
