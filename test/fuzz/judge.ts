/**
 * What the gate should answer, slowly: existence and meeting from the plan (which has its own tests), rights from the oracle, and a batch one
 * command after another on a company that grows with it.
 */
import { kindOf, type CommandId, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import { kindNamed, type Row } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { planCommand, rowOf } from '#crdt-model/record/plan.ts';
import { applyWrites, EMPTY_STATE } from '#crdt-model/record/state.ts';
import type { RefusalCode } from '#crdt-model/wire/refusal.ts';
import { Oracle } from './oracle.ts';

export type Expected =
	| { readonly kind: 'accepted'; readonly rules: readonly string[]; readonly rows: ReadonlyMap<DocumentId, Row> }
	| {
			readonly kind: 'refused';
			readonly command: CommandId | null;
			readonly code: RefusalCode;
			/** The oracle's own name of what decided; refusals of the plan have none. */
			readonly rule: string | null;
			/** The author could not read the document: the answer says no more than that. */
			readonly isHidden: boolean;
	  };

/** What the tariff of a company gives, as it is written on the price list. */
export interface Bought {
	readonly people: number;
	readonly bytes: number;
	readonly workingHours: boolean;
	readonly ownDomain: boolean;
	readonly extranet: boolean;
}

export function expect(oracle: Oracle, person: PersonId, commands: readonly Command[], now: number, bought: Bought): Expected {
	const refused = (command: CommandId | null, code: RefusalCode, rule: string | null = null, isHidden = false): Expected => ({ kind: 'refused', command, code, rule, isHidden });
	if (!oracle.isActive(person)) return refused(null, 'not-found', 'not a member', true);
	let world = oracle;
	const rows = new Map<DocumentId, Row>();
	const rules: string[] = [];
	const grown: { before: Row | null; row: Row; id: CommandId }[] = [];
	for (const command of commands) {
		const { document, id } = command;
		const kind = kindNamed(kindOf(document)!);
		const standing = world.record(document);
		const isHidden = standing !== undefined && !world.reads(person, document);
		const before = isHidden ? undefined : standing;
		const state = before?.state ?? EMPTY_STATE;
		const plan = planCommand(kind, state, command, { author: person, latest: now });
		if (plan.kind === 'refused') return refused(id, plan.refusal.code, null, isHidden);
		const next = applyWrites(state, plan.writes);
		const row = rowOf(kind, document, next) as Row | null;
		if (!row) return refused(id, 'bad-value');
		const off = world.offService(before?.row ?? row);
		if (off) return refused(id, 'service-off', `service.${off}`, isHidden);
		const answer = world.judge(person, command, before ?? null, { row, state: next });
		if (!answer.may) return refused(id, answer.code, answer.rule, isHidden);
		if (isHidden) return refused(id, 'not-found', 'hidden', true);
		grown.push({ before: before?.row ?? null, row, id });
		rules.push(answer.rule);
		rows.set(document, row);
		// A batch sees what its own earlier commands made, and nobody else does.
		if (world === oracle) world = oracle.copy();
		world.take(row, next);
	}
	const fault = beyondTariff(oracle, grown, bought);
	if (fault) return refused(fault, 'quota', 'tariff');
	return { kind: 'accepted', rules, rows };
}

/** The batch as a whole: what it gives back makes room for what grows in it. */
function beyondTariff(oracle: Oracle, steps: readonly { before: Row | null; row: Row; id: CommandId }[], bought: Bought): CommandId | null {
	let people = 0;
	let bytes = 0;
	let last: CommandId | null = null;
	for (const { before, row, id } of steps) {
		if (row.kind === 'settings' && before?.kind === 'settings') {
			if (!bought.workingHours && row.workingHours !== null && JSON.stringify(row.workingHours) !== JSON.stringify(before.workingHours)) return id;
			if (!bought.ownDomain && row.domain !== null && row.domain !== before.domain) return id;
		}
		if (!bought.extranet && row.kind === 'employee' && row.guest && seats(row) > seats(before)) return id;
		const [more, moreBytes] = [seats(row) - seats(before), room(row) - room(before)];
		if (more > 0 || moreBytes > 0) last = id;
		people += more;
		bytes += moreBytes;
	}
	const used = oracle.rowsOf('employee').reduce((sum, row) => sum + seats(row), 0);
	const usedBytes = oracle.rowsOf('file').reduce((sum, row) => sum + room(row), 0);
	return (people > 0 && used + people > bought.people) || (bytes > 0 && usedBytes + bytes > bought.bytes) ? last : null;
}
const seats = (row: Row | null): number => (row?.kind === 'employee' && row.active ? 1 : 0);
const room = (row: Row | null): number => (row?.kind === 'file' && !row.deleted ? row.size : 0);

/** Numbers are the relay's, and what a record shows of them is not the author's doing. */
export function sameRow(a: Row | null, b: Row): boolean {
	const plain = (row: Row | null) => JSON.stringify(row && { ...row, number: null, updatedAt: 0 });
	return plain(a) === plain(b);
}
