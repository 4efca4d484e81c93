/**
 * Refusals: a closed list. Each says why, whether trying again can help, and what becomes of the local change.
 * A refusal is a value that is returned; faults are thrown.
 */
import * as v from 'valibot';
import type { CommandId, PersonId } from '../ids.ts';
import type { Json, Path } from '../record/state.ts';
import { tariffRefusalSchema, type TariffRefusal } from '../tariff/tariff.ts';

/** What becomes of the change on the author's device. */
export type Fate =
	/** Goes to Set aside with its reason. */
	| 'aside'
	/** Stays pending and is sent again: the relay or the connection was at fault. */
	| 'keep';

interface RefusalRule {
	readonly fate: Fate;
	/** HTTP status of the same refusal over REST (RFC 9457). */
	readonly status: number;
}

export const REFUSALS = {
	/** The bytes or the command do not parse. */
	malformed: { fate: 'aside', status: 400 },
	/** Beyond a named ceiling. */
	'too-large': { fate: 'aside', status: 413 },
	/** No such command for this kind in this version. */
	'unknown-command': { fate: 'aside', status: 400 },
	/** A value does not fit the schema of the kind. */
	'bad-value': { fate: 'aside', status: 422 },
	/** The rule book says no. */
	denied: { fate: 'aside', status: 403 },
	/** What it is about belongs to a service that is switched off. */
	'service-off': { fate: 'aside', status: 403 },
	/** A guarded field changed since the author saw it. */
	stale: { fate: 'aside', status: 409 },
	/** The thing was deleted meanwhile. */
	'target-gone': { fate: 'aside', status: 410 },
	/** Not there or not readable; the two are never told apart. */
	'not-found': { fate: 'aside', status: 404 },
	/** A document of this id is there already, made by another command. */
	exists: { fate: 'aside', status: 409 },
	/** The tariff's limit. */
	quota: { fate: 'aside', status: 402 },
	/** Another command of the same batch was refused, so none was taken. */
	batch: { fate: 'aside', status: 409 },
	/** Page bytes of another shape than the kind allows. */
	'bad-shape': { fate: 'aside', status: 422 },
	/** Content under an id that belongs to somebody else. */
	foreign: { fate: 'aside', status: 403 },
	/** The same id and clock with other content. */
	'clock-reuse': { fate: 'aside', status: 409 },
	/** Earlier parts of this author's page edits are missing; send from the relay's state. */
	gap: { fate: 'keep', status: 409 },
	/** The edit builds on something that the relay does not hold. */
	'missing-dependency': { fate: 'keep', status: 409 },
	/** Sending faster than allowed; the same change may be sent again later. */
	'too-much': { fate: 'keep', status: 429 },
	/** The relay could not store it; nothing was accepted. */
	unavailable: { fate: 'keep', status: 503 }
} as const satisfies Record<string, RefusalRule>;

export type RefusalCode = keyof typeof REFUSALS;
export const REFUSAL_CODES = Object.keys(REFUSALS) as RefusalCode[];

export interface Refusal {
	readonly code: RefusalCode;
	/** Which rule or field, in the words of the code; screens have their own sentences. */
	readonly detail: string;
	/** The rule that decided, for "why can't I". */
	readonly rule?: string;
	/** Who may do it, as principals, for the sentence on screen. */
	readonly who?: readonly string[];
	/** For `stale`: the field and what stands there now. */
	readonly current?: { readonly path: Path; readonly value: Json; readonly by: PersonId; readonly command: CommandId };
	/** For `quota`: the limit or feature, what is used of it, and the plans that would do. */
	readonly tariff?: TariffRefusal;
}

const currentSchema = v.custom<NonNullable<Refusal['current']>>((value) => typeof value === 'object' && value !== null);

export const refusalSchema = v.object({
	code: v.picklist(REFUSAL_CODES),
	detail: v.string(),
	rule: v.exactOptional(v.string()),
	who: v.exactOptional(v.pipe(v.array(v.string()), v.readonly())),
	current: v.exactOptional(currentSchema),
	tariff: v.exactOptional(tariffRefusalSchema)
}) satisfies v.GenericSchema<unknown, Refusal>;

export function refuse(code: RefusalCode, detail: string, more: Omit<Refusal, 'code' | 'detail'> = {}): Refusal {
	return { code, detail, ...more };
}
