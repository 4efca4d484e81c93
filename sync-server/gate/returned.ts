/**
 * The gate for what a device hands back after a restore (SPEC H1–H6): an entry that this relay accepted in an epoch which is lost.
 *
 *   seal → held already → fits → apply → meet what was written since → enqueue
 *
 * The seal is the right: it proves that the entry was accepted once, under its author, with these bytes and this command. So nobody is asked again, and
 * nothing is believed that the seal does not cover. The old bytes go into the document as they are, because later entries build on their structs;
 * where a field was written by both epochs the later author's value stands, as in every meeting (DESIGN.md 3), and the other author is told.
 * Everything here runs in one turn of the event loop.
 */
import * as Y from 'yjs';
import * as decoding from 'lib0/decoding';
import { audienceOf, type World } from '#crdt-model/access/decide.ts';
import { RELAY, type PersonId } from '#crdt-model/ids.ts';
import type { EmployeeRow } from '#crdt-model/kinds/company-structure.ts';
import { CANONICAL_SCAN_LIMITS, scan, type Id, type ScannedStruct, type ScanResult } from '#crdt-model/page/scan.ts';
import { holdsScanned, stateOf, structAt } from '#crdt-model/page/ranges.ts';
import { collectionsOf, type BaseRow } from '#crdt-model/record/kind.ts';
import { isLater, rowOf, type Overruled } from '#crdt-model/record/plan.ts';
import { FIELDS_ROOT, readFromDoc, writeToDoc, type Cell, type Path, type RecordState, type Write } from '#crdt-model/record/state.ts';
import type { Returning } from '#crdt-model/wire/down.ts';
import type { Sealed } from '#crdt-model/wire/up.ts';
import type { Draft } from '../log/portal-log.ts';
import { headOf } from './head.ts';
import { isRelayClient, type Room } from '../room/rooms.ts';

export interface ReturnedGate {
	readonly world: World;
	/** Whether another record got this number in the present epoch. */
	isTaken(kind: string, number: number): boolean;
	nextNumber(kind: string): number;
	numberGiven(kind: string, number: number): void;
	/** Whether the command has an answer in the present epoch: its author sent it again, or it came back already. */
	isAnswered(entry: Sealed): boolean;
	takeIntoDirectory(row: BaseRow): boolean;
}

export type ReturnedAdmission =
	| { readonly kind: 'admitted'; readonly draft: Draft; readonly bindIds: readonly number[] }
	| { readonly kind: 'settled'; readonly fate: Returning }
	/** The document may be half changed and is read anew. */
	| { readonly kind: 'evict'; readonly fate: Returning };

/** @param by who brings it @param entry whose seal was checked */
export function admitReturned(gate: ReturnedGate, room: Room, entry: Sealed, by: PersonId): ReturnedAdmission {
	const update = scan(entry.bytes, CANONICAL_SCAN_LIMITS);
	// Sealed by this relay and yet unreadable: made by a version that is gone.
	if (update.kind === 'refused') return { kind: 'settled', fate: 'refused' };
	const isNothing = update.structCount === 0 && update.deleteCount === 0;
	if (isNothing ? entry.command === null || gate.isAnswered(entry) : holdsScanned(room.doc, update)) return { kind: 'settled', fate: 'taken' };
	if ((isNothing && room.row === null) || !fits(room.doc, update)) return { kind: 'settled', fate: 'waiting' };
	const before = room.row;
	const readersBefore = before ? audienceOf(before, gate.world) : [];
	try {
		const { bytes, overruled, row } = isNothing ? { bytes: entry.bytes, overruled: [], row: before! } : merge(gate, room, entry, update);
		// Who was promoted before comes back by another entry: whoever holds that one back leaves nobody without a company to administer (A6).
		if (takesLastAdministrator(gate.world, before, row)) return { kind: 'evict', fate: 'waiting' };
		const isAnswered = entry.command !== null && gate.isAnswered(entry);
		room.docSeq++;
		const changesRights = gate.takeIntoDirectory(row);
		const draft: Draft = {
			document: room.id,
			docSeq: room.docSeq,
			author: entry.author,
			authoredAt: entry.authoredAt,
			acceptedAt: entry.acceptedAt,
			returned: { docSeq: entry.docSeq, by },
			// What its author sent again is in the history once; these bytes are kept because later ones build on them.
			command: isAnswered ? null : entry.command,
			overruled,
			swallowed: [],
			bytes,
			head: headOf(room, row),
			readersBefore,
			readersAfter: audienceOf(row, gate.world),
			origin: null,
			changesRights
		};
		const bindIds = room.kind.content ? update.blocks.map(({ client }) => client).filter((client) => !isRelayClient(client) && !room.owners.has(client)) : [];
		return { kind: 'admitted', draft, bindIds };
	} catch {
		// Yjs or a row function threw on what this relay once made: nothing of it may stay in memory.
		return { kind: 'evict', fate: 'refused' };
	}
}

