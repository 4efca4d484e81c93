/** One company's run through the gate: each act is judged twice, and what must hold afterwards is checked. */
import type { CommandId, DocumentId, PersonId } from '#crdt-model/ids.ts';
import { KINDS } from '#crdt-model/ids.ts';
import { kindNamed, type Row } from '#crdt-model/kinds/index.ts';
import type { Command } from '#crdt-model/record/command.ts';
import { collectionsOf } from '#crdt-model/record/kind.ts';
import { readFromDoc } from '#crdt-model/record/state.ts';
import type { AnswerResult } from '#crdt-model/wire/down.ts';
import type { Room } from '#sync-server/room/rooms.ts';
import type { Random } from '../support/random.ts';
import { Company, type Act } from './company.ts';
import { expect, sameRow, type Expected } from './judge.ts';

/** What the runs really did. */
export interface Tally {
	/** Commands that were judged by both. */
	decisions: number;
	/** Refusals that were asked again about something that never was. */
	twins: number;
	/** Persons and records of whom reading was compared. */
	readings: number;
	repeats: number;
	accepted: Record<string, number>;
	refused: Record<string, number>;
	codes: Record<string, number>;
	allowedBy: Record<string, number>;
	deniedBy: Record<string, number>;
}
export const newTally = (): Tally => ({ decisions: 0, twins: 0, readings: 0, repeats: 0, accepted: {}, refused: {}, codes: {}, allowedBy: {}, deniedBy: {} });
const count = (table: Record<string, number>, key: string) => void (table[key] = (table[key] ?? 0) + 1);

/** By their kinds: a pattern that takes any word would try each letter of a long text. */
const DOCUMENT_IDS = new RegExp(`(?:${KINDS.join('|')})_[0-9a-f]{8}-[0-9a-f-]{27}`, 'g');
/** Acts between two comparisons of who reads what. */
const READ_EVERY = 200;

export class Run {
	readonly acts: Act[] = [];
	readonly #company: Company;
	readonly #tally: Tally;
	readonly #onFault: (fault: unknown) => void;
	/** Apart from what the acts are drawn from, so that leaving one out changes no other. */
	readonly #random: Random;
	/** Batches that got an answer, for repeating them. */
	readonly #answered: { act: Act; told: string }[] = [];

	/** @param onFault stops at the first by default; who explores may go on */
	constructor(seed: number, tally: Tally, onFault = (fault: unknown): void => { throw fault; }) {
		this.#company = new Company(seed);
		this.#random = this.#company.random.fork(3);
		this.#tally = tally;
		this.#onFault = onFault;
	}

	async play(acts: number): Promise<void> {
		await this.#company.open();
		for (let i = 0; i < acts; i++) {
			const act = this.#company.act();
			this.acts.push(act);
			await this.#do(act).catch(this.#onFault);
			if (i % READ_EVERY === READ_EVERY - 1) await this.#expectReading().catch(this.#onFault);
		}
		await this.#expectRebuilt();
	}

	/** The same company, other acts: a shrunk history. */
	async replay(acts: readonly Act[]): Promise<void> {
		await this.#company.open();
		for (const act of acts) await this.#do(act);
		await this.#expectReading();
		await this.#expectRebuilt();
	}

