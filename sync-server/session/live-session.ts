/**
 * One open page or text over `/live/:documentId`, in y-websocket's own protocol, so that any Yjs client can connect (SPEC X1–X8).
 *
 * Edits go through the same gate and the same log as everything else; there is no negative answer in this protocol, so a refusal closes the
 * connection with a code, and the tail is offered on `/sync`, whose answer says why. A gap or a missing dependency is ordinary
 * (a keystroke between open and the first sync): it is answered with what the relay holds, a bounded number of times.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { decideWrite } from '#crdt-model/access/decide.ts';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { scanStateVector } from '#crdt-model/page/scan.ts';
import { isRelayClient, type Room } from '../room/rooms.ts';
import type { Portal } from '../room/portal.ts';
import { readPresence, writePresence, type Presence, type PresenceEntry } from '../presence/presence.ts';
import { colourOf } from '../presence/colours.ts';
import { CLOSE, type CloseCode, type FrameSession, type FrameSocket } from './socket.ts';
import { mayStay, NOT_FROM_HERE, type Seat } from './viewing.ts';

const SYNC = 0;
const AWARENESS = 1;
const QUERY_AWARENESS = 3;
const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

/** Sync step 1 sent again because an update did not fit. A client in order needs one or two in its life. */
const MAX_RESYNCS = 32;
/** Client ids that one connection may claim by presence: a stock client keeps one, a reloaded document draws another. */
const MAX_CLAIMS = 16;
/** What may wait while the document is loaded. A stock client sends three frames, a script that does not wait sends many. */
const MAX_WAITING_FRAMES = 10_000;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

type State =
	| { readonly is: 'opening'; readonly waiting: Uint8Array[]; waitingBytes: number }
	| { readonly is: 'open'; readonly room: Room; readonly pinned: readonly Room[]; readonly presence: Presence; readonly deafen: () => void }
	| { readonly is: 'closed' };

export class LiveSession implements FrameSession {
	readonly seat: Seat;
	readonly document: DocumentId;
	readonly #portal: Portal;
	readonly #socket: FrameSocket;
	#state: State = { is: 'opening', waiting: [], waitingBytes: 0 };
	/** The id that this connection's presence speaks for. */
	#client: number | null = null;
	#claims = 0;
	#resyncs = 0;
	/** Updates are judged in the order of their frames. */
	#judging: Promise<void> = Promise.resolve();

	constructor(portal: Portal, seat: Seat, document: DocumentId, socket: FrameSocket) {
		this.#portal = portal;
		this.#socket = socket;
		this.seat = seat;
		this.document = document;
		// Before anything is loaded for it.
		if (mayStay(portal, this)) this.#guard(this.#open());
		else this.close(CLOSE.notFromHere, NOT_FROM_HERE);
	}

	get person(): PersonId {
		return this.seat.person;
	}
	get ip(): string | null {
		return this.#socket.ip ?? null;
	}

