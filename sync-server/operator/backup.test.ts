/** `backup` and `restore` on real folders: what comes out is what went in (BAK-2), and whatever is wrong is one line. */
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { IdMaker, KINDS, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { writeOlderFile, writeOlderPortal } from '#storage/sqlite/older-file-suite.ts';
import { MIGRATIONS } from '../accounts/database.ts';
import { claimDataDir, readConfig, RESTORE_NOTE } from '../config.ts';
import { makeDemo } from '../import/demo.ts';
import { PortalWriter } from '../import/portal-writer.ts';
import { SMALL, tablesOf } from '../import/testing.ts';
import { startRelay } from '../main.ts';
import { backup, type BackupResult } from './backup.ts';
import { generationNames, readManifest } from './manifest.ts';
import { restore } from './restore.ts';
import { runVerify } from './run-verify.ts';
import { withStores } from './without-relay.ts';

const root = mkdtempSync(join(tmpdir(), 'atrium-backup-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let portal: PortalId;
let administrator: PersonId;
let folders = 0;
const fresh = (name: string) => join(root, `${name}-${++folders}`);
const dirsOf = (dataDir: string) => ({ dataDir, storageDir: join(dataDir, 'portals') });
const original = dirsOf(join(root, 'original'));
const blob = Buffer.from('the bytes of a file');
const digest = createHash('sha256').update(blob).digest('hex');

let now = Date.parse('2026-11-27T08:00:00Z');
const clock = () => (now += 1_000);

async function work(dirs: typeof original, title: string): Promise<void> {
	await withStores(dirs, async ({ portals }) => {
		const opened = (await portals.portal(portal))!;
		const writer = new PortalWriter(opened, new IdMaker(), clock());
		await writer.submit(administrator, [writer.command(writer.ids.document('task'), 'task.create', { title })]);
	});
}

beforeAll(async () => {
	mkdirSync(original.dataDir, { recursive: true });
	await withStores(original, async (world) => {
		const made = await makeDemo(await tablesOf({ ...SMALL }), world);
		portal = made.portal;
		administrator = [...(await world.portals.portal(portal))!.directory.people].find((person) => person.administrator)!.id as PersonId;
	});
	const folder = join(original.dataDir, 'files', portal, digest.slice(0, 2));
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, digest), blob);
	mkdirSync(join(original.dataDir, 'files', portal, 'uploads'));
	writeFileSync(join(original.dataDir, 'files', portal, 'uploads', 'half'), 'half');
});

/** Every row of every table, except where a restore writes. */
function contentOf(file: string): string {
	const database = new DatabaseSync(file, { readOnly: true });
	const hash = createHash('sha256');
	const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").all() as { name: string }[];
	for (const { name } of tables) {
		if (name === 'head') continue;
		const rows = database.prepare(`SELECT * FROM "${name}"`).all().map((row) => JSON.stringify(row, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)));
		hash.update(`${name} ${rows.sort().join('\n')}`);
	}
	database.close();
	return hash.digest('hex');
}
const said = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: Error) => error.message);

test('[BAK-2] backup and restore on an empty machine give the same content, verified, in a new epoch', async () => {
	const to = fresh('backup');
	const result = await backup(original, to, clock);
	expect(result).toMatchObject({ files: 1, copiedFiles: 1, damaged: [], portals: [{ id: portal, epoch: 1 }] });
	const other = dirsOf(fresh('machine'));
	const restored = await restore(other, { from: to, replace: false }, clock);
	expect(restored).toMatchObject({ epoch: 2, canHeal: true, canOpenVault: true, movedTo: [], files: 1, portals: [{ id: portal }] });
	for (const file of [['accounts.db'], ['portals', `${portal}.db`]]) expect(contentOf(join(other.dataDir, ...file))).toBe(contentOf(join(original.dataDir, ...file)));
	for (const file of [['mac.key'], ['accounts.key'], ['files', portal, digest.slice(0, 2), digest]]) expect(readFileSync(join(other.dataDir, ...file))).toEqual(readFileSync(join(original.dataDir, ...file)));
	expect(runVerify(other, () => {}).ok).toBe(true);
	for (const name of ['mac.key', 'accounts.key']) expect(statSync(join(to, 'keys', name)).mode & 0o777, name).toBe(0o600);
	expect(readdirSync(other.dataDir).sort()).toEqual(['accounts.db', 'accounts.key', 'files', 'mac.key', 'portals', 'relay.lock']);
	// It goes on, and a backup of it gives the same files once more.
	await work(other, 'afterwards');
	const again = await backup(other, fresh('backup'), clock);
	expect(again.portals[0]).toMatchObject({ epoch: 2, seq: restored.portals[0]!.seq + 1 });
});

