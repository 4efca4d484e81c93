/**
 * What merging an update would cost Yjs, counted before it is applied.
 *
 * Yjs finds a struct's place by walking over everything between its two neighbours that others have put there, so bytes and counts
 * do not bound time: 2,000 structs without a left neighbour and with ascending right ones took 1.3 to 2.4 s. This is the same walk
 * (`Item.integrate` of Yjs 13.6) over the same lists in the same order, on an overlay of small nodes instead of the document.
 *
 * Promises: changes nothing; the count is Yjs's own, not an estimate, as far as splitting and walking go (the fuzz compares the two);
 * stops as soon as the budget is spent, so refusing costs less than merging would. Someone alone, or the first to arrive,
 * walks nowhere: the neighbours still touch. The second of two who wrote at one place offline passes each *run* of the first once.
 * Leaves to others: whether neighbours and parents exist and fit (`preview.ts` has said so); what bytes cost, which is linear.
 */
import * as Y from 'yjs';
import { indexAt, stateOf, structsOf } from '#crdt-model/page/ranges.ts';
import type { ClientBlock, Id, ScannedStruct } from '#crdt-model/page/scan.ts';

/**
 * Counts up to a limit. One per update, shared by everything that could be made to walk. A step is what Yjs needs to pass one item in
 * search of a place: 60 to 270 ns (it fills two sets and may search the store). Other work is charged in the same coin.
 */
export class Steps {
	readonly limit: number;
	taken = 0;
	/** Of these, the items passed: exactly those that Yjs will pass. */
	passed = 0;
	constructor(limit: number) {
		this.limit = limit;
	}
	get spent(): boolean {
		return this.taken > this.limit;
	}
}

/** Where a struct goes: a type (null when the update itself makes it) and a key, or 'gone' when Yjs collects it at once. */
export type WalkPlace = { readonly parent: { readonly held: Y.AbstractType<unknown> | null }; readonly key: string | null } | 'gone';
export type WalkBlock = { readonly block: ClientBlock; readonly state: number; readonly first: number };

/** Following a map's chain from its end to its head is one pointer, about 3 ns, a value. */
const HOPS_PER_STEP = 32;
/**
 * Splitting an item moves the rest of the id's array. Usually 0.1 ns an entry, but 3 ns while the garbage collector marks: the same
 * 10,000 splits in an array of 60,000 took 50 ms or 3 s.
 */
const MOVED_PER_STEP = 256;
/** A split makes an item and, after the transaction, a search for something to merge it with: 2 to 3 µs. */
const STEPS_PER_SPLIT = 20;
/** To be read, judged, placed, emitted and perhaps merged: 1.3 to 2.3 µs, of which the bytes cap bounds a part. */
const STEPS_PER_STRUCT = 5;
/** A deleted range is searched, marked, and searched again for merging: 2 to 3 µs. */
const STEPS_PER_DELETION = 20;
/** A struct that was brought dead is only passed over. */
export const STEPS_PER_DEAD_STRUCT = 1 / 16;

/** An item, held or new, or a piece of one. `undefined` neighbours are those of the held item, not looked at yet. */
type Node = {
	readonly client: number;
	readonly clock: number;
	end: number;
	readonly origin: Id | null;
	readonly rightOrigin: Id | null;
	readonly held: Y.Item | null;
	left: Node | null | undefined;
	right: Node | null | undefined;
	/** The walk that passed it last, and the set of conflicts that it was in: Yjs's two sets without the sets. */
	walk: number;
	conflict: number;
};
/** All values ever written under one key. */
type Chain = { head: Node | null | undefined; heldLength: number; added: number };
type Lists = { start: Node | null | undefined; readonly chains: Map<string, Chain> };
type Cursor = { readonly structs: readonly ScannedStruct[]; at: number; state: number; readonly since: number; readonly nodes: (Node | null)[]; readonly clocks: number[] };

/** Adds the cost of integrating the blocks to `steps`, or gives up when they are spent. */
export function walk(doc: Y.Doc, blocks: readonly WalkBlock[], placeOf: (struct: ScannedStruct) => WalkPlace, steps: Steps): void {
	new Walker(doc, blocks, placeOf, steps).run();
}

export function chargeStructs(steps: Steps, count: number): void {
	steps.taken += count * STEPS_PER_STRUCT;
}

/** What deleting one range costs with `behind` structs in the id's array from there on: at most a split at either end. */
export function chargeDeletion(steps: Steps, behind: number): void {
	steps.taken += STEPS_PER_DELETION + (2 * behind) / MOVED_PER_STEP;
}

class Walker {
	readonly #doc: Y.Doc;
	readonly #placeOf: (struct: ScannedStruct) => WalkPlace;
	readonly #steps: Steps;
	readonly #cursors = new Map<number, Cursor>();
	readonly #pieces = new Map<Y.Item, Node[]>();
	readonly #lists = new Map<object, Lists>();
	#walks = 0;
	#conflicts = 0;

