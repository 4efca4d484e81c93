/**
 * The documents of the portal as a screen lists them, and what one may do with them. Pages that hang on records belong to their
 * records and are not among them.
 */
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import type { PageRow, TextRow } from '#crdt-model/kinds/page.ts';
import { m } from '#lib/paraglide/messages.js';
import type { RunResult } from '#lib/sync/engine.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import type { StoredRow } from '#storage/replica-contract.ts';

export type DocumentRow = StoredRow<PageRow> | StoredRow<TextRow>;
export type Shown = 'all' | 'company' | 'mine';
export type Order = 'updated' | 'title' | 'created';

const LISTED = ['company', 'mine'];

export class Documents {
	shown = $state<Shown>('all');
	order = $state<Order>('updated');
	search = $state('');
	readonly #workspace: Workspace;
	readonly #rows;
	readonly rows: readonly DocumentRow[] = $derived.by(() => this.#listed());

	constructor(workspace: Workspace) {
		this.#workspace = workspace;
		this.#rows = workspace.live<readonly DocumentRow[]>(
			() => async (database) => {
				const of = (kind: KindName) => database.rows(kind).where('place').anyOf(LISTED).toArray() as unknown as Promise<DocumentRow[]>;
				const [pages, texts] = await Promise.all([of('page'), of('text')]);
				return [...pages, ...texts].filter((row) => !row.deleted);
			},
			[]
		);
	}

	get ready(): boolean {
		return this.#rows.ready;
	}
	/** Before searching and choosing: what there is at all. */
	get total(): number {
		return this.#rows.current.length;
	}

	/** Made at once and kept here; the title can be changed on the spot. */
	async create(kind: 'page' | 'text', place: 'company' | 'mine'): Promise<DocumentId | null> {
		const document = this.#workspace.ids.document(kind);
		const title = kind === 'page' ? m.documents_untitled_page() : m.documents_untitled_text();
		return this.#done(await this.#workspace.run({ document, name: `${kind}.create`, args: { title, place } })) ? document : null;
	}

	async rename(row: DocumentRow, typed: string): Promise<void> {
		const title = typed.trim();
		if (title === '' || title === row.title) return;
		this.#done(await this.#workspace.run({ document: row.id, name: `${row.kind}.setTitle`, args: { value: title } }));
	}

	async move(row: DocumentRow, place: 'company' | 'mine'): Promise<void> {
		this.#done(await this.#workspace.run({ document: row.id, name: `${row.kind}.setPlace`, args: { value: place } }));
	}

	async remove(row: DocumentRow): Promise<boolean> {
		const gone = this.#done(await this.#workspace.run({ document: row.id, name: `${row.kind}.delete`, args: {} }));
		if (gone) {
			const restore = async (): Promise<void> => {
				this.#done(await this.#workspace.run({ document: row.id, name: `${row.kind}.restore`, args: {} }));
			};
			toasts.show(m.documents_deleted({ title: row.title }), { action: { label: m.common_undo(), run: () => void restore() } });
		}
		return gone;
	}

	#done(result: RunResult): boolean {
		if (result.kind !== 'kept') toasts.show(m.documents_refused(), { tone: 'bad' });
		return result.kind === 'kept';
	}

	#listed(): readonly DocumentRow[] {
		const words = plain(this.search).split(/\s+/u).filter(Boolean);
		const chosen = this.#rows.current.filter((row) => {
			if (this.shown !== 'all' && row.place !== this.shown) return false;
			if (words.length === 0) return true;
			const found = plain(`${row.title} ${this.#workspace.nameOf(row.createdBy)}`);
			return words.every((word) => found.includes(word));
		});
		const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
		const by: Record<Order, (a: DocumentRow, b: DocumentRow) => number> = {
			updated: (a, b) => b.updatedAt - a.updatedAt,
			created: (a, b) => b.createdAt - a.createdAt,
			title: (a, b) => collator.compare(a.title, b.title)
		};
		return chosen.sort((a, b) => by[this.order](a, b) || (a.id < b.id ? -1 : 1));
	}
}

/** Without case and accents: "sedinta" finds "Ședință". */
function plain(text: string): string {
	return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
