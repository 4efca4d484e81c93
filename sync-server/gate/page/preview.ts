/**
 * What a scanned update would do to a document, without doing it (SYNC.md 1.3, DESIGN.md 5).
 *
 * Promises: changes nothing, not even by splitting items; judges only what the relay does not hold; names every root touched, every new
 * range, every new deletion and every range that Yjs would swallow. What it passes, Yjs can integrate with nothing left pending.
 * Time is linear in the update plus what it deletes, with a binary search per reference, plus what merging would walk, up to a budget.
 * Leaves to others: rights and quota (asked with the preview in hand), applying, and the check afterwards (`admit.ts`).
 */
import * as Y from 'yjs';
import { covers, eachWithin, indexAt, pushRange, stateOf, structAt, structsOf, uncovered } from '#crdt-model/page/ranges.ts';
import type { Range } from '#crdt-model/page/ranges.ts';
import type { ClientBlock, Id, ScannedStruct, ScanResult } from '#crdt-model/page/scan.ts';
import { NOTHING } from './rules.ts';
import type { PageRules, Shape } from './rules.ts';
import { kindOfType, sameContent, valuesOf } from './same.ts';
import { STEPS_PER_DEAD_STRUCT, Steps, chargeDeletion, chargeStructs, walk } from './walk.ts';

/** Why the gate refuses a client's update. Closed: the wire maps each to its advice and to the fate of the local change. */
export type PageRefusalCode = 'malformed' | 'too-large' | 'bad-shape' | 'foreign' | 'gap' | 'missing-dependency' | 'clock-reuse' | 'denied' | 'too-much';
export type Refusal = { readonly kind: 'refused'; readonly code: PageRefusalCode; readonly detail: string };

/** Whose a client id is in this document. `unbound` ids are bound to the submitter when their content is stored. */
export type OwnerOf = (client: number) => 'self' | 'other' | 'unbound';

/** A client block with something new in it. `structs[first]` is the first struct that is not wholly known. */
export type FreshBlock = { readonly block: ClientBlock; readonly state: number; readonly first: number };

export type Preview = {
	readonly kind: 'preview';
	/** Client roots whose content changes. */
	readonly roots: ReadonlySet<string>;
	/** Content that the relay does not hold. Empty, and `deletions` empty: the update is known. */
	readonly newRanges: readonly Range[];
	/** Held content that still lives and that the update deletes. */
	readonly deletions: readonly Range[];
	/** New content whose parent is already deleted: Yjs accepts it and throws the text away. */
	readonly swallowed: readonly Range[];
	readonly bindIds: readonly number[];
	readonly newStructs: number;
	readonly newBytes: number;
	/** What merging will cost Yjs (`walk.ts`). */
	readonly merge: Steps;
	readonly fresh: readonly FreshBlock[];
};

export function preview(doc: Y.Doc, update: ScanResult, rules: PageRules, ownerOf: OwnerOf): Preview | Refusal {
	try {
		return new Previewer(doc, update, rules).run(ownerOf);
	} catch (thrown) {
		if (thrown instanceof Refusing) return { kind: 'refused', code: thrown.code, detail: thrown.detail };
		throw thrown;
	}
}

/** Not an Error, as in the scanner: a stack trace per hostile update is work for the attacker. */
class Refusing {
	readonly code: PageRefusalCode;
	readonly detail: string;
	constructor(code: PageRefusalCode, detail: string) {
		this.code = code;
		this.detail = detail;
	}
}
function refuse(code: PageRefusalCode, detail: string): never {
	throw new Refusing(code, detail);
}
const name = ({ client, clock }: Id) => `${client}:${clock}`;

/** A type that holds things. One object per type, so that `===` means the same parent. */
type Parent = { readonly root: string; readonly shape: Shape; readonly depth: number; readonly dead: boolean; readonly held: Held };
/** The relay's own type, or null when this update makes it. */
type Held = Y.AbstractType<unknown> | null;
/** Where a struct stands: among a parent's children (`key` null) or under a key. */
type Place = { readonly parent: Parent; readonly key: string | null };
/** The parent was deleted and collected. Yjs turns what would stand here into a GC struct. */
const GONE = 'gone';

