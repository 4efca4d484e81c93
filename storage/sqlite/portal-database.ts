/**
 * One portal's open file, in the worker. Every method is synchronous and the worker has one thread, so commits stand in the order in which they were
 * called (S2) and no read falls into one (S4). A commit is one transaction, checked inside (S3), and on disk when it returns:
 * WAL with synchronous=FULL syncs the log at each commit (S1).
 */
import { createHash } from 'node:crypto';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { CommandId, DocumentId, KindName } from '#crdt-model/ids.ts';
import { digestOf, type SetDigest } from '#crdt-model/wire/digest.ts';
import type { Binding, PageOf, PortalStore, StoredAnswer, StoredDocument } from '../contract.ts';
import { discontinuity } from '../memory/continuity.ts';
import { Unpacker, type FlatCommit, type FlatEntry, type FlatHead, type FlatLogHead, type Packed, type Packer } from './flat.ts';
import type { ReachList, ReachLists } from './reach-lists.ts';
import { migrate } from './schema.ts';
import { SQL, type StatementName } from './statements.ts';

/** Kept in memory per file; the ceiling of open files makes it 256 MB at most, and only under load in all of them. */
const PAGE_CACHE_KIB = 2_048;
/** A backup that copies the file holds its lock for moments. */
const BUSY_TIMEOUT_MS = 5_000;
/** What the write-ahead log is cut to after a checkpoint; a big import would leave its size on disk for ever. */
const WAL_LEFT_BYTES = 16 * 1024 * 1024;

/** `snapshot` and `tail` follow in the packed buffer. */
export type FlatDocument = FlatHead & Pick<StoredDocument, 'snapshotDocSeq'> & { readonly hasSnapshot: boolean; readonly tailLength: number };
type EntryRow = FlatEntry & { readonly bytes: Uint8Array; readonly mac: Uint8Array; readonly hash: Uint8Array };
type ToldRow = Pick<FlatEntry, 'document' | 'author' | 'overruled' | 'swallowed'>;
type Standing = Pick<FlatHead, 'kind' | 'docSeq' | 'seq' | 'firstSeq' | 'scope' | 'audience'>;

export class PortalDatabase {
	readonly #file: string;
	readonly #database: DatabaseSync;
	readonly #statements = new Map<StatementName, StatementSync>();
	readonly #lists: ReachLists;
	/** Changes with every commit after which somebody reaches other documents. */
	#reachStamp: number;