	async #do(act: Act): Promise<void> {
		const { oracle, portal, now } = this.#company;
		const random = this.#random;
		this.#company.pass(random.below(60_000));
		const { person, commands } = act;
		const expected = expect(oracle, person, commands, now(), this.#company.bought);
		const before = this.#standing(commands);
		const answer = await portal.submit(person, { id: this.#company.ids.batch(), commands });
		this.#tally.decisions += commands.length;
		this.#company.takeIn(commands.map(({ document }) => document));
		this.#answered.push({ act, told: JSON.stringify(answer) });
		this.#compare(act, expected, answer);
		if (answer.kind === 'accepted') this.#expectApplied(act, expected as Expected & { kind: 'accepted' }, before.seq);
		else {
			if (before.fingerprint !== this.#standing(commands).fingerprint) throw new Error(`refused, and left a trace: ${said(act)}`);
			if (random.chance(0.25)) await this.#expectTwin(act, answer);
		}
		if (random.chance(0.02)) await this.#expectRepeat();
	}

	#compare(act: Act, expected: Expected, answer: AnswerResult): void {
		const { allowedBy, deniedBy, accepted, refused, codes } = this.#tally;
		if (answer.kind === 'accepted') {
			if (expected.kind === 'refused') throw new Error(`accepted what the oracle refuses as ${expected.code} (${expected.rule}): ${said(act)}`);
			act.commands.forEach(({ name }, i) => (count(accepted, name), count(allowedBy, expected.rules[i]!)));
			return;
		}
		const { code, rule, detail } = answer.refusal;
		if (expected.kind === 'accepted') throw new Error(`refused as ${code} (${rule} ${detail}) what the oracle allows (${expected.rules.join()}): ${said(act)}`);
		if (code !== expected.code) throw new Error(`refused as ${code} (${rule} ${detail}), by the oracle as ${expected.code} (${expected.rule}): ${said(act)}`);
		if (answer.command !== expected.command) throw new Error(`refused for ${answer.command}, by the oracle for ${expected.command}: ${said(act)}`);
		if (code === 'denied' && !rule) throw new Error(`denied without a rule: ${said(act)}`);
		count(codes, code);
		if (expected.rule) count(deniedBy, expected.rule);
		const fault = act.commands.find(({ id }) => id === expected.command);
		if (fault) count(refused, fault.name);
	}

	#expectApplied(act: Act, { rows }: Expected & { kind: 'accepted' }, seqBefore: number): void {
		const { portal } = this.#company;
		if (portal.log.assigned !== seqBefore + act.commands.length) throw new Error(`${act.commands.length} commands took ${portal.log.assigned - seqBefore} numbers: ${said(act)}`);
		for (const [id, row] of rows) {
			const { row: made } = portal.rooms.peek(id)!;
			if (!sameRow(made as Row, row)) throw new Error(`${said(act)} made ${JSON.stringify(made)}, planned was ${JSON.stringify(row)}`);
		}
	}

	/** What a refusal may not touch. */
	#standing(commands: readonly Command[]): { seq: number; fingerprint: string } {
		const { portal } = this.#company;
		const rooms = commands.map(({ document }) => portal.rooms.peek(document)).filter((room): room is Room => room !== undefined && room.row !== null);
		const fingerprint = JSON.stringify([
			portal.log.assigned, portal.directory.version, portal.log.assigned,
			rooms.map(({ id, docSeq, row, state, doc }) => [id, docSeq, row, state.size, doc.store.clients.size])
		]);
		return { seq: portal.log.assigned, fingerprint };
	}

