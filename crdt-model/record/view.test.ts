import { expect, test } from 'vitest';
import { kindNamed } from '../kinds/index.ts';
import type { DealRow } from '../kinds/deal.ts';
import { ANN, BEN, commandId, documentId } from '../testing/world.ts';
import type { Command } from './command.ts';
import type { Kind } from './kind.ts';
import { planCommand, seenBy } from './plan.ts';
import { EMPTY_STATE, applyWrites, type RecordState } from './state.ts';
import { viewOf } from './view.ts';

const NOW = 1_700_000_000_000;
const deal = kindNamed('deal') as unknown as Kind<DealRow>;
const id = documentId('deal', 1);

function make(n: number, verb: string, args: unknown, saw: RecordState): Command {
	const draft = { id: commandId(n), document: id, name: `deal.${verb}`, args, at: NOW + n };
	return { ...draft, seen: seenBy(deal as unknown as Kind, saw, draft, ANN) };
}
function accept(state: RecordState, command: Command, author = ANN): RecordState {
	const plan = planCommand(deal as unknown as Kind, state, command, { author, latest: NOW + 99 });
	if (plan.kind === 'refused') throw new Error(plan.refusal.detail);
	return applyWrites(state, plan.writes);
}
const view = (canonical: RecordState, pending: Command[]) => viewOf(deal, id, canonical, pending, ANN, NOW + 99);

test('[V1] a refusal needs no surgery: without the refused command the rest runs again', () => {
	const canonical = accept(EMPTY_STATE, make(1, 'create', { title: 'x', amount: 1 }, EMPTY_STATE));
	const amount = make(2, 'setAmount', { value: 2 }, canonical);
	const title = make(3, 'setTitle', { value: 'y' }, canonical);
	expect(view(canonical, [amount, title]).row).toMatchObject({ amount: 2, title: 'y' });
	const moved = accept(canonical, make(4, 'setAmount', { value: 9 }, canonical), BEN);
	const doubted = view(moved, [amount, title]);
	expect(doubted.row).toMatchObject({ amount: 9, title: 'y' });
	expect([...doubted.doubtful].map(([command, { code }]) => [command, code])).toEqual([[amount.id, 'stale']]);
	expect(view(moved, [title])).toEqual({ ...doubted, doubtful: new Map() });
	expect(view(moved, []).row).toMatchObject({ amount: 9, title: 'x' });
});

test('[V1] what only stands pending has a row, and none once its making is refused', () => {
	const create = make(1, 'create', { title: 'x' }, EMPTY_STATE);
	expect(view(EMPTY_STATE, [create]).row).toMatchObject({ title: 'x', number: null, createdBy: ANN });
	expect(view(EMPTY_STATE, []).row).toBeNull();
});

test('[V1] who would give way sees it before the relay says so', () => {
	const canonical = accept(EMPTY_STATE, make(1, 'create', { title: 'x' }, EMPTY_STATE));
	const mine = make(2, 'setTitle', { value: 'mine' }, canonical);
	const theirs = accept(canonical, make(3, 'setTitle', { value: 'theirs' }, canonical), BEN);
	expect(view(theirs, [mine])).toMatchObject({ row: { title: 'theirs' }, overruled: [{ gaveWay: { value: 'mine' } }] });
});
