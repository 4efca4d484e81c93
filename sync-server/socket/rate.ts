/**
 * How fast one connection may send. A bucket of tokens for frames and one for bytes: short bursts pass, a stream above the rate does not.
 *
 * The ceilings stand well above what a person or a reconnecting device does (a day offline comes back as some thousand commands, a page's
 * tail in pieces of 256 KiB) and below what would keep other people waiting: the gate needs 20 to 100 µs for an ordinary frame.
 */

/** Frames a second in the long run: a tenth of the event loop at worst. */
export const FRAMES_PER_SECOND = 1_000;
/** A script or a test that types a long page letter by letter sends each as a frame of its own. */
export const FRAMES_BURST = 50_000;
/** Bytes a second after inflating. */
export const BYTES_PER_SECOND = 4 * 1024 * 1024;
/** A whole day of pages and drawings at once. */
export const BYTES_BURST = 64 * 1024 * 1024;
/** An empty frame costs us work as well. */
const MIN_FRAME_BYTES = 64;

export class FrameRate {
	readonly #now: () => number;
	#frames = FRAMES_BURST;
	#bytes = BYTES_BURST;
	#at: number;

	/** @param now milliseconds, monotonic */
	constructor(now: () => number) {
		this.#now = now;
		this.#at = now();
	}

	/** Takes a frame in; false when the connection has sent too much. */
	take(bytes: number): boolean {
		const now = this.#now();
		const seconds = Math.max(0, now - this.#at) / 1000;
		this.#at = now;
		this.#frames = Math.min(FRAMES_BURST, this.#frames + seconds * FRAMES_PER_SECOND) - 1;
		this.#bytes = Math.min(BYTES_BURST, this.#bytes + seconds * BYTES_PER_SECOND) - Math.max(bytes, MIN_FRAME_BYTES);
		return this.#frames >= 0 && this.#bytes >= 0;
	}
}
