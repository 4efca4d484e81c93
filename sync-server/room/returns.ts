/**
 * What devices hand back to one portal after a restore (SPEC H1–H8; DESIGN.md 5, "Devices heal an old backup").
 *
 * Promises: only what carries this relay's seal comes back, each once, whoever brings it; entries of one frame are judged in one turn, in their order;
 * no answer leaves before the disk has what it speaks of; `/live` waits for a document that is announced, and not for ever.
 * Leaves to others: what an entry does to its document (gate/returned.ts), the conversation (session/healing.ts).
 */
import { timingSafeEqual } from 'node:crypto';
import type { World } from '#crdt-model/access/decide.ts';
import { isDocumentId, kindOf, type CommandId, type DocumentId, type KindName, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { Returning } from '#crdt-model/wire/down.ts';
import type { Sealed } from '#crdt-model/wire/up.ts';
import type { PortalStore, StoredAnswer } from '#storage/contract.ts';
import { admitReturned, type ReturnedGate } from '../gate/returned.ts';
import { LogFailed, type Draft, type PortalLog } from '../log/portal-log.ts';
import { sealOf } from '../log/seal.ts';
import type { Room } from './rooms.ts';

/**
 * How long one person's devices may keep `/live` of a document waiting for what they announced: handing back a day's work takes seconds, and whoever
 * announces without bringing must not keep others from writing.
 */
export const HOLD_MS = 60_000;

/** Documents that one person may announce: more than a device holds. Beyond, what they announce holds nobody back. */
const MAX_ANNOUNCED = 200_000;

interface Hold {
	readonly holder: object;
	readonly deadline: number;
}

/** What of the portal is worked with here. */
export interface ReturnsHost {
	readonly id: PortalId;
	readonly store: PortalStore;
	readonly log: PortalLog;
	readonly world: World;
	readonly now: () => number;
	readonly macKey: Uint8Array;
	pin(documents: readonly Pick<Command, 'document' | 'args'>[]): Promise<Room[]>;
	release(rooms: readonly Room[]): void;
	room(document: DocumentId): Room | undefined;
	takeIntoDirectory(row: BaseRow): boolean;
	append(draft: Draft): void;
	bind(room: Room, client: number, person: PersonId): void;
	drop(room: Room): void;
}

export class Returns {
	readonly #host: ReturnsHost;
	/** Numbers that records got since the restore, by kind; read once when the first record of the kind comes back. */
	readonly #taken = new Map<string, Set<number>>();
	/** Announced and not brought yet: document → who waits to bring it. */
	readonly #holds = new Map<DocumentId, Set<Hold>>();
	/** When a person's first announcement of a document stops to count. */
	readonly #deadlines = new Map<string, number>();
	readonly #announced = new Map<PersonId, number>();

	constructor(host: ReturnsHost) {
		this.#host = host;
	}

	/** Whether this portal has lost anything that could come back. */
	get areExpected(): boolean {
		return this.#host.log.restores.length > 0;
	}

	/** @param holder the connection; `settle` ends what it announced */
	announce(holder: object, person: PersonId, documents: readonly DocumentId[]): void {
		if (!this.areExpected) return;
		for (const document of documents) {
			const key = `${person} ${document}`;
			const deadline = this.#deadlines.get(key) ?? this.#newDeadline(person, key);
			if (deadline <= this.#host.now()) continue;
			const holders = this.#holds.get(document);
			if (holders) holders.add({ holder, deadline });
			else this.#holds.set(document, new Set([{ holder, deadline }]));
		}
	}
	#newDeadline(person: PersonId, key: string): number {
		const announced = this.#announced.get(person) ?? 0;
		if (announced >= MAX_ANNOUNCED) return 0;
		this.#announced.set(person, announced + 1);
		const deadline = this.#host.now() + HOLD_MS;
		this.#deadlines.set(key, deadline);
		return deadline;
	}
	settle(holder: object): void {
		for (const [document, holders] of this.#holds) {
			for (const hold of holders) if (hold.holder === holder) holders.delete(hold);
			if (holders.size === 0) this.#holds.delete(document);
		}
	}
	/** Whether something of the document is on its way: a stock client that came now would bring what it may not (SPEC H7). */
	isAwaited(document: DocumentId): boolean {
		for (const hold of this.#holds.get(document) ?? []) if (hold.deadline > this.#host.now()) return true;
		return false;
	}

	/** Takes what is sealed and fits. The fates may be told once `durable` has resolved. */
	async take(by: PersonId, entries: readonly Sealed[]): Promise<{ readonly fates: readonly Returning[]; readonly durable: Promise<void> }> {
		const { log } = this.#host;
		const sealed = entries.map((entry) => this.areExpected && this.#isSealed(entry));
		const wanted = entries.filter((_, i) => sealed[i]);
		if (wanted.length === 0) return { fates: entries.map(() => 'refused'), durable: Promise.resolve() };
		await this.#readNumbers(wanted);
		const answered = await this.#answered(wanted);
		const pinned = await this.#host.pin(wanted.map(({ document, command }) => ({ document, args: command?.args ?? null })));
		try {
			if (log.hasFailed) throw new LogFailed('the log has failed');
			const fates = entries.map((entry, i): Returning => (sealed[i] ? this.#judge(entry, by, answered) : 'refused'));
			return { fates, durable: log.settled() };
		} catch (fault) {
			// A bug of ours, halfway: documents in memory are no longer what the log says.
			if (!(fault instanceof LogFailed)) log.end(fault);
			throw fault;
		} finally {
			this.#host.release(pinned);
		}
	}

	#judge(entry: Sealed, by: PersonId, answered: Map<CommandId, PersonId>): Returning {
		const room = this.#host.room(entry.document);
		// Dropped while others were pinned: it may be offered again.
		if (!room || room.gone) return 'waiting';
		// A page on a record that is not back yet: nobody could be told of it.
		const on = (entry.command?.args as { readonly on?: unknown } | null | undefined)?.on;
		if (isDocumentId(on) && room.row === null && !this.#host.room(on)?.row) return 'waiting';
		const admission = admitReturned(this.#gate(answered), room, entry, by);
		if (admission.kind === 'evict') {
			this.#host.drop(room);
			return admission.fate;
		}
		if (admission.kind === 'settled') return admission.fate;
		const { command, author } = entry;
		for (const client of admission.bindIds) this.#host.bind(room, client, author);
		this.#host.append(admission.draft);
		if (command && !answered.has(command.id)) {
			answered.set(command.id, author);
			this.#host.log.answer({ command: command.id, author, result: JSON.stringify({ kind: 'accepted', seq: this.#host.log.assigned }) });
		}
		return 'taken';
	}

	#gate(answered: ReadonlyMap<CommandId, PersonId>): ReturnedGate {
		const { log, world, takeIntoDirectory } = this.#host;
		return {
			world,
			takeIntoDirectory,
			// Ids of lost commands stand in the open in their entries: one that somebody else has used since is no repeat of it.
			isAnswered: ({ command, author }) => command !== null && (answered.get(command.id) ?? log.recentAnswer(command.id)?.author) === author,
			isTaken: (kind, number) => this.#taken.get(kind)!.has(number) || log.hasGiven(kind, number),
			nextNumber: (kind) => log.nextNumber(kind),
			numberGiven: (kind, number) => {
				this.#taken.get(kind)!.add(number);
				log.numberGiven(kind, number);
			}
		};
	}

	#isSealed(entry: Sealed): boolean {
		const wanted = sealOf(this.#host.macKey, this.#host.id, entry);
		return entry.mac.byteLength === wanted.byteLength && timingSafeEqual(entry.mac, wanted);
	}

	async #answered(entries: readonly Sealed[]): Promise<Map<CommandId, PersonId>> {
		const ids = entries.flatMap(({ command }) => (command ? [command.id] : []));
		const stored: readonly StoredAnswer[] = ids.length > 0 ? await this.#host.store.answers(ids) : [];
		return new Map(stored.map(({ command, author }) => [command, author]));
	}

	/** What was numbered since the restore and is on disk; what is given from now on the log knows. */
	async #readNumbers(entries: readonly Sealed[]): Promise<void> {
		const since = this.#host.log.restores.at(-1)!.seq;
		const kinds = new Set(entries.map(({ document }) => kindOf(document)!).filter((kind) => kindNamed(kind).numbered && !this.#taken.has(kind)));
		for (const kind of kinds) {
			const heads = await this.#host.store.headsOfKinds([kind as KindName]);
			const numbers = heads.flatMap(({ firstSeq, row }) => (firstSeq > since && row.number !== null ? [row.number] : []));
			this.#taken.set(kind, new Set([...numbers, ...(this.#taken.get(kind) ?? [])]));
		}
	}
}
