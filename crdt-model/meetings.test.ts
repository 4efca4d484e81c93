/** docs/meetings.md says how every pair of concurrent commands meets, as the code does it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { KINDS } from './ids.ts';
import { kindNamed } from './kinds/index.ts';
import { VARIANTS, meetingsOf, meetingsPage } from './testing/meetings.ts';

const file = fileURLToPath(new URL('../docs/meetings.md', import.meta.url));

test('[M8] the page says what the code does', () => {
	const page = meetingsPage();
	if (process.env.ATRIUM_FREEZE === '1') writeFileSync(file, page);
	expect(existsSync(file) ? readFileSync(file, 'utf8') : '', 'docs/meetings.md is not what the code does; its head says how it is made').toBe(page);
});

test('[M8] every pair of every kind is in it; money and closed stages are guarded, deletion ends what others began', () => {
	for (const name of KINDS) {
		const { verbs, cells } = meetingsOf(name);
		expect(verbs.length).toBe(Object.values(kindNamed(name).commands).filter(({ needs }) => needs !== 'new').length);
		expect(cells.every((row) => row.length === verbs.length)).toBe(true);
		const at = (first: string, second: string) => cells[verbs.indexOf(first)]?.[verbs.indexOf(second)];
		if (verbs.includes('delete')) for (const verb of verbs) if (verb !== 'restore') expect(at('delete', verb), `${name}.${verb}`).toBe('gone');
		if (verbs.includes('setName')) expect(at('setName', 'setName')).toBe('later');
	}
	const deal = meetingsOf('deal');
	const stage = deal.verbs.indexOf('moveToStage');
	const amount = deal.verbs.indexOf('setAmount');
	expect([deal.cells[amount]![amount], deal.cells[stage]![stage], deal.cells[amount]![stage]]).toEqual(['stale', 'later', 'both']);
	for (const variant of VARIANTS.deal!) expect(meetingsOf('deal', variant).cells[stage]![stage], variant.title).toBe('stale');
	const approved = meetingsOf('task', VARIANTS.task![0]);
	expect(approved.cells[approved.verbs.indexOf('setState')]![approved.verbs.indexOf('setState')]).toBe('stale');
	const task = meetingsOf('task');
	const pair = (first: string, second: string) => task.cells[task.verbs.indexOf(first)]![task.verbs.indexOf(second)];
	expect([pair('removeItem', 'tickItem'), pair('addItem', 'addItem'), pair('tickItem', 'editItem'), pair('addObserver', 'removeObserver')]).toEqual(['gone', 'both', 'both', 'later']);
});
