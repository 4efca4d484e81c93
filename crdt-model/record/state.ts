/**
 * The plain state of a record: what a Y.Doc of ours says, as a map from path to cell.
 *
 * A path is `field`, `collection/key` or `collection/key/part`. A cell keeps, beside the value, who wrote it, when, and
 * by which command: the command id is what compare-and-set compares, the time is what settles two writers (SPEC M4–M6).
 *
 * Commands are planned on this state and never on a Y.Doc, so a refusal touches nothing and the same code serves relay and device.
 */
import * as Y from 'yjs';
import type { CommandId, PersonId } from '../ids.ts';

export type Path = string;
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Cell {
	readonly value: Json;
	/** Milliseconds since 1970, the author's clock, never later than the relay's at acceptance. */
	readonly at: number;
	readonly by: PersonId;
	readonly command: CommandId;
}

export type RecordState = ReadonlyMap<Path, Cell>;

export interface Write {
	readonly path: Path;
	readonly cell: Cell;
}

export const EMPTY_STATE: RecordState = new Map();

/** The root that holds plain fields. In pages and texts it stands beside the content, and clients' updates may not touch it. */
export const FIELDS_ROOT = 'record';

export function applyWrites(state: RecordState, writes: readonly Write[]): RecordState {
	if (writes.length === 0) return state;
	const next = new Map(state);
	for (const { path, cell } of writes) next.set(path, cell);
	return next;
}

type StoredCell = [value: Json, at: number, by: PersonId, command: CommandId];

/** Writes into the record's Yjs document: scalars in one map, each collection in its own, items as nested maps. */
export function writeToDoc(doc: Y.Doc, writes: readonly Write[], origin: unknown): void {
	doc.transact(() => {
		for (const { path, cell } of writes) {
			const stored: StoredCell = [cell.value, cell.at, cell.by, cell.command];
			const [first, key, part] = path.split('/') as [string, string?, string?];
			if (key === undefined) doc.getMap(FIELDS_ROOT).set(first, stored);
			else if (part === undefined) doc.getMap(first).set(key, stored);
			else {
				const collection = doc.getMap<Y.Map<unknown>>(first);
				let item = collection.get(key);
				if (!(item instanceof Y.Map)) {
					item = new Y.Map<unknown>();
					collection.set(key, item);
				}
				item.set(part, stored);
			}
		}
	}, origin);
}

/**
 * Reads the state back.
 * @param collections the roots of the kind beside its fields; roots that the kind does not declare are not looked at
 */
export function readFromDoc(doc: Y.Doc, collections: readonly string[]): RecordState {
	const state = new Map<Path, Cell>();
	doc.getMap(FIELDS_ROOT).forEach((stored, field) => put(state, field, stored));
	for (const name of collections) {
		doc.getMap(name).forEach((stored, key) => {
			if (stored instanceof Y.Map) stored.forEach((inner, part) => put(state, `${name}/${key}/${part}`, inner));
			else put(state, `${name}/${key}`, stored);
		});
	}
	return state;
}

function put(state: Map<Path, Cell>, path: Path, stored: unknown): void {
	const [value, at, by, command] = stored as StoredCell;
	state.set(path, { value, at, by, command });
}

/** The value at a path, or undefined where nobody wrote one. */
export function valueAt(state: RecordState, path: Path): Json | undefined {
	return state.get(path)?.value;
}

/** The keys of a collection that have any cell. Their order means nothing: replicas differ in it. */
export function keysOf(state: RecordState, collection: string): string[] {
	const keys = new Set<string>();
	const prefix = `${collection}/`;
	for (const path of state.keys()) {
		if (!path.startsWith(prefix)) continue;
		const end = path.indexOf('/', prefix.length);
		keys.add(end === -1 ? path.slice(prefix.length) : path.slice(prefix.length, end));
	}
	return [...keys];
}
