/**
 * The documents and files of the portal as a screen lists them, and what one may do with them. Pages that hang on records belong to their
 * records and are not among them.
 */
import type { DocumentId, KindName } from '#crdt-model/ids.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import type { PageRow, TextRow } from '#crdt-model/kinds/page.ts';
import { m } from '#lib/paraglide/messages.js';
import type { RunResult } from '#lib/sync/engine.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import { fileAddress } from '#lib/files/relay.ts';
import { save, saveBlob } from '#lib/files/save.ts';
import { KEPT_FILE_BYTES, type Added } from '#lib/files/shelf.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import type { StoredRow } from '#storage/replica-contract.ts';
import { reasonOf } from '../set-aside/reasons.ts';
import { hindrance } from '../set-aside/run.ts';

/** A file among documents: its name is its title. */
export type ListedFile = StoredRow<FileRow> & { readonly title: string };
export type DocumentRow = StoredRow<PageRow> | StoredRow<TextRow> | ListedFile;
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
				const [pages, texts, files] = await Promise.all([of('page'), of('text'), of('file') as unknown as Promise<StoredRow<FileRow>[]>]);
				return [...pages, ...texts, ...files.map(listed)].filter((row) => !row.deleted);
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
		if (await this.#isRefused(place)) return null;
		const document = this.#workspace.ids.document(kind);
		const title = kind === 'page' ? m.documents_untitled_page() : m.documents_untitled_text();
		return this.#done(await this.#workspace.run({ document, name: `${kind}.create`, args: { title, place } })) ? document : null;
	}

	/** Each is kept on this device and listed at once; its bytes go up after its record. */
	async add(chosen: Iterable<File>, place: 'company' | 'mine'): Promise<void> {
		if (await this.#isRefused(place)) return;
		let added = 0;
		for (const file of chosen) {
			const result = await this.#workspace.files.add(file, place);
			if (result.kind === 'added') added++;
			else toasts.show(addProblem(result, this.#workspace), { tone: 'bad', stayMs: 12_000 });
		}
		if (added > 0) toasts.show(m.documents_files_added({ count: added }));
	}

	/** Hands the bytes to the browser's downloads; from this device where they are here. */
	async download(row: ListedFile): Promise<void> {
		if (row.arrived && row.size > KEPT_FILE_BYTES && !(await this.#workspace.files.kept(row.digest))) return save(row.name, `${fileAddress(row.id)}?portal=${this.#workspace.portal}`);
		const bytes = await this.#workspace.files.bytesOf(row);
		if (!bytes) return this.#away(row);
		saveBlob(row.name, bytes);
	}

	async keep(row: ListedFile, kept: boolean): Promise<void> {
		if (!(await this.#workspace.files.pin(row, kept))) this.#away(row);
		else if (kept) toasts.show(m.documents_file_now_kept({ title: row.title }));
	}

	#away(row: ListedFile): void {
		toasts.show(m.documents_file_away({ title: row.title }), { tone: 'bad' });
	}

	async rename(row: DocumentRow, typed: string): Promise<void> {
		const title = typed.trim();
		if (title === '' || title === row.title) return;
		this.#done(await this.#workspace.run({ document: row.id, name: titleCommand(row.kind), args: { value: title } }));
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

	/** Says why nothing may be put there. What everybody reads is not everybody's to fill where the settings say so; of all kinds alike. */
	async #isRefused(place: 'company' | 'mine'): Promise<boolean> {
		const reason = place === 'mine' ? undefined : await hindrance(this.#workspace, { document: this.#workspace.ids.document('text'), name: 'text.create', args: { title: m.documents_untitled_text(), place } });
		if (reason !== undefined) toasts.show(reason, { tone: 'bad' });
		return reason !== undefined;
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

export const listed = (row: StoredRow<FileRow>): ListedFile => ({ ...row, title: row.name });

export const titleCommand = (kind: DocumentRow['kind']): string => (kind === 'file' ? 'file.setName' : `${kind}.setTitle`);

function addProblem(result: Exclude<Added, { kind: 'added' }>, workspace: Workspace): string {
	switch (result.kind) {
		case 'too-large':
			return m.documents_file_too_large({ name: result.name });
		case 'unreadable':
			return m.documents_file_unreadable({ name: result.name });
		case 'no-room':
			return m.documents_file_no_room({ name: result.name });
		case 'refused':
			return `${m.documents_file_refused({ name: result.name })} ${reasonOf(result.result.refusal, { directory: workspace.replica.directory, person: workspace.person, nameOf: (id) => workspace.nameOf(id) })}`;
	}
}

/** Without case and accents: "sedinta" finds "Ședință". */
function plain(text: string): string {
	return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
