/**
 * Uploads of a file's bytes: who may, one at a time, and what becomes of a piece.
 *
 * Promises: only the maker of a record brings its bytes, and only bytes of its size and digest become its content; the record says `arrived` after they are
 * on disk, and not before; two uploads of one file never mix; a person takes no more than a few at once.
 * Leaves to others: bytes on disk (blobs.ts), HTTP (rest/files.ts).
 */
import type { PersonId } from '#crdt-model/ids.ts';
import type { FileRow } from '#crdt-model/kinds/file.ts';
import type { Refusal } from '#crdt-model/wire/refusal.ts';
import type { Portal } from '../room/portal.ts';
import { fileArrived } from '../room/relay-acts.ts';
import type { Blobs, FileId, Wanted } from './blobs.ts';

/** Pieces of one person under way: a device sends one file after another, and a person has a few devices. */
export const MAX_UPLOADS_AT_ONCE = 6;

export type Received =
	| { readonly kind: 'received'; readonly offset: number; readonly complete: boolean }
	| { readonly kind: 'elsewhere' | 'too-long' | 'broke-off'; readonly offset: number }
	/** Complete, and not what the record says. */
	| { readonly kind: 'other-bytes' }
	| { readonly kind: 'busy' | 'too-much' | 'disk-full' }
	| { readonly kind: 'refused'; readonly refusal: Refusal };

export interface Piece {
	/** `restart` begins anew, whatever is there. */
	readonly offset: number | 'restart';
	readonly body: ReadableStream<Uint8Array> | null;
}

export class Uploads {
	readonly #blobs: Blobs;
	readonly #busy = new Set<FileId>();
	readonly #perPerson = new Map<PersonId, number>();

	constructor(blobs: Blobs) {
		this.#blobs = blobs;
	}

	async receive(portal: Portal, person: PersonId, row: FileRow, { offset, body }: Piece): Promise<Received> {
		const wanted = wantedOf(portal, row);
		if (row.arrived && (await this.#blobs.has(wanted))) return { kind: 'received', offset: row.size, complete: true };
		if (this.#busy.has(wanted.file)) return { kind: 'busy' };
		const others = this.#perPerson.get(person) ?? 0;
		if (others >= MAX_UPLOADS_AT_ONCE) return { kind: 'too-much' };
		this.#busy.add(wanted.file);
		this.#perPerson.set(person, others + 1);
		try {
			if (offset === 'restart') await this.#blobs.forget(wanted);
			const appended = await this.#blobs.append(wanted, offset === 'restart' ? 0 : offset, body);
			if (appended.kind !== 'appended') return appended;
			if (appended.offset < row.size) return { kind: 'received', offset: appended.offset, complete: false };
			return await this.#complete(portal, wanted);
		} catch (fault) {
			if (!['ENOSPC', 'EDQUOT'].includes((fault as NodeJS.ErrnoException).code ?? '')) throw fault;
			return { kind: 'disk-full' };
		} finally {
			this.#busy.delete(wanted.file);
			const left = this.#perPerson.get(person)! - 1;
			if (left > 0) this.#perPerson.set(person, left);
			else this.#perPerson.delete(person);
		}
	}

	async #complete(portal: Portal, wanted: Wanted): Promise<Received> {
		if (!(await this.#blobs.keep(wanted))) return { kind: 'other-bytes' };
		const said = await fileArrived(portal, wanted.file);
		// Deleted meanwhile: the bytes wait for its return.
		if (said.kind === 'refused') return { kind: 'refused', refusal: said.refusal as Refusal };
		await this.#blobs.forget(wanted);
		return { kind: 'received', offset: wanted.size, complete: true };
	}
}

export function wantedOf(portal: Pick<Portal, 'id'>, { id, size, digest }: FileRow): Wanted {
	return { portal: portal.id, file: id as FileId, size, digest };
}