describe.each([1, 2, 3])('a DATA_DIR of before an upgrade (portals of version %i)', (version) => {
	/** As an older release left it: its tables, its rows, its readers; accounts of its time. */
	function older(): typeof original {
		const dirs = dirsOf(fresh('older'));
		cpSync(original.dataDir, dirs.dataDir, { recursive: true });
		const file = join(dirs.storageDir, `${portal}.db`);
		rmSync(file);
		writeOlderPortal(join(original.storageDir, `${portal}.db`), file, version);
		const database = new DatabaseSync(file);
		database.exec(`UPDATE documents SET row = json_object('id', id, 'kind', kind, 'number', null, 'createdBy', '', 'createdAt', 0, 'updatedAt', 0, 'deleted', json('false'));
			UPDATE documents SET audience = '["all"]' WHERE scope = id; DELETE FROM reach; INSERT INTO reach SELECT id, 'all' FROM documents WHERE scope = id`);
		database.close();
		const accounts = join(dirs.dataDir, 'accounts.db');
		const own = new DatabaseSync(accounts);
		const made = own.prepare(`SELECT sql FROM sqlite_schema WHERE tbl_name IN ('user', 'session', 'account', 'verification') AND sql IS NOT NULL ORDER BY type DESC`).all() as { sql: string }[];
		own.close();
		rmSync(accounts);
		writeOlderFile(join(original.dataDir, 'accounts.db'), accounts, [...made.map(({ sql }) => sql), ...MIGRATIONS.slice(0, version * 2).flat()], { user_version: version * 2 });
		return dirs;
	}
	const headsIn = (dirs: typeof original) => withStores(dirs, async ({ portals }) => (await portals.portal(portal))!.store.headsOfKinds(KINDS));

	test('a backup of it is restored by this release and opens whole', async () => {
		const dirs = older();
		const to = fresh('backup');
		// Whichever release took it: files are copied as they are.
		await backup(dirs, to, clock);
		expect(runVerify(dirs, () => {}).portals[0], 'nobody has opened it').toMatchObject({ difference: null, notJudged: expect.stringContaining('older release') });

		const other = dirsOf(fresh('machine'));
		expect(await restore(other, { from: to, replace: false }, clock)).toMatchObject({ epoch: 2, canHeal: true, canOpenVault: true, files: 1 });
		const restored = runVerify(other, () => {});
		expect(restored.ok).toBe(true);
		expect(restored.portals[0]!.outdated).toEqual([...KINDS]);
		const { heads, signedIn } = await withStores(other, async ({ portals, accounts }) => {
			const opened = (await portals.portal(portal))!;
			const people = [...opened.directory.people].map(({ id }) => accounts.identityOf(portal, id as PersonId));
			return { heads: await opened.store.headsOfKinds(KINDS), signedIn: (await Promise.all(people)).filter((identity) => identity !== null).length };
		});
		expect(heads).toEqual(await headsIn(original));
		expect(signedIn).toBeGreaterThan(3);
		await work(other, 'afterwards');
		expect(runVerify(other, () => {})).toMatchObject({ ok: true, portals: [{ outdated: [] }] });
		expect((await backup(other, fresh('backup'), clock)).portals[0]).toMatchObject({ epoch: 2 });
	});

	test('it is opened where it lies, too, and verified then', async () => {
		const dirs = older();
		const lines: string[] = [];
		const relay = await startRelay({ ...readConfig({ PORT: '0' }), ...dirs, appDir: join(root, 'none') }, { log: (line) => lines.push(line) });
		try {
			await relay.services.portals.portal(portal);
			await relay.services.portals.portal(portal);
		} finally {
			await relay.close();
		}
		expect(lines).toEqual([expect.stringMatching(new RegExp(`${portal} was last opened by another release: \\d+ documents \\(settings, .*deal.*\\) were read anew in \\d+\\.\\d s, \\d+ of them say something else in lists$`))]);
		expect(await headsIn(dirs)).toEqual(await headsIn(original));
		expect(runVerify(dirs, () => {})).toMatchObject({ ok: true, portals: [{ notJudged: null, outdated: [] }] });
	});
});

