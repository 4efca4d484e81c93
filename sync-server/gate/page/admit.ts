/**
 * The gate for client updates of pages and texts, as a visible list: size and syntax → ids, gaps and shape → rights → apply → check again.
 *
 * Promises: a refusal has changed nothing; an `accepted` has left nothing pending and changed no root, id or range that the preview did
 * not name; what is stored and sent is what the relay's document emitted, never the client's bytes; nothing throws.
 * After `evict` the document may be half changed: drop it and load it again, and answer the client with the code.
 * Leaves to others: binding ids, storing, numbering, sending, quotas beyond one update, and doing all that in one turn of the event loop
 * (DESIGN.md 5: decide, apply and enqueue never wait).
 *
 * The relay's document never writes by itself. After a *remote* transaction that touched a text with formats, Yjs 13.6 removes redundant
 * format items in a transaction of its own (`cleanupYTextAfterTransaction`). It makes no structs, so no id of the relay appears,
 * but it deletes: nobody's edit in somebody's entry, and a document that a rebuild from the log does not reproduce. `rules.ts` allows no
 * formats, so it cannot start; should a rule ever allow them, the flag is cleared here before Yjs looks at it (it reads the flag after
 * `afterTransaction`). Whoever loads such a document from its log must do the same. Exit: Yjs 14 cleans up only locally.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { eachWithin, pushRange, stateOf, uncovered } from '#crdt-model/page/ranges.ts';
import type { Range } from '#crdt-model/page/ranges.ts';
import { PAGE_SCAN_LIMITS, scan } from '#crdt-model/page/scan.ts';
import type { ScanLimits, ScannedStruct, ScanResult } from '#crdt-model/page/scan.ts';
import { preview } from './preview.ts';
import type { OwnerOf, PageRefusalCode, Preview, Refusal } from './preview.ts';
import type { PageRules } from './rules.ts';

export type Submitter = {
	readonly ownerOf: OwnerOf;
	/** Rights and quota, on a preview that neither mutated nor cloned. Asked only when there is something new. */
	readonly mayWrite: (preview: Preview) => boolean;
	/** Whether so many new ids may be bound to them; without it any number. */
	readonly mayBind?: (count: number) => boolean;
	/** Becomes the transaction's origin, for the document's own listeners. */
	readonly origin: unknown;
};

export type Accepted = {
	readonly kind: 'accepted';
	/** What the document emitted: to be stored and sent. Null is never seen today; an update without effect is `known`. */
	readonly canonical: Uint8Array | null;
	readonly newRanges: readonly Range[];
	readonly deletions: readonly Range[];
	/** New content that Yjs threw away because its parent is deleted, and that the author did not delete. */
	readonly swallowed: readonly Range[];
	/** Ids to bind to the submitter in the transaction that stores the entry. */
	readonly bindIds: readonly number[];
};
export type Admission =
	| Accepted
	| { readonly kind: 'known' }
	| Refusal
	| { readonly kind: 'evict'; readonly code: PageRefusalCode; readonly detail: string };

export function admitUpdate(
	doc: Y.Doc,
	bytes: Uint8Array,
	rules: PageRules,
	submitter: Submitter,
	limits: ScanLimits = PAGE_SCAN_LIMITS,
): Admission {
	const scanned = scan(bytes, limits);
	if (scanned.kind === 'refused') return { kind: 'refused', code: scanned.code, detail: `${scanned.detail} at byte ${scanned.at}` };

	const seen = preview(doc, scanned, rules, submitter.ownerOf);
	if (seen.kind === 'refused') return seen;
	if (seen.newRanges.length === 0 && seen.deletions.length === 0) return { kind: 'known' };

	if (!submitter.mayWrite(seen)) return { kind: 'refused', code: 'denied', detail: 'no right to write' };
	if (seen.bindIds.length > 0 && submitter.mayBind?.(seen.bindIds.length) === false) return { kind: 'refused', code: 'too-much', detail: 'too many new client ids' };

	return apply(doc, clip(scanned, seen), scanned, seen, rules, submitter.origin);
}

