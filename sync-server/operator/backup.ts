/**
 * `backup`: everything of a DATA_DIR into a folder, beside a relay that runs or without one.
 *
 * Promises: each database is copied as of one moment (SQLite's online backup inside one read transaction, so that a busy portal neither waits nor makes
 * it begin again); accounts before portals, files after them, so that whatever is spoken of is there; a generation counts once its manifest is on disk, which
 * is the last step; older generations are never touched; files that are there already are not copied again.
 * It works in the command's own process: the relay's thread has better things to do than to hash files.
 */
import { link, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import { ACCOUNTS_KEY } from '../accounts/vault.ts';
import { writePrivately, type Config } from '../config.ts';
import { copyChecked, digestOfFile, makeFolder, onDisk, sizeOf, sync } from './disk.ts';
import { type KeptKey, MAC_KEY } from './mac-key.ts';
import { accountsIn, blobIn, digestOfKey, FORMAT, generationNames, generationsIn, keyIn, manifestIn, portalIn, readManifest, type Manifest } from './manifest.ts';
import { Problem } from './problem.ts';

/** Pages per step: a few milliseconds of the disk each. */
const PAGES_PER_STEP = 1_000;
const BUSY_MS = 5_000;

export interface BackupResult {
	readonly generation: string;
	readonly portals: readonly Pick<Manifest['portals'][number], 'id' | 'epoch' | 'seq' | 'bytes'>[];
	readonly files: number;
	readonly copiedFiles: number;
	/** Files whose bytes are not what their name says: they were damaged before, and are not in the backup. */
	readonly damaged: readonly string[];
	readonly tookMs: number;
}

export async function backup(dirs: Pick<Config, 'dataDir' | 'storageDir'>, to: string, now: () => number): Promise<BackupResult> {
	const began = now();
	for (const folder of [dirs.dataDir, dirs.storageDir]) {
		const way = relative(resolve(folder), resolve(to));
		if (way.split(sep)[0] !== '..' && !isAbsolute(way)) throw new Problem(`${to} lies inside ${folder}: a backup must lie elsewhere, best on another disk.`);
	}
	if (!existsSync(dirs.dataDir)) throw new Problem(`There is nothing in ${dirs.dataDir} yet.`);
	await onDisk(`${to} cannot be made`, () => makeFolder(to));
	const lock = claim(to);
	const draft = join(generationsIn(to), `.unfinished-${process.pid}`);
	try {
		return await onDisk(`The backup into ${to} was broken off, and older ones there are as they were`, async () => {
			await dropUnfinished(to);
			await makeFolder(join(draft, 'portals'));
			const older = newest(to);
			const accounts = await copyOf(join(dirs.dataDir, 'accounts.db'), accountsIn(draft), older && accountsIn(older.folder), older?.manifest.accounts?.digest);
			const portals = await copyPortals(dirs.storageDir, draft, older);
			const files = await copyFiles(dirs.dataDir, to);
			const key = keepKey(dirs.dataDir, to, MAC_KEY);
			const accountsKey = keepKey(dirs.dataDir, to, ACCOUNTS_KEY);
			const manifest: Manifest = { format: FORMAT, at: began, key, accountsKey, accounts, portals, files: files.kept };
			await writeFile(manifestIn(draft), JSON.stringify(manifest), { mode: 0o600, flush: true });
			await sync(join(draft, 'portals'));
			await sync(draft);
			const generation = new Date(began).toISOString().replaceAll(/[:.]/g, '-');
			await rename(draft, join(generationsIn(to), generation));
			await sync(generationsIn(to));
			return {
				generation,
				portals: portals.map(({ id, epoch, seq, bytes }) => ({ id, epoch, seq, bytes })),
				files: files.kept.length, copiedFiles: files.copied, damaged: files.damaged, tookMs: now() - began
			};
		});
	} finally {
		await rm(draft, { recursive: true, force: true });
		lock.close();
	}
}

interface Older {
	readonly folder: string;
	readonly manifest: Manifest;
}

/** The newest complete one, whose databases are linked where nothing changed. A damaged one is only no help. */
function newest(to: string): Older | null {
	const name = generationNames(to).at(-1);
	if (name === undefined) return null;
	const folder = join(generationsIn(to), name);
	try {
		return { folder, manifest: readManifest(folder) };
	} catch {
		return null;
	}
}

async function dropUnfinished(to: string): Promise<void> {
	if (!existsSync(generationsIn(to))) return;
	for (const name of await readdir(generationsIn(to))) if (name.startsWith('.unfinished-')) await rm(join(generationsIn(to), name), { recursive: true, force: true });
}

/** Two backups into one folder at a time would each take the other's for broken off. */
function claim(to: string): DatabaseSync {
	const lock = new DatabaseSync(join(to, 'backup.lock'), { timeout: 0 });
	try {
		lock.exec('begin exclusive');
		return lock;
	} catch {
		lock.close();
		throw new Problem(`Another backup into ${to} is under way.`);
	}
}

async function copyPortals(storageDir: string, draft: string, older: Older | null): Promise<Manifest['portals']> {
	const portals: Manifest['portals'] = [];
	const names = existsSync(storageDir) ? (await readdir(storageDir)).filter((name) => name.endsWith('.db')).sort() : [];
	for (const name of names) {
		const id = name.slice(0, -'.db'.length);
		if (!isPortalId(id)) continue;
		const copy = portalIn(draft, id);
		const file = await copyOf(join(storageDir, name), copy, older && portalIn(older.folder, id), older?.manifest.portals.find((portal) => portal.id === id)?.digest);
		portals.push({ id, ...headOf(copy), ...file! });
	}
	return portals;
}

/** A copy as of one moment, whole in its one file; the older copy itself where it says the same. */
async function copyOf(from: string, to: string, olderFile: string | null, olderDigest: string | undefined): Promise<{ digest: string; bytes: number } | null> {
	if (!existsSync(from)) return null;
	const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_MS });
	try {
		// With the read transaction held, what others write meanwhile does not make the copy begin again.
		source.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
		await copyDatabase(source, to, { rate: PAGES_PER_STEP });
	} finally {
		source.close();
	}
	chmodSync(to, 0o600);
	const copy = new DatabaseSync(to);
	copy.exec('PRAGMA journal_mode = DELETE');
	copy.close();
	await sync(to);
	const file = await digestOfFile(to);
	if (olderFile !== null && olderDigest === file.digest && (await sizeOf(olderFile)) === file.bytes) {
		await link(olderFile, `${to}.same`).then(() => rename(`${to}.same`, to), () => {
			// No links on this disk: two copies then.
		});
	}
	return file;
}

