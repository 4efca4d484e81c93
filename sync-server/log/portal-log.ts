/**
 * One portal's log: the one order of its changes (SPEC L1–L5).
 *
 * `append` gives a change its `seq`, its place in the hash chain and its seal, and returns at once. Changes wait for the group commit: what
 * arrives while one is under way goes with the next. `onCommitted` runs after a commit is on disk and is where acknowledging and fan-out
 * begin (P2). A failed commit ends the log: everything since is void, `onFailed` says so once, and the portal reads itself anew.
 *
 * Left to others: deciding (gate/), documents in memory (room/), who gets what (session/).
 */
import type { CommandId, DocumentId, PersonId, PortalId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { Overruled } from '#crdt-model/record/plan.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import type { Binding, Compaction, DocumentHead, LogEntry, LogHead, NewEntry, PortalStore, Restore, RowsMade, StoredAnswer } from '#storage/contract.ts';
import { chained, commandText, contentDigest, SealKey, sealOf } from './seal.ts';

/** Of each of two generations. */
const MAX_RECENT_ANSWERS = 10_000;

/** A change that the gate let in, not yet numbered. */
export interface Draft {
	readonly document: DocumentId;
	readonly docSeq: number;
	readonly author: PersonId;
	readonly authoredAt: number;
	/** The relay's clock when it was first accepted, for what a device hands back after a restore; now where it is new. */
	readonly acceptedAt?: number;
	readonly returned?: LogEntry['returned'];
	readonly command: Command | null;
	readonly overruled: readonly Overruled[];
	readonly swallowed: readonly (readonly [client: number, from: number, to: number])[];
	readonly bytes: Uint8Array;
	/** The document as it stands after this change; `seq` is filled in here. */
	readonly head: Omit<DocumentHead, 'seq' | 'firstSeq'> & { readonly firstSeq: number | null };
	/** Who could read the document before and can after. Fan-out compares the two. */
	readonly readersBefore: readonly Principal[];
	readonly readersAfter: readonly Principal[];
	/** The connection that brought a page edit and has it already. */
	readonly origin: unknown;
	/** Whether somebody's rights may have changed by it. */
	readonly changesRights: boolean;
	/** It makes a document on which something hung already: whoever reads the one may now read the other. */
	readonly isAwaited?: boolean;
}

/** A change on disk, on its way to its readers. */
export interface Committed extends Omit<Draft, 'head' | 'acceptedAt' | 'returned'> {
	readonly entry: NewEntry;
	readonly head: DocumentHead;
}

interface OpenCommit {
	readonly changes: Committed[];
	readonly heads: Map<DocumentId, DocumentHead>;
	readonly answers: StoredAnswer[];
	readonly bindings: Binding[];
	readonly compactions: Map<DocumentId, Compaction>;
	readonly settled: PromiseWithResolvers<void>;
}

export interface PortalLogOptions {
	readonly portal: PortalId;
	readonly store: PortalStore;
	/** Its rows are those of this release: every head that is written from here on is made by it. */
	readonly head: LogHead;
	readonly macKey: Uint8Array;
	readonly now: () => number;
	onCommitted(changes: readonly Committed[]): void;
	onFailed(reason: unknown): void;
}

/** Said to whoever waited for a commit that failed. Nothing of it was accepted. */
export class LogFailed extends Error {}

export class PortalLog {
	readonly #options: PortalLogOptions;
	readonly #sealKey: SealKey;
	readonly epoch: number;
	readonly restores: readonly Restore[];
	readonly #rows: RowsMade;
	#assigned: number;
	#durable: number;
	#chain: Uint8Array;
	#counters: Record<string, number>;
	#durableCounters: Readonly<Record<string, number>>;
	readonly #given = new Set<string>();
	#open: OpenCommit | null = null;
	#underWay: OpenCommit | null = null;
	#failed = false;
	/**
	 * The latest answers, on disk or not: a repeat whose look-up at the store crossed the commit finds its first answer here. A look-up
	 * takes milliseconds, so this many outlast it at any rate of commits that the disk allows. In two generations: taking the oldest out of one
	 * map walks over the holes of all that were taken before.
	 */
	#recentAnswers = new Map<CommandId, StoredAnswer>();
	#olderAnswers = new Map<CommandId, StoredAnswer>();

	constructor(options: PortalLogOptions) {
		this.#options = options;
		this.#sealKey = new SealKey(options.macKey);
		this.epoch = options.head.epoch;
		this.restores = options.head.restores;
		this.#rows = options.head.rows;
		this.#assigned = this.#durable = options.head.seq;
		this.#chain = options.head.chain;
		this.#counters = { ...options.head.counters };
		this.#durableCounters = { ...options.head.counters };
	}

	/** The highest seq given, on disk or not. */
	get assigned(): number {
		return this.#assigned;
	}
	/** Everything up to here is on disk. */
	get durable(): number {
		return this.#durable;
	}
	get hasFailed(): boolean {
		return this.#failed;
	}

	/** The number that the next record of a kind gets. Taken only by a change that is appended in the same turn. */
	nextNumber(kind: string): number {
		const number = (this.#counters[kind] = (this.#counters[kind] ?? 0) + 1);
		// Only after a restore may a record come back that had a number before.
		if (this.restores.length > 0) this.#given.add(`${kind} ${number}`);
		return number;
	}
	/** Whether this process gave the number. */
	hasGiven(kind: string, number: number): boolean {
		return this.#given.has(`${kind} ${number}`);
	}

	/** A record comes back with the number that it had: no new one is given up to it. */
	numberGiven(kind: string, number: number): void {
		this.#counters[kind] = Math.max(this.#counters[kind] ?? 0, number);
	}

	/** A counter with everything that was appended, on disk or not; 0 where nothing was counted yet. */
	counted(name: string): number {
		return this.#counters[name] ?? 0;
	}
	/** A counter as it is on disk: what may be told. */
	countedOnDisk(name: string): number {
		return this.#durableCounters[name] ?? 0;
	}
	isCounted(name: string): boolean {
		return name in this.#counters;
	}
	/** Goes to disk with the change that is appended in the same turn. */
	count(name: string, more: number): void {
		this.#counters[name] = this.counted(name) + more;
	}
	/** A counter that older releases did not keep, reckoned from documents: what is on disk is what it says. */
	adopt(name: string, value: number): void {
		this.#counters[name] = value;
		this.#durableCounters = { ...this.#durableCounters, [name]: value };
	}

	append(draft: Draft, rightsVersion: number): LogEntry {
		if (this.#failed) throw new LogFailed('append after a failed commit');
		const seq = ++this.#assigned;
		const { document, docSeq, author, authoredAt, command, bytes } = draft;
		const { acceptedAt = this.#options.now(), returned = null } = draft;
		const overruled = [...draft.overruled];
		const swallowed = draft.swallowed.map(([client, from, to]): [number, number, number] => [client, from, to]);
		const text = commandText(command);
		const header = { seq, document, docSeq, author, authoredAt, acceptedAt, command, overruled, swallowed, bytes, returned };
		const digest = contentDigest(header, text);
		this.#chain = chained(this.#chain, header, rightsVersion, digest);
		const mac = sealOf(this.#sealKey, this.#options.portal, header, digest);
		const entry: NewEntry = { ...header, mac, rightsVersion, hash: this.#chain, commandText: text };
		const commit = this.#opened();
		// A batch that makes a document and changes it drafts both before either has a seq.
		const firstSeq = draft.head.firstSeq ?? commit.heads.get(document)?.firstSeq ?? seq;
		const head: DocumentHead = { ...draft.head, seq, firstSeq };
		commit.changes.push({ ...draft, entry, head });
		commit.heads.set(document, head);
		return entry;
	}

	answer(answer: StoredAnswer): void {
		if (this.#recentAnswers.size >= MAX_RECENT_ANSWERS) {
			this.#olderAnswers = this.#recentAnswers;
			this.#recentAnswers = new Map();
		}
		this.#recentAnswers.set(answer.command, answer);
		this.#opened().answers.push(answer);
	}
	recentAnswer(command: CommandId): StoredAnswer | undefined {
		return this.#recentAnswers.get(command) ?? this.#olderAnswers.get(command);
	}
	bind(binding: Binding): void {
		this.#opened().bindings.push(binding);
	}
	compact(compaction: Compaction): void {
		this.#opened().compactions.set(compaction.document, compaction);
	}

	/** The portal's time in memory is over: nothing is taken any more. What is under way goes to disk or not, and nobody is told. */
	end(reason: unknown): void {
		if (!this.#failed) this.#fail(reason, this.#underWay);
	}

	/**
	 * Resolves when a commit under way that changes who may read what has been told, at once where there is none. A store that answers while such a
	 * commit is under way may answer by readers of whom no session knows yet.
	 */
	async readersTold(): Promise<void> {
		const commit = this.#underWay;
		if (commit?.changes.some((change) => change.changesRights || !sameReaders(change))) await commit.settled.promise;
	}

	/** Resolves once everything appended, answered or bound until now is on disk; rejects with LogFailed if it never will be. */
	settled(): Promise<void> {
		if (this.#failed) return Promise.reject(new LogFailed('the log has failed'));
		return (this.#open ?? this.#underWay)?.settled.promise ?? Promise.resolve();
	}

	#opened(): OpenCommit {
		if (this.#failed) throw new LogFailed('the log has failed');
		if (!this.#open) {
			this.#open = {
				changes: [], heads: new Map(), answers: [], bindings: [], compactions: new Map(), settled: Promise.withResolvers()
			};
			// A rejection is for whoever waits; where nobody does, onFailed has said it.
			this.#open.settled.promise.catch(() => {});
			if (!this.#underWay) queueMicrotask(() => void this.#commitNext());
		}
		return this.#open;
	}

	async #commitNext(): Promise<void> {
		while (this.#open && !this.#failed) {
			const commit = this.#open;
			this.#underWay = commit;
			this.#open = null;
			const seq = this.#assigned;
			const counters = { ...this.#counters };
			try {
				await this.#options.store.commit({
					entries: commit.changes.map((change) => change.entry),
					heads: [...commit.heads.values()],
					answers: commit.answers,
					bindings: commit.bindings,
					compactions: [...commit.compactions.values()],
					head: { epoch: this.epoch, seq, chain: this.#chain, counters, restores: this.restores, rows: this.#rows }
				});
			} catch (reason) {
				if (!this.#failed) this.#fail(reason, commit);
				return;
			}
			// Ended meanwhile: whoever waited has been told that nobody knows.
			if (this.#failed) return;
			this.#durable = seq;
			this.#durableCounters = counters;
			try {
				if (commit.changes.length > 0) this.#options.onCommitted(commit.changes);
			} catch (fault) {
				// It is on disk, but nobody knows who was told: all sessions must come back and ask from their cursors.
				commit.settled.resolve();
				this.#fail(fault, null);
				return;
			}
			commit.settled.resolve();
			this.#underWay = null;
		}
	}

	#fail(reason: unknown, commit: OpenCommit | null): void {
		this.#failed = true;
		const failure = new LogFailed('a commit failed', { cause: reason });
		commit?.settled.reject(failure);
		this.#open?.settled.reject(failure);
		this.#open = this.#underWay = null;
		this.#options.onFailed(reason);
	}
}

/** A new document is no change of readers: its first entry says all of it. Unless it says who reads another. */
function sameReaders({ docSeq, isAwaited, readersBefore, readersAfter }: Draft): boolean {
	return (docSeq === 1 && !isAwaited) || (readersBefore.length === readersAfter.length && readersAfter.every((principal) => readersBefore.includes(principal)));
}
