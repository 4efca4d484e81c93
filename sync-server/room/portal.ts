/**
 * One portal on this relay: its documents, its log and its open sessions, and the one place where changes enter (SPEC O1–O6).
 *
 * Promises: decisions are taken in order on the documents in memory, within one turn of the event loop; nothing leaves before the disk
 * has it; a failed commit ends this portal's time in memory, closes its sockets, and the next use reads it anew.
 * Leaves to others: what a change is and who may make it (crdt-model), numbering and disk (log/), who is told (session/).
 */
import { audienceOf, canRead, type Actor, type World } from '#crdt-model/access/decide.ts';
import { mayEnter } from '#crdt-model/access/entry.ts';
import { Directory, DIRECTORY_KINDS } from '#crdt-model/access/directory.ts';
import { accessTo, type Access } from '#crdt-model/access/questions.ts';
import { IdMaker, RELAY, type DocumentId, type KindName, type PersonId, type PortalId } from '#crdt-model/ids.ts';
import type { SettingsRow } from '#crdt-model/kinds/company-structure.ts';
import { wholeSettings } from '#crdt-model/kinds/settings.ts';
import type { Row } from '#crdt-model/kinds/index.ts';
import type { Batch, Command } from '#crdt-model/record/command.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import type { RecordState } from '#crdt-model/record/state.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import { refuse, REFUSALS, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { Subscription } from '#crdt-model/tariff/plans.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import type { DocumentHead, PortalStore } from '#storage/contract.ts';
import * as Y from 'yjs';
import { Claims, hasRoomForIds } from '../budget/claims.ts';
import { STANDING_CLOCK, type Clock } from '../budget/clock.ts';
import { Lanes, type Lane } from '../budget/lanes.ts';
import { admitContent } from '../gate/content.ts';
import { admitBatch, type Authority, type RecordGate } from '../gate/record.ts';
import { LogFailed, PortalLog, type Committed, type Draft } from '../log/portal-log.ts';
import type { Later } from '../quota/announcer.ts';
import { PortalQuota } from '../quota/portal-quota.ts';
import { Audience } from '../session/audience.ts';
import { LiveSession } from '../session/live-session.ts';
import { CLOSE, type CloseCode, type FrameSession, type FrameSocket } from '../session/socket.ts';
import { SyncSession } from '../session/sync-session.ts';
import { seatedActor, type Seat } from '../session/viewing.ts';
import { Announcements } from './announcements.ts';
import { AnswerLookUps, refused, unavailable, type FoundAnswers } from './answers.ts';
import { Pinning } from './pinning.ts';
import { readRecord, readRows, type RowQuery } from './reading.ts';
import { remakeRows, type Remade } from './remake.ts';
import { Returns } from './returns.ts';
import { Rooms, type Room } from './rooms.ts';
import { Services } from './services.ts';

/** A snapshot is made when the tail is longer than this, or than half the snapshot and this many bytes (SYNC 5). */
const COMPACT_ENTRIES = 200;
const COMPACT_BYTES = 32 * 1024;
/** Where nobody sells: tests, and the simulation. */
const EVERYTHING: Subscription = { plan: 'company' };

export interface PortalOptions {
	readonly id: PortalId;
	readonly store: PortalStore;
	/** The key of the seals; kept with the backup but not inside it. */
	readonly macKey: Uint8Array;
	readonly now?: () => number;
	readonly ids?: IdMaker;
	/** Whose turn it is at this relay. Without it nobody ever waits. */
	readonly lanes?: Lanes;
	/** Which names are other portals'. Without it all are free. */
	readonly domains?: PortalDomains;
	/** Told once when a commit failed: this object is of no more use. */
	readonly onFailed?: (reason: unknown) => void;
	/** What was bought; everything, where nobody sells. */
	readonly subscription?: Subscription;
	/** Timers of what is told a little later; the process's own by default, which keep it from ending no longer than it wants. */
	readonly later?: Later;
	/** By which the making of rows at the opening lets others have a turn. Without it it goes on. */
	readonly clock?: Clock;
	/** The relay ends: an opening that takes long is given up. */
	readonly signal?: AbortSignal;
	/** Rows that another release had made were made anew, before anything was read. */
	readonly onRemade?: (remade: Remade) => void;
	/** A fault that ended one session: the store's, or our own. */
	readonly onFault?: (fault: unknown) => void;
}

