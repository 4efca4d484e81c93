/**
 * `restore`: a generation of a backup becomes a DATA_DIR, in a new epoch.
 *
 * Promises: no relay runs meanwhile (the claim on DATA_DIR); everything is copied, checked by digest, brought to this version, verified and put into its new
 * epoch beside the old before anything of the old is touched; with `replace` the old is moved aside, never deleted; a restore that was broken off while moving
 * is noticed by the relay, which then does not start, and by the next restore, which begins anew.
 * An epoch must never come twice: it is raised above the backup's, above that of what is replaced, and above all that this backup folder was ever
 * restored to.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import { SqliteRelayStore } from '#storage/sqlite/relay-store.ts';
import { ACCOUNTS_KEY } from '../accounts/vault.ts';
import { claimDataDir, ConfigProblem, ensureFolder, RESTORE_NOTE, writePrivately, type Config } from '../config.ts';
import { beginEpochs } from '../log/restore.ts';
import { copyChecked, makeFolder, onDisk, sizeOf, sync } from './disk.ts';
import { type KeptKey, MAC_KEY } from './mac-key.ts';
import { accountsIn, blobIn, digestOfKey, generationNames, generationsIn, keyIn, portalIn, readManifest, type Manifest } from './manifest.ts';
import { Problem } from './problem.ts';
import { reseal } from './reseal.ts';
import { verifyPortal } from './verify.ts';

/** In the backup folder: the highest epoch that it was ever restored to. */
const EPOCHS = 'restored.json';
/** Built here, inside DATA_DIR and inside the portals' folder, so that moving in is a rename. */
const BUILDING = '.restoring';

export interface RestoreOptions {
	readonly from: string;
	/** The newest where none is named. */
	readonly generation?: string | undefined;
	/** A file with the key of the seals, where it was kept apart; the accounts' key is looked for beside it. */
	readonly key?: string | undefined;
	/** Moves what is there aside. */
	readonly replace: boolean;
}

export interface RestoreResult {
	readonly generation: string;
	/** When the backup was taken, in milliseconds since 1970. */
	readonly at: number;
	readonly epoch: number;
	readonly portals: readonly { readonly id: PortalId; readonly seq: number }[];
	readonly files: number;
	/** Whether devices can hand back what the backup lacks. */
	readonly canHeal: boolean;
	/** Whether what the accounts keep sealed (second factors, letters that wait) can be read; also where nothing is sealed. */
	readonly canOpenVault: boolean;
	/** Where the old lies; null where there was none. */
	readonly movedTo: readonly string[];
	readonly tookMs: number;
}

export async function restore(dirs: Pick<Config, 'dataDir' | 'storageDir'>, options: RestoreOptions, now: () => number): Promise<RestoreResult> {
	const began = now();
	const { from } = options;
	const { name, folder, manifest } = generationOf(options);
	let claim;
	try {
		claim = claimDataDir(dirs.dataDir);
	} catch (error) {
		if (error instanceof ConfigProblem && /^Another relay/.test(error.message)) throw new Problem(`A relay is running on ${dirs.dataDir}: stop it first.`);
		throw error;
	}
	const places = placesOf(dirs);
	try {
		ensureFolder('STORAGE_URL', dirs.storageDir);
		const old = places.flatMap(({ here }) => standing(here, dirs));
		if (old.length > 0 && !options.replace) throw new Problem(`${dirs.dataDir} is not empty: give --replace to move what is there aside (nothing is deleted), or name an empty DATA_DIR.`);
		return await onDisk('The restore was broken off, and nothing that was there is changed', async () => {
			const found = keyOf(options, manifest, dirs);
			const key = found ?? randomBytes(MAC_KEY.bytes);
			const accountsKey = accountsKeyOf(options, manifest, dirs);
			for (const { building } of places) await rm(building, { recursive: true, force: true });
			await build(manifest, folder, from, places);
			writePrivately(join(places[0]!.building, MAC_KEY.file), key);
			// Without it the relay makes itself a new one: what was sealed before stays closed, and nothing new is sealed with a key that was given away.
			if (accountsKey) writePrivately(join(places[0]!.building, ACCOUNTS_KEY.file), accountsKey);
			const epoch = Math.max(0, noted(from), ...epochsIn(dirs.storageDir));
			const store = await SqliteRelayStore.open(places[1]!.building);
			try {
				await beginEpochs(store, { above: Math.max(epoch, ...manifest.portals.map((portal) => portal.epoch)), at: began });
			} finally {
				await store.close();
			}
			for (const { id } of manifest.portals) {
				if (!found) reseal(join(places[1]!.building, `${id}.db`), id, key);
				const { difference, notJudged } = verifyPortal(join(places[1]!.building, `${id}.db`), id, key);
				if (notJudged !== null) throw new Problem(`The backup cannot be judged by this release: ${id}: ${notJudged}. Restore it with the release that wrote it.`);
				if (difference !== null) throw new Problem(`The backup does not say what was accepted: ${id}: ${difference}`);
			}
			const reached = Math.max(...epochsIn(places[1]!.building), 0);
			note(from, reached);
			const movedTo = await moveIn(dirs, places, new Date(began).toISOString().replaceAll(/[:.]/g, '-'));
			return {
				generation: name, at: manifest.at, epoch: reached,
				portals: manifest.portals.map(({ id, seq }) => ({ id, seq })),
				files: manifest.files.length, canHeal: found !== null, canOpenVault: accountsKey !== null || !manifest.accountsKey, movedTo, tookMs: now() - began
			};
		});
	} finally {
		for (const { building } of places) rmSync(building, { recursive: true, force: true });
		claim.release();
	}
}

