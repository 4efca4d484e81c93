/**
 * Which documents must be in memory before a command is judged, and holding them there while it is: its own, the records that it hangs on or would, and
 * what these hang on (SPEC D3, O1). Judging itself waits for nothing.
 *
 * Leaves to others: reading documents and letting them go (rooms.ts), what is done with them (portal.ts).
 */
import { isIdOf, kindOf, recordsOfPage, type DocumentId } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { recordsNamedBy, scopeOf } from '#crdt-model/record/kind.ts';
import type { Lane } from '../budget/lanes.ts';
import type { Room, Rooms } from './rooms.ts';

/** A proposal for a page that hangs on a record: its page is the first, the record the second. */
const MAX_SCOPE_STEPS = 2;
/** A room may be dropped while the next one is read; that it happens twice in a row is no accident. */
const MAX_PIN_ATTEMPTS = 4;

/** What says which documents a command is judged by. Without a name nothing is made. */
export type Needing = Pick<Command, 'document' | 'args'> & Partial<Pick<Command, 'name'>>;

export class Pinning {
	readonly #rooms: Rooms;

	constructor(rooms: Rooms) {
		this.#rooms = rooms;
	}

	/** Does the work in one go with the documents pinned. What was dropped, or began to hang elsewhere, while it waited for its turn is read again. */
	async within<T>(commands: readonly Needing[], lane: Lane | null, work: () => T): Promise<T> {
		for (let attempt = 0; attempt < MAX_PIN_ATTEMPTS; attempt++) {
			const pinned = await this.pin(commands);
			try {
				const done = () => (pinned.some((room) => room.gone) || !this.#atHand(commands) ? null : { result: work() });
				const outcome = lane ? await lane.run(done) : done();
				if (outcome) return outcome.result;
			} finally {
				this.#rooms.release(pinned);
			}
		}
		throw new Error('a document was dropped again and again while its turn was waited for');
	}

	/**
	 * The rooms of the commands' documents, of the records that those hang on, or will, and of what these hang on. Most are at hand, and then nothing
	 * is waited for.
	 */
	async pin(commands: readonly Needing[]): Promise<Room[]> {
		for (let attempt = 0; attempt < MAX_PIN_ATTEMPTS; attempt++) {
			const atHand = this.#atHand(commands);
			const pinned = atHand ? this.#rooms.pinAtHand(atHand) : await this.#pinOnce(commands);
			if (!pinned.some((room) => room.gone)) return pinned;
			this.#rooms.release(pinned);
		}
		throw new Error('a document was dropped again and again while others were read');
	}

	/** What these commands need in memory; null where something of it is not there. */
	#atHand(commands: readonly Needing[]): DocumentId[] | null {
		const wanted = named(commands);
		for (let at = 0, step = 0; at < wanted.length; step++) {
			for (const end = wanted.length; at < end; at++) {
				const room = this.#rooms.peek(wanted[at]!);
				if (!room) return null;
				const scope = step < MAX_SCOPE_STEPS && room.row ? scopeOf(room.kind, room.row) : null;
				if (scope && !wanted.includes(scope)) wanted.push(scope);
			}
		}
		return wanted;
	}

	async #pinOnce(commands: readonly Needing[]): Promise<Room[]> {
		const pinned = await this.#rooms.pin(named(commands));
		try {
			for (let from = 0, step = 0; from < pinned.length && step < MAX_SCOPE_STEPS; step++) {
				const scopes = pinned.slice(from).map(({ kind, row }) => row && scopeOf(kind, row));
				from = pinned.length;
				const known = new Set<DocumentId | null>(pinned.map(({ id }) => id)).add(null);
				pinned.push(...(await this.#rooms.pin(scopes.filter((id) => !known.has(id)) as DocumentId[])));
			}
			return pinned;
		} catch (fault) {
			this.#rooms.release(pinned);
			throw fault;
		}
	}
}

/** The documents of the commands, the records that they would hang them on or refer to, and those whose page they would make. */
function named(commands: readonly Needing[]): DocumentId[] {
	const ids: DocumentId[] = [];
	const add = (id: DocumentId | null) => void (id && !ids.includes(id) && ids.push(id));
	for (const { document, args, name } of commands) {
		add(document);
		recordsNamedBy(kindNamed(kindOf(document)!), name, args).forEach(add);
		if ((name === 'page.create' || name === 'page.hang') && isIdOf('page', document)) recordsOfPage(document).forEach(add);
	}
	return ids;
}
