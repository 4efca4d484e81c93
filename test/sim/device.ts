/** One device of one person: a real replica on a store that survives its crashes. */
import type { DocumentId, PersonId, PortalId } from '#crdt-model/ids.ts';
import type { Down } from '#crdt-model/wire/down.ts';
import { Replica, type Draft } from '#lib/sync/engine.ts';
import type { FrameSession, FrameSocket } from '#sync-server/session/socket.ts';
import { MemoryReplicaStore } from '#storage/memory/replica-store.ts';
import type * as Y from 'yjs';
import type { Random } from '../support/random.ts';
import type { Clock } from './clock.ts';
import { Line } from './line.ts';

export class Device {
	readonly name: string;
	readonly person: PersonId;
	readonly #portal: PortalId;
	readonly #clock: Clock;
	readonly #random: Random;
	readonly #onSent: (device: Device, message: Down) => void;
	#timers: ReturnType<Clock['timers']>;
	store = new MemoryReplicaStore();
	replica!: Replica;
	line: Line | null = null;
	isOnline = true;
	/** Its clock is off by so much, in milliseconds. */
	readonly skewMs: number;

	constructor(name: string, person: PersonId, portal: PortalId, clock: Clock, random: Random, onSent: (device: Device, message: Down) => void) {
		this.name = name;
		this.person = person;
		this.#portal = portal;
		this.#clock = clock;
		this.#random = random;
		this.#onSent = onSent;
		this.skewMs = random.chance(0.3) ? random.below(7_200_000) - 3_600_000 : 0;
		this.#timers = clock.timers();
	}

	async start(): Promise<void> {
		this.#timers = this.#clock.timers();
		this.replica = await Replica.open({
			portal: this.#portal,
			person: this.person,
			store: this.store,
			now: () => this.#clock.now() + this.skewMs,
			timers: this.#timers,
			random: (target) => this.#random.bytes(target),
			transport: (events) => {
				const line = new Line(events, (message) => this.#onSent(this, message));
				this.line = line;
				return line.link;
			}
		});
		this.replica.connect();
	}

	/** The browser dies and is started again: what was committed on the device is there, nothing else. */
	async crash(): Promise<void> {
		this.#timers.stop();
		this.line?.drop(false);
		this.line = null;
		this.store = this.store.crash();
		await this.start();
	}

	accept(attach: (socket: FrameSocket) => FrameSession): void {
		if (this.line?.state !== 'connecting') return;
		if (this.isOnline) this.line.accept(attach);
		else this.line.drop();
	}

	run(...drafts: Draft[]): ReturnType<Replica['run']> {
		return this.replica.run(drafts);
	}

	/** Edits a page or text as an editor would, and keeps it as a tab that hides does. */
	async edit(id: DocumentId, change: (doc: Y.Doc) => void): Promise<void> {
		const page = await this.replica.openPage(id, 'tab');
		try {
			change(page.doc);
			await page.flush();
		} finally {
			await page.release();
		}
	}
}
