/** Proposals: made by anyone, answered by who may write the target, telling nothing to whoever may not read it. */
import { expect, test } from 'vitest';
import { kindNamed } from '../kinds/index.ts';
import { MAX_PROPOSED_BYTES, type ProposalRow } from '../kinds/proposal.ts';
import { planCommand } from '../record/plan.ts';
import { EMPTY_STATE } from '../record/state.ts';
import type { BaseRow } from '../record/kind.ts';
import { dealRow, pageRow, proposalRow, taskRow, worldOf } from '../testing/company.ts';
import { ANN, BEN, CAT, LEAD, actor, ask, directory, expectEach, who } from '../testing/office.ts';
import { commandId, documentId, person } from '../testing/world.ts';
import { audienceOf, canRead } from './decide.ts';
import { explain } from './explain.ts';

const deal = dealRow({ createdBy: ANN, responsible: ANN });
const proposal = proposalRow({ createdBy: CAT, target: deal.id });
const answered = (state: ProposalRow['state']) => ({ before: proposal, next: { ...proposal, state }, changed: ['state'], records: [deal] });

test('[A14] any employee proposes, and hears the same whether the target is there, readable, deleted or not', () => {
	for (const records of [[], [deal], [{ ...deal, deleted: true }]]) {
		expectEach({ next: proposalRow({ createdBy: CAT, target: deal.id }), records }, { 'cat ben ann boss': 'allow proposal.anyone-proposes', guy: 'denied guests.make-nothing' });
	}
	expectEach({ next: proposalRow({ target: documentId('proposal', 7) }) }, { cat: 'denied proposal.not-on-proposals' });
	// The page of a record has the record's readers: its proposals name the record. Whoever does not read the page is told nothing by it.
	const page = pageRow({ createdBy: ANN, place: 'record', on: deal.id });
	expectEach({ next: proposalRow({ target: page.id, text: 'x' }), records: [deal, page] }, { ann: 'denied proposal.names-the-record', cat: 'allow proposal.anyone-proposes' });
	expectEach({ next: proposalRow({ target: page.id, text: 'x' }), records: [pageRow({ createdBy: ANN, place: 'company' })] }, { cat: 'allow proposal.anyone-proposes' });
});

test('[A2][A14] its author and whoever reads the target read it', () => {
	const reads = (name: string, records: BaseRow[], row: BaseRow = proposal) => canRead(actor(name), audienceOf(row, worldOf(directory, records)));
	expect(['cat', 'ann', 'lead', 'dora', 'boss', 'admin', 'ben', 'guy', 'gone'].filter((name) => reads(name, [deal]))).toEqual(['cat', 'ann', 'lead', 'dora', 'boss', 'admin']);
	expect(['cat', 'ann', 'boss', 'admin'].filter((name) => reads(name, []))).toEqual(['cat']);
	// One step and no further: on a page that hangs on a record, its author alone.
	const page = pageRow({ createdBy: ANN, place: 'record', on: deal.id });
	expect(['cat', 'ann', 'admin'].filter((name) => reads(name, [deal, page], proposalRow({ createdBy: CAT, target: page.id })))).toEqual(['cat']);
	const loose = pageRow({ createdBy: ANN });
	expect(['cat', 'ann', 'admin', 'ben'].filter((name) => reads(name, [loose], proposalRow({ createdBy: CAT, target: loose.id })))).toEqual(['cat', 'ann', 'admin']);
});

test('[A14] who may write the target answers; its author withdraws and rewords; each once', () => {
	for (const state of ['applied', 'declined'] as const) {
		expectEach(answered(state), { 'ann lead boss admin': 'allow proposal.writers-answer', cat: 'denied proposal.readers-answer', 'ben guy': 'not-found not-readable' });
	}
	expectEach(answered('withdrawn'), { cat: 'allow proposal.author-rewords', 'ann admin': 'denied proposal.author-rewords' });
	expectEach({ before: proposal, changed: ['note'], records: [deal] }, { cat: 'allow proposal.author-rewords', ann: 'denied proposal.author-rewords' });
	for (const state of ['applied', 'declined', 'withdrawn'] as const) {
		expectEach({ before: { ...proposal, state }, next: { ...proposal, state: 'applied' }, changed: ['state'], records: [deal] }, { 'cat ann admin': 'denied proposal.answered-once' });
	}
});

test('[A14] who only reads the target is told who may answer', () => {
	const task = taskRow({ createdBy: ANN, responsible: BEN, observers: [CAT] });
	const on = proposalRow({ createdBy: LEAD, target: task.id });
	const asked = { before: on, next: { ...on, state: 'applied' as const }, changed: ['state'], records: [task] };
	expectEach(asked, { cat: 'denied proposal.writers-answer', 'ben ann': 'allow proposal.writers-answer' });
	expect(who(ask('cat', asked))).toEqual([`task:user:${ANN}`, `task:user:${BEN}`, 'admins']);
	expect(person(3)).toBe(ANN);
});

test('[C5] a proposal holds commands or a text, twenty commands and 32 KiB at most, and plain data alone', () => {
	const kind = kindNamed('proposal');
	const one = { document: deal.id, name: 'deal.setTitle', args: { value: 'x' } };
	const plan = (args: object) => {
		const command = { id: commandId(1), document: proposal.id, name: 'proposal.create', args: { target: deal.id, ...args }, at: 1, seen: {} };
		const made = planCommand(kind, EMPTY_STATE, command, { author: CAT, latest: 2 });
		return made.kind === 'refused' ? made.refusal.code : made.kind;
	};
	expect([plan({ commands: [one] }), plan({ text: 'x' }), plan({ commands: Array(20).fill(one) })]).toEqual(['planned', 'planned', 'planned']);
	expect([plan({}), plan({ commands: [] }), plan({ commands: [one], text: 'x' }), plan({ commands: Array(21).fill(one) })]).toEqual(['bad-value', 'bad-value', 'bad-value', 'bad-value']);
	expect(plan({ commands: [{ ...one, args: { value: 'x'.repeat(MAX_PROPOSED_BYTES) } }] })).toBe('bad-value');
	for (const args of [undefined, 1n, Number.NaN, new Date(0), { deep: deep(30) }, JSON.parse('{"__proto__":1}') as unknown, '\ud83d']) expect(plan({ commands: [{ ...one, args }] })).toBe('bad-value');
});

function deep(levels: number): unknown {
	return levels === 0 ? null : [deep(levels - 1)];
}

test('[A14][A15] why its author reads it says nothing of a target that they do not read: not whose it is, nor that it is there', () => {
	const whoReads = (name: string, records: BaseRow[], asking = name) => {
		const explained = explain(actor(name), 'read', proposal, worldOf(directory, records), actor(asking));
		return explained.action === 'read' && explained.who;
	};
	const all = audienceOf(proposal, worldOf(directory, [deal]));
	expect(all).toContain(`crm:deal:user:${ANN}`);
	expect(whoReads('cat', [deal])).toEqual([`user:${CAT}`]);
	expect(whoReads('cat', [deal])).toEqual(whoReads('cat', []));
	expect(whoReads('ann', [deal])).toEqual(all);
	// An administrator who asks for the author knows the target.
	expect(whoReads('cat', [deal], 'admin')).toEqual(all);
	expect(whoReads('lead', [deal])).toEqual(all);
});
