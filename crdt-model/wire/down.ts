/** What the relay says to a device over `/sync`. Parsed on the device as strictly as anything from outside. */
import * as v from 'valibot';
import { isDocumentId, isPortalId, kindOf, type CommandId, type DocumentId, type PersonId, type PortalId } from '../ids.ts';
import type { BaseRow } from '../record/kind.ts';
import type { Overruled } from '../record/plan.ts';
import type { Command } from '../record/command.ts';
import { cursorSchema } from './up.ts';
import { ONLINE_CHUNK } from './limits.ts';
import { refusalSchema } from './refusal.ts';
import { tariffSchema } from '../tariff/tariff.ts';

const counter = v.pipe(v.number(), v.integer(), v.minValue(0));
const documentId = v.custom<DocumentId>(isDocumentId, 'not a document id');
const person = v.custom<PersonId>((value) => kindOf(value) === 'employee', 'not a person');
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'not bytes');
/** Rows are made by the shared pure function; the device trusts the relay for them. */
const row = v.custom<BaseRow>((value) => typeof value === 'object' && value !== null);

/** A range of a client's clock: [client, from, to). */
export const rangeSchema = v.tuple([counter, counter, counter]);

/** One accepted change, as everyone stores it. */
export const entrySchema = v.object({
	seq: counter,
	document: documentId,
	/** Counts this document's entries from 1; a device that misses one asks for the document anew. */
	docSeq: counter,
	author: person,
	/** Milliseconds since 1970 by the author's and by the relay's clock. */
	authoredAt: counter,
	acceptedAt: counter,
	/** For records: the command that happened. For pages: null. */
	command: v.nullable(v.custom<Command>((value) => typeof value === 'object' && value !== null)),
	/** Two writers of one field who did not see each other (SPEC M5); the person who gave way is told. */
	overruled: v.array(v.custom<Overruled>((value) => typeof value === 'object' && value !== null)),
	/** Text typed into what another just deleted: accepted by Yjs and swallowed. */
	swallowed: v.array(rangeSchema),
	/** The canonical Yjs update. */
	bytes,
	/** The relay's seal over the entry's header and bytes; the proof after a restore. */
	mac: bytes
});
export type Entry = v.InferOutput<typeof entrySchema>;

/**
 * What the person of this session must hear of, from entries that a snapshot stands for: their values that gave way, and ranges of their text that
 * were swallowed.
 */
export const noticesSchema = v.object({ overruled: v.array(v.custom<Overruled>((value) => typeof value === 'object' && value !== null)), swallowed: v.array(rangeSchema) });
export type Notices = v.InferOutput<typeof noticesSchema>;

export const snapshotSchema = v.object({ document: documentId, docSeq: counter, seq: counter, row, bytes, notices: v.exactOptional(noticesSchema) });
export type Snapshot = v.InferOutput<typeof snapshotSchema>;

export const downSchema = v.variant('type', [
	v.object({
		type: v.literal('welcome'),
		version: counter,
		portal: v.custom<PortalId>(isPortalId, 'not a portal id'),
		person,
		epoch: counter,
		/** The relay's clock, so that a device with a wrong one can say so. */
		now: counter,
		/** The version of each kind's row function: a device with another one makes its rows itself (SPEC V4). */
		rows: v.exactOptional(v.record(v.string(), counter)),
		/**
		 * Each restore from a backup: which epoch began after which seq. Entries of earlier epochs beyond that are lost here. Absent where nothing was
		 * ever restored.
		 */
		restores: v.exactOptional(v.array(cursorSchema)),
		/** `continue`: entries after the cursor follow. `inventory`: say what you hold. */
		next: v.picklist(['continue', 'inventory']),
		/** An administrator looks on as `person`, read only. */
		viewer: v.exactOptional(person)
	}),
	/** Accepted changes in order of seq. Everything readable up to `cursor` has been sent once they are applied. */
	v.object({ type: v.literal('entries'), entries: v.array(entrySchema), cursor: v.nullable(cursorSchema) }),
	/** Documents that the device gained or holds too old, whole, with their rows. A null cursor means more follow. */
	v.object({ type: v.literal('gains'), snapshots: v.array(snapshotSchema), cursor: v.nullable(cursorSchema) }),
	/** Documents that must leave the device: no longer readable, or no longer there. */
	v.object({ type: v.literal('lose'), documents: v.array(documentId), cursor: v.nullable(cursorSchema) }),
	/** What became of a piece of `reoffer`, entry by entry. */
	v.object({ type: v.literal('reoffered'), fates: v.array(v.picklist(['taken', 'waiting', 'refused'])) }),
	/** Nothing readable happened up to here. */
	v.object({ type: v.literal('progress'), cursor: cursorSchema }),
	/** The portal's tariff: after the welcome, and again when it or what is used of it changed (at most once a second for the latter). */
	v.object({ type: v.literal('tariff'), ...tariffSchema.entries }),
	/**
	 * Who has the portal open, of those whom the person may read: all of them after the welcome (`whole` begins the list anew, more pieces may follow), then
	 * who came and who left. Never kept by a device: without a connection it is not known.
	 */
	v.object({
		type: v.literal('online'),
		whole: v.exactOptional(v.literal(true)),
		here: v.pipe(v.array(person), v.maxLength(ONLINE_CHUNK)),
		gone: v.pipe(v.array(person), v.maxLength(ONLINE_CHUNK))
	}),
	/** How many people ask to be let in: to those who decide on it, after the welcome and when it changes. */
	v.object({ type: v.literal('waiting'), people: counter }),
	/** The answer to a batch or an update, after it is on disk. */
	v.object({
		type: v.literal('answer'),
		id: v.string(),
		result: v.variant('kind', [
			v.object({ kind: v.literal('accepted'), seq: counter }),
			v.object({
				kind: v.literal('refused'),
				refusal: refusalSchema,
				/** In a batch: which command was at fault. */
				command: v.nullable(v.custom<CommandId>((value) => typeof value === 'string'))
			})
		])
	})
]);
export type Down = v.InferOutput<typeof downSchema>;
/** `taken`: it is here. `waiting`: an earlier one is missing, which another device may bring. `refused`: not sealed by this relay. */
export type Returning = Extract<Down, { type: 'reoffered' }>['fates'][number];
export type AnswerResult = Extract<Down, { type: 'answer' }>['result'];