function generationOf({ from, generation }: RestoreOptions): { name: string; folder: string; manifest: Manifest } {
	if (!existsSync(from)) throw new Problem(`${from} is not there.`);
	const names = generationNames(from);
	const name = generation ?? names.at(-1);
	if (name === undefined) throw new Problem(`${from} holds no backup.`);
	if (!names.includes(name)) throw new Problem(`${from} holds no generation ${JSON.stringify(name.slice(0, 60))}; there are ${names.slice(-5).join(', ')}.`);
	const folder = join(generationsIn(from), name);
	return { name, folder, manifest: readManifest(folder) };
}

/** Where things are built and where they go: DATA_DIR itself, and the portals' folder, which may lie on another disk. */
interface Place {
	readonly building: string;
	readonly here: string;
}
function placesOf({ dataDir, storageDir }: Pick<Config, 'dataDir' | 'storageDir'>): [Place, Place] {
	return [
		{ building: join(dataDir, BUILDING), here: dataDir },
		{ building: join(storageDir, BUILDING), here: storageDir }
	];
}

/** What of an earlier life lies there. */
function standing(folder: string, { dataDir, storageDir }: Pick<Config, 'dataDir' | 'storageDir'>): string[] {
	const isPortals = folder === storageDir;
	return readdirSync(folder)
		.filter((name) => {
			if (name === BUILDING || name === RESTORE_NOTE || name.startsWith('replaced-')) return false;
			if (isPortals) return /\.db(-wal|-shm|-journal)?$/.test(name);
			return !name.startsWith('relay.lock') && join(dataDir, name) !== storageDir;
		})
		.map((name) => join(folder, name));
}

/** The key that the backup was sealed with, wherever it is; null where it is not. */
function keyOf({ from, key: named }: RestoreOptions, manifest: Manifest, { dataDir }: Pick<Config, 'dataDir'>): Uint8Array | null {
	if (named !== undefined) {
		if (!existsSync(named)) throw new Problem(`${named} is not there.`);
		const key = keyAt(named, MAC_KEY, manifest.key);
		if (!key) throw new Problem(`${named} is not the key that this backup was sealed with.`);
		return key;
	}
	return keyAt(keyIn(from, MAC_KEY.file), MAC_KEY, manifest.key) ?? keyAt(join(dataDir, MAC_KEY.file), MAC_KEY, manifest.key);
}

function accountsKeyOf({ from, key: named }: RestoreOptions, { accountsKey }: Manifest, { dataDir }: Pick<Config, 'dataDir'>): Uint8Array | null {
	const folders = [...(named === undefined ? [] : [dirname(named)]), dirname(keyIn(from, ACCOUNTS_KEY.file)), dataDir];
	for (const folder of folders) {
		const key = keyAt(join(folder, ACCOUNTS_KEY.file), ACCOUNTS_KEY, accountsKey ?? null);
		if (key) return key;
	}
	return null;
}