	constructor(doc: Y.Doc, blocks: readonly WalkBlock[], placeOf: (struct: ScannedStruct) => WalkPlace, steps: Steps) {
		this.#doc = doc;
		this.#placeOf = placeOf;
		this.#steps = steps;
		for (const { block, state, first } of blocks) {
			this.#cursors.set(block.client, { structs: block.structs, at: first, state, since: state, nodes: [], clocks: [] });
		}
	}

	/** In Yjs's order: the highest id first, and whatever a struct needs before it. */
	run(): void {
		const waiting: ScannedStruct[] = [];
		for (const client of [...this.#cursors.keys()].sort((a, b) => b - a)) {
			const cursor = this.#cursors.get(client)!;
			while (cursor.at < cursor.structs.length) {
				waiting.push(cursor.structs[cursor.at++]!);
				for (let struct = waiting.at(-1); struct !== undefined; struct = waiting.at(-1)) {
					const needed = this.#missing(struct);
					// The preview has integrated all of it in some order, so what is needed is still to come.
					if (needed !== null) waiting.push(needed.structs[needed.at++]!);
					else {
						this.#integrate(struct);
						waiting.pop();
					}
					if (this.#steps.spent) return;
				}
			}
		}
	}

	#missing(struct: ScannedStruct): Cursor | null {
		// Of a struct that the clip cuts, only the right neighbour is still a claim.
		const isCut = struct.clock < this.#cursors.get(struct.client)!.since;
		for (const id of isCut ? [struct.rightOrigin] : [struct.origin, struct.rightOrigin, struct.parentId]) {
			if (id === null || id.client === struct.client) continue;
			const cursor = this.#cursors.get(id.client);
			if (cursor !== undefined && id.clock >= cursor.state && cursor.at < cursor.structs.length) return cursor;
		}
		return null;
	}

	#integrate(struct: ScannedStruct): void {
		const cursor = this.#cursors.get(struct.client)!;
		const clock = Math.max(struct.clock, cursor.state);
		const end = struct.clock + struct.length;
		cursor.state = end;
		cursor.clocks.push(clock);
		const place = struct.kind === 'gc' ? 'gone' : this.#placeOf(struct);
		// A struct cut by the clip has its known part as its left neighbour.
		const origin = clock > struct.clock ? { client: struct.client, clock: clock - 1 } : struct.origin;
		const { rightOrigin } = struct;
		const left = origin === null ? null : this.#endingAt(origin);
		const right = rightOrigin === null ? null : this.#startingAt(rightOrigin);
		if (place === 'gone') {
			cursor.nodes.push(null);
			return;
		}
		const node: Node = { client: struct.client, clock, end, origin, rightOrigin, held: null, left: null, right: null, walk: 0, conflict: 0 };
		cursor.nodes.push(node);
		const lists = this.#listsOf(place.parent);
		const chain = place.key === null ? null : chainOf(lists, place.key);
		const touches = left === null ? right !== null && this.#leftOf(right) === null : this.#rightOf(left) === right;
		node.left = touches ? left : this.#settle(node, left, right, left !== null ? this.#rightOf(left) : this.#first(place.parent, lists, chain, place.key));
		node.right = node.left !== null ? this.#rightOf(node.left) : this.#first(place.parent, lists, chain, place.key);
		if (node.left !== null) node.left.right = node;
		else if (chain !== null) chain.head = node;
		else lists.start = node;
		if (node.right !== null) node.right.left = node;
		if (chain !== null) chain.added++;
	}

	/** The conflict walk of `Item.integrate`, case by case. Returns the left neighbour. */
	#settle(node: Node, from: Node | null, right: Node | null, first: Node | null): Node | null {
		const thisWalk = ++this.#walks;
		this.#conflicts++;
		let left = from;
		for (let at = first; at !== null && at !== right; at = this.#rightOf(at)) {
			this.#steps.passed++;
			if (++this.#steps.taken > this.#steps.limit) break;
			at.walk = thisWalk;
			at.conflict = this.#conflicts;
			if (sameId(node.origin, at.origin)) {
				if (at.client < node.client) {
					left = at;
					this.#conflicts++;
				} else if (sameId(node.rightOrigin, at.rightOrigin)) break;
			} else {
				const before = at.origin === null ? null : this.#covering(at.origin);
				if (before === null || before.walk !== thisWalk) break;
				if (before.conflict !== this.#conflicts) {
					left = at;
					this.#conflicts++;
				}
			}
		}
		return left;
	}

