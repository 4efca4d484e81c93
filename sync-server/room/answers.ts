/** The answers that a portal gives without asking a gate: of itself, and those that it gave before. */
import type { CommandId } from '#crdt-model/ids.ts';
import type { Command } from '#crdt-model/record/command.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { PortalStore, StoredAnswer } from '#storage/contract.ts';
import { LogFailed } from '../log/portal-log.ts';

export function refused(refusal: Refusal, command: Command['id'] | null): AnswerResult {
	return { kind: 'refused', refusal, command };
}

/** The store failed or is gone; what was asked may or may not be there, and the same ids may be sent again. */
export function unavailable(fault: unknown): AnswerResult {
	// Anything but a failed store is our own fault and must not be taken for one.
	if (fault instanceof TypeError || fault instanceof RangeError || fault instanceof ReferenceError) throw fault;
	return refused(refuse('unavailable', fault instanceof LogFailed ? 'the commit failed' : 'the store does not answer'), null);
}

export type FoundAnswers = ReadonlyMap<CommandId, StoredAnswer>;

/**
 * Looks up first answers. One look-up is under way at a time, and whoever comes meanwhile goes with the next: under load a trip to the store's
 * thread is shared by all of them, and in quiet times nobody waits.
 */
export class AnswerLookUps {
	readonly #store: PortalStore;
	#underWay: Promise<FoundAnswers> | null = null;
	#next: { readonly ids: CommandId[]; readonly found: Promise<FoundAnswers> } | null = null;

	constructor(store: PortalStore) {
		this.#store = store;
	}

	find(commands: readonly Pick<Command, 'id'>[]): Promise<FoundAnswers> {
		const ids = commands.map(({ id }) => id);
		if (this.#underWay === null && this.#next === null) return this.#look(ids);
		if (this.#next) this.#next.ids.push(...ids);
		else {
			const go = () => {
				this.#next = null;
				return this.#look(ids);
			};
			// A failed look-up is told to those who waited for it; the next one asks for itself.
			this.#next = { ids, found: this.#underWay!.then(go, go) };
		}
		return this.#next.found;
	}

	#look(ids: readonly CommandId[]): Promise<FoundAnswers> {
		const looking = this.#store.answers(ids).then((answers): FoundAnswers => new Map(answers.map((answer) => [answer.command, answer])));
		const done = () => void (this.#underWay === looking && (this.#underWay = null));
		this.#underWay = looking;
		looking.then(done, done);
		return looking;
	}
}
