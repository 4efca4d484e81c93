/**
 * One device on `/sync` (SPEC Y1–Y9; the conversation is in docs/protocol.md).
 *
 *   awaiting-hello → greeting → [awaiting-inventory →] catching-up ⇄ live → [leaving →] closed
 *
 * A session in `catching-up` reads the log from its cursor and takes no part in fan-out; it is `live` once it has reached the end of
 * what is on disk. A socket that is full puts it back to `catching-up`, from where it stands: nothing is ever skipped (SYNC 2).
 * One bad frame ends this session and nothing else; a late event after the close changes nothing.
 */
import type { Principal } from '#crdt-model/access/principals.ts';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { ROW_VERSIONS } from '#crdt-model/kinds/index.ts';
import { decodeUp, encodeDown } from '#crdt-model/wire/codec.ts';
import { FIRST_EPOCH, sharedUpTo } from '#crdt-model/wire/epochs.ts';
import type { Down, Entry, Snapshot } from '#crdt-model/wire/down.ts';
import { DOWN_CHUNK_BYTES, INVENTORY_CHUNK, SUBMIT_WINDOW } from '#crdt-model/wire/limits.ts';
import type { Up } from '#crdt-model/wire/up.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import type { DocumentHead, PageOf, StoredDocument } from '#storage/contract.ts';
import type { Lane } from '../budget/lanes.ts';
import type { Admission, Portal } from '../room/portal.ts';
import { TOPICS, topicsWith, type Topic } from '../room/announcements.ts';
import { refused } from '../room/answers.ts';
import { wholeOf } from '../room/rooms.ts';
import { shipped } from './audience.ts';
import type { Difference, Exchange } from './exchange.ts';
import { Healing } from './healing.ts';
import { CLOSE, type CloseCode, type FrameSession, type FrameSocket } from './socket.ts';
import { mayStay, NOT_FROM_HERE, READ_ONLY, type Seat } from './viewing.ts';

/** Log entries looked at in one step of catching up: a few milliseconds of the store's time. */
const CATCH_UP_WINDOW = 500;
/** A device further behind than this is told by inventory instead: comparing is cheaper than reading the log. */
const MAX_CATCH_UP_ENTRIES = 50_000;
/** Documents loaded at once for a device that gains them. */
const GAIN_PAGE = 200;
/** A device holds 100,000 records (DESIGN 6); what it claims beyond twice that is no inventory of ours. */
const MAX_INVENTORY = 200_000;

type State =
	| { readonly is: 'awaiting-hello' }
	/** The device's digest is being compared. */
	| { readonly is: 'greeting' }
	| { readonly is: 'awaiting-inventory'; readonly held: Map<DocumentId, number> }
	| { readonly is: 'catching-up' }
	| { readonly is: 'live' }
	/** It is closed once the answers under way are given. */
	| { readonly is: 'leaving' }
	| { readonly is: 'closed' };

export class SyncSession implements FrameSession {
	readonly seat: Seat;
	readonly #portal: Portal;
	readonly #socket: FrameSocket;
	#state: State = { is: 'awaiting-hello' };
	#principals: ReadonlySet<Principal>;
	/** Everything readable up to here has been handed to the socket. */
	#sent = 0;
	#isFull = false;
	/** Of what the portal said something while the socket was full: as it stands when there is room again. */
	readonly #unheard = new Set<Topic>();
	/** One reader of the log at a time. */
	#isPulling = false;
	/** While documents are being gained, nothing is sent from the log: it could build on what has not arrived yet. */
	#pauses = 0;
	/** Something was gained or lost before the welcome said how to go on. */
	#isUnsettled = false;
	#underWay = 0;
	/** Submissions are judged in the order of their frames. */
	#judging: Promise<void> = Promise.resolve();
	/** Gained documents are sent one page after the other, so that memory holds one page of them. */
	#gaining: Promise<unknown> = Promise.resolve();
	#onDrained: (() => void) | null = null;
	readonly #healing: Healing;
	/** The device comes from another epoch: what has changed since this seq it must get whole, for its bytes are of another history. */
	#wholeAfter = Infinity;
	/** Rises with every loss: what was read from the store before it may not be sent after it. */
	#losses = 0;
	/** For each change of what the session holds that is under way: documents that moved and stayed readable meanwhile. */
	readonly #keepsMeanwhile = new Set<Set<DocumentId>>();
	/** What was lost since the page of gains under way was read. */
	readonly #lostMeanwhile = new Set<DocumentId>();

