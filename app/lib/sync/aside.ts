/**
 * Set aside: what was refused or gave way, with reason, before and after, until its author decides (P3).
 *
 * Promises: nothing typed is dropped without an item here; an item shows other people's content only where its author may
 * read it at that moment. An item's id follows from what it is about, so that making it twice leaves one.
 * Leaves to others: when it happens (settle.ts, incoming.ts) and the three ways on (engine.ts).
 */
import { kindOf, type CommandId, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { Overruled } from '#crdt-model/record/plan.ts';
import { EMPTY_STATE, valueAt, type Json, type RecordState } from '#crdt-model/record/state.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { AsideItem, FieldValue, Pending, PendingBatch, PendingUpdate, ReplicaReads, ReplicaTransaction } from '#storage/replica-contract.ts';
import { docOf } from './shadows.ts';
import { effectsOf } from './drafts.ts';
import { rangesOf, textInOrder, typedText } from './update-bytes.ts';
import * as Y from 'yjs';

export interface AsideContext {
	readonly person: PersonId;
	readonly now: () => number;
}

/**
 * One item per command of a refused batch.
 * @param states each record as its author sees it without this batch; a record that is missing may not be shown any more
 */
export function asideCommands(
	context: AsideContext,
	item: PendingBatch,
	reason: Refusal,
	faulty: CommandId | null,
	states: ReadonlyMap<DocumentId, RecordState>
): AsideItem[] {
	return item.batch.commands
		.filter((command) => !item.arrived.includes(command.id) && !isHarmless(command, reason))
		.map((command) => {
			const why = faulty === null || faulty === command.id ? reason : refuse('batch', reason.detail);
			const state = why.code === 'not-found' ? undefined : states.get(command.document);
			return {
				kind: 'command',
				id: `aside_${command.id}`,
				at: context.now(),
				document: command.document,
				title: state ? titleOf(command.document, state) ?? ownTitle(command) : ownTitle(command),
				reason: why,
				command,
				batch: item.batch.id,
				before: state?.size ? beforeOf(state, command, context.person) : null,
				after: afterOf(state ?? EMPTY_STATE, command, context.person)
			} satisfies AsideItem;
		});
}

/** Two people started the page of one record: the second finds what it wanted to make. */
function isHarmless(command: Command, reason: Refusal): boolean {
	return command.name === 'page.hang' && reason.code === 'exists';
}

function beforeOf(state: RecordState, command: Command, person: PersonId): FieldValue[] {
	return effectsOf(state, command, person).map(([path]) => ({ path, value: valueAt(state, path) ?? null }));
}

function afterOf(state: RecordState, command: Command, person: PersonId): FieldValue[] {
	const effects = effectsOf(state, command, person);
	// The target is gone or the arguments do not parse: what was typed is in the arguments.
	if (effects.length === 0) return [{ path: command.name, value: command.args as Json }];
	return effects.map(([path, value]) => ({ path, value }));
}

/** The title of a record from its state: whichever field names it. */
export function titleOf(id: DocumentId, state: RecordState): string | null {
	return titleFrom(id, (path) => valueAt(state, path) as string | undefined);
}

export function titleOfRow(row: BaseRow): string | null {
	return titleFrom(row.id, (path) => (row as unknown as Record<string, string | undefined>)[path]);
}

function titleFrom(id: DocumentId, text: (path: string) => string | undefined): string | null {
	if (kindOf(id) === 'employee') return [text('firstName'), text('lastName')].filter(Boolean).join(' ') || null;
	return text('title') ?? text('name') ?? text('company') ?? null;
}

/** A title that the author gave in the command itself. */
function ownTitle(command: Command): string | null {
	const args = (typeof command.args === 'object' && command.args !== null ? command.args : {}) as Record<string, unknown>;
	const own = args['title'] ?? args['name'] ?? (/Title|Name$/.test(command.name) ? args['value'] : undefined);
	return typeof own === 'string' ? own : null;
}

/** Notices for values of this person that gave way in one accepted change. */
export function asideOverruled(
	context: AsideContext,
	document: DocumentId,
	overruled: readonly Overruled[],
	title: string | null
): AsideItem[] {
	return overruled
		.filter(({ gaveWay, stands }) => gaveWay.by === context.person && stands.by !== context.person)
		.map(({ path, gaveWay, stands }) => ({
			kind: 'overruled',
			id: `aside_${gaveWay.command}_${path}_${stands.command}`,
			at: context.now(),
			document,
			title,
			path,
			mine: gaveWay.value,
			theirs: stands.value,
			by: stands.by,
			when: stands.at
		}));
}

/**
 * What an item may still show once its record leaves the device: what its author wrote, and the reason without other people's values or names.
 * A page's version goes by itself, because it is made of the page that is here.
 */
export function hidden(item: AsideItem): AsideItem {
	switch (item.kind) {
		case 'command':
			return { ...item, title: ownTitle(item.command), before: null, reason: bareReason(item.reason) };
		case 'overruled':
			return { ...item, title: null, theirs: null, by: null };
		case 'page':
			return { ...item, title: null, reason: bareReason(item.reason) };
		case 'swallowed':
			return { ...item, title: null, by: null };
	}
}

/** Who may is somebody's name, and what stands there is somebody's value. */
function bareReason({ code, rule }: Refusal): Refusal {
	return refuse(code, '', rule === undefined ? {} : { rule });
}

/** Before the records leave, in the same transaction. */
export async function hideAside(tx: ReplicaTransaction, documents: readonly DocumentId[]): Promise<void> {
	const leaving = await tx.asideOn(documents);
	if (leaving.size === 0) return;
	const items = (await tx.aside()).filter((item) => leaving.has(item.document));
	await tx.addAside(items.map(hidden));
}

/** The whole unsent tail of a page as one item: its text in reading order, and the bytes. */
export async function asideTail(
	context: AsideContext,
	reads: ReplicaReads,
	document: DocumentId,
	tail: readonly PendingUpdate[],
	reason: Refusal,
	title: string | null
): Promise<AsideItem | null> {
	const first = tail[0];
	if (!first) return null;
	const updates = tail.map((item) => item.bytes);
	const held = (await reads.canonical([document])).get(document);
	return {
		kind: 'page',
		id: `aside_${first.id}`,
		at: context.now(),
		document,
		title: held ? title : null,
		reason,
		text: tailText(document, held ? docOf(held) : new Y.Doc(), updates),
		on: recordUnder(tail),
		bytes: updates
	};
}

/** The record that the page of this tail hangs on. */
export function recordUnder(tail: readonly Pending[]): DocumentId | null {
	for (const item of tail) if (item.kind === 'update' && item.on) return item.on;
	return null;
}

function tailText(document: DocumentId, doc: Y.Doc, updates: readonly Uint8Array[]): string {
	const { content } = kindNamed(kindOf(document)!);
	const ranges = updates.flatMap(rangesOf);
	try {
		for (const update of updates) Y.applyUpdate(doc, update);
		// Parts that build on what is not here any more have no place in the order, but they were typed.
		const inOrder = content && doc.store.pendingStructs === null ? textInOrder(doc, content.root, content.shape, ranges) : '';
		return inOrder === '' ? typedText(updates) : inOrder;
	} catch {
		// The refused bytes may be what Yjs stumbles over; what was typed is still in them.
		return typedText(updates);
	} finally {
		doc.destroy();
	}
}

/** What the tray copies out. */
export function copyText(item: AsideItem): string {
	if (item.kind === 'page' || item.kind === 'swallowed') return item.text;
	if (item.kind === 'overruled') return textOf(item.mine);
	return item.after.map(({ value }) => textOf(value)).filter(Boolean).join('\n');
}

function textOf(value: Json): string {
	if (value === null || value === true || value === false) return '';
	return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
