/**
 * What one person may ask of the relay, each ceiling with its reason. A person is counted per portal, over all of their connections and calls:
 * ten tabs are one person. The table in docs/operations.md lists these and the ceilings that stand elsewhere; a test holds it to the code.
 *
 * The numbers stand well above what people, reconnecting devices and scripts that fill a portal do, and below what would keep others waiting.
 */

// Time

/** CPU-milliseconds a second in the long run, of the thousand that the event loop has: a quarter of it for one person without end. */
export const CPU_MS_PER_SECOND = 250;
/** CPU-milliseconds at once: a recording of 130,000 keystrokes typed again, or a day offline of thousands of commands, many times over. */
export const CPU_BURST_MS = 10_000;
/** Who had nothing left goes on with so much again, so that they work in pieces and not frame by frame. */
export const CPU_RESUME_MS = 5;
/** What one turn of the event loop takes in of everybody's work together, before sockets, calls and timers come in between. */
export const TURN_MS = 5;
/** What reading and writing JSON costs around the gate, flat: calls are charged so much beside what is measured. */
export const CALL_COST_MS = 0.5;

// Frames

/** Frames a second in the long run: a tenth of the event loop at worst for ordinary ones. */
export const FRAMES_PER_SECOND = 1_000;
/** A script or a test that types a long page letter by letter sends each as a frame of its own. */
export const FRAMES_BURST = 50_000;
/** Bytes a second after inflating. */
export const BYTES_PER_SECOND = 4 * 1024 * 1024;
/** A whole day of pages and drawings at once. */
export const BYTES_BURST = 64 * 1024 * 1024;
/** An empty frame costs us work as well. */
export const MIN_FRAME_BYTES = 64;

// Queues

/** Frames of one person that wait for their turn, all connections together: the burst of bytes, and what it bounds is memory. */
export const PERSON_QUEUE_BYTES = 64 * 1024 * 1024;
/** Sent to one person and not read yet, all connections together: eight that stand at their own ceiling. */
export const PERSON_UNREAD_BYTES = 64 * 1024 * 1024;

/** Entries of one person on their way to disk: what a commit writes in a few milliseconds, since everybody's next commit waits for it. */
export const ENTRIES_UNDER_WAY = 32;

// Connections

/** Tabs times open pages of one browser, twice over. */
export const CONNECTIONS_PER_SIGN_IN = 256;
/** An idle connection is about 15 KiB: 60 MB for one person at worst, and the devices of nobody. */
export const CONNECTIONS_PER_PERSON = 4_096;
/** An office behind one address; addresses of this machine (a proxy that names nobody) are not counted. */
export const CONNECTIONS_PER_ADDRESS = 8_192;
/** Connections opened at once: every tab of every device comes back after a restart of the relay. */
export const OPENINGS_BURST = 2_000;
/** Connections opened a second in the long run. Each is greeted, and the digest of all it may read is made. */
export const OPENINGS_PER_SECOND = 20;
/** Openings and calls of nobody from one address at once: an office in which every cookie has just expired. */
export const UNKNOWN_BURST = 1_000;
/** The same a second in the long run: each costs a hash and a look into the accounts. */
export const UNKNOWN_PER_SECOND = 20;
/** Addresses that are remembered; those seen longest ago go first. Some megabytes. */
export const ADDRESSES = 50_000;

// Calls

/** REST calls at once: a script that fills a portal. */
export const CALLS_BURST = 10_000;
/** REST calls a second in the long run: a tenth of the event loop, and what polls faster should listen on `/sync`. */
export const CALLS_PER_SECOND = 200;

// Client ids

/** New client ids that a person may bind in one document a day: a stock client draws one at every opening, a device keeps its own. */
export const IDS_PER_DOCUMENT_AND_DAY = 256;
/** New client ids of a person a day in all documents: each is a line in the store for ever. */
export const IDS_PER_DAY = 4_096;
/** Ids under which one person has written in one document: a quarter of the document's, so that nobody uses them up alone. */
export const IDS_PER_PERSON_AND_DOCUMENT = 1_000;
/** Ids under which anybody has written in one document. Beyond 4,096 no client's state vector would be read any more; 20,000 cost 9 ms an update. */
export const IDS_PER_DOCUMENT = 4_000;
