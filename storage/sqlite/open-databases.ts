/**
 * Which portals' files are open in the worker: the recently used ones, up to a ceiling. Closing is invisible to callers: the next
 * call opens the file again. Errors leave here as one sentence that names the file.
 */
import { join } from 'node:path';
import type { PortalId } from '#crdt-model/ids.ts';
import { PortalDatabase } from './portal-database.ts';
import { ReachLists } from './reach-lists.ts';

/** Each costs three file descriptors and up to 2 MB of cache; a process of 1,000 small portals has a tenth of them at work at a time. */
export const MAX_OPEN_DATABASES = 128;
/** A portal that nobody asked for so long gives its memory and descriptors back. */
const IDLE_MS = 5 * 60_000;

const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

interface Open {
	readonly database: PortalDatabase;
	usedAt: number;
}

export class OpenDatabases {
	readonly #folder: string;
	readonly #ceiling: number;
	readonly #lists = new ReachLists();
	/** Least recently used first. */
	readonly #open = new Map<PortalId, Open>();

	constructor(folder: string, ceiling = MAX_OPEN_DATABASES) {
		this.#folder = folder;
		this.#ceiling = ceiling;
	}

	get count(): number {
		return this.#open.size;
	}

	/** @param now milliseconds; any clock that only goes forward */
	use<T>(id: PortalId, now: number, work: (database: PortalDatabase) => T): T {
		const file = join(this.#folder, `${id}.db`);
		try {
			let open = this.#open.get(id);
			if (open) this.#open.delete(id);
			else {
				this.#makeRoom();
				open = { database: new PortalDatabase(file, this.#lists), usedAt: now };
			}
			open.usedAt = now;
			this.#open.set(id, open);
			return work(open.database);
		} catch (error) {
			const code = errorCode(error);
			// What SQLite holds of the file in memory may no longer be what is on disk; opening anew reads the disk.
			if (code === SQLITE_IOERR || code === SQLITE_CORRUPT || code === SQLITE_NOTADB) this.close(id);
			throw new Error(`${file} ${sentence(error, code)}`, { cause: error });
		}
	}

	close(id: PortalId): void {
		const open = this.#open.get(id);
		this.#open.delete(id);
		open?.database.close();
	}

	closeIdle(now: number): void {
		for (const [id, { usedAt }] of this.#open) if (now - usedAt >= IDLE_MS) this.close(id);
	}

	closeAll(): void {
		for (const id of [...this.#open.keys()]) this.close(id);
	}

	#makeRoom(): void {
		for (const oldest of this.#open.keys()) {
			if (this.#open.size < this.#ceiling) return;
			this.close(oldest);
		}
	}
}

/** SQLite's primary result code; the extended ones carry more in the higher bits. */
function errorCode(error: unknown): number | null {
	const code = (error as { errcode?: unknown }).errcode;
	return typeof code === 'number' ? code & 0xff : null;
}

function sentence(error: unknown, code: number | null): string {
	const said = error instanceof Error ? error.message : String(error);
	if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return `is damaged and must be restored from a backup (${said})`;
	if (code === SQLITE_FULL) return `cannot grow, the disk is full (${said})`;
	if (code === SQLITE_CANTOPEN) return `cannot be opened (${said})`;
	return code === null ? said : `failed: ${said}`;
}