function takesLastAdministrator({ directory }: World, before: BaseRow | null, row: BaseRow): boolean {
	if (row.kind !== 'employee' || !before || directory.administrators > 1 || !directory.isAdministrator(row.id as PersonId)) return false;
	const { active, administrator, guest } = row as EmployeeRow;
	return !active || !administrator || guest;
}

/** Whether everything that the update builds on is in the document or in the update itself. */
function fits(doc: Y.Doc, { blocks, deletes }: ScanResult): boolean {
	const until = new Map(blocks.map(({ client, to }) => [client, to]));
	const isThere = (id: Id | null) => id === null || id.clock < Math.max(stateOf(doc, id.client), until.get(id.client) ?? 0);
	for (const { client, clock, structs } of blocks) {
		if (clock > stateOf(doc, client)) return false;
		if (!structs.every(({ origin, rightOrigin, parentId }) => isThere(origin) && isThere(rightOrigin) && isThere(parentId))) return false;
	}
	for (const { client, ranges } of deletes.values()) if (ranges.some(({ to }) => !isThere({ client, clock: to - 1 }))) return false;
	return true;
}

function merge(gate: ReturnedGate, room: Room, entry: Sealed, update: ScanResult): { bytes: Uint8Array; overruled: Overruled[]; row: BaseRow } {
	const { doc, kind } = room;
	const roots = new Set([FIELDS_ROOT, ...collectionsOf(kind)]);
	const standing = room.state;
	let state: RecordState = standing;
	const overruled: Overruled[] = [];
	const emitted: Uint8Array[] = [];
	const keep = (bytes: Uint8Array) => void emitted.push(bytes);
	doc.on('update', keep);
	try {
		doc.transact((transaction) => {
			Y.applyUpdate(doc, entry.bytes);
			// Yjs takes the whole transaction for another's by now, and would draw a new client id when it meets what is mended below.
			transaction.local = true;
			const wanted = meet(gate, kind.numbered === true && room.row === null ? kind.kind : null, standing, broughtCells(doc, roots, update), entry, overruled);
			const now = readFromDoc(doc, collectionsOf(kind));
			const mending: Write[] = [...wanted].filter(([path, cell]) => !sameCell(now.get(path), cell)).map(([path, cell]) => ({ path, cell }));
			if (mending.length > 0) writeToDoc(doc, mending, null);
			state = mending.length > 0 ? readFromDoc(doc, collectionsOf(kind)) : now;
		}, null);
	} finally {
		doc.off('update', keep);
	}
	if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null) throw new Error('an entry did not fit after all');
	const row = rowOf(kind, room.id, state);
	if (!row || emitted.length !== 1) throw new Error('an entry leaves no record');
	room.state = state;
	room.row = row;
	return { bytes: emitted[0]!, overruled, row };
}