test('a running relay is backed up while it writes, and its generation is of one moment', async () => {
	const { dataDir, storageDir } = dirsOf(fresh('running'));
	cpSync(original.dataDir, dataDir, { recursive: true });
	const relay = await startRelay({ ...readConfig({ PORT: '0' }), dataDir, storageDir, appDir: join(root, 'none') });
	try {
		const opened = (await relay.services.portals.portal(portal))!;
		const writer = new PortalWriter(opened, new IdMaker(), clock());
		let isOver = false;
		let written = 0;
		const writing = (async () => {
			while (!isOver) await writer.submit(administrator, [writer.command(writer.ids.document('task'), 'task.create', { title: `busy ${written++}` })]);
		})();
		const to = fresh('backup');
		let result: BackupResult;
		try {
			result = await backup({ dataDir, storageDir }, to, clock);
		} finally {
			isOver = true;
			await writing;
		}
		const other = dirsOf(fresh('machine'));
		await restore(other, { from: to, replace: false }, clock);
		expect(runVerify(other, () => {})).toMatchObject({ ok: true, portals: [{ entries: result.portals[0]!.seq }] });
		expect(await said(restore({ dataDir, storageDir }, { from: to, replace: true }, clock))).toBe(`A relay is running on ${dataDir}: stop it first.`);
	} finally {
		await relay.close();
	}
});

test('a second backup keeps the first, copies no file twice, and shares what did not change', async () => {
	const dirs = dirsOf(fresh('machine'));
	cpSync(original.dataDir, dirs.dataDir, { recursive: true });
	const to = fresh('backup');
	const first = await backup(dirs, to, clock);
	const same = await backup(dirs, to, clock);
	expect(same).toMatchObject({ files: 1, copiedFiles: 0 });
	const fileIn = (generation: string) => join(to, 'generations', generation, 'portals', `${portal}.db`);
	expect(statSync(fileIn(same.generation)).ino).toBe(statSync(fileIn(first.generation)).ino);
	await work(dirs, 'later');
	const third = await backup(dirs, to, clock);
	expect(third.portals[0]!.seq).toBe(first.portals[0]!.seq + 1);
	expect(generationNames(to)).toEqual([first.generation, same.generation, third.generation]);
	for (const { generation, portals: [expected] } of [first, third]) {
		const other = dirsOf(fresh('machine'));
		await restore(other, { from: to, generation, replace: false }, clock);
		expect(runVerify(other, () => {})).toMatchObject({ ok: true, portals: [{ entries: expected!.seq }] });
	}
});

test('a damaged file is named and left out, and the rest is there', async () => {
	const dirs = dirsOf(fresh('machine'));
	cpSync(original.dataDir, dirs.dataDir, { recursive: true });
	const file = join(dirs.dataDir, 'files', portal, digest.slice(0, 2), digest);
	writeFileSync(file, 'other bytes');
	const to = fresh('backup');
	expect(await backup(dirs, to, clock)).toMatchObject({ files: 0, damaged: [file] });
	expect(await said(restore(dirsOf(fresh('machine')), { from: to, replace: false }, clock))).toBe('done');
});

test('an epoch never comes twice, not over what is replaced and not from one backup to two machines', async () => {
	const to = fresh('backup');
	await backup(original, to, clock);
	const dirs = dirsOf(fresh('machine'));
	const epochs: number[] = [];
	for (let n = 0; n < 3; n++) epochs.push((await restore(dirs, { from: to, replace: n > 0 }, clock)).epoch);
	epochs.push((await restore(dirsOf(fresh('machine')), { from: to, replace: false }, clock)).epoch);
	rmSync(join(to, 'restored.json'));
	epochs.push((await restore(dirs, { from: to, replace: true }, clock)).epoch);
	expect(epochs).toEqual([2, 3, 4, 5, 5]);
});