/**
 * The update without what the relay holds. Known structs would cost Yjs lookups that split the store's items (quadratic for a resent
 * text), and their origins are claims that nobody has checked: a false one cuts a surrogate pair in two and leaves no trace in the log
 * (found by the fuzzer). So a struct that begins with a known part is cut here, as Yjs itself writes a struct from an offset.
 */
function clip(update: ScanResult, seen: Preview): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, seen.fresh.length);
	for (const { block, first, state } of seen.fresh) {
		const start = block.structs[first]!;
		encoding.writeVarUint(encoder, block.structs.length - first);
		encoding.writeVarUint(encoder, block.client);
		encoding.writeVarUint(encoder, state);
		const isCut = start.clock < state;
		if (isCut) writeTail(encoder, start, state, update.bytes);
		encoding.writeUint8Array(encoder, update.bytes.subarray(isCut ? start.end : start.at, block.structs[block.structs.length - 1]!.end));
	}
	const deletes = new Map<number, Range[]>();
	const add = (range: Range) => {
		const ranges = deletes.get(range.client);
		if (ranges === undefined) deletes.set(range.client, [range]);
		else ranges.push(range);
	};
	seen.deletions.forEach(add);
	for (const { block, state } of seen.fresh) {
		for (const { from, to } of update.deletes.get(block.client)?.ranges ?? []) {
			if (to > state) add({ client: block.client, from: Math.max(from, state), to });
		}
	}
	encoding.writeVarUint(encoder, deletes.size);
	for (const [client, ranges] of deletes) {
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, ranges.length);
		for (const { from, to } of ranges) {
			encoding.writeVarUint(encoder, from);
			encoding.writeVarUint(encoder, to - from);
		}
	}
	return encoding.toUint8Array(encoder);
}

/** The part of a struct from `state` on. Its left neighbour is the known part, and with a neighbour no parent is written. */
function writeTail(encoder: encoding.Encoder, struct: ScannedStruct, state: number, bytes: Uint8Array): void {
	const offset = state - struct.clock;
	const decoder = decoding.createDecoder(bytes);
	decoder.pos = struct.contentAt;
	if (struct.kind === 'gc') {
		encoding.writeUint8(encoder, 0);
		encoding.writeVarUint(encoder, struct.length - offset);
		return;
	}
	encoding.writeUint8(encoder, (bytes[struct.at]! & 0x1f) | 0x80 | (struct.rightOrigin === null ? 0 : 0x40));
	encoding.writeVarUint(encoder, struct.client);
	encoding.writeVarUint(encoder, state - 1);
	if (struct.rightOrigin !== null) {
		encoding.writeVarUint(encoder, struct.rightOrigin.client);
		encoding.writeVarUint(encoder, struct.rightOrigin.clock);
	}
	if (struct.kind === 'string') {
		encoding.writeVarString(encoder, decoding.readVarString(decoder).slice(offset));
		return;
	}
	encoding.writeVarUint(encoder, struct.length - offset);
	if (struct.kind === 'deleted') return;
	// Values: 'any' and 'json' are the only others longer than one clock.
	decoding.readVarUint(decoder);
	for (let i = 0; i < offset; i++) struct.kind === 'any' ? decoding.readAny(decoder) : decoding.readVarString(decoder);
	encoding.writeUint8Array(encoder, bytes.subarray(decoder.pos, struct.end));
}

