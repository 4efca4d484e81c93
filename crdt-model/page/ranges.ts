/**
 * What a Y.Doc holds, asked in ranges of clocks.
 *
 * Promises: reads the struct store without changing it (Yjs's own lookups split items as they go); binary search per question.
 * The relay clips known ranges with it; a device accepts a pending edit when its shadow document holds all of it (DESIGN.md 6).
 * Leaves to others: whether held content *equals* the bytes. The relay checks that for the submitter's own ids (`clock-reuse`); a
 * device need not, because its shadow is fed by the relay alone.
 */
import type { Doc, GC, Item } from 'yjs';
import { CANONICAL_SCAN_LIMITS, scan } from './scan.ts';
import type { ClientDeletes, ScanResult } from './scan.ts';

export type Range = { readonly client: number; readonly from: number; readonly to: number };
export type Struct = Item | GC;

/** The next clock that the document expects of a client; 0 for a stranger. */
export function stateOf(doc: Doc, client: number): number {
	const structs = structsOf(doc, client);
	const last = structs?.[structs.length - 1];
	return last === undefined ? 0 : last.id.clock + last.length;
}

export function structsOf(doc: Doc, client: number): readonly Struct[] | undefined {
	return doc.store.clients.get(client) as readonly Struct[] | undefined;
}

/** Index of the struct that covers `clock`. The caller has checked `clock < stateOf(...)`. */
export function indexAt(structs: readonly Struct[], clock: number): number {
	let low = 0;
	let high = structs.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >>> 1;
		if (structs[middle]!.id.clock <= clock) low = middle;
		else high = middle - 1;
	}
	return low;
}

/** The struct that covers an id, or undefined when the document does not hold it. */
export function structAt(doc: Doc, client: number, clock: number): Struct | undefined {
	const structs = structsOf(doc, client);
	if (structs === undefined || clock >= stateOf(doc, client)) return undefined;
	return structs[indexAt(structs, clock)];
}

/** Calls `visit` for every held struct that overlaps `[from, to)`, in order, until it returns false. */
export function eachWithin(doc: Doc, client: number, from: number, to: number, visit: (struct: Struct) => boolean | void): void {
	const structs = structsOf(doc, client);
	if (structs === undefined || from >= stateOf(doc, client)) return;
	for (let i = indexAt(structs, from); i < structs.length; i++) {
		const struct = structs[i]!;
		if (struct.id.clock >= to || visit(struct) === false) return;
	}
}

/** Whether `[from, to)` lies wholly inside the delete ranges. Touching ranges count as one. */
export function covers(deletes: ClientDeletes | undefined, from: number, to: number): boolean {
	if (deletes === undefined) return false;
	const { ranges } = deletes;
	let at = from;
	for (let i = rangeAt(ranges, from); i < ranges.length && at < to; i++) {
		const range = ranges[i]!;
		if (range.from > at) return false;
		at = Math.max(at, range.to);
	}
	return at >= to;
}

/** The parts of `[from, to)` that no delete range covers. */
export function uncovered(deletes: ClientDeletes | undefined, from: number, to: number): { from: number; to: number }[] {
	const left: { from: number; to: number }[] = [];
	const ranges = deletes?.ranges ?? [];
	let at = from;
	for (let i = rangeAt(ranges, from); i < ranges.length && at < to; i++) {
		const range = ranges[i]!;
		if (range.from >= to) break;
		if (range.from > at) left.push({ from: at, to: range.from });
		at = Math.max(at, range.to);
	}
	if (at < to) left.push({ from: at, to });
	return left;
}

/** Index of the first range that ends after `clock`. */
function rangeAt(ranges: ClientDeletes['ranges'], clock: number): number {
	let low = 0;
	let high = ranges.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (ranges[middle]!.to <= clock) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** Appends a range, joining it to the last one when they touch. */
export function pushRange(ranges: Range[], client: number, from: number, to: number): void {
	const last = ranges[ranges.length - 1];
	if (last !== undefined && last.client === client && last.to === from) ranges[ranges.length - 1] = { client, from: last.from, to };
	else ranges.push({ client, from, to });
}

/** Whether the document holds every struct range of a scanned update and has deleted every target of its delete set. */
export function holdsScanned(doc: Doc, update: ScanResult): boolean {
	for (const block of update.blocks) if (block.to > stateOf(doc, block.client)) return false;
	for (const { client, ranges } of update.deletes.values()) {
		const state = stateOf(doc, client);
		for (const { from, to } of ranges) {
			if (to > state) return false;
			let living = false;
			eachWithin(doc, client, from, to, (struct) => {
				living = !struct.deleted;
				return !living;
			});
			if (living) return false;
		}
	}
	return true;
}

/** Whether the document holds all that these bytes say. Bytes that are no update are held by nobody. */
export function holds(doc: Doc, bytes: Uint8Array): boolean {
	const update = scan(bytes, CANONICAL_SCAN_LIMITS);
	return update.kind === 'scanned' && holdsScanned(doc, update);
}
