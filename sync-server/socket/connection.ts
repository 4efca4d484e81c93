/**
 * One WebSocket as a session sees it: `FrameSocket` over uWebSockets.js.
 *
 * States: waiting (accepted, the session is being made; frames are kept) → attached → closed.
 * Promises: frames reach the session in order and as memory of its own, also those that waited for their turn when the other side left; nothing
 * that was sent is dropped; a reader that is too slow hears `full` first and 4508 only if more is pressed upon it; a sender that is too fast ends
 * with 4529; after `closed` the socket is never touched.
 * Leaves to others: who the caller is and which session it gets (sockets.ts), the meaning of frames (session/).
 */
import { MAX_FRAME_BYTES } from '#crdt-model/wire/limits.ts';
import { CLOSE, type CloseCode, type FrameSession, type FrameSocket } from '../session/socket.ts';
import { FrameRate } from './rate.ts';
import { Turns } from './turns.ts';

/** What is needed of uWS's socket, so that tests need no network. */
export interface RawSocket {
	/** 0 queued behind others, 1 sent, 2 dropped. */
	send(frame: Uint8Array, isBinary: boolean, compress: boolean): number;
	getBufferedAmount(): number;
	end(code: number, reason: string): void;
	close(): void;
}

/** Above this, `send` says `full`: some chunks of 128 KiB, so that a fast reader never waits for us. */
export const SEND_FULL_BYTES = 512 * 1024;
/** Below this, a full socket is drained again. */
export const SEND_DRAINED_BYTES = 64 * 1024;
/** A session that goes on sending to a full socket up to here is at its end: closed with 4508, and it comes back from its cursor. */
export const SEND_LIMIT_BYTES = 8 * 1024 * 1024;
/** Frames that may arrive while the session is made: a hello, the first keystrokes, or a script that does not wait. The bytes bound memory. */
export const WAITING_FRAMES = 10_000;
const WAITING_BYTES = 2 * 1024 * 1024;
/** What an attached connection may have waiting for its turn: twice what a device sends before it has answers. */
export const TURN_BYTES = 16 * 1024 * 1024;
/** Frames that are done with go in lots: taking each from the front would move the others every time. */
const TAKEN_KEPT = 1_000;
/** Small frames cost more to deflate than they save. */
const MIN_COMPRESSED_BYTES = 1_024;
/** RFC 6455: a close frame holds 123 bytes of reason. */
const MAX_REASON_BYTES = 123;

export class Connection implements FrameSocket {
	readonly #compress: boolean;
	readonly #rate: FrameRate;
	readonly #turns: Turns;
	#raw: RawSocket | null;
	#session: FrameSession | null = null;
	/** For the session, or for their turn. */
	#waiting: Uint8Array[] = [];
	/** Frames of `#waiting` that are taken in already. */
	#taken = 0;
	#waitingBytes = 0;
	#inTurns = false;
	#full = false;

	constructor(raw: RawSocket, options: { compress: boolean; now: () => number; turns: Turns }) {
		this.#raw = raw;
		this.#compress = options.compress;
		this.#rate = new FrameRate(options.now);
		this.#turns = options.turns;
	}

	get isOpen(): boolean {
		return this.#raw !== null;
	}

	/** Gives the connection its session; one that came too late is told at once. */
	attach(session: FrameSession): void {
		if (this.#raw === null) {
			session.closed();
			return;
		}
		this.#session = session;
		this.#takeIn();
	}

	send(frame: Uint8Array): 'ok' | 'full' {
		const raw = this.#raw;
		// Between a close and the session hearing of it: what nobody will read can go.
		if (raw === null) return 'full';
		if (raw.getBufferedAmount() > SEND_LIMIT_BYTES) {
			this.close(CLOSE.tooSlow, 'too slow');
			return 'full';
		}
		const outcome = raw.send(frame, true, this.#compress && frame.byteLength >= MIN_COMPRESSED_BYTES);
		if (outcome === 2) {
			// The ceiling above forbids it; a hole in the log would be worse than a lost connection.
			this.#raw = null;
			raw.close();
			return 'full';
		}
		// Full until it is drained, whatever a small frame in between says: a session that was told to wait is told when to go on.
		this.#full ||= raw.getBufferedAmount() > SEND_FULL_BYTES;
		return this.#full ? 'full' : 'ok';
	}

	close(code: CloseCode, reason: string): void {
		const raw = this.#raw;
		this.#raw = null;
		this.#forgetWaiting();
		raw?.end(code, fitting(reason));
	}

	/** @param message uWS takes this memory back when the call returns */
	received(message: ArrayBuffer): void {
		if (this.#raw === null) return;
		if (message.byteLength > MAX_FRAME_BYTES) return this.close(CLOSE.refused, 'a frame of more than 1 MiB');
		if (!this.#rate.take(message.byteLength)) return this.close(CLOSE.tooMuch, 'too much');
		const frame = new Uint8Array(message.slice(0));
		this.#waitingBytes += frame.byteLength;
		this.#waiting.push(frame);
		if (this.#session) {
			this.#takeIn();
			if (this.#waitingBytes > TURN_BYTES) this.close(CLOSE.tooMuch, 'too much at once');
		} else if (this.#waiting.length > WAITING_FRAMES || this.#waitingBytes > WAITING_BYTES) {
			this.close(CLOSE.tooMuch, 'too much at once');
		}
	}

	/** As many frames as this turn allows; the rest when it is this connection's turn again. */
	#takeIn(): void {
		if (this.#inTurns) return;
		for (let frame = this.#waiting[this.#taken]; frame; frame = this.#waiting[this.#taken]) {
			if (!this.#turns.take(Turns.costOf(frame.byteLength))) {
				this.#inTurns = true;
				return this.#turns.wait(() => this.#takeTurn());
			}
			this.#passNext();
		}
	}

	#takeTurn(): { cost: number; more: boolean } {
		const frame = this.#waiting[this.#taken];
		try {
			if (frame) this.#passNext();
		} catch (fault) {
			this.close(CLOSE.restarting, 'a fault of the relay');
			this.#endSession();
			throw fault;
		}
		const more = this.#waiting.length > 0;
		this.#inTurns = more;
		if (!more && this.#raw === null) this.#endSession();
		return { cost: frame ? Turns.costOf(frame.byteLength) : 0, more };
	}

	#passNext(): void {
		const frame = this.#waiting[this.#taken++]!;
		this.#waitingBytes -= frame.byteLength;
		if (this.#taken === this.#waiting.length) this.#forgetWaiting();
		else if (this.#taken === TAKEN_KEPT) {
			this.#waiting.splice(0, TAKEN_KEPT);
			this.#taken = 0;
		}
		this.#session?.receive(frame);
	}

	#forgetWaiting(): void {
		this.#waiting = [];
		this.#taken = 0;
		this.#waitingBytes = 0;
	}

	drained(): void {
		if (!this.#full || this.#raw === null || this.#raw.getBufferedAmount() > SEND_DRAINED_BYTES) return;
		this.#full = false;
		this.#session?.drained();
	}

	/** The transport's last word. What the other side said before it left is still taken in, unless we closed. */
	closed(): void {
		this.#raw = null;
		if (!this.#inTurns) this.#endSession();
	}

	#endSession(): void {
		this.#forgetWaiting();
		const session = this.#session;
		this.#session = null;
		session?.closed();
	}
}

function fitting(reason: string): string {
	return Buffer.byteLength(reason) <= MAX_REASON_BYTES ? reason : Buffer.from(reason).subarray(0, MAX_REASON_BYTES).toString().replace(/\uFFFD+$/, '');
}
