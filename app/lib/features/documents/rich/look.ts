/** What stands at the caret, as a toolbar shows it. Reads an editor's state and changes nothing. */
import { $isCodeNode } from '@lexical/code';
import { $isLinkNode, type LinkNode } from '@lexical/link';
import { $isListItemNode, $isListNode } from '@lexical/list';
import { $isHeadingNode, $isQuoteNode } from '@lexical/rich-text';
import { $findTableNode, $isTableSelection } from '@lexical/table';
import { $findMatchingParent, $getRoot, $getSelection, $isParagraphNode, $isRangeSelection, type LexicalNode } from 'lexical';

export type Block = 'paragraph' | 'h1' | 'h2' | 'h3' | 'bullet' | 'number' | 'check' | 'quote' | 'code' | 'other';
export type Mark = 'bold' | 'italic' | 'strikethrough' | 'code';

/** What a toolbar shows. */
export interface RichState {
	readonly block: Block;
	readonly marks: ReadonlySet<Mark>;
	/** The address of the link at the caret. */
	readonly link: string | null;
	readonly inTable: boolean;
	readonly undo: boolean;
	readonly redo: boolean;
	readonly empty: boolean;
}

export const NOTHING_YET: RichState = { block: 'paragraph', marks: new Set(), link: null, inTable: false, undo: false, redo: false, empty: false };

const MARKS: readonly Mark[] = ['bold', 'italic', 'strikethrough', 'code'];

export function $look(): Omit<RichState, 'undo' | 'redo'> {
	const root = $getRoot();
	const first = root.getFirstChild();
	const empty = root.getChildrenSize() <= 1 && (first === null || ($isParagraphNode(first) && first.isEmpty()));
	const selection = $getSelection();
	if ($isTableSelection(selection)) return { block: 'other', marks: new Set(MARKS.filter((mark) => selection.hasFormat(mark))), link: null, inTable: true, empty };
	if (!$isRangeSelection(selection)) return { block: 'paragraph', marks: new Set(), link: null, inTable: false, empty };
	const anchor = selection.anchor.getNode();
	return {
		block: $blockNameOf(anchor),
		marks: new Set(MARKS.filter((mark) => selection.hasFormat(mark))),
		link: $linkAt(anchor)?.getURL() ?? null,
		inTable: $findTableNode(anchor) !== null,
		empty
	};
}

/** The paragraph, heading, quote, code or item around a node. */
export function $blockOf(node: LexicalNode): LexicalNode | null {
	return $findMatchingParent(node, (one) => $isParagraphNode(one) || $isHeadingNode(one) || $isQuoteNode(one) || $isCodeNode(one) || $isListItemNode(one));
}

function $blockNameOf(node: LexicalNode): Block {
	const block = $blockOf(node);
	if (block === null || $isParagraphNode(block)) return $findMatchingParent(node, $isListItemNode) ? $listTypeOf(node) : 'paragraph';
	if ($isHeadingNode(block)) {
		const tag = block.getTag();
		return tag === 'h1' || tag === 'h2' ? tag : 'h3';
	}
	if ($isQuoteNode(block)) return 'quote';
	return $isCodeNode(block) ? 'code' : $listTypeOf(node);
}

function $listTypeOf(node: LexicalNode): Block {
	const list = $findMatchingParent(node, $isListNode);
	return list ? list.getListType() : 'other';
}

export function $linkAt(node: LexicalNode): LinkNode | null {
	return $findMatchingParent(node, $isLinkNode);
}
