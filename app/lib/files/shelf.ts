/**
 * The blobs on this device: what was chosen here and has yet to go up, what was opened, and what is pinned.
 *
 * Promises: a blob is on disk before the record that names it is made; it stays as long as something of this person may still need it here (a record that has
 * not arrived, work that waits or was set aside); it leaves when no record on this device names it any more, so that who loses a file loses its bytes
 * (P5); what was only opened makes room for what is opened later.
 * Leaves to others: records (lib/sync), sending (uploads.ts), screens.
 */
import type { DocumentId } from '#crdt-model/ids.ts';
import { MAX_FILE_BYTES, type FilePlace, type FileRow } from '#crdt-model/kinds/file.ts';
import { MAX_TITLE_LENGTH } from '#crdt-model/record/parts.ts';
import type { RunResult } from '#lib/sync/engine.ts';
import type { Draft } from '#lib/sync/drafts.ts';
import type { ReplicaDatabase } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { digestOf } from './digest.ts';

/** What was only read stays up to here; a phone's browser gives some gigabytes to one address. */
const READ_BYTES = 512 * 1024 * 1024;
/** A larger file is handed to the browser's own download and not kept. */
export const KEPT_FILE_BYTES = 256 * 1024 * 1024;
/** Between a blob and the record that names it lie some milliseconds, also in another tab. */
export const UNNAMED_MS = 60_000;

export type Added =
	| { readonly kind: 'added'; readonly file: DocumentId<'file'> }
	| { readonly kind: 'too-large' | 'unreadable' | 'no-room'; readonly name: string }
	| { readonly kind: 'refused'; readonly name: string; readonly result: Extract<RunResult, { kind: 'refused' }> };

export interface ShelfOptions {
	readonly database: ReplicaDatabase;
	readonly newId: () => DocumentId<'file'>;
	run(drafts: readonly Draft[]): Promise<RunResult>;
	/** The bytes at the relay; null where they cannot be had now. */
	download(file: DocumentId): Promise<Blob | null>;
	readonly now?: () => number;
}

export class FileShelf {
	readonly #options: ShelfOptions;
	readonly #database: ReplicaDatabase;
	readonly #now: () => number;

	constructor(options: ShelfOptions) {
		this.#options = options;
		this.#database = options.database;
		this.#now = options.now ?? Date.now;
	}

	/** Keeps the bytes, then makes the record: what becomes of it is told like of any record. */
	async add(chosen: File, place: FilePlace): Promise<Added> {
		const name = nameFor(chosen.name);
		if (chosen.size > MAX_FILE_BYTES) return { kind: 'too-large', name };
		let digest: string;
		try {
			digest = await digestOf(new Uint8Array(await chosen.arrayBuffer()));
		} catch {
			// A folder, or a file that was moved away after it was chosen.
			return { kind: 'unreadable', name };
		}
		try {
			await this.#keep(digest, new Blob([chosen], { type: chosen.type }), true);
		} catch {
			// The browser gives no more room, and says so by different errors.
			return { kind: 'no-room', name };
		}
		const file = this.#options.newId();
		const result = await this.#options.run([{ document: file, name: 'file.create', args: { name, size: chosen.size, mime: mimeFor(chosen.type), digest, place } }]);
		if (result.kind === 'kept') return { kind: 'added', file };
		await this.sweep();
		return { kind: 'refused', name, result };
	}

	/** What is on this device of the bytes; null where they are not. */
	async kept(digest: string): Promise<Blob | null> {
		const found = await this.#database.blobs.get(digest);
		if (!found) return null;
		await this.#database.blobs.update(digest, { usedAt: this.#now() });
		return found.bytes;
	}

	/** The bytes, from here or from the relay; null without a network, or where they have not come yet. */
	async bytesOf(row: Pick<FileRow, 'id' | 'digest' | 'size' | 'arrived'>): Promise<Blob | null> {
		const here = await this.kept(row.digest);
		if (here || !row.arrived) return here;
		const came = await this.#options.download(row.id);
		if (!came || came.size !== row.size || (await digestOf(new Uint8Array(await came.arrayBuffer()))) !== row.digest) return null;
		// Without room on the device it is shown all the same.
		await this.#keep(row.digest, came, false).catch(() => {});
		return came;
	}