/** The key in a file, if it is the one of that digest. */
function keyAt(file: string, { bytes }: KeptKey, digest: string | null): Uint8Array | null {
	if (!existsSync(file)) return null;
	const key = new Uint8Array(readFileSync(file));
	return key.byteLength === bytes && digestOfKey(key) === digest ? key : null;
}

async function build(manifest: Manifest, folder: string, from: string, [data, portals]: [Place, Place]): Promise<void> {
	await makeFolder(data.building);
	await makeFolder(portals.building);
	const take = async (source: string, to: string, { digest, bytes }: { digest: string; bytes: number }) => {
		const size = await sizeOf(source);
		if (size === null) throw new Problem(`The backup is not whole: ${source} is missing.`);
		if (size !== bytes) throw new Problem(`The backup is damaged: ${source} has ${size} bytes instead of ${bytes}.`);
		if (!(await copyChecked(source, to, digest))) throw new Problem(`The backup is damaged: ${source} is not what the manifest says.`);
	};
	if (manifest.accounts) await take(accountsIn(folder), join(data.building, 'accounts.db'), manifest.accounts);
	for (const portal of manifest.portals) {
		const file = join(portals.building, `${portal.id}.db`);
		await take(portalIn(folder, portal.id), file, portal);
		const head = headOf(file);
		if (head.epoch !== portal.epoch || head.seq !== portal.seq || head.chain !== portal.chain) throw new Problem(`The manifest speaks of another state of ${portal.id} than its file.`);
	}
	for (const file of manifest.files) await take(blobIn(from, file.portal, file.digest), blobIn(data.building, file.portal, file.digest), file);
}

/** Of a file that is only as trustworthy as its digest. */
function headOf(file: string): { epoch: number; seq: number; chain: string } {
	const database = new DatabaseSync(file, { readOnly: true });
	try {
		return { ...(database.prepare('SELECT epoch, seq, lower(hex(chain)) AS chain FROM head').get() as { epoch: number; seq: number; chain: string }) };
	} catch (error) {
		throw new Problem(`${file} cannot be read as a portal (${(error as Error).message}).`);
	} finally {
		database.close();
	}
}

/** Of the portals in a folder, as far as they can still be read. */
function epochsIn(folder: string): number[] {
	return readdirSync(folder).flatMap((name) => {
		if (!name.endsWith('.db') || !isPortalId(name.slice(0, -3))) return [];
		try {
			return [headOf(join(folder, name)).epoch];
		} catch {
			// What is replaced may be damaged: that is why it is.
			return [];
		}
	});
}

function noted(from: string): number {
	try {
		const { epoch } = JSON.parse(readFileSync(join(from, EPOCHS), 'utf8')) as { epoch?: unknown };
		return Number.isSafeInteger(epoch) ? (epoch as number) : 0;
	} catch {
		return 0;
	}
}
function note(from: string, epoch: number): void {
	try {
		writeFileSync(join(from, EPOCHS), JSON.stringify({ epoch }), { mode: 0o600, flush: true });
	} catch {
		// A backup that may only be read: then restoring it twice elsewhere is the operator's to avoid (docs/operations.md).
	}
}

/** From here on a crash leaves a mark: the relay does not start on half of it. */
async function moveIn(dirs: Pick<Config, 'dataDir' | 'storageDir'>, places: [Place, Place], stamp: string): Promise<string[]> {
	const mark = join(dirs.dataDir, RESTORE_NOTE);
	writePrivately(mark, `${JSON.stringify({ stamp })}\n`);
	await sync(dirs.dataDir);
	const movedTo: string[] = [];
	for (const { here } of places) {
		const old = standing(here, dirs);
		if (old.length === 0) continue;
		const aside = join(here, `replaced-${stamp}`);
		await makeFolder(aside);
		for (const file of old) await rename(file, join(aside, file.slice(here.length + 1)));
		movedTo.push(aside);
	}
	for (const { building, here } of [...places].reverse()) {
		for (const name of readdirSync(building)) if (name !== BUILDING) await rename(join(building, name), join(here, name));
		await rm(building, { recursive: true, force: true });
		await sync(here);
	}
	await rm(mark);
	await sync(dirs.dataDir);
	return movedTo;
}
