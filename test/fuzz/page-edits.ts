/** Somebody's editor on a page or text, and the hand-made bytes of somebody who has none: edits as Lexical writes them, and what becomes of their updates under the knife. */
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { PAGE_NODE_TYPES } from '#crdt-model/page/nodes.ts';
import { PAGE_SCAN_LIMITS, scan, type ScannedStruct, type ScanResult } from '#crdt-model/page/scan.ts';
import type { Random } from '../support/random.ts';

const WORDS = ['a', 'bc', 'déjà', '😀', 'x😀y', '\ufeff', 'long enough to be split in the middle by somebody'];
const NODES = [...PAGE_NODE_TYPES].filter((type) => type !== 'root');
const CONTAINERS = ['paragraph', 'heading', 'quote', 'list', 'listitem', 'table', 'tablerow', 'tablecell', 'link', 'code'];

export type Shape = 'rich' | 'plain';

export const rootOf = (doc: Y.Doc, shape: Shape): Y.Text | Y.XmlText => (shape === 'plain' ? doc.getText('text') : (doc.get('root', Y.XmlText) as Y.XmlText));

/** One copy of the document under one client id, fed with what the relay holds. */
export class Editor {
	readonly doc = new Y.Doc();
	readonly shape: Shape;
	#unsent: Uint8Array[] = [];

