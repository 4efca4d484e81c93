/** What settings take, and what they are while nobody said anything. */
import { describe, expect, test } from 'vitest';
import { planCommand, rowOf } from '../record/plan.ts';
import { EMPTY_STATE, applyWrites, type RecordState } from '../record/state.ts';
import { ANN, BEN, commandId, documentId, person } from '../testing/world.ts';
import { kindNamed } from './index.ts';
import { SERVICES } from './services.ts';
import { LEASES, MAX_ABOUT_LENGTH, MAX_ENTRY_RANGES, MAX_GRACE_DAYS, MAX_REGISTRATION_DOMAINS, MAX_SETTING_RECIPIENTS, type SettingsRow } from './settings.ts';

const id = documentId('settings', 1);
const kind = kindNamed('settings');
const made: RecordState = run('create', { company: 'Acme' }, EMPTY_STATE).state;

function run(verb: string, args: unknown, state: RecordState = made): { state: RecordState; refused: string | null } {
	const plan = planCommand(kind, state, { id: commandId(1), document: id, name: `settings.${verb}`, args, at: 1, seen: {} }, { author: ANN, latest: 1 });
	return plan.kind === 'refused' ? { state, refused: plan.refusal.code } : { state: applyWrites(state, plan.writes), refused: null };
}
/** What the row says after `set<Field>`; the code where it was refused. */
function after(field: string, value: unknown): unknown {
	const { state, refused } = run(`set${field.charAt(0).toUpperCase()}${field.slice(1)}`, { value });
	return refused ?? (rowOf(kind, id, state) as unknown as Record<string, unknown>)[field];
}

describe('settings', () => {
	test('[E1] are whole while nobody said anything', () => {
		expect(rowOf(kind, id, made) as unknown as SettingsRow).toMatchObject({
			company: 'Acme', language: 'en', currency: 'EUR', workingHours: null, domain: null, lease: 'off', logo: null, accent: null, contact: null, about: null, publicPage: false, senderName: null,
			replyTo: null, dateFormat: 'auto', timeFormat: 'auto', weekStart: 1, writersToAll: null, inviters: [], servicesOff: [], entry: null, selfRegistration: { mode: 'off', domains: [] }, secondFactor: null
		});
	});

	test('[E1] each takes what it means, in one form', () => {
		expect(after('accent', '#1A2b3C')).toBe('#1a2b3c');
		expect(after('servicesOff', ['groups', 'crm', 'groups'])).toEqual(['crm', 'groups']);
		expect(after('writersToAll', [`user:${BEN}`, 'all', `user:${BEN}`])).toEqual(['all', `user:${BEN}`]);
		expect([after('writersToAll', null), after('writersToAll', [])]).toEqual([null, []]);
		expect(after('entry', { ranges: [{ cidr: ' 10.9.9.9/8 ', note: ' office ' }], exceptions: [] })).toEqual({ ranges: [{ cidr: '10.0.0.0/8', note: 'office' }], exceptions: [] });
		expect(after('selfRegistration', { mode: 'open', domains: ['ACME.example', 'acme.example'] })).toEqual({ mode: 'open', domains: ['acme.example'] });
		expect(after('secondFactor', { since: 5, graceDays: MAX_GRACE_DAYS })).toEqual({ since: 5, graceDays: MAX_GRACE_DAYS });
		expect(after('contact', { address: null, phone: null, email: null, website: 'https://acme.example/a', partner: null })).toMatchObject({ website: 'https://acme.example/a' });
		expect([after('lease', LEASES[1]), after('weekStart', 7), after('senderName', ' Acme '), after('logo', documentId('file', 1))]).toEqual([LEASES[1], 7, 'Acme', documentId('file', 1)]);
	});

	const contact = { address: null, phone: null, email: null, website: null, partner: null };
	const ranges = (count: number) => Array.from({ length: count }, (_, n) => ({ cidr: `10.0.${n % 256}.0/24`, note: '' }));
	const unfit: readonly (readonly [string, unknown])[] = [
		['accent', 'red'], ['accent', '#12345'], ['accent', '#1234567'], ['accent', '#12345g'], ['accent', 'url(x)'],
		['about', 'x'.repeat(MAX_ABOUT_LENGTH + 1)], ['about', ' '], ['publicPage', 1], ['replyTo', 'nobody'], ['replyTo', 'a@b.example\nBcc: c@d.example'],
		['senderName', 'Acme\r\nBcc: x@y.example'], ['senderName', 'x'.repeat(101)], ['logo', documentId('page', 1)], ['dateFormat', 'dd.mm'], ['timeFormat', '24'], ['weekStart', 2],
		['writersToAll', ['admins']], ['writersToAll', Array.from({ length: MAX_SETTING_RECIPIENTS + 1 }, (_, n) => `user:${person(n + 1)}`)], ['inviters', null], ['inviters', ['everyone']],
		['servicesOff', ['company']], ['servicesOff', [...SERVICES, 'tasks']], ['entry', { ranges: [], exceptions: [] }], ['entry', { ranges: [{ cidr: '10.0.0.0/33', note: '' }], exceptions: [] }],
		['entry', { ranges: ranges(MAX_ENTRY_RANGES + 1), exceptions: [] }], ['entry', { ranges: ranges(1), exceptions: ['admins'] }], ['entry', { ranges: [{ cidr: 'localhost', note: '' }], exceptions: [] }],
		['selfRegistration', { mode: 'free', domains: [] }], ['selfRegistration', { mode: 'open', domains: ['acme'] }], ['selfRegistration', { mode: 'open', domains: ['*.acme.example'] }],
		['selfRegistration', { mode: 'open', domains: Array.from({ length: MAX_REGISTRATION_DOMAINS + 1 }, (_, n) => `d${n}.example`) }],
		['secondFactor', { since: -1, graceDays: 0 }], ['secondFactor', { since: 0, graceDays: MAX_GRACE_DAYS + 1 }], ['secondFactor', true],
		['contact', { ...contact, website: 'javascript:alert(1)' }], ['contact', { ...contact, email: 'x' }], ['contact', { ...contact, phone: 'x'.repeat(251) }], ['contact', { ...contact, fax: '1' }], ['contact', {}]
	];
	test.each(unfit)('[E1] %s does not take %j', (field, value) => expect(after(field, value)).toBe('bad-value'));

	test('[E1] as many as the ceilings say are taken', () => {
		expect(after('entry', { ranges: ranges(MAX_ENTRY_RANGES), exceptions: [] })).toMatchObject({ exceptions: [] });
		expect(after('inviters', Array.from({ length: MAX_SETTING_RECIPIENTS }, (_, n) => `user:${person(n + 1)}`))).toHaveLength(MAX_SETTING_RECIPIENTS);
		expect(after('about', 'x'.repeat(MAX_ABOUT_LENGTH))).toHaveLength(MAX_ABOUT_LENGTH);
	});
});
