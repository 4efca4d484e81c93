/**
 * The editor of plain texts: CodeMirror on one Y.Text. Loaded when a text is first opened.
 *
 * Promises: undo takes back one's own edits alone; Tab leaves the editor, as on any page; colours are the tokens, so both themes follow at once.
 */
import { defaultKeymap } from '@codemirror/commands';
import { markdown } from '@codemirror/lang-markdown';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next';
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';

export interface PlainText {
	undo(): void;
	redo(): void;
	focus(): void;
	setEditable(editable: boolean): void;
	setMarkdown(on: boolean): void;
	end(): void;
}

export interface PlainOptions {
	readonly parent: HTMLElement;
	readonly doc: Y.Doc;
	readonly awareness: Awareness;
	readonly editable: boolean;
	readonly markdown: boolean;
	readonly label: string;
	readonly placeholder: string;
	readonly onUndoable: (undoable: { undo: boolean; redo: boolean }) => void;
	readonly onPasteRefused: () => void;
}

/** The relay takes 256 KiB in one update. */
const MAX_PASTE_BYTES = 200_000;

const theme = EditorView.theme({
	'&': { fontSize: 'var(--size-3)', backgroundColor: 'transparent', color: 'var(--text)' },
	'&.cm-focused': { outline: 'none' },
	'.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.65', overflowX: 'visible' },
	'.cm-content': { padding: '20px 0 96px', minHeight: 'max(280px, 50dvh)', caretColor: 'var(--accent)' },
	'.cm-line': { padding: '0 24px' },
	'.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
	'&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--accent-soft-2)' },
	'.cm-placeholder': { color: 'var(--text-3)' },
	'.cm-ySelectionInfo': { opacity: '1', fontFamily: 'var(--font)', fontSize: '11px', padding: '1px 4px', borderRadius: '3px', top: '-1.45em' },
	'.cm-ySelectionCaretDot': { display: 'none' }
});

const colours = HighlightStyle.define([
	{ tag: tags.heading, fontWeight: '700', color: 'var(--text)' },
	// The most exact tag alone counts: it says all.
	{ tag: tags.heading1, fontWeight: '700', fontSize: '1.15em', color: 'var(--text)' },
	{ tag: tags.strong, fontWeight: '700' },
	{ tag: tags.emphasis, fontStyle: 'italic' },
	{ tag: tags.strikethrough, textDecoration: 'line-through' },
	{ tag: [tags.link, tags.url], color: 'var(--accent-text)' },
	{ tag: tags.monospace, color: 'var(--good)' },
	{ tag: tags.quote, color: 'var(--text-2)' },
	{ tag: [tags.processingInstruction, tags.contentSeparator, tags.meta], color: 'var(--text-3)' }
]);

export function mountPlain(options: PlainOptions): PlainText {
	const { parent, doc, awareness, label, onUndoable, onPasteRefused } = options;
	const text = doc.getText('text');
	const undoManager = new Y.UndoManager(text);
	const tell = (): void => onUndoable({ undo: undoManager.undoStack.length > 0, redo: undoManager.redoStack.length > 0 });
	for (const event of ['stack-item-added', 'stack-item-popped', 'stack-cleared'] as const) undoManager.on(event, tell);

	const writable = new Compartment();
	const language = new Compartment();
	const writes = (editable: boolean) => [EditorState.readOnly.of(!editable), EditorView.editable.of(editable), EditorView.contentAttributes.of({ 'aria-readonly': String(!editable), tabindex: '0' })];
	const speaks = (on: boolean) => (on ? [markdown(), syntaxHighlighting(colours)] : []);

	const view = new EditorView({
		parent,
		state: EditorState.create({
			doc: text.toString(),
			extensions: [
				keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
				drawSelection(),
				EditorView.lineWrapping,
				EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'true', autocapitalize: 'sentences' }),
				placeholder(options.placeholder),
				writable.of(writes(options.editable)),
				language.of(speaks(options.markdown)),
				theme,
				EditorView.domEventHandlers({
					paste(event) {
						const pasted = event.clipboardData?.getData('text/plain') ?? '';
						if (pasted.length * 3 <= MAX_PASTE_BYTES || new TextEncoder().encode(pasted).byteLength <= MAX_PASTE_BYTES) return false;
						event.preventDefault();
						onPasteRefused();
						return true;
					}
				}),
				yCollab(text, awareness, { undoManager })
			]
		})
	});
	tell();

	return {
		undo: () => void undoManager.undo(),
		redo: () => void undoManager.redo(),
		focus: () => view.focus(),
		setEditable: (editable) => view.dispatch({ effects: writable.reconfigure(writes(editable)) }),
		setMarkdown: (on) => view.dispatch({ effects: language.reconfigure(speaks(on)) }),
		end() {
			view.destroy();
			undoManager.destroy();
		}
	};
}