/** Of one portal, what is decided over all of them: whose a domain is. */
export interface PortalDomains {
	isFree(domain: string): boolean;
	/** Told as it is decided, and as the portal is read. */
	takes(domain: string | null): void;
}

/** A decision that was taken; `durable` resolves when it may be told. */
export interface Admission {
	readonly result: AnswerResult;
	readonly durable: Promise<void>;
}

export class Portal {
	readonly id: PortalId;
	/** As the last decision left it: what the next one is judged by. */
	readonly directory = new Directory();
	/** As the disk has it: what anybody is sent is sent by these rights. The audience feeds it as commits come through. */
	readonly directoryOnDisk = new Directory();
	readonly log: PortalLog;
	readonly store: PortalStore;
	readonly rooms: Rooms;
	readonly audience: Audience;
	readonly quota: PortalQuota;
	readonly services: Services;
	readonly announcements: Announcements;
	/** What devices hand back after a restore. */
	readonly returns: Returns;
	readonly now: () => number;
	readonly ids: IdMaker;
	readonly #lanes: Lanes;
	readonly #claims: Claims;
	readonly #options: PortalOptions;
	readonly #world: World;
	readonly #gate: RecordGate;
	readonly #answers: AnswerLookUps;
	readonly #pinning: Pinning;
	/** The seq of the last change of anybody's rights: what an entry was judged by. */
	#rightsVersion = 0;
	#refusals: Record<string, number> = {};
	#isOver = false;
	/** What people hold is reckoned once per change of the structure, not once per keystroke. */
	#actors = new Map<PersonId, Actor>();
	#actorsVersion = -1;