	#first(parent: { readonly held: Y.AbstractType<unknown> | null }, lists: Lists, chain: Chain | null, key: string | null): Node | null {
		if (chain === null) return (lists.start ??= this.#firstPiece(parent.held?._start ?? null));
		if (chain.head === undefined) {
			let item = parent.held?._map.get(key!) ?? null;
			for (; item !== null; item = item.left) {
				chain.heldLength++;
				if (item.left === null) break;
			}
			chain.head = this.#firstPiece(item);
		}
		// Yjs follows the chain from its end each time.
		this.#steps.taken += (chain.heldLength + chain.added) / HOPS_PER_STEP;
		return chain.head;
	}

	#listsOf(parent: object): Lists {
		let lists = this.#lists.get(parent);
		if (lists === undefined) this.#lists.set(parent, (lists = { start: undefined, chains: new Map() }));
		return lists;
	}

	#piecesOf(item: Y.Item): Node[] {
		let pieces = this.#pieces.get(item);
		if (pieces === undefined) {
			const { client, clock } = item.id;
			const { origin, rightOrigin, length } = item;
			pieces = [{ client, clock, end: clock + length, origin, rightOrigin, held: item, left: undefined, right: undefined, walk: 0, conflict: 0 }];
			this.#pieces.set(item, pieces);
		}
		return pieces;
	}

	#firstPiece(item: Y.Item | null): Node | null {
		return item === null ? null : this.#piecesOf(item)[0]!;
	}

	/** Neighbours are filled in on both sides at once, so that neither side can be out of date. */
	#rightOf(node: Node): Node | null {
		if (node.right !== undefined) return node.right;
		const right = this.#firstPiece(node.held!.right);
		if (right !== null) right.left = node;
		return (node.right = right);
	}
	#leftOf(node: Node): Node | null {
		if (node.left !== undefined) return node.left;
		const item = node.held!.left;
		const left = item === null ? null : this.#piecesOf(item).at(-1)!;
		if (left !== null) left.right = node;
		return (node.left = left);
	}

	/** The piece that ends with this id, cut out if need be; null for collected content. */
	#endingAt({ client, clock }: Id): Node | null {
		const node = this.#covering({ client, clock });
		if (node !== null && node.end > clock + 1) this.#split(node, clock + 1);
		return node;
	}
	#startingAt(id: Id): Node | null {
		const node = this.#covering(id);
		return node === null || node.clock === id.clock ? node : this.#split(node, id.clock);
	}

	#covering({ client, clock }: Id): Node | null {
		const cursor = this.#cursors.get(client);
		if (cursor !== undefined && clock >= cursor.since) return cursor.nodes[lastNotAfter(cursor.clocks, clock)] ?? null;
		const structs = structsOf(this.#doc, client);
		const held = structs?.[indexAt(structs, clock)];
		if (!(held instanceof Y.Item)) return null;
		const pieces = this.#piecesOf(held);
		return pieces.length === 1 ? pieces[0]! : pieces[pieceAt(pieces, clock)]!;
	}

	#split(node: Node, clock: number): Node {
		const { client, rightOrigin, held } = node;
		const right: Node = { client, clock, end: node.end, origin: { client, clock: clock - 1 }, rightOrigin, held, left: node, right: node.right, walk: 0, conflict: 0 };
		if (right.right) right.right.left = right;
		node.right = right;
		node.end = clock;
		const cursor = this.#cursors.get(client);
		const structs = structsOf(this.#doc, client) ?? [];
		let moved = cursor?.nodes.length ?? 0;
		if (held !== null) {
			const pieces = this.#piecesOf(held);
			pieces.splice(pieceAt(pieces, clock) + 1, 0, right);
			moved += structs.length - indexAt(structs, clock) + pieces.length;
		} else {
			const at = lastNotAfter(cursor!.clocks, clock) + 1;
			cursor!.nodes.splice(at, 0, right);
			cursor!.clocks.splice(at, 0, clock);
			moved -= at;
		}
		this.#steps.taken += STEPS_PER_SPLIT + moved / MOVED_PER_STEP;
		return right;
	}
}

function chainOf(lists: Lists, key: string): Chain {
	let chain = lists.chains.get(key);
	if (chain === undefined) lists.chains.set(key, (chain = { head: undefined, heldLength: 0, added: 0 }));
	return chain;
}

function sameId(a: Id | null, b: Id | null): boolean {
	return a === b || (a !== null && b !== null && a.client === b.client && a.clock === b.clock);
}

function lastNotAfter(clocks: readonly number[], clock: number): number {
	let low = 0;
	let high = clocks.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >>> 1;
		if (clocks[middle]! <= clock) low = middle;
		else high = middle - 1;
	}
	return low;
}

function pieceAt(pieces: readonly Node[], clock: number): number {
	let low = 0;
	let high = pieces.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >>> 1;
		if (pieces[middle]!.clock <= clock) low = middle;
		else high = middle - 1;
	}
	return low;
}
