/** What a device says to the relay over `/sync`. Schema first, types inferred. */
import * as v from 'valibot';
import { isDocumentId, kindOf, type DocumentId, type PersonId } from '../ids.ts';
import { batchSchema, type Command } from '../record/command.ts';
import { INVENTORY_CHUNK, MAX_REOFFER_ENTRIES, MAX_UPDATE_BYTES } from './limits.ts';

const counter = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const documentId = v.custom<DocumentId>(isDocumentId, 'not a document id');
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'not bytes');
/** Made on the device, unique there; the answer carries it back. */
const submissionId = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

export const cursorSchema = v.object({ epoch: counter, seq: counter });
export type Cursor = v.InferOutput<typeof cursorSchema>;

const person = v.custom<PersonId>((value) => kindOf(value) === 'employee', 'not a person');

/**
 * An accepted entry of an epoch that a restore lost, as this device got it: what the seal covers, and the seal. What the seal does not cover is
 * not asked for, because it could not be believed.
 */
export const sealedSchema = v.object({
	document: documentId,
	/** In the epoch that was lost. */
	docSeq: counter,
	author: person,
	authoredAt: counter,
	acceptedAt: counter,
	command: v.nullable(v.custom<Command>((value) => typeof value === 'object' && value !== null)),
	bytes,
	mac: bytes
});
export type Sealed = v.InferOutput<typeof sealedSchema>;

export const upSchema = v.variant('type', [
	/** First message. Without a cursor the device holds nothing. */
	v.object({
		type: v.literal('hello'),
		version: counter,
		cursor: v.nullable(cursorSchema),
		/** How many documents the device holds, and the digest of their ids (wire/digest.ts). */
		held: v.object({ count: counter, digest: v.pipe(v.string(), v.maxLength(32)) })
	}),
	/** The whole list of held documents in pieces, after the relay asked for it. */
	v.object({
		type: v.literal('inventory'),
		documents: v.pipe(v.array(v.tuple([documentId, counter])), v.maxLength(INVENTORY_CHUNK)),
		last: v.boolean()
	}),
	/**
	 * What a restore lost and this device still holds, in order of acceptance. The first piece names all documents that will be spoken of; each is
	 * answered by `reoffered`.
	 */
	v.object({
		type: v.literal('reoffer'),
		documents: v.pipe(v.array(documentId), v.maxLength(INVENTORY_CHUNK)),
		entries: v.pipe(v.array(sealedSchema), v.maxLength(MAX_REOFFER_ENTRIES)),
		last: v.boolean()
	}),
	v.object({ type: v.literal('submit'), batch: batchSchema }),
	/** A page's or text's pending edit. */
	v.object({
		type: v.literal('update'),
		id: submissionId,
		document: documentId,
		bytes: v.pipe(bytes, v.check((b) => b.byteLength <= MAX_UPDATE_BYTES, 'update too large'))
	})
]);
export type Up = v.InferOutput<typeof upSchema>;
