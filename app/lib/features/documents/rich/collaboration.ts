/**
 * A Lexical editor on a Y.Doc, by @lexical/yjs's first format under the root `root`, without React.
 *
 * Promises: what the document holds before binding appears; undo takes back one's own edits alone; other people's carets carry the name and
 * colour that the relay stamped, never those that they say themselves; what comes from others is committed at once, so that a
 * local edit of the same turn is an update of its own and is sent. The other way round, an edit that Lexical has not committed when
 * something arrives would be lost to the others: it commits in a microtask, and in a browser no message comes between an event and
 * its microtasks. So nobody may edit from a promise's turn without `discrete`.
 * Leaves to others: nodes, commands, keys (editor.ts); network and keeping (lib/sync).
 */
import {
	createUndoManager,
	createYjsBinding,
	initLocalState,
	setLocalStateFocus,
	syncCursorPositions,
	syncLexicalUpdateToYjs,
	syncYjsChangesToLexical,
	type Binding,
	type Provider,
	type UserState
} from '@lexical/yjs';
import {
	$createParagraphNode,
	$getRoot,
	BLUR_COMMAND,
	COLLABORATION_TAG,
	COMMAND_PRIORITY_EDITOR,
	FOCUS_COMMAND,
	mergeRegister,
	REDO_COMMAND,
	SKIP_COLLAB_TAG,
	UNDO_COMMAND,
	type LexicalEditor
} from 'lexical';
import type { Awareness } from 'y-protocols/awareness';
import { UndoManager, type Doc, type Transaction, type YEvent, type Text } from 'yjs';

export interface Collaboration {
	/** The first line of an empty page; made with the first edit, never by looking, so that two who open an empty page make none. */
	begin(): void;
	undoable(): { undo: boolean; redo: boolean };
	drawCarets(): void;
	end(): void;
}

export interface CollaborationOptions {
	readonly editor: LexicalEditor;
	readonly doc: Doc;
	readonly awareness: Awareness;
	/** Inside a positioned parent of the editor; without it no caret is drawn. */
	readonly cursors: HTMLElement;
	readonly onUndoable: () => void;
}

interface Stamped {
	readonly name: string;
	readonly color: string;
}

export function collaborate({ editor, doc, awareness, cursors, onUndoable }: CollaborationOptions): Collaboration {
	const binding: Binding = createYjsBinding({ editor, id: 'page', doc, docMap: new Map([['page', doc]]) });
	binding.cursorsContainer = cursors;
	const root = binding.root.getSharedType();
	const provider = providerOver(awareness);
	const undoManager = createUndoManager(binding, root);

	function drawCarets(): void {
		try {
			syncCursorPositions(binding, provider, { selectionHighlight: true });
		} catch {
			// A caret is another program's word: one that points nowhere is not drawn, and nothing else suffers.
		}
	}

	// Version 1 of the format never shows what was there before binding; it is told as if it had just arrived.
	if (root.length > 0) {
		editor.update(
			() => {
				binding.root.applyChildrenYjsDelta(binding, root.toDelta() as Parameters<typeof binding.root.applyChildrenYjsDelta>[1]);
				binding.root.syncChildrenFromYjs(binding);
			},
			{ tag: COLLABORATION_TAG, skipTransforms: true, discrete: true }
		);
	}

	function receive(events: YEvent<Text>[], transaction: Transaction): void {
		if (transaction.origin === binding) return;
		const byUndo = transaction.origin instanceof UndoManager;
		syncYjsChangesToLexical(binding, provider, events, byUndo, drawCarets);
		// Lexical commits in a microtask. An edit made before that would join this update, inherit its tag, and never be sent.
		if (!byUndo) editor.update(() => {}, { discrete: true });
	}
	root.observeDeep(receive as Parameters<typeof root.observeDeep>[0]);
	awareness.on('update', drawCarets);
	undoManager.on('stack-item-added', onUndoable);
	undoManager.on('stack-item-popped', onUndoable);
	undoManager.on('stack-cleared', onUndoable);

	initLocalState(provider, '', '', false, {});
	const unregister = mergeRegister(
		editor.registerUpdateListener(({ prevEditorState, editorState, dirtyLeaves, dirtyElements, normalizedNodes, tags }) => {
			if (tags.has(SKIP_COLLAB_TAG)) return;
			syncLexicalUpdateToYjs(binding, provider, prevEditorState, editorState, dirtyElements, dirtyLeaves, normalizedNodes, tags);
			drawCarets();
		}),
		editor.registerCommand(UNDO_COMMAND, () => (undoManager.undo(), true), COMMAND_PRIORITY_EDITOR),
		editor.registerCommand(REDO_COMMAND, () => (undoManager.redo(), true), COMMAND_PRIORITY_EDITOR),
		editor.registerCommand(FOCUS_COMMAND, () => (setLocalStateFocus(provider, '', '', true, {}), false), COMMAND_PRIORITY_EDITOR),
		editor.registerCommand(BLUR_COMMAND, () => (setLocalStateFocus(provider, '', '', false, {}), false), COMMAND_PRIORITY_EDITOR)
	);
	drawCarets();

	return {
		begin() {
			if (root.length > 0) return;
			// No undo step: taking back one's first letter must not take the line away.
			binding.isBootstrapping = true;
			editor.update(
				() => {
					if ($getRoot().isEmpty()) $getRoot().append($createParagraphNode()).selectEnd();
				},
				{ discrete: true }
			);
			binding.isBootstrapping = false;
		},
		undoable: () => ({ undo: undoManager.undoStack.length > 0, redo: undoManager.redoStack.length > 0 }),
		drawCarets,
		end() {
			unregister();
			root.unobserveDeep(receive as Parameters<typeof root.unobserveDeep>[0]);
			awareness.off('update', drawCarets);
			undoManager.destroy();
			for (const caret of cursors.children) caret.remove();
			cursors.replaceChildren();
			if (binding.cursorHighlightSheet) {
				const sheet = binding.cursorHighlightSheet;
				document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
			}
		}
	};
}

/** What @lexical/yjs asks of a provider: presence alone. Connecting is lib/sync's. */
function providerOver(awareness: Awareness): Provider {
	const nothing = (): void => {};
	return {
		awareness: {
			getLocalState: () => awareness.getLocalState() as UserState | null,
			// y-websocket's own field stays beside Lexical's.
			setLocalState: (state: UserState | null) => awareness.setLocalState(state && { user: awareness.getLocalState()?.user, ...state }),
			setLocalStateField: (field: string, value: unknown) => awareness.setLocalStateField(field, value),
			getStates: () => {
				const states = new Map<number, UserState>();
				for (const [client, state] of awareness.getStates()) {
					const user = state.user as Stamped | undefined;
					if (!user || !('anchorPos' in state)) continue;
					states.set(client, { ...(state as UserState), name: String(user.name), color: String(user.color) });
				}
				return states;
			},
			on: (type: 'update', listener: () => void) => awareness.on(type, listener),
			off: (type: 'update', listener: () => void) => awareness.off(type, listener)
		},
		connect: nothing,
		disconnect: nothing,
		on: nothing,
		off: nothing
	} as Provider;
}
