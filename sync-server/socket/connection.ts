/**
 * One WebSocket as a session sees it: `FrameSocket` over uWebSockets.js.
 *
 * States: waiting (accepted, the session is being made; frames are kept) → attached → closed.
 * Promises: frames reach the session in order and as memory of its own, one when the one before is judged and it is the person's turn, also those
 * that waited when the other side left; nothing that was sent is dropped; a reader that is too slow hears `full` first and 4508 only if more is
 * pressed upon it; a sender that is too fast ends with 4529 (SPEC B3, B5); after `closed` the socket is never touched.
 * Leaves to others: who the caller is and which session it gets (sockets.ts), the meaning of frames (session/), whose turn it is (budget/lanes.ts).
 */
import type { Lane } from '../budget/lanes.ts';
import { PERSON_QUEUE_BYTES, PERSON_UNREAD_BYTES } from '../budget/limits.ts';
import { MAX_FRAME_BYTES } from '#crdt-model/wire/limits.ts';
import { CLOSE, type CloseCode, type FrameSession, type FrameSocket } from '../session/socket.ts';

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
export const WAITING_BYTES = 2 * 1024 * 1024;
/** What an attached connection may have waiting for its turn: twice what a device sends before it has answers. */
export const TURN_BYTES = 16 * 1024 * 1024;
/** Frames that are done with go in lots: taking each from the front would move the others every time. */
const TAKEN_KEPT = 1_000;
/** Small frames cost more to deflate than they save. */
const MIN_COMPRESSED_BYTES = 1_024;
/** RFC 6455: a close frame holds 123 bytes of reason. */
const MAX_REASON_BYTES = 123;

export class Connection implements FrameSocket {
	readonly ip: string | null;
	readonly #compress: boolean;
	readonly #lane: Lane;
	readonly #onFault: (fault: unknown) => void;
	#raw: RawSocket | null;
	#session: FrameSession | null = null;
	/** For the session, or for their turn. */
	#waiting: Uint8Array[] = [];
	/** Frames of `#waiting` that are taken in already. */
	#taken = 0;
	#waitingBytes = 0;
	#inTurns = false;
	/** The session is at work on a frame. */
	#isHeld = false;
	#full = false;
	/** What of the lane's unread bytes is ours. */
	#unread = 0;

	/** @param options.lane of the person whose connection it is */
	constructor(raw: RawSocket, options: { compress: boolean; lane: Lane; ip?: string | null; onFault: (fault: unknown) => void }) {
		this.ip = options.ip ?? null;
		this.#raw = raw;
		this.#compress = options.compress;
		this.#lane = options.lane;
		this.#onFault = options.onFault;
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
		if (this.#countUnread(raw) > SEND_LIMIT_BYTES || this.#lane.unreadBytes > PERSON_UNREAD_BYTES) {
			this.close(CLOSE.tooSlow, 'too slow');
			return 'full';
		}
		const outcome = raw.send(frame, true, this.#compress && frame.byteLength >= MIN_COMPRESSED_BYTES);
		if (outcome === 2) {
			// The ceiling above forbids it; a hole in the log would be worse than a lost connection.
			this.#raw = null;
			this.#countUnread(null);
			raw.close();
			return 'full';
		}
		// Full until it is drained, whatever a small frame in between says: a session that was told to wait is told when to go on.
		this.#full ||= this.#countUnread(raw) > SEND_FULL_BYTES;
		return this.#full ? 'full' : 'ok';
	}

	/** What waits for the reader; null when nobody reads any more. */
	#countUnread(raw: RawSocket | null): number {
		const unread = raw?.getBufferedAmount() ?? 0;
		this.#lane.unreadBytes += unread - this.#unread;
		return (this.#unread = unread);
	}

	close(code: CloseCode, reason: string): void {
		const raw = this.#raw;
		this.#raw = null;
		this.#countUnread(null);
		this.#forgetWaiting();
		raw?.end(code, fitting(reason));
	}

	/** @param message uWS takes this memory back when the call returns */
	received(message: ArrayBuffer): void {
		if (this.#raw === null) return;
		if (message.byteLength > MAX_FRAME_BYTES) return this.close(CLOSE.refused, 'a frame of more than 1 MiB');
		if (!this.#lane.takeFrame(message.byteLength)) return this.close(CLOSE.tooMuch, 'too much');
		const frame = new Uint8Array(message.slice(0));
		this.#countWaiting(frame.byteLength);
		this.#waiting.push(frame);
		if (this.#session) {
			this.#takeIn();
			if (this.#waitingBytes > TURN_BYTES || this.#lane.waitingBytes > PERSON_QUEUE_BYTES) this.close(CLOSE.tooMuch, 'too much at once');
		} else if (this.#waiting.length > WAITING_FRAMES || this.#waitingBytes > WAITING_BYTES) {
			this.close(CLOSE.tooMuch, 'too much at once');
		}
	}

	/** As many frames as the person may bring now; the rest when it is their turn again. */
	#takeIn(): void {
		while (this.#waiting.length > 0 && !this.#inTurns && !this.#isHeld) {
			if (this.#lane.tryRun(() => this.#passNext())) continue;
			this.#inTurns = true;
			this.#lane.post(() => this.#takeTurn());
		}
		if (this.#raw === null && this.#waiting.length === 0 && !this.#inTurns && !this.#isHeld) this.#endSession();
	}

	#takeTurn(): boolean {
		this.#inTurns = false;
		this.#attempt(() => {
			if (this.#waiting.length > 0) this.#passNext();
		});
		if (this.#isHeld) return false;
		if (this.#waiting.length > 0) return (this.#inTurns = true);
		if (this.#raw === null) this.#endSession();
		return false;
	}

	/** Where nobody above would hear of a fault: it ends this connection. */
	#attempt(work: () => void): void {
		try {
			work();
		} catch (fault) {
			this.close(CLOSE.restarting, 'a fault of the relay');
			this.#onFault(fault);
		}
	}

	#passNext(): void {
		const frame = this.#waiting[this.#taken++]!;
		this.#countWaiting(-frame.byteLength);
		if (this.#taken === this.#waiting.length) this.#forgetWaiting();
		else if (this.#taken === TAKEN_KEPT) {
			this.#waiting.splice(0, TAKEN_KEPT);
			this.#taken = 0;
		}
		const judged = this.#session?.receive(frame);
		if (!judged) return;
		this.#isHeld = true;
		void judged.then(() => {
			this.#isHeld = false;
			this.#attempt(() => this.#takeIn());
		});
	}

	#countWaiting(bytes: number): void {
		this.#waitingBytes += bytes;
		this.#lane.waitingBytes += bytes;
	}

	#forgetWaiting(): void {
		this.#waiting = [];
		this.#taken = 0;
		this.#countWaiting(-this.#waitingBytes);
	}

	drained(): void {
		if (this.#raw === null || this.#countUnread(this.#raw) > SEND_DRAINED_BYTES || !this.#full) return;
		this.#full = false;
		this.#session?.drained();
	}

	/** The transport's last word. What the other side said before it left is still taken in, unless we closed. */
	closed(): void {
		this.#raw = null;
		this.#countUnread(null);
		if (!this.#inTurns && !this.#isHeld) this.#endSession();
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
