/**
 * A stock Yjs client on `/live`: it says what y-websocket 3 says (sync step 1 on opening, its presence, an update for each edit), answers what
 * y-protocols answers, and echoes other people's presence as the stock provider does.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as awarenessProtocol from 'y-protocols/awareness';
import * as syncProtocol from 'y-protocols/sync';
import * as Y from 'yjs';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import { label } from './labels.ts';
import { SocketPair } from './socket-pair.ts';
import type { Stage } from './stage.ts';

const SYNC = 0;
const AWARENESS = 1;
const SYNC_NAMES = ['step 1', 'step 2', 'update'];

export class LiveClient {
	readonly person: PersonId;
	readonly #viewer: PersonId | null;
	readonly document: DocumentId;
	readonly doc = new Y.Doc();
	readonly awareness: awarenessProtocol.Awareness;
	readonly #stage: Stage;
	socket!: SocketPair;
	closedWith: number | null = null;
	/** Where it connects from. */
	readonly #ip: string | null;
	/** Sync step 1 that the relay sent. */
	steps = 0;

	constructor(stage: Stage, person: PersonId, document: DocumentId, client?: number, viewer: PersonId | null = null, ip: string | null = null) {
		this.#ip = ip;
		this.#viewer = viewer;
		this.#stage = stage;
		this.person = person;
		this.document = document;
		if (client !== undefined) this.doc.clientID = client;
		this.awareness = new awarenessProtocol.Awareness(this.doc);
		// Its timers would keep the test alive, and its clock is not the stage's.
		clearInterval(this.awareness._checkInterval);
		// As every editor does; y-protocols shows nobody whose clock still stands at 0.
		this.awareness.setLocalStateField('cursor', 0);
		this.doc.on('update', (update: Uint8Array, origin: unknown) => {
			if (origin !== this) this.sync((encoder) => syncProtocol.writeUpdate(encoder, update));
		});
		this.awareness.on('update', ({ added, updated, removed }: Record<'added' | 'updated' | 'removed', number[]>) =>
			this.say(awarenessProtocol.encodeAwarenessUpdate(this.awareness, [...added, ...updated, ...removed]))
		);
	}

	connect(): this {
		this.closedWith = null;
		const socket: SocketPair = new SocketPair(
			{
				receive: (frame) => this.socket === socket && this.#receive(frame),
				closed: (code) => {
					if (this.socket !== socket) return;
					this.closedWith = code;
					this.#stage.print(`relay → ${label(this.person)} | closed ${code}`);
				}
			},
			(relaySide) => this.#stage.portal.attachLive(this.person, this.document, relaySide, this.#viewer)
		);
		socket.ip = this.#ip;
		this.socket = this.#stage.connected(socket);
		this.sync((encoder) => syncProtocol.writeSyncStep1(encoder, this.doc));
		if (this.awareness.getLocalState() !== null) this.say(awarenessProtocol.encodeAwarenessUpdate(this.awareness, [this.doc.clientID]));
		return this;
	}

	get text(): Y.Text {
		return this.doc.getText('text');
	}
	/** Names of those who are shown here, by client id. */
	get present(): Record<number, string> {
		return Object.fromEntries([...this.awareness.getStates()].map(([client, state]) => [client, (state.user as { name?: string } | undefined)?.name ?? '']));
	}

	sync(write: (encoder: encoding.Encoder) => void): void {
		const encoder = encoding.createEncoder();
		encoding.writeVarUint(encoder, SYNC);
		write(encoder);
		this.socket?.up(encoding.toUint8Array(encoder));
	}
	/** An awareness message. */
	say(presence: Uint8Array): void {
		const encoder = encoding.createEncoder();
		encoding.writeVarUint(encoder, AWARENESS);
		encoding.writeVarUint8Array(encoder, presence);
		this.socket?.up(encoding.toUint8Array(encoder));
	}

	#receive(frame: Uint8Array): void {
		const decoder = decoding.createDecoder(frame);
		const type = decoding.readVarUint(decoder);
		if (type === AWARENESS) {
			awarenessProtocol.applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), this);
			return;
		}
		const reply = encoding.createEncoder();
		encoding.writeVarUint(reply, SYNC);
		const step = syncProtocol.readSyncMessage(decoder, reply, this.doc, this);
		if (step === 0) this.steps++;
		this.#stage.print(`relay → ${label(this.person)} | ${label(this.document)} ${SYNC_NAMES[step]}`);
		if (encoding.length(reply) > 1) this.socket.up(encoding.toUint8Array(reply));
	}
}