class Previewer {
	readonly #doc: Y.Doc;
	readonly #update: ScanResult;
	readonly #rules: PageRules;
	/** Blocks with new content and how far they have been judged: Yjs's own order of integration, minus the integrating. */
	readonly #fresh = new Map<number, { block: ClientBlock; state: number; first: number; next: number }>();
	readonly #heldParents = new Map<Y.AbstractType<unknown>, Parent>();
	readonly #newParents = new Map<ScannedStruct, Parent | typeof GONE>();
	readonly #places = new Map<ScannedStruct, Place | typeof GONE>();
	readonly #roots = new Set<string>();
	readonly #swallowed: Range[] = [];
	readonly #steps: Steps;

	constructor(doc: Y.Doc, update: ScanResult, rules: PageRules) {
		this.#doc = doc;
		this.#update = update;
		this.#rules = rules;
		this.#steps = new Steps(rules.fresh.mergeSteps);
	}

	run(ownerOf: OwnerOf): Preview {
		const newRanges: Range[] = [];
		const bindIds: number[] = [];
		let newStructs = 0;
		let newBytes = 0;
		for (const block of this.#update.blocks) {
			const { client } = block;
			const state = stateOf(this.#doc, client);
			const isNew = block.to > state;
			// The relay's own id in this document belongs to no client, whatever the bindings say.
			const owner = client === this.#doc.clientID ? 'other' : ownerOf(client);
			if (isNew && owner === 'other') refuse('foreign', `new content of ${client}`);
			if (isNew && block.clock > state) refuse('gap', `${client} from ${block.clock}, held to ${state}`);
			const first = this.#knownPart(block, state, owner === 'self');
			if (!isNew) continue;
			if (owner === 'unbound') bindIds.push(client);
			newRanges.push({ client, from: state, to: block.to });
			newStructs += block.structs.length - first;
			for (let i = first; i < block.structs.length; i++) newBytes += newSize(block.structs[i]!, state);
			this.#fresh.set(client, { block, state, first, next: first });
		}
		const limits = this.#rules.fresh;
		if (this.#fresh.size > limits.clientBlocks) refuse('too-large', `new content under ${this.#fresh.size} ids`);
		if (newStructs > limits.structs) refuse('too-large', `${newStructs} new structs`);
		if (newBytes > limits.bytes) refuse('too-large', `${newBytes} new bytes`);
		chargeStructs(this.#steps, newStructs);
		this.#judgeNew();
		const deletions = this.#judgeDeletes();
		const fresh = [...this.#fresh.values()];
		walk(this.#doc, fresh, (struct) => this.#places.get(struct)!, this.#steps);
		this.#refuseSpent();
		return {
			kind: 'preview',
			roots: this.#roots,
			newRanges,
			deletions,
			swallowed: this.#swallowed,
			bindIds,
			newStructs,
			newBytes,
			merge: this.#steps,
			fresh,
		};
	}

	#refuseSpent(): void {
		if (this.#steps.spent) refuse('too-large', 'costs too much to merge');
	}

	/**
	 * Clips what the relay holds and returns the index of the first struct with something new. Roots named by known structs are checked
	 * as well: nothing of them is applied, but a fuzzer once polluted a document through exactly these (SYNC.md 2).
	 */
	#knownPart(block: ClientBlock, state: number, own: boolean): number {
		const { structs } = block;
		let i = 0;
		for (; i < structs.length; i++) {
			const struct = structs[i]!;
			if (struct.clock >= state) break;
			const end = struct.clock + struct.length;
			if (struct.parentRoot !== null && !this.#rules.roots.has(struct.parentRoot) && !this.#rules.relayRoots.has(struct.parentRoot)) {
				refuse('bad-shape', `root ${struct.parentRoot}`);
			}
			if (own && !sameContent(this.#doc, struct, Math.min(end, state), this.#update.bytes)) {
				refuse('clock-reuse', `${name(struct)} holds something else`);
			}
			if (end > state) break;
		}
		return i;
	}

	/** Judges new structs in an order in which Yjs could integrate them; what cannot be reached would stay pending. */
	#judgeNew(): void {
		for (let moved = true; moved; ) {
			moved = false;
			for (const cursor of this.#fresh.values()) {
				const { structs } = cursor.block;
				while (cursor.next < structs.length && this.#isReady(structs[cursor.next]!)) {
					this.#judge(structs[cursor.next]!, cursor.state);
					cursor.next++;
					moved = true;
				}
			}
		}
		for (const { block, next } of this.#fresh.values()) {
			const stuck = block.structs[next];
			if (stuck !== undefined) refuse('missing-dependency', `${name(stuck)} needs what is not here`);
		}
	}

	#isReady(struct: ScannedStruct): boolean {
		return this.#isThere(struct, struct.origin) && this.#isThere(struct, struct.rightOrigin) && this.#isThere(struct, struct.parentId);
	}

	#isThere(struct: ScannedStruct, id: Id | null): boolean {
		if (id === null) return true;
		if (id.client === struct.client) {
			// Yjs looks this up without asking whether it exists, and throws halfway through the transaction.
			if (id.clock >= struct.clock) refuse('missing-dependency', `${name(struct)} refers to its own future`);
			return true;
		}
		const cursor = this.#fresh.get(id.client);
		if (cursor === undefined) return id.clock < stateOf(this.#doc, id.client);
		return id.clock < (cursor.block.structs[cursor.next]?.clock ?? cursor.block.to) || id.clock < cursor.state;
	}

	#judge(struct: ScannedStruct, state: number): void {
		const from = Math.max(struct.clock, state);
		const to = struct.clock + struct.length;
		if (struct.kind === 'gc' || struct.kind === 'deleted') {
			// Typed and deleted offline. Without its deletion it would be filler that blinds the relay to later content of the id.
			if (!covers(this.#update.deletes.get(struct.client), from, to)) refuse('bad-shape', `${name(struct)} is collected but not deleted`);
		}
		if (struct.kind === 'gc') return;
		const place = this.#placeOf(struct);
		if (struct.clock < state) this.#checkSeam(struct, state, place);
		this.#places.set(struct, place);
		if (place !== GONE) {
			const { parent, key } = place;
			this.#roots.add(parent.root);
			if (struct.kind !== 'deleted') {
				if (key !== null && key === this.#rules.nodes?.key) this.#judgeNodeType(struct);
				const slot = struct.kind === 'type' ? struct.type! : struct.kind;
				const allowed = key === null ? parent.shape.list : parent.shape.keyed;
				if (!allowed.has(slot)) refuse('bad-shape', `${slot} ${key === null ? 'in a list' : 'under a key'} of ${parent.root}`);
				// Yjs shows only the last item of such a struct; the rest would be hidden bulk. Values that were overwritten and deleted do
				// merge into one when an UndoManager keeps their content (found by the fuzzer).
				if (key !== null && struct.length !== 1 && !covers(this.#update.deletes.get(struct.client), from, to)) {
					refuse('bad-shape', `${struct.length} values under one key`);
				}
			}
		}
		if (struct.type !== null) this.#newParents.set(struct, this.#newParent(struct, place));
		if (struct.kind !== 'deleted' && (place === GONE || place.parent.dead)) {
			// What the author deleted again is not lost to anybody.
			const lost = uncovered(this.#update.deletes.get(struct.client), from, to);
			for (const part of lost) pushRange(this.#swallowed, struct.client, part.from, part.to);
		}
	}

	#judgeNodeType(struct: ScannedStruct): void {
		const values = valuesOf(struct, this.#update.bytes);
		const known = values?.every((value) => typeof value === 'string' && this.#rules.nodes!.types.has(value));
		if (!known) refuse('bad-shape', `${name(struct)} is no kind of node`);
	}

	/** A struct that is partly held continues the held part, so it must stand in the same place: Yjs would believe both. */
	#checkSeam(struct: ScannedStruct, state: number, place: Place | typeof GONE): void {
		const held = structAt(this.#doc, struct.client, state - 1);
		if (!samePlace(place, held instanceof Y.Item ? this.#placeOfHeld(held) : GONE)) refuse('bad-shape', `${name(struct)} continues elsewhere`);
		// What is applied has the known part as its left neighbour, whatever the struct claims.
		if (place !== GONE && struct.rightOrigin !== null) this.#checkOrder(struct, { client: struct.client, clock: state - 1 }, struct.rightOrigin);
	}

	/** Mirrors `Item.getMissing`: a collected neighbour or parent collects; else the left neighbour's place, the right's, the named one. */
	#placeOf(struct: ScannedStruct): Place | typeof GONE {
		const left = struct.origin === null ? null : this.#placeAt(struct.origin);
		const right = struct.rightOrigin === null ? null : this.#placeAt(struct.rightOrigin);
		// Neighbours die together with their parent. One dead, one alive is forged: Yjs would cut the living one (through a surrogate pair,
		// if asked to), then collect the struct, and the log would not show why (found by the fuzzer).
		if (left !== null && right !== null && !samePlace(left, right)) refuse('bad-shape', `${name(struct)} between two parents`);
		if (left === GONE || right === GONE) return GONE;
		if (left !== null && right !== null) this.#checkOrder(struct, struct.origin!, struct.rightOrigin!);
		const beside = left ?? right;
		if (beside !== null) return beside;
		if (struct.parentRoot !== null) {
			const shape = this.#rules.roots.get(struct.parentRoot) ?? refuse('bad-shape', `root ${struct.parentRoot}`);
			return { parent: this.#rootParent(struct.parentRoot, shape), key: struct.parentSub };
		}
		const parent = this.#parentAt(struct.parentId!);
		return parent === GONE ? GONE : { parent, key: struct.parentSub };
	}

	/**
	 * A right neighbour that stands before the left one in one run of clocks. Yjs splits the run for the right one *after* it has
	 * remembered the left piece, so the result depends on how the run happens to be split: the live document and its rebuild from the log
	 * would differ for ever (found by the fuzzer). Pieces with another origin never become one run, and typing backwards makes such pairs.
	 */
	#checkOrder(struct: ScannedStruct, left: Id, right: Id): void {
		if (left.client !== right.client) return;
		for (let at = left.clock; at >= right.clock; ) {
			const held = structAt(this.#doc, left.client, at);
			const piece = held instanceof Y.Item ? { clock: held.id.clock, origin: held.origin } : this.#newStructAt({ client: left.client, clock: at });
			// A run of many pieces would be followed again for every struct that names its ends.
			this.#steps.taken++;
			this.#refuseSpent();
			if (piece.clock <= right.clock) refuse('bad-shape', `${name(struct)} between neighbours in reverse`);
			if (piece.origin === null || piece.origin.client !== left.client || piece.origin.clock !== piece.clock - 1) return;
			at = piece.clock - 1;
		}
	}

	#placeAt(id: Id): Place | typeof GONE {
		const held = structAt(this.#doc, id.client, id.clock);
		if (held !== undefined) return held instanceof Y.Item ? this.#placeOfHeld(held) : GONE;
		return this.#places.get(this.#newStructAt(id)) ?? GONE;
	}

	#placeOfHeld(item: Y.Item): Place {
		return { parent: this.#heldParent(item.parent as Y.AbstractType<unknown>), key: item.parentSub };
	}

	#parentAt(id: Id): Parent | typeof GONE {
		const held = structAt(this.#doc, id.client, id.clock);
		if (held === undefined) {
			const struct = this.#newStructAt(id);
			if (struct.kind === 'gc' || struct.kind === 'deleted') return GONE;
			return this.#newParents.get(struct) ?? refuse('bad-shape', `${name(id)} is no parent`);
		}
		if (!(held instanceof Y.Item) || held.content instanceof Y.ContentDeleted) return GONE;
		if (!(held.content instanceof Y.ContentType)) refuse('bad-shape', `${name(id)} is no parent`);
		return this.#heldParent(held.content.type as Y.AbstractType<unknown>);
	}

	/** `#isThere` has said that the update holds it. */
	#newStructAt(id: Id): ScannedStruct {
		return this.#fresh.get(id.client)!.block.structs[this.#newIndexAt(id)]!;
	}
	#newIndexAt(id: Id): number {
		const { structs } = this.#fresh.get(id.client)!.block;
		let low = 0;
		let high = structs.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >>> 1;
			if (structs[middle]!.clock <= id.clock) low = middle;
			else high = middle - 1;
		}
		return low;
	}

	/**
	 * What a delete range costs in content that the same update brings. What is brought dead already needs no splitting: a whole document has
	 * thousands of such ranges (the paper of 260,000 edits: 2,639), and Yjs only walks over them.
	 */
	#chargeNewDeletion(start: Id, to: number): void {
		const { structs } = this.#fresh.get(start.client)!.block;
		const first = this.#newIndexAt(start);
		for (let i = first; i < structs.length && structs[i]!.clock < to; i++) {
			const { kind } = structs[i]!;
			if (kind !== 'deleted' && kind !== 'gc') return chargeDeletion(this.#steps, structs.length - first);
			this.#steps.taken += STEPS_PER_DEAD_STRUCT;
		}
		this.#refuseSpent();
	}

	#newParent(struct: ScannedStruct, place: Place | typeof GONE): Parent | typeof GONE {
		if (place === GONE) return GONE;
		const { parent } = place;
		const depth = parent.depth + 1;
		if (depth > this.#rules.maxDepth) refuse('bad-shape', `nested ${depth} deep`);
		return { root: parent.root, shape: this.#rules.inside[struct.type!] ?? NOTHING, depth, dead: parent.dead, held: null };
	}

	/** A root may not exist on the relay yet, and asking `doc.get` for it would make it. */
	#rootParent(root: string, shape: Shape): Parent {
		const type = this.#doc.share.get(root) as Y.AbstractType<unknown> | undefined;
		if (type !== undefined) return this.#heldParent(type);
		let parent = this.#unmadeRoots.get(root);
		if (parent === undefined) this.#unmadeRoots.set(root, (parent = { root, shape, depth: 0, dead: false, held: null }));
		return parent;
	}
	readonly #unmadeRoots = new Map<string, Parent>();

	#heldParent(type: Y.AbstractType<unknown>): Parent {
		let parent = this.#heldParents.get(type);
		if (parent === undefined) this.#heldParents.set(type, (parent = this.#climb(type)));
		return parent;
	}

	#climb(type: Y.AbstractType<unknown>): Parent {
		const item = type._item;
		if (item !== null) {
			const above = this.#heldParent(item.parent as Y.AbstractType<unknown>);
			const kind = kindOfType(type);
			const shape = (kind && this.#rules.inside[kind]) ?? NOTHING;
			return { root: above.root, shape, depth: above.depth + 1, dead: above.dead || item.deleted, held: type };
		}
		for (const [root, shared] of this.#doc.share) {
			if (shared !== type) continue;
			const shape = this.#rules.roots.get(root) ?? refuse('bad-shape', `root ${root}`);
			return { root, shape, depth: 0, dead: false, held: type };
		}
		return refuse('bad-shape', 'a type outside the document');
	}

	/** New deletions of held content. Targets that neither the relay nor this update holds would wait for their victim. */
	#judgeDeletes(): Range[] {
		const deletions: Range[] = [];
		for (const { client, ranges } of this.#update.deletes.values()) {
			const state = stateOf(this.#doc, client);
			const { to: reach, structs: { length: newCount } } = this.#fresh.get(client)?.block ?? { to: state, structs: [] };
			const structs = structsOf(this.#doc, client) ?? [];
			for (const { from, to } of ranges) {
				if (to > reach) refuse('missing-dependency', `deletes ${client}:${from}, held to ${state}`);
				if (to > state) this.#chargeNewDeletion({ client, clock: Math.max(from, state) }, to);
				if (from >= state) continue;
				// The common case of a resent document: one collected struct covers the range. What is dead already is free.
				const index = indexAt(structs, from);
				const at = structs[index]!;
				if (at.deleted && at.id.clock + at.length >= to) continue;
				let living = 0;
				eachWithin(this.#doc, client, from, to, (struct) => {
					if (struct.deleted || !(struct instanceof Y.Item)) return;
					if (living++ === 0) chargeDeletion(this.#steps, structs.length - index + newCount);
					this.#roots.add(this.#placeOfHeld(struct).parent.root);
					pushRange(deletions, client, Math.max(from, struct.id.clock), Math.min(to, struct.id.clock + struct.length));
				});
				this.#refuseSpent();
			}
		}
		return deletions;
	}
}

function samePlace(a: Place | typeof GONE, b: Place | typeof GONE): boolean {
	if (a === GONE || b === GONE) return a === b;
	return a.parent === b.parent && a.key === b.key;
}

/** Bytes that count as new. Of a string that is partly held only the tail counts, at three bytes a unit, UTF-8's worst. */
function newSize(struct: ScannedStruct, state: number): number {
	const size = struct.end - struct.at;
	if (struct.clock >= state || struct.kind !== 'string') return size;
	return Math.min(size, 3 * (struct.clock + struct.length - state));
}
