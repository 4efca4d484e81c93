/**
 * The gate for records (SPEC G1–G7): a batch of commands is accepted or refused as one.
 *
 *   known → existence and plan → service → access → quota → apply → enqueue
 *
 * Size and shape were judged when the frame was parsed, identity when the session was opened; membership is asked again here.
 * Nothing is touched before every command of the batch has passed, so a refusal needs no undoing. Everything below `admitBatch` runs in
 * one turn of the event loop: the rooms are pinned before, the disk is waited for after.
 */
import { audienceOf, canRead, decide, type Actor, type World } from '#crdt-model/access/decide.ts';
import { Directory } from '#crdt-model/access/directory.ts';
import { refusedByService } from '#crdt-model/access/services.ts';
import type { Principal } from '#crdt-model/access/principals.ts';
import { isIdOf, RELAY, recordsOfPage, type CommandId, type DocumentId, type PersonId } from '#crdt-model/ids.ts';
import type { PageRow } from '#crdt-model/kinds/page.ts';
import type { SettingsRow } from '#crdt-model/kinds/settings.ts';
import type { Batch, Command } from '#crdt-model/record/command.ts';
import type { BaseRow } from '#crdt-model/record/kind.ts';
import { planCommand, rowOf, type Overruled } from '#crdt-model/record/plan.ts';
import { applyWrites, EMPTY_STATE, writeToDoc, type RecordState, type Write } from '#crdt-model/record/state.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { Draft } from '../log/portal-log.ts';
import { judgeQuota, type Allowance } from '../quota/judge.ts';
import type { Room } from '../room/rooms.ts';
import { emitted } from './emitted.ts';
import { headOf } from './head.ts';

/** Whose authority stands behind a batch. */
export type Authority =
	| { readonly kind: 'person'; readonly actor: Actor }
	/** The relay itself: founding, accepted invitations, imports. Rights are not asked, schemas and meetings are. */
	| { readonly kind: 'relay'; readonly author: PersonId };

export interface RecordGate {
	readonly world: World;
	readonly now: () => number;
	room(id: DocumentId): Room;
	nextNumber(kind: string): number;
	/** Whether no other portal of the relay has the name, nor the relay itself. */
	isFreeDomain(domain: string): boolean;
	/** What the portal may hold and holds. */
	allowance(): Allowance;
	/** Told as each command is applied; the next batch is judged by the structure that this one made. Returns whether rights may change. */
	takeIntoDirectory(row: BaseRow): boolean;
}

interface Step {
	readonly command: Command;
	readonly room: Room;
	readonly before: BaseRow | null;
	readonly row: BaseRow;
	/** The record as the plan leaves it, for the commands that follow in the batch. */
	readonly state: RecordState;
	/** Who may read what stood before; nobody where nothing did. */
	readonly readersBefore: readonly Principal[];
	readonly writes: readonly Write[];
	readonly overruled: readonly Overruled[];
}

export type BatchAdmission =
	| { readonly kind: 'admitted'; readonly drafts: readonly Draft[] }
	| { readonly kind: 'refused'; readonly command: CommandId; readonly refusal: Refusal };

export function admitBatch(gate: RecordGate, authority: Authority, batch: Pick<Batch, 'commands'>): BatchAdmission {
	const author = authority.kind === 'person' ? authority.actor.person : authority.author;
	// Later commands of the batch see what the earlier ones would make, and nobody else does.
	const standing = new Map<DocumentId, Step>();
	const steps: Step[] = [];
	let world: World = {
		directory: gate.world.directory,
		settings: gate.world.settings,
		rowOf: (id) => standing.get(id)?.row ?? gate.world.rowOf(id)
	};
	let judged = authority;
	for (const command of batch.commands) {
		const step = judge(gate, judged, author, command, standing.get(command.document), world);
		if ('code' in step) return { kind: 'refused', command: command.id, refusal: step };
		standing.set(command.document, step);
		steps.push(step);
		if (step.row.kind === 'settings') world = { ...world, settings: step.row as SettingsRow };
		if (!Directory.concerns(step.row) || steps.length === batch.commands.length) continue;
		// Two commands that are harmless one by one may close a ring or leave no administrator together.
		const directory = world.directory === gate.world.directory ? world.directory.copy() : world.directory;
		if (!directory.take(step.row)) continue;
		world = { ...world, directory };
		if (authority.kind === 'person') judged = { kind: 'person', actor: { person: author, principals: directory.principalsOf(author) } };
	}
	const over = judgeQuota(gate.allowance, steps);
	if (over) return { kind: 'refused', command: steps[over.step]!.command.id, refusal: over.refusal };
	return { kind: 'admitted', drafts: steps.map((step) => apply(gate, author, step)) };
}