	static async open(options: PortalOptions): Promise<Portal> {
		const { store } = options;
		const remade = await remakeRows(store, { clock: options.clock ?? STANDING_CLOCK, signal: options.signal });
		if (remade.documents > 0) options.onRemade?.(remade);
		const { head } = remade;
		const structure = await store.headsOfKinds(['settings', ...DIRECTORY_KINDS]);
		const portal = new Portal(options, head);
		await portal.quota.adopt(store, structure);
		for (const { row, seq } of structure) {
			portal.directoryOnDisk.take(row);
			if (portal.directory.take(row)) portal.#rightsVersion = Math.max(portal.#rightsVersion, seq);
			if (row.kind === 'settings') {
				portal.services.adopt((portal.#settings = wholeSettings(row as SettingsRow)));
				options.domains?.takes(portal.#settings.domain);
			}
		}
		return portal;
	}

	private constructor(options: PortalOptions, head: Awaited<ReturnType<PortalStore['head']>>) {
		this.#options = options;
		this.id = options.id;
		this.store = options.store;
		this.now = options.now ?? Date.now;
		this.ids = options.ids ?? new IdMaker(this.now);
		this.#lanes = options.lanes ?? new Lanes(STANDING_CLOCK);
		this.#claims = new Claims(this.now);
		this.#answers = new AnswerLookUps(options.store);
		this.audience = new Audience(this);
		this.announcements = new Announcements({
			announce: (topic, frame, to) => this.audience.announce(topic, frame, to),
			tariff: () => this.tariff,
			isMember: (person) => this.directoryOnDisk.isMember(person),
			now: this.now,
			...(options.later && { later: options.later })
		});
		this.log = new PortalLog({
			portal: options.id,
			store: options.store,
			head,
			macKey: options.macKey,
			now: this.now,
			onCommitted: (changes) => {
				this.#fanOut(changes);
				this.quota.committed(changes);
			},
			onFailed: (reason) => this.#fail(reason)
		});
		this.services = new Services(this.log, options.store);
		this.rooms = new Rooms(options.store, head.epoch, { durable: () => this.log.durable, settled: () => this.log.settled() });
		this.#pinning = new Pinning(this.rooms);
		const settings = (): SettingsRow | null => this.#settings;
		this.#world = {
			directory: this.directory,
			get settings() {
				return settings();
			},
			rowOf: (id) => this.rooms.peek(id)?.row ?? null
		};
		this.#gate = {
			world: this.#world,
			now: this.now,
			room: (id) => this.rooms.peek(id)!,
			nextNumber: (kind) => this.log.nextNumber(kind),
			isFreeDomain: (domain) => options.domains?.isFree(domain) ?? true,
			allowance: () => this.quota.allowance,
			takeIntoDirectory: (row) => this.#takeRow(row)
		};
		this.returns = new Returns({
			id: this.id,
			store: this.store,
			log: this.log,
			world: this.#world,
			now: this.now,
			macKey: options.macKey,
			pin: (documents) => this.#pinning.pin(documents),
			release: (rooms) => this.rooms.release(rooms),
			room: (document) => this.rooms.peek(document),
			takeIntoDirectory: (row) => this.#takeRow(row),
			append: (draft) => this.#append(draft),
			bind: (room, client, person) => this.bind(room, client, person),
			drop: (room) => this.#drop(room)
		});
		this.quota = new PortalQuota({
			log: this.log,
			subscription: options.subscription ?? EVERYTHING,
			say: (tariff) => this.announcements.tellTariff(tariff),
			now: this.now,
			...(options.later && { later: options.later })
		});
	}

	get tariff(): Tariff {
		return this.quota.tariff;
	}

	#settings: SettingsRow | null = null;
	/** The company's own settings; null only before the portal was founded. */
	get settings(): SettingsRow | null {
		return this.#settings;
	}

	/** The person with what their session holds now; null when they are no active member. */
	actorOf(person: PersonId): Actor | null {
		if (!this.directory.isMember(person)) return null;
		if (this.#actorsVersion !== this.directory.version) {
			this.#actors = new Map();
			this.#actorsVersion = this.directory.version;
		}
		let actor = this.#actors.get(person);
		if (!actor) this.#actors.set(person, (actor = { person, principals: this.directory.principalsOf(person) }));
		return actor;
	}

	/** As `actorOf`, also for an administrator who looks on as the person. */
	seated(seat: Seat): Actor | null {
		return seatedActor(this.actorOf(seat.person), this.directory, seat);
	}

	/** Whether the company lets the person in from there (SPEC K1). Of whoever looks on as somebody, it is they who come from there. */
	mayEnter(person: PersonId, ip: string | null): boolean {
		return mayEnter(this.#settings?.entry ?? null, this.directory, person, ip);
	}

	/** Who is sent what this session asks for: by the rights that are on disk. Null when they may not be there. */
	reader(seat: Seat): Actor | null {
		const { directoryOnDisk: directory } = this;
		const { person } = seat;
		return directory.isMember(person) ? seatedActor({ person, principals: directory.principalsOf(person) }, directory, seat) : null;
	}

	/** Failed or closed: whoever still holds this object lets go of it and asks for the portal again. */
	get isOver(): boolean {
		return this.#isOver;
	}

	/** Judges a batch and resolves once the answer may be told. */
	async submit(person: PersonId, batch: Batch): Promise<AnswerResult> {
		return this.#told(await this.admit(person, batch));
	}

	/** Changes in the relay's own name, or in a person's by its authority: founding, accepted invitations, imports. */
	async submitAsRelay(batch: Pick<Batch, 'commands'>, author: PersonId = RELAY): Promise<AnswerResult> {
		return this.#told(await this.#admitPinned(batch, null, () => ({ kind: 'relay', author })));
	}

	async #told({ result, durable }: Admission): Promise<AnswerResult> {
		try {
			await durable;
			return result;
		} catch (fault) {
			return unavailable(fault);
		}
	}

	/** Judges a batch; the first answer to a command id is the answer to every repeat of it. */
	async admit(person: PersonId, batch: Batch): Promise<Admission> {
		let stored: FoundAnswers;
		try {
			stored = await this.#answers.find(batch.commands);
		} catch (fault) {
			return { result: unavailable(fault), durable: Promise.resolve() };
		}
		return this.#admitPinned(batch, this.lane(person), () => this.#authorityOf(person, batch.commands, stored));
	}

	#authorityOf(person: PersonId, commands: readonly Command[], stored: FoundAnswers): Authority | AnswerResult {
		const ids = new Set(commands.map(({ id }) => id));
		const answers = [...ids].map((id) => stored.get(id) ?? this.log.recentAnswer(id));
		const first = answers.find((answer) => answer !== undefined);
		// Ids are unguessable; one that another person used is a forgery and learns nothing. A batch that mixes known and new ones
		// is no repeat of anything: the first answer would speak for commands that were never judged.
		const isRepeat = first !== undefined && answers.every((answer) => answer?.author === person);
		if (ids.size < commands.length || (first && !isRepeat)) return refused(refuse('malformed', 'command id in use'), null);
		if (first) return JSON.parse(first.result) as AnswerResult;
		const actor = this.actorOf(person);
		return actor ? { kind: 'person', actor } : refused(refuse('not-found', 'not a member'), null);
	}

