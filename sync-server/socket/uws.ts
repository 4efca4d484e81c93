// The one way to uWebSockets.js. It is loaded on demand and not by a static import: its binary may have to be mended
// first (relink.ts), and on a system that it does not support the reason should be ours and readable.

import { constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { constants as os, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type * as Uws from 'uWebSockets.js';
import { relinkFile } from './relink.ts';

export type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket, us_socket_context_t, WebSocket } from 'uWebSockets.js';
export type UwsModule = typeof Uws;

const require = createRequire(import.meta.url);

/** The binary that uWebSockets.js itself will ask for. */
function binaryPath(): string {
	const { platform, arch, versions } = process;
	return join(dirname(require.resolve('uWebSockets.js')), `uws_${platform}_${arch}_${versions.modules}.node`);
}

/** Where the package is read-only: loads a mended copy, and lets the package's own `require` find it already loaded. */
function loadCopy(file: string, bytes: Buffer): void {
	// A folder that only we can write to: a name known beforehand would let another user put his program there.
	const folder = mkdtempSync(join(tmpdir(), 'atrium-uws-'));
	try {
		const copy = join(folder, 'uws.node');
		writeFileSync(copy, bytes, { mode: constants.S_IRUSR | constants.S_IXUSR });
		const loaded = new Module(file);
		process.dlopen(loaded, copy, os.dlopen.RTLD_LAZY);
		loaded.loaded = true;
		require.cache[file] = loaded;
	} finally {
		// The loader has mapped the file; its name is not needed any more.
		rmSync(folder, { recursive: true, force: true });
	}
}

let uws: UwsModule | undefined;

/** @throws with the supported platforms in its message, where there is no binary for this one */
export async function loadUws(): Promise<UwsModule> {
	if (uws) return uws;
	const file = binaryPath();
	try {
		const relink = relinkFile(file);
		if (relink.outcome === 'read-only') loadCopy(file, relink.bytes);
		uws = require('uWebSockets.js') as UwsModule;
		return uws;
	} catch (error) {
		throw new Error(
			`The relay's socket library does not run here (${process.platform} ${process.arch}, Node ${process.versions.node}). ` +
				'Supported: Linux with glibc 2.36 or newer on x64 and arm64, macOS on x64 and arm64, Windows on x64, with Node 24.',
			{ cause: error }
		);
	}
}
