/**
 * The reactive face of the replica: what every screen uses. One per tab; it opens the device's database, joins the person's other tabs, and
 * shows rows by live queries. Screens never touch Yjs.
 *
 * Promises: everything here works without a network; `status` says no more than is known (P9); signing out by `wipe` leaves nothing.
 * Leaves to others: the rules (crdt-model), the engine (engine.ts), sentences (messages).
 */
import { liveQuery } from 'dexie';
import type { Verdict } from '#crdt-model/access/decide.ts';
import { DIRECTORY_KINDS } from '#crdt-model/access/directory.ts';
import type { DocumentId, IdMaker, KindName, PersonId, PortalId } from '#crdt-model/ids.ts';
import { kindOf } from '#crdt-model/ids.ts';
import type { RowOf } from '#crdt-model/kinds/index.ts';
import type { Tariff } from '#crdt-model/tariff/tariff.ts';
import type { RecordState } from '#crdt-model/record/state.ts';
import { DexieReplicaStore } from '#storage/dexie/replica-store.ts';
import { relayDownload, relaySend } from '#lib/files/relay.ts';
import { FileShelf, UNNAMED_MS } from '#lib/files/shelf.ts';
import { Uploads, uploadsHere } from '#lib/files/uploads.ts';
import { databaseName, ReplicaDatabase, SCHEMA_VERSION, tariffOfRow, viewDatabaseName } from '#storage/dexie/schema.ts';
import type { AsideItem, StoredRow, SyncState } from '#storage/replica-contract.ts';
import { relayAddress, webSocketTransport } from './connection.ts';
import { Replica, type Draft, type LinkState, type OpenedPage, type Problem, type ReplicaStatus, type RunResult, type TabSignal } from './engine.ts';
import { Knocking } from './knocking.ts';
import { LOOK_EVERY_MS } from './lease.ts';
import { lead, takeSlot, type Held } from './leader.ts';
import { LivePage, type LiveState } from './live.ts';
import { OpeningRows } from './opening-rows.ts';

type TabMessage =
	| { readonly to: 'replica'; readonly signal: TabSignal }
	/** The leader's connection, for the tabs that have none. */
	| { readonly to: 'status'; readonly link: LinkState; readonly word: ReplicaStatus['word']; readonly problem: Problem | null; readonly received: number }
	/** Who is online, when it changes: apart from the rest, which is said with every edit. */
	| { readonly to: 'online'; readonly online: readonly PersonId[] | null; readonly waiting: number | null }
	| { readonly to: 'leader'; readonly ask: 'status' | 'reconnect' | 'retry' };

export interface LiveRecord<K extends KindName> {
	readonly row: StoredRow<RowOf[K]>;
	/** The whole state: comments, checklist, who wrote what and when. */
	readonly state: RecordState;
	readonly sync: SyncState;
}

export interface LiveValue<T> {
	readonly current: T;
	/** False until the first answer of the device's database, some milliseconds. */
	readonly ready: boolean;
}

export interface WorkspaceOptions {
	readonly portal: PortalId;
	readonly person: PersonId;
	/** An administrator looks on as the person. */
	readonly view?: { readonly id: string; readonly view: string; readonly viewer: PersonId } | undefined;
	/** Where the relay is; the page's own origin by default. */
	readonly origin?: string;
}

/** A page of the browser can name a view in no other header of a socket. */
function protocolsOf(view: WorkspaceOptions['view']): string[] {
	return view ? [`atrium.view.${view.view}`] : [];
}

