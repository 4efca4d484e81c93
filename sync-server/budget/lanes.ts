/**
 * Whose turn it is: every person has a lane of their own through the relay, and nobody waits in somebody else's (SPEC B1–B3).
 *
 * Whatever the relay does for a person in one go (reading a frame, judging, making an answer) is a piece of work in their lane, is measured and is
 * charged to them. A turn of the event loop does a bounded time of everybody's pieces, lane by lane; sockets, calls and timers come in between. A person
 * who has spent their budget rests until it has grown again; their frames and submissions wait, in order, in their own queue.
 *
 * Promises: pieces of a lane run in the order in which they came; every lane that waits gets a piece before any gets its second; a piece is never
 * interrupted, so a turn lasts `TURN_MS` and the piece under way at its end, and that one is bounded by the gate (SPEC B2).
 * Leaves to others: order within a connection and what may wait there (socket/connection.ts), what a piece is.
 */
import type { PersonId, PortalId } from '#crdt-model/ids.ts';
import { Bucket } from './bucket.ts';
import type { Clock } from './clock.ts';
import {
	BYTES_BURST, BYTES_PER_SECOND, CALL_COST_MS, CALLS_BURST, CALLS_PER_SECOND, CPU_BURST_MS, CPU_MS_PER_SECOND, CPU_RESUME_MS, ENTRIES_UNDER_WAY, FRAMES_BURST,
	FRAMES_PER_SECOND, MIN_FRAME_BYTES, OPENINGS_BURST, OPENINGS_PER_SECOND, TURN_MS
} from './limits.ts';

/** Does a piece; says whether there is another. */
export type Piece = () => boolean;

/** One person's share of the relay, over all of their connections and calls in one portal. */
export class Lane {
	readonly #turns: Turns;
	readonly #cpu: Bucket;
	readonly #frames: Bucket;
	readonly #bytes: Bucket;
	readonly #calls: Bucket;
	readonly #openings: Bucket;
	readonly pieces: Piece[] = [];
	/** Waits for the budget to grow. */
	isResting = false;
	/** Waits for its turn. */
	isQueued = false;
	/** Entries of theirs on their way to disk. */
	#underWay = 0;
	/** The last of their readings of the store. */
	#reading: Promise<unknown> = Promise.resolve();
	/** Open connections. */
	connections = 0;
	/** In frames that wait for their turn. */
	waitingBytes = 0;
	/** Sent and not read yet. */
	unreadBytes = 0;

	constructor(turns: Turns, now: () => number) {
		this.#turns = turns;
		this.#cpu = new Bucket(now, { burst: CPU_BURST_MS, perSecond: CPU_MS_PER_SECOND });
		this.#frames = new Bucket(now, { burst: FRAMES_BURST, perSecond: FRAMES_PER_SECOND });
		this.#bytes = new Bucket(now, { burst: BYTES_BURST, perSecond: BYTES_PER_SECOND });
		this.#calls = new Bucket(now, { burst: CALLS_BURST, perSecond: CALLS_PER_SECOND });
		this.#openings = new Bucket(now, { burst: OPENINGS_BURST, perSecond: OPENINGS_PER_SECOND });
	}

	/** Does the work when it is this person's turn, which is now where nobody waits. */
	run<T>(work: () => T): Promise<T> {
		return new Promise((resolve, reject) => {
			const piece = (): false => {
				try {
					resolve(work());
				} catch (fault) {
					reject(fault as Error);
				}
				return false;
			};
			if (!this.tryRun(piece)) this.post(piece);
		});
	}

	/** Resolves when this person has a turn: before a piece of work that cannot be measured from outside. */
	ready(): Promise<void> {
		return this.run(() => {});
	}

	/**
	 * Reads from the store in this person's turn, one reading of theirs at a time: its worker does one thing after the other, and what others ask for
	 * comes in between.
	 */
	read<T>(work: () => Promise<T>): Promise<T> {
		const done = this.#reading.then(() => this.ready()).then(work);
		this.#reading = done.catch(() => {}); // whoever asked hears of it
		return done;
	}

	/** Counts what goes to disk for this person. Beyond the ceiling they rest until it is there: others' commits wait for theirs. */
	untilOnDisk(durable: Promise<void>, entries: number): void {
		this.#underWay += entries;
		const there = () => {
			this.#underWay -= entries;
			this.#turns.queue(this);
		};
		durable.then(there, there);
	}
	get waitsForDisk(): boolean {
		return this.#underWay >= ENTRIES_UNDER_WAY;
	}

	/** Does the work at once where there is room in this turn and nothing waits; says whether it did. What it throws, the caller gets. */
	tryRun(work: () => unknown): boolean {
		return this.#turns.tryRun(this, work);
	}

	/** Puts a piece into the queue; it comes again as long as it says that there is more. */
	post(piece: Piece): void {
		this.pieces.push(piece);
		this.#turns.queue(this);
	}