	/** Whatever was hidden from the author is taken for something that never was: the answer must be the same, word for word. */
	async #expectTwin(act: Act, answer: AnswerResult & { kind: 'refused' }): Promise<void> {
		const { oracle, ids, portal } = this.#company;
		const twinOf = new Map<string, string>();
		const seen = new Set<string>();
		const written = JSON.stringify(act.commands.map(({ document, args }) => [document, args]), (_key, value: unknown) => (typeof value === 'bigint' ? null : value));
		for (const [id] of written.matchAll(DOCUMENT_IDS)) {
			if (!oracle.record(id as DocumentId)) continue;
			if (oracle.reads(act.person, id as DocumentId)) {
				seen.add(id.slice(id.indexOf('_') + 1));
				continue;
			}
			// Whoever may name people learns whether they are there by naming them: what follows in the batch differs.
			if (id.startsWith('employee_') && act.commands.length > 1) return;
			// By the uuid: a record and its page share it.
			const uuid = id.slice(id.indexOf('_') + 1);
			if (!twinOf.has(uuid)) twinOf.set(uuid, ids.uuid());
		}
		// A page that went its own way has the uuid of a record that may be read.
		if (twinOf.size === 0 || [...twinOf.keys()].some((uuid) => seen.has(uuid))) return;
		const swap = (text: string) => [...twinOf].reduce((all, [from, to]) => all.replaceAll(from, to), text);
		// Other ids in the same order: ties between two commands are settled by it.
		const later = act.commands.map(() => ids.command()).sort();
		const fresh = new Map<CommandId, CommandId>(act.commands.map(({ id }) => id).sort().map((id, n) => [id, later[n]!]));
		const swappedBack = (text: string) => [...twinOf, ...fresh].reduce((all, [from, to]) => all.replaceAll(to, from), text);
		const commands = act.commands.map((command) => ({ ...swapped(command, swap), id: fresh.get(command.id)! }));
		// Making what is there already is the one thing in which the two may differ: the id is taken.
		if (act.commands.some(({ name, document }) => /\.(create|hang|upload)$/.test(name) && twinOf.has(document.slice(document.indexOf('_') + 1)))) return;
		this.#tally.twins++;
		const twin = await portal.submit(act.person, { id: ids.batch(), commands });
		if (twin.kind === 'accepted') throw new Error(`told the hidden from what never was: ${said(act)} → ${JSON.stringify(answer)}, its twin was accepted`);
		const [mine, other] = [JSON.stringify(answer.refusal), swappedBack(JSON.stringify(twin.refusal))];
		if (mine !== other) throw new Error(`told the hidden from what never was: ${said(act)} → ${mine}, its twin ${other}`);
	}

	/** The first answer is the answer to every repeat; what another person sends under a known id is a forgery. */
	async #expectRepeat(): Promise<void> {
		const { portal, ids, oracle } = this.#company;
		const { act, told } = this.#random.pick(this.#answered);
		// Who was not of the company was sent away at the door: that is no answer to a command.
		if (!oracle.isActive(act.person) || told.includes('"not a member"')) return;
		this.#tally.repeats++;
		const seq = portal.log.assigned;
		const again = await portal.submit(act.person, { id: ids.batch(), commands: act.commands });
		if (JSON.stringify(again) !== told) throw new Error(`answered ${told} first and ${JSON.stringify(again)} then: ${said(act)}`);
		const thief = this.#company.person();
		if (thief !== act.person) {
			const stolen = await portal.submit(thief, { id: ids.batch(), commands: act.commands });
			if (stolen.kind === 'accepted' || stolen.refusal.code !== 'malformed') throw new Error(`a stolen id was answered ${JSON.stringify(stolen)}`);
			count(this.#tally.codes, 'malformed');
		}
		if (portal.log.assigned !== seq) throw new Error(`a repeat made an entry: ${said(act)}`);
	}

	/** Everybody reads what the oracle says and nothing else. */
	async #expectReading(): Promise<void> {
		const { oracle, portal } = this.#company;
		for (const person of this.#company.known.get('employee') as PersonId[]) {
			const read = new Set<DocumentId>();
			for (const kind of KINDS) {
				for (let after: DocumentId | null = null; ; ) {
					const { rows, next } = await portal.rows(person, { kind, after, limit: 100 });
					for (const { id } of rows) read.add(id);
					if (!(after = next)) break;
				}
			}
			for (const [id, { row }] of oracle.records) {
				if (row.deleted || oracle.offService(row)) continue;
				this.#tally.readings++;
				if (oracle.reads(person, id) !== read.has(id)) throw new Error(`${person} ${read.has(id) ? 'reads' : 'does not read'} ${id}: ${JSON.stringify(row)}`);
			}
		}
	}

	/** A relay that starts anew holds the same: what was decided is what is on disk. */
	async #expectRebuilt(): Promise<void> {
		const { oracle } = this.#company;
		const numbers = new Map<string, number[]>();
		for (const stored of await this.#company.portal.store.headsOfKinds(KINDS)) {
			const known = oracle.record(stored.id);
			if (!known || JSON.stringify(known.row) !== JSON.stringify(stored.row)) throw new Error(`${stored.id} is on disk as ${JSON.stringify(stored.row)}, judged was ${JSON.stringify(known?.row)}`);
			if (stored.row.number !== null) numbers.set(stored.kind, [...(numbers.get(stored.kind) ?? []), stored.row.number]);
		}
		for (const [kind, given] of numbers) {
			if (given.sort((a, b) => a - b).some((number, i) => number !== i + 1)) throw new Error(`numbers of ${kind} have holes: ${given.join()}`);
		}
		const anew = await this.#company.reopened();
		const ids = [...oracle.records.keys()];
		for (const room of await anew.rooms.pin(ids)) {
			const { state } = oracle.record(room.id)!;
			const read = readFromDoc(room.doc, collectionsOf(kindNamed(room.kind.kind)));
			if (plain(read) !== plain(state)) throw new Error(`${room.id} reads otherwise from its log`);
		}
	}
}

const plain = (state: ReadonlyMap<string, unknown>) => JSON.stringify([...state].sort(([a], [b]) => (a < b ? -1 : 1)));

function swapped(command: Command, swap: (text: string) => string): Command {
	const inside = (value: unknown): unknown => {
		if (typeof value === 'string') return swap(value);
		if (Array.isArray(value)) return value.map(inside);
		if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
		const made: Record<string, unknown> = {};
		for (const [key, inner] of Object.entries(value)) Object.defineProperty(made, swap(key), { value: inside(inner), enumerable: true, configurable: true, writable: true });
		return made;
	};
	const { seen, ...rest } = command;
	return { ...(inside(rest) as Command), seen: Object.fromEntries(Object.entries(seen).map(([path, id]) => [swap(path), id])) };
}

export function said({ person, commands }: Act): string {
	const short = (value: unknown) => JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : typeof inner === 'string' && inner.length > 120 ? `${inner.slice(0, 40)}… (${inner.length})` : inner));
	return `${person}: ${commands.map(({ name, document, args }) => `${name} ${document} ${short(args)}`).join(' + ')}`;
}
