/** The ceilings of the wire, each with its reason. Relay and device cut their messages to them. */

/** One frame. A page of 260,000 edits is a snapshot of 223 kB; a merged offline day stays far below. */
export const MAX_FRAME_BYTES = 1024 * 1024;
/** A page or text update that a client may send; larger tails go up in pieces. */
export const MAX_UPDATE_BYTES = 256 * 1024;
/** Submissions that may be under way on one connection: enough to fill a slow line, little enough to hold in memory. */
export const SUBMIT_WINDOW = 32;
/** A frame of gained documents or entries is cut near this size, so that a phone can apply one between two paints. */
export const DOWN_CHUNK_BYTES = 128 * 1024;
/** Documents named in one inventory frame: 40 bytes each, well under a frame. */
export const INVENTORY_CHUNK = 5_000;
/** People named in one frame of who is online: 46 bytes each, well under a frame. */
export const ONLINE_CHUNK = 5_000;
/** Entries handed back in one frame after a restore: judging each costs some 50 µs, so a frame holds the relay's thread for little. */
export const MAX_REOFFER_ENTRIES = 200;
/** Frames of them that may be unanswered on one connection. */
export const REOFFER_WINDOW = 4;
/** The relay says where the log stands at least so often, so that a quiet client's cursor does not grow old. */
export const HEARTBEAT_MS = 20_000;
