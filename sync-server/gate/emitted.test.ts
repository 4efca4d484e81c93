import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { budget } from '#crdt-model/testing/budget.ts';
import { ANN, BEN, commandId } from '#crdt-model/testing/world.ts';
import { writeToDoc, type Json, type Write } from '#crdt-model/record/state.ts';
import { emitted } from './emitted.ts';

const text = fc.oneof(
	fc.string({ maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 6 }), fc.constantFrom('', 'ș', '👋'.repeat(50), 'x'.repeat(127), 'x'.repeat(128), 'é'.repeat(3_000), 'x'.repeat(9_000))
);
const number = fc.oneof(
	fc.integer(), fc.double({ noNaN: true }), fc.constantFrom(0, -0, 63, 64, -64, 127, 128, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 0.5, 0.1, 2 ** 53, 1_700_000_000_000, 1e300)
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
	json: fc.oneof({ maxDepth: 3 }, fc.constant(null), fc.boolean(), number, text, fc.array(tie('json'), { maxLength: 4 }), fc.dictionary(text.filter((key) => key !== '__proto__'), tie('json'), { maxKeys: 3 }))
}));
const path = fc.constantFrom('title', 'stage', 'amount', 'people/a', 'people/b', 'comments/x/text', 'comments/x/removed', 'comments/y/text');
const write = fc.record({ path, value: json, at: fc.nat(), by: fc.constantFrom(ANN, BEN), command: fc.nat(99).map(commandId) }).map(
	({ path, ...cell }): Write => ({ path, cell })
);

test('[G13] the canonical update of a record is byte for byte what Yjs emits, and makes the same document elsewhere', () => {
	fc.assert(
		fc.property(fc.array(fc.array(write, { maxLength: 5 }), { minLength: 1, maxLength: 12 }), fc.boolean(), (changes, reloads) => {
			let doc = new Y.Doc();
			doc.clientID = 2 ** 32 - 1;
			const other = new Y.Doc();
			for (const writes of changes) {
				let byYjs: Uint8Array | null = null;
				const keep = (update: Uint8Array) => void (byYjs = update);
				doc.on('update', keep);
				const ours = emitted(doc, 'test', () => writeToDoc(doc, writes, 'test'));
				doc.off('update', keep);
				expect(ours).toEqual(byYjs ?? Y.encodeStateAsUpdate(new Y.Doc()));
				Y.applyUpdate(other, ours);
				if (!reloads) continue;
				const again = new Y.Doc();
				Y.applyUpdate(again, Y.encodeStateAsUpdate(doc));
				again.clientID = doc.clientID;
				doc = again;
			}
			expect(Y.encodeStateAsUpdate(other)).toEqual(Y.encodeStateAsUpdate(doc));
		}),
		budget(100)
	);
});

test('[G13] an epoch\'s change beside the items of an earlier one', () => {
	const old = new Y.Doc();
	old.clientID = 2 ** 32 - 1;
	emitted(old, null, () => writeToDoc(old, [{ path: 'title', cell: { value: 'a', at: 1, by: ANN, command: commandId(1) } }], null));
	const doc = new Y.Doc();
	Y.applyUpdate(doc, Y.encodeStateAsUpdate(old));
	doc.clientID = 2 ** 32 - 2;
	let byYjs: Uint8Array | null = null;
	doc.on('update', (update: Uint8Array) => void (byYjs = update));
	expect(emitted(doc, null, () => writeToDoc(doc, [{ path: 'title', cell: { value: 'b', at: 2, by: BEN, command: commandId(2) } }], null))).toEqual(byYjs);
});