test('what is there is not touched without --replace, and moved aside with it', async () => {
	const to = fresh('backup');
	await backup(original, to, clock);
	const dirs = dirsOf(fresh('machine'));
	cpSync(original.dataDir, dirs.dataDir, { recursive: true });
	await work(dirs, 'will be moved aside');
	const before = contentOf(join(dirs.storageDir, `${portal}.db`));
	expect(await said(restore(dirs, { from: to, replace: false }, clock))).toMatch(/is not empty: give --replace/);
	expect(contentOf(join(dirs.storageDir, `${portal}.db`))).toBe(before);
	const { movedTo } = await restore(dirs, { from: to, replace: true }, clock);
	expect(movedTo).toHaveLength(2);
	expect(contentOf(join(movedTo[1]!, `${portal}.db`))).toBe(before);
	expect(existsSync(join(movedTo[0]!, 'accounts.db'))).toBe(true);
	expect(contentOf(join(dirs.storageDir, `${portal}.db`))).toBe(contentOf(join(original.storageDir, `${portal}.db`)));
});

test('without its key a backup is restored and sealed anew, and says that devices cannot be believed', async () => {
	const to = fresh('backup');
	await backup(original, to, clock);
	copyFileSync(join(to, 'keys', 'mac.key'), join(root, 'apart.key'));
	copyFileSync(join(to, 'keys', 'accounts.key'), join(root, 'accounts.key'));
	rmSync(join(to, 'keys'), { recursive: true });
	const dirs = dirsOf(fresh('machine'));
	expect(await restore(dirs, { from: to, replace: false }, clock)).toMatchObject({ canHeal: false, canOpenVault: false });
	expect(existsSync(join(dirs.dataDir, 'accounts.key')), 'the relay makes itself a new one').toBe(false);
	expect(runVerify(dirs, () => {}).ok).toBe(true);
	expect(readFileSync(join(dirs.dataDir, 'mac.key'))).not.toEqual(readFileSync(join(original.dataDir, 'mac.key')));
	expect(await restore(dirs, { from: to, key: join(root, 'apart.key'), replace: true }, clock)).toMatchObject({ canHeal: true, canOpenVault: true });
	expect(readFileSync(join(dirs.dataDir, 'accounts.key'))).toEqual(readFileSync(join(original.dataDir, 'accounts.key')));
	writeFileSync(join(root, 'wrong.key'), Buffer.alloc(32));
	expect(await said(restore(dirs, { from: to, key: join(root, 'wrong.key'), replace: true }, clock))).toMatch(/is not the key that this backup was sealed with/);
});

test('a relay does not start on a restore that was broken off, and the next restore goes through', async () => {
	const to = fresh('backup');
	await backup(original, to, clock);
	const dirs = dirsOf(fresh('machine'));
	mkdirSync(dirs.dataDir);
	writeFileSync(join(dirs.dataDir, RESTORE_NOTE), '{}');
	const config = { ...readConfig({ PORT: '0' }), ...dirs, appDir: join(root, 'none') };
	expect(await said(startRelay(config))).toMatch(/^A restore into .* was broken off/);
	await restore(dirs, { from: to, replace: true }, clock);
	expect(existsSync(join(dirs.dataDir, RESTORE_NOTE))).toBe(false);
	await (await startRelay(config)).close();
});