	/** Does the work now and charges it, where it cannot wait. */
	measure<T>(work: () => T): T {
		return this.#turns.measure(this, work);
	}

	/** What was done for this person together with others'. */
	charge(ms: number): void {
		this.#cpu.spend(ms);
	}

	get isSpent(): boolean {
		return this.#cpu.left <= 0;
	}
	/** Until the person goes on. */
	get restMs(): number {
		return this.#cpu.msUntil(CPU_RESUME_MS);
	}

	/** False when the person has sent too much. */
	takeFrame(bytes: number): boolean {
		const [frames, size] = [this.#frames.spend(1), this.#bytes.spend(Math.max(bytes, MIN_FRAME_BYTES))];
		return frames && size;
	}
	/** False when the person has opened too many connections lately. */
	takeOpening(): boolean {
		return this.#openings.take(1);
	}
	/** Zero where the call may be made, else the seconds after which it may. */
	takeCall(): number {
		if (this.isSpent) return Math.ceil(this.restMs / 1000);
		if (!this.#calls.take(1)) return Math.ceil(this.#calls.msUntil(1) / 1000);
		this.charge(CALL_COST_MS);
		return 0;
	}

	/** Nothing would be lost by forgetting it. */
	get isIdle(): boolean {
		const buckets = [this.#cpu, this.#frames, this.#bytes, this.#calls, this.#openings];
		return this.connections === 0 && this.#underWay === 0 && this.pieces.length === 0 && !this.isResting && buckets.every((bucket) => bucket.isFull);
	}
}

class Turns {
	readonly #clock: Clock;
	readonly #onFault: (fault: unknown) => void;
	#left = TURN_MS;
	/** Lanes with pieces that may run. */
	#waiting: Lane[] = [];
	#isScheduled = false;
	#isMeasuring = false;

	constructor(clock: Clock, onFault: (fault: unknown) => void) {
		this.#clock = clock;
		this.#onFault = onFault;
	}

	tryRun(lane: Lane, work: () => unknown): boolean {
		if (this.#waiting.length > 0 || this.#left <= 0 || lane.isResting || lane.waitsForDisk || lane.pieces.length > 0 || lane.isSpent) return false;
		this.measure(lane, work);
		return true;
	}

	queue(lane: Lane): void {
		if (lane.isResting || lane.isQueued || lane.waitsForDisk || lane.pieces.length === 0) return;
		if (lane.isSpent) return this.#rest(lane);
		lane.isQueued = true;
		this.#waiting.push(lane);
		this.#schedule();
	}

	measure<T>(lane: Lane, work: () => T): T {
		// A piece within a piece is part of it.
		if (this.#isMeasuring) return work();
		const before = this.#clock.now();
		this.#isMeasuring = true;
		try {
			return work();
		} finally {
			this.#isMeasuring = false;
			const ms = this.#clock.now() - before;
			this.#left -= ms;
			lane.charge(ms);
			if (this.#left < TURN_MS) this.#schedule();
		}
	}

	#rest(lane: Lane): void {
		lane.isResting = true;
		this.#clock.after(Math.ceil(lane.restMs), () => {
			lane.isResting = false;
			this.queue(lane);
		});
	}

	#schedule(): void {
		if (this.#isScheduled) return;
		this.#isScheduled = true;
		this.#clock.soon(() => this.#turn());
	}

	#turn(): void {
		this.#isScheduled = false;
		this.#left = TURN_MS;
		while (this.#left > 0) {
			const lane = this.#waiting.shift();
			if (!lane) return;
			lane.isQueued = false;
			const piece = lane.pieces.shift()!;
			// Below nothing is thrown away: the one that fails is out, the others go on.
			try {
				if (this.measure(lane, piece)) lane.pieces.push(piece);
			} catch (fault) {
				this.#onFault(fault);
			}
			this.queue(lane);
		}
		this.#schedule();
	}
}

/** All lanes of a relay: one event loop does the work of all portals. */
export class Lanes {
	readonly #clock: Clock;
	readonly #turns: Turns;
	readonly #lanes = new Map<string, Lane>();

	constructor(clock: Clock, onFault: (fault: unknown) => void = () => {}) {
		this.#clock = clock;
		this.#turns = new Turns(clock, onFault);
	}

	get now(): () => number {
		return this.#clock.now;
	}
	get size(): number {
		return this.#lanes.size;
	}

	of(portal: PortalId, person: PersonId): Lane {
		const key = `${portal} ${person}`;
		let lane = this.#lanes.get(key);
		if (!lane) this.#lanes.set(key, (lane = new Lane(this.#turns, this.#clock.now)));
		return lane;
	}

	/** Forgets lanes of which nothing would be missed. */
	sweep(): void {
		for (const [key, lane] of this.#lanes) if (lane.isIdle) this.#lanes.delete(key);
	}
}
