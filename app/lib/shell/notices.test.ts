import { describe, expect, it } from 'vitest';
import { notices, type NoticeId } from './notices.svelte.ts';

const open = (id: NoticeId) => notices.open(id, () => ({ text: id }));
const now = () => [notices.shown?.text, notices.at, notices.count];

describe('notices', () => {
	it('one is shown at a time, the weightiest first, and the others follow in turn', () => {
		expect(now()).toEqual([undefined, 1, 0]);
		const ends = [open('update'), open('expired'), open('factor')];
		expect(now()).toEqual(['expired', 1, 3]);
		notices.next();
		expect(now()).toEqual(['factor', 2, 3]);
		notices.next();
		expect(now()).toEqual(['update', 3, 3]);
		notices.next();
		expect(now()).toEqual(['expired', 1, 3]);
		for (const end of ends) end();
		expect(now()).toEqual([undefined, 1, 0]);
	});

	it('whatever comes or goes meanwhile, what must be known first is in sight', () => {
		const endFactor = open('factor');
		const endUpdate = open('update');
		notices.next();
		const endStorage = open('storage');
		expect(now()).toEqual(['storage', 1, 3]);
		notices.next();
		endFactor();
		expect(now()).toEqual(['storage', 1, 2]);
		endStorage();
		expect(now()).toEqual(['update', 1, 1]);
		endUpdate();
	});
});