describe('what is wrong with a backup is one line, and nothing was touched', () => {
	let to: string;
	let generation: string;
	beforeEach(async () => {
		to = fresh('backup');
		({ generation } = await backup(original, to, clock));
	});
	const manifestFile = () => join(to, 'generations', generation, 'manifest.json');
	const change = (edit: (manifest: Record<string, never>) => void) => () => {
		const manifest = JSON.parse(readFileSync(manifestFile(), 'utf8')) as Record<string, never>;
		edit(manifest);
		writeFileSync(manifestFile(), JSON.stringify(manifest));
	};
	const portalFile = () => join(to, 'generations', generation, 'portals', `${portal}.db`);
	const flip = (file: string, at: number) => {
		const bytes = readFileSync(file);
		bytes[at]! ^= 1;
		writeFileSync(file, bytes);
	};
	const cases: [string, () => void, RegExp][] = [
		['no manifest', () => rmSync(manifestFile()), /manifest\.json cannot be read \(ENOENT\)/],
		['half a manifest', () => truncateSync(manifestFile(), 100), /is not whole: it is no JSON/],
		['a newer format', change((manifest) => Object.assign(manifest, { format: 2 })), /has format 2, and this program reads format 1/],
		['a path for a name', change((manifest: any) => (manifest.portals[0].id = '../../etc/passwd')), /is no manifest of a backup: portals\.0\.id no portal id/],
		['a digest that is a path', change((manifest: any) => (manifest.files[0].digest = '../../../../x')), /files\.0\.digest no digest/],
		['a field too many', change((manifest) => Object.assign(manifest, { more: 1 })), /is no manifest of a backup/],
		['a portal twice', change((manifest: any) => manifest.portals.push(manifest.portals[0])), /names a portal twice/],
		['another seq', change((manifest: any) => manifest.portals[0].seq++), /speaks of another state of portal_/],
		['a portal cut short', () => truncateSync(portalFile(), 5_000), /has 5000 bytes instead of/],
		['a portal that is gone', () => rmSync(portalFile()), /is missing\.$/],
		['a byte of a portal', () => flip(portalFile(), 20_000), /is not what the manifest says/],
		['a byte of a file', () => flip(join(to, 'files', portal, digest.slice(0, 2), digest), 3), /is not what the manifest says/],
		['a byte of the accounts', () => flip(join(to, 'generations', generation, 'accounts.db'), 3_000), /is not what the manifest says/],
		['nothing at all', () => rmSync(join(to, 'generations'), { recursive: true }), /holds no backup/]
	];
	test.each(cases)('%s', async (_name, spoil, says) => {
		spoil();
		const dirs = dirsOf(fresh('machine'));
		expect(await said(restore(dirs, { from: to, replace: false }, clock))).toMatch(says);
		const left = existsSync(dirs.dataDir) ? readdirSync(dirs.dataDir) : [];
		expect(left.filter((name) => !name.startsWith('relay.lock') && name !== 'portals')).toEqual([]);
		expect(existsSync(dirs.storageDir) ? readdirSync(dirs.storageDir) : []).toEqual([]);
	});
	test('an entry that was changed, in a backup that was made to fit it', async () => {
		const database = new DatabaseSync(portalFile());
		database.exec(`UPDATE log SET author = (SELECT author FROM log WHERE seq = 1) WHERE seq = 40`);
		database.close();
		const bytes = readFileSync(portalFile());
		change((manifest: any) => Object.assign(manifest.portals[0], { digest: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength }))();
		expect(await said(restore(dirsOf(fresh('machine')), { from: to, replace: false }, clock))).toMatch(/^The backup does not say what was accepted: portal_.*: entry 40 of .* breaks the hash chain/);
	});
	test('a generation without a name, or another', async () => {
		expect(await said(restore(dirsOf(fresh('machine')), { from: to, generation: '../x', replace: false }, clock))).toMatch(/holds no generation "\.\.\/x"/);
		expect(await said(restore(dirsOf(fresh('machine')), { from: join(to, 'no'), replace: false }, clock))).toMatch(/is not there\.$/);
		expect(readManifest(join(to, 'generations', generation)).portals).toHaveLength(1);
	});
});

test('two backups into one folder, and one into its own source, are refused', async () => {
	const to = fresh('backup');
	const both = await Promise.all([said(backup(original, to, clock)), said(backup(original, to, clock))]);
	expect(both.sort()).toEqual([`Another backup into ${to} is under way.`, 'done']);
	expect(await said(backup(original, join(original.dataDir, 'backups'), clock))).toMatch(/lies inside .*: a backup must lie elsewhere/);
	expect(await said(backup(original, original.dataDir, clock))).toMatch(/lies inside/);
	const claim = claimDataDir(original.dataDir);
	// It needs no claim: a relay may hold it.
	expect(await said(backup(original, to, clock))).toBe('done');
	claim.release();
});
