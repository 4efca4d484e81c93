/**
 * A plain device on `/sync`, for tests that want to see every byte: it keeps what it was sent and checks that no entry was skipped. Not the
 * replica, on purpose: where the two agree, the protocol is what docs/protocol.md says.
 */
import WebSocket from 'ws';
import * as Y from 'yjs';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { Batch } from '#crdt-model/record/command.ts';
import { decodeDown, encodeUp } from '#crdt-model/wire/codec.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import type { AnswerResult, Down } from '#crdt-model/wire/down.ts';
import { INVENTORY_CHUNK } from '#crdt-model/wire/limits.ts';
import type { Cursor } from '#crdt-model/wire/up.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';

export interface Held {
	docSeq: number;
	doc: Y.Doc;
	row: BaseRow | null;
}

export class SyncClient {
	readonly held = new Map<DocumentId, Held>();
	/** Ids of commands that came as entries: what this device has seen happen. */
	readonly seenCommands = new Set<string>();
	/** Whose they were. */
	readonly authors = new Map<string, PersonId>();
	readonly answers = new Map<string, AnswerResult>();
	cursor: Cursor | null = null;
	isCaughtUp = false;
	closeCode: number | null = null;
	readonly received: Down['type'][] = [];
	receivedBytes = 0;
	/** Told of every frame as it came, for tests that look for what must not be in it. */
	onFrame: (frame: Uint8Array) => void = () => {};
	#socket: WebSocket | null = null;
	readonly #url: string;
	readonly #token: string;
	#waiting = new Map<string, (result: AnswerResult | null) => void>();

	constructor(socketUrl: string, token: string) {
		this.#url = socketUrl;
		this.#token = token;
	}

	/** Connects and says hello; resolves once everything up to now has arrived. */
	async connect(): Promise<void> {
		this.isCaughtUp = false;
		this.closeCode = null;
		const socket = new WebSocket(`${this.#url}/sync`, { headers: { authorization: `Bearer ${this.#token}` } });
		this.#socket = socket;
		socket.binaryType = 'arraybuffer';
		socket.on('error', () => {});
		socket.on('message', (data: ArrayBuffer) => this.#receive(new Uint8Array(data)));
		await new Promise<void>((resolve, reject) => {
			this.#onCaughtUp = resolve;
			socket.on('open', () => this.#say({ type: 'hello', version: WIRE_VERSION, cursor: this.cursor, held: digestOf(this.held.keys()) }));
			socket.on('close', (code) => {
				this.closeCode = code;
				for (const answer of this.#waiting.values()) answer(null);
				this.#waiting.clear();
				reject(new Error(`closed with ${code}`));
			});
		});
	}
	#onCaughtUp: () => void = () => {};

	/** A second device that holds what this one holds and stands where it stands. */
	copy(): SyncClient {
		const copy = new SyncClient(this.#url, this.#token);
		copy.cursor = this.cursor;
		for (const [id, { docSeq, doc, row }] of this.held) {
			const own = new Y.Doc();
			Y.applyUpdate(own, Y.encodeStateAsUpdate(doc));
			copy.held.set(id, { docSeq, doc: own, row });
		}
		return copy;
	}

	close(): void {
		this.#socket?.close();
	}
	/** The line itself, so that a test can stop reading from it. */
	get stream(): { pause(): void; resume(): void } {
		return this.#socket!;
	}

	/** The answer, or null when the connection ended before it came. */
	submit(batch: Batch): Promise<AnswerResult | null> {
		return this.#ask(batch.id, { type: 'submit', batch });
	}
	update(id: string, document: DocumentId, bytes: Uint8Array): Promise<AnswerResult | null> {
		return this.#ask(id, { type: 'update', id, document, bytes });
	}

	#ask(id: string, message: Parameters<typeof encodeUp>[0]): Promise<AnswerResult | null> {
		if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.resolve(null);
		return new Promise((resolve) => {
			this.#waiting.set(id, resolve);
			this.#say(message);
		});
	}

	#say(message: Parameters<typeof encodeUp>[0]): void {
		this.#socket?.send(encodeUp(message));
	}

	#receive(frame: Uint8Array): void {
		this.receivedBytes += frame.byteLength;
		this.onFrame(frame);
		const decoded = decodeDown(frame);
		if (!decoded.ok) throw new Error(`the relay sent no message: ${decoded.problem}`);
		const { message } = decoded;
		this.received.push(message.type);
		switch (message.type) {
			case 'welcome':
				if (message.next === 'inventory') return this.#sendInventory();
				// A cursor at the head is answered by nothing at all.
				return this.#caughtUp();
			case 'gains':
				for (const { document, docSeq, row, bytes } of message.snapshots) {
					const doc = new Y.Doc();
					Y.applyUpdate(doc, bytes);
					this.held.set(document, { docSeq, doc, row });
				}
				return this.#moveTo(message.cursor);
			case 'entries':
				for (const { document, docSeq, bytes, command, author } of message.entries) {
					const held = this.held.get(document) ?? { docSeq: 0, doc: new Y.Doc(), row: null };
					if (docSeq > held.docSeq + 1) throw new Error(`a hole in ${document}: ${held.docSeq} then ${docSeq}`);
					if (command) this.seenCommands.add(command.id);
					if (command) this.authors.set(command.id, author);
					if (docSeq <= held.docSeq) continue;
					Y.applyUpdate(held.doc, bytes);
					held.docSeq = docSeq;
					this.held.set(document, held);
				}
				return this.#moveTo(message.cursor);
			case 'lose':
				for (const document of message.documents) this.held.delete(document);
				return this.#moveTo(message.cursor);
			case 'progress':
				return this.#moveTo(message.cursor);
			case 'answer':
				this.answers.set(message.id, message.result);
				this.#waiting.get(message.id)?.(message.result);
				this.#waiting.delete(message.id);
		}
	}

	#sendInventory(): void {
		const documents = [...this.held].map(([id, { docSeq }]): [DocumentId, number] => [id, docSeq]);
		do {
			const piece = documents.splice(0, INVENTORY_CHUNK);
			this.#say({ type: 'inventory', documents: piece, last: documents.length === 0 });
		} while (documents.length > 0);
	}

	#moveTo(cursor: Cursor | null): void {
		if (!cursor) return;
		this.cursor = cursor;
		this.#caughtUp();
	}
	#caughtUp(): void {
		this.isCaughtUp = true;
		this.#onCaughtUp();
	}
}
