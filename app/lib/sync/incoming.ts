/**
 * What the relay says, applied: entries, gained and lost documents, and the cursor. Each function is the work of ONE transaction.
 *
 * Promises: canonical state, rows, pending work and cursor change together; an entry that was applied already changes nothing;
 * a missing entry is noticed (`Hole`) and nothing of its frame is applied; only canonical bytes reach canonical state.
 * Leaves to others: what a refusal does (settle.ts), the connection (engine.ts), open pages (pages.ts).
 */
import type { CommandId, DocumentId, KindName } from '#crdt-model/ids.ts';
import { holds } from '#crdt-model/page/ranges.ts';
import type { RecordState } from '#crdt-model/record/state.ts';
import { digestOf, type SetDigest } from '#crdt-model/wire/digest.ts';
import type { Entry, Snapshot } from '#crdt-model/wire/down.ts';
import type { Cursor } from '#crdt-model/wire/up.ts';
import type { AsideItem, Pending, ReplicaTransaction, StoredRow } from '#storage/replica-contract.ts';
import * as Y from 'yjs';
import { asideOverruled, hideAside, recordUnder, titleOf, titleOfRow } from './aside.ts';
import { documentsOf, outcome, type Outcome } from './outcome.ts';
import { asidePending } from './settle.ts';
import { docOf } from './shadows.ts';
import { typedText } from './update-bytes.ts';
import { byDocument, hasContent, refreshRows, stateOfDoc, type ViewContext } from './view.ts';
import { refuse } from '#crdt-model/wire/refusal.ts';

/** Updates of a page that may lie after its compacted bytes: loading them takes a few milliseconds. */
const COMPACT_AFTER = 64;

export interface IncomingContext extends ViewContext {
	/** Answered with `accepted` but not yet reached by the cursor: pending id → seq. */
	readonly accepted: ReadonlyMap<string, number>;
}

/** An entry is missing before this one: the document must come anew. */
export class Hole extends Error {
	readonly document: DocumentId;
	constructor(document: DocumentId, held: number, docSeq: number) {
		super(`${document} is held up to ${held} and entry ${docSeq} came`);
		this.document = document;
	}
}

export async function applyEntries(
	context: IncomingContext,
	tx: ReplicaTransaction,
	entries: readonly Entry[],
	cursor: Cursor | null
): Promise<Outcome> {
	const result = outcome();
	const ids = [...new Set(entries.map((entry) => entry.document))];
	const heads = await tx.heads(ids);
	const fresh = new Map<DocumentId, Entry[]>();
	for (const entry of entries) {
		const list = fresh.get(entry.document);
		const held = list?.at(-1)?.docSeq ?? heads.get(entry.document)?.docSeq ?? 0;
		if (entry.docSeq <= held) continue;
		if (entry.docSeq > held + 1) throw new Hole(entry.document, held, entry.docSeq);
		if (list) list.push(entry);
		else fresh.set(entry.document, [entry]);
	}
	const states = new Map<DocumentId, RecordState>();
	await applyToRecords(tx, fresh, states);
	const shadows = await applyToPages(context, tx, fresh, states, result);
	const gained = [...fresh.keys()].filter((id) => !heads.has(id));
	await settleArrived(context, tx, [...fresh.values()].flat(), states, shadows, result);
	await advance(context, tx, cursor, gained, [], new Set(fresh.keys()), states, result);
	return result;
}

async function applyToRecords(tx: ReplicaTransaction, fresh: ReadonlyMap<DocumentId, Entry[]>, states: Map<DocumentId, RecordState>) {
	const ids = [...fresh.keys()].filter((id) => !hasContent(id));
	const canonical = await tx.canonical(ids);
	const changed = ids.map((id) => {
		const doc = docOf(canonical.get(id));
		const entries = fresh.get(id)!;
		for (const entry of entries) Y.applyUpdate(doc, entry.bytes, 'sync');
		states.set(id, stateOfDoc(id, doc));
		const bytes = Y.encodeStateAsUpdate(doc);
		doc.destroy();
		return { id, docSeq: entries.at(-1)!.docSeq, bytes };
	});
	if (changed.length > 0) await tx.putCanonical(changed);
}

async function applyToPages(
	context: IncomingContext,
	tx: ReplicaTransaction,
	fresh: ReadonlyMap<DocumentId, Entry[]>,
	states: Map<DocumentId, RecordState>,
	result: Outcome
): Promise<Map<DocumentId, Y.Doc>> {
	const shadows = new Map<DocumentId, Y.Doc>();
	for (const [id, entries] of fresh) {
		if (!hasContent(id)) continue;
		const shadow = await context.shadows.take(tx, id);
		const tail = (await tx.heads([id])).get(id)?.tail ?? 0;
		for (const entry of entries) Y.applyUpdate(shadow, entry.bytes, 'sync');
		const { docSeq } = entries.at(-1)!;
		if (tail + entries.length > COMPACT_AFTER) await tx.putCanonical([{ id, docSeq, bytes: Y.encodeStateAsUpdate(shadow) }]);
		else for (const entry of entries) await tx.appendTail(id, entry.docSeq, entry.bytes);
		context.shadows.advance(id, docSeq);
		states.set(id, stateOfDoc(id, shadow));
		shadows.set(id, shadow);
		for (const entry of entries) result.pages.push({ document: id, bytes: entry.bytes });
	}
	return shadows;
}

