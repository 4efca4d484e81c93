/**
 * A device on `/sync` as far as the relay can tell: it holds documents, a cursor and a digest, and checks on every frame what it was promised:
 * no entry of a held document is skipped (docSeq continues), no entry comes for a document that it does not hold but as its first, and
 * the cursor never goes back within an epoch.
 */
import * as Y from 'yjs';
import { kindOf, type BatchId, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { collectionsOf, type BaseRow } from '#crdt-model/record/kind.ts';
import { rowOf, seenBy } from '#crdt-model/record/plan.ts';
import { EMPTY_STATE, readFromDoc, type RecordState } from '#crdt-model/record/state.ts';
import { decodeDown, encodeUp } from '#crdt-model/wire/codec.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import type { AnswerResult, Down, Entry } from '#crdt-model/wire/down.ts';
import { sharedUpTo } from '#crdt-model/wire/epochs.ts';
import { INVENTORY_CHUNK } from '#crdt-model/wire/limits.ts';
import type { Cursor, Up } from '#crdt-model/wire/up.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { label } from './labels.ts';
import { SocketPair } from './socket-pair.ts';
import type { Stage } from './stage.ts';

interface Held {
	docSeq: number;
	readonly doc: Y.Doc;
}

export class Device {
	readonly person: PersonId;
	readonly #viewer: PersonId | null;
	/** Whom the relay called the viewer. */
	viewer: PersonId | null = null;
	readonly #stage: Stage;
	/** What the device keeps over restarts. */
	cursor: Cursor | null = null;
	readonly held = new Map<DocumentId, Held>();
	readonly answers = new Map<string, AnswerResult>();
	/** Promises that the relay broke. */
	readonly complaints: string[] = [];
	readonly overruled: string[] = [];
	readonly tariffs: Extract<Down, { type: 'tariff' }>[] = [];
	/** Who is online as this device was told, each frame. */
	readonly onlines: Extract<Down, { type: 'online' }>[] = [];
	/** How many wait to be let in, each time it was told. */
	readonly waitings: number[] = [];
	/** Every entry as it came, with the epoch in which it did: what this device can hand back. */
	readonly raw: { readonly epoch: number; readonly entry: Entry }[] = [];
	readonly fates: string[] = [];
	#lost: readonly { readonly entry: Entry }[] = [];
	#epoch = 0;
	/** What it holds is of another epoch than what comes. */
	#isElsewhere = false;
	/** Where it connects from. */
	ip: string | null = null;
	socket: SocketPair | null = null;
	closedWith: number | null = null;
	#batches = 0;

	constructor(stage: Stage, person: PersonId, viewer: PersonId | null = null) {
		this.#viewer = viewer;
		this.#stage = stage;
		this.person = person;
	}

	/** Connects and says hello. */
	connect(hello: Partial<Extract<Up, { type: 'hello' }>> = {}): this {
		this.attach();
		this.say({ type: 'hello', version: WIRE_VERSION, cursor: this.cursor, held: digestOf(this.held.keys()), ...hello });
		return this;
	}
	/** Connects and says nothing yet. */
	attach(): this {
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
			(relaySide) => this.#stage.portal.attachSync(this.person, relaySide, this.#viewer)
		);
		socket.ip = this.ip;
		this.socket = this.#stage.connected(socket);
		return this;
	}
	cut(): void {
		this.socket?.cut();
		this.socket = null;
	}

	say(message: Up): void {
		this.#stage.print(`${label(this.person)} → relay | ${describeUp(message)}`);
		this.socket?.up(encodeUp(message));
	}

	/** Announces and hands back in one piece. */
	handBack(entries: readonly Entry[], more: Partial<Extract<Up, { type: 'reoffer' }>> = {}): void {
		const sealed = entries.map(({ document, docSeq, author, authoredAt, acceptedAt, command, bytes, mac }) => ({ document, docSeq, author, authoredAt, acceptedAt, command, bytes, mac }));
		this.say({ type: 'reoffer', documents: [...new Set(entries.map(({ document }) => document))], entries: sealed, last: true, ...more });
	}

	/** One command, with what this device has seen unless told otherwise. Returns the submission's id. */
	submit(name: string, document: DocumentId, args: unknown = {}, more: Partial<Command> = {}): BatchId {
		return this.submitBatch([this.command(name, document, args, more)]);
	}
	command(name: string, document: DocumentId, args: unknown = {}, more: Partial<Command> = {}): Command {
		const bare = { id: this.#stage.commandId(), document, name, args, at: this.#stage.now() };
		return { ...bare, seen: seenBy(kindNamed(kindOf(document)!), this.state(document), bare, this.person), ...more };
	}
	submitBatch(commands: readonly Command[], id = this.#stage.batchId()): BatchId {
		this.#batches++;
		this.say({ type: 'submit', batch: { id, commands: [...commands] } });
		return id;
	}

	state(id: DocumentId): RecordState {
		const held = this.held.get(id);
		return held ? readFromDoc(held.doc, collectionsOf(kindNamed(kindOf(id)!))) : EMPTY_STATE;
	}
	row(id: DocumentId): BaseRow | null {
		return rowOf(kindNamed(kindOf(id)!), id, this.state(id));
	}
	get holds(): string[] {
		return [...this.held.keys()].sort();
	}

	#receive(frame: Uint8Array): void {
		const decoded = decodeDown(frame);
		if (!decoded.ok) return void this.complaints.push(`not a message: ${decoded.problem}`);
		const { message } = decoded;
		// Beside the conversation: who is told of the tariff and of whom else is here is looked at where those are tested.
		if (message.type === 'tariff') return void this.tariffs.push(message);
		if (message.type === 'online') return void this.onlines.push(message);
		if (message.type === 'waiting') return void this.waitings.push(message.people);
		this.#stage.print(`relay → ${label(this.person)} | ${describeDown(message)}`);
		switch (message.type) {
			case 'welcome':
				this.viewer = message.viewer ?? null;
				this.#isElsewhere = this.cursor !== null && this.cursor.epoch !== message.epoch;
				this.#epoch = message.epoch;
				if (message.next !== 'inventory') return;
				this.#lost = this.raw.filter(({ epoch, entry }) => entry.seq > sharedUpTo(message.restores ?? [], epoch));
				if (this.#lost.length > 0) this.handBack(this.#lost.map(({ entry }) => entry));
				else this.#tellInventory();
				return;
			case 'reoffered':
				this.fates.push(...message.fates);
				if (this.#lost.length > 0) this.#tellInventory();
				this.#lost = [];
				return;
			case 'entries':
				for (const entry of message.entries) {
					this.raw.push({ epoch: this.#epoch, entry });
					this.#take(entry.document, entry.docSeq, entry.bytes, false);
				}
				for (const { overruled } of message.entries) for (const { path, gaveWay } of overruled) if (gaveWay.by === this.person) this.overruled.push(path);
				break;
			case 'gains':
				for (const { document, docSeq, bytes, notices } of message.snapshots) {
					this.#take(document, docSeq, bytes, true);
					this.overruled.push(...(notices?.overruled.map(({ path }) => path) ?? []));
				}
				break;
			case 'lose':
				for (const id of message.documents) this.held.delete(id);
				break;
			case 'answer':
				this.answers.set(message.id, message.result);
		}
		if ('cursor' in message && message.cursor) this.#move(message.cursor);
	}

	#take(id: DocumentId, docSeq: number, bytes: Uint8Array, whole: boolean): void {
		const held = this.held.get(id);
		const stands = held?.docSeq ?? 0;
		if (!whole && docSeq <= stands) return;
		if (!whole && docSeq !== stands + 1) this.complaints.push(`hole: entry ${docSeq} of ${label(id)}, which stands at ${stands}`);
		// A snapshot that is older than what is held replaces it only in another epoch; here it would be a step back.
		if (whole && docSeq < stands && !this.#isElsewhere) return void this.complaints.push(`back: ${label(id)} at ${docSeq}, held ${stands}`);
		const doc = (this.#isElsewhere && whole ? null : held?.doc) ?? new Y.Doc();
		Y.applyUpdate(doc, bytes);
		if (doc.store.pendingStructs || doc.store.pendingDs) this.complaints.push(`pending: ${label(id)} at ${docSeq}`);
		this.held.set(id, { docSeq, doc });
	}

	#move(cursor: Cursor): void {
		this.#isElsewhere = false;
		if (this.cursor?.epoch === cursor.epoch && cursor.seq < this.cursor.seq) this.complaints.push(`cursor back: ${this.cursor.seq} → ${cursor.seq}`);
		this.cursor = cursor;
	}

	#tellInventory(): void {
		const all = [...this.held].map(([id, { docSeq }]): [DocumentId, number] => [id, docSeq]);
		for (let from = 0; from === 0 || from < all.length; from += INVENTORY_CHUNK) {
			this.say({ type: 'inventory', documents: all.slice(from, from + INVENTORY_CHUNK), last: from + INVENTORY_CHUNK >= all.length });
		}
		// What the relay says next is counted from where it stands, which may be before where another epoch stood.
		this.cursor = null;
	}
}

function describeUp(message: Up): string {
	switch (message.type) {
		case 'hello':
			return `hello ${message.cursor ? `${message.cursor.epoch}/${message.cursor.seq}` : 'new'} holding ${message.held.count}`;
		case 'inventory':
			return `inventory of ${message.documents.length}${message.last ? '' : ' …'}`;
		case 'reoffer':
			return `reoffer ${message.entries.map(({ document, docSeq }) => `${label(document)}#${docSeq}`).join(', ')}${message.last ? '' : ' …'}`;
		case 'submit':
			return `submit ${message.batch.commands.map(({ name, document }) => `${label(document)} ${name.slice(name.indexOf('.') + 1)}`).join(', ')}`;
		case 'update':
			return `update ${label(message.document)}`;
	}
}

function describeDown(message: Down): string {
	const at = 'cursor' in message && message.cursor ? ` @${message.cursor.seq}` : '';
	switch (message.type) {
		case 'welcome':
			return `welcome ${message.next}`;
		case 'entries':
			return `entries ${message.entries.map(({ document, command, docSeq }) => `${label(document)} ${command?.name.slice(command.name.indexOf('.') + 1) ?? 'content'}#${docSeq}`).join(', ')}${at}`;
		case 'gains':
			return `gains ${message.snapshots.map(({ document, docSeq }) => `${label(document)}#${docSeq}`).join(', ')}${at}`;
		case 'lose':
			return `lose ${message.documents.map(label).join(', ')}${at}`;
		case 'reoffered':
			return `reoffered ${message.fates.join(', ')}`;
		case 'progress':
			return `progress${at}`;
		case 'tariff':
		case 'online':
		case 'waiting':
			return message.type;
		case 'answer':
			return `answer ${describeAnswer(message.result)}`;
	}
}

export function describeAnswer(result: AnswerResult): string {
	return result.kind === 'accepted' ? 'accepted' : `refused ${result.refusal.code}${result.refusal.rule ? ` by ${result.refusal.rule}` : ''}`;
}
