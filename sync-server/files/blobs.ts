/**
 * The bytes of files on disk, named by what they are: `files/<portal>/<aa>/<digest>`, uploads under way in `files/<portal>/uploads/<file>`.
 *
 * Promises: a kept blob has the digest that it is named by, and is on disk before it is called there; what broke off is continued from where the disk
 * has it; an upload never grows beyond its size, and one that turns out to be other bytes is thrown away whole. Paths are made of ids and
 * digests alone, each checked here: no name that a person gave is ever part of one.
 * Leaves to others: who may do what (rest/files.ts), and what is counted (quota/). Nothing kept is ever removed: a record may be restored, and a
 * backup of the log may come back.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isIdOf, isPortalId, type DocumentId, type PortalId } from '#crdt-model/ids.ts';

/** Read and hashed in pieces of this, between which the event loop has its turn. */
const PIECE_BYTES = 256 * 1024;
/** An upload that nobody continued for so long is begun anew: a week of holidays, and little disk for what was given up. */
export const UPLOAD_LAPSE_MS = 14 * 86_400_000;
const DIGEST = /^[0-9a-f]{64}$/;
/** Owner only, as everything in DATA_DIR. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export type FileId = DocumentId<'file'>;
export interface Wanted {
	readonly portal: PortalId;
	readonly file: FileId;
	readonly size: number;
	readonly digest: string;
}

export type Appended =
	| { readonly kind: 'appended'; readonly offset: number }
	/** It stands elsewhere than the sender thinks. */
	| { readonly kind: 'elsewhere'; readonly offset: number }
	/** More came than the file has. What fits was kept. */
	| { readonly kind: 'too-long'; readonly offset: number }
	/** The sender went away; what came is kept. */
	| { readonly kind: 'broke-off'; readonly offset: number };

export class Blobs {
	readonly #folder: string;

	/** @param folder made when the first upload begins */
	constructor(folder: string) {
		this.#folder = folder;
	}

