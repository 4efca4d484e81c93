/**
 * Photos of people for every avatar of the tab, and who of them is online.
 *
 * Promises: one object URL per picture however often it is shown; bytes come from the device, from the relay only for what is in sight, a few at a time, the
 * latest wish first; a URL that nobody shows is kept for a while, so that scrolling back costs nothing, and freed then.
 * Leaves to others: keeping bytes (files/shelf.ts), who may read them (the relay).
 */
import { SvelteMap } from 'svelte/reactivity';
import { FACE_TYPES, type FileRow } from '#crdt-model/kinds/file.ts';
import type { DocumentId, PersonId } from '#crdt-model/ids.ts';
import type { Workspace } from '#lib/sync/workspace.svelte.ts';
import type { Faces } from '#lib/ui/faces.ts';

type FaceId = DocumentId<'file'>;

/** Beside what the app asks the relay for otherwise. */
const LOADS_AT_ONCE = 4;
/** A list that is scrolled fast passes pictures that nobody will see. */
const SETTLE_MS = 60;
/** Between two wishes for what could not be had, while it is in sight. */
const RETRY_MS = 30_000;
/** Pictures of 512 × 512 take some 40 kB each as they are, and are decoded only while shown. */
const KEPT_UNUSED = 200;

export class PersonFaces implements Faces {
	/** Undefined while no screen may be drawn. */
	readonly #workspace: () => Workspace | undefined;
	readonly #urls = new SvelteMap<FaceId, string>();
	/** How many avatars show it; in the map with zero: kept for later, oldest first. */
	readonly #holders = new Map<FaceId, number>();
	#wanted: FaceId[] = [];
	/** Could not be had: asked for again when the relay is there. */
	readonly #missing = new Set<FaceId>();
	#loading = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#retry: ReturnType<typeof setTimeout> | undefined;

	constructor(workspace: () => Workspace | undefined) {
		this.#workspace = workspace;
	}

	faceOf(seed: string): FaceId | null {
		const workspace = this.#workspace();
		void workspace?.structure;
		return workspace?.replica.directory.person(seed as PersonId)?.photo ?? null;
	}
	srcOf(face: string): string | undefined {
		return this.#urls.get(face as FaceId);
	}
	isOnline(seed: string): boolean | null {
		return this.#workspace()?.isOnline(seed as PersonId) ?? null;
	}

	hold(face: string): () => void {
		const id = face as FaceId;
		const count = this.#holders.get(id) ?? 0;
		// Put at the end: what was used last goes last.
		this.#holders.delete(id);
		this.#holders.set(id, count + 1);
		if (count === 0 && !this.#urls.has(id)) this.#want(id);
		return () => this.#release(id);
	}

	/**
	 * What could not be had is asked for once more when the relay is there, and when its file comes. Call it in an effect of the workspace.
	 * @returns the end: nothing of the workspace stays in memory
	 */
	follow(workspace: Workspace): () => void {
		let isThere = workspace.replica.status().link === 'admitted';
		const ends = [
			workspace.replica.onStatus(({ link }) => {
				if (link === 'admitted' && !isThere) this.#again();
				isThere = link === 'admitted';
			}),
			workspace.store.onRows((change) => {
				for (const id of change.keys()) if (this.#missing.has(id as FaceId)) return this.#again();
			})
		];
		return () => {
			for (const end of ends) end();
			this.#end();
		};
	}

	#again(): void {
		const missing = [...this.#missing];
		this.#missing.clear();
		for (const id of missing) if ((this.#holders.get(id) ?? 0) > 0) this.#want(id);
	}

	#end(): void {
		clearTimeout(this.#timer);
		clearTimeout(this.#retry);
		this.#retry = undefined;
		this.#timer = undefined;
		for (const url of this.#urls.values()) URL.revokeObjectURL(url);
		this.#urls.clear();
		this.#holders.clear();
		this.#missing.clear();
		this.#wanted = [];
	}

	#release(id: FaceId): void {
		const count = (this.#holders.get(id) ?? 0) - 1;
		if (count < 0) return;
		this.#holders.set(id, count);
		if (count > 0) return;
		let unused = 0;
		for (const held of this.#holders.values()) if (held === 0) unused++;
		if (unused <= KEPT_UNUSED) return;
		for (const [one, held] of this.#holders) {
			if (held > 0) continue;
			this.#forget(one);
			return;
		}
	}
	#forget(id: FaceId): void {
		this.#holders.delete(id);
		const url = this.#urls.get(id);
		if (url === undefined) return;
		URL.revokeObjectURL(url);
		this.#urls.delete(id);
	}

	#want(id: FaceId): void {
		this.#wanted.push(id);
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			this.#load();
		}, SETTLE_MS);
	}
	#load(): void {
		while (this.#loading < LOADS_AT_ONCE) {
			const id = this.#wanted.pop();
			if (id === undefined) return;
			if ((this.#holders.get(id) ?? 0) === 0 || this.#urls.has(id)) continue;
			this.#loading++;
			void this.#fetch(id).finally(() => {
				this.#loading--;
				this.#load();
			});
		}
	}

	async #fetch(id: FaceId): Promise<void> {
		const workspace = this.#workspace();
		if (!workspace) return;
		let bytes: Blob | null = null;
		let row: FileRow | undefined;
		try {
			row = (await workspace.rows('file').get(id)) as FileRow | undefined;
			// Initials are right for whatever is no picture.
			if (row && !(FACE_TYPES as readonly string[]).includes(row.mime)) return;
			bytes = row && !row.deleted ? await workspace.files.bytesOf(row) : null;
		} catch {
			// The database is closing under it; the next workspace asks anew.
			return;
		}
		if (workspace !== this.#workspace()) return;
		if (!bytes) {
			this.#missing.add(id);
			// Another tab of this device may have fetched it, which nothing says here.
			this.#retry ??= setTimeout(() => {
				this.#retry = undefined;
				this.#again();
			}, RETRY_MS);
		}
		else if (this.#holders.has(id)) this.#urls.set(id, URL.createObjectURL(new Blob([bytes], { type: row!.mime })));
	}
}
