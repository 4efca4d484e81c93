/**
 * The relay's store on SQLite: a folder with one file per portal, `<portal id>.db`. This side of the thread keeps no data; it flattens
 * what goes over, and matches answers to callers. Promises of the contract are kept in portal-database.ts.
 *
 * If the worker dies, everything under way and every later call rejects with one error: what of it was written is known after reopening only,
 * so the relay must end its sessions and start anew, never go on.
 */
import { accessSync, constants, mkdirSync, readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { isPortalId, type PortalId } from '#crdt-model/ids.ts';
import type { Commit, PortalStore, RelayStore, StoredDocument } from '../contract.ts';
import { noticesFor } from '../memory/notices.ts';
import { flattenCommit, Packer, unflattenEntry, unflattenHead, unflattenLogHead, Unpacker, type Packed } from './flat.ts';
import type { Question, QuestionInput, QuestionValue, Reply, Request, WorkerSettings } from './messages.ts';
import type { FlatDocument } from './portal-database.ts';

export interface SqliteRelayStoreOptions {
	/** Files held open at a time; see open-databases.ts. */
	readonly maxOpenDatabases?: number;
	/** Another worker, for tests of its death. */
	readonly worker?: URL;
}

interface Waiting {
	resolve(answer: { value: unknown; packed: Packed }): void;
	reject(error: Error): void;
}

type RequestBody = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

const EXTENSION = '.db';

export class SqliteRelayStore implements RelayStore {
	readonly #folder: string;
	readonly #worker: Worker;
	readonly #waiting = new Map<number, Waiting>();
	#lastId = 0;
	/** Why nothing is answered any more. */
	#ended: Error | null = null;
	#closing: Promise<void> | null = null;

	private constructor(folder: string, options: SqliteRelayStoreOptions) {
		this.#folder = folder;
		const settings: WorkerSettings = { folder, maxOpenDatabases: options.maxOpenDatabases };
		this.#worker = new Worker(options.worker ?? new URL('./worker.ts', import.meta.url), {
			workerData: settings,
			name: 'sqlite',
			// Without the flags of a test runner or debugger, whose loaders do not work in here. node:sqlite still warns that it is young.
			execArgv: ['--disable-warning=ExperimentalWarning']
		});
		this.#worker.on('message', (reply: Reply) => this.#settle(reply));
		this.#worker.on('error', (error) => this.#end(`the SQLite worker died: ${error instanceof Error ? error.message : String(error)}`));
		this.#worker.on('exit', () => this.#end('the SQLite worker ended'));
	}

	/** Makes the folder where there is none. Rejects with one sentence where the relay could not store anything. */
	static async open(folder: string, options: SqliteRelayStoreOptions = {}): Promise<SqliteRelayStore> {
		try {
			mkdirSync(folder, { recursive: true });
			accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
		} catch (error) {
			throw new Error(`${folder} cannot be used as the data folder: ${(error as Error).message}`, { cause: error });
		}
		return new SqliteRelayStore(folder, options);
	}

	async portal(id: PortalId): Promise<PortalStore> {
		// The id becomes a file's name.
		if (!isPortalId(id)) throw new Error(`not a portal id: ${String(id)}`);
		await this.#ask({ op: 'open', portal: id, input: null, packed: null });
		return this.#handle(id);
	}

	async portals(): Promise<PortalId[]> {
		if (this.#ended) throw this.#ended;
		const names = readdirSync(this.#folder).filter((name) => name.endsWith(EXTENSION));
		return names
			.map((name) => name.slice(0, -EXTENSION.length))
			.filter(isPortalId)
			.sort();
	}

	/** Waits for everything that was called before. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		if (this.#ended) return;
		const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
		const answered = this.#ask({ op: 'closeAll' });
		this.#ended = new Error('the store is closed');
		await answered;
		await exited;
	}

	#ask(request: RequestBody): Promise<{ value: unknown; packed: Packed }> {
		return new Promise((resolve, reject) => {
			if (this.#ended) return reject(this.#ended);
			const id = ++this.#lastId;
			const transfer = 'packed' in request && request.packed ? [request.packed.buffer] : [];
			this.#worker.postMessage({ ...request, id } satisfies Request, transfer);
			this.#waiting.set(id, { resolve, reject });
		});
	}

	#settle(reply: Reply): void {
		const waiting = this.#waiting.get(reply.id);
		this.#waiting.delete(reply.id);
		if (reply.ok) waiting?.resolve(reply);
		else waiting?.reject(new Error(reply.problem));
	}

	#end(reason: string): void {
		this.#ended ??= new Error(reason);
		const error = new Error(reason);
		for (const { reject } of this.#waiting.values()) reject(error);
		this.#waiting.clear();
	}

	#handle(portal: PortalId): PortalStore {
		let closed = false;
		const send = (op: Question | 'commit' | 'release', input: unknown, packed: Packed | null) => {
			if (closed) throw new Error(`the store of ${portal} is closed`);
			return this.#ask({ op, portal, input, packed });
		};
		const ask = async <Q extends Question>(op: Q, input: QuestionInput<Q>): Promise<[QuestionValue<Q>, Unpacker]> => {
			const { value, packed } = await send(op, input, null);
			return [value as QuestionValue<Q>, new Unpacker(packed)];
		};
		return {
			head: async () => unflattenLogHead(...(await ask('head', null))),
			commit: async (commit: Commit) => {
				const packer = new Packer();
				const flat = flattenCommit(commit, packer);
				await send('commit', flat, packer.packed());
			},
			heads: async (ids) => (await ask('heads', [...new Set(ids)]))[0].map(unflattenHead),
			load: async (ids) => unflattenDocuments(...(await ask('load', [...new Set(ids)]))),
			documentsOf: async (query) => unflattenDocuments(...(await ask('documentsOf', query))),
			headsOfKinds: async (kinds) => (await ask('headsOfKinds', kinds))[0].map(unflattenHead),
			ofScope: async (scope) => (await ask('ofScope', scope))[0].map(unflattenHead),
			entriesAfter: async (query) => {
				const [{ entries, reached }, bytes] = await ask('entriesAfter', query);
				return { entries: entries.map((entry) => unflattenEntry(entry, bytes)), reached };
			},
			reached: async (query) => {
				const [{ items, next }] = await ask('reached', query);
				return { items: items.map(unflattenHead), next };
			},
			digest: async (query) => (await ask('digest', query))[0],
			history: async (document, after, limit) => {
				const [entries, bytes] = await ask('history', { document, after, limit });
				return entries.map((entry) => unflattenEntry(entry, bytes));
			},
			notices: async ({ person, after }) => {
				const [told] = await ask('notices', { after });
				return noticesFor(person, told.map((entry) => ({ ...entry, overruled: JSON.parse(entry.overruled), swallowed: JSON.parse(entry.swallowed) })));
			},
			answers: async (commands) => (await ask('answers', [...new Set(commands)]))[0],
			bindings: async (document) => (await ask('bindings', document))[0],
			close: async () => {
				if (closed) return;
				const released = send('release', null, null);
				closed = true;
				await released;
			}
		};
	}
}

function unflattenDocuments(documents: readonly FlatDocument[], bytes: Unpacker): StoredDocument[] {
	return documents.map(({ hasSnapshot, tailLength, snapshotDocSeq, ...head }): StoredDocument => {
		const snapshot = hasSnapshot ? bytes.own() : null;
		const tail = Array.from({ length: tailLength }, () => bytes.own());
		return { ...unflattenHead(head), snapshot, snapshotDocSeq, tail };
	});
}
