import fc from 'fast-check';
import * as encoding from 'lib0/encoding';
import { describe, expect, test } from 'vitest';
import { budget } from '../testing/budget.ts';
import { DOWN_MESSAGES, UP_MESSAGES } from '../testing/messages.ts';
import { documentId } from '../testing/world.ts';
import { decodeDown, decodeUp, encodeDown, encodeUp } from './codec.ts';
import { digestOf } from './digest.ts';
import { downSchema } from './down.ts';
import { INVENTORY_CHUNK, MAX_FRAME_BYTES, MAX_UPDATE_BYTES, DOWN_CHUNK_BYTES } from './limits.ts';
import { REFUSALS, REFUSAL_CODES, refuse, type RefusalCode } from './refusal.ts';
import { upSchema, type Up } from './up.ts';

const frames = [...Object.values(UP_MESSAGES).map(encodeUp), ...Object.values(DOWN_MESSAGES).map(encodeDown)];
const any = (value: unknown) => encoding.encode((encoder) => encoding.writeAny(encoder, value as never));

describe('the codec', () => {
	test('[W3] every message comes back as it went, and every type has one', () => {
		for (const [name, message] of Object.entries(UP_MESSAGES)) expect(decodeUp(encodeUp(message)), name).toEqual({ ok: true, message });
		for (const [name, message] of Object.entries(DOWN_MESSAGES)) expect(decodeDown(encodeDown(message)), name).toEqual({ ok: true, message });
		const types = (schema: { options: readonly { entries: { type: { literal: string } } }[] }) => new Set(schema.options.map((option) => option.entries.type.literal));
		expect(new Set(Object.values(UP_MESSAGES).map(({ type }) => type))).toEqual(types(upSchema as never));
		expect(new Set(Object.values(DOWN_MESSAGES).map(({ type }) => type))).toEqual(types(downSchema as never));
	});

	test('[W3] what goes up is no message down, and the other way', () => {
		for (const message of Object.values(UP_MESSAGES)) expect(decodeDown(encodeUp(message)).ok).toBe(false);
		for (const message of Object.values(DOWN_MESSAGES)) expect(decodeUp(encodeDown(message)).ok).toBe(false);
	});

	test('[W2] any bytes give a message or a short sentence', () => {
		const mutated = fc
			.tuple(fc.constantFrom(...frames), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }), fc.nat(500))
			.map(([frame, changes, cut]) => {
				const bytes = frame.slice(0, cut === 0 ? frame.length : Math.max(1, frame.length - cut + 250));
				for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
				return bytes;
			});
		const tagged = fc.array(fc.oneof(fc.integer({ min: 116, max: 127 }), fc.nat(255)), { maxLength: 60 }).map((bytes) => new Uint8Array(bytes));
		const values = fc.anything({ maxDepth: 4, withBigInt: false }).map((value) => { try { return any(value); } catch { return new Uint8Array(); } });
		let decoded = 0;
		fc.assert(
			fc.property(fc.oneof(mutated, tagged, values, fc.uint8Array()), (bytes) => {
				for (const decode of [decodeUp, decodeDown]) {
					const result = decode(bytes);
					if (result.ok) decoded++;
					else expect(result.problem.length).toBeLessThanOrEqual(200);
				}
			}),
			budget(3_000)
		);
		expect(decoded, 'nothing was ever decoded').toBeGreaterThan(0);
	});

	test('[W2] cut at every byte and with a byte too many', () => {
		for (const frame of frames.slice(0, 12)) {
			for (let end = 0; end < frame.length; end++) expect([decodeUp(frame.slice(0, end)).ok, decodeDown(frame.slice(0, end)).ok]).toEqual([false, false]);
			const longer = new Uint8Array([...frame, 127]);
			expect([decodeUp(longer), decodeDown(longer)]).toEqual([0, 1].map(() => ({ ok: false, problem: 'bytes after the message' })));
		}
	});

	test('[W2] bombs: nested to the ceiling, counts without content, long strings', () => {
		const nest = (tag: number) => new Uint8Array(MAX_FRAME_BYTES).fill(tag).map((byte, i) => (tag === 117 ? (i % 2 ? 1 : 117) : [118, 1, 0][i % 3] ?? byte));
		const counts = new Uint8Array([117, 0xff, 0xff, 0xff, 0xff, 0x0f]);
		const bytesTag = new Uint8Array([116, 0xff, 0xff, 0xff, 0xff, 0x0f]);
		for (const bomb of [nest(117), nest(118), counts, bytesTag, any('x'.repeat(500_000)), any({ type: 'x'.repeat(500_000) }), any({ type: 'hello', held: 'y'.repeat(500_000) })]) {
			for (const decode of [decodeUp, decodeDown]) {
				const result = decode(bomb);
				expect(result.ok).toBe(false);
				if (!result.ok) expect(result.problem.length).toBeLessThanOrEqual(200);
			}
		}
		// Deep, yet within the stack: the message is valid, for only the command's own schema looks at arguments.
		let args: unknown = [];
		for (let i = 0; i < 200; i++) args = [args];
		const submit = UP_MESSAGES.submit as Extract<(typeof UP_MESSAGES)[string], { type: 'submit' }>;
		expect(decodeUp(encodeUp({ ...submit, batch: { ...submit.batch, commands: [{ ...submit.batch.commands[0]!, args }] } })).ok).toBe(true);
	});

	test('[W2] a bigint is no value of a message: what is stored and sealed as JSON would throw at it', () => {
		const { batch } = UP_MESSAGES.submit as Extract<Up, { type: 'submit' }>;
		const frame = any({ type: 'submit', batch: { ...batch, commands: batch.commands.map((one) => ({ ...one, args: { value: 1n } })) } });
		expect(decodeUp(frame)).toEqual({ ok: false, problem: 'a value that no message has' });
	});

	test('[W2] a key __proto__ is refused: its values would be read and not stored', () => {
		const smuggled = (message: unknown) => decodeUp(any(JSON.parse(JSON.stringify(message).replaceAll('"args"', '"args":{"__proto__":{"value":"x"}},"was"'))));
		expect(smuggled(UP_MESSAGES.submit)).toEqual({ ok: false, problem: 'a value that no message has' });
		expect(decodeUp(any(JSON.parse(JSON.stringify({ x: UP_MESSAGES.hello }).replace('"x"', '"__proto__"')))).ok).toBe(false);
	});

	test('[W4] a message beyond a ceiling is refused', () => {
		const update = (length: number) => decodeUp(encodeUp({ type: 'update', id: 'u', document: documentId('page', 1), bytes: new Uint8Array(length) })).ok;
		expect([update(MAX_UPDATE_BYTES), update(MAX_UPDATE_BYTES + 1)]).toEqual([true, false]);
		const inventory = (length: number) => encodeUp({ type: 'inventory', documents: Array.from({ length }, (_, n) => [documentId('department', n), 2 ** 31]), last: false });
		expect([decodeUp(inventory(INVENTORY_CHUNK)).ok, decodeUp(inventory(INVENTORY_CHUNK + 1)).ok]).toEqual([true, false]);
		expect(inventory(INVENTORY_CHUNK).byteLength).toBeLessThan(MAX_FRAME_BYTES);
		expect(DOWN_CHUNK_BYTES + MAX_UPDATE_BYTES).toBeLessThan(MAX_FRAME_BYTES);
		for (const bad of [{ epoch: -1, seq: 0 }, { epoch: 0.5, seq: 0 }, { epoch: 0, seq: 2 ** 53 }]) expect(decodeUp(any({ ...UP_MESSAGES.hello, cursor: bad })).ok).toBe(false);
	});

	test('[W4] no command passes whose time could not be sent on in an entry', () => {
		const submit = UP_MESSAGES.submit as Extract<(typeof UP_MESSAGES)[string], { type: 'submit' }>;
		for (const at of [1.5, -1, Infinity, Number.NaN]) expect(decodeUp(any({ ...submit, batch: { ...submit.batch, commands: [{ ...submit.batch.commands[0], at }] } })).ok).toBe(false);
	});
});

