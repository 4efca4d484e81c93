/** Why `admit.ts` clears a flag of Yjs: were formats allowed, the relay's document would clean them up by itself. */
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { TEXT_RULES } from './rules.ts';
import type { PageRules } from './rules.ts';
import { Relay, docOf, outbox, raw } from './testing.ts';

const bytesOf = (...values: number[]) => Uint8Array.from(values);

describe('the relay’s document writes nothing by itself', () => {
	// Formats are not allowed by our rules; were they, Yjs would clean them up after a remote change, in a transaction of its own.
	const FORMATS: PageRules = { ...TEXT_RULES, roots: new Map([['text', { list: new Set(['string', 'format'] as const), keyed: new Set() }]]) };
	/** Two format items at the start of the text that set the same key: one is redundant. */
	const REDUNDANT = raw(1, 2, 500, 0, bytesOf(0x46), 100, 0, 'bold', 'true', bytesOf(0xc6), 500, 0, 100, 0, 'bold', 'true', 0);
	const edits = (sent: Uint8Array[], doc: Y.Doc) => {
		const text = doc.getText('text');
		text.insert(0, 'abcdef');
		text.format(0, 6, { bold: true });
		text.format(2, 2, { bold: null });
		text.delete(1, 4);
		return sent;
	};

	test('Yjs alone would: a second, local transaction that deletes format items', () => {
		const ann = docOf(100);
		const updates = edits(outbox(ann), ann);
		const plain = docOf(1);
		plain.getText('text');
		let local = 0;
		plain.on('update', (_: Uint8Array, __: unknown, ___: unknown, transaction: Y.Transaction) => void (local += transaction.local ? 1 : 0));
		for (const bytes of [...updates, REDUNDANT]) Y.applyUpdate(plain, bytes);
		expect(local).toBeGreaterThan(0);
	});

	test('admitted, exactly one update leaves per edit, and it deletes nothing that the author did not', () => {
		const relay = new Relay(FORMATS);
		const ann = docOf(100);
		for (const bytes of [...edits(outbox(ann), ann), REDUNDANT]) {
			let emitted = 0;
			const count = () => void emitted++;
			relay.doc.on('update', count);
			expect(relay.submit('ann', bytes).kind).toBe('accepted');
			relay.doc.off('update', count);
			expect(emitted).toBe(1);
		}
		expect([...relay.doc.store.clients.keys()].sort()).toEqual([1, 100, 500]);
	});
});
