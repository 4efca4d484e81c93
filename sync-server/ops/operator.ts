/**
 * The operator's door: how `npm run portal` speaks to a relay that is running.
 *
 * Promises: whoever can read DATA_DIR can use it and nobody else: a random token lies in `operator.json` (0600), made anew at each start; it answers
 * on this machine only, and not through a proxy.
 * Leaves to others: what the commands do (whoever fills the registry).
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivately } from '../config.ts';
import { finished, readJson, type App } from '../rest/call.ts';
import { problem } from '../rest/problem.ts';

export type OperatorCommand = (args: unknown) => Promise<unknown>;
/** By name, as in `npm run portal -- <name>`. */
export type OperatorCommands = Map<string, OperatorCommand>;

/** What the command line finds in DATA_DIR. */
export interface OperatorNote {
	readonly pid: number;
	/** Where the relay listens on this machine. */
	readonly address: string;
	readonly token: string;
}

const FILE = 'operator.json';

export class OperatorDoor {
	readonly #dataDir: string;
	readonly #token = randomBytes(32).toString('base64url');
	readonly commands: OperatorCommands;

	constructor(dataDir: string, commands: OperatorCommands) {
		this.#dataDir = dataDir;
		this.commands = commands;
	}

	/** @param address once the port is known */
	open(address: string): void {
		const note: OperatorNote = { pid: process.pid, address, token: this.#token };
		writePrivately(join(this.#dataDir, FILE), `${JSON.stringify(note)}\n`);
	}

	close(): void {
		rmSync(join(this.#dataDir, FILE), { force: true });
	}

	mount(app: App): void {
		app.post('/api/operator/:command', async (c) => {
			// To everyone else there is no such path.
			if (!c.env.isLocal || !this.#isOperator(c.req.header('authorization'))) return finished(problem('no-such-path'));
			const command = this.commands.get(c.req.param('command'));
			if (!command) return finished(problem('no-such-path', { detail: `no such command: ${c.req.param('command').slice(0, 64)}` }));
			const read = await readJson(c);
			if (read instanceof Response) return finished(read);
			return finished(Response.json({ result: (await command(read.value)) ?? null }));
		});
	}

	#isOperator(authorization: string | undefined): boolean {
		const given = Buffer.from(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
		const wanted = Buffer.from(this.#token);
		return given.byteLength === wanted.byteLength && timingSafeEqual(given, wanted);
	}
}

/** The note of a running relay, or null; whether it still runs is found out by calling it. */
export function readOperatorNote(dataDir: string): OperatorNote | null {
	try {
		return JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as OperatorNote;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null;
		throw error;
	}
}
