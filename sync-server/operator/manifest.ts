/**
 * What a backup says of itself: one `manifest.json` per generation, written last, so that a generation without one is none.
 *
 *   <folder>/generations/<time>/manifest.json, accounts.db, portals/<id>.db
 *   <folder>/files/<portal>/<aa>/<digest>      shared by all generations
 *   <folder>/keys/mac.key, accounts.key        beside the backup, not in it
 *
 * Whatever stands in it was written by somebody: it is read as strictly as a frame, and paths are made of ids and digests alone.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import { Problem } from './problem.ts';

/** Raised when a restore must do something else with what it finds. */
export const FORMAT = 1;
const MANIFEST = 'manifest.json';
/** 100,000 files are 10 MB of manifest. */
const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;

const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'no digest'));
const portalId = v.custom<PortalId>(isPortalId, 'no portal id');
const fileSchema = v.strictObject({ digest, bytes: count });

const manifestSchema = v.strictObject({
	format: v.literal(FORMAT),
	/** Milliseconds since 1970. */
	at: count,
	/** Which key the entries are sealed with, without saying it; null where there was none yet. */
	key: v.nullable(digest),
	/** Which key the accounts' vault has, in the same way; absent in backups of before there was one. */
	accountsKey: v.optional(v.nullable(digest)),
	accounts: v.nullable(fileSchema),
	portals: v.array(v.strictObject({ id: portalId, epoch: count, seq: count, chain: digest, ...fileSchema.entries })),
	files: v.array(v.strictObject({ portal: portalId, ...fileSchema.entries }))
});
export type Manifest = v.InferOutput<typeof manifestSchema>;

export const digestOfKey = (key: Uint8Array): string => createHash('sha256').update('atrium mac key').update(key).digest('hex');

export const generationsIn = (folder: string): string => join(folder, 'generations');
export const accountsIn = (generation: string): string => join(generation, 'accounts.db');
export const portalIn = (generation: string, id: PortalId): string => join(generation, 'portals', `${id}.db`);
export const blobIn = (folder: string, portal: PortalId, name: string): string => join(folder, 'files', portal, name.slice(0, 2), name);
/** `file`: its name, in DATA_DIR as in the backup. */
export const keyIn = (folder: string, file: string): string => join(folder, 'keys', file);
export const manifestIn = (generation: string): string => join(generation, MANIFEST);

/** Complete generations by name, oldest first: names are times. */
export function generationNames(folder: string): string[] {
	let names: string[];
	try {
		names = readdirSync(generationsIn(folder));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
		throw new Problem(`${folder} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
	}
	return names.filter((name) => /^\d{4}-[0-9TZ-]+$/.test(name)).sort();
}

/** @throws Problem where it is no manifest of ours */
export function readManifest(generation: string): Manifest {
	const file = manifestIn(generation);
	let value: unknown;
	try {
		const text = readFileSync(file);
		if (text.byteLength > MAX_MANIFEST_BYTES) throw new Problem(`${file} is too large to be a manifest.`);
		value = JSON.parse(text.toString('utf8'));
	} catch (error) {
		if (error instanceof Problem) throw error;
		if (error instanceof SyntaxError) throw new Problem(`${file} is not whole: it is no JSON.`);
		throw new Problem(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
	}
	const format = (value as { format?: unknown } | null)?.format;
	if (typeof format === 'number' && format !== FORMAT) throw new Problem(`${file} has format ${format}, and this program reads format ${FORMAT}: use the program that wrote it, or a newer one.`);
	const parsed = v.safeParse(manifestSchema, value, { abortEarly: true });
	if (!parsed.success) {
		const where = parsed.issues[0].path?.map(({ key }) => String(key)).join('.') ?? '';
		throw new Problem(`${file} is no manifest of a backup: ${where} ${parsed.issues[0].message}`.slice(0, 300));
	}
	const names = parsed.output.portals.map(({ id }) => id);
	if (new Set(names).size < names.length) throw new Problem(`${file} names a portal twice.`);
	return parsed.output;
}
