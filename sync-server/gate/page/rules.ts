/**
 * What a page and a text may contain, as tables.
 *
 * Promises: everything that @lexical/yjs 0.52 (its first collaboration format, `createYjsBinding`) and y-codemirror.next write is
 * allowed, and nothing else.
 * Leaves to others: finding a struct's place (`preview.ts`); whether Lexical can read the result, which no server can promise.
 *
 * What @lexical/yjs v1 writes, read in its source and pinned by preview.test.ts: an element is an XmlText in its parent's list; a text
 * node is a Map in the list followed by its characters; a line break is a Map; a decorator is an XmlElement without children. Their
 * properties (`__type`, `__format`, …) are attributes or keys holding plain values; node state and named slots are Maps under a key,
 * and a slot's Map holds elements. It writes no formats and no embeds, so neither is allowed: a format in a shared text makes Yjs clean up
 * formats after *remote* transactions, and the relay's document would then delete things by itself.
 */
import { kindNamed } from '#crdt-model/kinds/index.ts';
import { collectionsOf } from '#crdt-model/record/kind.ts';
import { FIELDS_ROOT } from '#crdt-model/record/state.ts';
import { NODE_TYPE_KEY, PAGE_NODE_TYPES } from '#crdt-model/page/nodes.ts';
import type { ContentKind, TypeKind } from '#crdt-model/page/scan.ts';

/** Content as a shape names it: a type by its kind, the rest by the content's. */
export type Slot = Exclude<ContentKind, 'gc' | 'deleted' | 'type'> | TypeKind;
export type Shape = {
	/** Allowed among the children. */
	readonly list: ReadonlySet<Slot>;
	/** Allowed under a key: attributes of XML types, entries of Maps. */
	readonly keyed: ReadonlySet<Slot>;
};

/** What one update may add. Known content is not counted: devices resend whole documents. */
export type NewContentLimits = {
	readonly bytes: number;
	readonly structs: number;
	readonly clientBlocks: number;
	/** What merging it may cost Yjs, in items passed in search of a place (`walk.ts`). */
	readonly mergeSteps: number;
};

export type PageRules = {
	readonly roots: ReadonlyMap<string, Shape>;
	/** Roots of the relay in the same document. Clients read them, may send them back as known, and never change them. */
	readonly relayRoots: ReadonlySet<string>;
	readonly inside: Readonly<Partial<Record<TypeKind, Shape>>>;
	/** The kind of a node stands under this key, and it is one of these. */
	readonly nodes: { readonly key: string; readonly types: ReadonlySet<string> } | null;
	/** Types between a root and the innermost type. Yjs deletes recursively and overflows the stack near 2,000. */
	readonly maxDepth: number;
	readonly fresh: NewContentLimits;
};

const shape = (list: readonly Slot[], keyed: readonly Slot[]): Shape => ({ list: new Set(list), keyed: new Set(keyed) });
export const NOTHING: Shape = shape([], []);

export const NEW_CONTENT: NewContentLimits = {
	// A frame. A client that was never here before brings a whole document at once: the paper of 260,000 edits is 267 kB.
	bytes: 1024 * 1024,
	// Bounds memory: honest structs take 13 bytes and more, so that the bytes end first. Lexical writes about 15 structs a paragraph and 20 a
	// cell (a table of 30 x 10 is over 6,000). They do not bound time: 2,000 with ascending right neighbours took 1.3 to 2.4 s.
	structs: 20_000,
	// 4,000 ids in 40 kB took 4 s. A device has one id per document and tab slot; four is a person with four tabs offline.
	clientBlocks: 4,
	// Time. The dearest update of each known attack that this lets through took 20 to 45 ms of CPU, against seconds without it (SYNC.md 2).
	// Honest: 20,000 keystrokes of each of three people offline at one place are under 50,000; the second of two people who
	// put n things at the top of one list offline, in one update, walks n x n: 440 each. A CPU budget per person stands behind it.
	mergeSteps: 200_000,
};

const element = shape(['string', 'map', 'xml-text', 'xml-element'], ['any', 'map']);

/** Where the kind keeps what commands write: its fields and its collections, each in a root of its own. */
function rootsOfFields(kind: 'page' | 'text'): ReadonlySet<string> {
	return new Set([FIELDS_ROOT, ...collectionsOf(kindNamed(kind))]);
}

export const PAGE_RULES: PageRules = {
	roots: new Map([['root', element]]),
	relayRoots: rootsOfFields('page'),
	inside: {
		'xml-text': element,
		'xml-element': shape([], ['any', 'map']),
		map: shape([], ['any', 'map', 'xml-text', 'xml-element']),
	},
	nodes: { key: NODE_TYPE_KEY, types: PAGE_NODE_TYPES },
	maxDepth: 16,
	fresh: NEW_CONTENT,
};

export const TEXT_RULES: PageRules = {
	roots: new Map([['text', shape(['string'], [])]]),
	relayRoots: rootsOfFields('text'),
	inside: {},
	nodes: null,
	maxDepth: 0,
	fresh: NEW_CONTENT,
};
