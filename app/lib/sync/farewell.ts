/**
 * What a dismissed person's device leaves behind: their own pending work and tray, and nothing of anybody else (P3). Made just before the device is wiped.
 */
import type { DocumentId } from '#crdt-model/ids.ts';
import type { Json } from '#crdt-model/record/state.ts';
import { refuse } from '#crdt-model/wire/refusal.ts';
import type { AsideItem, Pending, PendingUpdate, ReplicaReads } from '#storage/replica-contract.ts';
import { asideTail, copyText, type AsideContext } from './aside.ts';

/** The relay's own ceilings (rest/farewell.ts): what is beyond them is not offered, oldest first. */
const MAX_ITEMS = 50;
const MAX_TEXT = 10_000;
const MAX_COMMANDS = 20;
/** A call's body ends at 256 KiB; what is typed by hand stays far below. */
const MAX_BYTES = 200 * 1024;

export interface FarewellItem {
	readonly document: DocumentId;
	readonly commands?: readonly { readonly document: DocumentId; readonly name: string; readonly args: Json }[];
	readonly text?: string;
}

export async function farewellOf(context: AsideContext, reads: ReplicaReads): Promise<FarewellItem[]> {
	const pending = await reads.pendingAfter(0, Infinity);
	const found = [...pending.flatMap(fromBatch), ...(await fromPages(context, reads, pending)), ...(await reads.aside()).flatMap(fromTray)];
	const items: FarewellItem[] = [];
	let bytes = 0;
	for (const item of found) {
		bytes += new TextEncoder().encode(JSON.stringify(item)).byteLength;
		if (items.length === MAX_ITEMS || bytes > MAX_BYTES) break;
		items.push(item);
	}
	return items;
}

function fromBatch(item: Pending): FarewellItem[] {
	if (item.kind !== 'batch') return [];
	const open = item.batch.commands.filter(({ id }) => !item.arrived.includes(id)).map(({ document, name, args }) => ({ document, name, args: args as Json }));
	const pieces: FarewellItem[] = [];
	for (let at = 0; at < open.length; at += MAX_COMMANDS) pieces.push({ document: open[at]!.document, commands: open.slice(at, at + MAX_COMMANDS) });
	return pieces;
}

async function fromPages(context: AsideContext, reads: ReplicaReads, pending: readonly Pending[]): Promise<FarewellItem[]> {
	const tails = new Map<DocumentId, PendingUpdate[]>();
	for (const item of pending) if (item.kind === 'update') tails.set(item.documents[0]!, [...(tails.get(item.documents[0]!) ?? []), item]);
	const items: FarewellItem[] = [];
	for (const [document, tail] of tails) {
		const aside = await asideTail(context, reads, document, tail, refuse('denied', 'dismissed'), null);
		if (aside?.kind === 'page') items.push(...texts(document, aside.text));
	}
	return items;
}

function fromTray(item: AsideItem): FarewellItem[] {
	// Somebody has it before them already.
	if (item.proposal) return [];
	if (item.kind === 'command') return [{ document: item.document, commands: [{ document: item.command.document, name: item.command.name, args: item.command.args as Json }] }];
	return texts(item.document, copyText(item));
}

function texts(document: DocumentId, text: string): FarewellItem[] {
	const pieces: FarewellItem[] = [];
	for (let at = 0; at < text.length; at += MAX_TEXT) pieces.push({ document, text: text.slice(at, at + MAX_TEXT) });
	return pieces;
}
