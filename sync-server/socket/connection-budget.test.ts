import { expect, test } from 'vitest';
import { CLOSE } from '../session/socket.ts';
import { PERSON_QUEUE_BYTES, PERSON_UNREAD_BYTES } from '../budget/limits.ts';
import { lineFor } from './testing.ts';
import { SEND_LIMIT_BYTES } from './connection.ts';

const MIB = 1024 * 1024;

test('[B3] one frame at a time: the next waits until this one is judged, and is still heard after the other side has left', async () => {
	const { connection, heard, clock, settle } = lineFor({ judged: 'later' });
	for (let i = 1; i <= 3; i++) connection.received(new Uint8Array([i]).buffer);
	expect(heard).toEqual(['receive 1']);
	await settle();
	expect(heard).toEqual(['receive 1', 'receive 2']);
	connection.closed();
	await settle();
	await settle();
	clock.turns();
	expect(heard).toEqual(['receive 1', 'receive 2', 'receive 3', 'closed']);
});

test('[B3] what waits is bounded over all connections of a person, and what is closed counts no more', () => {
	const first = lineFor({ judged: 'never' });
	const lines = [first, ...Array.from({ length: 7 }, () => lineFor({ judged: 'never', lane: first.lane, clock: first.clock }))];
	for (const { connection } of lines.slice(0, 4)) for (let i = 0; i <= 15; i++) connection.received(new ArrayBuffer(MIB - 1_000));
	expect(first.lane.waitingBytes).toBeLessThanOrEqual(PERSON_QUEUE_BYTES);
	expect(lines.flatMap(({ raw }) => raw.said)).toEqual([]);
	first.clock.pass(60_000);
	for (const { connection } of lines.slice(4)) for (let i = 0; i <= 15; i++) connection.received(new ArrayBuffer(MIB - 1_000));
	expect(lines.map(({ raw }) => raw.said.length > 0)).toEqual([false, false, false, false, true, true, true, true]);
	expect(lines[4]!.raw.said).toEqual(['close 4529 too much at once']);
	for (const { connection } of lines) connection.close(CLOSE.notSignedIn, 'x');
	expect(first.lane.waitingBytes).toBe(0);
});

test('[B5] what is not read is bounded over all connections of a person: the one that is written to closes with 4508', () => {
	const first = lineFor();
	const lines = [first, ...Array.from({ length: 9 }, () => lineFor({ lane: first.lane, clock: first.clock }))];
	for (const { connection } of lines) connection.send(new Uint8Array(SEND_LIMIT_BYTES - 1));
	expect(lines.map(({ raw }) => raw.said.at(-1))).toEqual([...Array<string>(9).fill(`frame ${SEND_LIMIT_BYTES - 1}`), 'close 4508 too slow']);
	expect(first.lane.unreadBytes).toBeGreaterThan(PERSON_UNREAD_BYTES);
	const other = lineFor();
	other.connection.send(new Uint8Array(10));
	expect(other.raw.said).toEqual(['frame 10']);
	for (const { raw, connection } of lines) {
		raw.buffered = 0;
		connection.drained();
	}
	expect(first.lane.unreadBytes).toBe(0);
	lines[0]!.connection.send(new Uint8Array(10));
	lines[0]!.connection.closed();
	expect([lines[0]!.raw.said.at(-1), first.lane.unreadBytes]).toEqual(['frame 10', 0]);
});