	constructor(file: string, lists: ReachLists) {
		this.#file = file;
		this.#lists = lists;
		this.#reachStamp = lists.stamp();
		this.#database = new DatabaseSync(file, { enableForeignKeyConstraints: true, timeout: BUSY_TIMEOUT_MS });
		try {
			const mode = this.#database.prepare('PRAGMA journal_mode = WAL').get();
			if (mode?.journal_mode !== 'wal') throw new Error('cannot keep a write-ahead log beside itself');
			this.#database.exec(`
				PRAGMA synchronous = FULL; PRAGMA cache_size = -${PAGE_CACHE_KIB}; PRAGMA journal_size_limit = ${WAL_LEFT_BYTES};
				PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY`);
			migrate(this.#database);
		} catch (error) {
			this.close();
			throw error;
		}
	}

	close(): void {
		this.#statements.clear();
		this.#database.close();
	}

	commit(commit: FlatCommit, packed: Packed): void {
		this.#database.exec('BEGIN IMMEDIATE');
		try {
			this.#write(commit, new Unpacker(packed));
			this.#database.exec('COMMIT');
		} catch (error) {
			// Some failures (a full disk) roll back by themselves; a second rollback would hide the first error.
			if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
			throw error;
		}
	}

	#write(commit: FlatCommit, bytes: Unpacker): void {
		const stored = this.#one<{ epoch: number; seq: number }>('head')!;
		const standing = new Map<DocumentId, Standing | null>();
		const standingOf = (id: DocumentId): Standing | null => {
			let found = standing.get(id);
			if (found === undefined) standing.set(id, (found = this.#one<Standing>('standing', id) ?? null));
			return found;
		};
		const problem = discontinuity(stored, standingOf, commit);
		if (problem) throw new Error(`commit refused: ${problem}`);

		for (const head of commit.heads) this.#writeHead(head, standingOf(head.id));
		for (const e of commit.entries) {
			const { seq, document, docSeq, author, authoredAt, acceptedAt, command, overruled, swallowed, rightsVersion, returned } = e;
			const texts = [command, overruled, swallowed];
			const blobs = [bytes.view(), bytes.view(), bytes.view()];
			this.#run('insertEntry', seq, document, docSeq, author, authoredAt, acceptedAt, ...texts, rightsVersion, returned, ...blobs);
		}
		for (const { command, author, result } of commit.answers) this.#run('insertAnswer', command, author, result);
		for (const { document, client, person } of commit.bindings) this.#run('insertBinding', document, client, person);
		for (const { document, docSeq } of commit.compactions) {
			const snapshot = bytes.view();
			// A first snapshot of nothing would read as "never compacted" beside a docSeq of 0.
			if (docSeq > 0) this.#run('compact', document, docSeq, snapshot);
		}
		this.#run('setHead', commit.head.epoch, commit.head.seq, bytes.view(), commit.head.counters, commit.head.restores, commit.head.rows);
	}

	#writeHead(head: FlatHead, before: Standing | null): void {
		const { id, kind, docSeq, seq, firstSeq, scope, audience, row } = head;
		if (before === null) this.#run('insertDocument', id, kind, docSeq, seq, firstSeq, scope, audience, row);
		else this.#run('touchDocument', docSeq, seq, row, id);
		const same =
			before !== null &&
			before.scope === scope &&
			before.audience === audience &&
			before.kind === kind &&
			before.firstSeq === firstSeq;
		if (same) return;
		this.#reachStamp = this.#lists.stamp();
		if (before !== null) {
			this.#run('moveDocument', kind, firstSeq, scope, audience, id);
			this.#run('dropReach', id);
			if (before.scope !== id) this.#run('dropBeside', id);
		}
		this.#run('addReach', id, audience);
		if (scope !== id) this.#run('addBeside', id, audience);
	}

	head(_: null, out: Packer): FlatLogHead {
		const { chain, ...head } = this.#one<FlatLogHead & { chain: Uint8Array }>('head')!;
		out.add(chain);
		return head;
	}

	heads(ids: readonly DocumentId[]): FlatHead[] {
		return ids.flatMap((id) => this.#one<FlatHead>('documentHead', id) ?? []);
	}

	load(ids: readonly DocumentId[], out: Packer): FlatDocument[] {
		return this.#documents(this.heads(ids), out);
	}

	documentsOf({ kind, after, limit }: Parameters<PortalStore['documentsOf']>[0], out: Packer): FlatDocument[] {
		return this.#documents(this.#all<FlatHead>('headsOfKindAfter', kind, after ?? '', limit), out);
	}

	#documents(heads: readonly FlatHead[], out: Packer): FlatDocument[] {
		return heads.map((head) => {
			const snapshot = this.#one<{ docSeq: number; bytes: Uint8Array }>('snapshot', head.id);
			const snapshotDocSeq = snapshot?.docSeq ?? 0;
			const tail = this.#all<{ bytes: Uint8Array }>('tail', head.id, snapshotDocSeq);
			if (snapshot) out.add(snapshot.bytes);
			for (const { bytes } of tail) out.add(bytes);
			return { ...head, snapshotDocSeq, hasSnapshot: snapshot !== undefined, tailLength: tail.length };
		});
	}

	headsOfKinds(kinds: readonly KindName[]): FlatHead[] {
		const heads = [...new Set(kinds)].flatMap((kind) => this.#all<FlatHead>('headsOfKind', kind));
		return heads.sort((a, b) => (a.id < b.id ? -1 : 1));
	}

	ofScope(scope: DocumentId): FlatHead[] {
		return this.#all<FlatHead>('ofScope', scope);
	}

	entriesAfter(query: Parameters<PortalStore['entriesAfter']>[0], out: Packer): { entries: FlatEntry[]; reached: number } {
		const { seq } = this.#one<{ seq: number }>('head')!;
		const reached = Math.min(query.after + query.window, seq);
		// A device that is up to date asks often, and its principals may be thousands.
		if (reached <= query.after) return { entries: [], reached };
		const rows = this.#all<EntryRow>('entriesAfter', query.after, reached, JSON.stringify(query.principals));
		return { entries: rows.map((row) => packEntry(row, out)), reached };
	}

	reached(query: Parameters<PortalStore['reached']>[0]): PageOf<FlatHead, DocumentId> {
		const { after = null, limit, kinds } = query;
		const list = this.#reach(query.principals, query.without ?? []);
		const wanted = kinds && new Set<string>(kinds);
		const page: DocumentId[] = [];
		let more = false;
		for (let i = after === null ? 0 : firstAfter(list.ids, after); i < list.ids.length && !more; i++) {
			if (wanted && !wanted.has(list.kinds[i]!)) continue;
			if (page.length < limit) page.push(list.ids[i] as DocumentId);
			else more = true;
		}
		return { items: this.heads(page), next: more ? (page.at(-1) ?? after) : null };
	}

	digest(query: Parameters<PortalStore['digest']>[0]): SetDigest {
		const { ids, firstSeqs } = this.#reach(query.principals, []);
		return digestOf(ids.filter((_, i) => firstSeqs[i]! <= query.upTo));
	}

	#reach(principals: readonly string[], without: readonly string[]): ReachList {
		const asked = [JSON.stringify(principals), JSON.stringify(without)] as const;
		const key = createHash('sha256').update(`${this.#file}\n${asked[0]}\n${asked[1]}`).digest('base64');
		return this.#lists.get(key, this.#reachStamp, () => {
			const rows = this.#all<[id: string, kind: string, firstSeq: number]>('reached', ...asked);
			return { ids: rows.map((row) => row[0]), kinds: rows.map((row) => row[1]), firstSeqs: rows.map((row) => row[2]) };
		});
	}

