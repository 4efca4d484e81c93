/**
 * The rich text editor of pages: nodes, commands, keys, paste. Everything of Lexical is behind this file, which is loaded when a
 * page is opened for the first time.
 *
 * Promises: writes no shape that the relay's gate refuses (sync-server/gate/page/rules.ts): lists are nested at most as deep as its depth
 * of 16 allows, tables stand in no table; links lead to safe addresses alone; a page that Lexical cannot read is never written to.
 * Leaves to others: Yjs and carets (collaboration.ts), buttons (Toolbar.svelte).
 */
import { $createCodeNode, $isCodeNode, CodeHighlightNode, CodeNode } from '@lexical/code';
import { $toggleLink, LinkNode } from '@lexical/link';
import {
	$isListItemNode,
	$isListNode,
	INSERT_CHECK_LIST_COMMAND,
	INSERT_ORDERED_LIST_COMMAND,
	INSERT_UNORDERED_LIST_COMMAND,
	ListItemNode,
	ListNode,
	registerCheckList,
	registerList,
	registerListStrictIndentTransform,
	REMOVE_LIST_COMMAND
} from '@lexical/list';
import {
	BOLD_ITALIC_STAR,
	BOLD_ITALIC_UNDERSCORE,
	BOLD_STAR,
	BOLD_UNDERSCORE,
	CHECK_LIST,
	CODE,
	HEADING,
	INLINE_CODE,
	ITALIC_STAR,
	ITALIC_UNDERSCORE,
	ORDERED_LIST,
	QUOTE,
	registerMarkdownShortcuts,
	STRIKETHROUGH,
	UNORDERED_LIST,
	type Transformer
} from '@lexical/markdown';
import { $createHeadingNode, $createQuoteNode, HeadingNode, QuoteNode, registerRichText } from '@lexical/rich-text';
import { $setBlocksType } from '@lexical/selection';
import {
	$deleteTableColumnAtSelection,
	$deleteTableRowAtSelection,
	$findTableNode,
	$insertTableColumnAtSelection,
	$insertTableRowAtSelection,
	$isTableSelection,
	INSERT_TABLE_COMMAND,
	registerTablePlugin,
	registerTableSelectionObserver,
	setScrollableTablesActive,
	TableCellNode,
	TableNode,
	TableRowNode
} from '@lexical/table';
import {
	$createParagraphNode,
	$createTabNode,
	$createTextNode,
	$findMatchingParent,
	$getRoot,
	$getSelection,
	$insertNodes,
	$isRangeSelection,
	COMMAND_PRIORITY_CRITICAL,
	COMMAND_PRIORITY_HIGH,
	createEditor,
	FORMAT_TEXT_COMMAND,
	INDENT_CONTENT_COMMAND,
	KEY_TAB_COMMAND,
	mergeRegister,
	OUTDENT_CONTENT_COMMAND,
	PASTE_COMMAND,
	REDO_COMMAND,
	UNDO_COMMAND,
	type ElementNode
} from 'lexical';
import type { Awareness } from 'y-protocols/awareness';
import type { Doc } from 'yjs';
import { collaborate } from './collaboration.ts';
import { safeAddress } from './links.ts';
import { $blockOf, $linkAt, $look, type Block, type Mark, type RichState } from './look.ts';

export type TableStep = 'row-above' | 'row-below' | 'column-before' | 'column-after' | 'delete-row' | 'delete-column' | 'delete-table';

export interface RichText {
	setBlock(block: Exclude<Block, 'other'>): void;
	toggle(mark: Mark): void;
	/** False where the address is no safe one. Null takes the link away. */
	setLink(address: string | null): boolean;
	insertTable(): void;
	table(step: TableStep): void;
	undo(): void;
	redo(): void;
	focus(): void;
	setEditable(editable: boolean): void;
	end(): void;
}

export interface RichOptions {
	readonly element: HTMLElement;
	readonly cursors: HTMLElement;
	readonly doc: Doc;
	readonly awareness: Awareness;
	readonly editable: boolean;
	readonly onState: (state: RichState) => void;
	/** A paste was cut to plain text, or was too much even so. */
	readonly onPasteCut: (kind: 'plain' | 'refused') => void;
	readonly onAskLink: () => void;
	/** Lexical cannot go on with this content: it is shown no further and written no more. */
	readonly onFault: (fault: unknown) => void;
}

