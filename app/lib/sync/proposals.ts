/**
 * Proposals on a device: what lies in Set aside put before those who may, and their answer under their own rights.
 *
 * Promises: a proposal carries what its author wrote, and of other people's values only what its author saw of the record that it is meant for, whose
 * readers alone see it; applying runs the proposed commands anew, on the record as it is today and as whoever applies it.
 * Leaves to others: who may (crdt-model/access/proposals.ts), words and buttons (features/set-aside).
 */
import { kindOf, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import { MAX_PROPOSED_BYTES, MAX_PROPOSED_COMMANDS, type ProposalRow, type ProposedCommand } from '#crdt-model/kinds/proposal.ts';
import type { ContentSpec } from '#crdt-model/record/kind.ts';
import { jsonSize, MAX_COMMENT_LENGTH } from '#crdt-model/record/parts.ts';
import { EMPTY_STATE, valueAt, type Json, type Path, type RecordState } from '#crdt-model/record/state.ts';
import type { Refusal } from '#crdt-model/wire/refusal.ts';
import { NODE_TYPE_KEY } from '#crdt-model/page/nodes.ts';
import type { AsideItem, FieldValue, ReplicaTransaction } from '#storage/replica-contract.ts';
import * as Y from 'yjs';
import { effectsOf, setterOf, type Draft } from './drafts.ts';

/** Why something cannot be put before anybody. */
export type Unproposable =
	/** What it makes is not there for anybody to decide on. */
	| 'new'
	/** Whoever applied it would be refused alike. */
	| 'unfit'
	| 'too-long';

export interface Proposable {
	readonly target: DocumentId;
	readonly commands?: readonly ProposedCommand[];
	readonly text?: string;
	readonly before?: readonly FieldValue[];
}

/** Refusals that speak of the change itself: nobody's rights would help. */
const UNFIT: ReadonlySet<Refusal['code']> = new Set(['malformed', 'too-large', 'unknown-command', 'bad-value', 'target-gone', 'exists', 'quota']);

/**
 * What is proposed of items that were made and refused together.
 * @param states records as their author may still see them
 */
export function proposableOf(items: readonly AsideItem[], states: ReadonlyMap<DocumentId, RecordState>, person: PersonId): Proposable | Unproposable {
	const [first] = items;
	if (!first) return 'unfit';
	if (first.kind === 'page' || first.kind === 'swallowed') {
		if (first.text.trim() === '' || (first.kind === 'page' && first.reason.code === 'target-gone')) return 'unfit';
		return first.text.length > MAX_COMMENT_LENGTH ? 'too-long' : { target: first.on ?? first.document, text: first.text };
	}
	const commands: ProposedCommand[] = [];
	for (const item of items) {
		const draft = draftOf(item, states.get(item.document) ?? EMPTY_STATE, person);
		if (!draft || kindOf(draft.document) === 'proposal') return 'unfit';
		if (kindNamed(kindOf(draft.document)!).commands[draft.name.slice(draft.name.indexOf('.') + 1)]?.needs === 'new') return 'new';
		if (item.kind === 'command' && UNFIT.has(item.reason.code)) return 'unfit';
		commands.push({ ...draft, args: draft.args as Json });
	}
	if (commands.length > MAX_PROPOSED_COMMANDS || jsonSize(commands as unknown as Json) > MAX_PROPOSED_BYTES) return 'too-long';
	const target = first.document;
	const before = items.flatMap((item) => (item.document === target && item.kind === 'command' ? (item.before ?? []) : []));
	return { target, commands, ...(before.length > 0 && jsonSize(before as unknown as Json) <= MAX_PROPOSED_BYTES && { before }) };
}

/** What an item would do if it were tried again; null for text. */
export function draftOf(item: AsideItem, state: RecordState, person: PersonId): Draft | null {
	if (item.kind === 'command') return { document: item.command.document, name: item.command.name, args: item.command.args };
	return item.kind === 'overruled' ? setterOf(item.document, state, item.path, item.mine, person) : null;
}

/** Those that go into one proposal leave with it; the note stays with them until it is answered. */
export function markProposed(items: readonly AsideItem[], proposal: DocumentId<'proposal'>, note: string): AsideItem[] {
	return items.map((item) => ({ ...item, proposal, note }));
}

/**
 * A proposal that was refused itself: what it was made of lies in Set aside already and is free again, with the note.
 * @returns whether anything was
 */
export async function freeProposed(tx: ReplicaTransaction, proposal: DocumentId): Promise<boolean> {
	const items = (await tx.aside()).filter((item) => item.proposal === proposal);
	if (items.length > 0) await tx.addAside(items.map(({ proposal: _gone, ...rest }) => rest as AsideItem));
	return items.length > 0;
}

export interface ProposedField {
	readonly document: DocumentId;
	/** The path, or the command's name where it would write nothing as things stand. */
	readonly path: Path;
	readonly now: Json;
	readonly next: Json;
}

/** What would change today, record by record as whoever looks at it sees them. */
export function fieldsOf(row: Pick<ProposalRow, 'commands'>, states: ReadonlyMap<DocumentId, RecordState>, person: PersonId): ProposedField[] {
	return row.commands.flatMap((command): ProposedField[] => {
		const { document } = command;
		const state = states.get(document) ?? EMPTY_STATE;
		const effects = kindOf(document) === null ? [] : effectsOf(state, command, person);
		if (effects.length === 0) return [{ document, path: command.name, now: null, next: command.args }];
		return effects.map(([path, next]) => ({ document, path, now: valueAt(state, path) ?? null, next }));
	});
}

/** The batch that applies a proposal: its commands as one's own, and the answer. */
export function applyDrafts(row: Pick<ProposalRow, 'id' | 'commands'>): Draft[] {
	return [...row.commands, { document: row.id, name: 'proposal.apply', args: {} }];
}

/** What @lexical/yjs 0.52 keeps of a plain paragraph and of plain words in it. */
const PARAGRAPH = { [NODE_TYPE_KEY]: 'paragraph', __format: 0, __style: '', __indent: 0, __dir: null, __textFormat: 0, __textStyle: '' };
const WORDS = { [NODE_TYPE_KEY]: 'text', __format: 0, __style: '', __mode: 0, __detail: 0 };

/** Adds a proposed passage at the end of a page or text, a paragraph for each line, as the editor would write it. */
export function appendPassage(doc: Y.Doc, content: ContentSpec, passage: string): void {
	const lines = passage.trim().split(/\n+/u);
	doc.transact(() => {
		if (content.shape === 'plain') {
			const text = doc.getText(content.root);
			text.insert(text.length, (text.length === 0 || text.toString().endsWith('\n') ? '' : '\n') + lines.join('\n'));
			return;
		}
		const root = doc.get(content.root, Y.XmlText) as Y.XmlText;
		for (const line of lines) {
			const paragraph = new Y.XmlText();
			root.insertEmbed(root.length, paragraph);
			for (const [key, value] of Object.entries(PARAGRAPH)) paragraph.setAttribute(key, value as string);
			const words = new Y.Map<unknown>();
			paragraph.insertEmbed(0, words);
			for (const [key, value] of Object.entries(WORDS)) words.set(key, value);
			paragraph.insert(1, line);
		}
	});
}