	history({ document, after, limit }: { document: DocumentId; after: number; limit: number }, out: Packer): FlatEntry[] {
		return this.#all<EntryRow>('history', document, after, limit).map((row) => packEntry(row, out));
	}

	/** Entries of the documents that have something to tell anybody; whom, is read on the other side. */
	notices({ after }: Pick<Parameters<PortalStore['notices']>[0], 'after'>): ToldRow[] {
		return after.flatMap(([id, docSeq]) => this.#all<ToldRow>('notices', id, docSeq));
	}

	answers(commands: readonly CommandId[]): StoredAnswer[] {
		return commands.flatMap((command) => this.#one<StoredAnswer>('answer', command) ?? []);
	}

	bindings(document: DocumentId): Binding[] {
		return this.#all<Binding>('bindings', document);
	}

	/** How SQLite would answer a statement, for the test that nothing is linear in the portal's size. */
	plan(name: StatementName): string[] {
		return this.#database.prepare(`EXPLAIN QUERY PLAN ${SQL[name]}`).all().map((row) => String(row.detail));
	}

	#statement(name: StatementName): StatementSync {
		let statement = this.#statements.get(name);
		if (!statement) {
			statement = this.#database.prepare(SQL[name]);
			// A hundred thousand objects for one list would cost more than finding it.
			if (name === 'reached') statement.setReturnArrays(true);
			this.#statements.set(name, statement);
		}
		return statement;
	}

	#run(name: StatementName, ...values: SQLInputValue[]): void {
		this.#statement(name).run(...values);
	}
	#one<Row>(name: StatementName, ...values: SQLInputValue[]): Row | undefined {
		return this.#statement(name).get(...values) as Row | undefined;
	}
	#all<Row>(name: StatementName, ...values: SQLInputValue[]): Row[] {
		return this.#statement(name).all(...values) as Row[];
	}
}

function packEntry({ bytes, mac, hash, ...flat }: EntryRow, out: Packer): FlatEntry {
	out.add(bytes);
	out.add(mac);
	out.add(hash);
	return flat;
}

/** The index of the first id beyond `after` in a sorted list. */
function firstAfter(ids: readonly string[], after: string): number {
	let low = 0;
	let high = ids.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (ids[middle]! > after) high = middle;
		else low = middle + 1;
	}
	return low;
}
