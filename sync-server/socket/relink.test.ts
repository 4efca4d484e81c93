import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { relinked, relinkFile } from './relink.ts';
import { loadUws } from './uws.ts';

const folder = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'));
const ownAbi = `_${process.versions.modules}.node`;
// Node's own binary may have been mended by an earlier start; those for other Nodes never are.
const pristine = readdirSync(folder).filter((name) => /^uws_linux_.*\.node$/.test(name) && !name.endsWith(ownAbi));

test.each(pristine)('relinks %s once', (name) => {
	const original = readFileSync(join(folder, name));
	const mended = relinked(original);
	// Three symbols (name and version each) and one flag.
	expect(mended && differingBytes(original, mended)).toBeGreaterThan(3);
	expect(mended && differingBytes(original, mended)).toBeLessThanOrEqual(3 * 6 + 2);
	expect(mended && relinked(mended)).toBeUndefined();
});

test('refuses a symbol of glibc 2.38 that it does not know', () => {
	const name = pristine[0];
	if (!name) throw new Error('the package has no Linux binaries');
	const bytes = readFileSync(join(folder, name));
	bytes.write('__isoc23_strtoX', bytes.indexOf('__isoc23_strtol\0'), 'latin1');
	expect(() => relinked(bytes)).toThrow('__isoc23_strtoX');
});

test('refuses what is no ELF file', () => {
	expect(() => relinked(new Uint8Array(128))).toThrow('ELF');
});

test('the relinked library echoes over a websocket, and a second relink changes nothing', async () => {
	const uws = await loadUws();
	const app = uws.App().ws('/*', { message: (socket, message, isBinary) => void socket.send(message, isBinary) });
	const token = await new Promise<false | import('./uws.ts').us_listen_socket>((resolve) => {
		app.listen('127.0.0.1', 0, resolve);
	});
	if (!token) throw new Error('the port is taken');
	try {
		const socket = new WebSocket(`ws://127.0.0.1:${uws.us_socket_local_port(token)}/`);
		const echo = new Promise<string>((resolve, reject) => {
			socket.on('message', (data) => resolve(String(data)));
			socket.on('error', reject);
		});
		socket.on('open', () => socket.send('salut'));
		expect(await echo).toBe('salut');
		socket.terminate();
	} finally {
		app.close();
	}
	expect(['already-done', 'not-needed']).toContain(
		relinkFile(join(folder, `uws_${process.platform}_${process.arch}${ownAbi}`)).outcome
	);
	expect(await loadUws()).toBe(uws);
});

function differingBytes(left: Uint8Array, right: Uint8Array): number {
	let count = 0;
	for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) count++;
	return count;
}
