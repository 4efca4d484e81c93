/** Proposals as screens read them: one's own with their answers, and those that wait for one's decision. */
import { kindOf, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { ProposalRow } from '#crdt-model/kinds/proposal.ts';
import type { LiveValue, Workspace } from '#lib/sync/workspace.svelte.ts';
import type { StoredRow } from '#storage/replica-contract.ts';

export type KeptProposal = StoredRow<ProposalRow>;

/** Rules that say that somebody else is to decide; any other hindrance is told to whoever would decide. */
const NOT_MINE = new Set(['not-readable', 'not-found', 'proposal.readers-answer', 'proposal.answered-once']);

export interface Answered {
	readonly row: KeptProposal;
	/** Null while nobody has answered. */
	readonly by: PersonId | null;
	readonly at: number;
}

/** One's own proposals, newest first, with who answered. */
export function ownProposals(workspace: Workspace): LiveValue<readonly Answered[]> {
	return workspace.live<readonly Answered[]>(() => async () => {
		const rows = (await workspace.rows('proposal').toArray()).filter((row) => row.createdBy === workspace.person);
		const answered = await Promise.all(rows.map(async (row): Promise<Answered> => {
			const cell = row.state === 'open' ? undefined : (await workspace.replica.state(row.id)).get('state');
			return { row, by: cell?.by ?? null, at: cell?.at ?? row.createdAt };
		}));
		return answered.sort((a, b) => b.row.createdAt - a.row.createdAt);
	}, []);
}

/** Open proposals of others for one record. */
export function proposalsFor(workspace: Workspace, target: () => DocumentId | null): LiveValue<readonly KeptProposal[]> {
	return workspace.live<readonly KeptProposal[]>(() => {
		const asked = target();
		return async () => {
			if (!asked) return [];
			const rows = await workspace.rows('proposal').toArray();
			return rows.filter((row) => row.target === asked && row.state === 'open' && row.createdBy !== workspace.person).sort((a, b) => a.createdAt - b.createdAt);
		};
	}, []);
}

/** Open proposals of others that this person may decide: by the rule book, as things stand. */
export function toDecide(workspace: Workspace): LiveValue<readonly KeptProposal[]> {
	return workspace.live<readonly KeptProposal[]>(() => {
		void workspace.structure;
		return async (database) => {
			const open = (await workspace.rows('proposal').toArray()).filter((row) => row.state === 'open' && row.createdBy !== workspace.person);
			const mine: KeptProposal[] = [];
			for (const row of open) {
				const kind = kindOf(row.target);
				// Read for its own sake too: who may decide changes with the record.
				if (!kind || !(await database.rows(kind).get(row.target))) continue;
				const verdict = await workspace.replica.mayApply(row);
				const isRight = !verdict.allow && (verdict.code === 'not-found' || NOT_MINE.has(verdict.rule) || verdict.who.length > 0);
				if (!isRight) mine.push(row);
			}
			return mine.sort((a, b) => b.createdAt - a.createdAt);
		};
	}, []);
}
