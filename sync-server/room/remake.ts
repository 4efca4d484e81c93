/**
 * Rows, scopes and audiences are pure functions of what a document says (crdt-model, rule V4), and a newer release may make other ones. Lists, searches, rights and
 * what devices are sent all go by those that are stored; so the first opening by another release makes them anew, before anything is read (SPEC R1–R6).
 *
 * Promises: a kind is noted as made by this release when all its rows are; a step is one commit of a few documents and notes how far it came, so that a remake
 * that was broken off goes on from there; between steps, and within one that takes longer than a turn, other portals have the event loop.
 * Leaves to others: which version a row function has (crdt-model/kinds), keeping bytes (storage/).
 */
import { KINDS, kindOf, type DocumentId, type KindName } from '#crdt-model/ids.ts';
import { kindNamed, ROW_VERSIONS } from '#crdt-model/kinds/index.ts';
import { collectionsOf, type Kind } from '#crdt-model/record/kind.ts';
import { rowOf } from '#crdt-model/record/plan.ts';
import { readFromDoc } from '#crdt-model/record/state.ts';
import { USAGE_COUNTERS, USAGE_KINDS, type Usage } from '#crdt-model/tariff/usage.ts';
import type { DocumentHead, LogHead, PortalStore, RowsMade, StoredDocument } from '#storage/contract.ts';
import { TURN_MS } from '../budget/limits.ts';
import type { Clock } from '../budget/clock.ts';
import { audienceIn } from '../gate/head.ts';
import { docOf } from './rooms.ts';

/** Documents in one commit: about 100 ms of work on one core, and what a crash makes be done again. */
export const RECORDS_AT_ONCE = 200;
/** Pages and texts are loaded whole to say their title. */
export const PAGES_AT_ONCE = 8;

export interface Remade {
	/** As it stands now. */
	readonly head: LogHead;
	/** Kinds whose rows another release had made, where the portal has documents of them. */
	readonly kinds: readonly KindName[];
	/** How many documents were looked at, and how many of them say something else now. */
	readonly documents: number;
	readonly changed: number;
}

export interface RemakeOptions {
	readonly clock: Clock;
	/** The relay ends: what is left is made at the next opening. */
	readonly signal?: AbortSignal | undefined;
}

/** What this release says of rows when all of them are its own. */
export const ROWS_OF_THIS_RELEASE: RowsMade = { versions: ROW_VERSIONS, underWay: null };

/** @throws where a document makes no row by this release: then the portal is not opened, for what would be told of it were wrong */
export async function remakeRows(store: PortalStore, { clock, signal }: RemakeOptions): Promise<Remade> {
	let head = await store.head();
	const kinds: KindName[] = [];
	let documents = 0;
	let changed = 0;
	// Nothing was made by anybody; the first commit says by whom.
	if (head.seq === 0) return { head: { ...head, rows: ROWS_OF_THIS_RELEASE }, kinds, documents, changed };

	for (const kind of outdatedKinds(head.rows)) {
		const version = ROW_VERSIONS[kind];
		const step = kindNamed(kind).content ? PAGES_AT_ONCE : RECORDS_AT_ONCE;
		const { underWay } = head.rows;
		let after = underWay?.kind === kind && underWay.version === version ? underWay.after : null;
		for (let isDone = false; !isDone; ) {
			signal?.throwIfAborted();
			const found = await store.documentsOf({ kind, after, limit: step });
			const heads = await remadeHeads(found, clock);
			documents += found.length;
			changed += heads.length;
			if (found.length > 0 && kinds.at(-1) !== kind) kinds.push(kind);
			isDone = found.length < step;
			after = found.at(-1)?.id ?? after;
			const { [kind]: _, ...others } = head.rows.versions;
			const rows: RowsMade = isDone || after === null ? { versions: { ...others, [kind]: version }, underWay: null } : { versions: others, underWay: { kind, version, after } };
			head = { ...head, rows, counters: isDone ? withoutReckoned(head.counters, kind) : head.counters };
			// What had no documents is noted along with what comes after it.
			if (found.length > 0 || outdatedKinds(rows).length === 0) await store.commit({ ...NOTHING, heads, head });
		}
	}
	return { head, kinds, documents, changed };
}

/** Kinds whose rows were not all made by this release, or that are being made by it. */
export function outdatedKinds({ versions }: RowsMade): KindName[] {
	return KINDS.filter((kind) => versions[kind] !== ROW_VERSIONS[kind]);
}

const NOTHING = { entries: [], answers: [], bindings: [], compactions: [] } as const;

/** Those of the documents of which something else is to be said now. */
async function remadeHeads(documents: readonly StoredDocument[], clock: Clock): Promise<DocumentHead[]> {
	const heads: DocumentHead[] = [];
	let began = clock.now();
	for (const stored of documents) {
		const head = remadeHead(stored);
		if (head) heads.push(head);
		if (clock.now() - began < TURN_MS) continue;
		await new Promise<void>((resolve) => clock.soon(resolve));
		began = clock.now();
	}
	return heads;
}

/** Null where all of it is as this release makes it. */
export function remadeHead(stored: StoredDocument): DocumentHead | null {
	const { id, docSeq, seq, firstSeq } = stored;
	const kind = kindNamed(kindOf(id)!);
	const made = rowIn(stored, kind);
	if (!made) throw new Error(`${id} says nothing that this release makes a row of`);
	const { row, scope, audience } = made;
	const same = scope === stored.scope && JSON.stringify([row, audience]) === JSON.stringify([stored.row, stored.audience]);
	return same ? null : { id, kind: kind.kind, docSeq, seq, firstSeq, row, scope, audience };
}

function rowIn(stored: StoredDocument, kind: Kind): Pick<DocumentHead, 'row' | 'scope' | 'audience'> | null {
	try {
		const doc = docOf(stored);
		const row = rowOf(kind, stored.id, readFromDoc(doc, collectionsOf(kind)));
		doc.destroy();
		return row && { row, ...audienceIn(kind, row) };
	} catch (cause) {
		throw new Error(`${stored.id} makes no row by this release`, { cause });
	}
}

/** Counters that are reckoned from rows of the kind are reckoned anew when the portal has opened (quota/portal-quota.ts). */
function withoutReckoned(counters: LogHead['counters'], kind: KindName): LogHead['counters'] {
	const reckoned = (Object.keys(USAGE_KINDS) as (keyof Usage)[]).filter((name) => USAGE_KINDS[name] === kind).map((name): string => USAGE_COUNTERS[name]);
	return Object.fromEntries(Object.entries(counters).filter(([name]) => !reckoned.includes(name)));
}
