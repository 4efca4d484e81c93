/**
 * A connection without a network: two queues that a test empties by hand. What the relay sends waits in `toDevice` until `flush`; a
 * reader that has stopped makes the relay's side `full`, as a slow phone would.
 */
import type { CloseCode, FrameSession, FrameSocket } from '../session/socket.ts';

export interface FrameReader {
	receive(frame: Uint8Array): void;
	closed(code: number, reason: string): void;
}

/** Frames that a stopped reader's connection takes before it says `full`. */
const FULL_FRAMES = 2;

export class SocketPair implements FrameSocket {
	readonly #reader: FrameReader;
	readonly #attach: (socket: FrameSocket) => FrameSession;
	#session: FrameSession | null = null;
	#toDevice: Uint8Array[] = [];
	#closing: { code: number; reason: string } | null = null;
	/** Where the device is, as a test says. */
	ip: string | null = null;
	#isOpen = true;
	#wasFull = false;
	/** Set: nothing is delivered to the device until it is cleared and the pair is flushed. */
	stopped = false;
	/** The most that ever waited for the device. */
	mostWaiting = 0;
	/** Everything that the relay ever sent, for tests that look for what must not be in it. */
	readonly sent: Uint8Array[] = [];

	constructor(reader: FrameReader, attach: (socket: FrameSocket) => FrameSession) {
		this.#reader = reader;
		this.#attach = attach;
	}

	get isOpen(): boolean {
		return this.#isOpen && this.#closing === null;
	}

	open(): this {
		this.#session = this.#attach(this);
		return this;
	}

	/** The relay's side. */
	send(frame: Uint8Array): 'ok' | 'full' {
		if (!this.isOpen) return 'full';
		this.#toDevice.push(frame);
		this.sent.push(frame);
		this.mostWaiting = Math.max(this.mostWaiting, this.#toDevice.length);
		if (!this.stopped || this.#toDevice.length < FULL_FRAMES) return 'ok';
		this.#wasFull = true;
		return 'full';
	}
	close(code: CloseCode, reason: string): void {
		this.#closing ??= { code, reason };
	}

	/** The device's side. */
	up(frame: Uint8Array): void {
		if (this.isOpen) this.#session?.receive(frame);
	}
	/** The network is gone: what was on its way is lost. */
	cut(): void {
		if (!this.#isOpen) return;
		this.#isOpen = false;
		this.#toDevice = [];
		this.#session?.closed();
	}

	/** Delivers what waits. Returns whether anything happened. */
	flush(): boolean {
		if (!this.#isOpen || (this.stopped && !this.#closing)) return false;
		const frames = this.#toDevice;
		this.#toDevice = [];
		for (const frame of frames) if (this.#isOpen) this.#reader.receive(frame);
		if (this.#closing && this.#isOpen) {
			this.#isOpen = false;
			this.#session?.closed();
			this.#reader.closed(this.#closing.code, this.#closing.reason);
			return true;
		}
		if (this.#wasFull) {
			this.#wasFull = false;
			this.#session?.drained();
			return true;
		}
		return frames.length > 0;
	}
}
