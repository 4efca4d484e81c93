/** The answers that a portal gives of itself, without asking a gate. */
import type { Command } from '#crdt-model/record/command.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';
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
