/** One person who sends as much as they can, in a thread of its own so that whoever measures is not slowed by it. */
import { parentPort, workerData } from 'node:worker_threads';
import * as encoding from 'lib0/encoding';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { IdMaker, type DocumentId } from '#crdt-model/ids.ts';
import { encodeUp } from '#crdt-model/wire/codec.ts';
import { digestOf } from '#crdt-model/wire/digest.ts';
import { SUBMIT_WINDOW } from '#crdt-model/wire/limits.ts';
import { WIRE_VERSION } from '#crdt-model/wire/version.ts';

export type FloodKind = 'frames' | 'merges' | 'commands' | 'whole' | 'presence' | 'greetings' | 'calls';
export interface FloodOrder {
	readonly kind: FloodKind;
	readonly url: string;
	readonly socketUrl: string;
	readonly token: string;
	readonly text: DocumentId;
	readonly page: DocumentId;
	readonly task: DocumentId;
}

const order = workerData as FloodOrder;
const ids = new IdMaker();
const HELLO = encodeUp({ type: 'hello', version: WIRE_VERSION, cursor: null, held: digestOf([]) });
/** What may lie in this side's buffers: enough to keep the relay at work, little enough to notice a close. */
const AHEAD_BYTES = 256 * 1024;

function frame(type: number, bytes: Uint8Array, step: number | null): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeVarUint(encoder, type);
	if (step !== null) encoding.writeVarUint(encoder, step);
	encoding.writeVarUint8Array(encoder, bytes);
	return encoding.toUint8Array(encoder);
}

/** 1,000 values under one key, each under an id of its own: near the ceiling of what merging may cost. */
function dear(): Uint8Array {
	const encoder = encoding.createEncoder();
	for (const value of [1, 620, Math.floor(Math.random() * 2 ** 31), 0]) encoding.writeVarUint(encoder, value);
	for (let i = 0; i < 620; i++) {
		encoding.writeUint8(encoder, 8 | 0x20);
		encoding.writeVarUint(encoder, 1);
		encoding.writeVarString(encoder, 'root');
		encoding.writeVarString(encoder, '__dir');
		encoding.writeVarUint(encoder, 1);
		encoding.writeAny(encoder, i);
	}
	encoding.writeVarUint(encoder, 0);
	return encoding.toUint8Array(encoder);
}

function presence(clock: number): Uint8Array {
	const inner = encoding.createEncoder();
	for (const value of [1, 7_000_001, clock]) encoding.writeVarUint(inner, value);
	encoding.writeVarString(inner, JSON.stringify({ x: 'y'.repeat(3_000) }));
	return frame(1, encoding.toUint8Array(inner), null);
}

/** Keeps a line full of what `next` makes, and comes back when it is closed. */
function keep(path: string, first: readonly Uint8Array[], next: () => Uint8Array | null): void {
	const socket = new WebSocket(`${order.socketUrl}${path}`, { headers: { authorization: `Bearer ${order.token}` } });
	const fill = () => {
		if (socket.readyState !== WebSocket.OPEN) return;
		for (let made = 0; made < 200 && socket.bufferedAmount < AHEAD_BYTES; made++) {
			const bytes = next();
			if (!bytes) break;
			socket.send(bytes);
		}
		setTimeout(fill, 2);
	};
	socket.on('error', () => {});
	socket.on('open', () => {
		for (const bytes of first) socket.send(bytes);
		fill();
	});
	socket.on('close', () => setTimeout(() => keep(path, first, next), 50));
}

/** A window of submissions, each answer followed by the next. */
function keepWindow(): void {
	const socket = new WebSocket(`${order.socketUrl}/sync`, { headers: { authorization: `Bearer ${order.token}` } });
	const submit = () => {
		const commands = Array.from({ length: 20 }, (_, i) => ({ id: ids.command(), document: order.task, name: 'task.setTitle', args: { value: `flood ${i}` }, at: Date.now(), seen: {} }));
		if (socket.readyState === WebSocket.OPEN) socket.send(encodeUp({ type: 'submit', batch: { id: ids.batch(), commands } }));
	};
	socket.on('error', () => {});
	socket.on('open', () => {
		socket.send(HELLO);
		socket.send(encodeUp({ type: 'inventory', documents: [], last: true }));
		for (let i = 0; i < SUBMIT_WINDOW - 2; i++) submit();
	});
	// Whatever comes is taken for an answer: the worst that happens is a close for being too fast.
	socket.on('message', () => submit());
	socket.on('close', () => setTimeout(keepWindow, 50));
}

function greet(): void {
	const socket = new WebSocket(`${order.socketUrl}/sync`, { headers: { authorization: `Bearer ${order.token}` } });
	socket.on('error', () => {});
	socket.on('open', () => {
		socket.send(HELLO);
		socket.send(encodeUp({ type: 'inventory', documents: [], last: true }));
		setTimeout(() => socket.terminate(), 100);
	});
	socket.on('close', () => setTimeout(greet, 1));
}

async function call(): Promise<void> {
	for (;;) {
		const answer = await fetch(`${order.url}/api/v1/documents?kind=employee`, { headers: { authorization: `Bearer ${order.token}` } }).catch(() => null);
		await answer?.arrayBuffer().catch(() => null);
	}
}

const typed = new Y.Doc();
typed.getText('text').insert(0, 'again');
const again = frame(0, Y.encodeStateAsUpdate(typed), 2);
const ask = frame(0, Uint8Array.of(0), 0);
let clock = 0;
const lines = (count: number, start: () => unknown) => Array.from({ length: count }, start);
switch (order.kind) {
	case 'frames':
		lines(10, () => keep(`/live/${order.text}`, [], () => again));
		break;
	case 'merges':
		lines(4, () => keep(`/live/${order.page}`, [], () => frame(0, dear(), 2)));
		break;
	case 'commands':
		lines(20, keepWindow);
		break;
	case 'whole':
		lines(10, () => keep(`/live/${order.text}`, [], () => ask));
		break;
	case 'presence':
		lines(10, () => keep(`/live/${order.page}`, [], () => presence(++clock)));
		break;
	case 'greetings':
		lines(30, greet);
		break;
	case 'calls':
		lines(50, call);
		break;
}
parentPort!.postMessage('flooding');
