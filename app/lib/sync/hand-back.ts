/**
 * What this device hands back after the relay was restored from an older backup (DESIGN.md 5, docs/protocol.md "After a restore").
 *
 * Promises: everything of the lost stretch that came as an entry is offered before the device says what it holds, so that nothing leaves it unasked; a
 * broken connection costs nothing, since what was answered is marked in the store; own work that the relay cannot believe (its key is gone) goes the way of
 * all pending work, before what was made after it.
 * Leaves to others: when to speak (conversation.ts), what the relay makes of it.
 */
import { sharedUpTo } from '#crdt-model/wire/epochs.ts';
import type { Entry, Returning } from '#crdt-model/wire/down.ts';
import { DOWN_CHUNK_BYTES, INVENTORY_CHUNK, MAX_REOFFER_ENTRIES, REOFFER_WINDOW } from '#crdt-model/wire/limits.ts';
import type { Cursor, Up } from '#crdt-model/wire/up.ts';
import type { DocumentId } from '#crdt-model/ids.ts';
import { CANONICAL_SCAN_LIMITS, scan } from '#crdt-model/page/scan.ts';
import type { NewPending, RawEntry, ReplicaTransaction } from '#storage/replica-contract.ts';
import type { Core } from './core.ts';
import { updateId } from './settle.ts';

/**
 * How long entries are kept as they came: a backup that is a day old, and a week until somebody restores it. docs/operations.md asks for backups at
 * least daily.
 */
export const KEPT_RAW_MS = 8 * 24 * 3_600_000;
/** Old entries are looked for at most so often. */
export const PRUNE_EVERY_MS = 3_600_000;
/** The tab slot of page edits that come out of entries: no open tab has it, so none goes on under their ids. */
const SLOT = 'handed-back';
/** Raw entries read at a time. */
const READ_PAGE = 500;

export interface HandBackHost {
	readonly core: Core;
	send(message: Up): void;
}

/** The log that the relay has now. */
interface Standing {
	readonly epoch: number;
	readonly restores: readonly Cursor[];
}

export class HandBack {
	readonly #core: Core;
	readonly #send: (message: Up) => void;
	#standing: Standing | null = null;
	/** Read up to here; null before the first. */
	#after: Cursor | null = null;
	/** Sent and not answered, piece by piece. */
	#underWay: RawEntry[][] = [];
	#isRead = true;
	/** The first piece names all documents, so it is sent even where it brings nothing yet. */
	#announced: DocumentId[] = [];
	#isFirst = false;
	/** Documents of which something waits for another device. */
	readonly #waiting = new Set<DocumentId>();
	#again = false;
	#prunedAt = -Infinity;

	constructor({ core, send }: HandBackHost) {
		this.#core = core;
		this.#send = send;
	}

	/** Something was offered and is not answered. */
	get isUnderWay(): boolean {
		return this.#standing !== null && (!this.#isRead || this.#underWay.length > 0);
	}

	/** The connection is gone: the next welcome begins anew. */
	drop(): void {
		this.#standing = null;
		this.#underWay = [];
		this.#isRead = true;
		this.#waiting.clear();
		this.#again = false;
	}

