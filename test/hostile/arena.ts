/**
 * Where attacks are played: a real relay process, an administrator who checks, somebody honest who works beside every attack and must see it done, and
 * as many hostile people as a test wants. What a hostile person ever received is kept and can be searched for what they must not see.
 *
 * Each attack is a test of its own and ends in a refusal of the closed list or in a close code; `close` proves that the same process has been
 * answering all along and that nothing of ours was thrown.
 */
import { readFileSync } from 'node:fs';
import * as encoding from 'lib0/encoding';
import { expect } from 'vitest';
import WebSocket from 'ws';
import { IdMaker, type CommandId, type DocumentId } from '#crdt-model/ids.ts';
import type { Batch, Command } from '#crdt-model/record/command.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import { REFUSAL_CODES } from '#crdt-model/wire/refusal.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';
import { TestRelay, type Answer, type SignedIn } from '../support/relay.ts';
import { SyncClient } from '../support/sync-client.ts';

export const ids = new IdMaker();
export const HELLO = encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: null, held: digestOf([]) });
/** The relay's own codes, and what WebSocket itself says of a frame that is too large (1009) or of a line that is cut (1006). */
export const CLOSE_CODES: ReadonlySet<unknown> = new Set([1006, 1009, 4400, 4401, 4403, 4404, 4409, 4426, 4503, 4508, 4529]);

export function commandOf(document: DocumentId, name: string, args: unknown = {}, more: Partial<Command> = {}): Command {
	return { id: ids.command(), document, name, args, at: Date.now(), seen: {}, ...more };
}
export const batchOf = (...commands: Command[]): Batch => ({ id: ids.batch(), commands });

/** A word in a title that stands nowhere else, so that bytes which hold it hold what it was put into. */
export const marker = (what: string): string => `MARK-${what}-${ids.item().slice(-12)}`;

/** `accepted`, the refusal's code, or `closed 4400`. */
export function outcomeOf(result: AnswerResult | null, client?: SyncClient): string {
	if (result === null) return `closed ${client?.closeCode ?? ''}`.trim();
	if (result.kind === 'refused') expect(REFUSAL_CODES).toContain(result.refusal.code);
	return result.kind === 'accepted' ? 'accepted' : result.refusal.code;
}

/** A frame of y-websocket: a sync message with its step. */
export function liveFrame(step: number, bytes: Uint8Array): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, 0);
	encoding.writeVarUint(encoder, step);
	encoding.writeVarUint8Array(encoder, bytes);
	return encoding.toUint8Array(encoder);
}

export class Hostile {
	readonly #arena: Arena;
	readonly who: SignedIn;
	readonly #received: Buffer[] = [];
	/** A device of theirs, connected on first use. */
	#device: SyncClient | null = null;

	constructor(arena: Arena, who: SignedIn) {
		this.#arena = arena;
		this.who = who;
	}

	get person(): SignedIn['employee'] {
		return this.who.employee;
	}
	get token(): string {
		return this.who.token;
	}

