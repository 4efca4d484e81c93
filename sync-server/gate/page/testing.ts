/**
 * What the tests of this folder share: seeded randomness, people with documents of their own, a relay of one document, and a Lexical
 * editor without a screen. No promises to anyone else.
 */
import { $createLinkNode, LinkNode } from '@lexical/link';
import { $createListItemNode, $createListNode, ListItemNode, ListNode } from '@lexical/list';
import { $createHeadingNode, HeadingNode, QuoteNode } from '@lexical/rich-text';
import { $createTableNodeWithDimensions, TableCellNode, TableNode, TableRowNode } from '@lexical/table';
import { createYjsBinding, syncLexicalUpdateToYjs, syncYjsChangesToLexical } from '@lexical/yjs';
import type { Provider } from '@lexical/yjs';
import { $createLineBreakNode, $createParagraphNode, $createTextNode, $getRoot, createEditor } from 'lexical';
import type { LexicalEditor } from 'lexical';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { PAGE_SCAN_LIMITS, scan } from '#crdt-model/page/scan.ts';
import { admitUpdate } from './admit.ts';
import type { Admission } from './admit.ts';
import { preview } from './preview.ts';
import type { OwnerOf } from './preview.ts';
import { PAGE_RULES } from './rules.ts';
import type { PageRules } from './rules.ts';

export type Random = { (): number; int(below: number): number; pick<T>(from: readonly T[]): T };

/** Mulberry32: small, and the same everywhere. */
export function seeded(seed: number): Random {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
	const int = (below: number) => Math.floor(next() * below);
	return Object.assign(next, { int, pick: <T>(from: readonly T[]) => from[int(from.length)]! });
}

export function docOf(clientID: number): Y.Doc {
	const doc = new Y.Doc();
	doc.clientID = clientID;
	return doc;
}

/** A relay of one document: binds ids to the first writer, keeps the canonical log, and its own fields in `record`. */
export class Relay {
	doc = docOf(1);
	readonly log: Uint8Array[] = [];
	readonly owners = new Map<number, string>();
	readonly rules: PageRules;
	evicted = 0;
	/** Of the last update that was accepted: items passed and steps taken. */
	merged = { passed: 0, steps: 0 };
	constructor(rules: PageRules = PAGE_RULES) {
		this.rules = rules;
		const root = [...rules.roots.keys()][0]!;
		if (root === 'text') this.doc.getText(root);
		else this.doc.get(root, Y.XmlText);
		this.doc.once('update', (update: Uint8Array) => this.log.push(update));
		this.doc.getMap('record').set('number', 'P-1');
	}
	/** Insists on the way that the gate's count of items passed is Yjs's, whatever is being tested. */
	submit(person: string, bytes: Uint8Array, mayWrite = true): Admission {
		const ownerOf: OwnerOf = (client) => {
			const owner = this.owners.get(client);
			return owner === undefined ? 'unbound' : owner === person ? 'self' : 'other';
		};
		const scanned = scan(bytes, PAGE_SCAN_LIMITS);
		const seen = scanned.kind === 'scanned' ? preview(this.doc, scanned, this.rules, ownerOf) : null;
		const { result: admission, passed } = passedBy(() => admitUpdate(this.doc, bytes, this.rules, { ownerOf, mayWrite: () => mayWrite, origin: person }));
		if (admission.kind === 'refused' && passed > 0) throw new Error('refused after it was applied');
		if (admission.kind === 'accepted' && seen?.kind === 'preview') {
			if (seen.merge.passed !== passed) throw new Error(`foretold ${seen.merge.passed} items passed, Yjs passed ${passed}`);
			if (seen.merge.taken > this.rules.fresh.mergeSteps) throw new Error(`accepted at ${seen.merge.taken} steps`);
			this.merged = { passed, steps: seen.merge.taken };
		}
		if (admission.kind === 'accepted') {
			for (const id of admission.bindIds) this.owners.set(id, person);
			if (admission.canonical !== null) this.log.push(admission.canonical);
		}
		if (admission.kind === 'evict') this.evicted++;
		return admission;
	}
	/** What the room does after `evict`. */
	reload(): void {
		this.doc = this.rebuilt();
		this.doc.clientID = 1;
	}
	/** The document as a cold start finds it. */
	rebuilt(upTo = this.log.length): Y.Doc {
		const doc = new Y.Doc();
		for (const name of this.rules.roots.keys()) doc.get(name, (name === 'text' ? Y.Text : Y.XmlText) as typeof Y.Text);
		for (const update of this.log.slice(0, upTo)) Y.applyUpdate(doc, update);
		return doc;
	}
}

/** Runs something and counts the items that Yjs passes in search of places: it puts each into two sets, and no other item into any. */
export function passedBy<T>(run: () => T): { result: T; passed: number } {
	const add = Set.prototype.add;
	let added = 0;
	Set.prototype.add = function (this: Set<unknown>, value: unknown) {
		if (value instanceof Y.Item) added++;
		return add.call(this, value);
	};
	try {
		const result = run();
		return { result, passed: added / 2 };
	} finally {
		Set.prototype.add = add;
	}
}

/** Everything that a document is, bytes in Yjs's fixed order: equal fingerprints mean equal content, history and deletions. */
export function fingerprint(doc: Y.Doc): string {
	return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64');
}