export class Workspace {
	readonly portal: PortalId;
	readonly person: PersonId;
	/** An administrator who looks on as the person; everything is read only then. */
	readonly viewer: PersonId | null;
	readonly #protocols: string[];
	readonly replica: Replica;
	readonly database: ReplicaDatabase;
	readonly store: DexieReplicaStore;
	readonly slot: string;
	status = $state.raw<ReplicaStatus>({ word: 'on-device', link: 'off', pending: 0, aside: 0, problem: null, lockedSince: null, received: 0, online: null, waiting: null });
	/** This tab owns the connection. */
	leads = $state(false);
	/** Another tab runs a newer version: this one has let go of the database and offers a reload. */
	outdated = $state(false);
	/** Whether the browser promised not to clear the device's data by itself. */
	persistence = $state<'unknown' | 'granted' | 'refused'>('unknown');
	/** Apart from the status, which changes with every edit. */
	#isLocked = $state(false);
	#structure = $state(0);
	#online = $state.raw<ReadonlySet<PersonId> | null>(null);
	/** The set as the replica last had it: it has another one for each change. */
	#heardOnline: ReadonlySet<PersonId> | null = null;
	#waiting = $state<number | null>(null);
	#tariff = $state.raw<Tariff | null>(null);
	/** Own files whose records are accepted and whose bytes are still here. */
	#uploading = 0;
	/** The bytes of files on this device. */
	readonly files: FileShelf;
	readonly #uploads: Uploads;
	/** Lists of this tab that have yet to read what the database holds. */
	#behind = 0;
	#leaderSays = $state.raw<Pick<ReplicaStatus, 'link' | 'word' | 'problem' | 'received'> | null>(null);
	readonly #origin: string;
	readonly #channel: BroadcastChannel;
	readonly #slotLock: Held;
	readonly #opening: OpeningRows;
	#leadership: Held | null = null;
	readonly #endings: (() => void)[] = [];
	readonly #knocking = new Knocking({
		timers: { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer as number) },
		fraction: () => Math.random(),
		isSeen: () => document.visibilityState === 'visible',
		knock: () => this.retry()
	});
	#wasAdmitted = false;
	#closed = false;

	private constructor(options: WorkspaceOptions, parts: { replica: Replica; store: DexieReplicaStore; channel: BroadcastChannel; slot: Held & { slot: string }; opening: OpeningRows }) {
		this.portal = options.portal;
		this.person = options.person;
		this.viewer = options.view?.viewer ?? null;
		this.#protocols = protocolsOf(options.view);
		this.#origin = options.origin ?? location.origin;
		this.replica = parts.replica;
		this.store = parts.store;
		this.database = parts.store.database;
		this.#channel = parts.channel;
		this.slot = parts.slot.slot;
		this.#slotLock = parts.slot;
		this.#opening = parts.opening;
		this.#endings.push(() => parts.opening.end());
		const { database, replica } = this;
		this.files = new FileShelf({ database, newId: () => replica.ids.document('file'), run: (drafts) => replica.run(drafts), download: relayDownload(this.#origin, this.portal, options.view?.view) });
		this.#uploads = new Uploads({ database, person: this.person, send: relaySend(this.#origin, this.portal) });
	}

	static async open(options: WorkspaceOptions): Promise<Workspace> {
		const { portal, person, view } = options;
		const name = view ? viewDatabaseName(view.id) : databaseName(portal, person);
		const store = new DexieReplicaStore(new ReplicaDatabase(name));
		const channel = new BroadcastChannel(`atrium:tabs:${name}`);
		const [slot] = await Promise.all([takeSlot(`atrium:slot:${name}`), store.database.open()]);
		const opening = new OpeningRows(store.database);
		const replica = await Replica.open({
			portal,
			person,
			viewer: view?.viewer ?? null,
			tab: slot.slot,
			steady: () => performance.now(),
			store,
			transport: webSocketTransport(relayAddress(`/sync?portal=${portal}`, options.origin ?? location.origin), protocolsOf(view)),
			signal: (signal) => channel.postMessage({ to: 'replica', signal } satisfies TabMessage),
			onDirectory: (rows) => opening.hold(DIRECTORY_KINDS, rows)
		});
		const workspace = new Workspace(options, { replica, store, channel, slot, opening });
		workspace.#start(name);
		return workspace;
	}

	get ids(): IdMaker {
		return this.replica.ids;
	}

	/** Runs commands as one batch: kept and shown at once, or refused at once with the reason. */
	run(...drafts: Draft[]): Promise<RunResult> {
		return this.replica.run(drafts);
	}

	/** What the rule book says of a draft now: greys a button and says why. */
	may(...drafts: Draft[]): Promise<Verdict> {
		return this.replica.may(...drafts);
	}

	/** A person's name; read it in markup or `$derived`, it follows the directory. */
	nameOf(person: PersonId | null | undefined): string {
		void this.#structure;
		return person ? this.replica.nameOf(person) : '';
	}

	/** The version of the company's structure; read it to depend on `replica.directory`. */
	get structure(): number {
		return this.#structure;
	}

	/**
	 * A live query of the device's database. Call it while a component or effect is set up.
	 * @param query reads what it depends on, and answers with the query itself: `() => { const s = stage; return (db) => db.rows('deal').where('stage').equals(s).toArray(); }`
	 */
	live<T>(query: () => (database: ReplicaDatabase) => Promise<T> | T, initial: T): LiveValue<T> {
		let current = $state.raw(initial);
		let ready = $state(false);
		$effect(() => {
			// A locked device shows nothing of what it holds.
			if (this.#isLocked) {
				current = initial;
				return;
			}
			const ask = query();
			const subscription = liveQuery(() => ask(this.database)).subscribe({
				next: (value) => {
					current = value;
					ready = true;
				},
				// The database was closed under the query (sign-out, a newer version): the last answer stands.
				error: () => {}
			});
			return () => subscription.unsubscribe();
		});
		return {
			get current() {
				return current;
			},
			get ready() {
				return ready;
			}
		};
	}

	/** The table of a kind's rows, for queries: `database.rows(kind)` with its row type. */
	rows<K extends KindName>(kind: K) {
		return this.database.rows(kind) as unknown as import('dexie').Table<StoredRow<RowOf[K]>, DocumentId<K>>;
	}

	/** All rows of a kind without a reading, where the replica has just read them and nobody wrote since; once for each kind. */
	rowsAtOpening<K extends KindName>(kind: K): readonly StoredRow<RowOf[K]>[] | null {
		return this.#opening.take(kind) as readonly StoredRow<RowOf[K]>[] | null;
	}

	/** One record, live. `current` is null where it is not on this device. */
	record<K extends KindName>(id: () => DocumentId<K> | null): LiveValue<LiveRecord<K> | null> {
		return this.live<LiveRecord<K> | null>(() => {
			const asked = id();
			return async () => {
				if (!asked || kindOf(asked) === null) return null;
				const row = await this.rows(kindOf(asked) as K).get(asked);
				return row ? { row, state: await this.replica.state(asked), sync: row.sync } : null;
			};
		}, null);
	}

	/** Whether a person has the portal open; null where nobody can say, as without a connection. Read it in markup or `$derived`. */
	isOnline(person: PersonId): boolean | null {
		return this.#online === null ? null : person === this.person || this.#online.has(person);
	}
	/** Everybody who has the portal open, this person too; null as above. */
	get online(): ReadonlySet<PersonId> | null {
		return this.#online;
	}
	/** How many people ask to be let in; null for whoever is not told, and without a connection. */
	get waiting(): number | null {
		return this.#waiting;
	}

	/** The portal's tariff as the relay last said it, known without a network; null before the first visit. Read it in markup or `$derived`. */
	get tariff(): Tariff | null {
		return this.#tariff;
	}

	/** What lies in Set aside, newest first. */
	asideItems(): LiveValue<AsideItem[]> {
		return this.live(() => (database) => database.aside.orderBy('at').reverse().toArray(), []);
	}

	/** A list says that it shows less than the database holds: until it calls back, nothing is called up to date (P9). */
	fallBehind(): () => void {
		this.#behind++;
		// Not at once: lists begin while something is being drawn.
		if (this.#behind === 1) queueMicrotask(() => !this.#closed && this.#showStatus());
		let caughtUp = false;
		return () => {
			if (caughtUp) return;
			caughtUp = true;
			this.#behind--;
			if (this.#behind === 0 && !this.#closed) this.#showStatus();
		};
	}

	/** @param id a page or text, or the record whose page is meant */
	openPage(id: DocumentId): Promise<OpenedPage> {
		return this.replica.openPage(id, this.slot);
	}

	/** Company on an open page. Make another after each `onReset`; destroy it before `release`. */
	goLive(page: OpenedPage, color: string, onState?: (state: LiveState) => void): LivePage {
		const user = { name: this.replica.nameOf(this.person), color };
		const live = new LivePage({ replica: this.replica, page, address: relayAddress('/live', this.#origin), portal: this.portal, user, protocols: this.#protocols, ...(onState && { onState }) });
		live.start();
		return live;
	}

	/** After signing in again: the connection was given up with `problem: 'sign-in'`. */
	reconnect(): void {
		if (this.leads) this.replica.connect();
		else this.#say({ to: 'leader', ask: 'reconnect' });
	}

	/** Does not wait for the next attempt. */
	retry(): void {
		if (this.leads) this.replica.wake();
		else this.#say({ to: 'leader', ask: 'retry' });
	}

	/** Asks the browser to keep the data; some ask the person, so call it from a gesture. */
	async persist(): Promise<void> {
		if (!navigator.storage?.persist || this.viewer) return;
		this.persistence = (await navigator.storage.persist()) ? 'granted' : 'refused';
	}

	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		this.#letGo();
		await this.replica.close();
	}

	/** Signing out for good, or dismissal: nothing of this person stays on the device. */
	async wipe(): Promise<void> {
		this.#closed = true;
		this.#letGo();
		await this.replica.close().catch(() => {
			// What could not be kept any more is about to be wiped.
		});
		await this.replica.store.wipe();
	}

	#start(name: string): void {
		this.#channel.onmessage = ({ data }) => this.#hear(data as TabMessage);
		const tariff = liveQuery(() => this.database.meta.get('tariff')).subscribe({
			next: (row) => (this.#tariff = tariffOfRow(row)),
			// The database was closed under the query: the last answer stands.
			error: () => {}
		});
		const contact = liveQuery(() => this.database.meta.get('contact')).subscribe({
			// Another tab may have reached the relay for this one.
			next: () => void this.replica.lease.heard().catch(() => {}),
			error: () => {}
		});
		const looking = setInterval(() => void this.replica.lease.look().catch(() => {}), LOOK_EVERY_MS);
		this.#endings.push(() => {
			tariff.unsubscribe();
			contact.unsubscribe();
			clearInterval(looking);
		});
		this.#watchFiles();
		this.#endings.push(this.replica.onStatus(() => this.#showStatus()));
		this.database.on('versionchange', () => {
			void this.#yield();
			// Dexie's own answer would close before the last words are kept.
			return false;
		});
		const onOnline = () => {
			this.replica.networkChanged(true);
			this.#uploads.wake();
			this.#knocking.lookedAt();
		};
		const onOffline = () => this.replica.networkChanged(false);
		const onHide = () => void this.replica.flush().catch(() => {});
		const onFocus = () => this.#knocking.lookedAt();
		const onVisibility = () => {
			if (document.visibilityState === 'hidden') return onHide();
			this.replica.wake();
			onFocus();
		};
		window.addEventListener('online', onOnline);
		window.addEventListener('offline', onOffline);
		window.addEventListener('pagehide', onHide);
		window.addEventListener('blur', onHide);
		window.addEventListener('focus', onFocus);
		document.addEventListener('visibilitychange', onVisibility);
		this.#endings.push(() => {
			window.removeEventListener('online', onOnline);
			window.removeEventListener('offline', onOffline);
			window.removeEventListener('pagehide', onHide);
			window.removeEventListener('blur', onHide);
			window.removeEventListener('focus', onFocus);
			document.removeEventListener('visibilitychange', onVisibility);
		});
		this.#leadership = lead(`atrium:leader:${name}:${SCHEMA_VERSION}`, () => {
			if (this.#closed) return;
			this.leads = true;
			this.#leaderSays = null;
			this.replica.connect();
			// Whoever looks on sends nothing.
			if (!this.viewer) this.#uploads.start();
			void this.files.sweep().catch(() => {});
		});
		void navigator.storage?.persisted?.().then((granted) => {
			if (granted) this.persistence = 'granted';
		});
		this.#say({ to: 'leader', ask: 'status' });
		this.#showStatus();
	}

	/** Bytes go up when their records are accepted, and leave this device with the last record that names them. */
	#watchFiles(): void {
		const sweep = () => {
			if (this.leads && !this.#closed) void this.files.sweep().catch(() => {
				// The database is closing; the next start sweeps.
			});
		};
		const waiting = liveQuery(() => uploadsHere(this.database, this.person)).subscribe({
			next: (count) => {
				this.#uploading = count;
				this.#uploads.wake();
				this.#showStatus();
			},
			error: () => {}
		});
		const held = liveQuery(() => Promise.all([this.database.rows('file').toCollection().primaryKeys(), this.database.aside.count()])).subscribe({ next: sweep, error: () => {} });
		const timer = setInterval(sweep, UNNAMED_MS);
		this.#endings.push(() => {
			waiting.unsubscribe();
			held.unsubscribe();
			clearInterval(timer);
			this.#uploads.stop();
		});
	}

	#hear(message: TabMessage): void {
		if (message.to === 'replica') {
			void this.replica.heard(message.signal).catch(() => {
				// The database is closing under this tab; the other tab has committed what it said.
			});
		} else if (message.to === 'status') {
			if (this.leads) return;
			this.#leaderSays = message;
			this.#showStatus();
		} else if (message.to === 'online') {
			if (!this.leads) this.#showOnline(message.online && new Set(message.online), message.waiting);
		} else if (this.leads && message.ask === 'reconnect') this.replica.connect();
		else if (this.leads && message.ask === 'retry') this.replica.wake();
		else if (this.leads) {
			this.#sayStatus();
			this.#sayOnline();
		}
	}

	#showStatus(): void {
		this.#structure = this.replica.structure;
		const own = this.replica.status();
		this.#isLocked = own.lockedSince !== null;
		const says = this.#leaderSays;
		// Own work that the leader has not counted yet is still on its way.
		const followed = this.leads || !says ? own : { ...own, link: says.link, problem: own.problem ?? says.problem, word: says.word, received: says.received };
		const counted = { ...followed, pending: followed.pending + this.#uploading };
		this.#knocking.outside(counted.problem === 'not-from-here' && !this.#closed);
		this.status = counted.word === 'up-to-date' && (counted.pending > 0 || own.pending > 0 || this.#behind > 0) ? { ...counted, word: 'sending' } : counted;
		if (!this.leads) return;
		const isAdmitted = own.link === 'admitted';
		// Bytes that were refused as from outside, or met no relay, do not wait out their pause.
		if (isAdmitted && !this.#wasAdmitted) this.#uploads.wake();
		this.#wasAdmitted = isAdmitted;
		this.#sayStatus();
		if (own.online === this.#heardOnline && own.waiting === this.#waiting) return;
		this.#heardOnline = own.online;
		this.#showOnline(own.online, own.waiting);
		this.#sayOnline();
	}

	#showOnline(online: ReadonlySet<PersonId> | null, waiting: number | null): void {
		this.#online = online;
		this.#waiting = waiting;
	}
	#sayOnline(): void {
		this.#say({ to: 'online', online: this.#online && [...this.#online], waiting: this.#waiting });
	}

	#sayStatus(): void {
		const { link, word, problem, received } = this.replica.status();
		this.#say({ to: 'status', link, word, problem, received });
	}

	#say(message: TabMessage): void {
		if (!this.#closed) this.#channel.postMessage(message);
	}

	/** A newer version of the app wants the database: keep the last words, then let go. */
	async #yield(): Promise<void> {
		await this.replica.flush().catch(() => {
			// Nothing more can be kept here; the newer tab has all that was.
		});
		this.outdated = true;
		await this.close();
	}

	#letGo(): void {
		this.#knocking.outside(false);
		for (const end of this.#endings) end();
		this.#leadership?.release();
		this.#slotLock.release();
		this.#channel.close();
		this.leads = false;
	}
}
