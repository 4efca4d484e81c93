/**
 * A seeded writer for the tests of stores: it makes commits as sync-server/log would and remembers all of them plainly, so that it is also the naive
 * model with which every read is compared. No test library in here: a child process that is to be killed runs it too.
 */
import { IdMaker, type DocumentId, type KindName } from '#crdt-model/ids.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import { NO_ROWS_MADE, type Commit, type DocumentHead, type LogEntry } from '../contract.ts';

/** xorshift32, so that a seed is a whole run. */
export class Dice {
	#state: number;
	constructor(seed: number) {
		this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
	}
	below(limit: number): number {
		this.#state ^= this.#state << 13;
		this.#state ^= this.#state >>> 17;
		this.#state ^= this.#state << 5;
		return (this.#state >>> 0) % limit;
	}
	chance(percent: number): boolean {
		return this.below(100) < percent;
	}
	of<T>(items: readonly T[]): T {
		return items[this.below(items.length)]!;
	}
	bytes(length: number): Uint8Array {
		return Uint8Array.from({ length }, () => this.below(256));
	}
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] };

/** A writer that makes commits as sync-server/log would, and remembers all of them plainly: the naive model. */
export class Writer {
	readonly dice: Dice;
	readonly ids: IdMaker;
	readonly principals: Principal[];
	readonly log: LogEntry[] = [];
	readonly heads = new Map<DocumentId, DocumentHead>();
	readonly snapshots = new Map<DocumentId, { docSeq: number; snapshot: Uint8Array }>();
	readonly answers: Commit['answers'][number][] = [];
	readonly bindings: Commit['bindings'][number][] = [];
	head: Commit['head'] = { epoch: 1, seq: 0, chain: new Uint8Array(32), counters: {}, restores: [], rows: NO_ROWS_MADE };
	#draft: Mutable<Omit<Commit, 'head'>> = emptyDraft();

	constructor(seed: number) {
		this.dice = new Dice(seed);
		let now = 1_700_000_000_000;
		this.ids = new IdMaker(() => now++, (target) => (target.set(this.dice.bytes(target.length)), target));
		const people = Array.from({ length: 3 }, () => this.ids.document('employee'));
		this.principals = ['all', 'admins', ...people.flatMap((id) => [`user:${id}`, `task:user:${id}`] as const)];
	}

	/** An entry that makes a document or edits it. */
	edit(id: DocumentId, change: Partial<Pick<DocumentHead, 'scope' | 'audience'>> = {}, size = 20): DocumentId {
		const { dice, ids } = this;
		const before = this.heads.get(id);
		const seq = this.head.seq + 1;
		const docSeq = (before?.docSeq ?? 0) + 1;
		const kind = id.slice(0, id.indexOf('_')) as KindName;
		const author = ids.document('employee');
		const createdAt = before?.row.createdAt ?? seq;
		const title = `Tür №${dice.below(1000)} "👋"`;
		const row = { id, kind, number: null, createdBy: author, createdAt, updatedAt: seq, deleted: dice.chance(10), title };
		const base = { id, kind, docSeq, seq, firstSeq: before?.firstSeq ?? seq, row };
		const entry: LogEntry = {
			seq,
			document: id,
			docSeq,
			author,
			authoredAt: seq * 10,
			acceptedAt: seq * 11,
			command: dice.chance(50) ? null : { id: ids.command(), document: id, name: 'task.rename', args: { title }, at: seq, seen: {} },
			overruled: [],
			swallowed: dice.chance(20) ? [[1, 2, dice.below(99)]] : [],
			bytes: dice.bytes(size),
			mac: dice.bytes(32),
			rightsVersion: dice.below(9),
			hash: dice.bytes(32),
			returned: dice.chance(10) ? { docSeq: dice.below(99), by: author } : null
		};
		const head = { ...base, scope: change.scope ?? before?.scope ?? id, audience: change.audience ?? before?.audience ?? [] };
		this.heads.set(id, head);
		this.log.push(entry);
		this.#draft.entries.push(entry);
		this.#draft.heads = [...this.#draft.heads.filter((other) => other.id !== id), head];
		const restores = dice.chance(10) ? [...this.head.restores, { epoch: seq, seq, at: seq * 12 }] : this.head.restores;
		this.head = { ...this.head, seq, chain: entry.hash, counters: { ...this.head.counters, task: seq }, restores };
		return id;
	}