	constructor(client: number, shape: Shape, state: Uint8Array) {
		this.doc.clientID = client;
		this.shape = shape;
		rootOf(this.doc, shape);
		Y.applyUpdate(this.doc, state, 'relay');
		this.doc.on('update', (update: Uint8Array, origin: unknown) => void (origin !== 'relay' && this.#unsent.push(update)));
	}

	edit(random: Random): void {
		this.doc.transact(() => change(rootOf(this.doc, this.shape), random, 0), 'edit');
	}

	/** What is pending, as a provider or an outbox sends it: merged, or with everything else. */
	take(random: Random): Uint8Array {
		const unsent = this.#unsent.splice(0);
		return unsent.length === 0 || random.chance(0.2) ? Y.encodeStateAsUpdate(this.doc) : Y.mergeUpdates(unsent);
	}
}

function change(type: Y.Text | Y.XmlText, random: Random, depth: number): void {
	const isPage = type instanceof Y.XmlText;
	const at = random.below(type.length + 1);
	if (isPage && depth < 7) {
		const inner = (type.toDelta() as { insert: unknown }[]).map(({ insert }) => insert).filter((insert) => insert instanceof Y.XmlText);
		if (inner.length > 0 && random.chance(0.5)) return change(random.pick(inner), random, depth + 1);
	}
	const chance = random.next();
	if (type.length > 0 && chance < 0.22) {
		const from = random.below(type.length);
		type.delete(from, 1 + random.below(Math.min(type.length - from, random.pick([1, 3, 20]))));
	} else if (!isPage || chance < 0.45) type.insert(at, random.pick(WORDS));
	else if (chance < 0.55) type.setAttribute(random.pick(['__type', '__style', '__format', '__dir']), random.pick<unknown>([random.pick(CONTAINERS)]) as string);
	else if (chance < 0.6) type.removeAttribute(random.pick(['__style', '__format', '__dir']));
	else if (chance < 0.7) {
		// A text node: its properties in a map, its characters behind it.
		const map = new Y.Map<unknown>();
		type.insertEmbed(at, map);
		map.set('__type', random.pick(['text', 'linebreak', 'tab', 'code-highlight']));
		map.set('__format', random.below(4));
		if (random.chance(0.3)) map.set('__state', new Y.Map([['k', { nested: [1, null, 'x'] }]]));
		type.insert(at + 1, random.pick(WORDS));
	} else if (chance < 0.76) {
		const element = new Y.XmlElement();
		type.insertEmbed(at, element);
		element.setAttribute('__type', random.pick(NODES));
	} else if (chance < 0.84) table(type, at, random);
	else {
		const inner = container(type, at, random.pick(CONTAINERS));
		inner.insert(0, random.pick(WORDS));
	}
}

function container(parent: Y.XmlText, at: number, kind: string): Y.XmlText {
	const inner = new Y.XmlText();
	parent.insertEmbed(at, inner);
	inner.setAttribute('__type', kind);
	return inner;
}

/** Rows of cells of paragraphs, as @lexical/table hangs them: four levels of nested types in one stroke. */
function table(parent: Y.XmlText, at: number, random: Random): void {
	const made = container(parent, at, 'table');
	for (let r = 0; r < 1 + random.below(2); r++) {
		const row = container(made, r, 'tablerow');
		for (let c = 0; c < 1 + random.below(2); c++) {
			const cell = container(row, c, 'tablecell');
			cell.setAttribute('__headerState', random.below(3) as unknown as string);
			container(cell, 0, 'paragraph').insert(0, random.pick(WORDS));
		}
	}
}

const INTERESTING = [0, 1, 4, 7, 8, 10, 117, 118, 127, 128, 132, 192, 255];

/** Bytes changed, cut, doubled or moved, without knowing what they mean. */
export function damaged(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
	let out = Array.from(bytes);
	for (let times = 1 + random.below(3); times > 0; times--) {
		const at = random.below(out.length + 1);
		const length = random.below(6);
		const here = out.length > 0 ? at % out.length : -1;
		switch (random.below(6)) {
			case 0:
				if (here >= 0) out[here] = random.chance(0.5) ? random.below(256) : random.pick(INTERESTING);
				break;
			case 1:
				if (here >= 0) out[here]! ^= 1 << random.below(8);
				break;
			case 2:
				out.splice(at, length);
				break;
			case 3:
				out.splice(at, 0, ...other.subarray(random.below(Math.max(1, other.length))).subarray(0, length * 3));
				break;
			case 4:
				out = out.slice(0, at);
				break;
			default:
				// Plus or minus one is how clocks, ids and counts are forged.
				if (here >= 0) out[here] = (out[here]! + random.pick([1, 255])) & 255;
		}
	}
	return Uint8Array.from(out);
}

/**
 * Well-formed updates that no editor makes: whole structs of several updates, in another order, under another client and clock, left out or twice,
 * with deletions of whatever is there. The structs' bytes are as their authors wrote them, so nested types, tables and embeds come along.
 */
export function spliced(updates: readonly Uint8Array[], held: Y.Doc, own: number, random: Random): Uint8Array {
	const scans = updates.map((bytes) => scan(bytes, PAGE_SCAN_LIMITS)).filter((result): result is ScanResult => result.kind === 'scanned');
	const structs = scans.flatMap((result) => result.blocks.flatMap((block) => block.structs.map((struct) => ({ struct, bytes: result.bytes }))));
	const clients = [...held.store.clients.keys()];
	const client = random.chance(0.8) || clients.length === 0 ? own : random.pick(clients);
	const chosen = random.chance(0.6) ? window(structs, random) : Array.from({ length: random.below(6) }, () => random.pick(structs)).filter(Boolean);
	const encoder = encoding.createEncoder();
	const state = Y.getState(held.store, client);
	let clock = Math.max(0, random.chance(0.8) ? state : state + random.below(5) - 2);
	const from = clock;
	encoding.writeVarUint(encoder, chosen.length === 0 ? 0 : 1);
	if (chosen.length > 0) {
		encoding.writeVarUint(encoder, chosen.length);
		encoding.writeVarUint(encoder, client);
		encoding.writeVarUint(encoder, clock);
		for (const { struct, bytes } of chosen) {
			encoding.writeUint8Array(encoder, bytes.subarray(struct.at, struct.end));
			clock += struct.length;
		}
	}
	const targets = [...(random.chance(0.4) && clients.length > 0 ? [random.pick(clients)] : []), ...(random.chance(0.2) && chosen.length > 0 ? [client] : [])];
	const distinct = [...new Set(targets)];
	encoding.writeVarUint(encoder, distinct.length);
	for (const target of distinct) {
		encoding.writeVarUint(encoder, target);
		encoding.writeVarUint(encoder, 1);
		const upTo = target === client ? clock : Y.getState(held.store, target);
		const start = target === client && random.chance(0.5) ? from : random.below(Math.max(1, upTo));
		encoding.writeVarUint(encoder, start);
		encoding.writeVarUint(encoder, 1 + random.below(Math.max(1, Math.min(20, upTo - start) + (random.chance(0.1) ? 3 : 0))));
	}
	return encoding.toUint8Array(encoder);
}

function window<T extends { struct: ScannedStruct }>(structs: readonly T[], random: Random): T[] {
	const from = random.below(structs.length + 1);
	return structs.slice(from, from + 1 + random.below(8));
}