/** The relay takes 256 KiB in one update, and Lexical writes somewhat more than the text. */
const MAX_PASTE_BYTES = 200_000;
/** The relay takes a depth of 16, and an item may hold a link with a text. A step of a list is two levels: six steps, fewer in a table. */
const MAX_ITEM_DEPTH = 14;

const MARKDOWN: Transformer[] = [
	HEADING, QUOTE, CHECK_LIST, UNORDERED_LIST, ORDERED_LIST, CODE, INLINE_CODE, BOLD_ITALIC_STAR, BOLD_ITALIC_UNDERSCORE, BOLD_STAR, BOLD_UNDERSCORE,
	STRIKETHROUGH, ITALIC_STAR, ITALIC_UNDERSCORE
];

const theme = {
	paragraph: 'rt-p',
	heading: { h1: 'rt-h1', h2: 'rt-h2', h3: 'rt-h3', h4: 'rt-h3', h5: 'rt-h3', h6: 'rt-h3' },
	quote: 'rt-quote',
	code: 'rt-code',
	link: 'rt-link',
	list: { ul: 'rt-ul', ol: 'rt-ol', checklist: 'rt-checks', listitem: 'rt-li', nested: { listitem: 'rt-nested' }, listitemChecked: 'rt-checked', listitemUnchecked: 'rt-unchecked' },
	text: { bold: 'rt-bold', italic: 'rt-italic', strikethrough: 'rt-strike', underline: 'rt-underline', underlineStrikethrough: 'rt-both', code: 'rt-inline' },
	table: 'rt-table',
	tableCell: 'rt-cell',
	tableCellHeader: 'rt-head',
	tableCellSelected: 'rt-chosen',
	tableSelection: 'rt-selecting',
	tableScrollableWrapper: 'rt-scroll'
};

/** Beside Lexical's own. The relay lets in exactly these and no others (crdt-model/page/nodes.ts). */
export const NODES = [HeadingNode, QuoteNode, ListNode, ListItemNode, CodeNode, CodeHighlightNode, LinkNode, TableNode, TableRowNode, TableCellNode] as const;

