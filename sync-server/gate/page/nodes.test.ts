/** The kinds of nodes in pages: what an editor would not know stays out. */
import { $createParagraphNode, $createTextNode, $getRoot } from 'lexical';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { Relay, docOf, lexicalOn, outbox } from './testing.ts';

function nodeOf(type: unknown): Uint8Array {
	const doc = docOf(100);
	const node = new Y.XmlText();
	(doc.get('root', Y.XmlText) as Y.XmlText).insertEmbed(0, node);
	node.setAttribute('__type', type as string);
	return Y.encodeStateAsUpdate(doc);
}

test.each([['an unknown kind', 'nonsense'], ['a number', 5], ['an object', { a: 1 }], ['a prototype', 'constructor']])(
	'a node of %s is refused',
	(_what, type) => {
		expect(new Relay().submit('mallory', nodeOf(type))).toMatchObject({ kind: 'refused', code: 'bad-shape' });
	}
);

test('a kind that everybody knows is accepted, and cannot be changed into another', () => {
	const relay = new Relay();
	expect(relay.submit('ann', nodeOf('paragraph'))).toMatchObject({ kind: 'accepted' });
	const mallory = docOf(200);
	Y.applyUpdate(mallory, Y.encodeStateAsUpdate(relay.doc));
	const before = Y.encodeStateVector(mallory);
	const node = (mallory.get('root', Y.XmlText) as Y.XmlText).toDelta()[0].insert as Y.XmlText;
	node.setAttribute('__type', 'nonsense');
	expect(relay.submit('mallory', Y.encodeStateAsUpdate(mallory, before))).toMatchObject({ kind: 'refused', code: 'bad-shape' });
});

test('what was typed and deleted again offline needs no kind any more', () => {
	const ann = docOf(100);
	const sent = outbox(ann);
	const { change } = lexicalOn(ann);
	change(() => void $getRoot().append($createParagraphNode().append($createTextNode('gone'))));
	change(() => void $getRoot().getLastChild()?.remove());
	expect(new Relay().submit('ann', Y.mergeUpdates(sent))).toMatchObject({ kind: 'accepted' });
	expect(new Relay().submit('ann', Y.encodeStateAsUpdate(ann))).toMatchObject({ kind: 'accepted' });
});
