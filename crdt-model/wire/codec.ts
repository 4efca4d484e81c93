/**
 * Bytes on `/sync`: one message per binary frame, in lib0's self-describing `any` encoding (it carries byte arrays as they are).
 * Decoding takes `unknown` bytes and yields a message or a sentence; it never throws.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as v from 'valibot';
import { downSchema, type Down } from './down.ts';
import { upSchema, type Up } from './up.ts';

/** A problem quotes what it refuses, and that may be the whole frame. */
const MAX_PROBLEM_LENGTH = 200;

export type Decoded<T> = { readonly ok: true; readonly message: T } | { readonly ok: false; readonly problem: string };

export const encodeUp = (message: Up): Uint8Array => encode(message);
export const encodeDown = (message: Down): Uint8Array => encode(message);
export const decodeUp = (frame: Uint8Array): Decoded<Up> => decode(upSchema, frame);
export const decodeDown = (frame: Uint8Array): Decoded<Down> => decode(downSchema, frame);

function encode(message: Up | Down): Uint8Array {
	const encoder = encoding.createEncoder();
	encoding.writeAny(encoder, message as never);
	return encoding.toUint8Array(encoder);
}

function decode<T>(schema: v.GenericSchema<unknown, T>, frame: Uint8Array): Decoded<T> {
	let value: unknown;
	try {
		const decoder = decoding.createDecoder(frame);
		value = decoding.readAny(decoder);
		if (decoding.hasContent(decoder)) return { ok: false, problem: 'bytes after the message' };
		if (!isPlain(value)) return { ok: false, problem: 'a value that no message has' };
	} catch {
		// Truncated, unknown tag or nested until the stack gave out: all the same to the other side.
		return { ok: false, problem: 'not a message' };
	}
	const parsed = v.safeParse(schema, value, { abortEarly: true });
	return parsed.success ? { ok: true, message: parsed.output } : { ok: false, problem: parsed.issues[0].message.slice(0, MAX_PROBLEM_LENGTH) };
}

/**
 * lib0 0.2 assigns keys one by one, so a key `__proto__` becomes the object's prototype: its values would be read by a schema
 * and yet be missing when the same object is stored or sent on.
 */
function isPlain(value: unknown): boolean {
	// No field of ours has one, and JSON, in which commands are stored and sealed, throws at it.
	if (typeof value === 'bigint') return false;
	if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
	if (Array.isArray(value)) return value.every(isPlain);
	return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
}
