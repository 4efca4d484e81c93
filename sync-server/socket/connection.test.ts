import { expect, test } from 'vitest';
import { CLOSE } from '../session/socket.ts';
import { Connection, type RawSocket, SEND_DRAINED_BYTES, SEND_FULL_BYTES, SEND_LIMIT_BYTES, WAITING_FRAMES } from './connection.ts';
import { TURN, Turns } from './turns.ts';
import { BYTES_BURST, FrameRate, FRAMES_BURST, FRAMES_PER_SECOND } from './rate.ts';

/** A socket whose reader takes bytes when it is told to. */
class Raw implements RawSocket {
	buffered = 0;
	said: string[] = [];
	outcome = 0;
	send(frame: Uint8Array, _isBinary: boolean, compress: boolean): number {
		this.buffered += frame.byteLength;
		this.said.push(`${compress ? 'deflated' : 'frame'} ${frame.byteLength}`);
		return this.outcome;
	}
	getBufferedAmount(): number {
		return this.buffered;
	}
	end(code: number, reason: string): void {
		this.said.push(`close ${code} ${reason}`);
	}
	close(): void {
		this.said.push('cut');
	}
}
const session = (heard: string[]) => ({
	receive: (frame: Uint8Array) => void heard.push(`receive ${[...frame]}`),
	drained: () => void heard.push('drained'),
	closed: () => void heard.push('closed')
});
function pair(compress = false) {
	const raw = new Raw();
	const heard: string[] = [];
	let now = 0;
	const later: (() => void)[] = [];
	const turns = new Turns((fault) => void heard.push(String(fault)), (work) => void later.push(work));
	const connection = new Connection(raw, { compress, now: () => now, turns });
	return { raw, heard, connection, turns, turn: () => later.shift()?.(), pass: (ms: number) => void (now += ms) };
}
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
	const { connection, heard, turns, turn } = pair();
	connection.attach(session(heard));
	for (let i = 0; i < 3 * TURN; i++) connection.received(bytes(i % 250));
	expect(heard.length, 'one turn takes in about so much').toBeLessThanOrEqual(TURN);
	const other: string[] = [];
	turns.wait(() => ({ cost: 1, more: other.push('heard') < 2 }));
	turn();
	expect(other).toEqual(['heard', 'heard']);
	connection.closed();
	expect(heard.at(-1)).not.toBe('closed');
	for (let i = 0; i < 5; i++) turn();
	expect(heard).toEqual([...Array.from({ length: 3 * TURN }, (_, i) => `receive ${i % 250}`), 'closed']);
});

test('what waits is forgotten when the relay closes, and a fault ends its own connection alone', () => {
	const closing = pair();
	closing.connection.attach(session(closing.heard));
	for (let i = 0; i < 2 * TURN; i++) closing.connection.received(bytes(1));
	const before = closing.heard.length;
	closing.connection.close(CLOSE.notSignedIn, 'signed out');
	for (let i = 0; i < 3; i++) closing.turn();
	expect(closing.heard.slice(before)).toEqual(['closed']);
	const faulty = pair();
	let frames = 0;
	faulty.connection.attach({ ...session(faulty.heard), receive: () => { if (++frames > TURN) throw new Error('a fault'); } });
	for (let i = 0; i < 2 * TURN; i++) faulty.connection.received(bytes(1));
	for (let i = 0; i < 3; i++) faulty.turn();
	expect([faulty.raw.said, faulty.heard]).toEqual([['close 4503 a fault of the relay'], ['closed', 'Error: a fault']]);
});

test('the rate: a burst, then so much a second, in frames and in bytes', () => {
	let now = 0;
	const frames = new FrameRate(() => now);
	for (let i = 0; i < FRAMES_BURST; i++) expect(frames.take(1)).toBe(true);
	expect(frames.take(1)).toBe(false);
	now += 1_000;
	for (let i = 0; i < FRAMES_PER_SECOND - 1; i++) expect(frames.take(1)).toBe(true);
	const heavy = new FrameRate(() => now);
	expect([heavy.take(BYTES_BURST), heavy.take(1)]).toEqual([true, false]);
	now -= 60_000;
	expect(heavy.take(1), 'a clock that goes back gives nothing').toBe(false);
});
