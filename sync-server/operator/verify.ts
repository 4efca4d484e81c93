/**
 * `verify`: whether a portal's file still says what was accepted. The first difference is reported.
 *
 *   pages of the file → chain and seals, entry by entry → each document: history, snapshot, row, audience → counters
 *
 * A file of another release is not judged, and says so. Rows that another release made are its own: they are not compared, only whether the indexes follow them.
 *
 * Promises: memory holds one entry or one document; a relay that writes meanwhile is not disturbed and disturbs nothing; whatever the file
 * holds, the answer is a sentence and never a fault. Documents are always rebuilt from their first entry: nothing of the log is thrown
 * away in this version.
 * Not covered by the chain, and therefore not judged: answers to commands, bindings of client ids.
 */
import * as Y from 'yjs';
import type { KindName, PortalId } from '#crdt-model/ids.ts';
import { kindOf } from '#crdt-model/ids.ts';
import { NOTHING_USED, plus, USAGE_COUNTERS, USAGE_KINDS, usageOf, type Usage } from '#crdt-model/tariff/usage.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import { collectionsOf, type BaseRow, type Kind } from '#crdt-model/record/kind.ts';
import { rowOf } from '#crdt-model/record/plan.ts';
import { readFromDoc } from '#crdt-model/record/state.ts';
import { audienceIn } from '../gate/head.ts';
import { CHAIN_START, chained, chainedRestore, sealOf } from '../log/seal.ts';
import { outdatedKinds } from '../room/remake.ts';
import { BACK_COUNTER } from '../room/services.ts';
import { OfAnotherRelease, PortalArchive, Unreadable, type ArchivedDocument, type ArchivedHead } from './archive.ts';
import { chainedByOlder } from './older-chain.ts';

export interface Verified {
	readonly portal: PortalId;
	readonly entries: number;
	readonly documents: number;
	/** The first thing that is not as it was accepted; null when there is none. */
	readonly difference: string | null;
	/** Why it cannot be said whether there is a difference: another release wrote it. Null where it can. */
	readonly notJudged: string | null;
	/** Kinds whose rows another release made: these are not compared with the log, and are made anew when the portal is next opened. */
	readonly outdated: readonly KindName[];
}

export function verifyPortal(file: string, portal: PortalId, macKey: Uint8Array): Verified {
	const counts = { entries: 0, documents: 0 };
	let outdated: readonly KindName[] = [];
	let archive: PortalArchive | null = null;
	try {
		archive = new PortalArchive(file);
		const head = archive.head();
		if (head.seq > 0) outdated = outdatedKinds(head.rows);
		const difference = firstDifference(archive, head, new Set(outdated), portal, macKey, counts);
		return { portal, ...counts, difference, notJudged: null, outdated };
	} catch (error) {
		if (error instanceof OfAnotherRelease) return { portal, ...counts, difference: null, notJudged: error.message, outdated };
		const said = error instanceof Unreadable ? error.message : `cannot be read: ${(error as Error).message}`;
		return { portal, ...counts, difference: said.split('\n')[0]!, notJudged: null, outdated };
	} finally {
		archive?.close();
	}
}

interface Counts {
	entries: number;
	documents: number;
}

function firstDifference(archive: PortalArchive, head: ArchivedHead, outdated: ReadonlySet<KindName>, portal: PortalId, macKey: Uint8Array, counts: Counts): string | null {
	// Both halves are asked before SQLite's own check: they say what was changed, it says only where.
	return logDifference(archive, head, portal, macKey, counts) ?? documentsDifference(archive, head, outdated, counts) ?? damageOf(archive);
}

function damageOf(archive: PortalArchive): string | null {
	const damage = archive.damage();
	return damage === null ? null : `the file is damaged: ${damage.slice(0, 200)}`;
}

