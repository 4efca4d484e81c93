/**
 * From what a screen wants to what the log records: drafts become commands with ids, time and what their author saw; the one rule book
 * says at once what the relay would refuse. The relay remains the judge.
 */
import { decide, type Actor, type Verdict, type World } from '#crdt-model/access/decide.ts';
import { Directory } from '#crdt-model/access/directory.ts';
import { refusedByService } from '#crdt-model/access/services.ts';
import { kindOf, type DocumentId, type IdMaker, type PersonId } from '#crdt-model/ids.ts';
import { kindNamed } from '#crdt-model/kinds/index.ts';
import type { SettingsRow } from '#crdt-model/kinds/settings.ts';
import type { Batch, Command } from '#crdt-model/record/command.ts';
import { recordsNamedBy, type BaseRow, type Effect } from '#crdt-model/record/kind.ts';
import { planCommand, rowOf, seenBy, type Plan } from '#crdt-model/record/plan.ts';
import { applyWrites, EMPTY_STATE, type Json, type Path, type RecordState } from '#crdt-model/record/state.ts';
import { lockedFeature } from '#crdt-model/tariff/locks.ts';
import { featureRefusal } from '#crdt-model/tariff/tariff.ts';
import { refuse, type Refusal } from '#crdt-model/wire/refusal.ts';
import type { ReplicaReads } from '#storage/replica-contract.ts';
import * as v from 'valibot';
import { byDocument, canonicalStates, viewState, type ViewContext } from './view.ts';

/** What a screen asks for. A new record's id is made by the caller (`ids.document(kind)`). */
export interface Draft {
	readonly document: DocumentId;
	readonly name: string;
	readonly args: unknown;
}

export interface DraftContext extends ViewContext {
	readonly ids: IdMaker;
	readonly directory: Directory;
}

export type Drafted =
	| { readonly kind: 'drafted'; readonly batch: Batch }
	| { readonly kind: 'refused'; readonly refusal: Refusal; readonly draft: number };

/** Makes the batch on the view of this moment, each draft seeing the ones before it. */
export async function draftBatch(context: DraftContext, reads: ReplicaReads, drafts: readonly Draft[], at: number): Promise<Drafted> {
	const states = await viewStates(context, reads, drafts);
	const rows = await rowsAround(reads, [...states.keys()], drafts);
	let world: World = { directory: context.directory, settings: await settingsOf(reads), rowOf: (id) => rows.get(id) ?? null };
	const tariff = await reads.tariff();
	const commands: Command[] = [];
	for (const [index, draft] of drafts.entries()) {
		const name = kindOf(draft.document);
		if (!name) return { kind: 'refused', refusal: refuse('not-found', String(draft.document)), draft: index };
		const kind = kindNamed(name);
		const state = states.get(draft.document) ?? EMPTY_STATE;
		const bare = { id: context.ids.command(), document: draft.document, name: draft.name, args: draft.args, at };
		const seen = seenBy(kind, state, bare, context.person);
		// Made after what it replaces, whatever this device's clock says: two late clocks still meet in the order of making (SPEC M5).
		const madeAt = Math.max(at, ...Object.keys(seen).map((path) => state.get(path)!.at));
		const command: Command = { ...bare, at: madeAt, seen };
		const plan = planCommand(kind, state, command, { author: context.person, latest: Math.max(madeAt, context.now()) });
		if (plan.kind === 'refused') return { kind: 'refused', refusal: plan.refusal, draft: index };
		const next = applyWrites(state, plan.writes);
		const switchedOff = judgeService(draft.document, state, next, world);
		if (switchedOff) return { kind: 'refused', refusal: switchedOff, draft: index };
		const verdict = judge(context.person, draft.document, state, next, plan, world);
		if (!verdict.allow) {
			const { code, rule, who } = verdict;
			return { kind: 'refused', refusal: refuse(code, rule, { rule, who }), draft: index };
		}
		const row = rowOf(kind, draft.document, next);
		// Growth is for the relay alone to refuse: what others have given back meanwhile is not known here. Features are not given back by others.
		const locked = tariff && row && lockedFeature(rowOf(kind, draft.document, state), row, tariff.features);
		if (locked) {
			const refusal = refuse('quota', locked, { rule: `tariff.${locked}`, who: ['admins'], tariff: featureRefusal(tariff.plan, locked) });
			return { kind: 'refused', refusal, draft: index };
		}
		states.set(draft.document, next);
		if (row) rows.set(draft.document, row);
		commands.push(command);
		if (row?.kind === 'settings') world = { ...world, settings: row as SettingsRow };
		if (!row || !Directory.concerns(row) || index === drafts.length - 1) continue;
		// As at the gate: what follows in the batch is judged by the structure that this command would make.
		const directory = world.directory === context.directory ? context.directory.copy() : world.directory;
		if (directory.take(row)) world = { ...world, directory };
	}
	return { kind: 'drafted', batch: { id: context.ids.batch(), commands } };
}