	constructor(portal: Portal, seat: Seat, socket: FrameSocket) {
		this.#portal = portal;
		this.#socket = socket;
		this.seat = seat;
		this.#healing = new Healing(portal.returns, seat.person, {
			say: (message) => this.#say(message),
			tooMuch: (reason) => this.close(CLOSE.tooMuch, reason),
			guard: (work) => this.#guard(work),
			inTurn: async (work) => portal.lane(seat.person).run(work)
		});
		this.#principals = portal.reader(seat)?.principals ?? new Set();
		if (portal.isOver) this.close(CLOSE.restarting, 'the portal is read anew');
		else if (this.#principals.size === 0) this.close(CLOSE.noLongerAllowed, 'no longer a member');
		else if (!mayStay(portal, this)) this.close(CLOSE.notFromHere, NOT_FROM_HERE);
		// From the first moment: a dismissal also closes a socket that has said nothing yet.
		else portal.audience.join(this);
	}

	get person(): PersonId {
		return this.seat.person;
	}
	get ip(): string | null {
		return this.#socket.ip ?? null;
	}
	/** Whoever looks on as somebody spends their own budget. */
	get #lane(): Lane {
		return this.#portal.lane(this.seat.viewer ?? this.person);
	}
	get principals(): ReadonlySet<Principal> {
		return this.#principals;
	}
	/** Asked anew: the state may have changed while something was waited for. */
	#isClosed(): boolean {
		return this.#state.is === 'closed';
	}

	receive(frame: Uint8Array): Promise<void> | void {
		// What comes while it leaves is sent again.
		if (this.#isClosed() || this.#state.is === 'leaving') return;
		const decoded = decodeUp(frame);
		if (!decoded.ok) return this.close(CLOSE.badFrame, decoded.problem);
		const { message } = decoded;
		switch (message.type) {
			case 'hello':
				if (this.#state.is !== 'awaiting-hello') return this.close(CLOSE.badFrame, 'hello twice');
				return void this.#guard(this.#greet(message));
			case 'inventory':
				if (this.#state.is !== 'awaiting-inventory') return this.close(CLOSE.badFrame, 'inventory without being asked');
				return this.#takeInventory(this.#state.held, message);
			case 'reoffer':
				if (this.#isComparing()) return this.close(CLOSE.badFrame, 'reoffer before the welcome');
				// Whoever looks on holds nothing to hand back, and changes nothing.
				if (this.seat.viewer !== null) return this.close(CLOSE.badFrame, 'looking on is read only');
				return this.#healing.receive(message);
			case 'submit':
				return this.#judge(message.batch.id, () => this.#portal.admit(this.person, message.batch));
			case 'update':
				return this.#judge(message.id, () => this.#portal.admitUpdate(this.person, message.document, message.bytes, this));
		}
	}

	async #greet({ version, cursor, held }: Extract<Up, { type: 'hello' }>): Promise<void> {
		if (version !== WIRE_VERSION) return this.close(CLOSE.otherVersion, `version ${WIRE_VERSION} is spoken here`);
		const { log, store, id, now, services } = this.#portal;
		const isNear = cursor !== null && cursor.epoch === log.epoch && cursor.seq <= log.durable && log.durable - cursor.seq <= MAX_CATCH_UP_ENTRIES;
		const fits = isNear && !services.mayLack(cursor.seq);
		// From here on a change of rights or documents unsettles the comparison, whatever it waits for.
		this.#state = { is: 'greeting' };
		this.#isUnsettled = false;
		this.#wholeAfter = cursor === null && held.count === 0 ? Infinity : sharedUpTo(log.restores, cursor?.epoch ?? FIRST_EPOCH);
		let next: 'continue' | 'inventory' = 'inventory';
		if (fits) {
			const here = await this.#lane.read(() => store.digest({ principals: [...this.#principals], upTo: cursor.seq }));
			if (this.#isClosed()) return;
			if (!this.#isUnsettled && here.count === held.count && here.digest === held.digest) next = 'continue';
		}
		// Before it hears of anybody, so that it finds its person in the list.
		this.#portal.announcements.join(this);
		this.#state = next === 'continue' ? { is: 'catching-up' } : { is: 'awaiting-inventory', held: new Map() };
		this.#say({
			type: 'welcome', version: WIRE_VERSION, portal: id, person: this.person, epoch: log.epoch, now: now(), rows: { ...ROW_VERSIONS },
			...(log.restores.length > 0 && { restores: log.restores.map(({ epoch, seq }) => ({ epoch, seq })) }),
			next,
			...(this.seat.viewer !== null && { viewer: this.seat.viewer })
		});
		for (const topic of TOPICS) this.tell(topic);
		if (next === 'inventory') return;
		this.#sent = cursor!.seq;
		await this.#catchUp();
	}

	#takeInventory(held: Map<DocumentId, number>, { documents, last }: Extract<Up, { type: 'inventory' }>): void {
		for (const [id, docSeq] of documents) held.set(id, docSeq);
		if (held.size > MAX_INVENTORY) return this.close(CLOSE.tooMuch, 'inventory too long');
		if (last) void this.#guard(this.#reconcile(held));
	}

	/** What the device should not hold leaves it first; then comes what it lacks or holds too old. */
	async #reconcile(held: Map<DocumentId, number>): Promise<void> {
		this.#sent = this.#portal.log.durable;
		this.#state = { is: 'catching-up' };
		await this.#paused(async () => {
			const lacking: DocumentId[] = [];
			const surplus = new Set(held.keys());
			for await (const { id, docSeq, seq, row } of this.#reached({ principals: [...this.#principals] })) {
				// What is switched off comes to nobody and stays where it is, but for what may be of a history that a restore ended: it could not go on from there.
				const isWithheld = this.#portal.services.isWithheld(row);
				if (!isWithheld || seq <= this.#wholeAfter) surplus.delete(id);
				if (isWithheld) continue;
				if (held.get(id) !== docSeq || seq > this.#wholeAfter) lacking.push(id);
			}
			if (this.#isClosed()) return;
			if (surplus.size > 0) this.lose([...surplus]);
			await this.#sendGains(lacking, held);
			this.#say({ type: 'gains', snapshots: [], cursor: this.#cursorAt(this.#sent) });
		});
	}

	async *#reached(query: { principals: Principal[]; without?: Principal[] }): AsyncGenerator<DocumentHead> {
		let after: DocumentId | null = null;
		do {
			const page: PageOf<DocumentHead, DocumentId> = await this.#lane.read(() => this.#portal.store.reached({ ...query, after, limit: 1_000 }));
			if (this.#isClosed()) return;
			yield* page.items;
			after = page.next;
		} while (after !== null);
	}

	/** Reads on from where the session stands until the end of what is on disk, or until the socket is full. */
	async #catchUp(): Promise<void> {
		if (this.#isPulling) return;
		this.#isPulling = true;
		try {
			while (this.#state.is === 'catching-up' && !this.#isFull && this.#pauses === 0) {
				// What happened meanwhile was told to everybody, and nothing of it was for this session to read.
				if (this.#sent >= this.#portal.log.durable) return void (this.#state = { is: 'live' });
				const found = await this.#lane.read(async () => {
					if (this.#isClosed() || this.#isFull || this.#pauses > 0) return null;
					const { services } = this.#portal;
					const [principals, losses, { off }] = [this.#principals, this.#losses, services];
					const { entries, reached } = await this.#portal.store.entriesAfter({ principals: [...principals], after: this.#sent, window: CATCH_UP_WINDOW });
					const withheld = await services.withheldOf(entries.map(({ document }) => document));
					return { entries: entries.filter(({ document }) => !withheld.has(document)), reached, principals, losses, off };
				});
				if (!found) continue;
				const { entries, reached, principals, losses, off } = found;
				// Rights or readers changed while the store read: what it found was found with the old ones.
				await this.#portal.log.readersTold();
				if (this.#isClosed() || this.#pauses > 0 || principals !== this.#principals || losses !== this.#losses || off !== this.#portal.services.off) continue;
				this.#sendEntries(entries.map(shipped), reached);
				this.#sent = reached;
				if (reached >= this.#portal.log.durable && !this.#isFull) this.#state = { is: 'live' };
			}
		} finally {
			this.#isPulling = false;
		}
	}

	/** Does what brings documents with the log held back, then goes on from where the session stood. */
	#paused(work: () => Promise<void>): Promise<void> {
		this.#pauses++;
		if (this.#state.is === 'live') this.#state = { is: 'catching-up' };
		const done = this.#gaining.then(work).then(() => {
			this.#pauses--;
			void this.#guard(this.#catchUp());
		});
		this.#gaining = this.#guard(done);
		return done;
	}

	#sendEntries(entries: readonly Entry[], reached: number): void {
		let piece: Entry[] = [];
		let bytes = 0;
		for (const entry of entries) {
			piece.push(entry);
			bytes += entry.bytes.byteLength;
			if (bytes < DOWN_CHUNK_BYTES) continue;
			this.#say({ type: 'entries', entries: piece, cursor: this.#cursorAt(entry.seq) });
			piece = [];
			bytes = 0;
		}
		if (piece.length > 0) this.#say({ type: 'entries', entries: piece, cursor: this.#cursorAt(reached) });
		else if (reached > this.#sent) this.#say({ type: 'progress', cursor: this.#cursorAt(reached) });
	}

	/**
	 * A commit's entries for this session, already encoded, since most readers get the same.
	 * @param reached everything up to here is covered by this frame
	 */
	push(frame: Uint8Array, reached: number): void {
		// What catching up has read ahead of the fan-out is not sent again.
		if (this.#state.is !== 'live' || reached <= this.#sent) return;
		this.#sent = reached;
		this.#hand(frame);
		if (this.#isFull) this.#state = { is: 'catching-up' };
	}

	/** A document that the person may read from now on, whole, with what hangs on it. */
	gain(document: DocumentId): void {
		if (this.#isComparing()) return void (this.#isUnsettled = true);
		// The inventory under way does not name it, and what is lost until it is here could not be taken back; comparing brings it.
		if (this.#state.is === 'awaiting-inventory') return;
		const exchange = this.#paused(async () => {
			const hanging = (await this.#portal.store.ofScope(document)).map(({ id }) => id);
			await this.#sendGains([document, ...hanging.filter((id) => id !== document)]);
		});
		void this.#guard(exchange);
	}

	/** @param held what the device has older: with the new state come the notices of all that happened since */
	async #sendGains(documents: readonly DocumentId[], held: ReadonlyMap<DocumentId, number> = new Map()): Promise<void> {
		for (let from = 0; from < documents.length; from += GAIN_PAGE) {
			const page = documents.slice(from, from + GAIN_PAGE);
			const stored = await this.#lane.read(async () => {
				this.#lostMeanwhile.clear();
				return this.#isClosed() ? [] : this.#withReaders(await this.#portal.store.load(page));
			});
			const since = page.flatMap((id): [DocumentId, number][] => (held.has(id) ? [[id, held.get(id)!]] : []));
			const notices = since.length > 0 ? await this.#portal.store.notices({ person: this.person, after: since }) : null;
			await this.#portal.log.readersTold();
			if (this.#isClosed()) return;
			let piece: Snapshot[] = [];
			let size = 0;
			for (const { found, readers } of stored) {
				if (this.#lostMeanwhile.has(found.id) || !readers.some((principal) => this.#principals.has(principal)) || this.#portal.services.isWithheld(found.row)) continue;
				const bytes = this.#lane.measure(() => wholeOf(found));
				const told = notices?.get(found.id);
				piece.push({ document: found.id, docSeq: found.docSeq, seq: found.seq, row: found.row, bytes, ...(told && { notices: told }) });
				size += bytes.byteLength;
				if (size < DOWN_CHUNK_BYTES) continue;
				this.#say({ type: 'gains', snapshots: piece, cursor: null });
				piece = [];
				size = 0;
				await this.#roomToSend();
			}
			if (piece.length > 0) this.#say({ type: 'gains', snapshots: piece, cursor: null });
			await this.#roomToSend();
		}
	}

	async #roomToSend(): Promise<void> {
		if (this.#isFull && !this.#isClosed()) await new Promise<void>((resolve) => (this.#onDrained = resolve));
	}

	/** With those who may read each: it is judged at the moment of sending, since the list may be older than the person's rights. */
	async #withReaders(stored: readonly StoredDocument[]): Promise<{ found: StoredDocument; readers: readonly Principal[] }[]> {
		const scopes = new Set(stored.filter(({ id, scope }) => scope !== id).map(({ scope }) => scope));
		const heads = scopes.size > 0 ? await this.#portal.store.heads([...scopes]) : [];
		const audiences = new Map(heads.map(({ id, audience }) => [id, audience]));
		return stored.map((found) => ({ found, readers: [...found.audience, ...(audiences.get(found.scope) ?? [])] }));
	}

	/** Documents that must leave the device. */
	lose(documents: readonly DocumentId[]): void {
		if (this.#isComparing()) return void (this.#isUnsettled = true);
		this.#losses++;
		for (const id of documents) this.#lostMeanwhile.add(id);
		for (let from = 0; from < documents.length; from += INVENTORY_CHUNK) {
			this.#say({ type: 'lose', documents: documents.slice(from, from + INVENTORY_CHUNK), cursor: null });
		}
	}

	/** What the device holds is not settled yet, so that nothing can be gained or lost. */
	#isComparing(): boolean {
		return this.#state.is === 'awaiting-hello' || this.#state.is === 'greeting';
	}

	/**
	 * The structure changed: what the session holds from now on. Losses are sent before gains. Resolves when both are, or the session is over.
	 * @param onLost called when the losses are sent: from then on the old rights count no more
	 */
	async hold(difference: Difference, exchange: Exchange, onLost: () => void): Promise<void> {
		this.#principals = difference.now;
		// A session that has yet to say what it holds is compared with its new rights anyway.
		if (this.#isComparing()) this.#isUnsettled = true;
		else for (const topic of topicsWith(difference.added)) this.tell(topic);
		if (this.#isComparing() || this.#state.is === 'awaiting-inventory') return onLost();
		const kept = new Set<DocumentId>();
		this.#keepsMeanwhile.add(kept);
		const changed = this.#paused(async () => {
			if (this.#isClosed()) return;
			const lost = await exchange.lost(difference);
			// What the store has answered may lie before or after a commit that moves readers and is told only now.
			await this.#portal.log.readersTold();
			const gone = lost.filter(({ id, scope }) => !kept.has(id) && !kept.has(scope)).map(({ id }) => id);
			if (gone.length > 0) this.lose(gone);
			onLost();
			const gained = (await exchange.gained(difference)).map(({ id }) => id);
			await this.#portal.log.readersTold();
			this.#keepsMeanwhile.delete(kept);
			for (const id of kept) gained.push(...(await this.#portal.store.ofScope(id)).map((hanging) => hanging.id), id);
			await this.#sendGains([...new Set(gained)]);
		});
		await this.#guard(changed);
		this.#keepsMeanwhile.delete(kept);
	}

	/** A document was given other readers, and the person could read it before as after: neither look-up of a hold under way may be trusted on it. */
	keeps(document: DocumentId): void {
		for (const kept of this.#keepsMeanwhile) kept.add(document);
	}

	#judge(id: string, admit: () => Promise<Admission>): Promise<void> | void {
		if (this.#state.is === 'awaiting-hello') return this.close(CLOSE.badFrame, 'hello comes first');
		if (this.seat.viewer !== null) return this.#say({ type: 'answer', id, result: refused(READ_ONLY, null) });
		if (++this.#underWay > SUBMIT_WINDOW) return this.close(CLOSE.tooMuch, `more than ${SUBMIT_WINDOW} submissions under way`);
		// The answer waits for the disk, the next submission only for the judgement.
		const judged = this.#judging.then(admit);
		this.#judging = this.#guard(judged);
		const answered = judged.then(async ({ result, durable }) => {
			await durable;
			this.#underWay--;
			this.#say({ type: 'answer', id, result });
		});
		// The log failed: the portal closes this socket, and the device sends again.
		answered.catch(() => {});
		return this.#judging;
	}

	heartbeat(): void {
		const { durable } = this.#portal.log;
		if (this.#state.is !== 'live' || this.#sent >= durable) return;
		this.#sent = durable;
		this.#say({ type: 'progress', cursor: this.#cursorAt(durable) });
	}

	/** What the portal says of itself. A full socket hears it when it has drained. */
	announce(topic: Topic, frame: Uint8Array): void {
		if (this.#isComparing() || this.#isClosed()) return;
		if (this.#isFull) this.#unheard.add(topic);
		else this.#hand(frame);
	}
	/** All of what the portal says of something, as it stands; later, where the socket is full. */
	tell(topic: Topic): void {
		if (this.#isClosed()) return;
		if (this.#isFull) return void this.#unheard.add(topic);
		this.#unheard.delete(topic);
		for (const frame of this.#portal.announcements.standing(topic, this.#principals)) this.#hand(frame);
	}

	drained(): void {
		this.#isFull = false;
		for (const topic of [...this.#unheard]) this.tell(topic);
		this.#onDrained?.();
		this.#onDrained = null;
		void this.#guard(this.#catchUp());
	}

	/**
	 * A service came back, and this device may lack something of it: it comes back to be compared. Nothing of the log is sent from here on, so that its cursor stays
	 * before the switch; whoever threw it still hears so.
	 */
	compareAnew(): void {
		const close = () => this.close(CLOSE.restarting, 'a service is switched on again');
		// Who has not said hello yet will be judged by what holds then.
		if (this.#isClosed() || this.#state.is === 'awaiting-hello') return;
		if (this.#state.is === 'greeting') return close();
		this.#state = { is: 'leaving' };
		void this.#portal.log.settled().then(close, close);
	}

	close(code: CloseCode, reason: string): void {
		if (this.#isClosed()) return;
		this.closed();
		this.#socket.close(code, reason);
	}

	closed(): void {
		if (this.#isClosed()) return;
		this.#state = { is: 'closed' };
		this.#portal.audience.leave(this);
		this.#portal.announcements.leave(this);
		this.#healing.end();
		this.#onDrained?.();
	}

	/** A fault of the store ends this session; the device comes back and asks again. */
	#guard(work: Promise<unknown>): Promise<void> {
		return work.then(
			() => {},
			(fault: unknown) => {
				this.#portal.sawFault(fault);
				this.close(CLOSE.restarting, 'the store does not answer');
			}
		);
	}

	#cursorAt(seq: number): { epoch: number; seq: number } {
		return { epoch: this.#portal.log.epoch, seq };
	}
	#say(message: Down): void {
		if (!this.#isClosed()) this.#hand(encodeDown(message));
	}
	#hand(frame: Uint8Array): void {
		if (this.#socket.send(frame) === 'full') this.#isFull = true;
	}
}