function logDifference(archive: PortalArchive, head: ArchivedHead, portal: PortalId, macKey: Uint8Array, counts: Counts): string | null {
	const epochs = epochDifference(head);
	if (epochs !== null) return epochs;
	const restores = [...head.restores];
	let chain = CHAIN_START;
	/** What was restored after this many entries is a link between them and the next. */
	const linkRestores = () => {
		while (restores[0]?.seq === counts.entries) chain = chainedRestore(chain, restores.shift()!);
	};
	linkRestores();
	for (const entry of archive.entries()) {
		const expected = counts.entries + 1;
		if (entry.seq !== expected) return `entry ${expected} is missing (the next one is ${entry.seq})`;
		const before = chain;
		chain = chained(before, entry, entry.rightsVersion);
		if (!same(chain, entry.hash) && same(chainedByOlder(before, entry, entry.rightsVersion), entry.hash)) {
			// Not a difference: somebody who wants to change an entry gains nothing by it, for the older link covers as much.
			throw new OfAnotherRelease(`an older release wrote it, whose hash chain is spelled otherwise: entries up to ${expected - 1} were checked, entry ${expected} is linked as that release did, and this one checks no more of it`);
		}
		if (!same(chain, entry.hash)) return `entry ${entry.seq} of ${entry.document} breaks the hash chain: it, or its place, is not as it was accepted`;
		if (!same(sealOf(macKey, portal, entry), entry.mac)) return `entry ${entry.seq} of ${entry.document} does not carry this relay's seal`;
		counts.entries++;
		linkRestores();
	}
	if (head.seq !== counts.entries) return `the head says ${head.seq} entries and the log ends at ${counts.entries}`;
	return same(chain, head.chain) ? null : 'the head does not carry the hash of the last entry';
}

/** Each restore begins a higher epoch and leaves no fewer entries than the one before; the head stands in the last. */
function epochDifference({ epoch, restores }: ArchivedHead): string | null {
	let last = { epoch: 1, seq: 0 };
	for (const restore of restores) {
		if (restore.epoch <= last.epoch || restore.seq < last.seq) return `the restore that began epoch ${restore.epoch} does not follow the one before`;
		last = restore;
	}
	return epoch === last.epoch ? null : `the head stands in epoch ${epoch}, and its last restore began epoch ${last.epoch}`;
}

function documentsDifference(archive: PortalArchive, head: ArchivedHead, outdated: ReadonlySet<KindName>, counts: Counts): string | null {
	let entries = 0;
	const highest: Record<string, number> = {};
	let used = NOTHING_USED;
	for (const document of archive.documents()) {
		const said = saidByLog(archive, document, outdated.has(document.kind));
		if (typeof said === 'string') return `${document.id}: ${said}`;
		const { number } = said;
		if (number !== null) highest[document.kind] = Math.max(highest[document.kind] ?? 0, number);
		used = plus(used, usageOf(said));
		entries += document.docSeq;
		counts.documents++;
	}
	if (entries !== head.seq) return `the documents account for ${entries} of ${head.seq} entries: a document is missing`;
	for (const [name, counter] of Object.entries(USAGE_COUNTERS) as [keyof Usage, string][]) {
		// A portal that no release with tariffs has opened yet is counted then, and one whose rows are made anew as well.
		if (outdated.has(USAGE_KINDS[name])) continue;
		const counted = head.counters[counter] ?? used[name];
		if (counted !== used[name]) return `the counter of ${name} is ${counted} and the documents add up to ${used[name]}`;
	}
	const back = head.counters[BACK_COUNTER] ?? 0;
	if (back > head.seq) return `a service came back at ${back}, and the log ends at ${head.seq}`;
	for (const kind of new Set([...Object.keys(highest), ...Object.keys(head.counters)])) {
		// What else is counted has a colon in its name, as no kind has.
		if (kind.includes(':')) continue;
		if (highest[kind] !== head.counters[kind]) return `the counter of ${kind} is ${head.counters[kind] ?? 0} and its highest number ${highest[kind] ?? 0}`;
	}
	return null;
}

/** The row that the log gives a document, or the first thing in which what is stored of it differs. */
function saidByLog(archive: PortalArchive, stored: ArchivedDocument, isOutdated: boolean): BaseRow | string {
	const name = kindOf(stored.id);
	if (name === null || name !== stored.kind) return `is no document of kind ${stored.kind}`;
	const kind = kindNamed(name);
	const built = new Y.Doc();
	const kept = stored.snapshot ? new Y.Doc() : null;
	try {
		let last = { docSeq: 0, seq: 0 };
		let firstSeq = 0;
		if (kept && stored.snapshot) Y.applyUpdate(kept, stored.snapshot.bytes);
		for (const { docSeq, seq, bytes } of archive.history(stored.id)) {
			if (docSeq !== last.docSeq + 1) return `its change ${last.docSeq + 1} is missing`;
			if (docSeq === 1) firstSeq = seq;
			last = { docSeq, seq };
			Y.applyUpdate(built, bytes);
			if (kept && docSeq > stored.snapshot!.docSeq) Y.applyUpdate(kept, bytes);
		}
		if (last.docSeq !== stored.docSeq) return `has ${stored.docSeq} changes by its head and ${last.docSeq} in the log`;
		if (last.seq !== stored.seq || firstSeq !== stored.firstSeq) return 'names other first and last entries than the log';
		if (stored.snapshot && stored.snapshot.docSeq > stored.docSeq) return 'has a snapshot of changes that the log does not know';
		if (kept && !sameDocument(kind, built, kept)) return 'its snapshot says something else than the log';
		const row = rowOf(kind, stored.id, readFromDoc(built, collectionsOf(kind)));
		if (row === null) return 'the log makes no record of it';
		return (isOutdated ? null : rowDifference(kind, stored, row)) ?? indexDifference(stored) ?? row;
	} finally {
		built.destroy();
		kept?.destroy();
	}
}

