/**
 * Sends the bytes of own files after their records: one after another, in pieces, from where the relay has them. Runs in the tab that leads.
 *
 * What is to be sent is no list of its own but follows from what the device holds: an own file's record that the relay has accepted and whose bytes have not
 * arrived, and a blob here. So nothing is forgotten over a crash, and nothing is sent for a record that was refused.
 *
 * Promises: a broken line costs what was under way and nothing else; every way of trying again waits, longer each time, up to a minute; what can never go
 * up is said once and left alone until its record changes.
 */
import { offServiceOf } from '#crdt-model/access/services.ts';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import type { SettingsRow } from '#crdt-model/kinds/settings.ts';
import type { ReplicaDatabase, UploadState } from '#storage/dexie/schema.ts';
import type { StoredRow } from '#storage/replica-contract.ts';

/** Seconds of a slow line, and far below the relay's ceiling. */
export const PIECE_BYTES = 4 * 1024 * 1024;
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

export interface Answered {
	readonly status: number;
	/** `Upload-Offset`, where it was said. */
	readonly offset: number | null;
	/** Of the problem. */
	readonly code: string | null;
}
/** One call to the relay; throws where the line is down. */
export type Send = (call: { readonly method: 'HEAD' | 'PATCH'; readonly file: DocumentId; readonly offset?: number; readonly body?: Blob; readonly signal: AbortSignal }) => Promise<Answered>;

export interface UploadsOptions {
	readonly database: ReplicaDatabase;
	readonly person: PersonId;
	readonly send: Send;
	/** The relay no longer knows who this is. */
	readonly onSignedOut?: () => void;
	readonly timers?: { set(run: () => void, ms: number): unknown; clear(timer: unknown): void };
}

/** Own files whose records the relay has and whose bytes it has not. */
export async function waitingFiles(database: ReplicaDatabase, person: PersonId): Promise<readonly StoredRow<FileRow>[]> {
	const [settings] = (await database.rows('settings').toArray()) as unknown as SettingsRow[];
	const off = settings?.servicesOff ?? [];
	// What is switched off is not taken by the relay; it goes up when the service is back.
	const isWaiting = (row: StoredRow<FileRow>) => row.createdBy === person && !row.arrived && !row.deleted && row.sync === 'accepted' && offServiceOf(row, off) === null;
	return (await database.rows('file').filter((row) => isWaiting(row as unknown as StoredRow<FileRow>)).toArray()) as unknown as StoredRow<FileRow>[];
}

/** How many of them this device can send: those chosen here whose bytes are what their records say. */
export async function uploadsHere(database: ReplicaDatabase, person: PersonId): Promise<number> {
	const waiting = await waitingFiles(database, person);
	if (waiting.length === 0) return 0;
	const kept = new Set(await database.blobs.where('digest').anyOf(waiting.map(({ digest }) => digest)).primaryKeys());
	const states = await database.uploads.bulkGet(waiting.map(({ id }) => id));
	return waiting.filter((row, at) => kept.has(row.digest) && states[at]?.problem !== 'damaged').length;
}

type Outcome = 'arrived' | 'given-up' | 'later' | 'signed-out';

export class Uploads {
	readonly #options: UploadsOptions;
	readonly #timers: NonNullable<UploadsOptions['timers']>;
	#runs = false;
	#abort = new AbortController();
	#running: Promise<void> | null = null;
	#again = false;
	#wait = MIN_WAIT_MS;
	#timer: unknown = null;
	/** What will not go up as it stands; asked anew at the next start. */
	readonly #givenUp = new Set<DocumentId>();

	constructor(options: UploadsOptions) {
		this.#options = options;
		this.#timers = options.timers ?? { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer as number) };
	}

