/** What a session needs of a connection; `socket/` makes one of a WebSocket, tests and the simulation make one of two queues. */
export interface FrameSocket {
	/** From where; null or absent where nobody knows. */
	readonly ip?: string | null;
	/**
	 * Hands a frame over. Nothing is ever dropped: `full` says that the frame was taken but no more should come until `drained` is called
	 * on the session.
	 */
	send(frame: Uint8Array): 'ok' | 'full';
	close(code: CloseCode, reason: string): void;
}

/** One connection's life as its transport drives it. A late call after `closed` changes nothing. */
export interface FrameSession {
	/**
	 * @param frame the caller gives it away and does not write to it again
	 * @returns where the frame asks for more than a moment: resolves, and never rejects, when it is judged. A caller that holds the next one back until
	 * then keeps what waits where it is counted; the session keeps the order either way.
	 */
	receive(frame: Uint8Array): Promise<void> | void;
	drained(): void;
	closed(): void;
}

/** Close codes (DESIGN 8). y-websocket gives up for good on 4400–4499 and reconnects on all others. */
export const CLOSE = {
	/** A frame that is no message of this protocol, or in the wrong order. */
	badFrame: 4400,
	notSignedIn: 4401,
	noLongerAllowed: 4403,
	notThere: 4404,
	/** A refused page edit: the tail is offered on /sync, whose answer says why. */
	refused: 4409,
	/** This version of the app is not spoken here. */
	otherVersion: 4426,
	/** The portal's store failed; nothing was accepted since. Try again. */
	restarting: 4503,
	/** The company lets people in from its own networks alone, and this is none of them. Try again from there. */
	notFromHere: 4511,
	tooSlow: 4508,
	tooMuch: 4529
} as const;
export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];
