/** Files that must be on disk, and whole, when the next step begins: for backup and restore. Errors of the disk become one line for the operator. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from './problem.ts';

const SQLITE_FULL = 13;

/** Runs a step whose failures the operator can mend. */
export async function onDisk<T>(what: string, step: () => Promise<T> | T): Promise<T> {
	try {
		return await step();
	} catch (error) {
		if (error instanceof Problem) throw error;
		const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string };
		if (code === 'ENOSPC' || code === 'EDQUOT' || (errcode !== undefined && (errcode & 0xff) === SQLITE_FULL)) throw new Problem(`${what}: the disk is full.`);
		if (code === 'ERR_SQLITE_ERROR') throw new Problem(`${what}: ${message}`);
		if (code !== undefined && /^E[A-Z0-9]+$/.test(code)) throw new Problem(`${what} (${code}).`);
		throw error;
	}
}

export async function sync(path: string): Promise<void> {
	const handle = await open(path, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

export async function makeFolder(folder: string): Promise<void> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
}

export async function digestOfFile(file: string): Promise<{ digest: string; bytes: number }> {
	const hash = createHash('sha256');
	let bytes = 0;
	for await (const piece of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
		hash.update(piece);
		bytes += piece.byteLength;
	}
	return { digest: hash.digest('hex'), bytes };
}

export async function sizeOf(file: string): Promise<number | null> {
	try {
		const found = await stat(file);
		return found.isFile() ? found.size : null;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
		throw error;
	}
}

/** Copies a file and says whether what arrived has the digest; nothing is left where it does not. */
export async function copyChecked(from: string, to: string, digest: string): Promise<boolean> {
	const draft = `${to}.part`;
	await makeFolder(dirname(to));
	try {
		await copyFile(from, draft);
		await chmod(draft, 0o600);
		// What was written is read again: a disk that lies is found today and not on the day of the restore.
		if ((await digestOfFile(draft)).digest !== digest) return false;
		await sync(draft);
		await rename(draft, to);
		await sync(dirname(to));
		return true;
	} finally {
		await rm(draft, { force: true });
	}
}