/** What each field must say when both epochs have met, where Yjs alone would decide by client ids. */
function meet(
	gate: ReturnedGate,
	/** Where the entry makes a record that has a number. */
	numbers: string | null,
	standing: RecordState,
	brought: ReadonlyMap<Path, Cell>,
	{ command }: Sealed,
	overruled: Overruled[]
): Map<Path, Cell> {
	const wanted = new Map(standing);
	for (const [path, cell] of brought) {
		const there = standing.get(path);
		// What its author saw it replaces, whatever the clocks say.
		const wasSeen = there === undefined || (command !== null && Object.hasOwn(command.seen, path) && command.seen[path] === there.command);
		const stands = wasSeen || isLater(cell, there);
		if (stands) wanted.set(path, cell);
		if (!wasSeen && differs(cell, there)) overruled.push(stands ? { path, stands: cell, gaveWay: there } : { path, stands: there, gaveWay: cell });
	}
	const number = brought.get('number');
	if (numbers !== null && number?.by === RELAY && typeof number.value === 'number') {
		if (gate.isTaken(numbers, number.value)) wanted.set('number', { ...number, value: gate.nextNumber(numbers) });
		else gate.numberGiven(numbers, number.value);
	}
	return wanted;
}

/** The cells that the entry wrote, whether or not Yjs let them stand. */
function broughtCells(doc: Y.Doc, roots: ReadonlySet<string>, update: ScanResult): Map<Path, Cell> {
	const inside = new Map<string, ScannedStruct>();
	for (const { structs } of update.blocks) for (const struct of structs) inside.set(`${struct.client}:${struct.clock}`, struct);
	const cells = new Map<Path, Cell>();
	for (const struct of inside.values()) {
		if (struct.kind !== 'any' || struct.length !== 1) continue;
		const path = pathOf(doc, roots, inside, struct);
		const cell = path === null ? null : cellIn(update.bytes, struct);
		if (path !== null && cell !== null) cells.set(path, cell);
	}
	return cells;
}

/** Where a cell stands: by what the document knows of it, else by the update's own words, since Yjs forgets what lies inside a lost map. */
function pathOf(doc: Y.Doc, roots: ReadonlySet<string>, inside: ReadonlyMap<string, ScannedStruct>, struct: ScannedStruct): Path | null {
	const item = structAt(doc, struct.client, struct.clock);
	if (item instanceof Y.Item && item.parent instanceof Y.AbstractType && item.parentSub !== null) {
		const { parent, parentSub } = item;
		const holder = parent._item;
		if (holder === null) return rootPath(doc, roots, parent, parentSub);
		const collection = holder.parent instanceof Y.AbstractType && holder.parentSub !== null ? rootPath(doc, roots, holder.parent, holder.parentSub) : null;
		return collection === null ? null : `${collection}/${parentSub}`;
	}
	if (struct.parentSub === null) return null;
	if (struct.parentRoot !== null) return named(roots, struct.parentRoot, struct.parentSub);
	const holder = struct.parentId && inside.get(`${struct.parentId.client}:${struct.parentId.clock}`);
	return holder?.parentRoot && roots.has(holder.parentRoot) && holder.parentSub !== null ? `${holder.parentRoot}/${holder.parentSub}/${struct.parentSub}` : null;
}

function rootPath(doc: Y.Doc, roots: ReadonlySet<string>, root: Y.AbstractType<unknown>, key: string): Path | null {
	for (const [name, type] of doc.share) if (type === root) return named(roots, name, key);
	return null;
}
/** Null for what is no field of the kind: content has keys of its own. */
function named(roots: ReadonlySet<string>, root: string, key: string): Path | null {
	return !roots.has(root) ? null : root === FIELDS_ROOT ? key : `${root}/${key}`;
}

function cellIn(bytes: Uint8Array, { contentAt, end }: ScannedStruct): Cell | null {
	const decoder = decoding.createDecoder(bytes.subarray(contentAt, end));
	if (decoding.readVarUint(decoder) !== 1) return null;
	const stored: unknown = decoding.readAny(decoder);
	if (!Array.isArray(stored) || stored.length !== 4) return null;
	const [value, at, by, command] = stored as [Cell['value'], number, Cell['by'], Cell['command']];
	return { value, at, by, command };
}

function differs(a: Cell, b: Cell): boolean {
	return a.by !== b.by && JSON.stringify(a.value) !== JSON.stringify(b.value);
}
function sameCell(a: Cell | undefined, b: Cell): boolean {
	return a !== undefined && a.command === b.command && a.at === b.at && JSON.stringify(a.value) === JSON.stringify(b.value);
}