/** Takes out of pending what these entries brought, and tells the author what gave way. */
async function settleArrived(
	context: IncomingContext,
	tx: ReplicaTransaction,
	entries: readonly Entry[],
	states: ReadonlyMap<DocumentId, RecordState>,
	shadows: ReadonlyMap<DocumentId, Y.Doc>,
	result: Outcome
): Promise<void> {
	const pending = await tx.pendingOn([...states.keys()]);
	const notices: AsideItem[] = [];
	for (const entry of entries) {
		const title = titleOf(entry.document, states.get(entry.document)!);
		notices.push(...asideOverruled(context, entry.document, entry.overruled, title));
		const swallowed = entry.author === context.person && swallowedItem(context, entry, pending, title);
		if (swallowed) notices.push(swallowed);
	}
	if (notices.length > 0) await tx.addAside(notices);
	const commands = new Set(entries.flatMap((entry) => (entry.command ? [entry.command.id] : [])));
	const done: Pending[] = [];
	const rest: Pending[] = [];
	for (const item of pending) {
		if (item.kind === 'batch') {
			const came = item.batch.commands.map((command) => command.id).filter((id) => commands.has(id) && !item.arrived.includes(id));
			if (came.length === 0) continue;
			const arrived: CommandId[] = [...item.arrived, ...came];
			if (arrived.length === item.batch.commands.length) done.push(item);
			else rest.push({ ...item, arrived });
		} else {
			const shadow = shadows.get(item.documents[0]!);
			if (shadow && holds(shadow, item.bytes)) done.push(item);
		}
	}
	if (rest.length > 0) await tx.putPending(rest);
	await drop(tx, done, result);
}

/** The passage itself is gone from the canonical bytes; it is in the edit that is still pending here. */
function swallowedItem(
	context: IncomingContext,
	{ document, docSeq, swallowed }: Pick<Entry, 'document' | 'docSeq' | 'swallowed'>,
	pending: readonly Pending[],
	title: string | null
): AsideItem | null {
	if (swallowed.length === 0) return null;
	const tail = pending.filter((item) => item.kind === 'update' && item.documents[0] === document);
	const edits = tail.flatMap((item) => (item.kind === 'update' ? [item.bytes] : []));
	const text = typedText(edits, swallowed.map(([client, from, to]) => ({ client, from, to })));
	if (text === '') return null;
	return { kind: 'swallowed', id: `aside_${document}_${docSeq}`, at: context.now(), document, title, text, on: recordUnder(tail), by: null };
}

/** What the entries behind these snapshots would have told their author one by one (SPEC M5, P3). */
async function tellNotices(context: IncomingContext, tx: ReplicaTransaction, snapshots: readonly Snapshot[], pending: ReadonlyMap<DocumentId, readonly Pending[]>) {
	const items = snapshots.flatMap(({ document, docSeq, row, notices }): AsideItem[] => {
		if (!notices) return [];
		const title = titleOfRow(row);
		const swallowed = swallowedItem(context, { document, docSeq, swallowed: notices.swallowed }, pending.get(document) ?? [], title);
		return [...asideOverruled(context, document, notices.overruled, title), ...(swallowed ? [swallowed] : [])];
	});
	if (items.length > 0) await tx.addAside(items);
}

/** Whole documents: their bytes replace what is held, and their rows are used as given where nothing is pending. */
export async function applyGains(
	context: IncomingContext,
	tx: ReplicaTransaction,
	snapshots: readonly Snapshot[],
	cursor: Cursor | null,
	/** In a new epoch a document may have gone back; rows of these kinds were made by another version of their function. */
	{ newEpoch, foreignRows }: { readonly newEpoch: boolean; readonly foreignRows: ReadonlySet<KindName> }
): Promise<Outcome> {
	const result = outcome();
	const ids = snapshots.map((snapshot) => snapshot.document);
	const heads = await tx.heads(ids);
	const taken = snapshots.filter(({ document, docSeq }) => newEpoch || docSeq >= (heads.get(document)?.docSeq ?? 0));
	if (taken.length > 0) await tx.putCanonical(taken.map(({ document, docSeq, bytes }) => ({ id: document, docSeq, bytes })));
	context.shadows.evict(taken.map(({ document }) => document).filter(hasContent));
	const pending = byDocument(await tx.pendingOn(ids));
	await tellNotices(context, tx, taken, pending);
	const aside = await tx.asideOn(ids);
	const rows: StoredRow[] = taken
		.filter(({ document, row }) => !pending.has(document) && !foreignRows.has(row.kind))
		.map(({ document, row }) => ({ ...row, sync: 'accepted', aside: aside.has(document) }));
	if (rows.length > 0) await tx.putRows(rows);
	result.rows.push(...rows);
	for (const { document, bytes } of taken) if (hasContent(document)) result.pages.push({ document, bytes });
	for (const [id, items] of pending) if (hasContent(id)) await dropHeld(context, tx, id, items, result);
	const gained = [...new Set(taken.map(({ document }) => document))].filter((id) => !heads.has(id));
	const own = taken.filter(({ row }) => foreignRows.has(row.kind)).map(({ document }) => document);
	await advance(context, tx, cursor, gained, [], new Set([...pending.keys(), ...own]), new Map(), result);
	return result;
}

