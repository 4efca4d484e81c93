/** The editor knows exactly the kinds of nodes that the gate lets in. */
import { LineBreakNode, ParagraphNode, RootNode, TabNode, TextNode } from 'lexical';
import { expect, test } from 'vitest';
import { PAGE_NODE_TYPES } from '#crdt-model/page/nodes.ts';
import { NODES } from './editor.ts';

test('the editor and the gate know the same kinds of nodes', () => {
	const known = [RootNode, ParagraphNode, TextNode, LineBreakNode, TabNode, ...NODES].map((node) => node.getType());
	expect(new Set(known)).toEqual(PAGE_NODE_TYPES);
});