function judge(gate: RecordGate, authority: Authority, author: PersonId, command: Command, earlier: Step | undefined, world: World): Step | Refusal {
	const room = gate.room(command.document);
	const standing = earlier?.row ?? room.row;
	// What one may not read is judged as if it were not there, so that no answer tells the two apart.
	const readersBefore = standing ? audienceOf(standing, world) : [];
	const hidden = authority.kind === 'person' && standing !== null && !canRead(authority.actor, readersBefore);
	const state = hidden ? EMPTY_STATE : (earlier?.state ?? room.state);
	const before = hidden ? null : standing;

	const plan = planCommand(room.kind, state, command, { author, latest: gate.now() });
	if (plan.kind === 'refused') return plan.refusal;
	const next = applyWrites(state, plan.writes);
	const row = rowOf(room.kind, command.document, next);
	if (!row) return refuse('bad-value', `${command.name} leaves no record`);

	if (authority.kind === 'person') {
		const switchedOff = refusedByService(before ?? row, world.settings);
		if (switchedOff) return switchedOff;
		const verdict = decide(authority.actor, { before: before && { row: before, state }, next: { row, state: next }, changed: plan.paths, wishes: plan.wishes }, world);
		if (!verdict.allow) {
			// A page on a record that one may not read: neither the record nor a page that it has is admitted to.
			if (verdict.code === 'not-found' || (!before && hangsOnHidden(authority.actor, room, row, world))) return refuse('not-found', command.document);
			return refuse(verdict.code, command.name, { rule: verdict.rule, who: verdict.who });
		}
	}
	if (hidden) return refuse('not-found', command.document);
	if (takesForeignDomain(gate, before, row)) return refuse('denied', command.name, { rule: DOMAIN_IS_FREE, who: [] });
	const rightful = before ? undefined : whosePage(gate, row);
	if (rightful) {
		const isSeen = authority.kind === 'relay' || canRead(authority.actor, audienceOf(rightful.row!, world));
		return refuse(isSeen ? 'exists' : 'not-found', command.document);
	}
	return { command, room, before, row, state: next, readersBefore, writes: plan.writes, overruled: plan.overruled };
}

/**
 * The record to which a page that is to be made belongs, where that is another than it says: its id follows from the record's (I4), and whoever knows that one
 * could otherwise lay a page of their own readers where the record's people write. Of several records of one number the first has the page.
 */
function whosePage(gate: RecordGate, row: BaseRow): Room | undefined {
	if (!isIdOf('page', row.id)) return undefined;
	const { on } = row as PageRow;
	const since = on === null ? Infinity : (gate.room(on).firstSeq ?? Infinity);
	return recordsOfPage(row.id).map((id) => gate.room(id)).find((room) => room.id !== on && room.row !== null && room.firstSeq! < since);
}

/** Of two portals that want one name the first has it; that is decided here, because no portal knows of another. */
export const DOMAIN_IS_FREE = 'company.domain-is-free';

function takesForeignDomain(gate: RecordGate, before: BaseRow | null, row: BaseRow): boolean {
	if (row.kind !== 'settings') return false;
	const { domain } = row as SettingsRow;
	return domain !== null && domain !== (before as SettingsRow | null)?.domain && !gate.isFreeDomain(domain);
}

function hangsOnHidden(actor: Actor, { kind }: Room, row: BaseRow, world: World): boolean {
	return 'scope' in kind.audience(row) && !canRead(actor, audienceOf(row, world));
}

/** Writes one judged command into its document. Cannot fail: every value was checked when it was planned. */
function apply(gate: RecordGate, author: PersonId, step: Step): Draft {
	const { room, command } = step;
	let { writes, state, row } = step;
	if (room.kind.numbered && !step.before) {
		const { at } = state.get('created')!;
		writes = [...writes, { path: 'number', cell: { value: gate.nextNumber(room.kind.kind), at, by: RELAY, command: command.id } }];
	}
	const bytes = emitted(room.doc, command.id, () => writeToDoc(room.doc, writes, command.id));
	// The step's own state does not know the number that it, or an earlier command of its batch, was given.
	if (writes !== step.writes || state.get('number') !== room.state.get('number')) {
		state = applyWrites(room.state, writes);
		row = rowOf(room.kind, command.document, state)!;
	}
	room.state = state;
	room.row = row;
	room.docSeq++;
	const changesRights = gate.takeIntoDirectory(row);
	return {
		document: room.id,
		docSeq: room.docSeq,
		author,
		authoredAt: Math.min(command.at, gate.now()),
		command,
		overruled: step.overruled,
		swallowed: [],
		bytes,
		head: headOf(room, row),
		readersBefore: step.readersBefore,
		readersAfter: audienceOf(row, gate.world),
		origin: null,
		changesRights
	};
}
