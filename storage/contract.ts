/**
 * What every store of the relay promises. A store keeps bytes and finds them again; it knows no rights: it is told which
 * principals a caller holds and never asks why.
 *
 * Promises, proven by contract-suite.ts for each adapter:
 * - S1 `commit` is atomic, and durable once it resolves. After a crash a commit is there whole or not at all.
 * - S2 Commits of one portal become visible in the order in which they were called. A reader sees committed state only.
 * - S3 `seq` of a commit's entries continues the head without holes; a commit that does not is refused and changes nothing.
 * - S4 Reads never see half a commit.
 * - S5 Bytes come back as they went in; a returned array is the caller's own.
 * - S6 A failed commit leaves the store usable and its state as before.
 * - S7 A commit may give stored documents another row, scope and audience without an entry (rows are made anew); where they stand in the log stays as it was,
 *   or the commit is refused.
 * Left to others: group commit, order, hash chains, compaction policy (sync-server/log), rights (crdt-model/access).
 */
import type { CommandId, DocumentId, KindName, PersonId, PortalId } from '#crdt-model/ids.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { SetDigest } from '#crdt-model/wire/digest.ts';
import type { Entry, Notices } from '#crdt-model/wire/down.ts';

/** A new life of the log: it goes on after the last entry that the restored backup held. */
export interface Restore {
	/** The epoch that began. */
	readonly epoch: number;
	/** The last entry that is older; everything of earlier epochs after it is lost, unless a device hands it back. */
	readonly seq: number;
	/** Milliseconds since 1970, the clock of the machine that restored. */
	readonly at: number;
}

/** By which version of its row function each kind's rows, scopes and audiences were made (crdt-model, SPEC V4). */
export interface RowsMade {
	/** Of kinds whose rows are all of one version; of the others nobody knows which made them. */
	readonly versions: Readonly<Record<string, number>>;
	/** A remake that began and has not ended: rows of the kind are of this version up to and with this id. */
	readonly underWay: { readonly kind: KindName; readonly version: number; readonly after: DocumentId } | null;
}

/** Where a portal's log stands. */
export interface LogHead {
	/** Starts at 1; raised when a portal is restored from a backup, so that sequence numbers are never mistaken. */
	readonly epoch: number;
	/** 0 before the first entry. */
	readonly seq: number;
	/** SHA-256 of the last entry's chained header; 32 zero bytes before the first. */
	readonly chain: Uint8Array;
	/** Last number given, by kind. */
	readonly counters: Readonly<Record<string, number>>;
	/** Every restore from a backup, oldest first. */
	readonly restores: readonly Restore[];
	/** What made the rows that are stored with it. Nothing in a store of before that was kept. */
	readonly rows: RowsMade;
}

/** Of an empty store, and of one that does not know. */
export const NO_ROWS_MADE: RowsMade = { versions: {}, underWay: null };

/** What is known of a document without its content. */
export interface DocumentHead {
	readonly id: DocumentId;
	readonly kind: KindName;
	readonly docSeq: number;
	/** The portal-wide seq of its last entry. */
	readonly seq: number;
	/** The seq of its first entry: what a device with an older cursor cannot hold yet. */
	readonly firstSeq: number;
	readonly row: BaseRow;
	/** The record whose audience it has; itself for most. */
	readonly scope: DocumentId;
	/** Who may read it, and what hangs on it. Where the scope is another, these are beside those who read by that. */
	readonly audience: readonly Principal[];
}

export interface StoredDocument extends DocumentHead {
	/** The compacted state up to `snapshotDocSeq`; null where nothing was compacted yet (then `snapshotDocSeq` is 0). */
	readonly snapshot: Uint8Array | null;
	readonly snapshotDocSeq: number;
	/** Canonical updates after the snapshot, oldest first. */
	readonly tail: readonly Uint8Array[];
}

/** An entry as the log keeps it: what is shipped, and what only the relay's own audit needs. */
export interface LogEntry extends Entry {
	readonly rightsVersion: number;
	/** SHA-256 over the previous hash and this entry's header (docs/protocol). */
	readonly hash: Uint8Array;
	/** Where a device handed it back after a restore: its docSeq in the epoch that was lost, and who brought it. */
	readonly returned: { readonly docSeq: number; readonly by: PersonId } | null;
}

