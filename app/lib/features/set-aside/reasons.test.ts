/** Every rule of the rule book that can refuse has a sentence of its own or names who may, in both languages (P3). */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { Directory } from '#crdt-model/access/directory.ts';
import { person } from '#crdt-model/testing/world.ts';
import { departmentId, departmentRow, employeeRow, groupRow } from '#crdt-model/testing/company.ts';
import { m } from '#lib/paraglide/messages.js';
import { overwriteGetLocale } from '#lib/paraglide/runtime.js';
import { peopleOf, reasonOf, type Knows } from './reasons.ts';

// The preferences of a browser's tab; no sentence of a rule depends on them.
vi.mock('#lib/shell/preferences.svelte.ts', () => ({ preferences: { locale: 'en' }, languages: [] }));

const folder = fileURLToPath(new URL('../../../../crdt-model/access/', import.meta.url));
const source = readdirSync(folder)
	.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
	.map((file) => readFileSync(folder + file, 'utf8'))
	.join('\n');

/** The rules of refusals with what follows the rule: nothing where nobody may. A rule chosen by a condition counts as each of its sides. */
function refusals(): Map<string, 'nobody' | 'somebody'> {
	const found = new Map<string, 'nobody' | 'somebody'>();
	for (const [, choice, rest] of source.matchAll(/\bdeny\(((?:[^,()]|\([^()]*\))+)(,|\))/g)) {
		for (const [, rule] of choice!.matchAll(/'([a-z]+(?:\.[a-z-]+|-content))'/g)) if (found.get(rule!) !== 'nobody') found.set(rule!, rest === ')' ? 'nobody' : 'somebody');
	}
	return found;
}

const directory = new Directory();
for (const row of [departmentRow(1, { head: person(1), name: 'Sales' }), employeeRow(1), employeeRow(2, { departments: [departmentId(1)] }), groupRow(1, { name: 'Choir' })]) directory.take(row);
const knows: Knows = { directory, person: person(3), nameOf: (id) => (directory.person(id) ? `Person ${directory.person(id)!.lastName}` : '') };

describe.each(['en', 'ro'] as const)('in %s', (language) => {
	test('each rule says what must hold, or who may', () => {
		overwriteGetLocale(() => language);
		const rules = refusals();
		expect(rules.size, 'rules were found').toBeGreaterThan(40);
		const mute = [...rules].filter(([rule, who]) => who === 'nobody' && reasonOf({ code: 'denied', rule }, knows) === m.aside_why_denied()).map(([rule]) => rule);
		expect(mute, 'nobody may, and no sentence says why').toEqual([]);
		const unnamed = [...rules]
			.filter(([rule, who]) => who === 'somebody' && reasonOf({ code: 'denied', rule, who: ['admins'] }, knows) === m.aside_why_denied())
			.map(([rule]) => rule);
		expect(unnamed, 'somebody may, and is not named').toEqual([]);
	});

	test('whoever may is named: people with those above, groups, departments, everyone', () => {
		overwriteGetLocale(() => language);
		const words = (...who: string[]) => peopleOf(who, knows).join('|');
		expect(words(`task:user:${person(2)}`)).toBe(m.aside_who_with_heads({ name: 'Person 2' }));
		expect(words(`crm:company:user:${person(2)}`)).toBe(m.aside_who_with_heads({ name: 'Person 2' }));
		expect(words(`user:${person(2)}`, 'admins', 'crm:deal:all')).toBe(`Person 2|${m.aside_who_admins()}`);
		expect(words(`departments:${departmentId(1)}`, `group:${groupRow(1).id}`, 'all')).toBe([m.aside_who_department({ department: 'Sales' }), m.aside_who_group({ group: 'Choir' }), m.aside_who_everyone()].join('|'));
	});
});