/** Updates of a document as a provider would send them. */
export function outbox(doc: Y.Doc): Uint8Array[] {
	const sent: Uint8Array[] = [];
	doc.on('update', (update: Uint8Array, origin: unknown) => {
		if (origin !== 'relay') sent.push(update);
	});
	return sent;
}

/** Hand-written V1 bytes: numbers are variable-length, strings are strings, arrays are raw bytes. */
export function raw(...parts: (number | string | Uint8Array)[]): Uint8Array {
	const encoder = encoding.createEncoder();
	for (const part of parts) {
		if (typeof part === 'number') encoding.writeVarUint(encoder, part);
		else if (typeof part === 'string') encoding.writeVarString(encoder, part);
		else encoding.writeUint8Array(encoder, part);
	}
	return encoding.toUint8Array(encoder);
}

/** A Lexical editor without a screen, bound to a document as the app binds it. */
export function lexicalOn(doc: Y.Doc): { editor: LexicalEditor; change: (step: () => void) => void; undo: Y.UndoManager } {
	const nodes = [HeadingNode, QuoteNode, ListNode, ListItemNode, LinkNode, TableNode, TableRowNode, TableCellNode];
	const editor = createEditor({
		nodes,
		onError: (error) => {
			throw error;
		},
	});
	// What @lexical/headless sets: commits happen without a root element.
	editor._headless = true;
	const provider = {
		awareness: { getLocalState: () => null, getStates: () => new Map(), setLocalState: () => {}, setLocalStateField: () => {}, on: () => {}, off: () => {} },
		connect: () => {},
		disconnect: () => {},
		on: () => {},
		off: () => {},
	} as unknown as Provider;
	const binding = createYjsBinding({ editor, id: 'page', doc, docMap: new Map([['page', doc]]) });
	const shared = binding.root.getSharedType();
	shared.observeDeep((events, transaction) => {
		if (transaction.origin !== binding) syncYjsChangesToLexical(binding, provider, events, transaction.origin instanceof Y.UndoManager);
	});
	editor.registerUpdateListener(({ prevEditorState, editorState, dirtyElements, dirtyLeaves, normalizedNodes, tags }) => {
		if (!tags.has('skip-collab')) syncLexicalUpdateToYjs(binding, provider, prevEditorState, editorState, dirtyElements, dirtyLeaves, normalizedNodes, tags);
	});
	return {
		editor,
		change: (step) => editor.update(step, { discrete: true }),
		undo: new Y.UndoManager(shared, { trackedOrigins: new Set([binding]), captureTimeout: 0 }),
	};
}

/** One of each thing that a page may hold. Inside `change`. */
export function $fillPage(words: string): void {
	const heading = $createHeadingNode('h1').append($createTextNode(`${words} title`));
	const bold = $createTextNode('bold').toggleFormat('bold');
	const link = $createLinkNode('https://example.org', { rel: null, target: '_blank' }).append($createTextNode('a link'));
	const paragraph = $createParagraphNode().append($createTextNode(`${words} 😀 `), bold, $createLineBreakNode(), link, $createTextNode(' after'));
	const inner = $createListNode('check').append($createListItemNode(true).append($createTextNode('inner')));
	const list = $createListNode('bullet').append($createListItemNode().append($createTextNode('one')), $createListItemNode().append(inner));
	$getRoot().append(heading, paragraph, list, $createTableNodeWithDimensions(2, 2, true));
}

/**
 * What a document means, however its structs are split: living content of every root, clocks, and what is deleted.
 * `fingerprint` is stricter than a rebuild can be, because Yjs merges neighbours when it happens to pass by.
 */
export function meaning(doc: Y.Doc): string {
	const roots = [...doc.share].map(([name, type]) => [name, dump(type as Y.AbstractType<unknown>)]).filter(([, content]) => content !== EMPTY);
	const clocks = [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b);
	const deletes: unknown[] = [];
	for (const [client] of clocks) {
		let from = -1;
		let to = -1;
		for (const struct of doc.store.clients.get(client)!) {
			if (!struct.deleted) continue;
			if (struct.id.clock !== to) {
				if (to >= 0) deletes.push([client, from, to]);
				from = struct.id.clock;
			}
			to = struct.id.clock + struct.length;
		}
		if (to >= 0) deletes.push([client, from, to]);
	}
	return JSON.stringify([roots.sort(), clocks, deletes]);
}

const EMPTY = '{"list":[],"keyed":[]}';
function dump(type: Y.AbstractType<unknown>): string {
	const list: unknown[] = [];
	for (let item = type._start; item !== null; item = item.right) {
		if (item.deleted) continue;
		if (item.content instanceof Y.ContentString && typeof list.at(-1) === 'string') list.push(list.pop() + item.content.str);
		else list.push(contentOf(item));
	}
	const keyed = [...type._map].filter(([, item]) => !item.deleted).map(([key, item]) => [key, contentOf(item)]);
	return JSON.stringify({ list, keyed: keyed.sort() });
}
function contentOf(item: Y.Item): unknown {
	const { content } = item;
	if (content instanceof Y.ContentType) return { type: content.type.constructor.name, inside: dump(content.type as Y.AbstractType<unknown>) };
	return content instanceof Y.ContentString ? content.str : content.getContent();
}
