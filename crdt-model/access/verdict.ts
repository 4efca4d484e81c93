/**
 * What a verdict is, and what every module's rules are written with. Apart from the table in decide.ts, so that rules and table
 * need not import each other.
 */
import type { DocumentId, PersonId } from '../ids.ts';
import { kindNamed } from '../kinds/index.ts';
import type { SettingsRow } from '../kinds/settings.ts';
import type { Audience, BaseRow, Effect } from '../record/kind.ts';
import type { Path, RecordState } from '../record/state.ts';
import type { Directory } from './directory.ts';
import type { Principal } from './principals.ts';

export interface Actor {
	readonly person: PersonId;
	readonly principals: ReadonlySet<Principal>;
}

export interface World {
	readonly directory: Directory;
	/** The company's settings; null before it was founded, and where a device has not heard of them yet. */
	readonly settings: SettingsRow | null;
	/** The current row of a record that another one hangs on or refers to, or null where there is none. */
	rowOf(id: DocumentId): BaseRow | null;
}

/** A record before and after a command. */
export interface Change {
	readonly before: { readonly row: BaseRow; readonly state: RecordState } | null;
	readonly next: { readonly row: BaseRow; readonly state: RecordState };
	/** Every path that the command would write, also where it gives way to a later author. */
	readonly changed: readonly Path[];
	/** What the command wants at each, where it is known: a word that gives way shows in no row. */
	readonly wishes?: readonly Effect[];
}

export type Verdict =
	| { readonly allow: true; readonly rule: string }
	| { readonly allow: false; readonly rule: string; readonly code: 'denied' | 'not-found'; readonly who: readonly Principal[] };

/** One module's table: who may change what of its kinds. Reading is settled by audiences before it is asked. */
export interface Rules {
	change(actor: Actor, change: Change, world: World): Verdict;
	/** Whether the actor may work on the record as a whole: write its page or its content, answer what others propose for it. */
	write(actor: Actor, row: BaseRow, world: World): Verdict;
}

export const allow = (rule: string): Verdict => ({ allow: true, rule });
export const deny = (rule: string, ...who: Principal[]): Verdict => ({ allow: false, code: 'denied', rule, who });
export const notFound: Verdict = { allow: false, code: 'not-found', rule: 'not-readable', who: [] };

/** How far an audience is followed: to the record that is named, and no further. A page on a page, a proposal on a page on a record, end there. */
const MAX_SCOPE_STEPS = 2;

/**
 * Who may read a record: its own principals, or those of its scope with those who are named beside. An empty list means nobody.
 * @returns the principals that open it
 */
export function audienceOf(row: BaseRow, world: Pick<World, 'rowOf'>): readonly Principal[] {
	let at: BaseRow | null = row;
	let also: readonly Principal[] = [];
	for (let step = 0; at && step < MAX_SCOPE_STEPS; step++) {
		const audience: Audience = kindNamed(at.kind).audience(at);
		if (!('scope' in audience)) return also.length === 0 ? audience : [...new Set([...audience, ...also])];
		if (audience.also) also = also.length === 0 ? audience.also : [...also, ...audience.also];
		at = world.rowOf(audience.scope);
	}
	return also;
}

export function canRead(actor: Actor, audience: readonly Principal[]): boolean {
	return audience.some((principal) => actor.principals.has(principal));
}
