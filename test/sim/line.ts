/**
 * One connection of the simulation: two queues of frames that are delivered by hand. It loses everything in flight when it drops, holds
 * frames back as long as the test likes, and now and then delivers one twice.
 */
import { decodeDown, decodeUp } from '#crdt-model/wire/codec.ts';
import type { Down } from '#crdt-model/wire/down.ts';
import type { Link, LinkEvents } from '#lib/sync/link.ts';
import type { FrameSession, FrameSocket } from '#sync-server/session/socket.ts';

/** Frames that a socket takes before it says that it is full; small, so that it happens. */
const FULL_FRAMES = 6;

export class Line {
	readonly #events: LinkEvents;
	readonly #onSent: (message: Down) => void;
	readonly #up: Uint8Array[] = [];
	readonly #down: (Uint8Array | { readonly code: number })[] = [];
	#session: FrameSession | null = null;
	#isFull = false;
	state: 'connecting' | 'open' | 'closed' = 'connecting';

	/** @param onSent everything that the relay lets out of its hands */
	constructor(events: LinkEvents, onSent: (message: Down) => void) {
		this.#events = events;
		this.#onSent = onSent;
	}

	readonly link: Link = {
		send: (frame) => void (this.state === 'open' && this.#up.push(frame.slice())),
		close: () => this.drop(false)
	};

	get waiting(): number {
		return this.state === 'connecting' ? 1 : this.#up.length + this.#down.length;
	}

	/** The relay takes the connection. */
	accept(attach: (socket: FrameSocket) => FrameSession): void {
		if (this.state !== 'connecting') return;
		this.state = 'open';
		this.#session = attach({
			send: (frame) => {
				if (this.state !== 'open') return 'ok';
				this.#down.push(frame.slice());
				const decoded = decodeDown(frame);
				if (!decoded.ok) throw new Error(`the relay sent no message: ${decoded.problem}`);
				this.#onSent(decoded.message);
				this.#isFull ||= this.#down.length >= FULL_FRAMES;
				return this.#isFull ? 'full' : 'ok';
			},
			close: (code) => void this.#down.push({ code })
		});
		this.#events.opened();
	}

	/** @param twice whether the frame comes a second time, where the protocol bears repeating */
	deliverUp(twice: boolean): boolean {
		const frame = this.#up.shift();
		if (!frame || this.state !== 'open') return false;
		this.#session?.receive(frame);
		const decoded = decodeUp(frame);
		if (twice && decoded.ok && (decoded.message.type === 'submit' || decoded.message.type === 'update')) this.#session?.receive(frame.slice());
		return true;
	}

	deliverDown(twice: boolean): boolean {
		const frame = this.#down.shift();
		if (!frame || this.state !== 'open') return false;
		if ('code' in frame) {
			this.#end();
			this.#events.closed(frame.code);
			return true;
		}
		this.#events.frame(frame);
		const decoded = decodeDown(frame);
		if (twice && decoded.ok && decoded.message.type !== 'welcome') this.#events.frame(frame.slice());
		if (this.#isFull && this.#down.length <= 1) {
			this.#isFull = false;
			this.#session?.drained();
		}
		return true;
	}

	/** The line breaks: what was in flight is lost. */
	drop(tellDevice = true): void {
		if (this.state === 'closed') return;
		this.#end();
		if (tellDevice) this.#events.closed(1006);
	}

	#end(): void {
		this.state = 'closed';
		this.#up.length = this.#down.length = 0;
		this.#session?.closed();
		this.#session = null;
	}
}
