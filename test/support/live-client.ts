/**
 * A Yjs client on `/live` that applies what others wrote only when told to, so that a recorded session can be typed again as it was: every edit at
 * the position that its author saw. The wire is y-websocket's.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { holds } from '#crdt-model/page/ranges.ts';

const SYNC = 0;
const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

export class LiveClient {
	readonly doc = new Y.Doc();
	closeCode: number | null = null;
	readonly #socket: WebSocket;
	readonly #received: Uint8Array[] = [];
	/** What this client typed, an update for each transaction. */
	readonly typed: Uint8Array[] = [];
	#isSynced = false;
	readonly opened: Promise<void>;

	/** @param clientID of its own document */
	constructor(socketUrl: string, document: string, token: string, clientID: number) {
		this.doc.clientID = clientID;
		this.#socket = new WebSocket(`${socketUrl}/live/${document}`, { headers: { authorization: `Bearer ${token}` } });
		this.#socket.binaryType = 'arraybuffer';
		this.#socket.on('message', (data: ArrayBuffer) => this.#receive(new Uint8Array(data)));
		this.#socket.on('close', (code) => (this.closeCode = code));
		this.opened = new Promise((resolve, reject) => {
			this.#socket.on('open', () => {
				this.#send(STEP_1, Y.encodeStateVector(this.doc));
				resolve();
			});
			this.#socket.on('error', reject);
		});
		this.doc.on('update', (update: Uint8Array, origin: unknown) => {
			if (origin === this) return;
			this.typed.push(update);
			this.#send(UPDATE, update);
		});
	}

	/** Whether the relay has answered with what it holds. */
	get isSynced(): boolean {
		return this.#isSynced;
	}

	/** Applies what has come, update by update, until it holds this one of the other's edits. Says whether it does. */
	takeUntil(edit: Uint8Array): boolean {
		while (!holds(this.doc, edit)) {
			const next = this.#received.shift();
			if (!next) return false;
			Y.applyUpdate(this.doc, next, this);
		}
		return true;
	}
	takeAll(): void {
		for (const update of this.#received.splice(0)) Y.applyUpdate(this.doc, update, this);
	}

	close(): void {
		this.#socket.close();
	}

	#receive(frame: Uint8Array): void {
		const decoder = decoding.createDecoder(frame);
		if (decoding.readVarUint(decoder) !== SYNC) return;
		const step = decoding.readVarUint(decoder);
		const bytes = decoding.readVarUint8Array(decoder);
		if (step === STEP_1) return this.#send(STEP_2, Y.encodeStateAsUpdate(this.doc, bytes));
		if (step === STEP_2) this.#isSynced = true;
		this.#received.push(bytes.slice());
	}

	#send(step: number, bytes: Uint8Array): void {
		if (this.#socket.readyState !== WebSocket.OPEN) return;
		const encoder = encoding.createEncoder();
		encoding.writeVarUint(encoder, SYNC);
		encoding.writeVarUint(encoder, step);
		encoding.writeVarUint8Array(encoder, bytes);
		this.#socket.send(encoding.toUint8Array(encoder));
	}
}
