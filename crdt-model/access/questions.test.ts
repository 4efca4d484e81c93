import { describe, expect, test } from 'vitest';
import { kindNamed } from '../kinds/index.ts';
import type { Kind } from '../record/kind.ts';
import { planCommand, rowOf } from '../record/plan.ts';
import { applyWrites, EMPTY_STATE } from '../record/state.ts';
import { worldOf } from '../testing/company.ts';
import { ANN, CAT, actor, directory } from '../testing/office.ts';
import { commandId, documentId } from '../testing/world.ts';
import { accessTo } from './questions.ts';

function made(kind: 'deal' | 'task', args: unknown, author = ANN) {
	const spec = kindNamed(kind) as Kind;
	const id = documentId(kind, 1);
	const plan = planCommand(spec, EMPTY_STATE, { id: commandId(1), document: id, name: `${kind}.create`, args, at: 1, seen: {} }, { author, latest: 1 });
	if (plan.kind === 'refused') throw new Error(plan.refusal.detail);
	const state = applyWrites(EMPTY_STATE, plan.writes);
	return { state, row: rowOf(spec, id, state)! };
}
const world = worldOf(directory);

describe('what one may do', () => {
	test('[A15] who sees a record hears of its main actions, each with the rule book’s verdict; who does not hears of none', () => {
		const { row, state } = made('task', { title: 'x', observers: [CAT] });
		const say = (name: string) => Object.fromEntries(accessTo(actor(name), row, state, world).may.map(({ verb, verdict }) => [verb, verdict.allow]));
		expect(say('ann')).toMatchObject({ setTitle: true, setDeadline: true, setState: true, comment: true, delete: true });
		expect(say('cat')).toMatchObject({ setTitle: false, setDeadline: false, comment: true, delete: false });
		expect(accessTo(actor('ben'), row, state, world)).toMatchObject({ visible: false, openings: [], may: [] });
		const refused = accessTo(actor('cat'), row, state, world).may.find(({ verb }) => verb === 'delete')!.verdict;
		expect(refused.allow === false && refused.who.length).toBeGreaterThan(0);
	});

	test('[A15] asking changes nothing, and a deal with nothing in it can be asked about', () => {
		const { row, state } = made('deal', { title: 'x' });
		const before = [...state];
		expect(accessTo(actor('ann'), row, state, world).may.map(({ verb }) => verb)).toEqual(['setTitle', 'moveToStage', 'setAmount', 'setResponsible', 'comment', 'delete']);
		expect([...state]).toEqual(before);
	});
});
