/**
 * Open pages and texts: a Y.Doc for the editor, and every local edit of it kept as pending work at once.
 *
 * Promises: an edit is in the store at most FLUSH_MS after it was typed, and at every flush (P3); the Y.Doc is canonical state plus what
 * is pending, never more; a client id is continued only where the relay cannot know more of it than this store (DESIGN.md 5); a
 * page of a record comes into being with its first edit.
 * Leaves to others: `/live` (live.ts), sending (conversation.ts), the editor.
 */
import { pageOf, type DocumentId } from '#crdt-model/ids.ts';
import { stateOf } from '#crdt-model/page/ranges.ts';
import { MAX_TITLE_LENGTH } from '#crdt-model/record/parts.ts';
import { MAX_UPDATE_BYTES } from '#crdt-model/wire/limits.ts';
import { refuse } from '#crdt-model/wire/refusal.ts';
import type { PendingUpdate, ReplicaTransaction } from '#storage/replica-contract.ts';
import * as Y from 'yjs';
import { asideTail } from './aside.ts';
import type { Core } from './core.ts';
import { draftBatch } from './drafts.ts';
import type { Outcome } from './outcome.ts';
import { pendingBatch } from './runs.ts';
import { updateId } from './settle.ts';
import { docOf } from './shadows.ts';
import { joined, piecesOf } from './update-bytes.ts';
import { hasContent, refreshRows } from './view.ts';

/** Typing is gathered for so long before it is kept: a quarter of a second is all that a crash may cost. */
export const FLUSH_MS = 250;
/** Unsent edits of one hand are joined up to this size: an offline day is then some hundred submissions, not thousands. */
const JOIN_BYTES = 16 * 1024;

/** What an editor holds. */
export interface OpenedPage {
	readonly document: DocumentId;
	/** Replaced after a reset: take it from here or from `onReset`, never keep the old one. */
	readonly doc: Y.Doc;
	readonly clientId: number;
	/** Whether the relay has the page: only then can `/live` be asked for it. */
	isAccepted(): Promise<boolean>;
	/** Whether edits of it wait here that the relay has not taken yet. */
	hasTail(): Promise<boolean>;
	/** The tail was set aside and the document built anew, or (null) the page left the device. */
	onReset(listener: (doc: Y.Doc | null) => void): () => void;
	/** Keeps what was typed until now. Before the tab hides, and before a page closes. */
	flush(): Promise<void>;
	release(): Promise<void>;
}

type AfterEdit = (page: OpenPage, bytes: Uint8Array) => void;
type OnReleased = (page: OpenPage) => void;
/** The part of an outcome that open pages care about. */
type Committed = { readonly pages: Outcome['pages']; readonly reset: readonly DocumentId[]; readonly lost: readonly DocumentId[] };

class OpenPage implements OpenedPage {
	readonly document: DocumentId;
	readonly slot: string;
	/** The record whose page it becomes with the first edit. */
	readonly on: DocumentId | null;
	readonly #core: Core;
	readonly #afterEdit: AfterEdit;
	readonly #onReleased: OnReleased;
	readonly #listeners = new Set<(doc: Y.Doc | null) => void>();
	doc: Y.Doc = new Y.Doc();
	/** The one that is being filled; the same as `doc` once it is. */
	#building: Y.Doc = this.doc;
	/** Nobody may type before: what has no listener yet would not be kept. */
	loaded: Promise<void> = Promise.resolve();
	users = 0;
	live = false;
	#buffer: Uint8Array[] = [];
	#timer: unknown = null;
	#flushing: Promise<void> = Promise.resolve();
	#released = false;

	constructor(core: Core, document: DocumentId, slot: string, on: DocumentId | null, afterEdit: AfterEdit, onReleased: OnReleased) {
		this.#core = core;
		this.document = document;
		this.slot = slot;
		this.on = on;
		this.#afterEdit = afterEdit;
		this.#onReleased = onReleased;
	}

	get clientId(): number {
		return this.doc.clientID;
	}

	/** Fills the document from the store; entries that arrive meanwhile are applied beside it and mean the same. */
	load(): Promise<void> {
		this.loaded = this.#build().then((doc) => void (this.doc = doc));
		return this.loaded;
	}

