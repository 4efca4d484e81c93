import { expect, test } from 'vitest';
import { FRAMES_BURST, TURN_MS } from '../budget/limits.ts';
import { CLOSE } from '../session/socket.ts';
import { SEND_DRAINED_BYTES, SEND_FULL_BYTES, SEND_LIMIT_BYTES, WAITING_FRAMES } from './connection.ts';
import { bareConnection, sessionThat as session } from './testing.ts';

const pair = (compress = false) => bareConnection({ compress });
/** A session that takes a millisecond for each frame. */
const slow = (line: ReturnType<typeof pair>, work: () => void = () => {}) => session(line.heard, () => (line.clock.spend(1), work()));
const bytes = (...values: number[]) => new Uint8Array(values).buffer;

test('frames that arrive before the session reach it in order, as memory of its own', () => {
	const { connection, heard } = pair();
	const memory = new Uint8Array([1]);
	connection.received(memory.buffer);
	memory[0] = 9;
	connection.received(bytes(2));
	connection.attach(session(heard));
	connection.received(bytes(3));
	expect(heard).toEqual(['receive 1', 'receive 2', 'receive 3']);
});

test('a session that comes too late is told so, and a closed socket is never touched', () => {
	const { connection, heard, raw } = pair();
	connection.closed();
	connection.attach(session(heard));
	connection.send(new Uint8Array(1));
	connection.close(CLOSE.tooMuch, 'x');
	connection.received(bytes(1));
	connection.drained();
	expect([heard, raw.said]).toEqual([['closed'], []]);
});

test('backpressure: full, drained, and 4508 for a session that does not stop', () => {
	const { connection, heard, raw } = pair();
	connection.attach(session(heard));
	expect(connection.send(new Uint8Array(SEND_FULL_BYTES))).toBe('ok');
	expect(connection.send(new Uint8Array(1))).toBe('full');
	raw.buffered = SEND_DRAINED_BYTES + 1;
	connection.drained();
	expect(heard).toEqual([]);
	raw.buffered = SEND_DRAINED_BYTES;
	connection.drained();
	connection.drained();
	expect(heard).toEqual(['drained']);
	raw.buffered = 0;
	expect(connection.send(new Uint8Array(SEND_LIMIT_BYTES + 1)), 'one large frame on an empty socket goes').toBe('full');
	connection.send(new Uint8Array(1));
	expect(raw.said.at(-1)).toBe('close 4508 too slow');
	expect(connection.isOpen).toBe(false);
});

test('a frame that the library dropped cuts the connection: no hole in the log', () => {
	const { connection, raw } = pair();
	raw.outcome = 2;
	connection.send(new Uint8Array(1));
	connection.send(new Uint8Array(1));
	expect(raw.said).toEqual(['frame 1', 'cut']);
});

test('only larger frames of a compressing path are deflated; a long reason is cut to what a close frame holds', () => {
	const { connection, raw } = pair(true);
	connection.send(new Uint8Array(10));
	connection.send(new Uint8Array(5_000));
	connection.close(CLOSE.refused, 'ă'.repeat(100));
	expect(raw.said.slice(0, 2)).toEqual(['frame 10', 'deflated 5000']);
	expect(raw.said[2]).toBe(`close 4409 ${'ă'.repeat(61)}`);
});

test('too much before the session is there, and too fast after', () => {
	const early = pair();
	for (let i = 0; i <= WAITING_FRAMES; i++) early.connection.received(bytes(i));
	expect(early.raw.said).toEqual(['close 4529 too much at once']);
	const fast = pair();
	fast.connection.attach(session([]));
	for (let i = 0; i <= FRAMES_BURST; i++) fast.connection.received(bytes(1));
	expect(fast.raw.said).toEqual(['close 4529 too much']);
});

test('a flood waits its turn, in order; others come in between, and what was said before leaving is still heard', () => {
	const line = pair();
	const { connection, heard, clock, lane } = line;
	connection.attach(slow(line));
	for (let i = 0; i < 20; i++) connection.received(bytes(i));
	expect(heard.length, 'one turn takes in so much').toBe(TURN_MS);
	const other: string[] = [];
	lane.post(() => other.push('heard') < 2);
	clock.turn();
	expect(other).toEqual(['heard', 'heard']);
	connection.closed();
	expect(heard.at(-1)).not.toBe('closed');
	clock.turns();
	expect(heard).toEqual([...Array.from({ length: 20 }, (_, i) => `receive ${i}`), 'closed']);
});

test('what waits is forgotten when the relay closes, and a fault ends its own connection alone', () => {
	const closing = pair();
	closing.connection.attach(slow(closing));
	for (let i = 0; i < 20; i++) closing.connection.received(bytes(1));
	const before = closing.heard.length;
	closing.connection.close(CLOSE.notSignedIn, 'signed out');
	closing.clock.turns();
	expect(closing.heard.slice(before)).toEqual(['closed']);
	const faulty = pair();
	let frames = 0;
	faulty.connection.attach(slow(faulty, () => { if (++frames > TURN_MS) throw new Error('a fault'); }));
	for (let i = 0; i < 20; i++) faulty.connection.received(bytes(1));
	faulty.clock.turns();
	expect([faulty.raw.said, faulty.heard.slice(TURN_MS + 1)]).toEqual([['close 4503 a fault of the relay'], ['Error: a fault', 'closed']]);
});