	/** From here on every `wake` looks for what waits. */
	start(): void {
		if (this.#runs) return;
		this.#runs = true;
		this.#abort = new AbortController();
		this.wake();
	}

	stop(): void {
		this.#runs = false;
		this.#abort.abort();
		if (this.#timer !== null) this.#timers.clear(this.#timer);
		this.#timer = null;
	}

	/** The network may be back, or something new waits: whoever sees that calls this, and the next attempt is not waited for. */
	wake(): void {
		if (!this.#runs) return;
		if (this.#timer !== null) this.#timers.clear(this.#timer);
		this.#timer = null;
		this.#again = true;
		this.#running ??= this.#run().finally(() => (this.#running = null));
	}

	/** Resolves when nothing is being sent. */
	async idle(): Promise<void> {
		while (this.#running) await this.#running;
	}

	async #waiting(): Promise<readonly StoredRow<FileRow>[]> {
		const waiting = await waitingFiles(this.#options.database, this.#options.person);
		// A deleted record that came back is tried anew.
		for (const id of this.#givenUp) if (!waiting.some((row) => row.id === id)) this.#givenUp.delete(id);
		return waiting;
	}

	async #run(): Promise<void> {
		while (this.#again && this.#runs) {
			this.#again = false;
			try {
				for (const row of await this.#waiting()) {
					if (this.#givenUp.has(row.id)) continue;
					const outcome = await this.#upload(row);
					if (outcome === 'arrived') this.#wait = MIN_WAIT_MS;
					else if (outcome === 'given-up') this.#givenUp.add(row.id);
					else if (outcome === 'signed-out') return this.#options.onSignedOut?.();
					else return this.#later();
				}
			} catch {
				// The line is down, or the database is closing, after which `stop` ends the waiting.
				return this.#later();
			}
		}
	}

	#later(): void {
		if (!this.#runs || this.#timer !== null) return;
		this.#timer = this.#timers.set(() => {
			this.#timer = null;
			this.wake();
		}, this.#wait);
		this.#wait = Math.min(MAX_WAIT_MS, this.#wait * 2);
	}

	async #upload(row: StoredRow<FileRow>): Promise<Outcome> {
		const { send, database } = this.#options;
		const { signal } = this.#abort;
		const kept = await database.blobs.get(row.digest);
		if (!kept) return this.#giveUp(row, 'missing');
		const first = await send({ method: 'HEAD', file: row.id, signal });
		if (first.status === 200) return this.#arrived(row);
		let at = first.offset;
		if (first.status !== 204 || at === null) return this.#outcomeOf(row, first);
		// Each turn sends something new or ends; only a relay that goes back makes it go back.
		for (let turns = Math.ceil(row.size / PIECE_BYTES) + 8; turns > 0; turns--) {
			await this.#note({ file: row.id, sent: at, problem: null });
			const answered = await send({ method: 'PATCH', file: row.id, offset: at, body: kept.bytes.slice(at, Math.min(row.size, at + PIECE_BYTES)), signal });
			if (answered.status === 204 && answered.offset !== null) {
				this.#wait = MIN_WAIT_MS;
				at = answered.offset;
				if (at >= row.size) return this.#arrived(row);
			} else if (answered.code === 'offset-mismatch' && answered.offset !== null) at = answered.offset;
			else return this.#outcomeOf(row, answered);
		}
		return 'later';
	}

	async #outcomeOf(row: StoredRow<FileRow>, { status, code }: Answered): Promise<Outcome> {
		if (status === 401) return 'signed-out';
		// Outside the company's networks, which the answer to HEAD has no body to say: it goes up when the device is back.
		if (status === 403 && (code === null || code === 'not-from-here')) return 'later';
		if (code === 'bad-value' || code === 'too-large') return this.#giveUp(row, 'damaged');
		// Not readable, deleted or dismissed meanwhile: the record will say so, and then it is no longer waited for.
		return status === 403 || status === 404 || status === 410 ? 'given-up' : 'later';
	}

	async #giveUp(row: StoredRow<FileRow>, problem: UploadState['problem']): Promise<Outcome> {
		await this.#note({ file: row.id, sent: 0, problem });
		return 'given-up';
	}

	/** The record will say so too, a moment later. */
	async #arrived(row: StoredRow<FileRow>): Promise<Outcome> {
		await this.#note({ file: row.id, sent: row.size, problem: null });
		this.#givenUp.add(row.id);
		return 'arrived';
	}

	async #note(state: UploadState): Promise<void> {
		await this.#options.database.uploads.put(state);
	}
}