export function mountRich(options: RichOptions): RichText {
	const { element, doc, awareness, cursors, onState, onFault, onPasteCut, onAskLink } = options;
	let broken = false;
	const editor = createEditor({
		namespace: 'atrium',
		nodes: [...NODES],
		theme,
		editable: options.editable,
		onError(fault) {
			if (broken) return;
			broken = true;
			editor.setEditable(false);
			onFault(fault);
		}
	});
	setScrollableTablesActive(editor, true);
	editor.setRootElement(element);
	const unregister = mergeRegister(
		registerRichText(editor),
		registerList(editor),
		registerListStrictIndentTransform(editor),
		registerCheckList(editor),
		registerTablePlugin(editor),
		registerTableSelectionObserver(editor, true),
		registerMarkdownShortcuts(editor, MARKDOWN),
		editor.registerNodeTransform(ListItemNode, (item) => {
			const beyond = item.getParents().length - MAX_ITEM_DEPTH;
			if (beyond > 0) item.setIndent(Math.max(0, item.getIndent() - Math.ceil(beyond / 2)));
		}),
		// A list of boxes is no list of items to assistive technology, but a group of boxes.
		editor.registerMutationListener(ListNode, (changed) => {
			editor.read(() => {
				for (const [key, kind] of changed) {
					const node = kind === 'destroyed' ? undefined : editor.getEditorState()._nodeMap.get(key);
					const list = editor.getElementByKey(key);
					if (!list || !$isListNode(node)) continue;
					if (node.getListType() === 'check') list.setAttribute('role', 'group');
					else list.removeAttribute('role');
				}
			});
		}),
		editor.registerCommand(KEY_TAB_COMMAND, onTab, COMMAND_PRIORITY_HIGH),
		editor.registerCommand(PASTE_COMMAND, onPaste, COMMAND_PRIORITY_CRITICAL)
	);
	const together = collaborate({ editor, doc, awareness, cursors, onUndoable: () => tell() });
	const stopTelling = editor.registerUpdateListener(() => tell());

	function tell(): void {
		editor.getEditorState().read(() => onState({ ...$look(), ...together.undoable() }), { editor });
	}

	/** Tab leaves the editor, as on any page; only where it means indentation it stays. Tables have a handler of their own. */
	function onTab(event: KeyboardEvent): boolean {
		const selection = $getSelection();
		if (!$isRangeSelection(selection)) return false;
		const anchor = selection.anchor.getNode();
		if ($isCodeNode($blockOf(anchor))) {
			// Shift+Tab still leaves.
			if (!event.shiftKey) {
				event.preventDefault();
				selection.insertNodes([$createTabNode()]);
			}
			return true;
		}
		const item = $findMatchingParent(anchor, $isListItemNode);
		if (!item) return !$findMatchingParent(anchor, (node) => node instanceof TableCellNode);
		if (event.shiftKey ? item.getIndent() === 0 : item.getParents().length + 2 > MAX_ITEM_DEPTH) return true;
		event.preventDefault();
		return editor.dispatchCommand(event.shiftKey ? OUTDENT_CONTENT_COMMAND : INDENT_CONTENT_COMMAND, undefined);
	}

	function onPaste(event: ClipboardEvent | InputEvent | KeyboardEvent): boolean {
		const data = 'clipboardData' in event ? event.clipboardData : 'dataTransfer' in event ? event.dataTransfer : null;
		if (!data) return false;
		const plain = data.getData('text/plain');
		const selection = $getSelection();
		const inCode = $isRangeSelection(selection) && $isCodeNode($blockOf(selection.anchor.getNode()));
		const rich = inCode ? 0 : Math.max(data.getData('text/html').length, data.getData('application/x-lexical-editor').length);
		const fits = Math.max(rich, bytesOf(plain)) <= MAX_PASTE_BYTES;
		if (fits && (!inCode || plain === '')) return false;
		event.preventDefault();
		if (plain === '' || bytesOf(plain) > MAX_PASTE_BYTES) {
			onPasteCut('refused');
			return true;
		}
		if (!fits) onPasteCut('plain');
		selection?.insertRawText(plain);
		return true;
	}

	function edit(change: () => void): void {
		if (!editor.isEditable()) return;
		together.begin();
		// Discrete: committed within this turn, so that nothing arriving meanwhile can join it (collaboration.ts).
		editor.update(
			() => {
				if (!$getSelection()) $getRoot().selectEnd();
				change();
			},
			{ discrete: true }
		);
		editor.focus();
	}

	function setBlock(block: Exclude<Block, 'other'>): void {
		const lists = { bullet: INSERT_UNORDERED_LIST_COMMAND, number: INSERT_ORDERED_LIST_COMMAND, check: INSERT_CHECK_LIST_COMMAND };
		edit(() => {
			const selection = $getSelection();
			const now = $look().block;
			if (block === 'bullet' || block === 'number' || block === 'check') {
				editor.dispatchCommand(now === block ? REMOVE_LIST_COMMAND : lists[block], undefined);
				return;
			}
			// The same button again gives back plain text.
			const wanted = now === block ? 'paragraph' : block;
			if (!selection) return;
			if (wanted === 'code' && $isRangeSelection(selection) && !selection.isCollapsed()) {
				const text = selection.getTextContent();
				const code = $createCodeNode();
				selection.insertNodes([code]);
				$getSelection()?.insertRawText(text);
				return;
			}
			$setBlocksType(selection, () => $blockNode(wanted));
		});
	}

	// The first line of an empty page, before the stroke that writes in it. Modifiers, arrows and the like write nothing.
	function onKeyDown(event: KeyboardEvent): void {
		if (!editor.isEditable()) return;
		const writes = event.key.length === 1 || ['Enter', 'Process', 'Unidentified', 'Dead'].includes(event.key);
		if (writes && !event.ctrlKey && !event.metaKey) together.begin();
		if (shortcut(event)) {
			event.preventDefault();
			event.stopPropagation();
		}
	}
	function shortcut(event: KeyboardEvent): boolean {
		if (!(event.ctrlKey || event.metaKey)) return false;
		if (event.altKey && !event.shiftKey) {
			const block = ({ Digit0: 'paragraph', Digit1: 'h1', Digit2: 'h2', Digit3: 'h3' } as const)[event.code];
			if (block) setBlock(block);
			return block !== undefined;
		}
		if (event.shiftKey && !event.altKey) {
			const block = ({ Digit7: 'number', Digit8: 'bullet', Digit9: 'check', Period: 'quote' } as const)[event.code];
			if (block) setBlock(block);
			else if (event.code === 'KeyX') toggle('strikethrough');
			// The browser tells of a new selection a task later, and the dialog takes the focus.
			else if (event.code === 'KeyK') setTimeout(onAskLink);
			else return false;
			return true;
		}
		if (event.code === 'KeyE' && !event.altKey) {
			toggle('code');
			return true;
		}
		// Underlined text would pass for a link.
		return event.code === 'KeyU' && !event.altKey;
	}
	function toggle(mark: Mark): void {
		edit(() => void editor.dispatchCommand(FORMAT_TEXT_COMMAND, mark));
	}
	function beginPaste(): void {
		if (editor.isEditable()) together.begin();
	}
	function onClick(event: MouseEvent): void {
		const link = (event.target as Element).closest?.('a');
		if (!link || !element.contains(link)) return;
		event.preventDefault();
		const address = safeAddress(link.getAttribute('href') ?? '');
		if (address && (!editor.isEditable() || event.ctrlKey || event.metaKey)) window.open(address, '_blank', 'noopener,noreferrer');
	}
	element.addEventListener('keydown', onKeyDown, true);
	element.addEventListener('paste', beginPaste, true);
	element.addEventListener('drop', beginPaste, true);
	element.addEventListener('click', onClick);
	// Carets are placed beside the text, not in it: where a table or a short editor scrolls, they follow.
	const onScroll = (): void => together.drawCarets();
	element.addEventListener('scroll', onScroll, true);
	const resized = new ResizeObserver(() => together.drawCarets());
	resized.observe(element);
	tell();

	return {
		setBlock,
		toggle,
		setLink(address) {
			const safe = address === null ? null : safeAddress(address);
			if (address !== null && safe === null) return false;
			edit(() => {
				const selection = $getSelection();
				const attributes = { rel: 'noopener noreferrer' };
				if (safe !== null && $isRangeSelection(selection) && selection.isCollapsed() && !$linkAt(selection.anchor.getNode())) {
					const text = $createTextNode(safe.replace(/^(https?:\/\/|mailto:|tel:)/u, ''));
					$insertNodes([text]);
					text.select(0, text.getTextContentSize());
					$toggleLink(safe, attributes);
					text.selectEnd();
				} else $toggleLink(safe, attributes);
			});
			return true;
		},
		insertTable() {
			edit(() => {
				const selection = $getSelection();
				if ($isRangeSelection(selection) && $findTableNode(selection.anchor.getNode())) return;
				editor.dispatchCommand(INSERT_TABLE_COMMAND, { rows: '3', columns: '3', includeHeaders: { rows: true, columns: false } });
			});
		},
		table(step) {
			edit(() => {
				const selection = $getSelection();
				if (!$isRangeSelection(selection) && !$isTableSelection(selection)) return;
				const table = $findTableNode(selection.anchor.getNode());
				if (!table) return;
				switch (step) {
					case 'row-above':
					case 'row-below':
						return void $insertTableRowAtSelection(step === 'row-below');
					case 'column-before':
					case 'column-after':
						return void $insertTableColumnAtSelection(step === 'column-after');
					case 'delete-row':
						return $deleteTableRowAtSelection();
					case 'delete-column':
						return $deleteTableColumnAtSelection();
					case 'delete-table': {
						const after = table.getNextSibling() ?? table.insertAfter($createParagraphNode());
						table.remove();
						after.selectStart();
					}
				}
			});
		},
		undo: () => void editor.dispatchCommand(UNDO_COMMAND, undefined),
		redo: () => void editor.dispatchCommand(REDO_COMMAND, undefined),
		focus: () => editor.focus(),
		setEditable(editable) {
			if (!broken) editor.setEditable(editable);
		},
		end() {
			element.removeEventListener('keydown', onKeyDown, true);
			element.removeEventListener('paste', beginPaste, true);
			element.removeEventListener('drop', beginPaste, true);
			element.removeEventListener('click', onClick);
			element.removeEventListener('scroll', onScroll, true);
			resized.disconnect();
			stopTelling();
			together.end();
			unregister();
			editor.setRootElement(null);
		}
	};
}

function $blockNode(block: 'paragraph' | 'h1' | 'h2' | 'h3' | 'quote' | 'code'): ElementNode {
	if (block === 'paragraph') return $createParagraphNode();
	if (block === 'quote') return $createQuoteNode();
	return block === 'code' ? $createCodeNode() : $createHeadingNode(block);
}

function bytesOf(text: string): number {
	// Counting is only worth it where it can matter.
	return text.length * 3 <= MAX_PASTE_BYTES ? text.length : new TextEncoder().encode(text).byteLength;
}