/** An entry on its way in. */
export interface NewEntry extends LogEntry {
	/** Its command as JSON, where the caller has spelled it already. */
	readonly commandText?: string;
}

/** The first answer to a command, kept for ever: a repeat gets it again. */
export interface StoredAnswer {
	readonly command: CommandId;
	readonly author: PersonId;
	/** JSON of the wire's answer result. */
	readonly result: string;
}

/** A client id in a page or text belongs to the person whose content came with it first. */
export interface Binding {
	readonly document: DocumentId;
	readonly client: number;
	readonly person: PersonId;
}

export interface Compaction {
	readonly document: DocumentId;
	readonly docSeq: number;
	readonly snapshot: Uint8Array;
}

export interface Commit {
	readonly entries: readonly NewEntry[];
	/** The heads of all documents that the entries touch, as they stand after the last of them; and of those whose rows are made anew (S7). */
	readonly heads: readonly DocumentHead[];
	readonly answers: readonly StoredAnswer[];
	readonly bindings: readonly Binding[];
	readonly compactions: readonly Compaction[];
	readonly head: LogHead;
}

/** A page of something longer: `next` continues it, null at the end. */
export interface PageOf<T, After> {
	readonly items: readonly T[];
	readonly next: After | null;
}

/** One portal's log, documents and indexes. */
export interface PortalStore {
	head(): Promise<LogHead>;
	commit(commit: Commit): Promise<void>;

	heads(ids: readonly DocumentId[]): Promise<DocumentHead[]>;
	load(ids: readonly DocumentId[]): Promise<StoredDocument[]>;
	/** Heads of all documents of the kinds, in order of id: the directory is read so at opening. */
	headsOfKinds(kinds: readonly KindName[]): Promise<DocumentHead[]>;
	/** Documents of a kind in order of id, from behind `after` on: rows are made anew so. Fewer than `limit` where the kind ends. */
	documentsOf(query: { readonly kind: KindName; readonly after: DocumentId | null; readonly limit: number }): Promise<StoredDocument[]>;
	/** Everything that has this record as its scope, itself included where it is its own. Asked of a record that nobody has made, too. */
	ofScope(scope: DocumentId): Promise<DocumentHead[]>;

	/**
	 * Log entries after a seq whose documents the principals reach by today's audiences, in order of seq. Looks at no more than `window` entries of
	 * the log; `reached` is the last seq looked at, readable or not.
	 */
	entriesAfter(query: { principals: readonly Principal[]; after: number; window: number }): Promise<{ entries: LogEntry[]; reached: number }>;
	/**
	 * Documents that `principals` reach and `without` do not, in order of id.
	 * @param query.after continue after this id
	 */
	reached(query: {
		principals: readonly Principal[];
		without?: readonly Principal[];
		kinds?: readonly KindName[];
		after?: DocumentId | null;
		limit: number;
	}): Promise<PageOf<DocumentHead, DocumentId>>;

	/** The digest of the documents that the principals reach and whose first entry is not after `upTo`. */
	digest(query: { principals: readonly Principal[]; upTo: number }): Promise<SetDigest>;

	/** Canonical entries of one document after a docSeq: its history, and what a device lacks. */
	history(document: DocumentId, afterDocSeq: number, limit: number): Promise<LogEntry[]>;
	/**
	 * What a person must hear of from the entries after each docSeq: values of theirs that gave way to another's, and their own text that was swallowed.
	 * Documents of which there is nothing to say are left out.
	 */
	notices(query: { readonly person: PersonId; readonly after: readonly (readonly [DocumentId, number])[] }): Promise<Map<DocumentId, Notices>>;
	answers(commands: readonly CommandId[]): Promise<StoredAnswer[]>;
	bindings(document: DocumentId): Promise<Binding[]>;
	close(): Promise<void>;
}

/** All portals of one relay. */
export interface RelayStore {
	/** Opens a portal's store, making it where there is none. */
	portal(id: PortalId): Promise<PortalStore>;
	portals(): Promise<PortalId[]>;
	close(): Promise<void>;
}