describe('refusals', () => {
	test('[W5] the list is closed, and each says what becomes of the change and its HTTP status', () => {
		expect(decodeDown(encodeDown({ type: 'answer', id: 'x', result: { kind: 'refused', command: null, refusal: refuse('new' as RefusalCode, 'x') } })).ok).toBe(false);
		for (const code of REFUSAL_CODES) {
			expect(['aside', 'keep']).toContain(REFUSALS[code].fate);
			expect(REFUSALS[code].status).toBeGreaterThanOrEqual(400);
		}
		expect(REFUSAL_CODES.filter((code) => REFUSALS[code].fate === 'keep')).toEqual(['gap', 'missing-dependency', 'too-much', 'unavailable']);
	});
});

describe('the digest of a set', () => {
	const ids = fc.uniqueArray(fc.nat(10_000), { maxLength: 40 }).map((ns) => ns.map((n) => documentId('task', n)));
	test('[W6] order does not matter, one document more or less does', () => {
		fc.assert(
			fc.property(ids, fc.nat(), (set, turn) => {
				const { count, digest } = digestOf(set);
				expect(count).toBe(set.length);
				expect(digest).toMatch(/^[0-9a-f]{16}$/);
				expect(digestOf([...set.slice(turn % (set.length + 1)), ...set.slice(0, turn % (set.length + 1))])).toEqual({ count, digest });
				const other = documentId('deal', turn % 10_000);
				expect(digestOf([...set, other]).digest).not.toBe(digest);
				expect(digestOf([...set, other, other]).digest).toBe(digest);
				if (set.length > 0) expect(digestOf([...set.slice(1), other]).digest).not.toBe(digest);
			}),
			budget(300)
		);
	});
	test('[W6] no two of 100,000 documents look alike', () => {
		const seen = new Set<string>();
		for (let n = 0; n < 100_000; n++) seen.add(digestOf([documentId('task', n)]).digest);
		expect(seen.size).toBe(100_000);
	});
});
