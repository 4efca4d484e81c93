// The author's version of a page against what the page says now.
import * as Y from 'yjs';
import { expect, test } from 'vitest';
import { aroundChanges, byWords, unsentVersion, type Piece } from './difference.ts';

const plain = { root: 'text', shape: 'plain' } as const;
const rich = { root: 'root', shape: 'rich' } as const;
const said = (pieces: readonly Piece[]) => pieces.map(({ kind, text }) => (kind === 'same' ? text : kind === 'added' ? `[+${text}]` : `[-${text}]`)).join('');

/** What one doc emits while it is changed. */
function changes(doc: Y.Doc, work: () => void): Uint8Array[] {
	const updates: Uint8Array[] = [];
	const listen = (update: Uint8Array) => void updates.push(update);
	doc.on('update', listen);
	work();
	doc.off('update', listen);
	return updates;
}

test('[P3] own words are added, what the author deleted is deleted, all in its place', () => {
	const theirs = new Y.Doc();
	theirs.getText('text').insert(0, 'The deal is worth 500 euros. Call them.');
	const mine = new Y.Doc();
	const base = Y.encodeStateAsUpdate(theirs);
	Y.applyUpdate(mine, base);
	const tail = changes(mine, () => {
		const text = mine.getText('text');
		text.delete(18, 3);
		text.insert(18, '900');
		text.insert(text.length, ' Today.');
	});
	const version = unsentVersion([base], tail, plain)!;
	expect(said(version.pieces)).toBe('The deal is worth [-500][+900] euros. Call them.[+ Today.]');
	expect(version.text).toBe('The deal is worth 900 euros. Call them. Today.');
});

test('[P3] it is measured against what the page says now, whoever changed it since', () => {
	const doc = new Y.Doc();
	doc.getText('text').insert(0, 'One. Two.');
	const base = Y.encodeStateAsUpdate(doc);
	const mine = new Y.Doc();
	Y.applyUpdate(mine, base);
	const tail = changes(mine, () => mine.getText('text').insert(4, ' Mine.'));
	const later = changes(doc, () => {
		doc.getText('text').insert(0, 'Zero. ');
		doc.getText('text').delete(10, 5);
	});
	expect(said(unsentVersion([base, ...later], tail, plain)!.pieces)).toBe('Zero. One.[+ Mine.]');
});

test('[P3] a new paragraph and a line break of a rich page, a deleted paragraph, formatted words on one line', () => {
	const line = (root: Y.XmlText, at: number, ...parts: (string | null)[]) => {
		const paragraph = new Y.XmlText();
		root.insertEmbed(at, paragraph);
		paragraph.setAttribute('__type', 'paragraph');
		for (const part of parts) {
			const node = new Y.Map();
			paragraph.insertEmbed(paragraph.length, node);
			node.set('__type', part === null ? 'linebreak' : 'text');
			if (part !== null) paragraph.insert(paragraph.length, part);
		}
	};
	const doc = new Y.Doc();
	const root = doc.get('root', Y.XmlText) as Y.XmlText;
	line(root, 0, 'Some ', 'bold', ' words', null, 'below');
	line(root, 1, 'Old paragraph');
	const base = Y.encodeStateAsUpdate(doc);
	const mine = new Y.Doc();
	Y.applyUpdate(mine, base);
	const tail = changes(mine, () => {
		const own = mine.get('root', Y.XmlText) as Y.XmlText;
		own.delete(1, 1);
		line(own, 1, 'New', null, 'paragraph');
	});
	const version = unsentVersion([base], tail, rich)!;
	expect(version.text).toBe('Some bold words\nbelow\nNew\nparagraph');
	expect(said(version.pieces).replaceAll('\n', '/')).toMatch(/^Some bold words\/below\/(\[\+New\/paragraph\/?\]\[-Old paragraph\/?\]|\[-Old paragraph\/?\]\[\+New\/paragraph\/?\])$/u);
});

test('[P3] a tail that builds on what is not here has no version', () => {
	const doc = new Y.Doc();
	doc.getText('text').insert(0, 'lost');
	const tail = changes(doc, () => doc.getText('text').insert(4, ' mine'));
	expect(unsentVersion([], tail, plain)).toBeNull();
	expect(unsentVersion([], [new Uint8Array([255, 1, 2])], plain)).toBeNull();
});

test('[P3] a word of which a part changed is shown whole, before and after', () => {
	const pieces: Piece[] = [{ kind: 'same', text: 'the contr' }, { kind: 'deleted', text: 'o' }, { kind: 'added', text: 'a' }, { kind: 'same', text: 'ct here' }];
	expect(said(byWords(pieces))).toBe('the [-controct][+contract] here');
	expect(said(byWords([{ kind: 'same', text: 'one' }, { kind: 'added', text: ' and more' }, { kind: 'same', text: ' two' }]))).toBe('one[+ and more] two');
});

test('[P3] long passages without a change are cut down, changes never', () => {
	const long = 'word '.repeat(500);
	const shown = aroundChanges([{ kind: 'same', text: long }, { kind: 'added', text: long }, { kind: 'same', text: long }, { kind: 'deleted', text: 'x' }, { kind: 'same', text: long }]);
	expect(shown.filter(({ cut }) => cut)).toHaveLength(3);
	expect(shown.find(({ kind }) => kind === 'added')!.text).toBe(long);
	expect(shown.map(({ text }) => text).join('').length).toBeLessThan(long.length + 1_000);
	const short: Piece[] = [{ kind: 'same', text: 'a few words' }, { kind: 'added', text: '!' }];
	expect(aroundChanges(short)).toEqual(short);
});