	/** After a welcome. Resolves to whether anything is handed back; then `heard` says when all is answered. */
	async begin(standing: Standing): Promise<boolean> {
		this.drop();
		this.#standing = standing;
		if (standing.restores.length === 0) return false;
		if (await this.#start()) return true;
		// Answered before, and the device died before it drew the conclusion.
		await this.#core.transact((tx) => this.#takeUpRefused(tx));
		return false;
	}

	async #start(): Promise<boolean> {
		const documents = new Set<DocumentId>();
		for await (const { document } of this.#lost()) documents.add(document);
		if (documents.size === 0) return false;
		this.#announced = [...documents].slice(0, INVENTORY_CHUNK);
		this.#isFirst = true;
		this.#isRead = false;
		this.#after = null;
		await this.#fill();
		return true;
	}

	/** The relay's answer to the piece that was sent first. @returns whether that was the last of all */
	async heard(fates: readonly Returning[]): Promise<boolean> {
		const piece = this.#underWay.shift();
		if (!piece || !this.#standing) return false;
		const { epoch } = this.#standing;
		const answered = piece.map((entry, i): RawEntry => ({ ...entry, fate: { epoch, was: fates[i] ?? 'refused' } }));
		for (const { document, fate } of answered) if (fate!.was === 'waiting') this.#waiting.add(document);
		await this.#core.transact((tx) => tx.putRaw(answered));
		await this.#fill();
		if (this.isUnderWay) return false;
		await this.#core.transact((tx) => this.#takeUpRefused(tx));
		if (this.#again) {
			this.#again = false;
			await this.#start();
		}
		return true;
	}

	/** Entries of other devices came: what waited for them is offered again. */
	async arrived(documents: readonly DocumentId[]): Promise<void> {
		if (!documents.some((id) => this.#waiting.has(id))) return;
		this.#waiting.clear();
		if (this.isUnderWay) this.#again = true;
		else await this.#start();
	}

	/** Keeps entries as they came; part of the transaction that applies them. */
	keep(tx: ReplicaTransaction, entries: readonly Entry[], epoch: number): Promise<void> {
		return tx.putRaw(rawOf(entries, epoch, this.#core.now()));
	}

	/** Forgets what is older than any backup. What no relay ever took again and is this person's own is not forgotten but sent as pending work. */
	async prune(): Promise<boolean> {
		const now = this.#core.now();
		if (now - this.#prunedAt < PRUNE_EVERY_MS) return false;
		this.#prunedAt = now;
		return this.#core.transact(async (tx) => this.#putFirst(tx, await tx.pruneRaw(now - KEPT_RAW_MS)));
	}

	/** What the relay's log does not have of what came here, in order. */
	async *#lost(after: Cursor | null = null): AsyncGenerator<RawEntry> {
		const { epoch, restores } = this.#standing!;
		for (let from = after; ; ) {
			const page = await this.#core.read((reads) => reads.rawAfter(from, READ_PAGE));
			for (const entry of page) {
				from = entry;
				const shared = sharedUpTo(restores, entry.epoch);
				// Reading on through what both have would take as long as reading all of it.
				if (entry.seq <= shared) from = { epoch: entry.epoch, seq: shared };
				else if (entry.fate?.epoch !== epoch || entry.fate.was === 'waiting') yield entry;
				if (from !== entry) break;
			}
			if (page.length === 0 || (from === page.at(-1) && page.length < READ_PAGE)) return;
		}
	}

	async #fill(): Promise<void> {
		while (!this.#isRead && this.#underWay.length < REOFFER_WINDOW) {
			const piece: RawEntry[] = [];
			let size = 0;
			this.#isRead = true;
			for await (const entry of this.#lost(this.#after)) {
				size += sizeOf(entry);
				if (piece.length === MAX_REOFFER_ENTRIES || (piece.length > 0 && size > DOWN_CHUNK_BYTES)) {
					this.#isRead = false;
					break;
				}
				piece.push(entry);
				this.#after = entry;
			}
			// Dropped while the store was read.
			if (!this.#standing) return;
			this.#underWay.push(piece);
			this.#send({ type: 'reoffer', documents: this.#isFirst ? this.#announced : [], entries: piece.map(({ sealed }) => sealed) as Extract<Up, { type: 'reoffer' }>['entries'], last: this.#isRead });
			this.#isFirst = false;
		}
	}

	/** What was refused is no proof of anything: the person's own is judged as if it were made now, the rest is forgotten. */
	async #takeUpRefused(tx: ReplicaTransaction): Promise<boolean> {
		const { epoch } = this.#standing!;
		const refused: RawEntry[] = [];
		for (let after: Cursor | null = null; ; ) {
			const page: RawEntry[] = await tx.rawAfter(after, READ_PAGE);
			refused.push(...page.filter(({ fate }) => fate?.epoch === epoch && fate.was === 'refused'));
			if (page.length < READ_PAGE) break;
			after = page.at(-1)!;
		}
		await tx.dropRaw(refused);
		return this.#putFirst(tx, refused);
	}

	/** Own entries become pending work that is older than all other. */
	async #putFirst(tx: ReplicaTransaction, entries: readonly RawEntry[]): Promise<boolean> {
		const own = entries.filter(({ sealed }) => sealed.author === this.#core.person).map((entry) => this.#pendingOf(entry));
		if (own.length === 0) return false;
		const later = await tx.pendingAfter(0, Infinity);
		await tx.dropPending(later.map(({ order }) => order));
		await tx.addPending([...own, ...later.map(({ order: _order, ...item }) => item as NewPending)]);
		return true;
	}

	#pendingOf({ document, sealed: { command, authoredAt, bytes } }: RawEntry): NewPending {
		// As tried: only the relay's answer says what becomes of it, also where the document left the device meanwhile.
		const base = { documents: [document], at: authoredAt, state: 'kept', tried: true } as const;
		if (command) {
			const id = this.#core.ids.batch();
			return { ...base, kind: 'batch', id, batch: { id, commands: [command] }, arrived: [] };
		}
		const scanned = scan(bytes, CANONICAL_SCAN_LIMITS);
		const clientId = scanned.kind === 'scanned' ? (scanned.blocks[0]?.client ?? 0) : 0;
		return { ...base, kind: 'update', id: updateId(this.#core.ids), bytes, clientId, slot: SLOT, rebased: 0 };
	}
}

function rawOf(entries: readonly Entry[], epoch: number, keptAt: number): RawEntry[] {
	return entries.map(({ seq, document, docSeq, author, authoredAt, acceptedAt, command, bytes, mac }) => {
		return { epoch, seq, document, keptAt, fate: null, sealed: { document, docSeq, author, authoredAt, acceptedAt, command, bytes, mac } };
	});
}

/** About what it takes in a frame. */
function sizeOf({ sealed }: RawEntry): number {
	return 300 + sealed.bytes.byteLength + (sealed.command ? JSON.stringify(sealed.command).length : 0);
}