	/** Decides, applies and enqueues without waiting for anything, once all that the batch needs is pinned and it is its author's turn. */
	async #admitPinned(batch: Pick<Batch, 'commands'>, lane: Lane | null, authorise: () => Authority | AnswerResult): Promise<Admission> {
		try {
			return await this.#pinning.within(batch.commands, lane, () => {
				if (this.log.hasFailed) return { result: unavailable(null), durable: Promise.resolve() };
				const authority = authorise();
				const result = 'actor' in authority || 'author' in authority ? this.#decide(authority, batch.commands) : authority;
				const durable = this.log.settled();
				lane?.untilOnDisk(durable, batch.commands.length);
				return { result, durable };
			});
		} catch (fault) {
			return { result: unavailable(fault), durable: Promise.resolve() };
		}
	}

	/** This person's share of the relay. */
	lane(person: PersonId): Lane {
		return this.#lanes.of(this.id, person);
	}

	/** Sending a commit to its readers is its authors' work as well, in equal parts. */
	#fanOut(changes: readonly Committed[]): void {
		const before = this.#lanes.now();
		try {
			this.audience.fanOut(changes);
		} finally {
			const share = (this.#lanes.now() - before) / changes.length;
			if (share > 0) for (const { entry } of changes) if (entry.author !== RELAY) this.lane(entry.author).charge(share);
		}
	}

	#decide(authority: Authority, commands: readonly Command[]): AnswerResult {
		try {
			return this.#judge(authority, commands);
		} catch (fault) {
			// A bug of ours, halfway: documents in memory are no longer what the log says.
			this.log.end(fault);
			throw fault;
		}
	}

	#judge(authority: Authority, commands: readonly Command[]): AnswerResult {
		const admission = admitBatch(this.#gate, authority, { commands });
		let result: AnswerResult;
		if (admission.kind === 'refused') {
			result = refused(admission.refusal, admission.command);
			this.#countRefusal(admission.refusal);
		} else {
			for (const draft of admission.drafts) this.#append(draft);
			result = { kind: 'accepted', seq: this.log.assigned };
		}
		if (authority.kind === 'person' && (result.kind === 'accepted' || REFUSALS[result.refusal.code].fate === 'aside')) {
			const told = JSON.stringify(result);
			for (const { id } of commands) this.log.answer({ command: id, author: authority.actor.person, result: told });
		}
		return result;
	}

	/**
	 * Judges a client's update of a page or text.
	 * @param origin the connection that brought it, which is not sent its own edit again
	 * @param viewer who looks on as the person: what is known is accepted, nothing new is
	 */
	async admitUpdate(person: PersonId, document: DocumentId, bytes: Uint8Array, origin: unknown, viewer: PersonId | null = null): Promise<Admission> {
		try {
			return await this.#pinning.within([{ document, args: null }], this.lane(viewer ?? person), () => this.#judgeUpdate({ person, viewer }, document, bytes, origin));
		} catch (fault) {
			return { result: unavailable(fault), durable: Promise.resolve() };
		}
	}

	#judgeUpdate(seat: Seat, document: DocumentId, bytes: Uint8Array, origin: unknown): Admission {
		const { person, viewer } = seat;
		const actor = this.seated(seat);
		const room = this.rooms.peek(document);
		if (this.log.hasFailed || !room) return { result: unavailable(null), durable: Promise.resolve() };
		if (!actor) return { result: refused(refuse('not-found', document), null), durable: Promise.resolve() };
		const admission = admitContent(room, this.#world, {
			actor,
			bytes,
			ownerOf: (client) => room.owners.get(client) ?? null,
			mayBind: (count) => this.mayBind(room, person, count),
			origin,
			isReadOnly: viewer !== null,
			now: this.now()
		});
		if (admission.kind === 'evict') this.#drop(room);
		if (admission.kind === 'evict' || admission.kind === 'refused') {
			this.#countRefusal(admission.refusal);
			return { result: refused(admission.refusal, null), durable: this.log.settled() };
		}
		if (admission.kind === 'admitted') {
			for (const client of admission.bindIds) this.bind(room, client, person);
			this.#append(admission.draft);
			const durable = this.log.settled();
			this.lane(viewer ?? person).untilOnDisk(durable, 1);
			return { result: { kind: 'accepted', seq: room.seq }, durable };
		}
		return { result: { kind: 'accepted', seq: room.seq }, durable: this.log.settled() };
	}

	/** Whoever has it open holds a document that is no longer the one in use, and comes back for that. */
	#drop(room: Room): void {
		this.rooms.evict(room);
		for (const session of [...this.audience.liveOn(room.id)]) session.close(CLOSE.restarting, 'the document is read anew');
	}

	/** Whether the person may bring so many new client ids here (SPEC B7). */
	mayBind(room: Room, person: PersonId, count: number): boolean {
		return this.#claims.allow(person, room.id, count) && hasRoomForIds(room, person, count);
	}
	/** From now on this client id belongs to this person in this document (P7). */
	bind(room: Room, client: number, person: PersonId): void {
		room.owners.set(client, person);
		this.#claims.count(person, room.id);
		this.log.bind({ document: room.id, client, person });
	}

	#append(draft: Draft): void {
		const room = this.rooms.peek(draft.document)!;
		const scope = draft.head.scope === draft.document ? null : this.rooms.peek(draft.head.scope);
		if (scope && scope.row === null) scope.isAwaited = true;
		const { seq } = this.log.append(room.isAwaited ? { ...draft, isAwaited: true } : draft, this.#rightsVersion);
		room.isAwaited = false;
		if (draft.changesRights) this.#rightsVersion = seq;
		if (draft.head.row.kind === 'settings') this.services.appended(draft.head.row as SettingsRow, seq);
		room.counted = this.quota.count(room.counted, draft.head.row);
		room.seq = seq;
		room.firstSeq ??= seq;
		room.tailLength++;
		room.tailBytes += draft.bytes.byteLength;
		this.rooms.weigh(room);
		if (room.tailLength < COMPACT_ENTRIES && room.tailBytes < Math.max(COMPACT_BYTES, room.snapshotBytes / 2)) return;
		const snapshot = Y.encodeStateAsUpdate(room.doc);
		this.log.compact({ document: room.id, docSeq: room.docSeq, snapshot });
		room.tailLength = room.tailBytes = 0;
		room.snapshotBytes = snapshot.byteLength;
		this.rooms.weigh(room);
	}

	/** Pins a document with the record that it hangs on and says what the person may do there; null when they may not read it. */
	async openContent(seat: Seat, document: DocumentId): Promise<{ rooms: Room[]; room: Room } | null> {
		const rooms = await this.#pinning.pin([{ document, args: null }]);
		const room = rooms[0]!;
		try {
			// Who may read it may be on its way to disk.
			if (rooms.some(({ seq }) => seq > this.log.durable)) await this.log.settled();
			if (room.kind.content && this.mayRead(seat, room)) return { rooms, room };
		} catch (fault) {
			this.rooms.release(rooms);
			throw fault;
		}
		this.rooms.release(rooms);
		return null;
	}
	mayRead(seat: Seat, room: Room): boolean {
		const actor = this.reader(seat);
		return actor !== null && room.row !== null && !room.row.deleted && canRead(actor, audienceOf(room.row, this.#world));
	}
	get world(): World {
		return this.#world;
	}

	/** Why a person sees a record, and what they may do with it. Null where whoever asks may not read it, or the person is no member. */
	async access(seat: Seat, id: DocumentId, person: PersonId): Promise<Access | null> {
		const found = await this.#pinning.within([{ document: id, args: null }], this.lane(seat.viewer ?? seat.person), () => {
			const room = this.rooms.peek(id);
			const actor = this.seated({ person, viewer: seat.viewer });
			const asking = this.seated(seat);
			return room?.row && actor && asking && this.mayRead(seat, room) ? accessTo(actor, room.row, room.state, this.#world, asking) : null;
		});
		await this.log.settled();
		return found;
	}

	/** A record as it is on disk, also where its service is switched off; null when it is not there or not readable. */
	read(person: PersonId, id: DocumentId, viewer: PersonId | null = null): Promise<{ row: Row; state: RecordState } | null> {
		return readRecord(this.store, () => this.reader({ person, viewer }), id);
	}
	/** Rows that the person may read, in order of id, without what is deleted or switched off. */
	rows(person: PersonId, query: RowQuery, viewer: PersonId | null = null): Promise<{ rows: Row[]; next: DocumentId | null }> {
		return readRows(this.store, () => this.reader({ person, viewer }), (row) => this.services.offServiceOf(row) === null, query);
	}

	attachSync(person: PersonId, socket: FrameSocket, viewer: PersonId | null = null): FrameSession {
		return new SyncSession(this, { person, viewer }, socket);
	}
	attachLive(person: PersonId, document: DocumentId, socket: FrameSocket, viewer: PersonId | null = null): FrameSession {
		return new LiveSession(this, { person, viewer }, document, socket);
	}
	/** How many people ask to be let in: administrators are told when it changes. Whoever keeps the requests says it, at first when the portal opens. */
	tellWaiting(people: number): void {
		this.announcements.tellWaiting(people);
	}

	closeSessionsOf(person: PersonId, code: CloseCode, reason: string): void {
		this.audience.closeSessionsOf(person, code, reason);
	}

	/** Says to quiet sessions where the log stands; called every HEARTBEAT_MS. */
	heartbeat(): void {
		this.audience.heartbeat();
		// A demo ends by the clock, with no change that would say so.
		this.quota.tell();
	}

	metrics(): { readonly seq: number; readonly rooms: number; readonly sessions: number; readonly refusals: Readonly<Record<string, number>> } {
		return { seq: this.log.durable, rooms: this.rooms.size, sessions: this.audience.size, refusals: this.#refusals };
	}

	/** Waits for what is under way, closes the sessions and the store. */
	async close(): Promise<void> {
		await this.log.settled().catch(() => {});
		this.#isOver = true;
		this.quota.end();
		this.announcements.end();
		this.audience.closeAll(CLOSE.restarting, 'the relay stops');
		this.rooms.evictAll();
		await this.store.close();
	}

	#takeRow(row: BaseRow): boolean {
		if (row.kind !== 'settings') return this.directory.take(row);
		this.#settings = row as SettingsRow;
		this.#options.domains?.takes(this.#settings.domain);
		// What is switched off may be read by nobody, and what comes back by its readers.
		return this.services.switches(this.#settings);
	}
	#countRefusal({ code }: Refusal): void {
		this.#refusals[code] = (this.#refusals[code] ?? 0) + 1;
	}
	/** A session came to its end by a fault. A failed log has been told once for all of them. */
	sawFault(fault: unknown): void {
		if (!(fault instanceof LogFailed) && !this.#isOver) this.#options.onFault?.(fault);
	}
	#fail(reason: unknown): void {
		this.#isOver = true;
		this.quota.end();
		this.announcements.end();
		this.rooms.evictAll();
		this.audience.closeAll(CLOSE.restarting, 'the store failed');
		this.#options.onFailed?.(reason);
	}
}
