/**
 * An administrator looks on as somebody else (SPEC E1–E5): what such a session holds, and what it is told when it wants to change anything.
 *
 * Promises: it holds no more than the person does, without what nobody but that person may read; it changes nothing; it is over once the viewer is no
 * administrator any more.
 */
import type { Actor } from '#crdt-model/access/decide.ts';
import type { Directory } from '#crdt-model/access/directory.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import type { PersonId } from '#crdt-model/ids.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';

/** Whose session it is, and who sits before it. */
export interface Seat {
	readonly person: PersonId;
	/** Null: the person themself. */
	readonly viewer: PersonId | null;
}

/** Principals of private correspondence begin like this: no administrator holds them, so nobody who looks on does. */
const PRIVATE = 'private:';

export const READ_ONLY: Refusal = refuse('denied', 'looking on is read only', { rule: 'view.read-only', who: [] });

/** Whether the session may be there at all, whatever it holds. */
export function maySit(directory: Directory, { viewer }: Seat): boolean {
	return viewer === null || directory.isAdministrator(viewer);
}

/** The reason of a close, for whoever reads a trace. */
export const NOT_FROM_HERE = 'not from this network';

/** Whether a session may go on from where its connection comes (SPEC K2). */
export function mayStay(portal: { mayEnter(person: PersonId, ip: string | null): boolean }, { seat, ip }: { readonly seat: Seat; readonly ip: string | null }): boolean {
	return portal.mayEnter(seat.viewer ?? seat.person, ip);
}

export function seatedActor(actor: Actor | null, directory: Directory, seat: Seat): Actor | null {
	if (actor === null || seat.viewer === null) return actor;
	return maySit(directory, seat) ? { ...actor, principals: withoutPrivate(actor.principals) } : null;
}

export function withoutPrivate(held: ReadonlySet<Principal>): ReadonlySet<Principal> {
	const open = [...held].filter((principal) => !principal.startsWith(PRIVATE));
	return open.length === held.size ? held : new Set(open);
}
