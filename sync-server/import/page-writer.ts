/**
 * Rich text as the app's editor writes it: a Lexical editor without a screen on a Y.Doc, and the Yjs updates of what was put into it.
 *
 * Promises: the updates are what @lexical/yjs writes in the same version as the app's, so the editor opens the page as its own; one update
 * per block, so that each stays under the gate's ceilings.
 * Leaves to others: whose edits they are (portal-writer.ts), what the pages say (pages.ts).
 */
import { $createListItemNode, $createListNode, ListItemNode, ListNode } from '@lexical/list';
import { $createHeadingNode, HeadingNode, QuoteNode } from '@lexical/rich-text';
import { $createTableCellNode, $createTableNode, $createTableRowNode, TableCellHeaderStates, TableCellNode, TableNode, TableRowNode } from '@lexical/table';
import { createYjsBinding, syncLexicalUpdateToYjs, type Provider } from '@lexical/yjs';
import { $createParagraphNode, $createTextNode, $getRoot, createEditor, type ElementNode } from 'lexical';
import * as Y from 'yjs';
import { isRelayClient } from '../room/rooms.ts';

export type Block =
	| { readonly is: 'heading'; readonly text: string }
	| { readonly is: 'text'; readonly text: string }
	| { readonly is: 'list'; readonly kind: 'bullet' | 'number'; readonly items: readonly string[] }
	| { readonly is: 'checks'; readonly items: readonly (readonly [text: string, done: boolean])[] }
	| { readonly is: 'table'; readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] };

export const heading = (text: string): Block => ({ is: 'heading', text });
export const text = (...words: string[]): Block => ({ is: 'text', text: words.join(' ') });
export const bullets = (...items: string[]): Block => ({ is: 'list', kind: 'bullet', items });
export const steps = (...items: string[]): Block => ({ is: 'list', kind: 'number', items });

/** A table of more rows is written as several: an update has at most 2,000 structs, and a cell is some twenty of them. */
const ROWS_PER_TABLE = 20;

/** The updates that bring an empty page to these blocks, in order. */
export function updatesOf(blocks: readonly Block[]): Uint8Array[] {
	const doc = new Y.Doc();
	// The small ids are the relay's own.
	while (isRelayClient(doc.clientID)) doc.clientID = crypto.getRandomValues(new Uint32Array(1))[0]!;
	const updates: Uint8Array[] = [];
	doc.on('update', (update: Uint8Array) => updates.push(update));
	const change = editorOn(doc);
	for (const block of blocks.flatMap(pieces)) change(() => void $getRoot().append($nodeOf(block)));
	doc.destroy();
	return updates;
}

function pieces(block: Block): Block[] {
	if (block.is !== 'table' || block.rows.length <= ROWS_PER_TABLE) return [block];
	return Array.from({ length: Math.ceil(block.rows.length / ROWS_PER_TABLE) }, (_, n) => ({
		...block,
		rows: block.rows.slice(n * ROWS_PER_TABLE, (n + 1) * ROWS_PER_TABLE)
	}));
}

function editorOn(doc: Y.Doc): (step: () => void) => void {
	const editor = createEditor({
		nodes: [HeadingNode, QuoteNode, ListNode, ListItemNode, TableNode, TableRowNode, TableCellNode],
		onError: (error) => {
			throw error;
		}
	});
	// What @lexical/headless sets: commits happen without a root element.
	editor._headless = true;
	const silent = () => {};
	const awareness = { getLocalState: () => null, getStates: () => new Map(), setLocalState: silent, setLocalStateField: silent, on: silent, off: silent };
	const provider = { awareness, connect: silent, disconnect: silent, on: silent, off: silent } as unknown as Provider;
	const binding = createYjsBinding({ editor, id: 'page', doc, docMap: new Map([['page', doc]]) });
	editor.registerUpdateListener(({ prevEditorState, editorState, dirtyElements, dirtyLeaves, normalizedNodes, tags }) =>
		syncLexicalUpdateToYjs(binding, provider, prevEditorState, editorState, dirtyElements, dirtyLeaves, normalizedNodes, tags)
	);
	return (step) => editor.update(step, { discrete: true });
}

function $nodeOf(block: Block): ElementNode {
	switch (block.is) {
		case 'heading':
			return $createHeadingNode('h2').append($createTextNode(block.text));
		case 'text':
			return $paragraph(block.text);
		case 'list':
			return $createListNode(block.kind).append(...block.items.map((item) => $createListItemNode().append($createTextNode(item))));
		case 'checks':
			return $createListNode('check').append(...block.items.map(([item, done]) => $createListItemNode(done).append($createTextNode(item))));
		case 'table':
			return $createTableNode().append($row(block.header, TableCellHeaderStates.ROW), ...block.rows.map((cells) => $row(cells, TableCellHeaderStates.NO_STATUS)));
	}
}

const $paragraph = (words: string) => (words === '' ? $createParagraphNode() : $createParagraphNode().append($createTextNode(words)));

function $row(cells: readonly string[], state: Parameters<typeof $createTableCellNode>[0]): TableRowNode {
	return $createTableRowNode().append(...cells.map((cell) => $createTableCellNode(state).append($paragraph(cell))));
}