	async #open(): Promise<void> {
		const opened = await this.#portal.openContent(this.seat, this.document);
		if (this.#state.is !== 'opening') {
			if (opened) this.#portal.rooms.release(opened.rooms);
			return;
		}
		if (this.#portal.isOver || opened?.room.gone) {
			if (opened) this.#portal.rooms.release(opened.rooms);
			return this.close(CLOSE.restarting, 'the document is read anew');
		}
		if (!opened) return this.close(CLOSE.notThere, 'not there or not readable');
		// A device is about to hand back what a restore lost of it: what a stock client brought before that would be refused as another's.
		if (this.#portal.returns.isAwaited(this.document)) {
			this.#portal.rooms.release(opened.rooms);
			return this.close(CLOSE.restarting, 'what a restore lost is being handed back');
		}
		const { waiting } = this.#state;
		const presence = this.#portal.audience.joinLive(this);
		this.#state = {
			is: 'open',
			room: opened.room,
			pinned: opened.rooms,
			presence,
			deafen: presence.listen((entries) => this.#sendPresence(entries))
		};
		// Rights may have changed between the look-up and this turn, and its service may be switched off.
		this.recheck();
		this.#askForWhatIsMissing(opened.room.doc);
		const here = presence.all();
		if (here.length > 0) this.#sendPresence(here);
		for (const frame of waiting) this.receive(frame);
	}

	receive(frame: Uint8Array): Promise<void> | void {
		if (this.#state.is === 'closed') return;
		if (this.#state.is === 'opening') {
			this.#state.waitingBytes += frame.byteLength;
			if (this.#state.waiting.push(frame) > MAX_WAITING_FRAMES || this.#state.waitingBytes > MAX_WAITING_BYTES) this.close(CLOSE.tooMuch, 'too many frames before the document was open');
			return;
		}
		const message = read(frame);
		try {
			switch (message?.type) {
				case SYNC:
					return this.#receiveSync(message.step, message.bytes);
				case AWARENESS:
					return this.#receivePresence(message.bytes);
				case QUERY_AWARENESS:
					return this.#sendPresence(this.#state.presence.all());
			}
		} catch (fault) {
			// Our own fault or the log's: it ends this connection alone, and with a code after which the provider comes back.
			return this.close(CLOSE.restarting, fault instanceof Error ? fault.message : 'a fault');
		}
		this.close(CLOSE.badFrame, 'not a message of y-websocket');
	}

	#receiveSync(step: number, bytes: Uint8Array): Promise<void> | void {
		if (step === STEP_1) return this.#answer(bytes);
		if (step !== STEP_2 && step !== UPDATE) return this.close(CLOSE.badFrame, 'not a message of y-websocket');
		const judged = this.#judging.then(() => this.#portal.admitUpdate(this.person, this.document, bytes, this, this.seat.viewer));
		return (this.#judging = this.#guard(
			judged.then(({ result }) => {
				if (result.kind === 'accepted' || this.#state.is !== 'open') return;
				const { code, detail } = result.refusal;
				if (code === 'gap' || code === 'missing-dependency') {
					if (++this.#resyncs > MAX_RESYNCS) return this.close(CLOSE.tooMuch, detail);
					return this.#askForWhatIsMissing(this.#state.room.doc);
				}
				this.close(CLOSE_FOR[code] ?? CLOSE.refused, `${code}: ${detail}`);
			})
		));
	}

	/** Sync step 2: what the client lacks, once all of it is on disk. */
	#answer(stateVector: Uint8Array): void {
		if (this.#state.is !== 'open') return;
		const scanned = scanStateVector(stateVector);
		if (scanned.kind === 'refused') return this.close(CLOSE.badFrame, scanned.detail);
		const missing = Y.encodeStateAsUpdate(this.#state.room.doc, stateVector);
		this.#guard(this.#portal.log.settled().then(() => this.#sayBytes(SYNC, STEP_2, missing)));
	}

	/** Sync step 1: what the relay holds, so that the client sends the rest. */
	#askForWhatIsMissing(doc: Y.Doc): void {
		this.#sayBytes(SYNC, STEP_1, Y.encodeStateVector(doc));
	}

	/** An accepted change of this document, after it is on disk. */
	canonical(bytes: Uint8Array, origin: unknown): void {
		// Judged at every message: a commit may bring a loss and what is written after it.
		this.recheck();
		if (origin !== this) this.#sayBytes(SYNC, UPDATE, bytes);
	}

	#receivePresence(bytes: Uint8Array): void {
		if (this.#state.is !== 'open') return;
		const entries = readPresence(bytes);
		if (!entries) return this.close(CLOSE.badFrame, 'not a presence');
		const { presence, room } = this.#state;
		// Whoever looks on is seen by nobody, and hears their own entries all the same: a stock provider drops a silent line.
		if (this.seat.viewer !== null) return this.#sendPresence(entries.filter(({ client }) => !presence.isTaken(client, this)));
		for (const entry of entries) {
			if (entry.client !== this.#client && !(entry.state !== null && this.#claim(entry.client, room, presence))) continue;
			presence.show(this, { ...entry, state: entry.state && { ...entry.state, user: this.#stamp() } });
		}
	}

	/**
	 * The first id that is nobody else's is this connection's own. It is bound to the person if they may write, so that nobody else can
	 * write under a name that was shown.
	 */
	#claim(client: number, room: Room, presence: Presence): boolean {
		const owner = room.owners.get(client);
		if (isRelayClient(client) || presence.isTaken(client, this) || (owner !== undefined && owner !== this.person)) return false;
		// While the own id is live, any other entry is an echo of somebody who has just gone.
		if (this.#client !== null && owner === undefined) return false;
		if (++this.#claims > MAX_CLAIMS) return false;
		if (owner === undefined && !this.#portal.mayBind(room, this.person, 1)) return false;
		const actor = this.#portal.actorOf(this.person);
		if (owner === undefined && actor && room.row && decideWrite(actor, room.row, this.#portal.world).allow) this.#portal.bind(room, client, this.person);
		if (this.#client !== null) presence.leave(this);
		this.#client = client;
		return true;
	}

	#stamp(): { readonly id: PersonId; readonly name: string; readonly color: string; readonly colorLight: string } {
		const person = this.#portal.directoryOnDisk.person(this.person);
		const color = colourOf(this.person);
		return { id: this.person, name: person ? `${person.firstName} ${person.lastName}` : '', color, colorLight: `${color}33` };
	}

	/** Rights, services or the record changed: whoever may no longer read is out within this turn. */
	recheck(): void {
		if (this.#state.is !== 'open') return;
		const { room } = this.#state;
		if (!this.#portal.mayRead(this.seat, room)) return this.close(CLOSE.noLongerAllowed, 'no longer allowed');
		const off = room.row && this.#portal.services.offServiceOf(room.row);
		if (off) return this.close(CLOSE.noLongerAllowed, `service-off: ${off} is switched off`);
		if (!mayStay(this.#portal, this)) this.close(CLOSE.notFromHere, NOT_FROM_HERE);
	}

	drained(): void {
		// Nothing is held back here: beyond its ceiling the transport closes with 4508, and the provider comes back and syncs.
	}

	close(code: CloseCode, reason: string): void {
		if (this.#state.is === 'closed') return;
		this.closed();
		this.#socket.close(code, reason);
	}

	closed(): void {
		const state = this.#state;
		if (state.is === 'closed') return;
		this.#state = { is: 'closed' };
		if (state.is === 'opening') return;
		state.deafen();
		state.presence.leave(this);
		this.#portal.audience.leaveLive(this);
		this.#portal.rooms.release(state.pinned);
	}

	/** A fault of the store ends this connection; the provider comes back. */
	#guard(work: Promise<unknown>): Promise<void> {
		return work.then(
			() => {},
			(fault: unknown) => {
				this.#portal.sawFault(fault);
				this.close(CLOSE.restarting, 'the store does not answer');
			}
		);
	}

	#sendPresence(entries: readonly PresenceEntry[]): void {
		this.#sayBytes(AWARENESS, null, writePresence(entries));
	}
	#sayBytes(message: number, step: number | null, bytes: Uint8Array): void {
		if (this.#state.is === 'closed') return;
		const encoder = encoding.createEncoder();
		encoding.writeVarUint(encoder, message);
		if (step !== null) encoding.writeVarUint(encoder, step);
		encoding.writeVarUint8Array(encoder, bytes);
		this.#socket.send(encoding.toUint8Array(encoder));
	}
}

type Message =
	| { readonly type: typeof SYNC; readonly step: number; readonly bytes: Uint8Array }
	| { readonly type: typeof AWARENESS; readonly bytes: Uint8Array }
	| { readonly type: typeof QUERY_AWARENESS };

/** Null where the frame is none of y-websocket's. */
function read(frame: Uint8Array): Message | null {
	try {
		const decoder = decoding.createDecoder(frame);
		const type = decoding.readVarUint(decoder);
		if (type === SYNC) return { type, step: decoding.readVarUint(decoder), bytes: decoding.readVarUint8Array(decoder) };
		if (type === AWARENESS) return { type, bytes: decoding.readVarUint8Array(decoder) };
		return type === QUERY_AWARENESS ? { type } : null;
	} catch {
		// lib0 throws at the end of a truncated frame; nothing was taken from it.
		return null;
	}
}

const CLOSE_FOR: Partial<Record<string, CloseCode>> = {
	denied: CLOSE.noLongerAllowed,
	'service-off': CLOSE.noLongerAllowed,
	'not-found': CLOSE.notThere,
	'target-gone': CLOSE.notThere,
	unavailable: CLOSE.restarting,
	'too-much': CLOSE.tooMuch
};