	/** Gives a document another row and audience without an entry, as a newer row function does. */
	remake(id: DocumentId, audience: readonly Principal[], scope: DocumentId = id): void {
		const before = this.heads.get(id)!;
		const head = { ...before, row: { ...before.row, remade: this.dice.below(1000) }, scope, audience };
		this.heads.set(id, head);
		this.#draft.heads = [...this.#draft.heads.filter((other) => other.id !== id), head];
		this.head = { ...this.head, rows: { versions: { task: this.dice.below(9) }, underWay: { kind: 'deal', version: 2, after: this.ids.document('deal') } } };
	}

	create(kind: KindName, audience: readonly Principal[]): DocumentId {
		return this.edit(this.ids.document(kind), { audience });
	}

	createIn(scope: DocumentId, also: readonly Principal[] = []): DocumentId {
		return this.edit(this.ids.document('page'), { scope, audience: also });
	}

	compact(document: DocumentId, docSeq: number): void {
		const snapshot = this.dice.bytes(30);
		this.#draft.compactions.push({ document, docSeq, snapshot });
		if (docSeq > (this.snapshots.get(document)?.docSeq ?? 0)) this.snapshots.set(document, { docSeq, snapshot });
	}

	answer(command = this.ids.command()): void {
		const answer = { command, author: this.ids.document('employee'), result: `{"kind":"accepted","seq":${this.dice.below(1000)}}` };
		this.#draft.answers.push(answer);
		if (!this.answers.some((other) => other.command === command)) this.answers.push(answer);
	}

	bind(document: DocumentId, client: number): void {
		const binding = { document, client, person: this.ids.document('employee') };
		this.#draft.bindings.push(binding);
		if (!this.bindings.some((other) => other.document === document && other.client === client)) this.bindings.push(binding);
	}

	/** All that was written since the last commit. */
	commit(): Commit {
		const commit = { ...this.#draft, head: this.head };
		this.#draft = emptyDraft();
		return commit;
	}

	random(): Commit {
		const { dice } = this;
		const audience = () => this.principals.filter(() => dice.chance(25));
		for (let count = dice.below(6); count >= 0; count--) {
			const known = [...this.heads.keys()];
			if (known.length === 0 || dice.chance(30)) this.create(dice.of(['task', 'deal', 'company', 'employee'] as const), audience());
			else if (dice.chance(20)) this.createIn(dice.chance(20) ? this.ids.document('deal') : dice.of(known), dice.chance(50) ? audience() : []);
			else if (dice.chance(20)) this.edit(dice.of(known), { audience: audience() });
			else if (dice.chance(10)) this.edit(dice.of(known), { scope: dice.of(known), audience: dice.chance(50) ? audience() : [] });
			else if (dice.chance(10)) this.remake(dice.of(known), audience(), dice.of(known));
			else this.edit(dice.of(known), {}, dice.below(60));
			const id = dice.of([...this.heads.keys()]);
			if (dice.chance(15)) this.compact(id, 1 + dice.below(this.heads.get(id)!.docSeq));
			if (dice.chance(20)) this.bind(id, dice.chance(50) ? 7 : dice.below(2 ** 32));
			if (dice.chance(30)) this.answer(this.answers.length > 0 && dice.chance(20) ? dice.of(this.answers).command : undefined);
		}
		return this.commit();
	}

	mayRead(head: DocumentHead, principals: readonly Principal[]): boolean {
		const readers = [...head.audience, ...(this.heads.get(head.scope)?.audience ?? [])];
		return readers.some((one) => principals.includes(one));
	}
	sorted(fits: (head: DocumentHead) => boolean): DocumentHead[] {
		return [...this.heads.values()].filter(fits).sort((a, b) => (a.id < b.id ? -1 : 1));
	}
}

export function emptyDraft(): Mutable<Omit<Commit, 'head'>> {
	return { entries: [], heads: [], answers: [], bindings: [], compactions: [] };
}
