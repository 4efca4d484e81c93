/**
 * The conversation on `/sync`: one connection at a time, its states, what is under way on it, and what the relay says.
 *
 * Promises: submissions go up in order of making, at most SUBMIT_WINDOW under way, and are marked as tried before they leave; frames are handled one
 * after another; a late event of a replaced connection changes nothing; a fault of one frame costs the connection, never the replica.
 * Leaves to others: what frames do to the store (incoming.ts, settle.ts); who may own the connection among tabs (leader.ts).
 */
import type { DocumentId, KindName, PersonId } from '#crdt-model/ids.ts';
import { decodeDown, encodeUp } from '#crdt-model/wire/codec.ts';
import type { AnswerResult, Down } from '#crdt-model/wire/down.ts';
import { HEARTBEAT_MS, INVENTORY_CHUNK, SUBMIT_WINDOW } from '#crdt-model/wire/limits.ts';
import { REFUSALS } from '#crdt-model/wire/refusal.ts';
import type { Cursor, Up } from '#crdt-model/wire/up.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import type { Pending, ReplicaTransaction } from '#storage/replica-contract.ts';
import type { Core } from './core.ts';
import { EAGER_ATTEMPTS, EAGER_BACKOFF_MS, finalProblem, MAX_BACKOFF_MS, MIN_BACKOFF_MS, NOT_FROM_HERE, OUTSIDE_RETRY_MS, SILENCE_MS, type Link, type LinkState, type Problem, type Transport } from './link.ts';
import { applyEntries, applyGains, applyLosses, applyProgress, Hole, settleAccepted, type IncomingContext } from './incoming.ts';
import { HandBack } from './hand-back.ts';
import { documentsOf, type Outcome } from './outcome.ts';
import { kindsOfOthers } from './remake.ts';
import { settleRefused } from './settle.ts';
import { remarkRows } from './view.ts';

/** Documents gained in one transaction: a phone stays responsive between two. */
const GAINS_PER_TRANSACTION = 1_000;

export interface ConversationHooks {
	readonly transport: Transport;
	/** Pages that another way carries up just now are left out. */
	readonly isLive: (document: DocumentId) => boolean;
	/** Before page entries are applied: what was typed a moment ago must be in pending. */
	readonly beforeApply: (documents: readonly DocumentId[]) => Promise<void>;
	readonly afterCommit: (outcome: Outcome) => Promise<void>;
	/** The relay welcomed this device, or spoke to it since. */
	readonly onContact: () => Promise<void>;
}

export class Conversation {
	readonly #core: Core;
	readonly #hooks: ConversationHooks;
	state: LinkState = 'off';
	problem: Problem | null = null;
	/** Everything readable has arrived at least once on this connection. */
	caughtUp = false;
	/** Rows that came on this connection before that. */
	received = 0;
	/** Who has the portal open, as the relay says; null where it is not known: without a connection, or for a guest. */
	online: ReadonlySet<PersonId> | null = null;
	/** How many ask to be let in, where the relay says it. */
	waiting: number | null = null;
	#link: Link | null = null;
	#generation = 0;
	#attempts = 0;
	#retryTimer: unknown = null;
	#watchTimer: unknown = null;
	#heardAt = 0;
	#lane: Promise<void> = Promise.resolve();
	#inventoryNeeded = false;
	#newEpoch = false;
	#epoch = 0;
	/** The relay asked for the inventory, and it is not told yet. */
	#owesInventory = false;
	readonly #handBack: HandBack;
	#foreignRows: ReadonlySet<KindName> = new Set();
	#cursor: Cursor | null = null;
	#prepared = false;
	readonly #underWay = new Map<string, number>();
	readonly #accepted = new Map<string, number>();
	/** Pending work up to this order was sent on this connection, or is carried by another way. */
	#sentUpTo = 0;
	/** The relay put off a submission: later refusals may only follow from that and are put off as well. */
	#putOff: number | null = null;
	#putOffTimer: unknown = null;
	#pumping: Promise<void> | null = null;
	#pumpAgain = false;

