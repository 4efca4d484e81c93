/** The demo company on a running relay, as an operator makes it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestRelay } from '../support/relay.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface DemoPerson {
	readonly name: string;
	readonly email: string;
	readonly password: string;
	readonly role: 'agent' | 'manager' | 'administrator';
}

export async function makeDemo(relay: TestRelay): Promise<{ portal: string; people: readonly DemoPerson[] }> {
	const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'sync-server', 'portal.ts'), 'demo', '--json'], {
		cwd: ROOT,
		env: { ...process.env, HOST: '127.0.0.1', PORT: String(relay.port), DATA_DIR: relay.dataDir, PUBLIC_URL: relay.url },
		maxBuffer: 64 * 1024 * 1024
	});
	return JSON.parse(stdout.slice(stdout.indexOf('{'))) as { portal: string; people: readonly DemoPerson[] };
}