	/** How many bytes of an upload are here; 0 where none has begun. */
	async offsetOf({ portal, file }: Pick<Wanted, 'portal' | 'file'>): Promise<number> {
		return (await sizeOf(this.#uploadPath(portal, file))) ?? 0;
	}

	async has({ portal, digest, size }: Pick<Wanted, 'portal' | 'digest' | 'size'>): Promise<boolean> {
		return (await sizeOf(this.#blobPath(portal, digest))) === size;
	}

	/** Appends what comes. The caller sees to it that only one appends to a file at a time. */
	async append(wanted: Wanted, offset: number, body: ReadableStream<Uint8Array> | null): Promise<Appended> {
		const { portal, file, size } = wanted;
		const path = this.#uploadPath(portal, file);
		await mkdir(join(path, '..'), { recursive: true, mode: FOLDER_MODE });
		const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, FILE_MODE);
		try {
			const stands = (await handle.stat()).size;
			if (stands !== offset) return { kind: 'elsewhere', offset: stands };
			return await this.#take(handle, offset, size, body);
		} finally {
			await handle.close();
		}
	}

	async #take(handle: FileHandle, offset: number, size: number, body: ReadableStream<Uint8Array> | null): Promise<Appended> {
		const reader = body?.getReader();
		let at = offset;
		while (reader) {
			let next: ReadableStreamReadResult<Uint8Array>;
			try {
				next = await reader.read();
			} catch {
				return { kind: 'broke-off', offset: at };
			}
			if (next.done) break;
			const fits = next.value.subarray(0, size - at);
			await writeAll(handle, fits, at);
			at += fits.byteLength;
			if (fits.byteLength < next.value.byteLength) {
				// Nobody reads the rest; the transport ends the stream.
				void reader.cancel().catch(() => undefined);
				return { kind: 'too-long', offset: at };
			}
		}
		return { kind: 'appended', offset: at };
	}

	/**
	 * Checks a complete upload and keeps it. Its upload stays until `forget`: a crash before the record says so is continued by an empty piece.
	 * @returns false where the bytes are other ones; the upload begins anew then
	 */
	async keep({ portal, file, size, digest }: Wanted): Promise<boolean> {
		const upload = this.#uploadPath(portal, file);
		const handle = await open(upload, constants.O_RDWR);
		try {
			if ((await handle.stat()).size !== size || (await digestOf(handle)) !== digest) {
				await rm(upload, { force: true });
				return false;
			}
			await handle.sync();
		} finally {
			await handle.close();
		}
		const path = this.#blobPath(portal, digest);
		const folder = join(path, '..');
		await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
		try {
			await link(upload, path);
		} catch (error) {
			// The same bytes, brought by another file: one copy serves both.
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		}
		for (const made of [folder, join(folder, '..'), this.#folder]) await syncFolder(made);
		return true;
	}

	/** The record says that the bytes are there: nobody continues the upload. */
	async forget({ portal, file }: Pick<Wanted, 'portal' | 'file'>): Promise<void> {
		await rm(this.#uploadPath(portal, file), { force: true });
	}

	/** Bytes `from` to `to`, the latter not included; null where they are not there. */
	async read({ portal, digest }: Pick<Wanted, 'portal' | 'digest'>, from: number, to: number): Promise<ReadableStream<Uint8Array> | null> {
		let handle: FileHandle;
		try {
			handle = await open(this.#blobPath(portal, digest), constants.O_RDONLY);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
			throw error;
		}
		let at = from;
		return new ReadableStream<Uint8Array>(
			{
				async pull(controller) {
					const piece = new Uint8Array(Math.min(PIECE_BYTES, to - at));
					const { bytesRead } = piece.byteLength > 0 ? await handle.read(piece, 0, piece.byteLength, at) : { bytesRead: 0 };
					at += bytesRead;
					if (bytesRead > 0) controller.enqueue(piece.subarray(0, bytesRead));
					if (at < to && bytesRead > 0) return;
					await handle.close();
					controller.close();
				},
				cancel: () => handle.close()
			},
			{ highWaterMark: 0 }
		);
	}

	/** Throws away uploads that nobody has continued for `UPLOAD_LAPSE_MS`. */
	async sweep(now: number): Promise<void> {
		for (const portal of await namesIn(this.#folder)) {
			if (!isPortalId(portal)) continue;
			const folder = join(this.#folder, portal, UPLOADS);
			for (const name of await namesIn(folder)) {
				const path = join(folder, name);
				const found = await stat(path).catch(() => null); // gone meanwhile: kept or thrown away
				if (found && now - found.mtimeMs >= UPLOAD_LAPSE_MS) await rm(path, { force: true });
			}
		}
	}

	#uploadPath(portal: PortalId, file: FileId): string {
		if (!isPortalId(portal) || !isIdOf('file', file)) throw new TypeError('no ids of a file and its portal');
		return join(this.#folder, portal, UPLOADS, file);
	}
	#blobPath(portal: PortalId, digest: string): string {
		if (!isPortalId(portal) || !DIGEST.test(digest)) throw new TypeError('no digest of a blob');
		return join(this.#folder, portal, digest.slice(0, 2), digest);
	}
}

/** No two hexadecimal digits, so no folder of blobs. */
const UPLOADS = 'uploads';

async function digestOf(handle: FileHandle): Promise<string> {
	const hash = createHash('sha256');
	const piece = new Uint8Array(PIECE_BYTES);
	for (let at = 0; ; ) {
		const { bytesRead } = await handle.read(piece, 0, piece.byteLength, at);
		if (bytesRead === 0) return hash.digest('hex');
		hash.update(piece.subarray(0, bytesRead));
		at += bytesRead;
	}
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
	for (let done = 0; done < bytes.byteLength; ) {
		const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done);
		done += bytesWritten;
	}
}

/** A name is on disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
	const handle = await open(path, constants.O_RDONLY);
	try {
		await handle.sync();
	} catch (error) {
		// Windows opens no folder for this, and keeps names by itself.
		if (!['EPERM', 'EISDIR', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
	} finally {
		await handle.close();
	}
}

async function sizeOf(path: string): Promise<number | null> {
	try {
		return (await stat(path)).size;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
		throw error;
	}
}

async function namesIn(folder: string): Promise<string[]> {
	try {
		return await readdir(folder);
	} catch (error) {
		if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
		throw error;
	}
}
