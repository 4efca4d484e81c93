/** A relay of its own for a test: a real process on a free port of 127.0.0.1 with a folder of its own, started, killed and started again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DocumentId, PersonId, PortalId } from '#crdt-model/ids.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Wide: a loaded machine may take long, and no test asserts how long. */
const START_CEILING_MS = 60_000;

export interface SignedIn {
	readonly portal: PortalId;
	readonly employee: PersonId;
	readonly token: string;
}

export interface Answer<T = never> {
	readonly status: number;
	readonly body: T;
}

export class TestRelay {
	readonly dataDir: string;
	readonly port: number;
	readonly #environment: NodeJS.ProcessEnv;
	#process: ChildProcess | null = null;
	#output = '';

	static async start(environment: NodeJS.ProcessEnv = {}): Promise<TestRelay> {
		const relay = new TestRelay(await mkdtemp(join(tmpdir(), 'atrium-')), await freePort(), environment);
		await relay.start();
		return relay;
	}

	constructor(dataDir: string, port: number, environment: NodeJS.ProcessEnv) {
		this.dataDir = dataDir;
		this.port = port;
		this.#environment = environment;
	}

	get url(): string {
		return `http://127.0.0.1:${this.port}`;
	}
	get socketUrl(): string {
		return `ws://127.0.0.1:${this.port}`;
	}
	/** What it printed since it was last started. */
	get output(): string {
		return this.#output;
	}
	get pid(): number {
		return this.#process?.pid ?? 0;
	}

	async start(): Promise<void> {
		this.#output = '';
		const child = spawn(process.execPath, [join(ROOT, 'sync-server', 'main.ts')], {
			cwd: ROOT,
			env: { ...process.env, HOST: '127.0.0.1', PORT: String(this.port), DATA_DIR: this.dataDir, PUBLIC_URL: this.url, NODE_ENV: 'test', ...this.#environment },
			stdio: ['ignore', 'pipe', 'pipe']
		});
		this.#process = child;
		child.stdout!.on('data', (chunk: Buffer) => (this.#output += chunk));
		child.stderr!.on('data', (chunk: Buffer) => (this.#output += chunk));
		await until(async () => {
			if (child.exitCode !== null) throw new Error(`the relay did not start:\n${this.#output}`);
			return (await fetch(`${this.url}/healthz`).catch(() => null))?.ok === true;
		}, START_CEILING_MS);
	}

	/** `SIGKILL` is a crash: nothing of the process runs any more. */
	async stop(signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<number | null> {
		const child = this.#process;
		this.#process = null;
		if (!child || child.exitCode !== null) return child?.exitCode ?? null;
		const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
		child.kill(signal);
		return exited;
	}

	/** Stops it and takes its folder away. */
	async remove(): Promise<void> {
		await this.stop();
		await rm(this.dataDir, { recursive: true, force: true });
	}

	async api<T = never>(method: string, path: string, body?: unknown, token?: string): Promise<Answer<T>> {
		const response = await fetch(`${this.url}/api/v1${path}`, {
			method,
			headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token ? { authorization: `Bearer ${token}` } : {}) },
			...(body === undefined ? {} : { body: JSON.stringify(body) })
		});
		const text = await response.text();
		return { status: response.status, body: (text ? JSON.parse(text) : null) as T };
	}

	/** As `npm run portal` speaks to a running relay. */
	async operator<T = unknown>(command: string, args: unknown = {}): Promise<T> {
		const { token } = JSON.parse(await readFile(join(this.dataDir, 'operator.json'), 'utf8')) as { token: string };
		const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
		const response = await fetch(`${this.url}/api/operator/${command}`, { method: 'POST', headers, body: JSON.stringify(args) });
		if (!response.ok) throw new Error(`operator ${command}: ${response.status} ${await response.text()}`);
		return ((await response.json()) as { result: T }).result;
	}

	async register(company = 'Acme', email = 'ana@acme.example', firstName = 'Ana', lastName = 'Pop'): Promise<SignedIn> {
		const asked = await this.api('POST', '/registrations', { company, firstName, lastName, email, password: PASSWORD });
		if (asked.status !== 202) throw new Error(`registration: ${JSON.stringify(asked)}`);
		return this.#made('POST', '/registrations/confirmation', { code: await this.letterCode(email, 'confirm'), password: PASSWORD });
	}

	/** Invites a person by letter and accepts it, as they would. */
	async hire(by: SignedIn, email: string, firstName: string, lastName = 'Ionescu'): Promise<SignedIn> {
		const invited = await this.api<{ results: { result: string }[] }>('POST', '/invitations', { addresses: [email] }, by.token);
		if (invited.status !== 200) throw new Error(`invitation: ${JSON.stringify(invited)}`);
		const code = await this.invitationCode(email);
		return this.#made('POST', '/invitations/acceptance', { code, firstName, lastName, password: PASSWORD });
	}

	/** The code in the newest invitation to this address. */
	invitationCode(email: string): Promise<string> {
		return this.letterCode(email, 'invitation');
	}

	/** The code in the newest letter to this address whose link opens that page. */
	async letterCode(email: string, page: 'confirm' | 'invitation' | 'join' | 'reset' | 'email'): Promise<string> {
		const folder = join(this.dataDir, 'mail');
		let code: string | undefined;
		await until(async () => {
			const names = await readdir(folder).catch(() => []);
			// What is still being written has another name.
			for (const name of names.filter((one) => one.endsWith('.eml')).sort().reverse()) {
				// Quoted-printable breaks lines and writes `=` as `=3D`.
				const letter = (await readFile(join(folder, name), 'utf8')).replace(/=\r?\n/g, '').replace(/=3D/g, '=');
				if (!letter.includes(email)) continue;
				code = new RegExp(`/${page}#([A-Za-z0-9_-]+)`).exec(letter)?.[1];
				if (code !== undefined) return true;
			}
			return false;
		});
		return code!;
	}

	/** Until a letter of this subject lies there for the address. */
	async letterArrived(email: string, subject: string): Promise<void> {
		const folder = join(this.dataDir, 'mail');
		await until(async () => {
			const names = (await readdir(folder).catch(() => [])).filter((one) => one.endsWith('.eml'));
			const letters = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
			return letters.some((letter) => new RegExp(`^To: .*${email}`, 'm').test(letter) && letter.includes(`Subject: ${subject}`));
		});
	}

	async create(by: SignedIn, kind: string, fields: Record<string, unknown>): Promise<DocumentId> {
		return (await this.#made<{ id: DocumentId }>('POST', '/documents', { kind, fields }, by.token)).id;
	}

	async #made<T>(method: string, path: string, body: unknown, token?: string): Promise<T> {
		const { status, body: made } = await this.api<T>(method, path, body, token);
		if (status !== 201) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(made)}`);
		return made;
	}
}

export const PASSWORD = 'a long enough password';

/** Waits for a state, with a ceiling that only a broken program reaches. */
export async function until(holds: () => boolean | Promise<boolean>, ceilingMs = 30_000): Promise<void> {
	const end = Date.now() + ceilingMs;
	while (!(await holds())) {
		if (Date.now() > end) throw new Error(`waited ${ceilingMs} ms for: ${holds}`);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}