	constructor(core: Core, hooks: ConversationHooks) {
		this.#core = core;
		this.#hooks = hooks;
		this.#handBack = new HandBack({ core, send: (message) => this.#send(message) });
	}

	connect(): void {
		if (this.state !== 'off' && this.state !== 'stopped') return;
		this.problem = null;
		this.#attempts = 0;
		this.#dial();
	}

	disconnect(): void {
		this.#drop();
		this.#to('off');
	}

	/** The network may be back, or the person asks for it. */
	wake(): void {
		if (this.state === 'waiting') this.#dial();
		else void this.pump();
	}

	/**
	 * The browser says that the network went or came: a line made before is not trusted until its silence is noticed, because a pulled cable
	 * closes no socket.
	 */
	networkChanged(online: boolean): void {
		if (this.state === 'off' || this.state === 'stopped') return;
		this.#attempts = 0;
		if (online) this.#dial();
		else this.#restart();
	}

	/** Page edits that were left to another way go up here again. */
	rewind(): void {
		this.#sentUpTo = 0;
		void this.pump();
	}

	receive(frame: Uint8Array): void {
		this.#heardAt = this.#core.now();
		const generation = this.#generation;
		this.#inLane(generation, async () => {
			const decoded = decodeDown(frame);
			if (!decoded.ok) return this.#restart();
			await this.#handle(decoded.message, generation);
		});
	}

	/** Resolves when everything received so far is applied, and everything that may be sent is sent. */
	async settled(): Promise<void> {
		for (let lane = null; lane !== this.#lane || this.#pumping; ) {
			lane = this.#lane;
			await lane;
			await this.#pumping;
		}
	}

	#dial(): void {
		this.#drop();
		const generation = this.#generation;
		this.#to('connecting');
		this.#heardAt = this.#core.now();
		this.#watch(generation);
		const isCurrent = () => generation === this.#generation;
		const link = this.#hooks.transport({
			opened: () => isCurrent() && this.#inLane(generation, () => this.#hello()),
			frame: (bytes) => isCurrent() && this.receive(bytes),
			closed: (code, reason = '') => isCurrent() && this.#closed(code, reason)
		});
		// A transport may fail before it returns.
		if (isCurrent()) this.#link = link;
		else link.close();
	}

	async #hello(): Promise<void> {
		if (!this.#prepared) {
			await this.#unsend((tx) => tx.pendingAfter(0, Infinity));
			this.#prepared = true;
		}
		const meta = await this.#core.read((reads) => reads.meta());
		this.#cursor = meta.cursor;
		this.#send({ type: 'hello', version: WIRE_VERSION, cursor: this.#inventoryNeeded ? null : meta.cursor, held: meta.held });
	}

	async #handle(message: Down, generation: number): Promise<void> {
		const { type } = message;
		if (this.state === 'admitted') await this.#hooks.onContact();
		if (type === 'welcome') return this.#welcome(message, generation);
		if (this.state !== 'admitted') return this.#restart();
		if (type === 'answer') return this.#answer(message.id, message.result);
		const context: IncomingContext = { ...this.#context(), accepted: this.#accepted };
		switch (type) {
			case 'entries': {
				await this.#hooks.beforeApply(message.entries.map((entry) => entry.document));
				await this.#commit(message.cursor, async (tx) => {
					await this.#handBack.keep(tx, message.entries, message.cursor?.epoch ?? this.#epoch);
					return applyEntries(context, tx, message.entries, message.cursor);
				});
				return this.#handBack.arrived(message.entries.map((entry) => entry.document));
			}
			case 'gains': {
				const { snapshots, cursor } = message;
				for (let at = 0; at === 0 || at < snapshots.length; at += GAINS_PER_TRANSACTION) {
					if (generation !== this.#generation) return;
					const part = snapshots.slice(at, at + GAINS_PER_TRANSACTION);
					const partCursor = at + GAINS_PER_TRANSACTION >= snapshots.length ? cursor : null;
					await this.#hooks.beforeApply(part.map((snapshot) => snapshot.document));
					await this.#commit(partCursor, (tx) => applyGains(context, tx, part, partCursor, { newEpoch: this.#newEpoch, foreignRows: this.#foreignRows }));
				}
				return;
			}
			case 'lose': {
				await this.#hooks.beforeApply(message.documents);
				return this.#commit(message.cursor, (tx) => applyLosses(context, tx, message.documents, message.cursor));
			}
			case 'reoffered': {
				const isLast = await this.#handBack.heard(message.fates);
				if (isLast && generation === this.#generation) await this.#handedBack();
				return;
			}
			case 'progress':
				await this.#commit(message.cursor, (tx) => applyProgress(context, tx, message.cursor));
				// A quiet moment.
				if (await this.#handBack.prune()) this.rewind();
				return;
			case 'tariff': {
				const { type: _type, ...tariff } = message;
				return this.#core.transact((tx) => tx.setTariff(tariff));
			}
			case 'online':
				this.online = newOnline(message, this.online);
				return this.#core.changed();
			case 'waiting':
				this.waiting = message.people;
				return this.#core.changed();
			default:
				message satisfies never;
		}
	}

	async #welcome(message: Extract<Down, { type: 'welcome' }>, generation: number): Promise<void> {
		const { version, portal, person, epoch, rows, next } = message;
		if (version !== WIRE_VERSION || portal !== this.#core.portal || person !== this.#core.person || (message.viewer ?? null) !== this.#core.viewer) return this.#stop('outdated');
		this.#attempts = 0;
		this.problem = null;
		this.#foreignRows = kindsOfOthers(rows);
		this.#newEpoch = this.#cursor !== null && this.#cursor.epoch !== epoch;
		// Answers of another epoch are of a log that may have gone back.
		if (this.#newEpoch) this.#accepted.clear();
		this.caughtUp = next === 'continue';
		this.#to('admitted');
		this.#epoch = epoch;
		await this.#hooks.onContact();
		// What it holds is said after what a restore lost was handed back: the answer to it takes away what the relay does not know.
		this.#owesInventory = next === 'inventory';
		const handsBack = await this.#handBack.begin({ epoch, restores: message.restores ?? [] });
		if (generation !== this.#generation) return;
		if (!handsBack) await this.#handedBack();
		else if (!this.#owesInventory) void this.pump();
	}

	async #handedBack(): Promise<void> {
		const generation = this.#generation;
		if (this.#owesInventory) {
			const held = await this.#core.read((reads) => reads.inventory());
			if (generation !== this.#generation) return;
			for (let at = 0; at === 0 || at < held.length; at += INVENTORY_CHUNK) {
				const documents = held.slice(at, at + INVENTORY_CHUNK).map(([id, docSeq]): [DocumentId, number] => [id, docSeq]);
				this.#send({ type: 'inventory', documents, last: at + INVENTORY_CHUNK >= held.length });
			}
			this.#owesInventory = false;
		}
		void this.pump();
	}

	async #commit(cursor: Cursor | null, work: (tx: ReplicaTransaction) => Promise<Outcome>): Promise<void> {
		const outcome = await this.#core.transact(work);
		this.received += outcome.rows.length;
		if (cursor) {
			this.received = 0;
			this.#cursor = this.#cursor?.epoch === cursor.epoch && this.#cursor.seq > cursor.seq ? this.#cursor : cursor;
			this.caughtUp = true;
			this.#inventoryNeeded = false;
			this.#newEpoch = false;
		}
		await this.#after(outcome);
	}

	async #after(outcome: Outcome): Promise<void> {
		for (const id of outcome.settled) {
			this.#underWay.delete(id);
			this.#accepted.delete(id);
		}
		await this.#hooks.afterCommit(outcome);
		void this.pump();
	}

	async #answer(id: string, result: AnswerResult): Promise<void> {
		const order = this.#underWay.get(id);
		this.#underWay.delete(id);
		if (result.kind === 'accepted') {
			const { seq } = result;
			// Before the comparison is through, the cursor may be of another epoch, or have a hole behind it.
			if (this.caughtUp && this.#cursor && seq <= this.#cursor.seq) {
				return this.#after(await this.#core.transact((tx) => settleAccepted({ ...this.#context(), accepted: this.#accepted }, tx, [id])));
			}
			if (order !== undefined) this.#accepted.set(id, seq);
			return void this.pump();
		}
		const { refusal, command } = result;
		if (this.#putOff !== null && order !== undefined && order > this.#putOff) return this.#unsend((tx) => tx.pendingById([id]));
		const fate = REFUSALS[refusal.code].fate;
		const context = { ...this.#context(), ids: this.#core.ids };
		const refused = await this.#core.transact((tx) => settleRefused(context, tx, id, refusal, command));
		const rebuilt = refused.retry && refused.outcome.settled.length > 0;
		if (rebuilt) this.#sentUpTo = 0;
		else if (refused.retry && fate === 'keep' && order !== undefined) {
			await this.#unsend((tx) => tx.pendingById([id]));
			this.#putOffFrom(order);
		}
		await this.#after(refused.outcome);
	}

	/** Sends again from the first unanswered one after a pause that grows. */
	#putOffFrom(order: number): void {
		this.#putOff = Math.min(order, this.#putOff ?? order);
		if (this.#putOffTimer !== null) return;
		this.#putOffTimer = this.#core.timers.set(() => {
			this.#putOffTimer = null;
			this.#putOff = null;
			this.rewind();
		}, this.#backoff());
	}

	/** Sends what may go now. Calls during a run make it look once more. */
	pump(): Promise<void> {
		this.#pumpAgain = true;
		this.#pumping ??= this.#pump()
			.catch((fault: unknown) => this.#fault(fault))
			.finally(() => {
				this.#pumping = null;
				if (this.#pumpAgain && this.#maySend()) void this.pump();
			});
		return this.#pumping;
	}

	async #pump(): Promise<void> {
		while (this.#pumpAgain) {
			this.#pumpAgain = false;
			// Filling the window by halves spares every other transaction.
			while (this.#maySend() && this.#underWay.size <= SUBMIT_WINDOW / 2) {
				const generation = this.#generation;
				const { next, more } = await this.#core.transact((tx) => this.#takeNext(tx, SUBMIT_WINDOW - this.#underWay.size));
				if (generation !== this.#generation) return;
				for (const item of next) {
					this.#underWay.set(item.id, item.order);
					this.#send(submissionOf(item));
				}
				if (next.length > 0) this.#core.changed();
				if (!more) break;
			}
		}
	}

	#maySend(): boolean {
		return this.state === 'admitted' && this.#putOff === null && !this.#owesInventory;
	}

	async #takeNext(tx: ReplicaTransaction, room: number): Promise<{ next: Pending[]; more: boolean }> {
		const after = this.#sentUpTo;
		const looked = await tx.pendingAfter(after, room);
		const next = looked.filter(
			(item) => !this.#underWay.has(item.id) && !this.#accepted.has(item.id) && !(item.kind === 'update' && this.#hooks.isLive(item.documents[0]!))
		);
		// A rewind during this transaction must not be undone.
		if (this.#sentUpTo === after) this.#sentUpTo = looked.at(-1)?.order ?? after;
		const unmarked = next.filter((item) => item.state !== 'sent' || !item.tried);
		if (unmarked.length > 0) {
			await tx.putPending(unmarked.map((item) => ({ ...item, state: 'sent', tried: true })));
			await remarkRows(tx, documentsOf(unmarked));
		}
		return { next, more: looked.length === room };
	}

	/** What was sent and not answered is kept here again: nothing says more than is known (P9). */
	async #unsend(find: (tx: ReplicaTransaction) => Promise<Pending[]>): Promise<void> {
		await this.#core.transact(async (tx) => {
			const items = (await find(tx)).filter((item) => item.state === 'sent');
			if (items.length === 0) return;
			await tx.putPending(items.map((item) => ({ ...item, state: 'kept' })));
			await remarkRows(tx, documentsOf(items));
		});
	}

	#closed(code: number, reason: string): void {
		const problem = finalProblem(code, reason);
		if (problem) this.#stop(problem);
		else if (code === NOT_FROM_HERE) this.#keepOut();
		else this.#restart();
	}

	#stop(problem: Problem): void {
		this.#drop();
		this.problem = problem;
		this.#to('stopped');
	}

	#keepOut(): void {
		this.#drop();
		this.problem = 'not-from-here';
		this.#to('waiting');
		this.#retryTimer = this.#core.timers.set(() => this.#dial(), OUTSIDE_RETRY_MS * (0.5 + this.#core.fraction() / 2));
	}

	/** Ends this connection and makes another after a pause. */
	#restart(): void {
		this.#drop();
		// Whatever ended it now, nobody says any more that it is where the device is.
		if (this.problem === 'not-from-here') this.problem = null;
		this.#to('waiting');
		this.#retryTimer = this.#core.timers.set(() => this.#dial(), this.#backoff());
	}

	#backoff(): number {
		const attempt = this.#attempts++;
		const late = Math.min(Math.max(0, attempt - EAGER_ATTEMPTS), 10);
		const ceiling = late > 0 ? Math.min(MAX_BACKOFF_MS, EAGER_BACKOFF_MS * 2 ** late) : Math.min(EAGER_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** Math.min(attempt, 10));
		return ceiling * (0.5 + this.#core.fraction() / 2);
	}

	/** After this, nothing that the old connection says is heard. */
	#drop(): void {
		this.#generation++;
		const link = this.#link;
		this.#link = null;
		for (const timer of [this.#retryTimer, this.#watchTimer, this.#putOffTimer]) if (timer !== null) this.#core.timers.clear(timer);
		this.#retryTimer = this.#watchTimer = this.#putOffTimer = null;
		this.#putOff = null;
		this.#sentUpTo = 0;
		this.#owesInventory = false;
		this.#handBack.drop();
		const unanswered = [...this.#underWay.keys()];
		this.#underWay.clear();
		if (unanswered.length > 0 && !this.#core.closed) this.#inLane(this.#generation, () => this.#unsend((tx) => tx.pendingById(unanswered)), true);
		link?.close();
	}

	#watch(generation: number): void {
		this.#watchTimer = this.#core.timers.set(() => {
			if (generation !== this.#generation) return;
			if (this.#core.now() - this.#heardAt >= SILENCE_MS) this.#restart();
			else this.#watch(generation);
		}, HEARTBEAT_MS);
	}

	#inLane(generation: number, work: () => Promise<void> | void, always = false): void {
		this.#lane = this.#lane
			.then(() => (always || generation === this.#generation ? work() : undefined))
			.catch((fault: unknown) => this.#fault(fault));
	}

	#fault(fault: unknown): void {
		if (this.#core.closed) return;
		if (fault instanceof Hole) this.#inventoryNeeded = true;
		else {
			// A frame that cannot be applied (a full disk, bytes that Yjs refuses) is asked for again, whole, on the next connection.
			this.#inventoryNeeded = true;
			this.#core.storageProblem = fault instanceof Error ? fault.message : String(fault);
		}
		if (this.state !== 'off' && this.state !== 'stopped') this.#restart();
	}

	#send(message: Up): void {
		this.#link?.send(encodeUp(message));
	}

	#context() {
		const { person, now, shadows } = this.#core;
		return { person, now, shadows };
	}

	#to(state: LinkState): void {
		this.state = state;
		if (state !== 'admitted') {
			this.caughtUp = false;
			this.online = this.waiting = null;
		}
		this.received = 0;
		this.#core.changed();
	}
}

/** Another set each time, so that a screen sees that it changed. */
function newOnline({ whole, here, gone }: Extract<Down, { type: 'online' }>, before: ReadonlySet<PersonId> | null): ReadonlySet<PersonId> {
	const online = new Set(whole ? [] : before);
	for (const person of here) online.add(person);
	for (const person of gone) online.delete(person);
	return online;
}

function submissionOf(item: Pending): Up {
	if (item.kind === 'update') return { type: 'update', id: item.id, document: item.documents[0]!, bytes: item.bytes };
	// The inferred type of the schema is mutable; nothing on the way to bytes writes.
	return { type: 'submit', batch: item.batch as Extract<Up, { type: 'submit' }>['batch'] };
}