function rowDifference(kind: Kind, stored: ArchivedDocument, row: BaseRow): string | null {
	if (canonical(row) !== canonical(stored.row)) return `its row says something else than the log (${firstOther(row, stored.row)})`;
	const { scope, audience } = audienceIn(kind, row);
	if (scope !== stored.scope) return `its audience is that of ${stored.scope} instead of ${scope}`;
	return asSet(audience) === asSet(stored.audience) ? null : 'its audience is not the one that the log gives it';
}

/** The index that is asked for every read must say what the audience says, whoever made that. */
function indexDifference(stored: ArchivedDocument): string | null {
	const wanted = asSet(stored.audience);
	const beside = stored.scope === stored.id ? '[]' : wanted;
	const isIndexed = canonical([...stored.reach].sort()) === wanted && canonical([...stored.beside].sort()) === beside;
	return isIndexed ? null : 'the index of who reaches it is not the one that the log gives it';
}

const asSet = (principals: readonly string[]): string => canonical([...new Set(principals)].sort());

/** Fields, content, clocks and deletions; not how structs are split, in which a rebuild may differ. */
function sameDocument(kind: Kind, a: Y.Doc, b: Y.Doc): boolean {
	if (!Y.equalSnapshots(Y.snapshot(a), Y.snapshot(b))) return false;
	const fields = (doc: Y.Doc) => canonical(Object.fromEntries(readFromDoc(doc, collectionsOf(kind))));
	if (fields(a) !== fields(b)) return false;
	if (!kind.content) return true;
	const { root, shape } = kind.content;
	const content = (doc: Y.Doc) => doc.get(root, shape === 'rich' ? Y.XmlText : Y.Text) as unknown as Y.AbstractType<unknown>;
	return dumpOf(content(a)) === dumpOf(content(b));
}

/** What lives in a shared type, recursively; `maxDepth` of the gate bounds the recursion. */
function dumpOf(type: Y.AbstractType<unknown>): string {
	const list: unknown[] = [];
	for (let item = type._start; item !== null; item = item.right) {
		if (item.deleted) continue;
		const content = contentOf(item);
		// How characters were typed is not what they say.
		if (typeof content === 'string' && typeof list.at(-1) === 'string') list.push((list.pop() as string) + content);
		else list.push(content);
	}
	const keyed = [...type._map].filter(([, item]) => !item.deleted).map(([key, item]) => [key, contentOf(item)] as const);
	return canonical({ list, keyed: Object.fromEntries(keyed) });
}

function contentOf({ content }: Y.Item): unknown {
	if (content instanceof Y.ContentType) return { type: content.type.constructor.name, inside: dumpOf(content.type as Y.AbstractType<unknown>) };
	return content instanceof Y.ContentString ? content.str : { values: content.getContent() };
}

/** JSON with keys in one order. */
function canonical(value: unknown): string {
	return JSON.stringify(value, (_, inner: unknown) =>
		typeof inner === 'object' && inner !== null && !Array.isArray(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
			: inner
	);
}

function firstOther(log: object, row: unknown): string {
	const stored = (typeof row === 'object' && row !== null ? row : {}) as Record<string, unknown>;
	const expected = log as Record<string, unknown>;
	const key = [...new Set([...Object.keys(expected), ...Object.keys(stored)])].find((name) => canonical(expected[name] ?? null) !== canonical(stored[name] ?? null));
	return key ?? 'its fields';
}

function same(a: Uint8Array, b: Uint8Array): boolean {
	return Buffer.compare(a, b) === 0;
}
