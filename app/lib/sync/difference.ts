/**
 * What an unsent tail would change in a page as this device has it now: the author's version, told apart from what the page says.
 *
 * Promises: exact, because Yjs knows which passages are the tail's own; nothing is compared by guessing, so a page of any length costs
 * one walk. Nothing is stored: where the page left the device, there is no version any more and only the author's own text remains.
 */
import type { ContentSpec } from '#crdt-model/record/kind.ts';
import * as Y from 'yjs';
import { isLineBreak } from './update-bytes.ts';

export interface Piece {
	readonly kind: 'same' | 'added' | 'deleted';
	readonly text: string;
}

/** The author's version of a page that is here. */
export interface UnsentVersion {
	/** What would change, word by word, in reading order. */
	readonly pieces: readonly Piece[];
	/** The whole text as its author left it. */
	readonly text: string;
}

/**
 * @param canonical the page's accepted updates, in order
 * @param tail the author's own, refused ones
 * @returns null where the tail builds on what is not here any more
 */
export function unsentVersion(canonical: readonly Uint8Array[], tail: readonly Uint8Array[], content: ContentSpec): UnsentVersion | null {
	// What the tail deletes must still be readable.
	const doc = new Y.Doc({ gc: false });
	try {
		for (const update of canonical) Y.applyUpdate(doc, update);
		const before = Y.snapshot(doc);
		for (const update of tail) Y.applyUpdate(doc, update);
		if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null) return null;
		const pieces = byWords(piecesOf(doc, before, content));
		const text = pieces.map((piece) => (piece.kind === 'deleted' ? '' : piece.text)).join('').trim();
		return { pieces, text };
	} catch {
		// The refused bytes may be what Yjs stumbles over.
		return null;
	} finally {
		doc.destroy();
	}
}

function piecesOf(doc: Y.Doc, before: Y.Snapshot, content: ContentSpec): Piece[] {
	const root = (content.shape === 'rich' ? doc.get(content.root, Y.XmlText) : doc.getText(content.root)) as unknown as Y.AbstractType<unknown>;
	const pieces: Piece[] = [];
	let endsLine = true;
	const put = (kind: Piece['kind'] | null, text: string): void => {
		if (kind === null || text === '') return;
		endsLine = text.endsWith('\n');
		join(pieces, kind, text);
	};
	const kindAt = (item: Y.Item, clock: number): Piece['kind'] | null => {
		const wasThere = clock < (before.sv.get(item.id.client) ?? 0) && !Y.isDeleted(before.ds, Y.createID(item.id.client, clock));
		if (item.deleted) return wasThere ? 'deleted' : null;
		return wasThere ? 'same' : 'added';
	};
	const walk = (type: Y.AbstractType<unknown>): void => {
		for (let item = type._start; item; item = item.right) {
			if (item.content instanceof Y.ContentString) {
				const { str } = item.content;
				// One item may hold what was there and what follows it: Yjs joins neighbours of one client.
				for (let from = 0; from < str.length; ) {
					const kind = kindAt(item, item.id.clock + from);
					let to = from + 1;
					while (to < str.length && kindAt(item, item.id.clock + to) === kind) to++;
					put(kind, str.slice(from, to));
					from = to;
				}
			} else if (item.content instanceof Y.ContentType) {
				const kind = kindAt(item, item.id.clock);
				if (kind === null) continue;
				const inner = item.content.type as Y.AbstractType<unknown>;
				walk(inner);
				if (inner instanceof Y.Map ? isLineBreak(inner) : !endsLine) put(kind, '\n');
			}
		}
	};
	walk(root);
	return pieces;
}

/** A word of which a part changed is shown as the old word and the new one: half words are hard to read. */
export function byWords(pieces: readonly Piece[]): Piece[] {
	const words: Piece[] = [];
	let old = '';
	let now = '';
	let touched = false;
	const flush = (): void => {
		if (!touched) join(words, 'same', now);
		else {
			join(words, 'deleted', old);
			join(words, 'added', now);
		}
		old = now = '';
		touched = false;
	};
	for (const { kind, text } of pieces) {
		for (const [part] of text.matchAll(/\s+|\S+/gu)) {
			if (/^\s/u.test(part)) {
				flush();
				join(words, kind, part);
				continue;
			}
			if (kind !== 'added') old += part;
			if (kind !== 'deleted') now += part;
			touched ||= kind !== 'same';
		}
	}
	flush();
	return words;
}

function join(pieces: Piece[], kind: Piece['kind'], text: string): void {
	if (text === '') return;
	const last = pieces.at(-1);
	if (last?.kind === kind) pieces[pieces.length - 1] = { kind, text: last.text + text };
	else pieces.push({ kind, text });
}

/** What stands around a change, so that it can be found in a long page. */
const CONTEXT_UNITS = 90;

export interface Passage extends Piece {
	/** Something between this and the piece before it is left out. */
	readonly cut?: true;
}

/** Long passages that did not change are cut down to the words around the changes. */
export function aroundChanges(pieces: readonly Piece[]): Passage[] {
	const shown: Passage[] = [];
	for (const [index, { kind, text }] of pieces.entries()) {
		if (kind !== 'same') {
			shown.push({ kind, text });
			continue;
		}
		const head = index === 0 ? 0 : CONTEXT_UNITS;
		const tail = index === pieces.length - 1 ? 0 : CONTEXT_UNITS;
		if (text.length <= head + tail + CONTEXT_UNITS) {
			shown.push({ kind, text });
			continue;
		}
		if (head > 0) shown.push({ kind, text: text.slice(0, wordEnd(text, head)) });
		if (tail > 0) shown.push({ kind, text: text.slice(wordStart(text, text.length - tail)), cut: true });
		else shown.push({ kind, text: '', cut: true });
	}
	return shown;
}

function wordEnd(text: string, at: number): number {
	const found = text.slice(at).search(/\s/u);
	return found === -1 || found > CONTEXT_UNITS ? at : at + found;
}

function wordStart(text: string, at: number): number {
	const found = text.slice(at).search(/\s/u);
	return found === -1 || found > CONTEXT_UNITS ? at : at + found;
}