function apply(doc: Y.Doc, bytes: Uint8Array, update: ScanResult, seen: Preview, rules: PageRules, origin: unknown): Admission {
	const emitted: Uint8Array[] = [];
	const transactions: Y.Transaction[] = [];
	const onUpdate = (canonical: Uint8Array) => void emitted.push(canonical);
	const onTransaction = (transaction: Y.Transaction) => {
		transactions.push(transaction);
		// Private in Yjs; see the head of this file. A Yjs without it sets a property that nobody reads.
		(transaction as unknown as { _needFormattingCleanup: boolean })._needFormattingCleanup = false;
	};
	const { clientID } = doc;
	const roots = new Set(doc.share.keys());
	doc.on('update', onUpdate);
	doc.on('afterTransaction', onTransaction);
	try {
		Y.applyUpdate(doc, bytes, origin);
	} catch (thrown) {
		return evict('malformed', thrown instanceof Error ? thrown.message : 'Yjs threw');
	} finally {
		doc.off('update', onUpdate);
		doc.off('afterTransaction', onTransaction);
	}
	const wrong = check(doc, seen, rules, transactions, clientID, roots);
	if (wrong !== null) return wrong;
	return {
		kind: 'accepted',
		canonical: emitted.length === 0 ? null : emitted.length === 1 ? emitted[0]! : Y.mergeUpdates(emitted),
		newRanges: seen.newRanges,
		deletions: seen.deletions,
		swallowed: swallowedBy(doc, update, seen),
		bindIds: seen.bindIds,
	};
}

function evict(code: PageRefusalCode, detail: string): Admission {
	return { kind: 'evict', code, detail };
}

/** The check of last resort: Yjs itself says what happened, and it must be what the preview promised. */
function check(
	doc: Y.Doc,
	seen: Preview,
	rules: PageRules,
	transactions: readonly Y.Transaction[],
	clientID: number,
	rootsBefore: ReadonlySet<string>,
): Admission | null {
	if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null) return evict('missing-dependency', 'something stayed pending');
	if (doc.clientID !== clientID) return evict('foreign', 'wrote under the id of the relay');
	for (const name of doc.share.keys()) {
		if (!rootsBefore.has(name) && !rules.roots.has(name)) return evict('bad-shape', `made root ${name}`);
	}
	const promised = new Map(seen.newRanges.map((range) => [range.client, range]));
	for (const { client, to } of seen.newRanges) if (stateOf(doc, client) !== to) return evict('gap', `${client} not at ${to}`);
	for (const transaction of transactions) {
		for (const [client, clock] of transaction.afterState) {
			if (clock !== (transaction.beforeState.get(client) ?? 0) && !promised.has(client)) return evict('foreign', `${client} moved`);
		}
		for (const type of transaction.changed.keys()) {
			const root = rootOf(doc, type as Y.AbstractType<unknown>);
			if (root === null || !seen.roots.has(root)) return evict('bad-shape', `changed root ${root}`);
		}
	}
	return null;
}

function rootOf(doc: Y.Doc, type: Y.AbstractType<unknown>): string | null {
	let at = type;
	while (at._item !== null) {
		const { parent } = at._item;
		// Items keep their parent even after they were collected; one without it is a document in disorder.
		if (!(parent instanceof Y.AbstractType)) return null;
		at = parent as Y.AbstractType<unknown>;
	}
	for (const [name, shared] of doc.share) if (shared === at) return name;
	return null;
}

/**
 * Read off the result rather than foretold: a parent may also die by this very update, when the person deleted it in one tab and
 * typed into it in another. A value that merely lost to a concurrent one under the same key is overwritten, not swallowed.
 */
function swallowedBy(doc: Y.Doc, update: ScanResult, seen: Preview): Range[] {
	const lost: Range[] = [];
	for (const { client, from, to } of seen.newRanges) {
		for (const part of uncovered(update.deletes.get(client), from, to)) {
			eachWithin(doc, client, part.from, part.to, (struct) => {
				const item = struct instanceof Y.Item ? struct : null;
				if (!struct.deleted || (item !== null && !(item.parent as Y.AbstractType<unknown>)._item?.deleted)) return;
				pushRange(lost, client, Math.max(part.from, struct.id.clock), Math.min(part.to, struct.id.clock + struct.length));
			});
		}
	}
	return lost;
}
