/**
 * An open page or text: its Y.Doc for an editor, the company on it, and whether one may write.
 *
 * Promises: one Y.Doc of a document is open at a time in this tab (a closing one is waited for); after a reset the editor gets the new Y.Doc
 * and the person is told that something was set aside; what was typed is kept before it closes.
 * Leaves to others: keeping and sending (lib/sync), drawing (rich/, plain/).
 */
import type { Verdict } from '#crdt-model/access/decide.ts';
import { kindOf, pageOf, type DocumentId, type KindName } from '#crdt-model/ids.ts';
import type { PageRow } from '#crdt-model/kinds/page.ts';
import { m } from '#lib/paraglide/messages.js';
import type { OpenedPage } from '#lib/sync/engine.ts';
import type { LivePage } from '#lib/sync/live.ts';
import type { LiveValue, Workspace } from '#lib/sync/workspace.svelte.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import type { Doc } from 'yjs';

/** Somebody else who has the document open. */
export interface Companion {
	readonly id: string;
	readonly name: string;
	readonly color: string;
}

/** The relay stamps the colour that others see; this one shows nowhere but in the own presence until then. */
const OWN_COLOUR = '#4355b9';

/** Closing keeps what was typed, which takes a moment: a document is opened again only after that. */
const closing = new Map<DocumentId, Promise<void>>();

export class OpenContent {
	state = $state<'opening' | 'open' | 'left' | 'failed'>('opening');
	doc = $state.raw<Doc | null>(null);
	live = $state.raw<LivePage | null>(null);
	companions = $state.raw<readonly Companion[]>([]);
	readonly #workspace: Workspace;
	readonly #asked: DocumentId;
	#page: OpenedPage | null = null;
	#stopListening: (() => void) | null = null;
	#ended = false;

	/** @param asked a page or text, or the record whose page is meant */
	constructor(workspace: Workspace, asked: DocumentId) {
		this.#workspace = workspace;
		this.#asked = asked;
		void this.#open();
	}

	async end(): Promise<void> {
		if (this.#ended) return;
		this.#ended = true;
		const page = this.#page;
		if (!page) return;
		this.#stopListening?.();
		const done = (async () => {
			await this.live?.destroy();
			await page.release();
		})()
			.catch(() => {
				// The store is closing: it keeps what was typed by itself, and says so where it cannot.
			})
			.finally(() => closing.delete(page.document));
		closing.set(page.document, done);
		await done;
	}

	async #open(): Promise<void> {
		const document = contentOf(this.#asked);
		try {
			await closing.get(document);
			if (this.#ended) return;
			const page = await this.#workspace.openPage(this.#asked);
			this.#page = page;
			if (this.#ended) {
				this.#ended = false;
				return await this.end();
			}
			this.#stopListening = page.onReset((doc) => this.#reset(doc));
			this.#show(page.doc);
		} catch (fault) {
			console.error(fault);
			this.state = 'failed';
		}
	}

	#show(doc: Doc): void {
		const live = this.#workspace.goLive(this.#page!, OWN_COLOUR);
		const { awareness } = live;
		const look = (): void => {
			if (this.live === live) this.companions = companionsOf(awareness.getStates(), this.#workspace.person);
		};
		awareness.on('change', look);
		this.live = live;
		this.doc = doc;
		this.state = 'open';
		look();
	}

	#reset(doc: Doc | null): void {
		this.companions = [];
		// The old one ends by itself at a reset.
		this.live = null;
		this.doc = null;
		if (doc) {
			toasts.show(m.documents_set_aside(), { tone: 'bad', stayMs: 10_000 });
			this.#show(doc);
		} else this.state = 'left';
	}
}

/** The document that holds the content: the thing itself, or a record's page. */
export function contentOf(id: DocumentId): DocumentId {
	const kind = kindOf(id);
	return kind === 'page' || kind === 'text' ? id : pageOf(id);
}

/** What the rule book says of writing here, live. Null until the device has answered, or where it does not hold the document. */
export function writeVerdict(workspace: Workspace, document: () => DocumentId): LiveValue<Verdict | null> {
	return workspace.live<Verdict | null>(() => {
		const asked = document();
		void workspace.structure;
		return async (database) => {
			const content = contentOf(asked);
			const row = (await database.rows(kindOf(content) as KindName).get(content)) as unknown as PageRow | undefined;
			const on = row?.on ?? (content === asked ? null : asked);
			// Read for its own sake too: rights on a record's page change with the record.
			const record = on && (await database.rows(kindOf(on)!).get(on));
			if (row) return workspace.may({ document: content, name: `${row.kind}.setTitle`, args: { value: row.title } });
			return record ? workspace.may({ document: content, name: 'page.hang', args: { title: '—', on } }) : null;
		};
	}, null);
}

function companionsOf(states: ReadonlyMap<number, Record<string, unknown>>, self: string): Companion[] {
	const found = new Map<string, Companion>();
	for (const state of states.values()) {
		const user = state.user as Partial<Companion> | undefined;
		if (typeof user?.id !== 'string' || typeof user.name !== 'string' || typeof user.color !== 'string' || user.id === self) continue;
		found.set(user.id, { id: user.id, name: user.name, color: user.color });
	}
	return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
