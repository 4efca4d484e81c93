import { describe, expect, it } from 'vitest';
import { sections } from '#lib/shell/sections.ts';
import { articles as en } from './en.ts';
import { articles as ro } from './ro.ts';
import { marked, TOPICS, topicOf, wordsOf } from './topics.ts';

const at = (path: string) => topicOf(new URL(path, 'https://portal.example'));

describe('help', () => {
	it('has a topic of its own for every section, and for the parts of a section that need one', () => {
		for (const { path } of sections) expect(at(path), path).not.toBe('start');
		expect(at('/tasks/task_1')).toBe('tasks');
		expect(at('/crm?tab=permissions')).toBe('permissions');
		expect(at('/company?tab=people')).toBe('people');
		expect(at('/company?person=employee_1')).toBe('people');
		expect(at('/company?tab=groups')).toBe('groups');
		expect(at('/settings/licence')).toBe('licence');
		expect(at('/settings')).toBe('settings');
		expect(at('/nowhere')).toBe('start');
	});

	it('says the same things in both languages: parts, steps and links to other topics', () => {
		const shape = (articles: typeof en) => TOPICS.map((topic) => [articles[topic].see, articles[topic].parts.map(({ blocks }) => blocks.map((block) => ('text' in block ? 1 : 'steps' in block ? block.steps.length : block.list.length)))]);
		expect(shape(ro)).toEqual(shape(en));
	});

	it('leaves no mark-up unread', () => {
		for (const articles of [en, ro]) for (const topic of TOPICS) expect(wordsOf(articles[topic])).not.toContain('**');
		expect(marked('Press **c** now')).toEqual([{ text: 'Press ', bold: false }, { text: 'c', bold: true }, { text: ' now', bold: false }]);
	});
});
