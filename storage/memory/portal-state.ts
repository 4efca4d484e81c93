/**
 * One portal in memory: what a disk would hold, and nothing that is under way. Every method is synchronous, so nobody sees half a
 * commit (S4), and copies at the border (S5). Order, failures and crashes are left to relay-store.ts.
 *
 * `reached` and `digest` walk all documents: this store is for tests and trials, where that is cheaper than an index.
 */
import type { CommandId, DocumentId, KindName } from '#crdt-model/ids.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import { digestOf, type SetDigest } from '#crdt-model/wire/digest.ts';
import { NO_ROWS_MADE, type Binding, type Commit, type DocumentHead, type LogEntry, type LogHead, type PageOf, type PortalStore, type StoredAnswer, type StoredDocument } from '../contract.ts';
import type { Notices } from '#crdt-model/wire/down.ts';
import { discontinuity } from './continuity.ts';
import { copyBytes, copyEntry, copyHead, copyLogHead } from './copy.ts';
import { noticesFor } from './notices.ts';

interface Kept {
	head: DocumentHead;
	snapshot: Uint8Array | null;
	snapshotDocSeq: number;
	/** In order of docSeq. */
	readonly entries: LogEntry[];
	readonly bindings: Map<number, Binding>;
}

export class PortalState {
	#head: LogHead = { epoch: 1, seq: 0, chain: new Uint8Array(32), counters: {}, restores: [], rows: NO_ROWS_MADE };
	/** Entry `seq` is at `seq - 1`. */
	readonly #log: LogEntry[] = [];
	readonly #documents = new Map<DocumentId, Kept>();
	readonly #byScope = new Map<DocumentId, Set<DocumentId>>();
	readonly #answers = new Map<CommandId, StoredAnswer>();

