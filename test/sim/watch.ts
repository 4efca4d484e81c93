/**
 * Reads the log as it reaches the disk and judges every entry by the oracle: nothing stands in it that its author had no right to at that moment (P4,
 * P7), nothing grows beyond the tariff (P8), and the commands in it, run again, give what is stored.
 */
import { RELAY, kindOf } from '#crdt-model/ids.ts';
import { kindNamed, type Row } from '#crdt-model/kinds/index.ts';
import { planCommand, rowOf } from '#crdt-model/record/plan.ts';
import { applyWrites, EMPTY_STATE, type RecordState } from '#crdt-model/record/state.ts';
import { usageOfAll } from '#crdt-model/tariff/usage.ts';
import type { LogEntry } from '#storage/contract.ts';
import { sameRow } from '../fuzz/judge.ts';
import { Oracle } from '../fuzz/oracle.ts';
import { writesContent } from '../fuzz/rules.ts';


export class Watch {
	/** The company as the log says, entry by entry. */
	oracle = new Oracle();
	readonly broken: string[] = [];
	judged = 0;

	/**
	 * @param trusted made by the relay's own authority (founding), or handed back by a device with the relay's seal
	 * @param mostPeople that the tariff allowed at any time since the entry may have been judged
	 */
	take(entry: LogEntry, trusted: boolean, mostPeople: number): void {
		const { command, author, document, seq } = entry;
		if (!command) {
			if (trusted) return;
			this.judged++;
			const row = this.oracle.record(document)?.row;
			if (row && this.oracle.offService(row)) this.broken.push(`[P4] seq ${seq}: content of ${document}, whose service is off`);
			if (!writesContent(this.oracle, author, document)) this.broken.push(`[P4] seq ${seq}: content of ${document} by ${author}, who may not write it`);
			return;
		}
		const kind = kindNamed(kindOf(document)!);
		const before = this.oracle.record(document) ?? null;
		const state = before?.state ?? EMPTY_STATE;
		const plan = planCommand(kind, state, command, { author, latest: entry.acceptedAt });
		if (plan.kind === 'refused') {
			this.broken.push(`[P6] seq ${seq}: ${command.name} of ${document} was accepted and would be refused as ${plan.refusal.code} ${plan.refusal.detail}`);
			return;
		}
		const next = applyWrites(state, plan.writes);
		const row = rowOf(kind, document, next) as Row;
		if (!trusted && author !== RELAY) {
			this.judged++;
			const mayRead = !before || this.oracle.reads(author, document);
			const answer = this.oracle.isActive(author) && mayRead ? this.oracle.judge(author, command, before, { row, state: next }) : null;
			const off = this.oracle.offService(before?.row ?? row);
			if (off) this.broken.push(`[P4] seq ${seq}: ${command.name} of ${document} while ${off} is off`);
			if (!answer?.may) this.broken.push(`[P4] seq ${seq}: ${command.name} ${JSON.stringify(command.args)} of ${document} by ${author}, refused by ${answer?.rule ?? 'reading'}`);
		}
		const people = this.#people();
		this.oracle.take(row, next);
		if (!trusted && this.#people() > people && this.#people() > mostPeople) this.broken.push(`[P8] seq ${seq}: ${command.name} makes ${this.#people()} people where ${mostPeople} may be`);
	}

	/** After a restore a record is what both epochs made of it together: that is read, not run again. */
	adopt(row: Row, state: RecordState): void {
		this.oracle.take(row, state);
	}

	/** What is stored after a commit is what its entries make. */
	expectRow(row: Row): void {
		const mine = this.oracle.record(row.id)?.row ?? null;
		if (!sameRow(mine, row)) this.broken.push(`[P6] ${row.id} is stored as ${JSON.stringify(row)}, its commands make ${JSON.stringify(mine)}`);
	}

	#people(): number {
		return usageOfAll(this.oracle.rowsOf('employee')).people;
	}
}
