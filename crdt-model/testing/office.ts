/** A small office that tests of rights share: who sits where, and how they are asked. */
import { expect } from 'vitest';
import { decide, type Verdict } from '../access/decide.ts';
import type { Directory } from '../access/directory.ts';
import type { Change } from '../access/verdict.ts';
import { RELAY, type PersonId } from '../ids.ts';
import type { BaseRow } from '../record/kind.ts';
import { EMPTY_STATE, type RecordState } from '../record/state.ts';
import { actorOf, departmentId, departmentRow, directoryOf, employeeRow, groupRow, worldOf } from './company.ts';
import { commandId, documentId, itemId, person } from './world.ts';

/**
 * Boss heads all, Lead heads Sales with Dora as deputy, Ann and Ben work there; Cat and Dora work in Support, which nobody heads; Admin is an administrator outside of
 * all; Gone was dismissed; Guy is a guest. Cat's closed workgroup has Ben as moderator, Ann and Guy as members.
 */
export const [BOSS, LEAD, ANN, BEN, CAT, ADMIN, GONE, DORA, GUY] = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(person) as [PersonId, PersonId, PersonId, PersonId, PersonId, PersonId, PersonId, PersonId, PersonId];
const NAMES: Readonly<Record<string, PersonId>> = { boss: BOSS, lead: LEAD, ann: ANN, ben: BEN, cat: CAT, admin: ADMIN, gone: GONE, dora: DORA, guy: GUY, relay: RELAY };
export const [ROOT, SALES, SUPPORT, CLOSED] = [1, 2, 3, 4] as const;
export const root = departmentRow(ROOT, { head: BOSS });
export const sales = departmentRow(SALES, { parent: departmentId(ROOT), head: LEAD, deputies: [DORA] });
export const support = departmentRow(SUPPORT, { parent: departmentId(ROOT) });
export const closed = departmentRow(CLOSED, { parent: departmentId(ROOT), deleted: true });
export const people = [
	employeeRow(1, { departments: [departmentId(ROOT)] }),
	...[2, 3, 4].map((n) => employeeRow(n, { departments: [departmentId(SALES)] })),
	employeeRow(5, { departments: [departmentId(SUPPORT)] }),
	employeeRow(6, { administrator: true }),
	employeeRow(7, { active: false, departments: [departmentId(SALES)] }),
	employeeRow(8, { departments: [departmentId(SUPPORT)] }),
	employeeRow(9, { guest: true })
];
export const circle = groupRow(1, { owner: CAT, createdBy: CAT, moderators: [BEN], members: [ANN, GUY] });
export const office: readonly BaseRow[] = [root, sales, support, closed, ...people, circle];
export const directory = directoryOf(office);
export const settingsRow = { ...root, kind: 'settings', id: documentId('settings', 1) } as BaseRow;

export interface Asked<Row extends BaseRow> {
	readonly before?: Row | null;
	readonly next?: Row;
	readonly changed?: readonly string[];
	readonly wishes?: Change['wishes'];
	readonly state?: RecordState;
	readonly records?: readonly BaseRow[];
	readonly in?: Directory;
}
export const actor = (who: string, inside: Directory = directory) => actorOf(inside, NAMES[who]!);
export function ask<Row extends BaseRow>(who: string, { before = null, next, changed = ['title'], wishes, state = EMPTY_STATE, records = [], in: inside = directory }: Asked<Row>): Verdict {
	const row = next ?? before!;
	return decide(actor(who, inside), { before: before && { row: before, state }, next: { row, state }, changed, ...(wishes && { wishes }) }, worldOf(inside, records));
}
export const say = (verdict: Verdict) => `${verdict.allow ? 'allow' : verdict.code} ${verdict.rule}`;
export const who = (verdict: Verdict) => (verdict.allow ? null : verdict.who);

/** Each line: who → what they are told. */
export function expectEach<Row extends BaseRow>(asked: Asked<Row>, lines: Readonly<Record<string, string>>): void {
	for (const [names, expected] of Object.entries(lines)) for (const name of names.split(' ')) expect(say(ask(name, asked)), name).toBe(expected);
}

/** A record's state with one comment by this person. */
export const commentBy = (author: PersonId): { readonly text: string; readonly removed: string; readonly state: RecordState } => {
	const text = `comments/${itemId(1)}/text`;
	return { text, removed: `comments/${itemId(1)}/removed`, state: new Map([[text, { value: 'x', at: 1, by: author, command: commandId(1) }]]) };
};