	async #build(): Promise<Y.Doc> {
		const doc = (this.#building = new Y.Doc());
		const { canonical, tail, slot } = await this.#core.read(async (reads) => ({
			canonical: (await reads.canonical([this.document])).get(this.document),
			tail: (await reads.pendingOn([this.document])).filter((item): item is PendingUpdate => item.kind === 'update'),
			slot: await reads.slot(this.document, this.slot)
		}));
		const accepted = docOf(canonical);
		const continued =
			slot && !slot.live && !tail.some((item) => item.clientId === slot.clientId) && stateOf(accepted, slot.clientId) === slot.clock;
		doc.transact(() => {
			Y.applyUpdate(doc, Y.encodeStateAsUpdate(accepted), 'sync');
			for (const item of tail) Y.applyUpdate(doc, item.bytes, 'sync');
		}, 'sync');
		// Only now: Yjs 13 draws another id when content under the document's own arrives from outside.
		doc.clientID = continued ? slot.clientId : Math.floor(this.#core.fraction() * 2 ** 32);
		accepted.destroy();
		doc.on('update', (bytes: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
			// What came in from elsewhere, over /sync or /live, is not this person's edit.
			if (transaction.local && doc === this.doc && !this.#core.viewer) this.#keep(bytes);
		});
		return doc;
	}

	apply(bytes: Uint8Array): void {
		for (const doc of new Set([this.doc, this.#building])) Y.applyUpdate(doc, bytes, 'sync');
	}

	async isAccepted(): Promise<boolean> {
		return this.#core.read(async (reads) => (await reads.heads([this.document])).has(this.document));
	}

	async hasTail(): Promise<boolean> {
		if (this.#buffer.length > 0) return true;
		return this.#core.read(async (reads) => (await reads.pendingOn([this.document])).some((item) => item.kind === 'update'));
	}

	onReset(listener: (doc: Y.Doc | null) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#keep(bytes: Uint8Array): void {
		this.#buffer.push(bytes);
		this.#timer ??= this.#core.timers.set(() => {
			this.#timer = null;
			void this.flush().catch(() => {
				// Said by storageProblem; the edit waits in the buffer for the next attempt.
			});
		}, FLUSH_MS);
	}

	flush(): Promise<void> {
		// While the document is built anew, what was typed into the old one must not become pending under its dead id.
		this.#flushing = this.#flushing
			.catch(() => {})
			.then(() => this.loaded)
			.then(() => this.#flush());
		return this.#flushing;
	}

	async #flush(): Promise<void> {
		if (this.#buffer.length === 0) return;
		const taken = this.#buffer;
		this.#buffer = [];
		const { doc } = this;
		const bytes = taken.length === 1 ? taken[0]! : Y.mergeUpdates(taken);
		const clock = stateOf(doc, doc.clientID);
		try {
			await this.#core.transact((tx) => this.#store(tx, doc.clientID, bytes, clock));
		} catch (fault) {
			this.#buffer = [...taken, ...this.#buffer];
			this.#core.storageProblem = fault instanceof Error ? fault.message : String(fault);
			this.#core.changed();
			throw fault;
		}
		this.#afterEdit(this, bytes);
	}

	async #store(tx: ReplicaTransaction, clientId: number, bytes: Uint8Array, clock: number): Promise<void> {
		const { document, slot } = this;
		await this.#hang(tx);
		const on = this.on ?? ((await tx.rows([document])).get(document) as { on?: DocumentId | null } | undefined)?.on ?? null;
		const last = (await tx.pendingOn([document])).filter((item): item is PendingUpdate => item.kind === 'update').at(-1);
		const join = last && last.clientId === clientId && last.slot === slot && !last.tried && last.bytes.byteLength + bytes.byteLength <= JOIN_BYTES;
		const both = join ? joined(last.bytes, bytes) : null;
		if (both) await tx.putPending([{ ...last!, id: updateId(this.#core.ids), bytes: both }]);
		else {
			await tx.addPending(
				piecesOf(bytes, MAX_UPDATE_BYTES).map((piece) => ({
					kind: 'update',
					id: updateId(this.#core.ids),
					documents: [document],
					at: this.#core.now(),
					state: 'kept',
					tried: false,
					bytes: piece,
					clientId,
					slot,
					on,
					rebased: 0
				}))
			);
		}
		await tx.putSlot({ document, slot, clientId, clock, live: this.live });
		await refreshRows(this.#core, tx, [document]);
	}

	/** A record's page is made by its first edit, in the same transaction and before it. */
	async #hang(tx: ReplicaTransaction): Promise<void> {
		const { document, on } = this;
		if (!on || (await tx.heads([document])).has(document)) return;
		if ((await tx.pendingOn([document])).some((item) => item.kind === 'batch')) return;
		const row = (await tx.rows([on])).get(on) as { title?: string; name?: string } | undefined;
		const title = (row?.title ?? row?.name ?? '—').slice(0, MAX_TITLE_LENGTH);
		const drafted = await draftBatch(this.#core, tx, [{ document, name: 'page.hang', args: { title, on } }], this.#core.now());
		// Where the rule book says no, the relay will say so too, and the text goes to Set aside with its reason.
		if (drafted.kind === 'drafted') await tx.addPending([pendingBatch(drafted.batch, this.#core.now())]);
	}

	/** Told before `/live` may carry an edit away that is not kept here yet. */
	async markLive(live: boolean): Promise<void> {
		this.live = live;
		if (!live) return;
		const { document, slot, doc } = this;
		await this.#core.transact((tx) => tx.putSlot({ document, slot, clientId: doc.clientID, clock: stateOf(doc, doc.clientID), live: true }));
	}

	/** Another tab's replica set the tail aside: what is still in this tab's buffer builds on it. */
	async rebuild(gone: boolean): Promise<void> {
		await this.#flushing.catch(() => {});
		const old = this.doc;
		// Also where the page left the device: it may come back, and what is typed until then must not be lost.
		await this.load();
		const rest = this.#buffer;
		this.#buffer = [];
		if (rest.length > 0) await this.#setAside(rest);
		for (const listener of this.#listeners) listener(gone ? null : this.doc);
		old.destroy();
	}

	async #setAside(updates: readonly Uint8Array[]): Promise<void> {
		const { document, slot } = this;
		const tail: PendingUpdate[] = updates.map((bytes, order) => ({
			kind: 'update', order, id: updateId(this.#core.ids), documents: [document], at: this.#core.now(), state: 'kept', tried: false, bytes,
			clientId: this.clientId, slot, on: this.on, rebased: 0
		}));
		const reason = refuse('denied', 'builds on what was set aside');
		await this.#core.transact(async (tx) => {
			const item = await asideTail(this.#core, tx, document, tail, reason, null);
			if (item) await tx.addAside([item]);
		});
	}

	async release(): Promise<void> {
		if (--this.users > 0 || this.#released) return;
		this.#released = true;
		await this.flush();
		if (this.#timer !== null) this.#core.timers.clear(this.#timer);
		const { document, slot, doc } = this;
		await this.#core.transact(async (tx) => {
			const kept = await tx.slot(document, slot);
			if (kept?.live && kept.clientId === doc.clientID) await tx.putSlot({ ...kept, clock: stateOf(doc, doc.clientID), live: false });
		});
		this.#onReleased(this);
		doc.destroy();
	}
}

export class Pages {
	readonly #core: Core;
	readonly #wake: () => void;
	readonly #open = new Map<string, OpenPage>();

	constructor(core: Core, wake: () => void) {
		this.#core = core;
		this.#wake = wake;
	}

	/** @param id a page or text, or the record whose page is meant */
	async open(id: DocumentId, slot: string): Promise<OpenedPage> {
		const on = hasContent(id) ? null : id;
		const document = on ? pageOf(on) : id;
		const key = `${document}|${slot}`;
		let page = this.#open.get(key);
		if (page) {
			page.users++;
			await page.loaded;
			return page;
		}
		page = new OpenPage(
			this.#core, document, slot, on,
			(edited, bytes) => this.#edited(edited, bytes),
			() => this.#open.delete(key)
		);
		page.users = 1;
		this.#open.set(key, page);
		try {
			await page.load();
		} catch (fault) {
			this.#open.delete(key);
			throw fault;
		}
		return page;
	}

	async flush(documents?: readonly DocumentId[]): Promise<void> {
		const asked = documents && new Set(documents);
		for (const page of this.#open.values()) if (!asked || asked.has(page.document)) await page.flush();
	}

	async markLive(document: DocumentId, live: boolean): Promise<void> {
		for (const page of this.#of(document)) {
			await page.flush();
			await page.markLive(live);
		}
	}

	/** Canonical bytes, or another tab's edit. */
	apply(document: DocumentId, bytes: Uint8Array, except?: OpenPage): void {
		for (const page of this.#of(document)) if (page !== except) page.apply(bytes);
	}

	async committed({ pages, reset, lost }: Committed): Promise<void> {
		for (const { document, bytes } of pages) this.apply(document, bytes);
		const gone = new Set(lost);
		for (const document of new Set([...reset, ...lost])) {
			for (const page of this.#of(document)) await page.rebuild(gone.has(document));
		}
	}

	async close(): Promise<void> {
		await this.flush();
	}

	#edited(page: OpenPage, bytes: Uint8Array): void {
		this.apply(page.document, bytes, page);
		this.#core.signal({ kind: 'edit', document: page.document, bytes });
		this.#wake();
	}

	#of(document: DocumentId): OpenPage[] {
		return [...this.#open.values()].filter((page) => page.document === document);
	}
}