	/** Takes a commit that is the store's own copy, whole or not at all. */
	apply(commit: Commit): void {
		// All is checked before the first write, because nothing here rolls back (S6).
		const problem = discontinuity(this.#head, (id) => this.#documents.get(id)?.head ?? null, commit);
		if (problem) throw new Error(`commit refused: ${problem}`);
		for (const head of commit.heads) this.#keepHead(head);
		for (const entry of commit.entries) {
			this.#log.push(entry);
			this.#documents.get(entry.document)!.entries.push(entry);
		}
		for (const answer of commit.answers) if (!this.#answers.has(answer.command)) this.#answers.set(answer.command, answer);
		for (const binding of commit.bindings) {
			const { bindings } = this.#documents.get(binding.document)!;
			if (!bindings.has(binding.client)) bindings.set(binding.client, binding);
		}
		for (const { document, docSeq, snapshot } of commit.compactions) {
			const kept = this.#documents.get(document)!;
			if (docSeq <= kept.snapshotDocSeq) continue;
			kept.snapshot = snapshot;
			kept.snapshotDocSeq = docSeq;
		}
		this.#head = commit.head;
	}

	#keepHead(head: DocumentHead): void {
		const kept = this.#documents.get(head.id);
		if (!kept) this.#documents.set(head.id, { head, snapshot: null, snapshotDocSeq: 0, entries: [], bindings: new Map() });
		else {
			this.#byScope.get(kept.head.scope)?.delete(head.id);
			kept.head = head;
		}
		const members = this.#byScope.get(head.scope);
		if (members) members.add(head.id);
		else this.#byScope.set(head.scope, new Set([head.id]));
	}

	/** Shares no array that anybody writes: entries and snapshots are never changed once they are kept. */
	clone(): PortalState {
		const copy = new PortalState();
		copy.#head = copyLogHead(this.#head);
		copy.#log.push(...this.#log);
		for (const [id, kept] of this.#documents) copy.#documents.set(id, { ...kept, entries: [...kept.entries], bindings: new Map(kept.bindings) });
		for (const [scope, members] of this.#byScope) copy.#byScope.set(scope, new Set(members));
		for (const [id, answer] of this.#answers) copy.#answers.set(id, answer);
		return copy;
	}

	head(): LogHead {
		return copyLogHead(this.#head);
	}

	heads(ids: readonly DocumentId[]): DocumentHead[] {
		return this.#kept(ids).map(({ head }) => copyHead(head));
	}

	load(ids: readonly DocumentId[]): StoredDocument[] {
		return this.#kept(ids).map(({ head, snapshot, snapshotDocSeq, entries }) => ({
			...copyHead(head),
			snapshot: snapshot && copyBytes(snapshot),
			snapshotDocSeq,
			tail: entries.filter((entry) => entry.docSeq > snapshotDocSeq).map((entry) => copyBytes(entry.bytes))
		}));
	}

	headsOfKinds(kinds: readonly KindName[]): DocumentHead[] {
		return this.#sorted(({ head }) => kinds.includes(head.kind)).map(copyHead);
	}

	documentsOf({ kind, after, limit }: Parameters<PortalStore['documentsOf']>[0]): StoredDocument[] {
		const found = this.#sorted(({ head }) => head.kind === kind && (after === null || head.id > after));
		return this.load(found.slice(0, limit).map(({ id }) => id));
	}

	ofScope(scope: DocumentId): DocumentHead[] {
		const members = [...(this.#byScope.get(scope) ?? [])].sort();
		return this.heads(members);
	}

	entriesAfter(query: Parameters<PortalStore['entriesAfter']>[0]): { entries: LogEntry[]; reached: number } {
		const reached = Math.min(query.after + query.window, this.#head.seq);
		const held = new Set(query.principals);
		const looked = this.#log.slice(query.after, Math.max(reached, query.after));
		const entries = looked.filter((entry) => this.#meets(this.#documents.get(entry.document)!.head, held));
		return { entries: entries.map(copyEntry), reached };
	}

	reached(query: Parameters<PortalStore['reached']>[0]): PageOf<DocumentHead, DocumentId> {
		const { after = null, limit, kinds } = query;
		const held = new Set(query.principals);
		const without = new Set(query.without ?? []);
		const all = this.#sorted(
			({ head }) =>
				(after === null || head.id > after) &&
				(kinds === undefined || kinds.includes(head.kind)) &&
				this.#meets(head, held) &&
				!this.#meets(head, without)
		);
		const items = all.slice(0, limit).map(copyHead);
		return { items, next: all.length > items.length ? (items.at(-1)?.id ?? after) : null };
	}

	digest(query: { readonly principals: readonly Principal[]; readonly upTo: number }): SetDigest {
		const held = new Set(query.principals);
		return digestOf(this.#sorted(({ head }) => head.firstSeq <= query.upTo && this.#meets(head, held)).map((head) => head.id));
	}

	history(document: DocumentId, afterDocSeq: number, limit: number): LogEntry[] {
		const entries = this.#documents.get(document)?.entries ?? [];
		return entries.filter((entry) => entry.docSeq > afterDocSeq).slice(0, limit).map(copyEntry);
	}

	notices({ person, after }: Parameters<PortalStore['notices']>[0]): Map<DocumentId, Notices> {
		return noticesFor(person, after.flatMap(([id, docSeq]) => this.#documents.get(id)?.entries.filter((entry) => entry.docSeq > docSeq).map(copyEntry) ?? []));
	}

	answers(commands: readonly CommandId[]): StoredAnswer[] {
		return [...new Set(commands)].flatMap((command) => {
			const answer = this.#answers.get(command);
			return answer ? [{ ...answer }] : [];
		});
	}

	bindings(document: DocumentId): Binding[] {
		const bindings = [...(this.#documents.get(document)?.bindings.values() ?? [])];
		return bindings.sort((a, b) => a.client - b.client).map((binding) => ({ ...binding }));
	}

	#kept(ids: readonly DocumentId[]): Kept[] {
		return [...new Set(ids)].flatMap((id) => this.#documents.get(id) ?? []);
	}

	#sorted(fits: (kept: Kept) => boolean): DocumentHead[] {
		const heads = [...this.#documents.values()].filter(fits).map(({ head }) => head);
		return heads.sort((a, b) => (a.id < b.id ? -1 : 1));
	}

	#meets(head: DocumentHead, held: ReadonlySet<Principal>): boolean {
		const isHeld = (principal: Principal) => held.has(principal);
		return head.audience.some(isHeld) || (head.scope !== head.id && this.#documents.get(head.scope)?.head.audience.some(isHeld) === true);
	}
}

/** The store's own copy of a commit, taken when it is called: the caller may change its arrays at once. */
export function copyCommit(commit: Commit): Commit {
	return {
		entries: commit.entries.map(copyEntry),
		heads: commit.heads.map(copyHead),
		answers: commit.answers.map(({ command, author, result }) => ({ command, author, result })),
		bindings: commit.bindings.map(({ document, client, person }) => ({ document, client, person })),
		compactions: commit.compactions.map(({ document, docSeq, snapshot }) => ({ document, docSeq, snapshot: copyBytes(snapshot) })),
		head: copyLogHead(commit.head)
	};
}