	/** Everything that this person ever got from the relay, over sockets and calls. */
	has(word: string): boolean {
		return Buffer.concat(this.#received).includes(word);
	}
	keep(bytes: Uint8Array): void {
		this.#received.push(Buffer.from(bytes));
	}

	async device(): Promise<SyncClient> {
		if (this.#device && this.#device.closeCode === null) return this.#device;
		this.#device ??= new SyncClient(this.#arena.relay.socketUrl, this.token);
		this.#device.onFrame = (frame) => this.keep(frame);
		await this.#device.connect();
		return this.#device;
	}
	/** Another device, or another line of the same. */
	async anotherDevice(): Promise<SyncClient> {
		const device = new SyncClient(this.#arena.relay.socketUrl, this.token);
		device.onFrame = (frame) => this.keep(frame);
		await device.connect();
		return device;
	}
	get hasDevice(): boolean {
		return this.#device !== null;
	}
	hangUp(): void {
		this.#device?.close();
		this.#device = null;
	}

	/** A batch of theirs and what became of it. A frame that ends the connection is an answer as well. */
	async submit(...commands: Command[]): Promise<string> {
		const device = await this.device();
		return outcomeOf(await device.submit(batchOf(...commands)), device);
	}
	async command(document: DocumentId, name: string, args: unknown = {}, more: Partial<Command> = {}): Promise<string> {
		return this.submit(commandOf(document, name, args, more));
	}
	async update(document: DocumentId, bytes: Uint8Array): Promise<string> {
		const device = await this.device();
		return outcomeOf(await device.update(ids.batch(), document, bytes), device);
	}

	async api<T = { code?: string }>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
		const answer = await this.#arena.relay.api<T>(method, path, body, this.token);
		this.keep(Buffer.from(JSON.stringify(answer.body)));
		return answer;
	}

	/** Sends frames on a connection of its own and says how that ended; `open` when the relay had no objection. */
	async attack(path: string, frames: readonly (Uint8Array | string)[]): Promise<number | 'open'> {
		return this.#arena.attack(path, frames, this.token, (frame) => this.keep(frame));
	}
}

export class Arena {
	readonly relay: TestRelay;
	/** Administers the portal, and checks what became of it. */
	readonly ana: SignedIn;
	readonly #bystander: SyncClient;
	readonly #workOn: DocumentId;
	#hostile = 0;

	static async open(environment: NodeJS.ProcessEnv = {}): Promise<Arena> {
		const relay = await TestRelay.start(environment);
		const ana = await relay.register();
		// Attacks need more people than the free plan has.
		await relay.operator('tariff', { plan: 'company' });
		const task = await relay.create(ana, 'task', { title: 'Work that goes on' });
		const bystander = new SyncClient(relay.socketUrl, ana.token);
		await bystander.connect();
		return new Arena(relay, ana, bystander, task);
	}
	private constructor(relay: TestRelay, ana: SignedIn, bystander: SyncClient, workOn: DocumentId) {
		this.relay = relay;
		this.ana = ana;
		this.#bystander = bystander;
		this.#workOn = workOn;
	}

	/** The administrator's device, which holds everything. */
	get truth(): SyncClient {
		return this.#bystander;
	}

	/** Proves that the attacks have harmed nothing that they had nothing to do with, and takes the relay away. */
	async close(): Promise<void> {
		try {
			await this.work();
			expect((await fetch(`${this.relay.url}/healthz`)).status, 'the same process answers').toBe(200);
			expect(this.#bystander.closeCode, 'whoever worked beside it noticed nothing').toBe(null);
			expect(this.relay.output).not.toMatch(/TypeError|RangeError|ReferenceError|ends/);
		} finally {
			this.#bystander.close();
			await this.relay.remove();
		}
	}

	/** Somebody new with bad intentions, an employee like any other. */
	async hostile(name = 'Mallory'): Promise<Hostile> {
		return new Hostile(this, await this.relay.hire(this.ana, `${name.toLowerCase()}${++this.#hostile}@acme.example`, name));
	}
	/** Somebody honest. */
	async honest(name: string): Promise<Hostile> {
		return this.hostile(name);
	}

	/** Somebody works beside the attack, and sees it done. Answers with the id of what they did. */
	async work(): Promise<CommandId> {
		const command = commandOf(this.#workOn, 'task.setTitle', { value: `at work ${ids.item().slice(-6)}` });
		const result = await this.#bystander.submit(batchOf(command));
		expect(result?.kind).toBe('accepted');
		expect(this.#bystander.seenCommands.has(command.id)).toBe(true);
		return command.id;
	}

	/** As the administrator. */
	async as(document: DocumentId, name: string, args: unknown = {}): Promise<string> {
		return outcomeOf(await this.#bystander.submit(batchOf(commandOf(document, name, args))));
	}
	/** A new record of the administrator's. */
	async made(document: DocumentId, args: Record<string, unknown>): Promise<DocumentId> {
		expect(await this.as(document, `${document.slice(0, document.indexOf('_'))}.create`, args)).toBe('accepted');
		return document;
	}
	async row<T = Record<string, unknown>>(document: DocumentId): Promise<T> {
		return (await this.relay.api<{ row: T }>('GET', `/documents/${document}`, undefined, this.ana.token)).body.row;
	}
	/** What is in a page or text now. */
	async content(document: DocumentId): Promise<import('yjs').Doc> {
		const fresh = new SyncClient(this.relay.socketUrl, this.ana.token);
		await fresh.connect();
		fresh.close();
		return fresh.held.get(document)!.doc;
	}

	async attack(path: string, frames: readonly (Uint8Array | string)[], token: string | null, keep: (frame: Uint8Array) => void = () => {}): Promise<number | 'open'> {
		const socket = new WebSocket(`${this.relay.socketUrl}${path}`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
		let code: number | null = null;
		socket.on('close', (closed) => (code = closed));
		socket.on('message', (data: Buffer) => keep(data));
		socket.on('error', () => {});
		await new Promise<void>((resolve) => socket.once('open', resolve).once('close', () => resolve()));
		for (const frame of frames) if (socket.readyState === WebSocket.OPEN) socket.send(frame);
		// What was sent has been taken in when a frame that needs no answer has passed behind it; a close that was sent comes before the second answer.
		const passed = (): Promise<void> =>
			new Promise((resolve) => {
				if (socket.readyState === WebSocket.CLOSED) return resolve();
				socket.once('pong', () => resolve()).once('close', () => resolve());
				if (socket.readyState === WebSocket.OPEN) socket.ping();
			});
		await passed();
		await this.work();
		await passed();
		if (code !== null) return code;
		socket.close();
		return 'open';
	}

	residentBytes(): number {
		return Number(readFileSync(`/proc/${this.relay.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
	}
}