/** Pending edits that a replaced page holds already. */
async function dropHeld(context: IncomingContext, tx: ReplicaTransaction, id: DocumentId, items: readonly Pending[], result: Outcome) {
	const shadow = await context.shadows.take(tx, id);
	await drop(tx, items.filter((item) => item.kind === 'update' && holds(shadow, item.bytes)), result);
}

/** Documents that must leave, also from what lies in Set aside. Own unsent work on them goes there; what was sent waits for its answer. */
export async function applyLosses(
	context: IncomingContext,
	tx: ReplicaTransaction,
	documents: readonly DocumentId[],
	cursor: Cursor | null
): Promise<Outcome> {
	const result = outcome();
	const held = [...(await tx.heads(documents)).keys()];
	await tx.dropDocuments(documents);
	await hideAside(tx, documents);
	context.shadows.evict(documents);
	result.lost.push(...documents);
	const pending = byDocument(await tx.pendingOn(documents));
	const reason = refuse('denied', 'no longer readable');
	for (const [id, items] of pending) {
		const accepted = items.filter((item) => context.accepted.has(item.id));
		await drop(tx, accepted.filter((item) => item.documents.every((other) => documents.includes(other))), result);
		const open = items.filter((item) => !accepted.includes(item));
		// A change that takes one's own access away is accepted and loses the record in one step: only the answer tells.
		if (open.some((item) => item.tried)) continue;
		await asidePending(context, tx, open, reason, { faulty: null, hidden: new Set(documents) }, result);
		if (hasContent(id)) result.reset.push(id);
	}
	await advance(context, tx, cursor, [], held, new Set(documentsOf([...pending.values()].flat())), new Map(), result);
	return result;
}

/** Nothing readable happened up to here; accepted work may be done with. */
export async function applyProgress(context: IncomingContext, tx: ReplicaTransaction, cursor: Cursor): Promise<Outcome> {
	const result = outcome();
	await advance(context, tx, cursor, [], [], new Set(), new Map(), result);
	return result;
}

/** An answer came after its entry: nothing more will bring it. */
export async function settleAccepted(context: IncomingContext, tx: ReplicaTransaction, ids: readonly string[]): Promise<Outcome> {
	const result = outcome();
	const items = await tx.pendingById(ids);
	await drop(tx, items, result);
	result.rows.push(...(await refreshRows(context, tx, documentsOf(items))).rows);
	return result;
}

/** Moves cursor and digest, drops what the cursor has reached, and makes the touched rows anew. */
async function advance(
	context: IncomingContext,
	tx: ReplicaTransaction,
	cursor: Cursor | null,
	gained: readonly DocumentId[],
	lost: readonly DocumentId[],
	touched: Set<DocumentId>,
	states: ReadonlyMap<DocumentId, RecordState>,
	result: Outcome
): Promise<void> {
	const meta = await tx.meta();
	const next = cursor && isBehind(meta.cursor, cursor) ? cursor : meta.cursor;
	const held = toggled(meta.held, gained, lost);
	if (next !== meta.cursor || held !== meta.held) await tx.setMeta({ ...meta, cursor: next, held });
	if (cursor) {
		const reached = [...context.accepted].filter(([, seq]) => seq <= cursor.seq).map(([id]) => id);
		const items = reached.length > 0 ? await tx.pendingById(reached) : [];
		await drop(tx, items, result);
		// Also those that are gone already: nobody waits for them any more.
		result.settled.push(...reached);
		for (const id of documentsOf(items)) touched.add(id);
	}
	const { rows } = await refreshRows(context, tx, [...touched], states);
	result.rows.push(...rows);
}

/** A cursor never goes backwards within an epoch. */
function isBehind(held: Cursor | null, offered: Cursor): boolean {
	return held === null || held.epoch !== offered.epoch || held.seq < offered.seq;
}

function toggled(held: SetDigest, gained: readonly DocumentId[], lost: readonly DocumentId[]): SetDigest {
	if (gained.length === 0 && lost.length === 0) return held;
	const { digest } = digestOf([...gained, ...lost]);
	const lanes = [0, 8].map((at) => (parseInt(held.digest.slice(at, at + 8), 16) ^ parseInt(digest.slice(at, at + 8), 16)) >>> 0);
	return { count: held.count + gained.length - lost.length, digest: lanes.map((lane) => lane.toString(16).padStart(8, '0')).join('') };
}

async function drop(tx: ReplicaTransaction, items: readonly Pending[], result: Outcome): Promise<void> {
	if (items.length === 0) return;
	await tx.dropPending(items.map((item) => item.order));
	result.settled.push(...items.map((item) => item.id));
}