function headOf(file: string): { epoch: number; seq: number; chain: string } {
	const database = new DatabaseSync(file, { readOnly: true });
	try {
		const head = database.prepare('SELECT epoch, seq, lower(hex(chain)) AS chain FROM head').get() as { epoch: number; seq: number; chain: string } | undefined;
		if (!head) throw new Problem(`${file} has no head: run verify.`);
		return { ...head };
	} finally {
		database.close();
	}
}

async function copyFiles(dataDir: string, to: string): Promise<{ kept: Manifest['files']; copied: number; damaged: string[] }> {
	const kept: Manifest['files'] = [];
	const damaged: string[] = [];
	let copied = 0;
	for (const portal of await namesIn(join(dataDir, 'files'))) {
		if (!isPortalId(portal)) continue;
		for (const start of await namesIn(join(dataDir, 'files', portal))) {
			// Beside them lie uploads under way.
			if (!/^[0-9a-f]{2}$/.test(start)) continue;
			for (const digest of await namesIn(join(dataDir, 'files', portal, start))) {
				if (!/^[0-9a-f]{64}$/.test(digest)) continue;
				const from = blobIn(dataDir, portal as PortalId, digest);
				const target = blobIn(to, portal as PortalId, digest);
				const bytes = (await sizeOf(from)) ?? 0;
				const isThere = (await sizeOf(target)) === bytes;
				if (!isThere && !(await copyChecked(from, target, digest))) {
					damaged.push(from);
					continue;
				}
				if (!isThere) copied++;
				kept.push({ portal: portal as PortalId, digest, bytes });
			}
		}
	}
	return { kept, copied, damaged };
}

async function namesIn(folder: string): Promise<string[]> {
	try {
		return (await readdir(folder)).sort();
	} catch (error) {
		if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
		throw error;
	}
}

/** Into a folder of its own, so that the backup can be given away without it. */
function keepKey(dataDir: string, to: string, { file: name }: KeptKey): string | null {
	const file = join(dataDir, name);
	if (!existsSync(file)) return null;
	const key = readFileSync(file);
	const target = keyIn(to, name);
	if (existsSync(target) && !readFileSync(target).equals(key)) {
		// Of another DATA_DIR, or of before a restore without the key: what is sealed with it is still in older generations.
		writePrivately(join(dirname(target), `${name}.${digestOfKey(readFileSync(target)).slice(0, 12)}`), readFileSync(target));
	}
	mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
	writePrivately(target, key);
	return digestOfKey(key);
}