/** What the rule book says of drafts now, made as one batch: greys a button, and says why. */
export async function verdictOn(context: DraftContext, reads: ReplicaReads, drafts: readonly Draft[]): Promise<Verdict> {
	const drafted = await draftBatch(context, reads, drafts, context.now());
	if (drafted.kind === 'drafted') return { allow: true, rule: 'allowed' };
	const { refusal } = drafted;
	return {
		allow: false,
		code: refusal.code === 'not-found' ? 'not-found' : 'denied',
		rule: refusal.rule ?? refusal.code,
		who: (refusal.who ?? []) as Extract<Verdict, { allow: false }>['who']
	};
}

function judgeService(id: DocumentId, before: RecordState, next: RecordState, { settings }: World): Refusal | null {
	const kind = kindNamed(kindOf(id)!);
	const row = rowOf(kind, id, before) ?? rowOf(kind, id, next);
	return row && refusedByService(row, settings);
}

/** Before the first sync the directory is empty, and nobody can be judged here. */
function judge(person: PersonId, id: DocumentId, before: RecordState, next: RecordState, { paths, wishes }: Extract<Plan, { kind: 'planned' }>, world: World): Verdict {
	if (!world.directory.person(person)) return { allow: true, rule: 'not-known-here' };
	const kind = kindNamed(kindOf(id)!);
	const nextRow = rowOf(kind, id, next);
	if (!nextRow) return { allow: true, rule: 'no-row' };
	const row = rowOf(kind, id, before);
	const actor: Actor = { person, principals: world.directory.principalsOf(person) };
	return decide(actor, { before: row && { row, state: before }, next: { row: nextRow, state: next }, changed: paths, wishes }, world);
}

async function viewStates(context: ViewContext, reads: ReplicaReads, drafts: readonly Draft[]): Promise<Map<DocumentId, RecordState>> {
	const ids = [...new Set(drafts.map((draft) => draft.document))].filter((id) => kindOf(id) !== null);
	const canonical = await canonicalStates(context, reads, ids);
	const pending = byDocument(await reads.pendingOn(ids));
	return new Map(ids.map((id) => [id, viewState(context, id, canonical.get(id)!, pending.get(id) ?? [])]));
}

/** The company's settings as they are here; null before they came. */
export async function settingsOf(reads: ReplicaReads): Promise<SettingsRow | null> {
	return ((await reads.rowsOf('settings'))[0] as BaseRow as SettingsRow | undefined) ?? null;
}

/** The drafted records and those that they hang on or refer to: `rowOf` of the rule book may not wait. */
async function rowsAround(reads: ReplicaReads, ids: readonly DocumentId[], drafts: readonly Draft[]): Promise<Map<DocumentId, BaseRow>> {
	const own = await reads.rows(ids);
	const scopes = new Set<DocumentId>();
	for (const row of own.values()) scopeOf(row, scopes);
	for (const { document, name, args } of drafts) {
		const kind = kindOf(document);
		if (kind) for (const id of recordsNamedBy(kindNamed(kind), name, args)) scopes.add(id);
	}
	return new Map([...own, ...(await reads.rows([...scopes]))]);
}

function scopeOf(source: object, into: Set<DocumentId>): void {
	const { on, target } = source as { on?: unknown; target?: unknown };
	for (const id of [on, target]) if (kindOf(id) !== null) into.add(id as DocumentId);
}

/** What a command would write on this state; empty where it does not parse or its target is gone. */
export function effectsOf(state: RecordState, command: Pick<Command, 'document' | 'name' | 'args'>, author: PersonId): readonly Effect[] {
	const kind = kindNamed(kindOf(command.document)!);
	const verb = command.name.slice(command.name.indexOf('.') + 1);
	if (!Object.hasOwn(kind.commands, verb)) return [];
	const spec = kind.commands[verb]!;
	const args = v.safeParse(spec.args, command.args);
	if (!args.success) return [];
	const effects = spec.effects(state, args.output as never, { id: command.document, author });
	return 'gone' in effects ? [] : effects;
}

/**
 * The command that writes one value at one path: how a value that gave way is brought back. Found by asking each command of the
 * kind, so that a new field needs no line here.
 */
export function setterOf(document: DocumentId, state: RecordState, path: Path, value: Json, author: PersonId): Draft | null {
	const kind = kindNamed(kindOf(document)!);
	const [, key, part] = path.split('/');
	const candidates: unknown[] = [{ value }, {}];
	if (key !== undefined && part === undefined) candidates.push({ member: key }, { key, value });
	if (part !== undefined) candidates.push({ item: key, [part]: value }, { item: key });
	for (const [verb, spec] of Object.entries(kind.commands)) {
		if (spec.needs === 'new') continue;
		for (const args of candidates) {
			const draft: Draft = { document, name: `${kind.kind}.${verb}`, args };
			const effects = effectsOf(state, draft, author);
			// What else it would write must be so already: bringing one value back changes no other.
			const others = effects.filter(([one]) => one !== path);
			const isSet = effects.some(([one, to]) => one === path && JSON.stringify(to) === JSON.stringify(value));
			if (isSet && others.every(([one, to]) => JSON.stringify(state.get(one)?.value ?? false) === JSON.stringify(to))) return draft;
		}
	}
	return null;
}