	/** Stays on the device until unpinned; false where the bytes could not be had. */
	async pin(row: Pick<FileRow, 'id' | 'digest' | 'size' | 'arrived'>, pinned: boolean): Promise<boolean> {
		if (pinned && !(await this.bytesOf(row))) return false;
		return (await this.#database.blobs.update(row.digest, { pinned })) > 0 || !pinned;
	}

	async #keep(digest: string, bytes: Blob, chosen: boolean): Promise<void> {
		const at = this.#now();
		await this.#database.transaction('rw', this.#database.blobs, async () => {
			const there = await this.#database.blobs.get(digest);
			await this.#database.blobs.put({ digest, bytes, chosen: chosen || there?.chosen === true, keptAt: at, usedAt: at, pinned: there?.pinned === true });
		});
	}

	/** Throws away what nothing names any more, and of what was only read the longest unused. */
	async sweep(): Promise<void> {
		const database = this.#database;
		const now = this.#now();
		await database.transaction('rw', [database.blobs, database.uploads, database.rows('file'), database.pending, database.aside], async () => {
			const rows = (await database.rows('file').toArray()) as unknown as StoredRow<FileRow>[];
			const named = new Set(rows.map(({ digest }) => digest));
			const needed = new Set(rows.filter(({ arrived }) => !arrived).map(({ digest }) => digest));
			for (const item of await database.pending.where('documents').startsWith('file_').toArray()) {
				if (item.kind === 'batch') for (const command of item.batch.commands) noteDigest(command, needed);
			}
			for (const item of await database.aside.where('document').startsWith('file_').toArray()) if (item.kind === 'command') noteDigest(item.command, needed);
			const read: { digest: string; size: number; usedAt: number }[] = [];
			for (const { digest, bytes, chosen, keptAt, usedAt, pinned } of await database.blobs.toArray()) {
				if (needed.has(digest)) continue;
				if (!named.has(digest)) {
					if (!chosen || now - keptAt >= UNNAMED_MS) await database.blobs.delete(digest);
				} else if (!pinned) read.push({ digest, size: bytes.size, usedAt });
			}
			let total = 0;
			for (const { digest, size } of read.sort((a, b) => b.usedAt - a.usedAt)) if ((total += size) > READ_BYTES) await database.blobs.delete(digest);
			const there = new Set(rows.filter(({ arrived, deleted }) => !arrived && !deleted).map(({ id }) => id));
			for (const { file } of await database.uploads.toArray()) if (!there.has(file)) await database.uploads.delete(file);
		});
	}
}

function noteDigest({ name, args }: { readonly name: string; readonly args: unknown }, into: Set<string>): void {
	const { digest } = (args ?? {}) as { digest?: unknown };
	if (name === 'file.create' && typeof digest === 'string') into.add(digest);
}

/** A name fits the record: whole characters, no line of controls, the ending kept where it is long. */
export function nameFor(given: string): string {
	const name = given.toWellFormed().replace(/\p{Cc}+/gu, ' ').trim() || 'file';
	if (name.length <= MAX_TITLE_LENGTH) return name;
	const dot = name.lastIndexOf('.');
	const ending = dot > 0 && name.length - dot <= 20 ? name.slice(dot) : '';
	return (name.slice(0, MAX_TITLE_LENGTH - ending.length).toWellFormed().trimEnd() + ending).slice(0, MAX_TITLE_LENGTH);
}

/** `text/plain;charset=utf-8` is `text/plain` here, and what is no type is bytes. */
export function mimeFor(type: string): string {
	const plain = type.split(';')[0]!.trim().toLowerCase();
	return /^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}$/.test(plain) ? plain : 'application/octet-stream';
}
